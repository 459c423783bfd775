"""The answer of a neck study: energies over shapes, the lowest of every size, the critical size and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nanoslab.energetics.neck import NucleationFit, RawCriticalSize
from nanoslab.measure.neck_shape import NeckMetrics
from nanoslab.studies.result import Cell, Record, StudyResult, Table, marked, record, remarks, table_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NeckRow:
    """One computed neck."""

    calculation: str
    shape: str  #: code of its cross-section
    n_pairs: int
    n_columns: int
    perimeter: int
    imbalance: int  #: cation-first less anion-first columns, without sign
    delta_energy: float  #: E(necked) - E(double slab) - n E(bulk pair) [eV]
    screening_energy: float | None  #: the same from the screen [eV]
    metrics: NeckMetrics | None  #: what has become of the neck; None when no structure was read
    converged: bool
    notes: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """False for a neck that collapsed or came apart; such a one is shown, but not counted."""
        return self.metrics is None or self.metrics.intact


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """The necks of one size: the lowest intact one, how many are intact or not, highest less lowest energy [eV]."""

    lowest: NeckRow
    n_shapes: int
    n_broken: int
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NeckStudyResult(StudyResult):
    """Everything a neck study says."""

    rows: tuple[NeckRow, ...]
    sizes: tuple[SizeRow, ...]  #: one per size with an intact neck
    raw: RawCriticalSize | None  #: where the computed curve is highest; None without necks
    fit: NucleationFit | None  #: to the lowest necks
    fit_problem: str  #: why there is none
    column_spacing: float  #: of the crystal [Å]
    pairs_per_column: int  #: half the planes of the gap
    compared_with: tuple[str, float] | None = None  #: source, and the critical pairs that it reports
    screen: str | None = None  #: what the screening energies are, in words

    @property
    def critical_pairs(self) -> float | None:
        """Fitted critical size; None without a fit: the highest point of a scattered curve is no critical size."""
        return None if self.fit is None else self.fit.critical_pairs

    @property
    def critical_width_nm(self) -> float | None:
        """Side of the square neck of the critical size [nm]."""
        size = self.critical_pairs
        return None if size is None else self.width_nm(size)

    def width_nm(self, n_pairs: float) -> float:
        """Side of a square neck as built [nm]: as many column spacings as columns."""
        return float((n_pairs / self.pairs_per_column) ** 0.5 * self.column_spacing / 10.0)

    def tables(self) -> tuple[Table, ...]:
        """Lowest necks, then every shape where sizes have several."""
        document = self.document()
        sizes, shapes = document["necks"], document["shapes"]
        curve = table_of("Lowest neck of every size", sizes, SIZES, self._notes(document))
        if all(size["n_shapes"] + size["n_broken"] == 1 for size in sizes) and all(s["intact"] for s in shapes):
            return (curve,)
        columns = dict(SHAPES)
        if all(shape["screening_delta_energy_eV"] is None for shape in shapes):
            del columns[SCREEN]
        note = "Necks with remarks on their columns or planes are shown, but not counted."
        return (curve, table_of("All shapes", shapes, columns, (note,)))

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        interval = list(self.fit.interval) if self.fit is not None else None
        compared = self.compared_with
        return {
            "necks": [self._size(size) for size in self.sizes],
            "shapes": [_shape(row) for row in self.rows],
            "critical_pairs": self.critical_pairs,
            "critical_pairs_interval": interval,
            "critical_width_nm": self.critical_width_nm,
            "critical_pairs_raw": None if self.raw is None else self.raw.n_pairs,
            "critical_pairs_raw_tied": [] if self.raw is None else list(self.raw.tied),
            "critical_pairs_raw_bracketed": None if self.raw is None else self.raw.bracketed,
            "nucleation_fit": None if self.fit is None else _fit(self.fit),
            "nucleation_fit_problem": self.fit_problem or None,
            "compared_with": None if compared is None else {"source": compared[0], "critical_pairs": compared[1]},
            "screen": self.screen,
        }

    def _notes(self, document: Record) -> list[str]:
        notes = [
            f"Level of theory: {self.level_of_theory}.",
            "dE = E(necked) - E(double slab) - n E(bulk pair): relative to bulk atoms, not a barrier.",
            "Shape: one hexadecimal number per row of columns, its bits the columns (7.7.7 = 3 x 3).",
        ]
        if self.raw is not None:
            also = f" (as high as {', '.join(map(str, self.raw.tied[:-1]))})" if len(self.raw.tied) > 1 else ""
            larger = "; larger necks were not computed, so the true one may be larger"
            end = "" if self.raw.bracketed else larger
            notes.append(f"The computed curve is highest at {self.raw.n_pairs} pairs{also}{end}.")
        notes.append(_fit_note(document))
        if self.compared_with is not None:
            notes.append("{}: critical size {:g} pairs.".format(*self.compared_with))
        return notes if self.screen is None else [*notes, f"{self.screen}."]

    def _size(self, size: SizeRow) -> dict[str, Any]:
        row = size.lowest
        shape = _shape(row)
        kept = ("n_pairs", "delta_energy_eV", "shape", "perimeter", "imbalance", "converged", "calculation")
        return {
            **{key: shape[key] for key in kept},
            **record(size, lowest=None, spread="spread_eV"),
            "width_nm": self.width_nm(row.n_pairs),
            "fitted_energy_eV": None if self.fit is None else self.fit.energy(row.n_pairs),
        }


def _shape(row: NeckRow) -> dict[str, Any]:
    renamed = {"delta_energy": "delta_energy_eV", "screening_energy": "screening_delta_energy_eV", "metrics": None}
    document = {**record(row, **renamed), "intact": row.intact}
    if row.metrics is not None:
        document |= {"n_connected_columns": row.metrics.n_connected, "width_nm": row.metrics.width_nm}
        lengths = ("length", "plane_spacing", "column_spacing", "largest_displacement")
        document |= {f"{name}_A": getattr(row.metrics, name) for name in lengths}
    return document


def _fit(fit: NucleationFit) -> dict[str, Any]:
    renamed = {
        "area_term": "area_term_eV_per_pair",
        "edge_term": "edge_term_eV_per_column_edge",
        "imbalance_term": "imbalance_term_eV_per_column",
        "covariance": "covariance_eV2",
        "rms": "rms_eV",
        "prediction_error": "prediction_error_eV",
        "prediction_error_of_constant": "prediction_error_of_constant_eV",
        "pairs_per_column": None,
    }
    return {**record(fit, **renamed), "critical_pairs": fit.critical_pairs, "barrier_eV": fit.barrier}


def _fit_note(document: Record) -> str:
    fit = document["nucleation_fit"]
    if fit is None:
        return f"No nucleation fit: {document['nucleation_fit_problem']}."
    term = fit["imbalance_term_eV_per_column"]
    third = "" if term is None else f", {term:+.3f} eV per column more of one kind than of the other"
    terms = (
        f"Fit: {fit['area_term_eV_per_pair']:+.3f} eV per pair, {fit['edge_term_eV_per_column_edge']:+.3f} eV per "
        f"column edge{third}; rms {fit['rms_eV']:.2f} eV over {fit['n_points']} sizes, "
        f"R2 {fit['r_squared']:.2f}; a size left out is predicted within {fit['prediction_error_eV']:.2f} eV, "
        f"by the mean within {fit['prediction_error_of_constant_eV']:.2f} eV"
    )
    lower, upper = fit["interval"]
    bounds = f"{lower:.3g} to {upper:.3g}" if upper is not None else f"{lower:.3g} or more"
    if fit["critical_pairs"] is None:
        return f"{terms}; no critical size, necks only cost ({fit['confidence']:.0%}: {bounds} pairs)."
    size = f"critical size {fit['critical_pairs']:.1f} pairs, {document['critical_width_nm']:.2f} nm"
    return f"{terms}; {size} ({fit['confidence']:.0%}: {bounds})."


def _columns_left(shape: Record) -> str:
    left = shape.get("n_connected_columns")
    return "-" if left is None else f"{left}/{shape['n_columns']}"


SIZES: Mapping[str, Cell] = {
    "pairs": "n_pairs",
    "width [nm]": "width_nm:.2f",
    "dE [eV]": marked("delta_energy_eV:.2f"),
    "fit [eV]": "fitted_energy_eV:.2f",
    "spread [eV]": lambda size: text_of(size["spread_eV"] if size["n_shapes"] > 1 else None, ".2f"),
    "shapes": "n_shapes",
    "perimeter": "perimeter",
    "shape": "shape",
}
SCREEN = "screen dE [eV]"
SHAPES: Mapping[str, Cell] = {
    "pairs": "n_pairs",
    "shape": "shape",
    "perimeter": "perimeter",
    "imbalance": "imbalance",
    "dE [eV]": "delta_energy_eV:.2f",
    SCREEN: "screening_delta_energy_eV:.2f",
    "columns left": _columns_left,
    "planes [Å]": "plane_spacing_A:.2f",
    "remarks": remarks,
}

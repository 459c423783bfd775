"""The answer of a neck study: energies over shapes, the lowest of every size, the critical size and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nanoslab.energetics.neck import NucleationFit, RawCriticalSize
from nanoslab.measure.neck_shape import NeckMetrics
from nanoslab.studies.neck.tables import neck_tables
from nanoslab.studies.result import StudyResult, Table, record


@dataclass(frozen=True, slots=True, kw_only=True)
class NeckRow:
    """One computed neck.

    Attributes
    ----------
    calculation, shape
        Its name, and the code of its cross-section.
    n_pairs, n_columns, perimeter, imbalance
        Size and shape; the imbalance is that of cation-first and anion-first columns.
    delta_energy
        E(necked) - E(double slab) - n E(bulk pair) [eV].
    screening_energy
        The same from the screen [eV], None without one.
    metrics
        What has become of the neck; None when no structure was read.
    converged
        Whether all three runs were.
    notes
        Problems and allowed differences, in words.
    """

    calculation: str
    shape: str
    n_pairs: int
    n_columns: int
    perimeter: int
    imbalance: int
    delta_energy: float
    screening_energy: float | None
    metrics: NeckMetrics | None
    converged: bool
    notes: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """False for a neck that collapsed or came apart; such a one is shown, but not counted."""
        return self.metrics is None or self.metrics.intact


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """The necks of one size: the lowest, and the spread over shapes.

    Attributes
    ----------
    lowest
        The intact neck of lowest energy.
    n_shapes
        Intact shapes computed.
    n_broken
        Shapes that did not stay necks.
    spread
        Highest less lowest energy [eV].
    """

    lowest: NeckRow
    n_shapes: int
    n_broken: int
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NeckStudyResult(StudyResult):
    """Everything a neck study says.

    Attributes
    ----------
    rows, sizes
        Every neck; one entry per size with an intact neck.
    raw
        Where the computed curve is highest; None without necks.
    fit, fit_problem
        Nucleation fit to the lowest necks, or why there is none.
    column_spacing
        Of the crystal [Å].
    pairs_per_column
        Half the planes of the gap.
    compared_with
        (source, critical pairs) that somebody else reports.
    screen
        What the screening energies are, in words.
    """

    rows: tuple[NeckRow, ...]
    sizes: tuple[SizeRow, ...]
    raw: RawCriticalSize | None
    fit: NucleationFit | None
    fit_problem: str
    column_spacing: float
    pairs_per_column: int
    compared_with: tuple[str, float] | None = None
    screen: str | None = None

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
        return neck_tables(self.document(), self.level_of_theory)

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
        document |= {
            "n_connected_columns": row.metrics.n_connected,
            "width_nm": row.metrics.width_nm,
            "length_A": row.metrics.length,
            "plane_spacing_A": row.metrics.plane_spacing,
            "column_spacing_A": row.metrics.column_spacing,
            "largest_displacement_A": row.metrics.largest_displacement,
        }
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

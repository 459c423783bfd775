"""Tables of a neck study, from the document of its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.studies.result import Table, text_of

Document = Mapping[str, Any]
Record = Mapping[str, Any]


def neck_tables(document: Document, level_of_theory: str) -> tuple[Table, ...]:
    """Lowest neck of every size, then every shape where a size has several or one came apart."""
    sizes, shapes = document["necks"], document["shapes"]
    several = any(size["n_shapes"] + size["n_broken"] > 1 for size in sizes) or not all(s["intact"] for s in shapes)
    curve = Table(
        title="Lowest neck of every size",
        columns=("pairs", "width [nm]", "dE [eV]", "fit [eV]", "spread [eV]", "shapes", "perimeter", "shape"),
        rows=tuple(_size_cells(size) for size in sizes),
        notes=tuple(_notes(document, level_of_theory)),
    )
    return (curve, _shapes(shapes)) if several else (curve,)


def _size_cells(size: Record) -> tuple[str, ...]:
    return (
        str(size["n_pairs"]),
        f"{size['width_nm']:.2f}",
        f"{size['delta_energy_eV']:.2f}{'' if size['converged'] else ' (!)'}",
        text_of(size["fitted_energy_eV"], ".2f"),
        f"{size['spread_eV']:.2f}" if size["n_shapes"] > 1 else "-",
        str(size["n_shapes"]),
        str(size["perimeter"]),
        size["shape"],
    )


def _notes(document: Document, level_of_theory: str) -> list[str]:
    notes = [
        f"Level of theory: {level_of_theory}.",
        "dE = E(necked) - E(double slab) - n E(bulk pair): relative to bulk atoms, not a barrier.",
        "Shape: one hexadecimal number per row of columns, its bits the columns (7.7.7 = 3 x 3).",
    ]
    raw, tied = document["critical_pairs_raw"], document["critical_pairs_raw_tied"]
    if raw is not None:
        also = f" (as high as {', '.join(map(str, tied[:-1]))})" if len(tied) > 1 else ""
        larger = "; larger necks were not computed, so the true one may be larger"
        end = "" if document["critical_pairs_raw_bracketed"] else larger
        notes.append(f"The computed curve is highest at {raw} pairs{also}{end}.")
    notes.append(_fit_note(document))
    compared = document["compared_with"]
    if compared is not None:
        notes.append(f"{compared['source']}: critical size {compared['critical_pairs']:g} pairs.")
    if document["screen"] is not None:
        notes.append(f"{document['screen']}.")
    return notes


def _fit_note(document: Document) -> str:
    fit = document["nucleation_fit"]
    if fit is None:
        return f"No nucleation fit: {document['nucleation_fit_problem']}."
    terms = (
        f"Fit: {fit['area_term_eV_per_pair']:+.3f} eV per pair, {fit['edge_term_eV_per_column_edge']:+.3f} eV per "
        f"column edge{_imbalance(fit)}; rms {fit['rms_eV']:.2f} eV over {fit['n_points']} sizes, "
        f"R2 {fit['r_squared']:.2f}; a size left out is predicted within {fit['prediction_error_eV']:.2f} eV, "
        f"by the mean within {fit['prediction_error_of_constant_eV']:.2f} eV"
    )
    lower, upper = fit["interval"]
    bounds = f"{lower:.3g} to {upper:.3g}" if upper is not None else f"{lower:.3g} or more"
    if fit["critical_pairs"] is None:
        return f"{terms}; no critical size, necks only cost ({fit['confidence']:.0%}: {bounds} pairs)."
    size = f"critical size {fit['critical_pairs']:.1f} pairs, {document['critical_width_nm']:.2f} nm"
    return f"{terms}; {size} ({fit['confidence']:.0%}: {bounds})."


def _imbalance(fit: Record) -> str:
    term = fit["imbalance_term_eV_per_column"]
    return "" if term is None else f", {term:+.3f} eV per column more of one kind than of the other"


def _shapes(shapes: list[Record]) -> Table:
    screened = any(shape["screening_delta_energy_eV"] is not None for shape in shapes)
    screen = ("screen dE [eV]",) if screened else ()
    return Table(
        title="All shapes",
        columns=(
            *("pairs", "shape", "perimeter", "imbalance", "dE [eV]"),
            *screen,
            *("columns left", "planes [Å]", "remarks"),
        ),
        rows=tuple(_shape_cells(shape, screened=screened) for shape in shapes),
        notes=("Necks with remarks on their columns or planes are shown, but not counted.",),
    )


def _shape_cells(shape: Record, *, screened: bool) -> tuple[str, ...]:
    left = shape.get("n_connected_columns")
    return (
        str(shape["n_pairs"]),
        shape["shape"],
        str(shape["perimeter"]),
        str(shape["imbalance"]),
        f"{shape['delta_energy_eV']:.2f}",
        *((text_of(shape["screening_delta_energy_eV"], ".2f"),) if screened else ()),
        "-" if left is None else f"{left}/{shape['n_columns']}",
        text_of(shape.get("plane_spacing_A"), ".2f"),
        "; ".join(shape["notes"]),
    )

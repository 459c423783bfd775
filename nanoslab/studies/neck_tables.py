"""A neck study's result laid out for the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanoslab.studies.study import Table

if TYPE_CHECKING:
    from nanoslab.studies.neck_result import NeckRow, NeckStudyResult


def tables(result: NeckStudyResult) -> tuple[Table, ...]:
    """Lowest neck of every size, then every shape where sizes have several."""
    several = any(size.n_shapes + size.n_broken > 1 for size in result.sizes) or any(
        not row.intact for row in result.rows
    )
    return (_curve(result), _shapes(result)) if several else (_curve(result),)


def _curve(result: NeckStudyResult) -> Table:
    return Table(
        title="Lowest neck of every size",
        columns=("pairs", "width [nm]", "dE [eV]", "fit [eV]", "spread [eV]", "shapes", "perimeter", "shape"),
        rows=tuple(
            (
                str(size.lowest.n_pairs),
                f"{result.width_nm(size.lowest.n_pairs):.2f}",
                f"{size.lowest.delta_energy:.2f}{'' if size.lowest.converged else ' (!)'}",
                "-" if result.fit is None else f"{result.fit.energy(size.lowest.n_pairs):.2f}",
                f"{size.spread:.2f}" if size.n_shapes > 1 else "-",
                str(size.n_shapes),
                str(size.lowest.perimeter),
                size.lowest.shape,
            )
            for size in result.sizes
        ),
        notes=tuple(_notes(result)),
    )


def _notes(result: NeckStudyResult) -> list[str]:
    notes = [
        f"Level of theory: {result.level_of_theory}.",
        "dE = E(necked) - E(double slab) - n E(bulk pair): relative to bulk atoms, not a barrier.",
        "Shape: one hexadecimal number per row of columns, its bits the columns (7.7.7 = 3 x 3).",
    ]
    if result.raw is not None:
        tied = f" (as high as {', '.join(map(str, result.raw.tied[:-1]))})" if len(result.raw.tied) > 1 else ""
        end = "" if result.raw.bracketed else "; larger necks were not computed, so the true one may be larger"
        notes.append(f"The computed curve is highest at {result.raw.n_pairs} pairs{tied}{end}.")
    notes.append(_fit_note(result))
    if result.compared_with is not None:
        notes.append(f"{result.compared_with[0]}: critical size {result.compared_with[1]:g} pairs.")
    if result.screen is not None:
        notes.append(f"{result.screen}.")
    return notes


def _fit_note(result: NeckStudyResult) -> str:
    fit = result.fit
    if fit is None:
        return f"No nucleation fit: {result.fit_problem}."
    terms = (
        f"Fit: {fit.area_term:+.3f} eV per pair, {fit.edge_term:+.3f} eV per column edge; "
        f"rms {fit.rms:.2f} eV over {fit.n_points} sizes"
    )
    upper = fit.interval[1]
    bounds = f"{fit.interval[0]:.3g} to {upper:.3g}" if upper is not None else f"{fit.interval[0]:.3g} or more"
    if fit.critical_pairs is None:
        return f"{terms}; no critical size, necks only cost ({fit.confidence:.0%}: {bounds} pairs)."
    width = result.width_nm(fit.critical_pairs)
    return f"{terms}; critical size {fit.critical_pairs:.1f} pairs, {width:.2f} nm ({fit.confidence:.0%}: {bounds})."


def _shapes(result: NeckStudyResult) -> Table:
    screened = any(row.screening_energy is not None for row in result.rows)
    return Table(
        title="All shapes",
        columns=(
            "pairs",
            "shape",
            "perimeter",
            "imbalance",
            "dE [eV]",
            *(("screen dE [eV]",) if screened else ()),
            "columns left",
            "planes [Å]",
            "remarks",
        ),
        rows=tuple(_shape_cells(row, screened=screened) for row in result.rows),
        notes=("Necks with remarks on their columns or planes are shown, but not counted.",),
    )


def _shape_cells(row: NeckRow, *, screened: bool) -> tuple[str, ...]:
    screen = "-" if row.screening_energy is None else f"{row.screening_energy:.2f}"
    metrics = row.metrics
    return (
        str(row.n_pairs),
        row.shape,
        str(row.perimeter),
        str(row.imbalance),
        f"{row.delta_energy:.2f}",
        *((screen,) if screened else ()),
        "-" if metrics is None else f"{metrics.n_connected}/{metrics.n_columns}",
        "-" if metrics is None else f"{metrics.plane_spacing:.2f}",
        "; ".join(row.notes),
    )

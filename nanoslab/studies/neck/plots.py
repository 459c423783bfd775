"""Plots of a neck study: energy of a neck against its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from nanoslab.plot_data import Guide, Plot, Series

Document = Mapping[str, Any]
Record = Mapping[str, Any]


def neck_plot(document: Document) -> Plot | None:
    """Energy of a neck relative to bulk pairs against the pairs it holds, with the critical size.

    Examples
    --------
    >>> necks = [{"n_pairs": n, "delta_energy_eV": e} for n, e in ((1, 1.0), (4, 2.5), (9, 3.0), (16, 2.0))]
    >>> neck_plot({"necks": necks, "critical_pairs": 9}).guides[0].value
    9.0
    """
    lowest = sorted(_with(document.get("necks", ()), "delta_energy_eV"), key=lambda row: float(row["n_pairs"]))
    if not lowest:
        return None
    kept = {row.get("calculation") for row in lowest}
    others = [row for row in _with(document.get("shapes", ()), "delta_energy_eV") if row.get("calculation") not in kept]
    series = [
        _necks(lowest, "lowest at each size", "linked", 0),
        _necks([row for row in others if row.get("intact", True)], "other shapes", "points", 1),
        _necks([row for row in others if not row.get("intact", True)], "came apart", "points", 2),
    ]
    fitted = _with(lowest, "fitted_energy_eV")
    if len(fitted) > 1:
        x, y = _columns(fitted, "n_pairs", "fitted_energy_eV")
        series.append(Series(label="nucleation fit", x=x, y=y, drawn="line", style=3))
    return Plot(
        name="neck_energy",
        title="Energy of a neck against its size",
        x_label="pairs in the neck",
        y_label="dE(n) (eV)",
        series=tuple(line for line in series if line.x),
        reading=_critical_reading(document),
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=_critical_guides(document),
        notes=("dE(n) = E(necked) - E(double slab) - n E(bulk pair): relative to bulk, not a barrier.",),
    )


def _critical_guides(document: Document) -> tuple[Guide, ...]:
    critical, interval = document.get("critical_pairs"), document.get("critical_pairs_interval")
    compared = document.get("compared_with")
    guides = (
        [] if critical is None else [Guide(axis="x", value=float(critical), label=f"critical: {critical:.3g} pairs")]
    )
    for end, value in zip(("from", "to"), interval or (), strict=False):
        if value is not None:
            guides.append(Guide(axis="x", value=float(value), label=f"{end} {value:.3g}"))
    if compared and compared.get("critical_pairs") is not None:
        guides.append(Guide(axis="x", value=float(compared["critical_pairs"]), label=str(compared["source"])))
    return tuple(guides)


def _critical_reading(document: Document) -> str:
    critical, interval = document.get("critical_pairs"), document.get("critical_pairs_interval")
    if critical is None:
        problem = document.get("nucleation_fit_problem")
        return "The computed sizes show no critical size" + (f": {problem}." if problem else ".")
    if not interval:
        return f"Critical size {critical:.3g} pairs, without an interval: no fit."
    low, high = interval
    return f"Critical size {critical:.3g} pairs, from {low:.3g} to {'any size' if high is None else f'{high:.3g}'}."


def _with(rows: Sequence[Record], key: str) -> list[Record]:
    return [row for row in rows if row.get(key) is not None]


def _necks(rows: Sequence[Record], label: str, drawn: Literal["points", "linked"], style: int) -> Series:
    x, y = _columns(rows, "n_pairs", "delta_energy_eV")
    return Series(label=label, x=x, y=y, names=_names(rows), drawn=drawn, style=style)


def _columns(rows: Sequence[Record], x: str, y: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(float(row[x]) for row in rows), tuple(float(row[y]) for row in rows)


def _names(rows: Sequence[Record]) -> tuple[str, ...]:
    return tuple(str(row.get("calculation", "")) for row in rows)

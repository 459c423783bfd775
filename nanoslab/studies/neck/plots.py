"""Plots of a neck study: energy of a neck against its size."""

from __future__ import annotations

from collections.abc import Sequence

from nanoslab.plot_data import Guide, Plot, Series
from nanoslab.studies.headline import Evidence, Headline, left_out
from nanoslab.studies.result import Record, series_of

AXES = ("n_pairs", "delta_energy_eV")


def neck_plot(document: Record) -> Plot | None:
    """Energy of a neck relative to bulk pairs against the pairs it holds, with the critical size."""
    lowest = sorted(_with(document.get("necks", ()), "delta_energy_eV"), key=lambda row: float(row["n_pairs"]))
    if not lowest:
        return None
    kept = {row.get("calculation") for row in lowest}
    others = [row for row in _with(document.get("shapes", ()), "delta_energy_eV") if row.get("calculation") not in kept]
    series = [
        series_of(lowest, *AXES, "lowest at each size"),
        series_of([row for row in others if row.get("intact", True)], *AXES, "other shapes", drawn="points", style=1),
        series_of([row for row in others if not row.get("intact", True)], *AXES, "came apart", drawn="points", style=2),
    ]
    fitted = _with(lowest, "fitted_energy_eV")
    if len(fitted) > 1:
        series.append(
            series_of(fitted, "n_pairs", "fitted_energy_eV", "nucleation fit", drawn="line", style=3, names=())
        )
    return Plot(
        name="neck_energy",
        title="Energy of a neck against its size",
        x_label="pairs in the neck",
        x_whole=True,
        y_label="dE(n) (eV)",
        series=tuple(line for line in series if line.x),
        reading=_critical_reading(document),
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=_critical_guides(document),
        notes=("dE(n) = E(necked) - E(double slab) - n E(bulk pair): relative to bulk, not a barrier.",),
    )


def _critical_guides(document: Record) -> tuple[Guide, ...]:
    critical, interval = document.get("critical_pairs"), document.get("critical_pairs_interval")
    compared = document.get("compared_with")
    guides = []
    if critical is not None:
        guides.append(Guide(axis="x", value=float(critical), label=f"critical: {critical:.3g} pairs"))
    if interval:
        low, high = interval
        largest = max((float(row["n_pairs"]) for row in document.get("necks", ())), default=low)
        label = f"{low:.3g} or more" if high is None else f"{low:.3g} to {high:.3g}"
        guides.append(Guide(axis="x", value=float(low), until=float(high or max(largest, low)), label=label))
    if compared and compared.get("critical_pairs") is not None:
        guides.append(Guide(axis="x", value=float(compared["critical_pairs"]), label=str(compared["source"])))
    return tuple(guides)


def _critical_reading(document: Record) -> str:
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


def neck_headline(evidence: Evidence) -> Headline:
    """Whether there is a size above which a neck grows by itself, and which."""
    document, key = evidence.main, "critical_pairs"
    size, interval, compared = (document.get(name) for name in (key, "critical_pairs_interval", "compared_with"))
    sentence = "The computed necks do not say above which size one grows by itself"
    if size is not None:
        high = "any size" if not interval or interval[1] is None else f"{interval[1]:.3g}"
        bounds = f", 95 %: {interval[0]:.3g} to {high}" if interval else ""
        sentence = f"A neck of more than {size:.3g} pairs grows by itself (fit{bounds})"
    beats = f"Why not: {document.get('nucleation_fit_problem') or 'the fitted energy rises with every size'}."
    if fit := document.get("nucleation_fit"):
        beats = (
            f"A size left out is predicted within {fit['prediction_error_eV']:.2f} eV; the mean of all does it within "
            f"{fit['prediction_error_of_constant_eV']:.2f} eV."
        )
    paper = (f"{compared['source']}: {compared['critical_pairs']:g} pairs.",) if compared else ()
    return Headline(
        question="Is there a size above which a neck grows by itself?",
        verdict="open" if size is None else "yes",
        sentence=f"{sentence}, by {evidence.main_level}.",
        trust=(evidence.found(key, "{:.3g} pairs", "no critical size"), beats, *paper, *left_out(document)),
        plot=evidence.beside(neck_plot(document), _curve, first=4),
    )


def _curve(document: Record, label: str, style: int) -> Series:
    return series_of(_with(document.get("necks", ()), AXES[1]), *AXES, label, style=style)

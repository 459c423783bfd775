"""Whether the beam can knock an atom out of a sheet: what it hands over against what removal costs."""

from __future__ import annotations

import numpy as np

from nanoslab.beam import max_transferred_energy, threshold_beam_energy, threshold_interval
from nanoslab.plot_data import Guide, Plot, Series
from nanoslab.studies.headline import Evidence, Headline, Printed, Verdict, agreement, left_out
from nanoslab.studies.vacancies.beam_plots import LOWEST_KEV, N_POINTS, Removal, removals


def beam_headline(evidence: Evidence) -> Headline | None:
    """Answer for the lowest beam energy of the study at which anything leaves, else for the highest."""
    document = evidence.main
    costs = removals(document)
    if not costs:
        return None
    asked = sorted({float(row["beam_energy_keV"]) for row in document["beam"]})
    decisive = next((kv for kv in asked if _knocked(costs, kv)), asked[-1])
    knocked = _knocked(costs, decisive)
    if knocked:
        cost = min(knocked, key=lambda one: one.energy / _handed(one, decisive))
        place = f" of the {cost.phase} sheet" if cost.phase else ""
        sentence = f"A {decisive:g} kV beam can knock {cost.element} out{place}: {_compared(cost, decisive)}."
    else:
        cost = max(costs, key=lambda one: _handed(one, decisive) / one.energy)
        sentence = (
            f"A {decisive:g} kV beam cannot knock anything out of a whole sheet at rest: {_compared(cost, decisive)}."
        )
    weaker = (f"At {asked[0]:g} kV nothing leaves.",) if knocked and decisive > asked[0] else ()
    verdict: Verdict = "yes" if knocked else "no"
    lower, upper = threshold_interval(cost.energy)
    first, last = (threshold_beam_energy(cost.element, energy) for energy in (lower, upper))
    bound = (
        f"The cost of removal is a lower bound of the displacement threshold; were it 5/3 of that ({upper:.2f} eV), "
        f"{cost.element} would go from {last:.0f} kV instead of {first:.0f} kV."
    )
    found: dict[str, Verdict] = {}
    for source, one in evidence.documents.items():
        for same in removals(one):
            if same[:2] == cost[:2]:
                found[f"{evidence.level(source)}: {same.energy:.2f} eV"] = (
                    "yes" if _knocked((same,), decisive) else "no"
                )
    return Headline(
        question="Can the beam knock atoms out?",
        verdict=verdict,
        sentence=f"{sentence[:-1]} by {evidence.main_level}.",
        trust=(
            *weaker,
            agreement(found),
            bound,
            "Knock-on alone, the nucleus at rest; ionization and heat come on top.",
            *left_out(document),
        ),
        plot=_plot(evidence, cost, asked),
    )


def _knocked(costs: tuple[Removal, ...], kilovolts: float) -> list[Removal]:
    return [cost for cost in costs if _handed(cost, kilovolts) > cost.energy]


def _handed(cost: Removal, kilovolts: float) -> float:
    return float(max_transferred_energy(cost.element, kilovolts))


def _compared(cost: Removal, kilovolts: float) -> str:
    handed = _handed(cost, kilovolts)
    return f"it hands over up to {handed:.2f} eV, and removal of {cost.label} costs {cost.energy:.2f} eV"


def _plot(evidence: Evidence, cost: Removal, asked: list[float]) -> Plot:
    """Energy handed to that element against beam energy, and its cost by every level of theory and paper."""
    energies = np.linspace(LOWEST_KEV, 1.1 * max(300.0, *asked), N_POINTS)
    handed = np.asarray(max_transferred_energy(cost.element, energies))
    series = [Series(label=f"handed to {cost.element} at most", x=tuple(energies), y=tuple(handed), drawn="line")]
    papers = [_of_paper(one) for one in evidence.printed if _is_of(one, cost)]
    for source, document in evidence.documents.items():
        own = [one for one in removals(document) if one.element == cost.element]
        x = tuple(threshold_beam_energy(one.element, one.energy) for one in own)
        y = tuple(one.energy for one in own)
        if own:
            label, names = f"cost by {evidence.level(source)}", tuple(one.label for one in own)
            series.append(Series(label=label, x=x, y=y, drawn="points", style=len(series), names=names))
    first = float(threshold_beam_energy(cost.element, cost.energy))
    series += [
        Series(label=label, x=(float(threshold_beam_energy(cost.element, value)),), y=(value,), drawn="points", style=n)
        for n, (label, value) in enumerate(papers, start=len(series))
    ]
    return Plot(
        name="answer",
        title=f"What the beam hands to {cost.element}, and what removal costs",
        x_label="beam energy (kV)",
        y_label="energy (eV)",
        series=tuple(series),
        reading=f"Above a point the beam can pay for that removal; {cost.label} from {first:.0f} kV.",
        level_of_theory="; ".join(map(evidence.level, evidence.documents)),
        guides=tuple(Guide(axis="x", value=kv, label=f"{kv:g} kV") for kv in asked),
    )


def _is_of(printed: Printed, cost: Removal) -> bool:
    """Whether a paper's number is the cost of taking one such atom to vacuum."""
    wanted = [step for step in printed.path if isinstance(step, dict)]
    ends = printed.path[-2:] == ("formation_energy_eV", "atom")
    return ends and any(step.get("removed") == {cost.element: 1} for step in wanted)


def _of_paper(printed: Printed) -> tuple[str, float]:
    phase = next((str(step["phase"]) for step in printed.path if isinstance(step, dict) and "phase" in step), "")
    return f"{printed.source}{f', {phase}' if phase else ''}", printed.value

"""A study's first sentence follows from its numbers: it turns over when they do, and names who disagrees."""

from typing import Any

import pytest

from nanoslab.beam import max_transferred_energy, threshold_beam_energy
from nanoslab.studies.gap.study import GapStudy
from nanoslab.studies.headline import Evidence, Printed
from nanoslab.studies.neck.study import NeckStudy
from nanoslab.studies.vacancies.study import VacancyStudy


def beam(cost: float, level: str = "PBE, 400 eV", energies: tuple[float, ...] = (200.0,)) -> dict[str, Any]:
    rows = [
        {
            "element": "Se",
            "beam_energy_keV": kv,
            "max_transferred_energy_eV": max_transferred_energy("Se", kv),
            "removal_energy_eV": {"wurtzite": cost},
        }
        for kv in energies
    ]
    return {"level_of_theory": level, "beam": rows}


def gap(minimum: float | None, level: str) -> dict[str, Any]:
    gaps = [{"gap_A": 4.0 + n, "energy_eV": 0.1 * n, "calculation": f"g{n}", "converged": True} for n in range(5)]
    found = {"minimum_gap_A": minimum, "minimum_gap_uncertainty_A": 0.1 if minimum else None}
    return {"level_of_theory": level, "gaps": gaps, **found, "minimum_problem": None if minimum else "it lies outside"}


@pytest.mark.parametrize(("cost", "verdict"), [(4.5, "yes"), (6.6, "yes"), (6.7, "no")])
def test_the_beam_can_when_it_hands_over_more_than_removal_costs(cost: float, verdict: str) -> None:
    said = VacancyStudy.headline(Evidence(documents={"vasp": beam(cost)}))
    assert said.verdict == verdict
    assert f"{cost:.2f} eV by PBE (vasp)" in said.sentence
    assert "hands over up to 6.64 eV" in said.sentence  # Ma 2023 and Egerton 2010: Se at 200 kV


def test_the_answer_is_for_the_lowest_beam_energy_that_suffices() -> None:
    said = VacancyStudy.headline(Evidence(documents={"vasp": beam(6.0, energies=(300.0, 80.0, 200.0))}))
    assert said.sentence.startswith("A 200 kV beam can knock Se out of the wurtzite sheet")
    assert said.trust[0] == "At 80 kV nothing leaves."


def test_levels_of_theory_that_disagree_are_named_and_drawn_with_the_papers_points() -> None:
    documents = {"gpaw": beam(4.5), "chgnet": beam(7.0, "CHGNet 0.4.2 (trained on PBE)")}
    path = ("vacancies", {"phase": "wurtzite", "removed": {"Se": 1}}, "formation_energy_eV", "atom")
    other = ("vacancies", {"phase": "wurtzite", "removed": {"Se": 2}}, "formation_energy_eV", "atom")
    printed = (Printed("Ma 2023", path, 5.12), Printed("Ma 2023", other, 9.9))
    said = VacancyStudy.headline(Evidence(documents=documents, printed=printed))
    assert "disagree: yes by PBE (gpaw): 4.50 eV; no by CHGNet 0.4.2 (chgnet): 7.00 eV" in said.trust[0]
    drawn = {series.label: series for series in said.plot.series}
    assert drawn["Ma 2023, wurtzite"].y == (5.12,)
    assert drawn["cost by CHGNet 0.4.2 (chgnet)"].x == (pytest.approx(threshold_beam_energy("Se", 7.0)),)
    assert len(drawn) == 4


def test_without_a_cost_of_removal_there_is_no_answer() -> None:
    document = beam(4.5)
    document["beam"][0]["removal_energy_eV"] = {}
    assert VacancyStudy.headline(Evidence(documents={"vasp": document})) is None


def test_a_gap_without_a_minimum_is_undecided_and_says_why() -> None:
    said = GapStudy.headline(Evidence(documents={"xtb": gap(None, "GFN2-xTB"), "vasp": gap(5.5, "PBE")}))
    assert said.verdict == "open"
    assert "Why not: it lies outside." in said.trust
    assert "yes by PBE (vasp): 5.50 Å" in said.trust[0]
    assert [series.label for series in said.plot.series] == ["computed", "PBE (vasp)"]


def test_the_interval_of_a_minimum_and_of_a_paper_are_bands() -> None:
    document = gap(5.5, "PBE") | {"compared_with": {"source": "Wang 2020", "gap_A": [5.5, 8.0]}}
    said = GapStudy.headline(Evidence(documents={"vasp": document}))
    assert [(guide.value, guide.until) for guide in said.plot.guides] == [(5.4, 5.6), (5.5, 8.0)]
    assert said.sentence == "The facets rest with a gap of 5.50 ± 0.10 Å between them, by PBE (vasp)."


@pytest.mark.parametrize(("size", "verdict"), [(6.3, "yes"), (None, "open")])
def test_a_neck_has_a_critical_size_only_where_the_fit_has(size: float | None, verdict: str) -> None:
    necks = [{"n_pairs": n, "delta_energy_eV": 1.0, "calculation": f"n{n}"} for n in (1, 4, 9)]
    fit = {"prediction_error_eV": 0.2, "prediction_error_of_constant_eV": 0.5}
    document = {
        "level_of_theory": "GFN2-xTB",
        "necks": necks,
        "critical_pairs": size,
        "critical_pairs_interval": [4.2, None] if size else None,
        "nucleation_fit": fit if size else None,
        "nucleation_fit_problem": None if size else "no better than the mean",
    }
    said = NeckStudy.headline(Evidence(documents={"xtb": document}))
    assert said.verdict == verdict
    assert ("more than 6.3 pairs grows by itself (fit, 95 %: 4.2 to any size)" in said.sentence) == (verdict == "yes")
    assert said.plot.x_whole
    assert any("0.20 eV" in line or "no better than the mean" in line for line in said.trust)

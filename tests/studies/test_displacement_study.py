"""The displacement study: what it asks for, what made-up flights mean, and one run from its file to its page."""

import json
from pathlib import Path
from typing import Any

import pytest

from nanoslab.beam import displacement_cross_section, natural_target
from nanoslab.calculation import CalculationResult, Role, Run
from nanoslab.cli.main import main
from nanoslab.engines import engine, run_calculation
from nanoslab.errors import InputError, NanoslabError
from nanoslab.studies.displacement.study import DisplacementStudy
from nanoslab.studies.study_file import load_study

FIELDS: dict[str, Any] = {
    "study": "displacement",
    "title": "t",
    "structure": "MoS2",
    "repeat": [3, 3, 1],
    "sites": [{"name": "S", "atom": 1}],
    "directions": {"polar": 3, "azimuths": 6},
    "beam_energies_keV": [80, 120],
}


def study(**changes: Any) -> DisplacementStudy:
    return DisplacementStudy.from_document({**FIELDS, **changes})


def test_every_distinct_direction_starts_from_the_structure_at_rest() -> None:
    made = study().calculations()
    assert made[0].role.kind == "pristine"
    kicks = made[1:]
    assert {kick.starts_from for kick in kicks} == {"pristine"}
    assert {kick.procedure for kick in kicks} == {"displacement"}
    # C3v: six azimuths from a neighbour on are three, and two of them mirror images
    assert len(kicks) == 1 + 2 * 2
    assert sum(sum(kick.role.weights) for kick in kicks) == pytest.approx(1)
    assert {kick.atoms[kick.role.atom].symbol for kick in kicks} == {"S"}
    top = max(kicks[0].atoms.positions[:, 2])
    assert kicks[0].atoms.positions[kicks[0].role.atom, 2] == pytest.approx(top)
    json.dumps([dict(kick.parameters) for kick in kicks])


def test_thermal_starts_are_calculations_of_their_own() -> None:
    made = study(motion="maxwell", starts=3, directions={"only": [[0, 0, 1]]}).calculations()
    assert [one.name for one in made[1:]] == ["S-000-start0", "S-000-start1", "S-000-start2"]
    assert [one.parameters["seed"] for one in made[1:]] == [0, 1, 2]


def flown(calculation: Any, energy: float | None) -> Run:
    findings: dict[str, Any] = {}
    if calculation.role.kind == "kick":
        flight = {"energy_eV": 6.0, "outcome": "left", "n_steps": 100, "closest_A": 1.4}
        high = None if energy is None else energy + 0.04
        findings = {"low_eV": (energy or 100.0) - 0.04, "high_eV": high, "drift_eV": 0.01, "flights": [flight]}
    result = CalculationResult(
        name="", path="", level_of_theory="made up", energy=-1.0, converged=True, findings=findings
    )
    return Run(calculation=calculation, result=result)


def test_thresholds_alike_give_the_total_of_that_threshold_back() -> None:
    one = study()
    result = one.analyze([flown(calculation, 6.9) for calculation in one.calculations()])
    (site,) = result.sites
    assert (site.minimum, site.mean, site.along_beam) == pytest.approx((6.9, 6.9, 6.9))
    assert (site.element, site.n_neighbours, site.n_directions) == ("S", 3, 13)
    for row in site.beams:
        variance = natural_target("S").velocity_variance
        expected = displacement_cross_section(
            "S", row.beam_energy_keV, 6.9, masses="isotopes", velocity_variance=variance
        )
        assert row.cross_section_barn == pytest.approx(expected, rel=1e-4)
        assert row.equivalent_threshold == pytest.approx(6.9, rel=1e-4)
    assert {plot.name for plot in one.plots(result.to_dict())} == {"displacement", "displacement-cross-section"}
    json.dumps(result.to_dict(), allow_nan=False)


def test_directions_without_a_threshold_count_as_closed() -> None:
    one = study()
    made = one.calculations()
    runs = [flown(c, 6.9 if c.role.kind != "kick" or c.role.direction[2] > 0.9 else None) for c in made]
    result = one.analyze(runs)
    (site,) = result.sites
    assert site.mean is None
    assert site.minimum == pytest.approx(6.9)
    whole = one.analyze([flown(calculation, 6.9) for calculation in made]).sites[0]
    for closed, opened in zip(site.beams, whole.beams, strict=True):
        assert 0 < closed.cross_section_barn < opened.cross_section_barn


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"structure": "graphine"}, "structure"),
        ({"sites": [{"name": "S", "atom": 9}]}, "an index below 3"),
        ({"sites": [{"name": "S", "atom": 2}]}, "out of the slab"),
        ({"directions": {"only": [[0, 0, -1]]}}, "into it"),
        ({"directions": {"only": [[0, 0, 0]]}}, "not all zero"),
        ({"search": {"bracket": [9, 5]}}, "two rising energies"),
        ({"search": {"counts": ["gone"]}}, "counts"),
        ({"following": {"free_A": 30}}, "a vacuum above 60"),
        ({"motion": "warm"}, "motion"),
    ],
)
def test_bad_input_is_one_clear_line(change: dict[str, Any], named: str) -> None:
    with pytest.raises(NanoslabError, match=named) as caught:
        study(**change).calculations()
    assert "\n" not in str(caught.value)


# the procedure, on a dimer that any engine of pair potentials computes in no time

ENGINE = "ase.calculators.morse:MorsePotential:epsilon=2.0,r0=1.5,rho0=4.0,rcut1=8.0,rcut2=9.0"


def dimer_kick() -> Any:
    made = study(directions={"only": [[0, 0, 1]]}).calculations()[1]
    from dataclasses import replace

    from ase import Atoms
    from ase.constraints import FixAtoms

    dimer = Atoms("CH", positions=[[0, 0, 0], [0, 0, 1.5]], constraint=FixAtoms([0]))
    parameters = {
        "index": 1,
        "direction": [0, 0, 1],
        "search": {"bracket": [1.1, 3.0], "tolerance": 0.3},
        "following": {"time_fs": 60.0},
        "repulsion": "engine",
    }
    return replace(made, atoms=dimer, starts_from=None, parameters=parameters, role=Role(kind="kick"))


def test_a_search_stopped_at_any_moment_goes_on_to_the_same_end(tmp_path: Path) -> None:
    kick = dimer_kick()
    whole = run_calculation(kick, engine(ENGINE), tmp_path / "whole")
    assert whole.findings["low_eV"] < 2.0 < whole.findings["high_eV"]
    for most in range(len(whole.findings["flights"])):  # killed after none, one, two, ... more flights

        def kill(number: int, _force: float, most: int = most) -> None:
            if number >= most:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_calculation(kick, engine(ENGINE), tmp_path / "stopped", on_step=kill)
    stopped = run_calculation(kick, engine(ENGINE), tmp_path / "stopped")
    assert stopped.findings == whole.findings
    assert (tmp_path / "stopped" / "journal.jsonl").exists() is False


def test_a_parameter_that_is_unknown_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    kick = dimer_kick()
    with pytest.raises(InputError, match="parameters of the displacement"):
        run_calculation(replace(kick, parameters={**kick.parameters, "angle": 3}), engine(ENGINE), tmp_path)


# the results as thresholds of the other commands


def results(folder: Path) -> Path:
    one = study()
    document = one.analyze([flown(calculation, 6.9) for calculation in one.calculations()]).to_dict()
    (folder / "results.json").write_text(json.dumps(document))
    return folder / "results.json"


def test_knockon_and_etch_take_the_results_for_thresholds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(results(tmp_path))
    main(["knockon", "S", "--kv", "120", "--threshold", path, "--json"])
    row = json.loads(capsys.readouterr().out)["rows"][0]
    assert row["threshold_energy_eV"] == pytest.approx(6.9)
    structure = str(tmp_path / "POSCAR")
    study().calculations()[0].atoms.write(structure, format="vasp")
    main(["etch", structure, "--kv", "120", "--threshold", path, "Mo=20", "--dose", "1e6", "--runs", "2", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert any("lowest of 13 directions" in source for source in document["threshold_sources"])
    assert main(["knockon", "S", "--kv", "120", "--threshold", structure + ".json"]) == 2
    assert "POSCAR.json" in capsys.readouterr().err


def test_the_shipped_file_is_a_study() -> None:
    from nanoslab.files import data_folder

    shipped = load_study(data_folder("workflows") / "graphene_displacement.yaml")
    names = [calculation.name for calculation in shipped.calculations()]
    assert (len(names), names[0]) == (11, "pristine")

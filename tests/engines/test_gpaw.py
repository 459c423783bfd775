"""GPAW as an engine: what it translates, what it says when it is missing, and real energies where it is installed."""

import importlib.metadata
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.engines import check, engine, read_result, run_calculation
from nanoslab.engines.gpaw_calculator import GPAWCalculator
from nanoslab.engines.gpaw_engine import comparable, gpaw_calculator
from nanoslab.engines.gpaw_settings import parameters, whole_occupations
from nanoslab.engines.result_files import is_finished
from nanoslab.errors import EngineError, InputError
from nanoslab.presets import isolated_atom_settings, preset

SETTINGS = Settings(source="test", kpoints=(4, 3, 1))


def installed() -> bool:
    try:
        importlib.metadata.version("gpaw")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


needs_gpaw = pytest.mark.skipif(not installed(), reason="gpaw is not installed")


def words(**changes: object) -> dict[str, object]:
    return parameters(Settings(source="test", **changes), cutoff_energy=400.0, symmetric=True)


def test_without_gpaw_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("nanoslab.engines.gpaw_engine.version", missing)
    with pytest.raises(EngineError, match=r"libxc-dev libopenblas-dev.*pip install gpaw") as caught:
        engine("gpaw")
    assert "\n" not in str(caught.value)


def test_gaussian_smearing_is_the_zeroth_order_of_methfessel_and_paxton() -> None:
    assert words(smearing_width=0.05)["occupations"] == {"name": "methfessel-paxton", "order": 0, "width": 0.05}
    assert words(smearing="methfessel-paxton")["occupations"] == {"name": "methfessel-paxton", "order": 1, "width": 0.1}
    assert words(smearing="fermi")["occupations"] == {"name": "fermi-dirac", "width": 0.1}
    assert words(smearing="tetrahedron")["occupations"] == {"name": "improved-tetrahedron-method"}


def test_the_mesh_holds_the_gamma_point_or_is_monkhorst_and_packs() -> None:
    assert words(kpoints=(4, 3, 1))["kpts"] == {"size": (4, 3, 1), "gamma": True}
    assert words(kpoints=(4, 3, 1), gamma_centred=False)["kpts"] == (4, 3, 1)


def test_tags_of_another_code_do_not_reach_gpaw() -> None:
    assert "NCORE" not in words(extra={"NCORE": 4})


def test_the_dipole_correction_opens_the_cell_along_the_third_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    atoms = Atoms("Se", cell=[5, 5, 20], pbc=True)
    calculator = GPAWCalculator(Settings(source="test", dipole_correction=True), {})
    monkeypatch.setattr(calculator, "_start", lambda _cutoff: None)
    monkeypatch.setattr(calculator, "_energy_and_forces", lambda structure: {"pbc": structure.pbc.tolist()})
    calculator.calculate(atoms)
    assert calculator.results["pbc"] == [True, True, False]
    assert atoms.pbc.all()
    assert words(dipole_correction=True)["poissonsolver"] == {"dipolelayer": "xy"}


def test_the_density_is_mixed_slowly_for_metallic_faces() -> None:
    mixer = words()["mixer"]
    assert mixer == {"backend": "pulay", "beta": 0.05, "nmaxold": 5, "weight": 100}


@needs_gpaw
@pytest.mark.filterwarnings("ignore")
def test_electrons_that_do_not_converge_are_said_in_one_line_and_gpaw_keeps_its_output(tmp_path: Path) -> None:
    hydrogen = Atoms("H", cell=[5, 5, 5], pbc=True)
    settings = Settings(source="test", cutoff_energy=200.0, max_electronic_steps=1, relax="none")
    calculation = Calculation(name="h", role=Role(kind="pristine"), atoms=hydrogen, settings=settings)
    with pytest.raises(EngineError, match=r"electrons converged within 1 steps.*gpaw\.txt") as caught:
        run_calculation(calculation, engine("gpaw"), tmp_path)
    assert "\n" not in str(caught.value)
    assert "SCF iterations" in (tmp_path / "gpaw.txt").read_text()


@needs_gpaw
def test_an_unknown_option_is_named() -> None:
    with pytest.raises(InputError, match="symmetry"):
        engine("gpaw:symetry=off")
    with pytest.raises(InputError, match="off"):
        engine("gpaw:symmetry=no")


@needs_gpaw
def test_it_travels_to_a_worker_and_says_its_versions() -> None:
    made = pickle.loads(pickle.dumps(engine("gpaw")))  # noqa: S301
    assert set(made.versions) == {"gpaw", "gpaw-data", "ase"}
    assert made.versions["gpaw"] in made.level_of_theory
    assert made.label == "gpaw"
    assert engine("gpaw:symmetry=off").label == "gpaw-symmetry-off"


@needs_gpaw
def test_elements_without_a_dataset_are_refused_before_any_work() -> None:
    calculation = Calculation(name="u", role=Role(kind="bulk"), atoms=bulk("U", "fcc", a=4.0), settings=SETTINGS)
    with pytest.raises(EngineError, match="U"):
        check([calculation], engine("gpaw"))


@needs_gpaw
def test_potentials_are_named_by_the_hash_of_their_dataset() -> None:
    potentials = comparable(Atoms("CdSe"), SETTINGS, {})["potentials"]
    assert list(potentials) == ["Cd", "Se"]
    assert all(
        title.startswith(f"{symbol}.PBE ") and len(title.split()[1]) == 32 for symbol, title in potentials.items()
    )


@pytest.mark.slow
@needs_gpaw
@pytest.mark.filterwarnings("ignore")
def test_energy_and_forces_are_gpaws_own_and_the_symmetry_may_be_lost() -> None:
    from gpaw import GPAW, PW

    settings = Settings(source="test", cutoff_energy=300.0, kpoints=(1, 1, 1))
    start = Atoms("H2", positions=[[2.5, 2.5, 2.1], [2.5, 2.5, 2.9]], cell=[5, 5, 5], pbc=True)
    bent = start.copy()
    bent.positions[0] += [0.05, 0.02, 0.0]
    calculator = gpaw_calculator(start, settings, {})
    own = GPAW(mode=PW(300), xc="PBE", occupations={"name": "methfessel-paxton", "width": 0.1, "order": 0}, txt=None)
    for atoms in (start, bent):
        ours, theirs = atoms.copy(), atoms.copy()
        ours.calc, theirs.calc = calculator, own
        if atoms is bent:
            theirs.calc = GPAW(
                mode=PW(300), xc="PBE", symmetry="off", txt=None,
                occupations={"name": "methfessel-paxton", "width": 0.1, "order": 0},
            )  # fmt: skip
        # both are converged to about 1e-4 eV and 1e-2 eV/Å
        assert ours.get_potential_energy() == pytest.approx(theirs.get_potential_energy(), abs=1e-3)
        np.testing.assert_allclose(ours.get_forces(), theirs.get_forces(), atol=2e-2)
    assert calculator.n_started == 2


@pytest.mark.slow
@needs_gpaw
@pytest.mark.filterwarnings("ignore")
def test_positions_rounded_in_a_file_are_computed_without_their_symmetry() -> None:
    crystal = bulk("CdSe", "wurtzite", a=4.3775, c=7.1422, u=0.37581)
    rounded = crystal.copy()
    rounded.positions = crystal.positions.round(5)
    rounded.rattle(2e-6, seed=1)
    energies = []
    for atoms in (crystal, rounded):
        atoms.calc = gpaw_calculator(atoms, Settings(source="test", cutoff_energy=300.0, kpoints=(2, 2, 2)), {})
        energies.append(atoms.get_potential_energy())
    assert energies[1] == pytest.approx(energies[0], abs=2e-3)


@pytest.mark.slow
@needs_gpaw
@pytest.mark.filterwarnings("ignore")
def test_the_stress_is_the_slope_of_the_energy_at_the_cutoff_of_the_settings() -> None:
    # GPAW's own stress at 400 eV is off by the Pulay term, 0.009 eV/Å³ here
    settings = Settings(source="test", kpoints=(4, 4, 4), relax="cell", electronic_tolerance=1e-6)
    energies = {}
    for a in (6.10, 6.20, 6.30):
        crystal = bulk("CdSe", "zincblende", a=a)
        crystal.calc = gpaw_calculator(crystal, settings, {})
        energies[crystal.get_volume()] = crystal.get_potential_energy()
        if a == 6.20:
            pressure = -crystal.get_stress()[:3].mean()
            volume = crystal.get_volume()
    slope = np.polynomial.Polynomial.fit(list(energies), list(energies.values()), 2).deriv()(volume)
    assert pressure == pytest.approx(-slope, abs=1.5e-3)


@needs_gpaw
def test_whole_occupations_follow_from_the_moment() -> None:
    selenium = whole_occupations(Atoms("Se", magmoms=[2.0]), "PBE")  # 4s² 4p⁴
    assert [sum(spin) for spin in selenium["occupations"]["numbers"]] == [4, 2]
    nitrogen = whole_occupations(Atoms("N", magmoms=[3.0]), "PBE")  # 2s² 2p³
    assert [sum(spin) for spin in nitrogen["occupations"]["numbers"]] == [4, 1]
    assert selenium["nbands"] == len(selenium["occupations"]["numbers"][0])


@pytest.mark.slow
@needs_gpaw
@pytest.mark.filterwarnings("ignore")
def test_the_selenium_atom_is_in_its_ground_state() -> None:
    settings = isolated_atom_settings(preset("ma2023"))
    atom = Atoms("Se", positions=[[5, 6, 7]], cell=[10, 12, 14], pbc=True, magmoms=[2.0])
    atom.calc = gpaw_calculator(atom, settings, {})
    # Against the fourth p electron spread over three orbitals, -0.739 eV, the ground state gains 0.11 eV
    assert atom.get_potential_energy() == pytest.approx(-0.8525, abs=2e-3)


RELAXATION = """
import sys
from pathlib import Path
from ase import Atoms
from nanoslab.calculation import Calculation, Settings
from nanoslab.engines import engine, run_calculation
molecule = Atoms("H2", positions=[[2.5, 2.5, 2.0], [2.7, 2.5, 3.0]], cell=[5, 5, 5], pbc=True)
settings = Settings(source="test", cutoff_energy=300.0, force_tolerance=0.01)
calculation = Calculation(name="h2", role=Role(kind="molecule"), atoms=molecule, settings=settings)
run_calculation(calculation, engine("gpaw"), Path(sys.argv[1]))
"""


def killed_after(n_evaluations: int, folder: Path) -> None:
    """Start the relaxation and kill it as soon as so many evaluations are on disk, or let it end."""
    process = subprocess.Popen([sys.executable, "-c", RELAXATION, str(folder)], stderr=subprocess.DEVNULL)
    journal = folder / "journal.jsonl"
    while process.poll() is None:
        if journal.is_file() and journal.read_bytes().count(b"\n") > n_evaluations:
            process.kill()
        time.sleep(0.02)


@pytest.mark.slow
@needs_gpaw
def test_ten_times_killed_gpaw_ends_where_an_undisturbed_run_ends(tmp_path: Path) -> None:
    calm, disturbed = tmp_path / "calm", tmp_path / "disturbed"
    subprocess.run([sys.executable, "-c", RELAXATION, str(calm)], check=True, capture_output=True)
    kills = 0
    while not is_finished(disturbed) and kills < 10:
        kills += 1
        killed_after(kills, disturbed)
    subprocess.run([sys.executable, "-c", RELAXATION, str(disturbed)], check=True, capture_output=True)
    assert kills > 3
    first, last = read_result(calm), read_result(disturbed)
    assert first.converged
    assert last.converged
    # A restart begins from other wave functions: not the last bit, but the electronic tolerance of 1e-5 eV
    assert last.energy == pytest.approx(first.energy, abs=5e-5)
    assert last.atoms.get_distance(0, 1) == pytest.approx(first.atoms.get_distance(0, 1), abs=2e-3)
    # nothing that was finished is computed again
    assert (disturbed / "gpaw.txt").read_text().count("Reference energy") <= kills + 1

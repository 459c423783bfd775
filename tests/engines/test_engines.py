"""Engines by name: what they say of themselves, what they refuse, and that they are quiet."""

import importlib.metadata
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.engines import check, engine
from nanoslab.engines.chgnet_engine import anion_correction
from nanoslab.engines.xtb_engine import FoldedCalculator
from nanoslab.errors import EngineError, InputError

SETTINGS = Settings(source="test")


def calculation(atoms: Atoms, role: str = "bulk", **settings: object) -> Calculation:
    return Calculation(name="x", role=Role(kind=role), atoms=atoms, settings=Settings(source="test", **settings))


@pytest.mark.parametrize("name", ["chgnet", "xtb:method=GFN1-xTB", "ase.calculators.emt:EMT"])
def test_an_engine_travels_to_a_worker(name: str) -> None:
    made = engine(name)
    again = pickle.loads(pickle.dumps(made))  # noqa: S301
    assert again.label == made.label
    assert again.level_of_theory == made.level_of_theory


def test_different_options_have_different_folders() -> None:
    names = ["xtb", "xtb:method=GFN1-xTB", "xtb:supercell=14", "chgnet", "chgnet:corrections=removed"]
    labels = [engine(name).label for name in names]
    assert len(set(labels)) == len(labels)
    assert engine("chgnet:corrections=kept").label == "chgnet"
    assert engine("xtb:method=GFN2-xTB").label == "xtb"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("chgent", "did you mean chgnet"),
        ("xtb:methd=GFN1-xTB", "did you mean method"),
        ("xtb:method=GFN3", "GFN2-xTB"),
        ("xtb:supercell=big", "a number"),
        ("chgnet:corrections", "key=value"),
        ("xtb:method=GFN1-xTB,method=GFN2-xTB", "once"),
    ],
)
def test_a_wrong_name_or_option_is_named(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        engine(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("collections:Counter", "an ASE calculator"),
        ("no_such_module:thing", "no_such_module"),
        ("ase.calculators.emt:EMTT", "EMTT"),
        ("math:sqrt:x=4", "arguments"),
    ],
)
def test_a_wrong_factory_is_named(name: str, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        engine(name).calculator(Atoms("Cu"), SETTINGS)


def test_a_file_of_the_user_is_an_engine_and_its_folder_stays_off_the_import_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "from ase.calculators.emt import EMT\nmade = EMT\n"
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "beside_it.py").write_text("")
    path = list(sys.path)
    chosen = pickle.loads(pickle.dumps(engine("./mine.py:made")))  # noqa: S301  (as for a worker process)
    assert (chosen.label, chosen.level_of_theory) == ("mine-made", "mine.py:made")
    monkeypatch.chdir("/")
    assert chosen.calculator(Atoms("Cu"), SETTINGS).name == "emt"
    assert sys.path == path
    with pytest.raises(EngineError, match="an importable module beside_it"):
        engine("beside_it:x")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(text + "# another version\n")
    assert engine("./mine.py:made").version != chosen.version
    with pytest.raises(EngineError, match="no such file"):
        engine("./gone.py:made")


@pytest.mark.parametrize("name", ["chgnet", "xtb"])
def test_an_engine_that_is_not_installed_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(f"nanoslab.engines.{name}_engine.version", missing)
    with pytest.raises(EngineError, match=rf"pip install 'nanoslab\[{name}\]'") as caught:
        engine(name)
    assert "\n" not in str(caught.value)


def test_factory_options_reach_the_calculator() -> None:
    made = engine("ase.calculators.lj:LennardJones:sigma=2.5,epsilon=0.3").calculator(Atoms("Ar2"), SETTINGS)
    assert (made.parameters.sigma, made.parameters.epsilon) == (2.5, 0.3)


def test_chgnet_skips_isolated_atoms_and_keeps_the_rest() -> None:
    atom = calculation(Atoms("Se", cell=[12] * 3, pbc=True), role="atom", spin_polarized=True)
    skipped = check([atom, calculation(bulk("CdSe", "zincblende", a=6.05))], engine("chgnet"))
    assert [one.name for one in skipped] == ["x"]
    assert "isolated atom" in skipped[0].reason


def test_a_hubbard_u_is_not_dropped_in_silence() -> None:
    plus_u = calculation(bulk("Ni"), hubbard_u={"Ni": 6.2})
    with pytest.raises(EngineError, match="expected no Hubbard U, got hubbard_u of Ni"):
        check([plus_u], engine("ase.calculators.emt:EMT"))
    check([calculation(bulk("Cu"), hubbard_u={"Ni": 6.2})], engine("ase.calculators.emt:EMT"))


def test_an_unknown_element_is_refused_before_any_work() -> None:
    with pytest.raises(EngineError, match="Po"):
        check([calculation(bulk("Po", "sc", a=3.3))], engine("chgnet"))


def test_chgnet_has_the_corrections_of_its_training_set_and_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    """With its corrections CHGNet's CdSe lies near the measured enthalpy, without at PBE's.

    Materials Project 2020: 0.472 eV per Se. Measured -1.41 (CRC) to -1.69 eV; PBE about -1.1 eV per formula unit
    (0.1 eV is the spread of published PBE values and of the network).
    """
    crystals = {
        "CdSe": bulk("CdSe", "wurtzite", a=4.377, c=7.216),
        "Cd": bulk("Cd", a=3.076, c=5.519),
        "Se": Atoms(
            "Se3",
            cell=[[5.4708, 0, 0], [-2.7354, 4.7379, 0], [0, 0, 5.1854]],
            scaled_positions=[[0.18, 0, 1 / 3], [0, 0.18, 2 / 3], [0.82, 0.82, 0]],
            pbc=True,
        ),
    }
    enthalpy = {}
    for options in ("chgnet", "chgnet:corrections=removed"):
        energies = {}
        for name, crystal in crystals.items():
            crystal.calc = engine(options).calculator(crystal, SETTINGS)
            energies[name] = crystal.get_potential_energy() / len(crystal)
        enthalpy[options] = 2 * energies["CdSe"] - energies["Cd"] - energies["Se"]
    with_corrections, without = enthalpy.values()
    assert without - with_corrections == pytest.approx(0.472, abs=1e-6)
    assert without == pytest.approx(-1.1, abs=0.1)
    assert capfd.readouterr() == ("", "")
    assert anion_correction(crystals["Cd"]) == anion_correction(crystals["Se"]) == 0.0


def test_chgnet_forces_are_the_slope_of_its_energy() -> None:
    """Central difference of float32 energies: about 1e-5 eV of noise over 0.02 Å, so 5e-3 eV/Å."""
    crystal = bulk("CdSe", "wurtzite", a=4.377, c=7.216)
    crystal.rattle(0.05, seed=3)
    crystal.calc = engine("chgnet").calculator(crystal, SETTINGS)
    force = crystal.get_forces()[2, 1]
    energies = []
    for sign in (1, -1):
        moved = crystal.copy()
        moved.calc = crystal.calc
        moved.positions[2, 1] += sign * 0.01
        energies.append(moved.get_potential_energy())
    assert force == pytest.approx(-(energies[0] - energies[1]) / 0.02, abs=5e-3)


def test_folding_gives_one_cell_its_share() -> None:
    cell = bulk("Cu", cubic=True)
    cell.rattle(0.1, seed=1)
    shear = np.array([[0, 0.3, 0], [0, 0, 0.2], [0.1, 0, 0]])
    cell.set_cell(cell.cell.array + shear, scale_atoms=True)
    whole, folded = cell.copy(), cell.copy()
    whole.calc = EMT()
    folded.calc = FoldedCalculator(EMT(), (2, 3, 1))
    assert folded.get_potential_energy() == pytest.approx(whole.get_potential_energy(), abs=1e-9)
    np.testing.assert_allclose(folded.get_forces(), whole.get_forces(), atol=1e-9)
    np.testing.assert_allclose(folded.get_stress(), whole.get_stress(), atol=1e-9)


def test_xtb_binds_water_and_its_triplet_atom_lies_below_the_singlet() -> None:
    """Atomisation energy of H2O: measured 10.06 eV with the zero point added back; GFN2 is good to about 1 eV."""
    water = molecule("H2O")
    water.calc = engine("xtb").calculator(water, SETTINGS)
    atoms = {}
    for symbol, moment in (("O", 2.0), ("H", 1.0)):
        atom = Atoms(symbol, magmoms=[moment])
        atom.calc = engine("xtb").calculator(atom, Settings(source="test", spin_polarized=True))
        atoms[symbol] = atom.get_potential_energy()
    assert atoms["O"] + 2 * atoms["H"] - water.get_potential_energy() == pytest.approx(10.06, abs=1.0)
    singlet = Atoms("O")
    singlet.calc = engine("xtb").calculator(singlet, SETTINGS)
    assert atoms["O"] < singlet.get_potential_energy()


def test_making_an_engine_loads_no_network() -> None:
    code = "import sys; from nanoslab.engines import engine; engine('chgnet'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

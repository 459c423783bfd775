"""Searches leave saddles, say what they found, and are repeated by their seed."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.constraints import FixAtoms
from ase.io import read, write

from nanoslab.builders import build_nanosheet
from nanoslab.builders.distortion import distorted_starts, lacking_pairs
from nanoslab.calculation import Settings
from nanoslab.cli.main import main
from nanoslab.engines import engine
from nanoslab.errors import InputError
from nanoslab.studies.reconstructions import Starts, search_reconstructions, share_with_bonds

EMT = "ase.calculators.emt:EMT"
SETTINGS = Settings(source="test", force_tolerance=0.03, max_ionic_steps=200)


def on_top() -> Atoms:
    """An atom on top of another one: symmetric, and a saddle; four equivalent hollows lie beside it."""
    slab = fcc100("Cu", (2, 2, 3), vacuum=8.0, periodic=True)
    add_adsorbate(slab, "Cu", 2.2, "ontop")
    slab.info = {}
    slab.set_constraint(FixAtoms([atom.index for atom in slab if atom.tag == 3]))
    return slab


def test_a_saddle_is_left_and_equivalent_ends_are_one_minimum() -> None:
    found = search_reconstructions(on_top(), engine(EMT), SETTINGS, Starts(count=6))
    assert len(found.minima) == 1
    assert len(found.minima[0].members) == 6
    final = found.structures[found.minima[0].members[0]]
    near = np.sort(final.get_distances(12, range(12), mic=True))
    assert near[3] < 2.7 < near[4]  # four neighbours: a hollow
    assert (found.reference_energy - found.minima[0].energy_per_atom) * 13 > 0.3


def test_the_same_seed_gives_the_same_starts_and_leaves_frozen_atoms() -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 3, fix="middle")
    held = sheet.constraints[0].get_indices()
    one, other, third = (
        distorted_starts(sheet, 4, seed=5),
        distorted_starts(sheet, 4, seed=5),
        distorted_starts(sheet, 4),
    )
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0].positions, third[0].positions)
    assert all(np.array_equal(a.positions[held], sheet.positions[held]) for a in one)


def test_pulled_pairs_are_like_atoms_of_the_faces() -> None:
    sheet = build_nanosheet("CdSe-zincblende", "001", 5, repeat=((1, 1), (-1, 1)), termination=("Cd", "Se"), fix="none")
    pairs = lacking_pairs(sheet)
    heights = sheet.positions[:, 2]
    assert len(pairs)
    assert {sheet.symbols[a] + sheet.symbols[b] for a, b in pairs} == {"CdCd", "SeSe"}
    assert all(heights[a] in (heights.min(), heights.max()) for a in pairs.ravel())


@pytest.mark.parametrize(("count", "size"), [(0, 0.1), (3, 0.0), (3, 0.5), (3, float("nan"))])
def test_starts_that_mean_nothing_are_refused(count: int, size: float) -> None:
    with pytest.raises(InputError):
        distorted_starts(on_top(), count, standard_deviation=size)


def test_the_command_writes_minima_and_says_what_was_not_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "slab.extxyz", on_top())
    arguments = ["search", str(tmp_path / "slab.extxyz"), str(tmp_path / "found"), "--engine", EMT]
    assert main([*arguments, "--starts", "2", "--cells", "1x1", "2x1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n_starts"] == 4
    assert document["schema"] == 1
    lowest = document["minima"][0]
    assert lowest["energy_eV_per_1x1_cell"] < -0.3
    assert "atoms that change places" in document["not_searched"]
    assert len(read(tmp_path / "found" / lowest["file"])) in (13, 26)
    assert main(arguments) == 2
    assert "expected a new folder" in capsys.readouterr().err
    assert main([*arguments[:2], str(tmp_path / "other"), "--engine", EMT, "--cells", "0x1"]) == 2


@pytest.mark.slow
def test_starts_of_the_ideal_zincblende_sheet_find_its_se_dimer() -> None:
    """By CHGNet, 19 of 20 starts; Cd dimers, which GPAW finds too, lower CHGNet's energy little and form in 8 of 20."""
    pytest.importorskip("chgnet")
    sheet = build_nanosheet("CdSe-zincblende", "001", 7, repeat=((1, 1), (-1, 1)), termination=("Cd", "Se"), fix="none")
    settings = Settings(source="test", force_tolerance=0.03, max_ionic_steps=300)
    found = search_reconstructions(sheet, engine("chgnet"), settings, Starts(count=20))
    assert share_with_bonds(found, ["Se-Se"]) >= 0.9
    assert (found.minima[0].energy_per_atom - found.reference_energy) * 28 == pytest.approx(-0.847, abs=0.01)

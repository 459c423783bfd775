"""What a start begins from; nothing a job wrote is lost."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from nanoslab.campaign.format import read_calculation
from nanoslab.campaign.state import attempt_folder
from nanoslab.driver.vasp_job import free_name, is_valid_contcar, latest_contcar, prepare_vasp, put_aside
from nanoslab.errors import FileError
from nanoslab.vasp.poscar import read_poscar, write_poscar


@pytest.fixture
def deck(toy) -> Path:
    return toy(1, children=1).folder / "run-000"


def claim(folder: Path, number: int) -> None:
    attempt_folder(folder, number).mkdir(parents=True)


def test_the_first_start_is_from_the_deck_which_is_kept(deck: Path) -> None:
    before = (deck / "POSCAR").read_bytes()
    claim(deck, 1)
    assert prepare_vasp(deck, 1) == "starts from its POSCAR"
    assert (deck / "POSCAR").read_bytes() == (deck / "POSCAR.initial").read_bytes() == before
    assert (deck / "attempts" / "001" / "INCAR.start").read_bytes() == (deck / "INCAR").read_bytes()


def test_a_second_start_goes_on_from_contcar_with_the_constraints_of_the_deck(deck: Path) -> None:
    claim(deck, 1)
    prepare_vasp(deck, 1)
    moved = read_poscar(deck / "POSCAR")
    moved.set_constraint()
    moved.positions[1] += 0.11
    write_poscar(moved, deck / "CONTCAR")
    (deck / "OUTCAR").write_text("cut")
    claim(deck, 2)
    assert prepare_vasp(deck, 2) == "goes on from the CONTCAR of start 1"
    start = read_poscar(deck / "POSCAR")
    assert np.allclose(start.positions, moved.positions)
    assert [c.index.tolist() for c in start.constraints] == [[0]]
    assert (deck / "attempts" / "001" / "OUTCAR").read_text() == "cut"
    assert not (deck / "OUTCAR").exists()


@pytest.mark.parametrize("spoil", ["empty", "cut", "stars", "collapsed", "other"])
def test_a_broken_contcar_is_no_start(deck: Path, spoil: str) -> None:
    initial = read_poscar(deck / "POSCAR")
    text = (deck / "POSCAR").read_text()
    collapsed = initial.copy()
    collapsed.positions[1] = collapsed.positions[0] + 0.1
    write_poscar(collapsed, deck / "collapsed")
    write_poscar(initial[:3], deck / "other")
    broken = {
        "empty": "",
        "cut": text[: len(text) // 2],
        "stars": text.replace(text.splitlines()[-1].split()[0], "******"),
        "collapsed": (deck / "collapsed").read_text(),
        "other": (deck / "other").read_text(),
    }
    (deck / "CONTCAR").write_text(broken[spoil])
    assert not is_valid_contcar(deck / "CONTCAR", initial)
    claim(deck, 1)
    prepare_vasp(deck, 1)
    assert (deck / "POSCAR").read_text() == text
    assert (deck / "attempts" / "000" / "CONTCAR").read_text() == broken[spoil]


def test_an_older_valid_contcar_serves_when_the_last_start_left_none(deck: Path) -> None:
    for number in (1, 2):
        claim(deck, number)
    shutil.copy(deck / "POSCAR", attempt_folder(deck, 1) / "CONTCAR")
    (attempt_folder(deck, 2) / "CONTCAR").write_text("")
    found = latest_contcar(deck, 3, read_poscar(deck / "POSCAR"))
    assert found == attempt_folder(deck, 1) / "CONTCAR"


def test_a_poscar_somebody_edited_later_is_respected(deck: Path) -> None:
    claim(deck, 1)
    prepare_vasp(deck, 1)
    shutil.copy(deck / "POSCAR", deck / "CONTCAR")
    os.utime(deck / "CONTCAR", (1.0e9, 1.0e9))
    edited = read_poscar(deck / "POSCAR")
    edited.positions[1] += 0.3
    write_poscar(edited, deck / "POSCAR")
    claim(deck, 2)
    assert prepare_vasp(deck, 2) == "starts from its POSCAR"
    assert np.allclose(read_poscar(deck / "POSCAR").positions, edited.positions)


def test_nothing_is_written_over_when_files_are_put_aside(deck: Path) -> None:
    claim(deck, 1)
    (attempt_folder(deck, 1) / "OUTCAR").write_text("first")
    for text in ("second", "third"):
        (deck / "OUTCAR").write_text(text)
        put_aside(deck, 1)
    kept = [(attempt_folder(deck, 1) / name).read_text() for name in ("OUTCAR", "OUTCAR.1", "OUTCAR.2")]
    assert kept == ["first", "second", "third"]
    assert free_name(attempt_folder(deck, 1) / "OUTCAR").name == "OUTCAR.3"


def test_a_child_starts_from_its_relaxed_parent(deck: Path) -> None:
    child = deck.parent / "child-0"
    relaxed = read_poscar(deck / "POSCAR")
    relaxed.positions += 0.05
    write_poscar(relaxed, deck / "CONTCAR")
    claim(child, 1)
    assert prepare_vasp(child, 1) == "starts from the relaxed run-000"
    assert np.allclose(read_poscar(child / "POSCAR").positions, relaxed.positions[:3])
    built = read_calculation(child).atoms
    assert np.allclose(built.positions, read_poscar(child / "POSCAR.initial").positions)
    assert [c.index.tolist() for c in read_poscar(child / "POSCAR").constraints] == [[0]]


def test_a_child_of_a_parent_without_a_structure_does_not_start(deck: Path) -> None:
    child = deck.parent / "child-0"
    claim(child, 1)
    with pytest.raises(FileError, match="relaxed structure"):
        prepare_vasp(child, 1)

"""Bands as VASP input sets and back: tags of both codes, the barrier, and what is missing or does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import vasp_writers as writers
from ase.build import bulk

from nanoslab.atom_paths import interpolated
from nanoslab.builders.hops import vacancy_hop
from nanoslab.calculation import Calculation, Role
from nanoslab.errors import FileError, InputError
from nanoslab.presets import preset
from nanoslab.vasp import read_poscar
from nanoslab.vasp.inputs.band import write_band
from nanoslab.vasp.runs.band import read_band


@pytest.fixture
def images():
    crystal = bulk("Al", cubic=True).repeat(2)
    crystal.pbc = True
    return interpolated(*vacancy_hop(crystal, 0, 1), 3)


def job(atoms) -> Calculation:
    settings = replace(preset("pbe"), relax="ions")
    return Calculation(name="hop", role=Role(kind="path"), atoms=atoms, settings=settings)


@pytest.mark.parametrize(
    ("vtst", "tags"), [(False, {"SPRING": "-5"}), (True, {"LCLIMB": ".TRUE.", "IOPT": "3", "POTIM": "0"})]
)
def test_every_image_is_a_folder_and_the_tags_are_those_of_the_code(tmp_path: Path, images, vtst, tags) -> None:
    write_band(job(images[0]), images, tmp_path / "band", vtst=vtst)
    assert sorted(child.name for child in (tmp_path / "band").iterdir() if child.is_dir()) == [
        f"{n:02d}" for n in range(5)
    ]
    incar = dict(line.split(" = ") for line in (tmp_path / "band" / "INCAR").read_text().splitlines())
    assert incar["IMAGES"] == "3"
    assert tags.items() <= incar.items()
    assert ("LCLIMB" in incar) == vtst
    for number, image in enumerate(images):
        back = read_poscar(tmp_path / "band" / f"{number:02d}" / "POSCAR")
        assert np.array_equal(back.positions, image.positions)
    assert not (tmp_path / "band" / "POSCAR").exists()


def test_a_folder_with_files_is_left_alone(tmp_path: Path, images) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(FileError, match="a new or empty folder"):
        write_band(job(images[0]), images, tmp_path)
    assert [child.name for child in tmp_path.iterdir()] == ["mine"]


def finished(energy: float) -> bytes:
    step = replace(writers.Step(), electrons=((energy, energy), (energy - 1e-7, energy - 1e-7)))
    return writers.outcar(writers.Run(steps=(step,), incar={"IMAGES": "1"}))


def test_the_barrier_is_the_highest_image_above_the_start(tmp_path: Path) -> None:
    for number, energy in enumerate((-20.0, -19.4, -19.8)):
        (tmp_path / f"{number:02d}").mkdir()
        (tmp_path / f"{number:02d}" / "OUTCAR").write_bytes(finished(energy))
    band = read_band(tmp_path)
    assert band.barrier == pytest.approx(0.6, abs=1e-6)
    (tmp_path / "01" / "OUTCAR").write_bytes(finished(-21.0))
    assert read_band(tmp_path).barrier is None  # an end is highest


def test_two_images_are_no_band(tmp_path: Path, images) -> None:
    with pytest.raises(InputError, match="at least one image between"):
        write_band(job(images[0]), images[:2], tmp_path)

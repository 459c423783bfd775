"""`nanoslab image`, `strain` and `reconstruct`: the documents, and one line for every bad input."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.cluster import Octahedron
from ase.io import read, write

from nanoslab.builders import build_nanocrystal, build_nanosheet
from nanoslab.cli.main import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sheet = build_nanosheet("CdSe-zincblende", "001", 3, repeat=(6, 6), vacuum=6)
    sheet.set_constraint()
    sheet.info.clear()
    write("sheet.extxyz", sheet)
    etched = sheet.copy()
    del etched[:10]
    etched.info["dose_e_per_A2"] = 1000.0
    write("path.extxyz", [sheet, etched])
    write("pt.xyz", Octahedron("Pt", 6, latticeconstant=4.02), format="xyz")
    write("pt.cif", bulk("Pt", a=3.92, cubic=True))
    small = build_nanocrystal("PbSe-rocksalt", {"Pb": 13, "Se": 13})
    write("small.xyz", small, format="xyz")
    return tmp_path


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_image_indexes_spacings_and_says_when_a_vacancy_shows(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    options = ["image", "sheet.extxyz", "--kv", 200, "--mode", "haadf", "--pixel", 0.2]
    found = document(capsys, *options, "--spacings", "CdSe-zincblende", "--without", 0, "--plot", "i.png")
    assert found["schema"] == 1
    strongest = found["images"][0]["spacings"][0]
    assert strongest["hkl"] == [2, 2, 0]
    assert abs(strongest["strain"]) < 0.005
    assert 10 < found["rose_dose_e_per_A2"] < 1e6
    assert (folder / "i.png").stat().st_size > 5000


def test_a_path_of_structures_gives_an_image_each(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    found = document(capsys, "image", "path.extxyz", "--kv", 300, "--pixel", 0.3, "--dose", 100, "--first-look")
    assert len(found["images"]) == 2
    assert found["doses"] == [None, 1000.0]
    assert found["images"][0]["shape"] == found["images"][1]["shape"]


def test_a_microscope_file_is_read_with_its_scale(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    pytest.importorskip("rsciio")
    h5py = pytest.importorskip("h5py")
    x = np.arange(256) * 0.2
    with h5py.File("m.emd", "w") as file:
        file.attrs.update(version_major=0, version_minor=2)
        group = file.create_group("data/image")
        group.attrs["emd_group_type"] = 1
        group["data"] = 100 + 20 * np.cos(2 * np.pi * x / 3.50)[:, None] * np.ones((256, 200))
        for number, (name, n) in enumerate((("y", 256), ("x", 200)), 1):
            axis = group.create_dataset(f"dim{number}", data=np.arange(n) * 0.02)
            axis.attrs.update(name=name, units="[n_m]")
    found = document(capsys, "image", "m.emd", "--spacings", "CdSe-wurtzite")
    assert found["images"][0]["shape"] in ([256, 200], [200, 256])
    assert found["images"][0]["spacings"][0]["spacing_A"] == pytest.approx(3.50, rel=0.002)


def test_strain_of_an_expanded_particle(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    found = document(capsys, "strain", "pt.xyz", "--crystal", "pt.cif", "-o", "map.extxyz", "--plot", "p.svg")
    assert found["scale"] == pytest.approx(4.02 / 3.92, abs=1e-6)
    assert found["mean_strain"]["core"]["xx"] == pytest.approx(4.02 / 3.92 - 1, abs=1e-4)
    assert found["lattice_constants_A"] == pytest.approx([4.02] * 3, abs=1e-4)
    assert found["faults"] == []
    written = read("map.extxyz")
    assert written.arrays["strain"].shape == (len(written), 6)
    assert main(["strain", "pt.xyz", "--crystal", "pt.cif"]) == 0
    assert "on the lattice, which is +2.551" in capsys.readouterr().out


def test_reconstruct_finds_the_particle_again(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    options = ["--kv", 300, "--images", 15, "--pixel", 0.6, "--dose", "1e6", "-o", "found.xyz"]
    found = document(capsys, "reconstruct", "small.xyz", *options)
    assert (found["n_missing"], found["n_extra"], found["n_wrong_element"]) == (0, 0, 0)
    assert found["rms_error_A"] < 0.19
    assert len(read("found.xyz")) == 26


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["image", "sheet.extxyz"], "--kv: expected a voltage, got none"),
        (["image", "sheet.extxyz", "--kv", "200", "--without", "999"], "--without: expected atoms from 0 to"),
        (["image", "sheet.extxyz", "--kv", "200", "--pixel", "0.001"], "pixel: expected a length from 0.01 to 2 Å"),
        (["image", "sheet.extxyz", "--kv", "200", "--dose", "-1"], "dose: expected a dose above 0"),
        (["image", "none.dm4"], "expected a file, got none.dm4"),
        (["strain", "sheet.extxyz", "--crystal", "pt.cif"], "structure: expected elements of the crystal (Pt4)"),
        (["strain", "pt.xyz", "--crystal", "unobtainium"], "expected one of"),
        (["reconstruct", "small.xyz", "--kv", "300", "--dose", "0"], "--dose: expected a dose above 0 e/Å², got 0.0"),
        (["reconstruct", "small.xyz", "--kv", "300", "--pixel", "9"], "--pixel: expected 0.1 to 1 Å, got 9.0"),
    ],
)
def test_bad_input_is_one_line(refused, folder: Path, arguments: list[str], said: str) -> None:
    assert said in refused(*arguments)

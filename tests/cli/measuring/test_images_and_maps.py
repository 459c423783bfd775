"""`nanoslab image`, `strain` and `reconstruct`: the documents, and one line for every bad input."""

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


def test_image_indexes_spacings_and_says_when_a_vacancy_shows(answer, folder: Path) -> None:
    options = ["image", "sheet.extxyz", "--kv", 200, "--mode", "haadf", "--pixel", 0.2]
    found = answer(*options, "--spacings", "CdSe-zincblende", "--without", 1, "--threshold", 3.0, "--plot", "i.png")
    assert found["schema"] == 1
    strongest = found["images"][0]["spacings"][0]
    assert strongest["hkl"] == [2, 2, 0]
    assert abs(strongest["strain"]) < 0.005
    assert 10 < found["rose_dose_e_per_A2"] < 1e6
    atoms = read("sheet.extxyz")
    assert found["exit_face_atoms"] in (36, 72)
    barn = found["cross_section_barn"]
    assert found["next_loss_dose_e_per_A2"] == pytest.approx(1e8 / (found["exit_face_atoms"] * barn))
    assert found["elements"] == [atoms.symbols[1]]
    assert (folder / "i.png").stat().st_size > 5000


def test_a_path_of_structures_gives_an_image_each(answer, folder: Path) -> None:
    options = ["--kv", 300, "--pixel", 0.3, "--dose", 100, "--method", "projected", "-o", "path.emd"]
    found = answer("image", "path.extxyz", *options)
    assert len(found["images"]) == 2
    assert found["doses"] == [None, 1000.0]
    assert found["images"][0]["shape"] == found["images"][1]["shape"]
    pytest.importorskip("rsciio.emd")
    again = answer("image", "path.emd")
    assert [image["mean"] for image in again["images"]] == [image["mean"] for image in found["images"]]


def test_a_microscope_file_is_read_with_its_scale(answer, folder: Path) -> None:
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
    found = answer("image", "m.emd", "--spacings", "CdSe-wurtzite")
    assert found["images"][0]["shape"] in ([256, 200], [200, 256])
    assert found["images"][0]["spacings"][0]["spacing_A"] == pytest.approx(3.50, rel=0.002)


def test_strain_of_an_expanded_particle(capsys: pytest.CaptureFixture[str], answer, folder: Path) -> None:
    found = answer("strain", "pt.xyz", "--crystal", "pt.cif", "-o", "map.extxyz", "--plot", "p.svg")
    assert found["scale"] == pytest.approx(4.02 / 3.92, abs=1e-6)
    assert found["mean_strain"]["core"]["xx"] == pytest.approx(4.02 / 3.92 - 1, abs=1e-4)
    assert found["lattice_constants_A"] == pytest.approx([4.02] * 3, abs=1e-4)
    assert found["faults"] == []
    assert np.shape(found["rotations"]) == (len(found["strain"]), 3, 3)
    written = read("map.extxyz")
    assert written.arrays["strain"].shape == (len(written), 6)
    assert main(["strain", "pt.xyz", "--crystal", "pt.cif"]) == 0
    assert "on the lattice, which is +2.551" in capsys.readouterr().out


def test_reconstruct_finds_the_particle_again(answer, folder: Path) -> None:
    options = ["--kv", 300, "--images", 15, "--pixel", 0.6, "--dose", "1e6", "-o", "found.xyz"]
    found = answer("reconstruct", "small.xyz", *options)
    assert (found["n_missing"], found["n_extra"], found["n_wrong_element"]) == (0, 0, 0)
    assert found["rms_error_A"] < 0.19
    assert len(read("found.xyz")) == 26


def write_mrc(path: str, images: np.ndarray, pixel: float) -> None:
    """The format of tilt series of the field, of 2014: a header of 1024 bytes, then images of shape (k, x, y)."""
    header = np.zeros(256, "<i4")
    shape = (images.shape[1], images.shape[2], images.shape[0])
    header[:10] = (*shape, 2, 0, 0, 0, *shape)
    header[10:13] = np.array([shape[0] * pixel, shape[1] * pixel, shape[2]], "<f4").view("<i4")
    header[16:19] = 1, 2, 3
    header[52:54] = np.frombuffer(b"MAP \x44\x44\x00\x00", "<i4")
    Path(path).write_bytes(header.tobytes() + images.transpose(0, 2, 1).astype("<f4").tobytes())


# RosettaSciIO leaves an MRC file open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["emd", "mrc", "axis x"])
def test_atoms_are_found_from_the_file_of_a_series(answer, folder: Path, kind: str) -> None:
    pytest.importorskip("rsciio.emd")
    from nanoslab.measure.imaging import FieldOfView, Image, read_images, read_tilts, write_images
    from nanoslab.measure.tomography import compare_atoms

    made = ["--kv", 300, "--images", 15, "--pixel", 0.6, "--dose", "1e6", "--write-images", "series.emd"]
    answer("reconstruct", "small.xyz", *made)
    assert read_tilts("series.emd") == pytest.approx(np.linspace(-79, 79, 15))
    images, file, options = read_images("series.emd"), "series.emd", []
    if kind != "emd":
        np.savetxt("series.tlt", read_tilts("series.emd"))
        options = ["--tilts", "series.tlt"]
    if kind == "mrc":
        file = "series.mrc"
        write_mrc(file, np.array([image.values for image in images]), 0.6)
    if kind == "axis x":
        options += ["--tilt-axis", "x"]
        (nx, ny), (lx, ly) = images[0].field.shape, images[0].field.lengths
        field = FieldOfView(corner=(0.0, 0.0), lengths=(ly, lx), shape=(ny, nx))
        write_images(file, [Image(values=np.rot90(i.values, -1).copy(), field=field) for i in images])
    found = answer("reconstruct", file, "--kv", 300, *options, "--elements", "Pb", "Se", "-o", "atoms.xyz")
    assert found["counts"] == {"Pb": 13, "Se": 13}
    trip = compare_atoms(read("small.xyz"), read("atoms.xyz"))
    assert (trip.n_missing, trip.n_extra, trip.n_wrong_element) == (0, 0, 0)
    assert trip.rms < 0.19
    assert 0.5 < trip.rms / np.sqrt(np.mean(np.square(found["stated_errors_A"]))) < 2.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["image", "sheet.extxyz"], "--kv: expected a voltage, got none"),
        (["image", "sheet.extxyz", "--kv", "200", "--without", "999"], "--without: expected atoms from 0 to"),
        (["image", "sheet.extxyz", "--kv", "200", "--pixel", "0.001"], "pixel: expected a length from 0.01 to 2 Å"),
        (["image", "sheet.extxyz", "--kv", "200", "--dose", "-1"], "dose: expected a dose above 0"),
        (["image", "none.dm4"], "none.dm4: expected a file, got none"),
        (["image", "sheet.extxyz", "--kv", "200", "--mode", "haadf", "--method", "multislice"], "projected or abtem"),
        (["image", "sheet.extxyz", "--kv", "200", "--pixel", "0.5", "-o", "i.png"], "a file ending in .emd"),
        (["reconstruct", "none.mrc", "--kv", "300"], "--elements: expected those of the particle"),
        (["reconstruct", "none.mrc", "--kv", "300", "--elements", "Pt"], "none.mrc: expected a file, got none"),
        (["strain", "sheet.extxyz", "--crystal", "pt.cif"], "structure: expected elements of the crystal (Pt4)"),
        (["strain", "pt.xyz", "--crystal", "unobtainium"], "expected one of"),
        (["reconstruct", "small.xyz", "--kv", "300", "--dose", "0"], "--dose: expected a dose above 0 e/Å², got 0.0"),
        (["reconstruct", "small.xyz", "--kv", "300", "--pixel", "9"], "--pixel: expected 0.1 to 1 Å, got 9.0"),
    ],
)
def test_bad_input_is_one_line(refused, folder: Path, arguments: list[str], said: str) -> None:
    assert said in refused(*arguments)

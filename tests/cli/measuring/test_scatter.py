"""`nanoslab scatter`: the documents, and one line for every bad input."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import write

from nanoslab.builders import build_nanocrystal
from nanoslab.cli.main import main
from nanoslab.measure.scattering import PdfWindow, Vibration, debye_intensity, pair_distribution, sphere_intensity


@pytest.fixture
def clusters(tmp_path: Path) -> Path:
    for name in ("zincblende", "wurtzite"):
        atoms = build_nanocrystal(f"CdSe-{name}", {"Cd": 30, "Se": 30})
        atoms.set_cell(None)
        atoms.pbc = False
        atoms.info.clear()
        write(tmp_path / f"{name}.xyz", atoms, format="xyz")
    return tmp_path


def test_the_command_is_the_call(capsys: pytest.CaptureFixture[str], answer, clusters: Path) -> None:
    file = clusters / "wurtzite.xyz"
    found = answer("scatter", file, "--form-factor", "unity", "--q-min", 0, "--q-max", 10, "--points", 51)
    assert found["schema"] == 1
    assert found["q_per_A"] == np.linspace(0, 10, 51).tolist()
    assert found["intensity"][0] == 60**2
    warm = answer(
        "scatter", file, "--u-iso", "Cd=0.02", "--delta2", 2, "--points", 11, "--minus", clusters / "zincblende.xyz"
    )
    assert len(warm["r_A"]) == len(warm["g_per_A2"]) == 11
    assert main(["scatter", str(file), "--plot", str(clusters / "i.svg")]) == 0
    assert "Cd30Se30" in capsys.readouterr().out
    assert (clusters / "i.svg").stat().st_size > 1000


def test_structures_are_ranked_and_sizes_fitted(answer, clusters: Path) -> None:
    from ase.io import read

    r = np.arange(1.5, 12.0, 0.02)
    warm = Vibration(mean_square_displacements={"Cd": 0.02})
    g = pair_distribution(read(clusters / "wurtzite.xyz"), r, PdfWindow(), warm)
    np.savetxt(clusters / "measured.gr", np.c_[r, g], header="r G")
    files = (clusters / "zincblende.xyz", clusters / "wurtzite.xyz")
    fits = answer("scatter", *files, "--fit", clusters / "measured.gr", "--r-max", 11)["fits"]
    assert fits[0]["structure"].endswith("wurtzite.xyz")
    assert fits[0]["weighted_residual"] < 1e-2 < fits[1]["weighted_residual"]
    q = np.linspace(0.05, 1.2, 100)
    clean = sphere_intensity(q, 9.4)
    np.savetxt(clusters / "saxs.dat", np.c_[q, clean, 0.01 * clean.max() * np.ones(100)])
    sizes = answer("scatter", clusters / "saxs.dat", "--sizes", 7, 12)["sizes"]
    assert [row["radius_A"] for row in sizes] == pytest.approx([9.4], abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.xyz"], "expected a structure file, got no such file"),
        (["wurtzite.xyz", "zincblende.xyz"], "expected one file of a structure, got 2"),
        (["wurtzite.xyz", "--q-min", "5", "--q-max", "2"], "--q-min: expected 0 <= q-min < q-max, got 5 and 2"),
        (["wurtzite.xyz", "--q-max", "90"], "q: expected a list of numbers from 0 to 75.4 1/Å"),
        (["wurtzite.xyz", "--u-iso", "Pb=0.1"], "--u-iso: expected one of"),
        (["wurtzite.xyz", "--points", "1"], "--points: expected 2 to 1,000,000, got 1"),
        (["wurtzite.xyz", "--fit", "broken.gr"], "broken.gr:2: expected 2 numbers as above"),
        (["broken.gr", "--sizes", "7", "12"], "expected at least 3 columns of numbers"),
        (["dummy.xyz"], "form factor: expected an element up to Cf, got 'X'"),
        (["broken.gr"], "expected a structure file that ASE reads"),
    ],
)
def test_bad_input_is_one_line(
    refused, clusters: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(clusters)
    Path("broken.gr").write_text("1.0 2.0\n1.1 two\n")
    Path("dummy.xyz").write_text("2\n\nX 0 0 0\nCd 2 0 0\n")
    assert said in refused("scatter", *arguments)


def test_intensity_of_a_file_is_that_of_its_atoms(answer, clusters: Path) -> None:
    from ase.io import read

    found = answer("scatter", clusters / "zincblende.xyz", "--form-factor", "electron", "--points", 21)
    expected = debye_intensity(read(clusters / "zincblende.xyz"), found["q_per_A"], "electron")
    assert np.allclose(found["intensity"], expected)

"""POTCAR: found in every layout, of one release, in the POSCAR's order, checked, and never quoted."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from potcar_writer import fake_potcar, write_library

from nanoslab.errors import FileError, InputError
from nanoslab.vasp.inputs.potcar import (
    PotcarLibrary,
    dataset_of,
    find_library,
    find_potcars,
    potcar_bytes,
    recommended_dataset,
    release_of,
)

pytestmark = pytest.mark.usefixtures("no_potcar_library")


def library(*roots: Path, **datasets: str) -> PotcarLibrary:
    return PotcarLibrary(roots=roots, datasets=datasets)


@pytest.mark.parametrize(
    "layout",
    [
        "{dataset}/POTCAR",
        "{dataset}/POTCAR.gz",
        "{dataset}/POTCAR.xz",
        "POTCAR.{dataset}",
        "POTCAR.{dataset}.gz",
        "potpaw_PBE/{dataset}/POTCAR",
        "potpaw_PBE.52/{dataset}/POTCAR",
        "potpaw_PBE.54/{dataset}/POTCAR.gz",
        "potpaw_PBE.64/{dataset}/POTCAR",
        "POT_GGA_PAW_PBE/POTCAR.{dataset}.gz",
        "POT_GGA_PAW_PBE_54/POTCAR.{dataset}.gz",
        "POT_PAW_PBE_64/POTCAR.{dataset}.gz",
        "POTPAW_PBE_54/{dataset}/POTCAR",
    ],
)
def test_every_layout_is_found(tmp_path: Path, layout: str) -> None:
    found = find_potcars(("Pb", "Se"), "PBE", library(write_library(tmp_path / "lib", layout=layout)))
    assert [potcar.title for potcar in found] == ["PAW_PBE Pb_d 06Sep2000", "PAW_PBE Se 06Sep2000"]
    assert [potcar.maximal_cutoff for potcar in found] == [250.0, 250.0]


def test_lzw_of_old_distributions_is_read(tmp_path: Path) -> None:
    root = write_library(tmp_path / "lib", ("Se",))
    if subprocess.run(["which", "compress"], capture_output=True, check=False).returncode:
        pytest.skip("no compress program to write an LZW file with")
    subprocess.run(["compress", "-f", str(root / "Se" / "POTCAR")], check=True)
    assert find_potcars(("Se",), "PBE", library(root))[0].dataset == "Se"


def test_content_is_joined_in_the_order_asked_for(tmp_path: Path) -> None:
    lib = library(write_library(tmp_path / "lib"))
    content = potcar_bytes(find_potcars(("Se", "Cd"), "PBE", lib), ("Se", "Cd"))
    assert content.decode() == fake_potcar("PAW_PBE Se 06Sep2000") + fake_potcar("PAW_PBE Cd 06Sep2000")


def test_another_order_than_the_poscar_is_refused(tmp_path: Path) -> None:
    potcars = find_potcars(("Se", "Cd"), "PBE", library(write_library(tmp_path / "lib")))
    with pytest.raises(FileError, match="expected the POSCAR's Cd Se, got Se Cd"):
        potcar_bytes(potcars, ("Cd", "Se"))


def test_hashes_are_of_the_decompressed_content(tmp_path: Path) -> None:
    plain = find_potcars(("Se",), "PBE", library(write_library(tmp_path / "a")))[0]
    packed = find_potcars(("Se",), "PBE", library(write_library(tmp_path / "b", layout="POTCAR.{dataset}.gz")))[0]
    assert plain.sha256 == packed.sha256 == hashlib.sha256(fake_potcar("PAW_PBE Se 06Sep2000").encode()).hexdigest()
    assert plain.title_sha256 == packed.title_sha256 != plain.sha256


def test_newest_release_wins_and_is_one_for_all_elements(tmp_path: Path) -> None:
    root = tmp_path / "lib"
    write_library(root, ("Cd", "Se"), layout="potpaw_PBE/{dataset}/POTCAR", date="01Jan2000")
    write_library(root, ("Cd", "Se"), layout="potpaw_PBE.52/{dataset}/POTCAR", date="01Jan2012")
    write_library(root, ("Se",), layout="potpaw_PBE.64/{dataset}/POTCAR", date="01Jan2022")
    assert {p.title.split()[2] for p in find_potcars(("Cd", "Se"), "PBE", library(root))} == {"01Jan2012"}
    assert find_potcars(("Se",), "PBE", library(root))[0].title.endswith("01Jan2022")
    narrowed = release_of(find_potcars(("Cd", "Se"), "PBE", library(root)), library(root))
    assert find_potcars(("Se",), "PBE", narrowed)[0].title.endswith("01Jan2012")


def test_lda_and_pbe_are_told_apart(tmp_path: Path) -> None:
    root = tmp_path / "lib"
    write_library(root, ("Se",), layout="potpaw_PBE/{dataset}/POTCAR")
    write_library(root, ("Se",), layout="potpaw_LDA/{dataset}/POTCAR", kind="PAW", exchange="CA")
    assert find_potcars(("Se",), "LDA", library(root))[0].title == "PAW Se 06Sep2000"
    assert find_potcars(("Se",), "PBE", library(root))[0].title == "PAW_PBE Se 06Sep2000"
    with pytest.raises(FileError, match="expected a PBE dataset, got LEXCH = CA"):
        find_potcars(("Se",), "PBE", library(write_library(tmp_path / "x", ("Se",), exchange="CA")))


def test_two_libraries_must_agree(tmp_path: Path) -> None:
    first, same = write_library(tmp_path / "a"), write_library(tmp_path / "b", layout="POTCAR.{dataset}.gz")
    other = write_library(tmp_path / "c", date="08Apr2002")
    assert find_potcars(("Se",), "PBE", library(first, same))[0].path.is_relative_to(first)
    with pytest.raises(FileError, match=r"expected one library, or two that agree.*--potcars"):
        find_potcars(("Se",), "PBE", library(first, other))


def test_a_missing_element_says_where_was_looked_and_what_to_set(tmp_path: Path) -> None:
    root = write_library(tmp_path / "lib", ("Cd",), layout="potpaw_PBE.54/{dataset}/POTCAR")
    with pytest.raises(FileError) as caught:
        find_potcars(("Cd", "Se", "Pb"), "PBE", library(root))
    message = str(caught.value)
    assert f"{root / 'potpaw_PBE.54'} (no Se, Pb_d)" in message
    assert "add Cd, Se, Pb_d" in message
    assert all(word in message for word in ("--potcars", "PMG_VASP_PSP_DIR", "VASP_PP_PATH"))
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (fake_potcar("PAW_PBE S 17Jan2003"), "expected the dataset Se, got TITEL = PAW_PBE S 17Jan2003"),
        (fake_potcar("PAW_PBE Se_GW 20Mar2012"), "expected the dataset Se, got TITEL = PAW_PBE Se_GW"),
        (fake_potcar("PAW_PBE Se 06Sep2000")[:200], "a file that is cut"),
        (fake_potcar("PAW_PBE Se 06Sep2000") * 2, "2 titles"),
        ("", "0 titles"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = write_library(tmp_path / "lib", ("Se",)) / "Se" / "POTCAR"
    path.write_text(content)
    with pytest.raises(FileError) as caught:
        find_potcars(("Se",), "PBE", library(tmp_path / "lib"))
    assert reason in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_datasets_follow_the_manual_unless_chosen(tmp_path: Path) -> None:
    assert {e: recommended_dataset(e) for e in ("Cd", "Zn", "Se", "S", "Te", "Pb", "C", "H", "O", "In")} == {
        **{e: e for e in ("Cd", "Zn", "Se", "S", "Te", "C", "H", "O")},
        "Pb": "Pb_d",
        "In": "In_d",
    }
    assert dataset_of("Pb", library(Pb="Pb")) == "Pb"
    root = write_library(tmp_path / "lib", ("Pb", "Pb_d"))
    assert find_potcars(("Pb",), "PBE", library(root, Pb="Pb"))[0].title == "PAW_PBE Pb 06Sep2000"


@pytest.mark.parametrize("chosen", ["Se", "Pd_pv", "../Pb", "Pb/../../etc"])
def test_a_dataset_of_another_element_or_a_path_is_refused(chosen: str) -> None:
    with pytest.raises(InputError, match="a dataset of Pb"):
        dataset_of("Pb", library(Pb=chosen))


def test_the_environment_names_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_library() is None
    a, b = write_library(tmp_path / "a"), write_library(tmp_path / "b")
    monkeypatch.setenv("VASP_PP_PATH", str(a))
    assert (found := find_library()) is not None
    assert found.roots == (a.resolve(),)
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(b))
    assert (found := find_library()) is not None
    assert found.roots == (b.resolve(), a.resolve())
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(a))
    assert (found := find_library()) is not None
    assert found.roots == (a.resolve(),)


def test_pymatgens_configuration_names_a_library(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    root = write_library(tmp_path / "lib")
    (home / ".pmgrc.yaml").write_text(f"PMG_VASP_PSP_DIR: {root}\n")
    assert (found := find_library()) is not None
    assert found.roots == (root.resolve(),)
    (home / ".pmgrc.yaml").write_text("a: [1\n")
    with pytest.raises(FileError, match="readable YAML"):
        find_library()


def test_a_variable_that_points_nowhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASP_PP_PATH", str(tmp_path / "gone"))
    with pytest.raises(FileError, match="VASP_PP_PATH: expected a folder of POTCARs"):
        find_library()

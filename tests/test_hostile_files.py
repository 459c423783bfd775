"""Files are data: whatever somebody puts into a text of theirs, no code runs, nothing is written elsewhere.

Every text of every file is replaced by hostile ones, and every command that reads the file is run. What may come out:
a right answer (exit code 0), or exit code 2 and a line for each fault.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from nanoslab.cli.main import main

BONDS = Path(__file__).parent / "studies"
ENGINE = "bond_model:BondModel"
NECK = {
    "study": "neck",
    "title": "bonds",
    "relax": "none",
    "crystal": "PbSe-rocksalt",
    "planes": 1,
    "pairs": [1, 2],
    "settings": {"preset": "ma2023", "functional": "PBE", "extra": {"LREAL": "Auto"}},
    "papers": [{"citation": "somebody", "doi": "10.1/1", "url": "https://example.org"}],
}
SCREENED = {**NECK, "screen": {"engine": "xtb", "planes": 1}}
VACANCIES = {
    "study": "vacancies",
    "title": "one sheet",
    "sheets": [{"phase": "wz", "crystal": "CdSe-wurtzite", "face": "11-20", "monolayers": 1}],
    "vacancies": [{"sheet": "wz", "species": "Se", "counts": [1], "region": "surface"}],
}
CLUSTER = {
    "backend": "executorlib",
    "partition": "long",
    "account": "me",
    "qos": "normal",
    "wall_time": "24:00:00",
    "memory_per_rank": "2G",
    "modules": ["vasp"],
    "setup": ["ulimit -s unlimited"],
    "sbatch": ["--exclusive"],
    "vasp": {"std": "vasp_std", "gam": "vasp_gam"},
    "check_commands": False,
}
HOSTILE = (
    "os:system:command=touch CANARY", "evil:run", "./evil.py:run", "evil", "../../CANARY", "/nowhere/CANARY",
    "~/CANARY",
    "x\nENCUT = 77", "x; ENCUT = 77", "x = 1\nENCUT", "$(touch CANARY)", "`touch CANARY`", "'; touch CANARY; '",
    "\x1b[2J", "\u202egnp.exe", "a\u2028b", "a\x85b", "a\tb", "\0", "\ud800", "=HYPERLINK(1)", "@SUM(1)", "+1+1", "-rf",
    "<script>alert(1)</script>", "{{7*7}}", "[red]x[/red]", "%s%n", "a" * 300, "é" * 130, "", " ", ".", "..", "nan",
    "1e999", "NUL", "!!python/object/apply:os.system ['touch CANARY']",
)  # fmt: skip

_PARTS = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}
QUICK = settings(max_examples=30, **_PARTS)
LONG = settings(max_examples=600, **_PARTS)


def texts(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all texts of a document; the last element says whether it is the value or the key."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        if isinstance(key, str):
            yield (*place, key, "key")
        if isinstance(value, str):
            yield (*place, key, "value")
        yield from texts(value, (*place, key))


def with_text(document: Any, place: tuple[Any, ...], text: str) -> Any:
    """Document with another text at one place."""
    document = json.loads(json.dumps(document))
    node = document
    *path, key, what = place
    for step in path:
        node = node[step]
    if what == "key":
        node[text] = node.pop(key)
    else:
        node[key] = text
    return document


def run(sandbox: Path, *command: object, capsys: Any) -> int:
    """Run a command; it ends with 0, or with 2 and a line for each fault, and leaves all outside its folder alone."""
    before = {path for path in sandbox.rglob("*") if path.relative_to(sandbox).parts[0] != "work"}
    capsys.readouterr()
    try:
        code = main([str(word) for word in command])
    except SystemExit as left:
        code = left.code
    out, err = capsys.readouterr()
    assert code in (0, 2), (command, code, err)
    assert code == 0 or all(line.startswith("nanoslab: ") for line in err.splitlines()), err
    for stream in (out, err):
        assert all(letter.isprintable() or letter == "\n" for letter in stream), repr(stream)
    assert not [path for path in sandbox.rglob("*CANARY*") if path.is_file()]
    assert "evil" not in sys.modules
    assert {path for path in sandbox.rglob("*") if path.relative_to(sandbox).parts[0] != "work"} == before
    return code


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder with the folder in which the commands run, and a file that tells when it is run."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "work").mkdir()
    (folder / "work" / "evil.py").write_text("from pathlib import Path\nPath('CANARY').touch()\nrun = print\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "work")
        patch.syspath_prepend(str(BONDS))
        patch.delenv("NANOSLAB_TRUSTED_ENGINES", raising=False)
        yield folder


@pytest.fixture(scope="module")
def campaign(sandbox: Path) -> Path:
    """A small campaign that an engine has computed."""
    work = sandbox / "work"
    write_yaml(work / "whole.yaml", NECK)
    assert main(["write", str(work / "whole.yaml"), str(work / "whole")]) == 0
    assert main(["run", str(work / "whole"), "--engine", ENGINE, "--jobs", "1", "--quiet"]) == 0
    return work / "whole"


def write_yaml(path: Path, document: Any) -> bool:
    """Write a document; False where YAML itself cannot hold the text."""
    try:
        with path.open("w", encoding="utf-8") as stream:
            YAML(typ="safe", pure=True).dump(document, stream)
    except ValueError:
        return False
    return True


def cases(*documents: Any) -> st.SearchStrategy[Any]:
    """Documents with one hostile text each."""
    places = [(document, place) for document in documents for place in texts(document)]
    return st.builds(lambda one, text: with_text(*one, text), st.sampled_from(places), st.sampled_from(HOSTILE))


def check_study(document: Any, sandbox: Path, capsys: Any) -> None:
    work = sandbox / "work"
    shutil.rmtree(work / "written", ignore_errors=True)
    if write_yaml(work / "study.yaml", document):
        run(sandbox, "write", "study.yaml", "written", capsys=capsys)
        for incar in work.glob("written/*/INCAR"):
            tags = [line.split("=")[0].strip() for line in incar.read_text().splitlines() if "=" in line]
            assert len(set(tags)) == len(tags)
            assert "77" not in [
                line.split("=")[1].strip() for line in incar.read_text().splitlines() if "ENCUT" in line
            ]


STUDIES = cases(VACANCIES, NECK)


@QUICK
@given(document=STUDIES)
def test_a_study_file(document: Any, sandbox: Path, capsys: Any) -> None:
    check_study(document, sandbox, capsys)


@pytest.mark.slow
@LONG
@given(document=STUDIES)
def test_a_study_file_at_length(document: Any, sandbox: Path, capsys: Any) -> None:
    check_study(document, sandbox, capsys)


@pytest.mark.parametrize("name", [text for text in HOSTILE if ":" in text or "evil" in text])
def test_the_screen_of_a_study_runs_no_code(name: str, sandbox: Path, capsys: Any) -> None:
    write_yaml(sandbox / "work" / "study.yaml", {**SCREENED, "screen": {"engine": name, "planes": 1}})
    assert run(sandbox, "run", "study.yaml", "--quiet", "--jobs", "1", capsys=capsys) == 2


@QUICK
@given(document=cases(CLUSTER))
def test_a_cluster_file(document: Any, sandbox: Path, campaign: Path, capsys: Any) -> None:
    if write_yaml(sandbox / "work" / "cluster.yaml", document):
        run(sandbox, "submit", campaign, "--cluster", "cluster.yaml", "--dry-run", capsys=capsys)


def check_campaign_file(name: str, draw: Any, sandbox: Path, campaign: Path, capsys: Any) -> None:
    files = sorted(campaign.glob(name))
    assert files, name
    file = files[-1]
    whole = file.read_bytes()
    document = json.loads(whole)
    place, text = draw(st.sampled_from(list(texts(document)))), draw(st.sampled_from(HOSTILE))
    try:
        file.write_text(json.dumps(with_text(document, place, text)))
        run(sandbox, "status", campaign, capsys=capsys)
        run(sandbox, "status", campaign, "--json", capsys=capsys)
        run(sandbox, "analyze", campaign, "--no-files", capsys=capsys)
    finally:
        file.write_bytes(whole)


FILES = ("*/calculation.json", "*/*/result.json", "*/*/state.json", "campaign.json")


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=10, **_PARTS)
@given(data=st.data())
def test_a_file_of_a_campaign(name: str, data: Any, sandbox: Path, campaign: Path, capsys: Any) -> None:
    if not list(campaign.glob(name)):
        pytest.skip(f"campaigns have no {name}")
    check_campaign_file(name, data.draw, sandbox, campaign, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@settings(max_examples=200, **_PARTS)
@given(data=st.data())
def test_a_file_of_a_campaign_at_length(name: str, data: Any, sandbox: Path, campaign: Path, capsys: Any) -> None:
    if not list(campaign.glob(name)):
        pytest.skip(f"campaigns have no {name}")
    check_campaign_file(name, data.draw, sandbox, campaign, capsys)


@pytest.mark.parametrize(
    "name", ["POSCAR", "POSCAR.cif", "x.extxyz", "x.json", "x.traj", "x.db", "x.xsf", "vasprun.xml"]
)
@pytest.mark.parametrize(
    "text", ["", "evil", "\0\x1b[2J", "CdSe\n1.0\n" * 3, "data_x\n_cell_length_a $(touch CANARY)\n"]
)
def test_a_structure_file_that_is_none(name: str, text: str, sandbox: Path, capsys: Any) -> None:
    (sandbox / "work" / name).write_text(text)
    assert run(sandbox, "build", "vacancies", name, "--species", "Se", "--count-only", capsys=capsys) == 2
    assert run(sandbox, "etch", name, "--kv", "200", "--threshold", "Se=5", "--dose", "1e3", capsys=capsys) == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_names_inside_the_files_of_a_run(text: str, sandbox: Path, capsys: Any) -> None:
    """Titles, tags and elements of a run are shown, not obeyed."""
    folder = sandbox / "work" / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    cell = f"<rc><c>1</c><c>{text}</c><c>1</c><c>1</c><c>{text}</c></rc>"
    (folder / "vasprun.xml").write_text(
        f'<?xml version="1.0"?><modeling><generator><i name="version">{text}</i></generator>'
        f'<incar><i name="GGA">{text}</i><i name="{text}">1</i></incar>'
        f'<atominfo><array name="atoms"><set><rc><c>{text}</c><c>1</c></rc></set></array>'
        f'<array name="atomtypes"><set>{cell}</set></array></atominfo></modeling>',
        errors="surrogatepass",
    )
    (folder / "POSCAR").write_text(
        f"{text}\n1.0\n4 0 0\n0 4 0\n0 0 4\n{text}\n1\nDirect\n0 0 0\n", errors="surrogatepass"
    )
    run(sandbox, "read", folder, "--csv", "runs.csv", "--extxyz", "runs.extxyz", capsys=capsys)
    run(sandbox, "read", folder, "--json", capsys=capsys)

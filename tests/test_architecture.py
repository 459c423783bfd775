"""The house: arrows between rooms point one way, and light commands stay light."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import nanoslab

PACKAGE = Path(nanoslab.__file__).parent

#: lower number = lower floor; a room may import rooms of lower floors and itself, never a sibling
FLOORS = {
    "errors": 0,
    "files": 1,
    "yaml_file": 1,
    "text": 0.5,
    "plot_data": 1,
    "selective_dynamics": 1,
    "structure_types": 1.2,
    "calculation": 1.5,
    "presets": 2,
    "crystals": 2,
    "atom_paths": 2,
    "symmetry": 2,
    "species": 1,
    "slab_geometry": 2,
    "builders": 3,
    "vasp": 3,
    "engines": 3,
    "beam": 2.6,
    "energetics": 3,
    "measure": 2.5,
    "kinetics": 3,
    "build": 4,  # alias of builders, for one release
    "campaign": 4,
    "driver": 5,
    "studies": 6,
    "report": 7,
    "cli": 8,
    "__main__": 9,
}


#: a campaign is neutral: codes put their files into it and read theirs out of it
NEVER = {"campaign": {"vasp", "engines"}}


def rooms_imported_by(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
        for name in names:
            parts = name.split(".")
            if parts[0] == "nanoslab":
                rooms.add(parts[1] if len(parts) > 1 else "")
    return rooms


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        assert not rooms_imported_by(path), "the package root imports nothing"
        return
    for other in rooms_imported_by(path) - {room}:
        if other == "":
            assert "__version__" in path.read_text(), f"{path} imports the package root"
            continue
        assert FLOORS[other] < FLOORS[room], f"{path}: {room} must not import {other}"
        assert other not in NEVER.get(room, ()), f"{path}: {room} must not know {other}"


@pytest.mark.parametrize("arguments", [["--help"], ["knockon", "Se", "--kv", "200"]])
def test_light_commands_load_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys; from nanoslab.cli.main import main; main(sys.argv[1:]);"
        "bad = {'ase', 'pymatgen', 'numpy', 'scipy', 'rich', 'matplotlib', 'pydantic'} & set(sys.modules);"
        "sys.exit(f'loaded {sorted(bad)}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def modules_imported_by(path: Path, known: set[str]) -> set[str]:
    """Modules of the house that a file imports, within functions too, but not for the type checker alone."""
    found = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known) or {node.module or ""}
    return found & known


def test_no_imports_run_in_a_circle() -> None:
    names = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph = {name: modules_imported_by(path, set(names)) - {name} for name, path in names.items()}
    graph.get("nanoslab.driver.repair", set()).discard("nanoslab.driver.vasp_job")  # the last one, known
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_file_is_long() -> None:
    long = {path.name: n for path in PACKAGE.rglob("*.py") if (n := len(path.read_text().splitlines())) > 350}
    assert not long

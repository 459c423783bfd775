"""The notebooks print what they show: their cells in this process, and behind ``slow`` in a kernel of their own."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "docs" / "notebooks").glob("*.ipynb"))


def code_cells(path: Path) -> list[tuple[str, str]]:
    """Source and printed text of every code cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        ("".join(cell["source"]), "".join("".join(one.get("text", "")) for one in cell["outputs"]))
        for cell in cells
        if cell["cell_type"] == "code"
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of spglib under pymatgen
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_it_shows(path: Path) -> None:
    names: dict[str, object] = {}
    cells = code_cells(path)
    assert any(shown for _, shown in cells)
    for source, shown in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, path.name, "exec"), names)  # noqa: S102  # our own notebooks
        assert printed.getvalue() == shown


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_in_a_kernel(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    client.NotebookClient(nbformat.read(path, as_version=4), timeout=120, kernel_name="python3").execute()

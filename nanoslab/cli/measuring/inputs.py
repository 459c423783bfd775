"""What the commands on measured things read: structures with or without a cell, columns of numbers; and their plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.errors import FileError, InputError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray


def read_atoms(path: Path) -> Atoms:
    """Last structure of any file that ASE reads, clusters without a cell too."""
    return read_frames(path)[-1]


def read_frames(path: Path) -> list[Atoms]:
    """All structures of any file that ASE reads."""
    from ase import Atoms
    from ase.io import read

    if not path.is_file():
        raise FileError(path, expected="a structure file", got="no such file", advice="check the path")
    try:
        found = read(path, index=":")
    except Exception as error:
        got = f"one that it cannot ({' '.join(str(error).split()) or type(error).__name__})"
        raise FileError(path, expected="a structure file that ASE reads", got=got, advice="check it") from error
    if not found or not all(isinstance(atoms, Atoms) and len(atoms) for atoms in found):
        raise FileError(path, expected="atoms", got="none", advice="check the file")
    return list(found)


def read_columns(path: Path, n_least: int) -> NDArray[Any]:
    """Columns of numbers of a text file, shape (columns, rows); lines of words before them are left out.

    Headers of .gr and .dat files differ between programs; what follows the first line of numbers must be numbers.
    """
    import numpy as np

    rows: list[list[float]] = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise FileError(path, expected="a file of columns of numbers", got=error.strerror or "no file") from error
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].replace(",", " ").split()
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if values and len(values) >= n_least and (not rows or len(values) == len(rows[0])):
            rows.append(values)
        elif rows and words:
            raise FileError(f"{path}:{number}", expected=f"{len(rows[0])} numbers as above", got=repr(line[:40]))
    if not rows:
        raise FileError(path, expected=f"at least {n_least} columns of numbers", got="no such line")
    return np.array(rows).T


def numbers_by_element(option: str, values: Sequence[str], elements: Sequence[str], unit: str) -> dict[str, float]:
    """Numbers for all elements, or ELEMENT=NUMBER."""
    from nanoslab.cli.beam.options import per_element

    return per_element(option, values, elements, unit)


def plot_curves(path: str, curves: Mapping[str, tuple[Any, Any]], x_label: str, y_label: str, *, log: bool) -> None:
    """Write curves {label: (x, y)} as .pdf, .svg or .png."""
    from nanoslab.cli.beam.knockon_plot import DASHES, plot_file, save
    from nanoslab.report.draw import new_panels

    target = plot_file(path)
    figure, (axes,) = new_panels()
    for number, (label, (x, y)) in enumerate(curves.items()):
        axes.plot(x, y, linewidth=1.0, linestyle=DASHES[number % len(DASHES)], color=f"C{number}", label=label)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if log:
        axes.set_yscale("log")
    if len(curves) > 1:
        axes.legend(frameon=False)
    save(figure, target, path)


def require_one(option: str, values: Sequence[Any], reason: str) -> None:
    """Refuse several files where one is meant."""
    if len(values) != 1:
        raise InputError(option, expected=f"one file {reason}", got=f"{len(values)}")

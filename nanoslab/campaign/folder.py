"""A campaign as it lies on disk: read back to its calculations, everything else in it named."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nanoslab.calculation import Calculation
from nanoslab.campaign.job_array import COLUMNS, SCRIPT, TABLE
from nanoslab.errors import FileError, InputError, unknown_name
from nanoslab.vasp.inputs.manifest import MANIFEST, read_deck

STUDY_FILE = "study.yaml"
#: folders of a campaign that are no calculations
OWN_FOLDERS = ("results", "slurm", "_cluster")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as it lies on disk.

    Attributes
    ----------
    folder, study_file
        Where it is, and the copy of its study.
    calculations
        In the order of the study, parents before those that start from them.
    stale
        Folders of calculations that the study no longer has.
    foreign
        Folders that are no calculations at all.
    """

    folder: Path
    study_file: Path
    calculations: tuple[Calculation, ...]
    stale: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    def folder_of(self, name: str) -> Path:
        """Folder of one calculation.

        Raises
        ------
        InputError
            If the campaign has no such calculation; the closest names are suggested.
        """
        names = [calculation.name for calculation in self.calculations]
        if name not in names:
            raise unknown_name("calculation", name, names)
        return self.folder / name


def load_campaign(folder: str | os.PathLike[str]) -> Campaign:
    """Read a campaign back to its calculations, with structures, constraints and settings.

    Raises
    ------
    FileError
        If the folder is no campaign, or a deck of it is missing or broken.
    """
    target = Path(folder)
    advice = "give a folder written by 'nanoslab write' or 'nanoslab run'"
    if not target.is_dir():
        raise FileError(target, expected="a campaign folder", got="no such folder", advice=advice)
    for name in (STUDY_FILE, TABLE):
        if not (target / name).is_file():
            raise FileError(target, expected="a campaign folder", got=f"no {name} in it", advice=advice)
    calculations = tuple(_read_calculation(target, name) for name in _table_names(target / TABLE))
    check_calculations(calculations)
    stale, foreign = other_folders(target, {calculation.name for calculation in calculations})
    return Campaign(
        folder=target,
        study_file=target / STUDY_FILE,
        calculations=calculations,
        stale=stale,
        foreign=foreign,
    )


def check_calculations(calculations: Sequence[Calculation]) -> None:
    """Refuse calculations that cannot stand beside one another in a folder.

    Raises
    ------
    InputError
        For names that are equal (also where capitals are not told apart), taken, or without a parent before them.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ase import Atoms
    >>> from nanoslab.calculation import Role, Settings
    >>> a = Calculation(name="a", role=Role(kind="atom"), atoms=Atoms("Se"), settings=Settings(source="test"))
    >>> check_calculations([a, replace(a, name="A")])
    Traceback (most recent call last):
    ...
    nanoslab.errors.InputError: calculation name: expected names that differ in more than capitals, got 'a' and 'A'
    """
    if not calculations:
        raise InputError("calculations", expected="at least one", got="none", advice="add a sheet to the study")
    seen: dict[str, str] = {}
    for calculation in calculations:
        name = calculation.name
        if name.lower() in seen:
            got = f"{seen[name.lower()]!r} and {name!r}"
            raise InputError("calculation name", expected="names that differ in more than capitals", got=got)
        if name.lower() in (*OWN_FOLDERS, STUDY_FILE, SCRIPT, TABLE):
            raise InputError("calculation name", expected="one that the campaign itself does not use", got=repr(name))
        if calculation.starts_from is not None and calculation.starts_from not in seen.values():
            raise InputError(
                f"{name}: starts_from",
                expected="the name of a calculation that stands before it",
                got=repr(calculation.starts_from),
                advice=f"there are {', '.join(seen.values()) or 'none before it'}",
            )
        seen[name.lower()] = name


def other_folders(folder: Path, names: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of sub-folders that are not of the study: those that once were calculations, and those that never were."""
    others = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and path.name not in names and path.name not in OWN_FOLDERS and not path.name.startswith(".")
    )
    stale = tuple(name for name in others if (folder / name / MANIFEST).is_file())
    return stale, tuple(name for name in others if name not in stale)


def _table_names(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise FileError(f"{path}:1", expected=f"the columns {', '.join(COLUMNS)}", got=repr("".join(lines[:1])))
    names = [line.split("\t")[0] for line in lines[1:]]
    for number, name in enumerate(names, start=2):
        # nothing in a file may name a path outside the campaign
        if not NAME.fullmatch(name):
            raise FileError(f"{path}:{number}", expected="the name of a calculation", got=repr(name))
    return names


def _read_calculation(folder: Path, name: str) -> Calculation:
    calculation = read_deck(folder / name)
    if calculation.name != name:
        raise FileError(
            folder / name / MANIFEST,
            expected=f"the calculation {name}",
            got=calculation.name,
            advice="the folder was renamed or copied; give it its own name back",
        )
    return calculation

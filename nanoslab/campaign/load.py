"""A campaign as it lies on disk: read back to its calculations, everything else in it named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nanoslab.calculation import Calculation
from nanoslab.campaign.format import read_calculation
from nanoslab.campaign.graph import check_calculations
from nanoslab.campaign.names import (
    ADVICE,
    CALCULATION_FILE,
    CAMPAIGN_FILE,
    OWN_FOLDERS,
    STUDY_FILE,
    TABLE,
    calculation_names,
)
from nanoslab.campaign.study_copy import require_unchanged_study
from nanoslab.errors import FileError, unknown_name


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
        """Folder of one calculation."""
        names = [calculation.name for calculation in self.calculations]
        if name not in names:
            raise unknown_name("calculation", name, names)
        return self.folder / name


def load_campaign(folder: str | os.PathLike[str]) -> Campaign:
    """Read a campaign back to its calculations, with structures, constraints and settings.

    Raises
    ------
    FileError
        If the folder is no campaign, a calculation of it is missing or broken, or its study was edited since.
    """
    target = Path(folder)
    names = calculation_names(target)
    for file in (STUDY_FILE, CAMPAIGN_FILE):
        # version 0.1 listed the calculations in its table
        if not (target / file).is_file() and (file == STUDY_FILE or not (target / TABLE).is_file()):
            raise FileError(target, expected="a campaign folder", got=f"no {file} in it", advice=ADVICE)
    require_unchanged_study(target)
    calculations = tuple(_calculation(target, name) for name in names)
    check_calculations(calculations)
    stale, foreign = other_folders(target, set(names))
    return Campaign(
        folder=target, study_file=target / STUDY_FILE, calculations=calculations, stale=stale, foreign=foreign
    )


def other_folders(folder: Path, names: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of sub-folders that are not of the study: those that once were calculations, and those that never were."""
    others = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and path.name not in names and path.name not in OWN_FOLDERS and not path.name.startswith(".")
    )
    stale = tuple(name for name in others if (folder / name / CALCULATION_FILE).is_file())
    return stale, tuple(name for name in others if name not in stale)


def _calculation(folder: Path, name: str) -> Calculation:
    calculation = read_calculation(folder / name)
    if calculation.name != name:
        path, advice = folder / name / CALCULATION_FILE, "the folder was renamed or copied; give it its own name back"
        raise FileError(path, expected=f"the calculation {name}", got=calculation.name, advice=advice)
    return calculation

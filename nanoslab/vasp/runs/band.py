"""A nudged elastic band read back: the energy of every image, and whether the chain has come to rest."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from nanoslab.errors import FileError
from nanoslab.vasp.runs.read_run import read_run
from nanoslab.vasp.runs.run_result import RunResult

#: folders of images, as VASP wants them
IMAGE = re.compile(r"\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class BandResult:
    """The images of a chain, ends included."""

    images: tuple[RunResult, ...]
    problems: tuple[str, ...]  #: what is wrong with the chain, in words

    @property
    def energies(self) -> tuple[float | None, ...]:
        """Energy of every image, extrapolated to zero smearing [eV]; None where it has none to be trusted."""
        return tuple(image.energy for image in self.images)

    @property
    def barrier(self) -> float | None:
        """Highest image above the start [eV]; None where an energy is missing or an end is highest."""
        known = [energy for energy in self.energies if energy is not None]
        if len(known) < len(self.images) or max(known) in (known[0], known[-1]):
            return None
        return max(known) - known[0]


def read_band(path: str | os.PathLike[str]) -> BandResult:
    """Read the images ``00`` to ``NN`` of a chain; the ends need the OUTCARs of their relaxations in their folders.

    Raises
    ------
    FileError
        The folder has no numbered images, or one of them is missing.
    """
    folder = Path(path)
    names = sorted(child.name for child in folder.iterdir() if IMAGE.fullmatch(child.name)) if folder.is_dir() else []
    if len(names) < 3 or names != [f"{number:02d}" for number in range(len(names))]:
        got = ", ".join(names) or "none"
        raise FileError(folder, expected="folders 00, 01, 02 and on, one for each image", got=got)
    images = tuple(_image(folder / name) for name in names)
    problems = []
    for name, image in zip(names, images, strict=True):
        if image.energy is None and name in (names[0], names[-1]):
            problems.append(f"{name}: no energy of this end; copy the OUTCAR of its relaxation here")
            continue
        if image.kind == "not run":
            problems.append(f"{name}: not run yet")
            continue
        problems += [f"{name}: {problem}" for problem in image.problems]
    levels = {image.functional for image in images}, {image.cutoff_energy for image in images}
    if any(len(values - {None}) > 1 for values in levels):
        problems.append("images of different functionals or cutoffs: their energies must not be subtracted")
    return BandResult(images=images, problems=tuple(problems))


def _image(folder: Path) -> RunResult:
    """Run of one image; one that has input files only is not run yet."""
    try:
        return read_run(folder)
    except FileError:
        if not (folder / "POSCAR").is_file():
            raise
        return RunResult(path=str(folder), name=folder.name, kind="not run", problems=("not run yet",))

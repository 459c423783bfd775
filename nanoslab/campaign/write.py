"""Writing a study as a campaign of VASP decks: all of it or nothing, and nothing of the user's lost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nanoslab.calculation import Calculation
from nanoslab.campaign.folder import STUDY_FILE, check_calculations, other_folders
from nanoslab.campaign.job_array import SCRIPT, TABLE, calculations_table, job_array_script
from nanoslab.errors import FileError
from nanoslab.files import write_atomically
from nanoslab.vasp.inputs.deck import WrittenDeck, apply_plan, functional_kind, open_library, plan_deck, species_of
from nanoslab.vasp.inputs.potcar import PotcarLibrary, find_potcars, release_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCampaign:
    """What writing a campaign did.

    Attributes
    ----------
    folder
        Of the campaign.
    decks
        One per calculation.
    notes
        What was left alone and why, in words.
    """

    folder: Path
    decks: tuple[WrittenDeck, ...]
    notes: tuple[str, ...] = ()


def write_campaign(
    study_file: str | os.PathLike[str],
    calculations: Sequence[Calculation],
    folder: str | os.PathLike[str],
    potcar_library: PotcarLibrary | Path | None = None,
) -> WrittenCampaign:
    """Write a study as a campaign of VASP decks; everything is checked before the first byte is written.

    Parameters
    ----------
    study_file
        Copied into the campaign as ``study.yaml``; an older, different copy is kept as ``study.yaml.1``, ``.2``...
    calculations
        Of the study.
    folder
        Of the campaign; made when absent.
    potcar_library
        The user's POTCARs; those of the environment when absent. All decks take theirs from one release.

    Raises
    ------
    InputError
        If the calculations do not fit together.
    FileError
        If the folder holds results of other decks or edited ones, or a POTCAR is missing.
    """
    target = Path(folder)
    check_calculations(calculations)
    study = _read(Path(study_file))
    table = calculations_table(calculations)
    libraries = _one_release(calculations, open_library(potcar_library))
    plans = [plan_deck(c, target / c.name, libraries[functional_kind(c)]) for c in calculations]
    target.mkdir(parents=True, exist_ok=True)
    decks = tuple(apply_plan(plan) for plan in plans)
    notes = [*_keep_old_study(target, study), *_write_script(target), *_leftovers(target, calculations)]
    for name, content in ((STUDY_FILE, study), (TABLE, table.encode())):
        path = target / name
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
    return WrittenCampaign(folder=target, decks=decks, notes=tuple(notes))


def _one_release(calculations: Sequence[Calculation], library: PotcarLibrary | None) -> dict[str, PotcarLibrary | None]:
    """Library per kind of functional, narrowed to one release that has every element of the campaign."""
    libraries: dict[str, PotcarLibrary | None] = {}
    for kind in {functional_kind(calculation) for calculation in calculations}:
        of_kind = [calculation for calculation in calculations if functional_kind(calculation) == kind]
        elements = tuple(dict.fromkeys(symbol for calculation in of_kind for symbol in species_of(calculation)))
        full = library is not None and library.roots
        libraries[kind] = release_of(find_potcars(elements, kind, library), library) if library and full else library
    return libraries


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        got = error.strerror or str(error)
        raise FileError(path, expected="a readable study file", got=got, advice="check the path") from error


def _keep_old_study(folder: Path, study: bytes) -> list[str]:
    path = folder / STUDY_FILE
    if not path.is_file() or path.read_bytes() == study:
        return []
    number = 1
    while (old := folder / f"{STUDY_FILE}.{number}").exists():
        number += 1
    write_atomically(old, path.read_bytes())
    return [f"the study file had changed: the former one is kept as {old.name}"]


def _write_script(folder: Path) -> list[str]:
    path, script = folder / SCRIPT, job_array_script()
    if not path.exists():
        write_atomically(path, script)
        path.chmod(path.stat().st_mode | 0o111)
        return []
    same = path.read_text(encoding="utf-8", errors="replace") == script
    return [] if same else [f"{SCRIPT} was edited (or is of another version): left as it is"]


def _leftovers(folder: Path, calculations: Sequence[Calculation]) -> list[str]:
    stale, foreign = other_folders(folder, {calculation.name for calculation in calculations})
    notes = [f"folders of calculations that the study no longer has: {', '.join(stale)}"] if stale else []
    return [*notes, *([f"folders that are no calculations: {', '.join(foreign)}"] if foreign else [])]

"""Writing a study as a campaign: all of it or nothing, and nothing of the user's lost.

A campaign is planned whole before its first byte is written, so that whoever adds input files of a code to it can
refuse as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from nanoslab import __version__
from nanoslab.calculation import Calculation
from nanoslab.campaign.format import calculation_document, document_text, read_calculation, read_document
from nanoslab.campaign.graph import check_calculations
from nanoslab.campaign.load import other_folders
from nanoslab.campaign.names import CALCULATION_FILE, CAMPAIGN_FILE, SCHEMA, STRUCTURES, STUDY_FILE, read_campaign_file
from nanoslab.campaign.study_copy import copied_structures, study_record
from nanoslab.errors import FileError
from nanoslab.files import sha256, write_where_changed

#: what a result depends on
_PHYSICS = ("settings", "structure", "starts_from", "removed_indices", "procedure", "parameters")
#: files of a calculation's folder that somebody else looks after, by the calculation's name
Keeper = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """A campaign that may be written: every byte of it, and every check done.

    Attributes
    ----------
    folder
        Of the campaign.
    files
        Path inside the folder -> content, in the order in which they are written.
    notes
        What is left alone and why, in words.
    """

    folder: Path
    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()


def write_campaign(
    study_file: str | os.PathLike[str],
    calculations: Sequence[Calculation],
    folder: str | os.PathLike[str],
    structure_files: Sequence[str] = (),
) -> CampaignPlan:
    """Write a study as a campaign; everything is checked before the first byte is written.

    Parameters
    ----------
    study_file
        Copied into the campaign as ``study.yaml``; an older, different copy is kept as ``study.yaml.1``, ``.2``...
    calculations
        Of the study.
    folder
        Of the campaign; made when absent.
    structure_files
        Paths of structure files as the study says them; copied into the campaign (see `structure_file`).

    Returns
    -------
    CampaignPlan
        What was written.

    Raises
    ------
    InputError
        If the calculations do not fit together.
    FileError
        If a folder holds results of another calculation, or files that nanoslab did not write.
    """
    plan = plan_campaign(study_file, calculations, folder, structure_files)
    apply_campaign(plan)
    return plan


def plan_campaign(
    study_file: str | os.PathLike[str],
    calculations: Sequence[Calculation],
    folder: str | os.PathLike[str],
    structure_files: Sequence[str] = (),
    *,
    kept_by_others: Keeper = lambda _name: (),
) -> CampaignPlan:
    """Decide every byte of a campaign and whether it may be written, without writing any.

    `kept_by_others` names files beside ``calculation.json`` that the caller renews himself when the calculation
    changes; the other arguments are those of `write_campaign`.
    """
    source, target = Path(study_file), Path(folder)
    check_calculations(calculations)
    study = study_record(source)
    records, copies = copied_structures(source, structure_files)
    before = read_campaign_file(target / CAMPAIGN_FILE)
    hashes = {record.get("name"): record.get("sha256") for record in before.get("calculations", ())}
    texts = {c.name: _text(c, target / c.name, hashes.get(c.name), kept_by_others) for c in calculations}
    listed = [{"name": name, "sha256": sha256(text)} for name, text in texts.items()]
    same = {key: before.get(key) for key in ("study", "calculations", "structures")}
    document = {"study": study, "calculations": listed, "structures": records}
    version = before.get("nanoslab") if same == document else __version__
    files = {f"{name}/{CALCULATION_FILE}": text for name, text in texts.items()}
    files |= {f"{STRUCTURES}/{name}": content for name, content in copies.items()}
    former, notes = _former_study(target, study["sha256"])
    files |= former
    files[STUDY_FILE] = source.read_bytes()
    files[CAMPAIGN_FILE] = document_text({"schema": SCHEMA, "nanoslab": version, **document}).encode()
    stale, foreign = other_folders(target, set(texts)) if target.is_dir() else ((), ())
    notes += [f"folders of calculations that the study no longer has: {', '.join(stale)}"] if stale else []
    notes += [f"folders that are no calculations: {', '.join(foreign)}"] if foreign else []
    return CampaignPlan(folder=target, files=files, notes=tuple(notes))


def apply_campaign(plan: CampaignPlan) -> None:
    """Write what a plan holds, ``campaign.json`` last; files that are already so keep their dates."""
    for name, content in plan.files.items():
        write_where_changed(plan.folder / name, content)


def _text(calculation: Calculation, folder: Path, recorded: str | None, kept_by_others: Keeper) -> bytes:
    """Text of ``calculation.json``: the one there where it says the same, else the new one if that may be written."""
    path, document = folder / CALCULATION_FILE, calculation_document(calculation)
    old = read_document(folder) if path.is_file() else None
    differing = _differing(document, old, folder)
    if old is not None and not differing and old["schema"] != SCHEMA:
        return path.read_bytes()  # of an older version, with all that it says beside
    if old is not None and not differing:
        document["versions"] = old.get("versions", {})
    text = document_text(document).encode()
    if old is None and recorded == sha256(text):
        return text  # the file was lost: it is the one that lay there
    if differing:
        _refuse_others(folder, {CALCULATION_FILE, *kept_by_others(calculation.name)}, differing if old else [])
    if recorded is not None and old is not None and sha256(path.read_bytes()) not in (recorded, sha256(text)):
        advice = "keep your copy under another name and write again, or write into a new folder"
        raise FileError(path, expected="the file as it was written", got="one that was changed since", advice=advice)
    return text


def _refuse_others(folder: Path, kept: set[str], differing: Sequence[str]) -> None:
    """Refuse a folder with results or files that belong to another calculation, or to nobody we know."""
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    others = [name for name in names if name not in kept and not name.startswith(".")]
    if others:
        what = f"no files of another calculation, for this one differs in {', '.join(differing)}"
        expected = what if differing else f"an empty folder, for there is no {CALCULATION_FILE} in it"
        advice = "write the campaign into a new folder, or move this one away"
        raise FileError(folder, expected=expected, got=", ".join(others[:4]), advice=advice)


def _differing(document: Mapping[str, Any], old: Mapping[str, Any] | None, folder: Path) -> list[str]:
    """What a result of the calculation in the folder depends on and the new one has otherwise."""
    if old is None:
        return [*_PHYSICS]
    if old["schema"] != SCHEMA:
        document, old = _as_in_version_1(document), _as_in_version_1(calculation_document(read_calculation(folder)))
    unset: dict[str, Any] = {"hubbard_u": {}}  # fields that older versions lack
    new, former = ({**unset, **both["settings"]} for both in (document, old))
    found = [name for name in sorted({**new, **former}.keys() - {"source"}) if new.get(name) != former.get(name)]
    return [*found, *(key for key in _PHYSICS[1:] if document.get(key) != old.get(key))]


def _as_in_version_1(document: Mapping[str, Any]) -> dict[str, Any]:
    """Document with as much of the structure as a POSCAR holds."""
    structure = dict(document["structure"])
    constraints = structure.pop("constraints")
    flags = sorted(
        (index, *constraint["kwargs"].get("mask", (True, True, True)))
        for constraint in constraints
        for index in constraint["kwargs"].get("indices", constraint["kwargs"].get("a", ()))
    )
    del structure["tags"], structure["pbc"]
    return {**document, "structure": {**structure, "fixed": flags}}


def _former_study(folder: Path, digest: str) -> tuple[dict[str, bytes], list[str]]:
    """The study file that is about to be replaced, under a free name."""
    path = folder / STUDY_FILE
    if not path.is_file() or sha256(path.read_bytes()) == digest:
        return {}, []
    name = next(name for n in count(1) if not (folder / (name := f"{STUDY_FILE}.{n}")).exists())
    return {name: path.read_bytes()}, [f"the study file had changed: the former one is kept as {name}"]

"""What a campaign keeps of its study: the file, its fields as they were written, copies of structures it names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from nanoslab.campaign.names import CAMPAIGN_FILE, STRUCTURES, STUDY_FILE, read_campaign_file
from nanoslab.errors import FileError
from nanoslab.files import is_folder_name, sha256
from nanoslab.yaml_file import plain, read_yaml

#: fields named in a message before it only says how many more there are
_MOST_FIELDS = 4


def require_unchanged_study(campaign: Path) -> None:
    """Refuse a campaign whose ``study.yaml`` asks for other calculations than were written.

    Comments, fields that only the analysis uses, and defaults written out may change.
    """
    written, path = read_campaign_file(campaign / CAMPAIGN_FILE).get("study", {}), campaign / STUDY_FILE
    if not written or written.get("sha256") == sha256(_bytes(path)):
        return
    before, now = written.get("fields"), study_fields(path)
    if before != now:  # what the fields mean is known upstairs, and asked only where a person has edited them
        meaning = import_module("nanoslab.studies.study_file").computed_fields
        meant = meaning(before), meaning(now)
        before, now = meant if None not in meant else (before, now)
    changed = list(_differences(before, now))
    if not changed:
        return
    more = f" and {len(changed) - _MOST_FIELDS} more" if len(changed) > _MOST_FIELDS else ""
    raise FileError(
        path,
        expected="the study that this campaign was written from",
        got=f"other values of {', '.join(changed[:_MOST_FIELDS])}{more}",
        advice=f"write it again with 'nanoslab write {path} {campaign}' (refused where results would no longer belong "
        "to their calculations), or write it into another folder and put the former values back here",
    )


def study_record(path: Path) -> dict[str, Any]:
    """What ``campaign.json`` holds of a study file: its kind, its hash and its fields."""
    digest, fields = sha256(_bytes(path)), study_fields(path)
    return {"kind": fields.get("study"), "sha256": digest, "fields": fields}


def study_fields(path: Path) -> dict[str, Any]:
    """Fields of a study file as plain JSON values: dates and numbers without end become their text."""
    fields: dict[str, Any] = json.loads(json.dumps(plain(read_yaml(path)), default=str), parse_constant=str)
    return fields


def structure_file(study_file: str | os.PathLike[str], named: str) -> Path:
    """File of a structure that a study names: the campaign's own copy, or where it lies beside the study.

    Parameters
    ----------
    study_file
        The study, or its copy in a campaign.
    named
        Path as the study says it; relative ones start at the folder of the study.

    Raises
    ------
    FileError
        If there is no such file, or the copy is no longer the file that was copied.
    """
    folder = Path(study_file).parent
    for record in read_campaign_file(folder / CAMPAIGN_FILE).get("structures", ()):
        if record.get("named") == named:
            copy = folder / STRUCTURES / Path(str(record.get("file"))).name
            if copy.is_file() and sha256(copy.read_bytes()) == record.get("sha256"):
                return copy
            got = "another one" if copy.is_file() else "no such file"
            raise FileError(copy, expected=f"the structure copied from {named}", got=got, advice="copy it back")
    path = folder / Path(named).expanduser()
    if not path.is_file():
        advice = "paths start at the folder of the study file"
        raise FileError(path, expected="a structure file", got="no such file", advice=advice)
    return path


def copied_structures(study_file: Path, named: Sequence[str]) -> tuple[list[dict[str, str]], dict[str, bytes]]:
    """Records for ``campaign.json`` of the structure files a study names, and the copies by their file names."""
    records, copies = [], {}
    for name in dict.fromkeys(named):
        source = structure_file(study_file, name)
        content = source.read_bytes()
        digest = sha256(content)
        if source.stem.endswith(f"-{digest[:8]}") and is_folder_name(source.name):
            file = source.name  # a copy already
        else:  # readable, told apart by its content, and with the suffix that says its format
            stem, suffix = (re.sub(r"[^A-Za-z0-9_-]+", "_", part)[:40] for part in (source.stem, source.suffix[1:]))
            file = f"{stem}-{digest[:8]}" + (f".{suffix}" if suffix else "")
        records.append({"named": name, "file": file, "sha256": digest})
        copies[file] = content
    return records, copies


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        got = error.strerror or str(error)
        raise FileError(path, expected="a readable study file", got=got, advice="check the path") from error


def _differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Paths of the fields that differ, such as ``sheets[0].lattice``."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            if key not in before or key not in after:
                yield f"{where}{key}"
            else:
                yield from _differences(before[key], after[key], f"{where}{key}.")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{where.rstrip('.')}[{i}].")
    elif before != after:
        yield where.rstrip(".")

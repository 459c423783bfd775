"""Names of what lies in a campaign's folder, each said once; nothing heavy is loaded for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nanoslab.errors import FileError, InputError
from nanoslab.files import is_folder_name

#: of campaign.json and of every calculation.json
SCHEMA = 2
STUDY_FILE = "study.yaml"
CAMPAIGN_FILE = "campaign.json"
CALCULATION_FILE = "calculation.json"
#: copies of the structure files that the study names
STRUCTURES = "structures"
#: the job array's script and the table it works through; of older campaigns also the list of calculations
SCRIPT, TABLE = "submit.sh", "calculations.tsv"
#: what the driver keeps for itself
DRIVER_FOLDER = "_cluster"
#: folders of a campaign that are no calculations
OWN_FOLDERS = ("results", "slurm", DRIVER_FOLDER, STRUCTURES)
#: no calculation can have one of these names
RESERVED = frozenset({*OWN_FOLDERS, STUDY_FILE, CAMPAIGN_FILE, SCRIPT, TABLE, "report.html"})

ADVICE = "give a folder written by 'nanoslab write' or 'nanoslab run'"


def calculation_names(campaign: Path) -> tuple[str, ...]:
    """Names of a campaign's calculations, in the order of its study."""
    if not campaign.is_dir():
        raise FileError(campaign, expected="a campaign folder", got="no such folder", advice=ADVICE)
    if (path := campaign / CAMPAIGN_FILE).is_file():
        return tuple(_checked(record.get("name"), path) for record in read_campaign_file(path)["calculations"])
    if (campaign / TABLE).is_file():
        return _names_of_table(campaign / TABLE)
    # a copy of some folders alone, to look at
    names = tuple(sorted(path.parent.name for path in campaign.glob(f"*/{CALCULATION_FILE}")))
    if not names:
        raise FileError(campaign, expected="a campaign folder", got=f"no {CAMPAIGN_FILE} in it", advice=ADVICE)
    return names


def matching(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    """Names that match one of the shell patterns."""
    found: set[str] = set()
    for pattern in patterns:
        hits = {name for name in names if fnmatchcase(name, pattern)}
        if not hits:
            some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            raise InputError("--only", expected=f"a pattern that matches one of {some}", got=repr(pattern))
        found |= hits
    return found


def read_campaign_file(path: Path) -> dict[str, Any]:
    """Document of ``campaign.json``; empty where there is none, as in campaigns of older versions."""
    advice = "move it away and write the campaign again: results stay"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(path, expected="readable JSON", got=str(error), advice=advice) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise FileError(path, expected=f"a campaign of schema {SCHEMA}", got="another document", advice=advice)
    lists = (document.get("calculations"), document.get("structures"))
    records = all(isinstance(one, list) and all(isinstance(record, dict) for record in one) for one in lists)
    if not isinstance(document.get("study"), dict) or not records:
        raise FileError(path, expected="study, calculations and structures", got="others", advice=advice)
    return document


def _names_of_table(path: Path) -> tuple[str, ...]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].split("\t")[0] != "name":
        raise FileError(f"{path}:1", expected="the column name", got=repr("".join(lines[:1])))
    rows = enumerate(lines[1:], start=2)
    return tuple(_checked(line.split("\t")[0], f"{path}:{number}") for number, line in rows)


def _checked(name: object, where: object) -> str:
    # nothing in a file may name a path outside the campaign
    if not isinstance(name, str) or not is_folder_name(name):
        raise FileError(where, expected="the name of a calculation", got=repr(name))
    return name

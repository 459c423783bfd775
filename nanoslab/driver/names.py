"""Names: of a campaign's calculations, of its jobs in the queue. Nothing heavy is loaded for them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from nanoslab.errors import FileError, InputError

#: what the driver keeps for itself; no calculation can have this name
DRIVER_FOLDER = "_cluster"

#: last part of the name of arrays that submit.sh queues by hand
HAND_ARRAY = "array"

#: the campaign's table and each deck's manifest; the same as where they are written, which loads ase
TABLE = "calculations.tsv"
MANIFEST = "calculation.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def calculation_names(campaign: Path) -> tuple[str, ...]:
    """Names of a campaign's calculations: those of its table, or of its decks where the table was not copied along.

    Raises
    ------
    FileError
        There is no campaign.
    """
    table = campaign / TABLE
    if table.is_file():
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
        names = tuple(line.split("\t")[0] for line in lines if line.strip())
    else:
        names = tuple(sorted(path.parent.name for path in campaign.glob(f"*/{MANIFEST}")))
    if not names or any(not NAME.fullmatch(name) for name in names):
        got = "a folder without decks" if campaign.is_dir() else "no such folder"
        raise FileError(campaign, expected="a campaign's folder", got=got, advice="write one with 'nanoslab write'")
    return names


def matching(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    """Names that match one of the shell patterns.

    Raises
    ------
    InputError
        A pattern matches nothing.

    Examples
    --------
    >>> sorted(matching(["a1", "a2", "b"], ["a*"]))
    ['a1', 'a2']
    """
    found: set[str] = set()
    for pattern in patterns:
        hits = {name for name in names if fnmatchcase(name, pattern)}
        if not hits:
            some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            raise InputError("--only", expected=f"a pattern that matches one of {some}", got=repr(pattern))
        found |= hits
    return found


def engine_from_here(name_and_options: str) -> str:
    """Engine as given, the path of a Python file made absolute: workers and nodes start in other folders.

    Examples
    --------
    >>> engine_from_here("xtb:method=GFN1-xTB")
    'xtb:method=GFN1-xTB'
    >>> Path(engine_from_here("./mine.py:calculator").partition(":")[0]).is_absolute()
    True
    """
    name, colon, rest = name_and_options.partition(":")
    return f"{Path(name).absolute()}{colon}{rest}" if name.endswith(".py") else name_and_options


def campaign_label(campaign: Path) -> str:
    """Short word that marks this campaign's jobs in the queue.

    Examples
    --------
    >>> campaign_label(Path("one")) == campaign_label(Path("two"))
    False
    """
    return f"ns{hashlib.sha256(str(campaign.resolve()).encode()).hexdigest()[:8]}"

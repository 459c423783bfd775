"""Names of a campaign's jobs in the queue. Nothing heavy is loaded for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nanoslab.campaign.names import DRIVER_FOLDER, calculation_names, matching

__all__ = ["DRIVER_FOLDER", "calculation_names", "campaign_label", "matching"]


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

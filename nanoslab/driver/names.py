"""Names of a campaign's jobs in the queue. Nothing heavy is loaded for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nanoslab.campaign.names import DRIVER_FOLDER, calculation_names, matching

__all__ = ["DRIVER_FOLDER", "calculation_names", "campaign_label", "matching"]


def campaign_label(campaign: Path) -> str:
    """Short word that marks this campaign's jobs in the queue.

    Examples
    --------
    >>> campaign_label(Path("one")) == campaign_label(Path("two"))
    False
    """
    return f"ns{hashlib.sha256(str(campaign.resolve()).encode()).hexdigest()[:8]}"

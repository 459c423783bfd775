"""A campaign: a folder with the study file, one sub-folder per calculation, and nothing hidden.

The folder is the state. It is written whole or not at all and reads back to the same calculations; it knows neither
VASP nor the engines that put their files into it.
"""

from __future__ import annotations

from typing import Any

#: public name -> file that holds it; a file is loaded when one of its names is asked for
_HOME = {
    "Campaign": "campaign.load",
    "CampaignPlan": "campaign.write",
    "check_calculations": "campaign.graph",
    "load_campaign": "campaign.load",
    "read_calculation": "campaign.format",
    "structure_file": "campaign.study_copy",
    "write_campaign": "campaign.write",
    # where they were until version 0.2
    "available_sources": "driver.results",
    "collect": "driver.results",
    "read_runs": "driver.results",
}

__all__ = [
    "Campaign",
    "CampaignPlan",
    "check_calculations",
    "load_campaign",
    "read_calculation",
    "structure_file",
    "write_campaign",
]


def __getattr__(name: str) -> Any:
    """Load the file behind a public name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"nanoslab.{_HOME[name]}"), name)

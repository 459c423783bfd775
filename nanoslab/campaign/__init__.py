"""A campaign: a folder with the study file, one sub-folder per calculation, and nothing hidden.

The folder is the state. It is written whole or not at all, read back to the same calculations, and asked for the
results of VASP or of an embedded engine.
"""

from nanoslab.campaign.collect import available_sources, collect, read_runs
from nanoslab.campaign.folder import Campaign, check_calculations, load_campaign
from nanoslab.campaign.write import WrittenCampaign, write_campaign

__all__ = [
    "Campaign",
    "WrittenCampaign",
    "available_sources",
    "check_calculations",
    "collect",
    "load_campaign",
    "read_runs",
    "write_campaign",
]

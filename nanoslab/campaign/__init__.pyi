from .format import read_calculation
from .graph import check_calculations
from .load import Campaign, load_campaign
from .study_copy import structure_file
from .write import CampaignPlan, write_campaign

__all__ = [
    "Campaign",
    "CampaignPlan",
    "check_calculations",
    "load_campaign",
    "read_calculation",
    "structure_file",
    "write_campaign",
]

"""Stop a campaign's jobs. Their output is kept, and 'nanoslab submit' continues from it.

Example: nanoslab cancel my-campaign --only 'wz-*'
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nanoslab.cli.campaign.options import add_only_option
from nanoslab.cli.output import add_json_option, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("campaign", type=Path, metavar="CAMPAIGN", help="campaign folder, on the cluster")
    add_only_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.driver.control import cancel_campaign

    names = cancel_campaign(arguments.campaign, arguments.only)
    if arguments.json:
        print_json({"campaign": str(arguments.campaign), "cancelled": names})
    elif names:
        print(f"cancelled {len(names)}: {', '.join(names)}")
    else:
        print("nothing of this campaign waits or runs")

"""Compute calculations here: ASE calculators behind one small interface, and the loop that runs them."""

from nanoslab.engines.campaign_run import Outcome, run_calculations, select
from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.limits import Limits
from nanoslab.engines.registry import engine, engine_names, engine_of_file
from nanoslab.engines.result_files import read_record, read_result
from nanoslab.engines.run import run_calculation
from nanoslab.engines.suitability import Skipped, check
from nanoslab.engines.workers import Step

__all__ = [
    "Capabilities",
    "Engine",
    "Limits",
    "Outcome",
    "Skipped",
    "Step",
    "check",
    "engine",
    "engine_names",
    "engine_of_file",
    "read_record",
    "read_result",
    "run_calculation",
    "run_calculations",
    "select",
]

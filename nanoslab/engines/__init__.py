"""Compute one calculation: ASE calculators behind one small interface, and a run that resumes."""

from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.journal import Limits
from nanoslab.engines.registry import engine, engine_names, engine_of_file
from nanoslab.engines.result_files import read_record, read_result
from nanoslab.engines.run import run_calculation
from nanoslab.engines.suitability import Skipped, check

__all__ = [
    "Capabilities",
    "Engine",
    "Limits",
    "Skipped",
    "check",
    "engine",
    "engine_names",
    "engine_of_file",
    "read_record",
    "read_result",
    "run_calculation",
]

from .inputs.deck import write_deck
from .poscar import read_poscar, write_poscar
from .runs.calculation_result import calculation_result
from .runs.find_runs import find_runs
from .runs.read_run import read_run, read_runs, read_trajectory
from .runs.run_result import RunResult

__all__ = [
    "RunResult",
    "calculation_result",
    "find_runs",
    "read_poscar",
    "read_run",
    "read_runs",
    "read_trajectory",
    "write_deck",
    "write_poscar",
]

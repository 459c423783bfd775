"""A run of VASP under custodian: which failures it may repair here, and how it is asked to stop.

The rule: a repair may change how the answer is found, never which answer. A study subtracts energies of many
runs, so whatever would alter smearing, k-points, cutoff, precision, projection or the cell is left out, and
the run fails with its reason instead:

- left out as whole handlers: MeshSymmetry, Aliasing, Drift, LargeSigma, IncorrectSmearing, KspacingMetal,
  ScanMetal (they change mesh, grid, PREC/ENAUG or smearing); PositiveEnergy (the energy of an isolated atom may
  well be positive); Walltime (needs an OUTCAR pymatgen can read while VASP writes it; `StopInTime` only a clock);
- left out of VaspErrorHandler: the errors in `CHANGES_THE_ANSWER`, each with what its repair would change.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from custodian.custodian import Custodian, CustodianError, ErrorHandler
from custodian.vasp.handlers import (
    FrozenJobErrorHandler,
    NonConvergingErrorHandler,
    PotimErrorHandler,
    StdErrHandler,
    UnconvergedErrorHandler,
    VaspErrorHandler,
)
from custodian.vasp.io import load_vasprun
from custodian.vasp.jobs import VaspJob

from nanoslab.driver.backend import JobOrder
from nanoslab.driver.judge import VaspEnd
from nanoslab.driver.vasp_job import end_process_group, polling, stops, write_stopcar

#: most repairs of one start
MOST_REPAIRS = 8

#: error of VaspErrorHandler -> what its repair would change
CHANGES_THE_ANSWER = {
    "tet": "smearing",
    "dentet": "k-points or smearing",
    "algo_tet": "smearing",
    "brmix": "k-points",
    "tetirr": "k-points",
    "incorrect_shift": "k-points",
    "inv_rot_mat": "k-points",
    "rot_matrix": "k-points",
    "subspacematrix": "LREAL or PREC, on a warning VASP often survives",
    "rspher": "LREAL",
    "real_optlay": "LREAL",
    "nicht_konv": "LREAL",
    "triple_product": "order of the lattice vectors, and a slab's vacuum with it",
    "elf_ncl": "nothing: it is only a warning",
    "auto_nbands": "nothing: it is only a warning",
    "amin": "nothing needed: VASP warns on every long cell",
}


def run_repaired(order: JobOrder, stop_at: float | None) -> VaspEnd:
    """Run VASP until it ends by itself, cannot be repaired, or is stopped in time."""
    stop = StopInTime(*stops(order, stop_at))
    job = VaspJob(list(order.vasp_command), backup=False, auto_gamma=False, final=True)
    custodian = Custodian(
        handlers(stop, order.frozen_after),
        [job],
        max_errors=MOST_REPAIRS,
        polling_time_step=polling(order),
        monitor_freq=6,
        skip_over_errors=True,  # a handler that stumbles over a cut file must not take the run with it
        terminate_on_nonzero_returncode=False,
        directory=str(order.run_folder),
    )
    unrepaired = ""
    try:
        custodian.run()
    except CustodianError as error:
        unrepaired = str(getattr(error, "message", error))
    finally:
        process = getattr(job, "_vasp_process", None)
        if process is not None:
            end_process_group(process)
    code = process.returncode if process is not None and process.returncode is not None else 0
    corrections = custodian.run_log[-1]["corrections"] if custodian.run_log else []
    errors = ", ".join(dict.fromkeys(error for correction in corrections for error in correction["errors"]))
    return VaspEnd(
        exit_code=code,
        stopped=stop.asked,
        repairs=tuple(_words(corrections)),
        unrepaired="" if stop.asked or not unrepaired else f"custodian could not repair {errors or unrepaired}",
    )


def _words(corrections: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Repairs in words, such as ``zbrent: INCAR set {'IBRION': 1}``."""
    for correction in corrections:
        changes = [
            f"{action.get('dict') or action.get('file')} {verb.strip('_')} {value}"
            for action in correction.get("actions") or ()
            for verb, value in action["action"].items()
        ]
        if changes:
            yield f"{', '.join(correction['errors'])}: {'; '.join(changes)}"


class StopInTime(ErrorHandler):  # type: ignore[misc]
    """Ask VASP to end after this ionic step when the time is nearly over, and at once when it is all but over."""

    is_monitor = True
    is_terminating = False
    raises_runtime_error = False

    def __init__(self, soft: float, hard: float) -> None:
        self.soft, self.hard = soft, hard
        self.asked = False

    def check(self, directory: str = "./") -> bool:  # noqa: ARG002 - custodian's signature
        """Whether the time is nearly over."""
        return time.time() > self.soft

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Write STOPCAR; there is nothing to repair."""
        write_stopcar(Path(directory), abort=time.time() > self.hard)
        self.asked = True
        return {"errors": ["asked to stop before the wall time ends"], "actions": None}


class KeepingErrorHandler(VaspErrorHandler):  # type: ignore[misc]
    """VaspErrorHandler that loses nothing, and does not stumble over files that were never written.

    Some of its repairs delete CHGCAR and WAVECAR: what is there keeps a numbered name. Where LCHARG or LWAVE is
    false they are not there, and the repair as a whole would fail on that; so an empty one stands in for it.
    """

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Repair, with something to delete."""
        files = [Path(directory) / name for name in ("CHGCAR", "WAVECAR")]
        missing = [path for path in files if not path.exists()]
        for path in files:
            keep_under_number(path)
        for path in missing:
            path.touch()
        try:
            return dict(super().correct(directory))
        finally:
            for path in missing:
                path.unlink(missing_ok=True)


class ElectronsUnconverged(UnconvergedErrorHandler):  # type: ignore[misc]
    """Repair an electronic loop that ran out of steps; a relaxation that did goes on by a new start instead."""

    def __init__(self, stop: StopInTime) -> None:
        super().__init__()
        self.stop = stop

    def check(self, directory: str = "./") -> bool:
        """Whether the last electronic loop ended without convergence, and nobody asked it to."""
        if self.stop.asked:
            return False
        try:
            return not load_vasprun(str(Path(directory) / "vasprun.xml")).converged_electronic
        except Exception:  # noqa: BLE001 - pymatgen fails on a cut file in many ways; our own reader judges it
            return False


def handlers(stop: StopInTime, frozen_after: float) -> list[ErrorHandler]:
    """Give the handlers of a slab's run, in the order they are asked."""
    repaired = [name for name in VaspErrorHandler.error_msgs if name not in CHANGES_THE_ANSWER]
    return [
        stop,
        KeepingErrorHandler(errors_subset_to_catch=repaired),
        StdErrHandler(),
        PotimErrorHandler(),
        NonConvergingErrorHandler(),
        FrozenJobErrorHandler(timeout=frozen_after),
        ElectronsUnconverged(stop),
    ]


def keep_under_number(path: Path) -> None:
    """Give a file a second, numbered name, at no cost on the disk; a missing file is none to keep."""
    if path.exists():
        numbered = (path.with_name(f"{path.name}.before_repair_{number}") for number in count(1))
        os.link(path, next(name for name in numbered if not name.exists()))

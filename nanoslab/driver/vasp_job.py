"""One run of VASP in its folder: stopped in time, its end told in plain words."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class VaspEnd:
    """How a run of VASP ended.

    Attributes
    ----------
    exit_code
        Of the command; negative for a signal.
    stopped
        Whether it was asked to stop because the time was nearly over.
    repairs
        What custodian changed, in words.
    unrepaired
        What it could not repair; empty when nothing was left.
    """

    exit_code: int
    stopped: bool = False
    repairs: tuple[str, ...] = ()
    unrepaired: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaspOptions:
    """How to run VASP.

    Attributes
    ----------
    command
        Words of the command with its launcher.
    stop_at
        When to ask for a stop [seconds since 1970], or None.
    stop_before_end
        How long before the end that is [s].
    frozen_after
        Silence after which it is taken for hung [s].
    """

    command: tuple[str, ...]
    stop_at: float | None = None
    stop_before_end: float = 600.0
    frozen_after: float = 21600.0

    @property
    def polling(self) -> float:
        """How often VASP is looked at [s]."""
        return min(10.0, max(0.1, self.stop_before_end / 20))

    def stops(self) -> tuple[float, float]:
        """When to ask for a stop after the ionic step, and when for one at once [seconds since 1970]."""
        if self.stop_at is None:
            return float("inf"), float("inf")
        return self.stop_at, self.stop_at + 0.6 * self.stop_before_end


def run_vasp(folder: Path, options: VaspOptions) -> VaspEnd:
    """Run VASP as it is until it ends by itself or is stopped in time; a silent one is ended."""
    soft, hard = options.stops()
    asked = 0
    with (folder / "vasp.out").open("w") as out, (folder / "std_err.txt").open("w") as err:
        process = subprocess.Popen(options.command, cwd=folder, stdout=out, stderr=err, start_new_session=True)
        try:
            while process.poll() is None:
                due = (time.time() > soft) + (time.time() > hard)
                if due > asked:
                    write_stopcar(folder, abort=due == 2)
                    asked = due
                if _silent_for(folder / "vasp.out") > options.frozen_after:
                    end_process_group(process)
                    return VaspEnd(exit_code=-9, unrepaired=f"hung: no output for {options.frozen_after:.0f} s")
                time.sleep(min(options.polling, 1.0))
        finally:
            end_process_group(process)
    return VaspEnd(exit_code=process.returncode, stopped=asked > 0)


def write_stopcar(folder: Path, *, abort: bool = False) -> None:
    """Ask a running VASP to end: after this ionic step, or at once."""
    (folder / "STOPCAR").write_text("LABORT = .TRUE.\n" if abort else "LSTOP = .TRUE.\n")


def end_process_group(process: subprocess.Popen[Any]) -> None:
    """End a command and whatever it started, if it still runs."""
    if process.poll() is not None:
        return
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        break


def _silent_for(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0

"""One run of VASP in its folder: under custodian or plain, stopped in time, its end told in plain words."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanoslab.errors import EngineError

#: most repairs of one start
MOST_REPAIRS = 8


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
    custodian
        Whether known failures are repaired.
    stop_at
        When to ask for a stop [seconds since 1970], or None.
    stop_before_end
        How long before the end that is [s].
    frozen_after
        Silence after which it is taken for hung [s].
    """

    command: tuple[str, ...]
    custodian: bool = True
    stop_at: float | None = None
    stop_before_end: float = 600.0
    frozen_after: float = 21600.0

    @property
    def polling(self) -> float:
        """How often VASP is looked at [s]."""
        return min(10.0, max(0.1, self.stop_before_end / 20))


def run_vasp(folder: Path, options: VaspOptions) -> VaspEnd:
    """Run VASP until it ends by itself, cannot be repaired, or is stopped in time.

    Raises
    ------
    EngineError
        The command, or custodian when it is asked for, is not there.
    """
    try:
        return _with_custodian(folder, options) if options.custodian else _plain(folder, options)
    except (FileNotFoundError, PermissionError) as error:
        if error.filename not in (options.command[0], str(folder / options.command[0])):
            raise
        raise EngineError(
            "cluster file, vasp",
            expected=f"the command {options.command[0]!r} on the node {os.uname().nodename}",
            got=error.strerror,
            advice="load its module in 'modules:' or give its full path",
        ) from None


def _plain(folder: Path, options: VaspOptions) -> VaspEnd:
    soft, hard = _stops(options)
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


def _stops(options: VaspOptions) -> tuple[float, float]:
    """When to ask for a stop after the ionic step, and when for one at once [seconds since 1970]."""
    if options.stop_at is None:
        return float("inf"), float("inf")
    return options.stop_at, options.stop_at + 0.6 * options.stop_before_end


def write_stopcar(folder: Path, *, abort: bool = False) -> None:
    """Ask a running VASP to end: after this ionic step, or at once."""
    (folder / "STOPCAR").write_text("LABORT = .TRUE.\n" if abort else "LSTOP = .TRUE.\n")


def _with_custodian(folder: Path, options: VaspOptions) -> VaspEnd:
    try:
        from custodian.custodian import Custodian, CustodianError
        from custodian.vasp.jobs import VaspJob

        from nanoslab.driver.repair import StopInTime, handlers
    except ModuleNotFoundError as error:
        raise EngineError(
            "custodian",
            expected="the package",
            got=error,
            advice="pip install 'nanoslab[cluster]' or 'custodian: false'",
        ) from None
    stop = StopInTime(*_stops(options))
    job = VaspJob(list(options.command), backup=False, auto_gamma=False, final=True)
    custodian = Custodian(
        handlers(stop, options.frozen_after),
        [job],
        max_errors=MOST_REPAIRS,
        polling_time_step=options.polling,
        monitor_freq=6,
        skip_over_errors=True,  # a handler that stumbles over a cut file must not take the run with it
        terminate_on_nonzero_returncode=False,
        directory=str(folder),
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
    return VaspEnd(
        exit_code=code,
        stopped=stop.asked,
        repairs=tuple(_words(corrections)),
        unrepaired="" if stop.asked else _unrepaired(unrepaired, corrections),
    )


def _words(corrections: Iterable[dict[str, Any]]) -> Iterable[str]:
    for correction in corrections:
        if not correction.get("actions"):
            continue
        changes = []
        for action in correction["actions"]:
            what = action.get("dict") or action.get("file")
            for verb, value in action["action"].items():
                changes.append(f"{what} {verb.strip('_')} {value}")
        yield f"{', '.join(correction['errors'])}: {'; '.join(changes)}"


def _unrepaired(message: str, corrections: list[dict[str, Any]]) -> str:
    if not message:
        return ""
    errors = dict.fromkeys(error for correction in corrections for error in correction["errors"])
    return f"custodian could not repair {', '.join(errors) or message}"


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

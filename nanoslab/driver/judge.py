"""What an ended run means for the campaign: done, to be gone on with, failed, or somebody's turn.

Whether a run is good is said by its reader alone: `nanoslab.vasp.read_run`, or the engine's ``result.json``.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.campaign.state import State
from nanoslab.errors import NanoslabError

if TYPE_CHECKING:
    from nanoslab.vasp import RunResult

OUTPUTS = ("OUTCAR", "vasprun.xml", "OUTCAR.gz", "vasprun.xml.gz")

#: one line of the plain script: VASP's exit code, and ``stopped`` where it was asked to stop in time
EXIT_FILE = "vasp.exit"

#: outputs younger than this are taken for those of a run that goes on [s]
FRESH = 900.0

#: how a start can end -> the state its calculation is in then
STATE_AFTER = {
    "done": "done",
    "stopped": "waiting",  # in time, before the wall time ended: goes on, counts as no failure
    "again": "waiting",  # died or ran out of steps: worth another start
    "failed": "failed",
    "needs-you": "needs-you",
    "held": "running",  # somebody else runs it: this start never was one
}

#: INCAR tags that decide which answer comes out, not how it is found
LEVEL_TAGS = frozenset((
    "ENCUT", "PREC", "ISMEAR", "SIGMA", "LREAL", "GGA", "METAGGA", "ISPIN", "LDAU", "IVDW", "LASPH", "ENAUG",
    "NGX", "NGY", "NGZ", "NGXF", "NGYF", "NGZF", "KSPACING", "KGAMMA", "LDIPOL", "IDIPOL", "LHFCALC",
    "LSORBIT", "LNONCOLLINEAR", "NELECT",
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class VaspEnd:
    """How a run of VASP ended."""

    exit_code: int  # of the command; negative for a signal
    stopped: bool = False  # it was asked to stop because the time was nearly over
    repairs: tuple[str, ...] = ()  # what custodian changed, in words
    unrepaired: str = ""  # what it could not repair


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a start ended."""

    outcome: str  # one of the keys of STATE_AFTER
    reason: str = ""
    steps: int = 0  # ionic steps of this start that were finished

    @property
    def state(self) -> str:
        """State of the calculation after it."""
        return STATE_AFTER[self.outcome]


_COMPLAINT = re.compile(r"error|fatal|bad news|not hermitian|killed|not found|no such|denied|signal|segmentation", re.I)


def judge_vasp(folder: Path, end: VaspEnd) -> Outcome:
    """Judge a run from its files; the exit code alone neither saves nor condemns it."""
    from nanoslab.vasp import read_run

    if changed := level_changes(folder):
        return Outcome(outcome="needs-you", reason=f"a repair changed {changed}: not comparable with the other runs")
    try:
        run = read_run(folder)
    except NanoslabError as error:
        return Outcome(outcome=_broken(folder, end), reason=f"{_how(folder, end)}; {error}")
    outcome, reason = _of_run(folder, end, run)
    return Outcome(outcome=outcome, reason=reason, steps=run.n_ionic_steps)


def _of_run(folder: Path, end: VaspEnd, run: RunResult) -> tuple[str, str]:
    """Outcome and reason of a run that could be read."""
    notes = [f"repaired: {repair}" for repair in end.repairs]
    if run.converged:
        notes += [f"complete, although VASP's exit code was {end.exit_code}"] if end.exit_code else []
        return "done", "; ".join(notes)
    problems = "; ".join([*run.problems, *notes])
    if end.stopped:
        return "stopped", f"stopped before its wall time ended, after {run.n_ionic_steps} ionic steps"
    if end.unrepaired:
        return "failed", f"{end.unrepaired}; {problems}"
    if not run.complete:
        return _broken(folder, end), f"{_how(folder, end)}; {problems}"
    only_ions = run.electronic_converged is not False and run.ionic_converged is False
    return "again" if only_ions else "failed", problems


def judge_engine(folder: Path) -> Outcome:
    """Judge a calculation of an embedded engine from its result (or its failure)."""
    from nanoslab.engines.result_files import read_record

    record = read_record(folder)
    problems = "; ".join(record.get("problems", ()))
    if record.get("skipped"):
        return Outcome(outcome="done", reason=f"skipped: {problems}")
    if record.get("finished", "energy_eV" in record) and record.get("converged"):
        return Outcome(outcome="done", reason=problems)
    return Outcome(outcome="failed", reason=problems or "not converged")


def judge_left_behind(folder: Path, *, vasp: bool) -> Outcome | None:
    """Judge what a start left that never said how it ended; None when it has to be started again."""
    if not vasp:
        return judge_engine(folder) if (folder / "result.json").is_file() else None
    words = (folder / EXIT_FILE).read_text().split() if (folder / EXIT_FILE).is_file() else []
    if words and words[0].isdecimal():  # the plain script saw VASP end
        return judge_vasp(folder, VaspEnd(exit_code=int(words[0]), stopped="stopped" in words))
    if not any((folder / name).exists() for name in OUTPUTS):
        return None
    outcome = judge_vasp(folder, VaspEnd(exit_code=0))
    return outcome if outcome.outcome == "done" else None


def state_from_outputs(folder: Path) -> State | None:
    """State of a run of VASP that nobody of us started, from its outputs; None when there are none."""
    outputs = [folder / name for name in OUTPUTS if (folder / name).exists()]
    if not outputs:
        return None
    from nanoslab.vasp import read_run

    age = time.time() - max(path.stat().st_mtime for path in outputs)
    try:
        run = read_run(folder)
    except NanoslabError as error:
        return State(state="failed", reason=str(error))
    if run.converged:
        return State(state="done", reason="found finished")
    if not run.complete and age < FRESH:
        return State(state="running", reason=f"not started from here; its files changed {age:.0f} s ago")
    return State(state="failed", reason="; ".join(run.problems))


def disk_is_full(folder: Path) -> bool:
    """Whether less than 64 KiB are left where a folder lies."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize < 65536


def level_changes(folder: Path) -> str:
    """Which tags or k-points of the deck differ from those it was written with, in words; empty when none."""
    from nanoslab.vasp.runs.numbers import plain_word

    now, then = _tags(folder / "INCAR"), _tags(folder / "INCAR.initial")
    words = [
        f"{tag} from {then.get(tag, 'its default')} to {now.get(tag, 'its default')}"
        for tag in sorted(LEVEL_TAGS)
        if then and plain_word(now.get(tag, "")) != plain_word(then.get(tag, ""))
    ]
    if _numbers(folder / "KPOINTS") != _numbers(folder / "KPOINTS.initial"):
        words.append("the k-points")
    return ", ".join(words)


def _broken(folder: Path, end: VaspEnd) -> str:
    if disk_is_full(folder) or end.exit_code in (126, 127):
        return "needs-you"
    return "failed" if end.unrepaired else "again"


def _how(folder: Path, end: VaspEnd) -> str:
    if disk_is_full(folder):
        return f"no space left on the disk of {folder}; free some, then submit with --retry failed"
    if end.exit_code in (126, 127):
        return f"the VASP command was not found on the node (exit code {end.exit_code}): {_last_words(folder)}"
    if end.unrepaired:
        return end.unrepaired
    if end.exit_code < 0:
        return f"VASP was killed by signal {-end.exit_code}"
    words = _last_words(folder)
    return f"VASP ended early (exit code {end.exit_code})" + (f": {words}" if words else " without a word")


def _last_words(folder: Path) -> str:
    for name in ("std_err.txt", "vasp.out"):
        try:
            lines = (folder / name).read_text(errors="replace").split("\n")[-40:]
        except OSError:
            continue
        told = [line.strip() for line in lines if _COMPLAINT.search(line)]
        if told:
            return told[-1][:200]
    return ""


def _tags(path: Path) -> dict[str, str]:
    from nanoslab.vasp.runs.outcar_parts import incar_tags

    return incar_tags(path.read_bytes()) if path.is_file() else {}


def _numbers(path: Path) -> list[str]:
    """Words of a KPOINTS file below its comment, so that another layout of the same mesh counts as the same."""
    from nanoslab.vasp.runs.numbers import plain_word

    _, _, below = (path.read_text(errors="replace") if path.is_file() else "").partition("\n")
    return [plain_word(word)[:8] for word in below.split()]

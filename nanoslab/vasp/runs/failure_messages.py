"""Messages VASP and schedulers leave when a run fails, by name; searched in the logs."""

from __future__ import annotations

import re
from typing import NamedTuple


class FailureMessage(NamedTuple):
    """One message: what people call it, its regular expression, what it means and what helps.

    After a fatal one the numbers cannot be trusted even if the run went on; others matter only when it did not
    finish well.
    """

    name: str
    pattern: bytes
    meaning: str
    fatal: bool = False


# fmt: off
FAILURES: tuple[FailureMessage, ...] = (
    FailureMessage("ZBRENT", rb"ZBRENT: *fatal (?:internal )?error",
        "the line search of IBRION=2 failed; go on from CONTCAR with a smaller EDIFF", fatal=True),
    FailureMessage("ZPOTRF", rb"LAPACK: Routine ZPOTRF failed|ZPOTRF failed",
        "atoms too close, or too small a cell; check the structure or POTIM", fatal=True),
    FailureMessage("EDDDAV", rb"Error EDDDAV: Call to Z\w+ failed", "diagonalisation failed; use ALGO=All", fatal=True),
    FailureMessage("PRICEL", rb"internal error in subroutine PRICEL",
        "symmetry search failed; change SYMPREC or set ISYM=0", fatal=True),
    FailureMessage("SGRCON", rb"internal error in subroutine SGRCON",
        "symmetry search failed; change SYMPREC", fatal=True),
    FailureMessage("IBZKPT", rb"internal error in subroutine IBZKPT",
        "k-points and lattice do not fit; centre the mesh on Gamma", fatal=True),
    FailureMessage("POSMAP", rb"POSMAP internal error|internal error in subroutine POSMAP",
        "symmetry search failed; change SYMPREC", fatal=True),
    FailureMessage("RHOSYG", rb"RHOSYG internal error",
        "symmetry of the charge failed; change SYMPREC or set ISYM=0", fatal=True),
    FailureMessage("INVGRP", rb"internal error in subroutine INVGRP|inverse of rotation matrix was not found",
        "symmetry search failed; change SYMPREC", fatal=True),
    FailureMessage("TETIRR", rb"Routine TETIRR needs special values",
        "tetrahedra need a Gamma-centred mesh", fatal=True),
    FailureMessage("DENTET", rb"DENTET", "tetrahedra failed to find the Fermi level; use ISMEAR=0"),
    FailureMessage("BRMIX", rb"BRMIX: very serious problems",
        "charge lost between steps; remove CHGCAR, set ISTART=0 ICHARG=2"),
    FailureMessage("EDDRMM", rb"WARNING in EDDRMM: call to ZHEGV failed", "RMM-DIIS failed; use ALGO=Normal"),
    FailureMessage("SUBSPACEMATRIX", rb"WARNING: Sub-Space-Matrix is not hermitian",
        "numerical noise; set LREAL=.FALSE. or PREC=Accurate"),
    FailureMessage("BRIONS", rb"BRIONS problems: POTIM should be increased", "raise POTIM or use IBRION=2"),
    FailureMessage("NBANDS", rb"TOO FEW BANDS", "raise NBANDS", fatal=True),
    FailureMessage("RSPHER", rb"ERROR RSPHER", "real-space projectors overflow; set LREAL=.FALSE.", fatal=True),
    FailureMessage("hard stop", rb"hard stop encountered!",
        "STOPCAR with LABORT ended it in the middle of an ionic step", fatal=True),
    FailureMessage("time limit", rb"DUE TO TIME LIMIT|walltime \d+ exceeded limit|TERM_RUNLIMIT",
        "killed by the scheduler at the wall time; go on from CONTCAR"),
    FailureMessage("out of memory", rb"oom[-_]kill|Out Of Memory|OUT_OF_MEMORY",
        "killed for memory; use more nodes or a smaller KPAR"),
    FailureMessage("crash", rb"forrtl: severe|Segmentation fault|BAD TERMINATION OF ONE OF YOUR",
        "the program crashed"),
    FailureMessage("disk full", rb"No space left on device|Disk quota exceeded", "the disk was full"),
)
# fmt: on


def failure_problems(logs: tuple[tuple[str, bytes], ...], *, finished_well: bool) -> list[str]:
    """Known failures that stand in the logs of a run, each once, in words.

    Parameters
    ----------
    logs
        Name and text of standard output and error.
    finished_well
        Only fatal messages matter then.
    """
    problems: dict[str, str] = {}
    for log, text in logs:
        for failure in FAILURES:
            if (failure.fatal or not finished_well) and re.search(failure.pattern, text):
                problems.setdefault(failure.name, f"{failure.name} in {log}: {failure.meaning}")
    return list(problems.values())

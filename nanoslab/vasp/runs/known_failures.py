"""Messages VASP and schedulers leave when a run fails, by name; searched in the logs and at the end of OUTCAR."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """One message.

    Attributes
    ----------
    name
        What people call it.
    pattern
        Regular expression on the log.
    meaning
        What it means and what helps.
    fatal
        The numbers of the run cannot be trusted even if it went on; others matter only when it did not finish well.
    """

    name: str
    pattern: bytes
    meaning: str
    fatal: bool = False


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        name="ZBRENT",
        pattern=rb"ZBRENT: *fatal (?:internal )?error",
        meaning="the line search of IBRION=2 failed; go on from CONTCAR with a smaller EDIFF",
        fatal=True,
    ),
    KnownFailure(
        name="ZPOTRF",
        pattern=rb"LAPACK: Routine ZPOTRF failed|ZPOTRF failed",
        meaning="atoms too close, or too small a cell; check the structure or POTIM",
        fatal=True,
    ),
    KnownFailure(
        name="EDDDAV",
        pattern=rb"Error EDDDAV: Call to Z\w+ failed",
        meaning="diagonalisation failed; use ALGO=All",
        fatal=True,
    ),
    KnownFailure(
        name="PRICEL",
        pattern=rb"internal error in subroutine PRICEL",
        meaning="symmetry search failed; change SYMPREC or set ISYM=0",
        fatal=True,
    ),
    KnownFailure(
        name="SGRCON",
        pattern=rb"internal error in subroutine SGRCON",
        meaning="symmetry search failed; change SYMPREC",
        fatal=True,
    ),
    KnownFailure(
        name="IBZKPT",
        pattern=rb"internal error in subroutine IBZKPT",
        meaning="k-points and lattice do not fit; centre the mesh on Gamma",
        fatal=True,
    ),
    KnownFailure(
        name="POSMAP",
        pattern=rb"POSMAP internal error|internal error in subroutine POSMAP",
        meaning="symmetry search failed; change SYMPREC",
        fatal=True,
    ),
    KnownFailure(
        name="RHOSYG",
        pattern=rb"RHOSYG internal error",
        meaning="symmetry of the charge failed; change SYMPREC or set ISYM=0",
        fatal=True,
    ),
    KnownFailure(
        name="INVGRP",
        pattern=rb"internal error in subroutine INVGRP|inverse of rotation matrix was not found",
        meaning="symmetry search failed; change SYMPREC",
        fatal=True,
    ),
    KnownFailure(
        name="TETIRR",
        pattern=rb"Routine TETIRR needs special values",
        meaning="tetrahedra need a Gamma-centred mesh",
        fatal=True,
    ),
    KnownFailure(name="DENTET", pattern=rb"DENTET", meaning="tetrahedra failed to find the Fermi level; use ISMEAR=0"),
    KnownFailure(
        name="BRMIX",
        pattern=rb"BRMIX: very serious problems",
        meaning="charge lost between steps; remove CHGCAR, set ISTART=0 ICHARG=2",
    ),
    KnownFailure(
        name="EDDRMM", pattern=rb"WARNING in EDDRMM: call to ZHEGV failed", meaning="RMM-DIIS failed; use ALGO=Normal"
    ),
    KnownFailure(
        name="SUBSPACEMATRIX",
        pattern=rb"WARNING: Sub-Space-Matrix is not hermitian",
        meaning="numerical noise; set LREAL=.FALSE. or PREC=Accurate",
    ),
    KnownFailure(
        name="BRIONS", pattern=rb"BRIONS problems: POTIM should be increased", meaning="raise POTIM or use IBRION=2"
    ),
    KnownFailure(name="NBANDS", pattern=rb"TOO FEW BANDS", meaning="raise NBANDS", fatal=True),
    KnownFailure(
        name="RSPHER", pattern=rb"ERROR RSPHER", meaning="real-space projectors overflow; set LREAL=.FALSE.", fatal=True
    ),
    KnownFailure(
        name="hard stop",
        pattern=rb"hard stop encountered!",
        meaning="STOPCAR with LABORT ended it in the middle of an ionic step",
        fatal=True,
    ),
    KnownFailure(
        name="time limit",
        pattern=rb"DUE TO TIME LIMIT|walltime \d+ exceeded limit|TERM_RUNLIMIT",
        meaning="killed by the scheduler at the wall time; go on from CONTCAR",
    ),
    KnownFailure(
        name="out of memory",
        pattern=rb"oom[-_]kill|Out Of Memory|OUT_OF_MEMORY",
        meaning="killed for memory; use more nodes or a smaller KPAR",
    ),
    KnownFailure(
        name="crash",
        pattern=rb"forrtl: severe|Segmentation fault|BAD TERMINATION OF ONE OF YOUR",
        meaning="the program crashed",
    ),
    KnownFailure(
        name="disk full", pattern=rb"No space left on device|Disk quota exceeded", meaning="the disk was full"
    ),
)


def failures_in(text: bytes) -> tuple[KnownFailure, ...]:
    """Known failures whose message stands in a log.

    Examples
    --------
    >>> [failure.name for failure in failures_in(b" ZBRENT: fatal error in bracketing")]
    ['ZBRENT']
    """
    return tuple(failure for failure in FAILURES if re.search(failure.pattern, text))

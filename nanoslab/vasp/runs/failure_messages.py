"""Messages VASP and schedulers leave when a run fails, by name; searched in the logs."""

from __future__ import annotations

import re

# fmt: off
#: what people call it, whether it is fatal, its regular expression, what it means and what helps; after a fatal one the
#: numbers cannot be trusted even if the run went on, the others matter only when it did not finish well
FAILURES: tuple[tuple[str, bool, bytes, str], ...] = (
    ("ZBRENT", True, rb"ZBRENT: *fatal (?:internal )?error",
        "the line search of IBRION=2 failed; go on from CONTCAR with a smaller EDIFF"),
    ("ZPOTRF", True, rb"LAPACK: Routine ZPOTRF failed|ZPOTRF failed",
        "atoms too close, or too small a cell; check the structure or POTIM"),
    ("EDDDAV", True, rb"Error EDDDAV: Call to Z\w+ failed", "diagonalisation failed; use ALGO=All"),
    ("PRICEL", True, rb"internal error in subroutine PRICEL", "symmetry search failed; change SYMPREC or set ISYM=0"),
    ("SGRCON", True, rb"internal error in subroutine SGRCON", "symmetry search failed; change SYMPREC"),
    ("IBZKPT", True, rb"internal error in subroutine IBZKPT",
        "k-points and lattice do not fit; centre the mesh on Gamma"),
    ("POSMAP", True, rb"POSMAP internal error|internal error in subroutine POSMAP",
        "symmetry search failed; change SYMPREC"),
    ("RHOSYG", True, rb"RHOSYG internal error", "symmetry of the charge failed; change SYMPREC or set ISYM=0"),
    ("INVGRP", True, rb"internal error in subroutine INVGRP|inverse of rotation matrix was not found",
        "symmetry search failed; change SYMPREC"),
    ("TETIRR", True, rb"Routine TETIRR needs special values", "tetrahedra need a Gamma-centred mesh"),
    ("DENTET", False, rb"DENTET", "tetrahedra failed to find the Fermi level; use ISMEAR=0"),
    ("BRMIX", False, rb"BRMIX: very serious problems",
        "charge lost between steps; remove CHGCAR, set ISTART=0 ICHARG=2"),
    ("EDDRMM", False, rb"WARNING in EDDRMM: call to ZHEGV failed", "RMM-DIIS failed; use ALGO=Normal"),
    ("SUBSPACEMATRIX", False, rb"WARNING: Sub-Space-Matrix is not hermitian",
        "numerical noise; set LREAL=.FALSE. or PREC=Accurate"),
    ("BRIONS", False, rb"BRIONS problems: POTIM should be increased", "raise POTIM or use IBRION=2"),
    ("NBANDS", True, rb"TOO FEW BANDS", "raise NBANDS"),
    ("RSPHER", True, rb"ERROR RSPHER", "real-space projectors overflow; set LREAL=.FALSE."),
    ("hard stop", True, rb"hard stop encountered!", "STOPCAR with LABORT ended it in the middle of an ionic step"),
    ("time limit", False, rb"DUE TO TIME LIMIT|walltime \d+ exceeded limit|TERM_RUNLIMIT",
        "killed by the scheduler at the wall time; go on from CONTCAR"),
    ("out of memory", False, rb"oom[-_]kill|Out Of Memory|OUT_OF_MEMORY",
        "killed for memory; use more nodes or a smaller KPAR"),
    ("crash", False, rb"forrtl: severe|Segmentation fault|BAD TERMINATION OF ONE OF YOUR", "the program crashed"),
    ("disk full", False, rb"No space left on device|Disk quota exceeded", "the disk was full"),
)
# fmt: on


def failure_problems(logs: tuple[tuple[str, bytes], ...], *, finished_well: bool) -> list[str]:
    """Known failures in the logs (name, text) of a run, each once, in words; only fatal ones when it finished well."""
    problems: dict[str, str] = {}
    for log, text in logs:
        for name, is_fatal, pattern, meaning in FAILURES:
            if (is_fatal or not finished_well) and re.search(pattern, text):
                problems.setdefault(name, f"{name} in {log}: {meaning}")
    return list(problems.values())

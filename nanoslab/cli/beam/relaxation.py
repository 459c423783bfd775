"""Relaxation between two losses, by any engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ase import Atoms

#: largest force at which what is left counts as relaxed [eV/Å], and most steps: a loss moves its neighbours only
FORCE, STEPS = 0.1, 50


def relaxation(name_and_options: str) -> Callable[[Atoms], Atoms]:
    """Function that relaxes the atoms of a structure with an engine, the cell as it is."""
    from ase.optimize import FIRE

    from nanoslab.calculation import Settings
    from nanoslab.engines import engine

    chosen, settings = engine(name_and_options), Settings(source="relaxation between losses", relax="ions")

    def relax(atoms: Atoms) -> Atoms:
        moved = atoms.copy()
        moved.calc = chosen.calculator(moved, settings)
        FIRE(moved, logfile=None).run(fmax=FORCE, steps=STEPS)
        relaxed: Atoms = moved.copy()
        return relaxed

    return relax

"""Losses one after the other: the cheapest, one by Boltzmann's chances, or one that the beam knocks out.

Only atoms go whose way straight along the beam is free, as the whole sheet and the atoms lost before leave it. The
energy to remove an atom is E(without it) - E(with it) + mu of the free atom, both sheets relaxed. A kinetic path draws
the next loss with chances proportional to the cross-sections of the sites at these energies, and the dose until it
comes from an exponential law with their sum (Gillespie, J. Comput. Phys. 22, 403 (1976)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from ase import Atoms
from ase.units import kB
from numpy.typing import NDArray

from nanoslab.beam.cross_section import named_exit
from nanoslab.beam.dose import A2_PER_BARN
from nanoslab.beam.loss.paths import Surroundings, beam_frame
from nanoslab.beam.totals import total_cross_section
from nanoslab.beam.vibration import natural_target

Kind = Literal["greedy", "boltzmann", "beam"]
KINDS: tuple[Kind, ...] = ("greedy", "boltzmann", "beam")
#: an atom that costs less to remove counts as costing this: the cross-section of a free one is no number [eV]
LEAST_ENERGY = 0.5

#: sets of removed atoms -> energies of what is left [eV], None where none can be used
EnergiesOf = Callable[[Sequence[tuple[int, ...]]], Sequence[float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One atom lost.

    Attributes
    ----------
    atom, element
        Index in the whole sheet, and its element.
    removal_energy
        To take it to vacuum [eV].
    dose_e_per_A2
        At which it left; None of paths without a clock.
    """

    atom: int
    element: str
    removal_energy: float
    dose_e_per_A2: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPath:
    """Losses of one run, in their order; `ended` says why there are no more."""

    kind: Kind
    run: int
    losses: tuple[Loss, ...]
    ended: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossModel:
    """One sheet under one beam.

    Attributes
    ----------
    sheet
        The whole sheet, relaxed.
    potentials
        Element -> energy of its free atom [eV].
    energies
        What sheets without some atoms have.
    most
        Largest number of atoms lost by element.
    losses, beam_energy_keV, temperature, exit_face
        As in `nanoslab.studies.off_stoichiometry.fields.PathModel`.
    """

    sheet: Atoms
    potentials: Mapping[str, float]
    energies: EnergiesOf
    most: Mapping[str, int]
    losses: int
    beam_energy_keV: float
    temperature: float
    exit_face: Literal["bottom", "top"]

    def paths(self, runs: int, seed: int) -> tuple[LossPath, ...]:
        """One greedy path, and `runs` of each kind with chance in it; the same for the same seed."""
        direction = beam_frame((0.0, 0.0, -1.0 if self.exit_face == "bottom" else 1.0))[2]
        near = Surroundings(self.sheet, dict.fromkeys(self.potentials, 5.0))
        found = []
        for number, kind in enumerate(KINDS):
            for run, sequence in enumerate(
                np.random.SeedSequence([seed, number]).spawn(1 if kind == "greedy" else runs)
            ):
                found.append(self._path(kind, run, np.random.default_rng(sequence), near, direction))
        return tuple(found)

    def _path(
        self, kind: Kind, run: int, random: np.random.Generator, near: Surroundings, direction: NDArray[np.float64]
    ) -> LossPath:
        removed: tuple[int, ...] = ()
        losses: list[Loss] = []
        dose = 0.0
        while len(losses) < self.losses:
            atoms = self._free(removed, near, direction)
            sets = [tuple(sorted((*removed, atom))) for atom in atoms]
            before, *after = self.energies([removed, *sets]) if atoms else (None,)
            costs = {
                atom: value - before + self.potentials[self.sheet.symbols[atom]]
                for atom, value in zip(atoms, after, strict=True)
                if value is not None and before is not None
            }
            if not costs:
                return LossPath(kind=kind, run=run, losses=tuple(losses), ended="no atom on the face may go")
            atom, step = self._next(kind, costs, random)
            if atom is None:
                return LossPath(kind=kind, run=run, losses=tuple(losses), ended="the beam can remove none")
            dose += step
            clock = dose if kind == "beam" else None
            losses.append(
                Loss(atom=atom, element=str(self.sheet.symbols[atom]), removal_energy=costs[atom], dose_e_per_A2=clock)
            )
            removed = tuple(sorted((*removed, atom)))
        return LossPath(kind=kind, run=run, losses=tuple(losses), ended="as many as asked")

    def _free(self, removed: tuple[int, ...], near: Surroundings, direction: NDArray[np.float64]) -> list[int]:
        """Atoms that may go and have nothing in their way along the beam."""
        alive = np.ones(len(self.sheet), dtype=bool)
        alive[list(removed)] = False
        symbols = self.sheet.get_chemical_symbols()
        lost = {element: sum(symbols[i] == element for i in removed) for element in self.most}
        return [
            int(atom)
            for atom in np.flatnonzero(alive)
            if lost.get(symbols[atom], 0) < self.most.get(symbols[atom], 0)
            and near.first_in_the_way(int(atom), direction, alive) is None
        ]

    def _next(self, kind: Kind, costs: Mapping[int, float], random: np.random.Generator) -> tuple[int | None, float]:
        """Atom that goes, and the dose until it does [e/Å²]."""
        atoms = list(costs)
        energies = np.array([costs[atom] for atom in atoms])
        if kind == "greedy":
            return atoms[int(np.argmin(energies))], 0.0
        if kind == "boltzmann":
            chances = np.exp(-(energies - energies.min()) / (kB * self.temperature))
            return atoms[int(random.choice(len(atoms), p=chances / chances.sum()))], 0.0
        symbols, beam = self.sheet.symbols, (self.beam_energy_keV, self.temperature)
        barns = np.array([_barns(str(symbols[atom]), round(costs[atom], 6), *beam) for atom in atoms])
        if barns.sum() <= 0:
            return None, 0.0
        step = random.exponential() / (barns.sum() * A2_PER_BARN)
        return atoms[int(random.choice(len(atoms), p=barns / barns.sum()))], float(step)


@cache
def _barns(element: str, energy: float, beam_energy_keV: float, temperature: float) -> float:
    """Cross-section of an atom that costs so much to remove [barn]."""
    target = natural_target(element, temperature)
    threshold = max(energy, LEAST_ENERGY)
    return float(total_cross_section(target, beam_energy_keV, threshold, named_exit("spherical")))

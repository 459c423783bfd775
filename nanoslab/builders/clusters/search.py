"""Search for clusters of low energy: seeded basin hopping with any ASE calculator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import BaseCalculator
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components

from nanoslab.builders.recipe import require_whole_number
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError

_MOST_STEPS = 500
_FORCE = 0.02  #: largest component at the end of a relaxation [eV/Å]
#: minima whose energies differ by less are taken for one [eV]
SAME_ENERGY = 2e-3
_PIECE = 3.5  #: atoms nearer than this belong to one piece [Å]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How basin hopping goes.

    Attributes
    ----------
    hops, seed
        Relaxations after the first, and the seed of all random numbers.
    temperature
        Of the Metropolis test between minima [K].
    displacement
        Standard deviation of each coordinate of a hop [Å]; every fourth hop exchanges a cation and an anion instead.
    """

    hops: int = 50
    seed: int = 0
    temperature: float = 1500.0
    displacement: float = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Lowest minimum of a search and how it was found: the lowest that this search met, not a proven ground state.

    Attributes
    ----------
    atoms, energy, start_energy
        Its structure and energy, and the energy of the relaxed start [eV].
    energies
        Of every relaxation, in order; infinite where the calculator failed [eV].
    minima
        All distinct minima (more than 2 meV apart) in one piece, with their energies [eV], the lowest first.
    """

    atoms: Atoms
    energy: float
    start_energy: float
    energies: NDArray[np.float64]
    minima: tuple[tuple[float, Atoms], ...]


def search_cluster(start: Atoms, calculator: BaseCalculator, search: Search | None = None) -> Candidate:
    """Basin hopping (Wales & Doye, J. Phys. Chem. A 101 (1997) 5111) from a structure; the input is not changed.

    The same calculator, start and seed give the same candidate. Relaxations end at 0.02 eV/Å; minima in which a piece
    came off are left out.

    Examples
    --------
    >>> from ase.calculators.emt import EMT
    >>> atoms = Atoms("Cu4", positions=[[0, 0, 0], [2.5, 0, 0], [5, 0, 0], [2.5, 2.5, 0]])
    >>> found = search_cluster(atoms, EMT(), Search(hops=6))
    >>> bool(found.energy <= found.start_energy), len(found.energies)
    (True, 7)
    """
    search = search or Search()
    require_whole_number("hops", search.hops, 0)
    if len(start) < 2:
        raise InputError("start", expected="two atoms or more", got=len(start), advice="give a cluster")
    rng = np.random.default_rng(search.seed)
    current, energy = _relaxed(start, calculator)
    energies, minima = [energy], [(energy, current)]
    for hop in range(search.hops):
        found, value = _relaxed(_hopped(current, hop, search, rng), calculator)
        energies.append(value)
        if not np.isfinite(value) or not _whole(found):
            continue
        if all(abs(value - known) > SAME_ENERGY for known, _ in minima):
            minima.append((value, found))
        if rng.random() < np.exp(min(0.0, (energy - value) / (units.kB * search.temperature))):
            current, energy = found, value
    minima.sort(key=lambda one: one[0])
    lowest, best = minima[0]
    best.info["recipe"] = make_recipe(
        "cluster search",
        start=start.info.get("recipe", start.get_chemical_formula()),
        hops=search.hops,
        seed=search.seed,
        temperature_K=search.temperature,
        displacement_A=search.displacement,
        energy_eV=lowest,
        start_energy_eV=energies[0],
    )
    return Candidate(
        atoms=best, energy=lowest, start_energy=energies[0], energies=np.array(energies), minima=tuple(minima)
    )


def _relaxed(atoms: Atoms, calculator: BaseCalculator) -> tuple[Atoms, float]:
    """Relaxed copy without its calculator, and its energy; infinite where the calculator fails."""
    moved = Atoms(atoms.numbers, positions=atoms.positions)
    moved.calc = calculator

    def energy_and_slopes(positions: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        moved.positions = positions.reshape(-1, 3)
        return float(moved.get_potential_energy()), -moved.get_forces().ravel()

    try:
        options = {"maxiter": _MOST_STEPS, "maxcor": 20, "gtol": _FORCE, "ftol": 0.0}
        found = minimize(energy_and_slopes, moved.positions.ravel(), jac=True, method="L-BFGS-B", options=options)
        moved.positions, energy = found.x.reshape(-1, 3), float(found.fun)
    except Exception:  # noqa: BLE001 - an engine fails in its own ways on atoms that a hop put too near
        energy = np.inf
    moved.calc = None
    return moved, energy


def _hopped(atoms: Atoms, hop: int, search: Search, rng: np.random.Generator) -> Atoms:
    moved: Atoms = atoms.copy()
    kinds = np.unique(moved.numbers)
    if hop % 4 == 3 and len(kinds) > 1:
        one, other = (int(rng.choice(np.flatnonzero(moved.numbers == kind))) for kind in kinds[:2])
        moved.positions[[one, other]] = moved.positions[[other, one]]
    moved.positions += rng.normal(0.0, search.displacement, moved.positions.shape) * (0.3 if hop % 4 == 3 else 1.0)
    return moved


def _whole(atoms: Atoms) -> bool:
    """Whether no piece has come off."""
    return bool(connected_components(atoms.get_all_distances() < _PIECE)[0] == 1)

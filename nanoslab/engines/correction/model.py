"""A correction: coefficients, where they hold, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from nanoslab.engines.correction.terms import Term, Values, evaluate_terms, find_neighbours
from nanoslab.errors import EngineError

#: an atom is outside of the fit when it has fewer neighbours than every atom of its species there by more than
#: `FEWER`, or when its numbers of neighbours by species are farther than `FARTHEST` from those of all of them
FEWER, FARTHEST = 0.5, 1.5
#: pairs may come closer than the closest of the fit by this part of the sum of their covalent radii
CLOSER = 0.1
#: what a relaxation may come through, in these margins; where it ends is judged by the margins themselves
ON_THE_WAY = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One structure predicted by a fit without it.

    Attributes
    ----------
    name, n_atoms
        The structure.
    energy_error
        Predicted less reference energy of the whole cell [eV].
    force_error
        Root mean square of the same for the components of forces [eV/Å]; None where the reference has none.
    counts
        Whether it counts in the error of the fit.
    """

    name: str
    n_atoms: int
    energy_error: float
    force_error: float | None
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Turns energy and forces of a potential into those of a reference level of theory.

    E = (1 + scale) E_potential + sum of coefficient * term, but of one species alone E_potential + shift of every atom:
    the bonds of an element say nothing of those of a compound.

    Attributes
    ----------
    engine, engine_options
        Name and options of the engine that is corrected.
    reference
        Level of theory of the energies it was fitted to.
    scale
        Change of the potential's own energy; 0 where it is no part of the correction.
    coefficients
        Term -> coefficient [eV].
    environments
        Species -> numbers of neighbours of its atoms in the fit, by species in alphabetical order, shape (n, species).
    shortest
        Pair of species, such as ``Cd-Se`` -> shortest distance in the fit [Å].
    lone_atoms
        Species -> energy of an isolated atom at the reference level [eV].
    elements
        Species -> shift of its crystal, reference less potential [eV per atom].
    left_out
        Every structure of the fit, predicted without it.

    Examples
    --------
    >>> Correction(engine="emt", reference="EMT", coefficients={Term(kind="atoms", species="Cu"): 0.5}).species
    ('Cu',)
    """

    engine: str
    reference: str
    coefficients: Mapping[Term, float]
    engine_options: Mapping[str, str] = field(default_factory=dict)
    scale: float = 0.0
    environments: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    shortest: Mapping[str, float] = field(default_factory=dict)
    lone_atoms: Mapping[str, float] = field(default_factory=dict)
    elements: Mapping[str, float] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    @property
    def species(self) -> tuple[str, ...]:
        """Elements it knows, sorted."""
        return tuple(sorted(term.species for term in self.coefficients if term.kind == "atoms"))

    @property
    def error(self) -> float:
        """Root mean square error of the energy of a cell that the fit has not seen [eV]."""
        return root_mean_square([point.energy_error for point in self.left_out if point.counts])

    def evaluate(self, atoms: Atoms) -> Values:
        """Sum of the terms times their coefficients, each array with one row."""
        found = evaluate_terms(atoms, tuple(self.coefficients))
        weights = np.array(list(self.coefficients.values()))
        return Values(
            np.atleast_1d(weights @ found.values),
            np.tensordot(weights, found.forces, axes=1)[None],
            np.atleast_2d(weights @ found.stresses),
        )


def root_mean_square(errors: Sequence[float]) -> float:
    """Root mean square, or not a number where there is nothing.

    Examples
    --------
    >>> root_mean_square([3.0, -4.0, 0.0, 0.0])
    2.5
    """
    return float(np.sqrt(np.mean(np.square(errors)))) if len(errors) else float("nan")


def is_lone_atom(atoms: Atoms) -> bool:
    """One atom whose periodic images are out of reach.

    Examples
    --------
    >>> is_lone_atom(Atoms("Se", cell=[10, 11, 12], pbc=True))
    True
    """
    return len(atoms) == 1 and not len(neighbor_list("i", atoms, 6.0))


def element_shift(correction: Correction, atoms: Atoms) -> float | None:
    """Shift of every atom of an element's crystal [eV]; None for compounds and elements that the fit has not seen."""
    species = set(atoms.get_chemical_symbols())
    return correction.elements.get(species.pop()) if len(species) == 1 else None


def refuse_extrapolation(correction: Correction, atoms: Atoms, margins: float = 1.0) -> None:
    """Raise for a structure that is unlike everything in the fit.

    Parameters
    ----------
    correction
        With what the fit has seen.
    atoms
        To be judged.
    margins
        How much wider than at the end of a relaxation.

    Raises
    ------
    EngineError
        An element, a distance or an atom's numbers of neighbours that the fit has not seen.

    Examples
    --------
    >>> known = Correction(engine="emt", reference="EMT", coefficients={Term(kind="atoms", species="Cu"): 0.5})
    >>> refuse_extrapolation(known, Atoms("Au"))
    Traceback (most recent call last):
        ...
    nanoslab.errors.EngineError: correction to EMT: expected elements of the fit (Cu), got Au; ...
    """
    where = f"correction to {correction.reference}"
    advice = "take the engine without the correction, or add such structures to the fit"
    foreign = sorted(set(atoms.get_chemical_symbols()) - set(correction.species))
    if foreign:
        known = ", ".join(correction.species)
        raise EngineError(where, expected=f"elements of the fit ({known})", got=", ".join(foreign), advice=advice)
    if element_shift(correction, atoms) is not None:
        return
    _refuse_close_pairs(correction, atoms, margins * CLOSER, where, advice)
    numbers = _numbers(correction, atoms)
    for index, symbol in enumerate(atoms.get_chemical_symbols()):
        seen = correction.environments.get(symbol)
        if seen is None:
            continue
        distance = float(np.linalg.norm(seen - numbers[index], axis=1).min())
        too_few = numbers[index].sum() < seen.sum(axis=1).min() - margins * FEWER
        if too_few or distance > margins * FARTHEST:
            has = ", ".join(f"{n:.1f} {s}" for s, n in zip(correction.species, numbers[index], strict=True))
            raise EngineError(
                where,
                expected="atoms with neighbours as in the fit",
                got=f"{symbol} {index} with {has}, {distance:.1f} from the nearest there",
                advice=advice,
            )


def _refuse_close_pairs(correction: Correction, atoms: Atoms, closer: float, where: str, advice: str) -> None:
    allowed = {
        tuple(pair.split("-")): distance
        - closer * sum(float(covalent_radii[atomic_numbers[symbol]]) for symbol in pair.split("-"))
        for pair, distance in correction.shortest.items()
    }
    if not allowed:
        return
    symbols = atoms.get_chemical_symbols()
    first, second, distance = neighbor_list("ijd", atoms, max(allowed.values()))
    for i, j, d in zip(first.tolist(), second.tolist(), distance.tolist(), strict=True):
        pair = tuple(sorted((symbols[i], symbols[j])))
        if d < allowed.get(pair, 0.0):
            raise EngineError(
                where,
                expected=f"{'-'.join(pair)} distances from {allowed[pair]:.2f} Å on, as in the fit",
                got=f"{d:.2f} Å between atoms {i} and {j}",
                advice=advice,
            )


def _numbers(correction: Correction, atoms: Atoms) -> NDArray[np.float64]:
    """Neighbours of every atom by species of the correction, shape (atoms, species)."""
    near = find_neighbours(atoms)
    numbers = np.zeros((len(atoms), len(correction.species)))
    numbers[:, [correction.species.index(symbol) for symbol in near.species]] = near.numbers
    return numbers

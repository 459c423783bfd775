"""Fit a correction to reference energies and forces, its terms chosen by leaving out one structure at a time.

Universal potentials are too soft where their training data are thin, at surfaces and defects, in a systematic way that
few reference points reveal (npj Comput. Mater. 2024, s41524-024-01500-6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from nanoslab.engines.correction.model import Correction, LeftOut, root_mean_square
from nanoslab.engines.correction.terms import WINDOW, Term, evaluate_terms, find_neighbours, terms_to_choose_from
from nanoslab.errors import InputError

#: an energy counts as known to this [eV] times the root of the number of atoms, the forces of a structure together,
#: as one number, to this [eV/Å]
ENERGY_SCALE, FORCE_SCALE = 0.02, 0.1
#: environments closer than this [neighbours] are kept once
_SAME_ENVIRONMENT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One structure at the reference level and by the potential.

    Attributes
    ----------
    name
        For the table of errors.
    atoms
        Structure.
    reference_energy, energy
        At the reference level, and by the potential [eV].
    reference_forces, forces
        The same of the forces [eV/Å], shape (atoms, 3); None where the reference has none.
    counts
        Whether it counts in the error of the fit when it is left out: elements, which hold one species alone, do not.
    """

    name: str
    atoms: Atoms
    reference_energy: float
    energy: float
    reference_forces: NDArray[np.float64] | None = None
    forces: NDArray[np.float64] | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class _Rows:
    """Equations of one structure: weighted ones, shapes (n, columns) and (n,), and the structure's weights (n,)."""

    matrix: NDArray[np.float64]
    right: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One combination of terms, fitted."""

    coefficients: Mapping[Term, float]
    scale: float
    left_out: tuple[LeftOut, ...]

    @property
    def error(self) -> float:
        """Root mean square of the left-out energies that count [eV]."""
        return root_mean_square([point.energy_error for point in self.left_out if point.counts])


def fit_correction(
    points: Sequence[Point],
    *,
    engine: str,
    reference: str,
    coordination: Mapping[str, float],
    engine_options: Mapping[str, str] | None = None,
    lone_atoms: Mapping[str, float] | None = None,
) -> Correction:
    """Fit every combination of terms and return the one that predicts left-out energies best.

    Always there is an energy per atom of every species. To choose from are a scale of the potential's energy, the
    squares of the neighbours that atoms of a species lack, and the bonds of every pair of species, with at most half as
    many coefficients as there are points.

    Parameters
    ----------
    points
        Structures; those that `Point.counts` decide. In a fit of several species those of one alone give that
        element's shift too.
    engine, engine_options
        Of the potential.
    reference
        Level of theory of the reference energies.
    coordination
        Neighbours of every species in the crystal.
    lone_atoms
        Species -> energy of an isolated atom at the reference level [eV].

    Returns
    -------
    Correction

    Raises
    ------
    InputError
        The points do not determine the coefficients once any one of them is left out.

    Examples
    --------
    >>> from ase.build import bulk
    >>> crystals = [bulk("Cu", a=a) for a in (3.5, 3.6, 3.7)]
    >>> points = [Point(name=str(i), atoms=c, reference_energy=-3.5, energy=-4.0) for i, c in enumerate(crystals)]
    >>> found = fit_correction(points, engine="emt", reference="shifted", coordination={"Cu": 12})
    >>> {term.name: round(value, 6) for term, value in found.coefficients.items()}, round(found.error, 6)
    ({'atoms:Cu': 0.5}, 0.0)
    """
    species = sorted({symbol for point in points for symbol in point.atoms.get_chemical_symbols()})
    pure = [point for point in points if len(species) > 1 and len(set(point.atoms.numbers)) == 1]
    mixed = [point for point in points if all(point is not one for one in pure)]
    best: _Candidate | None = None
    for candidate in _candidates(points, species, coordination):
        # a term must pay for itself: of two nearly alike the one with fewer terms stays
        if best is None or candidate.error < 0.98 * best.error:
            best = candidate
    if best is None:
        raise InputError(
            "points of the fit",
            expected="enough of them to leave one out",
            got=f"{len(points)} for {', '.join(species)}",
            advice="add structures of other compositions",
        )
    return Correction(
        engine=engine,
        engine_options=dict(engine_options or {}),
        reference=reference,
        scale=best.scale,
        coefficients=best.coefficients,
        environments=_environments(mixed, species),
        shortest=_shortest(mixed),
        lone_atoms=dict(lone_atoms or {}),
        elements={p.atoms.symbols[0]: (p.reference_energy - p.energy) / len(p.atoms) for p in pure},
        left_out=best.left_out,
    )


def _candidates(
    points: Sequence[Point], species: Sequence[str], coordination: Mapping[str, float]
) -> Iterator[_Candidate]:
    """Fit every combination of terms, few first; those that the points leave open are passed over."""
    always = tuple(Term(kind="atoms", species=symbol) for symbol in species)
    choice = terms_to_choose_from({symbol: coordination[symbol] for symbol in species})
    terms = (*always, *choice)
    values = [evaluate_terms(point.atoms, terms) for point in points]
    chosen = chain.from_iterable(combinations(range(len(always), len(terms)), k) for k in range(len(choice) + 1))
    most = max(len(points) // 2, len(always))
    for columns, with_scale in product([[*range(len(always)), *more] for more in chosen], (False, True)):
        if len(columns) + with_scale > most:
            continue
        rows = [_rows(p, v.values[columns], v.forces[columns], with_scale) for p, v in zip(points, values, strict=True)]
        solution = _solve(rows)
        left_out = None if solution is None else _leave_out(points, rows)
        if solution is not None and left_out is not None:
            coefficients = {terms[column]: float(c) for column, c in zip(columns, solution, strict=False)}
            yield _Candidate(coefficients, float(solution[-1]) if with_scale else 0.0, left_out)


def _rows(point: Point, values: NDArray[np.float64], forces: NDArray[np.float64], with_scale: bool) -> _Rows:
    """Equations: terms (and the potential itself) times coefficients = reference less potential."""
    columns = [*values, point.energy] if with_scale else list(values)
    matrix, right = np.array([columns], dtype=float), np.array([point.reference_energy - point.energy])
    weights = np.array([1.0 / (ENERGY_SCALE * np.sqrt(len(point.atoms)))])
    if point.reference_forces is not None and point.forces is not None:
        flat = forces.reshape(len(values), -1).T
        flat = np.column_stack([flat, point.forces.ravel()]) if with_scale else flat
        difference = (point.reference_forces - point.forces).ravel()
        matrix, right = np.vstack([matrix, flat]), np.concatenate([right, difference])
        weights = np.concatenate([weights, np.full(difference.size, 1.0 / (FORCE_SCALE * np.sqrt(difference.size)))])
    return _Rows(matrix, right, weights)


def _solve(rows: Sequence[_Rows]) -> NDArray[np.float64] | None:
    """Least squares, or None where the equations leave a coefficient open."""
    matrix = np.vstack([row.matrix * row.weights[:, None] for row in rows])
    right = np.concatenate([row.right * row.weights for row in rows])
    # columns of equal length make the rank independent of units
    lengths = np.linalg.norm(matrix, axis=0)
    if not lengths.all():
        return None
    solution, _, rank, _ = np.linalg.lstsq(matrix / lengths, right, rcond=1e-6)
    return np.asarray(solution / lengths) if rank == matrix.shape[1] else None


def _leave_out(points: Sequence[Point], rows: Sequence[_Rows]) -> tuple[LeftOut, ...] | None:
    found = []
    for index, point in enumerate(points):
        solution = _solve([row for other, row in enumerate(rows) if other != index])
        if solution is None:
            if point.counts:
                return None
            continue
        errors = rows[index].matrix @ solution - rows[index].right
        forces = float(np.sqrt(np.mean(errors[1:] ** 2))) if len(errors) > 1 else None
        found.append(
            LeftOut(
                name=point.name,
                n_atoms=len(point.atoms),
                energy_error=float(errors[0]),
                force_error=forces,
                counts=point.counts,
            )
        )
    return tuple(found)


def _environments(points: Sequence[Point], species: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Numbers of neighbours of the atoms of every species, near-equal ones once."""
    kept: dict[str, list[NDArray[np.float64]]] = {symbol: [] for symbol in species}
    for point in points:
        near = find_neighbours(point.atoms)
        numbers = np.zeros((len(point.atoms), len(species)))
        numbers[:, [species.index(symbol) for symbol in near.species]] = near.numbers
        for symbol, row in zip(point.atoms.get_chemical_symbols(), numbers, strict=True):
            if all(np.linalg.norm(row - other) > _SAME_ENVIRONMENT for other in kept[symbol]):
                kept[symbol].append(row)
    return {symbol: np.array(rows).round(3) for symbol, rows in kept.items()}


def _shortest(points: Sequence[Point]) -> dict[str, float]:
    """Pair of species -> shortest distance among neighbours [Å]."""
    shortest: dict[str, float] = {}
    for point in points:
        symbols = point.atoms.get_chemical_symbols()
        reach = list(WINDOW[1] * covalent_radii[point.atoms.numbers])
        for i, j, d in zip(*neighbor_list("ijd", point.atoms, reach), strict=True):
            pair = "-".join(sorted((symbols[i], symbols[j])))
            shortest[pair] = min(shortest.get(pair, np.inf), round(float(d), 3))
    return shortest

"""Phonons by finite displacements: displaced supercells out, forces in, force constants and modes (phonopy)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from nanoslab.calculation import Calculation, CalculationResult, Role, Settings
from nanoslab.energetics.thermal import PhononModes
from nanoslab.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacements:
    """A perfect supercell and those with one atom moved each, as many as the symmetry asks for.

    Attributes
    ----------
    cell
        The relaxed cell.
    repeat
        Supercell along the three lattice vectors.
    perfect
        Supercell with every atom in its place.
    supercells
        Displaced structures, to be computed as they are.
    distance
        Length of a displacement [Å].

    Examples
    --------
    >>> from ase.build import bulk
    >>> len(displacements(bulk("Cu", cubic=True), (2, 2, 2)).supercells)
    1
    """

    cell: Atoms
    repeat: tuple[int, int, int]
    perfect: Atoms
    supercells: tuple[Atoms, ...]
    distance: float


def displacements(cell: Atoms, repeat: Sequence[int], distance: float = 0.01) -> Displacements:
    """Displace one atom at a time in a supercell.

    Parameters
    ----------
    cell
        Relaxed cell; its constraints are not taken over, since every atom vibrates.
    repeat
        Supercell along the three lattice vectors; 1 along the vacuum of a sheet.
    distance
        Length of a displacement [Å].

    Returns
    -------
    Displacements
        Atoms are ordered as those of the cell, all images of one after the other.

    Examples
    --------
    >>> from ase.build import bulk
    >>> made = displacements(bulk("CdSe", "zincblende", a=6.05), (2, 2, 2))
    >>> [supercell.get_chemical_formula() for supercell in made.supercells]
    ['Cd8Se8', 'Cd8Se8']
    """
    counts = tuple(int(n) for n in repeat)
    if len(counts) != 3 or min(counts) < 1:
        raise InputError("supercell", expected="three numbers of at least 1", got=tuple(repeat))
    if distance <= 0:
        raise InputError("displacement", expected="a length above 0 Å", got=distance)
    phonon = _phonopy(cell, counts)
    phonon.generate_displacements(distance=distance)
    supercells = tuple(_to_ase(made) for made in phonon.supercells_with_displacements or [])
    a, b, c = counts
    return Displacements(
        cell=cell.copy(),
        repeat=(a, b, c),
        perfect=_to_ase(phonon.supercell),
        supercells=supercells,
        distance=distance,
    )


def phonon_calculations(
    name: str, displaced: Displacements, settings: Settings, tags: Mapping[str, Any] | None = None
) -> tuple[Calculation, ...]:
    """Perfect and displaced supercells as calculations of one energy each: VASP decks, or for an embedded engine.

    Parameters
    ----------
    name
        Of the structure whose phonons are asked for; the calculations are ``<name>-phonon-000``, the perfect
        supercell, then ``-001`` and so on.
    displaced
        From `displacements`.
    settings
        Of the cell; the k-point mesh is thinned by the repeats and the electronic tolerance tightened to 1e-8 eV,
        because force constants are small differences.
    tags
        Added to each calculation's own.

    Examples
    --------
    >>> from ase.build import bulk
    >>> settings = Settings(source="example", kpoints=(8, 8, 8))
    >>> made = phonon_calculations("Cu", displacements(bulk("Cu"), (2, 2, 2)), settings)
    >>> made[0].name, made[0].role.kind, made[0].settings.kpoints, made[0].settings.relax
    ('Cu-phonon-000', 'phonon', (4, 4, 4), 'none')
    """
    k1, k2, k3 = (max(1, -(-k // n)) for k, n in zip(settings.kpoints, displaced.repeat, strict=True))
    single = replace(settings, relax="none", kpoints=(k1, k2, k3), electronic_tolerance=1e-8)
    return tuple(
        Calculation(
            name=f"{name}-phonon-{number:03d}",
            role=Role(kind="phonon", **tags or {}, phonon_of=name, displacement=number, repeat=list(displaced.repeat)),
            atoms=supercell,
            settings=single,
        )
        for number, supercell in enumerate((displaced.perfect, *displaced.supercells))
    )


def forces_of(results: Sequence[CalculationResult]) -> Array:
    """Forces that the displacements bring about [eV/Å], shape (displacements, atoms, 3).

    Parameters
    ----------
    results
        Of the calculations of `phonon_calculations`, in their order: the perfect supercell first.

    Returns
    -------
    array
        Forces of every displaced supercell less those of the perfect one, the mean force taken out of each.

    Raises
    ------
    InputError
        One is not converged, or has no forces.

    Examples
    --------
    >>> from ase.calculators.emt import EMT
    >>> from ase.build import bulk
    >>> crystal = bulk("Cu") * (2, 1, 1)
    >>> crystal.calc = EMT()
    >>> energy = crystal.get_potential_energy()
    >>> run = CalculationResult(name="a", path="a", level_of_theory="EMT", energy=energy, atoms=crystal, converged=True)
    >>> forces_of([run, run]).shape
    (1, 2, 3)
    """
    collected = [_forces(result) for result in results]
    # What the perfect supercell feels (a relaxation stops at a finite force, a grid in space pulls on every atom) is
    # no answer to a displacement; it would enter the force constants divided by the displacement.
    changes = np.array(collected[1:], dtype=float) - collected[0]
    return np.asarray(changes - changes.mean(axis=1, keepdims=True))


def _forces(result: CalculationResult) -> Array:
    calculator = None if result.atoms is None else result.atoms.calc
    forces = None if calculator is None else calculator.results.get("forces")
    if result.energy is None or forces is None or not result.converged:
        said = "; ".join(result.problems) or "no forces"
        raise InputError(
            result.path, expected="a finished, converged run with forces", got=said, advice="run it, or continue it"
        )
    return np.asarray(forces, dtype=float)


def force_constants(displaced: Displacements, forces: Array) -> Array:
    """Second derivatives of the energy from the forces of the displaced supercells.

    Parameters
    ----------
    displaced
        From `displacements`.
    forces
        Shape (displacements, atoms of the supercell, 3) [eV/Å].

    Returns
    -------
    array
        Shape (atoms of the supercell, atoms of the supercell, 3, 3) [eV/Å²]; translational invariance and the
        symmetry of mixed derivatives are imposed.

    Examples
    --------
    >>> from ase.build import bulk
    >>> displaced = displacements(bulk("Cu"), (2, 1, 1))
    >>> force_constants(displaced, np.zeros((1, 2, 3))).shape
    (2, 2, 3, 3)
    """
    expected = (len(displaced.supercells), len(displaced.supercells[0]), 3)
    if np.shape(forces) != expected:
        raise InputError("forces", expected=f"shape {expected}", got=np.shape(forces))
    phonon = _phonopy(displaced.cell, displaced.repeat)
    phonon.generate_displacements(distance=displaced.distance)
    phonon.forces = np.asarray(forces, dtype=float)
    phonon.produce_force_constants(calculate_full_force_constants=True)
    phonon.symmetrize_force_constants()
    return np.array(phonon.force_constants, dtype=float)


def phonon_modes(
    cell: Atoms,
    repeat: Sequence[int],
    constants: Array,
    mesh: Sequence[int],
    *,
    charges: Mapping[str, Any] | None = None,
    primitive: Sequence[Sequence[float]] | None = None,
) -> PhononModes:
    """Frequencies and eigenvectors of a cell on a mesh of wave vectors that holds Gamma.

    Parameters
    ----------
    cell, repeat
        As given to `displacements`.
    constants
        From `force_constants`.
    mesh
        Wave vectors along the three reciprocal vectors; 1 along the vacuum of a sheet.
    charges
        ``born`` (atoms, 3, 3) and ``dielectric`` (3, 3) for the splitting of optical modes in bulk crystals; leave
        out for sheets, where the bulk formula does not hold.
    primitive
        Lattice vectors of a smaller cell, as rows in those of the cell, whose modes are wanted; None takes the cell.

    Returns
    -------
    PhononModes
        Every wave vector of the mesh, symmetry not used, so that projections are those of the atoms as they stand.

    Examples
    --------
    >>> from ase.build import bulk
    >>> displaced = displacements(bulk("Cu"), (1, 1, 1))
    >>> constants = force_constants(displaced, np.zeros((1, 1, 3)))
    >>> phonon_modes(bulk("Cu"), (1, 1, 1), constants, (2, 2, 1)).frequencies_THz.shape
    (4, 3)
    """
    phonon = _phonopy(cell, repeat, primitive)
    phonon.force_constants = np.asarray(constants, dtype=float)
    if charges is not None:
        phonon.nac_params = {
            "born": np.asarray(charges["born"]),
            "dielectric": np.asarray(charges["dielectric"]),
            "factor": units.Hartree * units.Bohr,  # e²/(4 pi epsilon_0) [eV Å]
        }
    grid = phonon.run_mesh(
        list(mesh), is_mesh_symmetry=False, is_time_reversal=False, with_eigenvectors=True, is_gamma_center=True
    )
    n_atoms = len(phonon.primitive)
    vectors = np.asarray(grid.eigenvectors).reshape(-1, n_atoms, 3, 3 * n_atoms)
    return PhononModes(
        frequencies_THz=np.array(grid.frequencies, dtype=float),
        eigenvectors=vectors,
        masses=np.array(phonon.primitive.masses, dtype=float),
    )


def _phonopy(cell: Atoms, repeat: Sequence[int], primitive: Sequence[Sequence[float]] | None = None) -> Phonopy:
    unit = PhonopyAtoms(
        symbols=cell.get_chemical_symbols(),
        cell=cell.cell.array,
        scaled_positions=cell.get_scaled_positions(wrap=False),
        masses=cell.get_masses(),
    )
    columns = "P" if primitive is None else np.array(primitive, dtype=float).T  # phonopy's vectors are columns
    with warnings.catch_warnings():
        # a supercell that is longer one way has fewer operations than the crystal; the fewer are then used
        warnings.filterwarnings("ignore", message="Warning: Point group symmetries")
        return Phonopy(unit, supercell_matrix=np.diag(repeat), primitive_matrix=columns)


def _to_ase(made: PhonopyAtoms) -> Atoms:
    return Atoms(made.symbols, scaled_positions=made.scaled_positions, cell=made.cell, masses=made.masses, pbc=True)

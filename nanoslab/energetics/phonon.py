"""Phonons by finite displacements: displaced supercells out, forces in, phonopy's modes on a mesh of wave vectors."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from nanoslab.errors import InputError


def displaced_supercells(cell: Atoms, repeat: Sequence[int], distance: float = 0.01) -> tuple[Atoms, ...]:
    """Supercell with every atom in its place, then those with one atom moved each, as many as the symmetry asks for.

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
    tuple of Atoms
        Atoms are ordered as those of the cell, all images of one after the other.

    Examples
    --------
    >>> from ase.build import bulk
    >>> made = displaced_supercells(bulk("CdSe", "zincblende", a=6.05), (2, 2, 2))
    >>> [supercell.get_chemical_formula() for supercell in made]
    ['Cd8Se8', 'Cd8Se8', 'Cd8Se8']
    """
    if len(repeat) != 3 or min(repeat) < 1:
        raise InputError("supercell", expected="three numbers of at least 1", got=tuple(repeat))
    if distance <= 0:
        raise InputError("displacement", expected="a length above 0 Å", got=distance)
    phonon = _phonopy(cell, repeat)
    phonon.generate_displacements(distance=distance)
    return tuple(_to_ase(made) for made in (phonon.supercell, *(phonon.supercells_with_displacements or ())))


def cell_of_supercell(perfect: Atoms, repeat: Sequence[int]) -> Atoms:
    """Cell from which `displaced_supercells` made a perfect supercell.

    Examples
    --------
    >>> from ase.build import bulk
    >>> perfect = displaced_supercells(bulk("CdSe", "zincblende", a=6.05), (2, 2, 1))[0]
    >>> cell_of_supercell(perfect, (2, 2, 1)).cell.lengths().round(2).tolist()
    [4.28, 4.28, 4.28]
    """
    cell: Atoms = perfect[:: int(np.prod(repeat))]
    cell.set_cell(perfect.cell.array / np.reshape(repeat, (3, 1)), scale_atoms=False)
    return cell


def phonon_modes(supercells: Sequence[Atoms], repeat: Sequence[int], forces: ArrayLike, mesh: Sequence[int]) -> Phonopy:
    """Modes on a mesh of wave vectors that holds Gamma, from the forces on supercells with one atom moved each.

    Parameters
    ----------
    supercells, repeat
        From `displaced_supercells`, the perfect one first, and what it was given.
    forces
        On all atoms of every supercell [eV/Å], shape (supercells, atoms of a supercell, 3).
    mesh
        Wave vectors along the three reciprocal vectors; 1 along the vacuum of a sheet.

    Returns
    -------
    Phonopy
        With force constants [eV/Å²], made translationally invariant and symmetric, and with frequencies [THz,
        imaginary ones negative] and eigenvectors in its ``mesh``: every wave vector, symmetry not used, so that
        projections are those of the atoms as they stand.

    Raises
    ------
    InputError
        The forces are not those of these supercells, or the supercells not those of one cell.
    """
    perfect, *displaced = supercells
    found = np.asarray(forces, dtype=float)
    expected = (len(supercells), len(perfect), 3)
    if found.shape != expected:
        raise InputError("forces", expected=f"shape {expected}", got=found.shape)
    try:
        phonon = _phonopy(cell_of_supercell(perfect, repeat), repeat)
        is_repeated = np.abs(_moves(_to_ase(phonon.supercell), perfect)).max() < 1e-4
    except (RuntimeError, ValueError):  # phonopy finds atoms on top of one another, or another number of them
        is_repeated = False
    if not is_repeated:
        raise InputError("supercells", expected=f"{tuple(repeat)} times one cell, atom by atom", got="another order")
    phonon.dataset = {"natom": len(perfect), "first_atoms": [_displacement(one, perfect) for one in displaced]}
    # What the perfect supercell feels (a relaxation stops at a finite force, a grid in space pulls on every atom) is
    # no answer to a displacement; it would enter the force constants divided by the displacement.
    changes = found[1:] - found[0]
    phonon.forces = changes - changes.mean(axis=1, keepdims=True)
    phonon.produce_force_constants(calculate_full_force_constants=True)
    phonon.symmetrize_force_constants()
    phonon.run_mesh(
        list(mesh), is_mesh_symmetry=False, is_time_reversal=False, with_eigenvectors=True, is_gamma_center=True
    )
    return phonon


def _phonopy(cell: Atoms, repeat: Sequence[int]) -> Phonopy:
    unit = PhonopyAtoms(
        symbols=cell.get_chemical_symbols(),
        cell=cell.cell.array,
        scaled_positions=cell.get_scaled_positions(wrap=False),
        masses=cell.get_masses(),
    )
    with warnings.catch_warnings():
        # a supercell that is longer one way has fewer operations than the crystal; the fewer are then used
        warnings.filterwarnings("ignore", message="Warning: Point group symmetries")
        return Phonopy(unit, supercell_matrix=np.diag(repeat), primitive_matrix="P")


def _to_ase(made: PhonopyAtoms) -> Atoms:
    return Atoms(made.symbols, scaled_positions=made.scaled_positions, cell=made.cell, masses=made.masses, pbc=True)


def _moves(atoms: Atoms, perfect: Atoms) -> np.ndarray:
    moved = np.linalg.solve(perfect.cell.array.T, (atoms.positions - perfect.positions).T).T
    return np.asarray((moved - np.round(moved)) @ perfect.cell.array)


def _displacement(atoms: Atoms, perfect: Atoms) -> dict[str, object]:
    """Which atom of a supercell was moved, and where to [Å]."""
    moves = _moves(atoms, perfect)
    lengths = np.linalg.norm(moves, axis=1)
    number = int(lengths.argmax())
    if np.delete(lengths, number).max(initial=0.0) > 1e-3 * lengths[number]:
        raise InputError("supercells", expected="one atom moved in each", got=f"{(lengths > 1e-6).sum()} atoms moved")
    return {"number": number, "displacement": moves[number]}

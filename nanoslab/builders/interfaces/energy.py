"""Energies of coherent interfaces with any ASE calculator: strain in layers, and the interface itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.calculators.calculator import BaseCalculator
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from nanoslab.builders.interfaces.coincidence import Coincidence, face_frame, step_along
from nanoslab.builders.recipe import require_positive, require_whole_number
from nanoslab.errors import InputError
from nanoslab.symmetry import standard_cell

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BiaxialModulus:
    """Energy of a crystal strained alike along both directions of a face, its normal relaxed.

    Attributes
    ----------
    modulus
        M of the energy density M (ε - ε0)² [eV/Å³]; 1 eV/Å³ is 160.2 GPa.
    equilibrium
        ε0, the strain at which the calculator has its minimum.
    largest_residual
        Of the fit [eV/Å³].
    """

    modulus: float
    equilibrium: float
    largest_residual: float


def biaxial_modulus(
    cell: Atoms, face: str, calculator: BaseCalculator, *, strains: tuple[float, ...] = (-0.02, -0.01, 0.0, 0.01, 0.02)
) -> BiaxialModulus:
    """Biaxial modulus of a crystal on a face, from energies; atoms move with the cell (exact for cubic {001}).

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> found = biaxial_modulus(bulk("Cu", cubic=True), "001", EMT())
    >>> 0.5 < found.modulus < 1.0  # of experimental C11 + C12 - 2 C12²/C11: 0.72 eV/Å³
    True
    """
    frame, _ = face_frame(cell, face)

    def energy(strain: float, along: float) -> float:
        gradient = frame.T @ np.diag([1.0 + strain, 1.0 + strain, 1.0 + along]) @ frame
        strained: Atoms = cell.copy()
        strained.set_cell(cell.cell.array @ gradient.T, scale_atoms=True)
        strained.calc = calculator
        return float(strained.get_potential_energy())

    lowest = []
    for strain in strains:
        found = minimize_scalar(
            lambda along, s=strain: energy(s, along), method="bounded", bounds=(-0.12, 0.12), options={"xatol": 1e-4}
        )
        if abs(found.x) > 0.115:
            raise InputError("strain", expected="a minimum along the normal", got="none", advice="another calculator")
        lowest.append(found.fun / cell.get_volume())
    curve = np.polynomial.Polynomial.fit(strains, lowest, 2).convert()
    residual = float(np.abs(curve(np.array(strains)) - lowest).max())
    slope, modulus = (float(one) for one in curve.coef[1:])
    return BiaxialModulus(modulus=modulus, equilibrium=-slope / (2.0 * modulus), largest_residual=residual)


def coherent_strain_energy(
    moduli: tuple[float, float], misfit: float, thicknesses: tuple[float, Vector | float]
) -> Vector:
    """Elastic energy density of two coherent layers free to share one in-plane length [eV/Å³].

    Minimum over the common length of M1 h1 ε² + M2 h2 (ε - f)², over h1 + h2. Against h2 it rises, peaks at
    h1 (M1/M2)^½ and falls: a thin layer holds little of the strain, and one beside a thin core strains the core.

    Parameters
    ----------
    moduli
        M of the two [eV/Å³], see `biaxial_modulus`.
    misfit
        Strain of the second that would make it meet the first unstrained.
    thicknesses
        h1 and h2, any unit.

    Examples
    --------
    >>> layers = np.linspace(0.5, 20.0, 40)
    >>> energies = coherent_strain_energy((0.8, 0.2), 0.03, (4.0, layers))
    >>> float(layers[np.argmax(energies)])  # 4 nm times (0.8 / 0.2)^½
    8.0
    """
    first, second = (require_positive("modulus", modulus, "eV/Å³") for modulus in moduli)
    own, other = thicknesses[0], np.asarray(thicknesses[1], dtype=float)
    product = first * own * second * other
    return np.asarray(product * misfit**2 / ((first * own + second * other) * (own + other)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Superlattice:
    """Periodic stack of two materials with two interfaces, its parts as bulk in the same strain, and the area [Å²]."""

    atoms: Atoms
    parts: tuple[Atoms, Atoms]
    area: float


def build_superlattice(
    cells: tuple[Atoms, Atoms], coincidence: Coincidence, repeats: tuple[int, int], *, gap: float = 0.0
) -> Superlattice:
    """Coherent stack of a number of repeats of each crystal along the normal; `gap` [Å] is added at both interfaces.

    The second is strained in the plane to meet the first and keeps its normal.
    """
    parts = []
    for number, (cell, count) in enumerate(zip(cells, repeats, strict=True)):
        require_whole_number("repeats", count)
        primitive = standard_cell(cell, to_primitive=True)
        frame = coincidence.frames[number]
        step = step_along(primitive.cell.array, frame[2]) * count
        plane = np.hstack([coincidence.cells[number], np.zeros((2, 1))]) @ frame
        matrix = np.rint(np.linalg.solve(primitive.cell.array.T, np.vstack([plane, step]).T).T)
        block = make_supercell(primitive, matrix)
        target = coincidence.frames[0] @ coincidence.deformation(float(number), along_normal=False)
        block.set_cell(block.cell.array @ (target if number else frame).T, scale_atoms=True)
        block.wrap()
        parts.append(block)
    first, second = parts
    upper = second.copy()
    upper.positions += first.cell.array[2] + [0.0, 0.0, gap]
    atoms = first + upper
    atoms.set_cell(
        [first.cell.array[0], first.cell.array[1], first.cell.array[2] + second.cell.array[2] + [0, 0, 2 * gap]]
    )
    atoms.set_tags([1] * len(first) + [2] * len(second))
    return Superlattice(atoms=atoms, parts=(first, second), area=coincidence.area)


def interface_energy(superlattice: Superlattice, calculator: BaseCalculator) -> float:
    """Energy of one interface [eV/Å²]: the stack less its parts in the same strain, over both interfaces.

    As it is given: as built, or relaxed by `relax_superlattice`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> from nanoslab.builders.interfaces.coincidence import coincident_cells
    >>> cells = bulk("Cu", cubic=True), bulk("Cu", cubic=True)
    >>> stack = build_superlattice(cells, coincident_cells(*cells, ("001", "001"))[0], (2, 2))
    >>> abs(interface_energy(stack, EMT())) < 1e-9  # a crystal on itself has no interface
    True
    """
    energies = []
    for atoms in (superlattice.atoms, *superlattice.parts):
        copied: Atoms = atoms.copy()
        copied.calc = calculator
        energies.append(float(copied.get_potential_energy()))
    return (energies[0] - energies[1] - energies[2]) / (2.0 * superlattice.area)


def relax_superlattice(
    superlattice: Superlattice, calculator: BaseCalculator, *, force: float = 0.05, displacement: float = 0.03
) -> Superlattice:
    """Stack and parts with all atoms and the height of the cell relaxed, the plane held as it is.

    Atoms of the stack start from seeded random displacements [Å], since what symmetry holds is no minimum; another
    registry of the two materials may still be lower.

    Parameters
    ----------
    force
        Largest force on an atom and along the normal at the end [eV/Å].

    Raises
    ------
    InputError
        A relaxation does not end within 500 steps.
    """
    relaxed = []
    for number, atoms in enumerate((superlattice.atoms, *superlattice.parts)):
        moved: Atoms = atoms.copy()
        if number == 0:
            moved.rattle(displacement, seed=0)
        moved.calc = calculator
        if not FIRE(FrechetCellFilter(moved, mask=[0, 0, 1, 0, 0, 0]), logfile=None).run(fmax=force, steps=500):
            got = f"{np.linalg.norm(moved.get_forces(), axis=1).max():.3f} eV/Å after 500 steps"
            raise InputError(
                "interface", expected=f"forces below {force:g} eV/Å", got=got, advice="allow larger forces"
            )
        moved.calc = None
        relaxed.append(moved)
    return Superlattice(atoms=relaxed[0], parts=(relaxed[1], relaxed[2]), area=superlattice.area)

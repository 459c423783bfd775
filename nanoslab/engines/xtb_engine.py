"""xTB through tblite: a semi-empirical tight binding for molecules and ligands, usable as a rough check of crystals.

tblite samples the Gamma point alone, so small cells are computed as supercells whose edges reach ``supercell`` Å, which
is the same as a mesh of k-points; energies are folded back to the cell. With 12 Å, bulk CdSe is still about 0.05 eV per
atom from convergence (GFN2, 54 against 64 atoms), and metals are described badly (GFN2: bulk Cd is above the atom).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from ase.data import chemical_symbols

from nanoslab.calculation import Settings
from nanoslab.engines.interface import Capabilities, Engine, OwnCalculator
from nanoslab.engines.quiet import quiet
from nanoslab.engines.registry import choose, not_installed, refuse_unknown_options
from nanoslab.errors import InputError

METHODS = ("GFN2-xTB", "GFN1-xTB")
DEFAULTS = {"method": METHODS[0], "supercell": "12", "accuracy": "1.0", "temperature": "300"}


def create(options: Mapping[str, str]) -> Engine:
    """Return the xTB engine.

    Parameters
    ----------
    options
        ``method`` (GFN2-xTB or GFN1-xTB), ``supercell`` (shortest edge [Å]; 0 takes cells as they are),
        ``accuracy`` (tblite's own scale, smaller is tighter), ``temperature`` (of the electrons [K]).
    """
    refuse_unknown_options("xtb", options, DEFAULTS)
    method = choose("xtb", options, "method", METHODS)
    for key in ("supercell", "accuracy", "temperature"):
        _number(options, key)
    try:
        versions = {"tblite": version("tblite")}
    except PackageNotFoundError as missing:
        not_installed("xtb", "tblite", missing)
    return Engine(
        name="xtb",
        version=versions["tblite"],
        level_of_theory=f"{method} (tight binding, Gamma point of supercells of {_number(options, 'supercell'):g} Å)",
        capabilities=Capabilities(elements=frozenset(chemical_symbols[1:87])),
        calculator_factory=xtb_calculator,
        options={key: value for key, value in options.items() if value != DEFAULTS[key]},
        versions=versions,
    )


def xtb_calculator(atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
    """Return tblite's calculator for a supercell of these atoms, folded back to their cell."""
    from tblite.ase import TBLite

    inner = TBLite(
        method=choose("xtb", options, "method", METHODS),
        accuracy=_number(options, "accuracy"),
        electronic_temperature=_number(options, "temperature"),
        spin_polarization=1.0 if settings.spin_polarized else None,
        verbosity=0,
        cache_api=False,  # an energy must not depend on the one before, or a resumed run would end elsewhere
    )
    return FoldedCalculator(inner, repeats(atoms, _number(options, "supercell")))


def repeats(atoms: Atoms, shortest_edge: float) -> tuple[int, int, int]:
    """How often each periodic lattice vector is repeated to reach a length [Å]."""
    lengths = atoms.cell.lengths()
    a, b, c = (
        max(1, int(np.ceil(shortest_edge / length - 1e-6))) if periodic and length > 0 else 1
        for length, periodic in zip(lengths, atoms.pbc, strict=True)
    )
    return a, b, c


class FoldedCalculator(OwnCalculator):
    """Computes a supercell and gives back one cell's share: the Gamma point of the one is a mesh of the other.

    The supercell is fixed, so that the energy is smooth while the cell relaxes.
    """

    def __init__(self, inner: BaseCalculator, repeat: tuple[int, int, int]) -> None:
        super().__init__()
        self.inner = inner
        self.repeat = repeat

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Energy, forces and (where asked and periodic) stress of the cell."""
        del changes
        n_images = int(np.prod(self.repeat))
        supercell = structure.repeat(self.repeat)
        supercell.calc = self.inner
        with quiet():
            energy = float(supercell.get_potential_energy()) / n_images
            forces = supercell.get_forces().reshape(n_images, len(structure), 3).mean(axis=0)
        stress = {"stress": supercell.get_stress()} if "stress" in properties else {}
        return {"energy": energy, "free_energy": energy, "forces": forces, **stress}


def _number(options: Mapping[str, Any], key: str) -> float:
    text = options.get(key, DEFAULTS[key])
    try:
        return float(text)
    except ValueError:
        raise InputError(f"engine xtb: {key}", expected="a number", got=repr(text), advice="mend --engine") from None

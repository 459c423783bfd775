"""What it takes to leave: sublimation energies, compounds, and the neighbours an atom has.

Three energies must be kept apart. The displacement threshold E_d is what E_max is compared with. E_rem, the energy
to take the atom to vacuum with everything relaxed (a vacancy formation energy with the isolated atom as chemical
potential), is a lower bound of it. A vacancy formation energy with any other chemical potential is neither.

Counting bonds is the estimate of E_rem when nothing better is known. A crystal in which every atom has Z neighbours has
Z/2 bonds per atom, so one bond is worth 2 E_coh/Z and an atom with z of its neighbours left costs

    E_s = 2 E_coh z/Z.

Half of the bonds cost E_coh: sublimation takes atoms from such sites (a kink).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from nanoslab.beam.checks import require_positive
from nanoslab.beam.elements import element_data, symbols
from nanoslab.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from ase import Atoms
    from numpy.typing import NDArray

SUBLIMATION_SOURCE = "cohesive energy of the element at 0 K (Kittel)"

#: Egerton et al., Ultramicroscopy 110 (2010) 991: sputtering agrees reasonably with E_d = 5/3 E_sub
THRESHOLD_OVER_SUBLIMATION = 5 / 3

#: neighbours are closer than this times the sum of the covalent radii
NEIGHBOUR_FACTOR = 1.3


class SublimationEnergy(NamedTuple):
    """An energy per atom [eV] and where it comes from."""

    energy: float
    source: str


def sublimation_energy(symbol: str) -> float:
    """Energy to take an atom out of its element at 0 K [eV].

    C. Kittel, Introduction to Solid State Physics, 2005, as ASE carries it, but for B, Se and Te;
    see `nanoslab.beam.tables.elements_source`.

    Examples
    --------
    >>> sublimation_energy("Cd")
    1.16
    """
    energy = element_data(symbol).sublimation_energy
    if energy is None:
        raise InputError(
            f"sublimation energy of {symbol}",
            expected="an element of the table",
            got="none known",
            advice=f"give a threshold: --threshold {symbol}=6",
        )
    return energy


def sublimation_energies() -> dict[str, SublimationEnergy]:
    """Energies of sublimation of all elements that have one, with their source.

    Examples
    --------
    >>> sublimation_energies()["Pb"].energy
    2.03
    """
    known = {symbol: element_data(symbol).sublimation_energy for symbol in symbols()}
    return {s: SublimationEnergy(e, SUBLIMATION_SOURCE) for s, e in known.items() if e is not None}


def threshold_interval(energy: float) -> tuple[float, float]:
    """Interval in which the displacement threshold lies, from E_sub or E_rem [eV].

    Examples
    --------
    >>> threshold_interval(2.25)
    (2.25, 3.75)
    """
    require_positive("energy", energy, "eV")
    return energy, THRESHOLD_OVER_SUBLIMATION * energy


def mean_atomisation_energy(composition: Mapping[str, float], formation_enthalpy: float) -> float:
    """Mean energy to take a compound apart into atoms, (Σ E_at - ΔH_f)/n_atoms [eV per atom].

    Parameters
    ----------
    composition
        Atoms of each element in the formula unit.
    formation_enthalpy
        ΔH_f of the formula unit from the elements [eV], negative for a stable compound.

    Examples
    --------
    >>> round(mean_atomisation_energy({"Cd": 1, "Se": 1}, -1.42), 3)
    2.52
    """
    if formation_enthalpy > 0:
        raise InputError(
            "formation enthalpy",
            expected="0 eV or less, that of a stable compound from its elements",
            got=f"{formation_enthalpy:g}",
            advice=f"did you mean {-formation_enthalpy:g}?",
        )
    n_atoms = sum(composition.values())
    if not composition or not min(composition.values()) > 0:
        raise InputError("composition", expected="a number of atoms of each element", got=dict(composition))
    total = sum(n * sublimation_energy(symbol) for symbol, n in composition.items()) - formation_enthalpy
    require_positive(
        "mean atomisation energy", total, "eV", "the formation enthalpy is that of the formula unit, in eV"
    )
    return total / n_atoms


def neighbour_lists(atoms: Atoms, factor: float = NEIGHBOUR_FACTOR) -> list[NDArray[np.intp]]:
    """Indices of the neighbours of every atom, periodic images counted each.

    Parameters
    ----------
    atoms
        Any structure; not changed.
    factor
        Cutoff over the sum of the covalent radii.
    """
    import numpy as np
    from ase.neighborlist import natural_cutoffs, neighbor_list

    require_positive("factor", factor, "")
    first, second = neighbor_list("ij", atoms, natural_cutoffs(atoms, mult=factor))
    starts = np.searchsorted(first, np.arange(1, len(atoms)))
    return np.split(second, starts)


def bond_counting_energy(cohesive_energy: float, n_neighbours: int, full_coordination: int) -> float:
    """Energy to take an atom with z of its Z neighbours away, 2 E_coh z/Z [eV].

    Examples
    --------
    >>> bond_counting_energy(2.46, 3, 6) == sublimation_energy("Se")  # a half-coordinated site
    True
    >>> round(bond_counting_energy(2.329, 3, 4), 2)  # Se or Cd on (11-20) of CdSe, PBE
    3.49
    """
    require_positive("cohesive energy", cohesive_energy, "eV")
    require_positive("full coordination", full_coordination, "")
    return 2 * cohesive_energy * n_neighbours / full_coordination


def surface_binding_energies(
    atoms: Atoms,
    cohesive_energies: Mapping[str, float],
    full_coordination: Mapping[str, int] | None = None,
) -> NDArray[np.float64]:
    """Energy to leave of every atom from its own neighbours, 2 E_coh z/Z [eV].

    Parameters
    ----------
    atoms
        Any structure; not changed.
    cohesive_energies
        For each element the cohesive energy per atom of its crystal [eV], such as `mean_atomisation_energy`.
    full_coordination
        Neighbours Z of an atom inside the crystal; by default the most that an atom of the element has here.

    Returns
    -------
    Shape (n_atoms,); 0 for an atom without neighbours.

    Examples
    --------
    >>> from ase.build import bulk
    >>> surface_binding_energies(bulk("CdSe", "zincblende", a=6.05), {"Cd": 2.4, "Se": 2.4})
    array([4.8, 4.8])
    """
    import numpy as np

    counts = np.array([len(near) for near in neighbour_lists(atoms)])
    species = np.array(atoms.get_chemical_symbols())
    full = full_neighbours(species, counts, full_coordination)
    per_bond = energies_per_bond(full, cohesive_energies)
    return np.asarray(counts * np.array([per_bond[symbol] for symbol in species.tolist()]))


def energies_per_bond(full: Mapping[str, int], cohesive_energies: Mapping[str, float]) -> dict[str, float]:
    """2 E_coh/Z of each element with Z neighbours inside the crystal [eV]."""
    for symbol in full:
        if symbol not in cohesive_energies:
            raise InputError(
                "cohesive energies", expected=f"an energy for {symbol}", got=", ".join(cohesive_energies) or "none"
            )
        require_positive(f"cohesive energy of {symbol}", cohesive_energies[symbol], "eV")
    return {symbol: 2 * cohesive_energies[symbol] / most for symbol, most in full.items()}


def full_neighbours(
    species: NDArray[np.str_], counts: NDArray[np.int_], given: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Neighbours of a fully coordinated atom of each element: as given, or the most found."""
    full = {}
    for symbol in dict.fromkeys(species.tolist()):
        most = int(counts[species == symbol].max())
        full[symbol] = int((given or {}).get(symbol, most))
        require_positive(
            f"full coordination of {symbol}", full[symbol], "", "the structure has no bonds; check the cell"
        )
    return full

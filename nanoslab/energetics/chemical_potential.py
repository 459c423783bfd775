"""Where a removed atom goes: chemical potentials by name, each with where its numbers come from.

``atom``: an isolated atom in vacuum (Ma 2023). ``element``: the elemental crystal, per atom. ``rich:X``: X as its
crystal, the partner bounded by the bulk compound, n_X mu_X + n_Y mu_Y = E(X_n Y_m), the usual limits of its stability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nanoslab.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChemicalPotentials:
    """Set named ``atom``, ``element`` or ``rich:X``: element -> chemical potential [eV per atom], and its source."""

    name: str
    values: Mapping[str, float]
    sources: Mapping[str, str]


def of_elements(energies: Mapping[str, tuple[float, str]]) -> ChemicalPotentials:
    """Chemical potentials ``element`` from energies per atom [eV] and their sources.

    Examples
    --------
    >>> of_elements({"Se": (-3.5, "trigonal Se")}).name
    'element'
    """
    return named_potentials("element", energies)


def of_atoms(energies: Mapping[str, tuple[float, str]]) -> ChemicalPotentials:
    """Chemical potentials ``atom`` from energies of isolated atoms [eV] and their sources.

    Examples
    --------
    >>> of_atoms({"Se": (-0.74, "Se atom, triplet")}).values
    {'Se': -0.74}
    """
    return named_potentials("atom", energies)


def of_atoms_from_cohesive_energies(
    elements: ChemicalPotentials, cohesive_energies: Mapping[str, tuple[float, str]]
) -> ChemicalPotentials:
    """Chemical potentials ``atom`` of a method that cannot describe an isolated atom.

    mu(atom) = mu(element) + E_coh, with the cohesive energy E_coh > 0 [eV per atom] measured or from elsewhere.

    Examples
    --------
    >>> elements = of_elements({"Se": (-3.5, "trigonal Se")})
    >>> of_atoms_from_cohesive_energies(elements, {"Se": (2.25, "measured, 0 K")}).values
    {'Se': -1.25}
    """
    values, sources = {}, {}
    for element in (name for name in elements.values if name in cohesive_energies):  # in one order, always
        energy, source = cohesive_energies[element]
        if energy <= 0:
            raise InputError(f"cohesive energy of {element}", expected="a value above 0 eV", got=energy)
        values[element] = elements.values[element] + energy
        sources[element] = f"{elements.sources[element]} + {energy:.3f} eV/atom ({source})"
    return ChemicalPotentials(name="atom", values=values, sources=sources)


def of_rich_limit(
    rich: str, elements: ChemicalPotentials, compound_counts: Mapping[str, int], compound_energy: float
) -> ChemicalPotentials:
    """Chemical potentials ``rich:X`` of a binary compound in equilibrium with crystalline X.

    Parameters
    ----------
    rich
        The element whose crystal sets its own chemical potential.
    elements
        Potentials of the elemental crystals.
    compound_counts, compound_energy
        Atoms in the cell of the bulk compound (InputError where it is not binary) and its energy [eV].

    Examples
    --------
    >>> elements = of_elements({"Cd": (-0.8, "hcp Cd"), "Se": (-3.5, "trigonal Se")})
    >>> of_rich_limit("Se", elements, {"Cd": 2, "Se": 2}, -11.4).values
    {'Se': -3.5, 'Cd': -2.2}
    """
    if len(compound_counts) != 2 or rich not in compound_counts:
        got = " ".join(f"{element}{count}" for element, count in compound_counts.items())
        raise InputError(f"rich:{rich}", expected="an element of a binary compound", got=got)
    if rich not in elements.values:
        raise InputError(f"rich:{rich}", expected=f"the energy of crystalline {rich}", got="none")
    (partner,) = set(compound_counts) - {rich}
    rest = compound_energy - compound_counts[rich] * elements.values[rich]
    return ChemicalPotentials(
        name=f"rich:{rich}",
        values={rich: elements.values[rich], partner: rest / compound_counts[partner]},
        sources={rich: elements.sources[rich], partner: f"bulk compound less {rich}"},
    )


def named_potentials(name: str, energies: Mapping[str, tuple[float, str]]) -> ChemicalPotentials:
    """Chemical potentials of any name from energies per atom [eV] and their sources."""
    return ChemicalPotentials(
        name=name,
        values={element: energy for element, (energy, _) in energies.items()},
        sources={element: source for element, (_, source) in energies.items()},
    )

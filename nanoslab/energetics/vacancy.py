"""Formation energies of vacancies and whole missing layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from nanoslab.energetics.chemical_potential import ChemicalPotentials
from nanoslab.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class VacancyEnergy:
    """Energy of a structure that lost atoms, against the whole one."""

    #: element -> number of atoms removed (all positive), and left
    removed: Mapping[str, int]
    counts: Mapping[str, int]
    #: E(defect), and E(defect) - E(pristine) [eV]
    energy: float
    energy_difference: float
    #: name of the chemical potentials -> E_f [eV] for all atoms removed together
    formation_energies: Mapping[str, float]
    #: element -> chemical potential of its crystal [eV per atom], or empty when unknown
    element_potentials: Mapping[str, float]

    @property
    def n_removed(self) -> int:
        """Number of atoms removed."""
        return sum(self.removed.values())

    @property
    def energy_per_atom(self) -> float:
        """E(defect) per atom left [eV]."""
        return self.energy / sum(self.counts.values())

    @property
    def formation_energy_per_atom(self) -> float | None:
        """[E - sum N_i mu_i(element)] / N: energy of forming the sheet from the elements, per atom [eV]."""
        return formation_energy_per_atom(self.energy, self.counts, self.element_potentials)


def vacancy_energy(
    *,
    defect_energy: float,
    defect_counts: Mapping[str, int],
    pristine_energy: float,
    pristine_counts: Mapping[str, int],
    potentials: Mapping[str, ChemicalPotentials],
) -> VacancyEnergy:
    """E_f = E_defect - E_pristine + sum_i n_i mu_i over the n_i atoms removed; energies at the same settings [eV].

    Potentials that do not cover every removed element give no entry in the result.
    Source: Ma 2023 (with mu of the isolated atom); Freysoldt et al., Rev. Mod. Phys. 86, 253 (2014), eq. 3
    for a neutral defect.

    Raises
    ------
    InputError
        If the defect does not hold fewer atoms than the pristine structure, or more of any element.

    Examples
    --------
    >>> from nanoslab.energetics.chemical_potential import of_elements
    >>> result = vacancy_energy(defect_energy=-94.6, defect_counts={"Cd": 14, "Se": 13},
    ...     pristine_energy=-100.0, pristine_counts={"Cd": 14, "Se": 14},
    ...     potentials={"element": of_elements({"Se": (-3.4, "trigonal Se")})})
    >>> round(result.formation_energies["element"], 6)
    2.0
    """
    difference = Counter(pristine_counts)
    difference.subtract(defect_counts)
    removed = {element: count for element, count in difference.items() if count}
    if not removed or min(removed.values()) < 0:
        expected = f"a structure with fewer atoms than {_formula(pristine_counts)} and more of none"
        advice = "give the pristine structure that the atoms were removed from"
        raise InputError("vacancy", expected=expected, got=_formula(defect_counts), advice=advice)
    energies = {
        name: defect_energy - pristine_energy + sum(n * mu.values[element] for element, n in removed.items())
        for name, mu in potentials.items()
        if removed.keys() <= mu.values.keys()
    }
    element = potentials.get("element")
    return VacancyEnergy(
        removed=removed,
        counts=dict(defect_counts),
        energy=defect_energy,
        energy_difference=defect_energy - pristine_energy,
        formation_energies=energies,
        element_potentials=dict(element.values) if element else {},
    )


def formation_energy_per_atom(
    energy: float, counts: Mapping[str, int], element_potentials: Mapping[str, float]
) -> float | None:
    """[E - sum N_i mu_i] / N [eV], or None when an element's potential is unknown.

    Examples
    --------
    >>> formation_energy_per_atom(-12.0, {"Cd": 2, "Se": 2}, {"Cd": -1.0, "Se": -4.0})
    -0.5
    """
    if not counts.keys() <= element_potentials.keys():
        return None
    reference = sum(count * element_potentials[element] for element, count in counts.items())
    return (energy - reference) / sum(counts.values())


def _formula(counts: Mapping[str, int]) -> str:
    return " ".join(f"{element}{count}" for element, count in sorted(counts.items()) if count)

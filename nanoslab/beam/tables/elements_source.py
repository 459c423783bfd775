"""Writes ``elements.tsv`` from ASE and periodictable: ``python -m nanoslab.beam.tables.elements_source``.

The file exists for speed: importing either source takes longer than ``nanoslab knockon`` may.
Standard masses are ASE's, so that they equal those of every `Atoms` in the toolkit; isotopes
(masses of AME 2020, natural abundances of CIAAW) are periodictable's; energies of sublimation are ASE's
table of cohesive energies at 0 K (C. Kittel, Introduction to Solid State Physics, 2005), except `OTHER_SUBLIMATION`.
"""

from __future__ import annotations

from pathlib import Path

from nanoslab.beam.elements import ELEMENTS_FILE, LAST_ATOMIC_NUMBER
from nanoslab.files import write_atomically

#: printings of the same table differ for three elements (ASE: B 5.81, Se 2.46, Te 2.19 eV); Se is ASE's, which is
#: closer to thermochemistry (about 2.36 eV); the reference numbers of B and Te were computed with these
OTHER_SUBLIMATION = {"B": 5.77, "Te": 2.23}


def elements_table() -> str:
    """Content of ``elements.tsv`` as the two sources give it today.

    Elements whose natural isotopes the source does not give (Tc, Pm, Po and beyond, U) have an empty last column.
    """
    import periodictable
    from ase.data import atomic_masses, chemical_symbols
    from ase.data.cohesive_energies import cohesive_energy

    versions = f"ase {_version('ase')}, periodictable {_version('periodictable')}"
    lines = [
        f"# written by python -m nanoslab.beam.tables.elements_source from {versions}",
        "# Z\tsymbol\tstandard mass [u]\tsublimation energy [eV]\tmass number:mass [u]:natural abundance, ...",
    ]
    for atomic_number in range(1, LAST_ATOMIC_NUMBER + 1):
        element = periodictable.elements[atomic_number]
        natural = [element[number] for number in element.isotopes if element[number].abundance > 0]
        total = sum(isotope.abundance for isotope in natural)
        isotopes = ",".join(f"{i.isotope}:{float(i.mass)!r}:{i.abundance / total:.10g}" for i in natural)
        symbol, mass = chemical_symbols[atomic_number], float(atomic_masses[atomic_number])
        sublimation = OTHER_SUBLIMATION.get(symbol, cohesive_energy[atomic_number])
        lines.append(f"{atomic_number}\t{symbol}\t{mass!r}\t{'' if sublimation is None else sublimation}\t{isotopes}")
    return "\n".join(lines) + "\n"


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


if __name__ == "__main__":
    write_atomically(Path(ELEMENTS_FILE), elements_table())

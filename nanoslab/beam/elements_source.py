"""Writes ``elements.tsv`` from ASE and periodictable: ``python -m nanoslab.beam.elements_source``.

The file exists for speed: importing either source takes longer than ``nanoslab knockon`` may.
Standard masses are ASE's, so that they equal those of every `Atoms` in the toolkit; isotopes
(masses of AME 2020, natural abundances of CIAAW) are periodictable's.
"""

from __future__ import annotations

from pathlib import Path

from nanoslab.beam.elements import ELEMENTS_FILE, LAST_ATOMIC_NUMBER
from nanoslab.files import write_atomically


def elements_table() -> str:
    """Content of ``elements.tsv`` as the two sources give it today.

    Elements without natural isotopes (Tc, Pm, Po and beyond) have an empty last column.
    """
    import periodictable
    from ase.data import atomic_masses, chemical_symbols

    versions = f"ase {_version('ase')} (masses), periodictable {_version('periodictable')} (isotopes)"
    lines = [
        f"# written by python -m nanoslab.beam.elements_source from {versions}",
        "# Z\tsymbol\tstandard mass [u]\tmass number:mass [u]:natural abundance, ...",
    ]
    for atomic_number in range(1, LAST_ATOMIC_NUMBER + 1):
        element = periodictable.elements[atomic_number]
        natural = [element[number] for number in element.isotopes if element[number].abundance > 0]
        total = sum(isotope.abundance for isotope in natural)
        isotopes = ",".join(f"{i.isotope}:{float(i.mass)!r}:{i.abundance / total:.10g}" for i in natural)
        mass = float(atomic_masses[atomic_number])
        lines.append(f"{atomic_number}\t{chemical_symbols[atomic_number]}\t{mass!r}\t{isotopes}")
    return "\n".join(lines) + "\n"


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


if __name__ == "__main__":
    write_atomically(Path(ELEMENTS_FILE), elements_table())

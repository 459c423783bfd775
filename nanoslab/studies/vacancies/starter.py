"""A vacancy study filled in for one crystal and one face: sheet, mesh, series of every element, references."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ase import Atoms
from ase.data import atomic_numbers, ground_state_magnetic_moments
from ase.formula import Formula

from nanoslab.builders import available_terminations, build_nanosheet, sheet_ledger
from nanoslab.crystals import crystal_names, crystal_record
from nanoslab.measure.sheet import faces_differ
from nanoslab.presets import kpoint_mesh
from nanoslab.species import cations_first
from nanoslab.symmetry import crystal_symmetry

#: a sheet whose middle is like the bulk to an engine's eye is about this thick [Å]
THICKNESS = 10.0
#: between k-points of the plane [1/Å, with 2 pi]; the meshes of Ma et al. 2023 lie at 0.21 to 0.28
SPACING = 0.25
#: dipole of a cell that counts as polar [e Å]
POLAR = 0.5
#: most monolayers tried on the way to `THICKNESS`
_MOST = 40
#: elements whose crystals are usually computed with spin
_MAGNETIC = frozenset({"V", "Cr", "Mn", "Fe", "Co", "Ni", "Ce", "Eu", "Gd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Text of the study file, and what somebody should know of the sheet."""

    text: str
    remarks: tuple[str, ...]


def vacancy_starter(named: str, crystal: Atoms, face: str, monolayers: int | None = None) -> Starter:
    """Study of the atoms lost from one sheet of a crystal.

    Parameters
    ----------
    named
        The crystal as the study file shall name it: a reference crystal, or the path of a structure file.
    crystal
        Its atoms.
    face
        Miller or Miller-Bravais indices.
    monolayers
        Thickness; the fewest that make 10 Å when left out.
    """
    n = monolayers or _monolayers(crystal, face)
    sheet = build_nanosheet(crystal, face, n)
    summary = sheet_ledger(sheet)
    group = crystal_symmetry(crystal)
    bottom, top = summary.termination or ("", "")
    possible = ["/".join(ends) for ends in available_terminations(crystal, face, n) if ends != (bottom, top)]
    remarks = [f"{_formula(crystal)}, space group {group.symbol} ({group.number})"]
    remarks.append(f"{n} monolayers: {len(sheet)} atoms, {summary.thickness:.1f} Å, bottom/top {bottom}/{top}")
    if possible:
        remarks.append(f"other terminations (bottom/top): {', '.join(possible)}")
    remarks.append(_polarity(sheet, summary.dipole, summary.formal_charge))
    if not sheet.constraints:
        remarks.append("so thin a sheet that no atom is frozen")
    elements = cations_first(crystal.get_chemical_symbols())
    if magnetic := sorted(_MAGNETIC & set(elements)):
        remarks.append(f"{', '.join(magnetic)} may be magnetic: see spin_polarized in the file")
    formula = _formula(sheet)
    lines = [
        f"# Atoms lost from a sheet of {formula}. 'nanoslab new vacancies --fields' says what every field means.",
        *(f"# {remark}." for remark in remarks),
        "study: vacancies",
        f"title: {json.dumps(f'Atoms lost from {n} monolayers of {formula} ({face})')}",
        "",
        *_settings_lines(elements),
        *_sheet_lines(named, face, n, (bottom, top), sheet),
        *_loss_lines(elements),
    ]
    return Starter(text="\n".join(lines) + "\n", remarks=tuple(remarks))


def _formula(atoms: Atoms) -> str:
    """Composition, cations first."""
    counts = Formula(atoms.get_chemical_formula()).reduce()[0].count()
    return "".join(f"{element}{counts[element] if counts[element] > 1 else ''}" for element in cations_first(counts))


def _monolayers(crystal: Atoms, face: str) -> int:
    """Fewest monolayers that make a sheet of `THICKNESS`."""
    for n in range(1, _MOST):
        thickness = sheet_ledger(build_nanosheet(crystal, face, n)).thickness
        if thickness is not None and thickness >= THICKNESS:
            return n
    return _MOST


def _polarity(sheet: Atoms, dipole: object, charge: float) -> str:
    if charge:
        return f"formal charge {charge:+g} e: more of one species; the calculation is of the neutral cell"
    if isinstance(dipole, float) and abs(dipole) > POLAR:
        return f"polar: dipole {dipole:.1f} e Å by formal charges; a dipole correction is written"
    return "not polar, but its two faces differ" if faces_differ(sheet) else "not polar; both faces are alike"


def _settings_lines(elements: list[str]) -> list[str]:
    moments = {element: float(ground_state_magnetic_moments[atomic_numbers[element]]) for element in elements}
    high = {element: moment for element, moment in moments.items() if element in _MAGNETIC}
    return [
        "settings:",
        "  preset: pbe                # PBE, 400 eV, Gaussian 0.1 eV, 1e-5 eV, 0.01 eV/Å; test the cutoff",
        "  # cutoff_energy: 500",
        "  # spin_polarized: true",
        f"  # initial_moments: {json.dumps(high or {elements[0]: moments[elements[0]] or 1.0})}",
        "",
    ]


def _sheet_lines(named: str, face: str, monolayers: int, termination: tuple[str, str], sheet: Atoms) -> list[str]:
    mesh = kpoint_mesh(sheet.cell.array, spacing=SPACING, vacuum_axes=(2,))
    return [
        "sheets:",
        f"  - phase: {json.dumps(_formula(sheet))}",
        f"    crystal: {json.dumps(named, ensure_ascii=False)}",
        f"    face: {json.dumps(face)}",
        f"    monolayers: {monolayers}",
        f"    termination: {json.dumps(termination)}",
        "    repeat: [1, 1]             # one vacancy per cell: [2, 2] keeps its images apart",
        "    vacuum: 15.0               # Å",
        "    fix: middle",
        f"    kpoints: {list(mesh)}         # at most {SPACING} 1/Å apart; fewer with 'repeat'",
        "",
    ]


def _loss_lines(elements: list[str]) -> list[str]:
    known = {crystal_record(name).formula: name for name in crystal_names()}
    references = {element: known[element] for element in elements if element in known}
    unknown = [element for element in elements if element not in known]
    remark = f"   # none ships for {', '.join(unknown)}: name a file" if unknown else ""
    return [
        "series:",
        *(f"  - {{name: {element}, remove: {element}, region: top, counts: [1]}}" for element in elements),
        "",
        "references:",
        "  atoms: true                # an atom knocked out goes to vacuum",
        f"  elements: {json.dumps(references)}{remark}",
        "  bulk: true",
        "",
        "beam:",
        "  energies_keV: [80, 200, 300]",
    ]

"""Fit the correction of CHGNet to our own GPAW results of CdSe sheets, bulk CdSe, Cd and Se.

python cdse_gpaw.py [FILE.json]

Energies are those of workflows/reference_results/cdse_nanosheet_gpaw at the k-points of the study, forces those of its
final structures. The two symmetric zinc-blende sheets (saddles.json) are in the fit: they are the only ones whose
surface atoms lack two neighbours.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import ase.io

from nanoslab.calculation import Settings
from nanoslab.engines import engine
from nanoslab.engines.correction import Point, fit_correction, write_correction

RESULTS = Path(__file__).parents[1] / "reference_results" / "cdse_nanosheet_gpaw"
SHEETS = (
    "wurtzite-pristine",
    "wurtzite-v_Se-surface-1",
    "wurtzite-v_2Se-surface-1",
    "wurtzite-v_Se-layers-both-1",
    "zincblende-pristine",
    "zincblende-v_Se-surface-1",
    "zincblende-v_2Se-surface-1",
)
CRYSTALS = ("CdSe-wurtzite-bulk", "CdSe-zincblende-bulk", "Cd-element", "Se-element")
NETWORK = engine("chgnet:corrections=removed")


def point(name: str, file: Path, energy: float, *, counts: bool = True) -> Point:
    """One structure by both; the reference forces where the file has them."""
    atoms = ase.io.read(file)
    forces = atoms.get_forces(apply_constraint=False) if atoms.calc is not None else None
    atoms.constraints = []
    atoms.calc = NETWORK.calculator(atoms, Settings(source="PBE"))
    return Point(
        name=name,
        atoms=atoms,
        reference_energy=energy,
        energy=float(atoms.get_potential_energy()),
        reference_forces=forces,
        forces=atoms.get_forces(),
        counts=counts,
    )


def points() -> list[Point]:
    """All structures of the fit."""
    found = []
    for name in (*SHEETS, *CRYSTALS):
        energy = json.loads((RESULTS / name / "gpaw" / "result.json").read_text())["energy_eV"]
        found.append(point(name, RESULTS / name / "gpaw" / "final.extxyz", energy, counts=name in SHEETS))
    for saddle in json.loads((RESULTS / "saddles.json").read_text())["saddles"]:
        name = f"{saddle['calculation']}, symmetric"
        found.append(point(name, RESULTS / saddle["structure"], saddle["energy_eV"]))
    return found


def lone_atom(symbol: str) -> float:
    """Energy of the isolated atom in its ground state [eV]."""
    return float(json.loads((RESULTS / f"{symbol}-atom" / "gpaw" / "result.json").read_text())["energy_eV"])


if __name__ == "__main__":
    correction = fit_correction(
        points(),
        engine=NETWORK.name,
        engine_options=NETWORK.options,
        reference="PBE, plane waves to 400 eV (GPAW 26.7.0)",
        coordination={"Cd": 4, "Se": 4},
        lone_atoms={symbol: lone_atom(symbol) for symbol in ("Cd", "Se")},
    )
    write_correction(Path(sys.argv[1] if sys.argv[1:] else Path(__file__).with_name("cdse-gpaw.json")), correction)
    for term, value in correction.coefficients.items():
        print(f"{term.name:<14} {value:8.4f} eV")
    print(f"scale          {correction.scale:8.4f}")
    for left in correction.left_out:
        force = "" if left.force_error is None else f"{left.force_error:6.3f} eV/Å"
        print(f"{left.name:<40} {left.energy_error:7.3f} eV {force} {'' if left.counts else '(not counted)'}")
    print(f"error of a cell left out {correction.error:.3f} eV")

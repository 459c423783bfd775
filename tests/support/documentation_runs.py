"""Runs that the page on post-processing reads: a small campaign as it comes home, its energies made up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nanoslab.calculation import Calculation
from nanoslab.campaign import load_campaign
from nanoslab.driver.vasp_campaign import write_vasp_campaign
from nanoslab.studies.study_file import load_study

STUDY = """\
study: cdse-nanosheet
title: Se loss from a wurtzite sheet
settings: {preset: ma2023}
sheets:
  - {phase: wurtzite, crystal: CdSe-wurtzite, face: "11-20", monolayers: 7, kpoints: [4, 3, 1]}
series:
  - {name: surface, remove: Se, region: top, counts: [1, 2]}
  - {name: depth, remove: Se, region: depth, counts: [2]}
references:
  elements: {Cd: Cd-hcp, Se: Se-trigonal}
"""

#: energies in eV; those of sheets differ by about what density-functional theory gives
ENERGIES = {
    "wurtzite-pristine": -79.250,
    "wurtzite-v_Se-surface-1": -73.350,
    "wurtzite-v_2Se-surface-1": -67.300,
    "wurtzite-v_2Se-depth-1": -67.150,
    "wurtzite-v_2Se-depth-2": -67.180,
    "CdSe-wurtzite-bulk": -11.640,
    "Cd-element": -1.500,
    "Se-element": -10.470,
    "Cd-atom": -0.010,
    "Se-atom": -0.880,
}
CUT = "wurtzite-v_2Se-surface-1"
UNCONVERGED = "wurtzite-v_2Se-depth-2"


def write_example_runs(folder: Path) -> None:
    """Write ``my-campaign/`` with a vasprun.xml in every folder; one is cut, one breached NELM."""
    study = folder / "study.yaml"
    study.write_text(STUDY, encoding="utf-8")
    write_vasp_campaign(study, load_study(study).calculations(), folder / "my-campaign")
    study.unlink()
    for calculation in load_campaign(folder / "my-campaign").calculations:
        text = vasprun_text(calculation)
        if calculation.name == CUT:
            text = text[: int(0.7 * len(text))]
        run = folder / "my-campaign" / calculation.name / "vasprun.xml"
        run.write_bytes(text)
        os.utime(run, (1.7e9, 1.7e9))  # long ago: nothing is running any more


def vasprun_text(calculation: Calculation) -> bytes:
    """Text of a vasprun.xml of one ionic step with the settings of the deck."""
    import vasp_writers as writers

    atoms, settings = calculation.atoms, calculation.settings
    energy = ENERGIES[calculation.name]
    n_electrons = settings.max_electronic_steps if calculation.name == UNCONVERGED else 12
    small = np.full((len(atoms), 3), 0.002)
    step = writers.Step(
        electrons=tuple((energy + change, energy + change) for change in _changes(n_electrons)),
        forces=small,
        positions=atoms.get_scaled_positions(wrap=False),
        stress_kB=0.1,
    )
    run = writers.Run(
        species=[(s, atoms.get_chemical_symbols().count(s), f"PAW_PBE {s} 06Sep2000") for s in _species(calculation)],
        cell=atoms.cell.array,
        steps=(step,),
        tags={
            "NELM": str(settings.max_electronic_steps),
            "NSW": "0" if settings.relax == "none" else str(settings.max_ionic_steps),
            "IBRION": "-1" if settings.relax == "none" else "2",
            "ISIF": "3" if settings.relax == "cell" else "2",
            "ISPIN": "2" if settings.spin_polarized else "1",
        },
    )
    mesh = "".join(f"{n:8d}" for n in settings.kpoints)
    text: bytes = writers.vasprun(run)
    return text.replace(b"       4        3        1", mesh.encode())


def _changes(n: int) -> Iterator[float]:
    last = 1e-3 if n > 50 else 1e-6
    return (last * (n - 1 - i) for i in range(n))


def _species(calculation: Calculation) -> list[str]:
    return list(dict.fromkeys(calculation.atoms.get_chemical_symbols()))

"""Which phase is stable at which temperature: static energy and vibrational free energy per atom, phase by phase.

Takes folders of 'nanoslab phonons', all of one composition and one level of theory; the first is the reference that
is subtracted. Differences are given with imaginary modes left out and with them counted as real, and it is said where
the answer hangs on them. Harmonic, at the cells as they are.

Example: nanoslab free-energy phonons-wz phonons-zb --plot phases.pdf
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import FileError

if TYPE_CHECKING:
    from nanoslab.calculation import CalculationResult
    from nanoslab.energetics.free_energy import Phase, PhaseComparison

RECORD = "thermal.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reference", type=Path, metavar="FOLDER", help="of 'nanoslab phonons'; what is subtracted")
    parser.add_argument("phases", nargs="+", type=Path, metavar="FOLDER", help="of other phases of that composition")
    parser.add_argument("--plot", type=Path, metavar="F", help="write a plot of the differences (.pdf, .svg, .png)")
    parser.add_argument("--allow-mismatch", action="store_true", help="subtract energies of differing settings")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Read, subtract, print."""
    from nanoslab.energetics.free_energy import compare_phases

    reference, *others = phases = [_phase(folder) for folder in (arguments.reference, *arguments.phases)]
    comparisons = [compare_phases(p, reference, allow_mismatch=arguments.allow_mismatch) for p in others]
    document = _document(phases, comparisons)
    if arguments.plot is not None:
        from nanoslab.report.draw import save_plot
        from nanoslab.report.thermal_plots import phase_plot

        save_plot(phase_plot(document), arguments.plot)
    if arguments.json:
        print_json(document)
    else:
        _print(document)


def _phase(folder: Path) -> Phase:
    """Read what 'nanoslab phonons' left in a folder."""
    import json

    from nanoslab.energetics.free_energy import Phase
    from nanoslab.energetics.thermal import ThermalProperties

    path = folder / RECORD
    again = "give the 'nanoslab phonons' command of that folder again: it computes what is missing"
    if not path.is_file():
        raise FileError(folder, expected="a finished folder of 'nanoslab phonons'", got=f"no {RECORD}", advice=again)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Phase(name=str(folder), static=_static(folder, record), thermal=ThermalProperties.from_dict(record))
    except KeyError as missing:
        raise FileError(path, expected=f"a record with {missing.args[0]}", got="none", advice=again) from missing
    except (OSError, ValueError, TypeError) as error:
        raise FileError(path, expected="what 'nanoslab phonons' wrote", got=str(error), advice=again) from error


def _static(folder: Path, record: Mapping[str, Any]) -> CalculationResult:
    """Result of the undisplaced supercell."""
    from ase import Atoms

    from nanoslab.calculation import CalculationResult

    per_atom = record["energy_eV_per_atom"]
    # What is compared asks for the lattice (density of k-points) and the elements; positions are not in the record.
    atoms = Atoms(record["symbols"], cell=record["cell_A"], pbc=True).repeat(record["supercell"])
    return CalculationResult(
        name=folder.name,
        path=str(folder),
        level_of_theory=record["level_of_theory"],
        energy=per_atom * len(atoms),
        atoms=atoms,
        converged=True,  # 'nanoslab phonons' refuses others
        comparable={**record["comparable"], "displacement": record["displacement_A"]},
    )


def _document(phases: Sequence[Phase], comparisons: Sequence[PhaseComparison]) -> dict[str, Any]:
    return {
        "reference": phases[0].name,
        "level_of_theory": "; ".join(dict.fromkeys(phase.static.level_of_theory for phase in phases)),
        "composition": phases[0].composition,
        "temperature_K": comparisons[0].temperatures.tolist(),
        "phases": [_record(phase) for phase in phases],
        "comparisons": [comparison.to_dict() for comparison in comparisons],
    }


def _record(phase: Phase) -> dict[str, Any]:
    import numpy as np

    increasing = np.unique(phase.thermal.temperatures, return_index=True)[1]
    return {
        "path": phase.name,
        "energy_eV_per_atom": phase.energy_per_atom,
        "total_free_energy_eV_per_atom": phase.free_energy[increasing],
        "total_free_energy_imaginary_as_real_eV_per_atom": phase.free_energy_imaginary_as_real[increasing],
        "n_imaginary_modes": phase.thermal.n_imaginary,
        "n_modes": phase.thermal.n_modes,
        "lowest_frequency_THz": phase.thermal.lowest_frequency_THz,
    }


def _print(document: Mapping[str, Any]) -> None:
    rows = [
        [
            record["path"],
            f"{record['energy_eV_per_atom']:.5f}",
            f"{record['n_imaginary_modes']} of {record['n_modes']}",
            f"{record['lowest_frequency_THz']:.3f}",
        ]
        for record in document["phases"]
    ]
    print_table(["phase", "E [eV/atom]", "imaginary modes", "lowest [THz]"], rows)
    for comparison in document["comparisons"]:
        print(f"\n{comparison['phase']} less {comparison['reference']} [meV/atom]")
        print(f"static: {_millielectronvolts(comparison['static_difference_meV_per_atom'])}")
        keys = ("difference_meV_per_atom", "difference_imaginary_as_real_meV_per_atom")
        print_table(
            ["T [K]", "E + F_vib", "imaginary as real"],
            [
                [f"{kelvin:g}", _millielectronvolts(plain), _millielectronvolts(as_real)]
                for kelvin, plain, as_real in zip(
                    document["temperature_K"], *(comparison[key] for key in keys), strict=True
                )
            ],
        )
        for note in (comparison["reading"], *comparison["notes"]):
            print_note(note)
    print(f"Level of theory: {document['level_of_theory']}.")


def _millielectronvolts(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # no -0.00

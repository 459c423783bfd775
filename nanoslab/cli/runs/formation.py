"""Formation energies of vacancies from any VASP run folders, also those not written by nanoslab.

E_f = E(defect) - E(pristine) + sum n_i mu_i. A chemical potential is a number (--mu O=-6.578), or the energy per
atom of a run: an elemental crystal or molecule (--element O=runs/O2) or an isolated atom (--atom O=runs/O).
Runs that are unconverged, or whose settings differ from those of the pristine run, are refused.

Example: nanoslab formation runs/v_Se runs/v_2Se --pristine runs/sheet --element Se=runs/Se --atom Se=runs/Se-atom
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_records
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.calculation import CalculationResult
    from nanoslab.energetics.chemical_potential import ChemicalPotentials
    from nanoslab.energetics.consistency import Rule
    from nanoslab.studies.result import Cell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("defects", nargs="+", type=Path, metavar="RUN", help="run folders of structures with vacancies")
    add("--pristine", type=Path, required=True, metavar="RUN", help="run folder of the pristine structure")
    add("--mu", action="append", default=[], metavar="X=eV", help="chemical potential of an element [eV]")
    add("--element", action="append", default=[], metavar="X=RUN", help="run of the elemental reference")
    add("--atom", action="append", default=[], metavar="X=RUN", help="run of the isolated atom")
    add("--allow-unconverged", action="store_true", help="use unconverged runs too")
    add("--allow-mismatch", action="store_true", help="subtract energies with different settings")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.energetics.consistency import SAME_CELL

    pristine, _ = _read(arguments.pristine, arguments)
    potentials = _potentials(arguments, pristine)
    rows = [
        _record(path, *_read(path, arguments, pristine, SAME_CELL), pristine, potentials) for path in arguments.defects
    ]
    if arguments.json:
        theory = {"pristine": str(arguments.pristine), "level_of_theory": pristine.level_of_theory}
        print_json({**theory, "vacancies": rows})
        return
    columns: dict[str, Cell] = {
        "run": "path",
        "lost": lambda row: " ".join(f"{count} {element}" for element, count in row["removed"].items()),
        "E - E_pristine [eV]": "energy_difference_eV:.6f",
        **{f"E_f({name}) [eV]": f"formation_energy_eV.{name}:.6f" for name in potentials},
    }
    print_records(rows, columns)
    print(f"Level of theory: {pristine.level_of_theory}.")
    for name, mu in potentials.items():
        print(f"mu({name}): " + "; ".join(f"{e} {mu.values[e]:.6f} eV = {mu.sources[e]}" for e in mu.values))
    for row in rows:
        for note in row["notes"]:
            print(f"{row['path']}: {note}")


def _read(
    path: Path, arguments: argparse.Namespace, pristine: CalculationResult | None = None, rules: tuple[Rule, ...] = ()
) -> tuple[CalculationResult, tuple[str, ...]]:
    """Result of a run that may be used, and how it differs from the pristine run where that is allowed."""
    from nanoslab.energetics.consistency import require_comparable, require_energy
    from nanoslab.vasp import calculation_result, read_run

    result: CalculationResult = calculation_result(path.name, read_run(path))
    require_energy(result, allow_unconverged=arguments.allow_unconverged)
    if result.atoms is None:
        raise InputError(result.path, expected="a run with a structure", got="none")
    return result, require_comparable(result, pristine or result, rules, allow_mismatch=arguments.allow_mismatch)


def _potentials(arguments: argparse.Namespace, pristine: CalculationResult) -> dict[str, ChemicalPotentials]:
    from nanoslab.energetics.chemical_potential import named_potentials
    from nanoslab.energetics.consistency import REFERENCE_CRYSTAL, SAME_THEORY

    given: dict[str, dict[str, tuple[float, str]]] = {"mu": {}, "atom": {}, "element": {}}
    for element, value in (_pair("--mu", text) for text in arguments.mu):
        given["mu"][element] = (_number(element, value), "as given")
    for name, rules in (("atom", SAME_THEORY), ("element", REFERENCE_CRYSTAL)):
        for element, value in (_pair(f"--{name}", text) for text in getattr(arguments, name)):
            given[name][element] = _per_atom(element, value, *_read(Path(value), arguments, pristine, rules))
    return {name: named_potentials(name, energies) for name, energies in given.items() if energies}


def _number(element: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"--mu {element}", expected="a number [eV]", got=repr(text))
    return number


def _per_atom(element: str, path: str, result: CalculationResult, differences: tuple[str, ...]) -> tuple[float, str]:
    from nanoslab.energetics.consistency import require_energy

    counts = _counts(result)
    if set(counts) != {element}:
        raise InputError(f"reference of {element}", expected=f"a run of {element} alone", got=f"{path}: {dict(counts)}")
    source = f"{path}{''.join(f' ({text})' for text in differences)}"
    return require_energy(result, allow_unconverged=True) / counts[element], source


def _counts(result: CalculationResult) -> Counter[str]:
    return Counter(result.atoms.get_chemical_symbols() if result.atoms is not None else ())


def _record(
    path: Path,
    defect: CalculationResult,
    differences: tuple[str, ...],
    pristine: CalculationResult,
    potentials: dict[str, ChemicalPotentials],
) -> dict[str, Any]:
    from nanoslab.energetics.consistency import require_energy
    from nanoslab.energetics.vacancy import vacancy_energy

    energy = vacancy_energy(
        defect_energy=require_energy(defect, allow_unconverged=True),
        defect_counts=_counts(defect),
        pristine_energy=require_energy(pristine, allow_unconverged=True),
        pristine_counts=_counts(pristine),
        potentials=potentials,
    )
    return {
        "path": str(path),
        "n_removed": energy.n_removed,
        "removed": dict(energy.removed),
        "energy_difference_eV": energy.energy_difference,
        "formation_energy_eV": dict(energy.formation_energies),
        "energy_per_atom_eV": energy.energy_per_atom,
        "formation_energy_per_atom_eV": energy.formation_energy_per_atom,
        "converged": defect.converged,
        "notes": [*defect.problems, *differences],
    }


def _pair(option: str, text: str) -> tuple[str, str]:
    element, _, value = text.partition("=")
    if not element or not value:
        raise InputError(option, expected="element=value", got=repr(text), advice=f"such as {option} Se=...")
    return element, value

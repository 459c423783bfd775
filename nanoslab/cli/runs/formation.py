"""Formation energies of vacancies from any VASP run folders, also those not written by nanoslab.

E_f = E(defect) - E(pristine) + sum n_i mu_i. A chemical potential is a number (--mu O=-6.578), or the energy per
atom of a run: an elemental crystal or molecule (--element O=runs/O2) or an isolated atom (--atom O=runs/O).
Runs that are unconverged, or whose settings differ from those of the pristine run, are refused.

Example: nanoslab formation runs/v_Se runs/v_2Se --pristine runs/sheet --element Se=runs/Se --atom Se=runs/Se-atom
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_table
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.calculation import CalculationResult
    from nanoslab.energetics.chemical_potential import ChemicalPotentials
    from nanoslab.energetics.consistency import Rule
    from nanoslab.energetics.vacancy import VacancyEnergy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
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
    """Read, compare, subtract, print."""
    from nanoslab.energetics.consistency import SAME_CELL

    pristine = _read(arguments.pristine)
    _require(pristine, pristine, (), arguments)
    potentials = _potentials(arguments, pristine)
    rows = []
    for path in arguments.defects:
        defect = _read(path)
        differences = _require(defect, pristine, SAME_CELL, arguments)
        rows.append((path, defect, _energy(defect, pristine, potentials), differences))
    if arguments.json:
        print_json(
            {
                "pristine": str(arguments.pristine),
                "level_of_theory": pristine.level_of_theory,
                "vacancies": [_record(*row) for row in rows],
            }
        )
        return
    names = list(potentials)
    print_table(
        ["run", "lost", "E - E_pristine [eV]", *(f"E_f({name}) [eV]" for name in names)],
        [_cells(path, energy, names) for path, _, energy, _ in rows],
    )
    print(f"Level of theory: {pristine.level_of_theory}.")
    for name, mu in potentials.items():
        print(f"mu({name}): " + "; ".join(f"{e} {mu.values[e]:.6f} eV = {mu.sources[e]}" for e in mu.values))
    for path, defect, _, differences in rows:
        for note in (*defect.problems, *differences):
            print(f"{path}: {note}")


def _cells(path: Path, energy: VacancyEnergy, names: list[str]) -> list[str]:
    found = energy.formation_energies
    return [
        str(path),
        " ".join(f"{count} {element}" for element, count in energy.removed.items()),
        f"{energy.energy_difference:.6f}",
        *(f"{found[name]:.6f}" if name in found else "-" for name in names),
    ]


def _read(path: Path) -> CalculationResult:
    from nanoslab.vasp import calculation_result, read_run

    result: CalculationResult = calculation_result(path.name, read_run(path))
    return result


def _require(
    result: CalculationResult, pristine: CalculationResult, rules: tuple[Rule, ...], arguments: argparse.Namespace
) -> tuple[str, ...]:
    from nanoslab.energetics.consistency import require_comparable, require_energy

    require_energy(result, allow_unconverged=arguments.allow_unconverged)
    if result.atoms is None:
        raise InputError(result.path, expected="a run with a structure", got="none")
    return require_comparable(result, pristine, rules, allow_mismatch=arguments.allow_mismatch)


def _potentials(arguments: argparse.Namespace, pristine: CalculationResult) -> dict[str, ChemicalPotentials]:
    from nanoslab.energetics.chemical_potential import ChemicalPotentials
    from nanoslab.energetics.consistency import REFERENCE_CRYSTAL, SAME_THEORY

    given: dict[str, dict[str, tuple[float, str]]] = {"mu": {}, "atom": {}, "element": {}}
    for element, value in (_pair("--mu", text) for text in arguments.mu):
        try:
            given["mu"][element] = (float(value), "as given")
        except ValueError:
            raise InputError(f"--mu {element}", expected="a number [eV]", got=repr(value)) from None
    for name, rules in (("atom", SAME_THEORY), ("element", REFERENCE_CRYSTAL)):
        for element, value in (_pair(f"--{name}", text) for text in getattr(arguments, name)):
            given[name][element] = _per_atom(element, Path(value), pristine, rules, arguments)
    return {
        name: ChemicalPotentials(
            name=name,
            values={element: energy for element, (energy, _) in energies.items()},
            sources={element: source for element, (_, source) in energies.items()},
        )
        for name, energies in given.items()
        if energies
    }


def _per_atom(
    element: str, path: Path, pristine: CalculationResult, rules: tuple[Rule, ...], arguments: argparse.Namespace
) -> tuple[float, str]:
    from nanoslab.energetics.consistency import require_energy

    result = _read(path)
    differences = _require(result, pristine, rules, arguments)
    counts = _counts(result)
    if set(counts) != {element}:
        raise InputError(f"reference of {element}", expected=f"a run of {element} alone", got=f"{path}: {dict(counts)}")
    source = f"{path}{''.join(f' ({text})' for text in differences)}"
    return require_energy(result, allow_unconverged=True) / counts[element], source


def _energy(
    defect: CalculationResult, pristine: CalculationResult, potentials: dict[str, ChemicalPotentials]
) -> VacancyEnergy:
    from nanoslab.energetics.consistency import require_energy
    from nanoslab.energetics.vacancy import vacancy_energy

    return vacancy_energy(
        defect_energy=require_energy(defect, allow_unconverged=True),
        defect_counts=_counts(defect),
        pristine_energy=require_energy(pristine, allow_unconverged=True),
        pristine_counts=_counts(pristine),
        potentials=potentials,
    )


def _counts(result: CalculationResult) -> Counter[str]:
    return Counter(result.atoms.get_chemical_symbols() if result.atoms is not None else ())


def _record(
    path: Path, defect: CalculationResult, energy: VacancyEnergy, differences: tuple[str, ...]
) -> dict[str, Any]:
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
    element, found, value = text.partition("=")
    if not found or not element or not value:
        raise InputError(option, expected="element=value", got=repr(text), advice=f"such as {option} Se=...")
    return element, value

"""Etch a structure with the beam: which atoms leave, and the composition against dose, by kinetic Monte Carlo.

Every atom leaves at its own rate, from its own energy. --threshold gives one energy for all atoms of an element;
--binding gives the energy of a fully coordinated atom, so that one with z of its Z neighbours needs z/Z
of it, counted again after every loss: edges and corners go first.

example:
  nanoslab etch POSCAR --kv 200 --threshold Se=5.12 Cd=8 --dose 5e5 --ratio Se:Cd=0.8
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_table
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.beam.etching import Etching
    from nanoslab.beam.knockon import Conditions

MODELS = ("mott", "mckinley-feshbach", "rutherford")
ESCAPES = ("spherical", "planar", "sphere-averaged")
N_DOSES = 101
SHOWN = 11


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the command."""
    add = parser.add_argument
    add("structure", type=Path, help="POSCAR, .vasp, .cif, .extxyz or .xyz")
    add("--kv", type=float, required=True, help="microscope voltage [kV]")
    energies = parser.add_mutually_exclusive_group(required=True)
    energies.add_argument("--threshold", nargs="+", metavar="[ELEMENT=]EV", help="energy to remove any atom [eV]")
    energies.add_argument(
        "--binding", nargs="+", metavar="[ELEMENT=]EV", help="energy of a fully coordinated atom [eV]"
    )
    add("--dose", type=float, metavar="DOSE", help="e/Å² at the end")
    add("--dose-rate", type=float, metavar="RATE", help="e/Å²/s, with --time instead of --dose")
    add("--time", type=float, metavar="S", help="duration [s]")
    add("--ratio", metavar="A:B=VALUE", help="also say the dose at which A:B falls to VALUE")
    add("--model", choices=MODELS, default="mott", help="scattering by the nucleus (default: %(default)s)")
    add("--escape", choices=ESCAPES, default="spherical", help="way out (default: %(default)s)")
    add("--temperature", type=float, default=300.0, metavar="K", help="thermal motion [K] (default: 300)")
    add("--debye-temperature", nargs="+", default=(), metavar="[ELEMENT=]K", help="Debye temperature [K]")
    add("--static", action="store_true", help="mean atomic mass, nucleus at rest")
    add("--runs", type=int, default=20, help="independent runs (default: %(default)s)")
    add("--seed", type=int, default=0, help="the same seed gives the same runs (default: %(default)s)")
    add("-o", "--output", type=Path, help="what the first run leaves, in the format of the file name")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    """Etch, then print composition against dose."""
    from nanoslab.cli.structures import read_structure

    dose = _dose(arguments)
    atoms = read_structure(arguments.structure)
    elements = tuple(dict.fromkeys(atoms.get_chemical_symbols()))
    pair, value = _ratio(arguments.ratio, elements)
    conditions = _conditions(arguments, elements)
    etching, barns = _etch(arguments, atoms, elements, conditions, dose)
    document = _document(etching, pair, barns)
    if arguments.ratio:
        document["ratio"] = f"{pair[0]}:{pair[1]}"
        document["dose_at_ratio_e_per_A2"] = etching.dose_at_ratio(*pair, value)
    if arguments.output:
        _write(atoms, etching, arguments.output)
        document["file"] = str(arguments.output)
    if arguments.json:
        print_json({**document, "counts": {e: n.tolist() for e, n in etching.counts.items()}})
    else:
        _print(document, pair, value)


def _etch(
    arguments: Namespace, atoms: Atoms, elements: tuple[str, ...], conditions: Conditions, dose: float
) -> tuple[Etching, dict[str, Any]]:
    """Run it, and say the cross-sections that it ran with [barn]."""
    import numpy as np

    from nanoslab.beam.etching import coordination_cross_sections, etch, etch_by_coordination, site_cross_sections
    from nanoslab.cli.beam_options import per_element, targets_under

    option = "--threshold" if arguments.threshold else "--binding"
    energies = per_element(option, arguments.threshold or arguments.binding, elements, "eV")
    missing = [element for element in elements if element not in energies]
    if missing:
        raise InputError(
            option, expected=f"an energy for {missing[0]}", got=" ".join(energies), advice="a high one keeps it"
        )
    how: dict[str, Any] = {"escape": conditions.escape, "targets": targets_under(conditions, elements)}
    doses = np.linspace(0, dose, N_DOSES)
    runs = {"n_runs": arguments.runs, "seed": arguments.seed}
    if arguments.binding:
        tables = coordination_cross_sections(atoms, energies, arguments.kv, **how)
        # an atom without neighbours is gone: the first entry, infinite, says nothing
        return etch_by_coordination(atoms, tables, doses, **runs), {e: list(t[1:]) for e, t in tables.items()}
    sites = [energies[symbol] for symbol in atoms.get_chemical_symbols()]
    barns = site_cross_sections(atoms, sites, arguments.kv, **how)
    first = {element: float(barns[atoms.get_chemical_symbols().index(element)]) for element in elements}
    return etch(atoms, barns, doses, **runs), first


def _dose(arguments: Namespace) -> float:
    from nanoslab.beam.checks import require_positive

    given = [name for name in ("dose", "dose_rate", "time") if getattr(arguments, name) is not None]
    if given not in (["dose"], ["dose_rate", "time"]):
        got = " ".join(f"--{name.replace('_', '-')}" for name in given) or "none of them"
        raise InputError("--dose", expected="--dose, or --dose-rate with --time", got=got)
    for name in given:
        require_positive(f"--{name.replace('_', '-')}", getattr(arguments, name), "")
    return float(arguments.dose or arguments.dose_rate * arguments.time)


def _ratio(text: str | None, elements: tuple[str, ...]) -> tuple[tuple[str, str], float]:
    """Elements of the ratio that is followed, by default the last over the first, and the value looked for."""
    if text is None:
        return (elements[-1], elements[0]), 0.0
    names, _, number = text.partition("=")
    pair = tuple(names.split(":"))
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if len(pair) != 2 or not set(pair) <= set(elements) or not value > 0:
        raise InputError(
            "--ratio", expected=f"A:B=VALUE with A and B of {', '.join(elements)}", got=text, advice="such as Se:Cd=0.8"
        )
    return (pair[0], pair[1]), value


def _conditions(arguments: Namespace, elements: tuple[str, ...]) -> Conditions:
    from nanoslab.beam.knockon import Conditions
    from nanoslab.cli.beam_options import per_element

    return Conditions(
        model=arguments.model,
        escape=arguments.escape,
        temperature=None if arguments.static else arguments.temperature,
        debye_temperatures=per_element("--debye-temperature", arguments.debye_temperature, elements, "K"),
    )


def _document(etching: Etching, pair: tuple[str, str], barns: Mapping[str, Any]) -> dict[str, Any]:
    mean, spread = etching.ratio(*pair)
    rows = [
        {
            "dose_e_per_A2": float(dose),
            "atoms": {element: float(etching.mean_counts(element)[i]) for element in etching.counts},
            "ratio": float(mean[i]),
            "ratio_spread": float(spread[i]),
        }
        for i, dose in enumerate(etching.doses_e_per_A2)
    ]
    return {"rows": rows, "ratio": f"{pair[0]}:{pair[1]}", "cross_sections_barn": barns}


def _write(atoms: Atoms, etching: Etching, path: Path) -> None:
    from nanoslab.cli.structures import write_structures

    left = atoms.copy()
    del left[list(etching.last_removed)]
    if not len(left):
        raise InputError("--output", expected="atoms left at the end", got="none", advice="lower the dose")
    write_structures({path: left}, {})


def _print(document: dict[str, Any], pair: tuple[str, str], value: float) -> None:
    rows = document["rows"][:: (N_DOSES - 1) // (SHOWN - 1)]
    elements = list(rows[0]["atoms"])
    columns = ["dose [e/Å²]", *elements, f"{pair[0]}:{pair[1]}", "spread"]
    cells = [
        [
            f"{row['dose_e_per_A2']:.4g}",
            *[f"{row['atoms'][element]:.1f}" for element in elements],
            f"{row['ratio']:.3f}",
            f"{row['ratio_spread']:.3f}",
        ]
        for row in rows
    ]
    print_table(columns, cells)
    if "dose_at_ratio_e_per_A2" in document:
        at = document["dose_at_ratio_e_per_A2"]
        print(f"{pair[0]}:{pair[1]} = {value:g} at " + ("no dose up to there" if at is None else f"{at:.3g} e/Å²"))
    print("Knock-on alone, a lower bound on damage; atoms that moved without leaving are not counted.")
    if "file" in document:
        print(f"wrote {document['file']}")

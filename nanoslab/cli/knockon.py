"""Largest energy that a beam electron can hand to an atom, and the voltage where knock-on begins.

example:
  nanoslab knockon Se Cd --kv 200 300
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nanoslab.cli.output import add_json_option, print_json, print_table


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("elements", nargs="+", metavar="ELEMENT|FORMULA", help="Se, Cd, or CdSe for both")
    parser.add_argument("--kv", nargs="+", type=float, required=True, metavar="KV", help="microscope voltages [kV]")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    """Print one row per element and voltage."""
    from nanoslab.beam.elements import elements_of_formula
    from nanoslab.beam.kinematics import max_transferred_energy

    symbols = dict.fromkeys(symbol for given in arguments.elements for symbol in elements_of_formula(given))
    rows = [
        {"element": s, "beam_energy_keV": kv, "max_transferred_energy_eV": max_transferred_energy(s, kv)}
        for s in symbols
        for kv in arguments.kv
    ]
    if arguments.json:
        print_json({"rows": rows})
        return
    cells = [[r["element"], f"{r['beam_energy_keV']:g}", f"{r['max_transferred_energy_eV']:.4f}"] for r in rows]
    print_table(["element", "kV", "E_max [eV]"], [[str(c) for c in row] for row in cells])

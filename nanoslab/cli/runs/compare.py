"""Compare two VASP runs: INCAR, KPOINTS, POTCAR titles, structures, energies, and whether these may be subtracted.

example:
  nanoslab compare sheet/ sheet-with-vacancy/
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("first", help="run folder, or a file of one")
    parser.add_argument("second", help="the other")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    from nanoslab.studies.run_comparison import compare_runs
    from nanoslab.vasp.runs.read_run import read_run

    first, second = read_run(arguments.first), read_run(arguments.second)
    found = compare_runs(first, second)
    if arguments.json:
        print_json({"runs": [first.path, second.path], **found.to_dict()})
        return
    rows = [(one.kind, one.what, one.first, one.second) for one in found.differences]
    energies = ["-" if energy is None else f"{energy:.6f}" for energy in found.energies]
    print_table(("what", "", first.path, second.path), [*rows, ("energy", "E0 [eV]", *energies)])
    print()
    if found.largest_displacement is not None:
        print_note(f"No atom lies more than {found.largest_displacement:.3f} Å from its place in the other.")
    if found.reasons:
        print("The energies must not be subtracted:")
        for reason in found.reasons:
            print_note(f"- {reason}")
    else:
        print(f"The energies may be subtracted: second less first {found.energy_difference:+.6f} eV.")

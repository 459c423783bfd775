"""List the crystals and molecules that ship with nanoslab, with their sources.

A crystal has one set of lattice constants per level of theory; '--lattice' and the field 'lattice' of a study name it.
Every command and study that takes a name takes a structure file of your own too.

example:
  nanoslab structures CdSe
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import unknown_name

if TYPE_CHECKING:
    from nanoslab.builders.ligand import LigandRecord
    from nanoslab.crystals import CrystalRecord


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="only those whose name or formula begins so")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    from nanoslab.builders.ligand import ligand_names, ligand_record
    from nanoslab.crystals import crystal_names, crystal_record

    crystals, molecules = [*map(crystal_record, crystal_names())], [*map(ligand_record, ligand_names())]
    if arguments.name is not None:
        begin = str(arguments.name).lower()
        every: list[Any] = [*crystals, *molecules]
        wanted = [r.name for r in every if begin in (r.name[: len(begin)].lower(), r.formula.lower())]
        if not wanted:
            raise unknown_name("structures", arguments.name, [record.name for record in every])
        crystals = [record for record in crystals if record.name in wanted]
        molecules = [record for record in molecules if record.name in wanted]
    if arguments.json:
        print_json({"crystals": [*map(_crystal, crystals)], "molecules": [*map(_molecule, molecules)]})
        return
    _print_crystals(crystals)
    if crystals and molecules:
        print()
    _print_molecules(molecules)


def _print_crystals(records: list[CrystalRecord]) -> None:
    if not records:
        return
    sources: dict[str, int] = {}
    rows = []
    for record in records:
        for level, lattice in record.lattices.items():
            number = sources.setdefault(lattice.source, len(sources) + 1)
            values = " ".join(f"{name}={value:g}" for name, value in lattice.parameters.items())
            rows.append((record.name, record.space_group_symbol, level, values, f"[{number}]"))
    print_table(("crystal", "space group", "lattice", "a, b, c [Å] and free coordinates", "source"), rows)
    for source, number in sources.items():
        print_note(f"[{number}] {source}")


def _print_molecules(records: list[LigandRecord]) -> None:
    if records:
        rows = [
            (r.name, r.formula, f"{r.formal_charge:+d}" if r.formal_charge else "0", "/".join(r.binding_atoms), r.what)
            for r in records
        ]
        print_table(("molecule", "formula", "charge [e]", "binds", "what it is"), rows)
        methods = {f"{record.relaxed['method']}, {record.relaxed['program']}" for record in records}
        for method in sorted(methods):
            print_note(f"relaxed by {method}")


def _crystal(record: CrystalRecord) -> dict[str, Any]:
    from dataclasses import asdict

    document = asdict(record)
    lengths = {"a": "a_A", "b": "b_A", "c": "c_A"}
    for level, lattice in record.lattices.items():
        numbers = {lengths.get(name, name): value for name, value in lattice.parameters.items()}
        document["lattices"][level] = {**numbers, "source": lattice.source, "transformed": lattice.transformed}
    return document


def _molecule(record: LigandRecord) -> dict[str, Any]:
    names = ("name", "what", "aliases", "formula", "smiles", "formal_charge", "binding_group", "source")
    document = {name: getattr(record, name) for name in names}
    return {**document, "binding_modes": list(record.binding_atoms), "relaxed": dict(record.relaxed)}

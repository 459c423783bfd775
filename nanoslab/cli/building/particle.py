"""A particle of a shape, with the charge asked for and no atom held by a single bond.

Atoms of the shape that hang by one bond go first. Then the smallest set of surface atoms to remove and of empty sites
to fill that makes the particle neutral is found, and proven. Polar faces may have energies of their own: 111A and 111B
are the cation and the anion side. Ligands are halides or anions (X), neutral molecules (L), salts such as CdCl2 (Z), or
pseudo-hydrogen.

example:
  nanoslab build particle CdSe-zincblende --shape wulff --facet 111A=1 --facet 111B=1.2 --diameter 3 --ligand Cl
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nanoslab.cli.building.options import add_crystal_arguments, add_output_arguments, add_shape_arguments, shape_of

if TYPE_CHECKING:
    from ase import Atoms

_TWINNED = ("decahedron", "icosahedron")


def add_arguments(parser: ArgumentParser) -> None:
    add_crystal_arguments(parser, "CdSe-zincblende")
    add_shape_arguments(parser, _TWINNED)
    parser.add_argument("--charge", type=float, default=0.0, help="formal charge with the ligands [e] (default 0)")
    parser.add_argument("--any-charge", action="store_true", help="whatever charge the shape gives")
    parser.add_argument("--stoichiometric", action="store_true", help="atoms of the crystal in its own ratio, too")
    parser.add_argument("--fewest-bonds", type=int, default=2, metavar="N", help="of every atom (default 2)")
    parser.add_argument("--ligand", metavar="NAME", help="Cl, formate, octylamine, CdCl2, pseudo-hydrogen ...")
    parser.add_argument("--ligands", type=int, metavar="N", help="number of ligands (default: as the charge needs)")
    parser.add_argument("--centre", default="bond", help="bond (default), or an element for one of its atoms")
    parser.add_argument("--vacuum", type=float, default=10.0, help="vacuum between periodic images [Å] (default 10)")
    add_output_arguments(parser, "FILE", "POSCAR, .vasp, .cif, .extxyz or .xyz")


def run(arguments: Namespace) -> None:
    from nanoslab.cli.structures import finish, structure_record
    from nanoslab.errors import InputError

    if arguments.ligands is not None and arguments.ligand is None:
        raise InputError("--ligands", expected="none without --ligand", got=arguments.ligands, advice="name the ligand")
    atoms = _twinned(arguments) if arguments.shape in _TWINNED else _cut(arguments)
    record = {**structure_record(atoms, arguments.output), "diameter_A": atoms.info["ledger"]["diameter_A"]}
    edits = atoms.info["recipe"].get("edits")
    rows = []
    if edits is not None:
        record["edits"] = edits
        proof = "proven" if edits["proven"] else f"at least {edits['fewest_possible']}"
        rows.append(("fewest edits", f"{edits['n_removed']} removed, {edits['n_added']} added ({proof})"))
        rows.append(("loose atoms", f"{edits['n_loose_removed']} removed before"))
    if ligands := record["ledger"]["ligands"]:
        rows.append(("ligands", f"{ligands['number']} {ligands['name']}, {ligands['charge_e'] + 0.0:+g} e"))
        for element, charge in ligands.get("nuclear_charges_e", {}).items():
            rows.append((f"hydrogen on {element}", f"{ligands['number_on'][element]} of nuclear charge {charge:g} e"))
    finish(arguments, atoms, record, rows)


def _cut(arguments: Namespace) -> Atoms:
    from nanoslab.builders.particles.ligands import Ligands
    from nanoslab.builders.particles.particle import Surface, build_particle

    ligands = Ligands(name=arguments.ligand, count=arguments.ligands) if arguments.ligand else None
    surface = Surface(
        charge=None if arguments.any_charge else arguments.charge,
        stoichiometric=arguments.stoichiometric,
        fewest_bonds=arguments.fewest_bonds,
        ligands=ligands,
    )
    options = {name: getattr(arguments, name) for name in ("centre", "vacuum", "lattice")}
    return build_particle(arguments.crystal, shape_of(arguments), surface, **options)


def _twinned(arguments: Namespace) -> Atoms:
    from nanoslab.builders.particles.twinned import build_twinned
    from nanoslab.errors import InputError

    for name in ("length", "thickness", "void", "axis", "facet", "ligand"):
        if getattr(arguments, name) is not None:
            given = getattr(arguments, name)
            raise InputError(f"--{name}", expected=f"none for a {arguments.shape}", got=given, advice="leave it out")
    return build_twinned(
        arguments.crystal, arguments.shape, arguments.diameter, vacuum=arguments.vacuum, lattice=arguments.lattice
    )

"""A cluster of the tetrahedral series or one that a search found, or sizes of particles from their absorption peak.

The series has cations at the points of a tetrahedron, an anion within every four, and the ligands that make it neutral:
order 4 is Cd35Se20X30, 5 is Cd56Se35X42, 6 is Cd84Se56X56. With --peak the published sizing curves of the compound give
diameter and number of formula units; with --peak-of-diameter they are read the other way. CdSe13, CdSe19, CdSe33,
CdSe34, CdSe66 and Cd37S20Cl34 are the lowest that a seeded search met; no ground state is proven.

example:
  nanoslab build cluster CdSe13 -o CdSe13.xyz
  nanoslab build cluster CdSe-zincblende --order 5 --ligand Cl -o cluster.xyz
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from nanoslab.cli.building.options import add_crystal_arguments, add_output_arguments


def add_arguments(parser: ArgumentParser) -> None:
    add_crystal_arguments(parser, "CdSe-zincblende")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--order", type=int, metavar="N", help="member of the tetrahedral series")
    what.add_argument("--peak", type=float, metavar="NM", help="wavelength of the first absorption peak [nm]")
    what.add_argument("--peak-of-diameter", type=float, metavar="NM", help="diameter whose peak is wanted [nm]")
    parser.add_argument("--ligand", metavar="NAME", help="ligand of charge -1, such as Cl or formate (default: none)")
    parser.add_argument("--vacuum", type=float, default=10.0, help="vacuum between periodic images [Å] (default 10)")
    add_output_arguments(parser, "FILE", "POSCAR, .vasp, .cif, .extxyz or .xyz")


def run(arguments: Namespace) -> None:
    if arguments.peak is not None or arguments.peak_of_diameter is not None:
        _print_sizes(arguments)
        return
    from nanoslab.builders.clusters.candidates import build_candidate, candidate_names
    from nanoslab.builders.clusters.tetrahedral import build_tetrahedral_cluster
    from nanoslab.cli.structures import finish, structure_record
    from nanoslab.errors import InputError

    rows, notes = [], []
    if arguments.order is not None:
        options = {name: getattr(arguments, name) for name in ("ligand", "vacuum", "lattice")}
        atoms = build_tetrahedral_cluster(arguments.crystal, arguments.order, **options)
    elif arguments.crystal in candidate_names():
        if arguments.ligand or arguments.lattice:
            raise InputError("options", expected="no ligand or lattice for a cluster that was found", got="one")
        atoms = build_candidate(arguments.crystal, vacuum=arguments.vacuum)
        found = atoms.info["recipe"]
        rows = [("point group", found["point_group"])]
        rows += [
            (one["engine"], f"{one['lowest_energy_eV']:.3f} eV ({one['relaxed']} relaxed)") for one in found["engines"]
        ]
        notes = [f"known: {found['known']}", found["not_searched"]]
    else:
        names = ", ".join(candidate_names())
        advice = "give --order 5, --peak 467 or one of these names"
        raise InputError(
            "cluster", expected=f"an order, a peak, or one of {names}", got=arguments.crystal, advice=advice
        )
    record = {**structure_record(atoms, arguments.output), "diameter_A": atoms.info["ledger"]["diameter_A"]}
    finish(arguments, atoms, record, rows)
    if notes and not arguments.json:
        print("\n" + "\n".join(notes))


def _print_sizes(arguments: Namespace) -> None:
    from nanoslab.builders.clusters.sizing import sizing_curves
    from nanoslab.cli.output import print_json, print_table
    from nanoslab.crystals import load_crystal
    from nanoslab.errors import InputError

    formula = load_crystal(arguments.crystal, arguments.lattice or "experimental").symbols.formula.reduce()[0]
    curves = [curve for curve in sizing_curves() if curve.formula == str(formula.format("metal"))]
    if not curves:
        known = ", ".join(sorted({curve.formula for curve in sizing_curves()}))
        raise InputError("crystal", expected=f"one of {known}", got=str(formula), advice="no curve is known for it")
    rows: list[dict[str, Any]] = []
    faults = []
    for curve in curves:
        try:
            peak = arguments.peak if arguments.peak is not None else curve.wavelength(arguments.peak_of_diameter)
            diameter = curve.diameter(peak)
        except InputError as error:
            faults.append(error)
            continue
        units = curve.n_units(diameter)
        row = {"curve": curve.name, "peak_nm": peak, "diameter_nm": diameter, "n_units": units}
        row["wavelengths_nm"] = list(curve.wavelengths)
        rows.append({**row, "published_range": curve.published_range, "source": curve.source})
    if not rows:
        raise faults[0]
    if arguments.json:
        print_json({"sizes": rows})
        return
    shown = []
    for row in rows:
        low, high = row["wavelengths_nm"]
        numbers = f"{row['peak_nm']:.1f}", f"{row['diameter_nm']:.2f}", str(row["n_units"])
        shown.append([row["curve"], *numbers, f"{low:g} to {high:g}"])
    print_table(["curve", "peak [nm]", "diameter [nm]", "formula units", "valid for [nm]"], shown)

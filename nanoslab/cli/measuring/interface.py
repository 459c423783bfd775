"""Energy of the interface of two crystals by an engine, and elastic energy of their layers against thickness.

The faces meet in their smallest coincident cell. A stack of --repeats of both, the second strained to fit, gives the
interface energy as built and relaxed (atoms and height; one registry, from one displaced start). The biaxial moduli of
both give the elastic energy per volume of coherent layers that share one in-plane length, and the layer at its peak.

example:
  nanoslab interface PbS-rocksalt CdS-zincblende --engine chgnet --first-thickness 4 --layers 1 2 4 8
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nanoslab.cli.building.options import add_crystal_arguments, add_face_arguments
from nanoslab.cli.output import add_json_option
from nanoslab.driver.backend import engine_from_here


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    add_crystal_arguments(parser, "PbS-rocksalt")
    parser.add_argument("second", help="second crystal")
    add_face_arguments(parser)
    parser.add_argument("--engine", type=engine_from_here, default="chgnet", metavar="NAME[:options]", help="(chgnet)")
    parser.add_argument(
        "--repeats", nargs=2, type=int, default=(3, 3), metavar="N", help="of both crystals in the stack (default 3 3)"
    )
    parser.add_argument("--force", type=float, default=0.05, help="largest force when relaxed [eV/Å] (default 0.05)")
    parser.add_argument("--no-stack", action="store_true", help="elastic energies only")
    parser.add_argument(
        "--first-thickness", type=float, default=4.0, metavar="NM", help="of the first material [nm] (default 4)"
    )
    parser.add_argument(
        "--layers", nargs="+", type=float, default=(0.5, 1, 2, 4, 8, 16), metavar="NM", help="of the second [nm]"
    )
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    """Compute and print."""
    import numpy as np
    from ase import units

    from nanoslab.builders.interfaces import energy
    from nanoslab.builders.interfaces.coincidence import coincident_cells, rotation_of
    from nanoslab.builders.stacking import conventional_cell
    from nanoslab.calculation import Settings
    from nanoslab.cli.output import print_json, print_table
    from nanoslab.crystals import load_crystal
    from nanoslab.engines import engine

    cells = [conventional_cell(load_crystal(one, arguments.lattice)) for one in (arguments.crystal, arguments.second)]
    pair, faces = (cells[0], cells[1]), tuple(arguments.faces or ("", ""))
    turn = rotation_of(pair, faces, tuple(arguments.parallel)) if arguments.parallel else arguments.rotation
    limits = {"largest_strain": arguments.largest_strain, "largest_area": arguments.largest_area}
    found = coincident_cells(*pair, faces, rotation=turn, **limits)[0]
    chosen, settings = engine(arguments.engine), Settings(source="interface")
    moduli = [
        energy.biaxial_modulus(cell, face, chosen.calculator(cell, settings))
        for cell, face in zip(pair, faces, strict=True)
    ]
    misfit = float(np.mean(found.strains))
    to_joule = units._e * 1e3  # eV/Å³ -> J/nm³
    both = (moduli[0].modulus, moduli[1].modulus)
    layers = np.array(arguments.layers)
    densities = energy.coherent_strain_energy(both, misfit, (arguments.first_thickness, layers)) * to_joule
    peak = arguments.first_thickness * (both[0] / both[1]) ** 0.5
    highest = float(energy.coherent_strain_energy(both, misfit, (arguments.first_thickness, peak))) * to_joule
    record = {
        "engine": arguments.engine,
        "level_of_theory": chosen.level_of_theory,
        "coincidence": found.to_dict(),
        "misfit": misfit,
        "biaxial_modulus_GPa": [one.modulus / units.GPa for one in moduli],
        "equilibrium_strain": [one.equilibrium for one in moduli],
        "first_thickness_nm": arguments.first_thickness,
        "layers": [
            {"thickness_nm": float(h), "strain_energy_density_J_per_nm3": float(u)}
            for h, u in zip(layers, densities, strict=True)
        ],
        "peak": {"thickness_nm": peak, "strain_energy_density_J_per_nm3": highest},
        "interface": None,
    }
    rows = [
        ("coincident cell", f"{found.area:.2f} Å², turned by {found.rotation:.2f}°"),
        ("misfit", " and ".join(f"{strain:+.2%}" for strain in found.strains)),
        ("biaxial moduli", " and ".join(f"{one.modulus / units.GPa:.1f} GPa" for one in moduli)),
        ("peak", f"{highest:.2e} J/nm³ at {peak:.2f} nm on {arguments.first_thickness:g} nm"),
    ]
    if not arguments.no_stack:
        built = energy.build_superlattice(pair, found, tuple(arguments.repeats))
        calculator = chosen.calculator(built.atoms, settings)
        values = [energy.interface_energy(built, calculator)]
        relaxed = energy.relax_superlattice(built, calculator, force=arguments.force)
        values.append(energy.interface_energy(relaxed, calculator))
        record["interface"] = {
            "n_atoms": len(built.atoms),
            "as_built_eV_per_A2": values[0],
            "relaxed_eV_per_A2": values[1],
            "largest_force_eV_per_A": arguments.force,
        }
        words = (f"{one:+.4f} eV/Å² = {one * units._e * 1e20:+.2f} J/m²" for one in values)
        rows += zip(("interface as built", "interface relaxed"), words, strict=True)
    if arguments.json:
        print_json(record)
        return
    print(f"{chosen.level_of_theory}\n")
    print_table(["interface", ""], rows)
    print()
    print_table(
        ["layer [nm]", "strain energy [J/nm³]"],
        [[f"{h:g}", f"{u:.3e}"] for h, u in zip(layers, densities, strict=True)],
    )

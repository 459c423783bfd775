"""Energy of the interface of two crystals by an engine, and elastic energy of their layers against thickness.

The faces meet in their smallest coincident cell. A stack of --repeats of both, the second strained to fit, gives the
interface energy as built and relaxed (atoms and height; one registry, from one displaced start). The biaxial moduli of
both give the elastic energy per volume of coherent layers that share one in-plane length, and the layer at its peak.

example:
  nanoslab interface PbS-rocksalt CdS-zincblende --engine chgnet --first-thickness 4 --layers 1 2 4 8
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from nanoslab.cli.building.options import add_crystal_arguments, add_face_arguments
from nanoslab.cli.output import add_json_option
from nanoslab.driver.backend import engine_from_here

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.builders.interfaces.coincidence import Coincidence
    from nanoslab.calculation import Settings
    from nanoslab.engines import Engine

_HIGHER = (
    "relaxed, the interface costs more than as built: the parts relaxed further than the stack did, so the relaxed "
    "value means nothing; lower --force, or raise --repeats"
)
_JOULE = 1.602176634e-19  # of an eV
#: largest distance of k-points [1/Å, with 2 pi]
_SPACING = 0.25


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
    from nanoslab.builders.interfaces.coincidence import coincident_cells, rotation_of
    from nanoslab.builders.stacking import conventional_cell
    from nanoslab.cli.output import print_json, print_table
    from nanoslab.crystals import load_crystal
    from nanoslab.engines import engine

    cells = [conventional_cell(load_crystal(one, arguments.lattice)) for one in (arguments.crystal, arguments.second)]
    pair, faces = (cells[0], cells[1]), tuple(arguments.faces or ("", ""))
    turn = rotation_of(pair, faces, tuple(arguments.parallel)) if arguments.parallel else arguments.rotation
    limits = {"largest_strain": arguments.largest_strain, "largest_area": arguments.largest_area}
    found = coincident_cells(*pair, faces, rotation=turn, **limits)[0]
    chosen = engine(arguments.engine)
    elastic = _elastic(pair, faces, found, chosen, arguments)
    stack = None if arguments.no_stack else _stack(pair, found, chosen, arguments)
    if arguments.json:
        meeting = {"coincidence": found.to_dict(), **elastic, "interface": stack}
        print_json({"engine": arguments.engine, "level_of_theory": chosen.level_of_theory, **meeting})
        return
    print(f"{chosen.level_of_theory}\n")
    peak = elastic["peak"]
    density = f"{peak['strain_energy_density_J_per_nm3']:.2e} J/nm³"
    rows = [
        ("coincident cell", f"{found.area:.2f} Å², turned by {found.rotation:.2f}°"),
        ("misfit", " and ".join(f"{strain:+.2%}" for strain in found.strains)),
        ("biaxial moduli", " and ".join(f"{one:.1f} GPa" for one in elastic["biaxial_modulus_GPa"])),
        ("peak", f"{density} at {peak['thickness_nm']:.2f} nm on {arguments.first_thickness:g} nm"),
    ]
    for words, key in (("as built", "as_built_eV_per_A2"), ("relaxed", "relaxed_eV_per_A2")):
        if stack is not None:
            rows.append((f"interface {words}", f"{stack[key]:+.4f} eV/Å² = {stack[key] * _JOULE * 1e20:+.2f} J/m²"))
    print_table(["interface", ""], rows)
    if stack is not None and stack["problem"]:
        print(f"(!) {stack['problem']}")
    print()
    layers = [
        [f"{one['thickness_nm']:g}", f"{one['strain_energy_density_J_per_nm3']:.3e}"] for one in elastic["layers"]
    ]
    print_table(["layer [nm]", "strain energy [J/nm³]"], layers)


def _elastic(
    pair: tuple[Atoms, Atoms], faces: tuple[str, ...], found: Coincidence, chosen: Engine, arguments: Namespace
) -> dict[str, Any]:
    """Moduli of both crystals, and the elastic energy of their coherent layers against thickness."""
    import numpy as np
    from ase.units import GPa

    from nanoslab.builders.interfaces.energy import biaxial_modulus, coherent_strain_energy

    moduli = [
        biaxial_modulus(cell, face, chosen.calculator(cell, _settings(cell)))
        for cell, face in zip(pair, faces, strict=True)
    ]
    both, misfit, first = (
        (moduli[0].modulus, moduli[1].modulus),
        float(np.mean(found.strains)),
        arguments.first_thickness,
    )

    def layer(thickness: float) -> dict[str, float]:
        density = float(coherent_strain_energy(both, misfit, (first, thickness))) * _JOULE * 1e3  # of 1 Å³ -> 1 nm³
        return {"thickness_nm": float(thickness), "strain_energy_density_J_per_nm3": density}

    return {
        "misfit": misfit,
        "biaxial_modulus_GPa": [one.modulus / GPa for one in moduli],
        "equilibrium_strain": [one.equilibrium for one in moduli],
        "first_thickness_nm": first,
        "layers": [layer(thickness) for thickness in arguments.layers],
        "peak": layer(first * (both[0] / both[1]) ** 0.5),
    }


def _stack(pair: tuple[Atoms, Atoms], found: Coincidence, chosen: Engine, arguments: Namespace) -> dict[str, Any]:
    """Energy of one interface, as built and relaxed, by one k-point mesh for the stack and its parts."""
    from nanoslab.builders.interfaces.energy import build_superlattice, interface_energy, relax_superlattice

    built = build_superlattice(pair, found, tuple(arguments.repeats))
    settings = _settings(built.atoms, *built.parts)
    calculator = chosen.calculator(built.atoms, settings)
    relaxed = relax_superlattice(built, calculator, force=arguments.force)
    before, after = interface_energy(built, calculator), interface_energy(relaxed, calculator)
    return {
        "n_atoms": len(built.atoms),
        "kpoints": list(settings.kpoints),
        "as_built_eV_per_A2": before,
        "relaxed_eV_per_A2": after,
        "largest_force_eV_per_A": arguments.force,
        "problem": None if after <= before else _HIGHER,
    }


def _settings(*cells: Atoms) -> Settings:
    """PBE with the mesh that the cell of them which wants most points needs, for engines that have k-points."""
    from nanoslab.calculation import Settings
    from nanoslab.presets import kpoint_mesh

    meshes = [kpoint_mesh(cell.cell.array, spacing=_SPACING) for cell in cells]
    kx, ky, kz = (max(points) for points in zip(*meshes, strict=True))
    return Settings(source="interface", kpoints=(kx, ky, kz))

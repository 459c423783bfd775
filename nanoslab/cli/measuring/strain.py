"""Atom map of a particle: lattice constant, strain of every atom, core and surface, distances, stacking faults.

Examples: nanoslab strain particle.xyz --crystal CdSe-zincblende
          nanoslab strain platinum.xyz --crystal Pt.cif --plot profile.pdf -o map.extxyz

Every atom is assigned to a site of the crystal in whatever orientation the particle lies. The strain is U - 1 in the
axes of the crystal.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.measuring.inputs import plot_curves, read_atoms
from nanoslab.cli.output import add_json_option, print_json, print_note, print_table

if TYPE_CHECKING:
    from ase import Atoms

COMPONENTS = ("xx", "yy", "zz", "yz", "xz", "xy")


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, help="structure file of one particle")
    add("--crystal", required=True, help="unstrained crystal: a name or a structure file")
    add("--lattice", help="lattice constants of a crystal by name (default: pbe)")
    add("--shell", type=float, default=2.0, metavar="A", help="of the profile of distances [Å] (default: %(default)s)")
    add("--plot", metavar="FILE", help="nearest distance against radius, as .pdf, .svg or .png")
    add("-o", "--output", type=Path, help="atoms with strain, rotation angle and stacking, as .extxyz")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    import numpy as np

    from nanoslab.crystals import load_crystal
    from nanoslab.measure.atom_maps import atom_strain, bond_profile, find_faults, map_lattice, stacking_labels
    from nanoslab.measure.environment import local_environments

    atoms, crystal = read_atoms(arguments.file), load_crystal(arguments.crystal, arguments.lattice)
    atoms.pbc = False
    lattice = map_lattice(atoms, crystal)
    strain = atom_strain(atoms, lattice)
    profile = bond_profile(atoms, lattice, arguments.shell)
    sublattice = crystal.get_chemical_symbols()[0]
    labels = stacking_labels(atoms, sublattice)
    faults = find_faults(atoms, sublattice)
    regions = {"all": lattice.assigned, "core": lattice.assigned & ~lattice.surface, "surface": lattice.surface}
    means = {name: strain.mean(chosen) for name, chosen in regions.items()}
    lengths = crystal.cell.lengths()
    document: dict[str, Any] = {
        "n_atoms": len(atoms),
        "n_assigned": int(lattice.assigned.sum()),
        "scale": lattice.scale,
        "scale_error": lattice.scale_error,
        "lattice_constants_A": (lattice.scale * lengths).tolist(),
        "lattice_constant_errors_A": (lattice.scale_error * lengths).tolist(),
        "scatter_A": lattice.scatter,
        "mean_strain": {name: dict(zip(COMPONENTS, mean.tolist(), strict=True)) for name, mean in means.items()},
        "counts": {name: int(chosen.sum()) for name, chosen in regions.items()},
        "strain": strain.components.tolist(),
        "strain_errors": strain.errors.tolist(),
        "rotations": strain.rotations.tolist(),
        "surface": lattice.surface.tolist(),
        "stacking": list(labels),
        "phases": list(local_environments(atoms).labels),
        "faults": [{"kind": f.kind, "normal": f.normal, "layers": f.n_layers, "atoms": f.indices} for f in faults],
        "profile": {"radius_A": profile.radii, "distance_A": profile.distances, "error_A": profile.errors},
    }
    if arguments.output:
        _write(arguments.output, atoms, document, np.asarray(strain.rotations))
    if arguments.plot:
        curves = {"nearest distance": (profile.radii, profile.distances)}
        plot_curves(arguments.plot, curves, "distance from the middle (Å)", "nearest distance (Å)", log=False)
    if arguments.json:
        print_json(document)
        return
    _print(document)


def _write(path: Path, atoms: Atoms, document: dict[str, Any], rotations: Any) -> None:
    import numpy as np

    from nanoslab.cli.structures import write_structures

    written = atoms.copy()
    written.new_array("strain", np.array(document["strain"]))
    written.new_array("surface", np.array(document["surface"]))
    cosine = (np.trace(rotations, axis1=1, axis2=2) - 1) / 2
    written.new_array("rotation_degrees", np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    written.new_array("stacking", np.array([label or "-" for label in document["stacking"]]))
    write_structures({path: written}, {})


def _print(document: dict[str, Any]) -> None:
    change, error = 100 * (document["scale"] - 1), 100 * document["scale_error"]
    constants = zip(document["lattice_constants_A"], document["lattice_constant_errors_A"], strict=True)
    rows = [
        [name, str(document["counts"][name]), *[f"{round(100 * mean[key], 3) + 0.0:.3f}" for key in COMPONENTS]]
        for name, mean in document["mean_strain"].items()
    ]
    print_table(["atoms", "number", *[f"{key} [%]" for key in COMPONENTS]], rows)
    assigned = f"{document['n_assigned']} of {document['n_atoms']} atoms on the lattice"
    print_note(f"{assigned}, which is {change:+.3f} ± {error:.3f} % larger than the crystal's.")
    print_note("Lattice constants: " + ", ".join(f"{a:.4f} ± {da:.4f} Å" for a, da in constants) + ".")
    print_note(f"Atoms lie {document['scatter_A']:.3f} Å off it along one direction (rms).")
    for name in sorted(set(document["phases"])):
        print_note(f"{name}: {document['phases'].count(name)} atoms")
    for fault in document["faults"]:
        normal = " ".join(f"{value:.3f}" for value in fault["normal"])
        print_note(f"{fault['kind']}: {fault['layers']} hexagonal layers, {len(fault['atoms'])} atoms, normal {normal}")

"""The pictures of the page on particles: ``python docs/_static/particles/pictures.py`` writes them beside this file."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms, units
from ase.visualize.plot import plot_atoms
from matplotlib.figure import Figure
from PIL import Image

from nanoslab.builders import (
    Contact,
    Join,
    Ligands,
    Shape,
    Surface,
    build_attached_pair,
    build_candidate,
    build_heterostructure,
    build_particle,
    build_tetrahedral_cluster,
)
from nanoslab.builders.interfaces.energy import coherent_strain_energy

FOLDER = Path(__file__).parent
DOT = Shape(kind="wulff", diameter=2.4, facets={"111A": 1.0, "111B": 1.2, "001": 1.1})
HEXAGONAL = {"0001A": 1.0, "0001B": 1.0, "10-10": 1.0}


def half(atoms: Atoms, depth: float = 1e3) -> Atoms:
    """What lies behind the middle, as deep as wanted [Å], to look inside."""
    behind = atoms.positions[:, 1].mean() + 0.5 - atoms.positions[:, 1]
    return atoms[(behind > 0) & (behind < depth)]


def save(figure: Figure, name: str) -> None:
    """Write a figure with few colours, so that the file is small."""
    figure.savefig(FOLDER / name, dpi=75)
    Image.open(FOLDER / name).convert("RGB").quantize(48).save(FOLDER / name, optimize=True)


def structures() -> None:
    """A grid of structures."""
    two = Join(first_size=1.8)
    particles = {
        "Wulff shape with Cl": build_particle("CdSe-zincblende", DOT, Surface(ligands=Ligands(name="Cl"))),
        "rod": build_particle("CdSe-wurtzite", Shape(kind="rod", diameter=1.8, length=4.0)),
        "platelet": build_particle("CdSe-zincblende", Shape(kind="platelet", diameter=3.5, thickness=1.2)),
        "shell, a slice": half(build_particle("PbS-rocksalt", Shape(kind="shell", diameter=3.5, void=1.8)), 3.0),
        "PbS in CdS, cut open": half(
            build_heterostructure("PbS-rocksalt", "CdS-zincblende", Shape(diameter=3.2), two, lattice="experimental")
        ),
        "attached, neck of 9 pairs": build_attached_pair(
            "PbSe-rocksalt",
            Shape(kind="wulff", diameter=2.5, facets={"001": 1.0, "111": 1.4}),
            Contact(pairs=9),
        ),
        "Cd56Se35Cl42": build_tetrahedral_cluster("CdSe-zincblende", 5, ligand="Cl"),
        "(CdSe)34, found": build_candidate("CdSe34"),
    }
    figure, axes = plt.subplots(2, 4, figsize=(10, 5.4))
    for axis, (name, atoms) in zip(axes.flat, particles.items(), strict=True):
        plot_atoms(atoms, axis, rotation="90x,12y,6x", radii=0.6, show_unit_cell=0)
        axis.set_title(name, fontsize=10)
        axis.set_axis_off()
    figure.tight_layout()
    save(figure, "structures.png")


def strain() -> None:
    """Elastic energy of coherent layers against the thickness of one."""
    figure, axis = plt.subplots(figsize=(5, 3))
    layers = np.linspace(0.1, 20, 300)
    joule = 1e3 * units._e  # eV/Å³ -> J/nm³
    for core in (2.0, 4.8, 8.0):
        energies = coherent_strain_energy((0.858, 0.957), 0.0298, (core, layers)) * joule
        axis.plot(layers, energies * 1e21, label=f"on {core:g} nm")
    axis.axhline(8.5, color="0.6", linestyle="--", label="printed peak, Han 2021")
    axis.set_xlabel("layer of ZnS [nm]")
    axis.set_ylabel("strain energy [10⁻²¹ J/nm³]")
    axis.legend(fontsize=8)
    figure.tight_layout()
    save(figure, "strain.png")


if __name__ == "__main__":
    structures()
    strain()

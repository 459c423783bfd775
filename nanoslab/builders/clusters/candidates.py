"""Clusters that ship with nanoslab: the lowest that a seeded search met, none of them a proven ground state."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read
from ase.neighborlist import neighbor_list

from nanoslab.builders.particles.particle import box, summarize
from nanoslab.crystals import crystal, make_recipe
from nanoslab.errors import unknown_name
from nanoslab.files import data_folder
from nanoslab.species import formal_charges

_BOND = 3.1  # Å


def candidate_names() -> tuple[str, ...]:
    """Names of the clusters, such as ``CdSe13``."""
    return tuple(sorted(path.stem for path in _folder().glob("*.json")))


def candidate_record(name: str) -> dict[str, Any]:
    """How a cluster was found, its energies, and what is known of it and was not searched."""
    if name not in candidate_names():
        raise unknown_name("cluster", name, candidate_names())
    found: dict[str, Any] = json.loads((_folder() / f"{name}.json").read_text(encoding="utf-8"))
    return found


def build_candidate(name: str, *, vacuum: float = 10.0) -> Atoms:
    """Lowest cluster of a composition that a search met, in a periodic box.

    Parameters
    ----------
    name
        One of `candidate_names`: ``CdSe13``, ``CdSe34``, ``Cd37S20Cl34`` (Cl stands for carboxylates) ...
    vacuum
        Smallest distance to the next image along each axis of the cubic cell [Å].

    Returns
    -------
    Atoms with the summary of a particle; ``info["recipe"]["search"]`` tells engines, starts and seeds.

    Examples
    --------
    >>> build_candidate("CdSe13").get_chemical_formula()
    'Cd13Se13'
    """
    record = candidate_record(name)
    atoms: Atoms = read(_folder() / f"{name}.xyz", format="xyz")
    symbols = np.array(atoms.get_chemical_symbols())
    core = atoms[symbols != "Cl"]
    compound = "CdSe" if "Se" in symbols else "CdS"
    bulk = crystal(f"{compound}-zincblende")
    bonds = np.bincount(neighbor_list("i", core, {("Cd", compound[2:]): _BOND}), minlength=len(core))
    volume = len(core) * bulk.get_volume() / len(bulk)
    summary = summarize(core, formal_charges(compound), volume, bonds).to_dict()
    if halides := len(atoms) - len(core):
        summary["ligands"] = {"name": "Cl", "number": halides, "charge_e": -float(halides)}
        summary["counts"] |= {"Cl": halides}
        summary["formal_charge"] -= halides
    boxed = box(atoms, vacuum)
    boxed.info = {"recipe": {**make_recipe("cluster candidate", name=name, vacuum=vacuum), **record}, "ledger": summary}
    return boxed


@cache
def _folder() -> Path:
    return data_folder("structures") / "clusters"

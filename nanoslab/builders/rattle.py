"""A small random displacement of every free atom, so that a relaxation cannot rest where only symmetry holds it."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from nanoslab.builders.recipe import describe_source
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError
from nanoslab.structure_types import AnyStructure, as_atoms

#: a displacement above this is another structure, not another start [Å]
LARGEST = 0.3


def rattle_atoms(atoms: AnyStructure, standard_deviation: float, *, seed: int = 0) -> Atoms:
    """Copy with every free atom displaced by normally distributed amounts, and the ledger of the ideal structure.

    On a symmetric start the forces that would break the symmetry are zero, so a relaxation may end on a saddle. The Se
    face of zinc-blende CdSe (001) is one: its atoms pair to dimers, and CHGNet's energy falls by 0.84 eV per a x a
    cell. A displacement must be large enough for the force along the way out to exceed the tolerance of the
    relaxation: there, from 0.1 Å (three seeds) forces of 0.05 eV/Å lead out, from 0.05 Å only 0.01 eV/Å.

    Parameters
    ----------
    atoms
        Any structure; atoms that a constraint holds stay where they are.
    standard_deviation, seed
        Of every free coordinate [Å], 0 to 0.3; the same seed gives the same displacements.

    Examples
    --------
    >>> from nanoslab.builders import build_nanosheet
    >>> sheet = build_nanosheet("CdSe-zincblende", "001", 3, fix="none")
    >>> start = rattle_atoms(sheet, 0.1)
    >>> round(float((start.positions - sheet.positions).std()), 1)
    0.1
    """
    atoms = as_atoms(atoms)
    if not 0 <= standard_deviation <= LARGEST:
        expected, got = f"0 to {LARGEST:g} Å", f"{standard_deviation:g}"
        raise InputError("rattle", expected=expected, got=got, advice="0.1 leaves most saddles")
    displaced = atoms.copy()
    displaced.rattle(standard_deviation, rng=np.random.default_rng(seed))  # honours constraints
    parameters = {"parent": describe_source(atoms), "standard_deviation_A": standard_deviation, "seed": seed}
    displaced.info = {**atoms.info, "recipe": make_recipe("rattle", **parameters)}
    return displaced

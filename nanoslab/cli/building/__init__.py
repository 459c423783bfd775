"""The group of builders."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "nanosheet": ("building.nanosheet", "nanosheet with an exact number of monolayers"),
    "vacancies": ("building.vacancies", "every symmetry-distinct vacancy of a sheet"),
    "neck": ("building.neck", "double slab with a neck of columns in the gap"),
    "sandwich": ("building.sandwich", "double slab with ligands in the gap"),
    "particle": ("building.particle", "a particle of any shape, neutral, with ligands"),
    "cluster": ("building.cluster", "a cluster of the tetrahedral series, or sizes from an absorption peak"),
    "heterostructure": ("building.heterostructure", "a particle of two materials, each on its own lattice"),
    "exchange": ("building.exchange", "a particle with a share of its ions exchanged, as a series"),
    "attached": ("building.attached", "two particles facing one another, with or without a neck"),
    "nanocrystal": ("building.nanocrystal", "a sphere or a faceted crystal of an exact composition"),
}

"""The group of builders."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "nanosheet": ("building.nanosheet", "one sheet of an exact number of monolayers"),
    "vacancies": ("building.vacancies", "every symmetry-distinct way to remove atoms from a slab"),
    "neck": ("building.neck", "two slabs and a neck of columns between them"),
    "sandwich": ("building.sandwich", "two slabs with ligands between them"),
    "nanocrystal": ("building.nanocrystal", "a sphere or a faceted crystal of an exact composition"),
}

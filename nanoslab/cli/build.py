"""The group of builders."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "nanosheet": ("build_nanosheet", "one sheet of an exact number of monolayers"),
    "vacancies": ("build_vacancies", "every symmetry-distinct way to remove atoms from a slab"),
    "neck": ("build_neck", "two slabs and a neck of columns between them"),
    "sandwich": ("build_sandwich", "two slabs with ligands between them"),
}

"""Measured and computed thresholds by material and site, read from a small file with the source of every row.

No heavy library is imported: the quick calculator reads the file on every start.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

#: a plain string: pathlib alone takes a tenth of the time that `nanoslab knockon` may
THRESHOLDS_FILE = __file__.removesuffix("thresholds.py") + "thresholds.tsv"


class PublishedThreshold(NamedTuple):
    """What it takes to knock an atom out of one site.

    Attributes
    ----------
    material, other_names
        Name in the table, and names that mean the same.
    element, site, layer, n_neighbours
        Chemical symbol; where the atom sits, in words; the layer that the number is for alone, counted from the
        surface; and how many neighbours the atom has.
    energy
        [eV].
    kind
        ``displacement``: a threshold. ``removal``: the energy to take the atom to vacuum, a lower bound of it.
    how, source
        Measured, computed or estimated, with the level of theory; and where the number stands.
    """

    material: str
    other_names: tuple[str, ...]
    element: str
    site: str
    layer: int | None
    n_neighbours: int
    energy: float
    kind: str
    how: str
    source: str

    @property
    def label(self) -> str:
        """Material, site, level of theory and source in words."""
        return f"{self.material}, {self.site}, {self.how} ({self.source})"


def published_thresholds(material: str | None = None, element: str | None = None) -> tuple[PublishedThreshold, ...]:
    """Rows of the table for a material, an element, both or neither, in the order of the file.

    Parameters
    ----------
    material
        A name or a formula, upper and lower case alike.
    element
        Chemical symbol.

    Examples
    --------
    >>> [(row.site, row.energy) for row in published_thresholds("CdSe", "Se")]
    [('(11-20) surface', 4.47), ('(11-20) layer 2', 5.24), ('(11-20) layer 3', 5.39)]
    """
    wanted = None if material is None else material.lower()
    return tuple(
        row
        for row in _rows()
        if element in (None, row.element)
        and (wanted is None or wanted in (row.material.lower(), *(name.lower() for name in row.other_names)))
    )


def lowest_threshold(element: str, material: str | None = None) -> PublishedThreshold | None:
    """The site of an element that costs least; None when the table has none.

    Examples
    --------
    >>> lowest_threshold("Se", "CdSe").energy
    4.47
    """
    return min(published_thresholds(material, element), key=lambda row: row.energy, default=None)


@cache
def _rows() -> tuple[PublishedThreshold, ...]:
    with open(THRESHOLDS_FILE, encoding="utf-8") as stream:  # noqa: PTH123 (see above)
        lines = [line for line in stream.read().splitlines() if line and not line.startswith("#")]
    return tuple(_row(line.split("\t")) for line in lines)


def _row(cells: list[str]) -> PublishedThreshold:
    material, names, element, site, layer, neighbours, energy, kind, how, source = cells
    others = tuple(name for name in names.split(", ") if name)
    where = (material, others, element, site, int(layer) if layer else None, int(neighbours))
    return PublishedThreshold(*where, float(energy), kind, how, source)

"""Basis sets and pseudopotentials in CP2K's own data files."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nanoslab.errors import EngineError

#: where Debian and most clusters keep them; CP2K's own variable CP2K_DATA_DIR comes first
FOLDERS = ("/usr/share/cp2k", "/usr/share/cp2k/data", "/usr/local/share/cp2k/data")
BASIS_FILES = ("BASIS_MOLOPT", "BASIS_MOLOPT_UCL", "BASIS_MOLOPT_UZH", "GTH_BASIS_SETS")
POTENTIAL_FILE = "GTH_POTENTIALS"
_TITLE = re.compile(r"^\s*([A-Z][a-z]?)\s+([A-Z][\w+.*-]*(?:\s+[A-Z][\w+.*-]*)*)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Basis set and pseudopotential of one element.

    Attributes
    ----------
    symbol
        Element.
    basis, basis_file, potential
        Names in CP2K's data files.
    n_electrons
        Valence electrons.
    hash
        First digits of the SHA-256 sum of both blocks.
    """

    symbol: str
    basis: str
    basis_file: str
    potential: str
    n_electrons: int
    hash: str

    @property
    def title(self) -> str:
        """Name for what must agree before energies are subtracted."""
        return f"{self.potential} {self.basis} {self.hash}"


def data_folder() -> Path:
    """CP2K's data files.

    Examples
    --------
    >>> data_folder().name  # doctest: +SKIP
    'cp2k'
    """
    folders = [*filter(None, [os.environ.get("CP2K_DATA_DIR")]), *FOLDERS]
    for folder in folders:
        if (Path(folder) / POTENTIAL_FILE).is_file():
            return Path(folder)
    raise EngineError(
        "engine cp2k",
        expected=f"CP2K's data files ({POTENTIAL_FILE}, BASIS_MOLOPT) in CP2K_DATA_DIR or {FOLDERS[0]}",
        got="none",
        advice="apt-get install cp2k-data, or set CP2K_DATA_DIR",
    )


@cache
def dataset(symbol: str, basis: str) -> Dataset:
    """Return the basis set of an element and the PBE potential of the same valence.

    Raises
    ------
    EngineError
        CP2K's data hold none.

    Examples
    --------
    >>> dataset("Se", "DZVP-MOLOPT-SR-GTH").potential  # doctest: +SKIP
    'GTH-PBE-q6'
    """
    potentials = _blocks(POTENTIAL_FILE)
    for file in BASIS_FILES:
        for (element, name), block in _blocks(file).items():
            valence = re.fullmatch(rf"{re.escape(basis)}-q(\d+)", name)
            if element != symbol or valence is None:
                continue
            potential = f"GTH-PBE-q{valence[1]}"
            if (symbol, potential) in potentials:
                together = block + potentials[symbol, potential]
                return Dataset(
                    symbol=symbol,
                    basis=name,
                    basis_file=file,
                    potential=potential,
                    n_electrons=int(valence[1]),
                    hash=hashlib.sha256(together.encode()).hexdigest()[:12],
                )
    raise EngineError(
        "engine cp2k",
        expected=f"basis {basis} of {symbol} with a PBE potential in {data_folder()}",
        got="none",
        advice="give another basis, such as cp2k:basis=DZVP-MOLOPT-SR-GTH",
    )


@cache
def known_elements(basis: str) -> frozenset[str]:
    """Elements that have this basis set and a PBE potential of its valence.

    Examples
    --------
    >>> "Cd" in known_elements("DZVP-MOLOPT-SR-GTH")  # doctest: +SKIP
    True
    """
    potentials = _blocks(POTENTIAL_FILE)
    return frozenset(
        element
        for file in BASIS_FILES
        for element, name in _blocks(file)
        if (match := re.fullmatch(rf"{re.escape(basis)}-q(\d+)", name))
        and (element, f"GTH-PBE-q{match[1]}") in potentials
    )


@cache
def _blocks(file: str) -> dict[tuple[str, str], str]:
    """(element, name) -> the numbers below that title; a block has several names."""
    blocks: dict[tuple[str, str], str] = {}
    titles: list[tuple[str, str]] = []
    path = data_folder() / file
    for line in path.read_text().splitlines() if path.is_file() else []:
        text = line.partition("#")[0].rstrip()
        title = _TITLE.match(text)
        if title:
            titles = [(title[1], name) for name in title[2].split()]
            blocks.update(dict.fromkeys(titles, ""))
        else:
            for key in titles:
                blocks[key] += text + "\n"
    return blocks

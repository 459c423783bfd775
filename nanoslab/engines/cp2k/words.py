"""The options of the engine ``cp2k``, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nanoslab.errors import EngineError


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The engine's options, read.

    Attributes
    ----------
    basis
        Name of the Gaussian basis sets without their valence, such as ``DZVP-MOLOPT-SR-GTH``.
    cutoff, relative_cutoff
        Of the finest grid and of the Gaussians on it [Ry].
    scf
        ``ot`` (orbital transformation, whole occupations, Gamma point) or ``diagonalisation`` (with the settings'
        smearing).
    dispersion
        ``d3`` (DFT-D3 with Becke-Johnson damping) or ``none``.
    ghosts
        ``removed``: atoms that were removed leave their basis functions behind; or ``none``.

    Examples
    --------
    >>> Words().cutoff
    400.0
    """

    basis: str = "DZVP-MOLOPT-SR-GTH"
    cutoff: float = 400.0
    relative_cutoff: float = 50.0
    scf: str = "auto"
    dispersion: str = "none"
    ghosts: str = "none"


def read_words(options: Mapping[str, Any]) -> Words:
    """Options of the engine as numbers and words.

    Examples
    --------
    >>> read_words({"cutoff": "300"}).cutoff
    300.0
    """
    known = {**options}
    for key in ("cutoff", "relative_cutoff"):
        if key in known:
            try:
                known[key] = float(known[key])
            except ValueError:
                raise EngineError(
                    f"engine cp2k: {key}", expected="a number of Ry", got=repr(options[key]), advice="mend --engine"
                ) from None
    return Words(**known)

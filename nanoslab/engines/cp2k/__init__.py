"""CP2K: open density-functional theory with Gaussians and plane waves (PBE, GTH potentials, MOLOPT basis sets).

Fast for cells of a hundred atoms and more at the Gamma point (orbital transformation: whole occupations); k-points go
through diagonalisation with smearing. A finite basis makes an energy depend on which atoms are near, so that a removed
atom leaves the sheet with fewer functions: ``ghosts=removed`` keeps them at the site (counterpoise).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from ase import Atoms
from ase.calculators.calculator import BaseCalculator

from nanoslab.calculation import Settings
from nanoslab.engines.cp2k.calculator import INSTALL, CP2KCalculator, command
from nanoslab.engines.cp2k.data import dataset, known_elements
from nanoslab.engines.cp2k.electrons import solver
from nanoslab.engines.cp2k.words import Words, read_words
from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.registry import choose, refuse_unknown_options
from nanoslab.errors import EngineError

_DEFAULTS: Mapping[str, str] = {
    "basis": Words().basis,
    "cutoff": f"{Words().cutoff:g}",
    "relative_cutoff": f"{Words().relative_cutoff:g}",
    "scf": Words().scf,
    "dispersion": Words().dispersion,
    "ghosts": Words().ghosts,
}


def create(options: Mapping[str, str]) -> Engine:
    """Return the CP2K engine.

    Parameters
    ----------
    options
        ``basis`` (DZVP-MOLOPT-SR-GTH; TZV2P-MOLOPT-SR-GTH, ...), ``cutoff`` and ``relative_cutoff`` (of the grids
        [Ry]), ``scf`` (``auto``, ``ot``, ``diagonalisation``), ``dispersion`` (``none``, ``d3``: D3 with
        Becke-Johnson damping), ``ghosts`` (``none``, ``removed``).

    Raises
    ------
    EngineError
        CP2K is not installed; the message says what to install.
    """
    refuse_unknown_options("cp2k", options, _DEFAULTS)
    choose("cp2k", options, "scf", ("auto", "ot", "diagonalisation"))
    choose("cp2k", options, "dispersion", ("none", "d3"))
    choose("cp2k", options, "ghosts", ("none", "removed"))
    words = read_words(options)
    version = program_version()
    dispersion = "-D3(BJ)" if words.dispersion == "d3" else ""
    return Engine(
        name="cp2k",
        version=version,
        level_of_theory=(
            f"PBE{dispersion}, GTH potentials, {words.basis}, {words.cutoff:g} Ry (CP2K {version})"
            + (", removed atoms as ghosts" if words.ghosts == "removed" else "")
        ),
        capabilities=Capabilities(elements=known_elements(words.basis)),
        calculator_factory=cp2k_calculator,
        comparable_factory=comparable,
        options={key: value for key, value in options.items() if value != _DEFAULTS[key]},
        versions={"cp2k": version},
    )


@cache
def program_version() -> str:
    """Version that the program says of itself."""
    try:
        said = subprocess.run(
            [command()[-1], "--version"], capture_output=True, text=True, timeout=60, check=False
        ).stdout
    except OSError as missing:
        raise EngineError("engine cp2k", expected="the program cp2k", got=missing, advice=INSTALL) from missing
    found = re.search(r"CP2K version (\S+)", said)
    if found is None:
        raise EngineError("engine cp2k", expected="CP2K's version", got=repr(said[:60]), advice=INSTALL)
    return found[1]


def cp2k_calculator(atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
    """Return a calculator at the settings' level of theory; CP2K starts with the first energy."""
    return CP2KCalculator(settings, options, atoms.info.get("removed_atoms"))


def comparable(atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must agree before two energies are subtracted; basis sets and potentials by their hash."""
    words = read_words(options)
    solver(settings, words)
    return {
        "code": "CP2K",
        "functional": "PBE-D3(BJ)" if words.dispersion == "d3" else settings.functional,
        "grid_cutoff_Ry": words.cutoff,
        "kpoints": settings.kpoints,
        "potentials": {
            symbol: dataset(symbol, words.basis).title for symbol in dict.fromkeys(atoms.get_chemical_symbols())
        },
    }

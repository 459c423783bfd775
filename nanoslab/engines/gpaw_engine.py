"""GPAW: open density-functional theory, plane waves and PAW datasets, at the settings of the study.

Energies are those of PBE (or another functional of the settings), relative to GPAW's own zero: neutral spherical atoms
without spin, so isolated atoms are computed like everything else. Energies at the settings' cutoff follow the volume
well, but the stress at that cutoff lacks the Pulay term (GPAW 26.7 ignores ``dedecut``): at 400 eV it would shrink
zinc-blende CdSe from 6.188 Å, the minimum of the energy at 400 eV as at 800 eV, to 6.120 Å. A relaxed cell therefore
takes its stress from a second calculation at a higher cutoff.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import BaseCalculator

from nanoslab.calculation import Settings
from nanoslab.engines.gpaw_calculator import GPAWCalculator
from nanoslab.engines.gpaw_settings import dataset_title
from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.registry import choose, refuse_unknown_options
from nanoslab.errors import EngineError

INSTALL = (
    "apt install g++ libxc-dev libopenblas-dev, then CC=g++ CXX=g++ pip install gpaw gpaw-data "
    "(serial; Debian's names of the libraries)"
)
_DEFAULTS = {"symmetry": "on"}


def create(options: Mapping[str, str]) -> Engine:
    """Return the GPAW engine.

    Parameters
    ----------
    options
        ``symmetry``: ``on`` (k-points and forces use the space group of the start, as long as it lasts) or ``off``
        (time reversal alone).
    """
    refuse_unknown_options("gpaw", options, _DEFAULTS)
    choose("gpaw", options, "symmetry", ("on", "off"))
    try:
        versions = {"gpaw": version("gpaw"), "gpaw-data": version("gpaw-data"), "ase": version("ase")}
    except PackageNotFoundError as missing:
        raise EngineError("engine gpaw", expected="the package gpaw", got=f"none ({missing})", advice=INSTALL) from None
    return Engine(
        name="gpaw",
        version=versions["gpaw"],
        level_of_theory=f"PAW datasets of gpaw-data {versions['gpaw-data']} (GPAW {versions['gpaw']})",
        capabilities=Capabilities(elements=_elements()),
        calculator_factory=gpaw_calculator,
        comparable_factory=comparable,
        options={key: value for key, value in options.items() if value != _DEFAULTS[key]},
        versions=versions,
    )


def gpaw_calculator(atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
    """Return a calculator at the settings' level of theory; GPAW itself starts with the first energy."""
    del atoms
    return GPAWCalculator(settings, options)


def comparable(atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must agree before two energies are subtracted; potentials by the hash of their dataset."""
    del options
    return {
        "code": "GPAW",
        "functional": settings.functional,
        "cutoff_energy": settings.cutoff_energy,
        "kpoints": settings.kpoints,
        "potentials": {
            symbol: dataset_title(symbol, settings.functional) for symbol in dict.fromkeys(atoms.get_chemical_symbols())
        },
    }


def _elements() -> frozenset[str] | None:
    """Elements with a PBE dataset; None when the user keeps datasets of their own."""
    found = find_spec("gpaw_data")
    if os.environ.get("GPAW_SETUP_PATH") or found is None or not found.submodule_search_locations:
        return None
    folder = Path(next(iter(found.submodule_search_locations))) / "setups"
    return frozenset(path.name.partition(".")[0] for path in folder.glob("*.PBE.gz")) or None

"""Settings of a study in GPAW's own words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from ase import Atoms

from nanoslab.calculation import Settings
from nanoslab.engines.quiet import quiet
from nanoslab.errors import EngineError

#: largest change of a force in the last electronic steps of a relaxation [eV/Å]
FORCE_NOISE = 0.01
#: positions that differ less are the same under a symmetry operation [Å]
SYMMETRY_TOLERANCE = 1e-4
#: slow, long-waved changes of the density damped: GPAW 26.7's own mixer (MSR1) runs away on sheets with metallic faces
MIXER: Mapping[str, Any] = MappingProxyType({"backend": "pulay", "beta": 0.05, "nmaxold": 5, "weight": 100})
_OCCUPATIONS: Mapping[str, Mapping[str, Any]] = {
    # the zeroth order of Methfessel and Paxton is Gaussian smearing
    "gaussian": {"name": "methfessel-paxton", "order": 0},
    "methfessel-paxton": {"name": "methfessel-paxton", "order": 1},
    "fermi": {"name": "fermi-dirac"},
    "tetrahedron": {"name": "improved-tetrahedron-method"},
}


def parameters(settings: Settings, *, cutoff_energy: float, symmetric: bool) -> dict[str, Any]:
    """Translate settings to GPAW's keywords; ``extra`` (tags of another code) has no meaning here."""
    size = settings.kpoints
    words: dict[str, Any] = {
        "mode": {"name": "pw", "ecut": cutoff_energy},
        "xc": settings.functional,
        "kpts": {"size": size, "gamma": True} if settings.gamma_centred else size,
        "occupations": dict(_OCCUPATIONS[settings.smearing]),
        "spinpol": settings.spin_polarized,
        # GPAW's own tolerance is per valence electron; that of the settings is of the cell
        "convergence": {"energy": _energy_criterion(settings.electronic_tolerance), "density": 1e-4},
        "maxiter": settings.max_electronic_steps,
        "mixer": dict(MIXER),
        "symmetry": {"symmorphic": False, "tolerance": SYMMETRY_TOLERANCE} if symmetric else {"point_group": False},
    }
    if settings.smearing != "tetrahedron":
        words["occupations"]["width"] = settings.smearing_width
    if settings.dipole_correction:
        words["poissonsolver"] = {"dipolelayer": "xy"}
    if settings.relax != "none":
        words["convergence"]["forces"] = FORCE_NOISE
    return words


def whole_occupations(atom: Atoms, functional: str) -> dict[str, Any]:
    """GPAW's keywords for an atom whose lowest orbitals hold one electron each, as many per spin as its moment says."""
    n_electrons = _dataset(atom.symbols[0], functional).Nv
    moment = abs(float(atom.get_initial_magnetic_moments().sum()))
    n_up, n_down = round((n_electrons + moment) / 2), round((n_electrons - moment) / 2)
    n_bands = n_up + 3  # empty ones for the eigensolver to turn to
    numbers = [[1.0] * filled + [0.0] * (n_bands - filled) for filled in (n_up, n_down)]
    return {"occupations": {"name": "fixed", "numbers": numbers}, "nbands": n_bands}


@cache
def dataset_title(symbol: str, functional: str) -> str:
    """Name and md5 sum of the PAW dataset of an element."""
    return f"{symbol}.{functional} {_dataset(symbol, functional).fingerprint}"


def _dataset(symbol: str, functional: str) -> Any:
    with quiet():
        from gpaw.setup_data import SetupData

        try:
            return SetupData(symbol, functional)
        except (FileNotFoundError, RuntimeError) as missing:
            expected, advice = f"a {functional} dataset of {symbol}", "pip install gpaw-data"
            raise EngineError("engine gpaw", expected=expected, got="none", advice=advice) from missing


def _energy_criterion(tolerance: float) -> Any:
    try:
        from gpaw.convergence_criteria import Energy
    except ImportError:  # only the words can be looked at without GPAW
        return tolerance
    return Energy(tolerance, relative=False)

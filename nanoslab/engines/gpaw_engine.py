"""GPAW: open density-functional theory, plane waves and PAW datasets, at the settings of the study.

Energies are those of PBE (or another functional of the settings), relative to GPAW's own zero: neutral spherical atoms
without spin, so isolated atoms are computed like everything else. Energies at the settings' cutoff follow the volume
well, but the stress at that cutoff lacks the Pulay term (GPAW 26.7 ignores ``dedecut``): at 400 eV it would shrink
zinc-blende CdSe from 6.188 Å, the minimum of the energy at 400 eV as at 800 eV, to 6.120 Å. A relaxed cell therefore
takes its stress from a second calculation at a higher cutoff.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes

from nanoslab.calculation import Settings
from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.quiet import quiet
from nanoslab.engines.registry import choose, refuse_unknown_options
from nanoslab.errors import EngineError

INSTALL = (
    "apt install g++ libxc-dev libopenblas-dev, then CC=g++ CXX=g++ pip install gpaw gpaw-data "
    "(serial; Debian's names of the libraries)"
)
#: of the stress: converged to 1e-4 eV/Å³ for CdSe (measured against 800 eV)
STRESS_CUTOFF_FACTOR = 1.75
#: largest change of a force in the last electronic steps of a relaxation [eV/Å]
FORCE_NOISE = 0.01
#: GPAW's own output, below the directory of the calculator
OUTPUT = "gpaw.txt"
#: positions that differ less are the same under a symmetry operation [Å]
SYMMETRY_TOLERANCE = 1e-4
#: slow, long-waved changes of the density damped: GPAW 26.7's own mixer (MSR1) runs away on sheets with metallic faces
MIXER: Mapping[str, Any] = MappingProxyType({"backend": "pulay", "beta": 0.05, "nmaxold": 5, "weight": 100})
_DEFAULTS = {"symmetry": "on"}
_OCCUPATIONS: Mapping[str, Mapping[str, Any]] = {
    # the zeroth order of Methfessel and Paxton is Gaussian smearing
    "gaussian": {"name": "methfessel-paxton", "order": 0},
    "methfessel-paxton": {"name": "methfessel-paxton", "order": 1},
    "fermi": {"name": "fermi-dirac"},
    "tetrahedron": {"name": "improved-tetrahedron-method"},
}


def create(options: Mapping[str, str]) -> Engine:
    """Return the GPAW engine.

    Parameters
    ----------
    options
        ``symmetry``: ``on`` (k-points and forces use the space group of the start, as long as it lasts) or ``off``
        (time reversal alone).

    Examples
    --------
    >>> create({}).name  # doctest: +SKIP
    'gpaw'
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
    """Return a calculator at the settings' level of theory; GPAW itself starts with the first energy.

    Examples
    --------
    >>> gpaw_calculator(Atoms("H"), Settings(source="test"), {}).implemented_properties
    ['energy', 'free_energy', 'forces', 'stress', 'magmoms']
    """
    del atoms
    return GPAWCalculator(settings, options)


def comparable(atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must agree before two energies are subtracted; potentials by the hash of their dataset.

    Examples
    --------
    >>> comparable(Atoms(), Settings(source="test"), {})["cutoff_energy"]
    400.0
    """
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


@cache
def dataset_title(symbol: str, functional: str) -> str:
    """Name and md5 sum of the PAW dataset of an element.

    Examples
    --------
    >>> dataset_title("Se", "PBE")  # doctest: +SKIP
    'Se.PBE 2336a0774a38175ff9db42ee3890f88a'
    """
    return f"{symbol}.{functional} {_dataset(symbol, functional).fingerprint}"


def _dataset(symbol: str, functional: str) -> Any:
    with quiet():
        from gpaw.setup_data import SetupData

        try:
            return SetupData(symbol, functional)
        except (FileNotFoundError, RuntimeError) as missing:
            raise EngineError(
                "engine gpaw",
                expected=f"a {functional} dataset of {symbol}",
                got="none",
                advice="pip install gpaw-data",
            ) from missing


def parameters(settings: Settings, *, cutoff_energy: float, symmetric: bool) -> dict[str, Any]:
    """Translate settings to GPAW's keywords; ``extra`` (tags of another code) has no meaning here.

    Parameters
    ----------
    settings
        Of the study.
    cutoff_energy
        Of the plane waves [eV]: the settings', or the higher one of the stress.
    symmetric
        Use the space group, or time reversal alone.

    Examples
    --------
    >>> parameters(Settings(source="test"), cutoff_energy=400.0, symmetric=True)["occupations"]
    {'name': 'methfessel-paxton', 'order': 0, 'width': 0.1}
    """
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


def is_open_shell_atom(atoms: Atoms, settings: Settings) -> bool:
    """One atom with a magnetic moment, computed with spin.

    Examples
    --------
    >>> is_open_shell_atom(Atoms("Se", magmoms=[2.0]), Settings(source="test", spin_polarized=True))
    True
    """
    return len(atoms) == 1 and settings.spin_polarized and bool(atoms.get_initial_magnetic_moments().any())


def whole_occupations(atom: Atoms, functional: str) -> dict[str, Any]:
    """GPAW's keywords for an atom whose lowest orbitals hold one electron each, as many per spin as its moment says.

    Examples
    --------
    >>> whole_occupations(Atoms("Se", magmoms=[2.0]), "PBE")["occupations"]["numbers"]  # doctest: +SKIP
    [[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    n_electrons = _dataset(atom.symbols[0], functional).Nv
    moment = abs(float(atom.get_initial_magnetic_moments().sum()))
    n_up, n_down = round((n_electrons + moment) / 2), round((n_electrons - moment) / 2)
    n_bands = n_up + 3  # empty ones for the eigensolver to turn to
    numbers = [[1.0] * filled + [0.0] * (n_bands - filled) for filled in (n_up, n_down)]
    return {"occupations": {"name": "fixed", "numbers": numbers}, "nbands": n_bands}


class GPAWCalculator(Calculator):  # type: ignore[misc]
    """GPAW that keeps its wave functions between steps and survives what stops it: a lost symmetry, a changed cell.

    With a directory of its own (ASE's ``directory``, which the run loop sets) GPAW's output goes there.

    Parameters
    ----------
    settings
        Of the study.
    options
        Of the engine.

    Examples
    --------
    >>> GPAWCalculator(Settings(source="test"), {}).n_started
    0
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "magmoms"]  # noqa: RUF012 (ASE's own type)

    def __init__(self, settings: Settings, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.symmetric = options.get("symmetry") != "off"
        self.n_started = 0
        self._running: Any = None
        self._stream: IO[str] | None = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Compute energy, forces and, when asked, the stress."""
        super().calculate(atoms, properties, system_changes)
        structure = self._structure()
        if is_open_shell_atom(structure, self.settings):
            self.results = self._lowest_state(structure)
            return
        if self._running is None or "cell" in system_changes or "numbers" in system_changes:
            self._running = self._start(self.settings.cutoff_energy)
        results = self._energy_and_forces(structure)
        if "stress" in (properties or ()):
            results["stress"] = self._stress(structure)
        self.results = results

    def _structure(self) -> Atoms:
        structure = self.atoms.copy()
        structure.constraints = []
        # the potential on the two sides of a slab can only differ where the cell ends
        structure.pbc = (True, True, not self.settings.dipole_correction)
        return structure

    def _lowest_state(self, structure: Atoms) -> dict[str, Any]:
        """Ground state of an open shell: the lower of whole occupations and those of the settings.

        Any smearing spreads the last electrons over degenerate orbitals, which lies above the ground state (Se: 0.11
        eV); whole occupations may in turn not converge, or end in a higher state (Pb).
        """
        states: list[dict[str, Any]] = []
        failure: EngineError | None = None
        for occupations in (whole_occupations(structure, self.settings.functional), {}):
            self._running = self._start(self.settings.cutoff_energy, **occupations)
            try:
                states.append(self._properties(structure))
            except EngineError as error:
                failure = error
        if not states and failure is not None:
            raise failure
        return min(states, key=lambda state: float(state["energy"]))

    def _energy_and_forces(self, structure: Atoms) -> dict[str, Any]:
        from gpaw.new.symmetry import SymmetryAnalysisBug, SymmetryBrokenError

        try:
            return self._properties(structure)
        except (SymmetryBrokenError, SymmetryAnalysisBug):
            # a step has lifted a symmetry, or positions rounded in a file make the operations no group
            self.symmetric = False
            self._running = self._start(self.settings.cutoff_energy)
            return self._properties(structure)

    def _properties(self, structure: Atoms) -> dict[str, Any]:
        structure.calc = self._running
        with _electrons_must_converge(self.settings):
            energy = float(structure.get_potential_energy())
        results = {
            "energy": energy,
            "free_energy": float(structure.get_potential_energy(force_consistent=True)),
            "forces": np.array(structure.get_forces(), dtype=float),
        }
        if self.settings.spin_polarized:
            results["magmoms"] = np.array(structure.get_magnetic_moments(), dtype=float)
        return results

    def _stress(self, structure: Atoms) -> Any:
        copy = structure.copy()
        copy.calc = self._start(STRESS_CUTOFF_FACTOR * self.settings.cutoff_energy)
        with _electrons_must_converge(self.settings):
            return np.array(copy.get_stress(), dtype=float)

    def _start(self, cutoff_energy: float, **occupations: Any) -> Any:
        self.n_started += 1
        with quiet():
            from gpaw import GPAW
        words = parameters(self.settings, cutoff_energy=cutoff_energy, symmetric=self.symmetric)
        return GPAW(**{**words, **occupations}, txt=self._output())

    def _output(self) -> IO[str] | None:
        """Stream that every start of GPAW in this directory continues; closed with the calculator."""
        if self._stream is None and self.directory != ".":
            self._stream = (Path(self.directory) / OUTPUT).open("a")
            weakref.finalize(self, self._stream.close)
        return self._stream


@contextmanager
def _electrons_must_converge(settings: Settings) -> Iterator[None]:
    from gpaw import ConvergenceError

    try:
        yield
    except ConvergenceError as error:
        raise EngineError(
            "engine gpaw",
            expected=f"electrons converged within {settings.max_electronic_steps} steps",
            got=f"none ({type(error).__name__})",
            advice=f"see {OUTPUT}; raise max_electronic_steps, or widen the smearing",
        ) from error


def _energy_criterion(tolerance: float) -> Any:
    try:
        from gpaw.convergence_criteria import Energy
    except ImportError:  # only the words can be looked at without GPAW
        return tolerance
    return Energy(tolerance, relative=False)

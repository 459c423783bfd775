"""Settings of a study in CP2K's own words: one input file for one energy with forces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import pi, sqrt
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import kB

from nanoslab.calculation import Settings
from nanoslab.engines.cp2k.data import Dataset, dataset
from nanoslab.errors import EngineError

#: of all files of one calculation
PROJECT = "cp2k"
#: wave functions of the last finished energy, without their ending (``wfn`` at the Gamma point, ``kp`` otherwise)
LAST_WAVE_FUNCTIONS = "last"
#: electronic convergence, largest gradient (orbital transformation) or change of the density matrix: of one energy,
#: whose error is of second order in it, and of the steps of a relaxation, whose forces are of first order
EPS_SCF_ENERGY, EPS_SCF_FORCES = 1.0e-5, 1.0e-6
#: Fermi-Dirac width whose derivative has the second moment of a Gaussian of width 1, so that -TS agrees to first order
FERMI_PER_GAUSSIAN_WIDTH = sqrt(3.0 / 2.0) / pi
_OT_INNER_STEPS = 20
_OT = ("MINIMIZER DIIS", "PRECONDITIONER FULL_SINGLE_INVERSE")
#: DIIS stalls on the degenerate orbitals of an open shell (Se: a gradient of 1.6e-5 for ever)
_OT_OF_AN_ATOM = ("MINIMIZER CG", "LINESEARCH 3PNT", "PRECONDITIONER FULL_ALL", "ENERGY_GAP 0.05")


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


def solver(atoms: Atoms, settings: Settings, words: Words) -> str:
    """``ot`` or ``diagonalisation``: orbital transformation where one real k-point allows it.

    Examples
    --------
    >>> solver(Atoms("Se"), Settings(source="test", kpoints=(2, 2, 1)), Words())
    'diagonalisation'
    """
    del atoms
    if words.scf == "auto":
        return "ot" if is_gamma_only(settings) else "diagonalisation"
    if words.scf == "ot" and not is_gamma_only(settings):
        raise EngineError(
            "engine cp2k: scf",
            expected="diagonalisation, or the Gamma point alone",
            got=f"ot with a mesh of {'x'.join(map(str, settings.kpoints))}",
            advice="leave scf out",
        )
    return words.scf


def is_gamma_only(settings: Settings) -> bool:
    """Whether the mesh of the settings is the Gamma point.

    Examples
    --------
    >>> is_gamma_only(Settings(source="test"))
    True
    """
    return max(settings.kpoints) == 1


def input_text(
    atoms: Atoms, settings: Settings, words: Words, *, restart: bool = False, with_stress: bool = False
) -> str:
    """Return CP2K's input file for the energy and forces of these atoms.

    Parameters
    ----------
    atoms
        With moments, and ``info["removed_atoms"]`` (``symbols`` and ``positions``) where ghosts are wanted.
    settings
        Of the study; the plane-wave cutoff has no meaning for Gaussians.
    words
        The engine's options.
    restart
        Start from the wave functions of the last energy.
    with_stress
        Compute the stress too.

    Raises
    ------
    EngineError
        The functional is not PBE, or a basis set or potential is missing.

    Examples
    --------
    >>> text = input_text(Atoms("Se", cell=[9, 9, 9], pbc=True), Settings(source="test"), Words())  # doctest: +SKIP
    """
    if settings.functional != "PBE":
        raise EngineError(
            "engine cp2k", expected="functional PBE", got=settings.functional, advice="use another engine for it"
        )
    kinds = atom_kinds(atoms, words)
    root: list[Any] = [
        ["GLOBAL", [f"PROJECT {PROJECT}", "RUN_TYPE ENERGY_FORCE", "PRINT_LEVEL LOW", "EXTENDED_FFT_LENGTHS"]],
        [
            "FORCE_EVAL",
            [
                "METHOD QUICKSTEP",
                *(["STRESS_TENSOR ANALYTICAL"] if with_stress else []),
                ["DFT", _dft(atoms, settings, words, kinds, restart)],
                ["SUBSYS", _subsys(atoms, kinds, words)],
                ["PRINT", [["FORCES ON", ["NDIGITS 12"]], *([["STRESS_TENSOR ON", []]] if with_stress else [])]],
            ],
        ],
    ]
    return "\n".join(_lines(root)) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Atoms that share element, moment and whether they are ghosts.

    Attributes
    ----------
    label
        As CP2K's coordinates name them.
    dataset
        Basis set and potential.
    moment
        Initial magnetic moment [Bohr magnetons].
    ghost
        Basis functions alone.
    indices
        Atoms of this kind.
    """

    label: str
    dataset: Dataset
    moment: float
    ghost: bool
    indices: tuple[int, ...]


def atom_kinds(atoms: Atoms, words: Words) -> tuple[Kind, ...]:
    """Group atoms by element and moment; ghosts follow the atoms.

    Examples
    --------
    >>> [kind.label for kind in atom_kinds(Atoms("SeCd"), Words())]  # doctest: +SKIP
    ['Se', 'Cd']
    """
    found: dict[tuple[str, float], list[int]] = {}
    moments = atoms.get_initial_magnetic_moments()
    for index, (symbol, moment) in enumerate(zip(atoms.get_chemical_symbols(), moments, strict=True)):
        found.setdefault((symbol, round(float(moment), 6)), []).append(index)
    kinds = [
        Kind(
            label=symbol if not moment else f"{symbol}_{number}",
            dataset=dataset(symbol, words.basis),
            moment=moment,
            ghost=False,
            indices=tuple(indices),
        )
        for number, ((symbol, moment), indices) in enumerate(found.items(), start=1)
    ]
    ghosts = ghost_atoms(atoms, words)
    for symbol in dict.fromkeys(ghosts.get_chemical_symbols()):
        indices = tuple(len(atoms) + i for i in range(len(ghosts)) if ghosts[i].symbol == symbol)
        data = dataset(symbol, words.basis)
        kinds.append(Kind(label=f"{symbol}_ghost", dataset=data, moment=0.0, ghost=True, indices=indices))
    return tuple(kinds)


def ghost_atoms(atoms: Atoms, words: Words) -> Atoms:
    """Removed atoms that leave their basis functions behind; empty without ``ghosts=removed``.

    Examples
    --------
    >>> len(ghost_atoms(Atoms("Se"), Words()))
    0
    """
    removed = atoms.info.get("removed_atoms")
    return Atoms(**removed) if words.ghosts == "removed" and removed else Atoms()


def k_points(settings: Settings) -> tuple[tuple[float, float, float, int], ...]:
    """Mesh of the settings in fractions of the reciprocal vectors with weights, k and -k taken together.

    Examples
    --------
    >>> k_points(Settings(source="test", kpoints=(2, 2, 1), gamma_centred=False))
    ((-0.25, -0.25, 0.0, 2), (-0.25, 0.25, 0.0, 2))
    """
    axes = []
    for n in settings.kpoints:
        shift = 0.0 if settings.gamma_centred or n % 2 else 0.5 / n
        axes.append([(-((n - 1) // 2) + i) / n - (0.0 if not shift else 0.5 / n) for i in range(n)])
    weights: dict[tuple[float, float, float], int] = {}
    for a, b, c in product(*axes):
        minus = _wrapped((-a, -b, -c))
        point = _wrapped((a, b, c))
        key = minus if minus in weights else point
        weights[key] = weights.get(key, 0) + 1
    return tuple((*point, weight) for point, weight in weights.items())


def _wrapped(point: Sequence[float]) -> tuple[float, float, float]:
    a, b, c = (round((x + 0.5 - 1e-9) % 1.0 - 0.5 + 1e-9, 10) + 0.0 for x in point)
    return a, b, c


def _dft(
    atoms: Atoms, settings: Settings, words: Words, kinds: Sequence[Kind], restart: bool
) -> list[Any]:
    n_electrons = sum(kind.dataset.n_electrons * len(kind.indices) for kind in kinds if not kind.ghost)
    names = {kind.dataset.basis_file for kind in kinds}
    lines: list[Any] = [
        *(f"BASIS_SET_FILE_NAME {name}" for name in sorted(names)),
        "POTENTIAL_FILE_NAME GTH_POTENTIALS",
        ["MGRID", [f"CUTOFF [Ry] {words.cutoff:g}", f"REL_CUTOFF [Ry] {words.relative_cutoff:g}"]],
        ["QS", [f"EPS_DEFAULT {eps_scf(settings) ** 2:.1e}"]],
        ["XC", [["XC_FUNCTIONAL PBE", []], *_dispersion(words)]],
        ["SCF", _scf(atoms, settings, words, n_electrons, restart)],
    ]
    if restart:
        ending = "wfn" if is_gamma_only(settings) else "kp"
        lines.append(f"WFN_RESTART_FILE_NAME {LAST_WAVE_FUNCTIONS}.{ending}")
    if settings.spin_polarized:
        lines += ["UKS", f"MULTIPLICITY {multiplicity(atoms, n_electrons)}"]
    if settings.dipole_correction:
        lines += ["SURFACE_DIPOLE_CORRECTION", "SURF_DIP_DIR Z"]
    if not is_gamma_only(settings):
        points = [f"KPOINT {a:.10f} {b:.10f} {c:.10f} {weight}" for a, b, c, weight in k_points(settings)]
        lines.append(["KPOINTS", ["SCHEME GENERAL", "UNITS B_VECTOR", "SYMMETRY OFF", *points]])
    return lines


def multiplicity(atoms: Atoms, n_electrons: int) -> int:
    """2S + 1 of the initial moments, at the parity of the electrons.

    Examples
    --------
    >>> multiplicity(Atoms("Se", magmoms=[2.0]), 6)
    3
    """
    unpaired = round(abs(float(atoms.get_initial_magnetic_moments().sum())))
    if (unpaired - n_electrons) % 2:
        unpaired += 1 if unpaired < 1 else -1
    return unpaired + 1


def _dispersion(words: Words) -> list[Any]:
    if words.dispersion == "none":
        return []
    pair = ["TYPE DFTD3(BJ)", "PARAMETER_FILE_NAME dftd3.dat", "REFERENCE_FUNCTIONAL PBE", "R_CUTOFF [angstrom] 16"]
    return [["VDW_POTENTIAL", ["POTENTIAL_TYPE PAIR_POTENTIAL", ["PAIR_POTENTIAL", pair]]]]


def _scf(atoms: Atoms, settings: Settings, words: Words, n_electrons: int, restart: bool) -> list[Any]:
    guess = [f"SCF_GUESS {'RESTART' if restart else 'ATOMIC'}", f"EPS_SCF {eps_scf(settings):.1e}"]
    keep = ["PRINT", [["RESTART", ["BACKUP_COPIES 0"]], ["RESTART_HISTORY OFF", []]]]
    if solver(atoms, settings, words) == "ot":
        return [
            *guess,
            f"MAX_SCF {_OT_INNER_STEPS}",
            ["OT", list(_OT_OF_AN_ATOM if len(atoms) == 1 else _OT)],
            ["OUTER_SCF", [f"EPS_SCF {eps_scf(settings):.1e}", f"MAX_SCF {max(1, settings.max_electronic_steps // 10)}"]],
            keep,
        ]
    smearing = [
        "METHOD FERMI_DIRAC",
        f"ELECTRONIC_TEMPERATURE [K] {electronic_temperature_K(settings):.4f}",
    ]
    return [
        *guess,
        f"MAX_SCF {settings.max_electronic_steps}",
        f"ADDED_MOS {max(10, n_electrons // 10)}",
        ["DIAGONALIZATION ON", ["ALGORITHM STANDARD"]],
        ["MIXING", ["METHOD BROYDEN_MIXING", "ALPHA 0.2", "BETA 1.5", "NBROYDEN 8"]],
        ["SMEAR ON", smearing],
        keep,
    ]


def eps_scf(settings: Settings) -> float:
    """Electronic convergence in CP2K's own measure.

    Examples
    --------
    >>> eps_scf(Settings(source="test", relax="none")) > eps_scf(Settings(source="test", relax="ions"))
    True
    """
    return EPS_SCF_ENERGY if settings.relax == "none" else EPS_SCF_FORCES


def electronic_temperature_K(settings: Settings) -> float:
    """Fermi-Dirac temperature [K] that stands for the settings' smearing.

    A Gaussian's temperature gives the occupations' derivative the same second moment, so that the electronic entropy
    agrees to first order; both extrapolate to the same energy at zero smearing.

    Examples
    --------
    >>> round(electronic_temperature_K(Settings(source="test", smearing="fermi", smearing_width=0.1)))
    1160
    """
    if settings.smearing == "fermi":
        return settings.smearing_width / kB
    if settings.smearing == "gaussian":
        return settings.smearing_width * FERMI_PER_GAUSSIAN_WIDTH / kB
    raise EngineError(
        "engine cp2k: smearing",
        expected="gaussian or fermi",
        got=settings.smearing,
        advice="CP2K 2023.1 has no other; change the study's settings",
    )


def _subsys(atoms: Atoms, kinds: Sequence[Kind], words: Words) -> list[Any]:
    everything = atoms.copy() + ghost_atoms(atoms, words)
    labels = {index: kind.label for kind in kinds for index in kind.indices}
    coordinates = [
        f"{labels[i]} {x:.12f} {y:.12f} {z:.12f}" for i, (x, y, z) in enumerate(everything.positions.tolist())
    ]
    cell = [
        f"{name} {x:.12f} {y:.12f} {z:.12f}"
        for name, (x, y, z) in zip("ABC", np.asarray(atoms.cell.array).tolist(), strict=True)
    ]
    return [["CELL", [*cell, "PERIODIC XYZ"]], ["COORD", coordinates], *(_kind(kind) for kind in kinds)]


def _kind(kind: Kind) -> list[Any]:
    lines = [
        f"ELEMENT {kind.dataset.symbol}",
        f"BASIS_SET {kind.dataset.basis}",
        f"POTENTIAL {kind.dataset.potential}",
    ]
    if kind.ghost:
        lines.append("GHOST")
    if kind.moment:
        lines.append(f"MAGNETIZATION {kind.moment:g}")
    return [f"KIND {kind.label}", lines]


def _lines(sections: Sequence[Any], depth: int = 0) -> list[str]:
    """Keywords are text, sections ``[title, content]``."""
    lines: list[str] = []
    for item in sections:
        if isinstance(item, str):
            lines.append("  " * depth + item)
            continue
        title, content = item
        name = title.split()[0]
        lines += ["  " * depth + f"&{title}", *_lines(content, depth + 1), "  " * depth + f"&END {name}"]
    return lines


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

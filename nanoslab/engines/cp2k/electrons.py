"""How CP2K finds the electrons' ground state: solver, occupations, k-points, spin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import pi, sqrt
from typing import Any

from ase import Atoms
from ase.units import kB

from nanoslab.calculation import Settings
from nanoslab.engines.cp2k.words import Words
from nanoslab.errors import EngineError

#: electronic convergence, largest gradient (orbital transformation) or change of the density matrix: of one energy,
#: whose error is of second order in it, and of the steps of a relaxation, whose forces are of first order
EPS_SCF_ENERGY, EPS_SCF_FORCES = 1.0e-5, 1.0e-6
#: turning the open shell of an atom costs next to nothing: its gradient ends far above the energy's error
EPS_SCF_ATOM = 5.0e-5
#: Fermi-Dirac width whose derivative has the second moment of a Gaussian of width 1, so that -TS agrees to first order
FERMI_PER_GAUSSIAN_WIDTH = sqrt(3.0 / 2.0) / pi
_OT_INNER_STEPS = 20
_OT = ("MINIMIZER DIIS", "PRECONDITIONER FULL_SINGLE_INVERSE")
#: DIIS stalls on the degenerate orbitals of an open shell (Se: a gradient of 1.6e-5 for ever)
_OT_OF_AN_ATOM = ("MINIMIZER CG", "LINESEARCH 3PNT", "PRECONDITIONER FULL_ALL", "ENERGY_GAP 0.05")


def solver(settings: Settings, words: Words) -> str:
    """``ot`` or ``diagonalisation``: orbital transformation where one real k-point allows it.

    Examples
    --------
    >>> solver(Settings(source="test", kpoints=(2, 2, 1)), Words())
    'diagonalisation'
    """
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


def scf_section(atoms: Atoms, settings: Settings, words: Words, n_electrons: int, restart: bool) -> list[Any]:
    """Section SCF of the input; a section is ``[title, content]``."""
    guess = [f"SCF_GUESS {'RESTART' if restart else 'ATOMIC'}", f"EPS_SCF {eps_scf(atoms, settings):.1e}"]
    keep = ["PRINT", [["RESTART", ["BACKUP_COPIES 0"]], ["RESTART_HISTORY OFF", []]]]
    if solver(settings, words) == "ot":
        return [
            *guess,
            f"MAX_SCF {_OT_INNER_STEPS}",
            ["OT", list(_OT_OF_AN_ATOM if len(atoms) == 1 else _OT)],
            [
                "OUTER_SCF",
                [f"EPS_SCF {eps_scf(atoms, settings):.1e}", f"MAX_SCF {max(1, settings.max_electronic_steps // 10)}"],
            ],
            keep,
        ]
    smearing = ["METHOD FERMI_DIRAC", f"ELECTRONIC_TEMPERATURE [K] {electronic_temperature_K(settings):.4f}"]
    return [
        *guess,
        f"MAX_SCF {settings.max_electronic_steps}",
        f"ADDED_MOS {max(10, n_electrons // 10)}",
        ["DIAGONALIZATION ON", ["ALGORITHM STANDARD"]],
        ["MIXING", ["METHOD BROYDEN_MIXING", "ALPHA 0.2", "BETA 1.5", "NBROYDEN 8"]],
        ["SMEAR ON", smearing],
        keep,
    ]


def eps_scf(atoms: Atoms, settings: Settings) -> float:
    """Electronic convergence in CP2K's own measure.

    Examples
    --------
    >>> slab = Atoms("CdSe")
    >>> eps_scf(slab, Settings(source="test", relax="none")) > eps_scf(slab, Settings(source="test", relax="ions"))
    True
    """
    if len(atoms) == 1:
        return EPS_SCF_ATOM
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
        return float(settings.smearing_width / kB)
    if settings.smearing == "gaussian":
        return float(settings.smearing_width * FERMI_PER_GAUSSIAN_WIDTH / kB)
    raise EngineError(
        "engine cp2k: smearing",
        expected="gaussian or fermi",
        got=settings.smearing,
        advice="CP2K 2023.1 has no other; change the study's settings",
    )

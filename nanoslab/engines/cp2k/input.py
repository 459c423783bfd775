"""Settings of a study in CP2K's own words: one input file for one energy with forces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from nanoslab.calculation import Settings
from nanoslab.engines.cp2k.data import Dataset, dataset
from nanoslab.engines.cp2k.electrons import eps_scf, is_gamma_only, k_points, multiplicity, scf_section
from nanoslab.engines.cp2k.words import Words
from nanoslab.errors import EngineError

#: of all files of one calculation
PROJECT = "cp2k"
#: wave functions of the last finished energy, without their ending (``wfn`` at the Gamma point, ``kp`` otherwise)
LAST_WAVE_FUNCTIONS = "last"


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
    if settings.functional not in (("PBE", "PBE-D3(BJ)") if words.dispersion == "d3" else ("PBE",)):
        raise EngineError(
            "engine cp2k",
            expected="functional PBE, or PBE-D3(BJ) with the option dispersion=d3",
            got=settings.functional,
            advice="mend --engine, or use another engine for it",
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


def _dft(atoms: Atoms, settings: Settings, words: Words, kinds: Sequence[Kind], restart: bool) -> list[Any]:
    n_electrons = sum(kind.dataset.n_electrons * len(kind.indices) for kind in kinds if not kind.ghost)
    names = {kind.dataset.basis_file for kind in kinds}
    lines: list[Any] = [
        *(f"BASIS_SET_FILE_NAME {name}" for name in sorted(names)),
        "POTENTIAL_FILE_NAME GTH_POTENTIALS",
        ["MGRID", [f"CUTOFF [Ry] {words.cutoff:g}", f"REL_CUTOFF [Ry] {words.relative_cutoff:g}"]],
        ["QS", [f"EPS_DEFAULT {min(1e-10, eps_scf(atoms, settings) ** 2):.1e}"]],
        ["XC", [["XC_FUNCTIONAL PBE", []], *_dispersion(words)]],
        ["SCF", scf_section(atoms, settings, words, n_electrons, restart)],
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


def _dispersion(words: Words) -> list[Any]:
    if words.dispersion == "none":
        return []
    pair = ["TYPE DFTD3(BJ)", "PARAMETER_FILE_NAME dftd3.dat", "REFERENCE_FUNCTIONAL PBE", "R_CUTOFF [angstrom] 16"]
    return [["VDW_POTENTIAL", ["POTENTIAL_TYPE PAIR_POTENTIAL", ["PAIR_POTENTIAL", pair]]]]


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
    lines = [f"ELEMENT {kind.dataset.symbol}", f"BASIS_SET {kind.dataset.basis}", f"POTENTIAL {kind.dataset.potential}"]
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

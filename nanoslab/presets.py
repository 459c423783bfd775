"""Settings by name, each with the paper it comes from, and what references need that sheets do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from types import MappingProxyType

import numpy as np
from ase.cell import Cell
from numpy.typing import ArrayLike

from nanoslab.calculation import Settings
from nanoslab.errors import InputError, unknown_name

#: the numbers are those of `Settings` where none is given
_MA2023 = Settings(
    source="Ma et al. 2023, doi:10.1002/advs.202205690 (PBE, 400 eV, Gaussian 0.1 eV, 1e-5 eV, 0.01 eV/Å)"
)
_WANG2020 = replace(
    _MA2023,
    source="Wang et al. 2020 (neck formation of PbSe) prints no settings; chosen here: PBE, 400 eV "
    "(1.6 times the largest cutoff of Pb_d and Se), Gaussian 0.05 eV, 1e-5 eV, 0.02 eV/Å",
    smearing_width=0.05,
    force_tolerance=2e-2,
)

#: name -> settings; k-points belong to a cell, so those of a plain name are one point
PRESETS: Mapping[str, Settings] = MappingProxyType(
    {
        "ma2023": _MA2023,
        "ma2023-wurtzite": replace(_MA2023, kpoints=(4, 3, 1)),
        "ma2023-zincblende": replace(_MA2023, kpoints=(4, 4, 1)),
        "wang2020": _WANG2020,
        # the same numbers for studies that follow no paper
        "pbe": replace(_MA2023, source="default: PBE, 400 eV, Gaussian 0.1 eV, 1e-5 eV, 0.01 eV/Å"),
        "pbe-double-slab": replace(_WANG2020, source="default: PBE, 400 eV, Gaussian 0.05 eV, 1e-5 eV, 0.02 eV/Å"),
        # ligands are held by dispersion, and 400 eV is no more than ENMAX of C and O
        "pbe-d3-ligands": replace(
            _WANG2020,
            source="default: PBE-D3(BJ), 520 eV, Gaussian 0.05 eV, 1e-5 eV, 0.02 eV/Å",
            functional="PBE-D3(BJ)",
            cutoff_energy=520.0,
        ),
    }
)


def preset(name: str) -> Settings:
    """Settings of a paper by name."""
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]


def isolated_atom_settings(settings: Settings, *, spin_polarized: bool = True) -> Settings:
    """Settings of one atom in a box at the same level of theory: one k-point, one energy, narrow smearing.

    The width is 0.01 eV at most, for the degenerate levels of an open shell would otherwise be filled in parts
    (VASP manual, "Calculation of atoms").
    """
    return replace(
        settings,
        kpoints=(1, 1, 1),
        gamma_centred=True,
        relax="none",
        smearing="gaussian",
        smearing_width=min(settings.smearing_width, 0.01),
        spin_polarized=spin_polarized,
        dipole_correction=False,
        source=f"{settings.source}; isolated atom",
    )


def crystal_settings(settings: Settings, cell: ArrayLike, *, spacing: float, metal: bool = False) -> Settings:
    """Settings of a reference crystal at the level of theory of a sheet: a dense Gamma-centred mesh, cell relaxed.

    Cell and spacing as for `kpoint_mesh`. A metal has Methfessel-Paxton smearing of 0.2 eV, as its forces want it (VASP
    manual, ISMEAR).
    """
    changed = replace(
        settings,
        kpoints=kpoint_mesh(cell, spacing=spacing),
        gamma_centred=True,
        relax="cell",
        dipole_correction=False,
        source=f"{settings.source}; reference crystal, k-points {spacing:g} 1/Å apart at most",
    )
    return replace(changed, smearing="methfessel-paxton", smearing_width=0.2) if metal else changed


def kpoint_mesh(cell: ArrayLike, *, spacing: float, vacuum_axes: tuple[int, ...] = ()) -> tuple[int, int, int]:
    """Smallest mesh of points at most a spacing [1/Å, with 2 pi, as KSPACING] apart; one on vacuum axes (0, 1, 2)."""
    if not spacing > 0:
        raise InputError("k-point spacing", expected="a length above 0 1/Å", got=spacing, advice="0.2 is dense")
    lengths = 2 * np.pi * np.linalg.norm(Cell(np.asarray(cell, dtype=float)).reciprocal(), axis=1)
    # the small shift keeps a cell that fits exactly from one point more by rounding
    points = [1 if i in vacuum_axes else max(1, ceil(length / spacing - 1e-9)) for i, length in enumerate(lengths)]
    return points[0], points[1], points[2]

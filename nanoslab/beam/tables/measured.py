"""Displacement cross-sections from experiments, read from a small file with the source of every row."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class MeasuredCrossSection(NamedTuple):
    """A displacement cross-section from an experiment: beam energy [keV], value and error [barn]."""

    beam_energy_keV: float
    barn: float
    error_barn: float


def measured_cross_sections(material: str, element: str) -> tuple[MeasuredCrossSection, ...]:
    """Measured cross-sections of an element of a material, by increasing beam energy; empty where there are none.

    Examples
    --------
    >>> measured_cross_sections("MoS2", "S")[-1].barn
    5.3
    """
    text = Path(__file__).with_name("measured_cross_sections.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(MeasuredCrossSection(*map(float, row[2:5])) for row in rows if (row[0], row[1]) == (material, element))

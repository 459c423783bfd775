"""What the quick calculator computes with: an energy to leave, and how atoms are hit, move and leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nanoslab.beam.closed_form import Escape, Model


class Threshold(NamedTuple):
    """An energy to leave [eV] and what it is."""

    energy: float
    source: str


class Conditions(NamedTuple):
    """How atoms are hit, move and leave.

    Attributes
    ----------
    model, escape
        Names of `displacement_cross_section`.
    temperature
        [K]; None for one nucleus of the standard mass at rest.
    debye_temperatures
        For elements that have one [K]; others move classically.
    velocity_tensors
        For elements whose phonons are known <v vᵀ>, three rows of three with z along the beam [m²/s²], instead.
    dose_rate_e_per_A2_s, allowed_loss
        Dose rate [e/Å²/s] and the fraction of atoms that may go, or None.
    """

    model: Model = "mott"
    escape: Escape = "spherical"
    temperature: float | None = 300.0
    debye_temperatures: Mapping[str, float] = {}
    dose_rate_e_per_A2_s: float | None = None
    allowed_loss: float | None = None
    velocity_tensors: Mapping[str, tuple[tuple[float, ...], ...]] = {}

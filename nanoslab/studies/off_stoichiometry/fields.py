"""The parts of an off-stoichiometry study's file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nanoslab.builders.rattle import LARGEST
from nanoslab.studies.vacancies.fields import Count
from nanoslab.yaml_file import StrictModel

Number = Annotated[int, Field(ge=0, le=10_000)]


class SearchModel(StrictModel):
    """How the ways are computed before the deciding ones go on.

    Attributes
    ----------
    engine
        What computes them, many in one call where it can.
    most
        Ways of one composition: all where there are no more, else so many drawn at random with their degeneracies.
    screened
        Further ways of each composition that was drawn: those that a cluster expansion of the drawn ones puts lowest.
    starts, rattle
        Starts of each way, displaced at random by this standard deviation [Å], so that surfaces may reconstruct.
    force_tolerance, max_steps
        When a relaxation ends [eV/Å].
    keep, farthest
        Ways of each composition that go on: the lowest, and those farthest from them and from one another.
    seed
        Of draws and displacements.
    """

    engine: str = "chgnet"
    most: Count = 12
    screened: Number = 0
    starts: Count = 1
    rattle: float = Field(default=0.1, gt=0, le=LARGEST)
    force_tolerance: float = Field(default=0.05, gt=0)
    max_steps: Count = 120
    keep: Count = 1
    farthest: Number = 0
    seed: Number = 0


class PathModel(StrictModel):
    """Losses one after the other, of the first sheet, from the face where the electrons leave it.

    Attributes
    ----------
    losses
        Atoms that a path loses at most.
    runs
        Paths of each kind that has chance in it.
    beam_energy_keV
        Of the kinetic paths.
    exit_face
        Where the electrons leave.
    temperature_K
        Of the Boltzmann paths.
    seed
        Of all chances.
    """

    losses: Count = 4
    runs: Count = 20
    beam_energy_keV: float = Field(default=200.0, gt=0, le=10_000)
    exit_face: Literal["bottom", "top"] = "bottom"
    temperature_K: float = Field(default=300.0, gt=0, le=10_000)
    seed: Number = 0


class SeenModel(StrictModel):
    """What somebody saw: a composition, the phase there, and the dose where it is known."""

    source: str
    anion_to_cation: float = Field(gt=0)
    phase: str
    dose_e_per_A2: float | None = Field(default=None, gt=0)
    what: str = ""

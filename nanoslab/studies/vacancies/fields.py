"""The parts of a vacancy study's file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from nanoslab.builders.rattle import LARGEST
from nanoslab.studies.crystal_source import CrystalName
from nanoslab.yaml_file import StrictModel


def _quoted(value: object) -> object:
    # YAML reads an unquoted 001 as the number 1
    if isinstance(value, int):
        raise ValueError(f"Miller indices in quotes, such as '001' (unquoted, YAML reads the number {value})")
    return value


Face = Annotated[str, BeforeValidator(_quoted)]
Count = Annotated[int, Field(gt=0)]
Points = Annotated[int, Field(gt=0, le=1000)]
Mesh = tuple[Points, Points, Points]


class SheetModel(StrictModel):
    """One pristine sheet; with `lateral` relaxed once more, its in-plane lattice free."""

    phase: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.+-]{0,59}$")
    crystal: CrystalName
    lattice: str | None = None
    face: Face
    monolayers: Count
    termination: tuple[str, str] | None = None
    repeat: tuple[Count, Count] | tuple[tuple[int, int], tuple[int, int]] = (1, 1)
    vacuum: float = Field(default=15.0, gt=0, le=1000)
    fix: str = "middle"
    rattle: float = Field(default=0.0, ge=0, le=LARGEST)
    kpoints: Mesh
    lateral: bool = False

    @property
    def folder(self) -> str:
        """Phase as the beginning of folder names."""
        return self.phase.replace(" ", "")


class SeriesModel(StrictModel):
    """One way of losing atoms, applied to every sheet; with `lateral` each result once more, its lattice free.

    With `after` it goes on from every structure of an earlier series, not from the whole sheet.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,59}$")
    remove: str
    region: Literal["top", "bottom", "both", "depth", "any"]
    counts: tuple[Count, ...] | Literal["layer"]
    sheets: tuple[str, ...] | None = None
    after: str | None = None
    lateral: bool = False


class CohesiveEnergyModel(StrictModel):
    """Energy to take a crystal of the element apart into atoms [eV per atom], and where the number is from."""

    energy: float = Field(gt=0)
    source: str


class ReferencesModel(StrictModel):
    """Where removed atoms go."""

    atoms: bool = True
    elements: dict[str, CrystalName] = Field(default_factory=dict)
    bulk: bool = True
    kpoint_spacing: float = Field(default=0.2, ge=0.01, le=10)
    cohesive_energies: dict[str, CohesiveEnergyModel] = Field(default_factory=dict)


class BeamModel(StrictModel):
    """The microscope."""

    energies_keV: tuple[Annotated[float, Field(gt=0, le=10_000)], ...] = (200.0, 300.0)

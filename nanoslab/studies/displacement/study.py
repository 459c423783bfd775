"""How hard an atom must be struck to leave: the fields of the study's file, and the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from pydantic import Field, field_validator

from nanoslab.beam.displacement.directions import hemisphere, require_outward, site_rotations
from nanoslab.beam.displacement.flight import Following
from nanoslab.beam.displacement.search import Search
from nanoslab.beam.displacement.starts import Motion
from nanoslab.beam.loss.paths import beam_frame
from nanoslab.builders.recipe import group_by_species
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.crystals import make_recipe, read_structure_file
from nanoslab.errors import InputError
from nanoslab.plot_data import Plot
from nanoslab.slab_geometry import empty_height
from nanoslab.studies import answers
from nanoslab.studies.crystal_source import is_structure_file
from nanoslab.studies.displacement.analysis import analyze_displacement
from nanoslab.studies.displacement.fields import (
    SHEETS,
    Count,
    Direction,
    DirectionsModel,
    FollowingModel,
    Number,
    SearchModel,
    SiteModel,
)
from nanoslab.studies.displacement.plots import displacement_plots
from nanoslab.studies.displacement.result import DisplacementResult
from nanoslab.studies.displacement.roles import KickRole, SheetRole, Vector
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.study import Reference, Study, inside

Array = NDArray[np.float64]


class DisplacementStudy(Study[DisplacementResult]):
    """Dynamic displacement thresholds of the sites of a sheet, and what a beam does with them.

    Examples
    --------
    >>> study = DisplacementStudy.model_validate({"study": "displacement", "title": "one direction",
    ...     "structure": "graphene", "repeat": [6, 6, 1], "sites": [{"name": "C", "atom": 0}],
    ...     "directions": {"only": [[0, 0, 1]]}})
    >>> [calculation.name for calculation in study.calculations()]
    ['pristine', 'C-000']
    """

    kind: ClassVar[str] = "displacement"
    asks: ClassVar[str] = "Can the beam displace an atom?"
    says = answers.displacement
    roles: ClassVar[tuple[type[Role], ...]] = (SheetRole, KickRole)
    methods: ClassVar[tuple[Reference, ...]] = (
        Reference("Ziegler, Biersack and Littmark, The Stopping and Range of Ions in Solids (1985): repulsion"),
        Reference("Mott, Proc. R. Soc. Lond. A 135, 429 (1932): scattering of fast electrons by nuclei"),
    )

    structure: str
    repeat: tuple[Count, Count, Count] = (1, 1, 1)
    relax: Literal["none", "ions", "cell"] = "cell"
    kpoints: tuple[Count, Count, Count] = (1, 1, 1)
    sites: tuple[SiteModel, ...] = Field(min_length=1)
    beam: Direction = (0.0, 0.0, 1.0)
    directions: DirectionsModel = DirectionsModel()
    search: SearchModel = SearchModel()
    following: FollowingModel = FollowingModel()
    repulsion: Literal["zbl", "engine"] = "zbl"
    motion: Motion = "rest"
    temperature: float = Field(default=300.0, ge=0)
    starts: Count = 1
    beam_energies_keV: tuple[Number, ...] = (60.0, 80.0, 120.0, 200.0, 300.0)

    @field_validator("structure")
    @classmethod
    def _known(cls, named: str) -> str:
        if named not in SHEETS and not is_structure_file(named):
            raise ValueError(f"a structure file, or one of {', '.join(SHEETS)}, got {named!r}")
        return named

    @property
    def crystals(self) -> tuple[str, ...]:
        """Structure whose atoms are kicked."""
        return (self.structure,)

    def calculations(self) -> tuple[Calculation, ...]:
        """The structure at rest, then every site in every distinct direction from every start."""
        search, given = self.search.parameters(), self.following.model_dump(exclude_none=True)
        Search(bracket=self.search.bracket, **self.search.model_dump(exclude={"bracket"}))
        settings = replace(self.settings.settings(), kpoints=self.kpoints)
        cell, sheet, first = self._sheet(Following(**given).free_A)
        made = [
            Calculation(
                name="pristine",
                role=SheetRole(label="at rest"),
                atoms=sheet,
                settings=replace(settings, relax=self.relax),
            )
        ]
        common = {"search": search, "following": given, "repulsion": self.repulsion}
        for site in self.sites:
            with inside(f"site {site.name}"):
                made += self._kicks(site, cell, sheet, first, (settings, common))
        return self.settings.with_moments(made)

    def answer(self, runs: UsableRuns) -> DisplacementResult:
        """Thresholds by direction, their mean and minimum, and cross-sections."""
        temperature = None if self.motion != "rest" else self.temperature
        return analyze_displacement(runs, self.beam_energies_keV, temperature)

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Thresholds against direction, cross-sections against voltage."""
        return displacement_plots(document)

    def _sheet(self, free: float) -> tuple[Atoms, Atoms, list[int]]:
        """Cell, its repetition in groups of species, and where each atom of the cell has its first copy."""
        named = self.structure
        cell = SHEETS[named]() if named in SHEETS else read_structure_file(self._find_file(named))
        cell.pbc = True
        cell.set_constraint()
        cell.info = {}
        whole = cell.repeat(self.repeat)
        whole.set_array("first", np.arange(len(whole)))
        sheet = group_by_species(whole)
        order = sheet.get_array("first").tolist()
        del sheet.arrays["first"]
        sheet.info = {"recipe": make_recipe("repeated", structure=named, repeat=list(self.repeat))}
        if self.search.counts == ("left",) and empty_height(sheet) < 2 * free:
            raise InputError(
                "structure",
                expected=f"a vacuum above {2 * free:g} Å, in which an atom can be free",
                got=f"{empty_height(sheet):.1f} Å",
                advice="widen it, or say counts: [hopped, replaced] for what stays inside",
            )
        return cell, sheet, [order.index(atom) for atom in range(len(cell))]

    def _kicks(
        self, site: SiteModel, cell: Atoms, sheet: Atoms, first: list[int], shared: tuple[Settings, dict[str, Any]]
    ) -> list[Calculation]:
        if site.atom >= len(cell):
            raise InputError("atom", expected=f"an index below {len(cell)}", got=site.atom)
        index = first[site.atom]
        vectors, weights, same_as = self._directions(cell, site.atom, sheet, index)
        settings, common = shared
        made = []
        for number in np.unique(same_as).tolist():
            alike = np.flatnonzero(same_as == number)
            for start in range(self.starts if self.motion != "rest" else 1):
                role = KickRole(
                    site=site.name,
                    element=sheet[index].symbol,
                    atom=index,
                    direction=_vector(vectors[number]),
                    beam=self.beam,
                    same=tuple(_vector(vectors[other]) for other in alike),
                    weights=tuple(float(weights[other]) for other in alike),
                    start=start,
                )
                motion = {"motion": self.motion, "temperature_K": self.temperature, "seed": start}
                made.append(
                    Calculation(
                        name=f"{site.name}-{number:03d}" + (f"-start{start}" if self.motion != "rest" else ""),
                        role=role,
                        atoms=sheet,
                        settings=replace(settings, relax="none"),
                        starts_from="pristine",
                        procedure="displacement",
                        parameters={"index": index, "direction": list(role.direction), **common}
                        | (motion if self.motion != "rest" else {}),
                    )
                )
        return made

    def _directions(self, cell: Atoms, atom: int, sheet: Atoms, index: int) -> tuple[Array, Array, NDArray[np.intp]]:
        """Unit vectors, weights and for each the first equivalent one."""
        if self.directions.only:
            for direction in self.directions.only:
                require_outward(cell, atom, direction)
            given = np.array([beam_frame(direction)[2] for direction in self.directions.only])
            return given, np.full(len(given), 1 / len(given)), np.arange(len(given))
        if self.search.counts == ("left",):
            require_outward(cell, atom, self.beam)
        distances = sheet.get_distances(index, np.arange(len(sheet)), mic=True, vector=True)
        near = int(np.argsort(np.linalg.norm(distances, axis=1))[1])
        nodes = hemisphere(
            self.beam,
            self.directions.polar,
            self.directions.azimuths,
            rotations=site_rotations(cell, atom),
            zero=distances[near],
        )
        return nodes.vectors, nodes.weights, nodes.same_as


def _vector(values: Array) -> Vector:
    x, y, z = (round(float(value), 12) + 0.0 for value in values)
    return x, y, z

"""Paths between two minima: the fields of the study's file, and the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from ase import Atoms
from ase.constraints import FixCartesian
from pydantic import AfterValidator, Field, model_validator

from nanoslab.atom_paths import matched
from nanoslab.builders.hops import exchange, interstitial_hop, vacancy_hop
from nanoslab.builders.recipe import group_by_species
from nanoslab.builders.slip import slide_layers, slide_one_layer
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.crystals import load_crystal
from nanoslab.errors import InputError
from nanoslab.files import is_folder_name
from nanoslab.plot_data import Plot, drawn
from nanoslab.species import formal_charges
from nanoslab.studies import answers
from nanoslab.studies.barrier.analysis import barrier_row, slip_row
from nanoslab.studies.barrier.headline import which_ion_moves
from nanoslab.studies.barrier.plots import path_plot, rate_plot
from nanoslab.studies.barrier.result import BarrierStudyResult
from nanoslab.studies.crystal_source import CrystalName, crystal_source, folder_name
from nanoslab.studies.headline import Evidence, Headline, answered
from nanoslab.studies.runs import UsableRun, UsableRuns
from nanoslab.studies.study import Reference, Study, StudyModel, inside

Index = Annotated[int, Field(ge=0)]
NEB = Reference(
    "G. Henkelman, B. P. Uberuaga and H. Jonsson, J. Chem. Phys. 113, 9901 (2000)", "https://doi.org/10.1063/1.1329672"
)


class PathRole(Role):
    """A path between two minima; of a vacancy's hop, which species moves and in which crystal."""

    kind: Literal["path"] = "path"
    moving: str = ""
    host: str = ""
    moves_cation: bool = False


class SlipRole(Role):
    """A sheet whose layers have slid by a fraction of the way from wurtzite to zinc blende, and how far [Å]."""

    kind: Literal["slip"] = "slip"
    path: str
    fraction: float
    slip_A: float


class InterstitialModel(StudyModel):
    """An additional atom's way."""

    species: str
    start: tuple[float, float, float]
    end: tuple[float, float, float]


#: sets of fields that describe a path
WAYS = (
    {"structure", "vacancy"},
    {"structure", "vacancy", "hopping"},
    {"structure", "exchange"},
    {"structure", "interstitial"},
    {"structure", "slip"},
    {"structure", "slip", "boundaries"},
    {"structure", "layer"},
    {"start", "end"},
    {"start", "end", "via"},
)


class PathModel(StudyModel):
    """One path: two structure files, or one structure and what happens in it, one of `WAYS`.

    `vacancy`, an index or a species, is filled by `hopping` or the nearest atom of its species; `exchange` swaps two
    atoms; `slip` turns a wurtzite sheet to zinc blende in so many steps, at all `boundaries` between its layers or at
    the first so many; `layer` slides one of four layers, whole or from one face. The atoms of `start` and `end` are
    matched; `via` is what the path passes before it relaxes.
    """

    name: str
    structure: CrystalName | None = None
    #: cells of the structure along its lattice vectors
    repeat: tuple[Index, Index, Index] = (1, 1, 1)
    vacancy: Index | str | None = None
    hopping: Index | None = None
    exchange: tuple[Index, Index] | None = None
    interstitial: InterstitialModel | None = None
    slip: Annotated[int, Field(ge=2, le=100)] | None = None
    boundaries: Annotated[int, Field(ge=1)] | None = None
    layer: Literal["whole", "top", "bottom"] | None = None
    start: str | None = None
    end: str | None = None
    via: str | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> PathModel:
        fields = set(type(self).model_fields) - {"name", "repeat"}
        given = {name for name in fields if getattr(self, name) is not None}
        if given not in WAYS:
            allowed = "; ".join(", ".join(sorted(way)) for way in WAYS)
            raise ValueError(f"one of these sets of fields: {allowed}; got {', '.join(sorted(given)) or 'none'}")
        if not is_folder_name(self.name):
            raise ValueError(f"a name of letters, digits and . _ + -, got {self.name!r}")
        return self


class BarrierStudy(Study[BarrierStudyResult]):
    """Barriers of single steps by nudged elastic bands, and their rates in harmonic transition state theory."""

    kind: ClassVar[str] = "barrier"
    asks: ClassVar[str] = "Is the easiest path passed within a second?"
    says = answers.barrier
    roles: ClassVar[tuple[type[Role], ...]] = (PathRole, SlipRole)
    methods: ClassVar[tuple[Reference, ...]] = (NEB,)
    analysis_only: ClassVar[dict[str, Any]] = {**Study.analysis_only, "temperatures": True}

    paths: tuple[PathModel, ...] = Field(min_length=1)
    kpoints: tuple[int, int, int] = (1, 1, 1)
    images: int = Field(default=5, ge=1, le=50)
    #: the highest image climbs to the saddle; on a long path with few images it may climb to nowhere
    climb: bool = True
    #: standard deviation of random displacements of the images before they relax [Å]; takes a path off a symmetric line
    rattle: float = Field(default=0.0, ge=0, le=0.5)
    #: how many of the atoms that move most vibrate; 0 leaves the proof of the saddle and the rates out
    vibrating_atoms: int = Field(default=12, ge=0)
    temperatures: Annotated[tuple[Annotated[float, Field(gt=0)], ...], AfterValidator(lambda t: tuple(sorted(t)))] = (
        300.0,
        400.0,
        500.0,
        600.0,
    )

    @model_validator(mode="after")
    def _names_differ(self) -> BarrierStudy:
        names = [path.name for path in self.paths]
        if len(set(names)) < len(names):
            raise ValueError(f"paths of different names, got {', '.join(names)}")
        return self

    @property
    def crystals(self) -> tuple[str, ...]:
        """Crystals and structure files of the paths."""
        files = ((path.structure, path.start, path.end, path.via) for path in self.paths)
        return tuple(named for of_path in files for named in of_path if named)

    def calculations(self) -> tuple[Calculation, ...]:
        """One band for each path; its ends are relaxed first, in the same calculation."""
        settings = replace(self.settings.settings(), relax="ions", kpoints=self.kpoints)
        made = []
        for path in self.paths:
            with inside(f"path {path.name}"):
                made += self._slips(path, settings) if path.slip else [self._band(path, settings)]
        return self.settings.with_moments(made)

    def _band(self, path: PathModel, settings: Settings) -> Calculation:
        """Start and end of a path, atom by atom the same."""
        ask: dict[str, Any] = {"n_images": self.images, "n_modes_atoms": self.vibrating_atoms}
        if not self.climb:
            ask |= {"climb": False, "n_modes_atoms": 0}
        if self.rattle:
            ask["rattle_A"] = self.rattle
        role = PathRole(label=path.name)
        if path.start and path.end:
            start, end = matched(self._structure(path.start), self._structure(path.end))
            if path.via:
                ask["via_positions_A"] = matched(start, self._structure(path.via))[1].positions.tolist()
        else:
            atoms = self._structure(path.structure or "", path.repeat)
            if path.layer is not None:
                start, end = atoms, slide_one_layer(atoms)
                start.set_constraint()
                if path.layer != "whole":
                    half = slide_one_layer(atoms, 0.5 if path.layer == "top" else -0.5)
                    ask["via_positions_A"] = half.positions.tolist()
            elif path.exchange is not None:
                start, end = exchange(atoms, *path.exchange)
            elif path.interstitial is not None:
                added = path.interstitial
                start, end = interstitial_hop(atoms, added.species, added.start, added.end)
            else:
                start, end = vacancy_hop(atoms, 0 if path.vacancy is None else path.vacancy, path.hopping)
                moving = start.symbols[int(np.argmax(np.abs(end.positions - start.positions).max(axis=1)))]
                is_cation = formal_charges(atoms.get_chemical_formula())[moving] > 0
                host = folder_name(path.structure or "")
                role = PathRole(label=path.name, moving=moving, host=host, moves_cation=is_cation)
        ask["end_positions_A"] = end.positions.tolist()
        return Calculation(name=path.name, role=role, atoms=start, settings=settings, procedure="band", parameters=ask)

    def _slips(self, path: PathModel, settings: Settings) -> list[Calculation]:
        """One relaxation at every step of a slip, all atoms held along it."""
        sheet = self._structure(path.structure or "", path.repeat)
        made = []
        for step in range((path.slip or 0) + 1):
            fraction = step / (path.slip or 1)
            atoms = slide_layers(sheet, fraction, boundaries=path.boundaries)
            way = sheet.cell[0] - atoms.cell[0]
            if np.abs(way[[0, 2]]).max() > 1e-3:
                got, advice = f"a slip along {way.round(3).tolist()}", "turn the sheet as 'build nanosheet' makes it"
                raise InputError("structure", expected="[1-100] along y, which is held", got=got, advice=advice)
            atoms.set_constraint(FixCartesian(range(len(atoms)), mask=(False, True, False)))
            role = SlipRole(
                label=f"{path.name}, {100 * fraction:.0f} %",
                path=path.name,
                fraction=fraction,
                slip_A=float(np.linalg.norm(way)),
            )
            made.append(Calculation(name=f"{path.name}-{step:02d}", role=role, atoms=atoms, settings=settings))
        return made

    def _structure(self, named: str, repeat: tuple[int, int, int] = (1, 1, 1)) -> Atoms:
        """Cations first, so that an index means the same here and in the files written."""
        return group_by_species(load_crystal(crystal_source(named, self._find_file)).repeat(repeat))

    def answer(self, runs: UsableRuns) -> BarrierStudyResult:
        """Barrier, modes and rates of every path."""
        rows = [
            replace(
                barrier_row(used, self.temperatures), moving=role.moving, host=role.host, moves_cation=role.moves_cation
            )
            for role, run in runs.of(PathRole)
            if (used := runs.get(run)) is not None
        ]
        slips: dict[str, dict[float, tuple[float, UsableRun]]] = {}
        for role, run in runs.of(SlipRole):
            if (used := runs.get(run)) is not None:
                slips.setdefault(role.path, {})[role.fraction] = (role.slip_A, used)
        for name, steps in slips.items():
            if len(steps) < 3 or not {0.0, 1.0} <= steps.keys():
                runs.refuse(name, "a slip needs its start, its end and a step between")
            else:
                rows.append(slip_row(name, list(steps.values())))
        return BarrierStudyResult(rows=tuple(rows), temperatures=self.temperatures)

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Energy along each path, and rates against temperature."""
        return drawn(path_plot(document), rate_plot(document))

    @classmethod
    def headline(cls, evidence: Evidence) -> Headline | None:
        """Which ion moves where vacancies of both kinds were computed, else how fast the easiest path is passed."""
        ions = answered(evidence, "Do the cations move before the anions?", which_ion_moves, path_plot(evidence.main))
        return ions or super().headline(evidence)

"""Paths between two minima: the fields of the study's file, and the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from ase import Atoms
from ase.constraints import FixCartesian
from pydantic import Field, model_validator

from nanoslab.atom_paths import matched
from nanoslab.builders.hops import exchange, interstitial_hop, vacancy_hop
from nanoslab.builders.recipe import group_by_species
from nanoslab.builders.slip import slide_layers
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.crystals import load_crystal
from nanoslab.errors import InputError
from nanoslab.files import is_folder_name
from nanoslab.plot_data import Plot, drawn
from nanoslab.studies import answers
from nanoslab.studies.barrier.analysis import barrier_row, slip_row
from nanoslab.studies.barrier.plots import path_plot, rate_plot
from nanoslab.studies.barrier.result import BarrierStudyResult
from nanoslab.studies.crystal_source import CrystalName, crystal_source
from nanoslab.studies.runs import UsableRun, UsableRuns
from nanoslab.studies.study import Reference, Study, StudyModel, inside

Index = Annotated[int, Field(ge=0)]
NEB = Reference(
    "G. Henkelman, B. P. Uberuaga and H. Jonsson, J. Chem. Phys. 113, 9901 (2000)", "https://doi.org/10.1063/1.1329672"
)


class PathRole(Role):
    """A path between two minima."""

    kind: Literal["path"] = "path"


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


class PathModel(StudyModel):
    """One path: two structure files, or one and what happens in it.

    `structure`, a file or a crystal that ships with nanoslab, with `vacancy` and `hopping` (an atom moves into the
    place of a missing one of its species), with `exchange` (two atoms swap), with `slip` (a wurtzite
    sheet turns to zinc blende in so many steps), or with `interstitial`; or `start` and `end`,
    two structure files whose atoms are matched.
    """

    name: str
    structure: CrystalName | None = None
    #: cells of the structure along its lattice vectors
    repeat: tuple[Index, Index, Index] = (1, 1, 1)
    vacancy: Index | None = None
    hopping: Index | None = None
    exchange: tuple[Index, Index] | None = None
    interstitial: InterstitialModel | None = None
    slip: Annotated[int, Field(ge=2, le=100)] | None = None
    start: str | None = None
    end: str | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> PathModel:
        given = {
            name
            for name in type(self).model_fields
            if name not in ("name", "repeat") and getattr(self, name) is not None
        }
        ways = (
            {"structure", "vacancy", "hopping"},
            {"structure", "exchange"},
            {"structure", "interstitial"},
            {"structure", "slip"},
            {"start", "end"},
        )
        if given not in ways:
            allowed = "; ".join(", ".join(sorted(way)) for way in ways)
            raise ValueError(f"one of these sets of fields: {allowed}; got {', '.join(sorted(given)) or 'none'}")
        if not is_folder_name(self.name):
            raise ValueError(f"a name of letters, digits and . _ + -, got {self.name!r}")
        return self

    def ends(self, find: Any) -> tuple[Atoms, Atoms]:
        """Both ends, atom by atom the same."""
        if self.start is not None and self.end is not None:
            return matched(find(self.start), find(self.end))
        atoms = find(self.structure).repeat(self.repeat)
        if self.exchange is not None:
            return exchange(atoms, *self.exchange)
        if self.interstitial is not None:
            return interstitial_hop(atoms, self.interstitial.species, self.interstitial.start, self.interstitial.end)
        return vacancy_hop(atoms, self.vacancy or 0, self.hopping or 0)


class BarrierStudy(Study[BarrierStudyResult]):
    """Barriers of single steps by nudged elastic bands, and their rates in harmonic transition state theory."""

    kind: ClassVar[str] = "barrier"
    asks: ClassVar[str] = "Is the easiest path passed within a second?"
    says = answers.barrier
    roles: ClassVar[tuple[type[Role], ...]] = (PathRole, SlipRole)
    methods: ClassVar[tuple[Reference, ...]] = (NEB,)

    paths: tuple[PathModel, ...] = Field(min_length=1)
    kpoints: tuple[int, int, int] = (1, 1, 1)
    images: int = Field(default=5, ge=1, le=50)
    #: how many of the atoms that move most vibrate; 0 leaves the proof of the saddle and the rates out
    vibrating_atoms: int = Field(default=12, ge=0)
    temperatures: tuple[Annotated[float, Field(gt=0)], ...] = (300.0, 400.0, 500.0, 600.0)

    @model_validator(mode="after")
    def _names_differ(self) -> BarrierStudy:
        names = [path.name for path in self.paths]
        if len(set(names)) < len(names):
            raise ValueError(f"paths of different names, got {', '.join(names)}")
        return self

    @property
    def crystals(self) -> tuple[str, ...]:
        """Crystals and structure files of the paths."""
        return tuple(named for path in self.paths for named in (path.structure, path.start, path.end) if named)

    def calculations(self) -> tuple[Calculation, ...]:
        """One band for each path; its ends are relaxed first, in the same calculation."""
        settings = replace(self.settings.settings(), relax="ions", kpoints=self.kpoints)
        made = []
        for path in self.paths:
            with inside(f"path {path.name}"):
                if path.slip is not None:
                    made += self._slips(path, settings)
                    continue
                start, end = path.ends(self._structure)
            made.append(
                Calculation(
                    name=path.name,
                    role=PathRole(label=path.name),
                    atoms=start,
                    settings=settings,
                    procedure="band",
                    parameters={
                        "end_positions_A": end.positions.tolist(),
                        "n_images": self.images,
                        "n_modes_atoms": self.vibrating_atoms,
                    },
                )
            )
        return self.settings.with_moments(made)

    def _slips(self, path: PathModel, settings: Settings) -> list[Calculation]:
        """One relaxation at every step of a slip, all atoms held along it."""
        sheet = self._structure(path.structure or "").repeat(path.repeat)
        made = []
        for step in range((path.slip or 0) + 1):
            fraction = step / (path.slip or 1)
            atoms = slide_layers(sheet, fraction)
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

    def _structure(self, named: str) -> Atoms:
        found = crystal_source(named, self._find_file)
        return group_by_species(load_crystal(found))

    def answer(self, runs: UsableRuns) -> BarrierStudyResult:
        """Barrier, modes and rates of every path."""
        rows = [
            barrier_row(used, self.temperatures) for _, run in runs.of(PathRole) if (used := runs.get(run)) is not None
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

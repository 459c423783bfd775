"""Necks between two slabs: the fields of the study's file, and the study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, model_validator

from nanoslab.builders.column_lattice import build_block
from nanoslab.builders.double_slab import DoubleSlab
from nanoslab.builders.neck import build_neck_of_shape
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.errors import InputError
from nanoslab.measure.sheet import faces_differ
from nanoslab.plot_data import Plot, drawn
from nanoslab.studies.double_slab_study import Count, DoubleSlabStudy
from nanoslab.studies.headline import Evidence, Headline
from nanoslab.studies.neck.analysis import analyze_necks
from nanoslab.studies.neck.plots import neck_headline, neck_plot
from nanoslab.studies.neck.result import NeckStudyResult
from nanoslab.studies.neck.roles import BulkRole, DoubleSlabRole, NeckRole
from nanoslab.studies.neck.shapes import ShapeChoice, Shapes, chosen_shapes, shape_code
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.study import StudyModel


class ScreenModel(StudyModel):
    """Cheap first: single points of many shapes with an embedded engine; the best few of every size go on."""

    engine: str
    shapes: Shapes = "all"
    keep: Count = 3
    planes: Count | None = None
    lattice_constant: float | None = Field(default=None, gt=0)


class ReferenceModel(StudyModel):
    """What somebody else read off the same curve."""

    source: str
    critical_pairs: float = Field(gt=0)


class NeckStudy(DoubleSlabStudy[NeckStudyResult]):
    """What a neck between two slabs costs against its size, over shapes, and the size beyond which it grows.

    Examples
    --------
    >>> study = NeckStudy.from_document({"study": "neck", "title": "short", "crystal": "PbSe-rocksalt",
    ...     "planes": 1, "pairs": [1, 2, 4, 6, 9]})
    >>> [calculation.name for calculation in study.calculations()][:4]
    ['bulk', 'double-slab', 'neck-01-1', 'neck-02-3']
    """

    kind: ClassVar[str] = "neck"
    roles: ClassVar[tuple[type[Role], ...]] = (BulkRole, DoubleSlabRole, NeckRole)
    analysis_only: ClassVar[dict[str, Any]] = {**DoubleSlabStudy.analysis_only, "compare": True}

    gap_planes: Count = 2
    empty_columns: int = Field(default=2, ge=0)
    pairs: tuple[Count, ...] = Field(min_length=1)
    shapes: Shapes = 1
    screen: ScreenModel | None = None
    #: shape code -> energy [eV] of the screen, written by it: see `nanoslab.studies.neck.screening`
    screened: dict[str, float] | None = None
    compare: ReferenceModel | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> NeckStudy:
        if len(set(self.pairs)) < len(self.pairs):
            raise ValueError(f"pairs that differ, got {list(self.pairs)}")
        if self.screened is not None and self.screen is None:
            raise ValueError("a screen beside screened energies, got none")
        return self

    def calculations(self) -> tuple[Calculation, ...]:
        """Bulk, double slab, and the necks: the most compact of every size, or the best of the screen."""
        if self.screen is not None and self.screened is None:
            expected = "energies of the screened shapes in the study (screened:)"
            advice = "run the screen first: 'nanoslab write' and 'nanoslab run' do"
            raise InputError("screen", expected=expected, got="none yet", advice=advice)
        slab, settings = self.double_slab(gap_planes=self.gap_planes), self.own_settings()
        choice = ShapeChoice(
            sizes=self.pairs,
            shapes=self.shapes,
            empty_columns=self.empty_columns,
            screened=self.screened or {},
            keep=self.screen.keep if self.screen else 1,
        )
        made = (*_references(slab, settings), *_necks(slab, choice, settings))
        return self.settings.with_moments(made)

    def answer(self, runs: UsableRuns) -> NeckStudyResult:
        """Energies of the necks, the lowest of every size, and the critical size."""
        screen = None
        if self.screen is not None and self.screened is not None:
            kept = f"the best {self.screen.keep} of each size kept"
            screen = f"{len(self.screened)} shapes screened with {self.screen.engine}, {kept}"
        compared = (self.compare.source, self.compare.critical_pairs) if self.compare else None
        return replace(analyze_necks(runs), screen=screen, compared_with=compared)

    @classmethod
    def headline(cls, evidence: Evidence) -> Headline:
        """Whether there is a size above which a neck grows."""
        return neck_headline(evidence)

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Energy of a neck against its size."""
        return drawn(neck_plot(document))


def _references(slab: DoubleSlab, settings: Settings) -> tuple[Calculation, Calculation]:
    """Bulk crystal in a block with the sides of the slab, so that its k-points are the same, and the double slab.

    The bulk atoms are where symmetry holds them; they and the lattice stay as they are.
    """
    kx, ky, _ = settings.kpoints
    bulk = Calculation(
        name="bulk",
        role=BulkRole(label="bulk"),
        atoms=build_block(slab.lattice, slab.lateral),
        settings=replace(settings, kpoints=(kx, ky, kx), relax="none"),
    )
    empty = build_neck_of_shape(slab, None)
    bare = Calculation(
        name="double-slab",
        role=DoubleSlabRole(label="double slab"),
        atoms=empty,
        settings=replace(settings, dipole_correction=faces_differ(empty)),
    )
    return bulk, bare


def _necks(slab: DoubleSlab, choice: ShapeChoice, settings: Settings) -> Iterator[Calculation]:
    """One calculation per shape, by size and compactness."""
    for shape in chosen_shapes(slab, choice):
        code = shape_code(shape.cells)
        n_pairs = shape.n_columns * slab.gap_planes // 2
        atoms = build_neck_of_shape(slab, shape, empty_columns=choice.empty_columns)
        yield Calculation(
            name=f"neck-{n_pairs:02d}-{code}",
            role=NeckRole(
                label=f"{n_pairs} pairs",
                n_pairs=n_pairs,
                shape=code,
                screening_energy_eV=choice.screened.get(code),
                **shape.to_dict(),
            ),
            atoms=atoms,
            # columns that begin with Pb and with Se in unequal numbers hold a dipole
            settings=replace(settings, dipole_correction=faces_differ(atoms)),
        )

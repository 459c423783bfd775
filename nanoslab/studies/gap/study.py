"""Two facets with or without ligands between them: the fields of the study's file, and the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from ase import Atoms
from pydantic import Field, model_validator

from nanoslab.builders.double_slab import LOWER
from nanoslab.builders.ligand import LigandLayer, ligand, ligand_record
from nanoslab.builders.sandwich import scan_poses
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError
from nanoslab.measure.sheet import faces_differ
from nanoslab.plot_data import Plot, drawn
from nanoslab.studies.double_slab_study import Count, DoubleSlabStudy, Length
from nanoslab.studies.gap.result import (
    GapRole,
    GapStudyResult,
    LigandRole,
    SlabRole,
    analyze_gaps,
    gap_headline,
    gap_plot,
)
from nanoslab.studies.headline import Evidence, Headline
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.settings_model import SettingsModel
from nanoslab.studies.study import StudyModel


class LigandModel(StudyModel):
    """Which molecule, how many, where."""

    name: str
    count: Count | None = None
    coverage: Length | None = None
    on: Literal["lower", "upper", "both"] = "lower"
    binding: str | None = None

    def layer(self) -> LigandLayer:
        """The ligands as the builders take them; refuses charged ones, as cells are computed neutral."""
        record = ligand_record(self.name)
        if record.formal_charge:
            expected, got = "a neutral ligand, as cells are computed neutral", f"charge {record.formal_charge:+d}"
            raise InputError("ligand", expected=expected, got=f"{record.name} of {got}", advice="take its acid")
        options = self.model_dump(exclude={"name", "on"})
        return LigandLayer(name=record.name, face=self.on, **options)


class RangeModel(StudyModel):
    """What somebody else found."""

    source: str
    gap: tuple[Length, Length]


class GapStudy(DoubleSlabStudy[GapStudyResult]):
    """Energy of two facets against the gap between them, with or without ligands, and its minimum.

    Examples
    --------
    >>> study = GapStudy.from_document({"study": "gap", "title": "short", "crystal": "PbSe-rocksalt", "planes": 1,
    ...     "lateral": [4, 4], "ligand": {"name": "formic-acid"}, "gaps": [5, 6, 7], "poses": "narrowest"})
    >>> [calculation.name for calculation in study.calculations()]
    ['slab', 'ligand', 'gap-05.00', 'gap-06.00', 'gap-07.00']
    """

    kind: ClassVar[str] = "gap"
    roles: ClassVar[tuple[type[Role], ...]] = (SlabRole, LigandRole, GapRole)
    analysis_only: ClassVar[dict[str, Any]] = {**DoubleSlabStudy.analysis_only, "compare": True}

    settings: SettingsModel = SettingsModel(preset="pbe-d3-ligands")
    fixed_planes: int = Field(default=1, ge=0)
    ligand: LigandModel | None = None
    gaps: tuple[Length, ...] = Field(min_length=1)
    #: added by ``nanoslab run --extend``; the height of the cells is that which `gaps` ask for
    more_gaps: tuple[Length, ...] = ()
    poses: Literal["every", "narrowest"] = "every"
    compare: RangeModel | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> GapStudy:
        every = (*self.gaps, *self.more_gaps)
        if len({round(gap, 2) for gap in every}) < len(every):
            raise ValueError(f"gaps that differ by 0.01 Å or more, got {list(every)}")
        return self

    def calculations(self) -> tuple[Calculation, ...]:
        """One slab, the free ligand, and the two slabs at every gap and pose, all in cells of one size."""
        settings = self.own_settings()
        narrowest = min(self.gaps)
        layer = self.ligand.layer() if self.ligand else None
        scan = scan_poses(self.double_slab(gap=max(self.gaps)), (*sorted(self.gaps), *self.more_gaps), layer)
        made = [Calculation(name="slab", role=SlabRole(label="slab"), atoms=_slab(scan[0].atoms), settings=settings)]
        if self.ligand is not None:
            made.append(_free_ligand(self.ligand.name, scan[0].atoms, settings))
        for gap, pose_gap, atoms in scan:
            # a pose is named by its gap, but that of the narrowest gap of the file, with or without others beside it
            other = pose_gap if layer and pose_gap != narrowest else None
            if other and self.poses == "narrowest" and pose_gap > narrowest:
                continue
            recipe = atoms.info["recipe"]
            role = GapRole(
                label=f"gap {gap:g} Å" + (f", pose of {other:g} Å" if other else ""),
                gap_A=gap,
                n_ligands=len(recipe.get("ligand_indices", [])),
                facing_distance_A=recipe["parameters"]["facing_distance_A"],
                pose_gap_A=other,
            )
            name = f"gap-{gap:05.2f}" + (f"-pose-{other:05.2f}" if other else "")
            made.append(Calculation(name=name, role=role, atoms=atoms, settings=settings))
        return self.settings.with_moments(_with_dipoles(made))

    def answer(self, runs: UsableRuns) -> GapStudyResult:
        """Energy against gap, and its minimum."""
        compared = (self.compare.source, self.compare.gap) if self.compare else None
        return replace(analyze_gaps(runs), compared_with=compared)

    @classmethod
    def headline(cls, evidence: Evidence) -> Headline:
        """Whether the facets keep a gap between them."""
        return gap_headline(evidence)

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Energy against the gap."""
        return drawn(gap_plot(document))


def _with_dipoles(calculations: Sequence[Calculation]) -> list[Calculation]:
    """Calculations with a dipole correction where the two faces of the structure differ."""
    return [
        replace(one, settings=replace(one.settings, dipole_correction=faces_differ(one.atoms))) for one in calculations
    ]


def _slab(sandwich: Atoms) -> Atoms:
    """The lower slab alone, in the same cell."""
    slab: Atoms = sandwich[sandwich.get_tags() == LOWER]
    slab.info = {"recipe": make_recipe("slab of", source=sandwich.info["recipe"])}
    return slab


def _free_ligand(name: str, sandwich: Atoms, settings: Settings) -> Calculation:
    """The molecule alone, in the same cell."""
    molecule = ligand(name)
    atoms = molecule[sorted(range(len(molecule)), key=lambda n: molecule[n].symbol)]
    atoms.set_cell(sandwich.cell)
    atoms.pbc = True
    atoms.center()
    atoms.info = {"recipe": make_recipe("ligand", name=name)}
    return Calculation(name="ligand", role=LigandRole(label=name), atoms=atoms, settings=settings)

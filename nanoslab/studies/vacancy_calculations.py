"""Every structure a vacancy study needs, with its settings, its name and its place in the study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, ground_state_magnetic_moments

from nanoslab.builders import build_nanosheet, distinct_vacancies, rattle_atoms
from nanoslab.builders.recipe import group_by_species, make_recipe
from nanoslab.builders.vacancy import Vacancy
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.crystals import crystal
from nanoslab.errors import InputError
from nanoslab.presets import crystal_settings, isolated_atom_settings
from nanoslab.slab_geometry import slab_heights
from nanoslab.species import cations_first
from nanoslab.studies.study import inside
from nanoslab.symmetry import site_permutations, standard_cell

if TYPE_CHECKING:
    from nanoslab.studies.vacancy_file import SeriesModel, SheetModel, VacancyFile

#: edges of the box around an isolated atom [Å]: unequal, so that an open shell may choose its direction
ATOM_BOX = (13.0, 14.0, 15.0)
#: largest force where the lattice is free [eV/Å]: one of 0.05 leaves half a per cent of strain open
TIGHT = 0.01
#: elemental crystals that are metals, which want another smearing
METALS = frozenset({"Cd", "Zn", "Pb"})


def calculations(study: VacancyFile) -> tuple[Calculation, ...]:
    """Pristine sheets, the structures that lost atoms, and the references, parents first."""
    settings = study.settings.settings()
    made = []
    for sheet in study.sheets:
        with inside(f"sheet {sheet.phase}"):
            made.append(_pristine(sheet, settings))
    pristine_sheets = tuple(made)
    for sheet, pristine in zip(study.sheets, pristine_sheets, strict=True):
        series = [one for one in study.series if one.sheets is None or sheet.phase in one.sheets]
        if sheet.lateral:
            made.append(_lateral(pristine, {}))
        with inside(f"sheet {sheet.phase}"):
            made.extend(_vacancies(pristine, _ideal(sheet), series))
    made.extend(_references(study, settings, pristine_sheets))
    names = [calculation.name for calculation in made]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise InputError("study", expected="calculations of different names", got=", ".join(sorted(doubles)))
    return tuple(made)


def _ideal(sheet: SheetModel) -> Atoms:
    return build_nanosheet(
        sheet.crystal,
        sheet.face,
        sheet.monolayers,
        repeat=sheet.repeat,
        termination=sheet.termination,
        vacuum=sheet.vacuum,
        fix=sheet.fix,
        lattice=sheet.lattice,
    )


def _pristine(sheet: SheetModel, settings: Settings) -> Calculation:
    ideal = _ideal(sheet)
    return Calculation(
        name=f"{sheet.folder}-pristine",
        role=Role(kind="pristine", phase=sheet.phase, label="pristine"),
        atoms=rattle_atoms(ideal, sheet.rattle) if sheet.rattle else ideal,
        settings=replace(settings, kpoints=sheet.kpoints, dipole_correction=faces_differ(ideal)),
    )


@dataclass(slots=True)
class _Place:
    """One way of losing atoms and all series that ask for it."""

    vacancy: Vacancy
    series: list[str] = field(default_factory=list)
    lateral: bool = False


def _vacancies(pristine: Calculation, ideal: Atoms, series: list[SeriesModel]) -> Iterator[Calculation]:
    """Ways of losing atoms that the ideal sheet tells apart, each starting from the pristine calculation."""
    places: dict[tuple[int, ...], _Place] = {}
    permutations = site_permutations(ideal)
    for one in series:
        with inside(f"series {one.name}"):
            vacancies = _of_series(ideal, one)
        for vacancy in vacancies:
            # Series overlap (a small cell's layer is also a count); the same structure is computed once
            images = permutations[:, list(vacancy.removed_indices)]
            same = min(tuple(sorted(image)) for image in images.tolist())
            place = places.setdefault(same, _Place(vacancy))
            if one.name not in place.series:
                place.series.append(one.name)
            place.lateral |= one.lateral
    prefix = pristine.name.removesuffix("pristine")
    for place in places.values():
        vacancy = place.vacancy
        atoms = vacancy.atoms.copy()
        kept = np.delete(pristine.atoms.positions, list(vacancy.removed_indices), axis=0)
        atoms.set_positions(kept, apply_constraint=False)
        lost = Calculation(
            name=f"{prefix}{vacancy.label}",
            role=Role(
                kind="vacancy",
                phase=pristine.tags["phase"],
                label=vacancy.label,
                series=place.series,
                degeneracy=vacancy.degeneracy,
                depth_A=round(vacancy.depth, 4),
            ),
            atoms=atoms,
            settings=replace(pristine.settings, dipole_correction=faces_differ(vacancy.atoms)),
            starts_from=pristine.name,
            removed_indices=vacancy.removed_indices,
        )
        yield lost
        if place.lateral:
            yield _lateral(lost, {vacancy.species: len(vacancy.removed_indices)})


def _lateral(parent: Calculation, removed: Mapping[str, int]) -> Calculation:
    """Relax once more from a relaxed sheet, all atoms and the in-plane lattice free."""
    atoms = parent.atoms.copy()
    atoms.set_constraint()
    return Calculation(
        name=f"{parent.name}-lateral",
        role=Role(
            kind="lateral",
            phase=parent.tags["phase"],
            label=parent.tags["label"],
            of=parent.name,
            removed=dict(removed),
        ),
        atoms=atoms,
        settings=replace(parent.settings, relax="cell", force_tolerance=min(parent.settings.force_tolerance, TIGHT)),
        starts_from=parent.name,
    )


def _of_series(slab: Atoms, series: SeriesModel) -> list[Vacancy]:
    counts = ("layer",) if series.counts == "layer" else series.counts
    return [v for count in counts for v in distinct_vacancies(slab, series.remove, count, series.region)]


def _references(study: VacancyFile, settings: Settings, pristine: tuple[Calculation, ...]) -> Iterator[Calculation]:
    elements = cations_first({element for sheet in pristine for element in sheet.atoms.get_chemical_symbols()})
    references = study.references
    if references.bulk:
        for name, lattice in dict.fromkeys((sheet.crystal, sheet.lattice) for sheet in study.sheets):
            yield _crystal(f"{name}-bulk", "bulk", crystal(name, lattice), settings, references.kpoint_spacing)
    for element, name in references.elements.items():
        atoms = crystal(name)
        if set(atoms.get_chemical_symbols()) != {element}:
            raise InputError(
                f"references.elements.{element}", expected=f"a crystal of {element}", got=name, advice="see its formula"
            )
        made = _crystal(f"{element}-element", "element", atoms, settings, references.kpoint_spacing)
        yield replace(made, role=Role(kind="element", element=element, crystal=name))
    if references.atoms:
        for element in elements:
            yield _atom(element, settings)


def _crystal(name: str, role: str, conventional: Atoms, settings: Settings, spacing: float) -> Calculation:
    primitive = group_by_species(standard_cell(conventional, to_primitive=True))
    primitive.info["recipe"] = make_recipe("primitive cell", crystal=conventional.info["recipe"]["parameters"])
    metal = role == "element" and primitive.get_chemical_symbols()[0] in METALS
    return Calculation(
        name=name,
        role=Role(kind=role, crystal=conventional.info["recipe"]["parameters"]["name"]),
        atoms=primitive,
        settings=crystal_settings(settings, primitive.cell.array, spacing=spacing, metal=metal),
    )


def _atom(element: str, settings: Settings) -> Calculation:
    moment = float(ground_state_magnetic_moments[atomic_numbers[element]])
    atoms = Atoms(element, positions=[np.array(ATOM_BOX) / 2], cell=ATOM_BOX, pbc=True, magmoms=[moment])
    atoms.info["recipe"] = make_recipe("isolated atom", element=element, box_A=list(ATOM_BOX), moment_muB=moment)
    return Calculation(
        name=f"{element}-atom",
        role=Role(kind="atom", element=element),
        atoms=atoms,
        settings=isolated_atom_settings(settings),
    )


def faces_differ(sheet: Atoms) -> bool:
    """Whether no operation of the sheet turns it over: then it may hold a dipole along its normal.

    Examples
    --------
    >>> faces_differ(build_nanosheet("CdSe-wurtzite", "11-20", 7))
    False
    >>> faces_differ(build_nanosheet("CdSe-zincblende", "001", 7, termination=("Cd", "Se")))
    True
    """
    heights, _ = slab_heights(sheet)
    turned = heights.max() - heights
    permuted = heights[site_permutations(sheet)]
    return not bool((np.abs(permuted - turned) < 0.01).all(axis=1).any())

"""Every structure a vacancy study needs, with its settings, its name and its place in the study."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, ground_state_magnetic_moments

from nanoslab.builders import build_nanosheet, distinct_vacancies, rattle_atoms
from nanoslab.builders.recipe import describe_lattice, group_by_species
from nanoslab.builders.vacancy import Vacancy
from nanoslab.calculation import Calculation, Settings
from nanoslab.crystals import crystal_names, crystal_record, load_crystal, make_recipe
from nanoslab.errors import InputError, NanoslabError
from nanoslab.presets import crystal_settings, isolated_atom_settings
from nanoslab.slab_geometry import slab_heights
from nanoslab.species import cations_first
from nanoslab.studies.crystal_source import folder_name
from nanoslab.studies.study import inside
from nanoslab.studies.vacancies.fields import ReferencesModel, SeriesModel, SheetModel
from nanoslab.studies.vacancies.roles import AtomRole, BulkRole, ElementRole, InPlaneRole, PristineRole, VacancyRole
from nanoslab.symmetry import site_permutations, standard_cell

Source = Callable[[str], str | Atoms]

#: edges of the box around an isolated atom [Å]: unequal, so that an open shell may choose its direction
ATOM_BOX = (13.0, 14.0, 15.0)
#: largest force where the lattice is free [eV/Å]: one of 0.05 leaves half a per cent of strain open
TIGHT = 0.01
#: elemental crystals that are metals, which want another smearing
METALS = frozenset({"Cd", "Zn", "Pb"})


def vacancy_calculations(
    sheets: Sequence[SheetModel],
    series: Sequence[SeriesModel],
    references: ReferencesModel,
    settings: Settings,
    source: Source,
) -> tuple[Calculation, ...]:
    """Pristine sheets, the structures that lost atoms, and the references, parents first.

    ``source``: crystal as the study file names it -> what builders take.
    """
    pristine: list[tuple[SheetModel, Atoms, Calculation]] = []
    faults: list[NanoslabError] = []
    for sheet in sheets:
        try:
            ideal = ideal_sheet(sheet, source)
            pristine.append((sheet, ideal, pristine_calculation(sheet, ideal, settings)))
        except NanoslabError as error:
            faults.append(error.within(f"sheet {sheet.phase}"))
    if faults:
        raise faults[0] if len(faults) == 1 else InputError.together(faults)
    made = [calculation for _, _, calculation in pristine]
    for sheet, ideal, whole in pristine:
        if sheet.lateral:
            made.append(_in_plane(whole, InPlaneRole(phase=sheet.phase, label="pristine", removed={})))
        own = [one for one in series if one.sheets is None or sheet.phase in one.sheets]
        with inside(f"sheet {sheet.phase}"):
            made.extend(_vacancies(whole, ideal, sheet, own))
    made.extend(reference_calculations(references, sheets, settings, source))
    names = [calculation.name for calculation in made]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise InputError("study", expected="calculations of different names", got=", ".join(sorted(doubles)))
    return tuple(made)


def ideal_sheet(sheet: SheetModel, source: Source) -> Atoms:
    """Sheet as built, nothing displaced."""
    options = {name: getattr(sheet, name) for name in ("repeat", "termination", "vacuum", "fix", "lattice")}
    return build_nanosheet(source(sheet.crystal), sheet.face, sheet.monolayers, **options)


def pristine_calculation(sheet: SheetModel, ideal: Atoms, settings: Settings) -> Calculation:
    """The whole sheet, displaced where its file says so."""
    return Calculation(
        name=f"{sheet.folder}-pristine",
        role=PristineRole(phase=sheet.phase, label="pristine"),
        atoms=rattle_atoms(ideal, sheet.rattle) if sheet.rattle else ideal,
        settings=replace(settings, kpoints=sheet.kpoints, dipole_correction=faces_differ(ideal)),
    )


@dataclass(slots=True)
class _Place:
    """One way of losing atoms and all series that ask for it."""

    vacancy: Vacancy
    series: list[str] = field(default_factory=list)
    in_plane: bool = False


def _vacancies(
    pristine: Calculation, ideal: Atoms, sheet: SheetModel, series: Sequence[SeriesModel]
) -> Iterator[Calculation]:
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
            place.in_plane |= one.lateral
    for place in places.values():
        vacancy = place.vacancy
        atoms = vacancy.atoms.copy()
        kept = np.delete(pristine.atoms.positions, list(vacancy.removed_indices), axis=0)
        atoms.set_positions(kept, apply_constraint=False)
        lost = Calculation(
            name=f"{sheet.folder}-{vacancy.label}",
            role=VacancyRole(
                phase=sheet.phase,
                label=vacancy.label,
                series=tuple(place.series),
                degeneracy=vacancy.degeneracy,
                depth_A=round(vacancy.depth, 4),
            ),
            atoms=atoms,
            settings=replace(pristine.settings, dipole_correction=faces_differ(vacancy.atoms)),
            starts_from=pristine.name,
            removed_indices=vacancy.removed_indices,
        )
        yield lost
        if place.in_plane:
            removed = {vacancy.species: len(vacancy.removed_indices)}
            yield _in_plane(lost, InPlaneRole(phase=sheet.phase, label=vacancy.label, removed=removed))


def _in_plane(parent: Calculation, role: InPlaneRole) -> Calculation:
    """Relax once more from a relaxed sheet, all atoms and the in-plane lattice free."""
    atoms = parent.atoms.copy()
    atoms.set_constraint()
    return Calculation(
        name=f"{parent.name}-lateral",
        role=role,
        atoms=atoms,
        settings=replace(parent.settings, relax="cell", force_tolerance=min(parent.settings.force_tolerance, TIGHT)),
        starts_from=parent.name,
    )


def _of_series(slab: Atoms, series: SeriesModel) -> list[Vacancy]:
    counts = ("layer",) if series.counts == "layer" else series.counts
    return [v for count in counts for v in distinct_vacancies(slab, series.remove, count, series.region)]


def reference_calculations(
    references: ReferencesModel, sheets: Sequence[SheetModel], settings: Settings, source: Source
) -> Iterator[Calculation]:
    """Bulk crystals of the sheets, elements, and isolated atoms."""
    spacing = references.kpoint_spacing
    crystals = {
        (one.crystal, describe_lattice(one.crystal, one.lattice)): load_crystal(source(one.crystal), one.lattice)
        for one in sheets
    }
    if references.bulk:
        for (name, _), atoms in crystals.items():
            yield _crystal(f"{folder_name(name)}-bulk", BulkRole(crystal=name), atoms, settings, spacing)
    for element, name in references.elements.items():
        # its lattice is relaxed: where no PBE constants are known, others are a start as good
        lattices = crystal_record(name).lattices if name in crystal_names() else {"pbe": None}
        atoms = load_crystal(source(name), None if "pbe" in lattices else next(iter(lattices)))
        if set(atoms.get_chemical_symbols()) != {element}:
            where, expected = f"references.elements.{element}", f"a crystal of {element}"
            raise InputError(where, expected=expected, got=name, advice="see its formula")
        yield _crystal(f"{element}-element", ElementRole(element=element, crystal=name), atoms, settings, spacing)
    if references.atoms:
        symbols = {symbol for atoms in crystals.values() for symbol in atoms.get_chemical_symbols()}
        for element in cations_first(symbols):
            yield _atom(element, settings)


def _crystal(
    name: str, role: BulkRole | ElementRole, conventional: Atoms, settings: Settings, spacing: float
) -> Calculation:
    primitive = group_by_species(standard_cell(conventional, to_primitive=True))
    primitive.info["recipe"] = make_recipe("primitive cell", crystal=conventional.info["recipe"]["parameters"])
    metal = isinstance(role, ElementRole) and role.element in METALS
    own = crystal_settings(settings, primitive.cell.array, spacing=spacing, metal=metal)
    return Calculation(name=name, role=role, atoms=primitive, settings=own)


def _atom(element: str, settings: Settings) -> Calculation:
    moment = float(ground_state_magnetic_moments[atomic_numbers[element]])
    atoms = Atoms(element, positions=[np.array(ATOM_BOX) / 2], cell=ATOM_BOX, pbc=True, magmoms=[moment])
    atoms.info["recipe"] = make_recipe("isolated atom", element=element, box_A=list(ATOM_BOX), moment_muB=moment)
    role = AtomRole(element=element)
    return Calculation(name=f"{element}-atom", role=role, atoms=atoms, settings=isolated_atom_settings(settings))


def faces_differ(sheet: Atoms) -> bool:
    """Whether no operation of the sheet turns it over: then it may hold a dipole along its normal."""
    heights, _ = slab_heights(sheet)
    turned = heights.max() - heights
    permuted = heights[site_permutations(sheet)]
    return not bool((np.abs(permuted - turned) < 0.01).all(axis=1).any())

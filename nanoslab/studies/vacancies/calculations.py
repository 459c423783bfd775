"""Every structure a vacancy study needs, with its settings, its name and its place in the study."""

from __future__ import annotations

from collections import Counter
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
from nanoslab.measure.sheet import faces_differ
from nanoslab.presets import crystal_settings, isolated_atom_settings
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
    """One way of losing atoms, by their indices in the whole sheet, and all series that ask for it."""

    label: str
    vacancy: Vacancy
    removed: tuple[int, ...]
    degeneracy: int
    parent: _Place | None
    series: list[str] = field(default_factory=list)
    in_plane: bool = False


def _vacancies(
    pristine: Calculation, ideal: Atoms, sheet: SheetModel, series: Sequence[SeriesModel]
) -> Iterator[Calculation]:
    """Ways of losing atoms that the ideal sheet tells apart, each starting from the structure that loses them."""
    for place in _places(ideal, series):
        atoms = place.vacancy.atoms.copy()
        kept = np.delete(pristine.atoms.positions, list(place.removed), axis=0)
        atoms.set_positions(kept, apply_constraint=False)
        lost = Calculation(
            name=f"{sheet.folder}-{place.label}",
            role=VacancyRole(
                phase=sheet.phase,
                label=place.label,
                series=tuple(place.series),
                degeneracy=place.degeneracy,
                depth_A=round(place.vacancy.depth, 4),
            ),
            atoms=atoms,
            settings=replace(pristine.settings, dipole_correction=faces_differ(place.vacancy.atoms)),
            starts_from=f"{sheet.folder}-{place.parent.label}" if place.parent else pristine.name,
            removed_indices=place.vacancy.removed_indices,
        )
        yield lost
        if place.in_plane:
            removed = Counter(ideal[index].symbol for index in place.removed)
            yield _in_plane(lost, InPlaneRole(phase=sheet.phase, label=place.label, removed=dict(removed)))


def _places(ideal: Atoms, series: Sequence[SeriesModel]) -> list[_Place]:
    """Every distinct structure that the series ask for, those that others go on from first."""
    places: dict[tuple[int, ...], _Place] = {}
    permutations = site_permutations(ideal)
    for one in series:
        earlier: list[_Place | None] = [place for place in places.values() if one.after in place.series]
        with inside(f"series {one.name}"):
            if one.after is not None and not earlier:
                names = ", ".join(dict.fromkeys(name for place in places.values() for name in place.series)) or "none"
                raise InputError(
                    "after", expected="a series above it in the file", got=one.after, advice=f"see {names}"
                )
            found = [way for parent in earlier or [None] for way in _of_series(ideal, one, parent)]
        for way in found:
            # Series overlap (a small cell's layer is also a count); the same structure is computed once
            images = permutations[:, list(way.removed)]
            place = places.setdefault(min(tuple(sorted(image)) for image in images.tolist()), way)
            if one.name not in place.series:
                place.series.append(one.name)
            place.in_plane |= one.lateral
    return list(places.values())


def _of_series(ideal: Atoms, series: SeriesModel, parent: _Place | None) -> Iterator[_Place]:
    """What a series takes from the whole sheet, or from a structure that lost atoms before."""
    atoms = parent.vacancy.atoms if parent else ideal
    left = np.setdiff1d(np.arange(len(ideal)), parent.removed if parent else ())
    for count in ("layer",) if series.counts == "layer" else series.counts:
        for vacancy in distinct_vacancies(atoms, series.remove, count, series.region):
            yield _Place(
                label=f"{parent.label}+{vacancy.label}" if parent else vacancy.label,
                vacancy=vacancy,
                removed=(*(parent.removed if parent else ()), *left[list(vacancy.removed_indices)].tolist()),
                degeneracy=vacancy.degeneracy * (parent.degeneracy if parent else 1),
                parent=parent,
            )


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

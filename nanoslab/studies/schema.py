"""Every field that a study file can have: its kind of value, its default, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nanoslab.studies.result import Table
from nanoslab.studies.study_file import study_class

#: what a field means, by its name; ``Model.field`` where a name means different things
MEANINGS = {
    "study": "kind of study",
    "title": "one line, shown on the page",
    "settings": "level of theory",
    "papers": "what the study follows; the page cites it",
    "preset": "settings to start from, or a set of pymatgen such as MPScanRelaxSet; the fields below change them",
    "functional": "exchange and correlation, such as PBE, PBEsol, r2SCAN or PBE+D3",
    "spin_polarized": "collinear spin",
    "hubbard_u": "element: U - J on its d or f electrons [eV], after Dudarev",
    "initial_moments": "element: magnetic moment its atoms start with [Bohr magnetons]; needs spin_polarized",
    "cutoff_energy": "plane-wave cutoff [eV]",
    "smearing": "of the occupations",
    "smearing_width": "of the occupations [eV]",
    "electronic_tolerance": "largest change of energy between the last two electronic steps [eV]",
    "SettingsModel.force_tolerance": "largest force on a free component after a relaxation [eV/Å]",
    "max_electronic_steps": "most electronic steps for one ionic step",
    "max_ionic_steps": "most ionic steps",
    "extra": "further INCAR tags, written as they are",
    "citation": "as it is to be printed",
    "doi": "its number, without https://doi.org/",
    "url": "for what has no DOI",
    "sheets": "one entry per sheet",
    "sheet": "whose own cutoff, mesh, vacuum and thickness are judged",
    "cutoff_energies": "to try, beside that of the settings [eV]",
    "ConvergenceStudy.kpoints": "meshes to try, beside that of the sheet",
    "vacuums": "to try, beside that of the sheet [Å]",
    "ConvergenceStudy.monolayers": "thicknesses to try, beside that of the sheet",
    "tolerance_meV_per_atom": "how near to the densest value is enough",
    "SeriesModel.sheets": "phases this applies to; all when left out",
    "series": "which atoms are removed",
    "references": "where removed atoms go",
    "beam": "the microscope",
    "phase": "name of the sheet in tables and folder names",
    "SeenModel.phase": "that was seen",
    "crystal": "name from 'nanoslab structures', or a structure file beside the study",
    "lattice": "named lattice constants of a reference crystal: pbe (when left out) or experimental",
    "face": "Miller or Miller-Bravais indices in quotes, such as '11-20'",
    "monolayers": "thickness; a monolayer is the thinnest slice with the composition of the crystal",
    "termination": "species of the lowest and of the highest plane",
    "repeat": "repeats of the smallest in-plane cell, or a 2 x 2 matrix of whole numbers",
    "vacuum": "between the outermost nuclei and those of the next image [Å]",
    "fix": "frozen layer: middle, bottom or none",
    "rattle": "random displacement of the start [Å], to leave a symmetric saddle point",
    "SearchModel.rattle": "random displacement of every start but the first [Å]",
    "kpoints": "divisions of the Gamma-centred mesh",
    "SheetModel.lateral": "relax once more with the in-plane lattice free",
    "SeriesModel.lateral": "relax what is left once more with the in-plane lattice free",
    "lateral": "columns along each side of a slab",
    "SeriesModel.name": "of the series, in tables and plots",
    "SeriesModel.remove": "element that is removed",
    "after": "earlier series that this one goes on from; the whole sheet when left out",
    "region": "where from: a face (top, bottom, both), one from each topmost layer (depth), anywhere (any)",
    "counts": "numbers of atoms removed, or layer for every such atom of a face",
    "atoms": "isolated atoms",
    "elements": "element: its crystal, a name or a file",
    "bulk": "the crystals of the sheets, which bound the chemical potentials",
    "kpoint_spacing": "largest distance between k-points of the crystals [1/Å, with 2 pi]",
    "cohesive_energies": "element: energy to take its crystal apart into atoms, for engines without isolated atoms",
    "energy": "[eV per atom]",
    "source": "where the number is from",
    "energies_keV": "beam energies [keV]",
    "relax": "ions, or none for one energy of each structure as built",
    "lattice_constant": "edge of the cubic cell [Å], instead of lattice",
    "planes": "atomic planes of each slab",
    "ScreenModel.planes": "atomic planes of each slab in the screening; those of the study when left out",
    "fixed_planes": "frozen planes at each outer face",
    "gap_planes": "gap between the slabs in missing planes, even",
    "empty_columns": "columns left empty between a neck and its images",
    "pairs": "sizes of the neck, in cation-anion pairs",
    "shapes": "shapes of each size, the most compact first; or all",
    "screen": "rank many shapes with a fast engine first",
    "screened": "energies of the screening; filled in by nanoslab",
    "compare": "what somebody else found",
    "engine": "engine that does the first step, such as chgnet or xtb",
    "ScreenModel.keep": "shapes of each size that go on",
    "critical_pairs": "size above which a neck grows, as read off a curve",
    "ligand": "molecule between the slabs; none when left out",
    "gaps": "missing material between the facing planes [Å]",
    "more_gaps": "gaps added by 'nanoslab run --extend' [Å]",
    "poses": "every: a pose of the ligands is found at each gap and tried at the wider ones; or narrowest",
    "LigandModel.name": "from 'nanoslab structures'",
    "count": "ligands per cell on each chosen face",
    "coverage": "ligands per nm², instead of count",
    "on": "slab they bind to",
    "binding": "monodentate, chelating or bridging; the ligand's usual one when left out",
    "gap": "lowest and highest [Å]",
    "structure": "file of the relaxed structure, beside the study",
    "dipole_correction": "along the third axis; where the faces differ when left out",
    "supercell": "repeats of the cell for the displacements",
    "displacement": "of one atom at a time [Å]",
    "mesh": "wave vectors for sums over the Brillouin zone",
    "temperatures": "[K]",
    "phases": "one entry per phase; the first is the reference",
    "PhaseModel.name": "of the phase",
    "remove": "element: fewest and most atoms removed from a sheet",
    "search": "how the many ways are computed before the deciding ones go on",
    "path": "losses one after the other under the beam",
    "temperatures_K": "[K]",
    "uncertainty_meV_per_atom": "of energies, to be carried to the crossings [meV/atom]",
    "vibrations": "phase: (temperature [K], free energy of vibration [meV/atom]) pairs",
    "seen": "what somebody saw",
    "searched": "record of the search; filled in by nanoslab",
    "most": "most ways of each composition that are computed",
    "starts": "relaxations of each way from differently displaced starts",
    "SearchModel.force_tolerance": "of the search [eV/Å]",
    "max_steps": "of each relaxation",
    "SearchModel.keep": "ways of each composition that go on",
    "farthest": "further ways that go on, those most unlike the kept ones",
    "seed": "of the random numbers",
    "losses": "atoms lost in one run",
    "runs": "number of runs",
    "beam_energy_keV": "[keV]",
    "exit_face": "face where the electrons leave",
    "temperature_K": "[K]",
    "anion_to_cation": "composition that was seen",
    "dose_e_per_A2": "dose that led there [e/Å²]",
    "what": "what was seen, in words",
    "paths": "ways from one place to another whose barriers are wanted",
    "images": "structures between the two ends of a path",
    "vibrating_atoms": "atoms nearest to the moving one whose vibrations give the rate's prefactor",
    "PathModel.name": "of the path",
    "vacancy": "species or index of the missing atom",
    "hopping": "index of the neighbour that hops into the vacancy; the nearest of its species when absent",
    "exchange": "indices of two atoms that change places",
    "interstitial": "an atom between the others that moves",
    "slip": "steps in which the (0001) layers of a wurtzite sheet slide to zinc-blende stacking",
    "boundaries": "how many boundaries between layers slip; all when absent",
    "climb": "whether the highest image climbs to the saddle",
    "layer": "one layer of four slides: whole, or beginning at the top or bottom face",
    "via": "structure file that the path passes before it relaxes",
    "PathModel.start": "structure file of the first end, beside the study",
    "PathModel.end": "structure file of the other end",
    "species": "its element",
    "start": "where it starts [Å]",
    "end": "where it ends [Å]",
    "DisplacementStudy.sites": "atoms that are kicked; of one of each kind it is enough",
    "directions": "directions of the kick",
    "following": "how a kicked atom is followed",
    "repulsion": "short-range pair repulsion: ZBL's, or the engine's own forces",
    "motion": "thermal motion when the electron comes",
    "temperature": "of the thermal motion [K]",
    "beam_energies_keV": "beam energies whose cross-sections are given [keV]",
    "SiteModel.name": "word for the atom",
    "atom": "its index in the cell before it is repeated",
    "polar": "polar angles of the quadrature over the hemisphere about the beam",
    "azimuths": "azimuths of that quadrature",
    "only": "these directions instead, of equal weight",
    "bracket": "energies between which the threshold is looked for first [eV]",
    "tolerance": "width to which the threshold is narrowed [eV]",
    "ceiling": "highest energy tried [eV]",
    "step_A": "longest step of the atom [Å]",
    "longest_step_fs": "longest step in time [fs]",
    "time_fs": "for how long it is followed [fs]",
    "free_A": "distance at which it has left [Å]",
    "settled_fs": "time in a new place after which it has settled [fs]",
}


def field_tables(kind: str) -> tuple[Table, ...]:
    """Fields of one kind of study, the file's own first, then those of each part.

    Raises
    ------
    InputError
        If nobody registered that kind.
    """
    return tuple(_table(where, model) for where, model in _parts(study_class(kind), ""))


def _parts(model: type[BaseModel], where: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """A model and those within its fields, with their place in the file."""
    yield where, model
    for name, field in model.model_fields.items():
        for inner, suffix in _models_in(field.annotation, ""):
            yield from _parts(inner, f"{where}{name}{suffix}.")


def _models_in(annotation: Any, suffix: str) -> Iterator[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, suffix
    origin = get_origin(annotation)
    inner = "[]" if origin is tuple else ".NAME" if origin is dict else ""
    for part in get_args(annotation):
        yield from _models_in(part, suffix + inner)


def _table(where: str, model: type[BaseModel]) -> Table:
    rows = tuple(
        (f"{where}{name}", _kind(field), _default(field), field.description or meaning(model, name))
        for name, field in model.model_fields.items()
    )
    first = (model.__doc__ or "").strip().split("\n")[0]
    return Table(title=first, columns=("field", "value", "default", "meaning"), rows=rows)


def meaning(model: type[BaseModel], name: str) -> str:
    """What a field means, empty where nobody said."""
    owners = (f"{owner.__name__}.{name}" for owner in model.__mro__)
    return next((MEANINGS[key] for key in (*owners, name) if key in MEANINGS), "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value is None or value in ((), {}, ""):
        return "-"
    return _as_yaml(value)


def _as_yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_as_yaml, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(field: FieldInfo) -> str:
    return _words(field.annotation) + _limits(field.metadata)


_NAMES: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def _words(annotation: Any) -> str:
    """Kind of value in words, without the nothing that stands for a field left out."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(parts[0]) + _limits(parts[1:])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_words(part) for part in parts if part is not NoneType))
    if origin is Literal:
        return ", ".join(map(str, parts))
    if origin is tuple:
        return f"list of {_words(parts[0])}" if parts[-1] is ... else f"[{', '.join(map(_words, parts))}]"
    if origin is dict:
        return f"{{name: {_words(parts[1])}}}"
    is_part = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return "fields below" if is_part else _NAMES.get(annotation, str(annotation))


def _limits(metadata: Any) -> str:
    signs = [(Gt, "gt", ">"), (Ge, "ge", "≥"), (Le, "le", "≤")]
    flat = [item for one in metadata for item in (one.metadata if isinstance(one, FieldInfo) else [one])]
    told = [f"{sign} {getattr(one, name):g}" for one in flat for kind, name, sign in signs if isinstance(one, kind)]
    return f" {' and '.join(told)}" if told else ""

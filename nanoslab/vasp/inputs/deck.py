"""Input set of one VASP run: POSCAR, INCAR, KPOINTS, POTCAR (or POTCAR.spec), and vasp.json that says what they are.

It is planned whole before anything is written. Writing the same twice changes no byte and no date; files that were
edited by hand are not replaced, and a folder with results is not touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from nanoslab import __version__
from nanoslab.calculation import Calculation
from nanoslab.errors import FileError, InputError
from nanoslab.files import sha256, write_where_changed
from nanoslab.vasp.inputs.manifest import MANIFEST, SCHEMA, check_may_write, read_manifest
from nanoslab.vasp.inputs.potcar import Potcar, PotcarLibrary, dataset_of, find_library, find_potcars, potcar_bytes
from nanoslab.vasp.inputs.settings import incar, kpoints_text, vasp_binary
from nanoslab.vasp.poscar import poscar_text

Change = Literal["new", "replaced", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDeck:
    """What was written, for the eye."""

    name: str
    role: str
    folder: Path
    change: Change  #: ``replaced``: an unedited older deck was
    formula: str
    n_atoms: int
    kpoints: tuple[int, int, int]
    vasp_binary: str
    potentials: tuple[str, ...]  #: titles of the POTCAR, or the datasets that its POTCAR.spec names where there is none
    has_potcar: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckPlan:
    """An input set that may be written: every byte of it, and every check done."""

    deck: WrittenDeck
    #: content of the files to write, by name, and those of an earlier set to remove
    files: Mapping[str, bytes]
    obsolete: tuple[str, ...]
    kept_here: frozenset[str]  #: names of all files of the set, the earlier one's among them


def write_deck(
    calculation: Calculation, folder: str | os.PathLike[str], potcar_library: PotcarLibrary | Path | None = None
) -> WrittenDeck:
    r"""Write the VASP input set of a calculation into a folder of its own.

    Parameters
    ----------
    calculation
        What to compute; its atoms are grouped by species in the POSCAR.
    potcar_library
        The user's POTCARs; those of ``PMG_VASP_PSP_DIR`` and ``VASP_PP_PATH`` when absent. Without any, a
        POTCAR.spec names the datasets.

    Raises
    ------
    InputError, FileError
        If settings and structure do not fit together; if the folder holds results of another deck, or a deck that is
        not ours or was edited, or a POTCAR is missing.

    Examples
    --------
    >>> import tempfile
    >>> from ase import Atoms
    >>> from nanoslab.presets import preset
    >>> from nanoslab.calculation import Role
    >>> calculation = Calculation(name="bulk", role=Role(kind="bulk"), settings=preset("ma2023"),
    ...     atoms=Atoms("CdSe", cell=[4.3, 4.3, 7], positions=[[0, 0, 0], [2, 2, 3]], pbc=True))
    >>> with tempfile.TemporaryDirectory() as library, tempfile.TemporaryDirectory() as folder:
    ...     for element in ("Cd", "Se"):
    ...         (Path(library) / element).mkdir()
    ...         text = f"TITEL  = PAW_PBE {element} 06Sep2000\n END of PSCTR\n End of Dataset\n"
    ...         _ = (Path(library) / element / "POTCAR").write_text(text)
    ...     deck = write_deck(calculation, folder, Path(library))
    ...     deck.change, deck.potentials, write_deck(calculation, folder, Path(library)).change
    ('new', ('PAW_PBE Cd 06Sep2000', 'PAW_PBE Se 06Sep2000'), 'unchanged')
    """
    return apply_plan(plan_deck(calculation, Path(folder), open_library(potcar_library)))


def open_library(given: PotcarLibrary | str | os.PathLike[str] | None) -> PotcarLibrary | None:
    """Library from a folder, or from the environment when none is given."""
    if isinstance(given, PotcarLibrary):
        return given if given.roots else find_library(given.datasets) or given
    if given is None:
        return find_library()
    root = Path(given).expanduser()
    if not root.is_dir():
        raise FileError(root, expected="a folder of POTCARs", got="no such folder", advice="correct --potcars")
    return PotcarLibrary(roots=(root.resolve(),))


def plan_deck(calculation: Calculation, folder: Path, library: PotcarLibrary | None) -> DeckPlan:
    """Decide every byte of a deck and whether it may be written, without writing any."""
    if calculation.procedure is not None:
        expected = "none: VASP's input files hold a relaxation or one energy"
        got, advice = calculation.procedure, "compute it with 'nanoslab run --engine'"
        raise InputError(f"{calculation.name}: procedure", expected=expected, got=got, advice=advice)
    before = read_manifest(folder)
    elements = species_of(calculation)
    datasets = [dataset_of(element, library) for element in elements]
    if library is not None and library.roots:
        potcars = find_potcars(elements, functional_kind(calculation), library)
        content = potcar_bytes(potcars, elements)
    else:
        potcars, content = _potcars_there(datasets, folder / "POTCAR", before)
    tags = incar(calculation)
    files = {
        "POSCAR": poscar_text(calculation.atoms, comment=calculation.name).encode(),
        "INCAR": tags.text().encode(),
        "KPOINTS": kpoints_text(calculation).encode(),
        **({"POTCAR": content} if potcars else {"POTCAR.spec": "".join(f"{one}\n" for one in datasets).encode()}),
    }
    remarks = (*tags.remarks, *_cutoff_remarks(calculation, potcars))
    document = {
        "vasp_binary": vasp_binary(calculation),
        "potcar_datasets": datasets,
        "potcars": [{key: value for key, value in asdict(potcar).items() if key != "path"} for potcar in potcars],
        "remarks": list(remarks),
        "inputs": {name: sha256(content) for name, content in files.items()},
    }
    by_hand = check_may_write(folder, before, files)
    if by_hand:
        remarks = (*remarks, f"{', '.join(by_hand)} changed by hand since it was written: left as it is")
    same = {key: before.get(key) for key in document} == document
    change: Change = "new" if not before else "unchanged" if same else "replaced"
    known = before.get("inputs", {})
    writable = {
        name: content for name, content in files.items() if known != document["inputs"] or not (folder / name).exists()
    }
    if change != "unchanged":
        now = {"nanoslab": __version__, "pymatgen": version("pymatgen")}
        versions = before.get("versions") if known == document["inputs"] else now
        text = json.dumps({"schema": SCHEMA, **document, "versions": versions}, indent=2, sort_keys=True) + "\n"
        writable[MANIFEST] = text.encode()
    deck = WrittenDeck(
        name=calculation.name,
        role=calculation.role.kind,
        folder=folder,
        change=change,
        formula=calculation.atoms.get_chemical_formula(mode="metal"),
        n_atoms=len(calculation.atoms),
        kpoints=calculation.settings.kpoints,
        vasp_binary=vasp_binary(calculation),
        potentials=tuple(potcar.title for potcar in potcars) or tuple(datasets),
        has_potcar=bool(potcars),
        remarks=remarks,
    )
    return DeckPlan(
        deck=deck,
        files=writable,
        obsolete=tuple(name for name in known if name not in files),
        kept_here=frozenset({*files, *known, MANIFEST}),
    )


def apply_plan(plan: DeckPlan) -> WrittenDeck:
    """Write what a plan holds, the manifest last; files that are already so keep their dates."""
    for name, content in plan.files.items():
        write_where_changed(plan.deck.folder / name, content)
    for name in plan.obsolete:
        (plan.deck.folder / name).unlink(missing_ok=True)
    return plan.deck


def species_of(calculation: Calculation) -> tuple[str, ...]:
    """Elements in the order of the POSCAR."""
    return tuple(dict.fromkeys(calculation.atoms.get_chemical_symbols()))


def functional_kind(calculation: Calculation) -> str:
    """Kind of POTCAR that a functional wants: ``LDA`` or ``PBE``."""
    return "LDA" if calculation.settings.functional == "LDA" else "PBE"


def _potcars_there(wanted: Sequence[str], path: Path, before: Mapping[str, Any]) -> tuple[tuple[Potcar, ...], bytes]:
    """Datasets already in the folder, for a machine without a library; none where they are others, or were edited."""
    records, names = before.get("potcars"), {field.name for field in fields(Potcar)} - {"path"}
    kept = [r for r in records if isinstance(r, dict) and {*r} == names] if isinstance(records, list) else []
    if path.is_file() and [record["dataset"] for record in kept] == wanted:
        content = path.read_bytes()
        if sha256(content) == before["inputs"].get("POTCAR"):
            return tuple(Potcar(**record, path=path) for record in kept), content
    return (), b""


def _cutoff_remarks(calculation: Calculation, potcars: tuple[Potcar, ...]) -> list[str]:
    """Cutoffs that the datasets find too low."""
    cutoff = calculation.settings.cutoff_energy
    enmax = {potcar.dataset: potcar.maximal_cutoff for potcar in potcars}
    remarks = [
        f"cutoff of {cutoff:g} eV is below the {least:g} eV (ENMAX) of {dataset}"
        for dataset, least in enmax.items()
        if least > cutoff
    ]
    largest = max(enmax.values(), default=0.0)
    if calculation.settings.relax == "cell" and not remarks and cutoff < 1.3 * largest:
        remarks.append(f"cell relaxation below 1.3 times ENMAX ({1.3 * largest:.0f} eV): the stress is not converged")
    return remarks

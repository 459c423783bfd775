"""``vaspout.h5``: the HDF5 output of VASP 6, by the names that VASP's own py4vasp gives its parts.

The file has no mark of its end: it counts as whole when no byte is missing and the eigenvalues, which VASP writes
after the last ionic step, are there. It holds the licensed POTCAR in full; only the titles are taken from it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from nanoslab.vasp.potential_title import element_of_title
from nanoslab.vasp.runs.hdf5 import Hdf5File, open_hdf5
from nanoslab.vasp.runs.numbers import Array, energies_fit, lattice_of
from nanoslab.vasp.runs.parsed_file import Frame, IonicStep, ParsedFile

_IONS = "intermediate/ion_dynamics"
EIGENVALUES = "results/electron_eigenvalues"
#: labels of F and E0, blanks removed; a molecular dynamics run has no E0
_FREE, _EXTRAPOLATED = ("freeenergyTOTEN", "ion-electronTOTEN"), ("energy(sigma->0)",)
_WITHOUT_ENTROPY = ("energywithoutentropy",)
_TITLE = re.compile(r"^ *TITEL *= *([^\n]{1,60})$", re.MULTILINE)
_ELEMENT = re.compile(r"^[A-Z][a-z]?(?![a-z])")
_TAG = re.compile(r"[A-Z][A-Z0-9_]*")
_MOST_ATOMS = 10**6


def read_vaspout(path: Path, frames: list[Frame | None] | None = None) -> ParsedFile:
    """Finished ionic steps of a ``vaspout.h5``; `frames` is filled with the geometry of each when it is given."""
    with open_hdf5(path) as file:
        parsed = _parsed(file, path.name)
        if frames is not None:
            frames += [_frame(file, index, len(parsed.symbols)) for index in range(len(parsed.steps))]
        return parsed


def _parsed(file: Hdf5File, name: str) -> ParsedFile:
    symbols, counts = _species(file)
    steps, unfinished, problems = _steps(file)
    whole = not file.is_cut and file.read(f"{EIGENVALUES}/eigenvalues") is not None
    ended = f"ends after {file.n_bytes} of {file.said} bytes" if file.is_cut else "has no eigenvalues"
    incar = _incar(file)
    if odd := [tag for tag in incar if not _TAG.fullmatch(tag)] or ([] if incar else ["none"]):
        problems.append(f"the tags of the INCAR cannot be read ({odd[0]!r})")
    final = _frame(file, len(steps) - 1, len(symbols)) if steps else None
    if steps and final is None:
        problems.append("the structure of the last ionic step cannot be read")
    said = file.numbers(f"{_IONS}/electronic_step_converged")
    moments = site_moments(file, len(steps))
    fermi = file.numbers("results/electron_dos/efermi", n_axes=0)
    return ParsedFile(
        file=name,
        complete=whole and not problems,
        cut="" if whole else f"{ended}, after ionic step {len(steps)}" if steps else ended,
        vasp_version=_version(file),
        incar=incar,
        symbols=symbols,
        potentials=_potentials(file),
        counts=counts,
        steps=tuple(steps),
        final=final,
        initial=_frame(file, 0, len(symbols)),
        free=_free(file, len(symbols)),
        mesh=_mesh(file),
        n_kpoints=_length(file.numbers(f"{EIGENVALUES}/kpoints_symmetry_weight")),
        # VASP writes 0 for a step that converged
        says_electrons_converged=None if said is None or len(said) != len(steps) or not steps else not said.flat[-1],
        unfinished_electronic_steps=unfinished,
        doubts=_doubts(file, name),
        site_moments=moments,
        fermi_energy=None if fermi is None else float(fermi),
        problems=tuple(f"{name}: {problem}" for problem in problems),
    )


def _species(file: Hdf5File) -> tuple[tuple[str, ...], tuple[int, ...]]:
    for group in ("results/positions", "input/poscar"):
        types, counts = file.words(f"{group}/ion_types"), file.numbers(f"{group}/number_ion_types", n_axes=1)
        found = [match[0] if (match := _ELEMENT.match(one)) else one for one in types]
        if counts is not None and len(counts) == len(found) > 0 and 0 < counts.sum() <= _MOST_ATOMS:
            numbers = tuple(int(count) for count in counts)
            return tuple(s for s, n in zip(found, numbers, strict=True) for _ in range(n)), numbers
    return (), ()


def _steps(file: Hdf5File) -> tuple[list[IonicStep], int, list[str]]:
    """Finished ionic steps, electronic steps of one that was not finished, and what is wrong."""
    energies = file.numbers(f"{_IONS}/energies", n_axes=2)
    labels = _labels(file)
    rounds = _electronic_rounds(file)
    if energies is None or not len(energies) or len(labels) != energies.shape[1]:
        return [], _length(rounds[0]) or 0 if rounds else 0, []
    frees, extrapolated = (_column(energies, labels, names) for names in (_FREE, _EXTRAPOLATED))
    if frees is None:
        return [], 0, [f"no total energy among {', '.join(labels)}"]
    problems = [] if extrapolated is not None else ["no energy extrapolated to zero smearing: molecular dynamics"]
    if rounds and len(rounds) not in (len(energies), len(energies) + 1):
        problems.append(f"electronic steps of {len(rounds)} ionic steps, energies of {len(energies)}")
        rounds = []
    steps = []
    for index, free in enumerate(frees.tolist()):
        last = rounds[index][-1] if rounds else (None, None)
        zero = None if extrapolated is None else float(extrapolated[index])
        correction = None if last[0] is None else free - float(last[0])
        change = None if last[1] is None or len(rounds[index]) < 2 else float(last[1])
        steps.append(IonicStep(free, zero, len(rounds[index]) if rounds else 0, change, correction))
    return steps, len(rounds[-1]) if len(rounds) > len(steps) else 0, problems


def _doubts(file: Hdf5File, name: str) -> tuple[str, ...]:
    """Energies of any step that do not fit together: HDF5 keeps no checksum of them."""
    energies = file.numbers(f"{_IONS}/energies", n_axes=2)
    labels = _labels(file)
    if energies is None or len(labels) != energies.shape[1]:
        return ()
    columns = [_column(energies, labels, names) for names in (_FREE, _WITHOUT_ENTROPY, _EXTRAPOLATED)]
    rows = [] if any(column is None for column in columns) else np.column_stack(columns).tolist()  # type: ignore[arg-type]
    wrong = [number for number, row in enumerate(rows, 1) if not energies_fit(*row)]
    return (f"{name}: F, E and E0 of ionic step {wrong[0]} do not fit together",) if wrong else ()


def _labels(file: Hdf5File) -> list[str]:
    return ["".join(label.split()) for label in file.words(f"{_IONS}/energies_tags")]


def _electronic_rounds(file: Hdf5File) -> list[Array]:
    """(F, change of F) [eV] of every electronic step, one array per ionic step; none before VASP 6.5."""
    labels = list(file.words(f"{_IONS}/oszicar_label"))
    rows = file.numbers(f"{_IONS}/oszicar", n_axes=2)
    if rows is None or not len(rows) or rows.shape[1] != len(labels) or not {"N", "E", "dE"} <= set(labels):
        return []
    number, energy, change = (rows[:, labels.index(name)] for name in ("N", "E", "dE"))
    starts = np.flatnonzero(number == 1)
    return np.split(np.column_stack([energy, change]), starts[1:]) if len(starts) and starts[0] == 0 else []


def _column(energies: Array, labels: list[str], names: tuple[str, ...]) -> Array | None:
    return next((energies[:, labels.index(name)] for name in names if name in labels), None)


def _frame(file: Hdf5File, index: int, n_atoms: int) -> Frame | None:
    """Geometry of an ionic step, or None where lattice or positions cannot be read."""
    rows = {
        name: file.numbers(f"{_IONS}/{name}", index, n_axes=2)
        for name in ("lattice_vectors", "position_ions", "forces", "stress")
    }
    scale = file.numbers(f"{_IONS}/scale", n_axes=0)
    vectors, positions = rows["lattice_vectors"], rows["position_ions"]
    lattice = None if vectors is None else lattice_of(vectors * (1.0 if scale is None else float(scale)))
    if lattice is None or positions is None or positions.shape != (n_atoms, 3):
        return None
    forces, stress = (
        None if found is None or found.shape != (size, 3) else found
        for found, size in ((rows["forces"], n_atoms), (rows["stress"], 3))
    )
    return Frame(lattice=lattice, scaled_positions=positions, forces=forces, stress=stress)


def site_moments(file: Hdf5File, n_steps: int) -> Array | None:
    """Moment inside the sphere of every atom, shape (n,) or (n, 3) without collinearity [Bohr magnetons]."""
    if not n_steps:
        return None
    for name in ("spin_moments/values", "moments"):
        values = file.numbers(f"{_IONS}/magnetism/{name}", n_steps - 1, n_axes=3)
        if values is not None and len(values) in (2, 4):  # charge, then the components
            moments: Array = values[1:].sum(axis=2)
            return moments[0] if len(moments) == 1 else moments.T
    return None


def _version(file: Hdf5File) -> str | None:
    parts = [file.read(f"version/{name}", ()) for name in ("major", "minor", "patch")]
    return None if parts[0] is None else ".".join(str(int(part)) for part in parts if part is not None)


def _incar(file: Hdf5File) -> dict[str, str]:
    """Tags as the user gave them, spelled as in an INCAR."""
    return {
        name: text for name in file.names("input/incar") if (text := _spelled(name, file.read(f"input/incar/{name}")))
    }


def _spelled(name: str, value: Any) -> str:
    values = [] if value is None else np.atleast_1d(np.asarray(value)).ravel()[:10_000].tolist()
    words = [one.decode("latin-1").strip() if isinstance(one, bytes) else one for one in values]
    if name.startswith(("L", "ML_L")) and all(word in (0, 1) for word in words):
        words = ["T" if word else "F" for word in words]
    return " ".join(map(str, words))


def _potentials(file: Hdf5File) -> tuple[tuple[str, str], ...]:
    """(element, title) of each POTCAR; its text is searched and dropped."""
    texts = file.words("input/potcar/content")
    titles = [title.strip() for text in texts for title in _TITLE.findall(text)]
    if not titles and (spec := "".join(file.words("input/potcar/spec"))):
        try:  # pymatgen leaves the titles where it takes the POTCAR out
            titles = [str(one["titel"]) for one in json.loads(spec)]
        except (ValueError, TypeError, KeyError):
            titles = []
    return tuple((element_of_title("", title), title) for title in titles)


def _mesh(file: Hdf5File) -> tuple[int, int, int] | None:
    found = [file.numbers(f"input/kpoints/nkp{axis}", n_axes=0) for axis in "xyz"]
    counts = [int(one) for one in found if one is not None and 0 < one < _MOST_ATOMS]
    return (counts[0], counts[1], counts[2]) if len(counts) == 3 else None


def _free(file: Hdf5File, n_atoms: int) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    for group in ("input/poscar", "results/positions"):
        flags = file.numbers(f"{group}/selective_dynamics_ions", n_axes=2)
        if flags is not None and flags.shape == (n_atoms, 3):
            return np.asarray(flags != 0)
    given = file.numbers("input/poscar/selective_dynamics", n_axes=0)
    return np.ones((n_atoms, 3), dtype=bool) if given is not None and not given and n_atoms else None


def _length(values: Array | None) -> int | None:
    return None if values is None else len(values)

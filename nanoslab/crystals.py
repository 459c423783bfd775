"""Reference crystals by name: ``structures/crystals/*.json``, each with its lattice constants and their sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io import read
from ase.spacegroup import crystal as build_crystal

from nanoslab import __version__
from nanoslab.errors import FileError, InputError, unknown_name
from nanoslab.files import data_folder, sha256
from nanoslab.structure_types import AnyStructure, as_atoms

#: entry points of packages that bring crystals: each is the path of a folder of such files
GROUP = "nanoslab.crystals"
_CELL_KEYS = ("a", "b", "c", "alpha", "beta", "gamma")
#: what spglib calls hexagonal and trigonal space groups, where gamma is 120 degrees
_HEXAGONAL = range(143, 195)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Lengths [Å], angles [degrees] and free coordinates by name (``a``, ``u``), their source, what was done to it."""

    parameters: Mapping[str, float]
    source: str
    transformed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One Wyckoff site: species, letter with multiplicity, and coordinates (fractions or parameter names)."""

    species: str
    wyckoff: str
    position: tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrystalRecord:
    """What is known of a reference crystal: occupied Wyckoff sites, cations first, named sets of lattice constants."""

    name: str
    formula: str
    prototype: str
    space_group: int
    space_group_symbol: str
    sites: tuple[Site, ...]
    lattices: Mapping[str, Lattice]


def crystal_names() -> tuple[str, ...]:
    """Names of the reference crystals."""
    return tuple(sorted(_records()))


def crystal_record(name: str) -> CrystalRecord:
    """Space group, sites, lattice constants and sources of a reference crystal, by one of `crystal_names`."""
    if name not in crystal_names():
        raise unknown_crystal("crystal", name)
    return _read_record(_records()[name])


def crystal(name: str, lattice: str = "pbe") -> Atoms:
    """Conventional cell of one of `crystal_names`, with a named set of lattice constants."""
    record = crystal_record(name)
    if lattice == "pbe" and lattice not in record.lattices:
        expected, got = f"one of {', '.join(record.lattices)}", "pbe (taken when none is given)"
        advice = "no PBE constants are known for it: ask for lattice experimental (--lattice experimental)"
        raise InputError(f"lattice of {name}", expected=expected, got=got, advice=advice)
    if lattice not in record.lattices:
        raise unknown_name(f"lattice of {name}", lattice, record.lattices)
    parameters = record.lattices[lattice].parameters
    atoms: Atoms = build_crystal(
        [site.species for site in record.sites],
        [tuple(parameters[x] if x in parameters else float(Fraction(x)) for x in s.position) for s in record.sites],
        spacegroup=record.space_group,
        setting=2 if record.space_group_symbol == "Fddd" else 1,
        cellpar=_cellpar(parameters, record.space_group),
        onduplicates="error",
    )
    plain = Atoms(atoms.numbers, cell=atoms.cell, scaled_positions=atoms.get_scaled_positions(), pbc=True)
    plain.info["recipe"] = make_recipe("crystal", name=name, lattice=lattice, source=record.lattices[lattice].source)
    return plain


def load_crystal(source: str | Path | AnyStructure, lattice: str | None = None) -> Atoms:
    """Crystal by name, from any structure file that ASE reads, or a copy of a structure; its recipe says from where.

    Named lattice constants are for a crystal by name, ``pbe`` when not given; a structure brings its own.
    """
    if not isinstance(source, str | Path):
        source = as_atoms(source)
    elif str(source) in crystal_names():
        return crystal(str(source), lattice or "pbe")
    elif not Path(source).is_file():
        if Path(source).suffix or Path(source).parent != Path():
            raise FileError(source, expected="a structure file", got="no such file", advice="check the path")
        raise unknown_crystal("crystal (a name, or the path of a structure file)", str(source))
    if lattice is not None:
        raise InputError("lattice", expected="none beside a structure", got=repr(lattice), advice="leave it out")
    if isinstance(source, Atoms):
        return source.copy()
    atoms = read_structure_file(Path(source))
    atoms.set_constraint()
    content = Path(source).read_bytes()
    atoms.info = {"recipe": make_recipe("structure file", file=str(source), sha256=sha256(content))}
    return atoms


def unknown_crystal(where: str, given: str) -> InputError:
    """Error for a crystal that is not there; a bare formula gets its phases as suggestions."""
    phases = [name for name in crystal_names() if name.lower().startswith(f"{given.lower()}-")]
    if not phases:
        return unknown_name(where, given, crystal_names())
    expected = f"one of {', '.join(crystal_names())}"
    return InputError(where, expected=expected, got=repr(given), advice=f"did you mean {' or '.join(phases)}?")


def read_structure_file(path: Path) -> Atoms:
    """Structure with three lattice vectors from any file that ASE reads, periodic in all directions."""
    try:
        atoms = read(path, fractional_occupancies=True) if path.suffix.lower() == ".cif" else read(path)
    except Exception as error:
        got = f"one that it cannot ({error or type(error).__name__})"
        raise FileError(path, expected="a structure file that ASE reads", got=got, advice="check it") from error
    if not isinstance(atoms, Atoms) or len(atoms) == 0 or atoms.cell.rank != 3:
        got = f"{atoms.get_chemical_formula() or 'no atoms'}, {atoms.cell.rank} lattice vectors"
        raise FileError(path, expected="a crystal with atoms and three lattice vectors", got=got, advice="check it")
    shares = [share for site in atoms.info.pop("occupancy", {}).values() for share in site.values()]
    if any(share < 1 for share in shares):
        got = f"a share of {min(shares):g} on a site"
        advice = "make an ordered cell of it first, such as with icet or pymatgen"
        raise FileError(path, expected="every site held by one element", got=got, advice=advice)
    atoms.pbc = True
    return atoms


def make_recipe(builder: str, **parameters: Any) -> dict[str, Any]:
    """Plain-JSON record of a builder and its parameters."""
    return {"builder": builder, "parameters": parameters, "nanoslab": __version__}


@cache
def _records() -> Mapping[str, Path]:
    """Name -> file of every crystal; ours are never replaced by those that installed packages bring."""
    folders = [data_folder("structures") / "crystals", *(Path(point.load()) for point in entry_points(group=GROUP))]
    return {path.stem: path for folder in reversed(folders) for path in folder.glob("*.json")}


@cache
def _read_record(path: Path) -> CrystalRecord:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    sites = tuple(Site(**{**site, "position": tuple(site["position"])}) for site in document.pop("sites"))
    lattices = {}
    for name, values in document.pop("lattices").items():
        said = {key: values.pop(key) for key in ("source", "transformed")}
        lattices[name] = Lattice(parameters={key: float(value) for key, value in values.items()}, **said)
    return CrystalRecord(**document, sites=sites, lattices=lattices)


def _cellpar(parameters: Mapping[str, float], space_group: int) -> list[float]:
    """Six cell parameters from the free ones [Å, degrees]."""
    a = parameters["a"]
    defaults = {"b": a, "c": a, "alpha": 90.0, "beta": 90.0, "gamma": 120.0 if space_group in _HEXAGONAL else 90.0}
    return [parameters.get(key, defaults.get(key, a)) for key in _CELL_KEYS]

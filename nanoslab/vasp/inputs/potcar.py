"""The user's own POTCAR library: found, one release chosen, checked against what is asked, never quoted.

Only titles and hashes leave this file for manifests and messages; the licensed content goes into the POTCAR alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ase.calculators.vasp.setups import setups_defaults

from nanoslab.errors import FileError, InputError
from nanoslab.files import sha256
from nanoslab.vasp.byte_stream import COMPRESSIONS, read_bytes
from nanoslab.vasp.potential_title import element_of_title

#: where a library is looked for when none is given
VARIABLES = ("PMG_VASP_PSP_DIR", "VASP_PP_PATH")

_RELEASE = re.compile(r"pot(?:paw|cars?|_gga|_lda|_paw)*_?(?P<kind>PBE|LDA)(?P<version>[._]\d\d)?", re.IGNORECASE)
_TITLE = re.compile(rb"^\s*TITEL\s*=\s*(.+?)\s*$", re.MULTILINE)
_ENMAX = re.compile(rb"ENMAX\s*=\s*([\d.]+)")
_KIND = re.compile(rb"^\s*LEXCH\s*=\s*(\w+)", re.MULTILINE)
_HEADER_END = b"END of PSCTR"
_EXCHANGE = {"PBE": ("PE",), "LDA": ("CA",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PotcarLibrary:
    """Where to look and which dataset to take."""

    roots: tuple[Path, ...]  #: folders that hold releases (``potpaw_PBE.54``, ``POT_GGA_PAW_PBE_54``...), or are one
    #: element -> dataset, such as ``{"Pb": "Pb"}``, where the manual's recommendation is not wanted
    datasets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Potcar:
    """What may be said about one dataset of a library."""

    #: such as ``Pb`` and ``Pb_d``
    element: str
    dataset: str
    title: str  #: of its TITEL line, such as ``PAW_PBE Pb_d 06Sep2000``
    #: of its header, and of the whole (decompressed) file
    title_sha256: str
    sha256: str
    maximal_cutoff: float  #: its ENMAX [eV]
    path: Path  #: where it lies on this machine; not recorded


def recommended_dataset(element: str) -> str:
    """Dataset that VASP's manual recommends for an element (the table ships with ASE)."""
    return element + str(setups_defaults["recommended"].get(element, ""))


def find_library(datasets: Mapping[str, str] = MappingProxyType({})) -> PotcarLibrary | None:
    """Library of ``PMG_VASP_PSP_DIR`` and ``VASP_PP_PATH``, else of pymatgen's own configuration file, or None."""
    named = [(name, part) for name in VARIABLES for part in os.environ.get(name, "").split(os.pathsep) if part]
    if not any(name == "PMG_VASP_PSP_DIR" for name, _ in named):
        named += _configured()
    for name, part in named:
        if not Path(part).expanduser().is_dir():
            got = f"{part}, which is none"
            raise FileError(name, expected="a folder of POTCARs", got=got, advice=f"correct {name}")
    roots = dict.fromkeys(Path(part).expanduser().resolve() for _, part in named)
    return PotcarLibrary(roots=tuple(roots), datasets=datasets) if roots else None


def find_potcars(elements: Sequence[str], kind: str, library: PotcarLibrary) -> tuple[Potcar, ...]:
    """Datasets of the elements, all of one release, in the given order.

    Releases are tried from the newest (.64, .54, .52, unnumbered) on until one holds every element; the kind is
    ``PBE`` (every gradient-corrected functional) or ``LDA``. Two roots that hold different files are an error.
    """
    if not elements:
        return ()
    wanted = [(element, dataset_of(element, library)) for element in elements]
    releases = {root: _releases(root, kind) for root in library.roots}
    found = [hit for folders in releases.values() if (hit := _first_complete(wanted, kind, folders)) is not None]
    if not found:
        raise _missing([dataset for _, dataset in wanted], kind, [one for some in releases.values() for one in some])
    for mine, theirs in ((a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True)):
        if mine.sha256 != theirs.sha256:
            got = f"{mine.title!r} in {mine.path} and {theirs.title!r} in {theirs.path} that differ"
            advice = "name one with --potcars, or unset PMG_VASP_PSP_DIR or VASP_PP_PATH"
            raise FileError(
                f"POTCAR of {mine.element}", expected="one library, or two that agree", got=got, advice=advice
            )
    return found[0]


def release_of(potcars: Iterable[Potcar], library: PotcarLibrary) -> PotcarLibrary:
    """Library narrowed to the one release the datasets came from, so that a campaign never mixes two."""
    folders = (one.path.parent.parent if one.path.parent.name == one.dataset else one.path.parent for one in potcars)
    return PotcarLibrary(roots=tuple(dict.fromkeys(folders)), datasets=library.datasets)


def potcar_bytes(potcars: Sequence[Potcar], elements: Sequence[str]) -> bytes:
    """Content of the POTCAR, checked once more to be in the order of the POSCAR."""
    parts = [read_bytes(potcar.path) for potcar in potcars]
    for potcar, part in zip(potcars, parts, strict=True):
        if sha256(part) != potcar.sha256:
            raise FileError(potcar.path, expected="the file of a moment ago", got="another content", advice="try again")
    titled = [element_of_title("", title) or "?" for title in _titles(b"".join(parts))]
    if titled != list(elements):
        raise FileError("POTCAR", expected=f"the POSCAR's {' '.join(elements)}", got=" ".join(titled))
    return b"".join(parts)


def read_potcar(path: Path, element: str, dataset: str, kind: str) -> Potcar:
    """Look at one dataset and check that it is what its name says."""
    content = read_bytes(path)
    titles = _titles(content)
    if len(titles) != 1 or b"End of Dataset" not in content:
        expected = "one whole dataset, with one TITEL and 'End of Dataset'"
        got = f"{len(titles)} titles" if len(titles) != 1 else "a file that is cut"
        raise FileError(path, expected=expected, got=got, advice="copy it again from your VASP distribution")
    words = titles[0].split()
    exchange = _KIND.search(content)
    if element_of_title("", titles[0]) != element or (len(words) > 1 and words[1] != dataset):
        raise FileError(path, expected=f"the dataset {dataset}", got=f"TITEL = {titles[0]}", advice="mend the library")
    if exchange and exchange.group(1).decode() not in _EXCHANGE[kind]:
        raise FileError(path, expected=f"a {kind} dataset", got=f"LEXCH = {exchange.group(1).decode()}")
    cutoff = _ENMAX.search(content)
    return Potcar(
        element=element,
        dataset=dataset,
        title=titles[0],
        title_sha256=sha256(content.partition(_HEADER_END)[0]),
        sha256=sha256(content),
        maximal_cutoff=float(cutoff.group(1)) if cutoff else 0.0,
        path=path,
    )


def dataset_of(element: str, library: PotcarLibrary | None) -> str:
    """Dataset to take for an element: the user's choice, or the recommended one."""
    chosen = (library.datasets if library else {}).get(element, recommended_dataset(element))
    if not re.fullmatch(rf"{element}([._\d][\w.]*)?", chosen):
        raise InputError("dataset", expected=f"a dataset of {element}, such as {element}_d", got=repr(chosen))
    return chosen


def _first_complete(wanted: Sequence[tuple[str, str]], kind: str, folders: Sequence[Path]) -> tuple[Potcar, ...] | None:
    for folder in folders:
        paths = [path for _, dataset in wanted if (path := _dataset_path(folder, dataset))]
        if len(paths) == len(wanted):
            pairs = zip(paths, wanted, strict=True)
            return tuple(read_potcar(path, element, dataset, kind) for path, (element, dataset) in pairs)
    return None


def _releases(root: Path, kind: str) -> list[Path]:
    """The root itself, then its releases of a kind of functional from the newest to the unnumbered one."""
    versions = []
    for child in sorted(root.iterdir()):
        match = _RELEASE.fullmatch(child.name.replace("_W_HASH", ""))
        if match and match.group("kind").upper() == kind and child.is_dir():
            versions.append(((match.group("version") or "0")[-2:], child))
    newest_first = sorted(versions, key=lambda item: (-int(item[0]), item[1].name))
    own = _RELEASE.fullmatch(root.name)
    return [*([] if own and own.group("kind").upper() != kind else [root]), *(child for _, child in newest_first)]


def _dataset_path(folder: Path, dataset: str) -> Path | None:
    for stem in (folder / dataset / "POTCAR", folder / f"POTCAR.{dataset}"):
        for suffix in ("", *COMPRESSIONS):
            path = stem.with_name(stem.name + suffix)
            if path.is_file():
                return path
    return None


def _missing(wanted: Sequence[str], kind: str, folders: Sequence[Path]) -> FileError:
    gone = {folder: [one for one in wanted if _dataset_path(folder, one) is None] for folder in folders}
    looked = "; ".join(f"{folder} (no {', '.join(datasets)})" for folder, datasets in gone.items())
    lacking = dict.fromkeys(one for datasets in gone.values() for one in datasets)
    return FileError(
        "POTCAR library",
        expected=f"the {kind} datasets {', '.join(wanted)} in one release",
        got=f"none among {looked or 'no release'}",
        advice=f"add {', '.join(lacking) or 'them'}, choose with --dataset, "
        "or point --potcars, PMG_VASP_PSP_DIR or VASP_PP_PATH at a full library",
    )


def _configured() -> list[tuple[str, str]]:
    """Folder that pymatgen's own configuration file names."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    home = Path.home()
    for path in (Path(os.environ.get("PMG_CONFIG_FILE") or home / ".pmgrc.yaml"), home / ".config" / ".pmgrc.yaml"):
        if not path.is_file():
            continue
        try:
            document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, YAMLError) as error:
            reason = str(error).splitlines()[0]
            raise FileError(path, expected="readable YAML", got=reason, advice="mend or remove it") from error
        folder = document.get("PMG_VASP_PSP_DIR") if isinstance(document, dict) else None
        return [(f"PMG_VASP_PSP_DIR of {path}", str(folder))] if folder else []
    return []


def _titles(content: bytes) -> list[str]:
    return [title.decode("ascii", errors="replace") for title in _TITLE.findall(content)]

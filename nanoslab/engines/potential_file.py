"""``mace:model.pt``, ``sevennet:checkpoint.pth``, ``chgnet:tuned.pth.tar``: a potential that the user has as a file.

Nothing is fetched. Such files are pickles and can run code when they are loaded, so only the keyboard names them.
The hash of the file is part of the engine's name, so results of two files never mix, and is looked at again before
every load.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from ase.calculators.calculator import BaseCalculator

from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.quiet import quiet
from nanoslab.errors import EngineError, FileError, InputError

#: digits of the SHA-256 sum that name a file
_DIGITS = 12


def _mace(path: Path) -> BaseCalculator:
    from mace.calculators import MACECalculator

    return MACECalculator(model_paths=str(path), device="cpu", default_dtype="float64")


def _sevennet(path: Path) -> BaseCalculator:
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(model=str(path), device="cpu")


def _chgnet(path: Path) -> BaseCalculator:
    from chgnet.model import CHGNet
    from chgnet.model.dynamics import CHGNetCalculator

    model = CHGNet.from_file(str(path))
    return CHGNetCalculator(model=model, use_device="cpu", on_isolated_atoms="ignore")


#: engine -> (package that pip installs, what loads a file into an ASE calculator)
LOADERS: Mapping[str, tuple[str, Callable[[Path], BaseCalculator]]] = MappingProxyType(
    {"mace": ("mace-torch", _mace), "sevennet": ("sevenn", _sevennet), "chgnet": ("chgnet", _chgnet)}
)


def _load(name: str, path: str, sha256: str, *_asked: object) -> BaseCalculator:
    """Calculator of a file, which is refused when it is no longer the one that was named."""
    where = f"engine {name}:{path}"
    found = _sha256(Path(path), where)
    if found != sha256:
        advice = "the file has changed since the engine was named; name it again for results of its own"
        wanted = f"the file with SHA-256 {sha256[:_DIGITS]}"
        raise EngineError(where, expected=wanted, got=f"one with {found[:_DIGITS]}", advice=advice)
    try:
        with quiet():
            return LOADERS[name][1](Path(path))
    except Exception as error:  # whatever a foreign library says of a file that is not its own
        raise EngineError(where, expected=f"a potential of {name}", got=error) from error


def create_from_path(name: str, path: str, options: Mapping[str, str]) -> Engine:
    """Return the engine of a potential in a file. Loading it can run code that the file holds."""
    package, _ = LOADERS[name]
    where = f"engine {name}:{path}"
    for option in options:
        if option != "sha256":
            raise InputError(where, expected="the option sha256 or none", got=option, advice="mend --engine")
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        advice = f"pip install {package}"
        raise EngineError(where, expected=f"the package {package}", got="none", advice=advice) from None
    full = Path(path).expanduser().resolve()
    found = _sha256(full, where)
    pinned = options.get("sha256", "").lower()
    if not found.startswith(pinned):
        raise FileError(
            where, expected=f"SHA-256 {pinned}", got=found, advice="another file was meant, or mend --engine"
        )
    return Engine(
        name=name,
        version=version,
        level_of_theory=f"{name} {version}, the potential {full.name} (SHA-256 {found[:_DIGITS]})",
        # an energy of one atom means something only for few potentials: nothing here can tell
        capabilities=Capabilities(isolated_atoms=False),
        calculator_factory=partial(_load, name, str(full), found),
        options={"potential": f"{full.stem}-{found[:_DIGITS]}"},
        versions={package: version},
    )


def _sha256(path: Path, where: str) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FileError(where, expected="a potential in a file", got=error.strerror, advice="mend the path") from error

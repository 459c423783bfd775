"""What identifies a computation, so that results and journals of another one are never taken for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ase import Atoms

from nanoslab.calculation import Calculation
from nanoslab.engines.interface import Engine


def calculation_fingerprint(calculation: Calculation, engine: Engine) -> str:
    """Hash of a calculation as it is defined and of the engine's name and options.

    The engine's version is not in it: a finished result stays finished when a library is updated.
    """
    parent = {"starts_from": calculation.starts_from, "removed_indices": list(calculation.removed_indices)}
    return _hash(calculation, calculation.atoms, engine, parent)


def path_fingerprint(calculation: Calculation, start: Atoms, engine: Engine) -> str:
    """Hash of all that decides every step: start, settings, procedure, engine and its versions."""
    return _hash(calculation, start, engine, {"versions": dict(engine.versions)})


def _atoms(atoms: Atoms) -> dict[str, Any]:
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": atoms.pbc.tolist(),
        "constraints": [constraint.todict() for constraint in atoms.constraints],
        "magnetic_moments": atoms.get_initial_magnetic_moments().tolist(),
    }


def _hash(calculation: Calculation, atoms: Atoms, engine: Engine, more: Mapping[str, Any]) -> str:
    settings = {key: value for key, value in asdict(calculation.settings).items() if key != "source"}
    content = {"atoms": _atoms(atoms), "settings": settings, "engine": engine.label, **more}
    # results from before there were such fields stay valid
    if not settings["hubbard_u"]:
        del settings["hubbard_u"]
    if calculation.procedure is not None:
        content |= {"procedure": calculation.procedure, "parameters": dict(calculation.parameters)}

    def plain(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else dict(value)

    return hashlib.sha256(json.dumps(content, sort_keys=True, default=plain).encode()).hexdigest()

"""What identifies a computation, so that results and journals of another one are never taken for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ase import Atoms

from nanoslab.calculation import Calculation, Settings
from nanoslab.engines.interface import Engine


def calculation_fingerprint(calculation: Calculation, engine: Engine) -> str:
    """Hash of a calculation as it is defined and of the engine's name and options.

    The engine's version is not in it: a finished result stays finished when a library is updated.
    """
    return _hash(
        {
            "atoms": _atoms(calculation.atoms),
            "settings": _settings(calculation.settings),
            "starts_from": calculation.starts_from,
            "removed_indices": list(calculation.removed_indices),
            "engine": engine.label,
            **_procedure(calculation),
        }
    )


def path_fingerprint(calculation: Calculation, start: Atoms, engine: Engine) -> str:
    """Hash of all that decides every step: start, settings, procedure, engine and its versions."""
    return _hash(
        {
            "atoms": _atoms(start),
            "settings": _settings(calculation.settings),
            "engine": engine.label,
            "versions": dict(engine.versions),
            **_procedure(calculation),
        }
    )


def _atoms(atoms: Atoms) -> dict[str, Any]:
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": atoms.pbc.tolist(),
        "constraints": [constraint.todict() for constraint in atoms.constraints],
        "magnetic_moments": atoms.get_initial_magnetic_moments().tolist(),
    }


def _procedure(calculation: Calculation) -> dict[str, Any]:
    """Only where it is named: results from before there were others stay valid."""
    if calculation.procedure is None:
        return {}
    return {"procedure": calculation.procedure, "parameters": dict(calculation.parameters)}


def _settings(settings: Settings) -> dict[str, Any]:
    fields = {key: value for key, value in asdict(settings).items() if key != "source"}
    if not settings.hubbard_u:
        del fields["hubbard_u"]  # results from before there was such a field stay valid
    return fields


def _hash(content: Mapping[str, Any]) -> str:
    def plain(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else dict(value)

    return hashlib.sha256(json.dumps(content, sort_keys=True, default=plain).encode()).hexdigest()

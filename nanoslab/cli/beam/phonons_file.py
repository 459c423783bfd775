"""Velocities of the atoms from the result of a phonons study: one tensor per element, for every command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from nanoslab.errors import FileError, InputError

Tensor = tuple[tuple[float, ...], ...]


def velocity_tensors_of(option: str, path: Path, elements: Sequence[str]) -> dict[str, Tensor]:
    """<v vᵀ> of each element, the mean over its atoms, in the axes of the structure [m²/s²].

    Parameters
    ----------
    option
        For the message.
    path
        ``results.json`` of a phonons study, or its campaign with one source of forces.
    elements
        Those needed.
    """
    if path.is_dir():
        found = sorted({*path.glob("results.json"), *path.glob("results/*/results.json")})
        if len(found) != 1:
            got = ", ".join(str(one.relative_to(path)) for one in found) or "none"
            raise FileError(path, expected="one results.json below it", got=got, advice="name the file")
        path = found[0]
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        symbols, tensors = document["symbols"], document["velocity_covariance_m2_per_s2"]
    except OSError as error:
        raise FileError(path, expected="results of a phonons study", got=error.strerror or error) from None
    except (ValueError, KeyError, TypeError):
        raise FileError(path, expected="results of a phonons study, with velocities", got="something else") from None
    means = {}
    for element in elements:
        own = [tensor for symbol, tensor in zip(symbols, tensors, strict=True) if symbol == element]
        if not own:
            raise InputError(option, expected=f"phonons of {element} too", got=", ".join(dict.fromkeys(symbols)))
        means[element] = tuple(tuple(sum(one[i][j] for one in own) / len(own) for j in range(3)) for i in range(3))
    return means

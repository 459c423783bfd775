"""Thresholds from the result of a displacement study, where ``--threshold`` is given its ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nanoslab.errors import FileError


def displacement_sites(values: Sequence[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """Values that are no files, and the sites of the results that the others are.

    A site counts with its lowest threshold of all directions: an upper bound of what the beam does.
    """
    plain = [value for value in values if not value.endswith(".json")]
    sites = [site for value in values if value not in plain for site in _sites(Path(value))]
    return plain, sites


def _sites(path: Path) -> list[dict[str, Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(path, expected="the results of a displacement study", got=error.strerror or error) from None
    except ValueError as error:
        raise FileError(path, expected="JSON", got=str(error)) from None
    if not isinstance(document, dict) or document.get("study") != "displacement":
        raise FileError(path, expected="the results.json of a displacement study", got="something else")
    found = [site for site in document["sites"] if site.get("minimum_eV")]
    if not found:
        raise FileError(path, expected="a site with a threshold", got="none below the ceiling of the study")
    level = document["level_of_theory"]
    return [
        {
            **site,
            "source": f"{site['site']}, lowest of {site['n_directions']} directions, by dynamics, {level}",
        }
        for site in found
    ]

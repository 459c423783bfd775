"""What a search has computed, as the file beside the study that holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from nanoslab.errors import FileError
from nanoslab.files import write_atomically
from nanoslab.studies.off_stoichiometry.losses import LossPath

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of losing atoms, relaxed.

    Attributes
    ----------
    phase, lost, identifier, removed
        Sheet, atoms lost by element, lasting name, indices into the whole sheet.
    degeneracy, drawn
        Ways that symmetry makes the same; how often a draw gave it (1 where all ways are listed, 0 found on a path).
    energy
        Lowest of its starts [eV]; None where none can be used.
    spread
        Highest less lowest energy of its starts [eV]; None with one usable start.
    n_steps, problems
        Steps of all starts; why starts are not used.
    positions
        Of the atoms left, relaxed [Å].
    """

    phase: str
    lost: Mapping[str, int]
    identifier: str
    removed: tuple[int, ...]
    degeneracy: int
    drawn: int
    energy: float | None
    spread: float | None
    n_steps: int
    problems: tuple[str, ...]
    positions: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaySet:
    """All ways of one composition: how many there are, and how many were drawn (0 where all were computed)."""

    phase: str
    lost: Mapping[str, int]
    n_distinct: int
    n_total: int
    n_drawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a cluster expansion says of the ways of one composition.

    Attributes
    ----------
    phase, lost
        As in `WaySet`.
    n_predicted, n_lower
        Ways whose energies it gave, and those not computed that it puts below the lowest computed.
    n_terms, n_ways, error, constant_error
        As in `nanoslab.studies.off_stoichiometry.expansion.Expansion`, of all compositions of the phase.
    """

    phase: str
    lost: Mapping[str, int]
    n_predicted: int
    n_lower: int
    n_terms: int
    n_ways: int
    error: float
    constant_error: float


@dataclass(slots=True, kw_only=True)
class SearchRecord:
    """Everything of a search; ways are added while it runs.

    Attributes
    ----------
    question
        What the study asked; a record of another question is not gone on with.
    engine, level_of_theory, versions
        What computed.
    elements, atoms
        Element -> energy of its crystal, and of its isolated atom where the engine has one [eV per atom].
    bulk
        Counts of the primitive cell and energy [eV] of the sheets' crystals.
    counts, whole
        Phase -> atoms of the whole sheet by element, cations first; and that sheet, relaxed.
    sets, screens, ways
        What was searched, what an expansion says of the rest, and what the search gave.
    paths
        Losses one after the other.
    wall_time_s
        Of all calls together.
    """

    question: Mapping[str, Any]
    engine: str
    level_of_theory: str
    versions: Mapping[str, str]
    elements: dict[str, float] = field(default_factory=dict)
    atoms: dict[str, float] = field(default_factory=dict)
    bulk: list[tuple[dict[str, int], float]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    whole: dict[str, Way] = field(default_factory=dict)
    sets: list[WaySet] = field(default_factory=list)
    screens: list[Screen] = field(default_factory=list)
    ways: dict[tuple[str, str], Way] = field(default_factory=dict)
    paths: list[LossPath] = field(default_factory=list)
    wall_time_s: float = 0.0

    def energy(self, phase: str, identifier: str) -> float | None:
        """Energy of a way, the whole sheet's where the identifier is empty [eV]."""
        way = self.ways.get((phase, identifier)) if identifier else self.whole.get(phase)
        return None if way is None else way.energy

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        document = {"schema": SCHEMA, **{name: getattr(self, name) for name in _PLAIN}}
        document["whole"] = [asdict(way) for way in self.whole.values()]
        document["sets"] = [asdict(one) for one in self.sets]
        document["screens"] = [asdict(one) for one in self.screens]
        document["paths"] = [asdict(path) for path in self.paths]
        document["ways"] = [asdict(way) for way in self.ways.values()]
        write_atomically(path, json.dumps(document, separators=(",", ":")).replace('{"phase"', '\n{"phase"') + "\n")


_WAYS, _PATHS = TypeAdapter(list[Way]), TypeAdapter(list[LossPath])
_PLAIN = ("question", "engine", "level_of_theory", "versions", "elements", "atoms", "bulk", "counts", "wall_time_s")


def read_record(path: Path) -> SearchRecord:
    """Read a record.

    Raises
    ------
    FileError
        If it is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}")
        record = SearchRecord(**{name: document[name] for name in _PLAIN})
        record.bulk = [(dict(counts), float(energy)) for counts, energy in record.bulk]
        record.whole = {way.phase: way for way in _WAYS.validate_python(document["whole"])}
        record.sets = [WaySet(**row) for row in document["sets"]]
        record.screens = [Screen(**row) for row in document.get("screens", ())]
        record.paths = _PATHS.validate_python(document["paths"])
        record.ways = {(way.phase, way.identifier): way for way in _WAYS.validate_python(document["ways"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        advice = "remove it, and search again with 'nanoslab run'"
        raise FileError(path, expected="what a search wrote", got=str(error), advice=advice) from error
    return record


def rounded(positions: NDArray[np.float64]) -> tuple[tuple[float, float, float], ...]:
    """Positions to a ten-thousandth of an Å, as the file keeps them."""
    return tuple((x, y, z) for x, y, z in np.round(positions, 4).tolist())


def with_least_energy(ways: Sequence[Way]) -> list[Way]:
    """Ways that can be used, by rising energy and then by name."""
    usable = [(way.energy, way.identifier, way) for way in ways if way.energy is not None]
    return [way for _, _, way in sorted(usable, key=lambda one: one[:2])]

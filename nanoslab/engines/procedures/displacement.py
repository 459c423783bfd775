"""Kick one atom in one direction, follow it, and bisect the energy from which on it is displaced."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from ase import Atoms

from nanoslab.beam.displacement.flight import Flight, Following, follow
from nanoslab.beam.displacement.search import Search, bisect_threshold
from nanoslab.beam.displacement.splice import SplicedCalculator
from nanoslab.beam.displacement.starts import force_constants, thermal_start
from nanoslab.engines.interface import Ended, Task
from nanoslab.errors import InputError

#: parameters that say how to search, follow and start; all others are refused
GROUPS = ("index", "direction", "search", "following", "motion", "temperature_K", "seed", "repulsion")


def displacement(atoms: Atoms, task: Task) -> Ended:
    """Threshold of one direction; the atoms end where they began, the trajectory holds the end of every flight."""
    given = dict(task.calculation.parameters)
    if unknown := set(given) - set(GROUPS):
        raise InputError("parameters of the displacement", expected=", ".join(GROUPS), got=", ".join(sorted(unknown)))
    search, following = Search(**_tuples(given.get("search", {}))), Following(**given.get("following", {}))
    index, direction = int(given["index"]), np.array(given["direction"], dtype=float)
    engine = atoms.calc
    start = _start(atoms, given)
    spliced = given.get("repulsion", "zbl") == "zbl"
    start.calc = SplicedCalculator(engine, tuple(atoms.get_chemical_symbols())) if spliced else engine

    def fly(energy: float) -> Flight:
        flight = follow(start, index, direction, energy, following)
        if flight.end is not None:
            task.on_step(flight.end)
        return flight

    found = bisect_threshold(fly, search)
    ends = [flight for flight in found.flights if flight.energy in (found.low, found.high)]
    drift = max(flight.drift for flight in ends)
    remarks = []
    if drift > search.tolerance:
        remarks.append(f"the energy drifts by {drift:.2g} eV in a flight at the threshold, more than its tolerance")
    if found.undecided:
        remarks.append(f"undecided when its time was over: {', '.join(f'{e:.4g} eV' for e in found.undecided)}")
    if not isfinite(found.high):
        remarks.append(f"nothing is displaced up to {search.ceiling:g} eV")
    findings = {
        "low_eV": found.low,
        "high_eV": found.high if isfinite(found.high) else None,
        "drift_eV": drift,
        "flights": [_record(flight) for flight in found.flights],
    }
    n_steps = sum(flight.n_steps for flight in found.flights)
    return Ended(atoms=atoms, n_steps=n_steps, optimiser="velocity Verlet", remarks=tuple(remarks), findings=findings)


def _start(atoms: Atoms, given: dict[str, Any]) -> Atoms:
    motion = given.get("motion", "rest")
    constants = force_constants(atoms) if motion.startswith("harmonic") else None
    temperature, seed = float(given.get("temperature_K", 0.0)), int(given.get("seed", 0))
    return thermal_start(atoms, motion, temperature, seed, force_constants=constants)


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}


def _record(flight: Flight) -> dict[str, Any]:
    units = {"energy": "energy_eV", "drift": "drift_eV"}
    return {units.get(key, key): value for key, value in flight._asdict().items() if key != "end"}

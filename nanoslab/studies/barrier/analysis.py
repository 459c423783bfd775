"""From the run of a band to a barrier with its rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanoslab.errors import InputError
from nanoslab.kinetics import arrhenius_rate, harmonic_prefactor
from nanoslab.studies.barrier.result import BarrierRow
from nanoslab.studies.runs import UsableRun


def barrier_row(run: UsableRun, temperatures: Sequence[float]) -> BarrierRow:
    """Barrier of one path; rates only where one imaginary mode proves the saddle."""
    found: dict[str, Any] = dict(run.result.findings)
    saddle = found.get("saddle_frequencies_THz")
    prefactor, notes = None, list(run.result.problems)
    if saddle is not None and min(saddle) >= 0:
        n = len(found["vibrating_atoms"])
        notes.append(
            f"no imaginary mode among {n} vibrating atoms: the saddle is not proven, and has no rate; let more vibrate"
        )
    elif saddle is not None:
        try:
            prefactor = harmonic_prefactor(found["start_frequencies_THz"], saddle)
        except InputError as error:
            notes.append(str(error))
    barrier = float(found["barrier_eV"])
    return BarrierRow(
        calculation=run.calculation.name,
        barrier=barrier,
        reverse_barrier=float(found["reverse_barrier_eV"]),
        reaction_energy=float(found["reaction_energy_eV"]),
        imaginary_frequency_THz=None if saddle is None or min(saddle) >= 0 else float(min(saddle)),
        n_imaginary=None if saddle is None else sum(value < 0 for value in saddle),
        prefactor_per_s=prefactor,
        rates_per_s=()
        if prefactor is None
        else tuple(float(rate) for rate in arrhenius_rate(prefactor, barrier, temperatures)),
        path=tuple(found["path_A"]),
        energies=tuple(energy - found["energies_eV"][0] for energy in found["energies_eV"]),
        converged=run.result.converged,
        notes=tuple(notes),
    )


def slip_row(name: str, steps: Sequence[tuple[float, UsableRun]]) -> BarrierRow:
    """Energies of a sheet against the slip of its layers, each relaxed with the slip held."""
    ordered = sorted(steps, key=lambda step: step[0])
    energies = [used.energy - ordered[0][1].energy for _, used in ordered]
    top = energies.index(max(energies))
    notes = ["the slip is uniform and held at every step: an upper bound, per cell"]
    if top in (0, len(energies) - 1):
        notes.append("no barrier: an end is highest")
    notes += dict.fromkeys(problem for _, used in ordered for problem in used.result.problems)
    return BarrierRow(
        calculation=name,
        barrier=energies[top],
        reverse_barrier=energies[top] - energies[-1],
        reaction_energy=energies[-1],
        imaginary_frequency_THz=None,
        n_imaginary=None,
        prefactor_per_s=None,
        rates_per_s=(),
        path=tuple(slip for slip, _ in ordered),
        energies=tuple(energies),
        converged=all(used.result.converged for _, used in ordered),
        notes=tuple(notes),
    )

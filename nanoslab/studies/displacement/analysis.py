"""From the flights of a displacement study to its answer."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log

import numpy as np
from ase import Atoms
from scipy.optimize import brentq

from nanoslab.beam.binding import neighbour_lists
from nanoslab.beam.cross_section import named_exit
from nanoslab.beam.displacement.cross_section import DirectionalThreshold, directional_cross_section
from nanoslab.beam.loss.paths import beam_frame
from nanoslab.beam.loss.sites import depths
from nanoslab.beam.totals import Target, total_cross_section
from nanoslab.beam.vibration import natural_target
from nanoslab.calculation import CalculationResult
from nanoslab.studies.displacement.result import BeamRow, DirectionRow, DisplacementResult, SiteRow, finite
from nanoslab.studies.displacement.roles import KickRole
from nanoslab.studies.runs import UsableRuns

Found = tuple[KickRole, DirectionRow]

#: smaller cross-sections have no threshold that gives them back [barn]
LEAST_BARN = 1e-6


def analyze_displacement(
    runs: UsableRuns, beam_energies_keV: Sequence[float], temperature: float | None
) -> DisplacementResult:
    """Answer of the study.

    Parameters
    ----------
    runs
        Of the study.
    beam_energies_keV
        For the cross-sections [keV].
    temperature
        Of classical motion in the cross-sections [K]; None where the flights began from thermal starts, which hold it.
    """
    found: dict[str, list[Found]] = {}
    structures: dict[str, Atoms] = {}
    for role, run in runs.of(KickRole):
        usable = runs.get(run)
        if usable is None:
            continue
        if "low_eV" not in usable.result.findings:
            runs.refuse(run.calculation.name, "no thresholds: it is not the result of a displacement")
            continue
        found.setdefault(role.site, []).append((role, _row(run.calculation.name, role, usable.result)))
        structures[role.site] = usable.calculation.atoms
    sites = tuple(_site(kicks, structures[name], beam_energies_keV, temperature) for name, kicks in found.items())
    motion = "the motion is in the starts" if temperature is None else f"classical motion at {temperature:g} K"
    rows = tuple(row for kicks in found.values() for _, row in kicks)
    return DisplacementResult(sites=sites, rows=rows, motion=motion)


def _row(name: str, role: KickRole, result: CalculationResult) -> DirectionRow:
    findings = result.findings
    flights = findings["flights"]
    x, y, z = beam_frame(role.beam) @ np.array(role.direction)
    return DirectionRow(
        calculation=name,
        site=role.site,
        start=role.start,
        direction=role.direction,
        polar_deg=float(np.degrees(np.arccos(np.clip(z, -1, 1)))),
        azimuth_deg=float(np.degrees(np.arctan2(y, x)) % 360),
        weight=sum(role.weights),
        low=float(findings["low_eV"]),
        high=None if findings["high_eV"] is None else float(findings["high_eV"]),
        drift=float(findings["drift_eV"]),
        outcomes=", ".join(f"{flight['energy_eV']:.4g}: {flight['outcome']}" for flight in flights),
        n_flights=len(flights),
        n_forces=sum(flight["n_steps"] for flight in flights),
        closest_A=min(flight["closest_A"] for flight in flights),
        notes=result.problems,
    )


def _site(kicks: list[Found], atoms: Atoms, kilovolts: Sequence[float], temperature: float | None) -> SiteRow:
    role = kicks[0][0]
    starts = sorted({role.start for role, _ in kicks})
    maps = [_threshold([kick for kick in kicks if kick[0].start == start]) for start in starts]
    beam = beam_frame(role.beam)[2]
    along = np.array([float(one.at(beam[None])[0]) for one in maps])
    rest = Target(element=role.element, masses="isotopes")
    target = rest if temperature is None else natural_target(role.element, temperature)
    barns = [[directional_cross_section(target, kv, one, role.beam) for one in maps] for kv in kilovolts]
    return SiteRow(
        site=role.site,
        element=role.element,
        atom=role.atom,
        n_neighbours=len(neighbour_lists(atoms)[role.atom]),
        layer=int(depths(atoms)[role.atom]),
        n_directions=len(maps[0].energies),
        n_starts=len(starts),
        minimum=finite(min(one.minimum for one in maps)),
        mean=finite(float(np.mean([one.mean for one in maps]))),
        along_beam=finite(float(along.mean())),
        spread=finite(float(along.std(ddof=1))) if len(starts) > 1 else None,
        largest_drift=max(row.drift for _, row in kicks),
        beams=tuple(
            BeamRow(
                beam_energy_keV=kv,
                cross_section_barn=float(np.mean(each)),
                equivalent_threshold=_equivalent(target, kv, float(np.mean(each))),
            )
            for kv, each in zip(kilovolts, barns, strict=True)
        ),
    )


def _threshold(kicks: list[Found]) -> DirectionalThreshold:
    """Thresholds in all directions from those that were computed."""
    vectors = np.concatenate([np.array(role.same) for role, _ in kicks])
    weights = np.concatenate([np.array(role.weights) for role, _ in kicks])
    energies = np.concatenate(
        [np.full(len(role.same), inf if row.threshold is None else row.threshold) for role, row in kicks]
    )
    return DirectionalThreshold(vectors=vectors, energies=energies, weights=weights)


def _equivalent(target: Target, kilovolts: float, barn: float) -> float | None:
    """Isotropic threshold with the same spherical total [eV]; None for next to nothing."""
    way = named_exit("spherical")

    def excess(logarithm: float) -> float:
        found = total_cross_section(target, kilovolts, exp(logarithm), way)
        return log(found + 1e-300) - log(barn)

    if barn < LEAST_BARN or excess(log(0.1)) < 0:
        return None
    return exp(brentq(excess, log(0.1), log(1e3), xtol=1e-6))

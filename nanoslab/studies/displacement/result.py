"""The answer of a displacement study: thresholds by site and direction, and what a beam does with them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from nanoslab.studies.result import StudyResult, Table, record, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionRow:
    """One direction from one start.

    Attributes
    ----------
    low, high
        Highest energy that did not displace, and lowest that did, None if none up to the ceiling [eV].
    drift
        Largest change of the total energy in the flights at both [eV].
    polar_deg, azimuth_deg
        Angle to the beam, and about it from the direction of x or y [degrees].
    weight
        Share of the solid angle of all directions that are equivalent to it.
    outcomes
        Energy -> what became of the atom, in words, by energy.
    """

    calculation: str
    site: str
    start: int
    direction: tuple[float, float, float]
    polar_deg: float
    azimuth_deg: float
    weight: float
    low: float
    high: float | None
    drift: float
    outcomes: str
    n_flights: int
    n_forces: int
    closest_A: float
    notes: tuple[str, ...] = ()

    @property
    def threshold(self) -> float | None:
        """Middle of the interval [eV]; None where nothing displaced."""
        return None if self.high is None else (self.low + self.high) / 2

    @property
    def uncertainty(self) -> float | None:
        """Half the interval or the drift of the energy, whichever is larger [eV]."""
        return None if self.high is None else max((self.high - self.low) / 2, self.drift)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamRow:
    """What a beam does to a site: cross-section [barn], and the isotropic threshold that would give the same [eV]."""

    beam_energy_keV: float
    cross_section_barn: float
    equivalent_threshold: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """One site.

    Attributes
    ----------
    minimum, mean, along_beam
        Lowest of the directions, mean over the hemisphere about the beam, and in its middle [eV]; mean over the starts.
        None where nothing displaced, the mean also where that is so in some directions.
    spread
        Standard deviation of the one along the beam over the starts [eV]; None for one start.
    """

    site: str
    element: str
    atom: int
    n_neighbours: int
    layer: int
    n_directions: int
    n_starts: int
    minimum: float | None
    mean: float | None
    along_beam: float | None
    spread: float | None
    largest_drift: float
    beams: tuple[BeamRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplacementResult(StudyResult):
    """Everything a displacement study says; `motion` is that of the nucleus in the cross-sections, in words."""

    sites: tuple[SiteRow, ...]
    rows: tuple[DirectionRow, ...]
    motion: str

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        sites = [
            record(
                site,
                minimum="minimum_eV",
                mean="mean_eV",
                along_beam="along_beam_eV",
                spread="spread_eV",
                largest_drift="largest_drift_eV",
                beams=None,
            )
            | {"cross_sections": [record(row, equivalent_threshold="equivalent_threshold_eV") for row in site.beams]}
            for site in self.sites
        ]
        rows = [
            record(row, low="low_eV", high="high_eV", drift="drift_eV")
            | {"threshold_eV": row.threshold, "uncertainty_eV": row.uncertainty}
            for row in self.rows
        ]
        return {"sites": sites, "directions": rows, "motion": self.motion}

    def tables(self) -> tuple[Table, ...]:
        """Sites with their cross-sections, and the directions."""
        voltages = [row.beam_energy_keV for row in self.sites[0].beams] if self.sites else []
        barns = (f"{kv:g} kV [barn]" for kv in voltages)
        sites = Table(
            title="Displacement thresholds",
            columns=("site", "along the beam [eV]", "lowest [eV]", "mean [eV]", *barns),
            rows=tuple(
                (
                    f"{site.site} ({site.element})",
                    text_of(site.along_beam, ".2f") + ("" if site.spread is None else f" ± {site.spread:.2f}"),
                    text_of(site.minimum, ".2f"),
                    text_of(site.mean, ".2f"),
                    *(f"{row.cross_section_barn:.3g}" for row in site.beams),
                )
                for site in self.sites
            ),
            notes=(
                f"Level of theory: {self.level_of_theory}.",
                f"Cross-sections: Mott, natural isotopes, {self.motion}; recoils meet the threshold of their way.",
                f"The total energy drifts by {max((s.largest_drift for s in self.sites), default=0.0):.2g} eV at most.",
            ),
        )
        directions = Table(
            title="Thresholds by direction",
            columns=("calculation", "angle to the beam", "azimuth", "E_d [eV]", "drift [eV]", "forces", "flights"),
            rows=tuple(
                (
                    row.calculation,
                    f"{row.polar_deg:.1f}°",
                    f"{row.azimuth_deg:.0f}°",
                    f"above {row.low:.4g}" if row.threshold is None else f"{row.threshold:.2f} ± {row.uncertainty:.2f}",
                    f"{row.drift:.2g}",
                    str(row.n_forces),
                    row.outcomes,
                )
                for row in self.rows
            ),
            notes=tuple(f"{row.calculation}: {note}" for row in self.rows for note in row.notes),
        )
        return sites, directions


def finite(value: float) -> float | None:
    """A number, or None for an infinite one."""
    return float(value) if isfinite(value) else None

"""A core that leaves through its own shell faster than anything comes in: the Kirkendall void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from nanoslab.errors import InputError

#: shell at the start and core at the end, as shares of the radius of the particle
THINNEST, SMALLEST = 1e-4, 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacting:
    """A particle whose core reacts to a shell, as Co does to CoO."""

    radius_nm: float  #: of the core at the start
    #: Diffusivity times the difference in site fraction across the shell, of the core's atoms outwards and of what
    #: reacts with them inwards; not both zero
    outward_nm2_per_s: float
    inward_nm2_per_s: float
    expansion: float = 1.0  #: volume of the shell per atom of the core over that of the core: 1.69 for Co to CoO


@dataclass(frozen=True, slots=True, kw_only=True)
class Hollowing:
    """Radii with time."""

    #: Radius of a void of the volume found, inner and outer radius of the shell, each of shape (n_times,)
    times_s: NDArray[np.float64]
    void_nm: NDArray[np.float64]
    inner_nm: NDArray[np.float64]
    outer_nm: NDArray[np.float64]
    #: Volume of core left, shape (n_times,); the void lies between it and the shell, or inside it
    core_nm3: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.times_s, self.void_nm, self.inner_nm, self.outer_nm, self.core_nm3):
            array.flags.writeable = False


def hollow(particle: Reacting, times_s: Sequence[float]) -> Hollowing:
    """Follow core, shell and void while atoms diffuse through the shell as in a steady state.

    Through a spherical shell of radii a < b both currents are 4 pi D ab / (b - a). What arrives outside grows the
    shell outwards, what arrives inside grows it inwards. The core's atoms that left without a replacement are the
    void: when the core is used up, its share of the first volume is 1 - expansion / (1 + outward / inward) at an
    inner radius held by the shell, whatever the diffusivities themselves.

    Parameters
    ----------
    particle
        Sizes and diffusivities.
    times_s
        Increasing times from 0 on [s].

    Raises
    ------
    InputError
        A number outside its range, or a shell that would need more room inside than the core leaves.

    Examples
    --------
    >>> end = hollow(Reacting(radius_nm=5.0, outward_nm2_per_s=3.0, inward_nm2_per_s=1.0), [0.0, 1e3])
    >>> round(float((end.void_nm[-1] / 5.0) ** 3), 3)
    0.75
    """
    out, inward, times = particle.outward_nm2_per_s, particle.inward_nm2_per_s, np.array(times_s, float)
    checks = {"radius_nm": particle.radius_nm, "expansion": particle.expansion, "diffusivities": out + inward}
    for name, value in checks.items():
        if not (np.isfinite(value) and value > 0) or min(out, inward) < 0:
            raise InputError(name, expected="above 0", got=value)
    if not len(times) or times[0] < 0 or (np.diff(times) <= 0).any():
        raise InputError("times_s", expected="increasing times from 0 on", got=times[:5].tolist())
    share_inward = inward / (out + inward)
    if particle.expansion * share_inward > 1:
        raise InputError(
            "expansion",
            expected=f"at most {1 / share_inward:.3g}, so that the shell has room inside",
            got=particle.expansion,
            advice="such a shell cracks or pushes outwards, which this model does not follow",
        )
    whole = 4 / 3 * np.pi * particle.radius_nm**3

    def radii(core: float) -> tuple[float, float]:
        """Inner and outer radius of the shell at a volume of core left."""
        reacted = whole - core
        inner = whole - particle.expansion * share_inward * reacted
        outer = whole + particle.expansion * (1 - share_inward) * reacted
        return _radius(inner), _radius(outer)

    def change(_: float, state: NDArray[np.float64]) -> list[float]:
        inner, outer = radii(float(state[0]))
        thickness = max(outer - inner, THINNEST * particle.radius_nm)
        return [-4 * np.pi * (out + inward) * inner * outer / thickness]

    def used_up(_: float, state: NDArray[np.float64]) -> float:
        return float(state[0]) - whole * SMALLEST**3

    used_up.terminal = True  # type: ignore[attr-defined]
    solution = solve_ivp(
        change,
        (0.0, float(times[-1])),
        [whole],
        method="BDF",
        t_eval=times,
        events=used_up,
        rtol=1e-8,
        atol=1e-10 * whole,
    )
    core = np.zeros(len(times))
    core[: solution.y.shape[1]] = solution.y[0]
    shell = np.array([radii(volume) for volume in core])
    void = np.array([_radius(max(4 / 3 * np.pi * a**3 - v, 0.0)) for a, v in zip(shell[:, 0], core, strict=True)])
    return Hollowing(
        times_s=times, void_nm=void, inner_nm=shell[:, 0].copy(), outer_nm=shell[:, 1].copy(), core_nm3=core
    )


def _radius(volume: float) -> float:
    return float((3 * volume / (4 * np.pi)) ** (1 / 3))

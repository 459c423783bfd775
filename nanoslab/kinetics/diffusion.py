"""Exchange by diffusion: mixing across a fixed interface, and a reaction front that moves inwards.

Finite volumes throughout: what leaves one cell enters its neighbour, so amounts are conserved to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp

from nanoslab.errors import InputError, unknown_name

Array = NDArray[np.float64]
Geometry = Literal["plane", "cylinder", "sphere"]
#: geometry -> (power of r in the area, area at r = 1; per nm² of plane or nm of cylinder)
SHAPES: dict[str, tuple[int, float]] = {"plane": (0, 1.0), "cylinder": (1, 2 * np.pi), "sphere": (2, 4 * np.pi)}
RELATIVE_TOLERANCE = 1e-8
#: shell that the front starts with, and core at which it has arrived, as shares of the radius
THINNEST, SMALLEST = 1e-4, 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """Composition against position and time."""

    times_s: Array  #: shape (n_times,)
    faces_nm: Array  #: edges of the cells, shape (n_cells + 1,)
    fractions: Array  #: mean fraction of the second cation in each cell, shape (n_times, n_cells)
    amounts_nm3: Array  #: volume that the second cation holds, shape (n_times,): constant where both ends are closed

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.times_s, self.faces_nm, self.fractions, self.amounts_nm3):
            array.flags.writeable = False


def interdiffuse(
    fractions: ArrayLike,
    faces_nm: ArrayLike,
    diffusivity: Callable[[Array], Array],
    times_s: Sequence[float],
    *,
    geometry: Geometry = "plane",
    outside: float | None = None,
) -> Profiles:
    """Solve Fick's second law with a diffusivity that depends on composition, on a fixed grid.

    Parameters
    ----------
    fractions
        Fraction of the second cation in each cell at time zero, shape (n_cells,).
    faces_nm
        Increasing edges of the cells [nm], shape (n_cells + 1,); from the centre of a cylinder or sphere.
    diffusivity
        Fractions to interdiffusivities [nm²/s]; `darken` makes one from two tracer diffusivities.
    times_s
        Increasing times from 0 on [s].
    geometry
        ``plane`` (end caps of a rod), ``cylinder`` or ``sphere`` (core and shell).
    outside
        Fraction held at the outer edge, as a solution in excess does; closed by default, as the inner edge always is.

    Raises
    ------
    InputError
        Arrays that do not fit together, fractions outside 0 to 1, or a diffusivity not above zero.

    Examples
    --------
    >>> profiles = interdiffuse([0, 0, 1, 1], [0, 1, 2, 3, 4], lambda x: np.ones_like(x), [0, 1000])
    >>> profiles.fractions[-1].round(6).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    faces, begin, times = (np.array(values, float) for values in (faces_nm, fractions, times_s))
    areas, volumes = _areas(faces, geometry), _volumes(faces, geometry)
    _require_grid(begin, faces, times)
    probe = np.asarray(diffusivity(np.linspace(0, 1, 11)), float)
    if probe.shape != (11,) or not (np.isfinite(probe) & (probe > 0)).all():
        raise InputError("diffusivity", expected="values above 0 for fractions from 0 to 1", got=probe)
    middles = (faces[1:] + faces[:-1]) / 2

    def change(_: float, x: Array) -> Array:
        flux = np.zeros(len(faces))  # of the second cation outwards, times the area
        between = (x[1:] + x[:-1]) / 2
        flux[1:-1] = -areas[1:-1] * diffusivity(between) * np.diff(x) / np.diff(middles)
        if outside is not None:
            edge = diffusivity(np.array([outside]))[0]
            flux[-1] = -areas[-1] * edge * (outside - x[-1]) / (faces[-1] - middles[-1])
        return np.asarray(-np.diff(flux) / volumes)

    solution = _integrated(change, begin, times)
    return Profiles(
        times_s=times, faces_nm=faces, fractions=np.ascontiguousarray(solution.T), amounts_nm3=solution.T @ volumes
    )


def darken(first_nm2_per_s: float, second_nm2_per_s: float) -> Callable[[Array], Array]:
    """Interdiffusivity of two cations, ideal mixture: x_second D_first + x_first D_second (Darken 1948).

    Examples
    --------
    >>> darken(4.0, 1.0)(np.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 2.5, 4.0]
    """
    for name, value in (("first_nm2_per_s", first_nm2_per_s), ("second_nm2_per_s", second_nm2_per_s)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(name, expected="a diffusivity above 0", got=value)
    return lambda x: np.asarray(x * first_nm2_per_s + (1 - x) * second_nm2_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A sharp exchange front that moves from the surface to the centre."""

    #: Radius of the core that is not yet exchanged, both of shape (n_times,)
    times_s: Array
    radii_nm: Array
    #: Volume that the first cation holds in the core, dissolved in the shell, and has left: their sum is constant
    core_nm3: Array
    shell_nm3: Array
    left_nm3: Array

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.times_s, self.radii_nm, self.core_nm3, self.shell_nm3, self.left_nm3):
            array.flags.writeable = False


def exchange_front(
    radius_nm: float,
    diffusivity_nm2_per_s: float,
    solubility: float,
    times_s: Sequence[float],
    *,
    geometry: Geometry = "sphere",
    n_cells: int = 60,
) -> Front:
    """Follow the front of a cation exchange that is limited by diffusion through the shell already exchanged.

    The anions and so the outer radius stay, as in PbS to PbS@CdS. The first cation dissolves in the shell to
    `solubility` at the front and is carried off at the surface; the front moves as fast as it is fed away (Stefan's
    condition): (1 - solubility) ds/dt = D dx/dr at the front. The shell is a grid that moves with it.

    Parameters
    ----------
    radius_nm
        Outer radius, or thickness of a plane that is exchanged from one side [nm].
    diffusivity_nm2_per_s
        Interdiffusivity in the shell [nm²/s].
    solubility
        Fraction of the first cation in the shell at the front, above 0 and below 1.
    times_s
        Increasing times from 0 on [s]; after the front arrives its radius is 0.
    geometry
        ``sphere``, ``cylinder`` or ``plane``.
    n_cells
        Cells of the shell.

    Raises
    ------
    InputError
        An argument outside its range.

    Examples
    --------
    >>> front = exchange_front(3.0, 1e-3, 0.05, [0.0, 2e4])
    >>> round(float(front.radii_nm[-1]), 2)
    1.13
    """
    for name, value in (("radius_nm", radius_nm), ("diffusivity_nm2_per_s", diffusivity_nm2_per_s)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(name, expected="above 0", got=value)
    if not 0 < solubility < 1:
        raise InputError("solubility", expected="above 0 and below 1", got=solubility)
    times = np.array(times_s, float)
    _require_times(times)
    shell = _Shell(radius_nm, diffusivity_nm2_per_s, solubility, geometry, n_cells)
    arrived = _Arrival(shell.whole * SMALLEST ** (SHAPES[geometry][0] + 1))
    solution = solve_ivp(
        shell.change,
        (0.0, max(float(times[-1]), 1e-300)),
        shell.start(),
        method="BDF",
        t_eval=times,
        events=arrived,
        rtol=RELATIVE_TOLERANCE,
        atol=RELATIVE_TOLERANCE * shell.whole * 1e-3,
    )
    states = solution.y.T
    if solution.status == 1:  # the last sliver of the core follows at once
        final = solution.y_events[0][0].copy()
        final[-1] += final[0]
        final[0] = 0.0
        states = np.vstack([states, np.tile(final, (len(times) - len(states), 1))])
    elif not solution.success:
        raise InputError("times_s", expected="a front that can be followed", got=solution.message)
    core = states[:, 0]
    return Front(
        times_s=times,
        radii_nm=np.array([shell.radius_of_core(volume) for volume in core]),
        core_nm3=core.copy(),
        shell_nm3=states[:, 1:-1].sum(axis=1),
        left_nm3=states[:, -1].copy(),
    )


class _Arrival:
    """Event that ends the integration when the core is smaller than a volume."""

    terminal = True

    def __init__(self, smallest: float) -> None:
        self.smallest = smallest

    def __call__(self, _: float, state: Array) -> float:
        return float(state[0] - self.smallest)


class _Shell:
    """Rates of (core, cells of the shell from the front out, left), all amounts of the first cation [nm³]."""

    def __init__(self, radius: float, diffusivity: float, solubility: float, geometry: Geometry, n_cells: int) -> None:
        self.power, self.unit_area = _shape(geometry)
        self.radius, self.diffusivity, self.solubility, self.geometry = radius, diffusivity, solubility, geometry
        self.whole = self.unit_area * radius ** (self.power + 1) / (self.power + 1)
        self.share = np.linspace(0, 1, n_cells + 1)  # of the way from the front to the surface

    def radius_of_core(self, volume: float) -> float:
        return float((max(volume, 0.0) * (self.power + 1) / self.unit_area) ** (1 / (self.power + 1)))

    def faces(self, front: float) -> Array:
        return np.asarray(front + (self.radius - front) * self.share)

    def start(self) -> Array:
        """A thin shell with the straight profile that it soon has."""
        front = self.radius * (1 - THINNEST)
        volumes = _volumes(self.faces(front), self.geometry)
        cells = volumes * self.solubility * (1 - (self.share[1:] + self.share[:-1]) / 2)
        core = self.whole - volumes.sum()
        return np.array([core, *cells, self.whole - core - cells.sum()])

    def change(self, _: float, state: Array) -> Array:
        front = self.radius_of_core(state[0])
        faces = self.faces(front)
        areas, x = _areas(faces, self.geometry), state[1:-1] / _volumes(faces, self.geometry)
        width = faces[1] - faces[0]
        # second order at both edges, where the value is known half a cell away
        at_front = (-8 * self.solubility + 9 * x[0] - x[1]) / (3 * width)
        at_surface = (x[-2] - 9 * x[-1]) / (3 * width)
        speed = self.diffusivity * at_front / (1 - self.solubility)
        flux = np.empty(len(faces))
        flux[0] = -areas[0] * speed
        middle = (x[1:] + x[:-1]) / 2
        moving = speed * (1 - self.share[1:-1])
        flux[1:-1] = areas[1:-1] * (-self.diffusivity * np.diff(x) / width - middle * moving)
        flux[-1] = -areas[-1] * self.diffusivity * at_surface
        return np.array([-flux[0], *(flux[:-1] - flux[1:]), flux[-1]])


def _integrated(change: Callable[[float, Array], Array], begin: Array, times: Array) -> Array:
    solution = solve_ivp(
        change, (0.0, float(times[-1])), begin, method="BDF", t_eval=times, rtol=RELATIVE_TOLERANCE, atol=1e-10
    )
    if not solution.success:
        raise InputError("times_s", expected="a profile that can be followed", got=solution.message)
    return np.asarray(solution.y)


def _shape(geometry: str) -> tuple[int, float]:
    if geometry not in SHAPES:
        raise unknown_name("geometry", geometry, SHAPES)
    return SHAPES[geometry]


def _areas(faces: Array, geometry: str) -> Array:
    power, unit_area = _shape(geometry)
    return np.asarray(unit_area * faces**power)


def _volumes(faces: Array, geometry: str) -> Array:
    power, unit_area = _shape(geometry)
    return np.asarray(unit_area * np.diff(faces ** (power + 1)) / (power + 1))


def _require_times(times: Array) -> None:
    if times.ndim != 1 or not len(times) or times[0] < 0 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise InputError("times_s", expected="increasing times from 0 on", got=times[:5].tolist())


def _require_grid(fractions: Array, faces: Array, times: Array) -> None:
    _require_times(times)
    if len(faces) != len(fractions) + 1 or len(fractions) < 2 or (np.diff(faces) <= 0).any() or faces[0] < 0:
        raise InputError(
            "faces_nm",
            expected=f"{len(fractions) + 1} increasing edges from 0 on",
            got=f"{len(faces)} from {faces[0]:g}",
        )
    if not (np.isfinite(fractions).all() and fractions.min() >= 0 and fractions.max() <= 1):
        raise InputError("fractions", expected="between 0 and 1", got=fractions.tolist()[:5])

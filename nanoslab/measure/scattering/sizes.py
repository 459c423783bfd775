"""Sizes from small-angle scattering: spheres, cores with shells, and mixtures of few radii."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares, nnls

from nanoslab.errors import InputError

Array = NDArray[np.float64]


def sphere_amplitude(q: ArrayLike, radius: ArrayLike) -> Array:
    """Amplitude of a homogeneous sphere over its volume, 3 (sin x - x cos x)/x³ with x = q R (Rayleigh 1911).

    Examples
    --------
    >>> sphere_amplitude([0.0, 0.5], 9.4).round(4).tolist()
    [1.0, -0.0272]
    """
    x = np.asarray(q, dtype=float) * np.asarray(radius, dtype=float)
    safe = np.where(np.abs(x) < 1e-2, 1.0, x)
    bulk = 3.0 * (np.sin(safe) - safe * np.cos(safe)) / safe**3
    return np.asarray(np.where(np.abs(x) < 1e-2, 1.0 - x**2 / 10.0, bulk), dtype=float)


def sphere_intensity(q: ArrayLike, radius: float, contrast: float = 1.0) -> Array:
    """Intensity (contrast V)² times the squared amplitude of a sphere of a radius [Å]."""
    _require_radius(radius)
    return np.asarray((contrast * 4 / 3 * np.pi * radius**3 * sphere_amplitude(q, radius)) ** 2)


def core_shell_intensity(
    q: ArrayLike, core_radius: float, shell_thickness: float, core_contrast: float, shell_contrast: float
) -> Array:
    """Intensity of a sphere with a concentric shell; contrasts against the solvent, lengths [Å].

    Examples
    --------
    >>> bool(np.allclose(core_shell_intensity([0.3], 10.0, 4.0, 2.0, 2.0), sphere_intensity([0.3], 14.0, 2.0)))
    True
    """
    _require_radius(core_radius)
    if not shell_thickness >= 0:
        raise InputError("shell_thickness", expected="a length from 0 Å", got=shell_thickness)
    outer = core_radius + shell_thickness
    amplitude = (core_contrast - shell_contrast) * core_radius**3 * sphere_amplitude(q, core_radius)
    return np.asarray((4 / 3 * np.pi * (amplitude + shell_contrast * outer**3 * sphere_amplitude(q, outer))) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeMixture:
    """A mixture of spheres of few radii.

    Attributes
    ----------
    radii, radius_errors
        Radii [Å], smallest first, and their standard errors from the bootstrap, shape (components,).
    fractions, fraction_errors
        Of the number of particles.
    background
        Constant below the intensity.
    reduced_chi_square
        Of the fit; near 1 where the errors given are those of the data.
    bayes_factors
        exp((BIC of the fit with k radii - BIC of this one)/2), for every number k tried from 1 up; 1 for the chosen,
        larger for the others. Above 100 another number of radii is excluded.
    """

    radii: Array
    radius_errors: Array
    fractions: Array
    fraction_errors: Array
    background: float
    reduced_chi_square: float
    bayes_factors: tuple[float, ...]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.radii, self.radius_errors, self.fractions, self.fraction_errors):
            array.setflags(write=False)


def fit_sizes(
    q: ArrayLike,
    intensity: ArrayLike,
    errors: ArrayLike,
    *,
    radii_between: tuple[float, float],
    most_components: int = 4,
    n_bootstrap: int = 40,
) -> SizeMixture:
    """Fit intensities by a mixture of spheres; as many radii as the data need by the Bayesian information criterion.

    Each trial takes the radii as nonlinear and the numbers as linear, non-negative unknowns (variable projection,
    Golub and Pereyra 1973). Standard errors are those of refits to intensities drawn anew with the errors given, so
    they hold for a mixture of spheres and say nothing of whether spheres are the right model.

    Parameters
    ----------
    q, intensity, errors
        Scattering vectors [1/Å], intensities and their standard deviations, shape (points,).
    radii_between
        Smallest and largest radius looked for [Å].
    """
    q, intensity, errors = (np.asarray(values, dtype=float) for values in (q, intensity, errors))
    low, high = radii_between
    if not (q.shape == intensity.shape == errors.shape and q.ndim == 1 and len(q) > 3 * most_components):
        got = f"shapes {q.shape}, {intensity.shape}, {errors.shape}"
        raise InputError("data", expected="q, intensity and error at many more points than radii", got=got)
    if not np.all(errors > 0) or not np.all(np.isfinite(intensity)):
        raise InputError("data", expected="finite intensities with errors above 0", got="others among them")
    _require_radius(low)
    if not high > low:
        raise InputError("radii_between", expected="two radii, the smaller first", got=radii_between)
    trials = [_best_radii(q, intensity, errors, n, (low, high)) for n in range(1, most_components + 1)]
    squares = np.array([2 * cost for _, cost in trials])
    bic = squares + np.log(len(q)) * (2 * np.arange(1, most_components + 1) + 1)
    chosen = int(bic.argmin())
    radii = trials[chosen][0]
    numbers, background, _ = _numbers(q, intensity, errors, radii)
    model = intensity - _residuals(radii, q, intensity, errors) * errors
    random = np.random.default_rng(0)
    refits = []
    for _ in range(n_bootstrap):
        drawn = model + errors * random.standard_normal(len(q))
        again = _refine(q, drawn, errors, radii, (low, high))[0]
        refits.append((again, _numbers(q, drawn, errors, again)[0]))
    shares = np.array([drawn / drawn.sum() for _, drawn in refits])
    return SizeMixture(
        radii=radii,
        radius_errors=np.std([drawn for drawn, _ in refits], axis=0),
        fractions=numbers / numbers.sum(),
        fraction_errors=shares.std(axis=0),
        background=background,
        reduced_chi_square=float(squares[chosen] / (len(q) - 2 * len(radii) - 1)),
        bayes_factors=tuple(np.exp(np.minimum((bic - bic[chosen]) / 2, 700.0)).tolist()),
    )


def _best_radii(q: Array, intensity: Array, errors: Array, n: int, bounds: tuple[float, float]) -> tuple[Array, float]:
    """Radii of the best of several starts, and half the sum of squares."""
    low, high = bounds
    even = low + (high - low) * (np.arange(n) + 0.5) / n
    grid = np.linspace(low, high, 41)
    shares = _numbers(q, intensity, errors, grid)[0] * grid**6
    spread = np.cumsum(shares) / max(shares.sum(), 1e-300)
    likely = np.interp((np.arange(n) + 0.5) / n, spread, grid)
    middle, half = float(np.interp(0.5, spread, grid)), (high - low) / 8
    near = np.clip(middle + half * np.linspace(-1, 1, n) * (n > 1), low, high)
    # equal radii would stay equal: their numbers could not be told apart
    starts = [even, likely + 1e-3 * np.arange(n), near]
    return min((_refine(q, intensity, errors, start, bounds) for start in starts), key=lambda found: found[1])


def _refine(
    q: Array, intensity: Array, errors: Array, start: Array, bounds: tuple[float, float]
) -> tuple[Array, float]:
    inside = np.clip(start, bounds[0] * 1.001, bounds[1] * 0.999)
    found = least_squares(_residuals, inside, bounds=bounds, args=(q, intensity, errors), x_scale=1.0, xtol=1e-10)
    return np.sort(found.x), float(found.cost)


def _residuals(radii: Array, q: Array, intensity: Array, errors: Array) -> Array:
    return _numbers(q, intensity, errors, radii)[2]


def _numbers(q: Array, intensity: Array, errors: Array, radii: Array) -> tuple[Array, float, Array]:
    """Numbers of particles (arbitrary scale), background, and residuals in standard deviations."""
    columns = [radius**6 * sphere_amplitude(q, radius) ** 2 for radius in radii] + [np.ones_like(q)]
    matrix = np.array(columns).T / errors[:, None]
    scale = np.linalg.norm(matrix, axis=0)
    solution, _ = nnls(matrix / scale, intensity / errors)
    residuals = (matrix / scale) @ solution - intensity / errors
    solution = solution / scale
    return solution[:-1], float(solution[-1]), residuals


def _require_radius(radius: float) -> None:
    if not (np.isfinite(radius) and radius > 0):
        raise InputError("radius", expected="a length above 0 Å", got=radius)

"""Energy of a neck against its size, and the size beyond which it grows by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanoslab.errors import InputError

#: draws of the fit's parameters that the interval of the critical size comes from
_DRAWS = 4000
#: a critical size beyond this many columns is called unbounded
_LARGEST = 10_000
_SEED = 2020
_TIE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class NeckPoint:
    """One neck: how many pairs it holds, the perimeter of its cross-section in columns, and what it costs."""

    n_pairs: int
    perimeter: int
    delta_energy: float  #: E(necked) - E(double slab) - n E(bulk pair) [eV]
    imbalance: int = 0  #: difference between the numbers of cation-first and anion-first columns


def neck_energy(*, necked: float, double_slab: float, bulk_pair: float, n_pairs: int) -> float:
    """Energy of a neck relative to the double slab and bulk cation-anion pairs, all in eV (Wang 2020).

    Examples
    --------
    >>> neck_energy(necked=-109.0, double_slab=-100.0, bulk_pair=-6.0, n_pairs=2)
    3.0
    """
    return necked - (double_slab + n_pairs * bulk_pair)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCriticalSize:
    """Size after which every computed neck costs less, all tied with it, and whether larger ones were computed."""

    n_pairs: int
    tied: tuple[int, ...]
    bracketed: bool


def raw_critical_size(lowest: Sequence[NeckPoint]) -> RawCriticalSize:
    """Size at which the energies of the lowest neck of every size are highest.

    Examples
    --------
    >>> curve = [NeckPoint(n_pairs=n, perimeter=4, delta_energy=e) for n, e in ((1, 2.0), (2, 3.0), (3, 1.0))]
    >>> raw_critical_size(curve).n_pairs
    2
    """
    if not lowest:
        raise InputError("necks", expected="at least one neck with an energy", got="none", advice="compute one")
    highest = max(point.delta_energy for point in lowest)
    tied = tuple(point.n_pairs for point in lowest if point.delta_energy >= highest - _TIE)
    return RawCriticalSize(n_pairs=tied[-1], tied=tied, bracketed=tied[-1] < max(point.n_pairs for point in lowest))


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleationFit:
    """dE = area_term * pairs + edge_term * perimeter + imbalance_term * imbalance, by least squares.

    Notes
    -----
    The smooth curve is that of necks with as many cation-first as anion-first columns.
    A compact neck of s columns has a perimeter near 4 sqrt(s), so the smooth curve is highest at
    s = (2 edge_term / area_term)², with the area term counted per column. The interval comes from
    4000 draws of the terms from their Student distribution; in each the most compact polyomino of
    every size, 2 ceil(2 sqrt(s)), decides which whole sizes are highest, and the interval holds these
    and the top of the smooth curve: the steps of the discrete curve count as well as the scatter.
    """

    area_term: float  #: energy of one more pair inside [eV]; below zero where a neck wants to grow
    edge_term: float  #: energy of one column edge of the perimeter [eV]
    #: energy of one column more of one kind than of the other [eV]; None where all necks are alike in it
    imbalance_term: float | None
    covariance: tuple[tuple[float, float], tuple[float, float]]  #: of the area and edge terms [eV²]; rows, shape (2, 2)
    rms: float  #: root mean square of the residuals [eV]
    r_squared: float  #: share of the energies' variance that the fit explains; a constant explains 0
    #: root mean square error of each energy predicted from all the others [eV], by this fit and by their mean
    prediction_error: float
    prediction_error_of_constant: float
    n_points: int  #: necks fitted
    pairs_per_column: int  #: half the planes of the gap
    confidence: float  #: of the interval
    #: smallest and largest critical size in pairs at that confidence; None instead of the largest when the data allow a
    #: neck that never grows by itself
    interval: tuple[float, float | None]

    @property
    def critical_pairs(self) -> float | None:
        """Pairs at the top of the smooth curve; None when it rises forever."""
        return _smooth_critical(self.area_term, self.edge_term, self.pairs_per_column)

    @property
    def barrier(self) -> float | None:
        """Height of the smooth curve at the critical size [eV]."""
        size = self.critical_pairs
        return None if size is None else self.energy(size)

    def energy(self, n_pairs: float) -> float:
        """Smooth curve: energy of a square neck [eV]."""
        edges = 4.0 * math.sqrt(n_pairs / self.pairs_per_column)
        return self.area_term * n_pairs + self.edge_term * edges


def fit_nucleation(
    points: Sequence[NeckPoint], *, pairs_per_column: int = 1, confidence: float = 0.95
) -> NucleationFit:
    """Fit area and edge terms to necks of several sizes, and bound the critical size.

    The imbalance of the columns is a third term where it varies independently. The necks, at least four, are usually
    the lowest of every size; pairs per column are half the planes of the gap.

    Raises
    ------
    InputError
        There are too few necks, their sizes and perimeters do not tell the terms apart, or the mean of the energies
        predicts each of them better than the fit to the others does.

    Examples
    --------
    >>> bonds = [NeckPoint(n_pairs=n, perimeter=p, delta_energy=p - n) for n, p in ((1, 4), (2, 6), (4, 8), (9, 12))]
    >>> fit = fit_nucleation(bonds)
    >>> round(fit.area_term, 6), round(fit.edge_term, 6), round(fit.critical_pairs, 6), fit.interval
    (-1.0, 1.0, 4.0, (3.0, 7.0))
    """
    design = np.array([[point.n_pairs, point.perimeter] for point in points], dtype=float).reshape(-1, 2)
    energies = np.array([point.delta_energy for point in points], dtype=float)
    if len(points) < 4 or np.linalg.matrix_rank(design) < 2:
        expected = "at least 4 necks whose sizes and perimeters vary independently"
        got = f"{len(points)} of sizes {sorted({point.n_pairs for point in points})}"
        raise InputError("nucleation fit", expected=expected, got=got, advice="compute more sizes")
    imbalances = np.array([[point.imbalance] for point in points], dtype=float)
    with_imbalance = np.hstack([design, imbalances])
    if len(points) > 4 and np.linalg.matrix_rank(with_imbalance) == 3:
        design = with_imbalance
    terms, *_ = np.linalg.lstsq(design, energies, rcond=None)
    residuals = energies - design @ terms
    freedom = len(points) - design.shape[1]
    covariance = ((residuals @ residuals) / freedom * np.linalg.inv(design.T @ design))[:2, :2]
    scatter = energies - energies.mean()
    r_squared = 1.0 - float(residuals @ residuals) / float(scatter @ scatter) if scatter.any() else 0.0
    error, error_of_constant = (_prediction_error(one, energies) for one in (design, np.ones((len(points), 1))))
    if error >= error_of_constant:
        expected = "sizes and perimeters that predict a neck's energy better than the mean of all necks does"
        got = f"an error of {error:.2f} eV against {error_of_constant:.2f} eV (R2 {r_squared:.2f})"
        advice = "these energies have no critical size; compute more sizes and shapes, or relax them"
        raise InputError("nucleation fit", expected=expected, got=got, advice=advice)
    (aa, ae), (ea, ee) = covariance.tolist()
    return NucleationFit(
        area_term=float(terms[0]),
        edge_term=float(terms[1]),
        imbalance_term=float(terms[2]) if len(terms) > 2 else None,
        covariance=((aa, ae), (ea, ee)),
        rms=float(np.sqrt(np.mean(residuals**2))),
        r_squared=r_squared,
        prediction_error=error,
        prediction_error_of_constant=error_of_constant,
        n_points=len(points),
        pairs_per_column=pairs_per_column,
        confidence=confidence,
        interval=_interval(terms[:2], covariance, freedom, pairs_per_column, confidence),
    )


def _prediction_error(design: NDArray[np.float64], energies: NDArray[np.float64]) -> float:
    """Root mean square error of each energy predicted by the least-squares fit to all the others [eV].

    Leaving one out multiplies its residual by 1 / (1 - leverage); one that the others say nothing of is infinitely off.
    """
    projection = design @ np.linalg.pinv(design)
    residuals = energies - projection @ energies
    free = 1.0 - np.diag(projection)
    if np.any(free < 1e-9):
        return math.inf
    return float(np.sqrt(np.mean((residuals / free) ** 2)))


def _interval(
    terms: NDArray[np.float64], covariance: NDArray[np.float64], freedom: int, per_column: int, confidence: float
) -> tuple[float, float | None]:
    first, last = _critical_bounds(_draws(terms, covariance, freedom), per_column)
    tail = (1.0 - confidence) / 2.0
    lower = float(np.quantile(first, tail, method="lower"))
    upper = float(np.quantile(last, 1.0 - tail, method="higher"))
    return round(lower, 2), round(upper, 2) if math.isfinite(upper) else None


def _draws(terms: NDArray[np.float64], covariance: NDArray[np.float64], freedom: int) -> NDArray[np.float64]:
    """Area and edge terms from the multivariate Student distribution of the fit, shape (n_draws, 2)."""
    random = np.random.default_rng(_SEED)
    spread = np.sqrt(freedom / random.chisquare(freedom, size=_DRAWS))
    noise = random.multivariate_normal(np.zeros(2), covariance, size=_DRAWS, method="eigh")
    return np.asarray(terms + noise * spread[:, None])


def _smooth_critical(area: float, edge: float, per_column: int) -> float | None:
    if edge <= 0:
        return float(per_column) if area < 0 else None
    if area >= 0:
        return None
    columns = (2.0 * edge / (area * per_column)) ** 2
    return columns * per_column if columns <= _LARGEST else None


def _critical_bounds(draws: NDArray[np.float64], per_column: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest size in pairs at which the smooth curve or compact necks cost most; shape (n_draws,) each.

    Where necks gain by growing, the highest is among the first sizes of every perimeter.
    """
    halves = np.arange(2, 2 * math.isqrt(4 * _LARGEST) + 8)
    columns = (halves - 1) ** 2 // 4 + 1
    first, last = np.full(len(draws), np.inf), np.full(len(draws), np.inf)
    area, edge = draws[:, 0] * per_column, draws[:, 1]
    bounded = (area < 0) & (2.0 * edge <= -area * math.sqrt(_LARGEST))
    energies = area[bounded, None] * columns + edge[bounded, None] * 2.0 * halves
    tie = _TIE * (np.abs(area) + np.abs(edge))[bounded, None]
    top = energies >= energies.max(axis=1, keepdims=True) - tie
    smooth = np.maximum(1.0, -2.0 * edge[bounded] / area[bounded]) ** 2
    first[bounded] = np.minimum(smooth, columns[top.argmax(axis=1)]) * per_column
    last[bounded] = np.maximum(smooth, columns[len(columns) - 1 - top[:, ::-1].argmax(axis=1)]) * per_column
    return first, last

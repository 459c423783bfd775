"""Rate constants from a measured course in time, with intervals that say what is not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import t as student_t

from nanoslab.errors import InputError

#: an interval whose ends differ by more than this factor says that the data do not tell this rate
WIDEST_FACTOR = 1e4
#: by so much must the Bayesian information criterion of the model lie below that of a constant: strong evidence
EVIDENCE = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFit:
    """Rate constants fitted to a course in time."""

    #: Of each rate constant, the intervals at `confidence`
    names: tuple[str, ...]
    rates: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    #: Root-mean-square deviation of the fit and of the mean of the data, in the unit of the data
    rms: float
    rms_of_constant: float
    confidence: float  #: of the intervals


def fit_rates(
    predict: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    observed: Sequence[float],
    guess: dict[str, float],
    *,
    confidence: float = 0.95,
) -> RateFit:
    """Fit the rate constants of a model to data by least squares in their logarithms.

    Parameters
    ----------
    predict
        Rate constants, in the order of `guess`, to what is observed, in the order of the data.
    observed
        Data of one unit and one error, more than there are rate constants.
    guess
        Name -> rate constant to start from, above zero; a factor of a hundred off is close enough for most.
    confidence
        Of the intervals: Student's, from the slopes at the minimum, in ln k.

    Raises
    ------
    InputError
        Too few data, a start not above zero, a fit hardly better than the mean of the data, or a rate constant that the
        data do not determine: the message names it.

    Examples
    --------
    >>> times = np.linspace(0, 3, 20)
    >>> fit = fit_rates(lambda k: np.exp(-k[0] * times), np.exp(-2.0 * times), {"decay": 0.3})
    >>> round(fit.rates[0], 6), fit.rms < 1e-8
    (2.0, True)
    """
    names, data = tuple(guess), np.asarray(observed, float)
    freedom = data.size - len(names)
    if freedom < 1 or not np.isfinite(data).all():
        raise InputError("observed", expected=f"more than {len(names)} numbers", got=data.size)
    begin = np.array([float(guess[name]) for name in names])
    if not (np.isfinite(begin).all() and (begin > 0).all()):
        raise InputError("guess", expected="rate constants above 0", got=guess)
    found = least_squares(lambda logs: np.ravel(predict(np.exp(logs))) - data, np.log(begin), x_scale="jac")
    rms = float(np.sqrt(np.mean(found.fun**2)))
    rms_of_constant = float(data.std())
    better_by = 2 * data.size * np.log(max(rms_of_constant, 1e-300) / max(rms, 1e-300))
    if not found.success or better_by < EVIDENCE + (len(names) - 1) * np.log(data.size):
        expected = "data that the model describes clearly better than a constant"
        got = f"deviations of {rms:.3g} against {rms_of_constant:.3g} from their mean"
        raise InputError("observed", expected=expected, got=got, advice="try another guess, or another model")
    half_widths = _half_widths(found.jac, float(found.fun @ found.fun) / freedom, freedom, confidence)
    for name, half in zip(names, half_widths, strict=True):
        if not 2 * half < np.log(WIDEST_FACTOR):
            advice = "more data where this step shows, or a fixed value"
            raise InputError(
                name, expected="a rate constant that the data determine", got="an open interval", advice=advice
            )
    rates = np.exp(found.x)
    return RateFit(
        names=names,
        rates=tuple(map(float, rates)),
        intervals=tuple(
            (float(k * np.exp(-half)), float(k * np.exp(half))) for k, half in zip(rates, half_widths, strict=True)
        ),
        rms=rms,
        rms_of_constant=rms_of_constant,
        confidence=confidence,
    )


def _half_widths(slopes: NDArray[np.float64], variance: float, freedom: int, confidence: float) -> NDArray[np.float64]:
    """Half widths of the intervals of ln k; infinite along directions that the data do not see."""
    _, singular, axes = np.linalg.svd(slopes, full_matrices=False)
    seen = singular > singular[0] * 1e-9
    blind = np.abs(axes[~seen]).max(axis=0, initial=0.0) > 1e-3
    covariance = (axes[seen].T / singular[seen] ** 2) @ axes[seen] * variance
    half = student_t.ppf((1 + confidence) / 2, freedom) * np.sqrt(np.diag(covariance))
    return np.asarray(np.where(blind, np.inf, half))

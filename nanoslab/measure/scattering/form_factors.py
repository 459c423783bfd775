"""How strongly one atom scatters: X-rays by their electrons, electrons by the electrostatic potential."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from ase.units import Bohr
from numpy.typing import ArrayLike, NDArray

from nanoslab.errors import InputError, unknown_name

FORM_FACTORS = ("xray", "electron", "unity")
#: the fit of Waasmaier and Kirfel ends at sin(theta)/lambda = 6 1/Å
LARGEST_Q = 4 * np.pi * 6.0


def form_factors(elements: Iterable[str], q: ArrayLike, kind: str = "xray") -> NDArray[np.float64]:
    """Atomic form factors of neutral atoms at rest.

    Parameters
    ----------
    elements
        Chemical symbols.
    q
        Scattering vectors 4 pi sin(theta)/lambda [1/Å], up to 75.
    kind
        ``xray``: electrons, the fit by Waasmaier and Kirfel (Acta Cryst. A 51 (1995) 416) as `periodictable` holds it.
        ``electron``: Å, from the same fit by the Mott-Bethe formula, of the first Born approximation and without the
        relativistic factor. ``unity``: 1.

    Returns
    -------
    Shape (elements, q).

    Raises
    ------
    InputError
        For an element that the table does not have: no atom is left out.

    Examples
    --------
    >>> form_factors(["Cd", "Se"], [0.0], "xray").round(1).tolist()
    [[48.0], [34.0]]
    >>> form_factors(["Se"], [0.0, 5.0], "electron").round(2).tolist()
    [[7.07, 2.06]]
    """
    q = np.asarray(q, dtype=float)
    symbols = list(elements)
    if kind not in FORM_FACTORS:
        raise unknown_name("form factor", kind, FORM_FACTORS)
    if q.ndim != 1 or not np.all(np.isfinite(q)) or q.min(initial=0.0) < 0 or q.max(initial=0.0) > LARGEST_Q:
        got = f"{q.min():g} to {q.max():g}" if q.ndim == 1 and q.size else f"an array of shape {q.shape}"
        raise InputError("q", expected=f"a list of numbers from 0 to {LARGEST_Q:.1f} 1/Å", got=got)
    if kind == "unity":
        return np.ones((len(symbols), len(q)))
    s2 = (q / (4 * np.pi)) ** 2
    rows = []
    for symbol in symbols:
        a, b, c = _gaussians(symbol)
        if kind == "xray":
            rows.append(c + a @ np.exp(-np.outer(b, s2)))
        else:
            # Z - f with Z = f(0) of the same fit, so that the division by s2 stays finite at small angles
            x = np.outer(b, s2)
            rows.append(
                (a * b) @ np.where(x > 1e-8, -np.expm1(-x) / np.maximum(x, 1e-300), 1.0) / (8 * np.pi**2 * Bohr)
            )
    return np.array(rows).reshape(len(symbols), len(q))


def _gaussians(symbol: str) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Weights a, widths b [Å²] and constant c of f = c + sum a exp(-b s²)."""
    from periodictable.cromermann import getCMformula

    try:
        formula = getCMformula(symbol)
    except KeyError:
        advice = "replace it by the element it stands for"
        raise InputError("form factor", expected="an element up to Cf", got=repr(symbol), advice=advice) from None
    return formula.a, formula.b, float(formula.c)

"""Pair distribution functions G(r): from a structure, fitted to a measured one, and structures ranked by the fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from nanoslab.errors import InputError
from nanoslab.measure.scattering.debye import AT_REST, Vibration, debye_intensity
from nanoslab.measure.scattering.distances import PairDistances, pair_distances
from nanoslab.measure.scattering.form_factors import form_factors
from nanoslab.structure_types import AnyStructure, as_atoms

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfWindow:
    """What an instrument sees of a G(r): smallest and largest q [1/Å], damping by its resolution qdamp [1/Å]."""

    q_min: float = 0.9
    q_max: float = 20.0
    qdamp: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a window that lets nothing through."""
        if not (0 <= self.q_min < self.q_max and self.qdamp >= 0):
            got = f"q_min {self.q_min:g}, q_max {self.q_max:g}, qdamp {self.qdamp:g}"
            raise InputError("window", expected="0 <= q_min < q_max and qdamp from 0", got=got)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPdf:
    """A measured G(r): radii [Å], evenly spaced, and G [1/Å²], of equal shape; the window it was made with."""

    radii: Array
    values: Array
    window: PdfWindow

    def __post_init__(self) -> None:
        """Make the arrays read-only and refuse what is no G(r)."""
        steps = np.diff(self.radii)
        if self.radii.shape != self.values.shape or len(self.radii) < 10 or not np.all(np.isfinite(self.values)):
            got = f"shapes {self.radii.shape} and {self.values.shape}"
            raise InputError("G(r)", expected="radii and finite values, at least 10 of each", got=got)
        if not np.allclose(steps, steps[0], rtol=1e-3) or steps[0] <= 0 or self.radii[0] <= 0:
            raise InputError(
                "G(r)", expected="radii above 0 Å in even steps [Å]", got=f"steps of {min(steps):g} to {max(steps):g}"
            )
        for array in (self.radii, self.values):
            array.setflags(write=False)


def pair_distribution(
    structure: AnyStructure | PairDistances,
    radii: ArrayLike,
    window: PdfWindow | None = None,
    vibration: Vibration = AT_REST,
    form_factor: str = "xray",
) -> Array:
    """Reduced pair distribution function of a structure without periodic images [1/Å²].

    G(r) = (2/pi) times the integral of q (S(q) - 1) sin(q r) from q_min to q_max, with S(q) - 1 = (I/N - <f²>)/<f>²
    (Egami and Billinge, Underneath the Bragg Peaks, 2003), damped by exp(-(r qdamp)²/2). The sum over q is fine enough
    for its first copy to lie beyond the largest radius asked for and the largest distance.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> r = np.arange(2.0, 4.0, 0.01)
    >>> dimer = Atoms("CdSe", [(0, 0, 0), (2.63, 0, 0)])
    >>> round(float(r[pair_distribution(dimer, r).argmax()]), 2)
    2.63
    """
    radii = np.asarray(radii, dtype=float)
    window = PdfWindow() if window is None else window
    found = structure if isinstance(structure, PairDistances) else pair_distances(structure)
    if radii.ndim != 1 or not len(radii) or not np.all(radii >= 0):
        raise InputError("radii", expected="distances from 0 Å", got=f"shape {radii.shape}")
    reach = float(radii.max() + found.radii.max(initial=0.0)) + 5.0
    q = np.linspace(window.q_min, window.q_max, int((window.q_max - window.q_min) * reach / np.pi) + 2)
    factors = form_factors(found.n_atoms, q, form_factor)
    shares = np.array(list(found.n_atoms.values())) / sum(found.n_atoms.values())
    intensity = debye_intensity(found, q, form_factor, vibration) / sum(found.n_atoms.values())
    structure_function = q * (intensity - shares @ factors**2) / (shares @ factors) ** 2
    structure_function[[0, -1]] /= 2  # trapezoidal rule
    waves = np.sin(np.outer(radii, q)) @ structure_function * (q[1] - q[0])
    return np.asarray(2 / np.pi * waves * np.exp(-((radii * window.qdamp) ** 2) / 2))


def difference_pdf(
    first: AnyStructure,
    second: AnyStructure,
    radii: ArrayLike,
    window: PdfWindow | None = None,
    vibration: Vibration = AT_REST,
) -> Array:
    """G(r) of a structure less that of another, each normalised to its own atoms [1/Å²]."""
    first, second = as_atoms(first), as_atoms(second)
    return pair_distribution(first, radii, window, vibration) - pair_distribution(second, radii, window, vibration)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfFit:
    """A structure fitted to a measured G(r).

    Attributes
    ----------
    name
        Of the structure.
    weighted_residual
        R_w = sqrt(sum (G - G_fit)² / sum G²).
    parameters, errors
        ``scale``, ``expansion`` (all distances times 1 + expansion), ``delta2`` [Å²] and ``U_<element>`` [Å²], and
        their standard errors for as many independent points as the window lets through, (r_max - r_min) q_max/pi,
        with the misfit as the noise. They are lower bounds where the structure itself is wrong.
    values
        G(r) of the fit at the measured radii [1/Å²].
    at_bounds
        Parameters that ended at the end of their range: they are not determined by the data.
    evidence
        Akaike's criterion for those points; differences between structures count, smaller is better.
    """

    name: str
    weighted_residual: float
    parameters: Mapping[str, float]
    errors: Mapping[str, float]
    values: Array
    at_bounds: tuple[str, ...]
    evidence: float


def fit_pdf(measured: MeasuredPdf, structure: AnyStructure, name: str = "structure") -> PdfFit:
    """Fit scale, expansion, correlated motion and displacements of a structure to a measured G(r).

    The atoms stay where they are but for one common expansion of 5 % at most; the scale is solved for exactly at
    every step. Displacements per direction stay below 0.2 Å².
    """
    structure = as_atoms(structure)
    found = pair_distances(structure, width=0.002)
    elements = list(found.n_atoms)
    names = ["expansion", "delta2", *[f"U_{element}" for element in elements]]
    low, high = np.array([-0.05, 0.0, *[1e-4] * len(elements)]), np.array([0.05, 6.5, *[0.2] * len(elements)])

    # four points for each that is independent: finer steps only repeat what the window lets through
    step = float(measured.radii[1] - measured.radii[0])
    every = max(int(np.pi / measured.window.q_max / 4 / step), 1)

    def model(p: Array, every: int = 1) -> tuple[float, Array]:
        vibration = Vibration(mean_square_displacements=dict(zip(elements, p[2:], strict=True)), delta2=float(p[1]))
        stretched = replace(found, radii=found.radii * (1.0 + p[0]))
        calculated = pair_distribution(stretched, measured.radii[::every], measured.window, vibration)
        scale = float(calculated @ measured.values[::every] / (calculated @ calculated))
        return scale, scale * calculated

    def residuals(p: Array) -> Array:
        return model(p, every)[1] - measured.values[::every]

    # displacements of two elements may change places in a false minimum: each starts large once
    starts = [np.array([0.0, 2.0, *np.where(np.eye(len(elements))[k], 0.04, 0.01)]) for k in range(len(elements))]
    found_fits = [least_squares(residuals, s, bounds=(low, high), x_scale=high - low) for s in starts]
    best = min(found_fits, key=lambda fit: fit.cost)
    scale, values = model(best.x)
    independent = float(np.ptp(measured.radii)) * measured.window.q_max / np.pi
    n = min(independent, len(values))
    free = len(names) + 1
    squares = float(np.mean((values - measured.values) ** 2))
    jacobian = np.column_stack([best.jac, values[::every] / scale]) * np.sqrt(n / len(best.fun))
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * squares * n / max(n - free, 1.0)
    deviations = np.sqrt(np.diag(covariance))
    near = np.minimum(best.x - low, high - best.x) < 1e-3 * (high - low)
    return PdfFit(
        name=name,
        weighted_residual=float(np.sqrt(squares / np.mean(measured.values**2))),
        parameters=dict(zip([*names, "scale"], [*best.x.tolist(), scale], strict=True)),
        errors=dict(zip([*names, "scale"], deviations.tolist(), strict=True)),
        values=values,
        at_bounds=tuple(name for name, is_near in zip(names, near, strict=True) if is_near),
        evidence=float(n * np.log(squares) + 2 * free),
    )


def rank_structures(measured: MeasuredPdf, structures: Mapping[str, Atoms]) -> tuple[PdfFit, ...]:
    """Fit every structure to a measured G(r), the one that explains it best first.

    A difference of `PdfFit.evidence` above 10 leaves the worse one next to no support (Burnham and Anderson 2002).
    """
    if not structures:
        raise InputError("structures", expected="at least one", got="none")
    return tuple(
        sorted((fit_pdf(measured, atoms, name) for name, atoms in structures.items()), key=lambda f: f.evidence)
    )

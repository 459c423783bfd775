"""Mott's ratio by another road: Dirac phase shifts of a point charge, f and g amplitudes, 30 digits.

The package follows Doggett and Spencer (F and G). Here are the spin-conserving and spin-flip amplitudes

    2ik f = Σ [(l+1) S(-l-1) + l S(l)] P_l        2ik g = Σ [S(l) - S(-l-1)] P_l^1
    S(κ) = (-κ + iν')/(γ - iν) Γ(1+γ-iν)/Γ(1+γ+iν) e^{iπ(l+1-γ)},  γ = sqrt(κ² - α²Z²), ν = αZ/β, ν' = ν sqrt(1-β²)

(Mott and Massey, The Theory of Atomic Collisions, ch. IX), both multiplied by (1 - cos θ)^4.
"""

from functools import cache

import mpmath as mp
import numpy as np
from scipy.constants import alpha

N_WAVES = 140
REDUCTIONS = 4


@cache
def amplitudes(atomic_number: int, beta: float) -> tuple[list, list]:
    with mp.workdps(30):
        charge, beta = mp.mpf(alpha) * atomic_number, mp.mpf(beta)
        nu = charge / beta
        other = nu * mp.sqrt(1 - beta**2)

        def shift(kappa: int) -> mp.mpc:
            gamma = mp.sqrt(kappa**2 - charge**2)
            momentum = kappa if kappa > 0 else -kappa - 1
            gammas = mp.gamma(1 + gamma - 1j * nu) / mp.gamma(1 + gamma + 1j * nu)
            return (-kappa + 1j * other) / (gamma - 1j * nu) * gammas * mp.expjpi(momentum + 1 - gamma)

        f, g = [shift(-1)], [mp.mpc(0)]
        for n in range(1, N_WAVES):
            up, down = shift(-n - 1), shift(n)
            f.append((n + 1) * up + n * down)
            g.append(down - up)
        for _ in range(REDUCTIONS):
            f = [
                f[n] - mp.mpf(n + 1) / (2 * n + 3) * f[n + 1] - (mp.mpf(n) / (2 * n - 1) * f[n - 1] if n else 0)
                for n in range(len(f) - 1)
            ]
            g = [mp.mpc(0)] + [
                g[n] - mp.mpf(n + 2) / (2 * n + 3) * g[n + 1] - mp.mpf(n - 1) / (2 * n - 1) * g[n - 1]
                for n in range(1, len(g) - 1)
            ]
        return f, g


def ratio(atomic_number: int, beta: float, angle: float) -> float:
    """R at a deflection in radians."""
    f, g = amplitudes(atomic_number, beta)
    with mp.workdps(30):
        x, sine = mp.cos(angle), mp.sin(angle)
        total_f, total_g = f[0] + f[1] * x, g[1] * sine
        p, q = (mp.mpf(1), x), (mp.mpf(0), sine)
        for n in range(2, len(f)):
            p = p[1], ((2 * n - 1) * x * p[1] - (n - 1) * p[0]) / n
            q = q[1], ((2 * n - 1) * x * q[1] - n * q[0]) / (n - 1)
            total_f += f[n] * p[1]
            total_g += g[n] * q[1] if n < len(g) else 0
        size = abs(total_f) ** 2 + abs(total_g) ** 2
        nu = mp.mpf(alpha) * atomic_number / mp.mpf(beta)
        return float(size / (1 - x) ** (2 * REDUCTIONS) * mp.sin(angle / 2) ** 4 / nu**2)


def bracket(atomic_number: int, beta: float, r: float, nodes: int = 24) -> float:
    """∫_1^r R dy over y = 1/sin²(θ/2), by Gauss-Legendre in sin(θ/2)."""
    low = r**-0.5
    points, weights = np.polynomial.legendre.leggauss(nodes)
    sines = low + (1 - low) * (points + 1) / 2
    ratios = [ratio(atomic_number, beta, 2 * float(np.arcsin(s))) for s in sines]
    return float(np.sum(weights * (1 - low) / 2 * np.array(ratios) * 2 / sines**3))

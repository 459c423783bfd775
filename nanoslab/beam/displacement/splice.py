"""An engine whose pairs repel at short range as the universal repulsion says, not as an extrapolation does.

Notes
-----
Potentials trained near equilibrium are blind where two atoms collide. With the switch s(r), 1 below r₁ and 0 beyond r₂,

    E = E_engine + Σ_pairs s(r) [V_ZBL(r) - V_engine(r)],     s = 1 - x³(10 - 15x + 6x²),  x = (r - r₁)/(r₂ - r₁),

V_engine the energy of the same two atoms alone by the same engine, so that what the engine says of the pair is replaced
rather than added to. The second derivative is continuous. r₁ and r₂ are where V_ZBL is 100 and 30 eV, above which
it is good to about 10 % (`nanoslab.beam.loss.repulsion`): C and C 0.64 and 0.96 Å.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nanoslab.beam.loss.repulsion import closest_approach, zbl_energy

Array = NDArray[np.float64]

#: ZBL repulsions between which it takes over [eV]: below the first the engine alone counts
TAKES_OVER, ALONE = 30.0, 100.0

#: nodes of the pair energies, the shortest distance over the inner radius (ZBL some 300 eV: no kick comes closer), and
#: the box of two atoms alone [Å]
N_NODES, SHORTEST, BOX = 32, 0.6, 20.0


def pair_energies(calculator: BaseCalculator, first: str, second: str, distances: Array) -> Array:
    """Energies of two atoms alone against far apart, by a calculator, shape of the distances [eV]."""

    def energy(distance: float) -> float:
        pair = Atoms([first, second], positions=[[0, 0, 0], [distance, 0, 0]], cell=[BOX] * 3, pbc=True)
        pair.center()
        return float(calculator.get_potential_energy(pair))

    return np.array([energy(float(r)) for r in distances]) - energy(BOX / 2)


class SplicedCalculator(Calculator):  # type: ignore[misc]
    """Energy and forces of a calculator with the universal repulsion at short range.

    Parameters
    ----------
    inner
        The engine's calculator.
    symbols
        Elements there are; each pair costs some 30 energies of two atoms, once.
    pairs
        ``(first, second, distances) -> energies`` of two atoms alone [eV]; by default asked of `inner`.
    """

    implemented_properties = ["energy", "free_energy", "forces"]  # noqa: RUF012 (ASE's own type)

    def __init__(
        self,
        inner: BaseCalculator,
        symbols: tuple[str, ...],
        pairs: Callable[[str, str, Array], Array] | None = None,
    ) -> None:
        super().__init__()
        self.inner = inner
        asked = pairs or (lambda first, second, distances: pair_energies(inner, first, second, distances))
        self.radii: Mapping[tuple[str, str], tuple[float, float]] = {
            pair: (closest_approach(*pair, ALONE), closest_approach(*pair, TAKES_OVER))
            for pair in combinations_with_replacement(sorted(set(symbols)), 2)
        }
        self._corrections = {}
        for (first, second), (low, high) in self.radii.items():
            nodes = np.linspace(SHORTEST * low, high, N_NODES)
            self._corrections[first, second] = CubicSpline(nodes, asked(first, second, nodes))

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Compute energy and forces."""
        super().calculate(atoms, properties, system_changes)
        energy = float(self.inner.get_property("energy", self.atoms))
        forces = np.array(self.inner.get_property("forces", self.atoms), dtype=float)
        cutoffs = {pair: high for pair, (_, high) in self.radii.items()}
        first, second, vectors, distances = neighbor_list("ijDd", self.atoms, cutoffs)
        symbols = self.atoms.get_chemical_symbols()
        for i, j, vector, r in zip(first.tolist(), second.tolist(), vectors, distances.tolist(), strict=True):
            value, slope = self._correction((min(symbols[i], symbols[j]), max(symbols[i], symbols[j])), r)
            energy += value / 2  # every pair stands in the list twice
            forces[i] += slope * vector / r
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}

    def _correction(self, pair: tuple[str, str], r: float) -> tuple[float, float]:
        """s(r) [V_ZBL - V_engine] and its derivative."""
        low, high = self.radii[pair]
        x = min(max((r - low) / (high - low), 0.0), 1.0)
        switch, falling = 1 - x**3 * (10 - 15 * x + 6 * x * x), -30 * (x * (1 - x)) ** 2 / (high - low)
        spline = self._corrections[pair]
        step = 1e-5 * r
        ends = [float(zbl_energy(*pair, r + sign * step)) for sign in (-1, 1)]
        difference = float(zbl_energy(*pair, r)) - float(spline(r))
        slope = (ends[1] - ends[0]) / (2 * step) - float(spline(r, 1))
        return switch * difference, switch * slope + falling * difference

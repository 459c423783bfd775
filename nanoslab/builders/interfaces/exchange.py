"""Partial ion exchange of a particle: at random, as a front from its surface, or from its ends."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from nanoslab.builders.summary import count_species
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError, unknown_name
from nanoslab.species import cations_first, formal_charges

Order = Literal["random", "surface", "ends"]
ORDERS = ("random", "surface", "ends")


def exchange_ions(
    particle: Atoms, ions: tuple[str, str], fractions: Sequence[float], *, order: Order = "surface", seed: int = 0
) -> tuple[Atoms, ...]:
    """Particles in which a share of one ion has been replaced by another, each holding all that the one before did.

    Charge is kept: where the new ion has twice the charge, every second site is left empty.

    Parameters
    ----------
    particle
        Particle of a compound; its other ions stay.
    ions
        Element that leaves and element that comes, such as ``("Pb", "Cd")``.
    fractions
        Shares of the ion that leave, each from 0 to 1; taken to the nearest number that keeps the charge.
    order
        ``random`` (by the seed), ``surface`` (a front from the hull inwards), ``ends`` (of the longest axis).

    Examples
    --------
    >>> from nanoslab.builders import Shape, build_particle
    >>> dot = build_particle("PbS-rocksalt", Shape(diameter=2.0), lattice="experimental")
    >>> [one.get_chemical_formula() for one in exchange_ions(dot, ("Pb", "Cd"), [0.0, 0.5, 1.0])][::2]
    ['Pb87S87', 'Cd87S87']
    """
    old, new = ions
    if old not in particle.symbols:
        raise unknown_name("ion", old, dict.fromkeys(particle.get_chemical_symbols()))
    anion = cations_first(particle.get_chemical_symbols())[-1]
    leaving = formal_charges(f"{old}{anion}" if old != anion else old)[old]
    given = particle.info.get("ledger", {}).get("formal_charges_e", {})
    leaving = float(given.get(old, leaving))
    coming = formal_charges(f"{new}{anion}")[new] if leaving > 0 else leaving
    ratio = Fraction(coming / leaving).limit_denominator(12)
    if ratio < 1:
        advice = "exchange an ion of lower or the same charge"
        raise InputError(
            "ion", expected=f"one of charge {leaving:+g} e or more", got=f"{new} of {coming:+g} e", advice=advice
        )
    sites = np.flatnonzero(particle.symbols == old)
    ranked = sites[_ranks(particle.positions, sites, order, seed)]
    series = []
    for fraction in fractions:
        if not 0 <= fraction <= 1:
            raise InputError("fraction", expected="a share from 0 to 1", got=fraction, advice="give 0.5")
        groups = int(fraction * len(sites) / ratio.numerator + 0.5 + 1e-9)
        count = min(groups, len(sites) // ratio.numerator) * ratio.numerator
        made: Atoms = particle.copy()
        taken = [n for n in range(count) if n % ratio.numerator < ratio.denominator]
        made.symbols[ranked[taken]] = new
        empty = sorted(set(range(count)) - set(taken))
        del made[ranked[empty].tolist()]
        made.info["recipe"] = make_recipe(
            "exchange",
            parent=particle.info.get("recipe", particle.get_chemical_formula()),
            old=old,
            new=new,
            fraction=count / len(sites),
            order=order,
            seed=seed if order == "random" else None,
        )
        if given:
            charges = {**given, new: coming}
            ledger = {**particle.info["ledger"], "formal_charges_e": charges}
            made.info["ledger"] = {**ledger, "counts": count_species(made, made.get_chemical_symbols())}
        series.append(made)
    return tuple(series)


def _ranks(positions: NDArray[np.float64], sites: NDArray[np.intp], order: Order, seed: int) -> NDArray[np.intp]:
    """Order in which the sites are exchanged, as indices among them."""
    if order == "random":
        return np.random.default_rng(seed).permutation(len(sites))
    if order == "surface":
        hull = ConvexHull(positions).equations
        depth = -(positions[sites] @ hull[:, :3].T + hull[:, 3]).max(axis=1)
        return np.argsort(depth.round(6), kind="stable")
    if order == "ends":
        about = positions - positions.mean(axis=0)
        axis = np.linalg.svd(about, full_matrices=False)[2][0]
        return np.argsort(-np.abs(about[sites] @ axis).round(6), kind="stable")
    raise unknown_name("order", order, ORDERS)

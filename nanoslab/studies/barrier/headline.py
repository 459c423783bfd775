"""Which ion moves: barriers of the vacancies of both kinds of a crystal side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase.units import kB

from nanoslab.studies.headline import Said, Verdict

Row = Mapping[str, Any]
#: barriers nearer than this are not told apart by a density functional, nor by what was fitted to one [eV]
UNDECIDED = 0.1
CAVEAT = "One neutral vacancy in each cell: how many there are, and their charge, is not part of it."


def which_ion_moves(document: Row) -> Said | None:
    """Yes where in every crystal a cation clearly moves before an anion; None without both in one crystal."""
    easiest: dict[str, dict[bool, Row]] = {}
    for row in sorted(document.get("barriers", ()), key=lambda row: -row["barrier_eV"]):
        if row["moving"]:
            easiest.setdefault(row["host"], {})[row["moves_cation"]] = row
    both = {host: rows for host, rows in sorted(easiest.items()) if len(rows) == 2}
    if not both:
        return None
    gap = min(rows[False]["barrier_eV"] - rows[True]["barrier_eV"] for rows in both.values())
    unproven = [row["calculation"] for rows in both.values() for row in rows.values() if not row["rates_per_s"]]
    caveats = (f"Without a proven saddle, and so without a rate: {', '.join(unproven)}.",) if unproven else ()
    kelvin = float(document["temperatures_K"][0])
    said = "; ".join(_said(host, rows[True], rows[False], kelvin) for host, rows in both.items())
    verdict: Verdict = "open" if abs(gap) < UNDECIDED - 1e-9 else "yes" if gap > 0 else "no"
    near = (f"Barriers within {UNDECIDED:g} eV of one another decide nothing.",) if verdict == "open" else ()
    return Said(verdict, f"{gap:.2f} eV apart at least", f"By vacancies, {said}", (*near, CAVEAT, *caveats))


def _said(host: str, cation: Row, anion: Row, kelvin: float) -> str:
    """One crystal: who moves, against whom, and how much more often."""
    first, second = sorted((cation, anion), key=lambda row: float(row["barrier_eV"]))
    barriers = f"{first['barrier_eV']:.2f} against {second['barrier_eV']:.2f} eV"
    if first["rates_per_s"] and second["rates_per_s"]:
        often = first["rates_per_s"][0] / second["rates_per_s"][0]
    else:
        often = float(np.exp((second["barrier_eV"] - first["barrier_eV"]) / (kB * kelvin)))
        barriers += ", by the barriers alone"
    words = f"{first['moving']} hops {often:.2g} times as often as {second['moving']} at {kelvin:g} K"
    return f"in {host} {words} ({barriers})"

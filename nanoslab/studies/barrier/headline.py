"""Which ion moves: barriers of the vacancies of every species of a crystal side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase.units import kB

from nanoslab.studies.barrier.plots import path_plot
from nanoslab.studies.headline import Evidence, Headline, Verdict, agreement, left_out

Row = Mapping[str, Any]


def which_ion_moves(evidence: Evidence) -> Headline | None:
    """Yes where in every crystal a cation moves before an anion; None without both in one crystal."""
    document = evidence.main
    hosts = _by_host(document)
    if not hosts:
        return None
    temperature = float(document["temperatures_K"][0])
    found: dict[str, Verdict] = {}
    for source, one in evidence.documents.items():
        if compared := _by_host(one):
            gap = min(second["barrier_eV"] - first["barrier_eV"] for first, second in compared.values())
            found[f"{evidence.level(source)}: {gap:.2f} eV apart or more"] = _verdict(compared)
    unproven = [row["calculation"] for rows in hosts.values() for row in rows if not row["rates_per_s"]]
    return Headline(
        question="Do the cations move before the anions?",
        verdict=_verdict(hosts),
        sentence=f"By vacancies, {'; '.join(_said(host, *rows, temperature) for host, rows in hosts.items())}.",
        trust=(
            agreement(found),
            "One neutral vacancy in each cell: how many there are, and their charge, is not part of it.",
            *((f"Without a proven saddle, and so without a rate: {', '.join(unproven)}.",) if unproven else ()),
            *left_out(document),
        ),
        plot=path_plot(document),
    )


def _by_host(document: Row) -> dict[str, tuple[Row, Row]]:
    """Crystal -> its easiest path of a cation and of an anion, the easier first; crystals with both."""
    easiest: dict[str, dict[bool, Row]] = {}
    for row in sorted(document["barriers"], key=lambda row: -row["barrier_eV"]):
        if row["moving"]:
            easiest.setdefault(row["host"], {})[row["moves_cation"]] = row
    return {
        host: (rows[True], rows[False])
        if rows[True]["barrier_eV"] < rows[False]["barrier_eV"]
        else (rows[False], rows[True])
        for host, rows in sorted(easiest.items())
        if len(rows) == 2
    }


def _verdict(hosts: Mapping[str, tuple[Row, Row]]) -> Verdict:
    return "yes" if all(first["moves_cation"] for first, _ in hosts.values()) else "no"


def _said(host: str, first: Row, second: Row, temperature: float) -> str:
    """One crystal: who moves, against whom, and how much more often."""
    if first["rates_per_s"] and second["rates_per_s"]:
        often = first["rates_per_s"][0] / second["rates_per_s"][0]
        by = ""
    else:
        often = float(np.exp((second["barrier_eV"] - first["barrier_eV"]) / (kB * temperature)))
        by = ", by the barriers alone"
    barriers = f"{first['barrier_eV']:.2f} against {second['barrier_eV']:.2f} eV"
    hops = f"{first['moving']} hops {often:.1e} times as often as {second['moving']}"
    return f"in {host} {hops} at {temperature:g} K ({barriers}{by})"

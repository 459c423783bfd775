"""Answers in one sentence of the studies whose plots show the answer as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.studies.headline import Said, Verdict

Document = Mapping[str, Any]
#: slower than this nobody waits for it [1/s]
_PER_SECOND = 1.0


def barrier(document: Document) -> Said | None:
    """Whether the easiest path is passed within a second at the highest temperature.

    Examples
    --------
    >>> row = {"calculation": "hop", "barrier_eV": 0.3744, "rates_per_s": (2.0, 5e6), "n_imaginary": 1, "notes": ()}
    >>> barrier({"barriers": [row], "temperatures_K": [300.0, 600.0]}).sentence
    'The easiest path (hop) needs 0.37 eV and is passed 5e+06 times a second at 600 K'
    """
    rows = document.get("barriers", ())
    if not rows:
        return None
    easiest = min(rows, key=lambda row: float(row["barrier_eV"]))
    words = f"The easiest path ({easiest['calculation']}) needs {easiest['barrier_eV']:.2f} eV"
    number = f"{easiest['barrier_eV']:.2f} eV"
    if not easiest["rates_per_s"]:
        why = "no modes were computed" if easiest["n_imaginary"] is None else "its highest image is no proven saddle"
        return Said("open", number, f"{words}; how often it is passed is open", (f"No rate: {why}.",))
    kelvin, rate = max(zip(document["temperatures_K"], easiest["rates_per_s"], strict=True))
    verdict: Verdict = "yes" if rate >= _PER_SECOND else "no"
    caveat = "Harmonic transition state theory: no tunnelling, no anharmonic motion; other paths may be easier."
    return Said(verdict, number, f"{words} and is passed {rate:.2g} times a second at {kelvin:g} K", (caveat,))


def displacement(document: Document) -> Said | None:
    """Whether a beam of the study displaces an atom.

    Examples
    --------
    >>> rows = [{"beam_energy_keV": kv, "cross_section_barn": b} for kv, b in ((80, 0.0), (120, 7.5))]
    >>> site = {"site": "C1", "element": "C", "minimum_eV": 22.18, "cross_sections": rows}
    >>> displacement({"sites": [site]}).sentence
    'A 120 kV beam can displace C1: from 22.2 eV on, 7.5 barn'
    """
    known = [site for site in document.get("sites", ()) if site["minimum_eV"] is not None]
    if not known:
        return None
    lowest = min(known, key=lambda site: float(site["minimum_eV"]))
    number = f"{lowest['minimum_eV']:.1f} eV"
    hit = [
        (row["beam_energy_keV"], -row["cross_section_barn"], site["site"], site["minimum_eV"])
        for site in known
        for row in site["cross_sections"]
        if row["cross_section_barn"] > 0
    ]
    caveat = "Knock-on alone, in a sheet at rest or at the study's temperature; ionization comes on top."
    if not hit:
        kilovolts = max((row["beam_energy_keV"] for row in lowest["cross_sections"]), default=0)
        return Said("no", number, f"No beam up to {kilovolts:g} kV displaces an atom: {number} are needed", (caveat,))
    kilovolts, barns, site, energy = min(hit)
    words = f"A {kilovolts:g} kV beam can displace {site}: from {energy:.1f} eV on, {-barns:.2g} barn"
    return Said("yes", number, words, (caveat,))


def off_stoichiometry(document: Document) -> Said | None:
    """Whether losing atoms turns the order of the phases.

    Examples
    --------
    >>> row = {"level": "runs", "temperature_K": 0.0, "before": "wurtzite", "after": "zincblende",
    ...        "anion_to_cation": 0.84, "lowest_anion_to_cation": 0.81, "highest_anion_to_cation": None}
    >>> off_stoichiometry({"crossings": [row], "hull": [row], "sets": []}).sentence
    'Below 0.840 anions per cation (0.810 to beyond) zincblende lies lower than wurtzite'
    """
    if not document.get("hull"):
        return None
    missed = sum(one["n_not_searched"] for one in document["sets"])
    caveats = (f"{missed} distinct ways were not searched; one of them may lie lower.",) if missed else ()
    found = [row for row in document["crossings"] if row["anion_to_cation"] is not None]
    # the runs are dearer than the search that chose them
    best = min(found, key=lambda row: (row["level"] != "runs", row["temperature_K"]), default=None)
    if best is None:
        return Said("no", "no turn", "Within the compositions computed the order of the phases stays", caveats)
    ends = (best["lowest_anion_to_cation"], best["highest_anion_to_cation"])
    low, high = ("beyond" if end is None else f"{end:.3f}" for end in ends)
    number = f"{best['anion_to_cation']:.3f}"
    words = f"Below {number} anions per cation ({low} to {high}) {best['after']} lies lower than {best['before']}"
    return Said("yes", number, words, (*caveats, "By energy at rest: whether a sheet gets across is not answered."))


def phonons(document: Document) -> Said | None:
    """Whether the structure rests in a minimum.

    Examples
    --------
    >>> phonons({"formula": "CdSe", "n_imaginary_modes": 0, "n_modes": 96, "lowest_frequency_THz": 0.4}).verdict
    'yes'
    """
    if "formula" not in document:
        return None
    n, lowest = int(document["n_imaginary_modes"]), float(document["lowest_frequency_THz"])
    number = f"{n} of {document['n_modes']} modes imaginary"
    caveat = ("Harmonic, at the wavevectors of the mesh; modes longer than the supercell are interpolated.",)
    if n:
        return Said(
            "no", number, f"{document['formula']} is no minimum: {number}, the lowest {-lowest:.2f}i THz", caveat
        )
    return Said("yes", number, f"{document['formula']} is a minimum: no mode is imaginary", caveat)


def free_energy(document: Document) -> Said | None:
    """Whether warming makes another phase the stable one.

    Examples
    --------
    >>> one = {"phase": "zincblende", "crossing_temperatures_K": [], "reading": "wurtzite is more stable",
    ...        "hangs_on_imaginary_modes_at_K": []}
    >>> free_energy({"comparisons": [one], "reference": "wurtzite"}).verdict
    'no'
    """
    comparisons = document.get("comparisons", ())
    if not comparisons:
        return None
    turns = [(t, one["phase"]) for one in comparisons for t in one["crossing_temperatures_K"]]
    unsure = [one["phase"] for one in comparisons if one["hangs_on_imaginary_modes_at_K"]]
    verdict: Verdict = "open" if unsure else "yes" if turns else "no"
    number = ", ".join(f"{phase} at {kelvin:.0f} K" for kelvin, phase in turns) or "no turn"
    caveats = (f"Hangs on imaginary modes: {', '.join(unsure)}.",) if unsure else ()
    words = "; ".join(str(one["reading"]).rstrip(".") for one in comparisons)
    return Said(verdict, number, words[:1].upper() + words[1:], (*caveats, "Harmonic: no thermal expansion."))

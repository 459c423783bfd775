"""What the commands about the beam share: voltages, numbers by element and by site, motion, targets."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nanoslab.beam.checks import require_positive
from nanoslab.errors import InputError, unknown_name

if TYPE_CHECKING:
    from nanoslab.beam.loss.sites import SiteEnergy


#: unit written behind a number -> what it is in e/Å² or e/Å²/s
DOSE_UNITS = {
    "e/å2/s": 1.0,
    "e/a2/s": 1.0,
    "e/å2": 1.0,
    "e/a2": 1.0,
    "e/nm2/s": 0.01,
    "e/nm2": 0.01,
    "a/cm2": 624.150907,
}


def kilovolts(text: str) -> tuple[float, ...]:
    """Voltages as microscopists write them [kV].

    Examples
    --------
    >>> kilovolts("200kV"), kilovolts("80,200")
    ((200.0,), (80.0, 200.0))
    """
    found = []
    for part in text.split(","):
        number = part.strip().lower().removesuffix("kev").removesuffix("kv").strip()
        try:
            found.append(float(number))
        except ValueError:
            raise ArgumentTypeError(f"expected a voltage in kV such as 200 or 200kV, got {text!r}") from None
    return tuple(found)


def voltages(groups: Sequence[Sequence[float]] | None) -> tuple[float, ...]:
    """Voltages of an option that takes several, each once and checked [kV]."""
    from nanoslab.beam.checks import require_beam_energy

    found = tuple(dict.fromkeys(kv for group in groups or () for kv in group))
    for kv in found:
        require_beam_energy(kv)
    return found


def dose(text: str) -> float:
    """A dose or a dose rate with or without its unit [e/Å² or e/Å²/s].

    Examples
    --------
    >>> dose("1e6"), dose("1e6e/nm2"), round(dose("2A/cm2"), 2)
    (1000000.0, 10000.0, 1248.3)
    """
    lower = text.strip().lower().replace("²", "2").replace("^2", "2")
    unit = next((unit for unit in DOSE_UNITS if lower.endswith(unit)), "")
    try:
        return float(lower.removesuffix(unit)) * DOSE_UNITS.get(unit, 1.0)
    except ValueError:
        raise ArgumentTypeError(f"expected a number, or one with e/Å2, e/nm2 or A/cm2, got {text!r}") from None


def add_motion_options(parser: ArgumentParser) -> None:
    """Options of the thermal motion, alike in all commands."""
    add = parser.add_argument
    add("--temperature", type=float, metavar="K", help="thermal motion [K] (default: 300)")
    add(
        "--debye-temperature",
        nargs="+",
        metavar="[ELEMENT=]K",
        help="Debye temperature [K]; without it motion is classical",
    )
    add("--static", action="store_true", help="mean atomic mass, nucleus at rest (what papers quote)")
    add("--phonons", metavar="PATH", help="results of a phonons study: velocities of its atoms, z along the beam")


def motion_of(arguments: Namespace, elements: Sequence[str]) -> dict[str, Any]:
    """Fields of `Conditions` about the thermal motion, refused where they contradict one another."""
    from nanoslab.beam.checks import require_not_negative

    if arguments.phonons is not None:
        from pathlib import Path

        from nanoslab.cli.beam.phonons_file import velocity_tensors_of

        if arguments.static or arguments.temperature is not None or arguments.debye_temperature:
            raise InputError("--phonons", expected="no other motion beside it", got="both", advice="leave one out")
        return {"velocity_tensors": velocity_tensors_of("--phonons", Path(arguments.phonons), elements)}
    if arguments.static and (arguments.temperature is not None or arguments.debye_temperature):
        raise InputError("--static", expected="no temperature beside it", got="both", advice="leave one out")
    temperature = 300.0 if arguments.temperature is None else arguments.temperature
    require_not_negative("--temperature", temperature, "K")
    return {
        "temperature": None if arguments.static else temperature,
        "debye_temperatures": per_element("--debye-temperature", arguments.debye_temperature or (), elements, "K"),
    }


def plain_thresholds(values: Sequence[str] | None) -> list[str]:
    """Values of --threshold with the sites of a displacement study's results written out, the lowest of an element.

    Examples
    --------
    >>> plain_thresholds(["Se=5.12"])
    ['Se=5.12']
    """
    if not any(value.endswith(".json") for value in values or ()):
        return list(values or ())
    from nanoslab.cli.beam.thresholds_file import displacement_sites

    plain, sites = displacement_sites(values or ())
    lowest: dict[str, float] = {}
    for site in sites:
        lowest[site["element"]] = min(site["minimum_eV"], lowest.get(site["element"], site["minimum_eV"]))
    named = {value.partition("=")[0] for value in plain}
    return [*plain, *(f"{element}={energy}" for element, energy in lowest.items() if element not in named)]


def site_energies(option: str, values: Sequence[str], elements: Sequence[str]) -> tuple[SiteEnergy, ...]:
    """Energies for all elements, or ELEMENT[:NEIGHBOURS][@LAYER]=NUMBER.

    Examples
    --------
    >>> [(row.n_neighbours, row.layer, row.energy) for row in site_energies("--threshold", ["Se:3@1=4.47"], ["Se"])]
    [(3, 1, 4.47)]
    """
    import re

    from nanoslab.beam.loss.sites import SiteEnergy
    from nanoslab.cli.beam.thresholds_file import displacement_sites

    values, sites = displacement_sites(values)
    plain = [value for value in values if not set(value.partition("=")[0]) & set(":@")]
    rows = [SiteEnergy(element=e, energy=energy) for e, energy in per_element(option, plain, elements, "eV").items()]
    for value in (value for value in values if value not in plain):
        parts = re.fullmatch(r"([A-Z][a-z]?)(?::(\d+))?(?:@(\d+))?=(.+)", value)
        if not parts:
            raise InputError(option, expected="ELEMENT[:NEIGHBOURS][@LAYER]=EV, such as Se:3=4.47", got=repr(value))
        energy = per_element(option, [f"{parts[1]}={parts[4]}"], elements, "eV")[parts[1]]
        neighbours, layer = (int(part) if part else None for part in (parts[2], parts[3]))
        rows.append(SiteEnergy(element=parts[1], energy=energy, n_neighbours=neighbours, layer=layer))
    given = {row.element for row in rows}
    for site in (site for site in sites if site["element"] not in given):
        energy, neighbours = site["minimum_eV"], site["n_neighbours"]
        rows.append(SiteEnergy(element=site["element"], energy=energy, n_neighbours=neighbours, source=site["source"]))
    return tuple(rows)


def per_element(option: str, values: Sequence[str], elements: Sequence[str], unit: str) -> dict[str, float]:
    """Numbers for all elements, or ELEMENT=NUMBER, the latter winning.

    Examples
    --------
    >>> per_element("--threshold", ["6", "Se=5.12"], ["Cd", "Se"], "eV")
    {'Cd': 6.0, 'Se': 5.12}
    """
    numbers: dict[str, float] = {}
    for value in sorted(values, key=lambda text: "=" in text):
        name, equals, text = value.rpartition("=")
        if equals and name not in elements:
            raise unknown_name(option, name, elements)
        if not equals and numbers:
            raise InputError(option, expected="one number for all elements", got=" ".join(values))
        try:
            number = float(text)
        except ValueError:
            raise InputError(option, expected=f"a number of {unit} or ELEMENT=NUMBER", got=repr(value)) from None
        require_positive(option, number, unit)
        numbers.update(dict.fromkeys([name] if equals else elements, number))
    return numbers

"""The quick calculator: one row per element, beam energy and threshold, each saying what it rests on.

Only the Mott model imports numpy; everything else is arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from nanoslab.beam.binding import mean_atomisation_energy, sublimation_energy, threshold_interval
from nanoslab.beam.checks import require_not_negative, require_positive
from nanoslab.beam.closed_form import Escape, closed_form_cross_section
from nanoslab.beam.conditions import Conditions, Threshold
from nanoslab.beam.dose import displacement_rate, dose_budget, dose_per_event
from nanoslab.beam.elements import composition_of_formula, element_data
from nanoslab.beam.kinematics import max_transferred_energy, threshold_beam_energy
from nanoslab.beam.vibration import classical_velocity_variance, debye_velocity_variance
from nanoslab.errors import InputError

#: what a given energy can be -> how rows call it
GIVEN_SOURCES: Mapping[str, str] = {
    "displacement": "displacement threshold, given",
    "surface-binding": "surface binding energy, given",
    "removal": "energy to take the atom to vacuum (E_rem), given",
    "vacancy-formation": "vacancy formation energy, given; not a displacement threshold",
}

#: sources that bound the threshold from below, so that the interval up to 5/3 is reported
LOWER_BOUNDS = ("removal", "vacancy-formation")


def knockon_row(element: str, beam_energy_keV: float, threshold: Threshold, conditions: Conditions) -> dict[str, Any]:
    """Row with cross-sections for every way to leave, and rates for the chosen one.

    Examples
    --------
    >>> at_rest = Conditions(model="rutherford", temperature=None)
    >>> row = knockon_row("Se", 200.0, Threshold(2.25, "sublimation energy of the element"), at_rest)
    >>> round(row["cross_section_barn"], 3)
    1244.782
    """
    require_positive("threshold energy", threshold.energy, "eV")
    ways: tuple[Escape, ...] = get_args(Escape)
    barns = {way: cross_section(element, beam_energy_keV, threshold.energy, conditions, way) for way in ways}
    chosen = barns[conditions.escape]
    rate_of_dose, loss = conditions.dose_rate_e_per_A2_s, conditions.allowed_loss
    rate = None if rate_of_dose is None else float(displacement_rate(chosen, rate_of_dose))
    return {
        "element": element,
        "beam_energy_keV": beam_energy_keV,
        "max_transferred_energy_eV": max_transferred_energy(element, beam_energy_keV),
        "threshold_energy_eV": threshold.energy,
        "threshold_source": threshold.source,
        "threshold_beam_energy_keV": threshold_beam_energy(element, threshold.energy),
        "cross_section_barn": chosen,
        "model": conditions.model,
        "escape": conditions.escape,
        "temperature_K": conditions.temperature,
        "rate_per_s": rate,
        "cross_sections_barn": barns,
        "masses": "standard" if conditions.temperature is None else "isotopes",
        "motion": motion(element, conditions),
        "lifetime_s": 1 / rate if rate else None,
        "dose_per_event_e_per_A2": dose_per_event(chosen) if chosen else None,
        "dose_budget_e_per_A2": dose_budget(chosen, loss) if chosen and loss is not None else None,
    }


def cross_section(
    element: str, beam_energy_keV: float, threshold_energy: float, conditions: Conditions, escape: Escape
) -> float:
    """Total of one element under the conditions, with numpy only where the model needs it [barn]."""
    variance = velocity_variance(element, conditions, escape)
    if conditions.model == "mott":
        from nanoslab.beam.cross_section import displacement_cross_section

        return float(
            displacement_cross_section(
                element,
                beam_energy_keV,
                threshold_energy,
                escape=escape,
                masses="standard" if conditions.temperature is None else "isotopes",
                velocity_variance=variance,
            )
        )
    data = element_data(element)
    nuclei = ((data.mass, 1.0),) if conditions.temperature is None else data.masses_and_abundances
    return closed_form_cross_section(
        data.atomic_number,
        nuclei,
        beam_energy_keV,
        threshold_energy,
        model=conditions.model,
        escape=escape,
        mass_times_velocity_variance=variance * data.mass,
    )


def velocity_variance(element: str, conditions: Conditions, escape: Escape | None = None) -> Any:
    """<v_z²> under the conditions [m²/s²]: none, classical, Debye; or the tensor, where way and model can take it."""
    tensor = conditions.velocity_tensors.get(element)
    if tensor is not None:
        mean = conditions.model != "mott" or (escape or conditions.escape) == "sphere-averaged"
        return sum(tensor[axis][axis] for axis in range(3)) / 3 if mean else tensor
    if conditions.temperature is None:
        return 0.0
    require_not_negative("temperature", conditions.temperature, "K")
    debye = conditions.debye_temperatures.get(element)
    if debye is not None:
        return debye_velocity_variance(element, debye, conditions.temperature)
    if conditions.temperature == 0:
        raise InputError(
            "temperature",
            expected="above 0 K for classical motion",
            got=0,
            advice=f"give --debye-temperature {element}=181 for the zero-point motion, or --static for none",
        )
    return classical_velocity_variance(element, conditions.temperature)


def motion(element: str, conditions: Conditions) -> str:
    """Name of the thermal motion in a row."""
    if element in conditions.velocity_tensors:
        return "phonons"
    if conditions.temperature is None:
        return "at rest"
    debye = conditions.debye_temperatures.get(element)
    return "classical" if debye is None else f"Debye {debye:g} K"


def given_thresholds(energy: float, source: str) -> tuple[Threshold, ...]:
    """Thresholds of an energy that the user gives: itself, and 5/3 of it when it is a lower bound.

    Examples
    --------
    >>> [round(t.energy, 2) for t in given_thresholds(5.12, "vacancy-formation")]
    [5.12, 8.53]
    """
    label = GIVEN_SOURCES[source]
    return _interval(energy, label) if source in LOWER_BOUNDS else (Threshold(energy, label),)


def default_thresholds(element: str, material: str | None = None) -> tuple[Threshold, ...]:
    """Threshold of an element when none is given: the cheapest site of the table, else an estimate by counting bonds.

    Parameters
    ----------
    material
        Formula or name of what the atom sits in; without one the first material of the table that holds the element,
        and the row says which.

    Returns
    -------
    One threshold, or two where the energy is a lower bound: itself and 5/3 of it.

    Examples
    --------
    >>> [round(threshold.energy, 2) for threshold in default_thresholds("Se", "CdSe")]
    [4.47, 7.45]
    """
    from nanoslab.beam.tables.thresholds import lowest_threshold, published_thresholds

    if material in (None, element):
        known = published_thresholds(element=element)
        row = lowest_threshold(element, known[0].material) if known else None
    else:
        row = lowest_threshold(element, material)
    if row is not None:
        return _interval(row.energy, row.label) if row.kind == "removal" else (Threshold(row.energy, row.label),)
    if material in (None, element):
        return _interval(sublimation_energy(element), f"sublimation energy of {element}, a half-coordinated site")
    return atomisation_thresholds(str(material), 0.0)[element]


def atomisation_thresholds(formula: str, formation_enthalpy: float) -> dict[str, tuple[Threshold, ...]]:
    """For each element of a compound the cost of an atom with three quarters of its bonds, and with all of them.

    All bonds of a binary compound join its two elements, so the n atoms of one of them share the whole atomisation
    energy, which is 2 E_coh for AB. Compounds of more elements are given 2 E_coh, the mean. Never below what the
    table has for the element in this compound, a lower bound by itself.

    Parameters
    ----------
    formation_enthalpy
        Of the formula unit from the elements [eV], 0 or less; 0 leaves it out and gives a lower bound.

    Examples
    --------
    >>> [round(t.energy, 2) for t in atomisation_thresholds("CdTe", -1.0)["Te"]]
    [3.29, 4.39]
    >>> {element: round(those[1].energy, 1) for element, those in atomisation_thresholds("WSe2", 0.0).items()}
    {'W': 13.8, 'Se': 6.9}
    """
    from nanoslab.beam.tables.thresholds import lowest_threshold

    composition = composition_of_formula(formula)
    cohesive = mean_atomisation_energy(composition, formation_enthalpy)
    whole = "atomisation energy" if formation_enthalpy else "atomisation energy without formation enthalpy"
    found: dict[str, tuple[Threshold, ...]] = {}
    for element, count in composition.items():
        full = 2 * cohesive
        if len(composition) == 2:
            full = cohesive * sum(composition.values()) / count
        label = f"bonds counted, {{}} of them, from the {whole} of {formula}"
        first = Threshold(0.75 * full, label.format("three quarters"))
        row = lowest_threshold(element, formula)
        if row is not None and row.energy > first.energy:
            first = Threshold(row.energy, row.label)
        found[element] = (first, Threshold(max(full, first.energy), label.format("all")))
    return found


def sensitivity(element: str, beam_energy_keV: float, threshold: Threshold, conditions: Conditions) -> float | None:
    """Change of the cross-section when the threshold is 10 % higher [percent]; None where it is 0 anyway."""
    here = cross_section(element, beam_energy_keV, threshold.energy, conditions, conditions.escape)
    there = cross_section(element, beam_energy_keV, 1.1 * threshold.energy, conditions, conditions.escape)
    return 100 * (there / here - 1) if here > 0 else None


def heaviest(elements: Iterable[str]) -> int:
    """Largest atomic number among elements."""
    return max(element_data(element).atomic_number for element in elements)


def _interval(energy: float, label: str) -> tuple[Threshold, ...]:
    low, high = threshold_interval(energy)
    return Threshold(low, label), Threshold(high, f"5/3 of: {label}")

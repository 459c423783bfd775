"""The whole quick calculator as one call: what `nanoslab knockon` prints, with the same defaults and numbers.

Only the Mott model imports numpy, and nothing else is imported that a plain question does not need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nanoslab.beam.conditions import Conditions, Threshold
from nanoslab.beam.elements import composition_of_formula, element_data, elements_of_formula, symbols
from nanoslab.beam.kinematics import max_transferred_energy, threshold_beam_energy
from nanoslab.beam.planning.sentence import knockon_sentence
from nanoslab.beam.tables.thresholds import published_thresholds
from nanoslab.errors import InputError

#: voltages that are shown when none is asked for [kV]
USUAL_KILOVOLTS = (60.0, 80.0, 120.0, 200.0, 300.0)

LOWER_BOUND = "Knock-on is a lower bound on damage: ionisation and heat come on top."
LOWER_BOUND_II_VI = "Knock-on is a lower bound on damage: ionisation harms II-VI crystals below every threshold too."
GIVEN = (
    "E_d is taken as given. If it is a vacancy formation energy it is not a threshold: say --threshold-source "
    "vacancy-formation (or removal, for an energy to vacuum)."
)
VACANCY = (
    "A vacancy formation energy is not a displacement threshold. With the isolated atom as chemical potential it is "
    "the energy to take the atom to vacuum, a lower bound of E_d, hence the rows with 5/3 of it; with any other "
    "it is neither."
)
UNNAMED = "No compound named: {0} taken to sit in {1}. Write the formula for another."
ESTIMATED = "{}: no published threshold; estimated. Give --threshold {}=EV for a better one."
CLASSICAL = "Thermal motion is classical, kT/M, a lower bound; --debye-temperature adds the zero-point motion."

#: atomic number up to which the closed forms may be trusted near threshold, and what they miss beyond
LIGHT_UP_TO = 16
LIGHT_ONLY = {
    "mckinley-feshbach": "McKinley-Feshbach is low near threshold: 14 % for Se, 28 % for Cd, a factor 2.9 for Pb.",
    "rutherford": "Rutherford is off near threshold by tens of percent, to either side; see --model mott.",
}

UNKNOWN_WITHOUT_THRESHOLD = (
    "threshold_energy_eV",
    "threshold_source",
    "threshold_beam_energy_keV",
    "cross_section_barn",
    "model",
    "escape",
    "temperature_K",
    "rate_per_s",
)


class KnockOnQuestion(NamedTuple):
    """What the quick calculator is asked.

    Attributes
    ----------
    names
        Chemical symbols, atomic numbers, formulas, or materials of the table such as ``graphene``.
    kilovolts
        Beam energies [keV]; none for the usual ones.
    thresholds
        Energy to leave by element [eV]; those not given come from the table, or are estimated.
    threshold_source
        What the given ones are: ``displacement``, ``surface-binding``, ``removal`` or ``vacancy-formation``.
    formation_enthalpy
        Of the formula unit [eV]: bonds are counted from the mean atomisation energy.
    conditions
        How atoms are hit, move and leave; None for the largest transferred energies alone.
    dose_e_per_A2
        With an allowed loss in the conditions gives the highest safe voltage [e/Å²].
    """

    names: Sequence[str | int]
    kilovolts: Sequence[float] = ()
    thresholds: Mapping[str, float] = {}
    threshold_source: str = "displacement"
    formation_enthalpy: float | None = None
    conditions: Conditions | None = Conditions()
    dose_e_per_A2: float | None = None


def knockon_answer(question: KnockOnQuestion) -> dict[str, Any]:
    """The document of `nanoslab knockon --json`: rows, notes, error budget, highest safe voltage, one sentence.

    Examples
    --------
    >>> answer = knockon_answer(KnockOnQuestion(names=["MoS2"], kilovolts=[80], conditions=None))
    >>> answer["sentence"]
    '80 kV: no head-on collision moves Mo or S at rest; S from 92 kV, Mo from 564 kV.'
    """
    materials = elements_of_names(question.names)
    conditions = question.conditions
    thresholds = thresholds_of(question, materials)
    kilovolts = tuple(question.kilovolts) or USUAL_KILOVOLTS
    document: dict[str, Any]
    if conditions is None:
        document = {"rows": [kinematic_row(e, kv) for e in materials for kv in kilovolts], "notes": []}
    else:
        from nanoslab.beam.knockon import knockon_row

        rows = [knockon_row(e, kv, t, conditions) for e in materials for kv in kilovolts for t in thresholds[e]]
        document = {
            "rows": rows,
            "error_budget": _error_budget(rows, conditions),
            "notes": _notes(question, materials, conditions),
        }
        if question.dose_e_per_A2 is not None:
            document["safe_voltage"] = _safe_voltage(question.dose_e_per_A2, thresholds, conditions)
    lowest = {e: min(those, key=lambda t: t.energy) for e, those in thresholds.items() if those}
    document["notes"] += _sources(question, materials, lowest, conditions)
    document["thresholds"] = {
        element: {
            "energy_eV": threshold.energy,
            "source": threshold.source,
            "beam_energy_keV": float(threshold_beam_energy(element, threshold.energy)),
        }
        for element, threshold in lowest.items()
    }
    if lowest:
        energies = {element: threshold.energy for element, threshold in lowest.items()}
        document["sentence"] = knockon_sentence(energies, question.kilovolts)
    return document


def elements_of_names(names: Sequence[str | int]) -> dict[str, str | None]:
    """Elements of symbols, atomic numbers, formulas and materials, each with the material it sits in, if one is named.

    Examples
    --------
    >>> elements_of_names(["graphene", "34", "CdSe"])
    {'C': 'graphene', 'Se': 'CdSe', 'Cd': 'CdSe'}
    """
    found: dict[str, str | None] = {}
    parts = (part.strip() for given in names for part in str(given).split(","))
    for name in parts:
        rows = published_thresholds(name)
        if rows and name not in symbols():
            elements, material = tuple(dict.fromkeys(row.element for row in rows)), rows[0].material
            if name == material or name in rows[0].other_names:
                elements = _in_order(name, elements)
        elif name.isdigit():
            if not 1 <= int(name) <= len(symbols()):
                raise InputError("element", expected=f"an atomic number from 1 to {len(symbols())}", got=name)
            elements, material = (symbols()[int(name) - 1],), ""
        else:
            elements = elements_of_formula(name)
            material = name if len(elements) > 1 else ""
        for element in elements:
            found[element] = found.get(element) or material or None
    return found


def composition_of_material(name: str) -> dict[str, float]:
    """Atoms of each element in a formula, or in a material of the table; one each where its name is no formula.

    Examples
    --------
    >>> composition_of_material("graphene"), composition_of_material("MoS2")
    ({'C': 1.0}, {'Mo': 1.0, 'S': 2.0})
    """
    rows = published_thresholds(name)
    if not rows:
        return composition_of_formula(name)
    elements = {row.element for row in rows}
    for candidate in (name, rows[0].material, *rows[0].other_names):
        try:
            composition = composition_of_formula(candidate)
        except InputError:
            continue
        if set(composition) == elements:
            return composition
    return dict.fromkeys(sorted(elements), 1.0)


def thresholds_of(question: KnockOnQuestion, materials: Mapping[str, str | None]) -> dict[str, tuple[Threshold, ...]]:
    """For each element the energies to leave: given, by counting bonds, from the table, or estimated.

    An element of which nothing is known has none, unless cross-sections are asked for, which need one.
    """
    if question.conditions is None:
        return {element: _lowest(element, material) for element, material in materials.items()}
    from nanoslab.beam.knockon import atomisation_thresholds, default_thresholds, given_thresholds

    if question.formation_enthalpy is not None:
        return atomisation_thresholds(str(question.names[0]), question.formation_enthalpy)
    found = {}
    for element, material in materials.items():
        if element in question.thresholds:
            found[element] = given_thresholds(question.thresholds[element], question.threshold_source)
        else:
            found[element] = default_thresholds(element, material)
    return found


def _lowest(element: str, material: str | None) -> tuple[Threshold, ...]:
    """The one threshold that the sentence needs."""
    rows = published_thresholds(material, element) if material else published_thresholds(element=element)
    if rows:
        row = min((row for row in rows if row.material == rows[0].material), key=lambda row: row.energy)
        return (Threshold(row.energy, row.label),)
    if element_data(element).sublimation_energy is None:
        return ()
    from nanoslab.beam.knockon import default_thresholds

    return default_thresholds(element, material)[:1]


def kinematic_row(element: str, kv: float) -> dict[str, Any]:
    """Row of the largest transferred energy alone, the other keys empty."""
    known = {
        "element": element,
        "beam_energy_keV": kv,
        "max_transferred_energy_eV": max_transferred_energy(element, kv),
    }
    return {**known, **dict.fromkeys(UNKNOWN_WITHOUT_THRESHOLD)}


def _in_order(name: str, elements: tuple[str, ...]) -> tuple[str, ...]:
    """Elements in the order of the name where it is a formula, else of the table."""
    try:
        written = elements_of_formula(name)
    except InputError:
        return elements
    return written if set(written) == set(elements) else elements


def _error_budget(rows: Sequence[dict[str, Any]], conditions: Conditions) -> dict[str, Any]:
    """Numerics, screening, and what 10 % more E_d does to the largest cross-section of the table."""
    from nanoslab.beam.knockon import sensitivity

    worst = max(rows, key=lambda row: float(row["cross_section_barn"]))
    threshold = Threshold(worst["threshold_energy_eV"], worst["threshold_source"])
    change = sensitivity(worst["element"], worst["beam_energy_keV"], threshold, conditions)
    return {
        "numerics_percent": 0.5,
        "screening_percent": 5.0,
        "threshold_10_percent_higher_percent": change,
        "threshold_example": f"{worst['element']} at {worst['beam_energy_keV']:g} kV",
    }


def _notes(question: KnockOnQuestion, elements: Mapping[str, str | None], conditions: Conditions) -> list[str]:
    from nanoslab.beam.knockon import heaviest

    notes = [LOWER_BOUND_II_VI if set(elements) & {"Zn", "Cd", "Hg"} or "Se" in elements else LOWER_BOUND]
    if question.thresholds and question.threshold_source == "vacancy-formation":
        notes.append(VACANCY)
    elif question.thresholds and question.threshold_source == "displacement":
        notes.append(GIVEN)
    known = {*conditions.debye_temperatures, *conditions.velocity_tensors}
    if conditions.temperature is not None and not known.issuperset(elements):
        notes.append(CLASSICAL)
    if conditions.model != "mott" and heaviest(elements) > LIGHT_UP_TO:
        notes.append(LIGHT_ONLY[conditions.model])
    return notes


def _sources(
    question: KnockOnQuestion,
    materials: Mapping[str, str | None],
    lowest: Mapping[str, Threshold],
    conditions: Conditions | None,
) -> list[str]:
    """Where thresholds come from that nobody gave."""
    notes: list[str] = []
    assumed: dict[str, list[str]] = {}
    for element, threshold in lowest.items():
        if element in question.thresholds or question.formation_enthalpy is not None:
            continue
        rows = published_thresholds(materials[element], element)
        if not rows:
            notes.append(ESTIMATED.format(element, element))
        elif materials[element] is None:
            assumed.setdefault(rows[0].material, []).append(element)
        if conditions is None:
            bound = "at least " if rows and rows[0].kind == "removal" else ""
            notes.append(f"{element}: {bound}{threshold.energy:g} eV; {threshold.source}.")
    named = [UNNAMED.format(" and ".join(elements), material) for material, elements in assumed.items()]
    return [*named, *notes]


def _safe_voltage(
    dose: float, thresholds: Mapping[str, tuple[Threshold, ...]], conditions: Conditions
) -> dict[str, Any]:
    """Highest voltage that loses no more than allowed, with the lowest threshold of each element."""
    from nanoslab.beam.planning.safe_energy import highest_safe_beam_energy
    from nanoslab.beam.planning.targets import targets_under

    if conditions.allowed_loss is None:
        raise InputError("dose", expected="an allowed loss beside it", got="none", advice="add --allowed-loss 0.01")
    lowest = {element: min(t.energy for t in those) for element, those in thresholds.items()}
    targets = targets_under(conditions, thresholds)
    safe = highest_safe_beam_energy(lowest, dose, conditions.allowed_loss, escape=conditions.escape, targets=targets)
    return {
        "beam_energy_keV": safe.beam_energy_keV,
        "limiting_element": safe.limiting_element,
        "dose_e_per_A2": dose,
        "allowed_loss": conditions.allowed_loss,
    }

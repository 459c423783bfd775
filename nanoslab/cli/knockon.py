"""Largest energy that a beam electron can hand to an atom, and the voltage where knock-on begins.

With --threshold or --model also cross-sections, rates and doses. A threshold is a number for all elements
or ELEMENT=NUMBER; without one the interval from the sublimation energy of the element to 5/3 of it is used.
Cross-sections are summed over the natural isotopes at 300 K; --static is what papers quote: the mean
mass, at rest.

Examples
--------
  nanoslab knockon Se Cd --kv 200 300
  nanoslab knockon CdSe --kv 80 200 300 --threshold Cd=6 Se=5.12 --threshold-source removal --dose-rate 1e4
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table

if TYPE_CHECKING:
    from nanoslab.beam.knockon import Conditions, Threshold

MODELS = ("mott", "mckinley-feshbach", "rutherford")
ESCAPES = ("spherical", "planar", "sphere-averaged")
SOURCES = ("displacement", "surface-binding", "removal", "vacancy-formation")

LOWER_BOUND = "Knock-on is a lower bound on damage: ionisation harms II-VI crystals below every threshold too."
BUDGET = "Error budget: numerics 0.5 %, screening 5 %, the rest is E_d"
GIVEN = (
    "E_d is taken as given. If it is a vacancy formation energy it is not a threshold: say --threshold-source "
    "vacancy-formation (or removal, for an energy to vacuum)."
)
VACANCY = (
    "A vacancy formation energy is not a displacement threshold. With the isolated atom as chemical potential it is "
    "the energy to take the atom to vacuum, a lower bound of E_d, hence the rows with 5/3 of it; with any other "
    "it is neither."
)
ELEMENTAL = (
    "Without --threshold E_d is between the sublimation energy of the pure element and 5/3 of it, not the compound's."
)
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

#: title, format, key of the row (a dot leads into a mapping)
COLUMNS = (
    ("element", "", "element"),
    ("kV", "g", "beam_energy_keV"),
    ("E_max [eV]", ".4f", "max_transferred_energy_eV"),
    ("E_d [eV]", ".4g", "threshold_energy_eV"),
    ("from [kV]", ".1f", "threshold_beam_energy_keV"),
    ("spherical [barn]", "barn", "cross_sections_barn.spherical"),
    ("planar [barn]", "barn", "cross_sections_barn.planar"),
    ("averaged [barn]", "barn", "cross_sections_barn.sphere-averaged"),
    ("rate [1/s]", ".3g", "rate_per_s"),
    ("lifetime [s]", ".3g", "lifetime_s"),
    ("1 event at [e/Å²]", ".3g", "dose_per_event_e_per_A2"),
    ("dose budget [e/Å²]", ".3g", "dose_budget_e_per_A2"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the command."""
    add = parser.add_argument
    add("elements", nargs="+", metavar="ELEMENT|FORMULA", help="Se, Cd, or CdSe for both")
    add("--kv", nargs="+", type=float, required=True, metavar="KV", help="microscope voltages [kV]")
    add("--threshold", nargs="+", metavar="[ELEMENT=]EV", help="energy to remove the atom [eV]")
    add(
        "--threshold-source", choices=SOURCES, default="displacement", help="what --threshold is (default: %(default)s)"
    )
    add(
        "--formation-enthalpy", type=float, metavar="EV", help="of the formula unit [eV]: use mean atomisation energies"
    )
    add("--model", choices=MODELS, help="scattering by the nucleus (default: mott)")
    add("--escape", choices=ESCAPES, help="way out whose rates are given (default: spherical; the table shows all)")
    add("--temperature", type=float, metavar="K", help="thermal motion [K] (default: 300)")
    add(
        "--debye-temperature",
        nargs="+",
        metavar="[ELEMENT=]K",
        help="Debye temperature [K]; without it motion is classical",
    )
    add("--static", action="store_true", help="mean atomic mass, nucleus at rest (what papers quote)")
    add("--dose-rate", type=float, metavar="RATE", help="e/Å²/s; gives rates and lifetimes")
    add("--allowed-loss", type=float, metavar="FRACTION", help="gives the dose that takes this fraction of the atoms")
    add("--dose", type=float, metavar="DOSE", help="e/Å²; with --allowed-loss gives the highest safe voltage")
    add("--plot", metavar="FILE", help="E_max and cross-section against voltage, as .pdf, .svg or .png")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    """Print one row per element, voltage and threshold."""
    from nanoslab.beam.elements import elements_of_formula

    _check(arguments)
    elements = list(dict.fromkeys(e for given in arguments.elements for e in elements_of_formula(given)))
    kilovolts = list(dict.fromkeys(arguments.kv))
    conditions = _conditions(arguments, elements)
    thresholds: dict[str, tuple[Threshold, ...]] = dict.fromkeys(elements, ())
    if conditions is None:
        document: dict[str, Any] = {"rows": [_kinematic_row(e, kv) for e in elements for kv in kilovolts]}
    else:
        from nanoslab.beam.knockon import knockon_row

        thresholds = _thresholds(arguments, elements)
        rows = [knockon_row(e, kv, t, conditions) for e in elements for kv in kilovolts for t in thresholds[e]]
        notes = _notes(arguments, elements, conditions)
        document = {"rows": rows, "error_budget": _error_budget(rows, conditions), "notes": notes}
        if arguments.dose is not None:
            document["safe_voltage"] = _safe_voltage(arguments, thresholds, conditions)
    if arguments.plot:
        from nanoslab.cli.knockon_plot import plot_knockon

        plot_knockon(arguments.plot, thresholds, kilovolts, conditions)
        document["plot"] = arguments.plot
    if arguments.json:
        print_json(document)
    else:
        _print(document)


def _kinematic_row(element: str, kv: float) -> dict[str, Any]:
    """Row without a threshold: the largest transferred energy alone, the other keys empty."""
    from nanoslab.beam.kinematics import max_transferred_energy

    known = {
        "element": element,
        "beam_energy_keV": kv,
        "max_transferred_energy_eV": max_transferred_energy(element, kv),
    }
    return {**known, **dict.fromkeys(UNKNOWN_WITHOUT_THRESHOLD)}


def _check(arguments: Namespace) -> None:
    """Refuse numbers and combinations that mean nothing, before anything is computed."""
    from nanoslab.beam.checks import require_beam_energy, require_not_negative, require_positive
    from nanoslab.errors import InputError

    for kv in arguments.kv:
        require_beam_energy(kv)
    if arguments.static and (arguments.temperature is not None or arguments.debye_temperature):
        raise InputError("--static", expected="no temperature beside it", got="both", advice="leave one out")
    if (arguments.dose is not None) and arguments.allowed_loss is None:
        raise InputError("--dose", expected="--allowed-loss beside it", got="none", advice="add --allowed-loss 0.01")
    if arguments.threshold and arguments.formation_enthalpy is not None:
        raise InputError(
            "--formation-enthalpy", expected="no --threshold beside it", got="both", advice="leave one out"
        )
    if arguments.formation_enthalpy is not None and len(arguments.elements) != 1:
        raise InputError("--formation-enthalpy", expected="one formula", got=" ".join(arguments.elements))
    if arguments.temperature is not None:
        require_not_negative("--temperature", arguments.temperature, "K")
    if arguments.dose_rate is not None:
        require_not_negative("--dose-rate", arguments.dose_rate, "e/Å²/s")
    if arguments.dose is not None:
        require_positive("--dose", arguments.dose, "e/Å²")
    if arguments.allowed_loss is not None and not 0 < arguments.allowed_loss < 1:
        raise InputError("--allowed-loss", expected="a fraction between 0 and 1", got=f"{arguments.allowed_loss:g}")


def _conditions(arguments: Namespace, elements: Sequence[str]) -> Conditions | None:
    """How atoms are hit and move; None when only kinematics was asked for."""
    asked = (
        arguments.threshold,
        arguments.formation_enthalpy,
        arguments.model,
        arguments.escape,
        arguments.temperature,
        arguments.debye_temperature,
        arguments.dose_rate,
        arguments.allowed_loss,
    )
    if all(option is None for option in asked):
        return None
    from nanoslab.beam.knockon import Conditions
    from nanoslab.cli.beam_options import per_element

    temperature = 300.0 if arguments.temperature is None else arguments.temperature
    debye = per_element("--debye-temperature", arguments.debye_temperature or (), elements, "K")
    return Conditions(
        model=arguments.model or "mott",
        escape=arguments.escape or "spherical",
        temperature=None if arguments.static else temperature,
        debye_temperatures=debye,
        dose_rate_e_per_A2_s=arguments.dose_rate,
        allowed_loss=arguments.allowed_loss,
    )


def _thresholds(arguments: Namespace, elements: Sequence[str]) -> dict[str, tuple[Threshold, ...]]:
    """For each element the energies to leave: given, of the compound, or of the pure element."""
    from nanoslab.beam.knockon import atomisation_thresholds, given_thresholds, sublimation_thresholds
    from nanoslab.cli.beam_options import per_element

    if arguments.formation_enthalpy is not None:
        return dict.fromkeys(elements, atomisation_thresholds(arguments.elements[0], arguments.formation_enthalpy))
    given = per_element("--threshold", arguments.threshold or (), elements, "eV")
    return {
        element: given_thresholds(given[element], arguments.threshold_source)
        if element in given
        else sublimation_thresholds(element)
        for element in elements
    }


def _error_budget(rows: Sequence[dict[str, Any]], conditions: Conditions) -> dict[str, Any]:
    """Numerics, screening, and what 10 % more E_d does to the largest cross-section of the table."""
    from nanoslab.beam.knockon import Threshold, sensitivity

    worst = max(rows, key=lambda row: float(row["cross_section_barn"]))
    threshold = Threshold(worst["threshold_energy_eV"], worst["threshold_source"])
    change = sensitivity(worst["element"], worst["beam_energy_keV"], threshold, conditions)
    return {
        "numerics_percent": 0.5,
        "screening_percent": 5.0,
        "threshold_10_percent_higher_percent": change,
        "threshold_example": f"{worst['element']} at {worst['beam_energy_keV']:g} kV",
    }


def _notes(arguments: Namespace, elements: Sequence[str], conditions: Conditions) -> list[str]:
    from nanoslab.beam.knockon import heaviest

    notes = [LOWER_BOUND]
    if arguments.threshold and arguments.threshold_source == "vacancy-formation":
        notes.append(VACANCY)
    elif arguments.threshold and arguments.threshold_source == "displacement":
        notes.append(GIVEN)
    if not arguments.threshold and arguments.formation_enthalpy is None:
        notes.append(ELEMENTAL)
    if conditions.temperature is not None and not all(e in conditions.debye_temperatures for e in elements):
        notes.append(CLASSICAL)
    if conditions.model != "mott" and heaviest(elements) > LIGHT_UP_TO:
        notes.append(LIGHT_ONLY[conditions.model])
    return notes


def _safe_voltage(
    arguments: Namespace, thresholds: dict[str, tuple[Threshold, ...]], conditions: Conditions
) -> dict[str, Any]:
    """Highest voltage that loses no more than allowed, with the lowest threshold of each element."""
    from nanoslab.beam.safe_energy import highest_safe_beam_energy
    from nanoslab.cli.beam_options import targets_under

    targets = targets_under(conditions, thresholds)
    lowest = {element: min(t.energy for t in those) for element, those in thresholds.items()}
    safe = highest_safe_beam_energy(
        lowest, arguments.dose, arguments.allowed_loss, escape=conditions.escape, targets=targets
    )
    return {
        "beam_energy_keV": safe.beam_energy_keV,
        "limiting_element": safe.limiting_element,
        "dose_e_per_A2": arguments.dose,
        "allowed_loss": arguments.allowed_loss,
    }


def _print(document: dict[str, Any]) -> None:
    rows = document["rows"]
    columns = [(title, kind, key) for title, kind, key in COLUMNS if any(_value(row, key) is not None for row in rows)]
    print_table([title for title, _, _ in columns], [[_cell(_value(row, k), f) for _, f, k in columns] for row in rows])
    for line in _lines(document):
        print_note(line)


def _lines(document: dict[str, Any]) -> list[str]:
    """What stands below the table."""
    lines = []
    sources = dict.fromkeys(r["threshold_source"] for r in document["rows"] if r["threshold_source"])
    if sources:
        lines += ["", f"E_d: {'; '.join(sources)}. Model: {document['rows'][0]['model']}."]
    if "error_budget" in document:
        budget = document["error_budget"]
        change = budget["threshold_10_percent_higher_percent"]
        example = "" if change is None else f" (10 % more E_d: {change:+.0f} % for {budget['threshold_example']})"
        lines.append(f"{BUDGET}{example}.")
    if "safe_voltage" in document:
        safe = document["safe_voltage"]
        limit = safe["limiting_element"] or "nothing up to there"
        lines.append(
            f"Highest safe voltage for {safe['dose_e_per_A2']:g} e/Å² and a loss of {safe['allowed_loss']:g}: "
            f"{safe['beam_energy_keV']:.1f} kV (limited by {limit})."
        )
    lines += document.get("notes", [])
    return [*lines, f"plot: {document['plot']}"] if "plot" in document else lines


def _value(row: dict[str, Any], key: str) -> Any:
    outer, _, inner = key.partition(".")
    value = row.get(outer)
    return value[inner] if inner and value is not None else value


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    if kind == "barn":
        return "<1e-9" if 0 < value < 1e-9 else f"{value:.4g}"
    return str(value) if kind == "" else format(value, kind)

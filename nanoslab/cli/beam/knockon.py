"""Largest energy that a beam electron can hand to an atom, and the voltage where knock-on begins.

Atoms are named by symbol, number, formula or material (Se, 34, CdSe, graphene). The last line says what a head-on
collision does, with the published threshold of the material, or with yours. With --threshold, --model, --dose-rate or
--allowed-loss also cross-sections, rates and doses, summed over the natural isotopes at 300 K; --static is what papers
quote: the mean mass, at rest.

Examples
--------
  nanoslab knockon MoS2 --kv 80
  nanoslab knockon Se Cd --kv 200,300
  nanoslab knockon CdSe --kv 80 200 300 --threshold Cd=6 Se=5.12 --threshold-source removal --dose-rate 1e4
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table

if TYPE_CHECKING:
    from nanoslab.beam.conditions import Conditions
    from nanoslab.beam.planning.answer import KnockOnQuestion

MODELS = ("mott", "mckinley-feshbach", "rutherford")
ESCAPES = ("spherical", "planar", "sphere-averaged")
SOURCES = ("displacement", "surface-binding", "removal", "vacancy-formation")

BUDGET = "Error budget: numerics 0.5 %, screening 5 %, the rest is E_d"

#: title, format, key of the row (a dot leads into a mapping)
COLUMNS = (
    ("element", "", "element"),
    ("kV", "g", "beam_energy_keV"),
    ("E_max [eV]", ".4f", "max_transferred_energy_eV"),
    ("E_d [eV]", ".4g", "threshold_energy_eV"),
    ("threshold [kV]", ".1f", "threshold_beam_energy_keV"),
    ("spherical [barn]", "barn", "cross_sections_barn.spherical"),
    ("planar [barn]", "barn", "cross_sections_barn.planar"),
    ("sphere-averaged [barn]", "barn", "cross_sections_barn.sphere-averaged"),
    ("rate [1/s]", "rate", "rate_per_s"),
    ("lifetime [s]", "long", "lifetime_s"),
    ("dose per event [e/Å²]", "long", "dose_per_event_e_per_A2"),
    ("dose budget [e/Å²]", "long", "dose_budget_e_per_A2"),
)

#: what lies beyond is no longer a number that means something
SMALLEST_BARN, SMALLEST_RATE, LONGEST = 1e-9, 1e-15, 1e17


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the command."""
    from nanoslab.cli.beam.options import add_motion_options, dose, kilovolts

    add = parser.add_argument
    add("elements", nargs="+", metavar="ATOM|MATERIAL", help="Se, 34, CdSe for both, graphene")
    add("--kv", nargs="+", type=kilovolts, metavar="KV", help="microscope voltages [kV]; without it, what is safe")
    add(
        "--threshold",
        nargs="+",
        metavar="[ELEMENT=]EV",
        help="energy to remove the atom [eV], or a displacement study's results.json",
    )
    add(
        "--threshold-source", choices=SOURCES, default="displacement", help="what --threshold is (default: %(default)s)"
    )
    add("--formation-enthalpy", type=float, metavar="EV", help="of the formula unit, 0 or less [eV]: count bonds")
    add("--model", choices=MODELS, help="scattering by the nucleus (default: mott)")
    add("--escape", choices=ESCAPES, help="way out whose rates are given (default: spherical; the table shows all)")
    add_motion_options(parser)
    add("--dose-rate", type=dose, metavar="RATE", help="e/Å²/s, or 5A/cm2; gives rates and lifetimes")
    add("--allowed-loss", type=float, metavar="FRACTION", help="gives the dose that takes this fraction of the atoms")
    add("--dose", type=dose, metavar="DOSE", help="e/Å²; with --allowed-loss gives the highest safe voltage")
    add("--plot", metavar="FILE", help="E_max and cross-section against voltage, as .pdf, .svg or .png")
    add("--csv", metavar="FILE", help="the rows, with all columns of --json")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    """Print one row per element, voltage and threshold."""
    from nanoslab.beam.planning.answer import knockon_answer

    question = _question(arguments)
    document = knockon_answer(question)
    if arguments.plot:
        from nanoslab.beam.planning.answer import USUAL_KILOVOLTS, elements_of_names, thresholds_of
        from nanoslab.cli.beam.knockon_plot import plot_knockon

        thresholds = thresholds_of(question, elements_of_names(question.names))
        plot_knockon(arguments.plot, thresholds, question.kilovolts or USUAL_KILOVOLTS, question.conditions)
        document["plot"] = arguments.plot
    if arguments.csv:
        _write_csv(arguments.csv, document["rows"])
        document["csv"] = arguments.csv
    if arguments.json:
        print_json(document)
    else:
        _print(document, show_rows=bool(question.kilovolts) or question.conditions is not None)


def _question(arguments: Namespace) -> KnockOnQuestion:
    """What is asked; numbers and combinations that mean nothing are refused before anything is computed."""
    from nanoslab.beam.planning.answer import KnockOnQuestion, elements_of_names
    from nanoslab.cli.beam.options import per_element, plain_thresholds, voltages

    kilovolts = voltages(arguments.kv)
    _check(arguments)
    elements = list(elements_of_names(arguments.elements))
    return KnockOnQuestion(
        names=arguments.elements,
        kilovolts=kilovolts,
        thresholds=per_element("--threshold", plain_thresholds(arguments.threshold), elements, "eV"),
        threshold_source=arguments.threshold_source,
        formation_enthalpy=arguments.formation_enthalpy,
        conditions=_conditions(arguments, elements),
        dose_e_per_A2=arguments.dose,
    )


def _check(arguments: Namespace) -> None:
    from nanoslab.beam.checks import require_not_negative, require_positive
    from nanoslab.errors import InputError

    if (arguments.dose is not None) and arguments.allowed_loss is None:
        raise InputError("--dose", expected="--allowed-loss beside it", got="none", advice="add --allowed-loss 0.01")
    if arguments.formation_enthalpy is not None:
        if arguments.threshold:
            raise InputError(
                "--formation-enthalpy", expected="no --threshold beside it", got="both", advice="leave one out"
            )
        if len(arguments.elements) != 1:
            raise InputError("--formation-enthalpy", expected="one formula", got=" ".join(arguments.elements))
        if arguments.formation_enthalpy > 0:
            raise InputError(
                "--formation-enthalpy",
                expected="0 eV or less, that of a stable compound",
                got=f"{arguments.formation_enthalpy:g}",
                advice=f"did you mean {-arguments.formation_enthalpy:g}?",
            )
    if arguments.dose_rate is not None:
        require_not_negative("--dose-rate", arguments.dose_rate, "e/Å²/s")
    if arguments.dose is not None:
        require_positive("--dose", arguments.dose, "e/Å²")
    if arguments.allowed_loss is not None and not 0 < arguments.allowed_loss < 1:
        raise InputError("--allowed-loss", expected="a fraction between 0 and 1", got=f"{arguments.allowed_loss:g}")


def _conditions(arguments: Namespace, elements: Sequence[str]) -> Conditions | None:
    """How atoms are hit and move; None when only kinematics was asked for."""
    from nanoslab.cli.beam.options import motion_of

    motion = motion_of(arguments, elements)
    asked = (
        arguments.threshold,
        arguments.formation_enthalpy,
        arguments.model,
        arguments.escape,
        arguments.temperature,
        arguments.debye_temperature,
        arguments.phonons,
        arguments.dose_rate,
        arguments.allowed_loss,
    )
    if all(option is None for option in asked):
        return None
    from nanoslab.beam.conditions import Conditions

    return Conditions(
        model=arguments.model or "mott",
        escape=arguments.escape or "spherical",
        dose_rate_e_per_A2_s=arguments.dose_rate,
        allowed_loss=arguments.allowed_loss,
        **motion,
    )


def _print(document: Mapping[str, Any], *, show_rows: bool) -> None:
    rows = document["rows"]
    columns = [(title, kind, key) for title, kind, key in COLUMNS if any(_value(row, key) is not None for row in rows)]
    if show_rows or "sentence" not in document:
        cells = [[_cell(_value(row, key), kind) for _, kind, key in columns] for row in rows]
        print_table([title for title, _, _ in columns], cells)
    for line in _lines(document):
        print_note(line)
    if "sentence" in document:
        print(document["sentence"])


def _lines(document: Mapping[str, Any]) -> list[str]:
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
    lines += document["notes"]
    return [*lines, *(f"{name}: {document[name]}" for name in ("plot", "csv") if name in document)]


def _write_csv(path: str, rows: Sequence[Mapping[str, Any]]) -> None:
    import csv
    import io
    from pathlib import Path

    from nanoslab.files import write_atomically

    flat = [
        {
            **{key: value for key, value in row.items() if not isinstance(value, Mapping)},
            **{f"cross_section_{way}_barn": barn for way, barn in (row.get("cross_sections_barn") or {}).items()},
        }
        for row in rows
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_atomically(Path(path), text.getvalue())


def _value(row: Mapping[str, Any], key: str) -> Any:
    outer, _, inner = key.partition(".")
    value = row.get(outer)
    return value[inner] if inner and value is not None else value


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    if kind == "barn":
        return f"<{SMALLEST_BARN:g}" if 0 < value < SMALLEST_BARN else f"{value:.4g}"
    if kind == "rate":
        return f"<{SMALLEST_RATE:g}" if 0 < value < SMALLEST_RATE else f"{value:.3g}"
    if kind == "long":
        return f">{LONGEST:g}" if value > LONGEST else f"{value:.3g}"
    return str(value) if kind == "" else format(value, kind)

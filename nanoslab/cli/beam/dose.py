"""From the beam to the dose, and from the dose to what knock-on takes of a material, site by site.

Say how the specimen is exposed in one of these ways; numbers take units (50pA, 0.2A, 10us, 1cm2, 10min):

  --current I --pixel P --dwell T [--frames N] [--probe D]   a scan
  --current I --area A --time T                              a beam that lies still on an area
  --current I --diameter D --time T                          the same on a disc
  --dose D, or --dose-rate R --time T                        as known
  --from FILE                                                a DM, EMD or TIFF header (pip install nanoslab[microscope])

Losses are those of atoms that have a free way out; nanoslab etch follows a whole structure. With --conductivity,
--density and --heat-sink also how much the beam heats.

Examples
--------
  nanoslab dose MoS2 --kv 80 --current 50pA --pixel 0.2A --dwell 10us
  nanoslab dose CdSe --kv 200 --current 10mA --area 1cm2 --time 10min
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from math import pi
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.beam.planning.session import Exposure

#: what says how the specimen is exposed, all of one row
WAYS = (
    ("current", "pixel", "dwell"),
    ("current", "area", "time"),
    ("current", "diameter", "time"),
    ("dose",),
    ("dose_rate", "time"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the command."""
    from nanoslab.cli.beam.options import dose, kilovolts
    from nanoslab.cli.beam.quantities import area, current, length, time

    add = parser.add_argument
    add("material", help="a formula or a material of the table, such as CdSe, MoS2, graphene")
    add("--kv", nargs="+", type=kilovolts, metavar="KV", help="microscope voltages [kV]")
    add("--from", dest="file", type=Path, metavar="FILE", help="take what is missing from the header of this file")
    add("--current", type=current, metavar="I", help="beam current on the specimen [nA]")
    add("--pixel", type=length, metavar="P", help="edge of a pixel of the scan [Å]")
    add("--dwell", type=time, metavar="T", help="time on a pixel [s]")
    add("--frames", type=int, metavar="N", help="scans over the same place (default: 1)")
    add("--probe", type=length, metavar="D", help="diameter of the probe [Å], for the dose rate")
    add("--area", type=area, metavar="A", help="area under a beam that lies still [nm²]")
    add("--diameter", type=length, metavar="D", help="diameter of a beam that lies still [Å]")
    add("--time", type=time, metavar="T", help="exposure [s]")
    add("--dose", type=dose, metavar="DOSE", help="e/Å², or 1e6e/nm2")
    add("--dose-rate", type=dose, metavar="RATE", help="e/Å²/s, or 5A/cm2")
    add("--threshold", nargs="+", metavar="[ELEMENT=]EV", help="displacement threshold [eV]")
    add("--allowed-loss", type=float, default=0.01, metavar="FRACTION", help="that may go (default: %(default)s)")
    add("--temperature", type=float, default=300.0, metavar="K", help="thermal motion [K] (default: 300)")
    add("--observed-loss", nargs="+", metavar="[ELEMENT=]FRACTION", help="seen: which mechanism could explain it")
    add("--map", metavar="FILE", help="with --observed-loss: verdicts over voltage and dose, as .pdf, .svg or .png")
    add("--conductivity", type=float, metavar="K", help="thermal conductivity of the film [W/m/K], for the heating")
    add("--density", type=float, metavar="RHO", help="density [g/cm³], for the heating")
    add("--heat-sink", type=length, metavar="R", help="distance to where the film is held [Å], for the heating")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    """Print dose, losses per site, what is safe, and one sentence per voltage."""
    from nanoslab.beam.planning.answer import elements_of_names
    from nanoslab.beam.planning.mechanisms import explain_loss
    from nanoslab.beam.planning.session import plan_session
    from nanoslab.cli.beam.options import per_element, voltages

    kilovolts = _with_header(arguments) or voltages(arguments.kv)
    if not kilovolts:
        raise InputError("--kv", expected="a voltage", got="none", advice="such as --kv 200")
    elements = list(elements_of_names([arguments.material]))
    thresholds = per_element("--threshold", arguments.threshold or (), elements, "eV")
    seen = per_element("--observed-loss", arguments.observed_loss or (), elements, "")
    exposure = _exposure(arguments)
    documents = []
    for kv in kilovolts:
        plan = plan_session(
            arguments.material,
            kv,
            exposure,
            thresholds=thresholds,
            allowed_loss=arguments.allowed_loss,
            temperature=arguments.temperature,
        )
        document = {**plan.to_dict(), **_heating(arguments, kv)}
        if seen:
            doses = exposure.dose_e_per_A2
            document["explanations"] = [
                explain_loss(arguments.material, element, loss, kv, doses).to_dict() for element, loss in seen.items()
            ]
        documents.append(document)
    if arguments.map:
        from nanoslab.cli.beam.mechanism_plot import plot_mechanisms

        if not seen:
            raise InputError("--map", expected="--observed-loss beside it", got="none", advice="such as Se=0.2")
        marked = [(kv, exposure.dose_e_per_A2) for kv in kilovolts]
        plot_mechanisms(arguments.map, arguments.material, seen, marked)
    if arguments.json:
        print_json(documents[0] if len(documents) == 1 else {"voltages": documents})
    else:
        _print(documents)


def _with_header(arguments: Namespace) -> tuple[float, ...]:
    """Fill what was not given from the header of a file; its voltage, if none was given [kV]."""
    if arguments.file is None:
        return ()
    from nanoslab.cli.beam.microscope_file import read_header
    from nanoslab.cli.beam.options import voltages

    header = read_header(arguments.file)
    if arguments.dose is None and arguments.dose_rate is None:
        for name in ("current", "pixel", "dwell", "time"):
            if getattr(arguments, name) is None:
                setattr(arguments, name, header.get(name))
        if arguments.dwell is not None and arguments.area is None and arguments.diameter is None:
            arguments.time = None
        elif arguments.area is not None or arguments.diameter is not None:
            arguments.pixel = arguments.dwell = None
        if arguments.frames is None and arguments.dwell is not None and header.get("frames"):
            arguments.frames = int(header["frames"])
    if arguments.kv is None and header.get("kilovolts"):
        return voltages([(header["kilovolts"],)])
    return ()


def _exposure(arguments: Namespace) -> Exposure:
    from nanoslab.beam.checks import require_positive
    from nanoslab.beam.planning.session import Exposure, broad_beam, scanned_beam

    names = ("current", "pixel", "dwell", "area", "diameter", "time", "dose", "dose_rate")
    given = tuple(name for name in names if getattr(arguments, name) is not None)
    way = next((way for way in WAYS if set(way) == set(given)), None)
    if way is None and arguments.file is not None:
        asked = next((way for way in WAYS[1:3] if way[1] in given), WAYS[0])
        missing = [name for name in asked if name not in given]
        if missing and not {"dose", "dose_rate"} & {*given}:
            raise InputError(
                arguments.file,
                expected=f"a header with {', '.join(asked)}",
                got=f"none of {', '.join(missing)}" if len(missing) > 1 else f"no {missing[0]}",
                advice=f"give {' '.join(_option(name) for name in missing)}",
            )
    if way is None:
        raise InputError(
            "exposure",
            expected=" or ".join(" ".join(_option(name) for name in way) for way in WAYS),
            got=" ".join(_option(name) for name in given) or "none of them",
        )
    for name in given:
        require_positive(_option(name), getattr(arguments, name), "")
    if way[-1] == "dwell":
        return scanned_beam(
            arguments.current,
            arguments.pixel,
            arguments.dwell,
            n_frames=1 if arguments.frames is None else arguments.frames,
            probe_A=arguments.probe,
        )
    if way[0] == "current":
        covered = arguments.area or pi * arguments.diameter**2 / 4
        return broad_beam(arguments.current, covered, arguments.time)
    if way == ("dose",):
        return Exposure(dose_e_per_A2=arguments.dose)
    return Exposure(dose_e_per_A2=arguments.dose_rate * arguments.time, dose_rate_e_per_A2_s=arguments.dose_rate)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _heating(arguments: Namespace, kv: float) -> dict[str, Any]:
    """Rise of the temperature, where everything it needs is given."""
    from nanoslab.beam.planning.answer import composition_of_material
    from nanoslab.beam.planning.heating import beam_heating, stopping_power

    wanted = {name: getattr(arguments, name) for name in ("conductivity", "density", "heat_sink")}
    if all(value is None for value in wanted.values()):
        return {}
    disc = None if arguments.area is None else (4 * arguments.area / pi) ** 0.5
    size = arguments.diameter or arguments.probe or arguments.pixel or disc
    missing = [_option(name) for name, value in wanted.items() if value is None]
    missing += ["--current"] if arguments.current is None else []
    if missing or size is None:
        raise InputError(
            "heating",
            expected="--conductivity --density --heat-sink, a current and a beam size",
            got="no " + missing[0],
        )
    loss = stopping_power(composition_of_material(arguments.material), arguments.density, kv)
    rise = beam_heating(
        arguments.current,
        loss,
        beam_diameter_A=size,
        sink_distance_A=arguments.heat_sink,
        conductivity_W_per_m_K=arguments.conductivity,
    )
    return {"stopping_power_eV_per_A": loss, "temperature_rise_K": rise}


def _print(documents: list[dict[str, Any]]) -> None:
    for number, document in enumerate(documents):
        if number:
            print()
        rate = document["dose_rate_e_per_A2_s"]
        print(f"dose {document['dose_e_per_A2']:.4g} e/Å²" + ("" if rate is None else f", {rate:.4g} e/Å²/s"))
        cells = [
            [
                site["element"],
                site["site"],
                _interval(site["threshold_interval_eV"], ".3g"),
                _interval(site["cross_sections_barn"], ".3g"),
                _interval([100 * lost for lost in site["lost"]], ".2g"),
                _dose(site["safe_dose_e_per_A2"]),
            ]
            for site in document["sites"]
        ]
        allowed = f"dose for {100 * document['allowed_loss']:g} % [e/Å²]"
        print_table(["element", "site", "E_d [eV]", "cross-section [barn]", "lost [%]", allowed], cells)
        for source in dict.fromkeys(f"{s['element']}: {s['threshold_source']}." for s in document["sites"]):
            print_note(source)
        if "temperature_rise_K" in document:
            print_note(
                f"The beam loses {document['stopping_power_eV_per_A']:.3g} eV per Å and warms the film by about "
                f"{document['temperature_rise_K']:.2g} K (conduction alone; Egerton et al., Micron 35 (2004) 399)."
            )
        for seen in document.get("explanations", ()):
            low, high = (f"{barn:.3g}" for barn in seen["knock_on_barn"])
            print_note(
                f"A loss of {100 * seen['loss']:g} % of the {seen['element']} needs {seen['needed_barn']:.3g} barn; "
                f"knock-on has {low} to {high}: {seen['verdict']}."
            )
        print(document["sentence"])


def _interval(pair: list[float], kind: str) -> str:
    low, high = (format(value, kind) if value == 0 or value > 1e-9 else "<1e-9" for value in pair)
    return low if low == high else f"{low} to {high}"


def _dose(value: float) -> str:
    return f"{value:.3g}" if value < 1e15 else "never"

"""Etch a structure with the beam: which atoms leave, and the composition against dose, by kinetic Monte Carlo.

The electrons fly down the z axis (--beam). An atom that is knocked off its site leaves only where its way is free,
through the exit face or sideways past an edge; knocked inside it stays, and is counted. What an atom costs:

  --threshold Se=5.12 Cd=8          one energy for all atoms of an element
  --threshold Se:3=4.47 Se:4=5.24   by neighbours; fewer that are not listed cost in proportion
  --threshold Se@1=4.47 Se@2=5.24   by layer, 1 the outermost
  --threshold results.json          of a displacement study: lowest of the directions of each site
  --removal-energies CAMPAIGN       by layer and neighbours, from the vacancies that a campaign computed
  --cohesive-energy 2.33            bonds counted, 2 E_coh z/Z of a compound's cohesive energy per atom
  (none of them)                    the published table, as in nanoslab knockon

Examples
--------
  nanoslab etch POSCAR --kv 200 --threshold Se=5.12 Cd=8 --dose 5e5 --ratio Se:Cd=0.8
  nanoslab etch POSCAR --kv 200 300 --dose 1e6 --plot etch.pdf
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.beam.conditions import Conditions
    from nanoslab.beam.loss.site_etching import SiteEtching
    from nanoslab.beam.loss.sites import SiteThresholds

MODELS = ("mott", "mckinley-feshbach", "rutherford")
ESCAPES = ("spherical", "planar", "sphere-averaged")
N_DOSES = 101
SHOWN = 11

KNOCK_ON_ALONE = (
    "Knock-on alone: no ionisation, heat, diffusion or healing. Where a threshold is an energy of removal, a lower "
    "bound, the losses are an upper bound of knock-on. Atoms knocked inside are put back and counted."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the command."""
    from nanoslab.cli.beam.options import add_motion_options, kilovolts
    from nanoslab.cli.beam.options import dose as with_unit

    add = parser.add_argument
    add("structure", type=Path, help="POSCAR, .vasp, .cif, .extxyz or .xyz")
    add("--kv", nargs="+", type=kilovolts, required=True, metavar="KV", help="microscope voltages [kV]")
    energies = parser.add_mutually_exclusive_group()
    energies.add_argument(
        "--threshold",
        nargs="+",
        metavar="[ELEMENT[:NEIGHBOURS][@LAYER]=]EV",
        help="energy to remove an atom [eV], or FILE.json",
    )
    energies.add_argument(
        "--cohesive-energy",
        "--binding",
        dest="binding",
        nargs="+",
        metavar="[ELEMENT=]EV",
        help="cohesive energy per atom: bonds are counted [eV]",
    )
    add(
        "--removal-energies",
        type=Path,
        metavar="CAMPAIGN",
        help="energies by site from its vacancies; --threshold wins",
    )
    add("--source", help="whose runs of that campaign (default: the only one there)")
    add("--phase", help="which of its sheets (default: the only one)")
    add("--dose", type=with_unit, metavar="DOSE", help="e/Å² at the end")
    add("--dose-rate", type=with_unit, metavar="RATE", help="e/Å²/s, with --time instead of --dose")
    add("--time", type=float, metavar="S", help="duration [s]")
    add("--ratio", metavar="A:B=VALUE", help="also say the dose at which A:B falls or rises to VALUE")
    add("--model", choices=MODELS, default="mott", help="scattering by the nucleus (default: %(default)s)")
    add("--escape", choices=ESCAPES, default="spherical", help="what decides (default: %(default)s)")
    add(
        "--beam", nargs=3, type=float, default=(0.0, 0.0, -1.0), metavar=("X", "Y", "Z"), help="flight of the electrons"
    )
    add("--relax", metavar="ENGINE", help="relax what is left after every loss: chgnet, xtb, ... (slow)")
    add_motion_options(parser)
    add("--runs", type=int, default=20, help="independent runs (default: %(default)s)")
    add("--seed", type=int, default=0, help="the same seed gives the same runs (default: %(default)s)")
    add("--plot", metavar="FILE", help="composition against dose with the spread of the runs, as .pdf, .svg or .png")
    add("-o", "--output", type=Path, help="what the first run leaves, in the format of the file name")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    """Etch, then print composition against dose."""
    from nanoslab.cli.beam.options import voltages
    from nanoslab.cli.structures import read_structure

    dose = _dose(arguments)
    atoms = read_structure(arguments.structure)
    elements = tuple(dict.fromkeys(atoms.get_chemical_symbols()))
    pair, value = _ratio(arguments.ratio, elements)
    thresholds = _thresholds(arguments, atoms, elements)
    kilovolts = voltages(arguments.kv)
    if arguments.output and len(kilovolts) > 1:
        raise InputError("--output", expected="one voltage in --kv", got=" ".join(f"{kv:g}" for kv in kilovolts))
    found = {kv: _etch(arguments, atoms, thresholds, kv, dose) for kv in kilovolts}
    documents = [_document(kv, etching, atoms, pair, value) for kv, etching in found.items()]
    shared: dict[str, Any] = {"threshold_sources": list(dict.fromkeys(thresholds.sources))}
    if arguments.output:
        _write(atoms, found[kilovolts[0]], arguments.output)
        shared["file"] = str(arguments.output)
    if arguments.plot:
        from nanoslab.cli.beam.etch_plot import plot_etching

        plot_etching(arguments.plot, found, pair)
        shared["plot"] = arguments.plot
    if arguments.json:
        print_json({**documents[0], **shared} if len(documents) == 1 else {"voltages": documents, **shared})
    else:
        _print(documents, shared, pair, value)


def _thresholds(arguments: Namespace, atoms: Atoms, elements: tuple[str, ...]) -> SiteThresholds:
    """What every atom costs: bonds counted, as given, or from the published table."""
    from nanoslab.beam.loss.sites import SiteEnergy, bond_counting_thresholds, site_thresholds
    from nanoslab.beam.tables.thresholds import published_thresholds
    from nanoslab.cli.beam.options import per_element, site_energies

    option = "--cohesive-energy" if arguments.binding else "--threshold"
    if arguments.binding:
        cohesive = per_element(option, arguments.binding, elements, "eV")
        _require_all(option, elements, cohesive)
        return bond_counting_thresholds(atoms, cohesive)
    if arguments.threshold or arguments.removal_energies:
        given = site_energies(option, arguments.threshold or (), elements)
        if arguments.removal_energies:
            from nanoslab.cli.beam.removal_energies import removal_energies

            named = {row.element for row in given}
            computed = removal_energies(arguments.removal_energies, source=arguments.source, phase=arguments.phase)
            given += tuple(row for row in computed if row.element not in named)
        _require_all(option, elements, {row.element for row in given})
        return site_thresholds(atoms, given)
    known = published_thresholds(atoms.get_chemical_formula("reduce")) or published_thresholds("".join(elements))
    _require_all(option, elements, {row.element for row in known})
    rows = [
        SiteEnergy(
            element=row.element, energy=row.energy, n_neighbours=row.n_neighbours, layer=row.layer, source=row.label
        )
        for row in known
    ]
    return site_thresholds(atoms, rows)


def _require_all(option: str, elements: tuple[str, ...], given: Any) -> None:
    missing = [element for element in elements if element not in given]
    if missing:
        got = " ".join(given) or "none, and the published table has none for this compound"
        raise InputError(option, expected=f"an energy for {missing[0]}", got=got, advice="a high one keeps it")


def _etch(arguments: Namespace, atoms: Atoms, thresholds: SiteThresholds, kv: float, dose: float) -> SiteEtching:
    import numpy as np

    from nanoslab.beam.loss.site_etching import Irradiation, etch_sites
    from nanoslab.beam.planning.targets import targets_under

    elements = tuple(dict.fromkeys(atoms.get_chemical_symbols()))
    conditions = _conditions(arguments, elements)
    irradiation = Irradiation(
        beam_energy_keV=kv,
        doses_e_per_A2=np.linspace(0, dose, N_DOSES),
        escape=conditions.escape,
        targets=targets_under(conditions, elements),
        beam_direction=arguments.beam,
    )
    relax = None
    if arguments.relax is not None:
        from nanoslab.cli.beam.relaxation import relaxation

        relax = relaxation(arguments.relax)
    return etch_sites(atoms, thresholds, irradiation, relax=relax, n_runs=arguments.runs, seed=arguments.seed)


def _dose(arguments: Namespace) -> float:
    from nanoslab.beam.checks import require_positive

    given = [name for name in ("dose", "dose_rate", "time") if getattr(arguments, name) is not None]
    if given not in (["dose"], ["dose_rate", "time"]):
        got = " ".join(f"--{name.replace('_', '-')}" for name in given) or "none of them"
        raise InputError("--dose", expected="--dose, or --dose-rate with --time", got=got)
    for name in given:
        require_positive(f"--{name.replace('_', '-')}", getattr(arguments, name), "")
    return float(arguments.dose or arguments.dose_rate * arguments.time)


def _ratio(text: str | None, elements: tuple[str, ...]) -> tuple[tuple[str, str], float | None]:
    """Elements of the ratio that is followed, by default the last over the first, and the value looked for."""
    if text is None:
        return (elements[-1], elements[0]), None
    names, _, number = text.partition("=")
    pair = tuple(names.split(":"))
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if len(pair) != 2 or not set(pair) <= set(elements) or not value > 0:
        raise InputError(
            "--ratio", expected=f"A:B=VALUE with A and B of {', '.join(elements)}", got=text, advice="such as Se:Cd=0.8"
        )
    return (pair[0], pair[1]), value


def _conditions(arguments: Namespace, elements: tuple[str, ...]) -> Conditions:
    from nanoslab.beam.conditions import Conditions
    from nanoslab.cli.beam.options import motion_of

    motion = motion_of(arguments, elements)
    if "velocity_tensors" in motion:  # of the structure's axes -> of the beam's
        import numpy as np

        from nanoslab.beam.loss.paths import beam_frame

        frame = beam_frame(arguments.beam)
        motion["velocity_tensors"] = {
            element: (frame @ np.array(tensor) @ frame.T).tolist()
            for element, tensor in motion["velocity_tensors"].items()
        }
    return Conditions(model=arguments.model, escape=arguments.escape, **motion)


def _document(
    kv: float, etching: SiteEtching, atoms: Atoms, pair: tuple[str, str], value: float | None
) -> dict[str, Any]:
    import numpy as np

    mean, spread = etching.ratio(*pair)
    symbols = np.array(atoms.get_chemical_symbols())
    layer_mean, layer_spread = etching.layer_ratio(*pair)
    layer_counts = {element: counts.mean(axis=1) for element, counts in etching.layer_counts.items()}
    rows = [
        {
            "dose_e_per_A2": float(dose),
            "atoms": {element: float(etching.mean_counts(element)[i]) for element in etching.counts},
            "ratio": float(mean[i]),
            "ratio_spread": float(spread[i]),
            "layer_atoms": {element: counts[:, i].tolist() for element, counts in layer_counts.items()},
            "layer_ratios": layer_mean[:, i].tolist(),
            "layer_ratio_spreads": layer_spread[:, i].tolist(),
        }
        for i, dose in enumerate(etching.doses_e_per_A2)
    ]
    document: dict[str, Any] = {
        "beam_energy_keV": kv,
        "rows": rows,
        "ratio": f"{pair[0]}:{pair[1]}",
        "cross_sections_barn": {e: float(etching.cross_sections_barn[symbols == e].max()) for e in etching.counts},
        "outcomes": {
            element: {name: float(n[:, -1].mean()) for name, n in by.items()}
            for element, by in etching.outcomes.items()
        },
        "counts": {element: n.tolist() for element, n in etching.counts.items()},
    }
    if value is not None:
        document["dose_at_ratio_e_per_A2"] = etching.dose_at_ratio(*pair, value)
    return document


def _write(atoms: Atoms, etching: SiteEtching, path: Path) -> None:
    from nanoslab.cli.structures import write_structures

    left = atoms.copy()
    del left[list(etching.last_removed)]
    if not len(left):
        raise InputError("--output", expected="atoms left at the end", got="none", advice="lower the dose")
    write_structures({path: left}, {})


def _print(documents: list[dict[str, Any]], shared: dict[str, Any], pair: tuple[str, str], value: float | None) -> None:
    for number, document in enumerate(documents):
        if len(documents) > 1:
            print(("\n" if number else "") + f"{document['beam_energy_keV']:g} kV")
        _print_voltage(document, pair, value)
    print_note(f"Thresholds: {'; '.join(shared['threshold_sources'])}.")
    print_note(KNOCK_ON_ALONE)
    for name in ("plot", "file"):
        if name in shared:
            print(f"wrote {shared[name]}")


def _print_voltage(document: dict[str, Any], pair: tuple[str, str], value: float | None) -> None:
    rows = document["rows"][:: (N_DOSES - 1) // (SHOWN - 1)]
    elements = list(rows[0]["atoms"])
    ratio = f"{pair[0]}:{pair[1]}"
    cells = [
        [
            f"{row['dose_e_per_A2']:.4g}",
            *[f"{row['atoms'][element]:.1f}" for element in elements],
            f"{row['ratio']:.3f}",
            f"{row['ratio_spread']:.3f}",
        ]
        for row in rows
    ]
    print_table(["dose [e/Å²]", *elements, ratio, "spread"], cells)
    if value is not None:
        print(_reached(document, ratio, value))
    for element, by in document["outcomes"].items():
        inside = by["interstitial"] + by["replacement"]
        print(
            f"{element} by then, mean of the runs: {by['exit face']:.1f} left through the exit face, "
            f"{by['sideways']:.1f} sideways, {by['freed']:.1f} lost their last neighbour; "
            f"knocked inside {inside:.1f} times ({by['replacement']:.1f} into the place of another atom)"
        )
    first, last = (document["rows"][i]["layer_atoms"] for i in (0, -1))
    for element in elements:
        shares = [f"{end / start:.2f}" for start, end in zip(first[element], last[element], strict=True) if start]
        print(f"{element} left at the end by layer, exit face first: {', '.join(shares)}")


def _reached(document: dict[str, Any], ratio: str, value: float) -> str:
    at, rows = document["dose_at_ratio_e_per_A2"], document["rows"]
    if at is not None:
        return f"{ratio} = {value:g} at {at:.3g} e/Å²"
    return f"{ratio} = {value:g} at no dose up to there: it goes from {rows[0]['ratio']:.3f} to {rows[-1]['ratio']:.3f}"

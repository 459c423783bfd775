"""Compare the stability of phases against temperature, by static energy plus vibrational free energy per atom.

Takes folders of 'nanoslab phonons', or analysed campaigns of the kind phonons, all of the same composition and level of
theory. The first is the reference. Differences are given with imaginary modes left out and with their frequencies taken
as real; the output says where the most stable phase depends on this choice. Harmonic, at fixed cells.

Example: nanoslab free-energy phonons-wz phonons-zb --plot phases.pdf
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.cli.output import add_json_option, print_json, print_study_tables
from nanoslab.errors import FileError

if TYPE_CHECKING:
    from nanoslab.energetics.free_energy import Phase

RECORD = "thermal.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("reference", type=Path, metavar="FOLDER", help="folder of 'nanoslab phonons' for the reference phase")
    add("phases", nargs="+", type=Path, metavar="FOLDER", help="folders of other phases of the same composition")
    add("--plot", type=Path, metavar="F", help="write a plot of the differences (.pdf, .svg, .png)")
    add("--allow-mismatch", action="store_true", help="subtract energies with different settings")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.energetics.free_energy import compare_phases
    from nanoslab.studies.phonons.free_energy import FreeEnergyResult
    from nanoslab.studies.phonons.plots import phase_plot

    reference, *others = phases = [_phase(folder) for folder in (arguments.reference, *arguments.phases)]
    compared = [compare_phases(phase, reference, allow_mismatch=arguments.allow_mismatch) for phase in others]
    result = FreeEnergyResult(
        study="free-energy", title="Free energy of phases", phases=tuple(phases), comparisons=tuple(compared)
    )
    if arguments.plot is not None:
        from nanoslab.report.draw import save_plot

        save_plot(phase_plot(result.to_dict()), arguments.plot)
    if arguments.json:
        print_json(result.to_dict())
    else:
        print_study_tables(result.tables())


def _phase(folder: Path) -> Phase:
    """Read what 'nanoslab phonons' left in a folder, or 'nanoslab analyze' in a campaign of phonons."""
    from nanoslab.studies.phonons.free_energy import phase_of

    again = "give the 'nanoslab phonons' command of that folder again: it computes what is missing"
    files = [file for file in (folder / RECORD, *sorted(folder.glob("results/*/results.json"))) if file.is_file()]
    if not files:
        expected = "a finished folder of 'nanoslab phonons'"
        raise FileError(folder, expected=expected, got=f"no {RECORD}", advice=again)
    try:
        return phase_of(str(folder), json.loads(files[0].read_text(encoding="utf-8")))
    except KeyError as missing:
        raise FileError(files[0], expected=f"a record with {missing.args[0]}", got="none", advice=again) from missing
    except (OSError, ValueError, TypeError) as error:
        raise FileError(files[0], expected="what 'nanoslab phonons' wrote", got=str(error), advice=again) from error

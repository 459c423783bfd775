"""Activation energy and prefactor from rates at several temperatures, with their intervals.

The file has two columns: temperature in K, and rate.

Example: nanoslab grow arrhenius rates.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nanoslab.cli.output import add_json_option, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, help="CSV with temperature [K] and rate")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Fit and print."""
    from ase import units

    from nanoslab.cli.measuring.inputs import read_columns
    from nanoslab.kinetics import fit_arrhenius

    fit = fit_arrhenius(*read_columns(arguments.file, 2)[:2])
    if arguments.json:
        document = {
            "barrier_eV": fit.barrier,
            "barrier_interval_eV": list(fit.barrier_interval),
            "prefactor": fit.prefactor,
            "prefactor_interval": list(fit.prefactor_interval),
            "r_squared": fit.r_squared,
            "confidence": fit.confidence,
            "beats_constant": fit.beats_constant,
        }
        print_json(document)
        return
    low, high = fit.barrier_interval
    molar = fit.barrier * units.mol / units.kJ
    print(f"activation energy {fit.barrier:.3f} eV ({molar:.1f} kJ/mol; 95 %: {low:.3f} to {high:.3f} eV)")
    low, high = fit.prefactor_interval
    print(f"prefactor {fit.prefactor:.3g} (95 %: {low:.2g} to {high:.2g}), R2 {fit.r_squared:.3f}")
    if not fit.beats_constant:
        print("no better than a constant rate: the interval of the activation energy holds zero")

"""Two isomers that change into one another: fraction of the second against time, or rate constants of a measured one.

The file to fit has two columns: time in s, and fraction of the second isomer.

Examples:
  nanoslab grow isomers --rates 1e-3 2e-4 --time 3600
  nanoslab grow isomers --fit course.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nanoslab.cli.kinetics.options import show
from nanoslab.cli.output import add_json_option, print_json
from nanoslab.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--rates", type=float, nargs=2, metavar="K", help="there and back [1/s]")
    add("--start", type=float, default=0.0, metavar="X", help="fraction of the second isomer at the start (default: 0)")
    add("--time", type=float, metavar="S", help="how long [s]")
    add("--points", type=int, default=11, metavar="N", help="rows of the table (default: 11)")
    add("--fit", type=Path, metavar="FILE", help="CSV with time [s] and fraction of the second isomer")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Predict, or fit."""
    from nanoslab.cli.kinetics.options import times
    from nanoslab.cli.measuring.inputs import read_columns
    from nanoslab.kinetics import fit_rates, isomer_fraction

    if (arguments.fit is None) == (arguments.rates is None):
        raise InputError("--rates", expected="either --rates and --time, or --fit", got="neither, or both")
    if arguments.fit is None:
        if arguments.time is None:
            raise InputError("--time", expected="how long [s]", got="none")
        when = times(arguments)
        forward, backward = arguments.rates
        fractions = isomer_fraction(forward, backward, when, start=arguments.start)
        show(arguments, {"time_s": when, "fraction": fractions})
        return
    when, observed = read_columns(arguments.fit, 2)[:2]
    guess = {"forward_per_s": 1 / when[-1], "backward_per_s": 1 / when[-1]}
    fit = fit_rates(lambda k: isomer_fraction(k[0], k[1], when, start=arguments.start), observed, guess)
    document = {
        name: {"rate": rate, "interval": list(interval)}
        for name, rate, interval in zip(fit.names, fit.rates, fit.intervals, strict=True)
    }
    if arguments.json:
        print_json({**document, "rms": fit.rms, "rms_of_constant": fit.rms_of_constant, "confidence": fit.confidence})
        return
    for name, rate, (low, high) in zip(fit.names, fit.rates, fit.intervals, strict=True):
        print(f"{name}: {rate:.4g} (95 %: {low:.3g} to {high:.3g})")
    print(f"deviation {fit.rms:.2g}, of a constant {fit.rms_of_constant:.2g}")

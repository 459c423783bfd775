"""Cation exchange of a structure atom by atom: neighbours swap, surface atoms exchange with the solution.

Barriers come from bands ('nanoslab new cds-vacancy-hop'); --gain is the energy set free by one exchange.

Example:
  nanoslab diffuse atoms dot.xyz Pb Cd --barrier 1.2 --surface-barrier 1 --gain 0.3 --temperature 420
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nanoslab.cli.kinetics.options import energy, show
from nanoslab.cli.output import add_json_option


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("structure", type=Path, help="structure file")
    add("species", nargs=2, metavar="ELEMENT", help="cation it starts with, and the one that comes in")
    add("--barrier", type=energy, required=True, metavar="E", help="of a swap of two neighbours [eV, or kJ/mol]")
    add("--surface-barrier", type=energy, required=True, metavar="E", help="of an exchange with the solution")
    add("--unlike-pair", type=energy, default=0.0, metavar="E", help="energy of two unlike neighbours (default: 0)")
    add("--gain", type=energy, default=0.0, metavar="E", help="energy set free by one exchange (default: 0)")
    add("--attempts", type=float, default=1e13, metavar="HZ", help="attempt frequency [1/s] (default: 1e13)")
    add("--temperature", type=float, required=True, metavar="K", help="[K]")
    add("--events", type=int, default=10_000, metavar="N", help="most events (default: 10000)")
    add("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    add("-o", "--output", type=Path, metavar="FILE", help="structure at the end")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Walk, print the fraction against time, and write the last structure."""
    import numpy as np

    from nanoslab.cli.measuring.inputs import read_atoms
    from nanoslab.kinetics import ExchangeRates, walk_exchange

    atoms = read_atoms(arguments.structure)
    rates = ExchangeRates(
        barrier=arguments.barrier,
        surface_barrier=arguments.surface_barrier,
        unlike_pair=arguments.unlike_pair,
        gain=arguments.gain,
        prefactor_per_s=arguments.attempts,
    )
    walk = walk_exchange(
        atoms, arguments.species, rates, arguments.temperature, n_events=arguments.events, seed=arguments.seed
    )
    if arguments.output:
        from nanoslab.cli.structures import structure_text
        from nanoslab.files import write_atomically

        end = atoms.copy()
        symbols = np.array(end.get_chemical_symbols(), dtype="U2")
        symbols[walk.sites] = np.where(walk.is_second[-1], arguments.species[1], arguments.species[0])
        end.set_chemical_symbols(symbols.tolist())
        write_atomically(arguments.output, structure_text(end, arguments.output))
    chosen = np.unique(np.linspace(0, len(walk.times_s) - 1, 12).round().astype(int))
    columns = {"time_s": walk.times_s[chosen], "fraction": walk.fractions[chosen]}
    show(arguments, columns, n_sites=len(walk.sites), n_events=walk.n_events)

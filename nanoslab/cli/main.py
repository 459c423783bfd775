"""Entry point: find the sub-command, import its file alone, and turn errors into exit codes.

A command file defines ``add_arguments(parser)`` and ``run(arguments)``; a group of commands
defines ``COMMANDS`` (name -> module and summary) instead.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from nanoslab import __version__
from nanoslab.errors import NanoslabError, unknown_name
from nanoslab.text import printable

DESCRIPTION = "Simulate nanocrystals under an electron beam: structures, VASP input sets, runs, energies, knock-on."

#: sub-command -> (module below nanoslab.cli, one-line summary)
COMMANDS: Mapping[str, tuple[str, str]] = {
    "knockon": ("beam.knockon", "largest energy transferred to an atom, threshold voltage, cross-section"),
    "dose": ("beam.dose", "dose of an exposure, losses by knock-on, safe voltage and dose"),
    "etch": ("beam.etch", "composition of a structure against dose, by kinetic Monte Carlo"),
    "build": ("building", "nanosheets, vacancies, necks, ligated double slabs, nanocrystals"),
    "structures": ("building.listing", "crystals and molecules that ship with nanoslab, and their sources"),
    "new": ("campaign.new", "print a commented study file to start from"),
    "write": ("campaign.write", "write a study as a campaign with VASP input sets"),
    "run": ("campaign.run", "compute a campaign or study on this machine, with an embedded engine"),
    "submit": ("campaign.submit", "run a campaign on a cluster"),
    "status": ("campaign.status", "state of every calculation of a campaign"),
    "cancel": ("campaign.cancel", "stop the jobs of a campaign; their output is kept"),
    "read": ("runs.read", "read any VASP run folders and check their convergence"),
    "compare": ("runs.compare", "two VASP runs: what differs, and whether energies may be subtracted"),
    "formation": ("runs.formation", "formation energies of vacancies from any VASP run folders"),
    "validate": ("campaign.validate", "compare published values with those of every engine"),
    "scatter": ("measuring.scatter", "X-ray or electron scattering of a structure, G(r), sizes; fits to measured data"),
    "search": ("measuring.search", "reconstructions of a surface or defect: distinct minima from displaced starts"),
    "image": ("measuring.image", "HRTEM or HAADF images of a structure with noise; spacings, also in measured images"),
    "strain": ("measuring.strain", "lattice constant, strain of every atom, surface and stacking faults of a particle"),
    "reconstruct": ("measuring.reconstruct", "projections of a particle with noise, and the atoms found from them"),
    "interface": ("measuring.interface", "energy of the interface of two crystals, and strain energy of their layers"),
    "phonons": ("measuring.phonons", "vibrational free energy, imaginary modes and thermal motion of a structure"),
    "free-energy": ("runs.free_energy", "most stable phase of one composition against temperature"),
    "barrier": ("kinetics.barrier", "nudged elastic bands as VASP input sets, and their energies read back"),
    "diffuse": ("kinetics.diffuse", "exchange by diffusion: fronts, mixing, hollowing, atom by atom"),
    "grow": ("kinetics.grow", "growth of clusters, isomers, rate constants from measured courses"),
    "analyze": ("campaign.analyze", "results of a campaign: tables, JSON, CSV, plots, HTML report"),
    "export": ("campaign.export", "a campaign as a bundle for others: structures, energies, tables, provenance"),
    "completion": ("completion", "completion of commands and options in bash, zsh or fish"),
}


class Parser(argparse.ArgumentParser):
    """Argument parser whose error is one line that says what to do next."""

    def error(self, message: str) -> NoReturn:
        """Print one line, with the closest option or choice, and leave with 2."""
        close = closest(message, self._option_string_actions)
        advice = f"; did you mean {' or '.join(close)}?" if close else ""
        sys.stderr.write(f"{self.prog}: {message}{advice}; see '{self.prog} --help'\n")
        raise SystemExit(2)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the description; asks for the terminal's width without importing shutil."""

    def __init__(self, prog: str) -> None:
        try:
            width = os.get_terminal_size().columns
        except OSError:
            width = 100
        super().__init__(prog, width=max(width, 40) - 2)


def closest(message: str, options: Iterable[str]) -> list[str]:
    """Options or choices nearest to what argparse's message complains about."""
    import difflib
    import re

    choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if choice:
        wrong, allowed = [choice[1]], [name.strip(" '") for name in choice[2].split(",")]
    else:
        _, _, rest = message.partition("unrecognized arguments:")
        wrong, allowed = [word.split("=")[0] for word in rest.split() if word.startswith("-")], list(options)
    found = [name for word in wrong for name in difflib.get_close_matches(word, allowed, n=1, cutoff=0.5)]
    return list(dict.fromkeys(found))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when it did its job, 2 on the user's or a file's fault."""
    if "_ARGCOMPLETE" in os.environ:
        from nanoslab.cli.completion import answer_shell

        answer_shell(Parser(prog="nanoslab"), COMMANDS)
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _dispatch(arguments, "nanoslab", DESCRIPTION, COMMANDS)
        sys.stdout.flush()
    except NanoslabError as error:
        for fault in str(error).splitlines():
            sys.stderr.write(f"nanoslab: {printable(' '.join(fault.split()))}\n")
        return 2
    except BrokenPipeError:
        # The reader (`| head`) went away; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk or a folder that cannot be written is the machine's state, not our bug
        if error.filename is None:
            raise
        sys.stderr.write(
            f"nanoslab: {printable(error.filename)}: {error.strerror}; check the path, its rights and the disk\n"
        )
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("nanoslab: interrupted; run the same command again to go on\n")
        return 130
    return 0


def _dispatch(argv: list[str], prog: str, description: str, commands: Mapping[str, tuple[str, str]]) -> None:
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview(prog, description, commands))
        return
    if argv[0] == "--version":
        print(f"nanoslab {__version__}")
        return
    if argv[0] not in commands:
        raise unknown_name(f"{prog} command", argv[0], commands)
    name, summary = commands[argv[0]]
    module = import_module(f"nanoslab.cli.{name}")
    if hasattr(module, "COMMANDS"):
        _dispatch(argv[1:], f"{prog} {argv[0]}", summary, module.COMMANDS)
        return
    parser = Parser(prog=f"{prog} {argv[0]}", description=module.__doc__, formatter_class=HelpFormatter)
    module.add_arguments(parser)
    module.run(parser.parse_args(argv[1:]))


def _overview(prog: str, description: str, commands: Mapping[str, tuple[str, str]]) -> str:
    width = max(map(len, commands))
    rows = "\n".join(f"  {name:<{width}}  {summary}" for name, (_, summary) in commands.items())
    return f"{description}\n\nusage: {prog} COMMAND [--help] [--json] ...\n\ncommands:\n{rows}"

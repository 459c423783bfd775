"""Completion of commands, options and choices in a shell: print the code that switches it on.

Example: nanoslab completion bash >> ~/.bashrc

For zsh: nanoslab completion zsh >> ~/.zshrc
For fish: nanoslab completion fish > ~/.config/fish/completions/nanoslab.fish
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="whose code to print")


def run(arguments: argparse.Namespace) -> None:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["nanoslab"], shell=arguments.shell))


def answer_shell(parser: argparse.ArgumentParser, commands: Mapping[str, tuple[str, str]]) -> None:
    """Answer the question that a shell asks through its environment, and leave."""
    import argcomplete

    argcomplete.autocomplete(whole_parser(parser, commands), always_complete_options="long")


def whole_parser(parser: argparse.ArgumentParser, commands: Mapping[str, tuple[str, str]]) -> argparse.ArgumentParser:
    """Parser of the whole command line, from an empty one; a run of a command builds that command's alone."""
    parser.add_argument("--version", action="store_true")
    _add_commands(parser, commands)
    return parser


def _add_commands(parser: argparse.ArgumentParser, commands: Mapping[str, tuple[str, str]]) -> None:
    below = parser.add_subparsers()
    for name, (module_name, summary) in commands.items():
        module = import_module(f"nanoslab.cli.{module_name}")
        command = below.add_parser(name, help=summary)
        if hasattr(module, "COMMANDS"):
            _add_commands(command, module.COMMANDS)
        else:
            module.add_arguments(command)

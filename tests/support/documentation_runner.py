"""Runs the code blocks of a page in one folder; see `documentation` for how they are read."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

from documentation import Block, Step, agrees, console_steps, find_blocks, unified

_SHELL_SIGNS = set("|&;<>$`*?\\\n~#")
#: these start processes of their own, which must not inherit this one
_APART = ("run", "submit")
_ENVIRONMENT = {"MPLBACKEND": "agg", "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}


@dataclass(slots=True, kw_only=True)
class Page:
    """A page being run: its folder, the namespace of its Python blocks, and what did not agree."""

    path: Path
    folder: Path
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})
    failures: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    outputs: dict[int, list[str]] = field(default_factory=dict)
    """Line of the block -> what its commands printed."""


def run_page(path: Path, folder: Path, *, slow: bool, before: Mapping[str, str] | None = None) -> Page:
    """Run the blocks of a page in order; those that are slow only when asked."""
    page = Page(path=path, folder=folder)
    blocks = find_blocks(path.read_text(encoding="utf-8"))
    with contextlib.chdir(folder), _environment({**_ENVIRONMENT, **(before or {})}):
        for block, following in zip_longest(blocks, blocks[1:]):
            reason = _reason_to_skip(block, slow=slow)
            if reason is not None:
                page.skipped.append(f"{path.name}:{block.line}: {reason}")
            elif block.language:
                _run_block(page, block, following)
    return page


def prepare(path: Path, folder: Path, root: Path) -> None:
    """Put into the folder what a reader of the page has: shipped files, and runs for the page on reading them."""
    for shipped in ("workflows", "structures"):
        copytree(root / shipped, folder / shipped, ignore=ignore_patterns("reference_results"))
    if path.name == "post-process.md":
        from documentation_runs import write_example_runs

        write_example_runs(folder)


def _reason_to_skip(block: Block, *, slow: bool) -> str | None:
    if block.skip_reason is not None:
        return block.skip_reason
    missing = [module for module in block.needs if find_spec(module) is None]
    if missing:
        return f"needs {', '.join(missing)}, which is not installed"
    return "slow" if block.slow and not slow else None


def _run_block(page: Page, block: Block, following: Block | None) -> None:
    if (command := block.note("made by")) is not None:
        _step(page, block, Step(command=command, expected=block.code))
    elif (name := block.note("file")) is not None:
        (page.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (page.folder / name).write_text(block.code + "\n", encoding="utf-8")
    elif block.language == "console":
        for step in console_steps(block.code):
            _step(page, block, step)
    elif block.language == "bash":
        _step(page, block, Step(command=block.code, expected=None))
    elif block.language == "python":
        _python(page, block, following if following is not None and following.language == "text" else None)
    elif block.language not in ("text", "{toctree}", "{include}", "{eval-rst}"):
        page.failures.append(f"{page.path.name}:{block.line}: {block.language} block without a file or test comment")


def _step(page: Page, block: Block, step: Step) -> None:
    status, output = run_command(step.command, page.folder)
    page.outputs.setdefault(block.line, []).append(output)
    where = f"{page.path.name}:{block.line}: $ {step.command}"
    if status != block.exit_status:
        page.failures.append(f"{where}\nexit status {status}, expected {block.exit_status}\n{output}")
    elif step.expected is not None and not agrees(step.expected, output):
        page.failures.append(f"{where}\n{unified(step.expected, output)}")


def run_command(command: str, folder: Path) -> tuple[int, str]:
    """Exit status and output of a command; plain nanoslab commands run here, which spares their start."""
    lines = command.replace("\\\n", " ").splitlines()
    if lines and all(map(_is_plain, lines)):
        stream, status = io.StringIO(), 0
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            for line in lines:
                status = status or _run_here(shlex.split(line, comments=True)[1:])
        return status, stream.getvalue()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def _is_plain(line: str) -> bool:
    words = shlex.split(line, comments=True) if not _SHELL_SIGNS & set(line) else []
    return len(words) > 1 and words[0] == "nanoslab" and words[1] not in _APART


def _run_here(arguments: list[str]) -> int:
    from nanoslab.cli.main import main

    try:
        return main(arguments)
    except SystemExit as left:
        return int(left.code or 0)


def _python(page: Page, block: Block, shown: Block | None) -> None:
    stream = io.StringIO()
    try:
        with contextlib.redirect_stdout(stream):
            run_cell(block.code, page.namespace, f"{page.path.name}:{block.line}")
    except Exception as error:  # noqa: BLE001  a page may fail in any way, and the others must still be run
        page.failures.append(f"{page.path.name}:{block.line}: {type(error).__name__}: {error}")
        return
    output = stream.getvalue()
    page.outputs.setdefault(block.line, []).append(output)
    if shown is None and output:
        page.failures.append(f"{page.path.name}:{block.line}: prints, but shows nothing:\n{output}")
    elif shown is not None and not agrees(shown.code, output):
        page.failures.append(f"{page.path.name}:{block.line}: {unified(shown.code, output)}")


def run_cell(code: str, namespace: dict[str, Any], name: str) -> None:
    """Run code as a notebook does: the value of a last expression is printed."""
    tree = ast.parse(code, filename=name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)  # noqa: S102  the pages are ours
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)  # noqa: S307
        if value is not None:
            print(repr(value))


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

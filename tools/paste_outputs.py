"""Run the code blocks of documentation pages and paste what they print now; printed outputs that agree stay.

Example: python tools/paste_outputs.py docs/knock-on.md            (--slow for the blocks that take minutes)

Look at the difference before committing it: a changed number is a changed result.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support")]

from documentation import Block, agrees, console_steps, find_blocks  # noqa: E402
from documentation_runner import Page, prepare, run_page  # noqa: E402


def main() -> None:
    """Paste, page by page."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--slow", action="store_true")
    arguments = parser.parse_args()
    for path in arguments.pages:
        with TemporaryDirectory() as folder:
            prepare(path.resolve(), Path(folder), ROOT)
            page = run_page(path.resolve(), Path(folder), slow=arguments.slow)
        pasted(path, page)
        for failure in page.failures:
            if "exit status" in failure or "Error" in failure:
                print(failure)


def pasted(path: Path, page: Page) -> None:
    """Write the page with its outputs, last block first so that line numbers hold."""
    lines = path.read_text(encoding="utf-8").splitlines()
    blocks = find_blocks("\n".join(lines))
    for block, following in reversed(list(zip_longest(blocks, blocks[1:]))):
        outputs = page.outputs.get(block.line)
        if outputs is None:
            continue
        if block.language == "console":
            replace_code(lines, block, console_text(block, outputs))
        elif block.note("made by") is not None and not agrees(block.code, outputs[0]):
            replace_code(lines, block, outputs[0].strip("\n"))
        elif following is not None and following.language == "text" and not agrees(following.code, outputs[0]):
            replace_code(lines, following, outputs[0].strip("\n"))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def console_text(block: Block, outputs: list[str]) -> str:
    """Commands, each with what it printed."""
    parts = []
    for step, output in zip(console_steps(block.code), outputs, strict=True):
        shown = step.expected if agrees(step.expected or "", output) else output
        parts.append(f"$ {step.command}\n{(shown or '').strip(chr(10))}".rstrip("\n"))
    return "\n".join(parts)


def replace_code(lines: list[str], block: Block, code: str) -> None:
    """Put other code between the fences of a block."""
    first = block.line
    last = next(i for i in range(first, len(lines)) if lines[i].strip().startswith("```"))
    lines[first:last] = [f"{block.indent}{line}".rstrip() for line in code.splitlines()]


if __name__ == "__main__":
    main()

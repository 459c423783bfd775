"""Code blocks of a Markdown page: found, run in order in one folder, and their output compared with what is printed.

How a block is read, by the language of its fence:

``console``   lines that start with ``$`` are commands; what follows each is its output
``bash``      commands without shown output; must succeed
``python``    run in one namespace per page, as a notebook; a ``text`` block right below is the output
``yaml`` ...  any other named language: a file, named by ``<!-- file: NAME -->`` on the line above
no language   a picture; not run

``<!-- test: ... -->`` above a block says more, separated by commas: ``slow``, ``needs chgnet`` (a module),
``exit 2``, ``skip: reason``. ``<!-- made by: COMMAND -->`` above a block says that it is the output of that command.
Blocks that install with pip are run by the release check, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w{}-]*)[^\n`]*$")
_COMMENT = re.compile(r"^\s*<!-- (?P<key>test|file|made by): (?P<value>.*?) -->\s*$")
_NUMBER = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?")
_PIECE = re.compile(rf"(?P<any>\.\.\.)|(?P<number>{_NUMBER.pattern})|(?P<space>\s+)|(?P<text>.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block: where it stands, what it holds, and what is said about it."""

    line: int
    language: str
    code: str
    indent: str = ""
    notes: tuple[tuple[str, str], ...] = ()

    def note(self, key: str) -> str | None:
        """Value of the comment ``key`` above the block."""
        return dict(self.notes).get(key)

    @property
    def options(self) -> tuple[str, ...]:
        """What ``test:`` says, such as ``("slow", "needs chgnet")``."""
        said = self.note("test") or ""
        return (said,) if said.startswith("skip:") else tuple(part.strip() for part in said.split(",") if part.strip())

    @property
    def skip_reason(self) -> str | None:
        """Why this block is not run at all."""
        if any(option.startswith("skip:") for option in self.options):
            return self.options[0].removeprefix("skip:").strip()
        return "installs; the release check runs it" if self.language == "bash" and "pip install" in self.code else None

    @property
    def slow(self) -> bool:
        """Whether the block takes more than seconds."""
        return "slow" in self.options or (self.note("made by") or "").startswith("nanoslab run")

    @property
    def needs(self) -> tuple[str, ...]:
        """Modules without which the block cannot run."""
        return tuple(o.removeprefix("needs ") for o in self.options if o.startswith("needs "))

    @property
    def exit_status(self) -> int:
        """Exit status that the last command must have."""
        return next((int(o.removeprefix("exit ")) for o in self.options if o.startswith("exit ")), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command and its printed output, None where nothing is printed."""

    command: str
    expected: str | None


def find_blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, in order.

    Examples
    --------
    >>> [block.language for block in find_blocks("```python\\n1 + 1\\n```\\n```text\\n2\\n```\\n")]
    ['python', 'text']
    """
    blocks: list[Block] = []
    lines = text.splitlines()
    notes: list[tuple[str, str]] = []
    i = 0
    while i < len(lines):
        if comment := _COMMENT.match(lines[i]):
            notes.append((comment["key"], comment["value"]))
        elif fence := _FENCE.match(lines[i]):
            end = next(j for j in range(i + 1, len(lines)) if lines[j].strip() == fence["ticks"])
            code = "\n".join(line.removeprefix(fence["indent"]) for line in lines[i + 1 : end])
            blocks.append(
                Block(line=i + 1, language=fence["language"], code=code, indent=fence["indent"], notes=tuple(notes))
            )
            notes = []
            i = end
        elif lines[i].strip():
            notes = []
        i += 1
    return blocks


def console_steps(code: str) -> Iterator[Step]:
    """Commands of a console block, each with the output below it.

    Examples
    --------
    >>> list(console_steps("$ echo a\\na"))
    [Step(command='echo a', expected='a')]
    """
    parts = re.split(r"^\$ ", code, flags=re.MULTILINE)
    for part in parts[1:]:
        lines = part.split("\n")
        n_command = 1 + next((i for i, line in enumerate(lines) if not line.endswith("\\")), 0)
        yield Step(command="\n".join(lines[:n_command]), expected="\n".join(lines[n_command:]).rstrip("\n"))


def agrees(expected: str, got: str) -> bool:
    """Whether an output is the printed one: blanks count alike, ``...`` stands for anything, decimals may round.

    Numbers with a decimal point may differ by 1.5 units of the last printed digit: another processor sums in
    another order.

    Examples
    --------
    >>> agrees("energy 1.234 eV", "energy   1.235 eV"), agrees("1.23", "1.26"), agrees("a ... z", "a b c z")
    (True, False, True)
    """
    pattern, printed = _pattern(expected.strip())
    match = pattern.fullmatch(got.strip())
    if match is None:
        return False
    found = [float(text) for text in match.groups()]
    return all(abs(a - float(b)) <= 1.5 * _last_digit(b) for a, b in zip(found, printed, strict=True))


def unified(expected: str, got: str) -> str:
    """Show what differs, line by line."""
    import difflib

    return "\n".join(difflib.unified_diff(expected.splitlines(), got.splitlines(), "printed", "now", lineterm=""))


def _pattern(expected: str) -> tuple[re.Pattern[str], Sequence[str]]:
    parts, numbers = [], []
    for piece in _PIECE.finditer(expected):
        if piece["any"]:
            parts.append(r".*?")
        elif piece["number"]:
            parts.append(f"({_NUMBER.pattern})")
            numbers.append(piece["number"])
        else:
            parts.append(r"\s+" if piece["space"] else re.escape(piece["text"]))
    # rules under column titles are as long as the longest cell
    return re.compile(re.sub(r"(\\-){3,}", r"-+", "".join(parts)), re.DOTALL), numbers


def _last_digit(number: str) -> float:
    mantissa, _, exponent = number.lower().partition("e")
    return float(10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])))

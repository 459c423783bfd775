"""Cut and damage VASP files at random places and hold the reader to its promises.

Run by itself for a long campaign::

    python tests/vasp/fuzz_reader.py --cuts 20000 [--flips 5000] [--mutations 30000] [--seed 1] [FOLDER ...]

Promises: nothing but a `NanoslabError` leaves; a cut file is never complete nor converged; its ionic steps are,
bit for bit, the first ones of the whole file, as many as had come to their end before the cut.

Mutations are what happens to files between the cluster and the reader: joined, beheaded, a piece lost or doubled, a
line lost or doubled, a digit changed. For each kind the run counts how many made a run newly converged, and how many
changed the energy of a converged run; neither must go without a problem or a note (figures: docs/post-process.md).
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import importlib.util
import json
import lzma
import random
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from nanoslab.errors import NanoslabError
from nanoslab.vasp import RunResult, read_run

# where an ionic step is finished, found without the reader: the end of its energy
_VASPRUN_STEP = re.compile(rb"\n  <energy>.*?</energy>", re.DOTALL)
_OUTCAR_STEP = re.compile(
    rb"(?<!ML )FREE ENERGIE OF THE ION-ELECTRON SYSTEM.*?energy  without entropy=[^\n]*\n", re.DOTALL
)
_LARGEST = 3 << 20


@dataclass(frozen=True)
class Sample:
    """One whole file and where its ionic steps end."""

    name: str
    kind: str
    content: bytes
    whole: RunResult
    ends: tuple[int, ...]


class BrokenPromiseError(AssertionError):
    """The reader did what it must not."""


def sample(name: str, kind: str, content: bytes, folder: Path) -> Sample:
    """Read a whole file once."""
    pattern = _VASPRUN_STEP if kind == "vasprun" else _OUTCAR_STEP
    path = folder / _file_name(kind)
    path.write_bytes(content)
    ends = tuple(found.end() for found in pattern.finditer(content))
    return Sample(name, kind, content, read_run(path), ends)


def _file_name(kind: str) -> str:
    return "vasprun.xml" if kind == "vasprun" else "OUTCAR"


def check_cut(sample: Sample, at: int, folder: Path) -> None:
    """Cut a file after `at` bytes and compare with what had been finished there."""
    path = folder / _file_name(sample.kind)
    path.write_bytes(sample.content[:at])
    expected = sample.whole.steps[: sum(end <= at for end in sample.ends)]
    run = _read(path, f"{sample.name} cut at {at}")
    if run is None:
        return
    if run.complete or run.converged:
        raise BrokenPromiseError(f"{sample.name} cut at {at} of {len(sample.content)}: called complete")
    if run.steps != expected:
        raise BrokenPromiseError(f"{sample.name} cut at {at}: {run.steps[-1:]} instead of {expected[-1:]}")
    energy = expected[-1].energy if expected else None
    if run.energy != energy:
        raise BrokenPromiseError(f"{sample.name} cut at {at}: energy {run.energy} instead of {energy}")


def check_flips(sample: Sample, places: list[tuple[int, int]], folder: Path) -> None:
    """Overwrite single bytes; whatever comes out, nothing but our own errors may leave."""
    content = bytearray(sample.content)
    for at, byte in places:
        content[at % len(content)] = byte
    path = folder / _file_name(sample.kind)
    path.write_bytes(content)
    what = f"{sample.name} with {places}"
    run = _read(path, what)
    if run is None:
        return
    json.dumps(run.to_dict(), allow_nan=False)
    for use in (run.to_atoms, run.trajectory):
        try:
            use()
        except NanoslabError:
            pass
        except Exception as error:
            raise BrokenPromiseError(f"{what}: {type(error).__name__}: {error}") from error


def joined(text: bytes, other: bytes, chance: random.Random) -> bytes:
    """Two files, whole or cut, one behind the other."""
    first = text if chance.random() < 0.5 else text[: chance.randrange(len(text))]
    return first + chance.choice((text, other))


def beheaded(text: bytes, _other: bytes, chance: random.Random) -> bytes:
    """The beginning is missing."""
    return text[chance.randrange(1, len(text)) :]


def piece_lost(text: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Some lines in the middle are missing."""
    start, end = sorted((_line_start(text, chance), _line_start(text, chance)))
    return text[:start] + text[end:]


def piece_doubled(text: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Some lines in the middle are there twice."""
    start, end = sorted((_line_start(text, chance), _line_start(text, chance)))
    return text[:end] + text[start:]


def line_lost(text: bytes, _other: bytes, chance: random.Random) -> bytes:
    """One line is missing."""
    start = _line_start(text, chance)
    return text[:start] + text[start:].partition(b"\n")[2]


def line_doubled(text: bytes, _other: bytes, chance: random.Random) -> bytes:
    """One line is there twice."""
    start = _line_start(text, chance)
    line = text[start:].partition(b"\n")[0] + b"\n"
    return text[:start] + line + text[start:]


def digit_changed(text: bytes, _other: bytes, chance: random.Random) -> bytes:
    """One digit is another; every second time in a line that names an energy or a limit."""
    lines = [found.span() for found in re.finditer(rb"[^\n]*(?:TOTEN|sigma|energy|EDIFF|NELM|NSW)[^\n]*", text)]
    start, end = chance.choice(lines) if lines and chance.random() < 0.5 else (0, len(text))
    digits = [found.start() for found in re.finditer(rb"\d", text[start:end])]
    if not digits:
        return text
    at = start + chance.choice(digits)
    new = chance.choice([digit for digit in b"0123456789" if digit != text[at]])
    return text[:at] + bytes([new]) + text[at + 1 :]


OUTCOMES = ("same", "told", "newly converged", "energy changed")
MUTATIONS = (joined, beheaded, piece_lost, piece_doubled, line_lost, line_doubled, digit_changed)


def _line_start(text: bytes, chance: random.Random) -> int:
    return text.find(b"\n", chance.randrange(len(text))) + 1


def judge_mutation(sample: Sample, content: bytes, folder: Path) -> str:
    """What a changed file made of a run: ``same``, ``told``, ``newly converged`` or ``energy changed``."""
    path = folder / _file_name(sample.kind)
    path.write_bytes(content)
    run = _read(path, f"{sample.name} changed")
    if run is None or not run.converged or run.energy is None or set(run.notes) - set(sample.whole.notes):
        return "told"
    if not sample.whole.converged:
        return "newly converged"
    return "same" if abs(run.energy - sample.whole.energy) < 1e-6 else "energy changed"


def mutate(samples: list[Sample], number: int, chance: random.Random, folder: Path) -> dict[str, Counter[str]]:
    """Change files at random; for each kind of change how often which of the four came out."""
    counts: dict[str, Counter[str]] = {mutation.__name__: Counter() for mutation in MUTATIONS}
    for i in range(number):
        mutation = MUTATIONS[i % len(MUTATIONS)]
        chosen = chance.choice(samples)
        other = chance.choice([other for other in samples if other.kind == chosen.kind])
        content = mutation(chosen.content, other.content, chance)
        outcome = judge_mutation(chosen, content, folder)
        counts[mutation.__name__][outcome] += 1
        if outcome in ("newly converged", "energy changed"):
            where = next((n for n, (a, b) in enumerate(zip(chosen.content, content, strict=False)) if a != b), -1)
            line = content[content.rfind(b"\n", 0, where) + 1 : content.find(b"\n", where)]
            print(f"{mutation.__name__}, {outcome}: {chosen.name} at byte {where}: {line[:90].decode('latin-1')!r}")
    return counts


def _read(path: Path, what: str) -> RunResult | None:
    try:
        return read_run(path)
    except NanoslabError:
        return None
    except Exception as error:
        raise BrokenPromiseError(f"{what}: {type(error).__name__}: {error}") from error


def samples_of(root: Path, folder: Path) -> list[Sample]:
    """Real files below a folder that can be cut: whole and not too large."""
    samples = []
    for path in sorted(root.rglob("*")):
        kind = "vasprun" if "vasprun" in path.name and ".xml" in path.name else "OUTCAR"
        if not path.is_file() or not (kind == "vasprun" or path.name.startswith("OUTCAR")):
            continue
        content = _content(path)
        if 2000 < len(content) <= _LARGEST:
            try:
                found = sample(str(path.relative_to(root)), kind, content, folder)
            except NanoslabError:
                continue
            if found.whole.complete and len(found.ends) == len(found.whole.steps):
                samples.append(found)
    return samples


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    for magic, open_it in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
        if content.startswith(magic):
            return open_it(content)
    return content


def synthetic_samples(folder: Path) -> list[Sample]:
    """Files of the small writers: old and new VASP, several steps."""
    writers = _writers()
    samples = []
    for version in ("4.6.35", "5.4.4", "6.4.2"):
        run = writers.Run(version=version, steps=tuple(writers.shifted(-20.0 - i / 7) for i in range(4)))
        samples.append(sample(f"synthetic vasprun {version}", "vasprun", writers.vasprun(run), folder))
        samples.append(sample(f"synthetic OUTCAR {version}", "OUTCAR", writers.outcar(run), folder))
    return samples


def _writers():
    spec = importlib.util.spec_from_file_location(
        "vasp_writers", Path(__file__).parents[1] / "support" / "vasp_writers.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def last_byte_that_matters(content: bytes) -> int:
    """Cuts behind it take away blanks only."""
    return len(content.rstrip(b" \t\r\n\0"))


def main() -> None:
    """Run a campaign and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="folders of real runs to cut, too")
    parser.add_argument("--cuts", type=int, default=20000)
    parser.add_argument("--flips", type=int, default=5000)
    parser.add_argument("--mutations", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = synthetic_samples(folder)
        for root in arguments.folders:
            samples += samples_of(root, folder)
        print(f"{len(samples)} files")
        broken = 0
        for i in range(arguments.cuts + arguments.flips):
            chosen = samples[i % len(samples)]
            size = last_byte_that_matters(chosen.content)
            try:
                if i < arguments.cuts:
                    check_cut(chosen, chance.randrange(size), folder)
                else:
                    n_flips = chance.choice((1, 1, 2, 5, 30))
                    places = [(chance.randrange(size), chance.randrange(256)) for _ in range(n_flips)]
                    check_flips(chosen, places, folder)
            except BrokenPromiseError as error:
                broken += 1
                print(error)
        for mutation, count in mutate(samples, arguments.mutations, chance, folder).items():
            print(f"| {mutation} | {' | '.join(str(count[outcome]) for outcome in OUTCOMES)} |")
    seconds = time.perf_counter() - start
    print(f"{arguments.cuts} cuts and {arguments.flips} damages in {seconds:.0f} s: {broken} broken promises")
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()

"""Cut and damage VASP files at random places and hold the reader to its promises.

Run by itself for a long campaign::

    python tests/vasp/fuzz_reader.py --cuts 20000 [--flips 5000] [--seed 1] [FOLDER ...]

Promises: nothing but a `NanoslabError` leaves; a cut file is never complete nor converged; its ionic steps are,
bit for bit, the first ones of the whole file, as many as had come to their end before the cut.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import importlib.util
import lzma
import random
import re
import sys
import tempfile
import time
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
    run = _read(path, f"{sample.name} with {places}")
    if run is not None:
        run.to_dict()


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
            found = sample(str(path.relative_to(root)), kind, content, folder)
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
    spec = importlib.util.spec_from_file_location("vasp_writers", Path(__file__).with_name("writers.py"))
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
    seconds = time.perf_counter() - start
    print(f"{arguments.cuts} cuts and {arguments.flips} damages in {seconds:.0f} s: {broken} broken promises")
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()

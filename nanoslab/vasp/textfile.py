"""Whole content of a small file, plain or compressed, named in the error when it cannot be had."""

from __future__ import annotations

import subprocess
from pathlib import Path

from nanoslab.errors import FileError
from nanoslab.vasp.byte_stream import ByteStream

COMPRESSIONS = (".gz", ".xz", ".bz2", ".Z")
#: no input file that a user or VASP wrote is larger
LARGEST_INPUT = 64 << 20


def read_bytes(path: Path) -> bytes:
    """Content of a file, decompressed after its first bytes, or its suffix ``.Z``."""
    if path.suffix == ".Z":
        return _uncompress(path)
    with ByteStream(path) as stream:
        data = stream.rest(LARGEST_INPUT)
        if stream.damage:
            raise FileError(path, expected="a readable file", got=stream.damage, advice="copy it again")
    return data


def read_text(path: Path) -> str:
    """Text of a file; bytes that are no UTF-8 are kept as replacement signs."""
    return read_bytes(path).decode("utf-8", errors="replace")


def _uncompress(path: Path) -> bytes:
    # The LZW of old VASP distributions: no Python library, but every gzip program reads it.
    done = subprocess.run(["gzip", "-dc", "--", str(path)], capture_output=True, check=False)
    if done.returncode != 0:
        raise FileError(path, expected="a file that gzip can open", got=done.stderr.decode(errors="replace").strip())
    return done.stdout

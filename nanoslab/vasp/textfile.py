"""Text of a file, plain or compressed, named in the error when it cannot be had."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import zlib
from pathlib import Path

from nanoslab.errors import FileError

COMPRESSIONS = (".gz", ".xz", ".bz2", ".Z")


def read_bytes(path: Path) -> bytes:
    """Content of a file, decompressed after its suffix (``.gz``, ``.xz``, ``.bz2``, ``.Z``)."""
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            return gzip.decompress(data)
        if path.suffix == ".xz":
            return lzma.decompress(data)
        if path.suffix == ".bz2":
            return bz2.decompress(data)
        if path.suffix == ".Z":
            return _uncompress(path)
    except FileNotFoundError as error:
        raise FileError(path, expected="a file", got="nothing there", advice="check the path") from error
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise FileError(path, expected="a readable file", got=str(error), advice="copy it again") from error
    return data


def read_text(path: Path) -> str:
    """Text of a file, decompressed after its suffix; bytes that are no UTF-8 are kept as replacement signs.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "POSCAR.gz"
    ...     _ = path.write_bytes(gzip.compress(b"CdSe"))
    ...     read_text(path)
    'CdSe'
    """
    return read_bytes(path).decode("utf-8", errors="replace")


def _uncompress(path: Path) -> bytes:
    # The LZW of old VASP distributions: no Python library, but every gzip program reads it.
    done = subprocess.run(["gzip", "-dc", str(path)], capture_output=True, check=False)
    if done.returncode != 0:
        raise FileError(path, expected="a file that gzip can open", got=done.stderr.decode(errors="replace").strip())
    return done.stdout

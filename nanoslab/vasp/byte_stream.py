"""A file as a moving window of bytes: searched once, forwards, in bounded memory, plain or compressed.

Compression is told by the first bytes, not by the name. Plain files are read in pieces that stay in the
processor's cache, so that searching is faster than reading the whole file first.
"""

from __future__ import annotations

import bz2
import lzma
import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, cast

from isal import igzip_lib

from nanoslab.errors import FileError

#: the stub calls it an instance, but it is a class
_InflateError = cast(type[Exception], igzip_lib.error)
CHUNK = 1 << 19
LOOK_BEHIND = 1 << 16
#: first bytes of a compressed file -> what undoes it
_DECODERS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP),
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(memlimit=256 << 20),
    b"BZh": bz2.BZ2Decompressor,
}
#: more than this from one compressed file at more than this ratio is a decompression bomb, not a VASP run
BOMB_BYTES = 256 << 20
BOMB_RATIO = 300
#: no element of a VASP file that is kept in memory is larger
MAX_KEPT = 256 << 20
COMPRESSIONS = (".gz", ".xz", ".bz2", ".Z")
#: no input file that a user or VASP wrote is larger
LARGEST_INPUT = 64 << 20
#: stands in no file, so that searching it goes to the end
_NEVER = b"\0 in no file \0"
# glibc hands blocks of the size of a window back to the system at once, and faults them in again for the next one,
# until one larger block has been freed
_ = bytes(1 << 22)
del _


class EndOfBytesError(Exception):
    """The file ends inside what was being read; never leaves this room."""

    def __init__(self, taken: bytes = b"") -> None:
        super().__init__()
        self.taken = taken


class ByteStream:
    """Forward-only window on a plain, gzip, xz or bzip2 file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.damage = ""  #: what is wrong with the compressed container, in words; empty when nothing is
        self.look_behind = LOOK_BEHIND  #: bytes before the cursor that stay in the window
        self._buffer = b""
        self._position = 0
        self._base = 0
        self._found: dict[bytes, list[int]] = {}
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise FileError(self.path, expected="a readable file", got=error.strerror or "no file") from error
        self._chunks = self._decoded()

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(self, *unused: object) -> None:
        self._chunks.close()
        os.close(self._descriptor)

    @property
    def offset(self) -> int:
        """Bytes of decoded content before the window's cursor."""
        return self._base + self._position

    def peek(self, size: int) -> bytes:
        """Up to `size` bytes from the cursor on, without moving it."""
        while len(self._buffer) - self._position < size and self._slide():
            pass
        return self._buffer[self._position : self._position + size]

    def behind(self, size: int) -> bytes:
        """Up to `size` bytes before the cursor, as far as the window still holds them."""
        return self._buffer[max(0, self._position - size) : self._position]

    def skip_past(self, needle: bytes) -> bool:
        """Move the cursor behind the next `needle`; at the end of the file answer False."""
        at = self._next(needle)
        if at < 0:
            return self.skip_past_noting(needle, (), 0)[0]
        self._position = at + len(needle)
        return True

    def skip_past_noting(self, needle: bytes, noted: tuple[bytes, ...], size: int) -> tuple[bool, dict[bytes, bytes]]:
        """Move behind `needle` (False: the file ended); with up to `size` bytes after the last of every mark passed."""
        passed: dict[bytes, bytes] = {}
        while True:
            at = self._next(needle)
            end = at if at >= 0 else len(self._buffer)
            stop = len(self._buffer) - max(map(len, (needle, *noted))) + 1
            for mark in noted:
                start = self._buffer.rfind(mark, self._position, end)
                if start < 0:
                    continue
                start += len(mark)
                passed[mark] = self._buffer[start : start + size]
                if start + size > len(self._buffer):
                    stop = min(stop, start - len(mark))  # seen again with the rest when more has been read
            if at >= 0:
                self._position = at + len(needle)
                return True, passed
            self._position = max(self._position, stop)
            if not self._slide():
                self._position = len(self._buffer)
                return False, passed

    def ends_of(self, size: int) -> bytes:
        """First and last `size` bytes, or the whole of a file that has no more."""
        head = self.peek(size)
        self.skip_past(_NEVER)
        return head if self.offset <= size else head + self.behind(size)

    def take_window(self, stop: bytes) -> bytes | None:
        """Bytes up to `stop`, the cursor before it, if the window holds it; else None and nothing moves."""
        at = self._buffer.find(stop, self._position)
        if at < 0:
            return None
        kept = self._buffer[self._position : at]
        self._position = at
        return kept

    def back(self, size: int) -> None:
        """Move the cursor back over bytes that were just taken."""
        self._position = max(0, self._position - size)
        self._found.clear()

    def take(self, closing: bytes, limit: int = MAX_KEPT) -> bytes:
        """Bytes up to `closing`, with the cursor moved behind it."""
        parts: list[bytes] = []
        size = 0
        while (at := self._buffer.find(closing, self._position)) < 0:
            cut = max(self._position, len(self._buffer) - len(closing) + 1)
            parts.append(self._buffer[self._position : cut])
            size += cut - self._position
            if size > limit:
                expected, got = f"an element of at most {limit >> 20} MiB", f"one that goes on after byte {self.offset}"
                raise FileError(self.path.name, expected=expected, got=got, advice="this is no file that VASP wrote")
            self._position = cut
            if not self._slide():
                raise EndOfBytesError(b"".join((*parts, self._buffer[self._position :])))
        kept = self._buffer[self._position : at]
        self._position = at + len(closing)
        return b"".join((*parts, kept)) if parts else kept

    def rest(self, limit: int = MAX_KEPT) -> bytes:
        """Everything from the cursor on; a file with more than `limit` bytes is an error."""
        try:
            return self.take(_NEVER, limit)
        except EndOfBytesError as end:
            return end.taken

    def lines(self, limit: int) -> Iterator[bytes]:
        """Lines with their end, also the last one that has none."""
        while True:
            try:
                yield self.take(b"\n", limit) + b"\n"
            except EndOfBytesError as end:
                if end.taken:
                    self._position = len(self._buffer)
                    yield end.taken
                return

    def _next(self, needle: bytes) -> int:
        """Position of the next needle in the window, or -1; all of a window are found at once.

        CPython searches backwards about three times as fast as forwards.
        """
        known = self._found.get(needle)
        if known is None:
            known = self._found[needle] = []
            at = self._buffer.rfind(needle, self._position)
            while at >= 0:
                known.append(at)
                at = self._buffer.rfind(needle, self._position, at)
        while known and known[-1] < self._position:
            known.pop()
        return known[-1] if known else -1

    def _slide(self) -> bool:
        """Read on, dropping what lies well behind the cursor; False at the end of the file."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        dropped = max(0, self._position - self.look_behind)
        self._buffer = self._buffer[dropped:] + chunk
        self._position -= dropped
        self._base += dropped
        self._found.clear()
        return True

    def _decoded(self) -> Generator[bytes, None, None]:
        first = os.read(self._descriptor, CHUNK)
        new_decoder = next((new for magic, new in _DECODERS.items() if first.startswith(magic)), None)
        return self._plain(first) if new_decoder is None else self._inflated(first, new_decoder)

    def _plain(self, piece: bytes) -> Generator[bytes, None, None]:
        while piece:
            yield piece
            piece = os.read(self._descriptor, CHUNK)

    def _inflated(self, piece: bytes, new_decoder: Callable[[], Any]) -> Generator[bytes, None, None]:
        """Decode member after member; a cut or broken container ends the stream and is noted in `damage`."""
        decoder = new_decoder()
        started = False
        compressed = decoded = 0
        try:
            while piece:
                compressed += len(piece)
                while piece or (started and not decoder.needs_input):
                    started = True
                    output = decoder.decompress(piece, CHUNK)
                    piece = b""
                    decoded += len(output)
                    if output:
                        yield output
                    if decoded > BOMB_BYTES and decoded > BOMB_RATIO * compressed:
                        self.damage = f"decompression bomb: more than {BOMB_RATIO} times its own size"
                        return
                    if decoder.eof:
                        piece, decoder, started = decoder.unused_data.lstrip(b"\0"), new_decoder(), False
                piece = os.read(self._descriptor, CHUNK >> 2)
            if started:
                self.damage = f"compressed file is cut after {decoded} bytes of content"
        except (OSError, EOFError, ValueError, lzma.LZMAError, _InflateError) as error:
            self.damage = f"compressed file is broken after {decoded} bytes of content ({error})"


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

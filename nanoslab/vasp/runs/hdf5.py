"""HDF5 files read with caution: no link leads out of them, nothing is too large, and a cut one gives what is whole."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nanoslab.errors import FileError
from nanoslab.vasp.byte_stream import read_bytes

MAGIC = b"\x89HDF\r\n\x1a\n"
#: more numbers than any quantity that is read here has
_MOST_NUMBERS = 50_000_000
#: above anything VASP writes
_LARGEST = 1e12
#: largest file that is held in memory to be mended or unpacked [bytes]
_LARGEST_HELD = 1 << 31
#: place of the file's own length in the superblocks of versions 0 and 2, 3
_LENGTH_AT = {0: 40, 1: 44, 2: 28, 3: 28}


class Hdf5File:
    """An open file; what is missing, damaged, virtual, linked from elsewhere or behind the end is None."""

    def __init__(self, handle: Any, n_bytes: int, said: int) -> None:
        self._handle = handle
        self.n_bytes = n_bytes
        self.said = said  #: bytes it had when it was written

    @property
    def is_cut(self) -> bool:
        """Whether bytes are missing at its end."""
        return self.n_bytes < self.said

    def names(self, group: str) -> tuple[str, ...]:
        """Names in a group; one that is no text is shown as Python would."""
        found = self._node(group)
        try:
            return tuple(one if isinstance(one, str) else repr(one) for one in found) if hasattr(found, "keys") else ()
        except (RuntimeError, OSError, KeyError):
            return ()

    def read(self, path: str, part: Any = ()) -> Any:
        """Value of a dataset or of a part of it, or None."""
        node = self._node(path)
        try:
            if node is None or not hasattr(node, "shape") or node.is_virtual or node.external:
                return None
            if node.size is None or not self._is_sensible(node) or not self._is_whole(node):
                return None
            return node[part]
        except (RuntimeError, OSError, KeyError, ValueError, TypeError, IndexError, NotImplementedError):
            return None

    def numbers(self, path: str, part: Any = (), n_axes: int | None = None) -> np.ndarray[Any, Any] | None:
        """The same as floats of a sensible size with so many axes, or None."""
        value = self.read(path, part)
        if value is None or np.asarray(value).dtype.kind not in "fiu":
            return None
        found = np.asarray(value, dtype=float)
        # nan is not below anything
        return found if (np.abs(found) < _LARGEST).all() and n_axes in (None, found.ndim) else None

    def words(self, path: str) -> tuple[str, ...]:
        """Texts of a dataset, blanks at their ends removed."""
        value = self.read(path)
        texts = [] if value is None else np.atleast_1d(np.asarray(value)).ravel()[:10_000].tolist()
        return tuple((t.decode("latin-1") if isinstance(t, bytes) else str(t)).strip("\0 \n") for t in texts)

    def _node(self, path: str) -> Any:
        import h5py

        node = self._handle
        try:
            for name in path.split("/"):
                if not isinstance(node, h5py.Group) or not isinstance(node.get(name, getlink=True), h5py.HardLink):
                    return None
                node = node[name]
        except (RuntimeError, OSError, KeyError, ValueError):
            return None
        return node

    def _is_sensible(self, node: Any) -> bool:
        """Whether a dataset is no larger than a run's, nor than the file where it lies there in one piece.

        Texts of variable length, which VASP does not write, are passed over: a damaged heap of them hangs the library.
        """
        if node.dtype.hasobject:
            return False
        largest = 8 * _MOST_NUMBERS if node.chunks else self.n_bytes
        return bool(node.size <= _MOST_NUMBERS and node.size * node.dtype.itemsize <= largest)

    def _is_whole(self, node: Any) -> bool:
        """Whether all bytes of a dataset lie in the file."""
        if not self.is_cut:
            return True
        if node.chunks is None:
            offset, size = node.id.get_offset(), node.id.get_storage_size()
            return size == 0 or (offset is not None and offset + size <= self.n_bytes)
        chunks = (node.id.get_chunk_info(index) for index in range(node.id.get_num_chunks()))
        return all(chunk.byte_offset + chunk.size <= self.n_bytes for chunk in chunks)


@contextmanager
def open_hdf5(path: Path) -> Iterator[Hdf5File]:
    """Open a plain or compressed file; one whose end is missing is filled up in memory with zeros that are never read.

    Raises
    ------
    FileError
        When it is no HDF5 file, or nothing in it can be found.
    """
    import h5py

    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(64)
    said = _length(head)
    plain = head.startswith(MAGIC)
    source: Any = path
    if not plain or size < said:
        if max(size, said) > _LARGEST_HELD:
            raise _unreadable(path, f"{size} of {said} bytes, too large to be mended")
        content = read_bytes(path)
        size, said = len(content), _length(content[:64])
        source = io.BytesIO(content + bytes(max(0, min(said, _LARGEST_HELD) - size)))
    if not said:
        raise _unreadable(path, "something else" if size else "an empty file")
    try:
        # no lock: VASP may still write it, and many cluster file systems have none
        handle = h5py.File(source, "r", locking=False) if source is path else h5py.File(source, "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise _unreadable(path, str(error).split("\n", maxsplit=1)[0][:120]) from error
    with handle:
        yield Hdf5File(handle, size, said)


def _length(head: bytes) -> int:
    """Length that the file says it has, 0 where it is no HDF5 file."""
    if not head.startswith(MAGIC) or len(head) < 52 or head[8] not in _LENGTH_AT:
        return 0
    return int(struct.unpack_from("<Q", head, _LENGTH_AT[head[8]])[0])


def _unreadable(path: Path, got: str) -> FileError:
    advice = "copy it again, or put OUTCAR or vasprun.xml of the run beside it"
    return FileError(os.fspath(path), expected="an HDF5 file of VASP", got=got, advice=advice)

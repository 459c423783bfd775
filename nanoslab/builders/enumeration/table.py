"""Distinct ways to lose atoms as one file: a Parquet table, or structures one after the other as extxyz.

Written as they are found; the file appears under its name when it is whole.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import ase.io
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.enumeration.removal import Block, Removal
from nanoslab.errors import FileError, InputError

#: rows of a group of the Parquet file
_ROWS = 1 << 18
_METADATA = b"nanoslab"
ENDINGS = (".parquet", ".extxyz")

#: (question, some of its answers)
Blocks = Iterable[tuple[Removal, Block]]


class _Writer(Protocol):
    def write(self, removal: Removal, block: Block) -> None:
        """Add the rows of a block."""

    def close(self) -> None:
        """End the file."""


def write_table(path: Path, blocks: Blocks, questions: Sequence[Removal], *, sampled: bool = False) -> int:
    """Write blocks as they come; returns the number of rows.

    Parameters
    ----------
    path
        ``NAME.parquet`` (columns ``identifier``, ``degeneracy``, ``drawn``, ``removed`` and ``n_X`` of every species,
        the parent structure in the metadata) or ``NAME.extxyz`` (whole structures).
    blocks
        Questions and their answers.
    questions
        All of them: they share their parent.
    sampled
        Whether the rows were drawn at random.

    Raises
    ------
    FileError
        If the file exists.
    """
    if path.suffix not in ENDINGS:
        raise InputError("stream", expected="a name ending in .parquet or .extxyz", got=str(path))
    if path.exists():
        raise FileError(path, expected="no file", got="one, which would be lost", advice="give another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    n_rows = 0
    writer: _Writer = (_Parquet if path.suffix == ".parquet" else _Extxyz)(partial, questions, sampled)
    try:
        with closing(writer):
            for removal, block in blocks:
                writer.write(removal, block)
                n_rows += len(block)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return n_rows


def read_table(path: Path, start: int = 0, stop: int | None = None) -> tuple[Atoms, Iterator[dict[str, Any]]]:
    """Parent structure of a Parquet table, and its rows from one number up to another.

    Raises
    ------
    FileError
        If the file is no such table.
    """
    parquet = _parquet()
    try:
        file = parquet.ParquetFile(path)
        head = json.loads(file.schema_arrow.metadata[_METADATA])
        parent = ase.io.read(io.StringIO(head["parent"]), format="extxyz")
    except (OSError, ValueError, KeyError, TypeError) as error:
        advice = "write it with 'nanoslab build vacancies --stream'"
        raise FileError(path, expected="a table of vacancies", got=str(error), advice=advice) from error
    rows = (row for batch in file.iter_batches() for row in batch.to_pylist())
    return parent, islice(rows, start, stop)


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as missing:
        raise InputError(
            "stream", expected="pyarrow for a Parquet table", got=missing, advice="pip install 'nanoslab[enumeration]'"
        ) from missing
    return pyarrow.parquet


class _Parquet:
    def __init__(self, path: Path, questions: Sequence[Removal], sampled: bool) -> None:
        parquet = _parquet()
        import pyarrow as pa

        self.pa, self.n_waiting = pa, 0
        self.waiting: list[Any] = []
        self.species = questions[0].sites.species
        parent = io.StringIO()
        ase.io.write(parent, _plain(questions[0].parent), format="extxyz")
        head = {"schema": 1, "parent": parent.getvalue(), "sampled": sampled}
        head["counts"] = [dict(one.counts) for one in questions]
        atoms = pa.list_(pa.field("element", pa.int32(), nullable=False))
        types = {"identifier": pa.string(), "degeneracy": pa.int32(), "drawn": pa.int32(), "removed": atoms}
        types |= {f"n_{one}": pa.int16() for one in self.species}
        fields = [pa.field(name, kind, nullable=False) for name, kind in types.items()]  # nothing missing: fewer bits
        self.schema = pa.schema(fields, metadata={_METADATA: json.dumps(head).encode()})
        few = ["degeneracy", "drawn", *(f"n_{one}" for one in self.species)]
        # snappy: of what was tried the fastest, at ten bytes a row
        self.writer = parquet.ParquetWriter(path, self.schema, use_dictionary=few, write_statistics=False)

    def write(self, removal: Removal, block: Block) -> None:
        pa, n = self.pa, len(block)
        size = block.removed.shape[1]
        offsets = pa.array(np.arange(n + 1, dtype=np.int32) * size)
        columns = [
            pa.StringArray.from_buffers(n, *_text(pa, block.names)),
            pa.array(block.degeneracies.astype(np.int32)),
            pa.array(block.drawn.astype(np.int32)),
            pa.ListArray.from_arrays(offsets, pa.array(block.removed.ravel()), type=self.schema.field("removed").type),
            *(pa.array(np.full(n, removal.counts.get(one, 0), dtype=np.int16)) for one in self.species),
        ]
        self.waiting.append(pa.record_batch(columns, schema=self.schema))
        self.n_waiting += n
        if self.n_waiting >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        if self.waiting:
            self.writer.write_table(self.pa.Table.from_batches(self.waiting))
        self.waiting, self.n_waiting = [], 0

    def close(self) -> None:
        self._flush()
        self.writer.close()


def _text(pa: Any, names: NDArray[np.bytes_]) -> tuple[Any, Any]:
    """Where each name begins, and all names as one run of bytes."""
    offsets = np.arange(len(names) + 1, dtype=np.int32) * names.dtype.itemsize
    return pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(names))


class _Extxyz:
    """Frames from the lines of the parent: a row of text is written once for each atom and used in every frame."""

    def __init__(self, path: Path, questions: Sequence[Removal], sampled: bool) -> None:
        del sampled  # the rows say how often each was drawn
        text = io.StringIO()
        ase.io.write(text, _plain(questions[0].parent), format="extxyz")
        _, self.head, *self.lines = text.getvalue().splitlines()
        self.stream = path.open("w", encoding="utf-8")

    def write(self, removal: Removal, block: Block) -> None:
        del removal
        n_left = len(self.lines) - block.removed.shape[1]
        for name, removed, degeneracy, drawn in zip(
            block.identifiers, block.removed.tolist(), block.degeneracies, block.drawn, strict=True
        ):
            gone = set(removed)
            lines = [line for index, line in enumerate(self.lines) if index not in gone]
            said = f'identifier={name} degeneracy={degeneracy} drawn={drawn} removed="{" ".join(map(str, removed))}"'
            self.stream.write(f"{n_left}\n{self.head} {said}\n" + "\n".join(lines) + "\n")

    def close(self) -> None:
        self.stream.close()


def _plain(atoms: Atoms) -> Atoms:
    """Copy without what it carries beside the structure."""
    plain = atoms.copy()
    plain.info, plain.calc = {}, None
    return plain

"""What every study's result is: numbers, and how they show themselves as a document, tables and data frames."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from monty.json import MSONable

from nanoslab.errors import unknown_name
from nanoslab.plot_data import Series

if TYPE_CHECKING:
    import pandas as pd


Record = Mapping[str, Any]
#: how a cell is made of a record: its key, with dots between levels, and the format of a number; or a function
Cell = str | Callable[[Record], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Numbers as text: a title, column headings with units, rows of cells, and notes below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult(MSONable):  # type: ignore[misc]  # monty is not typed
    """Answer of a study; a study of its own adds its numbers, and says in `document` how they are called.

    Attributes
    ----------
    study, title
        As the study file says; filled in by `nanoslab.studies.study.Study.analyze`, as are the lists below.
    level_of_theory
        Of the energies, in words; that of the runs used where the study names none.
    refused, missing
        (calculation, reason) of runs that exist but cannot be used, and of those not run yet or skipped.

    Examples
    --------
    >>> class Result(StudyResult):
    ...     def document(self):
    ...         return {"necks": [{"n_pairs": 9, "energy": {"atom_eV": 3.0}}]}
    >>> Result().to_dataframe().columns.tolist()
    ['n_pairs', 'energy.atom_eV']
    >>> Result().tables()[0].rows
    (('9', '3'),)
    """

    study: str = ""
    title: str = ""
    level_of_theory: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the study's own numbers under keys that carry their units; lists of records become tables."""
        raise NotImplementedError

    def tables(self) -> tuple[Table, ...]:
        """Return the result as tables: every list of records as it is, unless a study lays it out."""
        return tuple(_plain_table(name, records) for name, records in record_lists(self.document()).items())

    def to_dict(self) -> dict[str, Any]:
        """Return the result as one plain document, which JSON takes."""
        return {
            "study": self.study,
            "title": self.title,
            "level_of_theory": self.level_of_theory,
            **self.document(),
            "refused": [{"calculation": name, "reason": reason} for name, reason in self.refused],
            "missing": [{"calculation": name, "reason": reason} for name, reason in self.missing],
        }

    def as_dict(self) -> dict[str, Any]:
        """Return every field as plain JSON that monty's encoder and decoder take."""
        from nanoslab.studies.msonable import encoded

        document: dict[str, Any] = encoded(self)
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Return the result that `as_dict` was asked of; monty leaves out which class that was, so `cls` says it."""
        from nanoslab.studies.msonable import decoded

        own = {"@module": cls.__module__, "@class": cls.__qualname__}
        found: Self = decoded({**own, **document})
        return found

    def to_dataframe(self, records: str | None = None) -> pd.DataFrame:
        """Records of the result as a data frame, a missing number being NaN.

        Parameters
        ----------
        records
            Which list of ``to_dict()``, such as ``vacancies`` or ``sheets``; the study's main one when absent.
        """
        import pandas as pd

        document = self.to_dict()
        lists = record_lists(document)
        main = next((name for name in ("vacancies", "necks", "gaps") if name in document), next(iter(lists), ""))
        chosen = main if records is None else records
        if chosen not in lists and not isinstance(document.get(chosen), list):
            raise unknown_name("records", chosen, lists)
        return pd.DataFrame([flat_record(record) for record in lists.get(chosen, ())])

    def _repr_html_(self) -> str:
        return "".join(_table_html(table) for table in self.tables())


def record(row: Any, **renamed: str | None) -> dict[str, Any]:
    """Fields of a frozen row as plain JSON values, under the names given, which carry units; None leaves one out."""
    names = {one.name: renamed.get(one.name, one.name) for one in fields(row)}
    return {name: _json(getattr(row, attribute)) for attribute, name in names.items() if name is not None}


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [_json(item) for item in value] if isinstance(value, tuple) else value


def record_lists(document: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Lists of records in a result's document, by name, those that are not empty.

    Examples
    --------
    >>> record_lists({"study": "test", "necks": [{"n_pairs": 9}], "refused": []})
    {'necks': [{'n_pairs': 9}]}
    """
    return {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(record, Mapping) for record in value)
    }


def flat_record(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Record on one level: nested keys joined by dots, lists by blanks.

    Examples
    --------
    >>> flat_record({"removed": {"Se": 2}, "series": ["a", "b"]})
    {'removed.Se': 2, 'series': 'a b'}
    """
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flat_record(value, f"{name}."))
        elif isinstance(value, list | tuple):
            flat[name] = " ".join(str(item) for item in value)
        else:
            flat[name] = value
    return flat


def text_of(value: float | None, form: str) -> str:
    """Text of a number, a dash where there is none.

    Examples
    --------
    >>> text_of(1.256, ".2f"), text_of(None, ".2f")
    ('1.26', '-')
    """
    return "-" if value is None else f"{value:{form}}"


def table_of(title: str, records: Iterable[Record], columns: Mapping[str, Cell], notes: Iterable[str] = ()) -> Table:
    """Table of records: heading -> how its cells are made; a dash where a record has no value.

    Examples
    --------
    >>> gaps = [{"gap": 6.2, "minimum": {"energy": -1.25}}, {"gap": 9.3}]
    >>> table_of("Gaps", gaps, {"gap [Å]": "gap", "E [eV]": "minimum.energy:.1f"}).rows
    (('6.2', '-1.2'), ('9.3', '-'))
    """
    rows = tuple(tuple(_cell(one, cell) for cell in columns.values()) for one in records)
    return Table(title=title, columns=tuple(columns), rows=rows, notes=tuple(notes))


def marked(cell: Cell) -> Cell:
    """The same cell with (!) where a record says that not all of its runs are converged."""
    return lambda record: f"{_cell(record, cell)}{'' if record['converged'] else ' (!)'}"


def remarks(record: Record) -> str:
    """Cell of a record's notes."""
    return "; ".join(record["notes"])


def _cell(record: Record, cell: Cell) -> str:
    if callable(cell):
        return cell(record)
    path, _, form = cell.partition(":")
    value: Any = record
    for key in path.split("."):
        value = None if value is None else value.get(key)
    return text_of(value, form) if form else _plain(value)


def series_of(records: Iterable[Record], x: str, y: str, label: str, **look: Any) -> Series:
    """Two numbers of every record as a curve, each point with the name of its calculation."""
    points = [(float(one[x]), float(one[y]), str(one.get("calculation", ""))) for one in records]
    xs, ys, names = zip(*points, strict=True) if points else ((), (), ())
    return Series(label=label, x=xs, y=ys, **{"names": names, **look})


def _plain_table(name: str, records: list[Record]) -> Table:
    flat = [flat_record(one) for one in records]
    keys = dict.fromkeys(key for one in flat for key in one)
    columns = {key: lambda one, key=key: _plain(one.get(key)) for key in keys}
    return table_of(name.replace("_", " ").capitalize(), flat, columns)


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "-" if value is None else str(value)


def _table_html(table: Table) -> str:
    def cells(row: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    rows = "".join(cells(row, "td") for row in table.rows)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in table.notes)
    heading = f"<caption>{html.escape(table.title)}</caption><thead>{cells(table.columns, 'th')}</thead>"
    return f"<table>{heading}<tbody>{rows}</tbody></table>{notes}"

"""How a study's result shows itself in a notebook: tables, and data frames."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nanoslab.errors import unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from nanoslab.studies.study import Table


class Shown:
    """Base of a result that has ``tables()`` and ``to_dict()``.

    Examples
    --------
    >>> from nanoslab.studies.study import Table
    >>> class Result(Shown):
    ...     def tables(self):
    ...         return (Table(title="E", columns=("x",), rows=(("<b>",),)),)
    ...     def to_dict(self):
    ...         return {"study": "test", "necks": [{"n_pairs": 9, "energy": {"atom_eV": 3.0}}]}
    >>> Result().to_dataframe().columns.tolist()
    ['n_pairs', 'energy.atom_eV']
    >>> Result()._repr_html_()
    '<table><caption>E</caption><thead><tr><th>x</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """

    __slots__ = ()

    def tables(self) -> tuple[Table, ...]:
        """Result for the eye."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Result as one plain document."""
        raise NotImplementedError

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


def _table_html(table: Table) -> str:
    def cells(row: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    rows = "".join(cells(row, "td") for row in table.rows)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in table.notes)
    heading = f"<caption>{html.escape(table.title)}</caption><thead>{cells(table.columns, 'th')}</thead>"
    return f"<table>{heading}<tbody>{rows}</tbody></table>{notes}"

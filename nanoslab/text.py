"""Text from files at its borders: one line that a person sees as it is, whatever somebody put into a name.

A control character in a name could begin a new line of an INCAR, drive a terminal, or turn the direction in which a
name is shown; a cell that begins with ``=`` is run by a spreadsheet.
"""

from __future__ import annotations

from nanoslab.errors import InputError

_FORMULA_STARTS = ("=", "+", "-", "@")


def printable(text: object) -> str:
    r"""Text with every character that is not seen as such (control, line separator, bidi override) spelled out."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(text))


def one_line(where: object, text: str, *, most: int = 200) -> str:
    """Return the text if it is one printable line of at most so many characters; `where` is the field it is from."""
    if not text.isprintable():
        got, advice = f"'{printable(text[:60])}'", "take out line breaks and invisible characters"
        raise InputError(where, expected="one line of printable text", got=got, advice=advice)
    if len(text) > most:
        raise InputError(where, expected=f"at most {most} characters", got=f"{len(text)}", advice="shorten it")
    return text


def spreadsheet_cell(value: object) -> object:
    """Value for a CSV file that no spreadsheet takes for a formula; numbers stay numbers.

    Examples
    --------
    >>> spreadsheet_cell("=HYPERLINK(1)"), spreadsheet_cell("-2.5"), spreadsheet_cell(-2.5)
    ("'=HYPERLINK(1)", '-2.5', -2.5)
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    if not text.startswith(_FORMULA_STARTS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text

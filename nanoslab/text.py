"""Text from files at its borders: one line that a person sees as it is, whatever somebody put into a name.

A control character in a name could begin a new line of an INCAR, drive a terminal, or turn the direction in which a
name is shown; a cell that begins with ``=`` is run by a spreadsheet.
"""

from __future__ import annotations

from nanoslab.errors import InputError

_FORMULA_STARTS = ("=", "+", "-", "@")


def printable(text: object) -> str:
    r"""Text with every character that is not seen as such (control, line separator, bidi override) spelled out."""
    word = str(text)
    if word.isprintable():
        return word
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in word)


def one_line(where: object, text: str, *, most: int = 200) -> str:
    r"""Return the text if it is one printable line.

    `where` is the field, for the message; `most` the largest number of characters.

    Examples
    --------
    >>> one_line("title", "CdSe sheet")
    'CdSe sheet'
    >>> one_line("title", "CdSe\nENCUT = 77")
    Traceback (most recent call last):
        ...
    nanoslab.errors.InputError: title: expected one line of printable text, got 'CdSe\nENCUT = 77'; ...
    """
    if not text.isprintable():
        raise InputError(
            where,
            expected="one line of printable text",
            got=f"'{printable(text[:60])}'",
            advice="take out line breaks and invisible characters",
        )
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

"""Every foreseeable failure, worded one way: where, what was expected, what was found, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, TypeVar


class NanoslabError(Exception):
    """A fault of the input that the user can mend; anything else that escapes is our own bug.

    It says where it is (argument, field or ``path:line``), what was expected, what was found instead, and what to do;
    in one line, or in one line for each fault of a file (`together`).
    """

    def __init__(self, where: object, *, expected: str, got: object, advice: str = "") -> None:
        message = f"{where}: expected {expected}, got {got}"
        # what others say in several lines is one fault
        super().__init__(" ".join((f"{message}; {advice}" if advice else message).splitlines()))

    def within(self, where: object) -> Self:
        """The same error, told to lie inside something larger."""
        return _rebuild(type(self), "\n".join(f"{where}: {fault}" for fault in str(self).splitlines()))

    @classmethod
    def together(cls, faults: Iterable[NanoslabError]) -> Self:
        """Several faults as one error, one line each.

        Examples
        --------
        >>> two = [InputError(where, expected="a number", got="x") for where in ("a", "b")]
        >>> print(InputError.together(two))
        a: expected a number, got x
        b: expected a number, got x
        """
        return _rebuild(cls, "\n".join(map(str, faults)))

    def __reduce__(self) -> tuple[object, ...]:
        # The keyword-only signature would otherwise break the way back from a worker process.
        return _rebuild, (type(self), str(self))


Kind = TypeVar("Kind", bound=NanoslabError)


class InputError(NanoslabError):
    """An argument, an option or a field of a study file is not acceptable."""


class FileError(NanoslabError):
    """A file is missing, unreadable or not what its name says."""


class EngineError(NanoslabError):
    """An engine is not installed, cannot do what the study asks, or failed."""


class MismatchError(NanoslabError):
    """Two runs whose energies must not be subtracted from one another."""


def _rebuild(kind: type[Kind], message: str) -> Kind:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    return error


def unknown_name(where: object, given: str, allowed: Iterable[str]) -> InputError:
    """Error for a name that is not in a list, with the closest allowed names first.

    Examples
    --------
    >>> str(unknown_name("engine", "chgent", ["chgnet", "xtb"]))
    "engine: expected one of chgnet, xtb, got 'chgent'; did you mean chgnet?"
    """
    import difflib  # costs more than the rest of this module, and only a failure needs it

    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(str(given), names, n=2, cutoff=0.5)
    advice = f"did you mean {' or '.join(close)}?" if close else "pick one of these"
    return InputError(where, expected=f"one of {', '.join(names)}", got=repr(given), advice=advice)

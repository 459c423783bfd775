"""What a study says first: yes or no in one sentence, how far to trust it, and the one figure that shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from nanoslab.plot_data import Plot, Series

#: (document, label, style) -> series
Curve = Callable[[Mapping[str, Any], str, int], Series]
#: answer in one word; ``open`` where the runs do not decide
Verdict = Literal["yes", "no", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One sentence that answers a question, what it rests on, and its figure."""

    question: str
    verdict: Verdict
    sentence: str
    trust: tuple[str, ...]
    plot: Plot | None = None


class Printed(NamedTuple):
    """A number that a paper prints, and where the document of a study's result holds the same."""

    source: str
    path: tuple[Any, ...]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Documents of one campaign's results by source, the one that was asked for first, and what papers print."""

    documents: Mapping[str, Mapping[str, Any]]
    printed: Sequence[Printed] = ()

    def level(self, source: str) -> str:
        """Level of theory of a source in a few words: what its long name begins with, and who computed it."""
        named = str(self.documents[source].get("level_of_theory") or "")
        short = re.split(r"[,(;]", named)[0].strip()
        return f"{short} ({source})" if short else source

    @property
    def main(self) -> Mapping[str, Any]:
        """Document that was asked for."""
        return next(iter(self.documents.values()))

    @property
    def main_level(self) -> str:
        """Level of theory of the document that was asked for."""
        return self.level(next(iter(self.documents)))

    def found(self, key: str, form: str, nothing: str) -> str:
        """Whether all levels of theory find a number, whose text `form` gives, or nothing."""
        numbers = {self.level(source): document.get(key) for source, document in self.documents.items()}
        words = {level: nothing if number is None else form.format(number) for level, number in numbers.items()}
        return agreement({f"{level}: {words[level]}": "open" if n is None else "yes" for level, n in numbers.items()})

    def beside(self, plot: Plot | None, curve: Curve, first: int) -> Plot | None:
        """Plot of the main document with a curve of every other one, whose styles are numbered from the first on."""
        if plot is None:
            return None
        others = list(self.documents.items())[1:]
        more = (curve(document, self.level(source), n) for n, (source, document) in enumerate(others, start=first))
        return replace(plot, series=(*plot.series, *(line for line in more if line.x)))


def agreement(verdicts: Mapping[str, Verdict]) -> str:
    """Whether every level of theory gives the answer of the first one; the keys say what each found.

    Examples
    --------
    >>> agreement({"PBE: 4.5 eV": "yes", "CHGNet: 7.0 eV": "no"})
    'The levels of theory disagree: yes by PBE: 4.5 eV; no by CHGNet: 7.0 eV.'
    """
    if len(verdicts) == 1:
        return f"Only one level of theory is here ({next(iter(verdicts))})."
    if len(set(verdicts.values())) == 1:
        return f"Every level of theory here gives the same answer ({'; '.join(verdicts)})."
    said = [
        f"{verdict} by {'; '.join(found for found, one in verdicts.items() if one == verdict)}"
        for verdict in dict.fromkeys(verdicts.values())
    ]
    return f"The levels of theory disagree: {'; '.join(said)}."


def left_out(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Remark on runs that the answer is without."""
    n = len(document.get("refused", ())) + len(document.get("missing", ()))
    return (f"{n} {'calculation is' if n == 1 else 'calculations are'} missing or refused.",) if n else ()


class Said(NamedTuple):
    """What one document says: verdict, its number in a few words, the sentence (without its stop), and caveats."""

    verdict: Verdict
    number: str
    sentence: str
    caveats: tuple[str, ...] = ()


#: what a document of a result says, or None
Says = Callable[[Mapping[str, Any]], Said | None]


def answered(evidence: Evidence, question: str, say: Says, plot: Plot | None) -> Headline | None:
    """Headline from what each level of theory says; None where the main one says nothing."""
    main, said = None, {}
    for source, document in evidence.documents.items():
        if (one := say(document)) is None:
            continue
        main = main or (one if document is evidence.main else None)
        said[f"{evidence.level(source)}: {one.number}"] = one.verdict
    if main is None:
        return None
    return Headline(
        question=question,
        verdict=main.verdict,
        sentence=f"{main.sentence}, by {evidence.main_level}.",
        trust=(agreement(said), *main.caveats, *left_out(evidence.main)),
        plot=plot,
    )

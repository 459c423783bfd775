"""What papers print beside what every level of theory gives, wrong ones included.

The published values are data: ``workflows/published/*.yaml`` name the quantity, the number, its tolerance, and where
the document of a study's result holds the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from pydantic import Field

from nanoslab.errors import InputError
from nanoslab.yaml_file import StrictModel, read_yaml, validated

Document = Mapping[str, Any]
#: a key, the index of a list, or the fields of the records to keep
Step = str | int | dict[str, Any]


class PublishedValue(StrictModel):
    """One number of a paper, and where the document of a study holds the same.

    Attributes
    ----------
    printed
        As the paper prints it; a dash where it prints none.
    value, tolerance
        The number in that unit, and how far off still agrees.
    study, path
        Kind of study that gives it, and steps into the document of its result.
    take, factor
        Which of several numbers, and what turns it into the unit.
    """

    quantity: str
    unit: str = ""
    printed: str = "-"
    value: float | None = None
    tolerance: float | None = Field(default=None, gt=0)
    study: str
    path: tuple[Step, ...] = Field(min_length=1)
    take: Literal["first", "lowest", "mean"] = "first"
    factor: float = 1.0
    digits: int = Field(default=2, ge=0)

    def read(self, document: Document) -> float | None:
        """Return the number of a result's document in this unit; None where it is not there."""
        numbers = [float(number) for number in values_at(document, self.path) if number is not None]
        if not numbers:
            return None
        return self.factor * {"first": numbers[0], "lowest": min(numbers), "mean": fmean(numbers)}[self.take]


class ExposureModel(StrictModel):
    """What was exposed to which beam, and the fraction of an element that was lost; no current where none is known."""

    name: str
    material: str
    element: str
    lost: float = Field(gt=0, lt=1)
    beam_energy_keV: float
    current_A: float | None = None
    area_A2: float | None = None
    time_s: float | None = None
    thresholds: dict[str, float] = Field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Largest fraction that knock-on takes of the weakest site, and the least dose for the loss seen [e/Å²]."""
        from nanoslab.beam import Exposure, broad_beam, dose_budget, plan_session

        known = None not in (self.current_A, self.area_A2, self.time_s)
        parts = (self.current_A or 0.0, self.area_A2 or 0.0, self.time_s or 0.0)
        exposure = broad_beam(*parts) if known else Exposure(dose_e_per_A2=1.0)
        plan = plan_session(self.material, self.beam_energy_keV, exposure, thresholds=self.thresholds)
        sites = [site for site in plan.sites if site.element == self.element]
        return {
            "name": self.name,
            "dose_e_per_A2": exposure.dose_e_per_A2 if known else None,
            "lost_at_most": max(site.lost[1] for site in sites) if known else None,
            "needed_dose_e_per_A2": min(dose_budget(site.cross_sections_barn[1], self.lost) for site in sites),
        }


class PublishedFile(StrictModel):
    """Published values of one source, for materials that hold certain elements."""

    source: str
    elements: tuple[str, ...]
    exposures: tuple[ExposureModel, ...] = ()
    values: tuple[PublishedValue, ...]

    def exposed(self) -> AnalysedCampaign:
        """What our cross-sections make of its exposures, in the form of a campaign."""
        return AnalysedCampaign(
            kind="exposure",
            source="mott",
            elements=frozenset(self.elements),
            document={
                "exposures": [exposure.record() for exposure in self.exposures],
                "level_of_theory": "knock-on by Mott cross-sections, natural isotopes, 300 K",
            },
            deck_ready=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedCampaign:
    """What one source of energies says in one campaign, and whether VASP's inputs can be written for all of it."""

    kind: str
    source: str
    elements: frozenset[str]
    document: Document
    deck_ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRow:
    """A published value with the number of every source of energies that has one."""

    published: PublishedValue
    source: str
    deck_ready: bool
    values: Mapping[str, float]

    def cells(self, sources: Sequence[str]) -> tuple[str, ...]:
        """Texts of the row: name, paper, deck, then a number or a dash per source."""
        one = self.published
        name = f"{one.quantity} [{one.unit}]" if one.unit else one.quantity
        numbers = (f"{self.values[source]:.{one.digits}f}" if source in self.values else "-" for source in sources)
        return (name, f"{one.printed} ({self.source})", "yes" if self.deck_ready else "no", *numbers)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; ``agrees`` only where the paper prints a number."""
        one = self.published
        agrees = {}
        if one.value is not None and one.tolerance is not None:
            agrees = {source: abs(value - one.value) <= one.tolerance for source, value in self.values.items()}
        printed = one.model_dump(include={"quantity", "unit", "value", "tolerance"})
        found = {"source": self.source, "deck_ready": self.deck_ready, "values": dict(self.values)}
        return {**printed, "paper": one.printed, **found, "agrees": agrees}


def read_published(path: str | os.PathLike[str]) -> PublishedFile:
    """Published values of a YAML file; the message of a `FileError` names the line."""
    return validated(path, read_yaml(path), PublishedFile)


def values_at(document: Any, path: Sequence[Step]) -> list[Any]:
    """Values that the steps of a path lead to, in the order of the document; none where there is no such key.

    Examples
    --------
    >>> document = {"gaps": [{"gap_A": 5.0, "energy_eV": -1.0}, {"gap_A": 6.0, "energy_eV": -1.2}]}
    >>> values_at(document, ["gaps", {"gap_A": {"from": 5.5, "to": 7}}, "energy_eV"])
    [-1.2]
    """
    nodes = [document]
    for step in path:
        if isinstance(step, dict):
            records = (record for node in nodes for record in (node if isinstance(node, list) else [node]))
            nodes = [record for record in records if all(_holds(record.get(k), v) for k, v in step.items())]
        elif isinstance(step, int):
            nodes = [node[step] for node in nodes]
        else:
            nodes = [node[step] for node in nodes if node is not None and step in node]
    return nodes


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and wanted.keys() == {"from", "to"}:
        return found is not None and wanted["from"] <= found <= wanted["to"]
    return bool(found == wanted or (isinstance(found, list) and wanted in found))


def validation_rows(
    published: Iterable[PublishedFile], campaigns: Sequence[AnalysedCampaign]
) -> tuple[ValidationRow, ...]:
    """Every published value with the numbers of every source; a campaign of other elements gives none."""
    return tuple(_row(file, value, campaigns) for file in published for value in file.values)


def _row(file: PublishedFile, value: PublishedValue, campaigns: Sequence[AnalysedCampaign]) -> ValidationRow:
    own = [one for one in campaigns if one.kind == value.study and set(file.elements) <= one.elements]
    found = [(one.source, number) for one in own if (number := value.read(one.document)) is not None]
    values = dict(found)
    if len(values) < len(found):
        source = next(name for name in values if [other for other, _ in found].count(name) > 1)
        expected, advice = f"one campaign with {source}", "validate one at a time"
        raise InputError(value.quantity, expected=expected, got="two", advice=advice)
    ready = bool(own) and all(one.deck_ready for one in own)
    return ValidationRow(published=value, source=file.source, deck_ready=ready, values=values)

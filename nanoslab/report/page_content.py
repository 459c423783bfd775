"""Everything that a page says, gathered from a campaign and its study's result before a word of HTML is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.calculation import Run
from nanoslab.errors import FileError
from nanoslab.plot_data import Plot
from nanoslab.report.campaign_tables import (
    checks_table,
    provenance_table,
    remarks,
    settings_table,
    structures_table,
)
from nanoslab.report.plots import plots_of
from nanoslab.report.references import references
from nanoslab.report.structure_data import Scene, scenes
from nanoslab.studies.result import StudyResult, Table
from nanoslab.studies.study import Reference, Study

if TYPE_CHECKING:
    from nanoslab.campaign import Campaign

#: an atom in a box tells nobody anything
ROLES_NOT_SHOWN = ("atom",)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """What the page says.

    Attributes
    ----------
    title, question
        Of the study; what it asks, in one sentence.
    kind, source, level_of_theory
        Word of the study file, whose runs were read, and how good their energies are.
    summary
        One line per plot, and per remark on runs that are used all the same.
    plots, tables
        Of the study.
    checks, structures, settings, provenance
        Of the campaign.
    scenes
        Structures.
    references
        Papers and tools.
    study_file
        Text of the campaign's study file.
    """

    title: str
    question: str
    kind: str
    source: str
    level_of_theory: str
    summary: tuple[str, ...]
    plots: tuple[Plot, ...]
    tables: tuple[Table, ...]
    checks: Table
    structures: Table
    settings: Table
    provenance: Table
    scenes: tuple[Scene, ...]
    references: tuple[Reference, ...]
    study_file: str

    @property
    def wrong(self) -> tuple[str, ...]:
        """How many runs are not used, by state."""
        states = [row[1] for row in self.checks.rows]
        fine = ("used", "used with a remark", "skipped")
        return tuple(f"{states.count(state)} {state}" for state in dict.fromkeys(states) if state not in fine)


def page_content(
    campaign: Campaign, study: Study[Any], source: str, runs: Sequence[Run], result: StudyResult
) -> PageContent:
    """Gather the page of a study.

    Parameters
    ----------
    campaign, study
        As loaded.
    source
        Whose runs were read: ``vasp`` or an engine.
    runs
        Of the campaign's calculations.
    result
        What the study made of them.
    """
    document = {**result.to_dict(), "thermal": thermal_records(campaign.folder)}
    plots = plots_of(document)
    calculations, checks = [run.calculation for run in runs], checks_table(runs, result)
    levels = dict.fromkeys(run.result.level_of_theory for run in runs if run.result.energy is not None)
    return PageContent(
        title=study.title,
        question=_first_line(type(study).__doc__),
        kind=study.kind,
        source=source,
        level_of_theory=str(document["level_of_theory"] or "; ".join(levels) or source),
        summary=(*(plot.reading for plot in plots if plot.reading), *remarks(checks)),
        plots=plots,
        tables=result.tables(),
        checks=checks,
        structures=structures_table(runs),
        settings=settings_table(calculations),
        provenance=provenance_table(campaign.folder, calculations, source),
        scenes=scenes(runs, ROLES_NOT_SHOWN),
        references=references(study, source),
        study_file=campaign.study_file.read_text(encoding="utf-8", errors="replace"),
    )


def thermal_records(folder: Path) -> dict[str, Any]:
    """Free energies that ``nanoslab phonons`` left in sub-folders of a campaign, by the name of the folder.

    Examples
    --------
    >>> thermal_records(Path("no/such/campaign"))
    {}
    """
    records = {}
    for path in sorted(folder.glob("*/thermal.json")):
        try:
            records[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            advice = "give 'nanoslab phonons' again, or remove the file"
            raise FileError(path, expected="what 'nanoslab phonons' wrote", got=str(error), advice=advice) from error
    return records


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]

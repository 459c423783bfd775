"""Everything that a page says, gathered from a campaign and its study's result before a word of HTML is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nanoslab.calculation import Run
from nanoslab.plot_data import Plot
from nanoslab.report.campaign_tables import checks_table, provenance_table, remarks, settings_table, structures_table
from nanoslab.report.evidence import campaign_evidence
from nanoslab.report.references import references
from nanoslab.report.structure_data import Scene, scenes
from nanoslab.studies.headline import Headline
from nanoslab.studies.phonons.plots import folder_plots
from nanoslab.studies.result import StudyResult, Table
from nanoslab.studies.study import Reference, Study

if TYPE_CHECKING:
    from nanoslab.campaign import Campaign

#: an atom in a box tells nobody anything
ROLES_NOT_SHOWN = ("atom",)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """What the page says.

    ``wrong``, ``summary``: what a reader must know first; the tables from ``checks`` on are those of the campaign.
    """

    title: str
    question: str
    kind: str
    source: str
    level_of_theory: str
    headline: Headline | None  #: yes or no in one sentence, with its figure; None of a study that has none
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
    """Gather the page of a study from its runs, those of ``source``, and what it made of them."""
    document = result.to_dict()
    plots = (*study.plots(document), *folder_plots(campaign.folder))
    headline = study.headline(campaign_evidence(campaign, study, source, document)) if plots else None
    lead = headline.plot.name if headline and headline.plot else ""
    calculations, checks = [run.calculation for run in runs], checks_table(runs, result)
    levels = dict.fromkeys(run.result.level_of_theory for run in runs if run.result.energy is not None)
    return PageContent(
        title=study.title,
        question=(type(study).__doc__ or "").strip().partition("\n")[0],
        kind=study.kind,
        source=source,
        level_of_theory=document["level_of_theory"] or "; ".join(levels) or source,
        headline=headline,
        summary=(*(plot.reading for plot in plots if plot.reading and plot.name != lead), *remarks(checks)),
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

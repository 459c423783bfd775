"""What an answer is derived from: the results of every source of a campaign, and what papers print."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nanoslab.driver.results import available_sources, read_runs
from nanoslab.errors import NanoslabError
from nanoslab.files import data_folder
from nanoslab.report.validation import read_published
from nanoslab.studies.headline import Evidence, Printed

if TYPE_CHECKING:
    from nanoslab.campaign import Campaign
    from nanoslab.studies.study import Study


def _shipped(campaign: Campaign, study: Study[Any]) -> dict[str, dict[str, Any]]:
    """Documents of the reference results of the same kind of study of the same crystals."""
    from nanoslab.campaign import load_campaign
    from nanoslab.studies.study_file import load_study

    found = {}
    for file in sorted((data_folder("workflows") / "reference_results").glob("*/study.yaml")):
        with suppress(NanoslabError):
            same = load_study(file)
            if same.kind != study.kind or not same.crystals or set(same.crystals) != set(study.crystals):
                continue
            shipped = load_campaign(file.parent)
            if shipped.folder.resolve() != campaign.folder.resolve():
                for source in sorted({*available_sources(shipped)} - {*available_sources(campaign)}):
                    found[f"{source}, shipped"] = same.analyze(read_runs(shipped, source)).to_dict()
    return found


def campaign_evidence(campaign: Campaign, study: Study[Any], source: str, document: dict[str, Any]) -> Evidence:
    """Documents of every source, the given one first, of shipped reference results, and what papers print."""
    documents = {source: document}
    for other in available_sources(campaign):
        if other not in documents:
            with suppress(NanoslabError):  # `analyze --source` says what is wrong with it
                documents[other] = study.analyze(read_runs(campaign, other)).to_dict()
    documents |= _shipped(campaign, study)
    elements = {symbol for one in campaign.calculations for symbol in one.atoms.get_chemical_symbols()}
    files = map(read_published, sorted((data_folder("workflows") / "published").glob("*.yaml")))
    printed = tuple(
        Printed(source=file.source, path=one.path, value=one.value)
        for file in files
        if elements >= set(file.elements)
        for one in file.values
        if one.study == study.kind and one.value is not None
    )
    return Evidence(documents=documents, printed=printed)

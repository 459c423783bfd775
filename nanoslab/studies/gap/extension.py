"""More gaps for a scan whose lowest energy lies at its end: the study file with ``more_gaps:`` beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nanoslab.campaign import load_campaign, write_campaign
from nanoslab.driver.results import read_runs
from nanoslab.errors import InputError
from nanoslab.files import write_atomically
from nanoslab.studies.gap.study import GapStudy
from nanoslab.studies.study_file import load_calculations, load_study

_HEADING = "# Written by 'nanoslab run --extend': gaps beyond the end at which the energy was lowest"


def extended_campaign(study_file: Path, folder: Path, source: str) -> Path | None:
    """Add to a campaign the gaps that its runs ask for; the study file that has them, or None where none is needed.

    That file lies beside the given one, as ``NAME.extended.yaml``.
    """
    study = extendable_study(study_file)
    result = study.analyze(read_runs(load_campaign(folder), source))
    gaps = [gap for gap in result.next_gaps if _can_be_built(study, gap)]
    if not gaps:
        return None
    longer = study_file.with_name(f"{study_file.stem.removesuffix('.extended')}.extended.yaml")
    write_atomically(longer, _extended_text(study_file, study, gaps))
    write_campaign(longer, load_calculations(longer), folder, study.structure_files)
    return longer


def extendable_study(study_file: Path) -> GapStudy:
    """Study of a file whose gaps may be extended; others are refused."""
    study = load_study(study_file)
    if not isinstance(study, GapStudy):
        raise InputError("--extend", expected="a gap study", got=study.study, advice="leave it out")
    return study


def _can_be_built(study: GapStudy, gap: float) -> bool:
    try:
        study.model_copy(update={"more_gaps": (*study.more_gaps, gap)}).calculations()
    except InputError:  # the slabs would touch, no ligand fits between them, or the cell has no vacuum left
        return False
    return True


def _extended_text(path: Path, study: GapStudy, gaps: Sequence[float]) -> str:
    text = path.read_text(encoding="utf-8")
    if study.more_gaps and _HEADING not in text:
        advice = "add the gaps to it yourself"
        raise InputError("more_gaps", expected="none, or those of --extend", got=study.more_gaps, advice=advice)
    listed = ", ".join(f"{gap:g}" for gap in (*study.more_gaps, *gaps))
    return f"{text.partition(_HEADING)[0].rstrip()}\n\n{_HEADING}\nmore_gaps: [{listed}]\n"

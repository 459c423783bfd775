"""Cheap first: every shape of a neck with an embedded engine, so that only the best few of a size are computed further.

A study file with ``screen:`` becomes one with ``screened:`` beside it, which holds the energies; from then on that is
the study. The runs lie in a folder of their own and are resumed like any others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nanoslab.calculation import Calculation, Run
from nanoslab.campaign import write_campaign
from nanoslab.driver.run import Ended, Step, run_campaign
from nanoslab.engines import engine_of_file, read_result
from nanoslab.errors import EngineError, FileError
from nanoslab.files import write_atomically
from nanoslab.studies.neck.result import NeckStudyResult
from nanoslab.studies.neck.study import NeckStudy
from nanoslab.studies.study_file import load_study


def ready_study_file(
    path: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    deadline: float | None = None,
    on_event: Callable[[Step | Ended], None] | None = None,
) -> Path:
    """Return the study file to compute: the given one, or after its screen ``NAME.screened.yaml`` beside it.

    Only a neck study with ``screen:`` and without ``screened:`` is screened, with the options of `run_campaign`. Where
    a calculation fails or is stopped (an `EngineError`), the same call goes on.
    """
    file = Path(path)
    study = _unscreened(file)
    if study is None or study.screen is None:
        return file
    screen, name = screening_study(study), study.screen.engine
    calculations, folder = screen.calculations(), file.with_name(f"{file.stem}.screening")
    chosen = engine_of_file(f"{file}: screen.engine", name)
    write_campaign(file, calculations, folder, study.structure_files)
    _require_all(run_campaign(folder, name, jobs=jobs, deadline=deadline, on_event=on_event))
    result = _analyzed(screen, calculations, folder, chosen.label)
    target = file.with_name(f"{file.stem}.screened.yaml")
    text = screened_text(file.read_text(encoding="utf-8"), result)
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        _refuse_foreign(target, file)
        write_atomically(target, text)
    return target


def screening_size(path: str | os.PathLike[str]) -> int:
    """Return how many calculations the screen of a study file has; 0 where it asks for none or has been screened."""
    study = _unscreened(path)
    return 0 if study is None else len(screening_study(study).calculations())


def _unscreened(path: str | os.PathLike[str]) -> NeckStudy | None:
    """Study of a file that asks for a screen and does not hold its energies yet."""
    study = load_study(path)
    return study if isinstance(study, NeckStudy) and study.screen and study.screened is None else None


def screening_study(study: NeckStudy) -> NeckStudy:
    """Return the study that the screen is: single points of all its shapes."""
    screen = study.screen
    if screen is None:
        return study
    changes: dict[str, Any] = {"relax": "none", "shapes": screen.shapes, "screen": None, "screened": None}
    changes |= {"planes": screen.planes or study.planes, "fixed_planes": 0}
    if screen.lattice_constant is not None:
        changes |= {"lattice": None, "lattice_constant": screen.lattice_constant}
    return study.model_copy(update=changes)


def screened_text(study_text: str, result: NeckStudyResult) -> str:
    """Return the text of a study file with the energies of its screen at the end."""
    energies = "".join(f'  "{row.shape}": {row.delta_energy:.6f}\n' for row in result.rows)
    return (
        study_text.rstrip("\n")
        + f"\n\n# Written by the screen ({result.level_of_theory}): shape -> dE [eV], one hexadecimal number\n"
        + f"# per row of columns. Remove this section to screen again.\nscreened:\n{energies}"
    )


def _require_all(outcomes: tuple[Ended, ...]) -> None:
    if left := [outcome for outcome in outcomes if outcome.state != "finished"]:
        where, got = f"screen: {len(left)} of {len(outcomes)} calculations", ", ".join(left[0].problems)
        advice = "run the same command again to go on"
        raise EngineError(where, expected="all to end", got=f"{left[0].name} ({got})", advice=advice)


def _analyzed(screen: NeckStudy, calculations: tuple[Calculation, ...], folder: Path, label: str) -> NeckStudyResult:
    result = screen.analyze(Run(calculation=one, result=read_result(folder / one.name / label)) for one in calculations)
    if result.refused:
        name, reason = result.refused[0]
        raise EngineError(f"screen, {name}", expected="a result to be used", got=reason)
    write_atomically(folder / "screening.json", json.dumps({"schema": 1, **result.to_dict()}, indent=2) + "\n")
    return result


def _refuse_foreign(target: Path, source: Path) -> None:
    """A file of that name that is no screened study of this kind is somebody's work."""
    if target.is_file() and "\nscreened:\n" not in target.read_text(encoding="utf-8", errors="replace"):
        expected = f"nothing, or the screened study of {source.name}"
        raise FileError(target, expected=expected, got="another file", advice="move it away")

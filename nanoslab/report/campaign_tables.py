"""Tables of a campaign for the page: convergence checks, structures, settings, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from nanoslab.builders import sheet_ledger
from nanoslab.calculation import Calculation, CalculationResult, Run, Settings
from nanoslab.errors import NanoslabError
from nanoslab.files import sha256
from nanoslab.studies.result import Cell, StudyResult, Table, table_of

#: the worst first
STATES = ("refused", "failed", "not converged", "not run", "skipped", "used with a remark", "used")
#: neither sheets nor anything made of them
ROLES_WITHOUT_FACES = ("atom", "bulk", "element", "ligand")
UNITS = {
    "cutoff_energy": " [eV]",
    "smearing_width": " [eV]",
    "electronic_tolerance": " [eV]",
    "force_tolerance": " [eV/Å]",
}


def state_of(result: CalculationResult, *, refused: bool) -> str:
    """State of a run in one of the words of `STATES`."""
    if refused:
        return "refused"
    if not result.found:
        waiting = not result.problems or any(problem.startswith("not run yet") for problem in result.problems)
        return "not run" if waiting else "skipped"
    if result.energy is None:
        return "failed"
    if not result.converged:
        return "not converged"
    return "used with a remark" if result.problems else "used"


def checks_table(runs: Sequence[Run], study_result: StudyResult) -> Table:
    """One row per calculation, the failing ones on top."""
    reasons = {**dict(study_result.missing), **dict(study_result.refused)}
    refused = dict(study_result.refused)
    rows = []
    for run in runs:
        name, result = run.calculation.name, run.result
        said = [reasons.get(name, ""), *result.problems]
        rows.append(
            {
                "name": name,
                "state": state_of(result, refused=name in refused),
                "energy": result.energy,
                "force": result.max_free_force,
                "level": result.level_of_theory,
                "said": "; ".join(dict.fromkeys(text for text in said if text and text not in said[0][len(text) :])),
            }
        )
    rows.sort(key=lambda row: STATES.index(row["state"]))
    columns: dict[str, Cell] = {
        "calculation": "name",
        "state": "state",
        "energy [eV]": "energy:.4f",
        "largest force [eV/Å]": "force:.3f",
        "level of theory": "level",
        "problems and remarks": "said",
    }
    if len({row["level"] for row in rows if row["state"] != "not run"}) <= 1:
        del columns["level of theory"]  # one level for all stands in the heading
    notes = (
        "The energies of refused runs are not used; skipped runs are those that the engine cannot compute.",
        "The force is the largest on a free component at the end.",
    )
    return table_of("Convergence check of every run", rows, columns, notes)


def remarks(checks: Table) -> tuple[str, ...]:
    """Remarks on runs that are used all the same: each once, with the calculations it is about."""
    about: dict[str, list[str]] = {}
    for row in checks.rows:
        if row[1] == "used with a remark":
            about.setdefault(row[-1], []).append(row[0])
    return tuple(f"Used with a remark: {', '.join(names)}: {text}." for text, names in about.items())


def structures_table(runs: Sequence[Run]) -> Table:
    """Counts, formal charge and dipole, planes and thickness of every sheet built."""
    rows = [row for run in runs if (row := _structure(run.calculation, run.result))]
    return Table(
        title="Structures as built and relaxed",
        columns=(
            *("calculation", "counts", "charge [e]", "dipole [e Å]", "planes", "faces"),
            *("thickness [Å]", "vacuum [Å]", "area [Å²]"),
        ),
        rows=tuple(rows),
        notes=(
            "Formal charge, its dipole, planes and faces (low/high) as built.",
            "Thickness and vacuum of the relaxed structure where there is one.",
        ),
    )


def _structure(calculation: Calculation, result: CalculationResult) -> tuple[str, ...] | None:
    if calculation.atoms.info.get("recipe") is None or calculation.role.kind in ROLES_WITHOUT_FACES:
        return None
    try:
        built = sheet_ledger(calculation.atoms)
        relaxed = built
        if result.atoms is not None:
            final = result.atoms.copy()
            final.info = calculation.atoms.info  # which atoms are ligands
            relaxed = sheet_ledger(final)
    except NanoslabError:
        # without formal charges: what is counted still counts
        return (calculation.name, calculation.atoms.get_chemical_formula(), *["-"] * 7)
    counts = "".join(f"{species}{count}" for species, count in built.counts.items())
    charge = f"{built.formal_charge:+g}" if built.formal_charge else "0"
    faces = (str(len(built.planes or ())), "/".join(built.termination or ()))
    lengths = (f"{length:.2f}" for length in (relaxed.thickness, relaxed.vacuum, relaxed.area))
    return (calculation.name, counts, charge, f"{built.dipole:.2f}", *faces, *lengths)


def settings_table(calculations: Sequence[Calculation]) -> Table:
    """Settings of the calculations: one row per field, what all share first."""
    rows = []
    for field in fields(Settings):
        values: dict[str, list[str]] = {}
        for calculation in calculations:
            values.setdefault(_words(getattr(calculation.settings, field.name)), []).append(calculation.name)
        name = field.name.replace("_", " ") + UNITS.get(field.name, "")
        most = max(values, key=lambda value: len(values[value]))
        for value in sorted(values, key=lambda value: value != most):
            others = "all" if len(values) == 1 else "all others"
            rows.append((name, value, others if value == most else ", ".join(values[value])))
    return Table(title="Settings", columns=("setting", "value", "calculations"), rows=tuple(rows))


def provenance_table(campaign_folder: Path, calculations: Sequence[Calculation], source: str) -> Table:
    """How each structure was built, and which files and versions stand behind its result."""
    rows = []
    for calculation in calculations:
        folder = campaign_folder / calculation.name
        deck = _document(folder / "calculation.json")
        run = {} if source == "vasp" else _document(folder / source / "result.json")
        versions = {**deck.get("versions", {}), **run.get("versions", {})}
        seconds = run.get("wall_time_s")
        words = ["imported (see result.json)"] if "imported" in run else []
        rows.append(
            (
                calculation.name,
                _recipe(calculation.atoms.info.get("recipe")),
                calculation.starts_from or "-",
                _hash(folder / "calculation.json"),
                ", ".join([*words, *(f"{name} {version}" for name, version in sorted(versions.items()))]) or "-",
                "-" if seconds is None else f"{seconds:.1f}",
            )
        )
    return Table(
        title="Provenance",
        columns=("calculation", "built by", "starts from", "sha256 of calculation.json", "versions", "wall time [s]"),
        rows=tuple(rows),
        notes=("Structures, settings and recipes stand in calculation.json of each folder.",),
    )


def _recipe(recipe: Any) -> str:
    if not isinstance(recipe, Mapping):
        return "-"
    parameters = recipe.get("parameters", {})
    plain = {key: value for key, value in parameters.items() if key != "parent"}
    words = ", ".join(f"{key} {_words(value)}" for key, value in plain.items())
    parent = parameters.get("parent")
    made = f"{recipe.get('builder', '?')}({words})"
    return f"{made} of {_recipe(parent)}" if isinstance(parent, Mapping) else made


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _hash(path: Path) -> str:
    return sha256(path.read_bytes())[:12] if path.is_file() else "-"


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " × ".join(_words(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_words(item)}" for key, item in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)

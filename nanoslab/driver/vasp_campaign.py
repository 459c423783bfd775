"""A campaign with a VASP input set in every calculation's folder, and the job array's script and table beside them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nanoslab.calculation import Calculation
from nanoslab.campaign.names import SCRIPT, TABLE
from nanoslab.campaign.write import apply_campaign, plan_campaign
from nanoslab.driver.job_array import calculations_table, job_array_script
from nanoslab.files import write_atomically, write_where_changed
from nanoslab.vasp.inputs.deck import WrittenDeck, apply_plan, functional_kind, open_library, plan_deck, species_of
from nanoslab.vasp.inputs.potcar import PotcarLibrary, find_potcars, release_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCampaign:
    """What writing a campaign did."""

    folder: Path
    decks: tuple[WrittenDeck, ...]  # one VASP input set per calculation
    notes: tuple[str, ...] = ()  # what was left alone and why, in words


def write_vasp_campaign(
    study_file: str | os.PathLike[str],
    calculations: Sequence[Calculation],
    folder: str | os.PathLike[str],
    potcar_library: PotcarLibrary | Path | None = None,
    structure_files: Sequence[str] = (),
) -> WrittenCampaign:
    """Write a study as a campaign with VASP input sets; everything is checked before the first byte is written.

    A campaign that engines already ran in gets the input sets beside their results.
    """
    target = Path(folder)
    libraries = _one_release(calculations, open_library(potcar_library))
    decks = {c.name: plan_deck(c, target / c.name, libraries[functional_kind(c)]) for c in calculations}
    plan = plan_campaign(
        study_file, calculations, target, structure_files, kept_by_others=lambda name: decks[name].kept_here
    )
    table = calculations_table(calculations)
    # the input sets first: version 0.1 said in calculation.json what they are
    written = tuple(apply_plan(deck) for deck in decks.values())
    notes = [*plan.notes, *_write_script(target)]
    write_where_changed(target / TABLE, table.encode())
    apply_campaign(plan)
    return WrittenCampaign(folder=target, decks=written, notes=tuple(notes))


def _one_release(calculations: Sequence[Calculation], library: PotcarLibrary | None) -> dict[str, PotcarLibrary | None]:
    """Library per kind of functional, narrowed to one release that has every element of the campaign."""
    libraries: dict[str, PotcarLibrary | None] = {}
    for kind in {functional_kind(calculation) for calculation in calculations}:
        of_kind = [calculation for calculation in calculations if functional_kind(calculation) == kind]
        elements = tuple(dict.fromkeys(symbol for calculation in of_kind for symbol in species_of(calculation)))
        full = library is not None and library.roots
        libraries[kind] = release_of(find_potcars(elements, kind, library), library) if library and full else library
    return libraries


def _write_script(folder: Path) -> list[str]:
    path, script = folder / SCRIPT, job_array_script()
    if not path.exists():
        write_atomically(path, script)
        path.chmod(path.stat().st_mode | 0o111)
        return []
    same = path.read_text(encoding="utf-8", errors="replace") == script
    return [] if same else [f"{SCRIPT} was edited (or is of another version): left as it is"]

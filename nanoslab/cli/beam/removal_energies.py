"""What a campaign says an atom costs at each of its sites: vacancies with one atom removed, by neighbours and layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.beam.loss.sites import SiteEnergy


def removal_energies(folder: Path, *, source: str | None = None, phase: str | None = None) -> tuple[SiteEnergy, ...]:
    """Energies to take an atom to vacuum from the vacancies of a campaign, each for its layer and neighbours.

    Parameters
    ----------
    folder
        A campaign of a vacancy study.
    source
        Whose runs; the only one there by default.
    phase
        Which of its sheets; the only one by default.

    Raises
    ------
    InputError
        If the campaign has no vacancy with one atom removed, an isolated atom and a usable pristine sheet; or several
        phases and none was chosen.
    """
    from nanoslab.beam.binding import neighbour_lists
    from nanoslab.beam.loss.sites import SiteEnergy, depths
    from nanoslab.campaign import load_campaign
    from nanoslab.cli.campaign.analyze import chosen_source
    from nanoslab.driver.results import read_runs
    from nanoslab.studies.study_file import load_study

    campaign = load_campaign(folder)
    chosen = chosen_source(campaign, source)
    document = load_study(campaign.study_file).analyze(read_runs(campaign, chosen)).to_dict()
    calculations = {calculation.name: calculation for calculation in campaign.calculations}
    rows = [row for row in document.get("vacancies", ()) if row["n_removed"] == 1]
    rows = [row for row in rows if row["formation_energy_eV"].get("atom") is not None]
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    if phase is None and len(phases) > 1:
        raise InputError("--phase", expected=f"one of {', '.join(phases)}", got="none")
    found = []
    for row in rows:
        calculation = calculations[row["calculation"]]
        if phase not in (None, row["phase"]) or calculation.starts_from is None:
            continue
        parent, (atom,) = calculations[calculation.starts_from].atoms, calculation.removed_indices
        found.append(
            SiteEnergy(
                element=parent.get_chemical_symbols()[atom],
                energy=row["formation_energy_eV"]["atom"],
                n_neighbours=len(neighbour_lists(parent)[atom]),
                layer=int(depths(parent)[atom]),
                source=f"{row['calculation']}, {document['level_of_theory']}",
            )
        )
    if not found:
        got = f"none of phase {phase}; there are {', '.join(phases) or 'no phases'}" if phase else "none"
        raise InputError(folder, expected="vacancies with one atom removed, and the isolated atom", got=got)
    return _with_the_deepest_elsewhere(found)


def _with_the_deepest_elsewhere(rows: list[SiteEnergy]) -> tuple[SiteEnergy, ...]:
    """The lowest row of each layer, and for other layers the deepest one with so many neighbours."""
    from dataclasses import replace

    lowest: dict[tuple[str, int | None, int | None], SiteEnergy] = {}
    for row in rows:
        key = (row.element, row.n_neighbours, row.layer)
        if key not in lowest or row.energy < lowest[key].energy:
            lowest[key] = row
    deepest: dict[tuple[str, int | None], SiteEnergy] = {}
    for row in lowest.values():
        other = deepest.get((row.element, row.n_neighbours))
        if other is None or (row.layer or 0) > (other.layer or 0):
            deepest[row.element, row.n_neighbours] = row
    return (*lowest.values(), *(replace(row, layer=None) for row in deepest.values()))

"""A vacancy study's result laid out for the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanoslab.studies.study import Table

if TYPE_CHECKING:
    from nanoslab.studies.vacancy_result import VacancyRow, VacancyStudyResult


def tables(result: VacancyStudyResult) -> tuple[Table, ...]:
    """Vacancies with their energies, the sheets, the beam, and what was not used."""
    return tuple(table for table in (_vacancies(result), _sheets(result), _beam(result)) if table.rows)


def _vacancies(result: VacancyStudyResult) -> Table:
    names = [name for name in ("atom", "element") if name in result.potentials]
    limits = [name for name in result.potentials if name.startswith("rich:")]
    notes = [f"Level of theory: {result.level_of_theory}.", "E_f for all atoms removed together."]
    for name in names:
        mu = result.potentials[name]
        notes.append(f"mu({name}): " + "; ".join(f"{e} {mu.values[e]:.3f} eV = {mu.sources[e]}" for e in mu.values))
    notes.extend(sorted({note for row in result.vacancies for note in row.notes}))
    for sheet in result.sheets:
        for element in sheet.counts:
            slope = result.slope_per_removed_meV(sheet.phase, element)
            if slope is not None:
                notes.append(f"{sheet.phase}: energy per atom changes by {slope:+.1f} meV per {element} lost (fit).")
    return Table(
        title="Vacancies",
        columns=(
            "sheet",
            "lost",
            "Cd:Se" if _is_cdse(result) else "cation:anion",
            *(f"E_f({name}) [eV]" for name in (*names, *limits)),
            "dE/atom [meV]",
            "H_f [eV/atom]",
        ),
        rows=tuple(_vacancy_cells(row, (*names, *limits)) for row in result.vacancies),
        notes=tuple(notes),
    )


def _vacancy_cells(row: VacancyRow, names: tuple[str, ...]) -> tuple[str, ...]:
    energies = row.energy.formation_energies
    per_atom = row.energy.formation_energy_per_atom
    return (
        row.phase,
        f"{row.label}{'' if row.converged else ' (!)'}",
        f"1:{1 / row.cation_to_anion:.2f}" if row.cation_to_anion else "-",
        *(f"{energies[name]:.2f}" if name in energies else "-" for name in names),
        f"{row.energy_per_atom_change_meV:+.1f}",
        "-" if per_atom is None else f"{per_atom:.3f}",
    )


def _sheets(result: VacancyStudyResult) -> Table:
    return Table(
        title="Sheets",
        columns=("sheet", "formula", "E/atom [eV]", "H_f [eV/atom]", "thickness [Å]"),
        rows=tuple(
            (
                row.phase,
                "".join(f"{element}{count}" for element, count in row.counts.items()),
                f"{row.energy_per_atom:.4f}",
                "-" if row.formation_energy_per_atom is None else f"{row.formation_energy_per_atom:.4f}",
                f"{row.thickness:.2f}",
            )
            for row in result.sheets
        ),
        notes=("H_f: energy of formation from the elemental crystals.",),
    )


def _beam(result: VacancyStudyResult) -> Table:
    return Table(
        title="Beam",
        columns=("atom", "beam [kV]", "E_max [eV]", "cheapest E_f(atom) [eV]", "can be knocked out"),
        rows=tuple(
            _beam_cells(result, row.element, row.beam_energy_keV, row.max_transferred_energy) for row in result.beam
        ),
        notes=(
            "E_max: largest energy handed over in a head-on collision (exact kinematics, mean mass, nucleus at rest).",
            "E_f(atom) is the energy to take the atom to vacuum, a lower bound of the displacement threshold;",
            "knock-on is a lower bound of the damage.",
        ),
    )


def _beam_cells(result: VacancyStudyResult, element: str, energy_keV: float, maximum: float) -> tuple[str, ...]:
    costs = [
        row.energy.formation_energies["atom"]
        for row in result.vacancies
        if dict(row.energy.removed) == {element: 1} and "atom" in row.energy.formation_energies
    ]
    cells = (element, f"{energy_keV:g}", f"{maximum:.2f}")
    if not costs:
        return (*cells, "-", "-")
    return (*cells, f"{min(costs):.2f}", "yes" if maximum > min(costs) else "no")


def _is_cdse(result: VacancyStudyResult) -> bool:
    return all(set(row.counts) == {"Cd", "Se"} for row in result.sheets)

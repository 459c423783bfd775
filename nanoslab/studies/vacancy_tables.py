"""A vacancy study's result laid out for the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanoslab.studies.study import Table

if TYPE_CHECKING:
    from nanoslab.measure.sheet import SheetMetrics
    from nanoslab.studies.vacancy_result import BeamRow, VacancyRow, VacancyStudyResult

#: reflections weaker than this are not tabulated
_STRONG = 0.2


def tables(result: VacancyStudyResult) -> tuple[Table, ...]:
    """Vacancies with their energies, the sheets, their structures, and the beam."""
    return tuple(
        table
        for table in (
            _vacancies(result),
            _sheets(result),
            _structures(result),
            _lateral(result),
            _crystals(result),
            _beam(result),
        )
        if table.rows
    )


def _vacancies(result: VacancyStudyResult) -> Table:
    names = [name for name in ("atom", "element") if name in result.potentials]
    notes = [
        f"Level of theory: {result.level_of_theory}.",
        "E_f [eV]: formation energy, all atoms removed together, by chemical potential. dE [meV]: energy per atom less "
        "the pristine sheet's. H_f [eV]: formation from the elements, per atom.",
    ]
    for name in names:
        mu = result.potentials[name]
        notes.append(f"mu({name}): " + "; ".join(f"{e} {mu.values[e]:.3f} eV = {mu.sources[e]}" for e in mu.values))
    notes.extend(sorted({note for row in result.vacancies for note in row.notes}))
    for sheet in result.sheets:
        for element in sheet.counts:
            slope = result.slope_per_removed_meV(sheet.phase, element)
            if slope is not None:
                notes.append(f"{sheet.phase}: energy per atom changes by {slope:+.1f} meV per {element} lost (fit).")
    notes.extend(
        f"By H_f {change.after} is more stable than {change.before} with less than {change.anion_to_cation:.2f} "
        "anions per cation."
        for change in result.phase_changes
    )
    return Table(
        title="Vacancies",
        columns=(
            "sheet",
            "lost",
            "Cd:Se" if _is_cdse(result) else "cation:anion",
            *(f"E_f({name})" for name in names),
            "dE/atom",
            "H_f/atom",
        ),
        rows=tuple(_vacancy_cells(row, names) for row in result.vacancies),
        notes=tuple(notes),
    )


def _vacancy_cells(row: VacancyRow, names: list[str]) -> tuple[str, ...]:
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
        columns=("sheet", "formula", "E/atom [eV]", "H_f [eV/atom]"),
        rows=tuple(
            (
                row.phase,
                "".join(f"{element}{count}" for element, count in row.counts.items()),
                f"{row.energy_per_atom:.4f}",
                "-" if row.formation_energy_per_atom is None else f"{row.formation_energy_per_atom:.4f}",
            )
            for row in result.sheets
        ),
        notes=("H_f: energy of formation from the elemental crystals.",),
    )


def _structures(result: VacancyStudyResult) -> Table:
    rows: list[tuple[str, str, SheetMetrics]] = []
    for sheet in result.sheets:
        rows.append((sheet.phase, "nothing", sheet.metrics))
        rows.extend((row.phase, row.label, row.metrics) for row in result.vacancies if row.phase == sheet.phase)
    return Table(
        title="Structure",
        columns=("sheet", "lost", "thickness [Å]", "tilt [°]", "stacking", "top layer"),
        rows=tuple(
            (
                phase,
                label,
                f"{metrics.thickness:.2f}",
                _number(metrics.top_tilt_degrees, ".1f"),
                _number(metrics.mean_eclipsed_bonds(), ".2f"),
                _number(metrics.mean_eclipsed_bonds(metrics.planes[-1].indices), ".2f"),
            )
            for phase, label, metrics in rows
        ),
        notes=(
            "tilt: of the bonds in the top layer against the plane, positive when the anion stands out.",
            "stacking: mean share of eclipsed bonds, 0 in zinc blende and 1 in wurtzite, of all atoms and of the top "
            "layer; '-' where no atom has three bonds to tell by.",
        ),
    )


def _lateral(result: VacancyStudyResult) -> Table:
    return Table(
        title="In-plane lattice",
        columns=("sheet", "lost", "strain [%]", "area [%]", "thickness [Å]", "gain [eV]", "spacings [Å]"),
        rows=tuple(
            (
                row.phase,
                "nothing" if row.label == "pristine" else row.label,
                " ".join(_percent(strain) for strain in row.strain.principal),
                _percent(row.strain.area),
                f"{row.metrics.thickness:.2f}",
                _number(row.energy_gain, ".3f"),
                " ".join(
                    f"{reflection.spacing:.2f}" for reflection in row.reflections if reflection.intensity >= _STRONG
                ),
            )
            for row in result.lateral
        ),
        notes=(
            "Relaxed once more, all atoms and the in-plane lattice free. strain: principal strains against the bulk's "
            "lattice; gain: energy of the cell in the bulk's lattice less that in its own.",
            f"spacings: reflections seen along the normal with at least {_STRONG:g} of the forward intensity "
            "(kinematic).",
        ),
    )


def _percent(strain: float) -> str:
    return f"{round(100 * strain, 1) + 0.0:+.1f}"  # adding zero turns -0.0 into 0.0


def _crystals(result: VacancyStudyResult) -> Table:
    return Table(
        title="Crystals",
        columns=("crystal", "a [Å]", "b [Å]", "c [Å]", "E/atom [eV]"),
        rows=tuple(
            (row.crystal, *(f"{edge:.3f}" for edge in row.lattice_constants), f"{row.energy_per_atom:.4f}")
            for row in result.crystals
        ),
        notes=("Edges of the conventional cell after relaxation at the study's level of theory.",),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _beam(result: VacancyStudyResult) -> Table:
    phases = [row.phase for row in result.sheets]
    return Table(
        title="Beam",
        columns=("atom", "beam [kV]", "E_max [eV]", *(f"E_f(atom) {phase} [eV]" for phase in phases)),
        rows=tuple(_beam_cells(row, phases) for row in result.beam),
        notes=(
            "E_max: largest energy handed over in a head-on collision (exact kinematics, mean mass, nucleus at rest); "
            "'<' marks atoms it may knock out.",
            "E_f(atom) of the most loosely bound atom is what it costs to take it to vacuum, a lower bound of the "
            "displacement threshold; knock-on is a lower bound of the damage.",
        ),
    )


def _beam_cells(row: BeamRow, phases: list[str]) -> tuple[str, ...]:
    cells = [row.element, f"{row.beam_energy_keV:g}", f"{row.max_transferred_energy:.2f}"]
    for phase in phases:
        cost = row.removal_energies.get(phase)
        mark = "< E_max" if cost is not None and cost < row.max_transferred_energy else ""
        cells.append("-" if cost is None else f"{cost:.2f} {mark}".strip())
    return tuple(cells)


def _is_cdse(result: VacancyStudyResult) -> bool:
    return all(set(row.counts) == {"Cd", "Se"} for row in result.sheets)

"""Tables of a vacancy study, from the document of its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.studies.result import Table, text_of

Document = Mapping[str, Any]
Record = Mapping[str, Any]

#: reflections weaker than this are not tabulated
_STRONG = 0.2


def vacancy_tables(document: Document, level_of_theory: str) -> tuple[Table, ...]:
    """Vacancies with their energies, the sheets, their structures, and the beam; none without rows."""
    made = (
        _vacancies(document, level_of_theory),
        _sheets(document),
        _structures(document),
        _in_plane(document),
        _crystals(document),
        _beam(document),
    )
    return tuple(table for table in made if table.rows)


def _vacancies(document: Document, level_of_theory: str) -> Table:
    potentials = document["chemical_potentials"]
    names = [name for name in ("atom", "element") if name in potentials]
    notes = [
        f"Level of theory: {level_of_theory}.",
        "E_f [eV]: formation energy, all atoms removed together, by chemical potential. dE [meV]: energy per atom less "
        "the pristine sheet's. H_f [eV]: formation from the elements, per atom.",
    ]
    for name in names:
        each = (f"{element} {mu['energy_eV']:.3f} eV = {mu['source']}" for element, mu in potentials[name].items())
        notes.append(f"mu({name}): " + "; ".join(each))
    notes.extend(sorted({note for row in document["vacancies"] for note in row["notes"]}))
    for phase, slopes in document["slope_per_removed_meV_per_atom"].items():
        for element, slope in slopes.items():
            if slope is not None:
                notes.append(f"{phase}: energy per atom changes by {slope:+.1f} meV per {element} lost (fit).")
    notes.extend(
        f"By H_f {change['after']} is more stable than {change['before']} with less than "
        f"{change['anion_to_cation']:.2f} anions per cation."
        for change in document["phase_changes"]
    )
    is_cdse = all(set(row["counts"]) == {"Cd", "Se"} for row in document["sheets"])
    energies = tuple(f"E_f({name})" for name in names)
    return Table(
        title="Vacancies",
        columns=("sheet", "lost", "Cd:Se" if is_cdse else "cation:anion", *energies, "dE/atom", "H_f/atom"),
        rows=tuple(_vacancy_cells(row, names) for row in document["vacancies"]),
        notes=tuple(notes),
    )


def _vacancy_cells(row: Record, names: list[str]) -> tuple[str, ...]:
    return (
        row["phase"],
        f"{row['label']}{'' if row['converged'] else ' (!)'}",
        f"1:{1 / row['cation_to_anion']:.2f}" if row["cation_to_anion"] else "-",
        *(text_of(row["formation_energy_eV"].get(name), ".2f") for name in names),
        f"{row['energy_per_atom_change_meV']:+.1f}",
        text_of(row["formation_energy_per_atom_eV"], ".3f"),
    )


def _sheets(document: Document) -> Table:
    return Table(
        title="Sheets",
        columns=("sheet", "formula", "E/atom [eV]", "H_f [eV/atom]"),
        rows=tuple(
            (
                row["phase"],
                "".join(f"{element}{count}" for element, count in row["counts"].items()),
                f"{row['energy_per_atom_eV']:.4f}",
                text_of(row["formation_energy_per_atom_eV"], ".4f"),
            )
            for row in document["sheets"]
        ),
        notes=("H_f: energy of formation from the elemental crystals.",),
    )


def _structures(document: Document) -> Table:
    rows: list[tuple[str, str, Record]] = []
    for sheet in document["sheets"]:
        phase = sheet["phase"]
        rows.append((phase, "nothing", sheet["structure"]))
        rows += [(phase, row["label"], row["structure"]) for row in document["vacancies"] if row["phase"] == phase]
    return Table(
        title="Structure",
        columns=("sheet", "lost", "thickness [Å]", "tilt [°]", "eclipsed bonds", "of the top layer"),
        rows=tuple(
            (
                phase,
                label,
                f"{structure['thickness_A']:.2f}",
                text_of(structure["top_tilt_degrees"], ".1f"),
                text_of(structure["stacking"], ".2f"),
                text_of(structure["top_stacking"], ".2f"),
            )
            for phase, label, structure in rows
        ),
        notes=(
            "tilt: of the bonds in the top layer against the plane, positive when the anion stands out.",
            "eclipsed bonds: number of bonds of an atom in the eclipsed position, mean over atoms with three or four "
            "bonds: 0 in zinc blende, 1 in wurtzite, more where a surface has rebuilt; '-' where no atom has three.",
        ),
    )


def _in_plane(document: Document) -> Table:
    return Table(
        title="In-plane lattice",
        columns=("sheet", "lost", "strain [%]", "area [%]", "thickness [Å]", "gain [eV]", "spacings [Å]"),
        rows=tuple(
            (
                row["phase"],
                "nothing" if row["label"] == "pristine" else row["label"],
                " ".join(_percent(strain) for strain in row["principal_strains"]),
                _percent(row["area_strain"]),
                f"{row['thickness_A']:.2f}",
                text_of(row["energy_gain_eV"], ".3f"),
                " ".join(f"{r['spacing_A']:.2f}" for r in row["reflections"] if r["intensity"] >= _STRONG),
            )
            for row in document["lateral"]
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


def _crystals(document: Document) -> Table:
    return Table(
        title="Crystals",
        columns=("crystal", "a [Å]", "b [Å]", "c [Å]", "E/atom [eV]"),
        rows=tuple(
            (
                row["crystal"],
                *(f"{edge:.3f}" for edge in row["lattice_constants_A"]),
                f"{row['energy_per_atom_eV']:.4f}",
            )
            for row in document["crystals"]
        ),
        notes=("Edges of the conventional cell after relaxation at the study's level of theory.",),
    )


def _beam(document: Document) -> Table:
    phases = [row["phase"] for row in document["sheets"]]
    return Table(
        title="Beam",
        columns=("atom", "beam [kV]", "E_max [eV]", *(f"E_f(atom) {phase} [eV]" for phase in phases)),
        rows=tuple(_beam_cells(row, phases) for row in document["beam"]),
        notes=(
            "E_max: largest energy handed over in a head-on collision (exact kinematics, mean mass, nucleus at rest); "
            "'<' marks atoms it may knock out.",
            "E_f(atom) of the most loosely bound atom is what it costs to take it to vacuum, a lower bound of the "
            "displacement threshold; knock-on is a lower bound of the damage.",
        ),
    )


def _beam_cells(row: Record, phases: list[str]) -> tuple[str, ...]:
    largest = row["max_transferred_energy_eV"]
    cells = [row["element"], f"{row['beam_energy_keV']:g}", f"{largest:.2f}"]
    for phase in phases:
        cost = row["removal_energy_eV"].get(phase)
        cells.append(text_of(cost, ".2f") + (" < E_max" if cost is not None and cost < largest else ""))
    return tuple(cells)

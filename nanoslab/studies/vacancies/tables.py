"""Tables of a vacancy study, from the document of its result."""

from __future__ import annotations

from nanoslab.studies.result import Cell, Record, Table, marked, table_of, text_of

#: reflections weaker than this are not tabulated
_STRONG = 0.2


def vacancy_tables(document: Record, level_of_theory: str) -> tuple[Table, ...]:
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


def _vacancies(document: Record, level_of_theory: str) -> Table:
    potentials = document["chemical_potentials"]
    names = [name for name in ("atom", "element") if name in potentials]
    notes = [
        f"Level of theory: {level_of_theory}.",
        "E_f [eV]: formation energy, all atoms removed together, by chemical potential. dE [meV]: energy per atom less "
        "the pristine sheet's. H_f [eV]: formation from the elements, per atom.",
    ]
    in_steps = any(row.get("after") for row in document["vacancies"])
    if in_steps:
        notes.append(
            "step [eV]: the same against the structure named before the last '+', what it lost with that step."
        )
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
    columns: dict[str, Cell] = {
        "sheet": "phase",
        "lost": marked("label"),
        "Cd:Se" if is_cdse else "cation:anion": _ratio,
        **{f"E_f({name})": f"formation_energy_eV.{name}:.2f" for name in names},
        **{f"step({name})": f"step_formation_energy_eV.{name}:.2f" for name in names if in_steps},
        "dE/atom": "energy_per_atom_change_meV:+.1f",
        "H_f/atom": "formation_energy_per_atom_eV:.3f",
    }
    return table_of("Vacancies", document["vacancies"], columns, notes)


def _ratio(row: Record) -> str:
    return f"1:{1 / row['cation_to_anion']:.2f}" if row["cation_to_anion"] else "-"


def _sheets(document: Record) -> Table:
    columns: dict[str, Cell] = {
        "sheet": "phase",
        "formula": lambda row: "".join(f"{element}{count}" for element, count in row["counts"].items()),
        "E/atom [eV]": "energy_per_atom_eV:.4f",
        "H_f [eV/atom]": "formation_energy_per_atom_eV:.4f",
    }
    notes = ("H_f: energy of formation from the elemental crystals.",)
    return table_of("Sheets", document["sheets"], columns, notes)


def _structures(document: Record) -> Table:
    columns: dict[str, Cell] = {
        "sheet": "phase",
        "lost": "label",
        "thickness [Å]": "structure.thickness_A:.2f",
        "tilt [°]": "structure.top_tilt_degrees:.1f",
        "eclipsed bonds": "structure.stacking:.2f",
        "of the top layer": "structure.top_stacking:.2f",
    }
    rows: list[Record] = []
    for sheet in document["sheets"]:
        rows.append({**sheet, "label": "nothing"})
        rows += [row for row in document["vacancies"] if row["phase"] == sheet["phase"]]
    notes = (
        "tilt: of the bonds in the top layer against the plane, positive when the anion stands out.",
        "eclipsed bonds: number of bonds of an atom in the eclipsed position, mean over atoms with three or four "
        "bonds: 0 in zinc blende, 1 in wurtzite, more where a surface has rebuilt; '-' where no atom has three.",
    )
    return table_of("Structure", rows, columns, notes)


def _in_plane(document: Record) -> Table:
    columns: dict[str, Cell] = {
        "sheet": "phase",
        "lost": lambda row: "nothing" if row["label"] == "pristine" else row["label"],
        "strain [%]": lambda row: " ".join(map(_percent, row["principal_strains"])),
        "area [%]": lambda row: _percent(row["area_strain"]),
        "thickness [Å]": "thickness_A:.2f",
        "stress left [kbar]": "stress_kbar:.2f",
        "gain [eV]": "energy_gain_eV:.3f",
        "spacings [Å]": lambda row: " ".join(
            f"{seen['spacing_A']:.2f}" for seen in row["reflections"] if seen["intensity"] >= _STRONG
        ),
    }
    notes = (
        "Relaxed once more, all atoms and the in-plane lattice free. strain: principal strains against the bulk's "
        "lattice; stress left: the largest in the plane, on the sheet's thickness; gain: energy of the cell in the "
        "bulk's lattice less that in its own.",
        f"spacings: reflections seen along the normal with at least {_STRONG:g} of the forward intensity (kinematic).",
    )
    return table_of("In-plane lattice", document["lateral"], columns, notes)


def _percent(strain: float) -> str:
    return f"{round(100 * strain, 1) + 0.0:+.1f}"  # adding zero turns -0.0 into 0.0


def _crystals(document: Record) -> Table:
    rows = [{**row, **dict(zip("abc", row["lattice_constants_A"], strict=True))} for row in document["crystals"]]
    edges: dict[str, Cell] = {f"{edge} [Å]": f"{edge}:.3f" for edge in "abc"}
    columns = {"crystal": "crystal", **edges, "E/atom [eV]": "energy_per_atom_eV:.4f"}
    note = "Edges of the conventional cell after relaxation at the study's level of theory."
    return table_of("Crystals", rows, columns, (note,))


def _beam(document: Record) -> Table:
    def cost(phase: str) -> Cell:
        return lambda row: _cost(row["removal_energy_eV"].get(phase), row["max_transferred_energy_eV"])

    columns: dict[str, Cell] = {
        "atom": "element",
        "beam [kV]": "beam_energy_keV:g",
        "E_max [eV]": "max_transferred_energy_eV:.2f",
        **{f"E_rem {sheet['phase']} [eV]": cost(sheet["phase"]) for sheet in document["sheets"]},
    }
    notes = (
        "E_max: largest energy handed over in a head-on collision (exact kinematics, mean mass, nucleus at rest); "
        "'<' marks atoms it may knock out.",
        "E_rem, the E_f(atom) of the most loosely bound atom, is what it costs to take it to vacuum, a lower bound "
        "of the displacement threshold; knock-on is a lower bound of the damage.",
    )
    return table_of("Beam", document["beam"], columns, notes)


def _cost(cost: float | None, largest: float) -> str:
    return text_of(cost, ".2f") + (" < E_max" if cost is not None and cost < largest else "")

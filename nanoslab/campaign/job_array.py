"""The plain way onto a cluster: one shell script that any user can read, and the table it works through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nanoslab.calculation import Calculation
from nanoslab.errors import InputError
from nanoslab.vasp.inputs.settings import vasp_binary
from nanoslab.vasp.poscar import species_order

SCRIPT = "submit.sh"
TABLE = "calculations.tsv"
COLUMNS = ("name", "level", "vasp", "parent", "removed")


def job_array_script() -> str:
    """Text of ``submit.sh``; it is the same for every campaign.

    Examples
    --------
    >>> job_array_script().splitlines()[0]
    '#!/bin/bash'
    """
    return Path(__file__).with_name("job_array.sh").read_text(encoding="utf-8")


def calculations_table(calculations: Sequence[Calculation]) -> str:
    r"""Text of ``calculations.tsv``: which folders there are, and what each waits for.

    ``level`` is 0 for calculations without a parent; ``removed`` are the atoms of the parent's POSCAR, counted
    from 1, that the child lacks.

    Raises
    ------
    InputError
        If a child is not its parent less the removed atoms, in the order of their POSCARs.

    Examples
    --------
    >>> from ase import Atoms
    >>> from nanoslab.calculation import Role, Settings
    >>> settings = Settings(source="test")
    >>> sheet = Calculation(name="sheet", role=Role(kind="pristine"), atoms=Atoms("CdSe2"), settings=settings)
    >>> vacancy = Calculation(name="vacancy", role=Role(kind="vacancy"), atoms=Atoms("CdSe"), settings=settings,
    ...     starts_from="sheet", removed_indices=(1,))
    >>> print(calculations_table([sheet, vacancy]).replace("\t", " "), end="")
    name level vasp parent removed
    sheet 0 vasp_gam - -
    vacancy 1 vasp_gam sheet 2
    """
    by_name = {calculation.name: calculation for calculation in calculations}
    lines = ["\t".join(COLUMNS)]
    for calculation in calculations:
        removed = removed_lines(calculation, by_name)
        cells = (
            calculation.name,
            str(_level(calculation, by_name)),
            vasp_binary(calculation),
            calculation.starts_from or "-",
            ",".join(map(str, removed)) or "-",
        )
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def removed_lines(calculation: Calculation, by_name: Mapping[str, Calculation]) -> tuple[int, ...]:
    """Atoms of the parent's POSCAR, counted from 1, that a child lacks; empty without a parent.

    Raises
    ------
    InputError
        If what remains of the parent's POSCAR is not the child's POSCAR, species by species.
    """
    if calculation.starts_from is None:
        return ()
    parent = by_name[calculation.starts_from].atoms
    order = species_order(parent)
    removed = set(calculation.removed_indices)
    kept = [i for i in order if i not in removed]
    child = calculation.atoms
    symbols = [child.symbols[i] for i in species_order(child)]
    outside = sorted(i for i in removed if not 0 <= i < len(parent))
    # the atoms that stay must stand in the same order in both files
    survivors = [i for i in range(len(parent)) if i not in removed]
    same_order = len(kept) == len(child) and [survivors[i] for i in species_order(child)] == kept
    if outside or not same_order or symbols != [parent.symbols[i] for i in kept]:
        raise InputError(
            f"{calculation.name}: removed_indices",
            expected=f"the atoms that {calculation.starts_from} ({parent.get_chemical_formula()}) has more",
            got=f"{sorted(removed)}, which do not leave {child.get_chemical_formula()} in the same order",
            advice="group the atoms of both by species and keep the parent's order",
        )
    return tuple(line for line, i in enumerate(order, start=1) if i in removed)


def _level(calculation: Calculation, by_name: Mapping[str, Calculation]) -> int:
    level = 0
    while calculation.starts_from is not None:
        calculation = by_name[calculation.starts_from]
        level += 1
    return level

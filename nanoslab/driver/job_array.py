"""The plain way onto a cluster: one shell script that any user can read, and the table it works through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nanoslab.calculation import Calculation
from nanoslab.campaign.graph import levels
from nanoslab.errors import InputError
from nanoslab.vasp.inputs.settings import vasp_binary
from nanoslab.vasp.poscar import species_order

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
    level = levels(calculations)
    lines = ["\t".join(COLUMNS)]
    for calculation in calculations:
        removed = removed_lines(calculation, by_name)
        cells = (
            calculation.name,
            str(level[calculation.name]),
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
        If the atoms that stay do not stand in the same order in both POSCARs.
    """
    if calculation.starts_from is None:
        return ()
    parent = by_name[calculation.starts_from].atoms
    order, removed = species_order(parent), set(calculation.removed_indices)
    survivors = [i for i in range(len(parent)) if i not in removed]
    if [survivors[i] for i in species_order(calculation.atoms)] != [i for i in order if i not in removed]:
        raise InputError(
            f"{calculation.name}: removed_indices",
            expected=f"species in the order in which the POSCAR of {calculation.starts_from} has them",
            got=calculation.atoms.get_chemical_formula(),
            advice="group the atoms of both by species and keep the parent's order",
        )
    return tuple(line for line, i in enumerate(order, start=1) if i in removed)

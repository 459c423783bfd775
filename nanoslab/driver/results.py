"""Results of a campaign's calculations, from VASP or an embedded engine; what is missing says so in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nanoslab.calculation import Calculation, CalculationResult, Run
from nanoslab.campaign.load import Campaign
from nanoslab.errors import NanoslabError, unknown_name
from nanoslab.files import is_folder_name
from nanoslab.vasp.inputs.manifest import INITIAL_POSCAR, results_in
from nanoslab.vasp.poscar import species_order


def available_sources(campaign: Campaign) -> tuple[str, ...]:
    """Whose results there are: ``vasp`` and engines, in that order."""
    engines: set[str] = set()
    vasp = False
    for calculation in campaign.calculations:
        folder = campaign.folder / calculation.name
        vasp = vasp or bool(_vasp_output(folder))
        engines.update(path.parent.name for path in folder.glob("*/result.json"))
    return (*(["vasp"] if vasp else []), *sorted(engines))


def read_runs(campaign: Campaign, source: str) -> tuple[Run, ...]:
    """Every calculation as it was written with its result from one source; what is missing says so in words.

    Parameters
    ----------
    campaign
        As read by `nanoslab.campaign.load_campaign`.
    source
        ``vasp``, or the name of an engine's sub-folders.

    Returns
    -------
    tuple of Run
        One per calculation, in their order; a missing run has the energy None and a problem.

    Raises
    ------
    InputError
        If nobody ran that engine here.
    """
    known = source == "vasp" or any((campaign.folder / c.name / source).is_dir() for c in campaign.calculations)
    if not is_folder_name(source) or not known:
        raise unknown_name("source", source, dict.fromkeys(("vasp", *available_sources(campaign))))
    read = _vasp_result if source == "vasp" else _engine_result
    return tuple(
        Run(calculation=c, result=_checked(c, read(c, campaign.folder / c.name, source))) for c in campaign.calculations
    )


def collect(campaign: Campaign, source: str) -> dict[str, CalculationResult]:
    """Results alone, by the name of the calculation: `read_runs` as it was called until version 0.2."""
    return {run.calculation.name: run.result for run in read_runs(campaign, source)}


def _vasp_output(folder: Path) -> tuple[str, ...]:
    return tuple(name for name in results_in(folder) if name != INITIAL_POSCAR)


def _vasp_result(calculation: Calculation, folder: Path, source: str) -> CalculationResult:
    if not _vasp_output(folder):
        return _missing(calculation, folder, source, "not run yet: the folder holds no VASP output")
    from nanoslab.vasp import calculation_result, read_run

    try:
        result: CalculationResult = calculation_result(calculation.name, read_run(folder))
    except NanoslabError as error:
        return _missing(calculation, folder, source, f"unreadable: {error}", found=True)
    order = species_order(calculation.atoms)
    if result.atoms is None or len(result.atoms) != len(order):
        return result
    # back from the order of the POSCAR to the order of the calculation's own atoms
    back = sorted(range(len(order)), key=order.__getitem__)
    return replace(result, atoms=_reordered(result.atoms, back))


def _reordered(atoms: Atoms, order: list[int]) -> Atoms:
    """Atoms in another order, with the energy and forces that they carry (slicing alone would lose them)."""
    reordered: Atoms = atoms[order]
    if atoms.calc is not None:
        results = {key: value[order] if key == "forces" else value for key, value in atoms.calc.results.items()}
        reordered.calc = SinglePointCalculator(reordered, **results)
    return reordered


def _engine_result(calculation: Calculation, folder: Path, source: str) -> CalculationResult:
    from nanoslab.engines import read_result

    if not any((folder / source / name).is_file() for name in ("result.json", "failure.json")):
        return _missing(calculation, folder / source, source, f"not run yet with {source}, or not finished")
    try:
        result: CalculationResult = read_result(folder / source)
    except NanoslabError as error:
        return _missing(calculation, folder / source, source, f"unreadable: {error}", found=True)
    return result


def _missing(
    calculation: Calculation, folder: Path, source: str, problem: str, *, found: bool = False
) -> CalculationResult:
    return CalculationResult(
        name=calculation.name, path=str(folder), level_of_theory=source, problems=(problem,), found=found
    )


def _checked(calculation: Calculation, result: CalculationResult) -> CalculationResult:
    """Result, or the remark that it is of another compound and its energy of no use here."""
    if result.atoms is None or sorted(result.atoms.numbers) == sorted(calculation.atoms.numbers):
        return result
    found, wanted = result.atoms.get_chemical_formula(), calculation.atoms.get_chemical_formula()
    problem = f"the run is of {found}, the calculation of {wanted}"
    return replace(result, energy=None, converged=False, problems=(*result.problems, problem))

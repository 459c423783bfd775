"""What is wrong with a run, in words: a tuple of small rules, each of which names one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby, pairwise
from operator import itemgetter

import numpy as np
from ase.data import atomic_numbers, ground_state_magnetic_moments

from nanoslab.vasp.runs.convergence import (
    cell_moves,
    ionic_converged,
    last_ionic_change,
    max_free_force,
    unconverged_steps,
)
from nanoslab.vasp.runs.parsed_run import ParsedRun

#: a correction after the last electronic step that is larger than this is no energy of a slab or molecule [eV]
_LARGEST_CORRECTION = 2.0
_SAME_ENERGY = 1e-4
#: a box whose shortest edge is longer holds an isolated atom, not a crystal [Å]
_SMALLEST_BOX = 8.0
_SAME_MOMENT = 0.05
#: T S of whole occupations is below this [eV]
_NO_ENTROPY = 2e-3


def nothing_finished(run: ParsedRun) -> str | None:
    """No ionic step came to its end."""
    if run.steps:
        return None
    if run.kind == "many-body":
        return "GW, RPA or BSE run: no total energy that could be compared with a DFT energy"
    if learned := max(output.n_machine_learned_steps for output in run.outputs):
        return f"no first-principles step: all {learned} are of a machine-learned force field"
    began = max(output.unfinished_electronic_steps for output in run.outputs)
    return "no ionic step was finished" + (f"; {began} electronic steps of the first were done" if began else "")


def many_body(run: ParsedRun) -> str | None:
    """The energy is not what the run was made for."""
    computed = run.kind == "many-body" and run.steps
    return "GW, RPA or BSE run: the energy is that of the DFT step before it" if computed else None


def was_cut(run: ParsedRun) -> str | None:
    """Neither file was written to its end."""
    if run.complete:
        return None
    where = "; ".join(f"{r.file} {r.cut}" for r in run.outputs if r.cut) or "the output is missing"
    return f"not finished: {where}"


def electrons(run: ParsedRun) -> str | None:
    """Some ionic step ran out of electronic steps."""
    wrong = unconverged_steps(run)
    if not wrong:
        return None
    if not any(step.n_electronic_steps for step in run.steps):
        return (
            "no file tells the electronic steps (vaspout.h5 does from VASP 6.5 on), so nobody knows if these converged"
        )
    last = run.steps[wrong[-1] - 1]
    shown = ", ".join(map(str, wrong[:5])) + (" ..." if len(wrong) > 5 else "")
    change = "unknown" if last.energy_change is None else f"{abs(last.energy_change):.1e} eV"
    return (
        f"electrons not converged in ionic step {shown} of {len(run.steps)}: last change {change} after "
        f"{last.n_electronic_steps} steps, EDIFF {run.tag('EDIFF') or '?'}, NELM {run.tag('NELM') or '?'}"
    )


def ions(run: ParsedRun) -> str | None:
    """A relaxation came to its end without reaching EDIFFG."""
    if not run.steps or not run.complete or ionic_converged(run) is not False:
        return None
    tolerance = run.value("EDIFFG") or 0.0
    force, change = max_free_force(run), last_ionic_change(run)
    if tolerance < 0 or change is None:
        shown = "largest free force unknown" if force is None else f"largest free force {force:.3f} eV/Å"
    else:
        shown = f"last change of energy {change:.1e} eV"
    if tolerance < 0 and force is not None and force <= -tolerance and cell_moves(run):
        shown = "forces are small but the stress is not"
    return (
        f"ions not relaxed after {len(run.steps)} steps: {shown}, "
        f"EDIFFG {run.tag('EDIFFG') or '?'}, NSW {run.tag('NSW') or '?'}"
    )


def machine_learned(run: ParsedRun) -> str | None:
    """A machine-learned force field drove the run."""
    learned = max(output.n_machine_learned_steps for output in run.outputs)
    if not run.steps or (not learned and not run.logical("ML_LMLFF")):
        return None
    return (
        f"machine-learned force field: {learned} steps are its own; "
        f"the energy is that of the last of {len(run.steps)} first-principles steps"
    )


def overflow(run: ParsedRun) -> str | None:
    """VASP printed asterisks for the energy."""
    lost = run.steps and None in (run.steps[-1].energy, run.steps[-1].free_energy)
    return "the energy of the last ionic step is printed as asterisks, or missing" if lost else None


def different_runs(run: ParsedRun) -> str | None:
    """The files of the folder do not belong together: they differ in the energy of a step that both have."""
    if any(output.n_machine_learned_steps for output in run.outputs):
        return None
    witness = () if run.oszicar is None or len(run.oszicar.steps) != len(run.steps) else (run.oszicar,)
    for first, second in pairwise(output for output in (*run.outputs, *witness) if output.steps):
        step = min(len(first.steps), len(second.steps)) - 1
        a, b = first.steps[step].free_energy, second.steps[step].free_energy
        # an OSZICAR has eight digits
        if a is not None and b is not None and abs(a - b) > max(_SAME_ENERGY, 2e-7 * abs(a)):
            return (
                f"{first.file} and {second.file} are not of the same run: "
                f"F of ionic step {step + 1} is {a:.6f} and {b:.6f} eV"
            )
        n_first, n_second = len(first.steps), len(second.steps)
        if first.complete and second.complete and n_first != n_second:
            return f"{first.file} has {n_first} ionic steps and {second.file} {n_second}: one of them is not whole"
    return None


def contradictions(run: ParsedRun) -> str | None:
    """Numbers of one file contradict one another: it was changed after VASP wrote it."""
    return next((doubt for output in run.outputs for doubt in output.doubts), None)


def unsaid_convergence(run: ParsedRun) -> str | None:
    """The numbers look converged, but VASP did not say so though it stopped before NELM."""
    silent = next((o for o in run.outputs if o.says_electrons_converged is False), None)
    if silent is None or not silent.complete or not run.steps or len(run.steps) in unconverged_steps(run):
        return None
    if run.steps[-1].n_electronic_steps >= run.integer("NELM", 60):
        return None
    return f"{silent.file} does not say that the electrons of its last ionic step converged, though its numbers look so"


def several_writers(run: ParsedRun) -> str | None:
    """A file is not one whole run: several wrote it at once or one after the other, or a part is missing."""
    found = next((output for output in run.outputs if output.disorder), None)
    return None if found is None else f"{found.file} is not one whole run: {found.disorder}"


def wrong_potentials(run: ParsedRun) -> str | None:
    """POSCAR and POTCAR name different elements, or the same in another order: the wrong compound was computed."""
    named, used = species_of_start(run), species_of_run(run)
    if not named or not used or [symbol for symbol, _ in named] == [symbol for symbol, _ in used]:
        return None
    return f"POSCAR has {spelled(named)} but POTCAR gives {spelled(used)}: one of them is of another run"


def species_of_start(run: ParsedRun) -> list[tuple[str, int]]:
    """Species of the POSCAR in its order, neighbours of one kind together."""
    return [] if run.start is None else _merged((s, 1) for s in run.start.get_chemical_symbols())


def species_of_run(run: ParsedRun) -> list[tuple[str, int]]:
    """Species of the POTCAR with the counts of the run."""
    known = (o for o in run.outputs if o.potentials and len(o.potentials) == len(o.counts))
    output = next(known, None)
    return [] if output is None else _merged(zip((e for e, _ in output.potentials), output.counts, strict=True))


def spelled(groups: list[tuple[str, int]]) -> str:
    """Such as ``Cd14 Se14``."""
    return " ".join(f"{symbol}{count}" for symbol, count in groups)


def dipole_jump(run: ParsedRun) -> str | None:
    """The dipole correction added to the energy is absurd."""
    if not run.integer("IDIPOL", 0) or run.integer("IVDW", 0) or run.logical("LVDW"):
        return None
    last = next((s.correction for s in reversed(run.steps) if s.correction is not None), 0.0)
    if abs(last) <= _LARGEST_CORRECTION:
        return None
    return f"the energy holds a dipole correction of {last:+.3f} eV added after the last electronic step"


def isolated_atom(run: ParsedRun) -> str | None:
    """An atom alone in a box is not in its ground state: no spin, another moment, or electrons spread over orbitals."""
    species = species_of_run(run)
    frame = run.main.final or run.main.initial
    if sum(count for _, count in species) != 1 or frame is None or not run.steps:
        return None
    if np.linalg.norm(frame.lattice, axis=1).min() < _SMALLEST_BOX:
        return None
    (element, _), last = species[0], run.steps[-1]
    unpaired = float(ground_state_magnetic_moments[atomic_numbers[element]])
    moment, without_spin = run.first("magnetization"), run.integer("ISPIN", 2) == 1
    if moment is None and not without_spin:
        return None  # the files do not say
    found = 0.0 if without_spin else float(np.linalg.norm(moment))
    if abs(found - unpaired) > _SAME_MOMENT:
        return (
            f"isolated {element} with {found:.2f} unpaired electrons: by Hund's rule its ground state has {unpaired:g}"
        )
    entropy = 0.0 if last.energy is None or last.free_energy is None else 2.0 * abs(last.energy - last.free_energy)
    if not unpaired or entropy <= _NO_ENTROPY:
        return None
    return (
        f"isolated {element}: smearing spreads its electrons over equal orbitals (T S = {entropy:.3f} eV), "
        "which lies above the ground state of whole occupations (Se: 0.11 eV)"
    )


def _merged(groups: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(symbol, sum(count for _, count in same)) for symbol, same in groupby(groups, key=itemgetter(0))]


RULES: tuple[Callable[[ParsedRun], str | None], ...] = (
    *(nothing_finished, was_cut, electrons, ions, many_body, machine_learned, overflow, different_runs),
    *(contradictions, unsaid_convergence, several_writers, wrong_potentials, dipole_jump, isolated_atom),
)

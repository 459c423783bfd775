"""The truth about a run: a tuple of small rules, each of which names one thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from ase.units import GPa

from nanoslab.vasp.runs.evidence import Evidence, disagreement
from nanoslab.vasp.runs.reading import IonicStep

#: energies in vasprun.xml have eight decimals, so an EDIFF of 1e-9 cannot be told from zero
_LAST_DIGIT = 1.001e-8
_FORCE_DIGIT = 1e-6
_DEFAULT_EDIFF, _DEFAULT_NELM = 1e-4, 60
#: changes of energy below this are noise of the electronic steps [eV per atom]
_ENERGY_NOISE = 1e-6
#: VASP judges the energy its line search expects to gain; the change it then finds was up to 15 times as large
_LINE_SEARCH = 50
_RELAXATIONS = ("relaxation", "image of a chain", "dimer", "reaction path")
#: a correction after the last electronic step that is larger than this is no energy of a slab or molecule [eV]
_LARGEST_CORRECTION = 2.0


def unconverged_steps(evidence: Evidence) -> tuple[int, ...]:
    """Ionic steps (from 1) whose electrons did not converge, whatever VASP printed.

    A step is converged when its last change of energy is within EDIFF, or when it stopped before NELM with a
    change of that order. Steps of which the file shows no electronic step are judged by no one.
    """
    tolerance = _electronic_tolerance(evidence)
    limit = evidence.integer("NELM", _DEFAULT_NELM)
    return tuple(i for i, step in enumerate(evidence.steps, 1) if not _electrons_converged(step, tolerance, limit))


def _electronic_tolerance(evidence: Evidence) -> float:
    given = evidence.value("EDIFF")
    return _DEFAULT_EDIFF if given is None else given


def _electrons_converged(step: IonicStep, tolerance: float, limit: int) -> bool:
    if step.energy_change is None:
        return step.n_electronic_steps < limit
    change = abs(step.energy_change)
    if change <= tolerance + _LAST_DIGIT:
        return True
    return step.n_electronic_steps < limit and change <= 10 * tolerance


def electronic_converged(evidence: Evidence) -> bool | None:
    """Whether the electrons of every finished ionic step converged; None when none was begun."""
    if not evidence.steps:
        began = any(reading.unfinished_electronic_steps for reading in evidence.readings)
        return False if began else None
    return not unconverged_steps(evidence)


def max_free_force(evidence: Evidence) -> float | None:
    """Largest force on a free component at the end [eV/Å], or None when it cannot be known.

    Components are along the lattice vectors, as VASP's selective dynamics means them.
    """
    found = evidence.final
    if found is None or found[0].forces is None:
        return None
    frame, forces = found[0], found[0].forces
    free = evidence.free
    if len(forces) == 0:
        return None
    if free is None:
        largest = float(np.linalg.norm(forces, axis=1).max())
        tolerance = evidence.value("EDIFFG") or 0.0
        hidden = evidence.says_reached and tolerance < 0 and largest > -tolerance
        return None if hidden else largest
    if len(free) != len(forces):
        return None
    # as VASP does: along the lattice vectors, fixed components put to zero
    along = forces @ np.linalg.inv(frame.lattice)
    return float(np.linalg.norm(np.where(free, along, 0.0) @ frame.lattice, axis=1).max())


def ionic_converged(evidence: Evidence) -> bool | None:
    """Whether a relaxation reached EDIFFG; None when nothing was relaxed."""
    if evidence.kind not in _RELAXATIONS:
        return None
    if not evidence.steps:
        return False
    tolerance = evidence.value("EDIFFG")
    if tolerance is None:
        tolerance = 10 * _electronic_tolerance(evidence)
    said = bool(evidence.says_reached)
    if evidence.kind != "relaxation":
        return _stopped_by_itself(evidence)
    if tolerance < 0:
        return _forces_converged(evidence, -tolerance, said)
    return _energy_converged(evidence, tolerance, said)


def _stopped_by_itself(evidence: Evidence) -> bool:
    """Of chains only VASP knows the projected forces: it said so, or it stopped before NSW without being killed."""
    if evidence.says_reached is not None:
        return evidence.says_reached
    return evidence.complete and len(evidence.steps) < evidence.integer("NSW", 0)


def _forces_converged(evidence: Evidence, tolerance: float, said: bool) -> bool:
    force = max_free_force(evidence)
    if force is None:
        return said
    if force > tolerance * (1 + 1e-3) + _FORCE_DIGIT:
        return False
    if said or not _cell_moves(evidence):
        return said or evidence.complete
    return evidence.complete and (
        len(evidence.steps) < evidence.integer("NSW", 0) or _stress_converged(evidence, tolerance)
    )


def _cell_moves(evidence: Evidence) -> bool:
    return evidence.integer("ISIF", 2) >= 3


def _stress_converged(evidence: Evidence, tolerance: float) -> bool:
    """VASP's own test: no component of stress times volume above the tolerance times the number of atoms."""
    found = evidence.final
    if found is None or found[0].stress is None:
        return False
    stress = found[0].stress - np.eye(3) * (evidence.value("PSTRESS") or 0.0)
    free = _free_directions(evidence)
    stress = np.where(np.outer(free, free), stress, 0.0)
    per_cell = np.abs(stress).max() * 0.1 * GPa * abs(np.linalg.det(found[0].lattice))
    return bool(per_cell <= tolerance * max(1, len(found[0].scaled_positions)))


def _free_directions(evidence: Evidence) -> list[bool]:
    """Directions along which the cell may change: those of LATTICE_CONSTRAINTS, all of them without the tag."""
    words = (evidence.tag("LATTICE_CONSTRAINTS") or "").upper().split()
    return [word.strip(".").startswith("T") for word in words] if len(words) == 3 else [True] * 3


def _energy_converged(evidence: Evidence, tolerance: float, said: bool) -> bool:
    if said:
        return True
    if not evidence.complete or tolerance == 0:
        return False
    if evidence.says_reached is False:
        return False
    tolerance = max(tolerance, _ENERGY_NOISE * len(evidence.symbols))
    stopped_early = len(evidence.steps) < evidence.integer("NSW", 0)
    change = _last_ionic_change(evidence)
    if change is None:
        return stopped_early
    return change <= tolerance or (stopped_early and change <= _LINE_SEARCH * tolerance)


def _last_ionic_change(evidence: Evidence) -> float | None:
    """Change of F between the last two ionic steps [eV]."""
    if len(evidence.steps) < 2:
        return None
    before, last = evidence.steps[-2].free_energy, evidence.steps[-1].free_energy
    return None if before is None or last is None else abs(last - before)


# --- what is wrong, each rule by itself ---------------------------------------------------------------------


def nothing_finished(evidence: Evidence) -> str | None:
    """No ionic step came to its end."""
    if evidence.steps:
        return None
    if evidence.kind == "many-body":
        return "GW, RPA or BSE run: no total energy that could be compared with a DFT energy"
    learned = max((r.n_machine_learned_steps for r in evidence.readings), default=0)
    if learned:
        return f"no first-principles step: all {learned} are of a machine-learned force field"
    began = max((r.unfinished_electronic_steps for r in evidence.readings), default=0)
    detail = f"; {began} electronic steps of the first were done" if began else ""
    return f"no ionic step was finished{detail}"


def many_body(evidence: Evidence) -> str | None:
    """The energy is not what the run was made for."""
    if evidence.kind == "many-body" and evidence.steps:
        return "GW, RPA or BSE run: the energy is that of the DFT step before it"
    return None


def was_cut(evidence: Evidence) -> str | None:
    """Neither file was written to its end."""
    if evidence.complete:
        return None
    where = "; ".join(f"{r.file} {r.cut}" for r in evidence.readings if r.cut) or "the output is missing"
    return f"not finished: {where}"


def electrons(evidence: Evidence) -> str | None:
    """Some ionic step ran out of electronic steps."""
    wrong = unconverged_steps(evidence)
    if not wrong:
        return None
    last = evidence.steps[wrong[-1] - 1]
    shown = ", ".join(map(str, wrong[:5])) + (" ..." if len(wrong) > 5 else "")
    change = "unknown" if last.energy_change is None else f"{abs(last.energy_change):.1e} eV"
    return (
        f"electrons not converged in ionic step {shown} of {len(evidence.steps)}: last change {change} after "
        f"{last.n_electronic_steps} steps, EDIFF {evidence.tag('EDIFF') or '?'}, NELM {evidence.tag('NELM') or '?'}"
    )


def ions(evidence: Evidence) -> str | None:
    """A relaxation came to its end without reaching EDIFFG."""
    if not evidence.steps or not evidence.complete or ionic_converged(evidence) is not False:
        return None
    tolerance = evidence.value("EDIFFG") or 0.0
    force, change = max_free_force(evidence), _last_ionic_change(evidence)
    if tolerance < 0 or change is None:
        shown = "largest free force unknown" if force is None else f"largest free force {force:.3f} eV/Å"
    else:
        shown = f"last change of energy {change:.1e} eV"
    if tolerance < 0 and force is not None and force <= -tolerance and _cell_moves(evidence):
        shown = "forces are small but the stress is not"
    return (
        f"ions not relaxed after {len(evidence.steps)} steps: {shown}, "
        f"EDIFFG {evidence.tag('EDIFFG') or '?'}, NSW {evidence.tag('NSW') or '?'}"
    )


def machine_learned(evidence: Evidence) -> str | None:
    """A machine-learned force field drove the run."""
    learned = max((r.n_machine_learned_steps for r in evidence.readings), default=0)
    if not evidence.steps or (not learned and not evidence.logical("ML_LMLFF")):
        return None
    return (
        f"machine-learned force field: {learned} steps are its own; "
        f"the energy is that of the last of {len(evidence.steps)} first-principles steps"
    )


def overflow(evidence: Evidence) -> str | None:
    """VASP printed asterisks for the energy."""
    if evidence.steps and (evidence.steps[-1].energy is None or evidence.steps[-1].free_energy is None):
        return "the energy of the last ionic step is printed as asterisks"
    return None


def different_runs(evidence: Evidence) -> str | None:
    """The files of the folder do not belong together."""
    if any(reading.n_machine_learned_steps for reading in evidence.readings):
        return None
    return disagreement(evidence.readings)


def several_writers(evidence: Evidence) -> str | None:
    """More than one run wrote into a file: at once, or one after the other."""
    found = next((reading for reading in evidence.readings if reading.disorder), None)
    return None if found is None else f"more than one run wrote {found.file}: {found.disorder}"


def wrong_potentials(evidence: Evidence) -> str | None:
    """POSCAR and POTCAR name different elements, or the same in another order: the wrong compound was computed."""
    named, used = species_of_start(evidence), species_of_run(evidence)
    if not named or not used or [symbol for symbol, _ in named] == [symbol for symbol, _ in used]:
        return None
    return f"POSCAR has {spelled(named)} but POTCAR gives {spelled(used)}: one of them is of another run"


def species_of_start(evidence: Evidence) -> list[tuple[str, int]]:
    """Species of the POSCAR in its order, neighbours of one kind together."""
    return [] if evidence.start is None else _merged((s, 1) for s in evidence.start.get_chemical_symbols())


def species_of_run(evidence: Evidence) -> list[tuple[str, int]]:
    """Species of the POTCAR with the counts of the run."""
    for reading in evidence.readings:
        if reading.potentials and len(reading.potentials) == len(reading.counts):
            return _merged(zip((e for e, _ in reading.potentials), reading.counts, strict=True))
    return []


def spelled(groups: list[tuple[str, int]]) -> str:
    """Such as ``Cd14 Se14``."""
    return " ".join(f"{symbol}{count}" for symbol, count in groups)


def dipole_jump(evidence: Evidence) -> str | None:
    """The dipole correction added to the energy is absurd."""
    steps = [s for s in evidence.steps if s.correction is not None]
    if not steps or not evidence.integer("IDIPOL", 0) or _has_dispersion(evidence):
        return None
    last = steps[-1].correction
    if last is not None and abs(last) > _LARGEST_CORRECTION:
        return f"the energy holds a dipole correction of {last:+.3f} eV added after the last electronic step"
    return None


def _has_dispersion(evidence: Evidence) -> bool:
    return bool(evidence.integer("IVDW", 0)) or evidence.logical("LVDW")


def _merged(groups: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    merged: list[tuple[str, int]] = []
    for symbol, count in groups:
        if merged and merged[-1][0] == symbol:
            merged[-1] = (symbol, merged[-1][1] + count)
        else:
            merged.append((symbol, count))
    return merged


RULES: tuple[Callable[[Evidence], str | None], ...] = (
    nothing_finished,
    was_cut,
    electrons,
    ions,
    many_body,
    machine_learned,
    overflow,
    different_runs,
    several_writers,
    wrong_potentials,
    dipole_jump,
)

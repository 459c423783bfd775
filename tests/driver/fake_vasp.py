"""A small program that stands in for VASP: a pair potential behind VASP's files, and VASP's ways to fail.

Run in a folder with POSCAR, INCAR and KPOINTS. ``--log FILE`` gets one line per start. ``--control FILE`` is JSON,
folder name (or ``*``) -> ``{"fail": KIND, "times": N, "step_time": S}``: the first N starts fail as KIND says.
Only numpy is needed, so that a start costs little.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from fake_vasp_files import Outputs

KINDS = (
    "non-hermitian", "zbrent", "nelm", "killed-mid-write", "empty-contcar", "exit-code", "silent-crash", "hang", "coef",
)  # fmt: skip
CUTOFF = 7.0


@dataclass
class Poscar:
    comment: str
    cell: np.ndarray
    symbols: list[str]
    counts: list[int]
    positions: np.ndarray
    free: np.ndarray
    selective: bool

    @property
    def species(self) -> list[str]:
        return [symbol for symbol, count in zip(self.symbols, self.counts, strict=True) for _ in range(count)]


@dataclass
class Incar:
    tags: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        return float(self.tags.get(name, str(default)).split()[0].replace("d", "e").replace("D", "e"))

    def word(self, name: str, default: str) -> str:
        return self.tags.get(name, default).split()[0].lower()


def read_poscar(path: Path) -> Poscar:
    lines = path.read_text().splitlines()
    if len(lines) < 8:
        sys.exit("ERROR: there must be 1 or 3 items on line 2 of POSCAR")
    scale = float(lines[1].split()[0])
    cell = np.array([[float(word) for word in line.split()[:3]] for line in lines[2:5]])
    cell = cell * scale if scale > 0 else cell * (-scale / abs(np.linalg.det(cell))) ** (1 / 3)
    symbols, counts = lines[5].split(), [int(word) for word in lines[6].split()]
    selective = lines[7].strip()[:1].lower() == "s"
    mode = lines[7 + selective].strip()[:1].lower()
    rows = [line.split() for line in lines[8 + selective : 8 + selective + sum(counts)]]
    numbers = np.array([[float(word) for word in row[:3]] for row in rows])
    positions = numbers * scale if mode in "ck" else numbers @ cell
    free = np.array([[word[:1].upper() != "F" for word in row[3:6]] if selective else [True] * 3 for row in rows])
    return Poscar(lines[0].strip(), cell, [s.split("_")[0] for s in symbols], counts, positions, free, selective)


def read_incar(path: Path) -> Incar:
    incar = Incar()
    for line in path.read_text().splitlines():
        for part in line.split("#")[0].split("!")[0].split(";"):
            name, equals, value = part.partition("=")
            if equals:
                incar.tags[name.strip().upper()] = value.strip()
    return incar


def energy_and_forces(poscar: Poscar, positions: np.ndarray) -> tuple[float, np.ndarray]:
    """Lennard-Jones with a smooth end, over every image within the cutoff."""
    reach = np.ceil(CUTOFF / (np.abs(np.linalg.det(poscar.cell)) / _face_areas(poscar.cell))).astype(int)
    shifts = np.array(list(np.ndindex(*(2 * reach + 1)))) - reach
    images = shifts @ poscar.cell
    size = np.array([1.0 + 0.05 * (sum(map(ord, s)) % 7) for s in poscar.species])
    sigma = 2.2 * (size[:, None] + size[None, :]) / 2
    vectors = positions[None, :, None, :] - positions[:, None, None, :] + images[None, None, :, :]
    distance = np.linalg.norm(vectors, axis=-1)
    near = (distance > 1e-6) & (distance < CUTOFF)
    r = np.where(near, distance, 1.0)
    x6 = (sigma[:, :, None] / r) ** 6
    lj, dlj = 4.0 * (x6 * x6 - x6), 4.0 * (-12 * x6 * x6 + 6 * x6) / r
    u = (r / CUTOFF) ** 2
    window, dwindow = (1 - u) ** 3, -6 * (1 - u) ** 2 * r / CUTOFF**2
    energy = 0.5 * float(np.sum(np.where(near, lj * window, 0.0)))
    slope = np.where(near, dlj * window + lj * dwindow, 0.0)
    return energy, np.einsum("ijk,ijkc->ic", slope / r, vectors)


def _face_areas(cell: np.ndarray) -> np.ndarray:
    return np.array([np.linalg.norm(np.cross(cell[(i + 1) % 3], cell[(i + 2) % 3])) for i in range(3)])


def next_step(hessian: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Quasi-Newton step along the force, never longer than 0.15 Å."""
    values, vectors = np.linalg.eigh(hessian)
    step = vectors @ ((vectors.T @ force) / np.abs(values))
    longest = np.abs(step).max()
    return step * min(1.0, 0.15 / longest) if longest > 0 else step


def update(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """BFGS with the change of the force over a step."""
    if abs(step @ change) < 1e-14:
        return hessian
    pushed = hessian @ step
    return hessian - np.outer(change, change) / (step @ change) - np.outer(pushed, pushed) / (step @ pushed)


def stop_requested() -> str:
    """What STOPCAR asks for: '', 'stop' (after this ionic step) or 'abort' (now)."""
    with contextlib.suppress(FileNotFoundError):
        text = Path("STOPCAR").read_text().upper().replace(" ", "")
        if "LABORT=.TRUE." in text or "LABORT=T" in text:
            return "abort"
        if "LSTOP=.TRUE." in text or "LSTOP=T" in text:
            return "stop"
    return ""


def fail_before(kind: str, incar: Incar, step: int, outputs: Outputs) -> None:
    """Fail as VASP fails, unless the remedy is in the INCAR already."""
    if kind == "non-hermitian" and step == 2 and incar.word("ALGO", "normal") != "all":
        outputs.say(" WARNING: Sub-Space-Matrix is not hermitian in DAV            3\n" * 3)
        outputs.say(" Error EDDDAV: Call to ZHEGV failed. Returncode =   7 2 8\n")
        sys.exit(1)
    if kind == "coef" and Path("WAVECAR").exists():
        outputs.say(" ERROR: while reading WAVECAR, plane wave coefficients changed\n")
        sys.exit(1)
    if kind == "zbrent" and step == 3 and incar.number("NELMIN", 2) < 8:
        outputs.say(" ZBRENT: fatal error in bracketing\n     please rerun with smaller EDIFF, or copy CONTCAR\n")
        outputs.say("     to POSCAR and continue\n")
        sys.exit(1)
    if kind == "silent-crash" and step == 2:
        sys.exit(139)
    if kind == "empty-contcar" and step == 2:
        Path("CONTCAR").write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "killed-mid-write" and step == 2:
        outputs.cut_in_the_middle()
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "hang" and step == 2:
        time.sleep(3600)


def run(kind: str, step_time: float) -> int:
    poscar, incar = read_poscar(Path("POSCAR")), read_incar(Path("INCAR"))
    n_steps, accuracy = int(incar.number("NSW", 0)), incar.number("EDIFFG", -0.01)
    n_electronic, tolerance = int(incar.number("NELM", 60)), incar.number("EDIFF", 1e-4)
    stuck = kind == "nelm" and incar.word("ALGO", "normal") != "all"
    outputs = Outputs(poscar, incar, Path("KPOINTS").read_text().splitlines())
    positions, hessian = poscar.positions.copy(), np.eye(positions_size(poscar)) * 10.0
    last: tuple[np.ndarray, np.ndarray] | None = None
    for step in range(1, max(n_steps, 1) + 1):
        fail_before(kind, incar, step, outputs)
        energy, forces = energy_and_forces(poscar, positions)
        time.sleep(step_time)
        if stop_requested() == "abort":
            outputs.close("hard stop encountered!  aborting job ...")
            return finish_stop()
        free = np.where(poscar.free, forces, 0.0)
        if last is not None:
            hessian = update(hessian, last[0], free.ravel() - last[1])
        outputs.ionic_step(step, positions, energy, forces, electronic_steps(n_electronic, tolerance, stuck))
        converged = np.linalg.norm(free, axis=1).max() < abs(accuracy)
        if n_steps == 0 or converged or step == n_steps:
            note = (
                "reached required accuracy - stopping structural energy minimisation" if n_steps and converged else ""
            )
            outputs.contcar(positions)
            outputs.close(note)
            return 0
        move = next_step(hessian, free.ravel())
        last, positions = (move, free.ravel()), positions + move.reshape(-1, 3)
        outputs.contcar(positions)
        if stop_requested():
            outputs.close("soft stop encountered!  aborting job ...")
            return finish_stop()
    return 0


def positions_size(poscar: Poscar) -> int:
    return 3 * len(poscar.positions)


def finish_stop() -> int:
    Path("STOPCAR").unlink(missing_ok=True)
    return 0


def electronic_steps(limit: int, tolerance: float, stuck: bool) -> list[float]:
    """Energy changes of the electronic loop: a factor of ten each step, or never below the tolerance."""
    if stuck:
        return [10 * tolerance * (-1) ** i for i in range(limit)]
    changes = [0.1]
    while abs(changes[-1]) >= tolerance and len(changes) < limit:
        changes.append(changes[-1] * 0.1)
    return changes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--control", type=Path)
    arguments = parser.parse_args()
    name = Path.cwd().name
    starts = 0
    if arguments.log:
        with contextlib.suppress(FileNotFoundError):
            starts = sum(line.split()[0] == name for line in arguments.log.read_text().splitlines())
        with arguments.log.open("a") as stream:
            stream.write(f"{name} {os.getpid()} {time.time():.3f}\n")
    rules = json.loads(arguments.control.read_text()) if arguments.control else {}
    rule = rules.get(name, rules.get("*", {}))
    kind = rule.get("fail", "") if starts < rule.get("times", 10**9) else ""
    code = run(kind, float(rule.get("step_time", 0.0)))
    return 1 if kind == "exit-code" else code


if __name__ == "__main__":
    sys.exit(main())

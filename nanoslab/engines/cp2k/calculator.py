"""CP2K as an ASE calculator: one run of the program per energy, each from the wave functions of the one before."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nanoslab.calculation import Settings
from nanoslab.engines.cp2k.data import data_folder
from nanoslab.engines.cp2k.electrons import is_gamma_only
from nanoslab.engines.cp2k.input import LAST_WAVE_FUNCTIONS, PROJECT, ghost_atoms, input_text
from nanoslab.engines.cp2k.output import last_words, parse_output
from nanoslab.engines.cp2k.words import read_words
from nanoslab.engines.interface import OwnCalculator
from nanoslab.errors import EngineError

INSTALL = "apt-get install cp2k (Debian, Ubuntu), or name the program in CP2K_COMMAND"
PROGRAMS = ("cp2k.psmp", "cp2k.ssmp", "cp2k.popt", "cp2k")


def command() -> tuple[str, ...]:
    """The program, from CP2K_COMMAND (such as ``mpirun -n 8 cp2k.psmp``) or the path.

    Raises
    ------
    EngineError
        There is none; the message says what to install.
    """
    named = os.environ.get("CP2K_COMMAND")
    if named:
        return tuple(shlex.split(named))
    for program in PROGRAMS:
        found = shutil.which(program)
        if found:
            return (found,)
    raise EngineError("engine cp2k", expected="the program cp2k", got="none on the path", advice=INSTALL)


class CP2KCalculator(OwnCalculator):
    """CP2K, started anew for every structure in the calculator's directory (a temporary one when it has none).

    The wave functions of the last finished energy start the next one; a run killed in between starts from the same
    ones again, so that its path does not depend on the kill.

    Parameters
    ----------
    settings
        Of the study.
    options
        Of the engine.
    removed_atoms
        ``symbols`` and ``positions`` [Å] of atoms that were removed, for ``ghosts=removed``.
    """

    def __init__(
        self, settings: Settings, options: Mapping[str, Any], removed_atoms: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.settings = settings
        self.words = read_words(options)
        self.removed_atoms = removed_atoms
        self._scratch: Path | None = None

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Energy, forces and, when asked, the stress."""
        del changes
        structure.info = {"removed_atoms": self.removed_atoms}
        folder = self._folder()
        last = folder / f"{LAST_WAVE_FUNCTIONS}.{self._ending}"
        text = input_text(
            structure, self.settings, self.words, restart=last.is_file(), with_stress="stress" in properties
        )
        n_atoms = len(structure) + len(ghost_atoms(structure, self.words))
        output = parse_output(self._run(text, folder), n_atoms=n_atoms, where=f"engine cp2k, {folder / 'cp2k.out'}")
        written = folder / f"{PROJECT}-RESTART.{self._ending}"
        if written.is_file():
            written.replace(last)
        forces = np.array(output.forces[: len(structure)])
        stress = {} if output.stress is None else {"stress": output.stress}
        return {"energy": output.energy, "free_energy": output.free_energy, "forces": forces, **stress}

    @property
    def _ending(self) -> str:
        return "wfn" if is_gamma_only(self.settings) else "kp"

    def _folder(self) -> Path:
        if self.directory != ".":
            return Path(self.directory)
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="nanoslab-cp2k-"))
            weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        return self._scratch

    def _run(self, text: str, folder: Path) -> str:
        (folder / f"{PROJECT}.inp").write_text(text)
        environment = {**os.environ, "CP2K_DATA_DIR": str(data_folder())}
        environment.setdefault("OMP_NUM_THREADS", "1")
        arguments = [*command(), "-i", f"{PROJECT}.inp"]
        with (folder / f"{PROJECT}.out").open("w") as stream:
            ended = subprocess.run(
                arguments, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT, check=False
            )
        output = (folder / f"{PROJECT}.out").read_text(errors="replace")
        if ended.returncode and "SCF run NOT converged" not in output:
            raise EngineError(f"engine cp2k, {folder / 'cp2k.out'}", expected="a finished run", got=last_words(output))
        return output

"""One energy of the structure as it is."""

from ase import Atoms

from nanoslab.engines.interface import Ended, Task


def single(atoms: Atoms, task: Task) -> Ended:
    """Energy and forces of one structure."""
    task.on_step(atoms)
    return Ended(atoms=atoms)

"""Cheap ASE calculators that the tests hand to the run loop as ``module:factory``."""

import os
import time
from pathlib import Path
from typing import Any

from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT

from nanoslab.errors import EngineError


class SlowEMT(EMT):
    """EMT without a memory, that takes its time and notes every evaluation in a file."""

    def __init__(self, seconds: float = 0.0, counter: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seconds = seconds
        self.counter = counter

    def calculate(self, atoms: Any = None, properties: Any = None, _changes: Any = None) -> None:
        time.sleep(self.seconds)
        super().calculate(atoms, properties, all_changes)  # a new neighbour list every time
        if self.counter:
            with Path(self.counter).open("a") as stream:
                stream.write(".")


class Talkative(EMT):
    """EMT that prints like a library that was never asked to."""

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        print("BANNER of a library", flush=True)
        os.write(1, b"BANNER of a C library\n")
        super().calculate(*args, **kwargs)


class Failing(EMT):
    """EMT that cannot do silver."""

    def calculate(self, atoms: Any = None, *args: Any, **kwargs: Any) -> None:
        if "Ag" in atoms.get_chemical_symbols():
            raise RuntimeError("no silver today")
        super().calculate(atoms, *args, **kwargs)


class RefusesOne(EMT):
    """EMT that has no answer at its sixth structure, as where a long trial step led."""

    n_seen = 0

    def calculate(self, atoms: Any = None, *args: Any, **kwargs: Any) -> None:
        self.n_seen += 1
        if self.n_seen == 6:
            raise EngineError("choosy", expected="another structure", got="the sixth")
        super().calculate(atoms, *args, **kwargs)


class Dying(EMT):
    """EMT whose process is killed when it sees silver."""

    def calculate(self, atoms: Any = None, *args: Any, **kwargs: Any) -> None:
        if "Ag" in atoms.get_chemical_symbols():
            os.kill(os.getpid(), 9)
        super().calculate(atoms, *args, **kwargs)


class NotesThreads(EMT):
    """EMT that prints how many threads it may use."""

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        print(f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS')}", flush=True)
        super().calculate(*args, **kwargs)

"""How long a Mott cross-section takes: python tests/benchmarks/bench_beam.py.

Beside the package stands the direct way, the series summed at every angle of an adaptive quadrature, and the start of
the command beside a bare Python.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.integrate import quad

from nanoslab.beam import (
    classical_velocity_variance,
    displacement_cross_section,
    electron_speed,
    max_transferred_energy,
)
from nanoslab.beam.closed_form import prefactor_barn
from nanoslab.beam.mott import ratio_at_nodes

VOLTAGES = np.linspace(60, 300, 300)
ROOM = {"masses": "isotopes", "velocity_variance": classical_velocity_variance("Se", 300)}


def best(function: Callable[[], object], repeats: int) -> float:
    """Shortest of several runs [ms]."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return 1e3 * min(times)


def direct(kv: float, threshold: float) -> float:
    """Total of Se at rest with the series summed anew at every angle [barn]."""
    low = (threshold / max_transferred_energy("Se", kv)) ** 0.5

    def integrand(sine: float) -> float:
        return 2 * float(ratio_at_nodes(34, np.array([kv]), np.array([sine]))[0, 0]) / sine**3

    return prefactor_barn(34, electron_speed(kv)) * quad(integrand, low, 1, epsrel=1e-6)[0]


def processor_ms(command: list[str], repeats: int = 15) -> float:
    """Least processor time of a child [ms]."""
    times = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1e3 * min(times)


def main() -> None:
    """Print the table."""
    ours, theirs = displacement_cross_section("Se", 200, 2.25), direct(200.0, 2.25)
    rows = [
        ("one total, at rest", best(lambda: displacement_cross_section("Se", 200, 2.25), 50)),
        ("one total, isotopes at 300 K", best(lambda: displacement_cross_section("Se", 200, 2.25, **ROOM), 50)),
        ("300 voltages, at rest", best(lambda: displacement_cross_section("Se", VOLTAGES, 2.25), 5)),
        ("300 voltages, isotopes at 300 K", best(lambda: displacement_cross_section("Se", VOLTAGES, 2.25, **ROOM), 5)),
        ("one total, series at every angle", best(lambda: direct(200.0, 2.25), 5)),
        ("python -c pass (processor)", processor_ms([sys.executable, "-c", "pass"])),
        (
            "nanoslab knockon Se --kv 200 (processor)",
            processor_ms([sys.executable, "-m", "nanoslab", "knockon", "Se", "--kv", "200"]),
        ),
    ]
    for name, milliseconds in rows:
        print(f"{name:<42}{milliseconds:9.2f} ms")
    print(f"{'relative difference, ours to direct':<42}{abs(ours / theirs - 1):9.1e}")


if __name__ == "__main__":
    main()

"""How a campaign grows: driver time and memory, submit rate, status time, over the number of calculations.

python tests/driver/measure_growth.py 10 100 1000 10000           the loop alone, its engine ends jobs at once
python tests/driver/measure_growth.py --executorlib 10 100        real jobs that do nothing, on the Slurm in reach
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path

from ase import Atoms

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.campaign.state import State, claim_attempt, record_attempt, write_state
from nanoslab.driver.backend import QueueView
from nanoslab.driver.config import Cluster
from nanoslab.driver.drive import Request, orders, read_plan
from nanoslab.driver.ledger import Ledger
from nanoslab.driver.loop import Drive, Pace
from nanoslab.driver.vasp_campaign import write_vasp_campaign


def campaign(folder: Path, n: int) -> Path:
    """`n` decks: one is written, the others are copies under their own names."""
    atoms = Atoms("CdSe", positions=[[0, 0, 0], [2, 1, 1]], cell=[8, 8, 8], pbc=True)
    one = Calculation(name="c00000", role=Role(kind="pristine"), atoms=atoms, settings=Settings(source="test"))
    (folder / "study.yaml").write_text("study: toy\n")
    target = folder / "campaign"
    write_vasp_campaign(folder / "study.yaml", [one], target)
    (target / "c00000" / "POTCAR").write_text("none\n")
    files = {path.name: path.read_text() for path in (target / "c00000").iterdir()}
    rows = (target / "calculations.tsv").read_text().splitlines()
    for i in range(1, n):
        name = f"c{i:05d}"
        (target / name).mkdir()
        for file, text in files.items():
            (target / name / file).write_text(text.replace("c00000", name))
        rows.append(rows[1].replace("c00000", name))
    (target / "calculations.tsv").write_text("\n".join(rows) + "\n")
    (target / "campaign.json").unlink()  # the table lists them as well
    return target


class AtOnce:
    """An engine whose jobs end while they are submitted."""

    most_at_a_time = 10**9

    def submit(self, order) -> Future:
        from nanoslab.driver.slurm import this_owner

        number = claim_attempt(order.run_folder, this_owner(), lambda _: False)
        record_attempt(order.run_folder, number, {"outcome": "done"})
        write_state(order.run_folder, State(state="done", attempt=number))
        future: Future = Future()
        future.set_result({"outcome": "done"})
        return future

    def view(self) -> QueueView:
        return QueueView()

    def script(self, _order) -> str:
        return ""

    def close(self) -> None:
        pass


def loop_alone(target: Path) -> dict:
    cluster = Cluster(backend="here", vasp={"std": "true"}, poll_interval=1.0)
    request = Request(campaign=target, cluster=cluster)
    start = time.perf_counter()
    planned = read_plan(target)
    ledger = Ledger(orders(request, planned), 3)
    read = time.perf_counter()
    names = {item.name for item in planned}
    pace = Pace(window=40, poll_interval=1.0)
    Drive(ledger=ledger, backend=AtOnce(), pace=pace, report=lambda *_: None, wanted=names).run()
    end = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"read_s": read - start, "drive_s": end - read, "per_s": len(names) / (end - read), "driver_MB": memory}


def status(target: Path) -> dict:
    command = [sys.executable, "-m", "nanoslab", "status", str(target), "--json"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    elapsed = time.perf_counter() - start
    counts = {state: number for state, number in json.loads(done.stdout)["counts"].items() if number}
    return {"status_s": elapsed, "counts": counts}


def through_executorlib(target: Path, folder: Path) -> dict:
    cluster = {"backend": "executorlib", "vasp": {"std": "true"}, "poll_interval": 2, "custodian": False, "tries": 1}
    cluster |= {"wall_time": 600, "stop_before_end": 10, "window": 200}
    (folder / "cluster.yaml").write_text(json.dumps(cluster))
    command = [sys.executable, "-m", "nanoslab", "submit", str(target), "--cluster", str(folder / "cluster.yaml")]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    queued: list[float] = []
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().endswith("queued"):
            queued.append(time.perf_counter())
    _, _, usage = os.wait4(process.pid, 0)
    rate = (len(queued) - 1) / (queued[-1] - queued[0]) if len(queued) > 1 else 0.0
    return {"all_s": time.perf_counter() - start, "submit_per_s": rate, "driver_MB": usage.ru_maxrss / 1024,
            "driver_cpu_s": usage.ru_utime + usage.ru_stime}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--executorlib", action="store_true")
    arguments = parser.parse_args()
    for n in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            target = campaign(Path(folder), n)
            found = through_executorlib(target, Path(folder)) if arguments.executorlib else loop_alone(target)
            found |= status(target)
            print(n, {k: round(v, 2) if isinstance(v, float) else v for k, v in found.items()}, flush=True)


if __name__ == "__main__":
    main()

"""The loop by itself, with an engine that lives in this process and does as it is told."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from nanoslab.campaign.state import Owner, State, claim_attempt, record_attempt, write_state
from nanoslab.driver.backend import JobOrder, QueueView, RefusedError
from nanoslab.driver.ledger import Ledger
from nanoslab.driver.loop import Drive, Pace
from nanoslab.errors import EngineError

DEAD = Owner(host="nowhere", pid=1, job="999")


class Told:
    """An engine whose jobs end at once, as the test says; `jobs` is what its queue shows."""

    most_at_a_time = 10**9

    def __init__(self, act: Callable[[JobOrder, int], str]) -> None:
        self.act = act
        self.submitted: list[str] = []
        self.queue: dict[str, str] = {}
        self.at_once = 0

    def submit(self, order: JobOrder) -> Future:
        future: Future = Future()
        what = self.act(order, self.submitted.count(order.name) + 1)
        if what.startswith("refuse"):
            future.set_exception(RefusedError(what, later=what == "refuse: quota"))
            return future
        self.submitted.append(order.name)
        folder = order.run_folder
        if what == "never-began":
            future.set_exception(RuntimeError("the node has no Python"))
            return future
        if what == "hangs":
            self.queue[order.job_name] = "7"
            return future
        number = claim_attempt(folder, DEAD, lambda _: False)
        assert number is not None
        if what == "vanishes":
            write_state(folder, State(state="running", attempt=number, job="999", tries_from=order.tries_from))
            future.set_exception(RuntimeError("job 999 is gone"))
            return future
        record_attempt(folder, number, {"host": "n", "outcome": what, "steps": 0, "given_s": order.wall_time})
        after = {"done": "done", "failed": "failed", "needs-you": "needs-you"}.get(what, "waiting")
        write_state(folder, State(state=after, reason=what, attempt=number, tries_from=order.tries_from))
        future.set_result({"outcome": what})
        return future

    def view(self) -> QueueView:
        return QueueView(names=dict(self.queue), jobs=frozenset(self.queue.values()))

    def script(self, _order: JobOrder) -> str:
        return ""

    def close(self) -> None:
        pass


def drive(tmp_path: Path, act, *, names=("a", "b"), parents=None, tries: int = 3, window: int = 10, **more):
    common = {"campaign": str(tmp_path), "wall_time": 100.0}
    parents = parents or {}
    orders = [JobOrder(name=name, starts_from=parents.get(name), job_name=f"x.{name}", **common) for name in names]
    ledger = Ledger(orders, tries)
    backend = act if isinstance(act, Told) else Told(act)
    heard: list[tuple[str, str, str]] = []
    loop = Drive(
        ledger=ledger,
        backend=backend,
        pace=Pace(window=window, poll_interval=0.02),
        report=lambda *words: heard.append(words),
        wanted=set(names),
        **more,
    )
    return loop.run(), backend, ledger, heard


def test_every_calculation_is_submitted_once(tmp_path: Path) -> None:
    states, backend, _, _ = drive(tmp_path, lambda *_: "done", names=tuple("abcdef"))
    assert states == dict.fromkeys("abcdef", "done")
    assert sorted(backend.submitted) == list("abcdef")


def test_children_wait_for_their_parents(tmp_path: Path) -> None:
    _, backend, _, _ = drive(tmp_path, lambda *_: "done", names=("child", "parent"), parents={"child": "parent"})
    assert backend.submitted == ["parent", "child"]


def test_children_of_a_failure_say_what_they_wait_for(tmp_path: Path) -> None:
    states, backend, ledger, _ = drive(
        tmp_path, lambda *_: "failed", names=("parent", "child"), parents={"child": "parent"}
    )
    assert states == {"parent": "failed", "child": "waiting"}
    assert ledger.state("child").reason == "waits for parent, which is failed"
    assert backend.submitted == ["parent"]


def test_a_job_that_dies_is_tried_again_but_not_for_ever(tmp_path: Path) -> None:
    states, backend, ledger, _ = drive(tmp_path, lambda *_: "vanishes", names=("a",))
    assert states == {"a": "failed"}
    assert backend.submitted == ["a"] * 3
    assert "3 starts ended badly" in ledger.state("a").reason
    assert "job 999 is gone" in ledger.state("a").reason


def test_a_job_that_never_begins_needs_somebody(tmp_path: Path) -> None:
    states, backend, ledger, _ = drive(tmp_path, lambda *_: "never-began", names=("a",))
    assert states == {"a": "needs-you"}
    assert "no Python" in ledger.state("a").reason
    assert len(backend.submitted) == 3


def test_stops_at_the_wall_time_go_on_as_long_as_there_is_progress(tmp_path: Path) -> None:
    def act(_: JobOrder, n: int) -> str:
        return "stopped" if n < 6 else "done"

    backend = Told(act)
    original = backend.submit

    def with_progress(order: JobOrder) -> Future:
        future = original(order)
        number = len(list((order.run_folder / "attempts").iterdir()))
        record_attempt(order.run_folder, number, {"outcome": act(order, number), "steps": 5, "given_s": 100.0})
        return future

    backend.submit = with_progress  # type: ignore[method-assign]
    states, _, _, _ = drive(tmp_path, backend, names=("a",), tries=2)
    assert states == {"a": "done"}
    assert backend.submitted == ["a"] * 6


def test_two_stops_without_a_single_step_need_more_time(tmp_path: Path) -> None:
    states, backend, ledger, _ = drive(tmp_path, lambda *_: "stopped", names=("a",))
    assert states == {"a": "failed"}
    assert "more time or more ranks" in ledger.state("a").reason
    assert len(backend.submitted) == 2


def test_a_quota_uses_no_try_and_is_waited_out(tmp_path: Path) -> None:
    refusals = iter(["refuse: quota"] * 5)
    states, backend, _, heard = drive(tmp_path, lambda *_: next(refusals, "done"), names=("a", "b"), tries=1)
    assert states == {"a": "done", "b": "done"}
    assert sorted(backend.submitted) == ["a", "b"]
    assert any("takes no more for now" in words for *_, words in heard)


def test_a_refusal_for_good_ends_the_drive_with_the_queues_words(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="invalid partition"):
        drive(tmp_path, lambda *_: "refuse: invalid partition")


def test_never_more_than_the_window_at_a_time(tmp_path: Path) -> None:
    backend = Told(lambda *_: "hangs")
    seen = []

    def beat() -> None:
        seen.append(len(backend.queue))
        for name in list(backend.queue)[:1]:  # the oldest job ends
            del backend.queue[name]
            write_state(tmp_path / name.removeprefix("x."), State(state="done"))

    states, _, _, _ = drive(tmp_path, backend, names=tuple("abcdefg"), window=3, beat=beat)
    assert set(states.values()) == {"done"}
    assert max(seen) == 3


def test_what_an_earlier_driver_left_in_the_queue_is_followed_not_queued_again(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_state(tmp_path / "a", State(state="queued"))
    backend = Told(lambda *_: "done")
    backend.queue = {"x.a": "5"}
    beats = iter(range(1000))

    def beat() -> None:
        if next(beats) == 3:
            backend.queue.clear()
            write_state(tmp_path / "a", State(state="done"))

    states, _, _, _ = drive(tmp_path, backend, names=("a",), beat=beat)
    assert states == {"a": "done"}
    assert backend.submitted == []


def test_what_died_while_nobody_looked_is_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    number = claim_attempt(folder, DEAD, lambda _: False)
    write_state(folder, State(state="running", attempt=number or 0, job="999"))
    states, backend, _, _ = drive(tmp_path, lambda *_: "done", names=("a",))
    assert states == {"a": "done"}
    assert backend.submitted == ["a"]
    assert "outcome" in (folder / "attempts" / "001" / "job.json").read_text()


def test_what_somebody_cancels_is_dropped(tmp_path: Path) -> None:
    backend = Told(lambda o, _: "hangs" if o.name == "a" else "done")
    start = time.time()
    states, _, _, _ = drive(
        tmp_path,
        backend,
        names=("a", "b"),
        unwanted=lambda: frozenset({"a"}) if time.time() > start + 0.2 else frozenset(),
    )
    assert states == {"b": "done"}


def test_failed_ones_are_left_alone_until_they_are_forgiven(tmp_path: Path) -> None:
    drive(tmp_path, lambda *_: "failed", names=("a",))
    states, backend, ledger, _ = drive(tmp_path, lambda *_: "done", names=("a",))
    assert (states, backend.submitted) == ({"a": "failed"}, [])
    ledger.forgive("a")
    assert ledger.state("a").tries_from == 1
    states, backend, _, _ = drive(tmp_path, lambda *_: "done", names=("a",))
    assert (states, backend.submitted) == ({"a": "done"}, ["a"])


class BetweenTwoRecords(Told):
    """A job that has recorded how its start ended, and where it stands only when the queue is looked at again."""

    looks = 0

    def submit(self, order: JobOrder) -> Future:
        number = claim_attempt(order.run_folder, DEAD, lambda _: False)
        write_state(order.run_folder, State(state="running", attempt=number))
        record_attempt(order.run_folder, number, {"host": "n", "outcome": "again"})
        self.folder, self.future = order.run_folder, Future()
        return self.future

    def view(self) -> QueueView:
        self.looks += 1
        if self.looks == 3:
            self.end()
        return QueueView()

    def end(self) -> None:
        write_state(self.folder, State(state="waiting", reason="crashed", attempt=1))
        self.future.set_result({"outcome": "again"})


def test_the_last_word_of_a_job_is_not_written_over_that_of_the_driver(tmp_path: Path) -> None:
    backend = BetweenTwoRecords(lambda *_: "")
    states, _, ledger, _ = drive(tmp_path, backend, names=("a",), tries=1)
    if not backend.future.done():
        backend.end()
    assert states == {"a": "failed"}
    assert ledger.state("a").state == "failed"

"""Durable work on SQLite: one connection at a time, taken up again after a stop or a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comptoir.jobs import Jobs, Step, Stopped, Work

_WORKER = Path(__file__).with_name("worker.py")


@contextmanager
def launched(folder: Path, work: Work) -> Iterator[Jobs]:
    jobs = Jobs(f"sqlite:///{folder / 'jobs.db'}", work, polling_seconds=0.2)
    jobs.launch()
    try:
        yield jobs
    finally:
        jobs.destroy()


def in_the_end(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; threading conditions are not ours to reach into."""
    waiting = threading.Event()
    for _ in range(600):
        if condition():
            return
        waiting.wait(0.05)
    raise AssertionError("not within 30 s")


def test_work_is_done_with_what_its_steps_returned(tmp_path: Path) -> None:
    got: list[object] = []
    done = threading.Event()

    def work(tenant: str, connection: str, step: Step) -> None:
        got.extend([tenant, connection, step("count", lambda: {"pages": 2}), step("nothing", lambda: None)])
        done.set()

    with launched(tmp_path, work) as jobs:
        jobs.start("t", "c")

        assert done.wait(30)
    assert got == ["t", "c", {"pages": 2}, None]


def test_what_is_kept_of_work_is_for_nobody_else_on_the_machine(tmp_path: Path) -> None:
    with launched(tmp_path, lambda tenant, connection, step: None) as jobs:
        jobs.start("t", "c")
        modes = {one.name: one.stat().st_mode & 0o077 for one in tmp_path.iterdir()}

    assert modes["jobs.db"] == 0
    assert not any(modes.values())


def test_a_connection_is_worked_on_once_at_a_time_and_others_beside_it(tmp_path: Path) -> None:
    lock, go = threading.Lock(), threading.Event()
    running: dict[str, int] = {}
    most: dict[str, int] = {}
    finished: list[str] = []

    def work(tenant: str, connection: str, step: Step) -> None:
        with lock:
            running[connection] = running.get(connection, 0) + 1
            most[connection] = max(most.get(connection, 0), running[connection])
        go.wait(30)
        with lock:
            running[connection] -= 1
            finished.append(connection)

    with launched(tmp_path, work) as jobs:
        jobs.start("t", "a")
        in_the_end(lambda: running.get("a") == 1)
        jobs.start("t", "a")
        jobs.start("t", "b")
        in_the_end(lambda: running.get("b") == 1)
        jobs.start("t", "c")  # taken from the queue after whatever else may be taken
        in_the_end(lambda: running.get("c") == 1)
        go.set()
        in_the_end(lambda: sorted(finished) == ["a", "a", "b", "c"])
        in_the_end(lambda: not jobs.is_busy("a"))

    assert most == {"a": 1, "b": 1, "c": 1}


def test_work_that_waits_for_its_turn_is_not_made_twice(tmp_path: Path) -> None:
    began, go = threading.Event(), threading.Event()

    def work(tenant: str, connection: str, step: Step) -> None:
        began.set()
        go.wait(30)

    with launched(tmp_path, work) as jobs:
        running = jobs.start("t", "c")
        assert began.wait(30)
        in_the_end(lambda: jobs.start("t", "c") != running)
        waiting = jobs.start("t", "c")

        assert jobs.start("t", "c") == waiting
        go.set()
        in_the_end(lambda: not jobs.is_busy("c"))


def test_a_stop_leaves_the_step_open_and_the_next_launch_goes_on_with_it(tmp_path: Path) -> None:
    began, done = threading.Event(), threading.Event()
    ran: list[str] = []

    def work(tenant: str, connection: str, step: Step) -> None:
        step("first", lambda: ran.append("first"))
        step("second", second)
        done.set()

    def second() -> None:
        ran.append("second")
        if ran.count("second") == 1:
            began.set()
            jobs.stopping.wait(30)
            raise Stopped

    with launched(tmp_path, work) as jobs:
        jobs.start("t", "c")
        assert began.wait(30)
    with launched(tmp_path, work):
        assert done.wait(30)

    assert ran == ["first", "second", "second"]


def test_work_cut_off_in_a_version_with_other_steps_is_begun_anew_by_the_next(tmp_path: Path) -> None:
    began, done = threading.Event(), threading.Event()
    ran: list[str] = []

    def former(tenant: str, connection: str, step: Step) -> None:
        step("fetch", lambda: ran.append("fetch"))
        step("map", until_stopped)

    def until_stopped() -> None:
        began.set()
        launches[-1].stopping.wait(30)
        raise Stopped

    def later(tenant: str, connection: str, step: Step) -> None:
        step("plan", lambda: ran.append(f"plan {connection}"))
        done.set()

    launches: list[Jobs] = []
    with launched(tmp_path, former) as jobs:
        launches.append(jobs)
        jobs.start("t", "c")
        assert began.wait(30)
    with launched(tmp_path, later) as jobs:
        assert done.wait(30)
        in_the_end(lambda: not jobs.is_busy("c"))

    assert ran == ["fetch", "plan c"]


def test_no_step_is_begun_once_it_is_to_stop(tmp_path: Path) -> None:
    began, done = threading.Event(), threading.Event()
    launches: list[Jobs] = []
    was_stopping: list[bool] = []

    def work(tenant: str, connection: str, step: Step) -> None:
        step("first", first)
        step("second", lambda: was_stopping.append(launches[-1].stopping.is_set()))
        done.set()

    def first() -> None:
        began.set()
        launches[-1].stopping.wait(30)

    for event in (began, done):
        with launched(tmp_path, work) as jobs:
            launches.append(jobs)
            jobs.start("t", "c") if event is began else None
            assert event.wait(30)

    assert was_stopping == [False]


def test_a_failed_work_does_not_hinder_the_next(tmp_path: Path) -> None:
    done = threading.Event()
    calls: list[int] = []

    def work(tenant: str, connection: str, step: Step) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("a bug")
        done.set()

    with launched(tmp_path, work) as jobs:
        jobs.start("t", "c")
        in_the_end(lambda: not jobs.is_busy("c"))
        jobs.start("t", "c")

        assert done.wait(30)


def test_what_ended_long_ago_is_forgotten(tmp_path: Path) -> None:
    with launched(tmp_path, lambda tenant, connection, step: None) as jobs:
        jobs.start("t", "c")
        in_the_end(lambda: not jobs.is_busy("c"))

        assert jobs.purge(datetime.now(UTC) - timedelta(hours=1)) == 0
        assert jobs.purge(datetime.now(UTC) + timedelta(hours=1)) == 1
        assert jobs.purge(datetime.now(UTC) + timedelta(hours=1)) == 0


def test_a_killed_process_goes_on_after_the_steps_it_finished(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, _WORKER, tmp_path, "kill"], timeout=60, check=False)
    again = subprocess.run([sys.executable, _WORKER, tmp_path, "finish"], timeout=60, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert again.returncode == 0
    assert (tmp_path / "done").read_text() == "tenant connection"
    assert ((tmp_path / "first").read_text(), (tmp_path / "second").read_text()) == ("x", "x")


def test_the_package_is_imported_without_dbos() -> None:
    code = "import sys, comptoir.jobs; sys.exit('dbos' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_nothing_is_started_before_launch(tmp_path: Path) -> None:
    jobs = Jobs(f"sqlite:///{tmp_path / 'jobs.db'}", lambda tenant, connection, step: None, polling_seconds=0.2)

    with pytest.raises(RuntimeError, match="jobs were not launched"):
        jobs.start("t", "c")
    jobs.destroy()
    assert not (tmp_path / "jobs.db").exists()

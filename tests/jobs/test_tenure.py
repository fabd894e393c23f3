"""Leases on PostgreSQL: numbers rise, one buries what ran out, and whoever was buried writes no more."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from comptoir.errors import TryLater
from comptoir.jobs import Stopped, Tenure, fence
from comptoir.store import Database, leases, open_database, tenants
from comptoir.store.tables import LEASES

pytestmark = pytest.mark.postgres
_SECONDS = 60.0
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class SetClock:
    """Time that tests move on."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


@pytest.fixture
def db(postgres_url: str) -> Iterator[Database]:
    opened = open_database(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def _process(db: Database, clock: SetClock, name: str, *, is_worker: bool = True) -> Tenure:
    return Tenure(db, clock, name, is_worker=is_worker, seconds=_SECONDS)


def _run_out(db: Database, tenure: Tenure) -> None:
    with db.write() as tx:
        tx.execute(sa.update(LEASES).where(LEASES.c.number == tenure.number).values(expires_at=0.0))


def _write(db: Database) -> None:
    with db.write() as tx:
        tenants.add(tx, "written", NOON)


def test_a_lease_is_kept_while_it_is_renewed(db: Database, clock: SetClock) -> None:
    process = _process(db, clock, "a")

    first, second = process.turn(), process.turn()

    assert first == second
    assert (first.is_working, first.is_eldest, first.buried) == (True, True, False)


def test_what_ran_out_is_buried_and_its_number_never_comes_back(db: Database, clock: SetClock) -> None:
    frozen, other = _process(db, clock, "a"), _process(db, clock, "b")
    before = frozen.turn()
    _run_out(db, frozen)

    assert other.turn().buried
    after = frozen.turn()

    assert after.number > before.number
    assert after.executor != before.executor
    assert other.executors() >= {after.executor}
    assert before.executor not in other.executors()


def test_one_of_many_buries(db: Database, clock: SetClock) -> None:
    frozen = _process(db, clock, "a")
    frozen.turn()
    others = [_process(db, clock, f"b{n}") for n in range(6)]
    for one in others:
        one.turn()
    _run_out(db, frozen)
    start = threading.Barrier(6)

    def turn(one: Tenure) -> bool:
        start.wait()
        return one.turn().buried

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(turn, others)) == 1


def test_whoever_was_buried_writes_nothing(db: Database, clock: SetClock) -> None:
    frozen, other = _process(db, clock, "a"), _process(db, clock, "b")
    under = db.under(fence(frozen.turn().number))
    _run_out(db, frozen)  # not buried yet: nobody has taken its place
    other_first = _process(db, clock, "c")
    with under.write() as tx:
        tenants.add(tx, "while nobody else does", NOON)
    assert other.turn().buried
    other_first.turn()

    with pytest.raises(Stopped):
        _write(under)

    with db.read() as tx:
        assert tenants.by_name(tx, "written") is None
    _write(db)


def test_what_was_renewed_just_now_is_not_buried(db: Database, clock: SetClock) -> None:
    """It had run out when somebody looked, and then its process was back."""
    back = _process(db, clock, "a")
    number = back.turn().number

    with db.write() as tx:
        assert not leases.bury(tx, number)
        assert [one.number for one in leases.held(tx)] == [number]


def test_nobody_is_buried_in_the_middle_of_a_transaction(postgres_url: str, db: Database, clock: SetClock) -> None:
    """What it wrote is either there when the next one looks, or is never there."""
    hurried = make_url(postgres_url).update_query_dict({"options": "-c lock_timeout=50ms"})
    other = open_database(hurried.render_as_string(hide_password=False))
    slow = _process(db, clock, "a")
    number = slow.turn().number

    def bury() -> bool:
        with other.write() as tx:
            return leases.bury(tx, number)

    with db.under(fence(number)).write():
        _run_out(db, slow)
        with pytest.raises(TryLater):
            bury()

    assert bury()
    other.close()


def test_a_process_frozen_in_a_transaction_loses_its_session(postgres_url: str, db: Database, clock: SetClock) -> None:
    its = open_database(postgres_url, process="frozen")
    frozen, other = _process(its, clock, "frozen"), _process(db, clock, "b")
    under = its.under(fence(frozen.turn().number))
    begun, go = threading.Event(), threading.Event()

    def stand_still() -> None:
        with under.write() as tx:
            tenants.add(tx, "written", NOON)
            begun.set()
            go.wait(30)

    with ThreadPoolExecutor(1) as thread:
        standing = thread.submit(stand_still)
        assert begun.wait(30)
        _run_out(db, frozen)

        assert other.turn().buried
        go.set()

        assert standing.exception() is not None
    with db.read() as tx:
        assert tenants.by_name(tx, "written") is None
    its.close()


def _silent_for(db: Database, tenure: Tenure, seconds: float) -> None:
    with db.write() as tx:
        left = sa.func.extract("epoch", sa.func.clock_timestamp()) + _SECONDS - seconds
        tx.execute(sa.update(LEASES).where(LEASES.c.number == tenure.number).values(expires_at=left))


def test_a_process_that_is_gone_is_replaced_long_before_its_lease_runs_out(
    postgres_url: str, db: Database, clock: SetClock
) -> None:
    """Killed: its sessions ended with it. One that is frozen still has them, and one that is alive renews."""
    with db.read() as tx:  # or else what was renewed before the server was started proves nothing
        tx.execute(sa.text("SELECT pg_sleep_until(pg_postmaster_start_time() + interval '16 seconds')"))
    with contextlib.closing(open_database(postgres_url, process="frozen")):
        frozen, killed, alive = (_process(db, clock, name) for name in ("frozen", "killed", "alive"))
        for one in (frozen, killed, alive):
            one.turn()
        _silent_for(db, frozen, 15)
        _silent_for(db, killed, 15)
        _silent_for(db, alive, 5)

        began = _process(db, clock, "started anew").turn()

        assert began.buried
        with db.read() as tx:
            assert {one.process for one in leases.held(tx)} == {"frozen", "alive", "started anew"}


def test_sessions_that_ended_with_the_server_prove_nothing(db: Database, clock: SetClock) -> None:
    one = _process(db, clock, "a")
    one.turn()
    with db.read() as tx:
        up = tx.execute(sa.text("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())")).scalar()
    _silent_for(db, one, float(up or 0) + 1)  # renewed a second before the server was started
    with db.write() as tx:
        leases.end_deserted(tx, silent_seconds=0, seconds=_SECONDS)

        found = tx.execute(sa.select(LEASES.c.expires_at)).scalar_one()

    assert found > 0


def test_a_server_works_while_there_is_no_worker(db: Database, clock: SetClock) -> None:
    server, worker = _process(db, clock, "s", is_worker=False), _process(db, clock, "w")

    assert server.turn().is_working
    assert worker.turn().is_eldest
    assert not server.turn().is_working
    worker.give_back()
    assert server.turn().is_eldest


def test_whoever_was_away_itself_gives_the_others_time_to_come_back(db: Database, clock: SetClock) -> None:
    """As after the database was stopped for longer than a lease lasts."""
    one, other = _process(db, clock, "a"), _process(db, clock, "b")
    one.turn()
    number = other.turn().number
    _run_out(db, one)
    _run_out(db, other)
    clock.sleep(2 * _SECONDS)

    assert not one.turn().buried
    assert other.turn().number == number

    _run_out(db, other)
    clock.sleep(_SECONDS / 2)
    one.turn()
    clock.sleep(_SECONDS / 2)
    assert one.turn().buried


def test_a_lease_that_is_given_back_is_nobodys(db: Database, clock: SetClock) -> None:
    process = _process(db, clock, "a")
    process.turn()
    process.give_back()

    with db.read() as tx:
        assert leases.held(tx) == []

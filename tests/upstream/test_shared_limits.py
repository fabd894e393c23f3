"""One budget of the upstream's limits for all processes over one PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from tests.crash.machines import until
from tests.sync.house import HastyClock
from tests.sync.standin import standing_in
from tests.upstream.conftest import a_connection
from tests.upstream.fake import Fake, answer
from tests.upstream.test_limits import SetClock

from comptoir.errors import TryLater
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database, open_database, spending
from comptoir.store.spending import Pause
from comptoir.upstream import Client, FixedToken, Limits, Shared, Window
from comptoir.upstream.limits import Limit

pytestmark = pytest.mark.postgres
_AN_HOUR_APART = timedelta(hours=1)


@pytest.fixture
def db(postgres_url: str) -> Iterator[Database]:
    opened = open_database(postgres_url)
    yield opened
    opened.close()


class _HasToWaitError(Exception):
    pass


class _Impatient(SetClock):
    def sleep(self, seconds: float) -> None:
        raise _HasToWaitError


def _process(db: Database, *, calls: tuple[Limit, ...] = ((4, 3600),), address: Limit | None = None) -> Limits:
    """The limits as a process of its own has them. Its windows are hours, so that none ends meanwhile, or hardly."""
    clock = _Impatient(datetime.now(UTC))
    return Limits(clock, calls=calls, refreshes=(2, 3600), address=address, ledger=Shared(db, clock, FREEAGENT.key))


@pytest.fixture(autouse=True)
def _amid_an_hour(db: Database) -> None:
    """The upstream's clock is known: it shows half past."""
    with db.write() as tx:
        now = spending.moment(tx)
        ahead = 1800 - now % 3600
        spending.Entries(tx, FREEAGENT.key, "").set_clock(ahead - 0.1, ahead + 0.1)


def _has_room(limits: Limits, connection: str = "c") -> bool:
    try:
        limits.reserve(connection, patience_seconds=0)
    except TryLater as error:
        return not error.is_rate_limit
    return True


def test_what_one_process_spends_another_has_not(db: Database) -> None:
    one, other = _process(db), _process(db)

    taken = [_has_room(limits) for limits in (one, other, one, other, one, other)]

    assert taken == [True] * 4 + [False] * 2
    assert _has_room(other, "another connection")


def test_two_processes_never_book_at_the_same_time(db: Database) -> None:
    clock = SetClock(datetime.now(UTC))
    ledger = Shared(db, clock, FREEAGENT.key)
    other = _process(db, calls=((1, 3600),))

    def waits() -> bool:
        with db.read() as tx:
            found = tx.exec_driver_sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return found.first() is not None

    with ThreadPoolExecutor(1) as thread:
        with ledger.turn() as entries:
            asked = thread.submit(_has_room, other)
            until(lambda: asked.done() or waits())
            entries.note("c", (3600,), ledger.at(clock.monotonic()))

        assert asked.result() is False


def test_a_process_that_froze_while_it_booked_holds_nobody_up_for_long(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spending, "_LONGEST_TURN_SECONDS", 0.1)
    frozen = Shared(db, SetClock(datetime.now(UTC)), FREEAGENT.key)
    booked = threading.Event()

    def freeze() -> None:
        with frozen.turn():
            assert booked.wait(30)

    with ThreadPoolExecutor(1) as thread:
        freezing = thread.submit(freeze)
        until(lambda: _is_locked(db) or freezing.done())

        assert _has_room(_process(db))
        booked.set()
        assert isinstance(freezing.exception(), TryLater)


def _is_locked(db: Database) -> bool:
    with db.read() as tx:
        return (
            tx.exec_driver_sql(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            ).first()
            is not None
        )


def test_calls_made_before_it_was_known_whose_books_are_read_count_for_these(db: Database) -> None:
    one, other = _process(db), _process(db)
    for _ in range(3):
        one.reserve("nobody")

    one.count_as("nobody", "c")

    assert [_has_room(other) for _ in range(2)] == [True, False]


def test_the_address_is_one_for_all_processes_and_refreshes_count_against_it(db: Database) -> None:
    one, other = _process(db, address=(4, 3600)), _process(db, address=(4, 3600))

    one.reserve_refresh("a")
    assert [_has_room(other, name) for name in "abcd"] == [True, True, True, False]
    assert not _has_room(one, "e")


def test_a_refusal_pauses_the_connection_in_all_processes(db: Database) -> None:
    one, other = _process(db), _process(db)

    one.refused("c", 600)

    assert not _has_room(other)
    assert _has_room(other, "another")
    until = other.paused_until("c")
    assert until is not None
    assert 590 <= (until - datetime.now(UTC)).total_seconds() <= 610


def test_a_second_refusal_is_one_whichever_process_met_the_first(db: Database) -> None:
    one, other = _process(db, calls=((9, 60),)), _process(db, calls=((9, 60),))
    one.refused("c", None)
    with db.write() as tx:
        entries = spending.Entries(tx, FREEAGENT.key, "")
        held = entries.pause("c")
        assert held is not None
        entries.set_pause("c", Pause(0.0, held.refusals))  # a minute has passed

    other.refused("c", None)

    until = other.paused_until("c")
    assert until is not None
    assert until - datetime.now(UTC) > timedelta(minutes=20)  # to the next hour
    other.accepted("c")
    with db.write() as tx:
        held = spending.Entries(tx, FREEAGENT.key, "").pause("c")
    assert held is not None
    assert held.refusals == 0


def test_what_one_learns_of_the_upstreams_clock_all_know(db: Database) -> None:
    clock = SetClock(datetime.now(UTC))
    one = Limits(clock, calls=((4, 60),), refreshes=None, address=None, ledger=Shared(db, clock, FREEAGENT.key))
    one.reserve("c")
    theirs = datetime.now(UTC).replace(minute=10, second=50) + _AN_HOUR_APART  # ten seconds before their minute ends
    one.answered({"date": format_datetime(theirs, usegmt=True)}, clock.monotonic(), clock.monotonic())
    one.reserve("c")

    [window] = _process(db, calls=((4, 60),)).windows("c")[:1]

    left = (window.until - datetime.now(UTC)).total_seconds()
    assert 5 <= left <= 12, left


def test_what_is_spent_and_left_is_told_for_each_window(db: Database) -> None:
    one, other = (_process(db, calls=((100, 60), (1000, 3600)), address=(500, 3600)) for _ in range(2))
    for _ in range(3):
        one.reserve("c")
    one.reserve("d")
    one.reserve_refresh("c")

    found = {(one.budget, one.seconds): one for one in other.windows("c")}

    assert {key: (one.spent, one.left) for key, one in found.items() if key[1] == 3600} == {
        ("calls", 3600): (3, 997),
        ("refreshes", 3600): (1, 1),
        ("address", 3600): (5, 495),
    }
    assert [type(one) for one in other.windows(None)] == [Window]
    until = found[("calls", 3600)].until - datetime.now(UTC)
    assert timedelta(minutes=29) < until < timedelta(minutes=31)


def test_some_of_each_window_is_left_to_those_who_wait(db: Database) -> None:
    limits = _process(db, calls=((100, 3600),))
    for _ in range(98):
        limits.reserve("c")

    with pytest.raises(_HasToWaitError):
        limits.reserve("c")
    assert [_has_room(limits) for _ in range(3)] == [True, True, False]


def test_calls_that_no_window_holds_are_forgotten(db: Database) -> None:
    with db.write() as tx:
        entries = spending.Entries(tx, FREEAGENT.key, "")
        now = spending.moment(tx)
        entries.note("c", (3600,), now - 3 * 3600)
        entries.note("c", (3600,), now - 60)
        spending.purge(tx)

        assert entries.count("c", 3600, 0.0) == 1


def test_what_was_dated_by_a_database_clock_that_was_ahead_holds_nothing_up(db: Database) -> None:
    limits = _process(db)
    with db.write() as tx:
        entries = spending.Entries(tx, FREEAGENT.key, "")
        ahead = spending.moment(tx) + 400 * 24 * 3600
        for _ in range(4):
            entries.note("c", (3600,), ahead)
        entries.set_pause("d", Pause(ahead, 1))
    assert not _has_room(limits)
    assert not _has_room(limits, "d")

    with db.write() as tx:
        spending.purge(tx)

    assert _has_room(limits)
    assert _has_room(limits, "d")


def test_a_pause_for_a_day_and_calls_of_now_are_not_taken_for_a_clocks_fault(db: Database) -> None:
    limits = _process(db)
    limits.refused("d", 24 * 3600)
    for _ in range(4):
        limits.reserve("c", patience_seconds=0)

    with db.write() as tx:
        spending.purge(tx)

    assert not _has_room(limits, "d")
    assert not _has_room(limits)


@pytest.mark.slow
def test_a_crowd_of_processes_is_never_refused_and_wastes_little(tmp_path: Path, postgres_url: str) -> None:
    """Ten times as fast: a minute takes six seconds."""
    limits = "40/60,3600/3600,15/60"
    with standing_in(tmp_path, books=20, time_scale=10, limits=limits) as standin:
        clock = HastyClock()
        opened = [open_database(postgres_url) for _ in range(3)]
        clients = [
            Client(
                FREEAGENT,
                standin.url,
                Limits(
                    clock,
                    calls=((40, 60), (3600, 3600)),
                    refreshes=None,
                    address=(1000, 60),
                    time_scale=10,
                    ledger=Shared(db, clock, FREEAGENT.key),
                ),
                clock,
            )
            for db in opened
        ]
        standin.reset()
        began = clock.monotonic()

        with ThreadPoolExecutor(9) as threads:
            tokens = FixedToken(standin.token)
            calls = [
                threads.submit(client.get, a_connection(), "/company", (), tokens)
                for _ in range(30)
                for client in clients
            ]
            assert {one.result().status for one in calls} == {200}

        counters = standin.counters()
        assert counters["tooManyRequests"] == 0
        assert counters["requests"] == 90
        assert clock.monotonic() - began < 30  # three minutes of the upstream's, and the time to learn its clock
        for client, db in zip(clients, opened, strict=True):
            client.close()
            db.close()


def test_a_429_in_one_process_keeps_another_from_asking(db: Database, fake: Fake) -> None:
    refusals = iter([answer(b"You must not exceed", "429 Too Many", content_type="text/plain", retry_after="900")])
    fake.script = lambda _: next(refusals, answer(b'{"company": {"name": "Toft"}}'))
    clocks = [SetClock(datetime.now(UTC)) for _ in range(2)]
    one, other = (
        Client(FREEAGENT, fake.url, Limits(
            clock, calls=((9, 3600),), refreshes=None, address=None, ledger=Shared(db, clock, FREEAGENT.key)
        ), clock)
        for clock in clocks
    )  # fmt: skip

    with pytest.raises(TryLater):
        one.get(a_connection(), "/company", (), FixedToken("t"), patience_seconds=1)
    with pytest.raises(TryLater) as caught:
        other.get(a_connection(), "/company", (), FixedToken("t"), patience_seconds=1)

    assert caught.value.is_rate_limit
    assert len(fake.asked) == 1
    one.close()
    other.close()

"""The upstream's limits are kept by its own clock, shared by threads, and remembered over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from tests.sync.house import HastyClock
from tests.sync.standin import StandIn, standing_in
from tests.upstream.conftest import ClientOf, a_connection
from tests.upstream.fake import Fake, answer

from comptoir.errors import StoreAway, TryLater
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.upstream import Client, FixedToken, Limits
from comptoir.upstream.ledger import Entries, InMemory

NOON = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
COMPANY = b'{"company": {"name": "Toft"}}'


class SetClock:
    """Time that passes only when somebody waits."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now, self._monotonic = now, 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)


def _limits(clock: SetClock, **options: object) -> Limits:
    given: dict[str, object] = {"calls": ((5, 60), (12, 3600)), "refreshes": (2, 60), "address": None} | options
    return Limits(clock, **given)  # type: ignore[arg-type]  # a table of options


def _seconds(clock: SetClock, since: datetime = NOON) -> float:
    return (clock.now() - since).total_seconds()


def test_calls_beyond_a_window_wait_for_the_next_minute() -> None:
    clock = SetClock()
    limits = _limits(clock)

    moments = []
    for _ in range(7):
        limits.reserve("c")
        moments.append(_seconds(clock))

    assert moments[:5] == [0.0] * 5
    assert 50 <= moments[5] < 54
    assert moments[6] == moments[5]


def test_the_hour_counts_beside_the_minute() -> None:
    clock = SetClock()
    limits = _limits(clock)

    for _ in range(13):
        limits.reserve("c")

    assert 3590 <= _seconds(clock) < 3594


def test_connections_have_budgets_of_their_own_and_share_that_of_the_address() -> None:
    clock = SetClock()
    limits = _limits(clock, address=(8, 60))

    for connection in ("a", "b"):
        for _ in range(4):
            limits.reserve(connection)
    assert _seconds(clock) == 0

    limits.reserve("c")
    assert _seconds(clock) >= 50


def test_a_refresh_is_a_call_from_the_address_too() -> None:
    clock = SetClock()
    limits = _limits(clock, address=(2, 60))

    limits.reserve_refresh("a")
    limits.reserve("b")
    assert _seconds(clock) == 0

    limits.reserve("c")
    assert _seconds(clock) >= 50


def test_refreshes_have_a_budget_of_their_own() -> None:
    clock = SetClock()
    limits = _limits(clock)

    for _ in range(2):
        limits.reserve_refresh("c")
    limits.reserve("c")
    assert _seconds(clock) == 0

    limits.reserve_refresh("c")
    assert _seconds(clock) >= 50


@pytest.mark.parametrize("apart", [timedelta(minutes=10, seconds=20), -timedelta(minutes=10, seconds=20)])
def test_windows_follow_the_upstreams_clock(apart: timedelta) -> None:
    clock = SetClock()
    limits = _limits(clock)
    for _ in range(3):  # before anything is known of the other clock
        limits.reserve("c")
    theirs = NOON + apart
    limits.answered({"date": format_datetime(theirs, usegmt=True)}, clock.monotonic(), clock.monotonic())

    for _ in range(2):
        limits.reserve("c")
    assert _seconds(clock) == 0
    limits.reserve("c")  # the first three count in their minute too

    until_their_minute = 60 - theirs.second
    assert until_their_minute <= _seconds(clock) <= until_their_minute + 3


def test_a_date_that_makes_no_sense_changes_nothing() -> None:
    clock = SetClock()
    limits = _limits(clock)

    for date in ("yesterday", "²", "", "Mon, 99 Foo 2026"):
        limits.answered({"date": date}, clock.monotonic(), clock.monotonic())
    limits.answered({}, clock.monotonic(), clock.monotonic())

    for _ in range(6):
        limits.reserve("c")
    assert 50 <= _seconds(clock) < 54


def test_a_call_answered_in_the_next_window_counts_there_too() -> None:
    clock = SetClock()
    limits = _limits(clock, calls=((2, 60),))
    limits.reserve("c")
    limits.reserve("c")
    sent = clock.monotonic()
    clock.sleep(55)
    limits.ended("c", sent, clock.monotonic())
    limits.ended("c", sent, clock.monotonic())

    limits.reserve("c")

    assert _seconds(clock) >= 110


# Refused all the same


def _refused(clock: SetClock, limits: Limits, told: float | None = None) -> float:
    """The seconds a refusal costs the next call."""
    limits.refused("c", told)
    began = clock.now()
    limits.reserve("c")
    return _seconds(clock, began)


def test_a_refusal_without_a_time_pauses_to_the_minute_and_the_next_one_to_the_hour() -> None:
    clock = SetClock()
    limits = _limits(clock, calls=((1000, 60),))

    assert 50 <= _refused(clock, limits) < 54
    assert 3530 <= _refused(clock, limits) < 3545
    limits.accepted("c")
    assert _refused(clock, limits) < 64


def test_calls_refused_together_are_one_refusal() -> None:
    clock = SetClock()
    limits = _limits(clock, calls=((1000, 60),))

    for _ in range(8):
        limits.refused("c", None)
    limits.reserve("c")

    assert _seconds(clock) < 54


@pytest.mark.parametrize(
    ("told", "least", "most"), [(7.0, 7, 12), (0.0, 1, 6), (-5.0, 1, 6), (10.0**9, 24 * 3600, 24 * 3600 + 6)]
)
def test_a_refusal_with_a_time_pauses_for_it_within_reason(told: float, least: float, most: float) -> None:
    clock = SetClock()

    assert least <= _refused(clock, _limits(clock, calls=((1000, 60),)), told) <= most


def test_a_refusal_that_names_less_time_ends_no_pause_before_its_time() -> None:
    clock = SetClock()
    limits = _limits(clock, calls=((1000, 60),))

    limits.refused("c", 600)

    assert _refused(clock, limits, 5) >= 600


def test_only_the_connection_that_was_refused_waits() -> None:
    clock = SetClock()
    limits = _limits(clock)
    limits.refused("c", 30)

    limits.reserve("other")

    assert _seconds(clock) == 0
    until = limits.paused_until("c")
    assert until is not None
    assert 30 <= (until - NOON).total_seconds() <= 34
    assert limits.paused_until("other") is None


def test_whoever_has_no_patience_is_told_how_long_it_would_take() -> None:
    clock = SetClock()
    limits = _limits(clock)
    limits.refused("c", 600)

    with pytest.raises(TryLater) as caught:
        limits.reserve("c", patience_seconds=15)

    assert caught.value.is_rate_limit
    assert caught.value.retry_after_seconds is not None
    assert 600 <= caught.value.retry_after_seconds <= 605
    assert _seconds(clock) == 0


class _AwayTwice(InMemory):
    """A ledger whose database does not answer at first."""

    turns = 0

    @contextmanager
    def turn(self) -> Iterator[Entries]:
        self.turns += 1
        if self.turns <= 2:
            raise StoreAway("The database does not answer just now.", retry_after_seconds=5)
        with super().turn() as entries:
            yield entries


def test_no_call_is_made_uncounted_while_the_ledger_is_away() -> None:
    clock = SetClock()
    ledger = _AwayTwice(clock, lambda *_: 0)
    limits = _limits(clock, calls=((2, 60),), ledger=ledger)

    with pytest.raises(TryLater):
        limits.reserve("c", patience_seconds=15)
    limits.reserve("c")

    assert ledger.turns == 3
    assert 0 < _seconds(clock) < 50


# Restarts


def test_what_an_earlier_process_has_used_counts() -> None:
    clock = SetClock()
    asked: list[tuple[str | None, datetime]] = []

    def spent(connection: str | None, since: datetime) -> int:
        asked.append((connection, since))
        return 4

    limits = _limits(clock, spent=spent, address=(1000, 60))

    limits.reserve("c")
    assert _seconds(clock) == 0
    limits.reserve("c")
    assert _seconds(clock) >= 50
    minute, hour = NOON.replace(second=0), NOON.replace(minute=0, second=0)
    assert {("c", minute), ("c", hour), (None, minute)} <= set(asked)


# Against a server that counts


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    folder: Path = tmp_path_factory.mktemp("stand-in")
    with standing_in(folder, books=20, time_scale=30) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("apart", [0, 630, -630])
def test_a_crowd_of_threads_is_never_refused_and_wastes_little(
    standin: StandIn, client_of: ClientOf, apart: int
) -> None:
    """Thirty times as fast: a minute takes two seconds. The clocks are apart by ten and a half minutes."""
    standin.advance(apart)
    standin.set(limits="20/60,3600/3600,15/60")  # with windows that nobody has used
    clock = HastyClock()
    limits = Limits(clock, calls=((20, 60), (3600, 3600)), refreshes=None, address=(1000, 60), time_scale=30)
    client, tokens = client_of(standin.url, limits), FixedToken(standin.token)
    standin.reset()

    with ThreadPoolExecutor(8) as threads:
        linked = [a_connection(id_, books="kestrel") for id_ in ("c1", "c2", "c3")]  # the same books, three times
        calls = [threads.submit(client.get, one, "/company", (), tokens) for one in linked * 15]
        assert {one.result().status for one in calls} == {200}

    counters = standin.counters()
    assert counters["tooManyRequests"] == 0
    assert counters["requests"] == 45


def test_a_429_spends_no_try_and_its_time_is_kept(fake: Fake) -> None:
    clock = SetClock()
    client = Client(FREEAGENT, fake.url, _limits(clock, calls=None), clock)
    refusals = iter([answer(b"You must not exceed", "429 Too Many", content_type="text/plain", retry_after="9")] * 6)
    fake.script = lambda _: next(refusals, answer(COMPANY))

    assert client.get(a_connection(), "/company", (), FixedToken("t")).status == 200

    assert len(fake.asked) == 7
    assert 6 * 9 <= _seconds(clock) <= 6 * 13
    client.close()


def test_books_that_were_linked_twice_have_one_budget(fake: Fake) -> None:
    clock = SetClock()
    client = Client(FREEAGENT, fake.url, _limits(clock), clock)
    fake.script = lambda _: answer(COMPANY)

    for id_ in ("c1", "c2", "c1", "c2", "c1"):
        client.get(a_connection(id_, books="kestrel"), "/company", (), FixedToken("t"))

    with pytest.raises(TryLater):
        client.get(a_connection("c2", books="kestrel"), "/company", (), FixedToken("t"), patience_seconds=0)
    client.get(a_connection("c3", books="another"), "/company", (), FixedToken("t"), patience_seconds=0)
    client.close()


@pytest.mark.parametrize("told", ["²", "soon", "-5", "1e9", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 300])
def test_a_retry_after_of_any_kind_is_survived(fake: Fake, client_of: ClientOf, told: str) -> None:
    fake.script = lambda _: answer(b"no", "429 Too Many", content_type="text/plain", retry_after=told)

    with pytest.raises(TryLater) as caught:
        client_of(fake.url).get(a_connection(), "/company", (), FixedToken("t"), patience_seconds=0)

    assert caught.value.is_rate_limit


def test_calls_made_before_it_was_known_whose_books_are_read_count_for_these() -> None:
    clock = SetClock()
    limits = _limits(clock)
    for _ in range(3):
        limits.reserve("nobody")

    limits.count_as("nobody", "c")

    for _ in range(2):
        limits.reserve("c")
    assert _seconds(clock) == 0
    limits.reserve("c")
    assert _seconds(clock) >= 50


def test_a_connection_whose_window_is_full_is_said_to_wait_until_there_is_room() -> None:
    clock = SetClock()
    limits = _limits(clock, calls=((1, 60),))
    limits.reserve("c")
    assert limits.paused_until("c") is None

    with pytest.raises(TryLater):
        limits.reserve("c", patience_seconds=0)

    until = limits.paused_until("c")
    assert until is not None
    assert 50 <= (until - NOON).total_seconds() <= 61  # ten seconds of the minute are over
    limits.reserve("c")
    assert limits.paused_until("c") is None

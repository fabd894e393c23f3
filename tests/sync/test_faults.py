"""What FreeAgent may do to a read: which status and sentence a data type gets, that the others go on, that it heals."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.sync.conftest import HouseOf
from tests.sync.house import HastyClock, House, unmoved
from tests.sync.standin import StandIn

from comptoir.store import Database, connections, open_database
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status
from comptoir.store.tables import EVENTS

# Data types that need the list of bills, and one that goes on without it.
_OF_BILLS = ("bills", "billCreditNotes")


@pytest.fixture
def undisturbed(standin: StandIn, house_of: HouseOf, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The same books, read before anything went wrong."""
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('undisturbed') / 'comptoir.db'}")
    house = house_of(db, standin)
    house.sync()
    standin.reset()
    return house


def _same(house: House, undisturbed: House) -> None:
    assert house.raw() == undisturbed.raw()
    assert unmoved(house.standard()) == unmoved(undisturbed.standard())


def _others_are_complete(house: House, failed: tuple[str, ...]) -> None:
    others = {name: one for name, one in house.statuses().items() if name not in failed}
    assert set(others.values()) == {Status.COMPLETE}, others


_PASSING: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "an error": ({"list": "bills", "times": 1}, "status", {"status": 500}),
    "three errors": ({"list": "bills", "times": 3}, "status", {"status": 503}),
    "a page of HTML": ({"list": "bills", "times": 1}, "html", {}),
    "an empty body": ({"list": "bills", "times": 1}, "empty", {}),
    "a cut body": ({"list": "bills", "times": 2}, "cut", {"afterBytes": 700}),
    "a reset": ({"list": "bills", "times": 1}, "reset", {}),
    "another content type": ({"list": "bills", "times": 1}, "contentType", {"contentType": "text/html"}),
    "half of all answers": ({"probability": 0.3, "times": 12}, "status", {"status": 502}),
}


@pytest.mark.parametrize("fault", _PASSING)
def test_what_passes_is_got_over_within_the_same_read(
    db: Database, standin: StandIn, house_of: HouseOf, undisturbed: House, fault: str
) -> None:
    house = house_of(db, standin)
    match, kind, action = _PASSING[fault]
    standin.fault(match, kind, **action)
    ended = house.sync()
    assert standin.counters()["faultsFired"] > 0
    assert {one.status for one in ended.values()} == {Status.COMPLETE}
    assert not any(one.attempt for one in ended.values())
    assert house.clock.waited > 0
    _same(house, undisturbed)


_LASTING: dict[str, tuple[str, dict[str, Any], str]] = {
    "errors": ("status", {"status": 500}, "FreeAgent answered with an error (500)."),
    "HTML": ("html", {}, "FreeAgent answered with something that is no data"),
    "nothing": ("empty", {}, "FreeAgent answered with something that is no data"),
    "cut bodies": ("cut", {"afterBytes": 700}, "FreeAgent could not be reached, or its answer broke off."),
    "resets": ("reset", {}, "FreeAgent could not be reached, or its answer broke off."),
}


@pytest.mark.parametrize("fault", _LASTING)
def test_what_lasts_is_tried_again_later_and_said_while_the_others_go_on(
    db: Database, standin: StandIn, house_of: HouseOf, undisturbed: House, fault: str
) -> None:
    house = house_of(db, standin)
    kind, action, sentence = _LASTING[fault]
    standin.fault({"list": "bills"}, kind, **action)
    ended = house.sync()
    _others_are_complete(house, _OF_BILLS)
    for name in _OF_BILLS:
        dataset = ended[name]
        assert dataset.status is Status.QUEUED
        assert dataset.attempt == 1
        assert dataset.retry_at is not None
        assert (tried := ended["transfers"].completed) is not None  # in the same round
        assert timedelta(seconds=50) < dataset.retry_at - tried < timedelta(seconds=70)
        assert dataset.status_description is not None
        assert sentence in dataset.status_description
        assert f"{dataset.retry_at:%H:%M} UTC" in dataset.status_description
        assert dataset.error_message is None
    assert not house.raw()["bills"]
    # Not before its time, and by itself when it has come.
    calls = standin.counters()["requests"]
    house.run()
    assert standin.counters()["requests"] == calls
    standin.heal()
    house.clock.ahead += timedelta(minutes=2)
    house.run()
    assert set(house.statuses().values()) == {Status.COMPLETE}
    house.sync()  # what was mapped without bills meanwhile
    _same(house, undisturbed)


def test_what_never_passes_is_tried_ten_times_more_and_then_ends(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    standin.fault({"list": "price_list_items"}, "status", status=500)
    house.sync("items")
    waits: list[int] = []
    while (dataset := house.datasets()["items"]).status is Status.QUEUED:
        assert dataset.retry_at is not None
        waits.append(round((dataset.retry_at - house.clock.now()).total_seconds() / 60))
        house.clock.ahead = dataset.retry_at - HastyClock().now() + timedelta(seconds=1)
        house.run()
    assert len(waits) == 10
    for wait, expected in zip(waits, (1, 5, 15, 30, 60, 120, 120, 120, 120, 120), strict=True):
        assert expected * 0.85 - 1 <= wait <= expected * 1.15 + 1, waits
    assert dataset.status is Status.FETCH_ERROR
    assert dataset.error_message is not None
    assert "tried 11 times" in dataset.error_message
    assert dataset.completed is not None


def test_a_refresh_asked_for_while_a_type_waits_for_its_next_try_runs_at_once(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    standin.fault({"list": "price_list_items", "times": 4}, "status", status=500)
    first = house.sync("items")["items"]
    assert first.status is Status.QUEUED
    again = house.sync("items")["items"]
    assert again.id == first.id
    assert again.status is Status.COMPLETE


def test_where_nobody_waits_for_the_next_try_it_ends_at_once(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin, retries_slowly=False)
    standin.fault({"list": "bills"}, "status", status=500)
    ended = house.sync()
    _others_are_complete(house, _OF_BILLS)
    for name in _OF_BILLS:
        assert ended[name].status is Status.FETCH_ERROR
        assert "FreeAgent answered with an error (500)" in (ended[name].error_message or "")


def test_a_403_on_a_required_list_names_the_level_needed(
    db: Database, standin: StandIn, house_of: HouseOf, undisturbed: House
) -> None:
    house = house_of(db, standin)
    standin.fault({"list": "bills"}, "status", status=403)
    ended = house.sync()
    _others_are_complete(house, _OF_BILLS)
    for name in _OF_BILLS:
        assert ended[name].status is Status.PERMISSIONS_ERROR
        message = ended[name].error_message or ""
        assert "refuses bills" in message
        assert "access level 'Bills'" in message
        assert ended[name].retry_at is None
    # Optional there: served, with a warning that names it.
    assert any("Served without bills" in one.message for one in ended["billPayments"].warnings)
    standin.heal()
    house.sync()
    assert set(house.statuses().values()) == {Status.COMPLETE}
    _same(house, undisturbed)


def test_a_404_makes_its_types_not_supported_and_nothing_is_deleted(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.sync()
    before = unmoved(house.standard())["bills"]
    standin.reset()
    standin.fault({"list": "bills"}, "status", status=404)
    ended = house.sync()
    _others_are_complete(house, _OF_BILLS)
    assert {ended[name].status for name in _OF_BILLS} == {Status.NOT_SUPPORTED}
    assert "does not offer bills" in (ended["bills"].error_message or "")
    assert standin.calls("bills") == 1  # no retry
    assert unmoved(house.standard())["bills"] == before


def test_a_401_ends_the_connection_at_once_and_keeps_what_is_held(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.sync()
    before = house.standard()
    standin.reset()
    standin.fault({}, "status", status=401)
    ended = house.sync()
    assert {one.status for one in ended.values()} == {Status.AUTH_ERROR}
    assert all(one.error_message for one in ended.values())
    with db.read() as tx:
        connection = connections.get(tx, house.tenant, house.connection)
        told = [row.type for row in tx.execute(sa.select(EVENTS)) if row.type.startswith("connection.")]
    assert connection.status is ConnectionStatus.DEAUTHORIZED
    assert connection.errors
    assert told == ["connection.disconnected"]
    assert standin.counters()["requests"] <= 16  # those under way, never a loop
    assert house.standard() == before
    assert not house.is_syncing()


@pytest.mark.parametrize("retry_after", [2, None])
def test_a_429_is_waited_for_and_spends_no_try(
    db: Database, house_of: HouseOf, tmp_path_factory: pytest.TempPathFactory, standin: StandIn, retry_after: int | None
) -> None:
    house = house_of(db, standin, time_scale=600.0)  # up to an hour is waited for
    more = {} if retry_after is None else {"retryAfter": retry_after}
    standin.fault({"list": "bills", "times": 5}, "status", status=429, **more)
    standin.fault({"list": "invoices", "times": 1}, "status", status=429, **more)
    ended = house.sync()
    assert {one.status for one in ended.values()} == {Status.COMPLETE}
    assert not any(one.attempt for one in ended.values())
    assert house.raw() == standin.served()
    assert standin.counters()["tooManyRequests"] == 6


@pytest.mark.slow
def test_while_a_limit_is_waited_for_it_is_said_until_when(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin, time_scale=2.0)
    standin.fault({"list": "bills", "times": 1}, "status", status=429, retryAfter=6)
    house.ask("bills")
    reading = threading.Thread(target=house.run)

    reading.start()
    said: set[str | None] = set()
    while reading.is_alive():
        said.add(house.datasets()["bills"].status_description)
        reading.join(0.05)

    sentences = {one for one in said if one is not None}
    assert sentences  # more than one where the machine was busy and the limit's end is known better later
    for sentence in sentences:
        assert re.fullmatch(r"FreeAgent's limit of calls is reached. Reading goes on at \d\d:\d\d:\d\d UTC.", sentence)
    assert house.datasets()["bills"].status is Status.COMPLETE
    assert house.datasets()["bills"].status_description is None


def test_freeagent_down_and_back(db: Database, standin: StandIn, house_of: HouseOf, undisturbed: House) -> None:
    house = house_of(db, standin)
    standin.stop()
    ended = house.sync()
    for dataset in ended.values():
        assert dataset.status is Status.QUEUED
        assert "could not be reached" in (dataset.status_description or "")
    standin.start()
    house.clock.ahead += timedelta(minutes=2)
    house.run()
    assert set(house.statuses().values()) == {Status.COMPLETE}
    _same(house, undisturbed)


def test_freeagent_going_down_in_mid_read_loses_nothing(
    db: Database, standin: StandIn, house_of: HouseOf, undisturbed: House
) -> None:
    house = house_of(db, standin, workers=2)

    def down(resource: str, number: int) -> None:
        if resource == "bills" and standin.process.poll() is None:
            standin.stop()

    house.before_page = down
    ended = house.sync()
    assert Status.QUEUED in {one.status for one in ended.values()}
    house.before_page = lambda *_: None
    standin.start()
    house.clock.ahead += timedelta(minutes=2)
    house.run()
    assert set(house.statuses().values()) == {Status.COMPLETE}
    house.sync()
    _same(house, undisturbed)


_UNREADABLE: dict[str, dict[str, Any]] = {
    "no address": {"drop": ["url"]},
    "a number for a date": {"set": {"dated_on": 20260101}},
    "a list for a record": {"replace": ["nonsense"]},
    "a word for an amount": {"set": {"total_value": "plenty"}},
}


@pytest.mark.parametrize("how", _UNREADABLE)
def test_an_unreadable_record_is_set_aside_with_its_reason_and_its_neighbours_go_on(
    db: Database, standin: StandIn, house_of: HouseOf, undisturbed: House, how: str
) -> None:
    house = house_of(db, standin)
    whole = undisturbed.standard()["bills"]
    victim = next(iter(whole))
    standin.fault({"list": "bills"}, "patch", record=victim, **_UNREADABLE[how])
    ended = house.sync()
    assert {one.status for one in ended.values()} == {Status.COMPLETE}
    assert unmoved(house.standard())["bills"].keys() == whole.keys() - {victim}
    reasons = [one.message for one in ended["bills"].warnings]
    assert any("set aside" in reason.lower() for reason in reasons), reasons
    assert ended["bills"].records_set_aside or any("1 records of bills" in reason for reason in reasons)
    standin.heal()
    ended = house.sync()
    assert not ended["bills"].records_set_aside
    assert not any("set aside" in one.message.lower() for one in ended["bills"].warnings)
    _same(house, undisturbed)


def test_a_record_that_turned_unreadable_keeps_what_was_served_of_it(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.sync()
    before = house.standard()["bills"]
    victim = next(iter(before))
    for unreadable in ({"set": {"dated_on": 20260101}}, {"drop": ["url"]}):
        standin.heal()
        standin.fault({"list": "bills"}, "patch", record=victim, **unreadable)
        ended = house.sync("bills")["bills"]
        assert ended.status is Status.COMPLETE
        assert house.standard()["bills"][victim] == before[victim], unreadable

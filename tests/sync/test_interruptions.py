"""What people do while books are read: ask again, unlink, delete, stop. The end is tidy and nothing is half done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.sync.conftest import HouseOf
from tests.sync.house import House, unmoved
from tests.sync.standin import StandIn

from comptoir.errors import Conflict, NotFound
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.jobs import Outdated, Stopped
from comptoir.link import lifecycle
from comptoir.store import Database, connections, datasets, open_database
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status


def _when_bills_come(house: House, act: Callable[[], object]) -> None:
    def before(resource: str, number: int) -> None:
        if resource == "bills":
            house.before_page = lambda *_: None
            act()

    house.before_page = before


def test_a_type_asked_for_while_another_is_read_joins_in(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    _when_bills_come(house, lambda: house.ask("items"))
    ended = house.sync("bills")
    assert {name: one.status for name, one in ended.items()} == {"bills": Status.COMPLETE, "items": Status.COMPLETE}


def test_a_type_that_is_being_read_is_refused_and_all_others_pass_it_over(
    database: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(database, standin)
    refused: list[str] = []

    def ask() -> None:
        with pytest.raises(Conflict, match="DatasetAlreadyInProgressException") as told:
            house.ask("bills")
        refused.append(told.value.message)
        assert "bills" not in {one.data_type for one in house.ask()}

    _when_bills_come(house, ask)
    ended = house.sync("bills")
    assert refused
    assert {one.status for one in ended.values()} == {Status.COMPLETE}
    assert ended.keys() == {one.name for one in FREEAGENT.data_types}


def test_unlinking_during_a_read_cancels_it_and_keeps_what_is_held(
    database: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(database, standin)
    house.sync()
    before = house.standard()
    standin.mutate("add", "bills")

    def unlink() -> None:
        with database.write() as tx:
            lifecycle.unlink(tx, house.tenant, house.connection, house.clock.now())

    _when_bills_come(house, unlink)
    ended = house.sync()
    assert {one.status for one in ended.values()} == {Status.CANCELLED}
    assert {one.error_message for one in ended.values()} == {"The connection was unlinked."}
    assert house.standard() == before
    assert not house.is_syncing()
    with pytest.raises(Conflict, match="no linked connection"):
        house.ask()
    with database.write() as tx:
        connections.set_status(tx, house.tenant, house.connection, ConnectionStatus.LINKED, house.clock.now())
    house.sync()
    assert set(house.statuses().values()) == {Status.COMPLETE}
    assert house.raw() == standin.served()


def test_deleting_the_connection_during_a_read_ends_it_quietly(
    database: Database, standin: StandIn, house_of: HouseOf, caplog: pytest.LogCaptureFixture
) -> None:
    house = house_of(database, standin)

    def delete() -> None:
        with database.write() as tx:
            lifecycle.delete(tx, house.tenant, house.connection, house.clock.now())

    _when_bills_come(house, delete)
    house.ask()
    house.engine.run(house.tenant, house.connection, lambda _, work: work())
    with database.read() as tx, pytest.raises(NotFound):
        connections.get(tx, house.tenant, house.connection)
    assert not any(one for one in house.standard().values())
    assert not house.raw()["contacts"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_read_that_was_stopped_goes_on_from_the_page_it_was_at(
    database: Database, standin: StandIn, house_of: HouseOf, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = open_database(f"sqlite:///{tmp_path_factory.mktemp('undisturbed') / 'comptoir.db'}")
    undisturbed = house_of(other, standin)
    undisturbed.sync()
    whole = standin.counters()["byStatus"]["200"]
    standin.reset()
    house = house_of(database, standin, workers=2)

    def stop() -> None:
        house.is_stopping = True

    _when_bills_come(house, stop)
    house.ask()
    with pytest.raises(Stopped):
        house.run()
    assert 0 < standin.counters()["byStatus"]["200"] < whole
    assert Status.FETCHING in house.statuses().values()
    house.is_stopping = False
    ended = house.run()
    assert {one.status for one in ended.values()} == {Status.COMPLETE}
    assert standin.counters()["byStatus"]["200"] == whole  # no page twice
    assert house.raw() == undisturbed.raw()
    assert unmoved(house.standard()) == unmoved(undisturbed.standard())
    other.close()


def test_a_bug_of_ours_ends_what_was_under_way_and_a_refresh_works_again(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)

    def break_() -> None:
        raise ZeroDivisionError("planted")

    _when_bills_come(house, break_)
    house.ask()
    with pytest.raises(ZeroDivisionError):
        house.run()
    ended = house.datasets()
    served = {name for name, one in ended.items() if one.status is Status.COMPLETE}  # before bills are read
    assert {one.status for name, one in ended.items() if name not in served} == {Status.INTERNAL_ERROR}
    assert "bills" not in served
    assert all("went wrong" in (one.error_message or "") for name, one in ended.items() if name not in served)
    assert not house.is_syncing()
    house.sync()
    assert set(house.statuses().values()) == {Status.COMPLETE}
    assert house.raw() == standin.served()


def test_a_read_whose_steps_another_version_recorded_is_begun_anew_and_fails_nothing(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.ask()

    def recorded(name: str, work: Callable[[], Any]) -> Any:
        return {"pages": 12} if name == "read 1" else work()

    with pytest.raises(Outdated):
        house.engine.run(house.tenant, house.connection, recorded)
    before = house.statuses()
    house.run()

    assert not any(status.is_ended for status in before.values())
    assert set(house.statuses().values()) == {Status.COMPLETE}
    assert house.raw() == standin.served()


def test_a_result_of_our_own_that_cannot_be_read_is_a_bug_and_not_begun_anew_for_ever(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.ask()

    def garbled(name: str, work: Callable[[], Any]) -> Any:
        done = work()
        return {"pages": 12} if name == "read 1" else done

    with pytest.raises(msgspec.ValidationError):
        house.engine.run(house.tenant, house.connection, garbled)
    assert Status.INTERNAL_ERROR in house.statuses().values()
    assert not house.is_syncing()


def test_what_waits_over_a_connection_no_longer_linked_is_cancelled(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.ask("items")
    with db.write() as tx:
        connections.set_status(tx, house.tenant, house.connection, ConnectionStatus.UNLINKED, house.clock.now())
    assert house.run()["items"].status is Status.CANCELLED
    assert standin.counters()["requests"] == 0
    with db.read() as tx:
        assert not datasets.all_waiting(tx, house.clock.now())

"""Holds and limits: what may not be asked of an upstream is not asked, and goes on from where it was."""

from __future__ import annotations

from datetime import timedelta

from tests.sync.conftest import HouseOf
from tests.sync.standin import StandIn

from comptoir.store import Database, TenantId, connections, holds
from comptoir.store.datasets import Status
from comptoir.sync import Scheduler


def calls(standin: StandIn) -> int:
    return int(standin.told("GET", "counters")["requests"])


def test_a_hold_in_mid_read_stops_calls_at_once_and_the_read_goes_on_from_there(
    database: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(database, standin, workers=1)
    whose: TenantId | None = None if database.dialect == "sqlite" else house.tenant
    read: list[tuple[str, int]] = []

    def lay(resource: str, number: int) -> None:
        read.append((resource, number))
        if len(read) == 3:
            with database.write() as tx:
                holds.put(tx, whose, by="Ann", why="asked", now=house.clock.now())

    house_of(database, standin, workers=1).sync("invoices", "bills")
    undisturbed = calls(standin)
    house.after_page = lay
    house.sync("invoices", "bills")
    held_up, so_far = house.datasets(), calls(standin)
    house.run()
    assert calls(standin) == so_far
    assert {one.status for one in held_up.values()} == {Status.QUEUED}
    assert all("on hold since" in (one.status_description or "") for one in held_up.values())

    with database.write() as tx:
        assert holds.lift(tx, whose)
    ended = house.run()

    assert {one.status for one in ended.values()} == {Status.COMPLETE}
    assert {one.status_description for one in ended.values()} == {None}
    assert calls(standin) - undisturbed == undisturbed  # no page was read twice


def test_a_hold_of_another_tenant_holds_up_nobody_else(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house, other = house_of(db, standin), house_of(db, standin)
    with db.write() as tx:
        holds.put(tx, other.tenant, by="Ann", why="asked", now=house.clock.now())

    assert house.sync("customers")["customers"].status is Status.COMPLETE
    assert other.sync("customers")["customers"].status is Status.QUEUED


def test_what_is_not_allowed_is_not_read_and_says_so(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    house.sync("customers", "invoices")
    house.ask("bills")  # before it is forbidden
    with db.write() as tx:
        connections.set_limits(tx, house.tenant, house.connection, is_read_only=True, allowed_types=("customers",))
    read: list[str] = []
    house.after_page = lambda resource, _: read.append(resource)

    ended = house.sync("invoices")
    house.sync()

    assert set(read) == {"company", "contacts"}
    for name in ("invoices", "bills"):
        assert ended[name].status is Status.PERMISSIONS_ERROR
        assert ended[name].error_message == (
            f"The data type {name} may not be read over this connection. An operator allows it on the connection's page."
        )
    assert house.standard()["invoices"]
    assert house.statuses()["customers"] is Status.COMPLETE


def test_schedules_ask_for_what_is_allowed_alone(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    with db.write() as tx:
        connections.set_limits(tx, house.tenant, house.connection, is_read_only=False, allowed_types=("customers",))
    house.clock.ahead = timedelta(days=40)

    Scheduler(db, house.clock, lambda _: house.client.integration, lambda *_: None).turn()

    assert set(house.datasets()) == {"customers"}

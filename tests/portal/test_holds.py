"""The hold on everything, and what a connection permits, on their pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.portal.conftest import Browser, House
from tests.portal.pages import PLATFORM

from comptoir.errors import OnHold
from comptoir.store import companies, connections, holds
from comptoir.store.connections import Connection, ConnectionStatus

PAGE = "/settings/organisation"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def connected(house: House) -> Connection:
    with house.application.db.write() as tx:
        company = companies.add(tx, house.tenant, name="Kestrel", created_by=None, now=NOW)
        added = connections.add(tx, house.tenant, company.id, "fbrh", NOW)
        return connections.set_status(tx, house.tenant, added.id, ConnectionStatus.LINKED, NOW)


def address(of: Connection) -> str:
    return f"/companies/{of.company_id}/connections/{of.id}"


def stored(house: House, of: Connection) -> Connection:
    with house.application.db.read() as tx:
        return connections.get(tx, house.tenant, of.id)


def test_everything_is_put_on_hold_every_page_says_so_and_it_is_lifted_again(house: House, operator: Browser) -> None:
    held = operator.follow(operator.post("/settings/hold", {"hold": "yes"}))
    elsewhere = operator.get("/companies")
    with pytest.raises(OnHold, match=f"{house.email} asked for it"):
        holds.refuse(house.application.db, house.tenant)
    lifted = operator.follow(operator.post("/settings/hold", {"hold": "no"}))

    assert "Everything is on hold. Nothing more is asked of any integration." in held.words
    assert f"{house.email} asked for it. It goes on when the hold is lifted." in elsewhere.words
    assert "The hold is lifted. What waited is read now." in lifted.words
    assert "on hold since" not in lifted.words
    assert holds.of(house.application.db, house.tenant) is None


def test_a_hold_of_the_whole_installation_is_shown_and_cannot_be_lifted_on_the_page(
    house: House, operator: Browser
) -> None:
    with house.application.db.write() as tx:
        holds.put(tx, None, by="comptoir hold", why="asked", now=NOW)
    try:
        shown = operator.get(PAGE)
        operator.post("/settings/hold", {"hold": "no"})
        still = operator.get(PAGE)
    finally:
        with house.application.db.write() as tx:
            holds.lift(tx, None)

    for one in (shown, still):
        assert "since 2026-03-01 12:00 UTC: whoever runs this installation asked for it." in one.words
        assert "Lift the hold" not in one.words


def test_after_a_restore_the_page_says_what_to_look_at_before_going_on(house: House, operator: Browser) -> None:
    with house.application.db.write() as tx:
        holds.put(tx, house.tenant, by="comptoir restore", why="restored", now=NOW)

    shown = operator.get(PAGE)

    assert "because this system was restored from a backup" in shown.words
    assert "First make sure that no other copy of this system is running" in shown.words


def test_a_hold_is_told_in_french(house: House) -> None:
    with house.application.db.write() as tx:
        holds.put(tx, house.tenant, by="Ann", why="asked", now=NOW)

    shown = house.operator("fr").get("/companies")

    assert "Tout est suspendu depuis le 2026-03-01 12:00 UTC, à la demande de Ann." in shown.words


def test_what_a_connection_permits_is_saved_and_shown(house: House, operator: Browser) -> None:
    connection = connected(house)
    page = address(connection)

    said = operator.follow(operator.post(f"{page}/limits", {"read-only": "yes", "may-invoices": "yes"}))

    assert "What may be done over the connection to FreeAgent is saved." in said.words
    assert (stored(house, connection).is_read_only, stored(house, connection).allowed_types) == (True, ("invoices",))
    assert said.html.count(" checked") == 2
    operator.follow(operator.post(f"{page}/limits", {}))
    assert (stored(house, connection).is_read_only, stored(house, connection).allowed_types) == (False, ())
    every = {f"may-{one.name}": "yes" for one in PLATFORM.data_types}
    operator.follow(operator.post(f"{page}/limits", every))
    assert stored(house, connection).allowed_types is None
    assert "Not allowed" not in operator.get(f"/companies/{connection.company_id}").words


def test_limits_of_another_tenants_connection_cannot_be_set(house: House, operator: Browser) -> None:
    other = House(house.application, house.client)
    connection = connected(other)

    answer = operator.post(f"{address(connection)}/limits", {"read-only": "yes"})

    assert answer.status == 404
    assert not stored(other, connection).is_read_only

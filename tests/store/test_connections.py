"""Connections: the states they may go through, whose books they open, and what went wrong."""

from __future__ import annotations

import itertools
import threading

import pytest
from tests.store.house import LATER, NOON, House

from comptoir.errors import Conflict, NotFound
from comptoir.store import CompanyId, connections
from comptoir.store.connections import Connection, ConnectionStatus

PENDING, LINKED, UNLINKED, DEAUTHORIZED = ConnectionStatus
WAYS = {
    PENDING: (), LINKED: (LINKED,), UNLINKED: (LINKED, UNLINKED), DEAUTHORIZED: (LINKED, DEAUTHORIZED),
}  # fmt: skip
ALLOWED = {(PENDING, LINKED), (LINKED, UNLINKED), (LINKED, DEAUTHORIZED), (UNLINKED, LINKED), (DEAUTHORIZED, LINKED)}


def at(house: House, status: ConnectionStatus) -> Connection:
    with house.db.write() as tx:
        found = connections.add(tx, house.tenant, house.company, "fbrh", LATER)
        for step in WAYS[status]:
            found = connections.set_status(tx, house.tenant, found.id, step, NOON)
    return found


def test_states_change_only_as_the_contract_says(house: House) -> None:
    for start, goal in itertools.product(ConnectionStatus, ConnectionStatus):
        found = at(house, start)
        assert found.status is start
        if (start, goal) in ALLOWED:
            with house.db.write() as tx:
                changed = connections.set_status(tx, house.tenant, found.id, goal, LATER)
            assert changed.status is goal
            assert changed.linked_at == (LATER if goal is LINKED else found.linked_at)
            continue
        with (
            pytest.raises(Conflict, match=f"A connection that is {start} cannot become {goal}"),
            house.db.write() as tx,
        ):
            connections.set_status(tx, house.tenant, found.id, goal, LATER)


def test_two_that_end_a_connection_at_once_do_not_both_succeed(house: House) -> None:
    found = at(house, LINKED)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def end(status: ConnectionStatus) -> None:
        start.wait()
        try:
            with house.db.write() as tx:
                connections.set_status(tx, house.tenant, found.id, status, LATER)
            outcomes.append(status)
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=end, args=(status,)) for status in (UNLINKED, DEAUTHORIZED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("refused") == 1
    with house.db.read() as tx:
        assert connections.get(tx, house.tenant, found.id).status in outcomes


def test_whose_books_these_are_is_kept_and_found(house: House, stranger: House) -> None:
    second = at(house, PENDING)
    with house.db.write() as tx:
        for one in (house.connection, second.id):
            connections.set_identity(
                tx, house.tenant, one, company_id="acme:1", company_name="Ácme\x00", level=6, name="Banking"
            )
        connections.set_last_sync(tx, house.tenant, house.connection, LATER)

        found = connections.of_source(tx, house.tenant, "fbrh", "acme:1")
        assert found is not None
        assert (found.id, found.source_company_name, found.access_level, found.access_name) == (
            house.connection,
            "Ácme\x00",
            6,
            "Banking",
        )
        assert found.last_sync == LATER
        assert connections.of_source(tx, house.tenant, "fbrh", "acme:2") is None
        assert connections.of_source(tx, house.tenant, "other", "acme:1") is None
        assert connections.of_source(tx, stranger.tenant, "fbrh", "acme:1") is None


def test_errors_are_kept_resolved_and_bounded(house: House) -> None:
    with house.db.write() as tx:
        for n in range(60):
            connections.record_error(
                tx,
                house.tenant,
                house.connection,
                status_code=403,
                status_text="Forbidden",
                message=f"User cancelled {n}",
                now=NOON,
            )
        connections.resolve_errors(tx, house.tenant, house.connection, LATER)
        connections.record_error(
            tx, house.tenant, house.connection, status_code=500, status_text="x", message="again", now=LATER
        )

        errors = connections.get(tx, house.tenant, house.connection).errors

    assert len(errors) == 50
    assert errors[-2].error_message == "User cancelled 59"
    assert (errors[-2].status, errors[-2].resolved_on_utc, errors[-2].status_code) == ("Resolved", LATER, "403")
    assert (errors[-1].status, errors[-1].resolved_on_utc) == ("Active", None)


def test_connections_of_companies_are_told_apart(house: House, stranger: House) -> None:
    other = house.another_company()
    second = at(house, UNLINKED)
    with house.db.read() as tx:
        assert {one.id for one in connections.of_company(tx, house.tenant, house.company)} == {
            house.connection,
            second.id,
        }
        grouped = connections.of_companies(
            tx, house.tenant, [house.company, other.company, CompanyId("nosuch"), stranger.company]
        )
        assert {company: len(found) for company, found in grouped.items()} == {
            house.company: 2, other.company: 1, "nosuch": 0, stranger.company: 0,
        }  # fmt: skip
        assert connections.of_companies(tx, house.tenant, []) == {}
        linked = connections.linked_of_company(tx, house.tenant, house.company)
        assert linked is not None
        assert linked.id == house.connection
        assert connections.linked_of_company(tx, house.tenant, other.company) is None
        assert {one.id for one in connections.all_linked(tx)} == {house.connection, stranger.connection}


def test_another_tenants_connection_is_unknown_everywhere(house: House, stranger: House) -> None:
    for connection in (house.connection, "nosuch", "", "a\x00b"):
        with stranger.db.write() as tx:
            for attempt in (
                lambda tx, id_: connections.get(tx, stranger.tenant, id_),
                lambda tx, id_: connections.delete(tx, stranger.tenant, id_),
                lambda tx, id_: connections.set_status(tx, stranger.tenant, id_, UNLINKED, LATER),
                lambda tx, id_: connections.record_error(
                    tx, stranger.tenant, id_, status_code=1, status_text="", message="", now=LATER
                ),
                lambda tx, id_: connections.resolve_errors(tx, stranger.tenant, id_, LATER),
            ):
                with pytest.raises(NotFound, match=f"^Data connection {connection} not found$"):
                    attempt(tx, connection)
            connections.set_last_sync(tx, stranger.tenant, connection, LATER)
            connections.set_identity(
                tx, stranger.tenant, connection, company_id="x", company_name="x", level=1, name="x"
            )
    with house.db.write() as tx:
        with pytest.raises(NotFound, match="No company was found with ID"):
            connections.add(tx, stranger.tenant, house.company, "fbrh", NOON)
        with pytest.raises(NotFound, match="Data connection"):
            connections.get(tx, house.tenant, house.connection, company=stranger.company)
        assert connections.get(tx, house.tenant, house.connection, company=house.company).last_sync is None
        assert connections.of_company(tx, stranger.tenant, house.company) == []
        assert connections.list_page(tx, stranger.tenant, house.company).total == 0
        assert connections.linked_of_company(tx, stranger.tenant, house.company) is None


def test_a_link_page_finds_a_connection_by_its_id_alone(house: House) -> None:
    with house.db.read() as tx:
        found = connections.find(tx, house.connection)
        assert found is not None
        assert found.tenant_id == house.tenant
        assert connections.find(tx, "nosuch") is None

"""When a raw record was first and last met, and how it stood in between."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.store.house import LATER, NOON, House, an_invoice, arrived, prepared

from comptoir.store import SyncId, originals, raw, records, syncs
from comptoir.store.originals import Original, Version
from comptoir.store.syncs import ResourceRead

SECOND, THIRD, FOURTH = (LATER + timedelta(hours=hours) for hours in (1, 2, 3))


def _read(house: House, at: datetime, *, seen: bool = True) -> None:
    read = ResourceRead(
        resource="invoices",
        sync_id=SyncId("a sync"),
        outcome="complete" if seen else "later",
        message=None,
        level_needed=None,
        set_aside=0,
        deleted=0,
        read_at=at,
        seen_at=at if seen else None,
    )
    with house.db.write() as tx:
        syncs.read_ended(tx, house.tenant, house.connection, read)


def _delete(house: House, id_: str, at: datetime) -> None:
    with house.db.write() as tx:
        raw.mark_deleted(tx, house.tenant, house.connection, "invoices", [id_], at)


def _original(house: House, id_: str) -> Original:
    with house.db.read() as tx:
        found = originals.get(tx, house.tenant, house.connection, "invoices", id_)
    assert found is not None
    return found


def test_a_live_record_was_last_seen_by_the_last_read_that_met_all(house: House) -> None:
    house.arrive("invoices", arrived("1"))
    assert _original(house, "1").last_seen == NOON

    _read(house, LATER)
    _read(house, SECOND, seen=False)
    assert _original(house, "1").last_seen == LATER

    house.arrive("invoices", arrived("1", b"2"), now=THIRD)
    found = _original(house, "1")
    assert (found.first_seen, found.changed_at, found.last_seen, found.deleted_at) == (NOON, THIRD, THIRD, None)


def test_a_deleted_record_was_last_seen_by_the_read_before(house: House) -> None:
    house.arrive("invoices", arrived("1"), arrived("2"))
    _read(house, LATER)
    house.arrive("invoices", arrived("2", b"2"), now=SECOND)
    for id_ in ("1", "2"):
        _delete(house, id_, THIRD)
    _read(house, FOURTH)

    assert (_original(house, "1").last_seen, _original(house, "1").deleted_at) == (LATER, THIRD)
    assert _original(house, "2").last_seen == SECOND


def test_a_record_that_came_back_did_not_stand_in_between(house: House) -> None:
    house.arrive("invoices", arrived("1", b"1"))
    _delete(house, "1", LATER)
    house.arrive("invoices", arrived("1", b"1"), now=SECOND)
    with house.db.read() as tx:
        found = originals.versions(tx, house.tenant, house.connection, "invoices", "1")

    assert found == (Version(b"1", NOON, LATER), Version(b"1", SECOND, None))
    assert (_original(house, "1").first_seen, _original(house, "1").deleted_at) == (NOON, None)


@pytest.mark.parametrize(("page", "ids"), [(1, ["1", "2"]), (2, ["3"]), (3, [])])
def test_records_are_listed_with_deleted_ones(house: House, stranger: House, page: int, ids: list[str]) -> None:
    house.arrive("invoices", *map(arrived, "123"))
    stranger.arrive("invoices", arrived("4"))
    _delete(house, "2", LATER)
    with house.db.read() as tx:
        found = originals.list_page(tx, house.tenant, house.connection, "invoices", page=page, page_size=2)
        theirs = originals.list_page(tx, house.tenant, stranger.connection, "invoices")

    assert (found.total, [one.id for one in found.rows]) == (3, ids)
    assert theirs.total == 0


def test_a_record_tells_what_it_was_made_from(house: House, stranger: House) -> None:
    rows = [prepared("invoices", an_invoice(id_), source=("bills", f"b{id_}")) for id_ in ("1", "2")]
    with house.db.write() as tx:
        owner = (house.tenant, house.company, house.connection, "invoices")
        records.put(tx, *owner, rows, NOON, version="v7")
        records.delete(tx, *owner, ["2"], LATER)
        both = originals.made_all(tx, *owner, ["1", "2", "nosuch"])
        one = originals.made(tx, house.tenant, house.company, "invoices", "1")
        theirs = originals.made(tx, stranger.tenant, house.company, "invoices", "1")

    assert one == both["1"]
    assert one is not None
    assert (one.connection_id, one.resource, one.source_id, one.mapping_version) == (
        house.connection,
        "bills",
        "b1",
        "v7",
    )
    assert one.document == rows[0].document
    assert {id_: made.is_deleted for id_, made in both.items()} == {"1": False, "2": True}
    assert theirs is None

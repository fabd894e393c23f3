"""What a sync changed is noted: once a record, in both layers, and forgotten after its time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.store.house import LATER, NOON, House, an_invoice, arrived, prepared

from comptoir.store import SyncId, history, raw, records, syncs
from comptoir.store.history import Change, Counted, Layer, Log

SOURCE, STANDARD = Layer.SOURCE, Layer.STANDARD
NEW, CHANGED, DELETED = Change.NEW, Change.CHANGED, Change.DELETED


def _log(house: House, at: timedelta = timedelta()) -> Log:
    """The log of a sync that has ended."""
    with house.db.write() as tx:
        sync = syncs.begin(tx, house.tenant, house.connection, NOON + at)
        syncs.end(tx, house.tenant, sync.id, calls=1, checks=None, now=NOON + at)
    return Log(house.tenant, house.connection, sync.id)


def _noted(house: House, sync: SyncId, layer: Layer, name: str = "invoices") -> dict[str, Change]:
    with house.db.read() as tx:
        return history.of(tx, house.tenant, house.connection, sync, layer, name)


def _note(house: House, log: Log, change: Change, *ids: str) -> None:
    with house.db.write() as tx:
        log.note(tx, SOURCE, "invoices", change, ids)


def test_what_raw_records_did_is_noted(house: House) -> None:
    log, owner = _log(house), (house.tenant, house.connection, "invoices")
    house.arrive("invoices", arrived("1"), arrived("2"), arrived("3"))
    with house.db.write() as tx:
        raw.put(tx, *owner, [arrived("1"), arrived("2", b"2"), arrived("4")], LATER, log=log)
        raw.mark_deleted(tx, *owner, ["3", "nosuch"], LATER, log)

    assert _noted(house, log.sync, SOURCE) == {"2": CHANGED, "3": DELETED, "4": NEW}
    assert _noted(house, log.sync, STANDARD) == {}


def test_what_standard_records_did_is_noted(house: House) -> None:
    log, owner = _log(house), (house.tenant, house.company, house.connection, "invoices")
    house.put("invoices", an_invoice("1"), an_invoice("2"), an_invoice("3"), an_invoice("5"))
    rows = [prepared("invoices", one) for one in (an_invoice("1"), an_invoice("2", note="x"), an_invoice("4"))]
    with house.db.write() as tx:
        records.put(tx, *owner, rows, LATER, log=log)
        records.delete(tx, *owner, ["3", "nosuch"], LATER, log)
        records.mark_absent(tx, *owner, "invoices", ["5"], set(), LATER, log)

    assert _noted(house, log.sync, STANDARD) == {"2": CHANGED, "3": DELETED, "4": NEW, "5": DELETED}


def test_a_record_is_told_once_by_what_became_of_it(house: House) -> None:
    log = _log(house)
    for change in (NEW, CHANGED):
        _note(house, log, change, "came")
    for change in (CHANGED, DELETED):
        _note(house, log, change, "went")
    for change in (NEW, DELETED):
        _note(house, log, change, "came and went")
    for change in (DELETED, CHANGED):
        _note(house, log, change, "went and came")

    assert _noted(house, log.sync, SOURCE) == {"came": NEW, "went": DELETED, "went and came": CHANGED}


def test_only_so_many_are_listed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_LISTED", 3)
    log = _log(house)
    _note(house, log, NEW, "1", "2")
    _note(house, log, NEW, "3", "4")
    _note(house, log, DELETED, "1", "5")

    assert _noted(house, log.sync, SOURCE) == {"2": NEW, "3": NEW}


def test_changes_are_counted_and_listed_by_sync(house: House, stranger: House) -> None:
    first, second, other = _log(house), _log(house), _log(stranger)
    _note(house, first, NEW, *"abc")
    _note(house, first, DELETED, "d")
    _note(house, second, CHANGED, "a")
    _note(stranger, other, NEW, "a")
    with house.db.read() as tx:
        owner = (house.tenant, house.connection)
        found = history.counted(tx, *owner, [first.sync, second.sync, other.sync], SOURCE)
        page = history.list_page(tx, *owner, first.sync, SOURCE, page=2, page_size=3)
        theirs = history.list_page(tx, house.tenant, stranger.connection, other.sync, SOURCE)

    assert found == {
        first.sync: {"invoices": Counted(new=3, deleted=1)},
        second.sync: {"invoices": Counted(changed=1)},
    }
    assert (page.total, [one.id for one in page.rows]) == (4, ["d"])
    assert (theirs.total, theirs.rows) == (0, [])


def test_what_old_syncs_changed_is_forgotten(house: House, stranger: House) -> None:
    old, fresh, other = _log(house), _log(house, timedelta(days=1)), _log(stranger)
    for mine, log in ((house, old), (house, fresh), (stranger, other)):
        _note(mine, log, NEW, "1")
    with house.db.write() as tx:
        history.purge(tx, house.tenant, house.connection, NOON + history.KEPT + timedelta(hours=1))

    assert _noted(house, old.sync, SOURCE) == {}
    assert _noted(house, fresh.sync, SOURCE) == {"1": NEW}
    assert _noted(stranger, other.sync, SOURCE) == {"1": NEW}

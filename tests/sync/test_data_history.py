"""The data history: what people changed between two reads, exactly that, and what it cost to find out."""

from __future__ import annotations

import pytest
from tests.sync.conftest import HouseOf
from tests.sync.house import House, document
from tests.sync.standin import StandIn

from comptoir.jobs import Stopped
from comptoir.store import Database
from comptoir.sync import diary, fetch, map
from comptoir.sync.diary import Told

WORKED_OUT = {"chartOfAccounts", "journalEntries", "profitAndLoss", "balanceSheet", "cashFlowStatement"}
DIRECT_TYPES = ("bills", "customers", "suppliers", "invoices")


def _newest(house: House) -> Told:
    with house.db.read() as tx:
        told: Told = diary.page(tx, house.tenant, house.connection, 1, 1).rows[0]
    return told


def _touched(house: House, *, is_direct: bool) -> set[tuple[str, str, str]]:
    """Data type, id and change of what the newest sync touched."""
    sync = _newest(house).sync.id
    with house.db.read() as tx:
        page = diary.touched(tx, house.tenant, house.company, house.connection, sync, size=1000)
    return {(one.data_type, one.id, one.change.value) for one in page.rows if one.is_direct is is_direct}


def _people_at_work(house: House, standin: StandIn) -> set[tuple[str, str, str]]:
    """Somebody deletes an invoice, edits a paid bill and adds a contact; what is to be told of it."""
    held = house.standard()
    invoices = {id_: document(row) for id_, row in held["invoices"].items()}
    bills = {id_: document(row) for id_, row in held["bills"].items()}
    # One that nothing was paid of yet: deleting a payment with it would rightly be told too.
    unpaid = (id_ for id_, one in invoices.items() if one["status"] == "Submitted" and not one["paymentAllocations"])
    invoice, bill = next(unpaid), next(id_ for id_, one in bills.items() if one["status"] == "Paid")
    standin.mutate("delete", "invoices", invoice)
    standin.mutate("change", "bills", bill, set={"comments": "Delivered"})
    contact = str(standin.mutate("add", "contacts", set={"organisation_name": "Wren Ltd"})["id"])
    return {
        ("invoices", invoice, "deleted"),
        ("bills", bill, "changed"),
        ("customers", contact, "new"),
        ("suppliers", contact, "new"),
    }


def test_three_edits_are_told_as_three_and_with_the_calls_they_took(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.sync()
    expected = _people_at_work(house, standin)
    standin.reset()
    house.sync()

    assert _touched(house, is_direct=True) == expected
    assert {name for name, _, _ in _touched(house, is_direct=False)} <= WORKED_OUT
    assert _newest(house).sync.calls == standin.counters()["requests"]

    house.sync()
    assert _touched(house, is_direct=True) == _touched(house, is_direct=False) == set()


@pytest.mark.slow
@pytest.mark.parametrize("place", ["fetch.committed", "map.batch"])
def test_a_run_that_was_cut_off_tells_the_same(
    db: Database, standin: StandIn, house_of: HouseOf, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    house = house_of(db, standin)
    house.sync()
    expected = _people_at_work(house, standin)
    struck: list[str] = []

    def strike(name: str) -> None:
        if name == place and not struck:
            struck.append(name)
            raise Stopped

    monkeypatch.setattr(fetch, "failpoint", strike)
    monkeypatch.setattr(map, "failpoint", strike)
    house.ask()
    with pytest.raises(Stopped):
        house.run()
    ended = house.run()

    assert _touched(house, is_direct=True) == expected
    counts = {name: (one.records_new, one.records_changed, one.records_deleted) for name, one in ended.items()}
    assert [counts[name] for name in DIRECT_TYPES] == [(0, 1, 0), (1, 0, 0), (1, 0, 0), (0, 0, 1)]

"""All books, read whole: what is held is what the world holds, and a second read tells exactly what changed."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal

import pytest
import sqlalchemy as sa
from tests.sync.conftest import HouseOf
from tests.sync.house import document
from tests.sync.standin import StandIn

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database, datasets, syncs
from comptoir.store.datasets import Status
from comptoir.store.tables import EVENTS
from comptoir.sync import fetch
from comptoir.sync.progress import Mapped, Reading


def test_what_is_held_is_what_the_world_holds(database: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(database, standin)
    house.sync()
    held = house.raw()
    assert held == standin.served()
    counts = standin.counts()
    assert {name: len(held[name]) for name in counts if name in held} == {
        name: count for name, count in counts.items() if name in held
    }
    served = {name: len(rows) for name, rows in house.standard().items()}
    contacts = counts["contacts"]
    assert served["customers"] <= contacts
    assert served["suppliers"] <= contacts
    assert served["customers"] + served["suppliers"] >= contacts
    assert served["bankTransactions"] == counts["bank_transactions"]
    assert served["bankAccounts"] == counts["bank_accounts"]
    assert served["bills"] + served["billCreditNotes"] == counts["bills"]
    assert served["items"] == counts["price_list_items"] + counts["stock_items"]
    assert all(served.values()), served


def test_each_data_type_ends_complete_with_its_history_and_progress(
    database: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(database, standin)
    queued = house.ask()
    assert {one.status for one in queued} == {Status.QUEUED}
    ended = house.run()
    assert ended.keys() == {one.name for one in FREEAGENT.data_types}
    counted = house.standard()
    for name, dataset in ended.items():
        assert dataset.status is Status.COMPLETE, (name, dataset)
        assert dataset.progress == 100
        assert dataset.error_message is None
        assert dataset.started is not None
        assert dataset.completed is not None
        assert dataset.requested <= dataset.started <= dataset.completed
        assert (dataset.records_new, dataset.records_changed, dataset.records_deleted, dataset.records_set_aside) == (
            len(counted[name]),
            0,
            0,
            0,
        ), name
    with database.read() as tx:
        latest = datasets.latest(tx, house.tenant, house.company)
        sync = syncs.latest(tx, house.tenant, house.connection)
        told = [
            (row.type, json.loads(row.payload))
            for row in tx.execute(sa.select(EVENTS).where(EVENTS.c.tenant_id == house.tenant).order_by(EVENTS.c.id))
            if row.type.startswith("read.")
        ]
    assert {name: good.id for name, (_, good) in latest.items() if good} == {n: one.id for n, one in ended.items()}
    assert sync is not None
    assert sync.ended is not None
    assert sync.calls == standin.counters()["requests"]
    assert sorted(type_ for type_, _ in told) == ["read.completed", "read.completed.initial"]
    assert {one["dataType"] for one in told[0][1]["dataTypes"]} == ended.keys()
    read = {one.resource: one for one in house.told if isinstance(one, Reading)}
    assert all(one.pages_done == one.pages for one in read.values() if one.records), read
    mapped = {one.data_type: one for one in house.told if isinstance(one, Mapped)}
    assert all(one.done == one.in_all for one in mapped.values()), mapped


def test_memory_is_given_back_while_many_pages_are_read(
    db: Database, standin: StandIn, house_of: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else what reading threads free stays with the process: a million bank lines took twice the memory."""
    given_back: list[int] = []
    monkeypatch.setattr(fetch, "give_back", lambda: given_back.append(standin.counters()["requests"]))
    monkeypatch.setattr(fetch, "_GIVE_BACK_EVERY", 10)
    house = house_of(db, standin, workers=1)
    house.sync()
    asked = [0, *given_back, standin.counters()["requests"]]
    assert max(later - before for before, later in itertools.pairwise(asked)) < 30  # it is counted anew in each round


def test_progress_rises_while_it_is_watched(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    seen: set[Status] = set()
    house.after_page = lambda *_: seen.add(house.datasets()["invoices"].status)
    house.sync()
    assert seen == {Status.QUEUED, Status.FETCHING, Status.COMPLETE}  # before its round, in it, and behind it
    done: dict[str, int] = {}
    for row in house.told:
        if isinstance(row, Reading):
            assert row.pages_done >= done.get(row.resource, 0)
            done[row.resource] = row.pages_done


def test_unchanged_books_are_found_unchanged(database: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(database, standin)
    house.sync()
    before = house.standard()
    ended = house.sync()
    assert house.standard() == before  # modified dates too
    for name, dataset in ended.items():
        assert dataset.status is Status.COMPLETE
        assert (dataset.records_new, dataset.records_changed, dataset.records_deleted) == (0, 0, 0), name


def test_edits_additions_and_deletions_appear_and_nothing_else(
    database: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(database, standin)
    house.sync()
    before, raw = house.standard(), house.raw()
    contact = next(iter(raw["contacts"]))
    expense = next(iter(raw["expenses"]))
    line = next(iter(raw["bank_transactions"]))
    standin.mutate("change", "contacts", contact, set={"email": "new@example.test"})
    added = str(standin.mutate("add", "bank_transactions")["id"])
    standin.mutate("delete", "expenses", expense)
    ended = house.sync()
    after = house.standard()
    assert house.raw() == standin.served()
    changed = {name: {id_ for id_, row in rows.items() if row != before[name].get(id_)} for name, rows in after.items()}
    changed = {name: ids for name, ids in changed.items() if ids}
    is_customer = contact in before["customers"]
    party = "customers" if is_customer else "suppliers"
    assert changed[party] == {contact}
    assert document(after[party][contact])["emailAddress"] == "new@example.test"
    assert changed["bankTransactions"] >= {added}
    assert line not in changed["bankTransactions"] or document(after["bankTransactions"][line])["amount"]
    gone = {id_ for id_, row in after["directCosts"].items() if row[3]}
    assert gone
    assert all(expense in id_ for id_ in gone)
    for id_ in gone:
        assert after["directCosts"][id_][0] == before["directCosts"][id_][0]  # values as last known
        assert after["directCosts"][id_][4] > before["directCosts"][id_][4]  # modifiedDate moved
    assert ended["directCosts"].records_deleted == len(gone)
    assert ended[party].records_changed == 1
    assert ended["bankTransactions"].records_new == 1
    for name in before.keys() - changed.keys():
        assert (ended[name].records_new, ended[name].records_changed, ended[name].records_deleted) == (0, 0, 0), name


def test_a_record_deleted_and_back_again_is_live_again(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    house.sync("customers", "suppliers")
    id_ = next(iter(house.raw()["price_list_items"]), None)
    assert id_ is None  # one type reads its own resources only
    house.sync("items")
    before = house.standard()["items"]
    victim = next(iter(before))
    fault = standin.fault({"list": "price_list_items"}, "patch", record=victim, remove=True)
    gone = standin.fault({"path": f"price_list_items/{victim}"}, "status", status=404)
    house.sync("items")
    assert house.standard()["items"][victim][3]
    assert fault != gone
    standin.heal()
    house.sync("items")
    back = house.standard()["items"][victim]
    assert not back[3]
    assert back[:3] == before[victim][:3]
    assert back[4] > before[victim][4]


def test_a_payment_alone_changes_the_invoice_it_pays(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    house.sync()
    before = house.standard()["invoices"]
    open_ones = [
        (id_, document(row)["amountDue"])
        for id_, row in before.items()
        if Decimal(str(document(row).get("amountDue") or 0)) > 5
        and document(row)["currency"] == "GBP"
        and document(row)["status"] == "Submitted"
    ]
    invoice, due = open_ones[0]
    standin.mutate("pay", "invoices", invoice, amount="5.00", touch=False)
    house.sync()
    after = house.standard()["invoices"]
    assert {id_ for id_, row in after.items() if row != before[id_]} == {invoice}
    assert Decimal(str(document(after[invoice])["amountDue"])) == Decimal(str(due)) - 5

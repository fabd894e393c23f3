"""Where a record comes from, how it was before, and what each sync changed: exactly that, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from tests.api.conftest import House, Served, error_in, serving
from tests.api.test_records import an_invoice
from tests.books import NOON, Books, world_of

from comptoir.access import api_keys
from comptoir.model import SHAPES
from comptoir.store import ConnectionId, calls, open_database, tenants
from comptoir.store.calls import Made
from freeagent_standin.world.mutations import apply


class Changed(NamedTuple):
    """Books of which a person deleted an invoice, edited a paid bill and added a contact after the first read."""

    served: Served
    books: Books
    invoice: str
    bill: str
    contact: str
    calls: int  # that the second read took

    @property
    def base(self) -> str:
        return f"/companies/{self.served.company}/connections/{self.served.connection}"

    def syncs(self) -> list[dict[str, Any]]:
        return list(self.served.get(f"{self.base}/syncs").json()["results"])

    def changes(self, sync: str, what: str = "changes") -> list[dict[str, Any]]:
        return list(self.served.get(f"{self.base}/syncs/{sync}/{what}").json()["results"])

    def source(self, data_type: str, id_: str) -> dict[str, Any]:
        answer = self.served.get(f"{self.base}/data/{data_type}/{id_}/source")
        assert answer.status_code == 200, answer.text
        return dict(json.loads(answer.text, parse_float=Decimal))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('tracing') / 'comptoir.db'}")
    books = Books(db, world_of(1, "small"))
    books.sync()
    before = books.reader.calls()
    open_ones = [one for one in books.records("invoices") if one.status == "Submitted" and not one.payment_allocations]
    paid = [one for one in books.records("bills") if one.status == "Paid" and one.payment_allocations]
    invoice, bill = open_ones[0].id, paid[0].id
    apply(books.world, {"do": "delete", "resource": "invoices", "id": int(invoice)}, NOON)
    apply(books.world, {"do": "change", "resource": "bills", "id": int(bill), "set": {"comments": "Seen"}}, NOON)
    added = apply(books.world, {"do": "add", "resource": "contacts", "set": {"organisation_name": "Wren Ltd"}}, NOON)
    books.sync()
    with serving(books) as served:
        yield Changed(served, books, invoice, bill, str(added["id"]), books.reader.calls() - before)
    db.close()


# The data history


def test_a_sync_shows_exactly_what_a_person_changed(changed: Changed) -> None:
    sync = changed.syncs()[0]

    assert changed.changes(sync["id"], "sourceChanges") == [
        {"resource": "bills", "id": changed.bill, "change": "changed"},
        {"resource": "contacts", "id": changed.contact, "change": "new"},
        {"resource": "invoices", "id": changed.invoice, "change": "deleted"},
    ]
    direct = {(one["dataType"], one["id"]): one["change"] for one in changed.changes(sync["id"]) if one["isDirect"]}
    assert direct == {
        ("bills", changed.bill): "changed",
        ("customers", changed.contact): "new",
        ("suppliers", changed.contact): "new",
        ("invoices", changed.invoice): "deleted",
    }


def test_what_follows_is_told_apart(changed: Changed) -> None:
    """An invoice that is gone takes its amounts off its accounts and out of the reports, and its entry off the ledger; a
    bill that was edited has its entry dated anew. Nothing else follows."""
    follows = [one for one in changed.changes(changed.syncs()[0]["id"]) if not one["isDirect"]]

    of_accounts = {one["id"]: one["change"] for one in follows if one["dataType"] == "chartOfAccounts"}
    of_ledger = {one["id"]: one["change"] for one in follows if one["dataType"] == "journalEntries"}
    assert {one["dataType"] for one in follows} == {
        "chartOfAccounts",
        "journalEntries",
        "profitAndLoss",
        "balanceSheet",
    }
    assert set(of_accounts.values()) == {"changed"}
    assert "681" in of_accounts  # trade debtors
    assert of_ledger == {f"invoices-{changed.invoice}": "deleted", f"bills-{changed.bill}": "changed"}


def test_a_sync_tells_its_calls_and_counts(changed: Changed) -> None:
    newest, _ = changed.syncs()

    assert newest["calls"] == changed.calls
    counts = {one["dataType"]: (one["new"], one["changed"], one["deleted"]) for one in newest["dataTypes"]}
    assert (counts["invoices"], counts["bills"], counts["customers"]) == ((0, 0, 1), (0, 1, 0), (1, 0, 0))
    assert counts["transfers"] == (0, 0, 0)
    assert newest["sourceChanges"]["invoices"] == {"new": 0, "changed": 0, "deleted": 1}
    assert {one["status"] for one in newest["dataTypes"]} == {"Complete"}
    assert changed.served.get(f"{changed.base}/syncs/{newest['id']}").json() == newest


def test_a_first_read_is_counted_and_not_listed(changed: Changed) -> None:
    first = changed.syncs()[-1]

    assert {one["dataType"]: one["new"] for one in first["dataTypes"]}["invoices"] == 60
    assert changed.changes(first["id"]) == changed.changes(first["id"], "sourceChanges") == []
    assert first["sourceChanges"] == {}


def test_changes_are_paged(changed: Changed) -> None:
    sync = changed.syncs()[0]["id"]
    every = changed.changes(sync)
    paged = [
        one
        for page in range(1, len(every) + 1)
        for one in changed.served.get(f"{changed.base}/syncs/{sync}/changes?pageSize=1&page={page}").json()["results"]
    ]

    assert paged == every


def test_the_calls_of_a_sync_are_listed_and_paged(changed: Changed) -> None:
    sync = changed.syncs()[0]["id"]
    made = [
        Made(
            1_772_000_000_000 + n, "GET", f"https://a.example/v2/bills?page={n}", "bills", 200, 41, 1200, 1, ((60, n),)
        )
        for n in (2, 1)
    ]
    with changed.served.db.write() as tx:
        calls.keep(tx, changed.served.tenant, ConnectionId(changed.served.connection), sync, made, NOON)

    first, second = changed.changes(sync, "calls")
    assert first == {
        "sent": "2026-02-25T06:13:20.001000Z",
        "method": "GET",
        "url": "https://a.example/v2/bills?page=1",
        "resource": "bills",
        "status": 200,
        "problem": None,
        "durationMilliseconds": 41,
        "bytes": 1200,
        "attempt": 1,
        "budgetLeft": [{"windowSeconds": 60, "calls": 1}],
        "curl": "curl -sS -i -H 'Accept: application/json' -H \"Authorization: Bearer $ACCESS_TOKEN\" "
        "'https://a.example/v2/bills?page=1'",
    }
    assert changed.changes(sync, "calls?pageSize=1&page=2") == [second]


def test_unknown_syncs_are_not_found(changed: Changed) -> None:
    for unknown in ("x", "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"):
        for below in ("", "/changes", "/sourceChanges", "/calls"):
            sentence = error_in(changed.served.get(f"{changed.base}/syncs/{unknown}{below}"), 404)
            assert sentence == f"No sync was found with ID {unknown}"


# Where a record comes from


def test_an_edited_record_shows_both_versions_and_what_differs(changed: Changed) -> None:
    found = changed.source("bills", changed.bill)

    former, newest = found["versions"]
    assert former["until"] == newest["from"] == found["source"]["changedAt"]
    assert newest["until"] is None
    assert (former["changes"], former["from"]) == ([], found["source"]["firstSeen"])
    by_path = {one["path"]: one for one in newest["changes"] if not one["isDrift"]}
    assert by_path.keys() == {"comments", "updated_at"}
    assert by_path["comments"]["after"] == newest["body"]["comments"] == "Seen"
    assert found["source"]["body"] == newest["body"] != former["body"]


def test_a_deleted_record_keeps_its_body_and_says_when_it_was_seen_last(changed: Changed) -> None:
    found = changed.source("invoices", changed.invoice)

    source = found["source"]
    assert found["isDeleted"] is True
    assert source["firstSeen"] <= source["lastSeen"] < source["deletedAt"]
    assert found["versions"][-1]["until"] == source["deletedAt"]
    assert source["body"]["url"].endswith(f"/invoices/{changed.invoice}")


def test_a_live_record_was_seen_by_the_newest_read(changed: Changed) -> None:
    kept = changed.books.records("invoices")[0].id
    source = changed.source("invoices", kept)["source"]

    assert source["deletedAt"] is None
    assert source["firstSeen"] < changed.syncs()[0]["started"] < source["lastSeen"]


def test_a_body_is_sent_byte_for_byte(changed: Changed) -> None:
    answer = changed.served.get(f"{changed.base}/sources/bills/{changed.bill}")
    with changed.books.db.read() as tx:
        body = tx.exec_driver_sql(f"SELECT body FROM raw WHERE resource = 'bills' AND id = '{changed.bill}'").scalar()

    assert bytes(body) in answer.content  # type: ignore[arg-type]  # a column of bytes


def test_each_field_is_beside_the_members_it_came_from(changed: Changed) -> None:
    bill = changed.source("bills", changed.bill)
    body, fields = bill["source"]["body"], {one["path"]: one for one in bill["fields"]}

    assert fields["totalAmount"]["sources"] == [{"name": "bills.total_value", "value": body["total_value"]}]
    assert fields["totalAmount"]["isMade"] is False
    assert fields["supplierRef.id"]["sources"][0]["value"] == body["contact"]
    assert fields["status"]["isMade"] is True
    line = fields["lineItems[0].totalAmount"]
    assert line["sources"] == [
        {"name": "bills.bill_items[].total_value", "value": body["bill_items"][0]["total_value"]}
    ]


def test_lines_in_another_order_are_beside_their_own(changed: Changed) -> None:
    for invoice in [one for one in changed.books.records("invoices") if len(one.line_items) > 1][:6]:
        fields = {one["path"]: one for one in changed.source("invoices", invoice.id)["fields"]}
        for place, line in enumerate(invoice.line_items):
            if line.description is not None:
                one = fields[f"lineItems[{place}].description"]
                assert one["sources"][0]["value"] == one["value"] == line.description


@pytest.mark.parametrize("data_type", list(SHAPES))
def test_every_kind_of_record_can_be_traced(changed: Changed, data_type: str) -> None:
    for id_ in list(changed.books.plain(data_type))[:3]:
        found = changed.source(data_type, id_)

        assert found["source"] is not None
        assert found["fields"]
        assert all(one["sources"] or one["isMade"] for one in found["fields"] if one["value"] != [])


def test_a_transfer_shows_both_its_halves(changed: Changed) -> None:
    id_ = next(iter(changed.books.plain("transfers")))
    found = changed.source("transfers", id_)

    [other] = found["beside"]
    assert {found["source"]["resource"], other["resource"]} == {"bank_transaction_explanations"}
    assert found["source"]["id"] == id_ != other["id"]


def test_the_companys_form_answers_the_same_and_words_of_paths_serve_too(changed: Changed) -> None:
    of_company = f"/companies/{changed.served.company}/data"
    account = next(iter(changed.books.plain("chartOfAccounts")))

    for key, word in (("chartOfAccounts", "accounts"), ("CHARTOFACCOUNTS", "Accounts")):
        by_key = changed.served.get(f"{of_company}/{key}/{account}/source")
        by_word = changed.served.get(f"{changed.base}/data/{word}/{account}/source")
        assert by_key.status_code == 200
        assert by_key.json() == by_word.json()


def test_of_two_connections_the_record_that_is_served_is_traced(house: House) -> None:
    company, first = house.a_linked_company()
    second = house.a_connection(company)
    for connection in (first, second):
        house.put(company, connection, "invoices", [an_invoice("1")])

    def traced(path: str) -> dict[str, Any]:
        return dict(house.get(f"/companies/{company}{path}/data/invoices/1/source").json())

    assert traced("")["connectionId"] == second
    assert [traced(f"/connections/{one}")["connectionId"] for one in (first, second)] == [first, second]
    assert traced("")["source"] is None  # its source row was never held


@pytest.mark.parametrize("path", ["data/nonsense/1/source", "data/purchaseOrders/1/source", "data/invoices/nosuch/source", "data/invoices/a%00b/source", "sources/nonsense", "sources/bills/nosuch"])  # fmt: skip
def test_what_is_not_there_is_not_found(changed: Changed, path: str) -> None:
    error_in(changed.served.get(f"{changed.base}/{path}"), 404)


def test_raw_records_are_listed_with_deleted_ones(changed: Changed) -> None:
    page = changed.served.get(f"{changed.base}/sources/Invoices", params={"pageSize": 5000}).json()

    gone = [one["id"] for one in page["results"] if one["deletedAt"] is not None]
    assert gone == [changed.invoice]
    assert page["totalResults"] == len(page["results"]) > 1


def test_another_tenant_sees_nothing_of_it(changed: Changed) -> None:
    served = changed.served
    with served.db.write() as tx:
        tenant = tenants.add(tx, "Rival", served.clock.now())
        _, key = api_keys.add(tx, tenant.id, "tests", served.clock.now())
    rival = House(served.db, served.client, served.clock, tenant.id, key)
    sync = changed.syncs()[0]["id"]

    for path in (
        f"{changed.base}/data/bills/{changed.bill}/source",
        f"/companies/{served.company}/data/bills/{changed.bill}/source",
        f"{changed.base}/sources/bills",
        f"{changed.base}/sources/bills/{changed.bill}",
        f"{changed.base}/syncs",
        f"{changed.base}/syncs/{sync}",
        f"{changed.base}/syncs/{sync}/changes",
        f"{changed.base}/syncs/{sync}/sourceChanges",
    ):
        error_in(rival.get(path), 404)

"""The pages that show where a record comes from, and what each read changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from litestar.testing import TestClient
from tests.books import NOON, Books, world_of
from tests.operators import an_administrator
from tests.portal.conftest import Browser, House

from comptoir.app import Application
from comptoir.portal import data_history
from comptoir.portal.looks import LOOKS
from comptoir.store import SyncId, calls
from comptoir.store.calls import Made
from comptoir.store.connections import ConnectionStatus, set_status
from freeagent_standin.world.mutations import apply


class Changed(NamedTuple):
    """Books of which an invoice was deleted, a bill edited and a contact added between two reads."""

    house: House
    books: Books
    invoice: str
    bill: str

    @property
    def path(self) -> str:
        return f"/companies/{self.books.company}"

    def syncs(self, browser: Browser) -> list[str]:
        """Addresses of the pages of reads, the newest first."""
        return re.findall(rf'href="({self.path}/history/[\w-]+)"', browser.get(f"{self.path}/history").html)


@pytest.fixture(scope="module")
def changed(application: Application, client: TestClient[Any]) -> Iterator[Changed]:
    house = House(application, client)
    books = Books(application.db, world_of(1, "small"))
    with application.db.write() as tx:
        an_administrator(tx, books.tenant, "tracer@lender.example", datetime.now(UTC))
    house.tenant, house.email = books.tenant, "tracer@lender.example"
    books.sync()
    open_ones = [one for one in books.records("invoices") if one.status == "Submitted" and not one.payment_allocations]
    invoice, bill = open_ones[0].id, books.records("bills")[0].id
    apply(books.world, {"do": "delete", "resource": "invoices", "id": int(invoice)}, NOON)
    change = {"comments": "Left <b>at</b> the yard", "reference": "B9"}
    apply(books.world, {"do": "change", "resource": "bills", "id": int(bill), "set": change}, NOON)
    apply(books.world, {"do": "add", "resource": "contacts", "set": {"organisation_name": "Wren Ltd"}}, NOON)
    user = books.world.users[1].id
    apply(books.world, {"do": "change", "resource": "users", "id": user, "set": {"last_name": "Wainwright"}}, NOON)
    books.sync()
    with pytest.MonkeyPatch.context() as patch:  # the world's day is long gone by the clock of the pages
        patch.setattr(data_history, "KEPT", timedelta(days=36_500))
        yield Changed(house, books, invoice, bill)


@pytest.fixture
def operator(changed: Changed) -> Browser:
    return changed.house.operator()


def test_a_read_lists_what_somebody_changed_and_apart_from_it_what_followed(
    changed: Changed, operator: Browser
) -> None:
    page = operator.get(changed.syncs(operator)[0])
    direct, _, follows = page.html.partition('id="follows"')

    assert re.findall(r"/data/(\w+)/(\d+)\?", direct)[:4] == [
        ("bills", changed.bill),
        ("customers", "100002018"),
        ("invoices", changed.invoice),
        ("suppliers", "100002018"),
    ]
    assert set(re.findall(r"/data/(\w+)/", follows)) == {
        "chartOfAccounts",
        "journalEntries",
        "profitAndLoss",
        "balanceSheet",
    }
    words = page.words
    assert re.search(r"Complete · \d+ calls to FreeAgent · \d+ seconds", words)
    assert "Wren Ltd · Active New Customers 100002018" in words
    assert re.search(rf"003 · [^·]+ Deleted Invoices {changed.invoice}", words)
    assert "Trade Debtors Changed Accounts 681" in words


def test_what_nothing_is_made_from_is_told_too(changed: Changed, operator: Browser) -> None:
    words = operator.get(changed.syncs(operator)[0]).words

    assert re.search(r"Other records of FreeAgent .* users/\d+ Changed", words)


def test_a_first_read_is_told_and_not_listed(changed: Changed, operator: Browser) -> None:
    first = operator.get(changed.syncs(operator)[-1]).words

    assert re.search(r"This was the first read: all [\d,]+ records are new\. They are not listed one by one\.", first)
    assert "What followed from that" not in first


def test_the_list_of_reads_counts_calls_and_changes(changed: Changed, operator: Browser) -> None:
    words = operator.get(f"{changed.path}/history").words

    assert re.search(r"UTC Complete \d+ 2 \d+ 2 0 ", words)
    assert re.search(r"UTC Complete first read \d+ [\d,]+ 0 0 0", words)


def test_an_edited_record_shows_its_fields_and_what_differs(changed: Changed, operator: Browser) -> None:
    page = operator.get(f"{changed.path}/data/bills/{changed.bill}")

    assert "note Left <b>at</b> the yard bills.comments Left <b>at</b> the yard" in page.words
    assert "<b>at</b>" not in page.html
    assert re.search(r"totalAmount [\d.]+ bills\.total_value [\d.]+", page.words)
    assert re.search(r"status \w+ bills\.status \w+ .* derived", page.words)
    assert "purchaseOrderRefs [] not supplied" in page.words
    assert "comments New Left <b>at</b> the yard" in page.words
    assert re.search(r"<del>[^<]+</del>", page.html)
    assert "content_src" not in page.html.partition('id="versions"')[2].partition("<pre")[0]


def test_a_deleted_record_says_so_and_is_still_shown(changed: Changed, operator: Browser) -> None:
    page = operator.get(f"{changed.path}/data/invoices/{changed.invoice}")

    assert page.status == 200
    assert "Deleted in FreeAgent" in page.words
    assert "Found deleted" in page.words
    assert "It has not changed since it was first seen." in page.words


def test_each_record_of_a_list_leads_to_its_page(changed: Changed, operator: Browser) -> None:
    for key in LOOKS:
        found = re.findall(
            rf'href="({changed.path}/data/{key}/[^"]+)"', operator.get(f"{changed.path}/data/{key}").html
        )
        for path in found[:1]:
            page = operator.get(path)
            assert page.status == 200, path
            assert "Field by field" in page.words
        assert found or not changed.books.documents(key), key


def _with_a_file(changed: Changed) -> int:
    bills = [one.id for one in changed.books.world.bills if one.attachment is not None]
    return bills[0]


def test_files_of_a_record_are_offered_with_their_size(changed: Changed, operator: Browser) -> None:
    bill, invoice = _with_a_file(changed), changed.books.records("invoices")[-1]

    page = operator.get(f"{changed.path}/data/bills/{bill}")
    assert "invoice 118 (scan).pdf application/pdf · 48.2 kB" in page.words
    assert re.search(rf'href="{changed.path}/data/bills/{bill}/files/\d+" download', page.html)
    page = operator.get(f"{changed.path}/data/invoices/{invoice.id}")
    assert f"invoice-{invoice.invoice_number}.pdf the invoice as FreeAgent prints it" in page.words
    assert f'href="{changed.path}/data/invoices/{invoice.id}/pdf" download' in page.html
    assert 'id="files"' not in operator.get(f"{changed.path}/data/customers/100002001").html


def test_files_are_not_offered_while_nothing_is_linked(changed: Changed, operator: Browser) -> None:
    path = f"{changed.path}/data/bills/{_with_a_file(changed)}"
    [file] = re.findall(r'href="([^"]+/files/[^"]+)"', operator.get(path).html)

    with changed.books.db.write() as tx:
        set_status(tx, changed.books.tenant, changed.books.connection, ConnectionStatus.UNLINKED, NOON)
    try:
        page = operator.get(path)
        assert "invoice 118 (scan).pdf" in page.words
        assert file not in page.html
        refused = operator.get(file)
        assert refused.status == 409
        assert "Have the company linked again" in refused.words
    finally:
        with changed.books.db.write() as tx:
            set_status(tx, changed.books.tenant, changed.books.connection, ConnectionStatus.LINKED, NOON)


def test_all_of_it_is_told_in_french(changed: Changed) -> None:
    reader = changed.house.operator("fr")

    read = reader.get(changed.syncs(reader)[0]).words
    record = reader.get(f"{changed.path}/data/bills/{changed.bill}").words
    assert "Ce qui a changé dans FreeAgent" in read
    assert "Ce qui en a découlé" in read
    assert "Champ par champ" in record
    assert "Versions antérieures" in record


def test_the_calls_of_a_read_are_shown_and_each_as_a_command(changed: Changed) -> None:
    address = f"{changed.syncs(changed.house.operator())[0]}/calls"
    assert "is forgotten after 14 days" in changed.house.operator().get(address).words
    sync = address.split("/")[-2]
    good = Made(1_772_000_000_000, "GET", "https://a.example/v2/bills?page=1", "bills", 200, 41, 1200, 1, ((60, 7),))
    bad = Made(1_772_000_001_000, "GET", "https://a.example/v2/bills?page=2", "bills", None, 5004, 0, 2, (), "No.")
    with changed.books.db.write() as tx:
        calls.keep(tx, changed.books.tenant, changed.books.connection, SyncId(sync), [good, bad], NOON)

    page = changed.house.operator().get(address)
    french = changed.house.operator("fr").get(address)

    assert "GET /v2/bills?page=1" in page.words
    assert "7 this minute" in page.words
    assert "41 ms 1.2 kB" in page.words
    assert "try 2 No." in page.words
    assert "None 06:13:21 5 secs –" in page.words
    assert "Authorization: Bearer $ACCESS_TOKEN" in page.html
    assert "7 dans la minute" in french.words


def test_before_anything_was_read_the_history_says_what_will_be_there(house: House) -> None:
    browser = house.operator()
    path = browser.post("/companies", {"name": "Toft Bakery"}).headers["location"]

    assert "Nothing was read yet." in browser.get(f"{path}/history").words


@pytest.mark.parametrize(
    "path",
    [
        "history/x",
        "data/bills/nosuch",
        "data/nonsense/1",
        "data/purchaseOrders/1",
        "data/bills/nosuch/files/1",
        "data/nonsense/1/files/1",
        "data/invoices/nosuch/pdf",
        "data/customers/100002001/pdf",
    ],
)
def test_what_is_not_there_is_not_found(changed: Changed, operator: Browser, path: str) -> None:
    assert operator.get(f"{changed.path}/{path}").status == 404


def test_another_tenant_sees_nothing_of_it(changed: Changed, house: House) -> None:
    sync = changed.syncs(changed.house.operator())[0]
    rival = house.operator()

    bill, invoice = f"{changed.path}/data/bills/{changed.bill}", changed.books.records("invoices")[-1].id
    pdf = f"{changed.path}/data/invoices/{invoice}/pdf"
    for path in (f"{changed.path}/history", sync, f"{sync}/calls", bill, f"{bill}/files/1", pdf):
        assert rival.get(path).status == 404

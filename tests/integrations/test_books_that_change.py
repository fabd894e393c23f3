"""The books check where life is less tidy: business goes on, records cannot be read, lists are refused.

In full: `COMPTOIR_TEST_WORLDS=100 pytest tests/integrations/test_books_that_change.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from tests.books import NOON, Books, DirectReader, world_of

from comptoir.errors import PermissionsLacking, TryLater
from comptoir.integrations.contract import Resource
from comptoir.model import SHAPES
from comptoir.store import Database, open_database
from comptoir.store.datasets import Status
from comptoir.sync import Report
from comptoir.upstream.client import Page
from freeagent_standin.world import World

WORLDS = int(os.environ.get("COMPTOIR_TEST_WORLDS", "8"))
FIRST_SEED = int(os.environ.get("COMPTOIR_TEST_FIRST_SEED", "1"))

Twist = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('changing') / 'comptoir.db'}")
    yield opened
    opened.close()


def _breached(report: Report) -> dict[str, tuple[str, ...]]:
    return {line.code: line.details for line in report.lines if line.state == "breached"}


def _unchecked(report: Report) -> dict[str, str]:
    return {line.code: " ".join(line.details) for line in report.lines if line.state == "not checked"}


# Business goes on


def _any_business(world: World, rng: Random) -> dict[str, Any]:
    tables = world.tables()
    match rng.randrange(7):
        case 0:
            return {"do": "advance", "days": rng.randint(1, 3)}
        case 1:
            resource = rng.choice(("invoices", "credit_notes", "bills", "expenses", "bank_transactions"))
            return {"do": "add", "resource": resource}
        case 2:
            resource = rng.choice(sorted(tables))
            rows = list(tables[resource])
            return {"do": "delete", "resource": resource, "id": rng.choice(rows).id if rows else 1}
        case 3:
            return {"do": "write_off", "resource": "invoices", "id": rng.choice(list(world.invoices)).id}
        case 4:
            source, target = rng.sample([account.id for account in world.bank_accounts], 2)
            return {"do": "transfer", "from": source, "to": target, "amount": f"{rng.randint(1, 900)}.05"}
        case 5:  # an invoice may receive more than it asks for
            invoice = rng.choice([one for one in world.invoices if one.total >= 0])
            return {"do": "pay", "resource": "invoices", "id": invoice.id, "amount": f"{rng.randint(1, 900)}.25"}
        case _:
            resource = rng.choice([name for name in ("bills", "credit_notes") if len(tables[name])])
            document = rng.choice(list(tables[resource]))
            return {"do": "pay", "resource": resource, "id": document.id} | _half(world, document)


def _half(world: World, document: Any) -> dict[str, str]:
    """Half of what is due, or all of a penny; nothing is said where nothing is due, and nothing will be paid."""
    due = abs(world.due(document))
    return {"amount": f"{due // 2 / 100:.2f}"} if due > 1 else {}


class _Forgetful(DirectReader):
    """Tells nothing of a contact that is asked for by itself."""

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        if resource.name == "contacts":
            raise TryLater("FreeAgent cannot do this now.")
        return super().record(resource, record_id)


def test_what_a_contact_owes_is_no_breach_while_it_could_not_be_asked_again(db: Database) -> None:
    books = Books(db, world_of(4, 40), page_size=2)
    books.sync()
    owing = next(one for one in books.world.invoices if books.world.due(one) > 100 and one.currency == "GBP")
    books.world.mutate({"do": "pay", "resource": "invoices", "id": owing.id, "amount": "0.50"}, NOON)
    books.reader = _Forgetful(books.world, page_size=2, now=NOON + timedelta(hours=1))
    books.clock.set(NOON + timedelta(hours=1))

    behind = books.sync()

    assert _breached(behind) == {}
    assert "the next reading will tell" in _unchecked(behind)["F5"]

    books.reader = DirectReader(books.world, page_size=2, now=NOON + timedelta(hours=2))
    books.clock.set(NOON + timedelta(hours=2))

    assert "F5" in {line.code for line in books.sync().lines if line.state == "held"}


class _Busy(DirectReader):
    """An expense comes in when the balance sheet is first asked for: what was read before knows nothing of it."""

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        if resource.name == "balance_sheet" and not self.is_over:
            self.is_over = True
            self.world.mutate({"do": "add", "resource": "expenses"}, self.now)
        return super().page(resource, number, params)

    is_over = False


def test_an_expense_that_comes_in_between_two_reports_is_no_breach(db: Database) -> None:
    books = Books(db, world_of(4, 40))
    books.reader = _Busy(books.world)

    assert _breached(books.sync()) == {}

    assert _breached(books.sync()) == {}
    assert books.sync().lines[0].state == "held"


def test_what_comes_in_between_two_reports_and_is_in_no_list_is_no_breach(db: Database) -> None:
    books = Books(db, world_of(4, 40))
    books.sync()
    books.reader = _Busy(books.world)

    report = books.sync("balanceSheet")

    assert _breached(report) == {}
    assert "the next reading will tell" in _unchecked(report)["G6"]


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_every_identity_holds_while_business_goes_on(db: Database, seed: int) -> None:
    books, rng, done = Books(db, world_of(seed, 60)), Random(seed), 0
    books.sync()
    for step in range(60):
        try:
            books.world.mutate(_any_business(books.world, rng), NOON + timedelta(seconds=step))
            done += 1
        except ValueError:
            continue  # what the books do not allow, such as a second write-off
    report = books.sync()

    assert done > 20
    assert _breached(report) == {}
    assert {one.status for one in books.datasets().values()} == {Status.COMPLETE}


def test_money_beyond_an_invoice_is_told_alike_on_both_sides(db: Database) -> None:
    books = Books(db, world_of(3))
    paid = next(
        one for one in books.world.invoices if one.total > 0 and one.currency == "GBP" and not one.cis_deduction
    )
    pay = {"do": "pay", "resource": "invoices", "id": paid.id}
    if books.world.due(paid) > 0:
        books.world.mutate(dict(pay), NOON)
    made = books.world.mutate(pay | {"amount": "12.34"}, NOON)

    report = books.sync()

    [beyond] = [one for id_, one in books.plain("payments").items() if id_ == str(made["explanation"])]
    invoice = books.plain("invoices")[str(paid.id)]
    assert [link["type"] for line in beyond["lines"] for link in line["links"]] == ["PaymentOnAccount"]
    assert beyond["id"] not in {one["payment"]["id"] for one in invoice["paymentAllocations"]}
    assert _breached(report) == {}


def test_the_same_books_in_another_order_are_mapped_to_the_same_bytes(db: Database) -> None:
    tidy, shuffled = Books(db, world_of(11)), Books(db, world_of(11))
    shuffled.reader = _Shuffled(shuffled.world)

    tidy.sync()
    shuffled.sync()

    for name in tidy.datasets():
        assert shuffled.documents(name) == tidy.documents(name), name


class _Shuffled(DirectReader):
    """Gives the records of each page in another order."""

    def page(self, resource: Resource, number: int, params: Any = ()) -> Page:
        page = super().page(resource, number, params)
        records = list(page.records)
        Random(number).shuffle(records)
        return msgspec.structs.replace(page, records=records)


# Records that cannot be read


class _Twisted(DirectReader):
    """Gives one record of a resource otherwise than it is."""

    def __init__(self, world: World, resource: str, chosen: Callable[[dict[str, Any]], bool], twist: Twist) -> None:
        super().__init__(world)
        self._resource, self._chosen, self._twist = resource, chosen, twist
        self.twisted: str | None = None

    def page(self, resource: Resource, number: int, params: Any = ()) -> Page:
        page = super().page(resource, number, params)
        if resource.name != self._resource:
            return page
        records = []
        for part, body in page.records:
            record = msgspec.json.decode(body)
            if self.twisted in (None, record["url"]) and self._chosen(record):
                self.twisted = record["url"]
                self._twist(record)
                body = msgspec.json.encode(record)
            records.append((part, body))
        return msgspec.structs.replace(page, records=records)


def _set(**members: Any) -> Twist:
    return lambda record: record.update(members)


def _is_paid(record: dict[str, Any]) -> bool:
    return str(record["status"]) == "Paid"


def _has(member: str) -> Callable[[dict[str, Any]], bool]:
    return lambda record: record.get(member) is not None


@pytest.mark.parametrize(
    ("resource", "chosen", "twist", "unchecked"),
    [
        ("invoices", _is_paid, _set(total_value="much"), {"A3", "A6", "C7"}),
        ("invoices", _is_paid, _set(total_value="NaN"), {"A3", "A6", "C7"}),
        ("invoices", _is_paid, _set(dated_on="2026-02-30"), {"A3", "A6", "C7"}),
        ("bills", _is_paid, _set(total_value=None), {"A3", "A6", "C7"}),
        ("bank_transactions", lambda record: record["amount"] != "0.0", _set(amount="Infinity"), {"D3"}),
        ("bank_transaction_explanations", _has("paid_invoice"), _set(gross_value="1e999"), {"A5", "C1"}),
        ("bank_transaction_explanations", _has("paid_bill"), _set(gross_value=[]), {"A5", "C1"}),
        ("bank_transaction_explanations", lambda one: one["type"] == "Payment", _set(gross_value=""), {"A5"}),
        ("bank_transaction_explanations", _has("linked_transfer_explanation"), _set(gross_value=""), {"A5"}),
        ("expenses", lambda _: True, _set(gross_value={}), {"A5"}),
        ("contacts", lambda _: True, _set(url=None), {"A3"}),
    ],
)
def test_a_record_that_cannot_be_read_breaches_nothing_and_is_said(
    db: Database, resource: str, chosen: Callable[[dict[str, Any]], bool], twist: Twist, unchecked: set[str]
) -> None:
    books = Books(db, world_of(5, "small"))
    reader = books.reader = _Twisted(books.world, resource, chosen, twist)

    report = books.sync()

    assert reader.twisted is not None
    assert any(one.records_set_aside for one in books.datasets().values()) or resource == "contacts"
    assert _breached(report) == {}
    assert unchecked <= _unchecked(report).keys()
    assert all("could not be read" in _unchecked(report)[code] for code in unchecked)


# Lists that are refused, and a refresh of a few


class _Refused(DirectReader):
    def __init__(self, world: World, *resources: str) -> None:
        super().__init__(world)
        self._resources = resources

    def page(self, resource: Resource, number: int, params: Any = ()) -> Page:
        if resource.name in self._resources:
            raise PermissionsLacking("The approving user may not see this.", level_needed=7)
        return super().page(resource, number, params)


@pytest.mark.parametrize(
    "refused",
    [
        "trial_balance",
        "users",
        "expenses",
        "credit_note_reconciliations",
        "bank_transactions",
        "bank_transaction_explanations",
        "invoices",
        "bills",
        "contacts",
    ],
)
def test_a_list_that_is_refused_breaches_nothing(db: Database, refused: str) -> None:
    books = Books(db, world_of(9))
    books.reader = _Refused(books.world, refused)

    report = books.sync()

    assert _breached(report) == {}


@pytest.mark.parametrize("data_type", sorted(SHAPES))
def test_a_refresh_of_one_data_type_breaches_nothing(db: Database, data_type: str) -> None:
    books = Books(db, world_of(8))
    books.sync()
    books.world.mutate({"do": "advance", "days": 20}, NOON)

    report = books.sync(data_type)

    assert _breached(report) == {}
    assert "A5" in _unchecked(report)


# On both databases


def test_the_check_finds_the_same_on_both_databases(database: Database) -> None:
    books = Books(database, world_of(4, "small"))

    report = books.sync()

    assert _breached(report) == {}
    checked = {line.code: line.checked for line in report.lines}
    assert checked["A5"] == len(books.world.explanations) + len(books.world.expenses)
    assert checked["A6"] == sum(len(books.world.tables()[name]) for name in ("invoices", "credit_notes", "bills"))
    assert checked["D5"] == len(books.world.transactions)
    assert checked["A1"] == sum(len(books.documents(name)) for name in books.datasets())

"""Real answers of the live API decode with no unexpected field or type, and map."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.books import NOON, Books, world_of
from tests.integrations.shared import SHARED, needs_shared

from comptoir.errors import NotSupported
from comptoir.integrations.contract import Resource
from comptoir.integrations.freeagent import FREEAGENT, payloads
from comptoir.integrations.freeagent.kept import KEPT
from comptoir.integrations.freeagent.resources import RESOURCES
from comptoir.store import Database, open_database
from comptoir.store.datasets import Status
from comptoir.upstream.client import Page, _records

pytestmark = needs_shared

CAPTURES = SHARED / "freeagent" / "captures"
PAYLOADS: dict[str, type[payloads.Payload]] = {
    "company": payloads.Company,
    "categories": payloads.Category,
    "users": payloads.User,
    "contacts": payloads.Contact,
    "projects": payloads.Project,
    "bank_accounts": payloads.BankAccount,
    "price_list_items": payloads.PriceListItem,
    "invoices": payloads.Invoice,
    "bank_transaction_explanations": payloads.Explanation,
    "trial_balance": payloads.TrialBalanceLine,
    "profit_and_loss": payloads.ProfitAndLoss,
    "balance_sheet": payloads.BalanceSheetAnswer,
    "cashflow": payloads.Cashflow,
}


def _resource(name: str) -> Resource:
    return FREEAGENT.resource(name)


def _captured(name: str) -> list[tuple[str, bytes]]:
    return _records((CAPTURES / f"{name}.json").read_bytes(), _resource(name), "the capture")


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_a_captured_record_has_no_unexpected_field_or_type(name: str) -> None:
    records = _captured(name)
    assert records, f"{name}.json holds no record"
    for _, body in records:
        _resource(name).read(body)
        msgspec.json.decode(body, type=PAYLOADS[name])
        assert payloads.unexpected(PAYLOADS[name], name, json.loads(body)) == []


def test_an_empty_capture_is_an_empty_list() -> None:
    assert _captured("stock_items") == []


@pytest.mark.parametrize("name", [one.name for one in KEPT if (CAPTURES / f"{one.name}.json").exists()])
def test_a_capture_of_what_is_kept_as_it_is_can_be_filed(name: str) -> None:
    resource = _resource(name)
    records = _captured(resource.name)
    assert records
    assert all(resource.read(body).id for _, body in records)


def test_every_capture_of_what_is_read_is_looked_at() -> None:
    read = {resource.name for resource in RESOURCES}
    captured = {path.stem for path in CAPTURES.glob("*.json")}
    assert captured & read == PAYLOADS.keys() | {"stock_items"}


class CaptureReader:
    """Answers with the captures; what was not captured is not offered."""

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        if not (CAPTURES / f"{resource.name}.json").exists():
            raise NotSupported(f"{resource.name} was not captured")
        if number > 1 or (resource.per is not None and not self._is_of_captured_account(params)):
            return Page(total=None, has_next=False, records=[], made_after=NOON)
        return Page(total=None, has_next=False, records=_captured(resource.name), made_after=NOON)

    def _is_of_captured_account(self, params: Sequence[tuple[str, str]]) -> bool:
        accounts = {body["bank_account"] for body in map(json.loads, dict.fromkeys(_bodies()))}
        return any(value in accounts for _, value in params)

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        return None

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        return b"{}"


def _bodies() -> Iterator[bytes]:
    for _, body in _captured("bank_transaction_explanations"):
        yield body


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'comptoir.db'}")
    yield opened
    opened.close()


def test_the_captured_books_map(db: Database) -> None:
    books = Books(db, world_of(1))
    reader: Any = CaptureReader()
    books.engine._open = lambda _: (reader, lambda: 0)
    report = books.sync()
    made = {name: one for name, one in books.datasets().items() if one.status is Status.COMPLETE}
    absent = {name for name, one in books.datasets().items() if one.status is Status.NOT_SUPPORTED}
    assert absent == {
        "creditNotes",
        "bills",
        "billCreditNotes",
        "bankTransactions",
        "accountTransactions",
        "journalEntries",
    }
    assert made.keys() | absent == books.datasets().keys()
    assert {name: one.records_set_aside for name, one in made.items() if one.records_set_aside} == {}
    resources = {resource.name for resource in FREEAGENT.resources}  # what was not captured is said, and no doubt
    doubts = [one for dataset in made.values() for one in dataset.warnings if one.item_id not in resources]
    assert [(one.item_id, one.message) for one in doubts] == []
    counts = {name: len(books.documents(name)) for name in made}
    assert counts["invoices"] == len(_captured("invoices"))
    assert counts["customers"] == counts["suppliers"] == len(_captured("contacts"))
    assert counts["items"] == len(_captured("price_list_items"))
    assert counts["bankAccounts"] == len(_captured("bank_accounts"))
    assert counts["trackingCategories"] == len(_captured("projects"))
    assert counts["directCosts"] + counts["directIncomes"] + counts["payments"] + counts["transfers"] == len(
        _captured("bank_transaction_explanations")
    )
    assert [(line.code, line.details) for line in report.lines if line.state == "breached"] == []

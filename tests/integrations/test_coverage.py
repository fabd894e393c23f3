"""The coverage tables name every member of every record, and tell the truth of each."""

from __future__ import annotations

import json
import typing
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.books import Books, world_of
from tests.integrations.given import GivenBooks, a_category, a_company, an_explanation, an_invoice, url

from comptoir.integrations.contract import Covered
from comptoir.integrations.freeagent import FREEAGENT, payloads
from comptoir.model import SHAPES
from comptoir.model.records import paths_of
from comptoir.store import Database, open_database

SERVED = [one.name for one in FREEAGENT.data_types]
WORLDS = ((1, "small"), (2, "small"), (3, 150))
PAYLOADS: dict[str, type[msgspec.Struct]] = {
    "bank_accounts": payloads.BankAccount,
    "bank_transaction_explanations": payloads.Explanation,
    "bank_transactions": payloads.BankTransaction,
    "bills": payloads.Bill,
    "cashflow": payloads.Cashflow,
    "categories": payloads.Category,
    "company": payloads.Company,
    "contacts": payloads.Contact,
    "credit_note_reconciliations": payloads.CreditNoteReconciliation,
    "credit_notes": payloads.CreditNote,
    "dated_balances": payloads.Balances,
    "expenses": payloads.Expense,
    "invoices": payloads.Invoice,
    "journal_sets": payloads.JournalSet,
    "ledger_transactions": payloads.LedgerTransaction,
    "opening_balances": payloads.Balances,
    "price_list_items": payloads.PriceListItem,
    "projects": payloads.Project,
    "properties": payloads.Property,
    "sales_tax_periods": payloads.SalesTaxPeriod,
    "stock_items": payloads.StockItem,
    "trial_balance": payloads.TrialBalanceLine,
    "users": payloads.User,
}


def _covered(data_type: str) -> tuple[Covered, ...]:
    assert data_type in FREEAGENT.coverage, (
        f"{data_type} is served and nobody says where its members come from: add a table to "
        "integrations/freeagent/coverage and name it in its COVERAGE."
    )
    return FREEAGENT.coverage[data_type]


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """Paths of a document's members that hold a value."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for element in value:
            yield from _leaves(element, path + "[]")
    elif value is not None:
        yield path


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Members that hold a value in some record of generated worlds, or of books made for what is rare, by data type."""
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('coverage') / 'comptoir.db'}")
    found: dict[str, set[str]] = defaultdict(set)

    def look(data_type: str, documents: Iterator[bytes]) -> None:
        for document in documents:
            found[data_type].update(_leaves(json.loads(document)))

    for seed, size in WORLDS:
        books = Books(db, world_of(seed, size))
        books.sync()
        for data_type in SERVED:
            look(data_type, iter(books.documents(data_type)))
    rare = _rare(db)
    for data_type in SERVED:
        look(data_type, iter(rare.text(data_type).encode().splitlines()))
    db.close()
    return found


def _rare(db: Database) -> GivenBooks:
    """What generated worlds seldom hold."""
    place = {"address1": "1 Mill Lane", "address2": "Unit 2", "address3": "Rear", "region": "Kent"}
    stock, project = url("stock_items", 1), url("projects", 1)
    cis: dict[str, Any] = {"cis_deduction": "-10.0", "cis_rate": "cis_standard"}
    line = {"item_type": "Stock", "quantity": "1.0", "price": "-50.0", "stock_item": stock, "position": 1}
    item = {"total_value": "-50.0", "category": url("categories", "104"), "stock_item": stock}
    bill = {"dated_on": "2024-05-14", "status": "Open", "contact": url("contacts", 1), "project": project}
    paid = {"receipt_reference": "R1"}
    return GivenBooks(
        db,
        company=[a_company(first_accounting_year_end="2026-03-31", **place)],
        dated_balances=[
            {
                "#on": "2025-04-30",
                "trial_balance_summary": [{"display_nominal_code": "502", "name": "Corporation Tax", "total": "19.0"}],
            }
        ],
        contacts=[{"url": url("contacts", 1), "organisation_name": "Alder", "first_name": "Ann", **place}],
        projects=[{"url": project, "name": "Loft", "status": "Active", "contact": url("contacts", 1)}],
        categories=[
            a_category("104", "Materials", "cost_of_sales_categories"),
            a_category("609-1", "Oak", stock_item=stock),
            a_category("001", "Sales", "income_categories"),
        ],
        stock_items=[{"url": stock, "description": "Oak"}],
        invoices=[an_invoice(invoice_items=[line | {"price": "100.0"}], **cis)],
        credit_notes=[
            {
                "url": url("credit_notes", 1),
                "status": "Open",
                "dated_on": "2024-05-14",
                "total_value": "-45.0",
                "net_value": "-45.0",
                "discount_percent": "10.0",
                "credit_note_items": [line],
                **cis,
            }
        ],
        bills=[
            {
                "url": url("bills", 1),
                **bill,
                **cis,
                "total_value": "50.0",
                "bill_items": [item | {"total_value": "50.0"}],
            },
            {
                "url": url("bills", 2),
                **bill,
                "total_value": "-50.0",
                "comments": "Returned",
                "rebill_type": "cost",
                "bill_items": [item],
                **cis,
            },
        ],
        bank_transaction_explanations=[
            an_explanation(1, "-10.0", paid_bill=url("bills", 1), **paid),
            an_explanation(2, "10.0", paid_bill=url("bills", 2), **paid),
            an_explanation(3, "-10.0", paid_invoice=url("credit_notes", 1), **paid),
            an_explanation(4, "-10.0", category=url("categories", "104"), stock_item=stock),
            an_explanation(5, "10.0", category=url("categories", "001"), stock_item=stock, project=project, **paid),
        ],
    )


@pytest.mark.parametrize("data_type", SERVED)
def test_every_member_of_a_record_is_named_once(data_type: str) -> None:
    named = Counter(one.path for one in _covered(data_type))
    members = set(paths_of(SHAPES[data_type].struct))

    assert {path for path, count in named.items() if count > 1} == set()
    assert members - named.keys() == set(), "members of the model without a row in the coverage table"
    assert named.keys() - members == set(), "rows of the coverage table that are no members of the model"


@pytest.mark.parametrize("data_type", SERVED)
def test_what_is_said_to_be_read_is_there_somewhere(data_type: str, seen: dict[str, set[str]]) -> None:
    read = {one.path for one in _covered(data_type) if one.why is None}

    assert read - seen[data_type] == set(), "said to be read, and never met: correct it, or add rare books to this test"


@pytest.mark.parametrize("data_type", SERVED)
def test_what_is_said_to_be_missing_is_nowhere(data_type: str, seen: dict[str, set[str]]) -> None:
    missing = {one.path for one in _covered(data_type) if one.why is not None}

    assert missing & seen[data_type] == set()


@pytest.mark.parametrize("data_type", SERVED)
def test_every_row_says_where_from_or_why_not(data_type: str) -> None:
    for one in _covered(data_type):
        said = [text for text in (one.how, one.why) if text is not None]
        assert bool(one.sources or one.how) != (one.why is not None), one
        assert all(text.endswith(".") and not text[0].islower() for text in said), one


def _members(kind: Any, path: str = "") -> Iterator[str]:
    """Paths of a payload's members, `[]` behind those that hold a list."""
    for field in msgspec.structs.fields(kind):
        name = path + field.encode_name
        yield name
        for one in (field.type, *typing.get_args(field.type)):
            if typing.get_origin(one) is tuple:
                element = typing.get_args(one)[0]
                yield name + "[]"
                if isinstance(element, type) and issubclass(element, msgspec.Struct):
                    yield from _members(element, name + "[].")
            elif isinstance(one, type) and issubclass(one, msgspec.Struct):
                yield from _members(one, name + ".")


def test_sources_are_members_of_what_is_read() -> None:
    known = {f"{resource}.{member}" for resource, kind in PAYLOADS.items() for member in _members(kind)}
    named = {source for data_type in SERVED for one in _covered(data_type) for source in one.sources}

    assert named - known == set()


@pytest.mark.parametrize("data_type", SERVED)
def test_sources_are_read_for_the_data_type(data_type: str) -> None:
    declared = FREEAGENT.data_type(data_type)
    assert declared is not None
    read = {source.resource for source in declared.sources} | {hop.to for hop in declared.hops if hop.is_late}

    assert {source.partition(".")[0] for one in _covered(data_type) for source in one.sources} - read == set()


def test_lists_in_an_order_of_their_own_are_members_of_what_is_read() -> None:
    known = {f"{resource}.{member}" for resource, kind in PAYLOADS.items() for member in _members(kind)}

    for path, member in FREEAGENT.ordered.items():
        assert f"{path}[].{member}" in known

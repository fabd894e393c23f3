"""The example payloads of the integration: each is sound, and together they are one company's true books."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integrations.given import GivenBooks
from tests.integrations.shared import SHARED, needs_shared

import comptoir.integrations.freeagent
from comptoir.integrations.contract import Kind
from comptoir.integrations.freeagent import FREEAGENT, payloads
from comptoir.integrations.freeagent.resources import RESOURCES
from comptoir.store import Database, open_database
from comptoir.upstream.client import _records

EXAMPLES = Path(comptoir.integrations.freeagent.__file__).parent / "examples"
PAYLOADS: dict[str, type[payloads.Payload]] = {
    "company": payloads.Company,
    "categories": payloads.Category,
    "users": payloads.User,
    "contacts": payloads.Contact,
    "projects": payloads.Project,
    "properties": payloads.Property,
    "bank_accounts": payloads.BankAccount,
    "sales_tax_periods": payloads.SalesTaxPeriod,
    "price_list_items": payloads.PriceListItem,
    "stock_items": payloads.StockItem,
    "invoices": payloads.Invoice,
    "credit_notes": payloads.CreditNote,
    "credit_note_reconciliations": payloads.CreditNoteReconciliation,
    "bills": payloads.Bill,
    "expenses": payloads.Expense,
    "bank_transactions": payloads.BankTransaction,
    "bank_transaction_explanations": payloads.Explanation,
    "trial_balance": payloads.TrialBalanceLine,
    "opening_balances": payloads.Balances,
    "closing_balances": payloads.Balances,
    "journal_sets": payloads.JournalSet,
    "ledger_transactions": payloads.LedgerTransaction,
    "dated_balances": payloads.Balances,
    "balances_afterwards": payloads.Balances,
    "profit_and_loss": payloads.ProfitAndLoss,
    "balance_sheet": payloads.BalanceSheetAnswer,
    "cashflow": payloads.Cashflow,
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'comptoir.db'}")
    yield opened
    opened.close()


def _example(name: str) -> list[tuple[str, bytes]]:
    document = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    del document["source"]
    return _records(json.dumps(document).encode(), FREEAGENT.resource(name), "the example")


def test_every_resource_has_an_example_and_a_payload() -> None:
    resources = {resource.name for resource in RESOURCES}

    assert {path.stem for path in EXAMPLES.glob("*.json")} == resources == PAYLOADS.keys()


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_an_example_says_where_its_shape_comes_from_and_holds_nothing_unexpected(name: str) -> None:
    document = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))

    assert re.fullmatch(r"https://dev\.freeagent\.com/docs/\w+", document["source"])
    found = _example(name)
    assert found
    for _, body in found:
        FREEAGENT.resource(name).read(body)
        assert payloads.unexpected(PAYLOADS[name], name, json.loads(body)) == []


def test_the_examples_are_true_books_without_a_doubt(db: Database) -> None:
    given: dict[str, list[dict[str, Any]]] = {
        name: [{"#part": part, **json.loads(body)} for part, body in _example(name)] for name in PAYLOADS
    }
    books = GivenBooks(db, given)

    for data_type in FREEAGENT.data_types:
        assert books.of(data_type.name), f"the examples hold none of {data_type.name}"
        assert books.warnings(data_type.name) == []
    assert books.breached() == {}
    # No construction work and no tax period among them; their year is over, and nothing is told of the one that today
    # is in.
    assert books.unchecked().keys() <= {"C10", "E3", "F6", "G4", "G5", "G6"}


# What the documentation lists

_SCHEMAS = {
    "categories": "Category",
    "bank_transaction_explanations": "BankTransactionExplanation",
    "trial_balance": "TrialBalanceLine",
    "opening_balances": "TrialBalanceLine",
    "closing_balances": "TrialBalanceLine",
    "dated_balances": "TrialBalanceLine",
    "balances_afterwards": "TrialBalanceLine",
    "profit_and_loss": "ProfitAndLossSummary",
    "balance_sheet": "BalanceSheet",
    "cashflow": "Cashflow",
}


@needs_shared
@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_every_documented_member_is_mapped_or_left_alone_for_a_reason(name: str) -> None:
    schemas = _documented()
    schema = _SCHEMAS.get(name) or next(one for one in (PAYLOADS[name].__name__,) if one in schemas)

    filled = _filled({"$ref": f"#/{schema}"}, schemas)
    if FREEAGENT.resource(name).kind is Kind.REPORT:
        filled = {FREEAGENT.resource(name).keys[0]: [filled]}

    unlisted = payloads.unexpected(PAYLOADS[name], name, filled)

    assert unlisted == []


@cache
def _documented() -> Any:
    return yaml.safe_load((SHARED / "freeagent" / "openapi.yaml").read_text(encoding="utf-8"))["components"]["schemas"]


def _filled(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A record with every member that its schema names and an answer may hold."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    if "items" in schema:
        return [_filled(schema["items"], schemas)]
    members: dict[str, Any] = {}
    for part in (schema, *schema.get("allOf", ())):
        if part is not schema:
            members |= _filled(part, schemas) or {}
        for name, member in part.get("properties", {}).items():
            if not member.get("writeOnly"):
                members[name] = _filled(member, schemas)
    return members or None


def test_every_reason_is_given_in_words() -> None:
    for name, left_alone in payloads.NOT_MAPPED.items():
        assert FREEAGENT.resource(name).name == name
        assert all(len(reason) > 5 for reason in left_alone.values())

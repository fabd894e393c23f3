"""Every mapped record has the published shape: required members there, enums inside their list, no member outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.books import Books, world_of
from tests.integrations.shared import SHARED, needs_shared

from comptoir.store import Database, open_database

pytestmark = needs_shared

SCHEMAS = {
    "company": "CompanyDataset",
    "chartOfAccounts": "Account",
    "bankAccounts": "BankAccount",
    "customers": "Customer",
    "suppliers": "Supplier",
    "invoices": "Invoice",
    "creditNotes": "CreditNote",
    "bills": "Bill",
    "billCreditNotes": "BillCreditNote",
    "payments": "Payment",
    "billPayments": "BillPayment",
    "directCosts": "DirectCost",
    "directIncomes": "DirectIncome",
    "transfers": "Transfer",
    "accountTransactions": "AccountTransaction",
    "journals": "Journal",
    "journalEntries": "JournalEntry",
    "taxRates": "TaxRate",
    "trackingCategories": "TrackingCategory",
    "items": "Item",
    "bankTransactions": "BankTransactions/definitions/bankTransactionLine",
}
# Members the mapping gives beyond the published schema, with ? where only some records have them; the account of a
# statement line stands around it when served.
_BEYOND: dict[str, tuple[str, ...]] = {
    "bankAccounts": ("status",),
    "transfers": ("status", "from.accountRef.dataType", "to.accountRef.dataType"),
    "bankTransactions": ("accountId",),
    "journalEntries": (
        "journalLines.transactionAmount?",
        "journalLines.transactionCurrency?",
        "journalLines.contactRef?",
    ),
    "bills": ("lineItems.lineNumber", "lineItems.unitOfMeasurement?"),
}


@cache
def _published() -> dict[str, Any]:
    text = (SHARED / "contract" / "codat-accounting-2023.json").read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]  # an object, as every OpenAPI document is


@cache
def _validator(name: str) -> Draft202012Validator:
    schemas = _mended(_published()["components"]["schemas"])
    strict = {key: _strict(schema) for key, schema in schemas.items()}
    root = {"components": {"schemas": schemas, "strict": strict}, "$ref": f"#/components/strict/{name}"}
    return Draft202012Validator(root)


def _mended(node: Any) -> Any:
    """The published schemas without two slips of theirs."""
    if isinstance(node, list):
        return [_mended(one) for one in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"type"} and isinstance(node["type"], dict):
        return _mended(node["type"])  # a schema wrapped in another's keyword
    made = {key: _mended(value) for key, value in node.items()}
    if made.get("title") == "Bank transaction line":
        made["required"] = [name for name in made["required"] if name != "date"]  # it has no such member
    return made


def _strict(node: Any, *, is_part: bool = False) -> Any:
    """The same schema, refusing members it does not name; parts of a composition are left to the whole."""
    if isinstance(node, list):
        return [_strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    if set(node) & {"$ref"} and not is_part:
        return {**node, "$ref": node["$ref"].replace("/schemas/", "/strict/")}
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("allOf", "anyOf", "oneOf"):
            made[key] = [_strict(one, is_part=True) for one in value]
        elif key in ("properties", "definitions"):
            made[key] = {name: _strict(one) for name, one in value.items()}
        elif key in ("items", "additionalProperties"):
            made[key] = _strict(value)
        else:
            made[key] = value
    is_object = "properties" in node or "allOf" in node
    if is_object and not is_part and "additionalProperties" not in node:
        made["unevaluatedProperties"] = False
    return made


def _leave_out(node: Any, path: list[str]) -> None:
    """Take a member away, which must be there unless its name ends in ?."""
    name, *rest = path
    for one in node if isinstance(node, list) else [node]:
        if rest:
            _leave_out(one[name], rest)
        elif name.endswith("?"):
            one.pop(name.removesuffix("?"), None)
        else:
            del one[name]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Books]]:
    db: Database = open_database(f"sqlite:///{tmp_path_factory.mktemp('schemas') / 'comptoir.db'}")
    books = [Books(db, world_of(1, "small")), *(Books(db, world_of(seed)) for seed in (21, 22, 23))]
    for one in books:
        one.sync()
    yield books
    db.close()


@pytest.mark.parametrize("data_type", sorted(SCHEMAS))
def test_every_record_has_the_published_shape(synced: list[Books], data_type: str) -> None:
    validator = _validator(SCHEMAS[data_type])
    documents = [json.loads(document) for books in synced for document in books.documents(data_type)]
    assert documents
    for document in documents:
        for path in _BEYOND.get(data_type, ()):
            _leave_out(document, path.split("."))
    wrong = [
        f"{document.get('id')} {error.json_path}: {error.message[:200]}"
        for document in documents
        for error in validator.iter_errors(document)
    ]
    assert wrong[:5] == []

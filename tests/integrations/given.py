"""Books made of given FreeAgent records, synced as any others: for records no stand-in's world would hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from tests.books import NOON, Books, world_of

from comptoir.errors import PermissionsLacking
from comptoir.integrations.contract import Kind, Resource
from comptoir.store import Database, records
from comptoir.store.datasets import Status, Warning_
from comptoir.sync import Report
from comptoir.upstream.client import Page
from freeagent_standin.world import World

__all__ = [
    "EXPLANATIONS",
    "ROOT",
    "Given",
    "GivenBooks",
    "GivenReader",
    "a_bank_account",
    "a_category",
    "a_company",
    "an_explanation",
    "an_invoice",
    "around",
    "url",
]

ROOT = "https://api.freeagent.com/v2"
EXPLANATIONS = "bank_transaction_explanations"

Given = dict[str, list[dict[str, Any]]]


def url(resource: str, number: object) -> str:
    return f"{ROOT}/{resource}/{number}"


def a_company(**more: Any) -> dict[str, Any]:
    return {
        "url": f"{ROOT}/company",
        "id": 120877,
        "name": "Alder & Finch Joinery Ltd",
        "type": "UkLimitedCompany",
        "currency": "GBP",
        "freeagent_start_date": "2023-04-01",
        "sales_tax_registration_status": "Registered",
        "sales_tax_rates": ["0.0", "5.0", "20.0"],
        **more,
    }


def a_category(code: str, name: str, group: str = "general_categories", **more: Any) -> dict[str, Any]:
    return {"#part": group, "url": url("categories", code), "nominal_code": code, "description": name, **more}


def a_bank_account(number: int = 738783, **more: Any) -> dict[str, Any]:
    return {
        "url": url("bank_accounts", number),
        "type": "StandardBankAccount",
        "name": "Main",
        "currency": "GBP",
        "status": "active",
        "opening_balance": "0.0",
        "current_balance": "0.0",
        **more,
    }


def an_invoice(number: int = 5150001, **more: Any) -> dict[str, Any]:
    """100.00 and 20.00 VAT, of which nothing is paid."""
    return {
        "url": url("invoices", number),
        "status": "Open",
        "contact": url("contacts", 4410021),
        "reference": "2024-001",
        "dated_on": "2024-05-14",
        "due_on": "2024-06-13",
        "currency": "GBP",
        "exchange_rate": "1.0",
        "net_value": "100.0",
        "sales_tax_value": "20.0",
        "total_value": "120.0",
        "due_value": "120.0",
        "invoice_items": [
            {
                "position": 1,
                "description": "Joinery",
                "item_type": "Hours",
                "quantity": "4.0",
                "price": "25.0",
                "sales_tax_rate": "20.0",
                "sales_tax_status": "TAXABLE",
                "category": url("categories", "001"),
            }
        ],
        **more,
    }


def an_explanation(number: int, gross: str, **more: Any) -> dict[str, Any]:
    return {
        "url": url(EXPLANATIONS, number),
        "bank_account": url("bank_accounts", 738783),
        "dated_on": "2024-06-20",
        "gross_value": gross,
        **more,
    }


def around() -> Given:
    return {
        "company": [a_company()],
        "categories": [
            a_category("001", "Sales", "income_categories"),
            a_category("104", "Materials", "cost_of_sales_categories"),
            a_category("285", "Accommodation and Meals", "admin_expenses_categories"),
            a_category("750-1", "Bank Account", bank_account=url("bank_accounts", 738783)),
        ],
        "contacts": [
            {"url": url("contacts", 4410021), "organisation_name": "Bramble & Oak Interiors", "status": "Active"}
        ],
        "bank_accounts": [a_bank_account()],
    }


_LEDGER = "ledger_transactions"


class GivenReader:
    """Answers with given records; a resource nobody speaks of is an empty list. Text stands for a body as it is.

    A ledger that nobody gave is refused: an empty one would say that nothing was ever posted.
    """

    def __init__(self, given: Given, refused: Sequence[str] = ()) -> None:
        self._given, self._refused = given, refused

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        if resource.name in self._refused or (resource.name == _LEDGER and _LEDGER not in self._given):
            raise PermissionsLacking("The approving user may not see this.", level_needed=resource.access_level)
        rows = self._given.get(resource.name, [])
        if resource.kind is Kind.REPORT:
            days = {value for _, value in params}
            reports = [(resource.keys[0], _body(row)) for row in rows if row.get("#on", "") in {"", *days}]
            if not rows and resource.keys == ("trial_balance_summary",):
                reports = [(resource.keys[0], b'{"trial_balance_summary":[]}')]
            return Page(total=None, has_next=False, records=reports, made_after=NOON)
        if resource.windows is not None:
            asked = dict(params)
            rows = [row for row in rows if asked["from_date"] <= row["dated_on"] <= asked["to_date"]]
        if resource.per is not None:
            wanted = {value.rsplit("/", 1)[-1] for _, value in params}
            rows = [row for row in rows if str(row.get("bank_account")).rsplit("/", 1)[-1] in wanted]
        total = len(rows) if resource.kind is Kind.LIST else None
        if total is not None:
            rows = rows[100 * (number - 1) : 100 * number]
        parts = [(row.get("#part", resource.keys[0]), _body(row)) for row in rows]
        return Page(total=total, has_next=100 * number < (total or 0), records=parts, made_after=NOON)

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        return None

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        return b"{}"


def _body(row: dict[str, Any]) -> bytes:
    if "#body" in row:
        return str(row["#body"]).encode()
    return msgspec.json.encode({name: value for name, value in row.items() if not name.startswith("#")})


@cache
def _nobodys() -> World:
    """A world that nothing is read of."""
    return world_of(1, 1)


class GivenBooks:
    """What becomes of given records. `#body` in one gives its bytes as they are, `#part` the member it stands in, `#on`
    the one day it is answered for."""

    def __init__(
        self,
        db: Database,
        given: Given | None = None,
        *,
        refused: Sequence[str] = (),
        only: Sequence[str] = (),
        **more: list[dict[str, Any]],
    ) -> None:
        """`refused` names resources that may not be seen, `only` the data types to read if not all."""
        self._books = Books(db, _nobodys())
        reader: Any = GivenReader(around() | (given or {}) | more, refused)
        self._books.engine._open = lambda _: (reader, lambda: 0)
        self.report: Report = self._books.sync(*only)

    def of(self, data_type: str) -> dict[str, dict[str, Any]]:
        """Documents by id, numbers exact."""
        documents = [json.loads(one, parse_float=Decimal) for one in self._books.documents(data_type)]
        return {document.get("id", data_type): document for document in documents}

    def records(self, data_type: str) -> list[Any]:
        return self._books.records(data_type)

    def statuses(self) -> dict[str, Status]:
        return {name: one.status for name, one in self._books.datasets().items()}

    def one(self, data_type: str, id_: str) -> dict[str, Any]:
        found = self.of(data_type)
        assert id_ in found, (sorted(found), self.warnings(data_type))
        return found[id_]

    def text(self, data_type: str) -> str:
        """The documents as they are stored."""
        return b"\n".join(self._books.documents(data_type)).decode()

    def warnings(self, data_type: str) -> list[Warning_]:
        return list(self._books.datasets()[data_type].warnings)

    def noted(self, data_type: str) -> dict[str, str]:
        """Notes by the field they speak of."""
        return {str(one.validator_name): one.message for one in self.warnings(data_type) if one.validator_name}

    def set_aside(self, data_type: str) -> dict[str, str]:
        """Reasons by the id of the record set aside."""
        return {one.item_id: one.message for one in self.warnings(data_type) if one.rule_id == "set-aside"}

    def breached(self) -> dict[str, tuple[str, ...]]:
        return {line.code: line.details for line in self.report.lines if line.state == "breached"}

    def unchecked(self) -> dict[str, str]:
        return {line.code: " ".join(line.details) for line in self.report.lines if line.state == "not checked"}

    def beside(self, data_type: str, id_: str) -> dict[str, Any]:
        """What is kept beside the record."""
        books = self._books
        with books.db.read() as tx:
            stored = records.supplemental_of(tx, books.tenant, books.company, books.connection, data_type, id_)
        return json.loads(stored or b"{}", parse_float=Decimal)  # type: ignore[no-any-return]  # an object

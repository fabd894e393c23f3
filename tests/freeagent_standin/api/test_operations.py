"""Every operation that `openapi.yaml` documents is called once, and answers as documented.

The status is the documented one, the body fits its schema read strictly (no member it does not name, none missing that
it requires), lists count themselves, what is created says where it is, deletes answer nothing, and a user whose level
is one below what an operation takes is refused. Only the Accountancy Practice API is not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from tests.freeagent_standin.api.test_shapes import _contract
from tests.freeagent_standin.api.writer import bodies, send
from tests.freeagent_standin.reader import NOON, TODAY, Reader, Row, known, number
from tests.integrations.shared import SHARED, needs_shared

from freeagent_standin.wire import Answer
from freeagent_standin.world import World, generate
from freeagent_standin.world.kinds import kind_named

pytestmark = needs_shared

PRACTICE = ("account_managers", "clients", "practice")
OAUTH = ("approve_app", "token_endpoint")
KIND_NEEDED = {
    "properties": "landlord",
    "sales_tax_periods": "universal",
    "cis_bands": "cis-subcontractor",
    "self_assessment_returns": "sole-trader",
}
"""Which company has what others have not."""
Made = dict[str, Any]


@cache
def operations() -> dict[str, tuple[str, str, Row]]:
    """Method, path and description by operationId, as far as this machine has the contract."""
    if not SHARED.exists():
        return {}
    found = {}
    for path, item in _contract()["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and path.split("/")[1] not in (*PRACTICE, *OAUTH):
                found[operation["operationId"]] = (method.upper(), path, operation)
    return found


def _world(path: str) -> tuple[str | int, str]:
    kind = next((kind for word, kind in KIND_NEEDED.items() if word in path), "")
    return (60, kind) if kind else ("small", "")


@cache
def _read_only(path: str) -> World:
    return _fresh(path) if _world(path)[1] else known("small")


def _fresh(path: str) -> World:
    size, kind = _world(path)
    world = generate(size=size, seed=1, today=TODAY, kind=kind_named(kind) if kind else None)
    if kind == "sole-trader":  # whose income is too small for any tax as the books are made
        lines = [{"description": "Work", "price": "90000"}]
        world.mutate(
            {"do": "add", "resource": "invoices", "set": {"dated_on": "2025-03-01", "invoice_items": lines}}, NOON
        )
    return world


# What is asked


def _wanted(reader: Reader, resource: str) -> Row:
    """A body that makes a record of a resource."""
    more: dict[str, Row] = {
        "capital_asset_types": {"capital_asset_type": {"name": "Kilns"}},
        "categories": {
            "category": {
                "description": "Bees",
                "nominal_code": "040",
                "category_group": "income",
                "tax_reporting_name": "Sales",
            }
        },
        "notes": {"note": {"note": "Rang"}},
        "properties": {"property": {"address1": "4 Lane"}},
        "sales_tax_periods": {
            "sales_tax_period": {
                "sales_tax_name": "GST",
                "sales_tax_registration_status": "Registered",
                "sales_tax_rate_1": "10.0",
                "sales_tax_is_value_added": True,
                "effective_date": "2026-04-01",
            }
        },
        "tasks": {"task": {"name": "Digging"}},
    }
    return more[resource] if resource in more else bodies(reader)[resource]


def _query(reader: Reader, path: str) -> Made:
    """The parameters that an address cannot do without."""
    match path:
        case "/bank_transactions" | "/bank_transaction_explanations" | "/bank_transactions/statement":
            return {"bank_account": reader.all("bank_accounts")[0]["url"]}
        case "/notes":
            return {"contact": reader.all("contacts")[0]["url"]}
        case "/tasks":
            return {"project": reader.all("projects")[0]["url"]}
        case "/bill_items":
            return {"bill": reader.all("bills")[0]["url"]}
        case "/ec_moss/sales_tax_rates":
            return {"country": "France", "date": "2026-01-01"}
        case "/cashflow":
            return {"from_date": "2026-01-01", "to_date": "2026-03-31"}
    return {}


def _made(reader: Reader, resource: str, **changes: object) -> str:
    """The id of a record made for the occasion."""
    [(singular, wanted)] = _wanted(reader, resource).items()
    body = json.dumps({singular: wanted | changes}).encode()
    given = reader.send("POST", resource, body, **_query(reader, f"/{resource}"))
    assert given.status in (200, 201), (resource, given)
    [record] = json.loads(given.body).values()
    return str(record["nominal_code"] if resource == "categories" else number(record["url"]))


def _draft_credit(reader: Reader) -> str:
    return _made(reader, "invoices", invoice_items=[{"description": "Back", "price": "-10"}])


def _last(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def _overdue(reader: Reader) -> str:
    return str(number(reader.all("invoices", view="overdue")[0]["url"]))


def _sent(reader: Reader, resource: str) -> str:
    key = _made(reader, resource)
    assert send(reader, "PUT", f"{resource}/{key}/transitions/mark_as_sent").status == 200
    return key


def _estimate_item(reader: Reader) -> str:
    estimate = reader.get(f"estimates/{_made(reader, 'estimates')}")["estimate"]
    return str(number(estimate["estimate_items"][0]["url"]))


def _started(reader: Reader) -> str:
    key = _made(reader, "timeslips")
    assert send(reader, "POST", f"timeslips/{key}/timer").status == 200
    return key


def _attachment(reader: Reader) -> str:
    return str(number(next(row for row in reader.all("bills") if "attachment" in row)["attachment"]["url"]))


def _payment_day(reader: Reader, path: str) -> str:
    if path.startswith("/payroll"):
        return str(reader.get("payroll/2026")["payments"][0]["due_on"])
    address = _filled(reader, path.split("/payments/")[0])
    [record] = reader.get(address).values()
    return str(record["payments"][0]["due_on"])


IDS: dict[str, Callable[[Reader], str]] = {
    "createEstimateItem": lambda _reader: "",
    "deleteAttachment": _attachment,
    "deleteBankAccount": lambda reader: _made(reader, "bank_accounts", opening_balance="0"),
    "deleteEstimateItem": _estimate_item,
    "deleteBankTransaction": lambda reader: str(
        number(next(row for row in reader.all("bank_transactions") if not row["bank_transaction_explanations"])["url"])
    ),
    "estimateMarkAsDraft": lambda reader: _sent(reader, "estimates"),
    "getAttachment": _attachment,
    "getBillItem": lambda reader: str(number(reader.all("bills", nested_bill_items="true")[0]["bill_items"][0]["url"])),
    "getCategory": lambda _reader: "001",
    "getLedgerTransaction": lambda reader: _last(reader.get("accounting/transactions")["transactions"][0]["url"]),
    "invoiceConvertToCreditNote": _draft_credit,
    "invoiceMarkAsCancelled": _overdue,
    "invoiceMarkAsDraft": lambda reader: _sent(reader, "invoices"),
    "creditNoteMarkAsDraft": lambda reader: _sent(reader, "credit_notes"),
    "stopTimer": _started,
    "updateEstimateItem": _estimate_item,
}
"""The record an operation is tried on, where it is not any, or one just made."""

BODIES: dict[str, Callable[[Reader], object]] = {
    "createEstimateItem": lambda reader: {
        "estimate": reader.all("estimates", view="draft")[0]["url"],
        "estimate_item": {"item_type": "Hours", "price": "9", "description": "More", "quantity": "1"},
    },
    "createInvoiceItem": lambda reader: {
        "invoice": _made(reader, "invoices"),
        "invoice_item": {"item_type": "Hours", "price": "9", "description": "More", "quantity": "1"},
    },
    "emailCreditNote": lambda _reader: {"credit_note": {"email": {"use_template": True}}},
    "emailEstimate": lambda _reader: {"estimate": {"email": {"use_template": True}}},
    "emailInvoice": lambda _reader: {"invoice": {"email": {"to": "a@example.com", "subject": "S", "body": "B"}}},
    "setAccountLock": lambda _reader: {"account_lock": {"locked_to_date": "2025-03-31"}},
    "setEstimateDefaultText": lambda _reader: {"default_additional_text": "Lasts a week"},
    "setInvoiceDefaultText": lambda _reader: {"default_additional_text": "Pay within 7 days"},
    "updateCategory": lambda _reader: {"category": {"description": "Wasps"}},
    "updateCisSettings": lambda _reader: {"cis_settings": {"contractor_details": {}}},
    "updateCurrentUser": lambda _reader: {"user": {"first_name": "Ann"}},
    "updateEstimateItem": lambda _reader: {"estimate_item": {"price": "11.5"}},
    "uploadStatement": lambda _reader: {"statement": [{"dated_on": "2026-03-30", "amount": -4.5}]},
}


def _filled(reader: Reader, path: str, operation_id: str = "") -> str:
    """The address with ids, days and years of the company's own in it."""
    filled = path
    if "{id}" in path or "{nominal_code}" in path:
        resource = path.split("/")[1]
        given = IDS.get(operation_id)
        if given is not None:
            key = given(reader)
        elif operation_id.startswith("get") or resource not in CAN_BE_MADE:
            key = str(number(reader.all(resource)[0]["url"]))
        else:
            key = _made(reader, resource)
        filled = filled.replace("{id}", key).replace("{nominal_code}", key)
    if "{payment_date}" in filled:
        filled = filled.replace("{payment_date}", _payment_day(reader, path))
    filled = filled.replace("{year}", "2026").replace("{period}", "0")
    filled = filled.replace("{user_id}", str(reader.world.users[0].id))
    if "{period_ends_on}" in filled:
        [rows] = reader.get(filled.split("/{period_ends_on}")[0].strip("/")).values()
        # The first whose payments have something to pay, and which is over.
        kept = [row for row in rows if row["period_ends_on"] < "2026-03" and row.get("payments", ["none"])]
        owed = [row for row in kept if any(each.get("status") for each in row.get("payments", ()))]
        filled = filled.replace("{period_ends_on}", (owed or kept)[0]["period_ends_on"])
    return filled.strip("/")


CAN_BE_MADE = {path.split("/")[1] for method, path, _ in operations().values() if method == "POST"} - {"estimate_items"}


def asked(reader: Reader, operation_id: str) -> tuple[str, str, bytes, Made]:
    """Method, path, body and query of one good call of an operation."""
    method, path, _ = operations()[operation_id]
    where = _filled(reader, path, operation_id)
    query = _query(reader, path)
    resource = path.split("/")[1]
    if operation_id in BODIES:
        return method, where, json.dumps(BODIES[operation_id](reader)).encode(), query
    if method in ("POST", "PUT") and resource in CAN_BE_MADE and path.count("/") == (1 if method == "POST" else 2):
        return method, where, json.dumps(_wanted(reader, resource)).encode(), query
    return method, where, b"", query


# What is answered


def faults(operation: Row, given: Answer) -> Iterator[str]:
    documented = operation["responses"].get(str(given.status))
    if documented is None or given.status >= 300:
        yield f"{given.status} {given.body!r}; documented: {', '.join(operation['responses'])}"
        return
    headers = dict(given.headers)
    if ("X-Total-Count" in headers) != bool(operation.get("x-paginated")) or ("Link" in headers) != (
        "X-Total-Count" in headers
    ):
        yield f"pages: {headers}"
    if (given.status == 201) != ("Location" in headers):
        yield f"Location: {headers.get('Location')}"
    content = documented.get("content", {}).get("application/json")
    if content is None:
        return
    schema = content["schema"] | {"components": _contract()["components"]}
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    yield from (f"{error.json_path}: {error.message}" for error in check.iter_errors(json.loads(given.body)))


@pytest.mark.parametrize("operation_id", operations())
def test_an_operation_answers_as_documented(operation_id: str) -> None:
    method, path, operation = operations()[operation_id]
    reader = Reader(_read_only(path) if method == "GET" else _fresh(path))
    _, where, body, query = asked(reader, operation_id)

    given = reader.send(method, where, body, **query)

    if operation_id == "takeInvoiceDirectDebit":  # nobody here has given a mandate
        assert given.status == 422
        return
    found = [each for each in faults(operation, given) if not _is_spelt_otherwise(operation_id, each)]
    assert found == []
    if method == "DELETE" and "content" not in operation["responses"]["200"] and operation_id not in ANSWERS_SOMETHING:
        assert given.body == b""
    assert sum(reader.trial_balance().values()) == 0


ANSWERS_SOMETHING = ("deleteTimeslip", "stopTimer")
"""An empty object, which a published client reads; and the record, as live answers to changes have it."""


def _is_spelt_otherwise(operation_id: str, fault: str) -> bool:
    """Totals of a profit and loss have no decimals, which the strict reading of the other tests asks for."""
    return operation_id == "getProfitAndLoss" and re.search(r"'-?\d+' ", fault) is not None


@pytest.mark.parametrize(
    "operation_id",
    [name for name, (*_, operation) in operations().items() if operation.get("x-min-access-level", 1) > 1],
)
def test_an_operation_is_refused_to_who_is_one_level_short(operation_id: str) -> None:
    method, path, operation = operations()[operation_id]
    reader = Reader(_read_only(path) if method == "GET" else _fresh(path))
    _, where, body, query = asked(reader, operation_id)
    reader.level = operation["x-min-access-level"] - 1
    before = reader.world.revision

    given = reader.send(method, where, body, **query)

    assert given.status == 403
    assert "errors" in json.loads(given.body)
    assert reader.world.revision == before


@pytest.mark.parametrize("head", PRACTICE)
def test_the_practice_api_is_not_there(head: str) -> None:
    assert Reader(known("small")).call(head).status == 404

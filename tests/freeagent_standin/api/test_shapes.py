"""Every record served has the published shape, and the spelling that the live API's recorded answers have.

`openapi.yaml` says which members there are, and is read strictly here: no member it does not name, no member that is
for writing only, every value of the type, form or list of values it gives. The captures say how live answers spell
what the documentation leaves open: decimals with at least one decimal and no zero too many, instants with
milliseconds, which members are there whatever the record, and where references lead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from tests.freeagent_standin.api.test_written_attributes import KEPT
from tests.freeagent_standin.api.writer import CREATED, bodies
from tests.freeagent_standin.reader import LISTS, ORIGIN, PER_ACCOUNT, Reader, Row, fresh, known, number
from tests.integrations.shared import SHARED, needs_shared

pytestmark = needs_shared

SCHEMAS = {
    "bank_accounts": "BankAccount",
    "bank_feeds": "BankFeed",
    "bank_transaction_explanations": "BankTransactionExplanation",
    "bank_transactions": "BankTransaction",
    "bills": "Bill",
    "capital_asset_types": "CapitalAssetType",
    "capital_assets": "CapitalAsset",
    "contacts": "Contact",
    "credit_note_reconciliations": "CreditNoteReconciliation",
    "credit_notes": "CreditNote",
    "estimates": "Estimate",
    "expenses": "Expense",
    "hire_purchases": "HirePurchase",
    "invoices": "Invoice",
    "journal_sets": "JournalSet",
    "price_list_items": "PriceListItem",
    "projects": "Project",
    "recurring_invoices": "RecurringInvoice",
    "stock_items": "StockItem",
    "tasks": "Task",
    "timeslips": "Timeslip",
    "users": "User",
}
NESTED = {
    "bills": "nested_bill_items",
    "capital_assets": "include_history",
    "credit_notes": "nested_credit_note_items",
    "estimates": "nested_estimate_items",
    "invoices": "nested_invoice_items",
    "projects": "nested",
    "timeslips": "nested",
}
HELD = {"bills": "bill_items", "credit_notes": "credit_note_items", "invoices": "invoice_items"}
DECIMAL = r"^-?(0|[1-9]\d*)\.(\d|\d*[1-9])$"
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$"
DAY = r"^\d{4}-\d\d-\d\d$"

# Members that every captured record has, and some of ours have not, because they have no value there.
MAY_LACK = {
    "bank_account": {"account_number", "sort_code"},
    "bank_transaction_explanation": {"category", "detail", "sales_tax_rate", "sales_tax_status", "sales_tax_value"},
    "contact": {"country", "email", "organisation_name"},
    "invoice": {"bank_account", "project", "invoice_items"},
    "invoice_item": {"category", "item_type", "project"},
    "price_list_item": {"item_type"},
    "timeslip": {"comment"},
    "category": {"allowable_for_tax", "auto_sales_tax_rate", "tax_reporting_name"},
    "trial_balance_line": {"bank_account"},
}


# The contract, read strictly


def _strict(schema: Any) -> Any:
    """The schema closed against members it does not name, and spelt as the live API spells."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _strict(value) for key, value in schema.items()}
    if isinstance(closed.get("properties"), dict):
        closed["properties"] = {
            name: each
            for name, each in closed["properties"].items()
            if not (isinstance(each, dict) and (each.get("writeOnly") or each.get("deprecated")))
        }
        if "filed_at" in closed["properties"]:  # spelt with an offset
            closed["properties"]["filed_at"] = {"type": "string", "pattern": r"\.000\+00:00$"}
        if "type" in closed:  # without one it only adds to another schema
            closed.setdefault("additionalProperties", False)
    if closed.get("format") == "date-time":
        closed["pattern"] = INSTANT
    elif closed.get("format") == "date":
        closed["pattern"] = DAY
    elif closed.get("format") == "uri":
        closed["pattern"] = "^" + re.escape(ORIGIN) + "/(v2|files)/"
    if isinstance(closed.get("x-target"), str) and "varies" not in closed["x-target"]:
        targets = closed["x-target"].replace(", ", "|").replace(" or ", "|")
        closed["pattern"] = "^" + re.escape(ORIGIN) + rf"/v2/({targets})/[\w-]+$"
    if closed.get("type") == "string" and "enum" not in closed:
        closed.setdefault("minLength", 1)
    return closed


@cache
def _contract() -> dict[str, Any]:
    contract = _strict(yaml.safe_load((SHARED / "freeagent" / "openapi.yaml").read_text(encoding="utf-8")))
    schemas = contract["components"]["schemas"]
    schemas["Decimal"] = {"type": "string", "pattern": DECIMAL, "not": {"pattern": r"^-0\.0$"}}
    schemas["DecimalLoose"] = {"anyOf": [schemas["Decimal"], {"type": "integer"}]}
    # What several schemas say together is one schema, closed against what none of them says.
    every = schemas["RecurringInvoice"].pop("allOf")
    together = {
        name: each for part in every for name, each in schemas[part["$ref"].rsplit("/", 1)[-1]]["properties"].items()
    }
    schemas["RecurringInvoice"] |= {"type": "object", "properties": together, "additionalProperties": False}
    # Addresses of the company are sent empty too, as captured.
    for name in ("address1", "address2", "address3"):
        schemas["Company"]["properties"][name] = {"type": "string"}
    return dict(contract)


@cache
def _validator(name: str) -> Any:
    """The check of a schema, or of the answer to reading a path."""
    document: dict[str, Any] = {"$ref": f"#/components/schemas/{name}"}
    if name.startswith("/"):
        answered = _contract()["paths"][name]["get"]["responses"]["200"]
        document = dict(answered["content"]["application/json"]["schema"])
    document["components"] = _contract()["components"]
    kind = jsonschema.Draft202012Validator
    kind.check_schema(document)
    return kind(document, format_checker=jsonschema.FormatChecker())


def faults(name: str, record: object) -> list[str]:
    """What the contract has against a record: where, what and why."""
    return [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(record)]


# What live answers look like


@cache
def _captured(file: str) -> Any:
    return json.loads((SHARED / "freeagent" / "captures" / f"{file}.json").read_text(encoding="utf-8"))


def _kind(value: object) -> str:
    """What a value is, as far as spelling tells."""
    if not isinstance(value, str):
        return type(value).__name__
    for kind, pattern in (("decimal", DECIMAL), ("instant", INSTANT), ("day", DAY)):
        if re.match(pattern, value):
            return kind
    if value.startswith("http"):
        path = re.sub(r"^https?://[^/]+", "", value)
        return "reference to " + path.rsplit("/", 1)[0] if path.startswith("/v2/") else "address"
    return "text"


def unlike(captured: list[Row], record: Row, *, may_lack: set[str]) -> list[str]:
    """Where a record differs from the captured ones of its resource."""
    always = set.intersection(*(set(row) for row in captured))
    found = [f"{name} is missing" for name in sorted(always - set(record) - may_lack)]
    for name, value in record.items():
        kinds = {_kind(row[name]) for row in captured if name in row}
        if kinds and _kind(value) not in kinds and not ("text" in kinds and isinstance(value, str)):
            found.append(f"{name} is {_kind(value)}: {value!r}; captured: {', '.join(sorted(kinds))}")
    return found


# Worlds


WORLDS = ("small-1", "small-2", "60-2", "60-5", "60-8", "60-11", "120-7")


def _reader(world: str) -> Reader:
    size, _, seed = world.partition("-")
    return Reader(known(size if size == "small" else int(size), int(seed)))


def _rows(reader: Reader, name: str) -> Iterator[tuple[str, Row]]:
    """Every record in every form it is served in."""
    for row in reader.all(name):
        yield "list", row
        yield "single", next(iter(reader.get(f"{name}/{number(row['url'])}").values()))
    if name in NESTED:
        for row in reader.all(name, **{NESTED[name]: "true"}):
            yield "nested", row


def test_the_worlds_looked_at_are_of_every_kind() -> None:
    companies = [_reader(world).world.company for world in WORLDS]

    for trait in ("type", "vat_registered", "cis_subcontractor", "cis_contractor"):
        assert len({getattr(company, trait) for company in companies}) >= 2, trait
    assert {len({row["currency"] for row in _reader(world).all("invoices")}) > 1 for world in WORLDS} == {True, False}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", SCHEMAS)
def test_every_record_is_as_the_contract_says(world: str, name: str) -> None:
    assert set(SCHEMAS) == {*LISTS, *PER_ACCOUNT}
    reader = _reader(world)

    found = {(form, fault) for form, row in _rows(reader, name) for fault in faults(SCHEMAS[name], row)}

    assert found == set()


def test_records_written_by_callers_are_as_the_contract_says() -> None:
    reader = Reader(fresh())
    for path in CREATED:
        given = msgspec.json.encode(bodies(reader)[path])
        assert reader.send("POST", path, given).status == 201, path
    for path, attributes in KEPT:
        [body] = bodies(reader)[path].values()
        assert reader.send("POST", path, msgspec.json.encode(body | attributes)).status == 201, path
    reader.world.mutate({"do": "advance", "days": 20}, reader.now)
    reader.world.mutate({"do": "lock", "until": "2026-03-29"}, reader.now)

    found = {(n, form, fault) for n in SCHEMAS for form, row in _rows(reader, n) for fault in faults(SCHEMAS[n], row)}

    assert found == set()


@pytest.mark.parametrize("world", WORLDS)
def test_documents_without_pages_are_as_the_contract_says(world: str) -> None:
    reader = _reader(world)
    company = reader.get("company")["company"]
    groups = reader.get("categories")
    sub_accounts = reader.get("categories", sub_accounts="true")
    codes = {row["nominal_code"] for each in (groups, sub_accounts) for rows in each.values() for row in rows}
    balance = [
        *reader.get("accounting/trial_balance/summary")["trial_balance_summary"],
        *reader.get("accounting/trial_balance/summary/opening_balances")["trial_balance_summary"],
    ]

    assert faults("Company", company) == []
    assert faults("CategoryGroups", groups) == []
    assert faults("CategoryGroups", sub_accounts) == []
    assert [
        fault for code in sorted(codes) for fault in faults("CategorySingle", reader.get(f"categories/{code}"))
    ] == []
    assert [fault for line in balance for fault in faults("TrialBalanceLine", line)] == []
    assert faults("User", reader.get("users/me")["user"]) == []
    for bill in reader.all("bills", nested_bill_items="true"):
        items = reader.get("bill_items", bill=bill["url"])["bill_items"]
        assert items == bill["bill_items"]
        assert [fault for item in items for fault in faults("BillItem", item)] == []
    for row in (*reader.all("bills"), *reader.all("expenses"), *reader.all("bank_transaction_explanations")):
        if "attachment" in row:
            file = reader.get(f"attachments/{number(row['attachment']['url'])}")["attachment"]
            assert faults("Attachment", file) == []
            assert unlike([_captured("attachments")["attachment"]], file, may_lack=set()) == []


@pytest.mark.parametrize(
    "path",
    [
        *("company/business_categories", "company/tax_timeline", "expenses/mileage_settings", "invoices/timeline"),
        *("invoices/default_additional_text", "invoices/{id}/pdf", "credit_notes/{id}/pdf", "email_addresses"),
        *("bank_feeds", "stock_items", "recurring_invoices", "capital_assets", "hire_purchases", "estimates", "tasks"),
        "timeslips",
    ],
)
def test_documents_beside_the_lists_are_as_the_contract_says(path: str) -> None:
    reader = _reader("small-1")
    name = path.partition("/")[0]
    key = str(number(reader.all(name)[0]["url"])) if "{id}" in path else ""

    answered = reader.get(path.replace("{id}", key))

    assert faults(f"/{path}", answered) == []


@pytest.mark.parametrize("world", WORLDS)
def test_every_record_looks_like_those_of_the_live_api(world: str) -> None:
    reader = _reader(world)
    files = (
        "capital_asset_types",
        "tasks",
        "timeslips",
        "bank_accounts",
        "bank_transaction_explanations",
        "contacts",
        "invoices",
        "price_list_items",
        "projects",
        "users",
    )
    found: set[str] = set()

    for name in files:
        captured = _captured(name)[name]
        singular = name.removesuffix("s")
        may_lack = MAY_LACK.get(singular, set())
        for form, row in _rows(reader, name):
            found |= {f"{singular} ({form}): {each}" for each in _unlike_but_nested(captured, row, may_lack)}
            for item in row.get("invoice_items", ()):
                items = [each for known_one in captured for each in known_one["invoice_items"]]
                found |= {f"item: {each}" for each in unlike(items, item, may_lack=MAY_LACK["invoice_item"])}
    company = reader.get("company")["company"]
    may_lack = set() if company["type"] == "UkLimitedCompany" else {"company_registration_number"}
    found |= set(unlike([_captured("company")["company"]], company, may_lack=may_lack))
    live = _captured("categories")
    rows = [row for group in live.values() for row in group]
    for query in ({}, {"sub_accounts": "true"}):
        ours = reader.get("categories", **query)
        assert list(ours) == list(live)
        for group in ours.values():
            found |= {each for row in group for each in unlike(rows, row, may_lack=MAY_LACK["category"])}
    lines = _captured("trial_balance")["trial_balance_summary"]
    for line in reader.get("accounting/trial_balance/summary")["trial_balance_summary"]:
        found |= set(unlike(lines, line, may_lack=MAY_LACK["trial_balance_line"]))

    assert found == set()


def _unlike_but_nested(captured: list[Row], row: Row, may_lack: set[str]) -> list[str]:
    """`nested=true` puts whole records in the place of their addresses."""
    related = ("contact", "project", "task", "user")
    plain = {key: value for key, value in row.items() if key not in related or isinstance(value, str)}
    return unlike(captured, plain, may_lack=may_lack | (set(row) - set(plain)))

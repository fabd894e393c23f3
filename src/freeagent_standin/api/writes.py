"""Records created, changed and deleted through the API, with the answers FreeAgent gives to good and bad ones.

Creates answer 201 with Location, changes 200 with the record, deletes 200 with an empty body. Refusals: 400 for what is
no JSON, 403 for a contact or project still in use and for what lies in a locked period, 409 for anything else that
others rest on, 422 for values that make no sense or are locked (https://dev.freeagent.com/docs, one page a resource).
Which attributes are kept is in `world.parts`, `world.writing` and `world.rewriting`; others are ignored. Inferred: the
wording, except of locked items and records, and that missing attributes are told by attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.api.answers import Refusal, bad_request, blank, forbidden, not_found, unprocessable
from freeagent_standin.api.desk import Desk, day_text
from freeagent_standin.api.lists import identifier
from freeagent_standin.api.sales import items_of
from freeagent_standin.world.entities import SalesDocument
from freeagent_standin.world.kinds import LANDLORD
from freeagent_standin.world.wishes import day_of

CREATED: Mapping[str, tuple[str, ...]] = {
    "contacts": (),
    "projects": ("contact", "name"),
    "price_list_items": ("code", "description", "price"),
    "invoices": ("contact", "dated_on", "payment_terms_in_days"),
    "credit_notes": ("contact", "dated_on"),
    "credit_note_reconciliations": ("credit_note", "invoice", "gross_value"),
    "bills": ("contact", "reference", "dated_on", "due_on", "bill_items"),
    "expenses": ("user", "category", "dated_on", "description"),
    "bank_transaction_explanations": ("dated_on", "gross_value"),
    "bank_accounts": ("name", "opening_balance"),
    "journal_sets": ("dated_on", "description", "journal_entries"),
    "users": ("email", "first_name", "last_name", "role"),
    "tasks": ("name",),
    "timeslips": ("task", "user", "project", "dated_on", "hours"),
    "notes": ("note",),
    "estimates": ("status", "estimate_type", "contact", "reference", "dated_on", "currency"),
    "capital_asset_types": ("name",),
    "properties": ("address1",),
    "sales_tax_periods": (
        *("sales_tax_name", "sales_tax_registration_status", "sales_tax_rate_1", "sales_tax_is_value_added"),
        "effective_date",
    ),
}
"""What can be created, and what it cannot be without."""
DELETED = frozenset(CREATED) | {"bank_transactions"}
_TOGETHER = ("expenses", "timeslips")
"""What several of can be created at once."""
_PARENTS: Mapping[str, tuple[str, ...]] = {"tasks": ("project",), "notes": ("contact", "project")}
"""Whose a new record is to be is said in the query."""
_ALWAYS_DRAFT = frozenset({"invoices", "credit_notes"})
_EXPLANATIONS = "bank_transaction_explanations"
_FOR_A_PROPERTY = frozenset({"invoices", "credit_notes", "bills", "expenses", _EXPLANATIONS})
"""What a landlord makes for one of the properties."""
_MOVES = {
    ("invoices", "mark_as_draft"): "Draft",
    ("invoices", "mark_as_scheduled"): "Scheduled To Email",
    ("invoices", "mark_as_sent"): "Sent",
    ("invoices", "mark_as_cancelled"): "",
    ("credit_notes", "mark_as_draft"): "Draft",
    ("credit_notes", "mark_as_sent"): "Sent",
}
_ESTIMATE_MOVES = {
    "mark_as_draft": "Draft",
    "mark_as_sent": "Sent",
    "mark_as_approved": "Approved",
    "mark_as_rejected": "Rejected",
}


def created(desk: Desk, resource: str, singular: str) -> int:
    """POST to a list; returns the id of the new record."""
    if resource not in CREATED:
        raise not_found()
    wanted = _body(desk, singular) | _parent(desk, resource)
    _refuse_what_is_missing(desk, resource, wanted)
    if resource == "notes":
        wanted["author"] = desk.world.people[desk.call.user_id].name
    return _create(desk, resource, singular, wanted)


def _parent(desk: Desk, resource: str) -> dict[str, Any]:
    names = _PARENTS.get(resource, ())
    given = {name: value for name, value in desk.call.query if name in names and value}
    if names and not given:
        raise bad_request(f"{' or '.join(names)} parameter is required")
    return given


def created_together(desk: Desk, resource: str, singular: str) -> list[int] | None:
    """POST of several records under the plural root key, all or none; None when it is not one of those."""
    document = _json(desk)
    rows = document.get(resource) if isinstance(document, dict) else None
    if resource not in _TOGETHER or not isinstance(rows, list):
        return None
    for row in rows:
        if not isinstance(row, dict):
            raise bad_request(f"param is missing or the value is empty: {singular}")
        _refuse_what_is_missing(desk, resource, row)
    numbers: list[int] = []
    try:
        for row in rows:
            numbers.append(_create(desk, resource, singular, dict(row)))
    except Refusal:
        for number in numbers:
            _apply(desk, {"do": "delete", "resource": resource, "id": number})
        raise
    return numbers


def _refuse_what_is_missing(desk: Desk, resource: str, wanted: Mapping[str, Any]) -> None:
    missing = [name for name in CREATED[resource] if wanted.get(name) in (None, "", [])]
    if resource == "contacts" and not any(
        wanted.get(name) for name in ("organisation_name", "first_name", "last_name")
    ):
        missing = ["organisation_name"]
    if resource == "expenses" and wanted.get("category") != "Mileage" and wanted.get("gross_value") in (None, ""):
        missing.append("gross_value")
    is_for_a_property = resource in _FOR_A_PROPERTY and (resource != _EXPLANATIONS or wanted.get("category"))
    if desk.world.company.type == LANDLORD and is_for_a_property and not wanted.get("property"):
        missing.append("property")
    if missing:
        raise blank(*missing)


def _refuse_what_is_locked(desk: Desk, singular: str, *days: object) -> None:
    """A record of the locked period stays as it is, and none can be put there; hours and estimates are no accounts."""
    if singular in ("timeslip", "estimate"):
        return
    for day in days:
        try:
            is_locked = day is not None and desk.world.is_locked(day_of(day))
        except ValueError:
            continue  # refused for what it is, elsewhere
        if is_locked:
            raise forbidden(f"{singular.replace('_', ' ').capitalize()} is locked.")


def _create(desk: Desk, resource: str, singular: str, wanted: dict[str, Any]) -> int:
    _refuse_what_is_locked(desk, singular, wanted.get("dated_on"))
    if resource in _ALWAYS_DRAFT:
        wanted |= {"status": "Draft", f"{singular}_items": wanted.get(f"{singular}_items") or []}
    return int(_change(desk, {"do": "add", "resource": resource, "set": wanted, "by": "api"})["id"])


def changed(desk: Desk, resource: str, singular: str, record: Any, *, except_for: str = "") -> None:
    """PUT to a record; an attribute that may not be changed here is left as it is."""
    if resource not in CREATED:
        raise not_found()
    wanted = _body(desk, singular)
    wanted.pop(except_for, None)
    _refuse_what_is_locked(desk, singular, getattr(record, "dated_on", None), wanted.get("dated_on"))
    if resource in _ALWAYS_DRAFT:
        wanted.pop("status", None)
        if record.status == "sent":
            names = _locked_names(desk, record, wanted.pop(f"{singular}_items", None))
            if names:
                raise unprocessable(*(f"{singular}_items.{name} is locked and cannot be changed" for name in names))
    _change(desk, {"do": "change", "resource": resource, "id": record.id, "set": wanted, "by": "api"})


def _locked_names(desk: Desk, document: SalesDocument, rows: object) -> list[str]:
    """What a caller would change in the lines of a sent document; lines sent back as they were read change nothing."""
    shown = {str(item["url"]).rsplit("/", 1)[-1]: item for item in items_of(desk, document)}
    names: dict[str, None] = {}
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, dict):
            continue
        there = shown.get(str(row.get("url") or row.get("id") or "").rsplit("/", 1)[-1], {})
        differing = [name for name, value in row.items() if not _is_same(there.get(name), value)]
        names |= dict.fromkeys(name for name in differing if name not in ("url", "id"))
        if not there and not differing:
            names["description"] = None
    return list(names)


def _is_same(shown: object, value: object) -> bool:
    if isinstance(shown, str) and isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return Decimal(shown) == Decimal(str(value))
        except ArithmeticError:
            return shown == str(value)
    return shown == value


def moved(desk: Desk, resource: str, singular: str, record: Any, transition: str) -> None:
    """PUT to a transition of an invoice, a credit note or an estimate."""
    if resource == "estimates":
        _estimate_moved(desk, record, transition)
        return
    if (resource, transition) not in _MOVES:
        raise not_found()
    _refuse_what_is_locked(desk, singular, record.dated_on)
    if transition == "mark_as_cancelled":
        if record.due_on >= desk.today:
            raise unprocessable("Only an overdue invoice can be cancelled")
        _change(desk, {"do": "write_off", "resource": resource, "id": record.id})
    else:
        status = _MOVES[resource, transition]
        op = {"do": "change", "resource": resource, "id": record.id, "set": {"status": status}}
        _change(desk, op)


def _estimate_moved(desk: Desk, record: Any, transition: str) -> None:
    if transition == "convert_to_invoice":
        _change(desk, {"do": "convert", "resource": "estimates", "id": record.id})
    elif transition in _ESTIMATE_MOVES:
        wanted = {"status": _ESTIMATE_MOVES[transition]}
        _change(desk, {"do": "change", "resource": "estimates", "id": record.id, "set": wanted})
    else:
        raise not_found()


def item_of_estimate_written(desk: Desk, number: int | None) -> int:
    """POST, PUT or DELETE of a line of an estimate; returns the line's id."""
    held = desk.world.held
    if number is None:
        document = _json(desk)
        named_in = document.get("estimate") if isinstance(document, dict) else None
        if not named_in:
            raise blank("estimate")
        wanted = _body(desk, "estimate_item")
        missing = [name for name in ("item_type", "price", "description") if wanted.get(name) in (None, "")]
        if missing:
            raise blank(*missing)
        return int(_change(desk, {"do": "estimate_item", "estimate": named_in, "set": wanted, "by": "api"})["id"])
    estimate = held.estimate_with(number)
    if estimate is None:
        raise not_found()
    op: dict[str, Any] = {"do": "estimate_item", "estimate": estimate.id, "item": number}
    if desk.call.method == "DELETE":
        op["remove"] = True
    else:
        op |= {"set": _body(desk, "estimate_item"), "by": "api"}
    _change(desk, op)
    return number


def item_of_invoice_added(desk: Desk) -> Any:
    """POST of a line of an invoice; returns the invoice, whose last line it is."""
    document = _json(desk)
    named_in = identifier(str(document.get("invoice") or "")) if isinstance(document, dict) else None
    if named_in is None:
        raise blank("invoice")
    invoice = desk.world.invoices.get(named_in)
    if invoice is None:
        raise not_found()
    _refuse_what_is_locked(desk, "invoice", invoice.dated_on)
    wanted = {name: value for name, value in _body(desk, "invoice_item").items() if name not in ("url", "id")}
    if invoice.status == "sent":
        raise unprocessable("invoice_items.description is locked and cannot be changed")
    op = {"do": "change", "resource": "invoices", "id": invoice.id, "set": {"invoice_items": [wanted]}, "by": "api"}
    _change(desk, op)
    return desk.world.invoices[invoice.id]


def credited(desk: Desk, invoice: Any) -> int:
    """PUT of a negative draft invoice's change into a credit note; returns the credit note's id."""
    _refuse_what_is_locked(desk, "invoice", invoice.dated_on)
    return int(_change(desk, {"do": "convert", "resource": "invoices", "id": invoice.id})["credit_note"])


def default_text_written(desk: Desk, resource: str) -> None:
    """PUT and DELETE of the text below every invoice or estimate."""
    text: object = ""
    if desk.call.method != "DELETE":
        text = _body(desk, "").get("default_additional_text")
        if not isinstance(text, str):
            raise blank("default_additional_text")
    _change(desk, {"do": "default_text", "resource": resource, "text": text})


def timed(desk: Desk, record: Any, *, runs: bool) -> None:
    """The timer of a timeslip started or stopped."""
    _change(desk, {"do": "timer", "timeslip": record.id, "running": runs})


def deleted(desk: Desk, resource: str, singular: str, record: Any) -> None:
    """DELETE of a record."""
    if resource not in DELETED:
        raise not_found()
    _refuse_what_is_locked(desk, singular, getattr(record, "dated_on", None))
    try:
        _apply(desk, {"do": "delete", "resource": resource, "id": record.id})
    except ValueError as problem:
        status = 403 if resource in ("contacts", "projects") else 409
        raise Refusal(status, {"error": {"message": str(problem)}}) from problem


def scheme_changed(desk: Desk) -> None:
    """PUT of the CIS settings: a part given null leaves that side of the scheme, a part given joins it."""
    wanted = _body(desk, "cis_settings")
    sides = {"contractor_details": "contractor", "subcontractor_details": "subcontractor"}
    op: dict[str, Any] = {side: wanted[name] is not None for name, side in sides.items() if name in wanted}
    try:
        _apply(desk, {"do": "cis", **op})
    except ValueError as problem:
        raise Refusal(409, {"error": {"message": str(problem)}}) from problem


def category_written(desk: Desk, code: str) -> str:
    """POST, PUT or DELETE of a category; returns its code."""
    if desk.call.method == "DELETE":
        return str(_change(desk, {"do": "category", "code": code, "remove": True})["code"])
    wanted = _body(desk, "category")
    if not code:
        missing = [name for name in ("description", "nominal_code", "category_group") if not wanted.get(name)]
        if missing:
            raise blank(*missing)
    return str(_change(desk, {"do": "category", "code": code, "set": wanted, "by": "api"})["code"])


def duplicated(desk: Desk, resource: str, singular: str, record: Any) -> int:
    """A draft of today with the lines of another document."""
    _refuse_what_is_locked(desk, singular, desk.today)
    return int(_change(desk, {"do": "duplicate", "resource": resource, "id": record.id})["id"])


def imported(desk: Desk, account: int, lines: list[dict[str, str]]) -> None:
    """Lines of a statement, on their way from now on; nothing is said of those that were dropped."""
    if lines:
        _change(desk, {"do": "import", "bank_account": account, "lines": lines})


def marked(desk: Desk, op: dict[str, Any]) -> None:
    """PUT of a mark on a return to the tax office."""
    _change(desk, op)


def locked(desk: Desk) -> None:
    """PUT and DELETE of the lock that users set (https://dev.freeagent.com/docs/account_locks)."""
    until = None
    if desk.call.method != "DELETE":
        try:
            until = day_text(date.fromisoformat(str(_body(desk, "account_lock").get("locked_to_date"))))
        except ValueError as error:
            raise bad_request("locked_to_date is not a valid date") from error
    _change(desk, {"do": "lock", "until": until})


def detached(desk: Desk, resource: str, record: Any) -> None:
    """DELETE of an attachment: the record it hangs on stays."""
    _change(desk, {"do": "change", "resource": resource, "id": record.id, "set": {"attachment": None}, "by": "api"})


def _json(desk: Desk) -> Any:
    try:
        return msgspec.json.decode(desk.call.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise bad_request("The body is not JSON") from error


def _body(desk: Desk, singular: str) -> dict[str, Any]:
    """The attributes sent, with or without the root key."""
    document = _json(desk)
    if isinstance(document, dict) and singular in document:
        document = document[singular]
    if not isinstance(document, dict):
        raise bad_request(f"param is missing or the value is empty: {singular}")
    if singular == "capital_asset_type" and document.keys() - {"name"}:
        raise bad_request(f"These cannot be set: {', '.join(sorted(document.keys() - {'name'}))}")
    return dict(document)


def _change(desk: Desk, op: dict[str, Any]) -> dict[str, Any]:
    try:
        return _apply(desk, op)
    except ValueError as problem:
        raise unprocessable(str(problem).removesuffix(".")) from problem


def _apply(desk: Desk, op: dict[str, Any]) -> dict[str, Any]:
    return desk.change(op)

"""Records created, changed and deleted through the API, with the answers FreeAgent gives to good and bad ones.

Creates answer 201 with Location, changes 200 with the record, deletes 200 with an empty body. Refusals: 400 for what is
no JSON, 403 for a contact or project still in use, 409 for anything else that others rest on, 422 for values that make
no sense or are locked (https://dev.freeagent.com/docs, one page a resource). Which attributes are kept is in
`world.parts`, `world.writing` and `world.rewriting`; others are ignored. Inferred: the wording, except of locked items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from freeagent_standin.api.answers import Refusal, bad_request, not_built, not_found, unprocessable
from freeagent_standin.api.desk import Desk

CREATED: Mapping[str, tuple[str, ...]] = {
    "contacts": (),
    "projects": ("contact", "name"),
    "price_list_items": ("code", "description"),
    "invoices": ("contact", "dated_on", "payment_terms_in_days"),
    "credit_notes": ("contact", "dated_on"),
    "credit_note_reconciliations": ("credit_note", "invoice", "gross_value", "dated_on"),
    "bills": ("contact", "reference", "dated_on", "due_on"),
    "expenses": ("user", "category", "dated_on"),
    "bank_transaction_explanations": ("dated_on",),
}
"""What can be created, and what it cannot be without."""
CHANGED = frozenset(CREATED) - {"credit_note_reconciliations"} | {"bank_accounts", "users"}
DELETED = frozenset(CREATED) | {"bank_transactions", "bank_accounts"}
_ALWAYS_DRAFT = frozenset({"invoices", "credit_notes"})
_MOVES = {
    "mark_as_draft": "Draft",
    "mark_as_scheduled": "Scheduled To Email",
    "mark_as_sent": "Sent",
    "mark_as_cancelled": "",
}


def created(desk: Desk, resource: str, singular: str) -> int:
    """POST to a list; returns the id of the new record."""
    if resource not in CREATED:
        raise not_built("POST", resource)
    wanted = _body(desk, singular)
    missing = [name for name in CREATED[resource] if wanted.get(name) in (None, "")]
    if resource == "contacts" and not any(
        wanted.get(name) for name in ("organisation_name", "first_name", "last_name")
    ):
        missing = ["organisation_name"]
    if missing:
        raise unprocessable(*(f"{name.replace('_', ' ').capitalize()} can't be blank" for name in missing))
    if resource in _ALWAYS_DRAFT:
        wanted |= {"status": "Draft", f"{singular}_items": wanted.get(f"{singular}_items") or []}
    number = _change(desk, {"do": "add", "resource": resource, "set": wanted, "by": "api"})["id"]
    return int(number)


def changed(desk: Desk, resource: str, singular: str, record: Any) -> None:
    """PUT to a record."""
    if resource not in CHANGED:
        raise not_built(desk.call.method, f"{resource}/{record.id}")
    wanted = _body(desk, singular)
    if resource in _ALWAYS_DRAFT:
        wanted.pop("status", None)
        rows = wanted.get(f"{singular}_items")
        if rows and record.status == "sent":
            first = rows[0] if isinstance(rows, list) and isinstance(rows[0], dict) else {}
            names = [name for name in first if name not in ("url", "id")] or ["description"]
            raise unprocessable(*(f"{singular}_items.{name} is locked and cannot be changed" for name in names))
    _change(desk, {"do": "change", "resource": resource, "id": record.id, "set": wanted, "by": "api"})


def moved(desk: Desk, resource: str, record: Any, transition: str) -> None:
    """PUT to a transition of an invoice or a credit note."""
    if resource not in _ALWAYS_DRAFT or transition not in _MOVES:
        raise not_found()
    if transition == "mark_as_cancelled":
        _change(desk, {"do": "write_off", "resource": resource, "id": record.id})
    else:
        status = _MOVES[transition]
        op = {"do": "change", "resource": resource, "id": record.id, "set": {"status": status}}
        _change(desk, op)


def deleted(desk: Desk, resource: str, record: Any) -> None:
    """DELETE of a record."""
    if resource not in DELETED:
        raise not_built("DELETE", f"{resource}/{record.id}")
    try:
        _apply(desk, {"do": "delete", "resource": resource, "id": record.id})
    except ValueError as problem:
        status = 403 if resource in ("contacts", "projects") else 409
        raise Refusal(status, {"error": {"message": str(problem)}}) from problem


def _body(desk: Desk, singular: str) -> dict[str, Any]:
    """The attributes sent, with or without the root key."""
    try:
        document = msgspec.json.decode(desk.call.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise bad_request("The body is not JSON") from error
    if isinstance(document, dict) and singular in document:
        document = document[singular]
    if not isinstance(document, dict):
        raise bad_request(f"param is missing or the value is empty: {singular}")
    return dict(document)


def _change(desk: Desk, op: dict[str, Any]) -> dict[str, Any]:
    try:
        return _apply(desk, op)
    except ValueError as problem:
        raise unprocessable(str(problem).removesuffix(".")) from problem


def _apply(desk: Desk, op: dict[str, Any]) -> dict[str, Any]:
    change = desk.call.change
    return desk.world.mutate(op, desk.call.now) if change is None else change(op)

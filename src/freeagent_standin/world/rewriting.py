"""Records changed to what a caller sets, with all that follows from it posted anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts, explaining, parts, rates
from freeagent_standin.world.amounts import inclusive_tax, times
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import (
    BankAccount,
    Bill,
    Contact,
    CreditNote,
    Expense,
    Explanation,
    Invoice,
    PriceListItem,
    Project,
    Record,
    User,
)
from freeagent_standin.world.wishes import Wishes, named


def changed(world: World, record: Record, wishes: Wishes, *, at: int) -> None:
    """Replace a record by one with other values, and post what follows from it."""
    change = _CHANGE.get(type(record))
    if change is None:
        raise ValueError(f"A {type(record).__name__} cannot be changed.")
    fields = change(world, record, wishes)
    wishes.done()
    world.replace(msgspec.structs.replace(record, updated_at=at, **fields))


def _project_fields(world: World, record: Project, wishes: Wishes) -> dict[str, Any]:
    return {name: wishes.text(name) for name in ("name", "status") if name in wishes}


def _bank_account_fields(world: World, record: BankAccount, wishes: Wishes) -> dict[str, Any]:
    names = ("name", "status", "bank_name", "account_number", "sort_code")
    return {name: wishes.text(name) for name in names if name in wishes}


def _user_fields(world: World, record: User, wishes: Wishes) -> dict[str, Any]:
    names = ("first_name", "last_name", "email", "role")
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    if "permission_level" in wishes:
        fields["permission_level"] = wishes.whole("permission_level", record.permission_level)
        if not 0 <= fields["permission_level"] <= 8:
            raise ValueError("A permission level is a number from 0 to 8.")
    if "hidden" in wishes:
        fields["hidden"] = bool(wishes.take("hidden"))
    return fields


def _sale_fields(world: World, record: Invoice | CreditNote, wishes: Wishes) -> dict[str, Any]:
    if record.written_off_on is not None:
        raise ValueError("A written-off invoice cannot be changed.")
    fields: dict[str, Any] = {
        name: wishes.text(name) for name in ("reference", "comments", "po_reference") if name in wishes
    }
    fields |= _dates_and_contact(world, record, wishes)
    if "status" in wishes:
        fields["status"] = parts.status(wishes.text("status"))
        if fields["status"] != "sent" and (world.payments(record) or world.reconciled(record)):
            raise ValueError("A document that has been settled in part cannot become a draft.")
    rows = wishes.rows("credit_note_items" if isinstance(record, CreditNote) else "invoice_items")
    if rows is not None:
        if record.cis_deduction:
            raise ValueError("The lines of a document with a CIS deduction cannot be changed.")
        items = tuple(parts.item(world, row) for row in rows)
        net, tax, item_nets = acts.priced(items, record.discount)
        fields |= {"items": items, "net": net, "tax": tax, "item_nets": item_nets}
        _refuse_smaller_than_settled(world, record, msgspec.structs.replace(record, **fields))
    return fields


def _bill_fields(world: World, record: Bill, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {name: wishes.text(name) for name in ("reference", "comments") if name in wishes}
    fields |= _dates_and_contact(world, record, wishes)
    rows = wishes.rows("bill_items")
    if rows is not None:
        if record.cis_deduction:
            raise ValueError("The lines of a bill with a CIS deduction cannot be changed.")
        fields["items"] = tuple(parts.bill_item(world, row, record.ec_status) for row in rows)
        _refuse_smaller_than_settled(world, record, msgspec.structs.replace(record, **fields))
    return fields


def _refuse_smaller_than_settled(world: World, old: Record, new: Invoice | CreditNote | Bill) -> None:
    standing = world.standing(old)
    settled = standing.paid + (-standing.reconciled if isinstance(old, CreditNote) else standing.reconciled)
    if settled and (new.total > 0) != (settled > 0):
        raise ValueError("The new lines would turn the sign of a document that has been settled in part.")
    if abs(new.total) < abs(settled):
        raise ValueError("The new lines come to less than what has been settled already.")


def _expense_fields(world: World, record: Expense, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: wishes.text(name) for name in ("description", "receipt_reference") if name in wishes
    }
    if "dated_on" in wishes:
        fields["dated_on"] = wishes.day("dated_on", record.dated_on)
    if "category" in wishes:
        fields["category"] = parts.category(world, wishes.take("category"))
    if "gross_value" in wishes:
        gross = -wishes.money("gross_value", 0)
        rate = rates.exchange_rate(record.currency, record.dated_on)
        tax = inclusive_tax(gross, record.tax_rate or Decimal(0))
        fields |= {
            "gross": gross,
            "native_gross": times(gross, rate),
            "tax": tax,
            "native_tax": times(tax, rate),
            "manual_tax": None,
        }
    return fields


def _explanation_fields(world: World, record: Explanation, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "description" in wishes:
        fields["description"] = wishes.text("description")
    if "marked_for_review" in wishes:
        fields["for_review"] = bool(wishes.take("marked_for_review"))
    if "category" in wishes or "nominal_code" in wishes:
        if world.settled_document(record) or record.user is not None or record.linked_account is not None:
            raise ValueError("Only what is explained by category can be put on another one.")
        code = parts.category(world, wishes.take("category", wishes.take("nominal_code")))
        fields |= {"category": code, "type": explaining.direct_type(code, record.gross), "tax_status": "", "tax": 0}
        fields |= {"tax_rate": None, "ec_status": ""} | rates.taxed(world, code, record.gross)
    return fields


_CHANGE: Mapping[type[Record], Callable[[World, Any, Wishes], dict[str, Any]]] = {
    Contact: parts.contact_fields,
    Project: _project_fields,
    PriceListItem: parts.price_fields,
    BankAccount: _bank_account_fields,
    User: _user_fields,
    Invoice: _sale_fields,
    CreditNote: _sale_fields,
    Bill: _bill_fields,
    Expense: _expense_fields,
    Explanation: _explanation_fields,
}


def _dates_and_contact(world: World, record: Any, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "contact" in wishes:
        fields["contact"] = named(world.contacts, wishes.take("contact")).id
    if "dated_on" in wishes:
        fields["dated_on"] = wishes.day("dated_on", record.dated_on)
    if "due_on" in wishes:
        fields["due_on"] = wishes.day("due_on", record.due_on)
    return fields

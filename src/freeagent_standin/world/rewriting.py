"""Records changed to what a caller sets, with all that follows from it posted anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts, explaining, journals, keeping, owning, parts, rates, words
from freeagent_standin.world.amounts import inclusive_tax, times
from freeagent_standin.world.books import World, is_by_category
from freeagent_standin.world.entities import (
    NOTIONAL,
    BankAccount,
    Bill,
    Contact,
    CreditNote,
    Expense,
    Explanation,
    Invoice,
    JournalSet,
    PriceListItem,
    Project,
    Reconciliation,
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
    newer = msgspec.structs.replace(record, updated_at=at, **fields)
    if isinstance(newer, BankAccount):
        parts.keep_one_primary(world, newer)
        if isinstance(record, BankAccount) and newer.opening_native != record.opening_native:
            journals.touch_opening(world, at=at)
    world.replace(newer)


def _user_fields(world: World, record: User, wishes: Wishes) -> dict[str, Any]:
    names = ("first_name", "last_name", "email")
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    if "role" in wishes:
        fields["role"] = wishes.choice("role", words.ROLES, record.role)
    if "permission_level" in wishes:
        fields["permission_level"] = parts.level(wishes, record.permission_level)
    if "hidden" in wishes:
        fields["hidden"] = wishes.flag("hidden")
    return fields


def _sale_fields(world: World, record: Invoice | CreditNote, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: wishes.text(name) for name in ("reference", "comments", "po_reference") if name in wishes
    }
    fields |= _dates_and_contact(world, record, wishes) | parts.let(world, wishes)
    fields |= {
        name: parts.reference(wishes, name, table)
        for name, table in (("project", world.projects), ("bank_account", world.bank_accounts))
        if name in wishes
    }
    is_settled = bool(world.payments(record) or world.reconciled(record))
    if "status" in wishes:
        fields["status"] = parts.status(wishes.text("status"))
        if fields["status"] != "sent" and is_settled:
            raise ValueError("A document that has been settled in part cannot become a draft.")
        if fields["status"] == "sent":  # which opens again what was written off
            fields |= {"written_off_on": None, "written_off": 0}
    if "currency" in wishes:
        fields["currency"] = wishes.choice("currency", words.CURRENCIES, record.currency)
        if fields["currency"] != record.currency and is_settled:
            raise ValueError("currency is locked and cannot be changed.")
    if "ec_status" in wishes:
        fields["ec_status"] = _ec_status(wishes, words.EC_STATUSES_OF_SALES, record.ec_status)
    if "discount_percent" in wishes:
        fields["discount"] = parts.discount(wishes)
    fields["rate"] = rates.exchange_rate(
        fields.get("currency", record.currency), fields.get("dated_on", record.dated_on)
    )
    rows = wishes.rows("credit_note_items" if isinstance(record, CreditNote) else "invoice_items")
    if rows is not None or "discount" in fields:
        items = parts.lines(record.items, rows or [], lambda row, old: parts.item(world, row, old))
        items = record.items if rows is None else items
        discount = fields.get("discount", record.discount)
        if record.cis_deduction and (items, discount) != (record.items, record.discount):
            raise ValueError("The lines of a document with a CIS deduction cannot be changed.")
        net, tax, item_nets = acts.priced(items, discount)
        if isinstance(record, CreditNote) and net > 0:
            raise ValueError("The lines of a credit note must come to less than zero.")
        fields |= {"items": items, "net": net, "tax": tax, "item_nets": item_nets}
    newer = msgspec.structs.replace(record, **fields)
    if record.written_off_on is not None and any(getattr(newer, name) != getattr(record, name) for name in _COUNTED):
        raise ValueError("What a written-off invoice comes to, when and for whom cannot be changed.")
    _refuse_smaller_than_settled(world, record, newer)
    return fields


_COUNTED = ("contact", "dated_on", "items", "net", "tax", "currency", "rate", "ec_status", "status")


def _reconciliation_fields(world: World, record: Reconciliation, wishes: Wishes) -> dict[str, Any]:
    invoice = wishes.one_of("invoice", world.invoices) or world.invoices[record.invoice]
    credit_note = wishes.one_of("credit_note", world.credit_notes) or world.credit_notes[record.credit_note]
    amount = wishes.money("gross_value", record.gross)
    day = wishes.day("dated_on", record.dated_on)
    acts.refuse_too_much(world, credit_note, invoice, amount, besides=record)
    rate = rates.exchange_rate(invoice.currency, day)
    fields = {"invoice": invoice.id, "credit_note": credit_note.id, "gross": amount, "dated_on": day}
    return fields | {"currency": invoice.currency, "rate": rate}


def _bill_fields(world: World, record: Bill, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {name: wishes.text(name) for name in ("reference", "comments") if name in wishes}
    fields |= _dates_and_contact(world, record, wishes) | parts.let(world, wishes)
    if "project" in wishes or "rebill_type" in wishes:
        fields |= parts.rebilled(world, wishes)
    if "recurring" in wishes:
        fields["recurring"] = wishes.choice("recurring", words.RECURRING)
    if "attachment" in wishes:
        fields["attachment"] = parts.attached(world, wishes, record.attachment)
    ec_status = record.ec_status
    if "ec_status" in wishes:
        ec_status = fields["ec_status"] = _ec_status(wishes, words.EC_STATUSES, record.ec_status)
    fields["rate"] = rates.exchange_rate(record.currency, fields.get("dated_on", record.dated_on))
    rows = wishes.rows("bill_items")
    items = record.items
    if (ec_status in NOTIONAL) != (record.ec_status in NOTIONAL):  # whose tax is in the total, or only told
        items = tuple(parts.bill_item(world, Wishes({}), ec_status, each) for each in items)
    if rows is not None:
        items = parts.lines(items, rows, lambda row, old: parts.bill_item(world, row, ec_status, old))
    fields["items"] = items
    newer = msgspec.structs.replace(record, **fields)
    if (newer.items, newer.dated_on) != (record.items, record.dated_on) and owning.has_asset(world, record):
        raise ValueError("The lines and the day of a bill that bought a capital asset cannot be changed.")
    if record.cis_deduction and items != record.items:
        raise ValueError("The lines of a bill with a CIS deduction cannot be changed.")
    if len(items) > parts.MOST_BILL_ITEMS:
        raise ValueError(f"A bill has {parts.MOST_BILL_ITEMS} lines at most.")
    _refuse_smaller_than_settled(world, record, newer)
    return fields


def _ec_status(wishes: Wishes, allowed: tuple[str, ...], old: str) -> str:
    """Nothing special is shown as UK/Non-EC, and sent back as that it is nothing special still."""
    said = wishes.choice("ec_status", allowed, old)
    return old if said == "UK/Non-EC" and not old else said


def _refuse_smaller_than_settled(world: World, old: Record, new: Invoice | CreditNote | Bill) -> None:
    if new.total == getattr(old, "total", None):
        return
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
    fields |= parts.let(world, wishes)
    if "dated_on" in wishes:
        fields["dated_on"] = wishes.day("dated_on", record.dated_on)
    if "project" in wishes or "rebill_type" in wishes:
        fields |= parts.rebilled(world, wishes)
    if "attachment" in wishes:
        fields["attachment"] = parts.attached(world, wishes, record.attachment)
    if wishes.peek("category") is not None and wishes.peek("category") != "Mileage":
        if record.mileage is not None:
            raise ValueError("A drive stays a drive.")
        fields["category"] = parts.category(world, wishes.peek("category"))
    wishes.take("category")
    gross, rate, tax = record.gross, record.tax_rate, record.tax
    if record.mileage is not None:
        if any(wishes.peek(name) is not None for name in ("mileage", "reclaim_mileage_rate", "reclaim_mileage")):
            driven = parts.driven(
                Wishes(
                    {
                        "mileage": wishes.take("mileage", str(record.mileage)),
                        "reclaim_mileage_rate": wishes.take("reclaim_mileage_rate", str(record.mileage_rate)),
                        "reclaim_mileage": wishes.take("reclaim_mileage", record.reclaim_mileage),
                    }
                )
            )
            owed = driven.pop("gross")
            if any(getattr(record, name) != value for name, value in driven.items()):
                gross = owed
            fields |= driven
        wishes.take("gross_value")
    elif "gross_value" in wishes:
        gross = -wishes.money("gross_value", -record.gross)
    if record.tax_status and any(wishes.peek(name) is not None for name in _CLAIM_TAX):
        given = parts.claimed_tax(world, wishes, fields.get("category", record.category), gross)
        is_foreign = record.currency != world.company.currency
        rate = Decimal("0.0") if is_foreign and given.get("tax_rate") is not None else given.get("tax_rate")
        fields |= {"tax_status": given["tax_status"], "tax_rate": rate, "manual_tax": given.get("manual_tax")}
        tax = given.get("manual_tax") or inclusive_tax(gross, rate or Decimal(0))
    elif gross != record.gross:
        tax = inclusive_tax(gross, rate or Decimal(0))
        fields["manual_tax"] = None
    exchange = rates.exchange_rate(record.currency, fields.get("dated_on", record.dated_on))
    return fields | {
        "gross": gross,
        "native_gross": times(gross, exchange),
        "tax": tax,
        "native_tax": times(tax, exchange),
    }


_CLAIM_TAX = ("manual_sales_tax_amount", "sales_tax_rate", "sales_tax_status")


def _explanation_fields(world: World, record: Explanation, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: wishes.text(name) for name in ("description", "receipt_reference", "cheque_number") if name in wishes
    }
    if "marked_for_review" in wishes:
        fields["for_review"] = wishes.flag("marked_for_review")
    if "attachment" in wishes:
        fields["attachment"] = parts.attached(world, wishes, record.attachment)
    if "project" in wishes or "rebill_type" in wishes:
        fields |= parts.rebilled(world, wishes)
    fields |= parts.let(world, wishes)
    gross = wishes.money("gross_value", record.gross) if "gross_value" in wishes else record.gross
    code = wishes.take("category", wishes.take("nominal_code"))
    wanted = record.category if code in (None, "") else parts.last_part(code)
    if isinstance(code, int) and not isinstance(code, bool):
        wanted = f"{code:03d}"
    has_tax_words = any(wishes.peek(name) is not None for name in _CLAIM_TAX)
    if (gross, wanted) == (record.gross, record.category) and not has_tax_words:
        return fields
    if not is_by_category(record):
        raise ValueError("Only what is explained by category can be put on another one, or come to another amount.")
    if not gross:
        raise ValueError("gross_value must be other than zero.")
    code = parts.category(world, wanted)
    native = gross if record.native == record.gross else times(gross, Decimal(record.native) / Decimal(record.gross))
    kind = record.type
    if code != record.category or (gross > 0) != (record.gross > 0):
        kind = explaining.direct_type(code, gross)
    fields |= {"category": code, "type": kind, "gross": gross, "native": native}
    return fields | {"tax_status": "", "tax": 0, "tax_rate": None} | explaining.tax_of(world, wishes, code, gross)


_CHANGE: Mapping[type[Record], Callable[[World, Any, Wishes], dict[str, Any]]] = {
    Contact: parts.contact_fields,
    Project: parts.project_fields,
    PriceListItem: parts.price_fields,
    BankAccount: parts.bank_account_fields,
    User: _user_fields,
    Invoice: _sale_fields,
    CreditNote: _sale_fields,
    Reconciliation: _reconciliation_fields,
    Bill: _bill_fields,
    Expense: _expense_fields,
    Explanation: _explanation_fields,
    JournalSet: journals.fields,
    **keeping.CHANGE,
    **owning.CHANGE,
}


def _dates_and_contact(world: World, record: Any, wishes: Wishes) -> dict[str, Any]:
    """Who and when; a due day that is not named stays as many days after the document as it was."""
    fields: dict[str, Any] = {}
    if "contact" in wishes:
        fields["contact"] = named(world.contacts, wishes.take("contact")).id
    day = wishes.day("dated_on", record.dated_on)
    if isinstance(record, Bill):
        due = wishes.day("due_on", record.due_on)
    else:
        terms = wishes.whole("payment_terms_in_days", (record.due_on - record.dated_on).days)
        due = wishes.day("due_on", rates.days_after(day, terms))
    return fields | {"dated_on": day, "due_on": due}

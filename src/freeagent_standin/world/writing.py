"""Records from what a caller sets, in FreeAgent's own attribute names and forms.

Everything is checked before anything is entered. Raises ValueError with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts, explaining, parts, rates
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import Contact, CreditNote, Invoice, PriceListItem, Project
from freeagent_standin.world.wishes import Wishes


def added(world: World, resource: str, wishes: Wishes, *, at: int, today: date) -> int:
    """Enter a new record of a resource; what is not set takes a sensible value."""
    add = _ADD.get(resource)
    if add is None:
        raise ValueError(f"Records of {resource!r} cannot be added.")
    return add(world, wishes, at, today)


# Adding


def _add_contact(world: World, wishes: Wishes, at: int, today: date) -> int:
    number = len(world.contacts) + 1
    blank = Contact(id=world.contacts.next_id, created_at=at, updated_at=at, organisation_name=f"New contact {number}")
    contact = msgspec.structs.replace(blank, **parts.contact_fields(world, blank, wishes))
    wishes.done()
    world.add(contact)
    return contact.id


def _add_project(world: World, wishes: Wishes, at: int, today: date) -> int:
    contact = wishes.one_of("contact", world.contacts) or _some_contact(world)
    project = Project(
        id=world.projects.next_id,
        created_at=at,
        updated_at=at,
        name=wishes.text("name", f"New project {len(world.projects) + 1}"),
        status=wishes.text("status", "Active"),
        contact=contact.id,
    )
    wishes.done()
    world.add(project)
    return project.id


def _add_price(world: World, wishes: Wishes, at: int, today: date) -> int:
    blank = PriceListItem(
        id=world.price_list.next_id,
        created_at=at,
        updated_at=at,
        code=f"NEW-{len(world.price_list) + 1}",
        description="New item",
        price=Decimal("10.0"),
    )
    item = msgspec.structs.replace(blank, **parts.price_fields(world, blank, wishes))
    wishes.done()
    world.add(item)
    return item.id


def _add_sale(kind: type[Invoice] | type[CreditNote]) -> Callable[[World, Wishes, int, date], int]:
    is_credit = kind is CreditNote

    def add(world: World, wishes: Wishes, at: int, today: date) -> int:
        rows = wishes.rows("credit_note_items" if is_credit else "invoice_items")
        if rows is None:
            rows = [Wishes({"description": "Work", "price": "-20.0" if is_credit else "100.0"})]
        contact = wishes.one_of("contact", world.contacts) or _some_contact(world)
        project = wishes.one_of("project", world.projects)
        fields: dict[str, Any] = {
            "contact": contact,
            "day": wishes.day("dated_on", today),
            "items": [parts.item(world, row) for row in rows],
            "at": at,
            "reference": wishes.text("reference"),
            "terms": wishes.whole("payment_terms_in_days", 0 if is_credit else 30),
            "status": parts.status(wishes.text("status", "Open")),
            "currency": wishes.text("currency", "GBP"),
            "discount": wishes.decimal("discount_percent"),
            "ec_status": wishes.text("ec_status"),
            "comments": wishes.text("comments"),
            "project": None if project is None else project.id,
        }
        wishes.done()
        if is_credit and acts.priced(fields["items"], fields["discount"])[0] > 0:
            raise ValueError("The lines of a credit note must come to less than zero.")
        return acts.raise_sale(world, kind, **fields)

    return add


def _add_reconciliation(world: World, wishes: Wishes, at: int, today: date) -> int:
    credit_note, invoice = wishes.one_of("credit_note", world.credit_notes), wishes.one_of("invoice", world.invoices)
    if credit_note is None or invoice is None:
        raise ValueError("A reconciliation needs a credit_note and an invoice.")
    amount = wishes.money("gross_value", min(world.due(invoice), -world.due(credit_note)))
    day = wishes.day("dated_on", today)
    wishes.done()
    return acts.reconcile(world, credit_note.id, invoice.id, amount=amount, day=day, at=at)


def _add_bill(world: World, wishes: Wishes, at: int, today: date) -> int:
    rows = wishes.rows("bill_items")
    if rows is None:
        rows = [Wishes({"description": "Supplies", "category": "103", "total_value": "60.0"})]
    contact = wishes.one_of("contact", world.contacts) or _some_contact(world)
    project = wishes.one_of("project", world.projects)
    day = wishes.day("dated_on", today)
    due = wishes.day("due_on", rates.days_after(day, 30))
    ec_status = wishes.text("ec_status")
    fields: dict[str, Any] = {
        "items": [parts.bill_item(world, row, ec_status) for row in rows],
        "reference": wishes.text("reference"),
        "currency": wishes.text("currency", "GBP"),
        "comments": wishes.text("comments"),
        "project": None if project is None else project.id,
    }
    wishes.done()
    return acts.enter_bill(
        world, contact=contact, day=day, at=at, terms=(due - day).days, ec_status=ec_status, **fields
    )


def _add_expense(world: World, wishes: Wishes, at: int, today: date) -> int:
    user = wishes.one_of("user", world.people) or next(iter(world.people))
    project = wishes.one_of("project", world.projects)
    category = parts.category(world, wishes.take("category", "285"))
    gross = -wishes.money("gross_value", -2_500)
    rate = wishes.decimal("sales_tax_rate")
    fields: dict[str, Any] = {
        "day": wishes.day("dated_on", today),
        "description": wishes.text("description", "Out of pocket"),
        "currency": wishes.text("currency", "GBP"),
        "receipt_reference": wishes.text("receipt_reference"),
        "project": None if project is None else project.id,
    }
    wishes.done()
    if world.company.vat_registered:
        tax = rates.taxed(world, category, gross, rate=None if rate is None else str(rate))
        fields |= {key: tax[key] for key in ("tax_status", "tax_rate") if key in tax}
    return acts.claim(world, user=user, category=category, gross=gross, at=at, **fields)


def _add_transaction(world: World, wishes: Wishes, at: int, today: date) -> int:
    account = wishes.one_of("bank_account", world.bank_accounts) or next(iter(world.bank_accounts))
    amount = wishes.money("amount", -1_250)
    fields: dict[str, Any] = {
        "day": wishes.day("dated_on", today),
        "description": wishes.text("description", "NEW BANK LINE"),
        "line_type": wishes.text("transaction_type", "OTHER"),
        "is_manual": bool(wishes.take("is_manual", False)),
    }
    wishes.done()
    if not amount:
        raise ValueError("A bank line needs an amount other than zero.")
    return acts.bank_line(world, account=account, amount=amount, at=at, **fields)


_ADD: Mapping[str, Callable[[World, Wishes, int, date], int]] = {
    "contacts": _add_contact,
    "projects": _add_project,
    "price_list_items": _add_price,
    "invoices": _add_sale(Invoice),
    "credit_notes": _add_sale(CreditNote),
    "credit_note_reconciliations": _add_reconciliation,
    "bills": _add_bill,
    "expenses": _add_expense,
    "bank_transactions": _add_transaction,
    "bank_transaction_explanations": explaining.added,
}


def _some_contact(world: World) -> Contact:
    for contact in world.contacts:
        if contact.status == "Active":
            return contact
    raise ValueError("There is no active contact left.")

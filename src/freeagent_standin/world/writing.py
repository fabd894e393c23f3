"""Records from what a caller sets, in FreeAgent's own attribute names and forms.

A reference is an id or a whole URL; an amount is text or a number; a day is YYYY-MM-DD. Everything is checked before
anything is entered. Raises ValueError with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts
from freeagent_standin.world.amounts import inclusive_tax, parse_decimal, parse_pennies, times
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import (
    NOTIONAL,
    BankAccount,
    Bill,
    BillItem,
    Contact,
    CreditNote,
    Expense,
    Invoice,
    Item,
    PriceListItem,
    Project,
    Record,
    User,
)
from freeagent_standin.world.shelves import Table

_ADDRESS = ("address1", "address2", "address3", "town", "region", "postcode", "country")
_STATUSES = {"Draft": "draft", "Scheduled To Email": "scheduled", "Open": "sent", "Sent": "sent"}


class Wishes:
    """What a caller set, taken piece by piece; what is left over at the end was not understood."""

    def __init__(self, wishes: object) -> None:
        if not isinstance(wishes, Mapping):
            raise ValueError(f"An object of attributes was expected, not {wishes!r}.")
        self._left = dict(wishes)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, otherwise: Any = None) -> Any:
        """The value as it came."""
        return self._left.pop(name, otherwise)

    def text(self, name: str, otherwise: str = "") -> str:
        """Text, of any kind and length."""
        value = self._left.pop(name, otherwise)
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text, not {value!r}.")
        return value

    def day(self, name: str, otherwise: date) -> date:
        """A day."""
        value = self._left.pop(name, None)
        if value is None:
            return otherwise
        try:
            return date.fromisoformat(str(value))
        except ValueError as error:
            raise ValueError(f"{name} must be a day such as 2026-11-24, not {value!r}.") from error

    def money(self, name: str, otherwise: int) -> int:
        """An amount, in minor units."""
        value = self._left.pop(name, None)
        return otherwise if value is None else parse_pennies(value, what=name)

    def decimal(self, name: str) -> Decimal | None:
        """A number with any decimals."""
        value = self._left.pop(name, None)
        return None if value is None else parse_decimal(value, what=name)

    def whole(self, name: str, otherwise: int) -> int:
        """A whole number."""
        value = self._left.pop(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name} must be a whole number, not {value!r}.")
        return value

    def one_of(self, name: str, table: Table[Any]) -> Any:
        """The record a reference names, or None when nothing was said."""
        value = self._left.pop(name, None)
        return None if value is None else named(table, value)

    def done(self) -> None:
        """Complain about what nobody took."""
        if self._left:
            raise ValueError(f"These cannot be set here: {', '.join(sorted(self._left))}.")


def named(table: Table[Any], reference: object) -> Any:
    """The record with an id, given bare or as the end of a URL."""
    last = str(reference).rstrip("/").rsplit("/", 1)[-1]
    record = table.get(int(last)) if last.isascii() and last.isdigit() else None
    if record is None:
        raise ValueError(f"There is no record {reference!r} in {table.name}.")
    return record


def added(world: World, resource: str, wishes: Wishes, *, at: int, today: date) -> int:
    """Enter a new record of a resource; what is not set takes a sensible value."""
    add = _ADD.get(resource)
    if add is None:
        raise ValueError(f"Records of {resource!r} cannot be added.")
    return add(world, wishes, at, today)


def changed(world: World, record: Record, wishes: Wishes, *, at: int) -> None:
    """Replace a record by one with other values, and post what follows from it."""
    change = _CHANGE.get(type(record))
    if change is None:
        raise ValueError(f"A {type(record).__name__} cannot be changed.")
    fields = change(world, record, wishes)
    wishes.done()
    world.replace(msgspec.structs.replace(record, updated_at=at, **fields))


# Adding


def _add_contact(world: World, wishes: Wishes, at: int, today: date) -> int:
    number = len(world.contacts) + 1
    blank = Contact(id=world.contacts.next_id, created_at=at, updated_at=at, organisation_name=f"New contact {number}")
    contact = msgspec.structs.replace(blank, **_contact_fields(world, blank, wishes))
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
    item = msgspec.structs.replace(blank, **_price_fields(world, blank, wishes))
    wishes.done()
    world.add(item)
    return item.id


def _add_sale(kind: type[Invoice] | type[CreditNote]) -> Callable[[World, Wishes, int, date], int]:
    is_credit = kind is CreditNote

    def add(world: World, wishes: Wishes, at: int, today: date) -> int:
        rows = wishes.take("credit_note_items" if is_credit else "invoice_items")
        if rows is None:
            rows = [{"description": "Work", "price": "-20.0" if is_credit else "100.0"}]
        contact = wishes.one_of("contact", world.contacts) or _some_contact(world)
        project = wishes.one_of("project", world.projects)
        fields: dict[str, Any] = {
            "contact": contact,
            "day": wishes.day("dated_on", today),
            "items": [_item(world, Wishes(row)) for row in rows],
            "at": at,
            "reference": wishes.text("reference"),
            "terms": wishes.whole("payment_terms_in_days", 0 if is_credit else 30),
            "status": _status(wishes.text("status", "Open")),
            "currency": wishes.text("currency", "GBP"),
            "discount": wishes.decimal("discount_percent"),
            "ec_status": wishes.text("ec_status"),
            "comments": wishes.text("comments"),
            "project": None if project is None else project.id,
        }
        wishes.done()
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
    rows = wishes.take("bill_items") or [{"description": "Supplies", "category": "103", "total_value": "60.0"}]
    contact = wishes.one_of("contact", world.contacts) or _some_contact(world)
    project = wishes.one_of("project", world.projects)
    day = wishes.day("dated_on", today)
    due = wishes.day("due_on", day + timedelta(days=30))
    ec_status = wishes.text("ec_status")
    fields: dict[str, Any] = {
        "items": [_bill_item(world, Wishes(row), ec_status) for row in rows],
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
    category = _category(world, wishes.take("category", "285"))
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
        tax = acts.taxed(world, category, gross, rate=None if rate is None else str(rate))
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


def _add_explanation(world: World, wishes: Wishes, at: int, today: date) -> int:
    transaction = wishes.one_of("bank_transaction", world.transactions)
    if transaction is None:
        raise ValueError("An explanation needs a bank_transaction.")
    gross = wishes.money("gross_value", world.unexplained(transaction))
    category = _category(world, wishes.take("category", "280" if gross < 0 else "001"))
    fields: dict[str, Any] = {
        "description": wishes.text("description", transaction.description),
        "for_review": bool(wishes.take("marked_for_review", False)),
        "category": category,
        "type": _direct_type(category, gross),
    }
    wishes.done()
    if not gross:
        raise ValueError("There is nothing left to explain on this bank line.")
    return acts.explain(world, transaction.id, at=at, gross=gross, **fields, **acts.taxed(world, category, gross))


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
    "bank_transaction_explanations": _add_explanation,
}


# Changing


def _contact_fields(world: World, record: Contact, wishes: Wishes) -> dict[str, Any]:
    names = (
        "organisation_name",
        "first_name",
        "last_name",
        "email",
        "billing_email",
        "phone_number",
        "mobile",
        "status",
    )
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    if "sales_tax_registration_number" in wishes:
        fields["vat_number"] = wishes.text("sales_tax_registration_number")
    if any(name in wishes for name in _ADDRESS):
        old = dict(zip(_ADDRESS, record.address, strict=True))
        fields["address"] = tuple(wishes.text(name, old[name]) for name in _ADDRESS)
    return fields


def _project_fields(world: World, record: Project, wishes: Wishes) -> dict[str, Any]:
    return {name: wishes.text(name) for name in ("name", "status") if name in wishes}


def _price_fields(world: World, record: PriceListItem, wishes: Wishes) -> dict[str, Any]:
    names = ("code", "description", "item_type", "vat_status")
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    price = wishes.decimal("price")
    return fields if price is None else fields | {"price": price}


def _bank_account_fields(world: World, record: BankAccount, wishes: Wishes) -> dict[str, Any]:
    names = ("name", "status", "bank_name", "account_number", "sort_code")
    return {name: wishes.text(name) for name in names if name in wishes}


def _user_fields(world: World, record: User, wishes: Wishes) -> dict[str, Any]:
    names = ("first_name", "last_name", "email", "role")
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    if "permission_level" in wishes:
        fields["permission_level"] = wishes.whole("permission_level", record.permission_level)
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
        fields["status"] = _status(wishes.text("status"))
        if fields["status"] != "sent" and (world.payments(record) or world.reconciled(record)):
            raise ValueError("A document that has been settled in part cannot become a draft.")
    rows = wishes.take("credit_note_items" if isinstance(record, CreditNote) else "invoice_items")
    if rows is not None:
        if record.cis_deduction:
            raise ValueError("The lines of a document with a CIS deduction cannot be changed.")
        items = tuple(_item(world, Wishes(row)) for row in rows)
        net, tax, item_nets = acts.priced(items, record.discount)
        fields |= {"items": items, "net": net, "tax": tax, "item_nets": item_nets}
        _refuse_smaller_than_settled(world, record, msgspec.structs.replace(record, **fields))
    return fields


def _bill_fields(world: World, record: Bill, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {name: wishes.text(name) for name in ("reference", "comments") if name in wishes}
    fields |= _dates_and_contact(world, record, wishes)
    rows = wishes.take("bill_items")
    if rows is not None:
        if record.cis_deduction:
            raise ValueError("The lines of a bill with a CIS deduction cannot be changed.")
        fields["items"] = tuple(_bill_item(world, Wishes(row), record.ec_status) for row in rows)
        _refuse_smaller_than_settled(world, record, msgspec.structs.replace(record, **fields))
    return fields


def _refuse_smaller_than_settled(world: World, old: Record, new: Invoice | CreditNote | Bill) -> None:
    standing = world.standing(old)
    if (standing.paid or standing.reconciled) and (new.total > 0) != (standing.paid + standing.reconciled > 0):
        raise ValueError("The new lines would turn the sign of a document that has been settled in part.")
    if abs(new.total) < abs(standing.paid) + standing.reconciled:
        raise ValueError("The new lines come to less than what has been settled already.")


def _expense_fields(world: World, record: Expense, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: wishes.text(name) for name in ("description", "receipt_reference") if name in wishes
    }
    if "dated_on" in wishes:
        fields["dated_on"] = wishes.day("dated_on", record.dated_on)
    if "category" in wishes:
        fields["category"] = _category(world, wishes.take("category"))
    if "gross_value" in wishes:
        gross = -wishes.money("gross_value", 0)
        rate = acts.exchange_rate(record.currency, record.dated_on)
        tax = inclusive_tax(gross, record.tax_rate or Decimal(0))
        fields |= {
            "gross": gross,
            "native_gross": times(gross, rate),
            "tax": tax,
            "native_tax": times(tax, rate),
            "manual_tax": None,
        }
    return fields


_CHANGE: Mapping[type[Record], Callable[[World, Any, Wishes], dict[str, Any]]] = {
    Contact: _contact_fields,
    Project: _project_fields,
    PriceListItem: _price_fields,
    BankAccount: _bank_account_fields,
    User: _user_fields,
    Invoice: _sale_fields,
    CreditNote: _sale_fields,
    Bill: _bill_fields,
    Expense: _expense_fields,
}


# Pieces


def _item(world: World, wishes: Wishes) -> Item:
    rate = wishes.decimal("sales_tax_rate")
    project = wishes.one_of("project", world.projects)
    fields: dict[str, Any] = {}
    if world.company.vat_registered:
        fields = {
            "tax_rate": Decimal("20.0") if rate is None else rate,
            "tax_status": wishes.text("sales_tax_status", "TAXABLE"),
        }
    item = Item(
        id=world.new_item_id(),
        description=wishes.text("description", "Work"),
        price=wishes.decimal("price") or Decimal("0.0"),
        quantity=wishes.decimal("quantity") or Decimal("1.0"),
        item_type=wishes.text("item_type", "Services"),
        category=_category(world, wishes.take("category", "001")),
        project=None if project is None else project.id,
        **fields,
    )
    wishes.done()
    return item


def _bill_item(world: World, wishes: Wishes, ec_status: str) -> BillItem:
    category = _category(world, wishes.take("category", "103"))
    gross = wishes.money("total_value", 6_000)
    rate = wishes.decimal("sales_tax_rate")
    manual = wishes.money("manual_sales_tax_amount", -1) if "manual_sales_tax_amount" in wishes else None
    project = wishes.one_of("project", world.projects)
    fields: dict[str, Any] = {}
    if world.company.vat_registered:
        is_notional = ec_status in NOTIONAL
        tax = acts.taxed(world, category, gross, rate=None if rate is None else str(rate))
        fields = {"tax_status": tax["tax_status"], "tax_rate": tax.get("tax_rate"), "is_notional": is_notional}
        fields["manual_tax"] = manual
    description = wishes.text("description", "Supplies")
    wishes.done()
    return acts.bill_item(
        world,
        description=description,
        category=category,
        gross=gross,
        project=None if project is None else project.id,
        **fields,
    )


def _category(world: World, value: object) -> str:
    code = str(value).rstrip("/").rsplit("/", 1)[-1]
    if code not in world.category_names:
        raise ValueError(f"There is no category {value!r}.")
    return code


def _dates_and_contact(world: World, record: Any, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "contact" in wishes:
        fields["contact"] = wishes.one_of("contact", world.contacts).id
    if "dated_on" in wishes:
        fields["dated_on"] = wishes.day("dated_on", record.dated_on)
    if "due_on" in wishes:
        fields["due_on"] = wishes.day("due_on", record.due_on)
    return fields


def _direct_type(category: str, gross: int) -> str:
    if category < "096":
        return "Sales" if gross > 0 else "Sales Refund"
    if category < "600":
        return "Payment" if gross < 0 else "Refund"
    return "Other Money Out" if gross < 0 else "Other Money In"


def _some_contact(world: World) -> Contact:
    for contact in world.contacts:
        if contact.status == "Active":
            return contact
    raise ValueError("There is no active contact left.")


def _status(value: str) -> str:
    if value not in _STATUSES:
        raise ValueError(f"A document can be set to {', '.join(_STATUSES)}; not to {value!r}.")
    return _STATUSES[value]

"""Records from what a caller sets, in FreeAgent's own attribute names and forms.

Everything is checked before anything is entered. Raises ValueError with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts, chart, explaining, journals, keeping, owning, parts, rates, words
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import BankAccount, Contact, CreditNote, Invoice, PriceListItem, Project, User
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
    blank = Project(
        id=world.projects.next_id,
        created_at=at,
        updated_at=at,
        name=f"New project {len(world.projects) + 1}",
        contact=contact.id,
    )
    project = msgspec.structs.replace(blank, **parts.project_fields(world, blank, wishes))
    wishes.done()
    world.add(project)
    return project.id


def _add_user(world: World, wishes: Wishes, at: int, today: date) -> int:
    number = max(each.number for each in world.people) + 1
    user = User(
        id=world.people.next_id,
        created_at=at,
        updated_at=at,
        first_name=wishes.text("first_name", "New"),
        last_name=wishes.text("last_name", "Person"),
        email=wishes.text("email", f"person{number}@example.com"),
        role=wishes.choice("role", words.ROLES, "Employee"),
        permission_level=parts.level(wishes, 1),
        number=number,
    )
    wishes.done()
    world.add(user)
    return user.id


def _add_bank_account(world: World, wishes: Wishes, at: int, today: date) -> int:
    blank = BankAccount(
        id=world.bank_accounts.next_id,
        created_at=at,
        updated_at=at,
        name=f"New account {len(world.bank_accounts) + 1}",
        number=max((each.number for each in world.bank_accounts), default=0) + 1,
    )
    account = msgspec.structs.replace(blank, **parts.bank_account_fields(world, blank, wishes))
    wishes.done()
    world.add(account)
    if account.opening_native:
        journals.touch_opening(world, at=at)
    parts.keep_one_primary(world, account)
    return account.id


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
        day = wishes.day("dated_on", today)
        usual = 0 if is_credit else 30
        terms = usual if "due_on" not in wishes else (wishes.day("due_on", day) - day).days
        fields: dict[str, Any] = {
            "contact": contact,
            "day": day,
            "terms": wishes.whole("payment_terms_in_days", terms),
            "items": parts.lines((), rows, lambda row, old: parts.item(world, row, old)),
            "at": at,
            "reference": wishes.text("reference"),
            "status": parts.status(wishes.text("status", "Open")),
            "currency": wishes.choice("currency", words.CURRENCIES, "GBP"),
            "discount": parts.discount(wishes),
            "ec_status": wishes.choice("ec_status", words.EC_STATUSES_OF_SALES),
            "comments": wishes.text("comments"),
            "po_reference": wishes.text("po_reference"),
            "project": parts.reference(wishes, "project", world.projects),
            "bank_account": _receiving_account(world, wishes),
            **parts.let(world, wishes),
        }
        if wishes.peek("cis_rate") is not None:
            fields["cis_band"] = wishes.choice("cis_rate", tuple(rates.CIS_RATES))
            if fields["cis_band"] and not world.company.cis_subcontractor:
                raise ValueError("cis_rate is for subcontractors in the Construction Industry Scheme.")
        else:
            wishes.take("cis_rate")
        wishes.done()
        if is_credit and acts.priced(fields["items"], fields["discount"])[0] > 0:
            raise ValueError("The lines of a credit note must come to less than zero.")
        return acts.raise_sale(world, kind, **fields)

    return add


def _receiving_account(world: World, wishes: Wishes) -> int | None:
    """Unless another is named, a sales document is to be paid into the primary account, as recorded ones are."""
    named = parts.reference(wishes, "bank_account", world.bank_accounts)
    return named or next((each.id for each in world.bank_accounts if each.is_primary), None)


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
    if len(rows) > parts.MOST_BILL_ITEMS:
        raise ValueError(f"A bill has {parts.MOST_BILL_ITEMS} lines at most.")
    said = [row.take("capital_asset") for row in rows]
    contact = wishes.one_of("contact", world.contacts) or _some_contact(world)
    day = wishes.day("dated_on", today)
    due = wishes.day("due_on", rates.days_after(day, 30))
    ec_status = wishes.choice("ec_status", words.EC_STATUSES)
    fields: dict[str, Any] = {
        "items": parts.lines((), rows, lambda row, old: parts.bill_item(world, row, ec_status, old)),
        "reference": wishes.text("reference"),
        "currency": wishes.choice("currency", words.CURRENCIES, "GBP"),
        "comments": wishes.text("comments"),
        "recurring": wishes.choice("recurring", words.RECURRING),
        "attachment": parts.attached(world, wishes),
        **parts.rebilled(world, wishes),
        **parts.let(world, wishes),
    }
    wishes.done()
    assets = owning.wanted_with(world, fields["items"], said)
    bill = acts.enter_bill(
        world, contact=contact, day=day, at=at, terms=(due - day).days, ec_status=ec_status, **fields
    )
    owning.all_bought(world, bill, assets, until=today, at=at)
    return bill


def _add_expense(world: World, wishes: Wishes, at: int, today: date) -> int:
    user = wishes.one_of("user", world.people) or next(iter(world.people))
    is_drive = wishes.peek("category") == "Mileage"
    category = chart.MILEAGE if is_drive else parts.category(world, wishes.peek("category") or "285")
    wishes.take("category")
    day = wishes.day("dated_on", today)
    fields: dict[str, Any] = {
        "day": day,
        "description": wishes.text("description", "Out of pocket"),
        "receipt_reference": wishes.text("receipt_reference"),
        "recurring": wishes.choice("recurring", words.RECURRING),
        "attachment": parts.attached(world, wishes),
        **parts.rebilled(world, wishes),
        **parts.let(world, wishes),
    }
    if is_drive:
        fields |= parts.driven(wishes)
        gross = fields.pop("gross")
        wishes.take("gross_value"), wishes.take("currency")
    else:
        gross = -wishes.money("gross_value", -2_500)
        fields["currency"] = wishes.choice("currency", words.CURRENCIES, "GBP")
        fields["ec_status"] = wishes.choice("ec_status", words.EC_STATUSES)
        if world.company.vat_registered:
            fields |= parts.claimed_tax(world, wishes, category, gross)
    wishes.take("sales_tax_rate"), wishes.take("sales_tax_status"), wishes.take("manual_sales_tax_amount")
    wishes.done()
    return acts.claim(world, user=user, category=category, gross=gross, at=at, **fields)


def _add_transaction(world: World, wishes: Wishes, at: int, today: date) -> int:
    account = wishes.one_of("bank_account", world.bank_accounts) or next(iter(world.bank_accounts))
    amount = wishes.money("amount", -1_250)
    fields: dict[str, Any] = {
        "day": wishes.day("dated_on", today),
        "description": wishes.text("description", "NEW BANK LINE"),
        "line_type": wishes.choice("transaction_type", words.LINE_TYPES, "OTHER"),
        "is_manual": wishes.flag("is_manual"),
    }
    wishes.done()
    if not amount:
        raise ValueError("A bank line needs an amount other than zero.")
    return acts.bank_line(world, account=account, amount=amount, at=at, **fields)


_ADD: Mapping[str, Callable[[World, Wishes, int, date], int]] = {
    "users": _add_user,
    "bank_accounts": _add_bank_account,
    "contacts": _add_contact,
    "projects": _add_project,
    "price_list_items": _add_price,
    "invoices": _add_sale(Invoice),
    "credit_notes": _add_sale(CreditNote),
    "credit_note_reconciliations": _add_reconciliation,
    "bills": _add_bill,
    "expenses": _add_expense,
    "journal_sets": journals.added,
    "bank_transactions": _add_transaction,
    "bank_transaction_explanations": explaining.added,
    **keeping.ADD,
    **owning.ADD,
}


def _some_contact(world: World) -> Contact:
    for contact in world.contacts:
        if contact.status == "Active":
            return contact
    raise ValueError("There is no active contact left.")

"""Tasks, timeslips, notes, estimates and repeating invoices from what a caller sets, and what keeps each from going.

https://dev.freeagent.com/docs/tasks, /docs/timeslips, /docs/notes, /docs/estimates, /docs/recurring_invoices. Inferred:
an approved or invoiced estimate cannot go; a task with hours, and hours that were billed, cannot either; a timer adds
whole hundredths of an hour when it stops. Raises ValueError with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts, parts, rates, words
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import Contact, CreditNote, Invoice, Item, Project, Record, User
from freeagent_standin.world.holdings import (
    Estimate,
    NoteText,
    RecurringInvoice,
    Task,
    Timeslip,
    replaced_item,
    without,
)
from freeagent_standin.world.wishes import Wishes

_HUNDREDTH = Decimal("0.01")
_MOST_HOURS = 24


# Tasks and time


def _add_task(world: World, wishes: Wishes, at: int, today: date) -> int:
    project = wishes.one_of("project", world.projects) or _first(world.projects, "project")
    table = world.held.tasks
    blank = Task(id=table.next_id, created_at=at, updated_at=at, project=project.id, name=f"New task {len(table) + 1}")
    return _entered(world, blank, _task_fields(world, blank, wishes), wishes)


def _task_fields(world: World, record: Task, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "name" in wishes:
        fields["name"] = wishes.text("name")
        if not fields["name"]:
            raise ValueError("Name can't be blank.")
    if "is_billable" in wishes:
        fields["is_billable"] = wishes.flag("is_billable")
    if "status" in wishes:
        fields["status"] = wishes.choice("status", words.TASK_STATUSES, record.status)
    if "billing_period" in wishes:
        fields["billing_period"] = wishes.choice("billing_period", ("hour", "day"), record.billing_period)
    fields["rate"] = wishes.decimal("billing_rate", record.rate)
    if fields["rate"] < 0:
        raise ValueError("billing_rate is zero or more.")
    return fields


def _add_timeslip(world: World, wishes: Wishes, at: int, today: date) -> int:
    task: Task = wishes.one_of("task", world.held.tasks) or _first(world.held.tasks, "task")
    user: User = wishes.one_of("user", world.people) or _first(world.people, "user")
    project: Project | None = wishes.one_of("project", world.projects)
    if project is not None and project.id != task.project:
        raise ValueError("The task is one of another project.")
    blank = Timeslip(
        id=world.held.timeslips.next_id,
        created_at=at,
        updated_at=at,
        user=user.id,
        project=task.project,
        task=task.id,
        dated_on=wishes.day("dated_on", today),
        hours=_hours(wishes, Decimal("1.0")),
    )
    return _entered(world, blank, {"comment": wishes.text("comment")}, wishes)


def _timeslip_fields(world: World, record: Timeslip, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {"hours": _hours(wishes, record.hours)}
    if "comment" in wishes:
        fields["comment"] = wishes.text("comment")
    fields["dated_on"] = wishes.day("dated_on", record.dated_on)
    if wishes.peek("user") is not None:
        fields["user"] = wishes.one_of("user", world.people).id
    task: Task = wishes.one_of("task", world.held.tasks) or world.held.tasks[record.task]
    project: Project | None = wishes.one_of("project", world.projects)
    if project is not None and project.id != task.project:
        raise ValueError("The task is one of another project.")
    fields |= {"task": task.id, "project": task.project}
    if record.invoice is not None and any(fields[name] != getattr(record, name) for name in ("hours", "task")):
        raise ValueError("hours is locked and cannot be changed.")
    return fields


def timed(world: World, record: Timeslip, *, runs: bool, at: int) -> None:
    """A timer started, or stopped with its hours added."""
    if runs == (record.running_since is not None):
        raise ValueError("The timer is running already." if runs else "The timer is not running.")
    fields: dict[str, Any] = {"running_since": at, "updated_at": at}
    if record.running_since is not None:
        worked = (Decimal(max(0, at - record.running_since)) / 3600).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
        fields |= {"running_since": None, "hours": record.hours + worked}
    world.replace(msgspec.structs.replace(record, **fields))


def _hours(wishes: Wishes, otherwise: Decimal) -> Decimal:
    hours = wishes.decimal("hours", otherwise)
    if not 0 <= hours <= _MOST_HOURS:
        raise ValueError(f"hours is a number from 0 to {_MOST_HOURS}.")
    return hours


# Notes


def _add_note(world: World, wishes: Wishes, at: int, today: date) -> int:
    contact: Contact | None = wishes.one_of("contact", world.contacts)
    project: Project | None = wishes.one_of("project", world.projects)
    if contact is None and project is None:
        contact = _first(world.contacts, "contact")
    blank = NoteText(
        id=world.held.notes.next_id,
        created_at=at,
        updated_at=at,
        text=wishes.text("note", "New note"),
        author=wishes.text("author", next(iter(world.people)).name),
        contact=None if contact is None else contact.id,
        project=None if project is None or contact is not None else project.id,
    )
    return _entered(world, blank, {}, wishes)


def _note_fields(world: World, record: NoteText, wishes: Wishes) -> dict[str, Any]:
    text = wishes.text("note", record.text)
    if not text:
        raise ValueError("Note can't be blank.")
    return {"text": text}


# Estimates


def _add_estimate(world: World, wishes: Wishes, at: int, today: date) -> int:
    contact: Contact = wishes.one_of("contact", world.contacts) or _first(world.contacts, "contact")
    rows = wishes.rows("estimate_items")
    if rows is None and not wishes.is_api:
        rows = [Wishes({"description": "Work", "price": "100.0"})]
    blank = Estimate(
        id=world.held.estimates.next_id,
        created_at=at,
        updated_at=at,
        contact=contact.id,
        reference=f"E{len(world.held.estimates) + 1:03d}",
        dated_on=today,
        items=parts.lines((), rows or [], lambda row, old: estimate_item(world, row, old)),
        net=0,
        tax=0,
    )
    return _entered(world, blank, _estimate_fields(world, blank, wishes), wishes)


def _estimate_fields(world: World, record: Estimate, wishes: Wishes) -> dict[str, Any]:
    texts = (("reference", "reference"), ("notes", "notes"), ("client_contact_name", "client_contact_name"))
    fields: dict[str, Any] = {field: wishes.text(name) for name, field in texts if name in wishes}
    closed = (
        ("status", "status", words.ESTIMATE_STATUSES, record.status),
        ("estimate_type", "type", words.ESTIMATE_TYPES, record.type),
        ("currency", "currency", words.CURRENCIES, record.currency),
        ("ec_status", "ec_status", words.EC_STATUSES_OF_SALES, record.ec_status),
    )
    fields |= {field: wishes.choice(name, allowed, old) for name, field, allowed, old in closed if name in wishes}
    if fields.get("status") == "Invoiced" and record.invoice is None and "invoice" not in wishes:
        raise ValueError("An estimate is invoiced by being converted to an invoice.")
    if "invoice" in wishes:
        fields["invoice"] = parts.reference(wishes, "invoice", world.invoices)
    if wishes.peek("contact") is not None:
        fields["contact"] = wishes.one_of("contact", world.contacts).id
    if "project" in wishes:
        fields["project"] = parts.reference(wishes, "project", world.projects)
    if "discount_percent" in wishes:
        fields["discount"] = parts.discount(wishes)
    if "include_sales_tax_on_total_value" in wishes:
        fields["shows_tax"] = wishes.flag("include_sales_tax_on_total_value")
    fields["dated_on"] = wishes.day("dated_on", record.dated_on)
    rows = wishes.rows("estimate_items")
    items = record.items
    if rows is not None:
        items = parts.lines(record.items, rows, lambda row, old: estimate_item(world, row, old))
    net, tax, _ = acts.priced(items, fields.get("discount", record.discount))
    return fields | {"items": items, "net": net, "tax": tax}


def estimate_item(world: World, wishes: Wishes, old: Item | None = None) -> Item:
    """A line of an estimate: it has its own kinds of unit, and a comment has no price."""
    kind = wishes.choice("item_type", words.ESTIMATE_ITEM_TYPES, "-no unit-" if old is None else old.item_type)
    made = msgspec.structs.replace(parts.item(world, wishes, old), item_type=kind)
    if kind != "Comments":
        return made
    return msgspec.structs.replace(made, price=Decimal("0.0"), tax_rate=None, tax_status="")


def item_added(world: World, estimate: Estimate, wishes: Wishes, *, at: int) -> int:
    """One more line; returns its id."""
    made = estimate_item(world, wishes)
    _reprice(world, estimate, (*estimate.items, made), at=at)
    return made.id


def item_changed(world: World, estimate: Estimate, item_id: int, wishes: Wishes | None, *, at: int) -> None:
    """One line with other values, or with none gone."""
    old = next(each for each in estimate.items if each.id == item_id)
    newer = None if wishes is None else estimate_item(world, wishes, old)
    _reprice(world, estimate, replaced_item(estimate, item_id, newer), at=at)


def _reprice(world: World, estimate: Estimate, items: tuple[Item, ...], *, at: int) -> None:
    net, tax, _ = acts.priced(items, estimate.discount)
    world.replace(msgspec.structs.replace(estimate, items=items, net=net, tax=tax, updated_at=at))


def converted(world: World, estimate: Estimate, *, day: date, at: int) -> int:
    """A draft invoice with the lines of an estimate, which is invoiced from then on; returns the invoice's id."""
    if estimate.status == "Invoiced":
        raise ValueError("This estimate has been invoiced already.")
    items = tuple(
        msgspec.structs.replace(
            item, id=world.new_item_id(), item_type=_INVOICED_AS.get(item.item_type, item.item_type)
        )
        for item in estimate.items
    )
    invoice = acts.raise_sale(
        world,
        Invoice,
        contact=world.contacts[estimate.contact],
        day=day,
        items=items,
        at=at,
        status="draft",
        currency=estimate.currency,
        discount=estimate.discount,
        ec_status=estimate.ec_status,
        project=estimate.project,
    )
    world.replace(msgspec.structs.replace(estimate, status="Invoiced", invoice=invoice, updated_at=at))
    return invoice


def duplicated(world: World, estimate: Estimate, *, day: date, at: int) -> int:
    """A draft of another day with the same lines; returns its id."""
    copy = msgspec.structs.replace(
        estimate,
        id=world.held.estimates.next_id,
        created_at=at,
        updated_at=at,
        reference=f"E{len(world.held.estimates) + 1:03d}",
        dated_on=day,
        items=tuple(msgspec.structs.replace(item, id=world.new_item_id()) for item in estimate.items),
        status="Draft",
        invoice=None,
    )
    world.add(copy)
    return copy.id


_INVOICED_AS = {"-no unit-": "", "Comments": "Comment"}


# Repeating invoices


def _add_recurring(world: World, wishes: Wishes, at: int, today: date) -> int:
    contact: Contact = wishes.one_of("contact", world.contacts) or _first(world.contacts, "contact")
    rows = wishes.rows("invoice_items") or [Wishes({"description": "Retainer", "price": "250.0"})]
    items = parts.lines((), rows, lambda row, old: parts.item(world, row, old))
    net, tax, item_nets = acts.priced(items, None)
    day = wishes.day("dated_on", today)
    blank = RecurringInvoice(
        id=world.held.recurring_invoices.next_id,
        created_at=at,
        updated_at=at,
        contact=contact.id,
        reference=wishes.text("reference"),
        dated_on=day,
        due_on=rates.days_after(day, wishes.whole("payment_terms_in_days", 30)),
        items=items,
        net=net,
        tax=tax,
        item_nets=item_nets,
        status="draft",
        bank_account=next((each.id for each in world.bank_accounts if each.is_primary), None),
        next_on=rates.days_after(day, 30),
    )
    return _entered(world, blank, _recurring_fields(world, blank, wishes), wishes)


def _recurring_fields(world: World, record: RecurringInvoice, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "frequency" in wishes:
        fields["frequency"] = wishes.choice("frequency", (*words.RECURRING, "Monthly"), record.frequency)
    if "recurring_status" in wishes:
        fields["is_active"] = wishes.choice("recurring_status", ("Draft", "Active"), "Active") == "Active"
    if wishes.peek("next_recurs_on") is not None:
        fields["next_on"] = wishes.day("next_recurs_on", record.dated_on)
    if "recurring_end_date" in wishes:
        fields["ends_on"] = (
            wishes.day("recurring_end_date", record.dated_on) if wishes.peek("recurring_end_date") else None
        )
        wishes.take("recurring_end_date")
    if "comments" in wishes:
        fields["comments"] = wishes.text("comments")
    return fields


ADD: Mapping[str, Callable[[World, Wishes, int, date], int]] = {
    "tasks": _add_task,
    "timeslips": _add_timeslip,
    "notes": _add_note,
    "estimates": _add_estimate,
    "recurring_invoices": _add_recurring,
}
CHANGE: Mapping[type[Record], Callable[[World, Any, Wishes], dict[str, Any]]] = {
    Task: _task_fields,
    Timeslip: _timeslip_fields,
    NoteText: _note_fields,
    Estimate: _estimate_fields,
    RecurringInvoice: _recurring_fields,
}


def why_it_stays(world: World, record: Record) -> str:
    """What is kept that keeps a record from going, or nothing."""
    held = world.held
    if isinstance(record, Contact):
        return (
            "estimates or repeating invoices name it"
            if _is_named(held.estimates, held.recurring_invoices, contact=record.id)
            else ""
        )
    if isinstance(record, Project):
        return "tasks or estimates name it" if _is_named(held.tasks, held.estimates, project=record.id) else ""
    if isinstance(record, Task):
        return "timeslips name it" if _is_named(held.timeslips, task=record.id) else ""
    if isinstance(record, Timeslip):
        return "it has been billed" if record.invoice is not None else ""
    if isinstance(record, Estimate) and record.status in ("Approved", "Invoiced"):
        return f"it is {record.status.lower()}"
    return ""


def _is_named(*tables: Any, **reference: int) -> bool:
    [(name, number)] = reference.items()
    return any(getattr(each, name) == number for table in tables for each in table)


def let_go(world: World, record: Record, *, at: int) -> None:
    """Forget a record that goes: notes go with it, an estimate is approved again and hours are to be billed again."""
    held = world.held
    if isinstance(record, Contact | Project):
        name = "contact" if isinstance(record, Contact) else "project"
        for note in [each for each in held.notes if getattr(each, name) == record.id]:
            world.remove(note)
    if isinstance(record, Invoice):
        for estimate in [each for each in held.estimates if each.invoice == record.id]:
            world.replace(msgspec.structs.replace(without(estimate, "invoice", at=at), status="Approved"))
        for slip in [each for each in held.timeslips if each.invoice == record.id]:
            world.replace(without(slip, "invoice", at=at))


def credited(world: World, invoice: Invoice, *, at: int) -> int:
    """Make a credit note of a negative draft invoice, which is gone then; returns the credit note's id."""
    if invoice.status != "draft" or invoice.total >= 0:
        raise ValueError("Only a draft invoice that comes to less than zero can be converted to a credit note.")
    values = {name: getattr(invoice, name) for name in invoice.__struct_fields__}
    note = CreditNote(**values | {"id": world.credit_notes.next_id, "created_at": at, "updated_at": at})
    let_go(world, invoice, at=at)
    world.remove(invoice)
    world.add(note)
    return note.id


def _first(table: Any, what: str) -> Any:
    for record in table:
        return record
    raise ValueError(f"There is no {what} yet.")


def _entered(world: World, blank: Any, fields: dict[str, Any], wishes: Wishes) -> int:
    wishes.done()
    record = msgspec.structs.replace(blank, **fields)
    world.add(record)
    return int(record.id)

"""Tasks, timeslips, notes, estimates and repeating invoices as FreeAgent sends them.

https://dev.freeagent.com/docs/tasks, /docs/timeslips, /docs/notes, /docs/estimates, /docs/recurring_invoices. Inferred:
a repeating invoice has no status of an invoice's and nothing paid or due, and is inactive once its end has passed.
"""

from __future__ import annotations

from decimal import Decimal

from freeagent_standin.api import directory, sales
from freeagent_standin.api.desk import Body, Desk, day_text, instant, money, sent
from freeagent_standin.world.amounts import decimal_text, times
from freeagent_standin.world.entities import Item
from freeagent_standin.world.holdings import Estimate, NoteText, RecurringInvoice, Task, Timeslip


def task(desk: Desk, record: Task, *, is_nested: bool, is_single: bool) -> Body:
    """One task; its currency is its project's."""
    return {
        "url": desk.url("tasks", record.id),
        "project": desk.url("projects", record.project),
        "name": record.name,
        "currency": desk.world.projects[record.project].currency,
        "is_billable": record.is_billable,
        "billing_rate": decimal_text(record.rate),
        "billing_period": record.billing_period,
        "status": record.status,
        "is_deletable": record.id not in desk.remembered(("tasks with hours",), lambda: _tasks_with_hours(desk)),
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def _tasks_with_hours(desk: Desk) -> set[int]:
    return {each.task for each in desk.world.held.timeslips}


def timeslip(desk: Desk, record: Timeslip, *, is_nested: bool, is_single: bool) -> Body:
    """One timeslip; nested=true puts the whole task, user and project in place of their addresses."""
    world = desk.world
    body: Body = {
        "url": desk.url("timeslips", record.id),
        "user": desk.url("users", record.user),
        "project": desk.url("projects", record.project),
        "task": desk.url("tasks", record.task),
        "dated_on": day_text(record.dated_on),
        "hours": decimal_text(record.hours),
        "comment": record.comment,
        "billed_on_invoice": None if record.invoice is None else desk.url("invoices", record.invoice),
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }
    if record.running_since is not None:
        begun = record.running_since - int(record.hours * 3600)
        body["timer"] = {"running": True, "start_from": instant(begun)}
    if is_nested:
        plain = {"is_nested": False, "is_single": False}
        body |= {
            "user": directory.user(desk, world.people[record.user], **plain),
            "project": directory.project(desk, world.projects[record.project], **plain),
            "task": task(desk, world.held.tasks[record.task], **plain),
        }
    return sent(body)


def note(desk: Desk, record: NoteText, *, is_nested: bool, is_single: bool) -> Body:
    """One note."""
    parent = ("contacts", record.contact) if record.contact is not None else ("projects", record.project)
    return {
        "url": desk.url("notes", record.id),
        "note": record.text,
        "parent_url": desk.url(*parent),
        "author": record.author,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def estimate(desk: Desk, record: Estimate, *, is_nested: bool, is_single: bool) -> Body:
    """One estimate; items only when asked for or read singly."""
    is_taxed = desk.world.company.vat_registered
    discount = sales.discount_value(record)
    body: Body = {
        "url": desk.url("estimates", record.id),
        "status": record.status,
        "estimate_type": record.type,
        "contact": desk.url("contacts", record.contact),
        "contact_name": desk.world.contacts[record.contact].name,
        "project": None if record.project is None else desk.url("projects", record.project),
        "invoice": None if record.invoice is None else desk.url("invoices", record.invoice),
        "reference": record.reference,
        "dated_on": day_text(record.dated_on),
        "currency": record.currency,
        "notes": record.notes,
        "client_contact_name": record.client_contact_name,
        "ec_status": record.ec_status or ("UK/Non-EC" if is_taxed else None),
        "place_of_supply": record.place_of_supply,
        "discount_percent": None if record.discount is None else decimal_text(record.discount),
        "discount_value": None if discount is None else money(discount),
        "net_value": money(record.net),
        "sales_tax_value": money(record.tax) if is_taxed else None,
        "total_value": money(record.net + record.tax),
        "include_sales_tax_on_total_value": record.shows_tax,
        "involves_sales_tax": is_taxed,
        "is_interim_uk_vat": False,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }
    if is_nested or is_single:
        lines = enumerate(record.items, start=1)
        body["estimate_items"] = [estimate_item(desk, record, item, position) for position, item in lines]
    return sent(body)


def estimate_item(desk: Desk, record: Estimate, item: Item, position: int) -> Body:
    """One line; a comment has no amounts."""
    tax = times(round(item.price * item.quantity * 100), (item.tax_rate or Decimal(0)) / 100)
    is_priced = item.item_type != "Comments"
    return sent(
        {
            "url": desk.url("estimate_items", item.id),
            "position": position,
            "item_type": item.item_type,
            "quantity": decimal_text(item.quantity),
            "price": decimal_text(item.price),
            "description": item.description,
            "sales_tax_rate": None if item.tax_rate is None else decimal_text(item.tax_rate),
            "sales_tax_status": item.tax_status,
            "sales_tax_value": money(tax) if item.tax_status else None,
            "category": desk.category(item.category) if is_priced else None,
        }
    )


def recurring_invoice(desk: Desk, record: RecurringInvoice, *, is_nested: bool, is_single: bool) -> Body:
    """What an invoice will look like, and when the next is made; items only when read singly."""
    body = sales.header(desk, record, "Draft") | {
        "url": desk.url("recurring_invoices", record.id),
        "status": None,
        "long_status": None,
        "frequency": record.frequency,
        "recurring_status": "Active" if record.is_active else "Draft",
        "next_recurs_on": None if record.next_on is None else day_text(record.next_on),
        "recurring_end_date": None if record.ends_on is None else day_text(record.ends_on),
        "always_show_bic_and_iban": False,
        "payment_methods": {},
        "send_new_invoice_emails": False,
        "send_reminder_emails": False,
        "send_thank_you_emails": False,
        "show_project_name": False,
    }
    if is_single:
        body["invoice_items"] = sales.items_of(desk, record)
    return sent(body)

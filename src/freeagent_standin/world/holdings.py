"""What a company keeps beside its documents and bank lines: work for clients, notes, estimates, repeating invoices.

Nothing here is posted to the ledger: time, estimates and repeating invoices come into the books through the invoices
that are made of them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world.entities import Item, Record, SalesDocument
from freeagent_standin.world.shelves import Table


class Task(Record, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/tasks"""

    project: int
    name: str
    is_billable: bool = True
    status: str = "Active"
    rate: Decimal = Decimal("0.0")
    billing_period: str = "hour"


class Timeslip(Record, frozen=True, kw_only=True, gc=False):
    """Hours of one user on one day (https://dev.freeagent.com/docs/timeslips)."""

    user: int
    project: int
    task: int
    dated_on: date
    hours: Decimal
    comment: str = ""
    invoice: int | None = None
    """The invoice that the hours were billed on."""
    running_since: int | None = None
    """When its timer was started, in seconds since 1970."""


class NoteText(Record, frozen=True, kw_only=True, gc=False):
    """A note on a contact or a project (https://dev.freeagent.com/docs/notes)."""

    text: str
    author: str
    contact: int | None = None
    project: int | None = None


class Estimate(Record, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/estimates"""

    contact: int
    reference: str
    dated_on: date
    items: tuple[Item, ...]
    net: int
    tax: int
    status: str = "Draft"
    type: str = "Estimate"
    currency: str = "GBP"
    project: int | None = None
    invoice: int | None = None
    discount: Decimal | None = None
    ec_status: str = ""
    place_of_supply: str = ""
    notes: str = ""
    client_contact_name: str = ""
    shows_tax: bool = True


class RecurringInvoice(SalesDocument, frozen=True, kw_only=True, gc=False):
    """What an invoice will be, time and again; a draft for ever (https://dev.freeagent.com/docs/recurring_invoices)."""

    frequency: str = "Monthly"
    is_active: bool = True
    next_on: date | None = None
    ends_on: date | None = None


class Holdings:
    """The tables of all these."""

    def __init__(self, base: int) -> None:
        self.tasks: Table[Task] = Table("tasks", first_id=base + 30_001, key=lambda it: it.created_at)
        self.timeslips: Table[Timeslip] = Table(
            "timeslips", first_id=base + 7_000_001, key=lambda it: it.dated_on.toordinal()
        )
        self.notes: Table[NoteText] = Table("notes", first_id=base + 40_001, key=lambda it: it.created_at)
        self.estimates: Table[Estimate] = Table(
            "estimates", first_id=base + 50_001, key=lambda it: it.dated_on.toordinal()
        )
        self.recurring_invoices: Table[RecurringInvoice] = Table(
            "recurring_invoices", first_id=base + 60_001, key=lambda it: it.created_at
        )

        self.paid_payroll: set[date] = set()
        """The days on which payroll tax was due that somebody said was paid."""
        self.default_texts = {"invoices": "Thank you for your business.", "estimates": "Valid for thirty days."}
        """What stands below each of these documents."""

    def tables(self) -> dict[type[Record], Table[Any]]:
        """Each table by what is in it."""
        return {
            Task: self.tasks,
            Timeslip: self.timeslips,
            NoteText: self.notes,
            Estimate: self.estimates,
            RecurringInvoice: self.recurring_invoices,
        }

    def estimate_with(self, item_id: int) -> Estimate | None:
        """The estimate that a line stands on."""
        return next((each for each in self.estimates if any(item.id == item_id for item in each.items)), None)


def replaced_item(estimate: Estimate, item_id: int, newer: Item | None) -> tuple[Item, ...]:
    """The lines of an estimate with one of them changed, or gone."""
    lines = (newer if each.id == item_id else each for each in estimate.items)
    return tuple(each for each in lines if each is not None)


def without(record: Any, name: str, *, at: int) -> Any:
    """The record with one reference forgotten."""
    return msgspec.structs.replace(record, **{name: None, "updated_at": at})

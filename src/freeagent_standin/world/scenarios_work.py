"""What a company keeps about its work: one task, hour, note, estimate and repeating invoice of every kind.

https://dev.freeagent.com/docs/tasks, /docs/timeslips, /docs/notes, /docs/estimates, /docs/recurring_invoices.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts, rates
from freeagent_standin.world.entities import Contact, Item, Project
from freeagent_standin.world.holdings import Estimate, NoteText, RecurringInvoice, Task, Timeslip
from freeagent_standin.world.stage import Stage

_HOURS = ("7.5", "1.25", "0.5", "3.0", "6.75")
_COMMENTS = ("Second fix", "", "Call about the gate — José", "Site meeting\nand notes", "")
_MOST_DAYS = 60
_DAYS = {
    "Weekly": 7,
    "Two Weekly": 14,
    "Four Weekly": 28,
    "Monthly": 30,
    "Two Monthly": 61,
    "Quarterly": 91,
    "Biannually": 182,
    "Annually": 365,
    "2-Yearly": 730,
}
"""How far the invoices of a frequency lie apart (inferred for months)."""


def play(stage: Stage) -> None:
    """All of it, on the projects and contacts there are."""
    tasks = _tasks(stage)
    _hours(stage, tasks)
    _notes(stage)
    _estimates(stage)
    _recurring(stage)


def a_day(stage: Stage, day: date) -> None:
    """A working day as it goes on: hours, an estimate a month, and the invoices that repeat themselves."""
    world, is_weekday = stage.world, day.weekday() < 5
    task = next((each for each in world.held.tasks if each.status == "Active" and each.is_billable), None)
    if task is not None and is_weekday:
        log_hours(stage, task, day, user=stage.owner.id, hours=Decimal("7.5"), comment="", invoice=None)
    if day.day == 12:
        _estimate(stage, 1, stage.contact(), _line(stage, "Extension", "2750.0"), status="Sent")
    for each in list(world.held.recurring_invoices):
        if each.is_active and each.next_on is not None and each.next_on <= day and not _has_ended(each, day):
            _repeat(stage, each, day)


def _has_ended(record: RecurringInvoice, day: date) -> bool:
    return record.ends_on is not None and record.ends_on < day


def _repeat(stage: Stage, record: RecurringInvoice, day: date) -> None:
    """The invoice of a day, and when the next one comes."""
    world = stage.world
    items = [msgspec.structs.replace(item, id=world.new_item_id()) for item in record.items]
    stage.invoice(day, *items, contact=world.contacts[record.contact])
    following = rates.days_after(day, _DAYS[record.frequency])
    world.replace(msgspec.structs.replace(record, next_on=following, updated_at=stage.at(day)))


def _tasks(stage: Stage) -> list[Task]:
    barn, *others = stage.projects
    rows: list[tuple[Project, str, dict[str, Any]]] = [
        (barn, "Joinery", {"rate": Decimal("42.5")}),
        (barn, "Travel", {"is_billable": False}),
        (barn, "Survey", {"rate": Decimal("320.0"), "billing_period": "day", "status": "Completed"}),
    ]
    rows += [(each, "Drawings", {"status": "Hidden"} if number else {}) for number, each in enumerate(others)]
    made = []
    for project, name, more in rows:
        at = max(project.created_at, stage.at(stage.start)) + 60
        task = Task(
            id=stage.world.held.tasks.next_id, created_at=at, updated_at=at, project=project.id, name=name, **more
        )
        stage.world.add(task)
        made.append(task)
    return made


def _hours(stage: Stage, tasks: list[Task]) -> None:
    """The latest weeks of work by two people; what was long ago has been billed where there is an invoice for it."""
    world = stage.world
    people = [each for each in world.people if not each.hidden][:2]
    days = min(_MOST_DAYS, len(world.transactions))
    for passed in range(days, 0, -3):
        day = stage.ago(passed)
        number = passed // 3
        task = tasks[number % len(tasks)]
        billed = _billed_on(stage, task.project, day) if passed > _MOST_DAYS // 2 and task.is_billable else None
        log_hours(
            stage,
            task,
            day,
            user=people[number % len(people)].id,
            hours=Decimal(_HOURS[number % len(_HOURS)]),
            comment=_COMMENTS[number % len(_COMMENTS)],
            invoice=billed,
        )


def log_hours(stage: Stage, task: Task, day: date, **more: Any) -> None:
    """Hours on a task."""
    table, at = stage.world.held.timeslips, stage.at(day)
    stage.world.add(
        Timeslip(
            id=table.next_id, created_at=at, updated_at=at, project=task.project, task=task.id, dated_on=day, **more
        )
    )


def _billed_on(stage: Stage, project: int, day: date) -> int | None:
    holder = stage.world.projects[project].contact
    found = (each for each in stage.world.invoices if each.contact == holder and each.dated_on >= day)
    return next((each.id for each in found), None)


def _notes(stage: Stage) -> None:
    world = stage.world
    contact, project = stage.contacts[0], stage.projects[0]
    rows: list[tuple[str, dict[str, int]]] = [
        ("Prefers a call before ten.", {"contact": contact.id}),
        ("Pays late in August; « à relancer » 🌞", {"contact": contact.id}),
        ("Keys are with the neighbour at no. 7.\nMind the dog.", {"project": project.id}),
    ]
    for days, (text, parent) in zip((90, 21, 9), rows, strict=True):
        at = stage.at(stage.ago(days))
        world.add(
            NoteText(
                id=world.held.notes.next_id,
                created_at=at,
                updated_at=at,
                text=text,
                author=stage.owner.name,
                **parent,
            )
        )


def _estimates(stage: Stage) -> None:
    """One in each state; the invoiced one names an invoice of its contact."""
    project = stage.projects[0]
    holder = stage.holder(project)
    _estimate(stage, 5, holder, _line(stage, "Draft of a porch", "1850.0"))
    comment = Item(id=stage.world.new_item_id(), description="Subject to a survey", item_type="Comments")
    bench = _line(stage, "Oak bench", "240.0", "3.0", item_type="Products")
    _estimate(stage, 18, holder, bench, comment, status="Sent", type="Quote", discount=Decimal("12.5"))
    hours = _line(stage, "Barn doors", "38.333", "14.25", item_type="Hours")
    _estimate(stage, 40, holder, hours, status="Approved", type="Proposal", project=project.id, notes="Two coats.")
    _estimate(stage, 70, stage.contact(), _line(stage, "Gazebo", "9400.0"), status="Rejected")
    invoice = next(iter(stage.world.invoices), None)
    if invoice is not None:
        contact, earlier = stage.world.contacts[invoice.contact], (stage.latest - invoice.dated_on).days + 6
        line = _line(stage, "As agreed", "125.0", "2.0", item_type="Days")
        _estimate(stage, earlier, contact, line, status="Invoiced", invoice=invoice.id)


def _line(stage: Stage, description: str, price: str, quantity: str = "1.0", **more: Any) -> Item:
    return stage.item(description, price, quantity, **({"item_type": "-no unit-"} | more))


def _estimate(stage: Stage, days: int, contact: Contact, *items: Item, **more: Any) -> None:
    world, day = stage.world, stage.ago(days)
    at = max(stage.at(day), contact.created_at)
    net, tax, _ = acts.priced(items, more.get("discount"))
    table = world.held.estimates
    estimate = Estimate(
        id=table.next_id,
        created_at=at,
        updated_at=at,
        contact=contact.id,
        reference=f"E{len(table) + 1:03d}",
        dated_on=day,
        items=items,
        net=net,
        tax=tax,
        **more,
    )
    world.add(estimate)


def _recurring(stage: Stage) -> None:
    """An active one, one that has ended, and a draft."""
    rows: list[tuple[int, str, dict[str, Any]]] = [
        (120, "Workshop retainer", {"frequency": "Monthly"}),
        (200, "Maintenance, old contract", {"frequency": "Quarterly", "ends_on": stage.ago(30)}),
        (10, "Newsletter", {"frequency": "2-Yearly", "is_active": False}),
    ]
    for days, text, more in rows:
        world, day, contact = stage.world, stage.ago(days), stage.contact()
        items = (stage.item(text, "145.0", item_type="Services"),)
        net, tax, item_nets = acts.priced(items, None)
        at = stage.at(day)
        world.add(
            RecurringInvoice(
                id=world.held.recurring_invoices.next_id,
                created_at=at,
                updated_at=at,
                contact=contact.id,
                reference="",
                dated_on=day,
                due_on=rates.days_after(day, 30),
                items=items,
                net=net,
                tax=tax,
                item_nets=item_nets,
                status="draft",
                bank_account=stage.main.id,
                next_on=None if "ends_on" in more else rates.days_after(stage.latest, 12),
                **more,
            )
        )

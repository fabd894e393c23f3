"""Changes asked of running books through the control address: records added, changed and deleted, and business done.

Every change keeps the books true: a deleted payment leaves its invoice open, and a record that others rest on stays.
Raises ValueError with a sentence on nonsense, before anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

import msgspec

from freeagent_standin.world import (
    acts,
    charting,
    filings,
    importing,
    keeping,
    owning,
    parts,
    plain,
    rewriting,
    routine,
    writing,
)
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import (
    BankAccount,
    BankTransaction,
    Bill,
    Contact,
    CreditNote,
    Explanation,
    Invoice,
    JournalSet,
    Project,
    Record,
    User,
)
from freeagent_standin.world.holdings import Estimate
from freeagent_standin.world.rates import exchange_rate
from freeagent_standin.world.shelves import Table
from freeagent_standin.world.wishes import Wishes, named

MOST_DAYS = 3_660
_FULL = 8


def apply(world: World, op: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Carry out one operation; what it answers names the record it left."""
    wishes = Wishes(op)
    do = wishes.take("do")
    act = _ACTS.get(do) if isinstance(do, str) else None
    if act is None:
        raise ValueError(f"There is no operation {do!r}; there are {', '.join(sorted(_ACTS))}.")
    return act(world, wishes, now)


def _answer(resource: str, record_id: int) -> dict[str, Any]:
    return {"id": record_id, "url_path": f"{resource}/{record_id}"}


def _second(now: datetime) -> int:
    return int(now.timestamp())


# One record


def _add(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    table = _table(world, wishes)
    wanted = _set(wishes)
    wishes.done()
    said = plain.taken(table.name, wanted)
    number = writing.added(world, table.name, wanted, at=_second(now), today=now.date())
    world.say(number, said)
    return _answer(table.name, number)


def _change(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    table, record = _named(world, wishes)
    wanted = _set(wishes)
    wishes.done()
    said = plain.taken(table.name, wanted)
    rewriting.changed(world, record, wanted, at=_second(now))
    world.say(record.id, said)
    return _answer(table.name, record.id)


def _delete(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    table, record = _named(world, wishes)
    wishes.done()
    reason = _why_it_stays(world, record)
    if reason:
        raise ValueError(f"{type(record).__name__} {record.id} cannot be deleted: {reason}.")
    if isinstance(record, Explanation):
        acts.remove_explanation(world, record, at=_second(now))
    elif isinstance(record, BankTransaction):
        for each in record.explanations:
            acts.remove_explanation(world, world.explanations[each], at=_second(now))
        world.remove(world.transactions[record.id])
    else:
        keeping.let_go(world, record, at=_second(now))
        world.remove(record)
    return _answer(table.name, record.id)


def _why_it_stays(world: World, record: Record) -> str:
    reasons = (_why_books_need, keeping.why_it_stays, owning.why_it_stays)
    return next((reason for each in reasons if (reason := each(world, record))), "")


def _why_books_need(world: World, record: Record) -> str:
    if isinstance(record, User):
        return _uses_of_person(world, record)
    if isinstance(record, BankAccount):
        return "it has lines" if len(world.transactions.order(record.id)) else _uses_of_account(world, record)
    if isinstance(record, JournalSet) and record.dated_on is None:
        return "books begin with their opening balances"
    if isinstance(record, Contact):
        holders: tuple[Table[Any], ...] = (world.projects, world.invoices, world.credit_notes, world.bills)
        return _used(holders, lambda it: it.contact == record.id)
    if isinstance(record, Project):
        holders = (world.invoices, world.credit_notes, world.bills, world.expenses, world.explanations)
        return _used(holders, lambda it: record.id in (it.project, *(one.project for one in getattr(it, "items", ()))))
    if isinstance(record, Invoice | CreditNote | Bill) and (world.payments(record) or world.reconciled(record)):
        return "it has been settled in part"
    return ""


def _uses_of_person(world: World, record: User) -> str:
    if not any(each.id != record.id and each.permission_level == _FULL for each in world.people):
        return "nobody else may do everything"
    holders: tuple[Table[Any], ...] = (world.expenses, world.explanations, world.held.timeslips)
    journals = any(_of_person(each.code, record) for journal in world.journal_sets for each in journal.entries)
    return "journal sets name it" if journals else _used(holders, lambda it: it.user == record.id)


def _of_person(code: str, record: User) -> bool:
    parent, _, number = code.partition("-")
    return parent in parts.USER_CODES and number == str(record.number)


def _uses_of_account(world: World, record: BankAccount) -> str:
    if record.opening_balance:
        return "it has an opening balance"
    return _used((world.invoices, world.credit_notes), lambda it: it.bank_account == record.id)


def _used(tables: tuple[Table[Any], ...], is_use: Callable[[Any], bool]) -> str:
    return next((f"{table.name} name it" for table in tables if any(is_use(each) for each in table)), "")


def _duplicate(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    table, invoice = _named(world, wishes)
    wishes.done()
    day, at = now.date(), _second(now)
    if isinstance(invoice, Estimate):
        return _answer(table.name, keeping.duplicated(world, invoice, day=day, at=at))
    if not isinstance(invoice, Invoice):
        raise ValueError("Only an invoice or an estimate can be duplicated.")
    copy = msgspec.structs.replace(
        invoice,
        id=table.next_id,
        created_at=at,
        updated_at=at,
        reference=acts.next_reference(world),
        dated_on=day,
        due_on=day + (invoice.due_on - invoice.dated_on),
        items=tuple(msgspec.structs.replace(item, id=world.new_item_id()) for item in invoice.items),
        status="draft",
        rate=exchange_rate(invoice.currency, day),
        written_off_on=None,
        written_off=0,
    )
    world.add(copy)
    return _answer(table.name, copy.id)


def _convert(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    table, estimate = _named(world, wishes)
    wishes.done()
    if isinstance(estimate, Invoice):
        credit_note = keeping.credited(world, estimate, at=_second(now))
        return _answer("credit_notes", credit_note) | {"credit_note": credit_note}
    if not isinstance(estimate, Estimate):
        raise ValueError("Only an estimate or a negative draft invoice can be converted.")
    invoice = keeping.converted(world, estimate, day=now.date(), at=_second(now))
    return _answer(table.name, estimate.id) | {"invoice": invoice}


def _estimate_item(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    estimate, number, is_gone = (
        wishes.one_of("estimate", world.held.estimates),
        wishes.take("item"),
        wishes.flag("remove"),
    )
    wanted = _set(wishes)
    wishes.done()
    if estimate is None:
        raise ValueError("Which estimate? Give its id.")
    if number is None:
        number = keeping.item_added(world, estimate, wanted, at=_second(now))
    else:
        keeping.item_changed(world, estimate, number, None if is_gone else wanted, at=_second(now))
    return _answer("estimate_items", number)


def _default_text(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    resource, text = wishes.text("resource"), wishes.text("text")
    wishes.done()
    if resource not in world.held.default_texts:
        raise ValueError("Only invoices and estimates have a text that stands below each of them.")
    world.held.default_texts[resource] = text
    return {"url_path": f"{resource}/default_additional_text"}


def _timer(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    slip, runs = wishes.one_of("timeslip", world.held.timeslips), wishes.flag("running")
    wishes.done()
    if slip is None:
        raise ValueError("Which timeslip? Give its id.")
    keeping.timed(world, slip, runs=runs, at=_second(now))
    return _answer("timeslips", slip.id)


def _payroll_payment(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    due, is_paid = wishes.day("due_on", now.date()), wishes.flag("paid")
    wishes.done()
    (world.held.paid_payroll.add if is_paid else world.held.paid_payroll.discard)(due)
    return {"dueOn": due.isoformat(), "paid": is_paid}


def _cis(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    sides = {side: wishes.flag(side) for side in ("contractor", "subcontractor") if side in wishes}
    wishes.done()
    charting.cis_registered(world, sides, at=_second(now))
    return sides


# Business


def _pay(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    table, document = _named(world, wishes)
    if not isinstance(document, Invoice | CreditNote | Bill):
        raise ValueError("Only invoices, credit notes and bills can be paid.")
    if not world.is_posted(document):
        raise ValueError("A draft cannot be paid.")
    account = wishes.one_of("bank_account", world.bank_accounts) or next(iter(world.bank_accounts))
    due = world.due(document)
    amount = wishes.money("amount", abs(due)) * (-1 if document.total < 0 else 1)
    day = wishes.day("dated_on", now.date())
    is_touched = wishes.take("touch", True) is True
    wishes.done()
    if not amount or (amount < 0) != (document.total < 0):
        raise ValueError("There is nothing left to settle on this document.")
    explanation = acts.settle(world, document, account=account, day=day, at=_second(now), amount=amount)
    if is_touched:
        world.replace(msgspec.structs.replace(document, updated_at=_second(now)))
    return _answer(table.name, document.id) | {"explanation": explanation}


def _write_off(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    table, invoice = _named(world, wishes)
    wishes.done()
    if not isinstance(invoice, Invoice):
        raise ValueError("Only an invoice can be written off.")
    if invoice.status != "sent" or invoice.written_off_on is not None or world.due(invoice) <= 0:
        raise ValueError("Only a sent invoice with something due can be written off.")
    acts.write_off(world, invoice.id, day=now.date(), at=_second(now))
    return _answer(table.name, invoice.id)


def _transfer(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    source = wishes.one_of("from", world.bank_accounts)
    target = wishes.one_of("to", world.bank_accounts)
    amount = wishes.money("amount", 0)
    wishes.done()
    if source is None or target is None or source.id == target.id or amount <= 0:
        raise ValueError("A transfer needs two bank accounts (from, to) and an amount above zero.")
    paid, _ = acts.transfer(world, source=source, target=target, day=now.date(), amount=amount, at=_second(now))
    return _answer(world.explanations.name, paid)


def _import(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    account = wishes.one_of("bank_account", world.bank_accounts)
    rows = wishes.rows("lines")
    wishes.done()
    if account is None or not rows:
        raise ValueError("An import needs a bank_account and lines.")
    return {"lines": importing.uploaded(world, account, rows, at=_second(now))}


def _category(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    code, is_gone, wanted = wishes.text("code"), wishes.flag("remove"), _set(wishes)
    wishes.done()
    if not code:
        code = charting.added(world, wanted)
    elif is_gone:
        charting.removed(world, code)
    else:
        charting.changed(world, code, wanted)
    return {"code": code, "url_path": f"categories/{code}"}


def _lock(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    until = None if wishes.peek("until") is None else wishes.day("until", now.date())
    wishes.take("until")
    wishes.done()
    world.locked_until = until
    world.revision += 1
    return {"lockedUntil": None if until is None else until.isoformat()}


def _return(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    """A mark on a return to the tax office, as the API puts it there."""
    resource, what = wishes.text("resource"), wishes.text("mark")
    user, end = wishes.whole("user", 0), wishes.day("period_ends_on", now.date())
    due = None if wishes.peek("payment") is None else wishes.day("payment", end)
    wishes.take("payment")
    wishes.done()
    filings.mark(world, resource, end, what, at=_second(now), user=user, due=due)
    return {"url_path": f"{resource}/{end}"}


def _advance(world: World, wishes: Wishes, now: datetime) -> dict[str, Any]:
    days = wishes.whole("days", 1)
    wishes.done()
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"Business can be done for 1 to {MOST_DAYS} days.")
    before = world.counts()
    rng = Random(f"{world.seed}/{world.id}/{world.journal_length}")  # noqa: S311  books, not secrets
    routine.carry_on(world, rng, now=now, days=days)
    added = {name: count - before[name] for name, count in world.counts().items() if count != before[name]}
    return {"days": days, "added": added}


_ACTS: Mapping[str, Callable[[World, Wishes, datetime], dict[str, Any]]] = {
    "add": _add,
    "change": _change,
    "delete": _delete,
    "duplicate": _duplicate,
    "convert": _convert,
    "default_text": _default_text,
    "estimate_item": _estimate_item,
    "timer": _timer,
    "payroll_payment": _payroll_payment,
    "cis": _cis,
    "pay": _pay,
    "write_off": _write_off,
    "transfer": _transfer,
    "import": _import,
    "lock": _lock,
    "return": _return,
    "category": _category,
    "advance": _advance,
}


# Pieces


def _table(world: World, wishes: Wishes) -> Table[Any]:
    name = wishes.take("resource")
    tables = world.tables()
    if not isinstance(name, str) or name not in tables:
        raise ValueError(f"There is no resource {name!r} to change; there are {', '.join(sorted(tables))}.")
    return tables[name]


def _named(world: World, wishes: Wishes) -> tuple[Table[Any], Any]:
    table = _table(world, wishes)
    if "id" not in wishes:
        raise ValueError("Which record? Give its id.")
    return table, named(table, wishes.take("id"))


def _set(wishes: Wishes) -> Wishes:
    wanted = wishes.take("set", {})
    is_api = wishes.take("by") == "api"
    if not isinstance(wanted, dict):
        raise ValueError('What to set is an object such as {"reference": "INV-7"}.')
    return Wishes(wanted, is_api=is_api)


__all__ = ["MOST_DAYS", "apply"]

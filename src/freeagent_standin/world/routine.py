"""Ordinary business: the sales, purchases, claims and card costs that fill a company's days.

Used while a world is made, and again when a running stand-in is told that time has passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import chain
from random import Random

from freeagent_standin.world import acts, filings, names, owning, payroll, scenarios_ledger, scenarios_work
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import BankAccount, Bill, Invoice
from freeagent_standin.world.stage import Stage

_NO_END = 10**9


def carry_on(world: World, rng: Random, *, now: datetime, days: int) -> None:
    """Do business for so many days after `now`, about as much a day as there was before."""
    span = max(1, (now.date() - world.company.freeagent_start).days)
    sales, purchases, claims = (len(table) / span for table in (world.invoices, world.bills, world.expenses))
    costs = len(world.transactions) / span / 2
    owed = [each for each in _documents(world) if world.is_posted(each) and world.due(each) > 0]
    for passed in range(1, days + 1):
        moment = now + timedelta(days=passed)
        day = moment.date()
        stage = Stage(world, rng, latest=day, at=int(moment.timestamp()))
        _pay_some(stage, owed, day)
        for _ in range(_times(rng, sales)):
            sale(stage, day, _NO_END)
            owed.append(world.invoices[world.invoices.next_id - 1])
        for _ in range(_times(rng, purchases)):
            purchase(stage, day, _NO_END)
            owed.append(world.bills[world.bills.next_id - 1])
        for _ in range(_times(rng, claims)):
            claim(stage, day)
        for _ in range(_times(rng, costs)):
            card_cost(stage, day, len(world.transactions))
        scenarios_work.a_day(stage, day)
        if day.day == 1 or passed == days:
            owning.write_down(world, day)
        if day.day == 1:
            scenarios_ledger.month_end(stage, day - timedelta(days=1))
        for period in payroll.due(world, day) if world.company.is_british else []:
            text = f"HMRC PAYE/NIC {period.dated_on:%m %y}"
            stage.spend(day, -period.tax, text, "814", type="Other Money Out", line_type="PAYMENT")
        if day.day == 8 or passed == days:
            _settle_with_the_tax_office(stage, day)


def has_room(stage: Stage, lines: int) -> bool:
    """Whether one more bank line may be written."""
    return len(stage.world.transactions) < lines


def sale(stage: Stage, day: date, lines: int) -> None:
    """A customer's invoice of a few lines, perhaps paid."""
    rng = stage.rng
    items = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        text, unit, price = rng.choice(names.WORK)
        items.append(stage.item(text, price, f"{rng.randint(1, 12)}.0", item_type=unit))
    invoice = stage.invoice(day, *items, terms=rng.choice((14, 30, 30, 60)))
    if _is_settled(stage, day) and has_room(stage, lines):
        stage.pay(invoice, stage.later(day, rng.randint(3, 50)), account=_bank(stage))


def purchase(stage: Stage, day: date, lines: int) -> None:
    """A supplier's bill, perhaps paid."""
    rng = stage.rng
    items = []
    for _ in range(rng.choice((1, 1, 1, 2))):
        text, category = rng.choice(names.SUPPLIES)
        items.append(stage.bill_line(text, category, rng.randint(900, 240_000)))
    bill_id = acts.enter_bill(stage.world, contact=stage.contact(), day=day, items=items, at=stage.at(day))
    if _is_settled(stage, day) and has_room(stage, lines):
        stage.pay(stage.world.bills[bill_id], stage.later(day, rng.randint(1, 40)), account=_bank(stage))


def claim(stage: Stage, day: date) -> None:
    """Something the owner paid out of pocket."""
    text, category, _, least, most = stage.rng.choice(names.CARD_COSTS)
    gross = stage.rng.randint(least, most)
    tax = stage.tax(category, gross)
    tax.pop("tax", None)
    acts.claim(
        stage.world,
        user=stage.owner,
        category=category,
        day=day,
        gross=gross,
        at=stage.at(day),
        description=text.title(),
        **tax,
    )


def card_cost(stage: Stage, day: date, number: int) -> None:
    """A bank line for a small cost: now and then unexplained, or for review."""
    rng = stage.rng
    text, category, line_type, least, most = names.CARD_COSTS[int(rng.random() * len(names.CARD_COSTS))]
    gross = -(least + int(rng.random() * (most - least)))
    account = stage.card if number % 3 == 0 else stage.main
    at = stage.feed_at(day)
    if number % 50 == 49:
        acts.bank_line(
            stage.world, account=account, day=day, amount=gross, description=text, line_type=line_type, at=at
        )
        return
    acts.entry(
        stage.world,
        account=account,
        day=day,
        amount=gross,
        description=text,
        line_type=line_type,
        at=at,
        type="Payment",
        category=category,
        for_review=number % 97 == 96,
        **stage.tax(category, gross),
    )


def _settle_with_the_tax_office(stage: Stage, day: date) -> None:
    """File what is due, and pay the VAT of returns filed just now, or get it back."""
    world = stage.world
    filed = {each.id for each in world.vat_filings}
    filings.close(world, day, at=stage.at(day))
    for each in [each for each in world.vat_filings if each.id not in filed]:
        owed = each.charged - each.reclaimed
        kind, line_type = ("Other Money Out", "PAYMENT") if owed > 0 else ("Other Money In", "CREDIT")
        if owed:
            stage.spend(day, -owed, f"HMRC VAT {each.dated_on:%m %y}", "817", type=kind, line_type=line_type)


def _bank(stage: Stage) -> BankAccount:
    return stage.main if stage.rng.random() < 0.85 else stage.savings


def _is_settled(stage: Stage, day: date) -> bool:
    age = (stage.latest - day).days
    return age > 2 and stage.rng.random() < (0.95 if age > 60 else 0.6)


def _documents(world: World) -> Iterable[Invoice | Bill]:
    return chain(world.invoices, world.bills)


def _pay_some(stage: Stage, owed: list[Invoice | Bill], day: date) -> None:
    kept = []
    for document in owed:
        if stage.rng.random() < 0.03:
            stage.pay(document, day, account=_bank(stage))
        else:
            kept.append(document)
    owed[:] = kept


def _times(rng: Random, rate: float) -> int:
    return int(rate) + (rng.random() < rate % 1)

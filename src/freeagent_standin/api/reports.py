"""The trial balance (https://dev.freeagent.com/docs/trial_balance), straight from the ledger.

Debits are positive. Profit and loss codes run from the start of the accounting year (or from_date) to to_date, earlier
profit stands in 968, and balance sheet codes count everything up to to_date, opening balances included; so the total is
zero at any date. Codes whose total is zero are left out (inferred).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from freeagent_standin.api.desk import Body, Desk, money
from freeagent_standin.world import chart
from freeagent_standin.world.profiles import accounting_year


def trial_balance(desk: Desk, *, from_date: date | None, to_date: date | None) -> list[Body]:
    """Totals by nominal code; to_date alone means from the start of its accounting year."""
    world = desk.world
    until = to_date or desk.today
    since = from_date or accounting_year(world.company, max(until, world.company.started_on))[0]
    totals: dict[str, int] = {}
    for code in world.ledger.codes():
        if chart.is_profit_and_loss(code):
            totals[code] = world.ledger.total(code, since=since, until=until)
            earlier = world.ledger.total(code, until=min(_day_before(since), until))
            totals[chart.RETAINED] = totals.get(chart.RETAINED, 0) + earlier
        else:
            totals[code] = totals.get(code, 0) + world.ledger.total(code, until=until)
    return _lines(desk, sorted(totals.items()))


def opening_balances(desk: Desk) -> list[Body]:
    """The balances the company began with."""
    world = desk.world
    totals: dict[str, int] = {}
    for account in world.bank_accounts:
        totals[account.code] = totals.get(account.code, 0) + account.opening_native
        totals[chart.SUSPENSE] = totals.get(chart.SUSPENSE, 0) - account.opening_native
    for entry in world.opening.entries:
        totals[entry.code] = totals.get(entry.code, 0) + entry.amount
    return _lines(desk, sorted(totals.items()))


def _day_before(day: date) -> date:
    return day - timedelta(days=1) if day > date.min else day


def _lines(desk: Desk, totals: Iterable[tuple[str, int]]) -> list[Body]:
    return [_line(desk, code, total) for code, total in totals if total]


def _line(desk: Desk, code: str, total: int) -> Body:
    world = desk.world
    parent, _, number = code.partition("-")
    description = world.category_names.get(parent, parent)
    body: Body = {
        "category": desk.category(parent),
        "nominal_code": code,
        "display_nominal_code": code,
        "name": description,
        "total": money(total),
    }
    if parent == chart.BANK_CODE:
        account = next(each for each in world.bank_accounts if each.code == code)
        body["nominal_code"] = f"{parent}-{account.id}"
        body["name"] = f"{description} {account.name}"
        body["bank_account"] = desk.url("bank_accounts", account.id)
    elif number:
        user = next(each for each in world.people if each.number == int(number))
        body["nominal_code"] = f"{parent}-{user.id}"
        body["name"] = f"{description}: {user.name}"
        body["user"] = desk.url("users", user.id)
    return body

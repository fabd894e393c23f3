"""Trial balance, profit and loss, balance sheet and cash flow, straight from the ledger.

https://dev.freeagent.com/docs/trial_balance, /docs/profit_and_loss, /docs/balance_sheet, /docs/cashflow. Debits are
positive. In a trial balance, profit and loss codes run from the start of the accounting year (or from_date) to to_date,
earlier profit stands in 968, and balance sheet codes count everything up to to_date, opening balances included; so the
total is zero at any date.

Inferred: codes whose total is zero are left out, and on the balance sheet those that round to zero; corporation tax and
dividends are subtracted from the profit of limited companies alone; what is owed stands under current liabilities and
what is owned under current assets, whatever the code; dividends are part of the retained profit; one bound alone in
another year than today's is refused; cash flow counts explained bank lines by their day, transfers left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta

from freeagent_standin.api.answers import bad_request
from freeagent_standin.api.desk import Body, Desk, day_text, money
from freeagent_standin.api.lists import day
from freeagent_standin.world import chart
from freeagent_standin.world.books import World
from freeagent_standin.world.profiles import accounting_periods, accounting_year

Query = Mapping[str, str]
_TOO_LONG = "Date range must be 12 months or less, or within a single accounting year"


def optional_day(query: Query, name: str) -> date | None:
    """A day that need not be given."""
    return day(query[name], what=name) if query.get(name) else None


# Trial balance


def _trial_balance(desk: Desk, query: Query) -> Body:
    """Totals by nominal code; to_date alone means from the start of its accounting year."""
    since, until = optional_day(query, "from_date"), optional_day(query, "to_date") or desk.today
    if since is not None and since > until:
        raise bad_request("from_date must not be after to_date")
    totals = balances(desk.world, since or _year_start(desk.world, until), until)
    return {"trial_balance_summary": _lines(desk, sorted(totals.items()))}


def _opening_trial_balance(desk: Desk, query: Query) -> Body:
    """The balances the company began with."""
    return {"trial_balance_summary": _lines(desk, sorted(_opening(desk.world).items()))}


def balances(world: World, since: date, until: date) -> dict[str, int]:
    """Debits less credits by nominal code: profit and loss since a day, everything else from the beginning."""
    totals: dict[str, int] = {}
    for code in world.ledger.codes():
        if chart.is_profit_and_loss(code):
            totals[code] = world.ledger.total(code, since=since, until=until)
            earlier = world.ledger.total(code, until=min(_day_before(since), until))
            totals[chart.RETAINED] = totals.get(chart.RETAINED, 0) + earlier
        else:
            totals[code] = totals.get(code, 0) + world.ledger.total(code, until=until)
    return totals


def _opening(world: World) -> dict[str, int]:
    totals: dict[str, int] = {}
    for account in world.bank_accounts:
        totals[account.code] = totals.get(account.code, 0) + account.opening_native
        totals[chart.SUSPENSE] = totals.get(chart.SUSPENSE, 0) - account.opening_native
    for entry in world.opening.entries:
        totals[entry.code] = totals.get(entry.code, 0) + entry.amount
    return totals


def _year_start(world: World, day: date) -> date:
    return accounting_year(world.company, max(day, world.company.started_on))[0]


def _day_before(day: date) -> date:
    return day - timedelta(days=1) if day > date.min else day


def _lines(desk: Desk, totals: Iterable[tuple[str, int]]) -> list[Body]:
    return [_line(desk, code, total) for code, total in totals if total]


def _line(desk: Desk, code: str, total: int) -> Body:
    world = desk.world
    parent, _, number = code.partition("-")
    body: Body = {
        "category": desk.category(parent),
        "nominal_code": code,
        "display_nominal_code": code,
        "name": _name(world, code, of_bank="{} {}"),
        "total": money(total),
    }
    if parent == chart.BANK_CODE:
        account = next(each for each in world.bank_accounts if each.code == code)
        body["nominal_code"] = f"{parent}-{account.id}"
        body["bank_account"] = desk.url("bank_accounts", account.id)
    elif parent in chart.USER_CODES and number:
        user = next(each for each in world.people if each.number == int(number))
        body["nominal_code"] = f"{parent}-{user.id}"
        body["user"] = desk.url("users", user.id)
    return body


def _name(world: World, code: str, *, of_bank: str) -> str:
    """What a report calls an account; the reports differ in how they name banks."""
    parent, _, number = code.partition("-")
    description = world.account_name(code)
    if parent == chart.BANK_CODE:
        return of_bank.format(description, next(each.name for each in world.bank_accounts if each.code == code))
    if parent in chart.USER_CODES and number:
        return f"{description}: {next(each.name for each in world.people if each.number == int(number))}"
    return description


# Profit and loss


def _profit_and_loss(desk: Desk, query: Query) -> Body:
    world = desk.world
    since, until = _profit_range(desk, query)
    totals = balances(world, since, until)
    income = -sum(total for code, total in totals.items() if code < chart.FIRST_COST)
    tax = sum(totals.get(code, 0) for code in chart.CORPORATION_TAX)
    costs = sum(total for code, total in totals.items() if chart.is_profit_and_loss(code)) + income - tax
    dividends = sum(world.ledger.total(code, since=since, until=until) for code in totals if _is_dividend(code))
    is_limited = world.company.is_limited
    less = [("Corp. Tax (est.)", tax), ("Dividends", dividends)] if is_limited else []
    retained = income - costs - (tax + dividends if is_limited else 0)
    carried = -sum(total for code, total in totals.items() if code == chart.RETAINED or _is_profit(code))
    return {
        "profit_and_loss_summary": {
            "from": day_text(since),
            "to": day_text(until),
            "income": _whole(income),
            "expenses": _whole(costs),
            "operating_profit": _whole(income - costs),
            "less": [{"title": title, "total": _whole(total)} for title, total in (*less, ("Adjustments", 0))],
            "retained_profit": _whole(retained),
            "retained_profit_brought_forward": _whole(carried - retained),
            "retained_profit_carried_forward": _whole(carried),
        }
    }


def _profit_range(desk: Desk, query: Query) -> tuple[date, date]:
    """The days of a profit and loss: an accounting period by its name, or two days at most a year or a period apart."""
    company = desk.world.company
    wanted = query.get("accounting_period")
    if wanted:
        for first, last in accounting_periods(company, desk.today):
            if wanted == f"{first.year}/{last.year % 100:02d}":
                return first, last
        raise bad_request("accounting_period is not one of this company's accounting periods")
    since = optional_day(query, "from_date") or _year_start(desk.world, desk.today)
    until = optional_day(query, "to_date") or desk.today
    if since > until:
        raise bad_request("from_date must not be after to_date")
    first, last = accounting_year(company, max(since, company.started_on))
    if not (first <= since and until <= last) and until > _a_year_after(since):
        raise bad_request(_TOO_LONG)
    return since, until


def _a_year_after(day: date) -> date:
    """The last day of the twelve months that begin on a day."""
    if day.year == date.max.year:
        return date.max
    is_leap_day = (day.month, day.day) == (2, 29)
    return (date(day.year + 1, 3, 1) if is_leap_day else day.replace(year=day.year + 1)) - timedelta(days=1)


def _is_dividend(code: str) -> bool:
    return code.partition("-")[0] == chart.DIVIDEND


def _is_profit(code: str) -> bool:
    return chart.is_profit_and_loss(code) or _is_dividend(code)


def _rounded(amount: int) -> int:
    """Whole units, half away from zero."""
    whole = (abs(amount) + 50) // 100
    return -whole if amount < 0 else whole


def _whole(amount: int) -> str:
    return str(_rounded(amount))


# Balance sheet


def _balance_sheet(desk: Desk, query: Query) -> Body:
    until = optional_day(query, "as_at_date") or desk.today
    since = _year_start(desk.world, until)
    dates: Body = {"accounting_period_start_date": day_text(since), "as_at_date": day_text(until)}
    return {"balance_sheet": dates | _sections(desk.world, balances(desk.world, since, until))}


def _opening_balance_sheet(desk: Desk, query: Query) -> Body:
    return {"balance_sheet": _sections(desk.world, _opening(desk.world))}


def _sections(world: World, totals: Mapping[str, int]) -> Body:
    """Accounts by where they stand: capital assets, equity, and the rest by whether it is owned or owed."""
    capital: dict[str, int] = {}
    assets: dict[str, int] = {}
    liabilities: dict[str, int] = {}
    equity: dict[str, int] = {}
    retained = 0
    for code, total in sorted(totals.items()):
        if code == chart.RETAINED or _is_profit(code):
            retained += total
        elif chart.is_capital_asset(code):
            capital[code] = total
        elif chart.is_equity(code):
            equity[code] = total
        else:
            (assets if total > 0 else liabilities)[code] = total
    current = sum(assets.values()) + sum(liabilities.values())
    owned = sum(capital.values()) + current
    return {
        "currency": world.company.currency,
        "capital_assets": _accounts(world, capital) | {"net_book_value": _rounded(sum(capital.values()))},
        "current_assets": _accounts(world, assets),
        "current_liabilities": _accounts(world, liabilities),
        "net_current_assets": _rounded(current),
        "total_assets": _rounded(owned),
        "owners_equity": _accounts(world, equity) | {"retained_profit": _rounded(retained)},
        "total_owners_equity": -_rounded(owned),
    }


def _accounts(world: World, totals: Mapping[str, int]) -> Body:
    """The accounts of a section; a section without any has no such member."""
    rows = [
        {"name": _name(world, code, of_bank="{}: {}"), "nominal_code": code, "total_debit_value": _rounded(total)}
        for code, total in totals.items()
        if _rounded(total)
    ]
    return {"accounts": rows} if rows else {}


# Cash flow


def _cashflow(desk: Desk, query: Query) -> Body:
    since, until = optional_day(query, "from_date"), optional_day(query, "to_date")
    if since is None or until is None:
        raise bad_request("from_date and to_date parameters are required")
    if since > until:
        raise bad_request("from_date must not be after to_date")
    months = {month: [0, 0] for month in _months(since, until)}
    last = min(until, desk.today).toordinal()
    for paid in desk.world.explanations.between(since.toordinal(), last):
        if paid.linked_account is None:
            months[paid.dated_on.year, paid.dated_on.month][paid.native < 0] += abs(paid.native)
    received, spent = (sum(totals[side] for totals in months.values()) for side in (0, 1))
    return {
        "cashflow": {
            "from": day_text(since),
            "to": day_text(until),
            "balance": _or_nothing(received - spent),
            "incoming": _side(months, 0),
            "outgoing": _side(months, 1),
        }
    }


def _side(months: Mapping[tuple[int, int], list[int]], side: int) -> Body:
    return {
        "total": _or_nothing(sum(totals[side] for totals in months.values())),
        "months": [
            {"month": month, "year": year, "total": _or_nothing(totals[side])}
            for (year, month), totals in months.items()
        ],
    }


def _months(since: date, until: date) -> Iterator[tuple[int, int]]:
    first, last = since.year * 12 + since.month - 1, until.year * 12 + until.month - 1
    return ((index // 12, index % 12 + 1) for index in range(first, last + 1))


def _or_nothing(amount: int) -> str | int:
    """Text, but a bare 0 where there is nothing, as captured."""
    return money(amount) if amount else 0


REPORTS: Mapping[str, tuple[int, Callable[[Desk, Query], Body]]] = {
    "accounting/trial_balance/summary": (7, _trial_balance),
    "accounting/trial_balance/summary/opening_balances": (7, _opening_trial_balance),
    "accounting/profit_and_loss/summary": (7, _profit_and_loss),
    "accounting/balance_sheet": (7, _balance_sheet),
    "accounting/balance_sheet/opening_balances": (7, _opening_balance_sheet),
    "cashflow": (6, _cashflow),
}
"""By path: the level a report takes, and how it is made."""

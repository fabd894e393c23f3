"""The days on which FreeAgent's accounts are drawn up for reports: the end of every month kept, and today.

https://dev.freeagent.com/docs/trial_balance: asked for one day, FreeAgent answers balances as of that day, and profit
and loss from the beginning of the accounting year that holds it. What a month brought is the difference between two
such answers, which is exact. Where an accounting year ends inside a month, its last day is asked for too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from comptoir.integrations.contract import RawRow, ReadWindow
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.periods import accounting_year, began, last_month_end, the_company

__all__ = ["balances", "cash", "profits", "sheets"]

_DAY = timedelta(days=1)

_Rows = Mapping[str, tuple[RawRow, ...]]


def balances(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """Each day under its own name. What moved before such a day shows in the balances of the year's end; in the year
    under way, in those of the month that ended last."""
    company = the_company(rows)

    def told_by(on: date) -> date:
        year_end = accounting_year(company, on)[1]
        return year_end if year_end < today else last_month_end(today)

    return tuple(
        ReadWindow(
            name=on.isoformat(),
            params=(("to_date", on.isoformat()),),
            is_closed=on < today,
            last=on.isoformat(),
            told_by=told_by(on).isoformat(),
        )
        for on in _days(rows, today, months)
    )


def sheets(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """The same days, for a balance sheet each."""
    return tuple(
        ReadWindow(name=on.isoformat(), params=(("as_at_date", on.isoformat()),), is_closed=on < today)
        for on in _days(rows, today, months)
    )


def profits(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """The same days, each from the beginning of its accounting year: no range of more than one year is answered."""
    company = the_company(rows)
    return tuple(
        ReadWindow(
            name=on.isoformat(),
            params=(("from_date", accounting_year(company, on)[0].isoformat()), ("to_date", on.isoformat())),
            is_closed=on < today,
        )
        for on in _days(rows, today, months)
    )


def cash(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """All months kept, up to today: one answer tells of each of them."""
    first = _first_month(the_company(rows), today, months)
    if first > today:
        return ()
    return (ReadWindow(name="months", params=(("from_date", first.isoformat()), ("to_date", today.isoformat()))),)


def _first_month(company: payloads.Company, today: date, months: int) -> date:
    """The first day of the first month kept."""
    years, month = divmod(today.year * 12 + today.month - months, 12)
    kept = date(years, month + 1, 1)
    start = began(company)
    return max(kept, start.replace(day=1)) if start else kept


def _days(rows: _Rows, today: date, months: int) -> list[date]:
    company = the_company(rows)
    first, start = _first_month(company, today, months), began(company)
    if first > today:
        return []
    days = {today}
    if (start is None or start < first) and accounting_year(company, first)[0] < first:
        days.add(first - _DAY)  # what the first month's profit is counted from
    year_end = accounting_year(company, first)[1]
    while year_end < today:
        days.add(year_end)
        year_end = accounting_year(company, year_end + _DAY)[1]
    following = _month_after(first)
    while following <= today:
        days.add(following - _DAY)
        following = _month_after(following)
    return sorted(days)


def _month_after(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)

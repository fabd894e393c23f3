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
from comptoir.integrations.freeagent.reading import payload_of
from comptoir.integrations.freeagent.references import day

__all__ = ["accounting_year", "balances", "began", "cash", "profits", "sheets"]

_DAY = timedelta(days=1)
_company = payload_of(payloads.Company)

_Rows = Mapping[str, tuple[RawRow, ...]]


def balances(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """Each day under its own name. All of them are read each time: they tell which months have moved."""
    return tuple(
        ReadWindow(name=on.isoformat(), params=(("to_date", on.isoformat()),)) for on in _days(rows, today, months)
    )


def sheets(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """The same days, for a balance sheet each."""
    return tuple(
        ReadWindow(name=on.isoformat(), params=(("as_at_date", on.isoformat()),), is_closed=on < today)
        for on in _days(rows, today, months)
    )


def profits(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """The same days, each from the beginning of its accounting year: no range of more than one year is answered."""
    company = _told(rows)
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
    first = _first_month(_told(rows), today, months)
    if first > today:
        return ()
    return (ReadWindow(name="months", params=(("from_date", first.isoformat()), ("to_date", today.isoformat()))),)


def accounting_year(company: payloads.Company, on: date) -> tuple[date, date]:
    """First and last day of the accounting year that holds a day; years that are not told are twelve months long.

    ValueError where the company tells neither a year nor when its books began.
    """
    told = [(day(one.starts_on), day(one.ends_on)) for one in company.annual_accounting_periods or ()]
    years = sorted((first, last) for first, last in told if first and last and first <= last)
    if years:
        begun = [one for one in years if one[0] <= on]
        first, last = begun[-1] if begun else years[0]
    elif ended := day(company.first_accounting_year_end or ""):
        first, last = _year_before(ended + _DAY), ended
    elif (first_day := began(company)) is not None:
        first, last = first_day, _year_after(first_day) - _DAY
    else:
        raise ValueError("the company tells neither its accounting years nor when its books began")
    while on > last:
        first, last = last + _DAY, _year_after(last + _DAY) - _DAY
    while on < first:
        first, last = _year_before(first), first - _DAY
    return first, last


def began(company: payloads.Company) -> date | None:
    """The first day of the books in FreeAgent, if it is told."""
    return day(company.freeagent_start_date or "") or day(company.company_start_date or "")


def _told(rows: _Rows) -> payloads.Company:
    return _company(rows["company"][0].body)


def _first_month(company: payloads.Company, today: date, months: int) -> date:
    """The first day of the first month kept."""
    years, month = divmod(today.year * 12 + today.month - months, 12)
    kept = date(years, month + 1, 1)
    start = began(company)
    return max(kept, start.replace(day=1)) if start else kept


def _days(rows: _Rows, today: date, months: int) -> list[date]:
    company = _told(rows)
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


def _year_after(first: date) -> date:
    """The same day a year later; 1 March for 29 February."""
    return date(first.year + 1, 3, 1) if (first.month, first.day) == (2, 29) else first.replace(year=first.year + 1)


def _year_before(first: date) -> date:
    return date(first.year - 1, 3, 1) if (first.month, first.day) == (2, 29) else first.replace(year=first.year - 1)

"""Accounting years, as the company names them, and the ranges in which FreeAgent's ledger is read: one year each.

https://dev.freeagent.com/docs/transactions: a range must lie inside one accounting year, and integrators report that
it is refused otherwise. A year that is over is closed: nothing new is expected in it, and a change shows in the trial
balance at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from comptoir.integrations.contract import RawRow, ReadWindow
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.reading import payload_of
from comptoir.integrations.freeagent.references import day

__all__ = ["accounting_year", "began", "closings", "last_month_end", "the_company", "years"]

_DAY = timedelta(days=1)
_company = payload_of(payloads.Company)

_Rows = Mapping[str, tuple[RawRow, ...]]
_Year = tuple[date, date]


def years(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """Each accounting year, under its last day, the oldest first."""
    return tuple(
        ReadWindow(
            name=last.isoformat(),
            params=(("from_date", first.isoformat()), ("to_date", last.isoformat())),
            is_closed=last < today,
            last=last.isoformat(),
        )
        for first, last in _years(the_company(rows), today)
    )


def closings(rows: _Rows, today: date, months: int) -> tuple[ReadWindow, ...]:
    """The last day of each year that is over, under the year's own name, and that of the month that is over."""
    found = _years(the_company(rows), today)
    days = {last for _, last in found if last < today}
    if (month_end := last_month_end(today)) >= found[0][0]:
        days.add(month_end)
    return tuple(ReadWindow(name=on.isoformat(), params=(("to_date", on.isoformat()),)) for on in sorted(days))


def last_month_end(today: date) -> date:
    return today.replace(day=1) - _DAY


def the_company(rows: _Rows) -> payloads.Company:
    return _company(rows["company"][0].body)


def began(company: payloads.Company) -> date | None:
    """The first day of the books in FreeAgent, if it is told."""
    return day(company.freeagent_start_date or "") or day(company.company_start_date or "")


def accounting_year(company: payloads.Company, on: date) -> _Year:
    """First and last day of the accounting year that holds a day; years that are not told are twelve months long.

    ValueError where the company tells neither a year nor when its books began.
    """
    told = _told(company)
    begun = [one for one in told if one[0] <= on]
    first, last = begun[-1] if begun else told[0]
    while on > last:
        first, last = last + _DAY, _year_after(last + _DAY) - _DAY
    while on < first:
        first, last = _year_before(first), first - _DAY
    return first, last


def _years(company: payloads.Company, today: date) -> list[_Year]:
    """The accounting years up to today's. ValueError where the company does not tell them."""
    found = [one for one in _told(company) if one[0] <= today] or [accounting_year(company, today)]
    while found[-1][1] < today:
        found.append(accounting_year(company, found[-1][1] + _DAY))
    return found


def _told(company: payloads.Company) -> list[_Year]:
    told = [(day(one.starts_on), day(one.ends_on)) for one in company.annual_accounting_periods or ()]
    if found := sorted((first, last) for first, last in told if first and last and first <= last):
        return found
    start, ended = began(company), day(company.first_accounting_year_end or "")
    if ended and (start is None or ended >= start):
        return [(start or _year_before(ended + _DAY), ended)]
    if start is None:
        raise ValueError("the company tells neither its accounting periods nor when they began")
    return [(start, _year_after(start) - _DAY)]


def _year_after(first: date) -> date:
    """The same day a year later; 1 March for 29 February."""
    return date(first.year + 1, 3, 1) if (first.month, first.day) == (2, 29) else first.replace(year=first.year + 1)


def _year_before(first: date) -> date:
    return date(first.year - 1, 3, 1) if (first.month, first.day) == (2, 29) else first.replace(year=first.year - 1)

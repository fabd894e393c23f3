"""The ranges in which FreeAgent's ledger is read: accounting years, as the company names them.

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

__all__ = ["closings", "years"]

_DAY = timedelta(days=1)
_company = payload_of(payloads.Company)


def years(rows: Mapping[str, tuple[RawRow, ...]], today: date, months: int) -> tuple[ReadWindow, ...]:
    """Each accounting year, under its last day, the oldest first."""
    return tuple(
        ReadWindow(
            name=last.isoformat(),
            params=(("from_date", first.isoformat()), ("to_date", last.isoformat())),
            is_closed=last < today,
            last=last.isoformat(),
        )
        for first, last in _periods(rows, today)
    )


def closings(rows: Mapping[str, tuple[RawRow, ...]], today: date, months: int) -> tuple[ReadWindow, ...]:
    """The last day of each year that is over, under the year's own name."""
    return tuple(
        ReadWindow(name=last.isoformat(), params=(("to_date", last.isoformat()),))
        for _, last in _periods(rows, today)
        if last < today
    )


def _periods(rows: Mapping[str, tuple[RawRow, ...]], today: date) -> list[tuple[date, date]]:
    """First and last days of the accounting years up to today's. ValueError where the company does not tell them."""
    company = _company(rows["company"][0].body)
    told = [(day(one.starts_on), day(one.ends_on)) for one in company.annual_accounting_periods or ()]
    found = sorted((first, last) for first, last in told if first and last and first <= last and first <= today)
    if not found:
        began = day(company.freeagent_start_date or "") or day(company.company_start_date or "")
        if began is None:
            raise ValueError("the company tells neither its accounting periods nor when they began")
        ended = day(company.first_accounting_year_end or "")
        found = [(began, ended if ended and ended >= began else _year_after(began))]
    while found[-1][1] < today:
        first = found[-1][1] + _DAY
        found.append((first, _year_after(first)))
    return found


def _year_after(first: date) -> date:
    """The last day of twelve months."""
    leap = (first.month, first.day) == (2, 29)
    return first.replace(year=first.year + 1, day=28 if leap else first.day) - (timedelta(0) if leap else _DAY)

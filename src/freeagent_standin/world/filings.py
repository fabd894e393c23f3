"""VAT returns filed and corporation tax provided for: what closing a period posts, and when periods are due.

https://dev.freeagent.com/docs/vat_returns, /docs/corporation_tax_returns. A filed VAT return moves what was charged and
reclaimed in its quarter to 817 on the quarter's last day; what changes there afterwards stays where it is. Corporation
tax is provided for on the last day of an accounting year: for one that has ended as its profit was when it was closed,
for one that runs with nothing, as recorded of the live API. Inferred: quarters from the first accounting year end,
tax at 19% of the profit, and that all periods due when the books are made have been filed and paid.
"""

from __future__ import annotations

from datetime import date, timedelta

from freeagent_standin.world import chart
from freeagent_standin.world.amounts import times
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import TaxProvision, VatFiling
from freeagent_standin.world.profiles import accounting_periods, accounting_year
from freeagent_standin.world.rates import CORPORATION_TAX, day_start, days_after

Period = tuple[date, date]


def vat_periods(world: World, today: date) -> list[Period]:
    """The quarters from the first return's to today's, at least that one; none for a company that is not registered."""
    company = world.company
    if not company.vat_registered:
        return []
    end = accounting_year(company, company.freeagent_start)[1]
    while months_after(end, -3) >= company.freeagent_start:
        end = months_after(end, -3)
    periods = [(months_after(end, -3) + timedelta(days=1), end)]
    while end < today:
        start, end = end + timedelta(days=1), months_after(end, 3)
        periods.append((start, end))
    return periods


def vat_due_on(end: date) -> date:
    """A month and seven days after the quarter."""
    return days_after(months_after(end, 1), 7)


def vat_figures(world: World, period: Period) -> tuple[int, int, int, int]:
    """Tax charged and reclaimed, sales and purchases without tax: as filed, or as the ledger has them now."""
    filed = filing(world, period[1])
    if filed is not None:
        return filed.charged, filed.reclaimed, filed.sales, filed.purchases
    start, end = period
    ledger = world.ledger
    sales = purchases = 0
    for code in ledger.codes():
        if code < chart.FIRST_COST:
            sales -= ledger.total(code, since=start, until=end)
        elif code < "400" or code.startswith("602"):
            purchases += ledger.total(code, since=start, until=end)
    charged = -ledger.total(chart.VAT_CHARGED, since=start, until=end)
    return charged, ledger.total(chart.VAT_RECLAIMED, since=start, until=end), sales, purchases


def filing(world: World, end: date) -> VatFiling | None:
    """The filed return of a quarter."""
    return next((each for each in world.vat_filings if each.dated_on == end), None)


def file_vat(world: World, period: Period, *, at: int, is_marked: bool) -> None:
    """File a return, or note that it was filed elsewhere."""
    charged, reclaimed, sales, purchases = vat_figures(world, period)
    world.add(
        VatFiling(
            id=world.vat_filings.next_id,
            created_at=at,
            updated_at=at,
            dated_on=period[1],
            charged=charged,
            reclaimed=reclaimed,
            sales=sales,
            purchases=purchases,
            is_marked=is_marked,
        )
    )


def provision(world: World, end: date) -> TaxProvision | None:
    """The corporation tax provided for an accounting year."""
    return next((each for each in world.provisions if each.dated_on == end), None)


def close(world: World, today: date, *, at: int | None = None) -> None:
    """File and pay what is due, and provide for the tax of the years there are."""
    for period in vat_periods(world, today):
        due = vat_due_on(period[1])
        if due < today and filing(world, period[1]) is None:
            file_vat(world, period, at=day_start(due - timedelta(days=9)) + 37_800, is_marked=False)
            world.marks[_paid("vat_returns", period[1], due)] = True
    if not world.company.is_limited:
        return
    for start, end in accounting_periods(world.company, today):
        known = provision(world, end)
        has_ended = end < today
        if known is not None and (known.is_final or not has_ended):
            continue
        if known is not None:
            world.remove(known)
        amount = times(max(0, profit(world, start, end)), CORPORATION_TAX) if has_ended else 0
        moment = day_start(end if has_ended else start) + 43_200
        world.add(
            TaxProvision(
                id=world.provisions.next_id,
                created_at=moment,
                updated_at=moment if at is None else at,
                dated_on=end,
                amount=amount // 100 * 100,
                is_final=has_ended,
            )
        )
        due = tax_due_on(end)
        if due < today:
            world.marks[_paid("corporation_tax_returns", end, due)] = True


def profit(world: World, start: date, end: date) -> int:
    """What an accounting year earned before corporation tax."""
    codes = [code for code in world.ledger.codes() if chart.is_profit_and_loss(code)]
    return -sum(world.ledger.total(code, since=start, until=end) for code in codes if code not in chart.CORPORATION_TAX)


def tax_due_on(end: date) -> date:
    """Corporation tax is paid nine months and a day after the year."""
    return months_after(end, 9) + timedelta(days=1)


def months_after(day: date, months: int) -> date:
    """The last day of the month so many months from that of a day; of a day within a month the same day there."""
    index = day.year * 12 + day.month - 1 + months
    if not 12 <= index < 9_999 * 12 + 11:
        return date.max if months > 0 else date.min
    last = date(index // 12 + (index % 12 == 11), (index + 1) % 12 + 1, 1) - timedelta(days=1)
    is_month_end = (day + timedelta(days=1)).day == 1
    return last if is_month_end else last.replace(day=min(day.day, last.day))


def mark(world: World, resource: str, end: date, what: str, *, at: int, user: int = 0, due: date | None = None) -> None:
    """Carry out `mark_as_filed`, `mark_as_unfiled`, `mark_as_paid` or `mark_as_unpaid`."""
    if what in ("mark_as_paid", "mark_as_unpaid"):
        world.marks[resource, user, end, due] = what == "mark_as_paid"
    elif resource == "vat_returns":
        filed = filing(world, end)
        if filed is not None:
            world.remove(filed)
        if what == "mark_as_filed":
            file_vat(world, (months_after(end, -3) + timedelta(days=1), end), at=at, is_marked=True)
    else:
        world.marks[resource, user, end, None] = what == "mark_as_filed"
    world.revision += 1


def _paid(resource: str, end: date, due: date) -> tuple[str, int, date, date | None]:
    return (resource, 0, end, due)

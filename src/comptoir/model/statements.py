"""Profit and loss, balance sheet and cash flow: their sums, and reports of any length put together from months.

Sums are exact. A period is reported only if all its months are there: one that the books began in is shorter, and says
so by its first day; one that reaches back before the months that are kept is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal, localcontext
from typing import TypeVar

import msgspec

from comptoir.model.money import WIDE, ZERO, plain
from comptoir.model.records import LocalDate
from comptoir.model.reports import (
    BalanceSheet,
    BalanceSheetMonth,
    CashFlowMonth,
    CashFlowReport,
    CashFlowStatement,
    Month,
    ProfitAndLoss,
    ProfitAndLossMonth,
    ProfitAndLossReport,
    ReportBasis,
    ReportInput,
    ReportLine,
)

__all__ = ["Asked", "balance_sheet", "by_code", "cash_flow", "group", "profit_and_loss", "profit_and_loss_report"]

_M = TypeVar("_M", bound=Month)
_NO_CURRENCY = "XXX"  # of ISO 4217: where no month is held, none is told


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`count` periods of `length` months each, counted back from the month of `latest`, or from the newest there is."""

    length: int
    count: int
    latest: date | None = None


def by_code(code: str | None) -> tuple[tuple[int, str], ...]:
    """What lines of accounts stand in order by: parts that are numbers count as numbers, so 750-2 is before 750-10."""
    parts = re.split(r"[^0-9A-Za-z]+", code or "")
    return tuple((int(part), "") if part.isdigit() else (10**9, part) for part in parts)


def group(name: str, items: Iterable[ReportLine]) -> ReportLine:
    """A line for all of these; those that come to nothing are left out."""
    kept = tuple(one for one in items if one.value)
    with localcontext(WIDE):
        return ReportLine(name=name, value=plain(sum((one.value for one in kept), ZERO)), items=kept)


def profit_and_loss_report(
    from_date: LocalDate,
    to_date: LocalDate,
    *,
    income: Iterable[ReportLine],
    cost_of_sales: Iterable[ReportLine],
    expenses: Iterable[ReportLine],
    other_expenses: Iterable[ReportLine],
    other_income: Iterable[ReportLine] = (),
) -> ProfitAndLossReport:
    """The report of these lines, with its sums."""
    earned, sold = group("Income", income), group("Cost of sales", cost_of_sales)
    spent, others_spent = group("Expenses", expenses), group("Other expenses", other_expenses)
    others_earned = group("Other income", other_income)
    with localcontext(WIDE):
        gross = earned.value - sold.value
        operating = gross - spent.value
        other = others_earned.value - others_spent.value
        return ProfitAndLossReport(
            from_date=from_date,
            to_date=to_date,
            income=earned,
            cost_of_sales=sold,
            gross_profit=plain(gross),
            expenses=spent,
            net_operating_profit=plain(operating),
            other_expenses=others_spent,
            other_income=others_earned,
            net_other_income=plain(other),
            net_profit=plain(operating + other),
        )


def profit_and_loss(months: Iterable[ProfitAndLossMonth], asked: Asked) -> ProfitAndLoss:
    """Reports of the length asked for, the newest first; each adds up the months in it, account by account."""
    held = _held(months)

    def lines(some: Sequence[ProfitAndLossMonth], of: Callable[[ProfitAndLossReport], ReportLine]) -> list[ReportLine]:
        return _added_up([of(one.report) for one in some])

    newest = held[-1] if held else None
    return ProfitAndLoss(
        currency=newest.currency if newest else _NO_CURRENCY,
        report_basis=newest.report_basis if newest else ReportBasis.UNKNOWN,
        reports=tuple(
            profit_and_loss_report(
                some[0].report.from_date,
                some[-1].report.to_date,
                income=lines(some, lambda report: report.income),
                cost_of_sales=lines(some, lambda report: report.cost_of_sales),
                expenses=lines(some, lambda report: report.expenses),
                other_expenses=lines(some, lambda report: report.other_expenses),
                other_income=lines(some, lambda report: report.other_income),
            )
            for some in _periods(held, asked)
        ),
        **_available(held),
    )


def balance_sheet(months: Iterable[BalanceSheetMonth], asked: Asked) -> BalanceSheet:
    """The balance sheet at the end of each period, the newest first."""
    held = _held(months)
    # What stands at a period's end does not depend on what was before it.
    ends = {_number(one.id): one for one in held}
    wanted = (ends.get(last) for _, last in _bounds(held, asked))
    return BalanceSheet(
        currency=held[-1].currency if held else _NO_CURRENCY,
        reports=tuple(one.report for one in wanted if one is not None),
        **_available(held),
    )


def cash_flow(months: Iterable[CashFlowMonth], asked: Asked) -> CashFlowStatement:
    """What came in and went out in each period, the newest first."""
    held = _held(months)
    newest = held[-1] if held else None
    return CashFlowStatement(
        currency=newest.currency if newest else _NO_CURRENCY,
        report_basis=newest.report_basis if newest else ReportBasis.UNKNOWN,
        report_input=newest.report_input if newest else ReportInput.UNKNOWN,
        reports=tuple(
            CashFlowReport(
                from_date=some[0].report.from_date,
                to_date=some[-1].report.to_date,
                cash_receipts=_totals([one.report.cash_receipts for one in some]),
                cash_payments=_totals([one.report.cash_payments for one in some]),
            )
            for some in _periods(held, asked)
        ),
        **_available(held),
    )


def _held(months: Iterable[_M]) -> list[_M]:
    """By month, the oldest first; of two of the same month the later one counts."""
    return [one for _, one in sorted({_number(one.id): one for one in months}.items())]


def _number(id_: str) -> int:
    """Months counted through, so that the following one is one more."""
    year, month = id_.split("-")
    return int(year) * 12 + int(month) - 1


def _available(held: Sequence[Month]) -> dict[str, LocalDate | None]:
    if not held:
        return {}
    return {
        "most_recent_available_month": LocalDate(f"{held[-1].id}-01T00:00:00"),
        "earliest_available_month": held[-1].earliest_available_month or LocalDate(f"{held[0].id}-01T00:00:00"),
    }


def _bounds(held: Sequence[Month], asked: Asked) -> Iterator[tuple[int, int]]:
    """First and last month of each period that ends in a month held, the newest first."""
    if not held:
        return
    last = _number(held[-1].id)
    if asked.latest is not None:
        last = min(last, asked.latest.year * 12 + asked.latest.month - 1)
    for _ in range(asked.count):
        if last < _number(held[0].id):
            return
        yield last - asked.length + 1, last
        last -= asked.length


def _periods(held: Sequence[_M], asked: Asked) -> Iterator[list[_M]]:
    """The months of each period of which all are held."""
    if not held:
        return
    by_number = {_number(one.id): one for one in held}
    oldest = min(by_number)
    begun = held[-1].earliest_available_month
    for first, last in _bounds(held, asked):
        if first < oldest and begun is not None and _number(begun[:7]) == oldest:
            first = oldest  # there is nothing before it: the books began there
        if all(number in by_number for number in range(max(first, oldest), last + 1)) and first >= oldest:
            yield [by_number[number] for number in range(first, last + 1)]


def _added_up(groups: Sequence[ReportLine]) -> list[ReportLine]:
    """The items of some months' groups, account by account; the newest name counts."""
    values: dict[tuple[str | None, str | None], Decimal] = {}
    names: dict[tuple[str | None, str | None], str | None] = {}
    with localcontext(WIDE):
        for one in groups:
            for item in one.items:
                key = (item.account_id, None if item.account_id else item.name)
                values[key] = values.get(key, ZERO) + item.value
                names[key] = item.name
    ordered = sorted(values, key=lambda key: (key[0] is None, by_code(key[0]), key[1] or ""))
    return [ReportLine(account_id=key[0], name=names[key], value=plain(values[key]), items=()) for key in ordered]


def _totals(lines: Sequence[ReportLine]) -> ReportLine:
    with localcontext(WIDE):
        return ReportLine(name=lines[-1].name, value=plain(sum((one.value for one in lines), ZERO)), items=())

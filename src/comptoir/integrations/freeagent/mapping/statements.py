"""Profit and loss, balance sheet and cash flow, a month at a time.

Amounts come from dated trial balances, which are exact; FreeAgent's own reports, which are rounded, only place accounts
and check the sums.
Sources: https://dev.freeagent.com/docs/trial_balance, /profit_and_loss, /balance_sheet, /cashflow
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from comptoir.integrations.contract import Mapped, Note, RawRow
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, whole_balances
from comptoir.integrations.freeagent.mapping.accounts import type_of_code
from comptoir.integrations.freeagent.periods import accounting_year, began
from comptoir.integrations.freeagent.references import bank_account_id, day
from comptoir.model.ledger import AccountType
from comptoir.model.money import ZERO, plain
from comptoir.model.records import LocalDate
from comptoir.model.reports import (
    BalanceSheetMonth,
    BalanceSheetReport,
    CashFlowMonth,
    CashFlowReport,
    ProfitAndLossMonth,
    ReportBasis,
    ReportInput,
    ReportLine,
)
from comptoir.model.statements import by_code, group, profit_and_loss_report

__all__ = ["balance_sheet", "cash_flow", "decode_balances", "profit_and_loss"]

_DAY = timedelta(days=1)
_ROUNDING = Decimal(1)  # how far a whole number of FreeAgent's may be from ours
_RETAINED = "968"
_PROFIT_AND_LOSS = (AccountType.INCOME, AccountType.EXPENSE)
_FIXED, _CURRENT, _OWED, _OWED_LATER, _EQUITY = "fixed", "current", "owed", "owed later", "equity"


class Dated(msgspec.Struct, frozen=True):
    """A trial balance and the day it is of."""

    on: date
    lines: tuple[payloads.TrialBalanceLine, ...]


def decode_balances(row: RawRow) -> Dated:
    """ValueError where any line cannot be read: without it every sum would be wrong."""
    on = day(row.id)
    if on is None:
        raise ValueError(f"{row.id!r} is no day")
    return Dated(on, whole_balances(row))


def profit_and_loss(source: Dated, books: Books) -> Iterator[Mapped | Note]:
    """What a month earned and cost: how far the accounts moved since the month before, each in its accounting year.

    Corporation tax is another expense, as in FreeAgent's summary; dividends are no cost and stand in the balance sheet.
    """
    month = _month_of(source.on, books)
    if month is None:
        return
    moved = _moved(source.on, books)
    sections: dict[str, list[ReportLine]] = {"Income": [], "CostOfSales": [], "Tax": [], "Other": []}
    for line, total in moved:
        type_, category = type_of_code(line.display_nominal_code, books)
        if type_ is AccountType.INCOME:
            sections["Income"].append(_line(line, -total, books))
        elif type_ is AccountType.EXPENSE:
            kind = (category or "").removeprefix("Expense.")
            sections[kind if kind in sections else "Other"].append(_line(line, total, books))
    if adjusted := _adjusted(source.on, books):
        sections["Tax"].append(ReportLine(name="Adjustments", value=adjusted, items=()))
    yield from _profit_doubts(source, month, books)
    yield Mapped(
        ProfitAndLossMonth(
            id=month,
            currency=books.base_currency,
            earliest_available_month=_begun(books),
            report_basis=ReportBasis.ACCRUAL,
            report=profit_and_loss_report(
                _written(source.on.replace(day=1)),
                _written(source.on),
                income=sections["Income"],
                cost_of_sales=sections["CostOfSales"],
                expenses=sections["Other"],
                other_expenses=sections["Tax"],
            ),
        )
    )


def balance_sheet(source: Dated, books: Books) -> Iterator[Mapped | Note]:
    """What is owned and owed at a month's end, each account where FreeAgent itself places it on that day.

    Retained profit is what remains: earlier profit, and the year's profit and dividends so far.
    """
    month = _month_of(source.on, books)
    if month is None:
        return
    told = books.balance_sheets.get(source.on)
    placed = _placed(told)
    sections: dict[str, list[ReportLine]] = {name: [] for name in (_FIXED, _CURRENT, _OWED, _OWED_LATER, _EQUITY)}
    retained = ZERO
    for line in sorted(source.lines, key=lambda one: by_code(one.display_nominal_code)):
        place = _place(line, placed, books)
        if place is None:
            retained -= line.total
        else:
            value = line.total if place in (_FIXED, _CURRENT) else -line.total
            sections[place].append(_line(line, value, books))
    is_named = _RETAINED in books.categories or any(one.display_nominal_code == _RETAINED for one in source.lines)
    sections[_EQUITY].append(
        ReportLine(account_id=_RETAINED if is_named else None, name="Retained profit", value=plain(retained), items=())
    )
    assets = _grouped("Assets", ("Fixed assets", sections[_FIXED]), ("Current assets", sections[_CURRENT]))
    liabilities = _grouped(
        "Liabilities", ("Current liabilities", sections[_OWED]), ("Long-term liabilities", sections[_OWED_LATER])
    )
    report = BalanceSheetReport(
        date=_written(source.on),
        assets=assets,
        liabilities=liabilities,
        net_assets=plain(assets.value - liabilities.value),
        equity=group("Equity", sections[_EQUITY]),
    )
    yield from _sheet_doubts(source, report, told, month)
    yield Mapped(
        BalanceSheetMonth(id=month, currency=books.base_currency, earliest_available_month=_begun(books), report=report)
    )


def cash_flow(source: payloads.Cashflow, books: Books) -> Iterator[Mapped]:
    """Each month's money in and out, up to the day the answer reaches to."""
    told = source.cashflow
    until = day(told.to)
    if until is None:
        raise ValueError(f"cashflow.to is {told.to[:20]!r}, which is no day")
    came = {(one.year, one.month): one.total for one in told.incoming.months}
    went = {(one.year, one.month): one.total for one in told.outgoing.months}
    for year, month in sorted(came.keys() | went.keys()):
        first = date(year, month, 1)
        if first > until:
            continue  # FreeAgent tells nothing of the future: it would be a month without money
        yield Mapped(
            CashFlowMonth(
                id=f"{year:04}-{month:02}",
                currency=books.base_currency,
                earliest_available_month=_begun(books),
                report_basis=ReportBasis.CASH,
                report_input=ReportInput.DIRECT,
                report=CashFlowReport(
                    from_date=_written(first),
                    to_date=_written(min(until, _month_end(first))),
                    cash_receipts=_total("Cash receipts", came.get((year, month))),
                    cash_payments=_total("Cash payments", went.get((year, month))),
                ),
            )
        )


# Days and months


def _month_of(on: date, books: Books) -> str | None:
    """The month that the accounts of a day close; None if a later day of it does, or if they only begin the next."""
    days = books.dated_balances.keys()
    if any(other.replace(day=1) == on.replace(day=1) and other > on for other in days):
        return None
    if on == min(days) < max(days) and not _begins(on, books):
        return None
    return f"{on:%Y-%m}"


def _begins(on: date, books: Books) -> bool:
    """Whether a month's profit can be told without the accounts of the month before."""
    first = on.replace(day=1)
    start = began(books.company)
    return (start is not None and start >= first) or accounting_year(books.company, first)[0] == first


def _moved(on: date, books: Books) -> list[tuple[payloads.TrialBalanceLine, Decimal]]:
    """How far each account of profit and loss moved in the month up to a day, debits positive; by code."""
    lines: dict[str, payloads.TrialBalanceLine] = {}
    totals: dict[str, Decimal] = {}

    def add(day_: date, sign: int) -> None:
        held = books.dated_balances.get(day_)
        if held is None:
            raise ValueError(f"the trial balance of {day_} is not there, and profit is counted with it")
        for line in held:
            code = line.display_nominal_code
            if type_of_code(code, books)[0] in _PROFIT_AND_LOSS:
                lines[code] = line
                totals[code] = totals.get(code, ZERO) + sign * line.total

    first = on.replace(day=1)
    if not _begins(on, books):
        add(first - _DAY, -1)
    while first <= on:
        _, last = accounting_year(books.company, first)
        add(min(last, on), 1)
        first = last + _DAY
    return [(lines[code], totals[code]) for code in sorted(totals, key=by_code)]


def _month_end(on: date) -> date:
    return (on.replace(day=28) + timedelta(days=4)).replace(day=1) - _DAY


def _begun(books: Books) -> LocalDate | None:
    start = began(books.company)
    return _written(start.replace(day=1)) if start else None


def _written(on: date) -> LocalDate:
    return LocalDate(f"{on.isoformat()}T00:00:00")


# Lines and places


def _line(line: payloads.TrialBalanceLine, value: Decimal, books: Books) -> ReportLine:
    """A line of one account, under the id and name it has in the chart of accounts."""
    code = line.display_nominal_code
    ref = books.account_ref_of_code(code)
    id_, name = ref.id, ref.name or line.name
    if line.bank_account and id_ == code:  # a bank account that no category names
        bank = books.bank_ref(line.bank_account)
        id_, name = bank_account_id(line.bank_account), bank.name or line.name
    return ReportLine(account_id=id_, name=name, value=plain(value), items=())


def _total(name: str, total: Decimal | None) -> ReportLine:
    return ReportLine(name=name, value=plain(total or ZERO), items=())


def _grouped(name: str, *groups: tuple[str, Iterable[ReportLine]]) -> ReportLine:
    """A group of groups; those without a line are left out, those that cancel out are not."""
    made = [one for one in (group(inner, lines) for inner, lines in groups) if one.items]
    return ReportLine(name=name, value=plain(sum((one.value for one in made), ZERO)), items=tuple(made))


def _placed(told: payloads.BalanceSheet | None) -> dict[str, tuple[str, Decimal]]:
    """Where FreeAgent's own balance sheet has each account, and its rounded total, by code."""
    if told is None:
        return {}
    return {
        account.nominal_code: (place, account.total_debit_value)
        for place, section in (
            (_FIXED, told.capital_assets),
            (_CURRENT, told.current_assets),
            (_OWED, told.current_liabilities),
            (_EQUITY, told.owners_equity),
        )
        if section is not None
        for account in section.accounts or ()
    }


def _place(line: payloads.TrialBalanceLine, placed: dict[str, tuple[str, Decimal]], books: Books) -> str | None:
    """The section of an account; None for what makes up retained profit."""
    code = line.display_nominal_code
    type_, category = type_of_code(code, books)
    category = category or ""
    if type_ in _PROFIT_AND_LOSS or code == _RETAINED:
        return None
    is_later = category.startswith("Liability.LongTerm")
    if code in placed:
        place = placed[code][0]
        return _OWED_LATER if place == _OWED and is_later else place
    # Rounded to nothing, FreeAgent does not list it.
    if line.bank_account and books.is_credit_card(line.bank_account):
        return _OWED
    if type_ is AccountType.ASSET:
        return _FIXED if category.startswith("Asset.Fixed") else _CURRENT
    if type_ is AccountType.LIABILITY:
        return _OWED_LATER if is_later else _OWED
    return _EQUITY if type_ is AccountType.EQUITY and category != "Equity.Dividends" else None


# What FreeAgent's own reports say


def _differs(ours: Decimal, theirs: Decimal) -> bool:
    return abs(ours - theirs) > _ROUNDING


def _earned_so_far(lines: Iterable[payloads.TrialBalanceLine], books: Books) -> tuple[Decimal, Decimal, Decimal]:
    """Income, expenses with cost of sales, and tax of an accounting year up to the day of a trial balance."""
    income = expenses = tax = ZERO
    for line in lines:
        type_, category = type_of_code(line.display_nominal_code, books)
        if type_ is AccountType.INCOME:
            income -= line.total
        elif type_ is AccountType.EXPENSE and category == "Expense.Tax":
            tax += line.total
        elif type_ is AccountType.EXPENSE:
            expenses += line.total
    return income, expenses, tax


def _less(told: payloads.ProfitAndLossSummary, title: str) -> Decimal:
    return sum((one.total for one in told.less or () if one.title.startswith(title)), ZERO)


def _unbooked(on: date, books: Books) -> Decimal:
    """Adjustments of the year so far that FreeAgent takes off the profit and no account of profit and loss holds."""
    told, held = books.profits.get(on), books.dated_balances.get(on)
    if told is None or held is None or not (adjustments := _less(told, "Adjustments")):
        return ZERO
    income, expenses, tax = _earned_so_far(held, books)
    missing = income - expenses - tax - (told.retained_profit + _less(told, "Dividends"))
    return adjustments if not _differs(missing, adjustments) else ZERO


def _adjusted(on: date, books: Books) -> Decimal:
    """Such adjustments of one month."""
    before = ZERO if _begins(on, books) else _unbooked(on.replace(day=1) - _DAY, books)
    return plain(_unbooked(on, books) - before)


def _profit_doubts(source: Dated, month: str, books: Books) -> Iterator[Note]:
    """Where the year so far is not what FreeAgent's summary says of it."""
    if (told := books.profits.get(source.on)) is None:
        return
    income, expenses, tax = _earned_so_far(source.lines, books)
    profit = income - expenses - tax - _unbooked(source.on, books) - _less(told, "Dividends")
    for field, ours, theirs in (
        ("income", income, told.income),
        ("expenses", expenses, told.expenses),
        ("netOperatingProfit", income - expenses, told.operating_profit),
        ("netProfit", profit, told.retained_profit),
    ):
        if _differs(ours, theirs):
            message = (
                f"Of the accounting year up to {source.on}, the accounts come to {plain(ours)}, and FreeAgent's profit "
                f"and loss says {plain(theirs)}."
            )
            yield Note(record_id=month, field=field, message=message)


def _sheet_doubts(
    source: Dated, report: BalanceSheetReport, told: payloads.BalanceSheet | None, month: str
) -> Iterator[Note]:
    """Where the sheet does not balance, or is not what FreeAgent's rounded one says."""
    if report.net_assets != report.equity.value:
        message = f"Assets less liabilities are {report.net_assets}, and equity is {report.equity.value}."
        yield Note(record_id=month, field="netAssets", message=message)
    if told is None:
        return
    totals = {one.display_nominal_code: one.total for one in source.lines}
    for code, (_, rounded) in _placed(told).items():
        if _differs(totals.get(code, ZERO), rounded):
            message = (
                f"Account {code} stands at {plain(totals.get(code, ZERO))} on {source.on}, and FreeAgent's balance "
                f"sheet says {plain(rounded)}."
            )
            yield Note(record_id=month, field="lines", message=message)
    for field, ours, theirs in (
        ("netAssets", report.net_assets, told.total_assets),
        ("equity", report.equity.value, -told.total_owners_equity),
    ):
        if _differs(ours, theirs):
            message = f"It comes to {ours} on {source.on}, and FreeAgent's balance sheet says {plain(theirs)}."
            yield Note(record_id=month, field=field, message=message)

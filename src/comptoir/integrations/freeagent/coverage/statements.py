"""Where the members of profit and loss, balance sheet and cash flow come from, as they are kept for each month."""

from __future__ import annotations

from comptoir.integrations.contract import Covered
from comptoir.integrations.freeagent.coverage.fields import flat, none, read, within

__all__ = ["BALANCE_SHEET", "CASH_FLOW_STATEMENT", "PROFIT_AND_LOSS"]

_LINES = "dated_balances.trial_balance_summary[]"
_DEEPEST = 2
_NO_ACCOUNT = "The line is a sum of several accounts."
_NO_LINES = "There are no lines below."


def _line(path: str, *sources: str, levels: int) -> tuple[Covered, ...]:
    """A group with lines that many levels deep; the lowest are accounts."""
    rows: list[Covered] = []
    for level in range(_DEEPEST + 1):
        here = path + ".items[]" * level
        if level > levels:
            rows += none(_NO_LINES, f"{here}.accountId", f"{here}.name", f"{here}.value")
            continue
        is_account = level == levels > 0
        if is_account:
            rows.append(
                read(f"{here}.accountId", f"{_LINES}.display_nominal_code", f"{_LINES}.bank_account",
                     how="The nominal code, or the number of a bank account.")
            )  # fmt: skip
            rows.append(read(f"{here}.name", "categories.description", "bank_accounts.name", f"{_LINES}.name",
                             how="As the chart of accounts has it."))  # fmt: skip
        else:
            rows += none(_NO_ACCOUNT, f"{here}.accountId")
            rows.append(read(f"{here}.name", how="Our own heading."))
        rows.append(
            read(f"{here}.value", *sources, how="The sum of the lines below." if not is_account and levels else None)
        )
    rows += none(_NO_LINES, path + ".items[]" * (_DEEPEST + 1))
    return tuple(rows)


def _month(*fields: Covered | tuple[Covered, ...]) -> tuple[Covered, ...]:
    return flat(
        read("id", how="The month."),
        none("A report has no date of change.", "sourceModifiedDate"),
        read("currency", "company.currency"),
        read("earliestAvailableMonth", "company.freeagent_start_date", "company.company_start_date"),
        *fields,
    )


_MOVED = f"{_LINES}.total"
_SUM = "Computed from the lines."

PROFIT_AND_LOSS = _month(
    read("reportBasis", how="Accrual: FreeAgent does not say."),
    within(
        "report",
        read("fromDate", how="The first day of the month."),
        read("toDate", how="The last day of the month, or the day it was read."),
        *(_line(name, _MOVED, levels=1) for name in ("income", "costOfSales", "expenses", "otherExpenses")),
        read("otherIncome.name", how="Our own heading."),
        read("otherIncome.value", how="Always 0: FreeAgent counts all income together."),
        none("FreeAgent counts all income together.", "otherIncome.accountId"),
        none(_NO_LINES, *(
            f"otherIncome{'.items[]' * level}.{name}" for level in (1, 2) for name in ("accountId", "name", "value")
        ), "otherIncome.items[].items[].items[]"),
        *(read(name, how=_SUM) for name in ("grossProfit", "netOperatingProfit", "netOtherIncome", "netProfit")),
    ),
)  # fmt: skip

BALANCE_SHEET = _month(
    within(
        "report",
        read("date", how="The last day of the month, or the day it was read."),
        _line("assets", _MOVED, levels=2),
        _line("liabilities", _MOVED, levels=2),
        _line("equity", _MOVED, levels=1),
        read("netAssets", how="Assets less liabilities."),
    ),
)

CASH_FLOW_STATEMENT = _month(
    read("reportBasis", how="Always Cash."),
    read("reportInput", how="Always Direct."),
    within(
        "report",
        read("fromDate", "cashflow.cashflow.incoming.months[].month", how="The first day of the month."),
        read("toDate", "cashflow.cashflow.to", how="The last day of the month, or the day it was read."),
        _line("cashReceipts", "cashflow.cashflow.incoming.months[].total", levels=0),
        _line("cashPayments", "cashflow.cashflow.outgoing.months[].total", levels=0),
    ),
)

"""Reports: profit and loss, balance sheet, cash flow, and what is owed by age.

The three statements are kept as one record a month; what is served are reports of any length, put together from these.
Aged reports are worked out from documents when asked for. No report is a record itself: it has neither id nor history.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from comptoir.model.records import Instant, LocalDate, Record, Value

__all__ = [
    "AgedAmount",
    "AgedCreditor",
    "AgedCreditorReport",
    "AgedCurrency",
    "AgedDebtor",
    "AgedDebtorReport",
    "AgedDetail",
    "BalanceSheet",
    "BalanceSheetMonth",
    "BalanceSheetReport",
    "CashFlowMonth",
    "CashFlowReport",
    "CashFlowStatement",
    "Month",
    "ProfitAndLoss",
    "ProfitAndLossMonth",
    "ProfitAndLossReport",
    "ReportBasis",
    "ReportInput",
    "ReportLine",
]


class AgedDetail(Value, frozen=True, kw_only=True):
    """The part of an amount that comes from one kind of document, such as `Invoices`."""

    name: str
    amount: Decimal


class AgedAmount(Value, frozen=True, kw_only=True):
    """What falls due in one period, both days included. Without a first day: all that is older than the periods asked
    for. Without a last day: all that is not due yet."""

    from_date: LocalDate | None = None
    to_date: LocalDate | None = None
    amount: Decimal
    details: tuple[AgedDetail, ...]


class AgedCurrency(Value, frozen=True, kw_only=True):
    currency: str | None = None
    aged_outstanding_amounts: tuple[AgedAmount, ...]


class AgedDebtor(Value, frozen=True, kw_only=True):
    customer_id: str | None = None
    customer_name: str | None = None
    aged_currency_outstanding: tuple[AgedCurrency, ...]


class AgedCreditor(Value, frozen=True, kw_only=True):
    supplier_id: str | None = None
    supplier_name: str | None = None
    aged_currency_outstanding: tuple[AgedCurrency, ...]


class AgedDebtorReport(Value, frozen=True, kw_only=True):
    report_date: LocalDate
    generated: Instant
    data: tuple[AgedDebtor, ...]


class AgedCreditorReport(Value, frozen=True, kw_only=True):
    report_date: LocalDate
    generated: Instant
    data: tuple[AgedCreditor, ...]


class ReportBasis(StrEnum):
    UNKNOWN = "Unknown"
    ACCRUAL = "Accrual"
    CASH = "Cash"


class ReportInput(StrEnum):
    """How cash flow is told: by what came in and went out, or from profit and changes of balances."""

    UNKNOWN = "Unknown"
    INDIRECT = "Indirect"
    DIRECT = "Direct"


class ReportLine(Value, frozen=True, kw_only=True):
    """A line, or a group whose value is the sum of its items; a line of one account has no items."""

    asked_about: ClassVar[tuple[str, ...]] = ("value",)

    account_id: str | None = None
    name: str | None = None
    value: Decimal
    items: tuple[ReportLine, ...]


class ProfitAndLossReport(Value, frozen=True, kw_only=True):
    """From one day to another, both included. Income and costs are positive."""

    from_date: LocalDate
    to_date: LocalDate
    income: ReportLine
    cost_of_sales: ReportLine
    gross_profit: Decimal
    expenses: ReportLine
    net_operating_profit: Decimal
    other_expenses: ReportLine
    other_income: ReportLine
    net_other_income: Decimal
    net_profit: Decimal


class BalanceSheetReport(Value, frozen=True, kw_only=True):
    """At the end of one day. Assets, liabilities and equity are positive: assets less liabilities are equity."""

    date: LocalDate
    assets: ReportLine
    liabilities: ReportLine
    net_assets: Decimal
    equity: ReportLine


class CashFlowReport(Value, frozen=True, kw_only=True):
    """From one day to another, both included. Receipts and payments are positive."""

    from_date: LocalDate
    to_date: LocalDate
    cash_receipts: ReportLine
    cash_payments: ReportLine


class Month(Record, frozen=True, kw_only=True):
    """One month of a statement, as it is stored; its id is YYYY-MM. `earliest_available_month` is when the books
    began."""

    currency: str
    earliest_available_month: LocalDate | None = None


class ProfitAndLossMonth(Month, frozen=True, kw_only=True):
    report_basis: ReportBasis
    report: ProfitAndLossReport


class BalanceSheetMonth(Month, frozen=True, kw_only=True):
    report: BalanceSheetReport


class CashFlowMonth(Month, frozen=True, kw_only=True):
    report_basis: ReportBasis
    report_input: ReportInput
    report: CashFlowReport


class ProfitAndLoss(Value, frozen=True, kw_only=True):
    """As served, newest report first."""

    currency: str
    report_basis: ReportBasis
    reports: tuple[ProfitAndLossReport, ...]
    most_recent_available_month: LocalDate | None = None
    earliest_available_month: LocalDate | None = None


class BalanceSheet(Value, frozen=True, kw_only=True):
    """As served, newest report first."""

    currency: str
    reports: tuple[BalanceSheetReport, ...]
    most_recent_available_month: LocalDate | None = None
    earliest_available_month: LocalDate | None = None


class CashFlowStatement(Value, frozen=True, kw_only=True):
    """As served, newest report first."""

    currency: str
    report_basis: ReportBasis
    report_input: ReportInput
    reports: tuple[CashFlowReport, ...]
    most_recent_available_month: LocalDate | None = None
    earliest_available_month: LocalDate | None = None

"""Reports: what is owed by age. Worked out when asked for, they are no records: they have neither id nor history."""

from __future__ import annotations

from decimal import Decimal

from comptoir.model.records import Instant, LocalDate, Value

__all__ = [
    "AgedAmount",
    "AgedCreditor",
    "AgedCreditorReport",
    "AgedCurrency",
    "AgedDebtor",
    "AgedDebtorReport",
    "AgedDetail",
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

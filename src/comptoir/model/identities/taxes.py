"""Identity F6: the accounts of sales tax move by the tax on documents, by the days they are of or those they are paid.

An approximation, told and not judged: corrections, schemes and what is filed by hand move these accounts as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Any

from comptoir.model.identities.findings import Findings, SourceFacts
from comptoir.model.identities.references import Targets
from comptoir.model.money import ZERO

__all__ = ["Taxed", "check_taxes"]

_DAY = timedelta(days=1)
_NEAR = Decimal(1)  # in whole units of the company's currency
_SHARE = Context(prec=50)  # of a quotient without an end more digits than these tell nothing
_SPEAKS_OF = ("invoices", "creditNotes", "bills", "billCreditNotes", "directCosts", "directIncomes")


class Taxed:
    """Tax by month in the company's own currency, debit positive: of documents by their own days (`dated`) and by
    those they are settled on (`paid`); `moved` is what was booked on the tax accounts themselves, such as a payment."""

    def __init__(self, base: str | None) -> None:
        self._base = base
        self.dated: dict[str, Decimal] = defaultdict(Decimal)
        self.paid: dict[str, Decimal] = defaultdict(Decimal)
        self.moved: dict[str, Decimal] = defaultdict(Decimal)

    def document(self, document: Any, tax: Decimal, sign: int) -> None:
        """`sign`: 1 for what customers owe, and suppliers' credits; -1 for the opposite."""
        tax *= -sign * self._rate(document)
        if not tax:
            return
        self.dated[_month(document.issue_date)] += tax
        for one in document.payment_allocations or ():
            settled = one.allocation.total_amount or ZERO
            day = one.allocation.allocated_on_date or one.payment.paid_on_date
            if document.total_amount:
                self.paid[_month(day)] += _SHARE.divide(tax * settled, document.total_amount)

    def direct(self, record: Any, sign: int) -> None:
        """Spending (1) or income (-1) without a document: it is paid on its own day."""
        tax, month = sign * record.tax_amount * self._rate(record), _month(record.issue_date)
        if tax:
            self.dated[month] += tax
            self.paid[month] += tax

    def _rate(self, record: Any) -> Decimal:
        """Nothing where it is not told: this is an approximation."""
        return Decimal(1) if record.currency in (None, self._base) else record.currency_rate or ZERO


def check_taxes(taxed: Taxed, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    reported = facts.reported
    if not all(data_type in targets.read for data_type in _SPEAKS_OF):
        findings.skipped("F6", "Documents, spending and income were not all read in this sync.")
        return
    if reported.tax_periods is None or reported.standings is None:
        findings.skipped("F6", "The tax periods, or the trial balances of their days, were not read in this sync.")
        return
    stood = {one.on: one.tax for one in reported.standings}
    looked = by_day = by_payment = 0
    for first, last in reported.tax_periods:
        if first.day != 1 or (last + _DAY).day != 1 or not {first - _DAY, last} <= stood.keys():
            continue  # not of whole months, or not over, or before the months that are kept
        looked += 1
        months = tuple(_months(first, last))
        moved = stood[last] - stood[first - _DAY] - _sum(taxed.moved, months)
        by_day += abs(moved - _sum(taxed.dated, months)) <= _NEAR
        by_payment += abs(moved - _sum(taxed.paid, months)) <= _NEAR
    findings.looked("F6", looked)
    if looked:
        said = (
            f"Of {looked} tax periods, {by_day} come to the tax on documents of their days, {by_payment} to that on "
            "what was paid in them."
        )
        findings.noted("F6", said)


def _sum(by_month: Mapping[str, Decimal], months: tuple[str, ...]) -> Decimal:
    return sum((by_month.get(month, ZERO) for month in months), ZERO)


def _months(first: date, last: date) -> Iterator[str]:
    for index in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield f"{index // 12:04d}-{index % 12 + 1:02d}"


def _month(day: str | None) -> str:
    return (day or "")[:7]

"""What is owed on a day, by party, currency and age: worked out from documents and what settled them.

A document's amount on a past day is what is open now and what was settled after that day. Amounts stay in the
document's currency; nothing is converted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import chain

import msgspec

from comptoir.model.money import WIDE, ZERO, plain
from comptoir.model.purchases import Bill, BillCreditNote, BillStatus
from comptoir.model.records import LocalDate
from comptoir.model.reports import AgedAmount, AgedCreditor, AgedCurrency, AgedDebtor, AgedDetail
from comptoir.model.sales import CreditNote, DocumentStatus, Invoice, PaymentAllocation

__all__ = ["Periods", "aged_creditors", "aged_debtors"]

_NOT_OWED = {DocumentStatus.DRAFT, DocumentStatus.UNKNOWN, BillStatus.DRAFT, BillStatus.UNKNOWN}


class Periods(msgspec.Struct, frozen=True, kw_only=True):
    """`count` periods of `days` days each, counted back from the day `on`, which is the last of the newest one."""

    on: date
    count: int
    days: int

    def place(self, due: date) -> int:
        """The period a day is in: 0 for the newest, -1 for after all of them, `count` for before all of them."""
        return -1 if due > self.on else min((self.on - due).days // self.days, self.count)

    def bounds(self, place: int) -> tuple[LocalDate | None, LocalDate | None]:
        """First and last day of a period; None where it has no bound."""
        if place < 0:
            return _written(self.on + timedelta(days=1)), None
        last = self.on - timedelta(days=place * self.days)
        first = last - timedelta(days=self.days - 1)
        return (_written(first) if place < self.count else None), _written(last)


class _Open(msgspec.Struct, frozen=True):
    """What a document leaves open: positive if the party owes it us, or we owe it them; negative for a credit."""

    party: str | None
    party_name: str | None
    currency: str | None
    due: date
    kind: str
    amount: Decimal


def aged_debtors(invoices: Iterable[Invoice], credit_notes: Iterable[CreditNote], periods: Periods) -> list[AgedDebtor]:
    """What each customer owed on a day, by age: invoices by their due date, credit notes, negative, by their own.

    Drafts are left out, and so is what was issued later than that day. Every period asked for is there; what is not
    due yet and what is older than all of them only where there is such. Customers stand by name.
    """
    owed = chain(_debts("Invoices", invoices, periods.on), _credits("CreditNotes", credit_notes, periods.on))
    return [
        AgedDebtor(customer_id=id_, customer_name=name, aged_currency_outstanding=amounts)
        for id_, name, amounts in _aged(owed, periods)
    ]


def aged_creditors(
    bills: Iterable[Bill], credit_notes: Iterable[BillCreditNote], periods: Periods
) -> list[AgedCreditor]:
    """What was owed to each supplier on a day, by age: likewise, from bills and bill credit notes."""
    owed = chain(_debts("Bills", bills, periods.on), _credits("BillCreditNotes", credit_notes, periods.on))
    return [
        AgedCreditor(supplier_id=id_, supplier_name=name, aged_currency_outstanding=amounts)
        for id_, name, amounts in _aged(owed, periods)
    ]


def _debts(kind: str, documents: Iterable[Invoice | Bill], on: date) -> Iterator[_Open]:
    for one in documents:
        if one.status not in _NOT_OWED and _day(one.issue_date) <= on:
            open_ = _left(one.amount_due, one.payment_allocations, on)
            yield _Open(*_party(one), one.currency, _day(one.due_date or one.issue_date), kind, open_)


def _credits(kind: str, notes: Iterable[CreditNote | BillCreditNote], on: date) -> Iterator[_Open]:
    for one in notes:
        issued = _day(one.issue_date) if one.issue_date else on
        if one.status not in _NOT_OWED and issued <= on:
            credit = _left(one.remaining_credit, one.payment_allocations, on)
            yield _Open(*_party(one), one.currency, issued, kind, -credit)


def _party(one: Invoice | CreditNote | Bill | BillCreditNote) -> tuple[str | None, str | None]:
    """Id and name of whom a document was sent to, or came from."""
    if isinstance(one, (Invoice, CreditNote)):
        return (one.customer_ref.id, one.customer_ref.company_name) if one.customer_ref else (None, None)
    return (one.supplier_ref.id, one.supplier_ref.supplier_name) if one.supplier_ref else (None, None)


def _left(now: Decimal | None, allocations: tuple[PaymentAllocation, ...] | None, on: date) -> Decimal:
    """What was open of a document on a day: what is now, and what was settled since."""
    with localcontext(WIDE):
        return (now or ZERO) + sum(
            (one.allocation.total_amount or ZERO for one in allocations or () if _settled(one) > on), ZERO
        )


def _settled(one: PaymentAllocation) -> date:
    """The day of an allocation; one without a day was always there."""
    text = one.allocation.allocated_on_date or one.payment.paid_on_date
    return _day(text) if text else date.min


def _aged(owed: Iterable[_Open], periods: Periods) -> Iterator[tuple[str | None, str | None, tuple[AgedCurrency, ...]]]:
    """By party, currency, period and kind of document; parties by name, currencies by code."""
    names: dict[str | None, str | None] = {}
    sums: dict[str | None, dict[str | None, dict[int, dict[str, Decimal]]]] = {}
    with localcontext(WIDE):
        for one in owed:
            if not one.amount:
                continue
            names[one.party] = one.party_name or names.get(one.party)
            places = sums.setdefault(one.party, {}).setdefault(one.currency, defaultdict(lambda: defaultdict(Decimal)))
            places[periods.place(one.due)][one.kind] += one.amount
        for party in sorted(sums, key=lambda id_: (names[id_] or "", id_ or "")):
            currencies = sums[party]
            yield (
                party,
                names[party],
                tuple(
                    AgedCurrency(
                        currency=currency, aged_outstanding_amounts=tuple(_amounts(currencies[currency], periods))
                    )
                    for currency in sorted(currencies, key=lambda code: code or "")
                ),
            )


def _amounts(places: dict[int, dict[str, Decimal]], periods: Periods) -> Iterator[AgedAmount]:
    """The newest first; the periods without a bound only where something is in them."""
    for place in range(-1, periods.count + 1):
        kinds = places.get(place, {})
        if not kinds and place in (-1, periods.count):
            continue
        first, last = periods.bounds(place)
        yield AgedAmount(
            from_date=first,
            to_date=last,
            amount=plain(sum(kinds.values(), ZERO)),
            details=tuple(AgedDetail(name=name, amount=plain(kinds[name])) for name in sorted(kinds, reverse=True)),
        )


def _day(text: LocalDate) -> date:
    return date.fromisoformat(text[:10])


def _written(day: date) -> LocalDate:
    return LocalDate(f"{day.isoformat()}T00:00:00")

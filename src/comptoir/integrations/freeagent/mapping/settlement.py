"""What settles a document, in the order it happened: receipts, credits set against it, and what was written off.

One reading serves both sides: the allocations on a document and the links of payments mirror each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from comptoir.integrations.contract import Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, magnitude
from comptoir.integrations.freeagent.references import any_date, calendar_day, last_segment, local_date
from comptoir.model.money import ONE, ZERO, plain, rate
from comptoir.model.records import LocalDate
from comptoir.model.sales import AllocatedPayment, Allocation, PaymentAllocation

__all__ = [
    "BEYOND",
    "Settled",
    "allocated",
    "bank_rate",
    "booked",
    "currency_of",
    "is_written_off",
    "link_rate",
    "odd_days",
    "of_credit_note",
    "of_invoice",
    "open_of",
    "payment_of",
    "rate_to_base",
    "required_day",
    "untold",
    "untold_link",
    "withheld_of",
    "write_off_date",
]

_WRITTEN_OFF = ("Written-off", "Part written-off")


BEYOND = ("Overpaid", "Zero Value")  # an invoice in these may have received more than it asks for


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """One settlement: `amount` reduces what is open of a document, in its currency, None where that is not told;
    `excess` is beyond that."""

    payment_id: str
    amount: Decimal | None
    dated_on: str
    excess: Decimal = ZERO
    reference: str | None = None  # of the credit note that was set against an invoice
    explanation: payloads.Explanation | None = None
    reconciliation: payloads.CreditNoteReconciliation | None = None


def currency_of(document: payloads.Invoice | payloads.CreditNote | payloads.Bill, books: Books) -> str:
    return document.currency or books.base_currency


def rate_to_base(currency: str, exchange_rate: Decimal | None, books: Books) -> Decimal | None:
    """Base units for one foreign unit, at most nine decimals; 1 in the base currency."""
    if currency == books.base_currency:
        return ONE
    return None if exchange_rate is None else rate(exchange_rate, Decimal(1))


def bank_rate(source: payloads.Explanation, books: Books) -> Decimal | None:
    """Base units for one unit of the bank account's currency, as the ledger booked this movement; 1 in the base
    currency. None where the ledger was not read, or is of before the movement became what it is."""
    if books.bank_currency(source.bank_account) == books.base_currency:
        return ONE
    base = booked(source, books)
    return None if base is None else rate(base, source.gross_value) or None


def booked(source: payloads.Explanation, books: Books) -> Decimal | None:
    """What a movement on a foreign bank account is in the base currency, with the sign of the money; None as above."""
    currency, base, foreign = books.bank_currency(source.bank_account), ZERO, ZERO
    for line in books.bank_lines_of(source):
        told = line.foreign_currency_data
        if told is None or told.debit_value is None or told.currency_code != currency:
            return None
        if line.dated_on[:10] != source.dated_on[:10]:
            return None
        base, foreign = base + line.debit_value, foreign + told.debit_value
    return base if foreign and foreign == source.gross_value else None


def allocated(source: payloads.Explanation, currency: str, books: Books) -> Decimal | None:
    """What an explanation settles of a document, in the document's currency, with the sign of the money.

    An explanation without foreign part says "0.0" there: its presence tells nothing, only the currencies do. None
    where they differ and it does not tell: money of another currency is never taken for it.
    """
    if currency == books.bank_currency(source.bank_account) or not source.gross_value:
        return source.gross_value
    if not source.foreign_currency_value:
        return None
    size = abs(source.foreign_currency_value)
    return -size if source.gross_value < 0 else size


def withheld_of(document: payloads.Invoice | payloads.CreditNote | payloads.Bill) -> Decimal:
    return magnitude(document.cis_deduction)


def is_written_off(source: payloads.Invoice) -> bool:
    return source.status in _WRITTEN_OFF


def write_off_date(source: payloads.Invoice) -> str:
    """The day it is said to have been, else the last one known."""
    told = (source.written_off_date, source.paid_on, source.due_on)
    return next((text for text in told if text and local_date(text)), source.dated_on)


def of_invoice(source: payloads.Invoice, books: Books) -> list[Settled]:
    """Settlements of an invoice with a positive total, by date. A draft has none."""
    if source.status in ("Draft", "Scheduled To Email"):
        return []
    id_ = last_segment(source.url)
    receipts, credits = books.receipts(id_), books.credits(id_)
    if not receipts and not credits and not is_written_off(source):
        return []
    currency = currency_of(source, books)
    found = [
        Settled(
            payment_id=last_segment(one.url),
            amount=allocated(one, currency, books),
            dated_on=one.dated_on,
            explanation=one,
        )
        for one in receipts
    ]
    found += [
        Settled(
            payment_id=f"cnr-{last_segment(one.url)}",
            amount=one.gross_value,
            dated_on=one.dated_on,
            reference=note.reference if (note := books.credit_note(one.credit_note)) is not None else None,
            reconciliation=one,
        )
        for one in credits
    ]
    found.sort(key=lambda one: (one.dated_on, one.reconciliation is None, f"{one.payment_id:0>20}"))
    payable = source.total_value - withheld_of(source)
    if source.status in BEYOND:
        found = list(_capped(found, payable))
    if is_written_off(source):
        remainder = payable - _paid(source, found, books)
        if remainder:
            found.append(Settled(payment_id=f"wo-{id_}", amount=remainder, dated_on=write_off_date(source)))
    return found


def _paid(source: payloads.Invoice, found: list[Settled], books: Books) -> Decimal:
    """What was settled before the rest was written off; the source's own word where its payments were not read."""
    told = _told(found)
    if source.paid_value is None or books.is_complete("bank_transaction_explanations"):
        return told
    return max(told, source.paid_value)


def _told(found: list[Settled]) -> Decimal:
    return sum((one.amount for one in found if one.amount is not None), ZERO)


def open_of(due: Decimal | None, payable: Decimal, settled: list[Settled]) -> Decimal:
    """What is open: the source's word, else what is payable less what was settled."""
    return due if due is not None else payable - _told(settled)


def _capped(settled: list[Settled], payable: Decimal) -> Iterator[Settled]:
    """What is received beyond the open balance is on account, in the order of dates; what is paid back comes off
    that first. Credits set against the invoice are never beyond it."""
    still_open = payable - _told([one for one in settled if one.reconciliation is not None])
    on_account = ZERO
    for one in settled:
        if one.amount is None:
            yield one
            continue
        amount = one.amount
        if one.reconciliation is None:
            amount = min(amount, max(still_open, ZERO)) if amount > 0 else min(amount + on_account, ZERO)
            still_open -= amount
        on_account += one.amount - amount
        yield msgspec.structs.replace(one, amount=amount, excess=one.amount - amount)


def of_credit_note(source: payloads.CreditNote | payloads.Invoice, books: Books) -> list[Settled]:
    """Settlements of a credit note: set against invoices, or paid out. Amounts positive."""
    if source.status in ("Draft", "Scheduled To Email"):
        return []
    id_, currency = last_segment(source.url), currency_of(source, books)
    is_note = isinstance(source, payloads.CreditNote)
    found = [
        Settled(
            payment_id=last_segment(one.url),
            amount=_less(allocated(one, currency, books)),
            dated_on=one.dated_on,
            explanation=one,
        )
        for one in (books.refunds(id_) if is_note else books.receipts(id_))
    ]
    if is_note:
        found += [
            Settled(
                payment_id=f"cnr-{last_segment(one.url)}",
                amount=one.gross_value,
                dated_on=one.dated_on,
                reconciliation=one,
            )
            for one in books.allocations(id_)
        ]
    return sorted(found, key=lambda one: (one.dated_on, one.payment_id))


def _less(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def payment_of(
    settled: Settled, currency: str, exchange_rate: Decimal | None, books: Books, *, sign: int = 1
) -> PaymentAllocation:
    """The allocation on a document; `sign` turns money out into a positive payment for bills."""
    explanation, when = settled.explanation, any_date(settled.dated_on)
    document_rate = rate_to_base(currency, exchange_rate, books)
    allocation = Allocation(
        currency=currency,
        currency_rate=document_rate,
        allocated_on_date=when,
        total_amount=None if settled.amount is None else plain(settled.amount),
    )
    if explanation is not None:
        bank_currency = books.bank_currency(explanation.bank_account)
        payment = AllocatedPayment(
            id=settled.payment_id,
            note=explanation.description or None,
            reference=explanation.receipt_reference or explanation.cheque_number or None,
            account_ref=books.bank_ref(explanation.bank_account),
            currency=bank_currency,
            currency_rate=bank_rate(explanation, books),
            paid_on_date=when,
            total_amount=plain(sign * explanation.gross_value),
        )
    else:
        payment = AllocatedPayment(
            id=settled.payment_id,
            note="Written off" if settled.payment_id.startswith("wo-") else None,
            reference=settled.reference or None,
            currency=currency,
            currency_rate=document_rate,
            paid_on_date=when,
            total_amount=ZERO,
        )
    return PaymentAllocation(payment=payment, allocation=allocation)


def required_day(text: str, what: str) -> LocalDate:
    """A day without which a record cannot be served; ValueError sets the record aside."""
    found = any_date(text)
    if found is None:
        raise ValueError(f"{what} {text[:40]!r} is no date that exists")
    return found


def untold(settled: list[Settled], record_id: str) -> Iterator[Note]:
    """A note for each payment that does not say what it is in the document's currency."""
    for one in settled:
        if one.amount is None:
            message = f"The payment {one.payment_id} is in another currency, and does not say what it comes to in this."
            yield Note(record_id=record_id, field="paymentAllocations.allocation.totalAmount", message=message)


def odd_days(record_id: str, **days: str | None) -> Iterator[Note]:
    """A note for each day, by its field, that does not exist or is far off."""
    for field, text in days.items():
        if text and local_date(text) is None:
            shown = repr(text[:40])
            is_far = calendar_day(text) is not None
            message = f"{shown} is too far off to be right." if is_far else f"{shown} is no date that exists."
            yield Note(record_id=record_id, field=field, message=message)


def link_rate(amount: Decimal, link_amount: Decimal | None) -> Decimal | None:
    """Payment units for one document unit. Without amounts the two may still be in one currency: then it is 1."""
    return None if link_amount is None else rate(amount, link_amount)


def untold_link(id_: str, currency: str, is_untold: bool) -> Iterator[Note]:
    if is_untold:
        message = f"FreeAgent does not say what this payment comes to in {currency}, the currency of its document."
        yield Note(record_id=id_, field="lines.links.amount", message=message)

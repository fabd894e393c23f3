"""Money against invoices and credit notes, and allocations that move none: credits set against invoices, write-offs.

Sources: https://dev.freeagent.com/docs/bank_transaction_explanations,
https://dev.freeagent.com/docs/credit_note_reconciliations
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping import settlement
from comptoir.integrations.freeagent.mapping.explanations import Kind, beside, kind_of, reference
from comptoir.integrations.freeagent.mapping.sales import customer_ref
from comptoir.integrations.freeagent.references import instant, is_credit_note, last_segment
from comptoir.model.money import ONE, ZERO, minor_unit, plain, rounded
from comptoir.model.sales import LinkType, Payment, PaymentLine, PaymentLink

__all__ = ["payment", "reconciliation", "write_off"]


def payment(source: payloads.Explanation, books: Books) -> Iterator[Mapped | Note]:
    """Money against an invoice or credit note; an explanation of another kind yields nothing here."""
    if source.paid_invoice is None or kind_of(source, books) is not Kind.PAYMENT:
        return
    id_, gross = last_segment(source.url), source.gross_value
    document: payloads.Invoice | payloads.CreditNote | None
    document_id = last_segment(source.paid_invoice)
    if is_credit_note(source.paid_invoice):
        document, link_type = books.credit_note(source.paid_invoice), LinkType.CREDIT_NOTE
    else:
        document, link_type = books.invoice(source.paid_invoice), LinkType.INVOICE
        if document is not None and document.total_value < 0:
            document_id, link_type = f"inv-{document_id}", LinkType.CREDIT_NOTE
    bank_currency = books.bank_currency(source.bank_account)
    if document is None:
        message = f"The document {source.paid_invoice} was not found; the payment is linked by its number."
        yield Note(record_id=id_, field="lines.links.id", message=message)
    currency = settlement.currency_of(document, books) if document is not None else bank_currency
    when = settlement.required_day(source.dated_on, "dated_on")
    yield from settlement.odd_days(id_, date=source.dated_on)
    parts = list(_split(source, document, document_id, link_type, currency, books))
    yield from settlement.untold_link(id_, currency, any(link_amount is None for _, link_amount, _, _ in parts))
    lines = tuple(
        PaymentLine(
            amount=plain(amount),
            allocated_on_date=when,
            links=(
                PaymentLink(
                    type=kind,
                    id=target,
                    amount=None if link_amount is None else plain(-link_amount),
                    currency_rate=settlement.link_rate(amount, link_amount),
                ),
            ),
        )
        for amount, link_amount, kind, target in parts
    )
    yield Mapped(
        Payment(
            id=id_,
            customer_ref=customer_ref(document.contact, document.contact_name, books) if document else None,
            account_ref=books.bank_ref(source.bank_account),
            total_amount=plain(gross),
            currency=bank_currency,
            currency_rate=settlement.bank_rate(source, books),
            date=when,
            note=source.description or None,
            reference=reference(source),
            lines=lines,
            source_modified_date=instant(source.updated_at),
        ),
        beside(source),
    )


_Part = tuple[Decimal, Decimal | None, LinkType, str | None]


def _split(
    source: payloads.Explanation,
    document: payloads.Invoice | payloads.CreditNote | None,
    document_id: str,
    link_type: LinkType,
    currency: str,
    books: Books,
) -> Iterator[_Part]:
    """The parts of a payment: what settles the document, and what is received beyond it, on account."""
    whole = settlement.allocated(source, currency, books)
    if isinstance(document, payloads.Invoice) and document.status in settlement.BEYOND and document.total_value >= 0:
        own = last_segment(source.url)
        found = next((one for one in settlement.of_invoice(document, books) if one.payment_id == own), None)
        if found is not None and found.excess:
            assert found.amount is not None
            assert whole is not None
            in_bank, bank_currency = source.gross_value, books.bank_currency(source.bank_account)
            kept = found.amount
            if bank_currency != currency:  # the money is divided as the settlement is
                kept = rounded(in_bank * found.amount / whole, minor_unit(bank_currency))
            if found.amount:
                yield kept, found.amount, LinkType.INVOICE, document_id
            customer = last_segment(document.contact) if document.contact else None
            yield in_bank - kept, found.excess, LinkType.PAYMENT_ON_ACCOUNT, customer
            return
    yield source.gross_value, whole, link_type, document_id


def reconciliation(source: payloads.CreditNoteReconciliation, books: Books) -> Iterator[Mapped | Note]:
    """A credit note set against an invoice: an allocation without money."""
    id_ = f"cnr-{last_segment(source.url)}"
    sides = (
        ("invoices", source.invoice, books.invoice(source.invoice)),
        ("credit_notes", source.credit_note, books.credit_note(source.credit_note)),
    )
    for resource, url, found in sides:
        if found is None and books.is_complete(resource):
            message = f"The document {url} was not found; the allocation is linked by its number."
            yield Note(record_id=id_, field="lines.links.id", message=message)
    document = next((found for _, _, found in sides if found is not None), None)
    currency = source.currency or (settlement.currency_of(document, books) if document else books.base_currency)
    when = settlement.required_day(source.dated_on, "dated_on")
    links = (
        PaymentLink(
            type=LinkType.INVOICE,
            id=last_segment(source.invoice),
            amount=plain(-source.gross_value),
            currency_rate=ONE,
        ),
        PaymentLink(
            type=LinkType.CREDIT_NOTE,
            id=last_segment(source.credit_note),
            amount=plain(source.gross_value),
            currency_rate=ONE,
        ),
    )
    yield Mapped(
        Payment(
            id=id_,
            customer_ref=customer_ref(document.contact, document.contact_name, books) if document else None,
            total_amount=ZERO,
            currency=currency,
            currency_rate=settlement.rate_to_base(currency, source.exchange_rate, books),
            date=when,
            lines=(PaymentLine(amount=ZERO, allocated_on_date=when, links=links),),
            source_modified_date=instant(source.updated_at),
        ),
        {"sourceUrl": source.url, "sourceType": "credit_note_reconciliation"},
    )


def write_off(source: payloads.Invoice, books: Books) -> Iterator[Mapped | Note]:
    """What was written off of an invoice: an allocation without money; any other invoice yields nothing here."""
    if source.total_value < 0 or not settlement.is_written_off(source):
        return
    for one in settlement.of_invoice(source, books):
        if not one.payment_id.startswith("wo-") or one.amount is None:
            continue
        yield from settlement.odd_days(one.payment_id, date=source.written_off_date)
        currency = settlement.currency_of(source, books)
        when = settlement.required_day(one.dated_on, "written_off_date")
        links = (
            PaymentLink(
                type=LinkType.INVOICE,
                id=last_segment(source.url),
                amount=plain(-one.amount),
                currency_rate=ONE,
            ),
            PaymentLink(type=LinkType.OTHER, amount=plain(one.amount), currency_rate=ONE),
        )
        yield Mapped(
            Payment(
                id=one.payment_id,
                customer_ref=customer_ref(source.contact, source.contact_name, books),
                total_amount=ZERO,
                currency=currency,
                currency_rate=settlement.rate_to_base(currency, source.exchange_rate, books),
                date=when,
                note="Written off",
                lines=(PaymentLine(amount=ZERO, allocated_on_date=when, links=links),),
                source_modified_date=instant(source.updated_at),
            ),
            {"sourceUrl": source.url, "sourceType": "write_off"},
        )

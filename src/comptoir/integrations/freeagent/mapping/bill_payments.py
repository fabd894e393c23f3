"""Money against bills, and refunds of suppliers' credits.

Source: https://dev.freeagent.com/docs/bank_transaction_explanations
"""

from __future__ import annotations

from collections.abc import Iterator

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping import settlement
from comptoir.integrations.freeagent.mapping.explanations import Kind, beside, kind_of, reference
from comptoir.integrations.freeagent.mapping.purchases import supplier_ref
from comptoir.integrations.freeagent.references import instant, last_segment, number_in
from comptoir.model.money import plain
from comptoir.model.purchases import BillLinkType, BillPayment, BillPaymentLine, BillPaymentLink

__all__ = ["bill_payment"]


def bill_payment(source: payloads.Explanation, books: Books) -> Iterator[Mapped | Note]:
    """Money against a bill, or a refund of a supplier's credit."""
    if source.paid_bill is None or kind_of(source, books) is not Kind.BILL_PAYMENT:
        return
    document = books.bill(source.paid_bill)
    id_, total = last_segment(source.url), -source.gross_value
    if document is None:
        message = f"The bill {source.paid_bill} was not found; the payment is linked by its number."
        yield Note(record_id=id_, field="lines.links.id", message=message)
    bank_currency = books.bank_currency(source.bank_account)
    currency = settlement.currency_of(document, books) if document is not None else bank_currency
    settled = settlement.allocated(source, currency, books)
    yield from settlement.untold_link(id_, currency, settled is None)
    is_credit = document is not None and document.total_value < 0
    when = settlement.required_day(source.dated_on, "dated_on")
    yield from settlement.odd_days(id_, date=source.dated_on)
    link = BillPaymentLink(
        type=BillLinkType.CREDIT_NOTE if is_credit else BillLinkType.BILL,
        id=last_segment(source.paid_bill),
        amount=None if settled is None else plain(settled),
        currency_rate=settlement.link_rate(total, settled),
    )
    yield Mapped(
        BillPayment(
            id=id_,
            supplier_ref=supplier_ref(document.contact, document.contact_name, books) if document else None,
            account_ref=books.bank_ref(source.bank_account),
            total_amount=plain(total),
            currency=bank_currency,
            currency_rate=settlement.bank_rate(source, books),
            date=when,
            note=source.description or None,
            reference=reference(source),
            lines=(BillPaymentLine(amount=plain(total), allocated_on_date=when, links=(link,)),),
            source_modified_date=instant(source.updated_at),
        ),
        beside(source) | {"nettedWith": _netted_with(source, document, books)},
    )


def _netted_with(source: payloads.Explanation, document: payloads.Bill | None, books: Books) -> str | None:
    """The other of two entries by which a bill is settled against the supplier's credit: they stay two payments, as
    the ledger has both. Several of one size are paired in the order of their numbers."""
    if document is None or not document.contact:
        return None
    supplier = last_segment(document.contact)
    paid: list[str] = []
    refunded: list[str] = []
    for one in books.netting(source):
        bill = books.bill(one.paid_bill)
        if bill is not None and number_in(bill.contact) == supplier:
            (paid if one.gross_value < 0 else refunded).append(last_segment(one.url))
    own, others = (paid, refunded) if source.gross_value < 0 else (refunded, paid)
    id_ = last_segment(source.url)
    return dict(zip(own, others, strict=False)).get(id_)

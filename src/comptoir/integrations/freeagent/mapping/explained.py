"""Explanations: what each bank movement is for. Every one becomes a record of exactly one data type.

`type` is free text and no contract: structure decides. Source:
https://dev.freeagent.com/docs/bank_transaction_explanations
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, magnitude
from comptoir.integrations.freeagent.mapping import accounts, settlement, tax
from comptoir.integrations.freeagent.mapping.purchases import supplier_ref
from comptoir.integrations.freeagent.mapping.sales import customer_ref
from comptoir.integrations.freeagent.references import (
    bank_account_id,
    instant,
    is_credit_note,
    last_segment,
    local_date,
    number_in,
)
from comptoir.model.banking import Transfer, TransferAccount, TransferStatus
from comptoir.model.ledger import AccountType
from comptoir.model.money import ONE, ZERO, minor_unit, plain, rate, rounded
from comptoir.model.purchases import (
    BillLinkType,
    BillPayment,
    BillPaymentLine,
    BillPaymentLink,
    DirectCost,
    DirectIncome,
    DirectLine,
    DirectTracking,
)
from comptoir.model.records import AccountRef, ItemRef, RecordRef
from comptoir.model.sales import (
    AllocatedPayment,
    Allocation,
    LinkType,
    Payment,
    PaymentAllocation,
    PaymentLine,
    PaymentLink,
)

__all__ = [
    "Kind",
    "bill_payment",
    "direct_cost",
    "direct_income",
    "expense",
    "kind_of",
    "payment",
    "reconciliation",
    "record_of",
    "transfer",
    "write_off",
]


class Kind(StrEnum):
    TRANSFER = "transfer"
    PAYMENT = "payment"
    BILL_PAYMENT = "billPayment"
    DIRECT_COST = "directCost"
    DIRECT_INCOME = "directIncome"


def _is_transfer(source: payloads.Explanation) -> bool:
    return bool(source.linked_transfer_account or source.transfer_bank_account or source.linked_transfer_explanation)


def kind_of(source: payloads.Explanation, books: Books) -> Kind:
    """Which data type an explanation belongs to; first match wins."""
    money_out = source.gross_value < 0
    if _is_transfer(source):
        return Kind.TRANSFER
    if source.paid_invoice:
        return Kind.PAYMENT
    if source.paid_bill:
        return Kind.BILL_PAYMENT
    if source.paid_user:
        return Kind.DIRECT_COST if money_out else Kind.DIRECT_INCOME
    if source.disposed_asset:
        return Kind.DIRECT_INCOME
    code = last_segment(source.category) if source.category else ""
    if source.capital_asset or source.stock_item or _is_held(code):
        return Kind.DIRECT_COST if money_out else Kind.DIRECT_INCOME
    type_, _ = accounts.type_of_code(code, books)
    if type_ is AccountType.INCOME:
        return Kind.DIRECT_INCOME
    if type_ is AccountType.EXPENSE:
        return Kind.DIRECT_COST
    return Kind.DIRECT_COST if money_out else Kind.DIRECT_INCOME


@lru_cache(maxsize=4096)
def _is_held(code: str) -> bool:
    """Of a nominal code: of capital assets or stock."""
    number = code.split("-", 1)[0]
    return number.isdigit() and 601 <= int(number) <= 609


def _extra(source: payloads.Explanation) -> dict[str, Any]:
    return {
        "sourceUrl": source.url,
        "type": source.type,
        "bankTransactionId": last_segment(source.bank_transaction) if source.bank_transaction else None,
        "ecStatus": source.ec_status,
        "markedForReview": source.marked_for_review,
    }


def _reference(source: payloads.Explanation) -> str | None:
    return source.receipt_reference or source.cheque_number or None


# Payments of invoices and credit notes


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
    yield from _untold(id_, currency, any(link_amount is None for _, link_amount, _, _ in parts))
    lines = tuple(
        PaymentLine(
            amount=plain(amount),
            allocated_on_date=when,
            links=(
                PaymentLink(
                    type=kind,
                    id=target,
                    amount=None if link_amount is None else plain(-link_amount),
                    currency_rate=_link_rate(amount, link_amount),
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
            currency_rate=settlement.rate_to_base(bank_currency, None, books),
            date=when,
            note=source.description or None,
            reference=_reference(source),
            lines=lines,
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source),
    )


def _link_rate(amount: Decimal, link_amount: Decimal | None) -> Decimal | None:
    """Payment units for one document unit. Without amounts the two may still be in one currency: then it is 1."""
    return None if link_amount is None else rate(amount, link_amount)


def _untold(id_: str, currency: str, is_untold: bool) -> Iterator[Note]:
    if is_untold:
        message = f"FreeAgent does not say what this payment comes to in {currency}, the currency of its document."
        yield Note(record_id=id_, field="lines.links.amount", message=message)


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


# Payments of bills


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
    yield from _untold(id_, currency, settled is None)
    is_credit = document is not None and document.total_value < 0
    when = settlement.required_day(source.dated_on, "dated_on")
    yield from settlement.odd_days(id_, date=source.dated_on)
    link = BillPaymentLink(
        type=BillLinkType.CREDIT_NOTE if is_credit else BillLinkType.BILL,
        id=last_segment(source.paid_bill),
        amount=None if settled is None else plain(settled),
        currency_rate=_link_rate(total, settled),
    )
    yield Mapped(
        BillPayment(
            id=id_,
            supplier_ref=supplier_ref(document.contact, document.contact_name, books) if document else None,
            account_ref=books.bank_ref(source.bank_account),
            total_amount=plain(total),
            currency=bank_currency,
            currency_rate=settlement.rate_to_base(bank_currency, None, books),
            date=when,
            note=source.description or None,
            reference=_reference(source),
            lines=(BillPaymentLine(amount=plain(total), allocated_on_date=when, links=(link,)),),
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source) | {"nettedWith": _netted_with(source, document, books)},
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


# Spending and income without a document


def direct_cost(source: payloads.Explanation, books: Books) -> Iterator[Mapped | Note]:
    if kind_of(source, books) is Kind.DIRECT_COST:
        yield from settlement.odd_days(last_segment(source.url), issueDate=source.dated_on)
        yield _direct(source, -1, books)


def direct_income(source: payloads.Explanation, books: Books) -> Iterator[Mapped | Note]:
    if kind_of(source, books) is Kind.DIRECT_INCOME:
        yield from settlement.odd_days(last_segment(source.url), issueDate=source.dated_on)
        yield _direct(source, 1, books)


def _direct(source: payloads.Explanation, sign: int, books: Books) -> Mapped:
    id_, total = last_segment(source.url), sign * source.gross_value
    taxed = magnitude((source.sales_tax_value or ZERO) + (source.second_sales_tax_value or ZERO))
    if total < 0:
        taxed = -taxed
    # Tax under a reverse charge is told and not paid: the bank movement is the net.
    is_notional = source.ec_status in ("Reverse Charge", "EC Goods", "EC Services") and bool(taxed)
    notional, taxed = (abs(taxed), ZERO) if is_notional else (ZERO, taxed)
    if source.paid_user:
        taxed = ZERO
    net = total - taxed
    quantity = ONE
    if source.stock_item and source.stock_altering_quantity:
        quantity = abs(source.stock_altering_quantity)
    unit_amount = plain(net) if quantity == 1 else (rate(net, quantity) or ZERO) * (-1 if net < 0 else 1)
    refs, _ = books.tracking(source.project, source.property)
    line = DirectLine(
        description=source.description or None,
        unit_amount=unit_amount,
        quantity=plain(quantity),
        sub_total=plain(net),
        tax_amount=plain(taxed),
        total_amount=plain(total),
        account_ref=_account(source, books),
        tax_rate_ref=tax.ref(
            tax.Tuple_(status="OUT_OF_SCOPE") if source.paid_user else tax.direct_tuple(source), books
        ),
        item_ref=ItemRef(id=f"stock-{last_segment(source.stock_item)}") if source.stock_item else None,
        tracking_category_refs=refs or None,
        tracking=_direct_tracking(source.project, source.rebill_type, refs, books) if refs and sign < 0 else None,
    )
    currency = books.bank_currency(source.bank_account)
    kind = DirectCost if sign < 0 else DirectIncome
    when = settlement.required_day(source.dated_on, "dated_on")
    currency_rate = settlement.rate_to_base(currency, None, books)
    record = kind(
        id=id_,
        reference=_reference(source),
        note=source.description or None,
        issue_date=when,
        currency=currency,
        currency_rate=currency_rate,
        line_items=(line,),
        payment_allocations=(
            _whole(id_, books.bank_ref(source.bank_account), currency, currency_rate, when, plain(total)),
        ),
        sub_total=plain(net),
        tax_amount=plain(taxed),
        total_amount=plain(total),
        source_modified_date=instant(source.updated_at),
    )
    extra = _extra(source) | {
        "rebillType": source.rebill_type,
        "rebillFactor": source.rebill_factor,
        "paidUser": last_segment(source.paid_user) if source.paid_user else None,
        "capitalAsset": last_segment(source.capital_asset) if source.capital_asset else None,
        "disposedAsset": last_segment(source.disposed_asset) if source.disposed_asset else None,
        "property": last_segment(source.property) if source.property else None,
        "notionalTax": notional or None,
        "taxSplit": tax.split_of(source.sales_tax_value, source.second_sales_tax_value),
    }
    return Mapped(record, extra)


def _account(source: payloads.Explanation, books: Books) -> AccountRef | None:
    if source.paid_user:
        return books.account_ref_of_code(accounts.paid_user_code(source.category, source.paid_user, books))
    if source.disposed_asset and not source.category:
        return books.account_ref_of_code("604")
    return books.account_ref(source.category)


def _direct_tracking(
    project_url: str | None, rebill_type: str | None, refs: tuple[Any, ...], books: Books
) -> DirectTracking:
    invoice_to = None
    project = books.project(project_url)
    if rebill_type and project is not None and project.contact:
        invoice_to = RecordRef(id=last_segment(project.contact), data_type="customers")
    return DirectTracking(
        record_refs=tuple(RecordRef(id=ref.id, data_type="trackingCategories") for ref in refs), invoice_to=invoice_to
    )


def _whole(
    id_: str, account: AccountRef | None, currency: str, currency_rate: Decimal | None, when: Any, total: Decimal
) -> PaymentAllocation:
    """Paid at once and whole, by the record itself."""
    return PaymentAllocation(
        payment=AllocatedPayment(
            id=id_,
            account_ref=account,
            currency=currency,
            currency_rate=currency_rate,
            paid_on_date=when,
            total_amount=total,
        ),
        allocation=Allocation(
            currency=currency, currency_rate=currency_rate, allocated_on_date=when, total_amount=total
        ),
    )


def expense(source: payloads.Expense, books: Books) -> Iterator[Mapped | Note]:
    """What somebody paid out of pocket: owed to them, no bank involved. https://dev.freeagent.com/docs/expenses"""
    id_ = f"exp-{last_segment(source.url)}"
    currency = source.currency or books.base_currency
    currency_rate: Decimal | None = ONE
    if currency != books.base_currency:
        currency_rate = rate(source.native_gross_value or ZERO, source.gross_value) or None
    total = -source.gross_value
    taxed = magnitude(source.sales_tax_value)
    if not taxed and source.manual_sales_tax_amount:
        # A manual amount is in the base currency, and without sign.
        taxed = magnitude(source.manual_sales_tax_amount)
        if not currency_rate:
            message = f"Its tax is told in {books.base_currency} alone, and there is no rate to tell it in {currency}."
            yield Note(record_id=id_, field="taxAmount", message=message)
            taxed = ZERO
        elif currency != books.base_currency:
            taxed = rounded(taxed / currency_rate, minor_unit(currency))
    if total < 0:
        taxed = -taxed
    is_notional = source.ec_status in ("Reverse Charge", "EC Goods", "EC Services") and bool(taxed)
    notional, taxed = (abs(taxed), ZERO) if is_notional else (ZERO, taxed)
    net = total - taxed
    when = settlement.required_day(source.dated_on, "dated_on")
    yield from settlement.odd_days(id_, issueDate=source.dated_on)
    project_url = source.project or source.rebill_to_project
    refs, _ = books.tracking(project_url, source.property)
    line = DirectLine(
        description=source.description or None,
        unit_amount=plain(net),
        quantity=ONE,
        sub_total=plain(net),
        tax_amount=plain(taxed),
        total_amount=plain(total),
        account_ref=_expense_account(source, books),
        tax_rate_ref=tax.ref(tax.direct_tuple(source), books),
        item_ref=ItemRef(id=f"stock-{last_segment(source.stock_item)}") if source.stock_item else None,
        tracking_category_refs=refs or None,
        tracking=_direct_tracking(project_url, source.rebill_type, refs, books) if refs else None,
    )
    owed = books.account_ref_of_code(books.user_code("905", source.user)) if source.user else None
    yield Mapped(
        DirectCost(
            id=id_,
            reference=source.receipt_reference or None,
            note=source.description or None,
            issue_date=when,
            currency=currency,
            currency_rate=currency_rate,
            line_items=(line,),
            payment_allocations=(_whole(id_, owed, currency, currency_rate, when, plain(total)),),
            sub_total=plain(net),
            tax_amount=plain(taxed),
            total_amount=plain(total),
            source_modified_date=instant(source.updated_at),
        ),
        {
            "sourceType": "expense",
            "sourceUrl": source.url,
            "user": last_segment(source.user) if source.user else None,
            "mileage": source.mileage,
            "vehicleType": source.vehicle_type,
            "engineType": source.engine_type,
            "engineSize": source.engine_size,
            "reclaimMileageRate": source.reclaim_mileage_rate,
            "rebillMileageRate": source.rebill_mileage_rate,
            "rebillType": source.rebill_type,
            "rebillFactor": source.rebill_factor,
            "haveVatReceipt": source.have_vat_receipt,
            "recurring": source.recurring,
            "rebilledOnInvoice": last_segment(source.rebilled_on_invoice) if source.rebilled_on_invoice else None,
            "property": last_segment(source.property) if source.property else None,
            "ecStatus": source.ec_status,
            "notionalTax": notional or None,
        },
    )


def _expense_account(source: payloads.Expense, books: Books) -> AccountRef | None:
    if source.category and "/" not in source.category:
        code = books.codes_by_name.get(source.category)
        return books.account_ref_of_code(code) if code else None
    return books.account_ref(source.category)


# What became of one


def record_of(source: payloads.Explanation, books: Books) -> RecordRef | None:
    """The record that an explanation is served as: of a transfer the one record of both sides, None where these do
    not fit together."""
    kind = kind_of(source, books)
    if kind is not Kind.TRANSFER:
        return RecordRef(id=last_segment(source.url), data_type=f"{kind}s")
    return RecordRef(id=_transfer_id(source), data_type="transfers") if _other_side(source, books).fits else None


# Between bank accounts


class _OtherSide(msgspec.Struct, frozen=True, kw_only=True):
    """The other side of a transfer, as far as it is known; `fits` unless nothing moves, or both move the same way."""

    account: str | None
    explanation: payloads.Explanation | None
    fits: bool


def _other_side(source: payloads.Explanation, books: Books) -> _OtherSide:
    other = books.explanation(source.linked_transfer_explanation)
    if other is not None and not _is_transfer(other):
        other = None  # it is served as something else
    account = source.linked_transfer_account or source.transfer_bank_account
    if account is None and other is not None:
        account = other.bank_account
    moves_apart = other is None or other.gross_value * source.gross_value < 0
    return _OtherSide(
        account=account,
        explanation=other,
        fits=bool(source.gross_value) and account is not None and moves_apart,
    )


def _transfer_id(source: payloads.Explanation) -> str:
    """The paying side's, held or not."""
    pays = source.gross_value < 0 or not source.linked_transfer_explanation
    return last_segment(source.url if pays else source.linked_transfer_explanation or "")


def transfer(source: payloads.Explanation, books: Books) -> Iterator[Mapped | Note]:
    """Two explanations of one movement: listed once, under the paying side's id."""
    if not _is_transfer(source):
        return
    side = _other_side(source, books)
    other, other_account = side.explanation, side.account
    pays = source.gross_value < 0
    if not pays and other is not None and other.gross_value < 0:
        return  # the paying side is held, and yields it
    id_ = _transfer_id(source)
    if not side.fits or other_account is None:
        message = "The two sides of this transfer do not fit together: it moves nothing, or both the same way."
        yield Note(record_id=last_segment(source.url), field="amount", message=message)
        return
    here = _side(source.bank_account, abs(source.gross_value), books)
    amount = abs(other.gross_value) if other is not None else None
    if amount is None and books.bank_currency(other_account) == books.bank_currency(source.bank_account):
        amount = abs(source.gross_value)
    there = _side(other_account, amount, books)
    is_settled = not source.marked_for_review and not (other is not None and other.marked_for_review)
    yield from settlement.odd_days(id_, date=source.dated_on)
    extra = _extra(source)
    if other is not None and other.dated_on != source.dated_on:
        extra["receivedOn"] = other.dated_on
    yield Mapped(
        Transfer(
            id=id_,
            description=source.description or None,
            date=local_date(source.dated_on),
            from_=here if pays else there,
            to=there if pays else here,
            status=TransferStatus.RECONCILED if is_settled else TransferStatus.UNRECONCILED,
            source_modified_date=instant(source.updated_at),
        ),
        extra,
    )


def _side(bank_account: str, amount: Decimal | None, books: Books) -> TransferAccount:
    return TransferAccount(
        account_ref=RecordRef(id=bank_account_id(bank_account), data_type="bankAccounts"),
        currency=books.bank_currency(bank_account),
        amount=None if amount is None else plain(amount),
    )

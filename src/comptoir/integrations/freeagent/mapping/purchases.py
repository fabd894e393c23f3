"""Bills and supplier credits: FreeAgent records a supplier's credit as a bill below zero.

Source: https://dev.freeagent.com/docs/bills
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, magnitude
from comptoir.integrations.freeagent.drifting import whatever_the_day
from comptoir.integrations.freeagent.mapping import settlement, tax
from comptoir.integrations.freeagent.mapping.parties import absent, party
from comptoir.integrations.freeagent.mapping.sales import customer_ref
from comptoir.integrations.freeagent.references import instant, last_segment, local_date
from comptoir.model.money import ONE, ZERO, plain, rate
from comptoir.model.purchases import Bill, BillCreditNote, BillStatus, PurchaseLine, SupplierRef
from comptoir.model.records import ItemRef
from comptoir.model.sales import BilledTo, DocumentStatus, Tracking

__all__ = ["bill", "bill_credit_note", "settlements", "supplier_ref"]


def supplier_ref(contact: str | None, contact_name: str | None, books: Books) -> SupplierRef | None:
    if not contact:
        return None
    named = party(contact, books)
    return SupplierRef(id=named.id, supplier_name=named.name or contact_name)  # as of a customer


def settlements(source: payloads.Bill, books: Books) -> list[settlement.Settled]:
    """What was paid, in the bill's currency: positive reduces what is open, for a credit too."""
    currency = settlement.currency_of(source, books)
    sign = -1 if source.total_value >= 0 else 1
    found = []
    for one in books.bill_payments(last_segment(source.url)):
        amount = settlement.allocated(one, currency, books)
        found.append(
            settlement.Settled(
                payment_id=last_segment(one.url),
                amount=None if amount is None else sign * amount,
                dated_on=one.dated_on,
                explanation=one,
            )
        )
    return found


def bill(source: payloads.Bill, books: Books) -> Iterator[Mapped | Note]:
    """A bill; one below zero is a credit and yields nothing here."""
    if source.total_value < 0:
        return
    id_, currency = last_segment(source.url), settlement.currency_of(source, books)
    total = source.total_value
    payable = total - settlement.withheld_of(source)
    settled = settlements(source, books)
    due = settlement.open_of(source.due_value, payable, settled)
    status = BillStatus.UNKNOWN
    if source.status in ("Open", "Overdue"):
        status = BillStatus.PARTIALLY_PAID if ZERO < payable - due < payable else BillStatus.OPEN
    elif source.status in ("Paid", "Zero Value"):
        status, due = BillStatus.PAID, ZERO
    else:
        message = f"The status {source.status!r} is not documented for a bill."
        yield Note(record_id=id_, field="status", message=message)
    yield from settlement.odd_days(id_, issueDate=source.dated_on, dueDate=source.due_on)
    yield from settlement.untold(settled, id_)
    charged, notional = _charged(source)
    yield from _doubts(source, id_, "taxAmount", books)
    yield Mapped(
        Bill(
            id=id_,
            reference=source.reference or None,
            supplier_ref=supplier_ref(source.contact, source.contact_name, books),
            purchase_order_refs=(),
            issue_date=settlement.required_day(source.dated_on, "dated_on"),
            due_date=local_date(source.due_on),
            currency=currency,
            currency_rate=settlement.rate_to_base(currency, source.exchange_rate, books),
            line_items=_lines(source, 1, notional, books),
            withholding_tax=_withheld(source),
            status=status,
            sub_total=plain(total - charged),
            tax_amount=plain(charged),
            total_amount=plain(total),
            amount_due=plain(due),
            note=source.comments or None,
            payment_allocations=tuple(
                settlement.payment_of(one, currency, source.exchange_rate, books, sign=-1) for one in settled
            ),
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source, notional),
    )


def bill_credit_note(source: payloads.Bill, books: Books) -> Iterator[Mapped | Note]:
    """A bill below zero; any other yields nothing here."""
    if source.total_value >= 0:
        return
    id_, currency = last_segment(source.url), settlement.currency_of(source, books)
    total = -source.total_value
    payable = total - settlement.withheld_of(source)
    settled = settlements(source, books)
    told = None if source.due_value is None else magnitude(source.due_value)
    remaining = settlement.open_of(told, payable, settled)
    status = DocumentStatus.UNKNOWN
    if source.status in ("Open", "Overdue"):
        is_part = ZERO < payable - remaining < payable
        status = DocumentStatus.PARTIALLY_PAID if is_part else DocumentStatus.SUBMITTED
    elif source.status in ("Refunded", "Paid", "Zero Value"):
        status, remaining = DocumentStatus.PAID, ZERO
    else:
        message = f"The status {source.status!r} is not documented for a bill."
        yield Note(record_id=id_, field="status", message=message)
    yield from settlement.odd_days(id_, issueDate=source.dated_on, allocatedOnDate=source.paid_on)
    yield from settlement.untold(settled, id_)
    charged, notional = _charged(source)
    yield from _doubts(source, id_, "totalTaxAmount", books)
    yield Mapped(
        BillCreditNote(
            id=id_,
            bill_credit_note_number=source.reference or None,
            supplier_ref=supplier_ref(source.contact, source.contact_name, books),
            withholding_tax=_withheld(source),
            total_amount=plain(total),
            total_discount=ZERO,
            sub_total=plain(total - charged),
            total_tax_amount=plain(charged),
            discount_percentage=ZERO,
            remaining_credit=plain(remaining),
            status=status,
            issue_date=local_date(source.dated_on),
            allocated_on_date=local_date(source.paid_on) if status is DocumentStatus.PAID else None,
            currency=currency,
            currency_rate=settlement.rate_to_base(currency, source.exchange_rate, books),
            line_items=_lines(source, -1, notional, books),
            payment_allocations=tuple(
                settlement.payment_of(one, currency, source.exchange_rate, books, sign=-1) for one in settled
            ),
            note=source.comments or None,
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source, notional),
    )


def _charged(source: payloads.Bill) -> tuple[Decimal, Decimal]:
    """Tax that is part of the total, and notional tax that is not."""
    return tax.charged(*_sizes(source))


def _sizes(source: payloads.Bill) -> tuple[Decimal, Decimal | None, Decimal]:
    """Total, net and tax. Net and tax of a bill come with the sign of the cost: their size counts."""
    taxed = magnitude(source.sales_tax_value) + magnitude(source.second_sales_tax_value)
    net = None if source.net_value is None else magnitude(source.net_value)
    return magnitude(source.total_value), net, taxed


def _doubts(source: payloads.Bill, id_: str, tax_field: str, books: Books) -> Iterator[Note]:
    yield from tax.doubt(*_sizes(source), id_, tax_field)
    yield from absent(source.contact, id_, "supplierRef", books)


def _withheld(source: payloads.Bill) -> Any:
    percent = tax.band_percent(None, source.cis_deduction_rate)
    if percent is None:
        percent = tax.band_percent(source.cis_deduction_band, None)
    return tax.withheld(source.cis_deduction, percent)


def _extra(source: payloads.Bill, notional: Decimal) -> dict[str, Any]:
    return {
        "sourceUrl": source.url,
        "sourceStatus": whatever_the_day(source.status),
        "ecStatus": source.ec_status,
        "isPaidByHirePurchase": source.is_paid_by_hire_purchase,
        "rebillType": source.rebill_type,
        "rebillFactor": source.rebill_factor,
        "rebilledOnInvoiceItem": source.rebilled_on_invoice_item,
        "recurring": source.recurring,
        "property": last_segment(source.property) if source.property else None,
        "notionalTax": notional or None,
        "cisDeductionSuffered": source.cis_deduction_suffered,
        "taxSplit": tax.split_of(source.sales_tax_value, source.second_sales_tax_value),
    }


def _lines(source: payloads.Bill, sign: int, notional: Decimal, books: Books) -> tuple[PurchaseLine, ...]:
    items = enumerate(source.bill_items or (), 1)
    return tuple(_line(source, item, number, sign, bool(notional), books) for number, item in items)


def _line(
    source: payloads.Bill, item: payloads.BillItem, number: int, sign: int, is_notional: bool, books: Books
) -> PurchaseLine:
    taxed = magnitude(item.sales_tax_value) + magnitude(item.second_sales_tax_value)
    if is_notional:
        taxed = ZERO
    if item.total_value is None and item.total_value_ex_tax is not None:
        net = sign * item.total_value_ex_tax
        total = net + (taxed if net >= 0 else -taxed)
    else:
        total = sign * (item.total_value or ZERO)
    if item.total_value_ex_tax is not None:
        net = sign * item.total_value_ex_tax
    else:
        net = total - (taxed if total >= 0 else -taxed)
    quantity = item.quantity or ONE
    if item.stock_item and item.stock_altering_quantity:
        quantity = abs(item.stock_altering_quantity)
    unit_amount = rate(net, quantity) or ZERO
    if (net < 0) != (quantity < 0):
        unit_amount = -unit_amount
    project_url = item.project or source.project or source.rebill_to_project
    refs, project = books.tracking(project_url, source.property)
    tracking = None
    if refs:
        found = books.project(project_url)
        is_rebilled = bool(source.rebill_type) and project is not None
        tracking = Tracking(
            category_refs=refs,
            customer_ref=customer_ref(found.contact, None, books) if found else None,
            project_ref=project,
            is_billed_to=BilledTo.PROJECT if project else BilledTo.NOT_APPLICABLE,
            is_rebilled_to=BilledTo.PROJECT if is_rebilled else BilledTo.NOT_APPLICABLE,
        )
    is_bill = sign > 0  # the published credit note line has neither a number nor a unit, nor this flag
    return PurchaseLine(
        line_number=str(number) if is_bill else None,
        description=item.description or item.stock_item_description or None,
        unit_amount=plain(unit_amount),
        quantity=plain(quantity),
        unit_of_measurement=item.unit if is_bill and item.unit not in (None, "", "-no unit-") else None,
        sub_total=plain(net),
        tax_amount=plain(total - net),
        total_amount=plain(total),
        account_ref=books.account_ref(item.category),
        tax_rate_ref=tax.ref(tax.line_tuple(item, source.ec_status), books),
        item_ref=ItemRef(id=f"stock-{last_segment(item.stock_item)}") if item.stock_item else None,
        tracking_category_refs=refs or None,
        tracking=tracking,
        is_direct_cost=False if is_bill else None,
    )

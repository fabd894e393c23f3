"""Invoices and credit notes. A negative invoice is a credit note of the older kind.

Sources: https://dev.freeagent.com/docs/invoices, https://dev.freeagent.com/docs/credit_notes
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, magnitude
from comptoir.integrations.freeagent.drifting import whatever_the_day
from comptoir.integrations.freeagent.mapping import settlement, tax
from comptoir.integrations.freeagent.mapping.parties import absent, party
from comptoir.integrations.freeagent.references import day, instant, last_segment, local_date
from comptoir.model.money import ZERO, minor_unit, plain, rounded
from comptoir.model.records import ItemRef, LocalDate
from comptoir.model.sales import (
    BilledTo,
    CreditNote,
    CustomerRef,
    DocumentStatus,
    Invoice,
    SalesLine,
    Tracking,
)

__all__ = ["credit_note", "customer_ref", "invoice", "negative_invoice", "spread"]

_S = DocumentStatus
_HUNDREDTH = Decimal("0.01")
_DRAFT = ("Draft", "Scheduled To Email")
_OPEN = ("Open", "Overdue")
_INVOICE_SETTLED = {
    "Zero Value": _S.PAID,
    "Paid": _S.PAID,
    "Overpaid": _S.PAID,
    "Refunded": _S.VOID,
    "Written-off": _S.VOID,
    "Part written-off": _S.VOID,
}
_CREDIT_SETTLED = {
    "Refunded": _S.PAID,
    "Zero Value": _S.PAID,
    "Paid": _S.PAID,
    "Overpaid": _S.PAID,
    "Written-off": _S.VOID,
    "Part written-off": _S.VOID,
}


def customer_ref(contact: str | None, contact_name: str | None, books: Books) -> CustomerRef | None:
    if not contact:
        return None
    named = party(contact, books)
    # The contact's own name first: a document's date does not move when its contact takes another one.
    return CustomerRef(id=named.id, company_name=named.name or contact_name)


def invoice(source: payloads.Invoice, books: Books) -> Iterator[Mapped | Note]:
    """An invoice; a negative one is a credit note and yields nothing here."""
    if source.total_value < 0:
        return
    id_, currency = last_segment(source.url), settlement.currency_of(source, books)
    withheld = settlement.withheld_of(source)
    payable = source.total_value - withheld
    settled = settlement.of_invoice(source, books)
    due = settlement.open_of(source.due_value, payable, settled)
    status, note = _status(source, _INVOICE_SETTLED, payable, payable - due)
    if note:
        yield note
    if status is _S.DRAFT:
        due = source.total_value
    elif status in (_S.PAID, _S.VOID):
        due = ZERO
    yield from settlement.odd_days(id_, issueDate=source.dated_on, dueDate=source.due_on, paidOnDate=source.paid_on)
    yield from settlement.untold(settled, id_)
    taxed = magnitude(source.sales_tax_value) + magnitude(source.second_sales_tax_value)
    charged, notional = tax.charged(source.total_value, source.net_value, taxed)
    yield from tax.doubt(source.total_value, source.net_value, taxed, id_, "totalTaxAmount")
    yield from absent(source.contact, id_, "customerRef", books)
    lines, differ = _lines(source, source.invoice_items or (), charged, 1, books)
    yield from _differing(differ, id_)
    yield Mapped(
        Invoice(
            id=id_,
            invoice_number=source.reference or None,
            customer_ref=customer_ref(source.contact, source.contact_name, books),
            sales_order_refs=(),
            issue_date=settlement.required_day(source.dated_on, "dated_on"),
            due_date=_due_date(source),
            paid_on_date=local_date(source.paid_on) if status is _S.PAID else None,
            currency=currency,
            currency_rate=settlement.rate_to_base(currency, source.exchange_rate, books),
            line_items=lines,
            payment_allocations=tuple(
                settlement.payment_of(one, currency, source.exchange_rate, books)
                for one in settled
                if one.amount or not one.excess  # one that is all on account settles nothing here
            ),
            withholding_tax=tax.withheld(
                source.cis_deduction, tax.band_percent(source.cis_rate, source.cis_deduction_rate)
            ),
            total_discount=_discount(lines),
            sub_total=plain(source.total_value - charged),
            total_tax_amount=plain(charged),
            total_amount=plain(source.total_value),
            amount_due=plain(due),
            discount_percentage=plain(source.discount_percent or ZERO),
            status=status,
            note=source.comments or None,
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source, notional, differ)
        | {
            "writtenOffDate": source.written_off_date,
            "paymentUrl": source.payment_url,
            "recurringInvoice": last_segment(source.recurring_invoice) if source.recurring_invoice else None,
        },
    )


def credit_note(source: payloads.CreditNote, books: Books) -> Iterator[Mapped | Note]:
    yield from _credit(source, source.credit_note_items or (), last_segment(source.url), source.refunded_on, books)


def negative_invoice(source: payloads.Invoice, books: Books) -> Iterator[Mapped | Note]:
    """An invoice below zero; any other yields nothing here."""
    if source.total_value < 0:
        yield from _credit(source, source.invoice_items or (), f"inv-{last_segment(source.url)}", source.paid_on, books)


def _credit(
    source: payloads.CreditNote | payloads.Invoice,
    items: Sequence[payloads.InvoiceItem],
    id_: str,
    refunded_on: str | None,
    books: Books,
) -> Iterator[Mapped | Note]:
    currency = settlement.currency_of(source, books)
    # Some older answers show positive amounts: what counts is the size.
    total = magnitude(source.total_value)
    payable = total - settlement.withheld_of(source)
    settled = settlement.of_credit_note(source, books)
    told = None if source.due_value is None else magnitude(source.due_value)
    remaining = settlement.open_of(told, payable, settled)
    status, note = _status(source, _CREDIT_SETTLED, payable, payable - remaining)
    if note:
        yield msgspec.structs.replace(note, record_id=id_)
    yield from settlement.odd_days(id_, issueDate=source.dated_on, allocatedOnDate=refunded_on)
    yield from settlement.untold(settled, id_)
    if status is _S.DRAFT:
        remaining = total
    elif status in (_S.PAID, _S.VOID):
        remaining = ZERO
    taxed = magnitude(source.sales_tax_value) + magnitude(source.second_sales_tax_value)
    net = None if source.net_value is None else magnitude(source.net_value)
    charged, notional = tax.charged(total, net, taxed)
    yield from tax.doubt(total, net, taxed, id_, "totalTaxAmount")
    yield from absent(source.contact, id_, "customerRef", books)
    sign = -1 if source.total_value <= 0 else 1
    lines, differ = _lines(source, items, charged, sign, books)
    yield from _differing(differ, id_)
    allocated_on: LocalDate | None = None
    if not remaining and status not in (_S.DRAFT, _S.VOID):
        allocated_on = local_date(refunded_on) or local_date(max((one.dated_on for one in settled), default=None))
    yield Mapped(
        CreditNote(
            id=id_,
            credit_note_number=source.reference or None,
            customer_ref=customer_ref(source.contact, source.contact_name, books),
            withholding_tax=tax.withheld(
                source.cis_deduction, tax.band_percent(source.cis_rate, source.cis_deduction_rate)
            ),
            total_amount=plain(total),
            total_discount=_discount(lines),
            sub_total=plain(total - charged),
            total_tax_amount=plain(charged),
            discount_percentage=plain(source.discount_percent or ZERO),
            remaining_credit=plain(remaining),
            status=status,
            issue_date=local_date(source.dated_on),
            allocated_on_date=allocated_on,
            currency=currency,
            currency_rate=settlement.rate_to_base(currency, source.exchange_rate, books),
            line_items=lines,
            payment_allocations=tuple(
                settlement.payment_of(one, currency, source.exchange_rate, books) for one in settled
            ),
            note=source.comments or None,
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source, notional, differ),
    )


def _differing(differ: bool, id_: str) -> Iterator[Note]:
    if differ:
        yield Note(record_id=id_, field="lineItems", message="The lines do not add up to the totals of the source.")


def _status(
    source: payloads.CreditNote | payloads.Invoice,
    ended: dict[str, DocumentStatus],
    payable: Decimal,
    settled: Decimal,
) -> tuple[DocumentStatus, Note | None]:
    if source.status in _DRAFT:
        return _S.DRAFT, None
    if source.status in _OPEN:
        return (_S.PARTIALLY_PAID if ZERO < settled < payable else _S.SUBMITTED), None
    if (found := ended.get(source.status)) is not None:
        return found, None
    message = f"The status {source.status!r} is not documented."
    return _S.UNKNOWN, Note(record_id=last_segment(source.url), field="status", message=message)


def _due_date(source: payloads.Invoice) -> LocalDate | None:
    if source.due_on:
        return local_date(source.due_on)
    issued = day(source.dated_on)
    if issued is None or source.payment_terms_in_days is None:
        return None
    try:
        return local_date((issued + timedelta(days=int(source.payment_terms_in_days))).isoformat())
    except OverflowError:
        return None


def _extra(source: payloads.CreditNote | payloads.Invoice, notional: Decimal, differ: bool) -> dict[str, Any]:
    return {
        "sourceUrl": source.url,
        "sourceStatus": whatever_the_day(source.status),
        "ecStatus": source.ec_status,
        "placeOfSupply": source.place_of_supply,
        "poReference": source.po_reference,
        "paymentTermsInDays": source.payment_terms_in_days,
        "clientContactName": source.client_contact_name,
        "property": last_segment(source.property) if source.property else None,
        "notionalTax": notional or None,
        "cisDeductionSuffered": source.cis_deduction_suffered,
        "lineTotalsDiffer": True if differ else None,
        "taxSplit": tax.split_of(source.sales_tax_value, source.second_sales_tax_value),
        "lineItemTypes": _item_types(source),
    }


def _item_types(source: payloads.CreditNote | payloads.Invoice) -> list[str | None] | None:
    """What each line counts in, such as hours, in the order of the lines."""
    items = source.invoice_items if isinstance(source, payloads.Invoice) else source.credit_note_items
    return [item.item_type for item in sorted(items, key=_place)] if items else None


def _place(item: payloads.InvoiceItem) -> Decimal:
    return item.position or ZERO


def _discount(lines: Sequence[SalesLine]) -> Decimal:
    return plain(sum((line.discount_amount or ZERO for line in lines), ZERO))


# Lines: FreeAgent gives totals in the header only, so lines are computed and made to add up


def spread(
    exact: Sequence[Decimal], whole: Sequence[Decimal], total: Decimal, unit: Decimal, taking: Sequence[bool]
) -> list[Decimal] | None:
    """The rounded numbers `whole`, with the gap to `total` on those that rounding cost most, a unit at a time.

    Only entries marked in `taking` take part; what is left of a total finer than the unit falls on the next one.
    None if the gap is more than one unit for each of them.
    """
    gap = total - sum(whole, ZERO)
    if not gap:
        return list(whole)
    places = [place for place, takes in enumerate(taking) if takes]
    if abs(gap) > unit * len(places):
        return None
    way = 1 if gap > 0 else -1
    places.sort(key=lambda place: (-way * (exact[place] - whole[place]), -abs(exact[place]), place))
    closed = list(whole)
    for place in places:
        step = way * min(unit, abs(gap))
        closed[place] += step
        gap -= step
    return [plain(number) for number in closed]


def _lines(
    source: payloads.CreditNote | payloads.Invoice,
    items: Sequence[payloads.InvoiceItem],
    charged: Decimal,
    sign: int,
    books: Books,
) -> tuple[tuple[SalesLine, ...], bool]:
    """The lines by position, adding up to the header; and whether they could not be made to."""
    ordered = sorted(items, key=_place)
    unit = minor_unit(settlement.currency_of(source, books))
    net_total = magnitude(source.total_value) - charged
    kept = None if not source.discount_percent else 1 - source.discount_percent * _HUNDREDTH
    exact = [_exact(item, sign, kept) for item in ordered]
    tax_as_line = _tax_lines_close(ordered, exact, net_total, unit)
    nets: list[Decimal] = []
    taxes: list[Decimal] = []
    refs = []
    for item, net in zip(ordered, exact, strict=True):
        ref = _tax_ref(source, item, books)
        refs.append(ref)
        if tax_as_line and item.item_type == "VAT":
            nets.append(ZERO)
            taxes.append(net)
        else:
            nets.append(net)
            taxes.append(net * ref.effective_tax_rate * _HUNDREDTH if charged and ref.effective_tax_rate else ZERO)
    whole_nets = [rounded(number, unit) for number in nets]
    whole_taxes = [rounded(number, unit) for number in taxes]
    priced = [item.item_type != "Comment" for item in ordered]
    fitted_nets = spread(nets, whole_nets, net_total, unit, priced)
    # Lines that bear tax take the gap of the tax; the others only where it is too wide for these.
    fitted_taxes = spread(taxes, whole_taxes, charged, unit, [bool(amount) for amount in taxes]) or spread(
        taxes, whole_taxes, charged, unit, priced
    )
    differ = fitted_nets is None or fitted_taxes is None
    lines = tuple(
        _line(source, item, net, amount, ref, unit, 0 if tax_as_line and item.item_type == "VAT" else sign, books)
        for item, net, amount, ref in zip(
            ordered, fitted_nets or whole_nets, fitted_taxes or whole_taxes, refs, strict=True
        )
    )
    return lines, differ and bool(ordered)


def _exact(item: payloads.InvoiceItem, sign: int, kept: Decimal | None) -> Decimal:
    """What a line comes to before it is rounded: `kept` of it after a discount."""
    if item.item_type == "Comment":
        return ZERO
    amount = sign * (item.price or ZERO) * (item.quantity or ZERO)
    return amount if kept is None else amount * kept


def _tax_lines_close(
    items: Sequence[payloads.InvoiceItem], exact: Sequence[Decimal], net_total: Decimal, unit: Decimal
) -> bool:
    """Whether counting lines of type VAT as tax makes the net add up to the header."""
    types = [item.item_type for item in items]
    if "VAT" not in types:
        return False
    net = sum((amount for amount, type_ in zip(exact, types, strict=True) if type_ != "VAT"), ZERO)
    return abs(net - net_total) <= unit * len(items)


def _tax_ref(source: payloads.CreditNote | payloads.Invoice, item: payloads.InvoiceItem, books: Books) -> Any:
    return tax.ref(
        tax.Tuple_(
            status=item.sales_tax_status,
            rate=item.sales_tax_rate,
            second_rate=item.second_sales_tax_rate,
            ec_status=source.ec_status,
            place_of_supply=source.place_of_supply,
            involves_tax=source.involves_sales_tax is not False,
        ),
        books,
    )


def _line(
    source: payloads.CreditNote | payloads.Invoice,
    item: payloads.InvoiceItem,
    net: Decimal,
    amount: Decimal,
    ref: Any,
    unit: Decimal,
    sign: int,
    books: Books,
) -> SalesLine:
    """One line; `sign` is 0 where its price counts as tax, so that it is not counted as net too."""
    if item.item_type == "Comment":
        return SalesLine(
            description=item.description or None,
            unit_amount=ZERO,
            quantity=ZERO,
            sub_total=ZERO,
            tax_amount=ZERO,
            total_amount=ZERO,
            is_direct_income=False,
        )
    price, quantity = sign * (item.price or ZERO), item.quantity or ZERO
    percent = source.discount_percent or ZERO
    refs, project = books.tracking(item.project or source.project, source.property)
    tracking = None
    if project is not None or refs:
        tracking = Tracking(
            category_refs=refs,
            customer_ref=customer_ref(source.contact, source.contact_name, books) if project else None,
            project_ref=project,
            is_billed_to=BilledTo.PROJECT if project else BilledTo.NOT_APPLICABLE,
            is_rebilled_to=BilledTo.NOT_APPLICABLE,
        )
    return SalesLine(
        description=item.description or None,
        unit_amount=plain(price),
        quantity=plain(quantity),
        discount_amount=plain(rounded(price * quantity, unit) - net) if percent else None,
        discount_percentage=plain(percent) if percent else None,
        sub_total=net,
        tax_amount=amount,
        total_amount=plain(net + amount),
        account_ref=books.account_ref(item.category),
        tax_rate_ref=ref,
        item_ref=ItemRef(id=f"stock-{last_segment(item.stock_item)}") if item.stock_item else None,
        tracking_category_refs=refs or None,
        tracking=tracking,
        is_direct_income=False,
    )

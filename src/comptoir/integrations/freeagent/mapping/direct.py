"""Spending and income without a document, from the bank or out of somebody's pocket.

Sources: https://dev.freeagent.com/docs/bank_transaction_explanations, https://dev.freeagent.com/docs/expenses
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, magnitude
from comptoir.integrations.freeagent.mapping import accounts, settlement, tax
from comptoir.integrations.freeagent.mapping.explanations import Kind, beside, kind_of, reference
from comptoir.integrations.freeagent.references import instant, last_segment
from comptoir.model.money import ONE, ZERO, minor_unit, plain, rate, rounded
from comptoir.model.purchases import DirectCost, DirectIncome, DirectLine, DirectTracking
from comptoir.model.records import AccountRef, ItemRef, RecordRef
from comptoir.model.sales import AllocatedPayment, Allocation, PaymentAllocation

__all__ = ["direct_cost", "direct_income", "expense"]


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
    total, taxed = plain(total), plain(taxed)
    net = plain(total - taxed)
    quantity = ONE
    if source.stock_item and source.stock_altering_quantity:
        quantity = abs(source.stock_altering_quantity)
    unit_amount = net if quantity == 1 else (rate(net, quantity) or ZERO) * (-1 if net < 0 else 1)
    refs, _ = books.tracking(source.project, source.property)
    line = DirectLine(
        description=source.description or None,
        unit_amount=unit_amount,
        quantity=plain(quantity),
        sub_total=net,
        tax_amount=taxed,
        total_amount=total,
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
    currency_rate = settlement.bank_rate(source, books)
    record = kind(
        id=id_,
        reference=reference(source),
        note=source.description or None,
        issue_date=when,
        currency=currency,
        currency_rate=currency_rate,
        line_items=(line,),
        payment_allocations=(_whole(id_, books.bank_ref(source.bank_account), currency, currency_rate, when, total),),
        sub_total=net,
        tax_amount=taxed,
        total_amount=total,
        source_modified_date=instant(source.updated_at),
    )
    extra = beside(source) | {
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
    total, taxed = plain(total), plain(taxed)
    net = plain(total - taxed)
    when = settlement.required_day(source.dated_on, "dated_on")
    yield from settlement.odd_days(id_, issueDate=source.dated_on)
    project_url = source.project or source.rebill_to_project
    refs, _ = books.tracking(project_url, source.property)
    line = DirectLine(
        description=source.description or None,
        unit_amount=net,
        quantity=ONE,
        sub_total=net,
        tax_amount=taxed,
        total_amount=total,
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
            payment_allocations=(_whole(id_, owed, currency, currency_rate, when, total),),
            sub_total=net,
            tax_amount=taxed,
            total_amount=total,
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

"""Bills and expenses as FreeAgent sends them (https://dev.freeagent.com/docs/bills, /docs/expenses).

Signs as observed: a bill's total_value is positive, its net_value and sales_tax_value negative; an expense's
gross_value is negative when the company owes the claimant; a bill's line without a unit has no quantity either.
Inferred: a company that is not registered for VAT has no sales tax attributes.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from freeagent_standin import files
from freeagent_standin.api.desk import Body, Desk, day_text, instant, locked_reason, long_status, money, sent
from freeagent_standin.world.amounts import decimal_text, times
from freeagent_standin.world.assets import PURCHASE
from freeagent_standin.world.entities import NO_UNIT, Attachment, Bill, BillItem, Expense
from freeagent_standin.world.rates import CIS_LABOUR, exchange_rate


def bill_status(desk: Desk, bill: Bill) -> str:
    """What FreeAgent would show today."""
    if not bill.total:
        return "Zero Value"
    if not desk.world.due(bill):
        return "Paid" if bill.total > 0 else "Refunded"
    return "Overdue" if bill.due_on < desk.today else "Open"


def bill(desk: Desk, record: Bill, *, is_nested: bool, is_single: bool) -> Body:
    """One bill; items only when asked for or read singly."""
    standing = desk.world.standing(record)
    status = bill_status(desk, record)
    due = desk.world.due(record)
    is_foreign = record.currency != desk.world.company.currency
    is_taxed = desk.world.company.vat_registered
    is_cis = bool(record.cis_band)
    project = None if record.project is None else desk.url("projects", record.project)
    body: Body = {
        "url": desk.url("bills", record.id),
        "contact": desk.url("contacts", record.contact),
        "contact_name": desk.world.contacts[record.contact].name,
        "reference": record.reference,
        "dated_on": day_text(record.dated_on),
        "due_on": day_text(record.due_on),
        "paid_on": day_text(standing.last_on) if not due and standing.last_on else None,
        "status": status,
        "long_status": long_status(status, record.due_on, desk.today),
        "currency": record.currency,
        "input_total_values_inc_tax": True,
        "total_value": money(record.total),
        "net_value": money(-record.net),
        "sales_tax_value": money(-record.shown_tax) if is_taxed else None,
        "exchange_rate": decimal_text(record.rate) if is_foreign else None,
        "paid_value": money(record.total if record.hire_purchase else standing.paid),
        "due_value": money(due),
        "native_due_value": money(times(due, exchange_rate(record.currency, desk.today))),
        "is_paid_by_hire_purchase": bool(record.hire_purchase),
        "ec_status": record.ec_status or ("UK/Non-EC" if is_taxed else None),
        "comments": record.comments,
        "project": project,
        "property": desk.property_url(record),
        "rebill_type": record.rebill_type,
        "rebill_to_project": project if record.rebill_type else None,
        "recurring": record.recurring,
        "attachment": attachment(desk, record.attachment),
        "cis_deduction_band": record.cis_band,
        "cis_deduction_rate": decimal_text(record.cis_rate) if is_cis else None,
        "cis_deduction": money(record.cis_deduction) if is_cis else None,
        "cis_deduction_suffered": money(standing.cis_realised) if is_cis else None,
        "is_locked": desk.world.is_locked(record.dated_on),
        "locked_reason": locked_reason(desk) if desk.world.is_locked(record.dated_on) else None,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }
    if is_nested or is_single:
        body["bill_items"] = [bill_item(desk, record, item) for item in record.items]
    return sent(body)


def bill_item(desk: Desk, record: Bill, item: BillItem) -> Body:
    """One line of a bill: its tax carries the opposite sign to its total."""
    has_unit = item.unit != NO_UNIT
    tax = item.gross - item.net + item.notional_tax
    asset = desk.world.owned.bought_by(item.id) if item.category.startswith(PURCHASE) else None
    return sent(
        {
            "url": desk.url("bill_items", item.id),
            "bill": desk.url("bills", record.id),
            "category": desk.category(item.category),
            "description": item.description,
            "total_value": money(item.gross),
            "total_value_ex_tax": money(item.net),
            "manual_sales_tax_amount": None if item.manual_tax is None else money(item.manual_tax),
            "sales_tax_rate": None if item.tax_rate is None else decimal_text(item.tax_rate),
            "sales_tax_status": item.tax_status,
            "sales_tax_value": money(-tax) if item.tax_status else None,
            "unit": item.unit if has_unit else None,
            "quantity": "1.0" if has_unit else None,
            "cis_deduction_rate": decimal_text(record.cis_rate)
            if record.cis_band and item.category in CIS_LABOUR
            else None,
            "capital_asset": None if asset is None else desk.url("capital_assets", asset.id),
            "project": None if item.project is None else desk.url("projects", item.project),
        }
    )


def expense(desk: Desk, record: Expense, *, is_nested: bool, is_single: bool) -> Body:
    """One claim; a drive has the literal category Mileage."""
    is_taxed = bool(record.tax_status)
    is_drive = record.mileage is not None
    project = None if record.project is None else desk.url("projects", record.project)
    body: Body = {
        "url": desk.url("expenses", record.id),
        "user": desk.url("users", record.user),
        "category": "Mileage" if is_drive else desk.category(record.category),
        "dated_on": day_text(record.dated_on),
        "currency": record.currency,
        "gross_value": money(-record.gross),
        "native_gross_value": money(-record.native_gross),
        "sales_tax_rate": None if record.tax_rate is None else decimal_text(record.tax_rate),
        "sales_tax_value": money(-record.tax) if is_taxed else None,
        "native_sales_tax_value": money(-record.native_tax) if is_taxed else None,
        "manual_sales_tax_amount": None if record.manual_tax is None else money(abs(record.manual_tax)),
        "sales_tax_status": record.tax_status,
        "ec_status": record.ec_status or ("UK/Non-EC" if is_taxed else None),
        "description": record.description,
        "receipt_reference": record.receipt_reference,
        "project": project,
        "property": desk.property_url(record),
        "rebill_type": record.rebill_type,
        "rebill_to_project": project if record.rebill_type else None,
        "recurring": record.recurring,
        "next_recurs_on": day_text(record.dated_on + timedelta(days=365)) if record.recurring else None,
        "attachment": attachment(desk, record.attachment),
        "is_locked": True if desk.world.is_locked(record.dated_on) else None,  # recorded without it when it is not
        "locked_reason": locked_reason(desk) if desk.world.is_locked(record.dated_on) else None,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }
    if record.mileage is not None:
        body |= {
            "mileage": decimal_text(record.mileage),
            "vehicle_type": "Car",
            "engine_type": "Petrol",
            "engine_size": "1401-2000cc",
            "reclaim_mileage": record.reclaim_mileage,
            "initial_rate_mileage": decimal_text(record.mileage_rate),
            "reclaim_mileage_rate": decimal_text(record.mileage_rate),
            "rebill_mileage_rate": decimal_text(Decimal("0.5")) if record.rebill_type else None,
            "have_vat_receipt": False,
        }
    return sent(body)


def attachment(desk: Desk, record: Attachment | None) -> Body | None:
    """A file's description with signed links that expire a minute from now (https://dev.freeagent.com/docs/attachments).

    Documents have pictures of themselves too, as recorded.
    """
    if record is None:
        return None

    def signed(size: str) -> str:
        return files.link(desk.world, desk.call.base_url, record.id, size, now)[0]

    now = int(desk.call.now.timestamp())
    source, expires = files.link(desk.world, desk.call.base_url, record.id, "original", now)
    body: Body = {
        "url": desk.url("attachments", record.id),
        "content_src": source,
        "content_src_medium": signed("medium"),
        "content_src_small": signed("small"),
        "content_type": record.content_type,
        "expires_at": instant(expires),
        "file_name": record.file_name,
        "file_size": record.file_size,
        "description": record.description,
    }
    return sent(body)

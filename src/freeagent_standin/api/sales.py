"""Invoices, credit notes and their reconciliations as FreeAgent sends them.

https://dev.freeagent.com/docs/invoices, /docs/credit_notes, /docs/credit_note_reconciliations. Inferred: an overpaid
invoice has a negative due_value; paid_value counts reconciliations too; refunded_value is positive; cis_deduction_rate
of sales documents is a percentage.
"""

from __future__ import annotations

from freeagent_standin.api.desk import Body, Desk, day_text, instant, long_status, money, sent
from freeagent_standin.world.amounts import decimal_text
from freeagent_standin.world.entities import CreditNote, Invoice, Item, Reconciliation, SalesDocument
from freeagent_standin.world.holdings import Estimate


def invoice_status(desk: Desk, invoice: Invoice) -> str:
    """What FreeAgent would show today; Overdue comes from the calendar alone."""
    if invoice.status != "sent":
        return "Draft" if invoice.status == "draft" else "Scheduled To Email"
    if invoice.written_off_on is not None:
        standing = desk.world.standing(invoice)
        return "Part written-off" if standing.paid or standing.reconciled else "Written-off"
    if not invoice.total:
        return "Zero Value"
    due = desk.world.due(invoice)
    if not due:
        return "Paid" if invoice.total > 0 else "Refunded"
    if (due < 0) != (invoice.total < 0):
        return "Overpaid"
    return "Overdue" if invoice.due_on < desk.today else "Open"


def credit_note_status(desk: Desk, credit_note: CreditNote) -> str:
    """Draft, Open, Overdue, or Refunded once nothing is left, whether by refund or reconciliation."""
    if credit_note.status != "sent":
        return "Draft"
    if not desk.world.due(credit_note):
        return "Refunded"
    return "Overdue" if credit_note.due_on < desk.today else "Open"


def invoice(desk: Desk, record: Invoice, *, is_nested: bool, is_single: bool) -> Body:
    """One invoice; items only when asked for or read singly."""
    standing = desk.world.standing(record)
    status = invoice_status(desk, record)
    body = header(desk, record, status) | {
        "url": desk.url("invoices", record.id),
        "always_show_bic_and_iban": False,
        "due_value": money(desk.world.due(record)),
        "paid_on": day_text(standing.last_on) if status in ("Paid", "Refunded") and standing.last_on else None,
        "paid_value": money(standing.paid + standing.reconciled),
        "payment_methods": {},
        "send_new_invoice_emails": False,
        "send_reminder_emails": False,
        "send_thank_you_emails": False,
        "show_project_name": False,
    }
    if is_nested or is_single:
        body["invoice_items"] = items_of(desk, record)
    return sent(body)


def credit_note(desk: Desk, record: CreditNote, *, is_nested: bool, is_single: bool) -> Body:
    """One credit note; its values are negative."""
    standing = desk.world.standing(record)
    status = credit_note_status(desk, record)
    body = header(desk, record, status) | {
        "url": desk.url("credit_notes", record.id),
        "due_value": money(desk.world.due(record)),
        "refunded_value": money(-standing.paid),
        "refunded_on": day_text(standing.last_on)
        if status == "Refunded" and standing.paid and standing.last_on
        else None,
    }
    if is_nested or is_single:
        body["credit_note_items"] = items_of(desk, record)
    return sent(body)


def reconciliation(desk: Desk, record: Reconciliation, *, is_nested: bool, is_single: bool) -> Body:
    """One reconciliation; its value is positive."""
    return {
        "url": desk.url("credit_note_reconciliations", record.id),
        "gross_value": money(record.gross),
        "dated_on": day_text(record.dated_on),
        "exchange_rate": decimal_text(record.rate),
        "currency": record.currency,
        "invoice": desk.url("invoices", record.invoice),
        "credit_note": desk.url("credit_notes", record.credit_note),
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def header(desk: Desk, record: SalesDocument, status: str) -> Body:
    """What invoices, credit notes and repeating invoices have in common."""
    is_taxed = desk.world.company.vat_registered
    discount = discount_value(record)
    is_cis = bool(record.cis_band)
    return {
        "status": status,
        "long_status": long_status(status, record.due_on, desk.today),
        "contact": desk.url("contacts", record.contact),
        "contact_name": desk.world.contacts[record.contact].name,
        "project": None if record.project is None else desk.url("projects", record.project),
        "property": desk.property_url(record),
        "reference": record.reference,
        "dated_on": day_text(record.dated_on),
        "due_on": day_text(record.due_on),
        "payment_terms_in_days": (record.due_on - record.dated_on).days,
        "currency": record.currency,
        "exchange_rate": decimal_text(record.rate),
        "comments": record.comments,
        "po_reference": record.po_reference,
        "bank_account": None if record.bank_account is None else desk.url("bank_accounts", record.bank_account),
        "omit_header": False,
        "ec_status": record.ec_status or ("UK/Non-EC" if is_taxed else None),
        "place_of_supply": record.place_of_supply,
        "discount_percent": None if record.discount is None else decimal_text(record.discount),
        "discount_value": None if discount is None else money(discount),
        "net_value": money(record.net),
        "involves_sales_tax": is_taxed,
        "sales_tax_value": money(record.tax) if is_taxed else None,
        "total_value": money(record.total),
        "is_interim_uk_vat": False,
        "written_off_date": None if record.written_off_on is None else day_text(record.written_off_on),
        "cis_rate": record.cis_band,
        "cis_deduction_rate": decimal_text(record.cis_rate * 100) if is_cis else None,
        "cis_deduction": money(record.cis_deduction) if is_cis else None,
        "cis_deduction_suffered": money(desk.world.standing(record).cis_realised) if is_cis else None,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def discount_value(record: SalesDocument | Estimate) -> int | None:
    """What the discount comes to; None where there is none."""
    if record.discount is None:
        return None
    gross = sum(item.price * item.quantity * 100 for item in record.items)
    return round(gross) - record.net


def items_of(desk: Desk, record: SalesDocument) -> list[Body]:
    """The lines of a document."""
    return [_item(desk, item, position) for position, item in enumerate(record.items, start=1)]


def _item(desk: Desk, item: Item, position: int) -> Body:
    body: Body = {
        "url": desk.url("invoice_items", item.id),
        "position": position,
        "quantity": decimal_text(item.quantity),
        **({"description": item.description} if item.description else {}),
        "price": decimal_text(item.price),
        "suffers_cis_deduction": item.suffers_cis,
    }
    if item.item_type:
        body["item_type"] = item.item_type
    if not item.is_comment:
        body["category"] = desk.category(item.category)
    if item.tax_status:
        body["sales_tax_status"] = item.tax_status
        if item.tax_rate is not None:
            body["sales_tax_rate"] = decimal_text(item.tax_rate)
    if item.project is not None:
        body["project"] = desk.url("projects", item.project)
    return body

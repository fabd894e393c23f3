"""Bank accounts, lines and explanations as FreeAgent sends them.

https://dev.freeagent.com/docs/bank_accounts, /docs/bank_transactions, /docs/bank_transaction_explanations. A statement
line's text carries its type between slashes, and full_description the amount as well, as recorded responses show.
Inferred: foreign_currency_value has the sign of gross_value; a transfer has no category.
"""

from __future__ import annotations

from freeagent_standin.api.desk import Body, Desk, day_text, instant, locked_reason, money, sent
from freeagent_standin.api.purchases import attachment
from freeagent_standin.world.amounts import decimal_text
from freeagent_standin.world.entities import BankAccount, BankTransaction, Explanation

_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


def bank_account(desk: Desk, record: BankAccount, *, is_nested: bool, is_single: bool) -> Body:
    """One account; its balance and counters are those of this moment."""
    world = desk.world
    tally = world.tally(record)
    last = world.transactions.order(record.id).last_key()
    latest = world.company.freeagent_start if last is None else type(desk.today).fromordinal(last)
    return sent(
        {
            "url": desk.url("bank_accounts", record.id),
            "type": record.type,
            "name": record.name,
            "currency": record.currency,
            "is_personal": record.is_personal,
            "is_primary": record.is_primary,
            "status": record.status,
            "bank_name": record.bank_name,
            "bank_code": record.bank_code,
            "opening_balance": money(record.opening_balance),
            "current_balance": money(world.balance(record)),
            "latest_activity_date": day_text(latest),
            "account_number": record.account_number,
            "sort_code": record.sort_code,
            "iban": record.iban,
            "bic": record.bic,
            "email": record.email,
            "total_count": tally.total,
            "unexplained_transaction_count": tally.unexplained,
            "manually_added_transaction_count": tally.manual,
            "marked_for_review_count": tally.for_review,
            "created_at": instant(record.created_at),
            "updated_at": instant(record.updated_at),
        }
    )


def bank_transaction(desk: Desk, record: BankTransaction, *, is_nested: bool, is_single: bool) -> Body:
    """One line with its explanations inside."""
    explanations = desk.world.explanations
    body: Body = {
        "url": desk.url("bank_transactions", record.id),
        "amount": money(record.amount),
        "bank_account": desk.url("bank_accounts", record.account),
        "dated_on": day_text(record.dated_on),
        "description": _text(record),
        "full_description": _full_text(desk, record),
        "unexplained_amount": money(desk.world.unexplained(record)),
        "is_manual": record.is_manual,
        "matching_transactions_count": 0,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
        "bank_transaction_explanations": [
            explanation(desk, explanations[each], is_nested=True, is_single=False) for each in record.explanations
        ],
    }
    if not record.is_manual:
        body["uploaded_at"] = instant(record.created_at)
        body["transaction_id"] = record.bank_reference or f"FT{record.id:010d}"
    return body


def explanation(desk: Desk, record: Explanation, *, is_nested: bool, is_single: bool) -> Body:
    """One explanation, the same inside a line and in its own list."""
    world = desk.world
    gross = record.gross
    transaction = world.transactions[record.transaction]
    body: Body = {
        "url": desk.url("bank_transaction_explanations", record.id),
        "bank_account": desk.url("bank_accounts", record.account),
        "bank_transaction": desk.url("bank_transactions", record.transaction),
        "type": record.type,
        "dated_on": day_text(record.dated_on),
        **({"description": record.description} if record.description else {}),
        "gross_value": money(gross),
        "transfer_value": money(-gross),
        "foreign_currency_value": money(record.settles) if record.foreign_currency else "0.0",
        "transaction_description": _full_text(desk, transaction),
        "is_money_in": gross > 0,
        "is_money_out": gross < 0,
        "is_money_paid_to_user": record.user is not None and gross < 0,
        "marked_for_review": record.for_review,
        "is_locked": world.is_locked(record.dated_on),
        "is_deletable": not world.is_locked(record.dated_on),
        "has_pending_operation": False,
        "updated_at": instant(record.updated_at),
    }
    if body["is_locked"]:
        body["locked_reason"] = locked_reason(desk)
    if record.category:
        body["category"] = desk.category(record.category)
        body["detail"] = _detail(desk, record)
    if record.tax_status:
        body["sales_tax_status"] = record.tax_status
        body["sales_tax_value"] = money(record.tax)
        if record.tax_rate is not None:
            body["sales_tax_rate"] = decimal_text(record.tax_rate)
    if record.ec_status:
        body["ec_status"] = record.ec_status
    if record.invoice is not None:
        body["paid_invoice"] = desk.url("invoices", record.invoice)
    elif record.credit_note is not None:
        body["paid_invoice"] = desk.url("credit_notes", record.credit_note)
    elif record.bill is not None:
        body["paid_bill"] = desk.url("bills", record.bill)
    elif record.user is not None:
        body["paid_user"] = desk.url("users", record.user)
    elif record.linked_account is not None:
        body["linked_transfer_account"] = desk.url("bank_accounts", record.linked_account)
        body["linked_transfer_explanation"] = desk.url("bank_transaction_explanations", record.linked_explanation)
    if record.foreign_currency:
        body["foreign_currency"] = record.foreign_currency
    if record.project is not None:
        body["project"] = desk.url("projects", record.project)
    if desk.property_url(record) is not None:
        body["property"] = desk.property_url(record)
    if record.rebill_type:
        body["rebill_type"] = record.rebill_type
    if record.receipt_reference:
        body["receipt_reference"] = record.receipt_reference
    if record.cheque_number:
        body["cheque_number"] = record.cheque_number
    if record.attachment is not None:
        body["attachment"] = attachment(desk, record.attachment)
    return body


def _text(record: BankTransaction) -> str:
    return record.description if record.is_manual else f"{record.description}//{record.line_type}/"


def _full_text(desk: Desk, record: BankTransaction) -> str:
    if record.is_manual:
        return record.description
    symbol = _SYMBOLS.get(desk.world.bank_accounts[record.account].currency, "")
    return f"{record.description}//{record.line_type}/{symbol}{_printed(record.amount)}"


def _printed(amount: int) -> str:
    """An amount as a statement prints it: 100000 is "1,000.00"; no sign."""
    whole, part = divmod(abs(amount), 100)
    return f"{whole:,}.{part:02d}"


def _detail(desk: Desk, record: Explanation) -> str:
    name = desk.world.category_names.get(record.category, "")
    if not record.tax:
        return name
    return f"{name}. Inc £{_printed(record.tax)} VAT "

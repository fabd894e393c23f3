"""Bank accounts and their lines.

Sources: https://dev.freeagent.com/docs/bank_accounts, https://dev.freeagent.com/docs/bank_transactions
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping.settlement import required_day
from comptoir.integrations.freeagent.references import bank_account_id, instant, last_segment
from comptoir.model.banking import BankAccount, BankAccountType, BankTransaction, BankTransactionType
from comptoir.model.money import ZERO, plain
from comptoir.model.parties import PartyStatus

__all__ = ["bank_account", "bank_transaction"]

_TYPES = {
    "StandardBankAccount": BankAccountType.DEBIT,
    "PaypalAccount": BankAccountType.DEBIT,
    "CreditCardAccount": BankAccountType.CREDIT,
}
_TOKENS = {
    "CREDIT": BankTransactionType.CREDIT,
    "DEBIT": BankTransactionType.DEBIT,
    "INT": BankTransactionType.INT,
    "DIV": BankTransactionType.DIV,
    "FEE": BankTransactionType.FEE,
    "SRVCHG": BankTransactionType.SER_CHG,
    "DEP": BankTransactionType.DEP,
    "ATM": BankTransactionType.ATM,
    "POS": BankTransactionType.POS,
    "XFER": BankTransactionType.XFER,
    "CHECK": BankTransactionType.CHECK,
    "PAYMENT": BankTransactionType.PAYMENT,
    "CASH": BankTransactionType.CASH,
    "DIRECTDEP": BankTransactionType.DIRECT_DEP,
    "DIRECTDEBIT": BankTransactionType.DIRECT_DEBIT,
    "REPEATPMT": BankTransactionType.REPEAT_PMT,
    "OTHER": BankTransactionType.OTHER,
}
_TOKEN = re.compile(r"/([A-Z]+)/[^/]*$")
_TAIL = re.compile(r"/*/(?:" + "|".join(_TOKENS) + r")/$")


def bank_account(source: payloads.BankAccount, books: Books) -> Iterator[Mapped | Note]:
    id_ = bank_account_id(source.url)
    type_ = _TYPES.get(source.type or "", BankAccountType.UNKNOWN)
    if type_ is BankAccountType.UNKNOWN:
        yield Note(record_id=id_, field="accountType", message=f"The type {source.type!r} is not documented.")
    balance = source.current_balance
    if balance is not None and type_ is BankAccountType.CREDIT:
        balance = -balance
    shown = None if balance is None else plain(balance)
    code = source.bank_code if source.bank_code != "generic" else None
    yield Mapped(
        BankAccount(
            id=id_,
            account_name=source.name,
            account_type=type_,
            nominal_code=books.bank_code(id_),
            sort_code=source.sort_code or None,
            account_number=source.account_number or None,
            i_ban=source.iban or None,
            currency=source.currency or books.base_currency,
            balance=shown,
            institution=source.bank_name or code or None,
            available_balance=shown,
            status=PartyStatus.ARCHIVED if source.status == "hidden" else PartyStatus.ACTIVE,
            source_modified_date=instant(source.updated_at),
        ),
        {
            "sourceUrl": source.url,
            "isPersonal": source.is_personal,
            "isPrimary": source.is_primary,
            "openingBalance": source.opening_balance,
            "latestActivityDate": source.latest_activity_date,
            "bankGuessEnabled": source.bank_guess_enabled,
            "secondarySortCode": source.secondary_sort_code,
            "bic": source.bic,
            "email": source.email,
        },
    )


def bank_transaction(source: payloads.BankTransaction, books: Books) -> Iterator[Mapped | Note]:
    """A statement line. Lines come in the order of the account, so that the balance after each can be told."""
    account = bank_account_id(source.bank_account)
    token = _TOKEN.search(source.full_description or "")
    type_ = BankTransactionType.UNKNOWN
    if token is not None and not source.is_manual:
        type_ = _TOKENS.get(token[1], BankTransactionType.UNKNOWN)
    needs_review = any(one.marked_for_review for one in source.bank_transaction_explanations or ())
    yield Mapped(
        BankTransaction(
            id=last_segment(source.url),
            account_id=account,
            cleared_on_date=required_day(source.dated_on, "dated_on"),
            description=_TAIL.sub("", source.description or "") or None,
            reconciled=source.unexplained_amount is not None and not source.unexplained_amount and not needs_review,
            amount=plain(source.amount),
            balance=_balance_after(account, source.amount, books),
            transaction_type=type_,
            source_modified_date=instant(source.updated_at),
        ),
        {"sourceUrl": source.url, "fullDescription": source.full_description, "isManual": source.is_manual},
    )


def _balance_after(account: str, amount: Decimal, books: Books) -> Decimal | None:
    """Opening balance and all lines up to this one; None unless the whole history was read."""
    if not books.is_complete("bank_transactions"):
        return None
    balances: dict[str, Decimal] = books.carried.setdefault("balances", {})
    if account not in balances:
        found = books.bank_accounts.get(account)
        balances[account] = (found.opening_balance if found else None) or ZERO
    balances[account] += amount
    return plain(balances[account])

"""Bank accounts and their lines.

Sources: https://dev.freeagent.com/docs/bank_accounts, https://dev.freeagent.com/docs/bank_transactions
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from comptoir.integrations.contract import Mapped, Note, RawRow
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping.settlement import odd_days
from comptoir.integrations.freeagent.reading import Flawed, payload_of, reader, sound
from comptoir.integrations.freeagent.references import bank_account_id, instant, last_segment, local_date, number_in
from comptoir.model.banking import BankAccount, BankAccountType, BankTransaction, BankTransactionType
from comptoir.model.money import plain
from comptoir.model.parties import PartyStatus

__all__ = ["bank_account", "bank_transaction", "decode_line", "resume", "state_of", "without_token"]

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
_STATES = {
    None: PartyStatus.ACTIVE,
    "": PartyStatus.ACTIVE,
    "active": PartyStatus.ACTIVE,
    "hidden": PartyStatus.ARCHIVED,
}


def state_of(status: str | None) -> PartyStatus:
    """Whether a bank account is in use; one that does not say is."""
    return _STATES.get(status, PartyStatus.UNKNOWN)


def bank_account(source: payloads.BankAccount, books: Books) -> Iterator[Mapped | Note]:
    id_ = bank_account_id(source.url)
    type_ = _TYPES.get(source.type or "", BankAccountType.UNKNOWN)
    if type_ is BankAccountType.UNKNOWN:
        yield Note(record_id=id_, field="accountType", message=f"The type {source.type!r} is not documented.")
    if state_of(source.status) is PartyStatus.UNKNOWN:
        yield Note(record_id=id_, field="status", message=f"The status {source.status!r} is not documented.")
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
            status=state_of(source.status),
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


class Gap(msgspec.Struct, frozen=True):
    """A statement line that cannot be read: no balance after it can be told either."""

    account: str | None
    reason: str


class _OfAccount(msgspec.Struct):
    bank_account: str | None = None


_line = reader(payloads.BankTransaction)
_of_account = payload_of(_OfAccount)


def decode_line(row: RawRow) -> payloads.BankTransaction | Flawed | Gap:
    try:
        read: payloads.BankTransaction | Flawed = _line(row)
        plain(sound(read).amount)
    except (msgspec.MsgspecError, ValueError) as error:
        url = _of_account(row.body).bank_account
        return Gap(bank_account_id(url) if number_in(url) and url else None, str(error))
    return read


def bank_transaction(source: payloads.BankTransaction | Gap, books: Books) -> Iterator[Mapped | Note]:
    """A statement line. Lines come in the order of the account, so that the balance after each can be told.

    ValueError for one that could not be read.
    """
    if isinstance(source, Gap):
        _balances(books)[source.account] = None
        raise ValueError(source.reason)
    account = bank_account_id(source.bank_account)
    id_ = last_segment(source.url)
    parts = (source.full_description or "").rsplit("/", 2)  # the token stands between the last two slashes
    type_ = BankTransactionType.UNKNOWN
    if len(parts) == 3 and not source.is_manual:
        type_ = _TOKENS.get(parts[1], BankTransactionType.UNKNOWN)
    yield from odd_days(id_, clearedOnDate=source.dated_on)
    needs_review = any(one.marked_for_review for one in source.bank_transaction_explanations or ())
    yield Mapped(
        BankTransaction(
            id=id_,
            account_id=account,
            cleared_on_date=local_date(source.dated_on),
            description=without_token(source.description or "") or None,
            reconciled=source.unexplained_amount is not None and not source.unexplained_amount and not needs_review,
            amount=plain(source.amount),
            balance=_balance_after(account, source.amount, books),
            transaction_type=type_,
            source_modified_date=instant(source.updated_at),
        ),
        {"sourceUrl": source.url, "fullDescription": source.full_description, "isManual": source.is_manual},
    )


def without_token(description: str) -> str:
    """Without a token of the statement at its end, and the slashes around it."""
    head, slash, token = description.removesuffix("/").rpartition("/")
    return head.rstrip("/") if slash and description.endswith("/") and token in _TOKENS else description


def _balance_after(account: str, amount: Decimal, books: Books) -> Decimal | None:
    """Opening balance and all lines up to this one; None unless the whole history was read."""
    if not books.is_complete("bank_transactions"):
        return None
    balances = _balances(books)
    if account not in balances:
        found = books.bank_accounts.get(account)
        balances[account] = found.opening_balance if found else None
    before = balances[account]
    if before is None or None in balances:  # None: a line of nobody knows which account
        return None
    balances[account] = before + amount
    return plain(before + amount)


def _balances(books: Books) -> dict[str | None, Decimal | None]:
    """By account, as far as its lines were mapped; None where it is not known any more."""
    return _carried_balances(books.carried)


def _carried_balances(carried: dict[str, Any]) -> dict[str | None, Decimal | None]:
    found: dict[str | None, Decimal | None] = carried.setdefault("balances", {})
    return found


class _Last(msgspec.Struct):
    account_id: str = msgspec.field(name="accountId")
    balance: Decimal | None = None


_last = msgspec.json.Decoder(_Last).decode


def resume(document: bytes, carried: dict[str, Any]) -> None:
    """Go on after a line that was mapped before."""
    last = _last(document)
    _carried_balances(carried)[last.account_id] = last.balance

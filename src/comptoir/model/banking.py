"""Bank accounts, their lines, and movements between them."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from comptoir.model.parties import PartyStatus
from comptoir.model.records import AccountRef, LocalDate, Record, RecordRef, Value

__all__ = [
    "AccountTransaction",
    "AccountTransactionLine",
    "BankAccount",
    "BankAccountType",
    "BankTransaction",
    "BankTransactionType",
    "Transfer",
    "TransferAccount",
    "TransferStatus",
]


class BankAccountType(StrEnum):
    UNKNOWN = "Unknown"
    CREDIT = "Credit"
    DEBIT = "Debit"


class BankTransactionType(StrEnum):
    UNKNOWN = "Unknown"
    CREDIT = "Credit"
    DEBIT = "Debit"
    INT = "Int"
    DIV = "Div"
    FEE = "Fee"
    SER_CHG = "SerChg"
    DEP = "Dep"
    ATM = "Atm"
    POS = "Pos"
    XFER = "Xfer"
    CHECK = "Check"
    PAYMENT = "Payment"
    CASH = "Cash"
    DIRECT_DEP = "DirectDep"
    DIRECT_DEBIT = "DirectDebit"
    REPEAT_PMT = "RepeatPmt"
    OTHER = "Other"


class TransferStatus(StrEnum):
    """Of account transactions too."""

    UNKNOWN = "Unknown"
    UNRECONCILED = "Unreconciled"
    RECONCILED = "Reconciled"
    VOID = "Void"


class BankAccount(Record, frozen=True, kw_only=True):
    """Balance in the account's currency; for a credit account positive is what is owed."""

    account_name: str | None = None
    account_type: BankAccountType
    nominal_code: str | None = None
    sort_code: str | None = None
    account_number: str | None = None
    i_ban: str | None = None
    currency: str | None = None
    balance: Decimal | None = None
    institution: str | None = None
    available_balance: Decimal | None = None
    overdraft_limit: Decimal | None = None
    status: PartyStatus | None = None


class BankTransaction(Record, frozen=True, kw_only=True):
    """A statement line: in positive, out negative, in the account's currency; `balance` is after this line."""

    account_id: str
    cleared_on_date: LocalDate | None = None
    description: str | None = None
    counterparty: str | None = None
    reference: str | None = None
    reconciled: bool
    amount: Decimal
    balance: Decimal | None = None
    transaction_type: BankTransactionType


class AccountTransactionLine(Value, frozen=True, kw_only=True):
    """What part of a movement became: the record it names has the other side."""

    description: str | None = None
    record_ref: RecordRef | None = None
    amount: Decimal | None = None


class AccountTransaction(Record, frozen=True, kw_only=True):
    """A movement on a bank account and what it was for: in positive, out negative, in the account's currency.

    What is not explained yet is in no line.
    """

    transaction_id: str | None = None
    note: str | None = None
    bank_account_ref: AccountRef
    date: LocalDate | None = None
    status: TransferStatus
    currency: str | None = None
    currency_rate: Decimal | None = None
    lines: tuple[AccountTransactionLine, ...]
    total_amount: Decimal


class TransferAccount(Value, frozen=True, kw_only=True):
    account_ref: RecordRef
    currency: str | None = None
    amount: Decimal | None = None


class Transfer(Record, frozen=True, kw_only=True):
    """Money from one bank account to another; both amounts positive."""

    description: str | None = None
    date: LocalDate | None = None
    from_: TransferAccount
    to: TransferAccount
    status: TransferStatus

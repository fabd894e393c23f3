"""The chart of accounts, what lines are tracked by, and the general ledger itself."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from comptoir.model.parties import PartyStatus
from comptoir.model.records import (
    AccountRef,
    ContactRef,
    Instant,
    LocalDate,
    Record,
    RecordRef,
    ValidDatatypeLinks,
    Value,
)

__all__ = [
    "Account",
    "AccountStatus",
    "AccountType",
    "Journal",
    "JournalEntry",
    "JournalLine",
    "JournalRef",
    "JournalStatus",
    "JournalTracking",
    "TrackingCategory",
]


class AccountType(StrEnum):
    UNKNOWN = "Unknown"
    ASSET = "Asset"
    EXPENSE = "Expense"
    INCOME = "Income"
    LIABILITY = "Liability"
    EQUITY = "Equity"


class AccountStatus(StrEnum):
    UNKNOWN = "Unknown"
    ACTIVE = "Active"
    ARCHIVED = "Archived"
    PENDING = "Pending"


class Account(Record, frozen=True, kw_only=True):
    """Balance positive on the account's usual side; None where it may not be read."""

    nominal_code: str | None = None
    name: str | None = None
    description: str | None = None
    fully_qualified_category: str | None = None
    fully_qualified_name: str | None = None
    currency: str | None = None
    current_balance: Decimal | None = None
    type: AccountType
    status: AccountStatus
    is_bank_account: bool
    valid_datatype_links: tuple[ValidDatatypeLinks, ...] | None = None


class TrackingCategory(Record, frozen=True, kw_only=True):
    name: str | None = None
    parent_id: str | None = None
    has_children: bool
    status: PartyStatus


class JournalStatus(StrEnum):
    UNKNOWN = "Unknown"
    ACTIVE = "Active"
    ARCHIVED = "Archived"


class Journal(Record, frozen=True, kw_only=True):
    """A book that journal entries stand in."""

    journal_code: str | None = None
    name: str | None = None
    type: str | None = None
    parent_id: str | None = None
    has_children: bool
    created_on: Instant | None = None
    status: JournalStatus


class JournalRef(Value, frozen=True, kw_only=True):
    id: str
    name: str | None = None


class JournalTracking(Value, frozen=True, kw_only=True):
    record_refs: tuple[RecordRef, ...]


class JournalLine(Value, frozen=True, kw_only=True):
    """Net amount in the company's currency: debit positive, credit negative. A line in a foreign currency says its
    amount there too, with the same sign."""

    description: str | None = None
    net_amount: Decimal
    currency: str | None = None
    transaction_amount: Decimal | None = None
    transaction_currency: str | None = None
    account_ref: AccountRef | None = None
    contact_ref: ContactRef | None = None
    tracking: JournalTracking | None = None


class JournalEntry(Record, frozen=True, kw_only=True):
    """What one source posted on one day: the lines add up to nothing."""

    description: str | None = None
    posted_on: LocalDate | None = None
    created_on: Instant | None = None
    updated_on: Instant | None = None
    journal_ref: JournalRef
    journal_lines: tuple[JournalLine, ...]
    record_ref: RecordRef | None = None

"""The chart of accounts, and what lines are tracked by."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from comptoir.model.parties import PartyStatus
from comptoir.model.records import Record, ValidDatatypeLinks

__all__ = ["Account", "AccountStatus", "AccountType", "TrackingCategory"]


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

"""What the source's own reports say, which are no records: statements are held against them.

All of it is of the months that are kept, a few dozen of each. What is None was not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

__all__ = ["Cash", "Profit", "Reported", "Sheet", "Standing"]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A balance sheet in whole units: by account as we name it, debit positive; `retained` is what stands as retained
    profit, in as many rounded `parts`; None where it is not told."""

    on: date
    accounts: Mapping[str, Decimal]
    retained_account: str
    retained: Decimal | None
    parts: int = 1
    net_assets: Decimal
    equity: Decimal


class Profit(msgspec.Struct, frozen=True, kw_only=True):
    """A profit and loss in whole units, from the beginning of an accounting year up to a day. `profit` is before what
    was paid out of it. `first_month` is the first month that lies in that year from its own beginning, or that of the
    books: None where the year began inside a month."""

    since: date
    on: date
    first_month: str | None
    income: Decimal
    costs: Decimal
    operating: Decimal
    profit: Decimal


class Cash(msgspec.Struct, frozen=True):
    """Receipts less payments from one day to another, both included, in the company's currency."""

    since: date
    until: date
    balance: Decimal


class Standing(msgspec.Struct, frozen=True):
    """Where accounts stand in the trial balance of a day, debit positive: those of banks, and those of sales tax."""

    on: date
    bank: Decimal
    tax: Decimal


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """`tax_periods` are those that sales tax is told to the authorities for, first and last days."""

    sheets: tuple[Sheet, ...] | None = None
    profits: tuple[Profit, ...] | None = None
    cash: Cash | None = None
    standings: tuple[Standing, ...] | None = None
    tax_periods: tuple[tuple[date, date], ...] | None = None

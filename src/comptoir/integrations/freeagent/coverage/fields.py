"""How the tables of this folder are written down."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from comptoir.integrations.contract import Covered

__all__ = ["AT", "BOOKED", "EXPLANATIONS", "account", "flat", "none", "read", "within"]

EXPLANATIONS = "bank_transaction_explanations"
BOOKED = ("ledger_transactions.debit_value", "ledger_transactions.foreign_currency_data.debit_value")
AT = "1 in the company's currency; of another bank account as the ledger booked it, where that was read."

Fields = Covered | Iterable[Covered]


def read(path: str, *sources: str, how: str | None = None) -> Covered:
    """A member that is served: copied from the first source that has it, unless `how` says what is made of them."""
    return Covered(path=path, sources=sources, how=how)


def none(why: str, *paths: str) -> tuple[Covered, ...]:
    """Members that cannot be supplied."""
    return tuple(Covered(path=path, why=why) for path in paths)


def within(prefix: str, *fields: Fields) -> tuple[Covered, ...]:
    """The members of a part of a record."""
    return tuple(msgspec.structs.replace(one, path=f"{prefix}.{one.path}") for one in flat(*fields))


def flat(*fields: Fields) -> tuple[Covered, ...]:
    return tuple(one for some in fields for one in ((some,) if isinstance(some, Covered) else some))


def account(path: str, *sources: str) -> tuple[Covered, ...]:
    """A reference to an account, by what names it."""
    return within(
        path,
        read("id", *sources, how="The nominal code, or the number of a bank account."),
        read("name", "categories.description", "bank_accounts.name", how="As the chart of accounts has it."),
    )

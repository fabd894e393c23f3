"""Identity G9: the aged reports, as they are served, add up to what is open on documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from comptoir.model.aging import Periods, aged_creditors, aged_debtors
from comptoir.model.identities.control import Open
from comptoir.model.identities.findings import Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, peek
from comptoir.model.money import ZERO

__all__ = ["check_aged"]

_PERIODS, _DAYS = 4, 30  # those of a report that is asked for without saying
_REPORTS: tuple[tuple[str, str, tuple[str, str], Callable[..., Iterable[Any]]], ...] = (
    ("agedDebtors", "customers", ("invoices", "creditNotes"), aged_debtors),
    ("agedCreditors", "suppliers", ("bills", "billCreditNotes"), aged_creditors),
)


def check_aged(stored: Stored, open_: Open, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    on = facts.ledger.until if facts.ledger is not None else date.max
    for name, parties, made_from, ages in _REPORTS:
        if missing := [one for one in made_from if one not in targets.read]:
            findings.skipped("G9", f"{missing[0]} was not read in this sync.")
            continue
        debts, credits_ = (peek(stored, data_type) for data_type in made_from)
        reported: dict[str | None, Decimal] = defaultdict(Decimal)
        for row in ages(debts, credits_, Periods(on=on, count=_PERIODS, days=_DAYS)):
            for held in row.aged_currency_outstanding:
                reported[held.currency] += sum((one.amount for one in held.aged_outstanding_amounts), ZERO)
        owed = open_.owed[parties]
        for currency in sorted(reported.keys() | owed.keys(), key=str):
            expected, found = owed.get(currency, ZERO), reported.get(currency, ZERO)
            findings.looked("G9")
            if expected != found:
                detail = f"{name} come to {found} {currency}, what is open on documents to {expected}"
                findings.breach("G9", Fault("", "", detail, expected, found))

"""Identities D of account transactions: bank lines with what each part of them became."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from comptoir.model.identities.beside import Beside
from comptoir.model.identities.control import lacks
from comptoir.model.identities.findings import Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, each, peek, refer
from comptoir.model.money import ZERO

__all__ = ["check_transactions"]

_OURS, _LINES, _BANKS = "accountTransactions", "bankTransactions", "bankAccounts"
_MOVED = ("payments", "billPayments", "directCosts", "directIncomes", "transfers")


def check_transactions(
    stored: Stored,
    moved: Mapping[tuple[str, str], Decimal | None],
    facts: SourceFacts,
    findings: Findings,
    targets: Targets,
) -> None:
    """D1 and D2; of an account without a single bank line nothing is said.

    `moved`: what records moved on each bank account, by account and data type, in positive; None if one of them does
    not say. D2 is held by account and data type: with the amounts of single records A8 has to do.
    """
    if _OURS not in targets.read:
        for code in ("D1", "D2"):
            findings.skipped(code, f"{_OURS} was not read in this sync.")
        return
    lacking = targets.lacking(_OURS, *_MOVED)
    unexplained = None if facts.open_lines is None else {id_: amount for id_, _, amount in facts.open_lines()}
    if unexplained is None:
        findings.skipped("D1", "What the bank's lines are for was not read from the source.")
    amounts = ((line.id, line.amount) for line in (peek(stored, _LINES) if _LINES in targets.read else ()))
    beside = Beside(amounts, lambda *_: None)
    accounts: set[str] = set()
    parts: dict[tuple[str, str], Decimal | None] = defaultdict(Decimal)
    for one in each(stored, _OURS, findings):
        account = one.bank_account_ref.id or ""
        accounts.add(account)
        refer(_OURS, one.id, _BANKS, account, findings, targets)
        explained: Decimal | None = ZERO
        for line in one.lines:
            if line.record_ref is not None:
                refer(_OURS, one.id, line.record_ref.data_type, line.record_ref.id, findings, targets)
                _add(parts, (account, line.record_ref.data_type), line.amount)
            explained = None if explained is None or line.amount is None else explained + line.amount
        row = beside.of(one.id)
        if unexplained is None or explained is None:
            continue
        findings.looked("D1")
        expected = row[1] if row is not None else one.total_amount
        for found in (explained + unexplained.get(one.id, ZERO), one.total_amount):
            if found != expected:
                detail = f"{_OURS} {one.id} comes to {found}, the bank line to {expected}"
                findings.breach_if_still(facts.is_moving, lacking, "D1", Fault(_OURS, one.id, detail, expected, found))
                break
    if lacks("D2", (_OURS, _BANKS, *_MOVED), findings, targets):
        return
    for account, data_type in sorted(parts.keys() | {key for key in moved if key[0] in accounts}):
        told, came = parts.get((account, data_type), ZERO), moved.get((account, data_type), ZERO)
        if told is None or came is None:
            findings.skipped("D2", "Some of what moved does not say what it came to.")
            continue
        findings.looked("D2")
        if told != came:
            detail = f"{data_type} moved {came} on bank account {account}, its lines say {told}"
            findings.breach_if_still(facts.is_moving, None, "D2", Fault(_BANKS, account, detail, came, told))


def _add(sums: dict[tuple[str, str], Decimal | None], key: tuple[str, str], amount: Decimal | None) -> None:
    before = sums[key]
    sums[key] = None if before is None or amount is None else before + amount

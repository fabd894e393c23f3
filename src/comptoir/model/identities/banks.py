"""Identities D of bank accounts and their statement lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from comptoir.model.banking import BankAccountType
from comptoir.model.identities.beside import side_by_side
from comptoir.model.identities.findings import Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.movements import Walk
from comptoir.model.identities.references import Targets, each, peek, refer
from comptoir.model.identities.transactions import Parts
from comptoir.model.money import ZERO

__all__ = ["check_banks"]

_LINES, _OURS, _BANKS = "bankTransactions", "accountTransactions", "bankAccounts"


def check_banks(
    stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets, walk: Walk, *, base: str | None
) -> None:
    """Bank lines, what is still open of them and what their parts became, together in the order of their ids.

    `walk` is that through all that moved. `base`: the company's currency.
    """
    _as_the_source_says(stored, facts, findings, targets)
    are_read, is_told = _LINES in targets.read, facts.open_lines is not None and facts.movements is not None
    if not are_read:
        for code in ("D3", "D4", "D5"):
            findings.skipped(code, f"{_LINES} was not read in this sync.")
    elif not is_told:
        findings.skipped("D5", "What the bank's lines are for was not read from the source.")
    parts = Parts(walk.moved, facts, findings, targets)
    unexplained: dict[str, Decimal] = defaultdict(Decimal)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for id_, (line, ours, open_, is_to_review) in side_by_side(
        _of(stored, _LINES, findings, targets),
        _of(stored, _OURS, findings, targets),
        iter(()) if facts.open_lines is None else ((id_, rest) for id_, *rest in facts.open_lines()),
        iter(walk.to_review),
    ):
        if open_ is not None:
            unexplained[open_[0]] += open_[1]
        if ours is not None:
            parts.take(ours, None if line is None else line.amount, ZERO if open_ is None else open_[1])
        if line is None:
            continue
        if line.account_id not in sums:
            refer(_LINES, id_, _BANKS, line.account_id, findings, targets)
        sums[line.account_id] += line.amount
        if not is_told:
            continue
        findings.looked("D5")
        if line.reconciled is (open_ is not None or is_to_review is not None):
            said = "reconciled" if line.reconciled else "not reconciled"
            detail = f"bank transaction {id_} is {said}, its source says otherwise"
            findings.breach_if_still(facts.is_moving, None, "D5", Fault(_LINES, id_, detail))
    parts.end()
    if are_read:
        _balances(sums, facts, findings, targets)
        _in_the_ledger(stored, unexplained if is_told else None, base, facts, findings, targets)


def _of(stored: Stored, data_type: str, findings: Findings, targets: Targets) -> Iterator[tuple[str, Any]]:
    read = each(stored, data_type, findings) if data_type in targets.read else ()
    return ((record.id, record) for record in read)


def _balances(sums: dict[str, Decimal], facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    if facts.bank is None:
        findings.skipped("D3", "The source's balances were not read.")
        return
    lacking = targets.lacking(_LINES)
    for account, bank in facts.bank.items():
        findings.looked("D3")
        expected = bank.opening + sums.get(account, ZERO)
        if expected != bank.current:
            detail = f"bank account {account} should stand at {expected}, the source says {bank.current}"
            fault = Fault(_BANKS, account, detail, bank.current, expected)
            findings.breach_if_still(facts.is_moving, lacking, "D3", fault)


def _as_the_source_says(stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    """D8: our balance of an account is the source's; of a credit account it is what is owed."""
    if _BANKS not in targets.read:
        findings.skipped("D8", f"{_BANKS} was not read in this sync.")
        return
    for account in peek(stored, _BANKS):
        bank = (facts.bank or {}).get(account.id)
        if bank is None or account.balance is None:
            continue
        findings.looked("D8")
        expected = -bank.current if account.account_type is BankAccountType.CREDIT else bank.current
        if account.balance != expected:
            detail = f"bank account {account.id} is at {account.balance}, its source says {bank.current}"
            findings.breach("D8", Fault(_BANKS, account.id, detail, expected, account.balance))


def _in_the_ledger(
    stored: Stored,
    unexplained: Mapping[str, Decimal] | None,
    base: str | None,
    facts: SourceFacts,
    findings: Findings,
    targets: Targets,
) -> None:
    """D4: whether lines that nobody explained yet are in the ledger, the source does not say. Both are told."""
    if unexplained is None or facts.ledger is None or facts.bank is None or _BANKS not in targets.read or base is None:
        findings.skipped("D4", "The source's trial balance, its bank balances and their lines were not all read.")
        return
    with_them = without = accounts = 0
    for account in peek(stored, _BANKS):
        bank = facts.bank.get(account.id)
        if bank is None or account.currency != base:
            continue
        accounts += 1
        stands = facts.ledger.totals.get(account.id, ZERO)
        with_them += bank.current == stands
        without += bank.current - unexplained.get(account.id, ZERO) == stands
    if accounts:
        findings.looked("D4", accounts)
        findings.noted(
            "D4", f"Of {accounts} accounts {without} agree without what is not explained, {with_them} with it."
        )

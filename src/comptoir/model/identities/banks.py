"""Identities D of bank accounts and their statement lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from decimal import Decimal

from comptoir.model.banking import BankAccountType
from comptoir.model.identities.findings import Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, each, peek, refer
from comptoir.model.money import ZERO

__all__ = ["check_banks"]

_LINES, _BANKS = "bankTransactions", "bankAccounts"


def check_banks(
    stored: Stored,
    facts: SourceFacts,
    findings: Findings,
    targets: Targets,
    *,
    to_review: Set[str],
    base: str | None,
) -> None:
    """`to_review`: bank lines with something that somebody has still to look at. `base`: the company's currency."""
    _as_the_source_says(stored, facts, findings, targets)
    if _LINES not in targets.read:
        for code in ("D3", "D4", "D5"):
            findings.skipped(code, f"{_LINES} was not read in this sync.")
        return
    still_open: set[str] | None = None
    unexplained: dict[str, Decimal] | None = None
    if facts.open_lines is None or facts.movements is None:
        findings.skipped("D5", "What the bank's lines are for was not read from the source.")
    else:
        still_open = set(to_review)
        unexplained = defaultdict(Decimal)
        for id_, account_id, amount in facts.open_lines():
            still_open.add(id_)
            unexplained[account_id] += amount
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in each(stored, _LINES, findings):
        if line.account_id not in sums:
            refer(_LINES, line.id, _BANKS, line.account_id, findings, targets)
        sums[line.account_id] += line.amount
        if still_open is None:
            continue
        findings.looked("D5")
        if line.reconciled is (line.id in still_open):
            said = "reconciled" if line.reconciled else "not reconciled"
            detail = f"bank transaction {line.id} is {said}, its source says otherwise"
            findings.breach_if_still(facts.is_moving, None, "D5", Fault(_LINES, line.id, detail))
    _balances(sums, facts, findings, targets)
    _in_the_ledger(stored, unexplained, base, facts, findings, targets)


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

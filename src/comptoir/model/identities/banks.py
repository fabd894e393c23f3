"""Identities D of bank accounts and their statement lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from decimal import Decimal

from comptoir.model.identities.findings import Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, each, refer
from comptoir.model.money import ZERO

__all__ = ["check_banks"]

_LINES, _BANKS = "bankTransactions", "bankAccounts"


def check_banks(stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets, to_review: Set[str]) -> None:
    """`to_review`: bank lines with something that somebody has still to look at."""
    if _LINES not in targets.read:
        for code in ("D3", "D5"):
            findings.skipped(code, f"{_LINES} was not read in this sync.")
        return
    still_open = None
    if facts.open_lines is None or facts.movements is None:
        findings.skipped("D5", "What the bank's lines are for was not read from the source.")
    else:
        still_open = {*facts.open_lines(), *to_review}
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

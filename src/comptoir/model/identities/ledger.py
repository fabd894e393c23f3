"""Identities E: the source's trial balance agrees with itself, and our accounts with it."""

from __future__ import annotations

from comptoir.model.identities.findings import Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, peek
from comptoir.model.ledger import AccountType
from comptoir.model.money import ZERO

__all__ = ["check_trial_balance"]

_ACCOUNTS = "chartOfAccounts"
_DEBIT = (AccountType.ASSET, AccountType.EXPENSE, AccountType.UNKNOWN)


def check_trial_balance(stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    if facts.ledger is None:
        for code in ("E2", "E6"):
            findings.skipped(code, "The source's trial balance was not read.")
        return
    totals = facts.ledger.totals
    findings.looked("E2", len(totals))
    if rest := sum(totals.values(), ZERO):
        findings.breach("E2", Fault("", "", f"the trial balance adds up to {rest}", ZERO, rest))
    if _ACCOUNTS not in targets.read:
        findings.skipped("E6", f"{_ACCOUNTS} was not read in this sync.")
        return
    unmet = dict(totals)
    sides = {True: ZERO, False: ZERO}
    for account in peek(stored, _ACCOUNTS):
        total = unmet.pop(account.id, ZERO)
        is_debit = account.type in _DEBIT
        signed = total if is_debit else -total
        sides[is_debit] += signed
        if account.is_bank_account or account.current_balance is None:
            continue  # a bank account's balance is in its own currency, and the source's own
        findings.looked("E6")
        if account.current_balance != signed:
            detail = f"account {account.id} is at {account.current_balance}, the trial balance says {signed}"
            findings.breach("E6", Fault(_ACCOUNTS, account.id, detail, signed, account.current_balance))
    lacking = targets.lacking(_ACCOUNTS)
    for id_, total in unmet.items():
        fault = Fault("", id_, f"account {id_} stands at {total} in the trial balance, and is not among the accounts")
        findings.breach_unless(lacking, "E6", fault)
    debits, credits = sides[True], sides[False]
    if debits != credits and not unmet and not rest:
        detail = f"assets and costs are {debits}, liabilities, income and equity {credits}"
        findings.breach("E6", Fault("", "", detail, debits, credits))

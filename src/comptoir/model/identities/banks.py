"""Identities D: statement lines, balances, transfers."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from comptoir.model.identities.findings import Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, each, refer
from comptoir.model.money import ZERO

__all__ = ["check_banks"]

_TRANSACTIONS, _BANKS = "bankTransactions", "bankAccounts"


def check_banks(stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    if _TRANSACTIONS in targets.read:
        _lines(stored, facts, findings, targets)
    else:
        for code in ("D3", "D5"):
            findings.skipped(code, "Bank transactions were not read in this sync.")
    if "transfers" in targets.read:
        _transfers(stored, findings, targets)
    else:
        findings.skipped("D6", "Transfers were not read in this sync.")
    if not {"directCosts", "directIncomes"} <= targets.read:
        findings.skipped("D7", "Direct costs and incomes were not both read in this sync.")


def _lines(stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    unreconciled = facts.unreconciled
    open_lines = 0
    for line in each(stored, _TRANSACTIONS, findings):
        sums[line.account_id] += line.amount
        if unreconciled is not None:
            findings.looked("D5")
            is_open = line.id in unreconciled
            open_lines += is_open
            if line.reconciled is is_open:
                said = "reconciled" if line.reconciled else "not reconciled"
                findings.breach("D5", f"bank transaction {line.id} is {said}, its source says otherwise")
    for account in sums:
        refer(_TRANSACTIONS, f"of account {account}", _BANKS, account, findings, targets)
    if unreconciled is None:
        findings.skipped("D5", "What is explained of the bank's lines was not read.")
    if facts.bank is None:
        findings.skipped("D3", "The source's balances were not read.")
        return
    for account, bank in facts.bank.items():
        findings.looked("D3")
        expected = bank.opening + sums.get(account, ZERO)
        if expected != bank.current:
            findings.breach("D3", f"bank account {account} should stand at {expected}, the source says {bank.current}")


def _transfers(stored: Stored, findings: Findings, targets: Targets) -> None:
    for transfer in each(stored, "transfers", findings):
        findings.looked("D6")
        from_, to = transfer.from_, transfer.to
        for side in (from_, to):
            refer("transfers", transfer.id, side.account_ref.data_type, side.account_ref.id, findings, targets)
        out, into = from_.amount, to.amount
        if (
            (out is not None and out <= 0)
            or (into is not None and into <= 0)
            or from_.account_ref.id == to.account_ref.id
            or (from_.currency == to.currency and None not in (out, into) and out != into)
        ):
            shown = f"{out} {from_.currency} to {into} {to.currency}"
            findings.breach("D6", f"transfer {transfer.id} from {from_.account_ref.id}: {shown}")

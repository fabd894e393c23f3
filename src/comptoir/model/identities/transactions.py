"""Identities D of account transactions: bank lines with what each part of them became."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from comptoir.model.identities.control import lacks
from comptoir.model.identities.findings import Fault, Findings, SourceFacts
from comptoir.model.identities.references import Targets, refer
from comptoir.model.money import ZERO

__all__ = ["Parts"]

_OURS, _BANKS = "accountTransactions", "bankAccounts"
_MOVED = ("payments", "billPayments", "directCosts", "directIncomes", "transfers")


class Parts:
    """D1 and D2, account transaction by account transaction; of an account without a single one nothing is said.

    `moved`: what records moved on each bank account, by account and data type, in positive; None if one of them does
    not say. D2 is held by account and data type: with the amounts of single records A8 has to do.
    """

    def __init__(
        self,
        moved: Mapping[tuple[str, str], Decimal | None],
        facts: SourceFacts,
        findings: Findings,
        targets: Targets,
    ) -> None:
        self._moved, self._facts, self._findings, self._targets = moved, facts, findings, targets
        self._lacking = targets.lacking(_OURS, *_MOVED)
        self._accounts: set[str] = set()
        self._sums: dict[tuple[str, str], Decimal | None] = defaultdict(Decimal)
        if _OURS not in targets.read:
            for code in ("D1", "D2"):
                findings.skipped(code, f"{_OURS} was not read in this sync.")
        elif facts.open_lines is None:
            findings.skipped("D1", "What the bank's lines are for was not read from the source.")

    def take(self, one: Any, amount: Decimal | None, unexplained: Decimal) -> None:
        """One of them, with the amount of its bank line, if there is one, and what is not explained of it."""
        findings, account = self._findings, one.bank_account_ref.id or ""
        self._accounts.add(account)
        refer(_OURS, one.id, _BANKS, account, findings, self._targets)
        explained: Decimal | None = ZERO
        for line in one.lines:
            part = line.amount
            if line.record_ref is not None:
                refer(_OURS, one.id, line.record_ref.data_type, line.record_ref.id, findings, self._targets)
                self._add((account, line.record_ref.data_type), part)
            explained = None if explained is None or part is None else explained + part
        if self._facts.open_lines is None or explained is None:
            return
        findings.looked("D1")
        expected = one.total_amount if amount is None else amount
        for found in (explained + unexplained, one.total_amount):
            if found != expected:
                detail = f"{_OURS} {one.id} comes to {found}, the bank line to {expected}"
                fault = Fault(_OURS, one.id, detail, expected, found)
                findings.breach_if_still(self._facts.is_moving, self._lacking, "D1", fault)
                break

    def end(self) -> None:
        """There are no more of them."""
        findings = self._findings
        if _OURS not in self._targets.read or lacks("D2", (_OURS, _BANKS, *_MOVED), findings, self._targets):
            return
        here = {key for key in self._moved if key[0] in self._accounts}
        for account, data_type in sorted(self._sums.keys() | here):
            told, came = self._sums.get((account, data_type), ZERO), self._moved.get((account, data_type), ZERO)
            if told is None or came is None:
                findings.skipped("D2", "Some of what moved does not say what it came to.")
                continue
            findings.looked("D2")
            if told != came:
                detail = f"{data_type} moved {came} on bank account {account}, its lines say {told}"
                findings.breach_if_still(self._facts.is_moving, None, "D2", Fault(_BANKS, account, detail, came, told))

    def _add(self, key: tuple[str, str], amount: Decimal | None) -> None:
        before = self._sums[key]
        self._sums[key] = None if before is None or amount is None else before + amount

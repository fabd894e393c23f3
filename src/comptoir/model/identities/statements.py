"""Identities G: the months of the statements add up, to each other and to the trial balance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from comptoir.model.identities.findings import MOVED, Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, each, peek
from comptoir.model.ledger import AccountType
from comptoir.model.money import ZERO
from comptoir.model.reports import ReportLine

__all__ = ["check_statements", "leaves"]

_PROFIT, _BALANCE, _CASH, _ACCOUNTS = "profitAndLoss", "balanceSheet", "cashFlowStatement", "chartOfAccounts"
_OF_A_YEAR = (AccountType.INCOME, AccountType.EXPENSE)


def check_statements(stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    for data_type, codes in ((_PROFIT, ("G1", "G2", "G4", "G5", "G7")), (_BALANCE, ("G2", "G3", "G4", "G7"))):
        if data_type not in targets.read:
            for code in codes:
                findings.skipped(code, f"{data_type} was not read in this sync.")
    _Months(stored, facts, findings, targets).check()


class _Months:
    """The statements month by month; a few dozen records."""

    def __init__(self, stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
        self._stored, self._facts, self._findings, self._targets = stored, facts, findings, targets
        self._types: Mapping[str, AccountType] | None = None
        if targets.reaches(_ACCOUNTS):
            self._types = {account.id: account.type for account in peek(stored, _ACCOUNTS)}
            if (read_at := targets.read_earlier(_ACCOUNTS)) is not None:
                findings.rests_on("G5", read_at)
                findings.rests_on("G7", read_at)
        else:
            findings.skipped("G7", f"{_ACCOUNTS} was not read in this sync.")
        ledger = facts.ledger
        # The accounting year that runs; no month before the books began is told of.
        self._begun = (
            None
            if ledger is None or ledger.year_began is None
            else max(ledger.year_began, ledger.began or ledger.year_began)
        )
        self._profit: dict[str, Decimal] = {}
        self._retained: dict[str, Decimal] = {}
        self._by_account: dict[str, Decimal] = defaultdict(Decimal)  # of the accounting year, debit positive
        self._months_of_year: set[str] = set()

    def check(self) -> None:
        read = self._targets.read
        if _PROFIT in read:
            for month in each(self._stored, _PROFIT, self._findings):
                self._profit_and_loss(month.id, month.report)
            self._year_so_far()
        if _BALANCE in read:
            for month in each(self._stored, _BALANCE, self._findings):
                self._balance_sheet(month.id, month.report)
            if _PROFIT in read:
                self._retains()
        if _CASH in read:
            for month in each(self._stored, _CASH, self._findings):
                for group in (month.report.cash_receipts, month.report.cash_payments):
                    if group.items:
                        self._group(_CASH, month.id, group)

    def _profit_and_loss(self, id_: str, report: Any) -> None:
        operating = report.gross_profit - report.expenses.value
        for name, expected, found in (
            ("gross profit", report.income.value - report.cost_of_sales.value, report.gross_profit),
            ("operating profit", operating, report.net_operating_profit),
            ("other income", report.other_income.value - report.other_expenses.value, report.net_other_income),
            ("profit", report.net_operating_profit + report.net_other_income, report.net_profit),
        ):
            self._same("G1", _PROFIT, id_, name, expected, found)
        self._profit[id_] = report.net_profit
        is_of_year = self._begun is not None and id_ >= f"{self._begun:%Y-%m}"
        if is_of_year:
            self._months_of_year.add(id_)
        for group, sign, types in (
            (report.income, -1, (AccountType.INCOME,)),
            (report.other_income, -1, (AccountType.INCOME,)),
            (report.cost_of_sales, 1, (AccountType.EXPENSE,)),
            (report.expenses, 1, (AccountType.EXPENSE,)),
            (report.other_expenses, 1, (AccountType.EXPENSE,)),
        ):
            self._group(_PROFIT, id_, group)
            for line in leaves(group):
                self._account(_PROFIT, id_, line, types)
                if is_of_year and line.account_id is not None:
                    self._by_account[line.account_id] += sign * line.value

    def _balance_sheet(self, id_: str, report: Any) -> None:
        self._same("G3", _BALANCE, id_, "net assets", report.assets.value - report.liabilities.value, report.net_assets)
        self._same("G3", _BALANCE, id_, "equity", report.net_assets, report.equity.value)
        types = tuple(one for one in AccountType if one not in _OF_A_YEAR)
        for group in (report.assets, report.liabilities, report.equity):
            self._group(_BALANCE, id_, group)
            for line in leaves(group):
                self._account(_BALANCE, id_, line, types)
                if self._facts.ledger is not None and line.account_id == self._facts.ledger.retained:
                    self._retained[id_] = line.value

    def _year_so_far(self) -> None:
        """G5: a year is the sum of its months, which is what the trial balance says of costs and income."""
        ledger, began = self._facts.ledger, self._begun
        if ledger is None or began is None or self._types is None:
            self._findings.skipped("G5", "The trial balance, the accounts and when the year began were not all read.")
            return
        until = ledger.until
        months = (until.year - began.year) * 12 + until.month - began.month + 1
        if (began.day != 1 and began != ledger.began) or len(self._months_of_year) != months:
            self._findings.skipped("G5", "Not all months of the accounting year were read.")
            return
        totals = {id_: total for id_, total in ledger.totals.items() if self._types.get(id_) in _OF_A_YEAR}
        for account in sorted(totals.keys() | self._by_account.keys()):
            stands, found = totals.get(account, ZERO), self._by_account.get(account, ZERO)
            self._findings.looked("G5")
            if stands != found:
                detail = f"account {account} comes to {found} in the months, the trial balance says {stands}"
                fault = Fault(_ACCOUNTS, account, detail, stands, found)
                lacking = self._targets.earlier(_ACCOUNTS) or (MOVED if self._facts.is_moving("", "") else None)
                self._findings.breach_unless(lacking, "G5", fault)

    def _retains(self) -> None:
        """G4: what is not retained of a month's profit was paid out, which no statement tells."""
        if self._facts.ledger is None:
            self._findings.skipped("G4", "The source's trial balance was not read.")
        months = sorted(self._retained.keys() & self._profit.keys())
        for before, month in pairwise(months):
            if _after(before) != month:
                continue
            self._findings.looked("G4")
            more, profit = self._retained[month] - self._retained[before], self._profit[month]
            if more < profit:
                self._findings.skipped("G4", "Some of the profit was not retained: what was paid out is not told.")
            elif more != profit:
                detail = f"{_BALANCE} {month}: {profit} was earned, and {more} more is retained"
                self._findings.breach("G4", Fault(_BALANCE, month, detail, profit, more))

    def _group(self, data_type: str, id_: str, group: ReportLine) -> None:
        self._same("G2", data_type, id_, group.name or "", sum((one.value for one in group.items), ZERO), group.value)
        for one in group.items:
            if one.items:
                self._group(data_type, id_, one)

    def _account(self, data_type: str, id_: str, line: ReportLine, types: tuple[AccountType, ...]) -> None:
        if self._types is None or line.account_id is None:
            return
        self._findings.looked("G7")
        type_ = self._types.get(line.account_id)
        if type_ is None:
            detail = f"{data_type} {id_} names account {line.account_id}, which is not there"
        elif type_ not in (*types, AccountType.UNKNOWN):
            detail = f"{data_type} {id_} has account {line.account_id} of type {type_} in the wrong section"
        else:
            return
        lacking = self._targets.earlier(_ACCOUNTS) or self._targets.lacking(_ACCOUNTS)
        self._findings.breach_unless(lacking, "G7", Fault(data_type, id_, detail))

    def _same(self, code: str, data_type: str, id_: str, name: str, expected: Decimal, found: Decimal) -> None:
        self._findings.looked(code)
        if expected != found:
            detail = f"{data_type} {id_}: {name} is {found}, not {expected}"
            self._findings.breach(code, Fault(data_type, id_, detail, expected, found))


def leaves(group: ReportLine) -> Iterator[ReportLine]:
    """The lines of single accounts in a group."""
    for one in group.items:
        yield from leaves(one) if one.items else (one,)


def _after(month: str) -> str:
    year, number = int(month[:4]), int(month[5:7])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"

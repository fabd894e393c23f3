"""Identities G6 and G8: the statements are what the source's own reports say, as far as those say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from comptoir.model.identities.findings import MOVED, Fault, Findings, SourceFacts, Stored
from comptoir.model.identities.movements import Flow
from comptoir.model.identities.references import Targets, peek
from comptoir.model.identities.statements import leaves
from comptoir.model.identities.told import Cash, Profit, Sheet, Standing
from comptoir.model.money import ZERO

__all__ = ["check_summaries"]

_PROFIT, _BALANCE, _CASH = "profitAndLoss", "balanceSheet", "cashFlowStatement"
_DAY = timedelta(days=1)
_WHOLE = Decimal(1)  # how far a whole number may be from what it was rounded from, and a little more
_HALF = Decimal("0.5")


def check_summaries(
    stored: Stored, flows: Mapping[str, Flow], facts: SourceFacts, findings: Findings, targets: Targets
) -> None:
    """`flows`: what moved on bank accounts in each month."""
    summaries = _Summaries(stored, facts, findings)
    reported = facts.reported
    if _is_told("G6", _BALANCE, reported.sheets, findings, targets) and reported.sheets is not None:
        summaries.sheets(reported.sheets)
    if _is_told("G6", _PROFIT, reported.profits, findings, targets) and reported.profits is not None:
        summaries.profits(reported.profits)
    if _is_told("G8", _CASH, reported.cash, findings, targets) and reported.cash is not None:
        summaries.cash(reported.cash, flows)


def _is_told(code: str, data_type: str, told: object, findings: Findings, targets: Targets) -> bool:
    if data_type not in targets.read:
        findings.skipped(code, f"{data_type} was not read in this sync.")
    elif told is None:
        findings.skipped(code, f"What the source itself reports as {data_type} was not read.")
    else:
        return True
    return False


class _Summaries:
    def __init__(self, stored: Stored, facts: SourceFacts, findings: Findings) -> None:
        self._stored, self._facts, self._findings = stored, facts, findings

    def sheets(self, told: tuple[Sheet, ...]) -> None:
        by_day = {one.on: one for one in told}
        for month in peek(self._stored, _BALANCE):
            if (sheet := by_day.get(_day(month.report.date))) is not None:
                self._sheet(month.id, month.report, sheet)

    def _sheet(self, id_: str, report: Any, told: Sheet) -> None:
        ours: dict[str | None, Decimal] = {}
        for group, sign in ((report.assets, 1), (report.liabilities, -1), (report.equity, -1)):
            for line in leaves(group):
                account = None if line.account_id == told.retained_account else line.account_id
                ours[account] = ours.get(account, ZERO) + sign * line.value
        theirs: dict[str | None, Decimal] = dict(told.accounts.items())
        if told.retained is not None:
            theirs[None] = told.retained
        else:
            ours.pop(None, None)
        for account in sorted(ours.keys() | theirs.keys(), key=lambda one: one or ""):
            expected, found = theirs.get(account, ZERO), ours.get(account, ZERO)
            if account is None:
                self._near(_BALANCE, id_, "retained profit", expected, found, _WHOLE * told.parts)
                continue
            self._findings.looked("G6")
            if abs(expected - found) > _WHOLE:
                detail = f"{_BALANCE} {id_}: account {account} is {found}, the source says {expected}"
                self._apart(Fault(_BALANCE, id_, detail, expected, found))
        self._near(_BALANCE, id_, "net assets", told.net_assets, report.net_assets, _WHOLE)
        self._near(_BALANCE, id_, "equity", told.equity, report.equity.value, _WHOLE)

    def profits(self, told: tuple[Profit, ...]) -> None:
        """The source says it from the beginning of a year on: a month is the difference between two of them."""
        by_day = {one.on: one for one in told}
        for month in peek(self._stored, _PROFIT):
            report = month.report
            summaries = _of_month(month.id, _day(report.from_date), _day(report.to_date), by_day)
            if summaries is None:
                self._findings.skipped("G6", "Some months are not told of in the source's own profit and loss.")
                continue
            allowed = max(_WHOLE, _HALF * len(summaries))
            for name, found, member in (
                ("income", report.income.value + report.other_income.value, "income"),
                ("costs", report.cost_of_sales.value + report.expenses.value, "costs"),
                ("operating profit", report.net_operating_profit, "operating"),
                ("profit", report.net_profit, "profit"),
            ):
                expected = sum((sign * getattr(one, member) for sign, one in summaries), ZERO)
                self._near(_PROFIT, month.id, name, expected, found, allowed)

    def _near(self, data_type: str, id_: str, name: str, expected: Decimal, found: Decimal, allowed: Decimal) -> None:
        self._findings.looked("G6")
        if abs(expected - found) > allowed:
            detail = f"{data_type} {id_}: {name} is {found}, the source says {expected}"
            self._apart(Fault(data_type, id_, detail, expected, found))

    def _apart(self, fault: Fault) -> None:
        self._findings.breach_unless(MOVED if self._facts.is_moving("", "") else None, "G6", fault)

    def cash(self, told: Cash, flows: Mapping[str, Flow]) -> None:
        """What the source calls a receipt it does not say: whether transfers between the company's own accounts are
        among them, and how far it is what the ledger says, is told and not judged."""
        balance, months, last = ZERO, [], ""
        for month in peek(self._stored, _CASH):
            report = month.report
            if told.since <= _day(report.from_date) <= told.until:
                received, spent = report.cash_receipts.value, report.cash_payments.value
                balance += received - spent
                months.append((month.id, _day(report.from_date), _day(report.to_date), received, spent))
                last = month.id
        self._findings.looked("G8", len(months))
        if balance != told.balance:
            detail = f"{_CASH} comes to {balance} in all its months, the source says {told.balance}"
            lacking = MOVED if self._facts.is_moving("", "") else None
            self._findings.breach_unless(lacking, "G8", Fault(_CASH, last, detail, told.balance, balance))
        if not months:
            return
        stood = dict(_by_day(self._facts.reported.standings or ()))
        between = [
            (received - spent, stood[to].bank - stood[first - _DAY].bank)
            for _, first, to, received, spent in months
            if to in stood and first - _DAY in stood
        ]
        if between:
            agreeing = sum(ours == ledger for ours, ledger in between)
            said = f"Of {len(between)} months, {agreeing} come to what the bank accounts moved by in the ledger."
            self._findings.noted("G8", said)
        known = [(flows.get(id_, Flow()), received, spent) for id_, _, _, received, spent in months]
        known = [one for one in known if not one[0].is_foreign]
        if known and flows:
            without = sum((flow.received, flow.spent) == (received, spent) for flow, received, spent in known)
            both = sum(
                (flow.received + flow.transferred_in, flow.spent + flow.transferred_out) == (received, spent)
                for flow, received, spent in known
            )
            said = f"Of {len(known)} months, {without} agree without transfers between bank accounts, {both} with them."
            self._findings.noted("G8", said)


def _of_month(id_: str, first: date, last: date, by_day: Mapping[date, Profit]) -> list[tuple[int, Profit]] | None:
    """What to add and what to take off for a month; None where the source does not say all of it."""
    told = by_day.get(last)
    if told is None:
        return None
    if told.since > first and told.first_month != id_:  # the year began inside the month
        earlier = _of_month(id_, first, told.since - _DAY, by_day)
        return None if earlier is None else [*earlier, (1, told)]
    if told.since == first or told.first_month == id_:
        return [(1, told)]
    before = by_day.get(first - _DAY)
    return [(1, told), (-1, before)] if before is not None and before.since == told.since else None


def _by_day(standings: Iterable[Standing]) -> Iterator[tuple[date, Standing]]:
    for one in standings:
        yield one.on, one


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])

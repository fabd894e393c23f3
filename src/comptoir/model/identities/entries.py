"""Identities E of the ledger's entries: they balance, add up to the trial balance, and post what documents say.

Entries are streamed. What stays in memory is a sum for each account and month.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from comptoir.model.identities.control import CASH_BASIS, Basis, Open, Posting, lacks
from comptoir.model.identities.findings import MOVED, Fault, Findings, LedgerFacts, SourceFacts, Stored
from comptoir.model.identities.references import Targets, each, peek, refer
from comptoir.model.ledger import AccountType
from comptoir.model.money import ZERO, minor_unit

__all__ = ["check_entries"]

_ENTRIES, _ACCOUNTS, _OPENING = "journalEntries", "chartOfAccounts", "opening-balances"
_OF_A_YEAR = (AccountType.INCOME, AccountType.EXPENSE)
_SALES = ("invoices", "creditNotes")
_DOCUMENTS = (*_SALES, "bills", "billCreditNotes")


def check_entries(
    stored: Stored, open_: Open, facts: SourceFacts, findings: Findings, targets: Targets
) -> Mapping[str, Decimal] | None:
    """What entries made by hand put on accounts up to the day of the trial balance; None if not all were read."""
    if _ENTRIES not in targets.read:
        for code in ("E1", "E4", "E7"):  # they speak of entries alone, and were looked at when those were read
            findings.skipped(code, f"{_ENTRIES} was not read in this sync.")
        if (read_at := targets.read_earlier(_ENTRIES)) is not None and facts.ledger is not None:
            return _with_earlier_entries(stored, read_at, open_, facts, findings, targets)
        for code in ("E3", "E5"):
            findings.skipped(code, f"{_ENTRIES} was not read in this sync.")
        return None
    walk = _Walk(stored, open_, facts, findings, targets, each(stored, _ENTRIES, findings))
    walk.months_balance()
    if facts.ledger is None:
        for code in ("E3", "E5", "E7"):
            findings.skipped(code, "The source's trial balance was not read.")
        return walk.by_hand
    ledger = facts.ledger
    if (read_at := targets.read_earlier(_ACCOUNTS)) is not None:
        _agrees_still("E3", read_at, targets.earlier(_ACCOUNTS), findings, lambda told: walk.adds_up_to(ledger, told))
    elif not lacks("E3", (_ENTRIES, _ACCOUNTS), findings, targets):
        walk.adds_up_to(ledger, findings)
    walk.begins_with(ledger)
    if not lacks("E5", (_ENTRIES, *_DOCUMENTS), findings, targets):
        walk.posts_documents(ledger, findings)
    return walk.by_hand if targets.lacking(_ENTRIES) is None else None


def _with_earlier_entries(
    stored: Stored, read_at: datetime, open_: Open, facts: SourceFacts, findings: Findings, targets: Targets
) -> Mapping[str, Decimal]:
    """The ledger is read less often than documents: entries of an earlier reading are good for what they agree with."""
    ledger, why = facts.ledger, targets.earlier(_ENTRIES)
    assert ledger is not None
    # What entries say of themselves was looked at when they were read.
    walk = _Walk(stored, open_, facts, Findings(), targets, peek(stored, _ENTRIES))
    if not _agrees_still("E3", read_at, why, findings, lambda told: walk.adds_up_to(ledger, told)):
        findings.skipped("E5", why or "")
    elif not lacks("E5", _DOCUMENTS, findings, targets):
        _agrees_still("E5", read_at, why, findings, lambda told: walk.posts_documents(ledger, told))
    return walk.by_hand


def _agrees_still(
    code: str, read_at: datetime, why: str | None, findings: Findings, judge: Callable[[Findings], None]
) -> bool:
    """Whether something that was read earlier agrees with what was read now; where it does not, it may be out of date,
    and nothing is said of it but that."""
    aside = Findings()
    judge(aside)
    state = findings.adopt(code, aside)
    if state == "breached":
        findings.skipped(code, why or "")
    else:
        findings.rests_on(code, read_at)
    return state in ("held", "noted")


class _Walk:
    """One walk through all entries, summing up as it goes."""

    def __init__(
        self,
        stored: Stored,
        open_: Open,
        facts: SourceFacts,
        findings: Findings,
        targets: Targets,
        entries: Iterator[Any],
    ) -> None:
        self._open, self._facts, self._findings = open_, facts, findings
        self._accounts: Mapping[str, AccountType] = (
            {account.id: account.type for account in peek(stored, _ACCOUNTS)} if targets.reaches(_ACCOUNTS) else {}
        )
        ledger = facts.ledger
        self._until = "9999" if ledger is None else ledger.until.isoformat()
        self._year = None if ledger is None or ledger.year_began is None else ledger.year_began.isoformat()
        self._totals: dict[str, Decimal] = defaultdict(Decimal)  # up to the day of the trial balance
        self._earlier: dict[str, Decimal] = defaultdict(Decimal)  # the part of them before the year it is in
        self._months: dict[str, Decimal] = defaultdict(Decimal)
        self._opening: dict[str, Decimal] | None = None
        self.by_hand: dict[str, Decimal] = defaultdict(Decimal)
        for entry in entries:
            self._entry(entry, targets)

    def _entry(self, entry: Any, targets: Targets) -> None:
        findings, day = self._findings, (entry.posted_on or "")[:10]
        rest = sum((line.net_amount for line in entry.journal_lines), ZERO)
        findings.looked("E1")
        if rest:
            detail = f"{_ENTRIES} {entry.id}: its lines come to {rest}"
            findings.breach_if_still(self._facts.is_moving, None, "E1", Fault(_ENTRIES, entry.id, detail, ZERO, rest))
        self._months[day[:7]] += rest
        if entry.record_ref is not None:
            refer(_ENTRIES, entry.id, entry.record_ref.data_type, entry.record_ref.id, findings, targets)
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for line in entry.journal_lines:
            account = line.account_ref.id if line.account_ref is not None else None
            if account is not None:
                refer(_ENTRIES, entry.id, _ACCOUNTS, account, findings, targets)
                sums[account] += line.net_amount
        if entry.id == _OPENING:
            self._opening = dict(sums)
        if day <= self._until:
            is_by_hand = entry.record_ref is not None and entry.record_ref.data_type == _ENTRIES
            for account, amount in sums.items():
                self._totals[account] += amount
                if is_by_hand:
                    self.by_hand[account] += amount
                if self._year is not None and day < self._year:
                    self._earlier[account] += amount
        if entry.record_ref is not None:
            self._posts(entry.record_ref, day, sums, len(entry.journal_lines))

    def _posts(self, ref: Any, day: str, sums: Mapping[str, Decimal], lines: int) -> None:
        """An entry of a document."""
        ledger, postings = self._facts.ledger, self._open.postings
        if ledger is None or postings is None or ref.data_type not in _DOCUMENTS:
            return
        control = ledger.debtors if ref.data_type in _SALES else ledger.creditors
        rest = sum((sums[one] for one in sums.keys() - ledger.taxes if one != control), ZERO)
        postings.put(f"{ref.data_type} {ref.id}", Posting(day, sums.get(control, ZERO), rest, lines=lines))

    def months_balance(self) -> None:
        """E4; where it fails while every entry balances, a line is lost between entries."""
        for month, rest in sorted(self._months.items()):
            self._findings.looked("E4")
            if rest:
                detail = f"the entries of {month} come to {rest}"
                self._findings.breach_if_still(self._facts.is_moving, None, "E4", Fault("", month, detail, ZERO, rest))

    def adds_up_to(self, ledger: LedgerFacts, findings: Findings) -> None:
        """E3: costs and income are of the accounting year, what was earned before it stands in retained profit."""
        if self._year is None:
            findings.skipped("E3", "When the accounting year began was not told.")
            return
        expected = dict(self._totals)
        for account, amount in self._earlier.items():
            if self._accounts.get(account) in _OF_A_YEAR:
                expected[account] -= amount
                expected[ledger.retained] = expected.get(ledger.retained, ZERO) + amount
        for account in sorted(expected.keys() | ledger.totals.keys()):
            posted, stands = expected.get(account, ZERO), ledger.totals.get(account, ZERO)
            findings.looked("E3")
            if posted != stands:
                detail = f"account {account} was posted {posted}, the trial balance says {stands}"
                fault = Fault(_ACCOUNTS, account, detail, stands, posted)
                findings.breach_unless(MOVED if self._facts.is_moving("", "") else None, "E3", fault)

    def begins_with(self, ledger: LedgerFacts) -> None:
        if ledger.opening is None:
            self._findings.skipped("E7", "What the accounts held when the books began was not read.")
            return
        told, ours = {**ledger.opening}, self._opening or {}
        if rest := sum(told.values(), ZERO):  # it stands in suspense
            told[ledger.suspense] = told.get(ledger.suspense, ZERO) - rest
        for account in sorted(told.keys() | ours.keys()):
            expected, found = told.get(account, ZERO), ours.get(account, ZERO)
            self._findings.looked("E7")
            if expected != found:
                detail = f"account {account} began with {found}, the source says {expected}"
                self._findings.breach("E7", Fault(_ENTRIES, _OPENING, detail, expected, found))

    def posts_documents(self, ledger: LedgerFacts, findings: Findings) -> None:
        """E5, for documents of the days the ledger is of. Whether tax that is withheld stands on the control account
        until it is paid, the source does not say: either way is right."""
        began = "" if ledger.began is None else ledger.began.isoformat()
        documents = unposted = with_tax = 0
        for key, rows in groupby(self._open.postings or (), key=lambda one: one[0]):
            told, *posted = sorted((row for _, row in rows), key=lambda one: one.lines)
            if told.lines or not told.control or not began <= told.day <= self._until:
                continue  # no document of these days
            documents += 1
            posted = [one for one in posted if one.day == told.day]  # on another day it is settled
            if not posted and ledger.may_be_cash_basis:
                unposted += 1
                continue
            findings.looked("E5")
            with_tax += self._document(key, told, posted, ledger, findings)
        if with_tax:
            findings.noted("E5", f"{with_tax} documents post their tax, or some of it, as income or costs.")
        if documents and ledger.may_be_cash_basis:
            self._open.basis = _basis(documents, unposted, findings)

    def _document(
        self, key: str, told: Posting, posted: list[Posting], ledger: LedgerFacts, findings: Findings
    ) -> bool:
        """Whether the tax, or some of it, is posted as income or costs: where it cannot be reclaimed it is a part of
        them, and on a flat rate only a share of it is owed."""
        data_type, _, id_ = key.partition(" ")
        unit = minor_unit(self._open.base)
        allowed = unit * max(sum(one.lines for one in posted), 1)
        control, rest = sum((one.control for one in posted), ZERO), sum((one.rest for one in posted), ZERO)
        if all(abs(control - total) > unit for total in (told.control, told.control - told.withheld)):
            detail = f"{data_type} {id_} posts {control} on the control account, not {told.control}"
            self._apart(Fault(data_type, id_, detail, told.control, control), findings)
        elif abs(rest - told.rest) > allowed:
            least, most = sorted((told.rest, -told.control))
            if abs(rest + told.control) <= allowed or (ledger.is_flat_rate and least <= rest <= most):
                return True
            detail = f"{data_type} {id_} posts {rest} as income and costs, not {told.rest}"
            self._apart(Fault(data_type, id_, detail, told.rest, rest), findings)
        return False

    def _apart(self, fault: Fault, findings: Findings) -> None:
        lacking = MOVED if self._facts.is_moving(fault.data_type, fault.id) else None
        findings.breach_unless(lacking, "E5", fault)


def _basis(documents: int, unposted: int, findings: Findings) -> Basis:
    """No document is posted on its day: it is when it is paid. Some are: the books may have gone from one way to the
    other."""
    if not unposted:
        return Basis.ACCRUAL
    if unposted == documents:
        findings.skipped("E5", CASH_BASIS)
        return Basis.CASH
    findings.skipped("E5", f"{unposted} of {documents} documents post nothing on their day.")
    return Basis.UNTOLD

"""Identities F: the control accounts of the ledger stand where the documents leave them.

What documents leave open is gathered while they are walked; only sums, and one figure a contact, stay in memory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from comptoir.model.identities.findings import MOVED, Fault, Figures, Findings, LedgerFacts, Pile, SourceFacts
from comptoir.model.identities.references import Targets
from comptoir.model.identities.taxes import Taxed
from comptoir.model.money import ZERO, minor_unit, rounded
from comptoir.model.purchases import BillStatus
from comptoir.model.sales import DocumentStatus

__all__ = ["CASH_BASIS", "Basis", "Open", "Posting", "check_control", "lacks"]

CASH_BASIS = "These books are kept on the cash basis, where documents are posted when they are paid."
_UNTOLD_BASIS = (
    "Whether these books are kept on the cash basis, where documents are posted when they are paid, is not told."
)
_NO_LEDGER = "The source's trial balance was not read."
_NO_BASE = "The company's own currency was not read."

_UNKNOWN = {DocumentStatus.UNKNOWN, BillStatus.UNKNOWN}
_MOST_A_RATE_MOVES = Decimal("0.25")  # between a document and the day it is paid


class Basis(Enum):
    """When documents are posted: on their day, when they are paid, or nobody says which."""

    ACCRUAL = None
    CASH = CASH_BASIS
    UNTOLD = _UNTOLD_BASIS


class _Side(msgspec.Struct):
    """What is open with customers, or with suppliers, in the company's own currency."""

    open: Decimal = ZERO
    withheld: Decimal = ZERO  # of what is open, what will be withheld from the payment
    documents: int = 0
    foreign_open: int = 0
    foreign: Decimal = ZERO  # what is open in other currencies, at the rates its documents were made at
    foreign_size: Decimal | None = ZERO  # the same without signs; None where a document has no rate
    foreign_settled: int = 0  # settlements of documents in other currencies: each is rounded

    def add_foreign(self, amount: Decimal, rate: Decimal | None) -> None:
        if rate is None or self.foreign_size is None:
            self.foreign_size = None if amount else self.foreign_size
            return
        self.foreign += amount * rate
        self.foreign_size += abs(amount * rate)


class Posting(msgspec.Struct, frozen=True, array_like=True):
    """What a document should post in the company's own currency on its day, debit positive, or what an entry of it,
    which has `lines`, says: on the control account, and on all others but those of tax."""

    day: str
    control: Decimal
    rest: Decimal
    withheld: Decimal = ZERO
    lines: int = 0


class Open:
    """What documents and payments leave open; `posted` is what spending and income put on accounts, debit positive;
    `owed` is what is open on documents alone, by kind of party and currency, positive for most of them.

    Documents dated after the day of the trial balance are left out, and what was settled after it is still open.
    """

    def __init__(self, base: str | None, facts: SourceFacts, postings: Pile[Posting] | None = None) -> None:
        """`postings` is put what each document should post, under its data type, a blank and its id."""
        self.base = base
        self.postings = postings
        self._until = facts.ledger.until.isoformat() if facts.ledger is not None else "9999"
        self._taxes = facts.ledger.taxes if facts.ledger is not None else frozenset()
        self.customers, self.suppliers = _Side(), _Side()
        self.posted: dict[str, Decimal] = defaultdict(Decimal)
        self.foreign_posted: Counter[str] = Counter()  # each of them is rounded
        self.unvalued: set[str] = set()  # accounts with postings in another currency, at no rate
        self.contacts: dict[str, list[Decimal]] = {}  # open and withheld, by contact
        self.foreign_contacts: set[str] = set()
        self.basis = _basis(facts.ledger)  # entries tell better
        self.owed: dict[str, dict[str | None, Decimal]] = {
            "customers": defaultdict(Decimal),
            "suppliers": defaultdict(Decimal),
        }
        self.taxed = Taxed(base)

    def document(
        self,
        data_type: str,
        document: Any,
        party: str | None,
        sign: int,
        due: Decimal | None,
        figures: Figures | None,
    ) -> None:
        """`sign`: 1 for what customers owe us and what we have too much paid to suppliers, -1 for the opposite."""
        day = (document.issue_date or "")[:10]
        # What a finance agreement pays is owed to its lender from the first day.
        if self.postings is not None and not (figures is not None and figures.is_settled_unseen):
            self._will_post(self.postings, f"{data_type} {document.id}", document, sign)
        if day > self._until:
            return
        allocations = document.payment_allocations or ()
        late = sum(
            (
                one.allocation.total_amount or ZERO
                for one in allocations
                if (one.allocation.allocated_on_date or one.payment.paid_on_date or "")[:10] > self._until
            ),
            ZERO,
        )
        still = (due or ZERO) + late
        withheld = sum((one.amount for one in document.withholding_tax or ()), ZERO)
        kept = _kept(withheld, still, document, figures) if withheld else ZERO
        is_sale = hasattr(document, "customer_ref")
        side = self.customers if is_sale else self.suppliers
        side.documents += 1
        if document.status not in _UNKNOWN:
            owed = self.owed["customers" if is_sale else "suppliers"]
            owed[document.currency] += still * sign * (1 if is_sale else -1)
        if document.currency not in (None, self.base):
            side.foreign_open += bool(still or kept)
            side.foreign_settled += len(allocations)
            side.add_foreign(sign * (still + kept), document.currency_rate)
            if party is not None:
                self.foreign_contacts.add(party)
            return
        side.open += sign * still
        side.withheld += sign * kept
        if party is not None and (still or kept):
            sums = self.contacts.setdefault(party, [ZERO, ZERO])
            sums[0] += sign * still
            sums[1] += sign * kept

    def _will_post(self, postings: Pile[Posting], key: str, document: Any, sign: int) -> None:
        rate = Decimal(1) if document.currency in (None, self.base) else document.currency_rate
        if rate is None:
            return
        withheld = sum((one.amount for one in document.withholding_tax or ()), ZERO)
        total, net = sign * document.total_amount * rate, sign * document.sub_total * rate
        postings.put(key, Posting((document.issue_date or "")[:10], total, -net, sign * withheld * rate))

    def on_account(self, data_type: str, payment: Any, link: Any, party: str | None) -> None:
        """Paid beyond any document; negative when it came from a customer or went to a supplier."""
        amount = link.amount or ZERO
        if (payment.date or "")[:10] > self._until:
            return
        side, sign = (self.customers, 1) if data_type == "payments" else (self.suppliers, -1)
        if payment.currency not in (None, self.base) or link.currency_rate not in (None, 1):
            side.foreign_open += 1
            side.foreign_size = None
            return
        side.open += sign * amount
        if party is not None:
            self.contacts.setdefault(party, [ZERO, ZERO])[0] += sign * amount

    def post(self, record: Any, account: str | None, debit: Decimal) -> None:
        """Spending or income of `record` puts this on an account."""
        if account is None or (record.issue_date or "")[:10] > self._until:
            return
        if account in self._taxes:
            self.taxed.moved[(record.issue_date or "")[:7]] += debit
        if record.currency not in (None, self.base) and debit:
            self.foreign_posted[account] += 1
            rate = record.currency_rate
            if rate is None:
                self.unvalued.add(account)
                return
            debit = rounded(debit * rate, minor_unit(self.base))
        self.posted[account] += debit


def _basis(ledger: LedgerFacts | None) -> Basis:
    """As far as the trial balance tells: without a control account in it no document was posted when it was sent."""
    if ledger is None or not ledger.may_be_cash_basis:
        return Basis.ACCRUAL
    return Basis.UNTOLD if {ledger.debtors, ledger.creditors} & ledger.totals.keys() else Basis.CASH


def _kept(withheld: Decimal, still: Decimal, document: Any, figures: Figures | None) -> Decimal:
    """The part of what is withheld that did not come due with a payment yet."""
    if figures is not None and figures.suffered is not None:
        return withheld - figures.suffered
    payable = document.total_amount - withheld
    return rounded(withheld * still / payable, minor_unit(document.currency)) if payable else withheld


def check_control(
    found: Open, journals: Mapping[str, Decimal] | None, facts: SourceFacts, findings: Findings, targets: Targets
) -> None:
    """`journals`: what entries made by hand put on accounts, None where the entries were not read."""
    ledger = facts.ledger
    _contacts(found, facts, findings, targets)
    if ledger is None or found.base is None:
        for code in ("F1", "F2", "F4"):
            findings.skipped(code, _NO_LEDGER if ledger is None else _NO_BASE)
        return
    check = _Control(found, journals, facts, ledger, findings, targets)
    for code, account, side, sources in (
        ("F1", ledger.debtors, found.customers, ("invoices", "creditNotes", "payments")),
        ("F2", ledger.creditors, found.suppliers, ("bills", "billCreditNotes", "billPayments")),
    ):
        if not lacks(code, (*sources, "directCosts", "directIncomes"), findings, targets):
            check.documents(code, account, side)
    if not lacks("F4", ("directCosts", "directIncomes", "chartOfAccounts"), findings, targets):
        check.users()


def lacks(code: str, data_types: Iterable[str], findings: Findings, targets: Targets) -> bool:
    """Whether something that an identity speaks of was not read, or not all of it; says so."""
    for data_type in data_types:
        if data_type not in targets.read:
            findings.skipped(code, f"{data_type} was not read in this sync.")
            return True
        if (why := targets.lacking(data_type)) is not None:
            findings.skipped(code, why)
            return True
    return False


def _contacts(found: Open, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    """F5, contact by contact; those with documents in other currencies are left out."""
    speak_of = ("invoices", "creditNotes", "bills", "billCreditNotes", "payments", "billPayments", "customers")
    if facts.contacts is None or found.base is None:
        findings.skipped("F5", "What contacts owe was not read in this sync.")
        return
    if lacks("F5", speak_of, findings, targets):
        return
    for id_, balance in facts.contacts():
        if id_ in found.foreign_contacts:
            continue
        open_, withheld = found.contacts.get(id_, (ZERO, ZERO))
        findings.looked("F5")
        if balance not in (open_, open_ + withheld):
            detail = f"customers {id_} should owe {open_}, the source says {balance}"
            lacking = found.basis.value or (MOVED if facts.is_moving("", "") else None)
            findings.breach_unless(lacking, "F5", Fault("customers", id_, detail, balance, open_))


class _Control:
    """The accounts of one ledger, one after the other."""

    def __init__(
        self,
        found: Open,
        journals: Mapping[str, Decimal] | None,
        facts: SourceFacts,
        ledger: LedgerFacts,
        findings: Findings,
        targets: Targets,
    ) -> None:
        self._found, self._journals, self._facts = found, journals, facts
        self._ledger, self._findings, self._targets = ledger, findings, targets
        self._unit = minor_unit(found.base)

    def documents(self, code: str, account: str, side: _Side) -> None:
        findings = self._findings
        if not side.documents and account not in self._ledger.totals:
            return  # there is nothing it speaks of
        if self._found.basis is Basis.CASH and side.documents:
            findings.skipped(code, CASH_BASIS)
            return
        self._looks(code, max(side.documents, 1))
        stands = self._ledger.totals.get(account, ZERO)
        rest = side.open + side.foreign + self._found.posted.get(account, ZERO)
        allowed = self._unit * (side.foreign_settled + side.foreign_open)
        # Whether withheld tax stands here until it is paid, the source does not say: where it makes a difference,
        # the books are right either way.
        if any(abs(stands - each) <= allowed for each in self._expected(account, {rest + side.withheld, rest})):
            return
        if side.foreign_open:
            # The source values them anew every day, we do not: at a rate of that day, which we cannot know.
            off = min(abs(stands - each) for each in self._expected(account, {rest + side.withheld, rest}))
            if side.foreign_size is None or off <= side.foreign_size * _MOST_A_RATE_MOVES:
                said = f"{side.foreign_open} open in other currencies, which are valued anew every day."
                findings.skipped(code, said)
                return
        self._apart(code, account, rest + side.withheld, stands, self._found.basis.value)

    def users(self) -> None:
        for account in sorted(self._ledger.users):
            stands = self._ledger.totals.get(account, ZERO)
            posted = self._found.posted.get(account, ZERO)
            if account in self._found.unvalued:
                self._findings.skipped("F4", "Some expenses are in other currencies, at rates of their own.")
                continue
            self._looks("F4")
            allowed = self._unit * self._found.foreign_posted[account]
            if all(abs(stands - each) > allowed for each in self._expected(account, {posted})):
                self._apart("F4", account, posted, stands)

    def _looks(self, code: str, count: int = 1) -> None:
        self._findings.looked(code, count)
        if self._journals is not None and (read_at := self._targets.read_earlier("journalEntries")) is not None:
            self._findings.rests_on(code, read_at)

    def _expected(self, account: str, posted: set[Decimal]) -> set[Decimal]:
        """Where the account should stand, with what it held when the books began and what journals say."""
        more = (self._ledger.opening or {}).get(account, ZERO) + (self._journals or {}).get(account, ZERO)
        return {each + more for each in posted}

    def _apart(self, code: str, account: str, posted: Decimal, stands: Decimal, lacking: str | None = None) -> None:
        [expected] = self._expected(account, {posted})
        if lacking is not None:
            pass
        elif self._ledger.opening is None:
            lacking = "What the accounts held when the books began was not read."
        elif self._journals is None:
            lacking = "Journals were not read."
        elif (earlier := self._targets.earlier("journalEntries")) is not None:
            lacking = earlier
        elif self._facts.is_moving("", ""):
            lacking = MOVED
        detail = f"account {account} should stand at {expected}, the source says {stands}"
        self._findings.breach_unless(lacking, code, Fault("chartOfAccounts", account, detail, expected, stands))

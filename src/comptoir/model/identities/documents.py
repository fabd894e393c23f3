"""Identities of documents: they add up, each is there once, and what settles them is told alike on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from comptoir.model.identities.beside import Beside
from comptoir.model.identities.control import Open
from comptoir.model.identities.findings import Fault, Figures, Findings, Pile, SourceFacts, Stored
from comptoir.model.identities.lines import adds_up, as_the_source_says
from comptoir.model.identities.movements import Settlement
from comptoir.model.identities.references import Targets, absent, each, refer
from comptoir.model.money import ZERO, minor_unit, rounded
from comptoir.model.purchases import BillStatus
from comptoir.model.sales import DocumentStatus

__all__ = ["check_documents"]

_DRAFT = {DocumentStatus.DRAFT, BillStatus.DRAFT}
_UNKNOWN = {DocumentStatus.UNKNOWN, BillStatus.UNKNOWN}
_SETTLED = {DocumentStatus.PAID, DocumentStatus.VOID, BillStatus.PAID, BillStatus.VOID}
_UNTOUCHED = {DocumentStatus.SUBMITTED, BillStatus.OPEN}
_PARTLY = {DocumentStatus.PARTIALLY_PAID, BillStatus.PARTIALLY_PAID}


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between the documents. `side`: how an allocation stands to the link that mirrors it."""

    data_type: str
    party: tuple[str, str]  # the member that refers to it, and the data type it names
    tax: Callable[[Any], Decimal]
    due: Callable[[Any], Decimal | None]
    paid_by: str
    side: int
    is_priced: bool  # lines carry a price that was given, not one computed from their net
    due_identity: str
    owed: int  # 1: what is open is owed to the company; -1: by it


def _total_tax(document: Any) -> Decimal:
    return document.total_tax_amount  # type: ignore[no-any-return]  # typed by its struct


def _tax(document: Any) -> Decimal:
    return document.tax_amount  # type: ignore[no-any-return]  # likewise


_KINDS = (
    _Kind(
        data_type="invoices",
        party=("customer_ref", "customers"),
        tax=_total_tax,
        due=lambda one: one.amount_due,
        paid_by="payments",
        side=-1,
        is_priced=True,
        due_identity="C1",
        owed=1,
    ),
    _Kind(
        data_type="creditNotes",
        party=("customer_ref", "customers"),
        tax=_total_tax,
        due=lambda one: one.remaining_credit,
        paid_by="payments",
        side=1,
        is_priced=True,
        due_identity="C2",
        owed=-1,
    ),
    _Kind(
        data_type="bills",
        party=("supplier_ref", "suppliers"),
        tax=_tax,
        due=lambda one: one.amount_due,
        paid_by="billPayments",
        side=-1,
        is_priced=False,
        due_identity="C1",
        owed=-1,
    ),
    _Kind(
        data_type="billCreditNotes",
        party=("supplier_ref", "suppliers"),
        tax=_total_tax,
        due=lambda one: one.remaining_credit,
        paid_by="billPayments",
        side=1,
        is_priced=False,
        due_identity="C2",
        owed=1,
    ),
)


def check_documents(
    stored: Stored,
    facts: SourceFacts,
    findings: Findings,
    targets: Targets,
    settlements: Mapping[str, Pile[Settlement]],
    open_: Open,
) -> None:
    """`settlements`: what payments say they settle, by data type, under each document. What documents leave open is
    told to `open_`."""
    for kind in _KINDS:
        if kind.data_type in targets.read:
            settled = settlements.get(kind.data_type, ())
            _Documents(kind, facts, findings, targets, settled, open_).check(stored)
            continue
        if kind.data_type in settlements:
            targets.pass_by(kind.data_type)
        for code in ("A6", "B2", "B5", kind.due_identity, "C3", "C4", "C7", "C9"):
            findings.skipped(code, f"{kind.data_type} was not read in this sync.")


class _Documents:
    """The documents of one data type."""

    def __init__(
        self,
        kind: _Kind,
        facts: SourceFacts,
        findings: Findings,
        targets: Targets,
        settlements: Iterable[tuple[str, Settlement]],
        open_: Open,
    ) -> None:
        self._open = open_
        self._kind, self._findings, self._targets = kind, findings, targets
        by_document = groupby(settlements, key=lambda one: one[0])
        self._settlements = Beside(((id_, [one for _, one in rows]) for id_, rows in by_document), self._unmet)
        self._told = facts.documents.get(kind.data_type)
        self._is_moving = facts.is_moving
        self._payments_known = kind.paid_by in targets.read
        self._payments_lacking = targets.lacking(kind.paid_by)
        if self._told is None:
            for code in ("A6", "A8", "B5", "C9", "C10"):
                findings.skipped(code, f"What the source says of {kind.data_type} was not read.")

    def check(self, stored: Stored) -> None:
        data_type, findings = self._kind.data_type, self._findings
        beside = Beside(iter(()) if self._told is None else self._told(), self._missed)
        for document in each(stored, data_type, findings):
            row = beside.of(document.id)
            if row is not None and row[1] is None:
                self._unread()
            if row is None and self._told is not None:
                detail = f"{data_type} {document.id}: the source has no such document"
                findings.breach("A6", Fault(data_type, document.id, detail))
            findings.looked("A6", int(self._told is not None))
            self._document(document, row[1] if row is not None else None)
        beside.end()
        self._settlements.end()

    def _missed(self, id_: str, figures: Figures | None) -> None:
        if figures is not None:
            self._findings.looked("A6")
            detail = f"{self._kind.data_type} {id_} is not served, and its source is there"
            left_out = self._targets.left_out(self._kind.data_type)
            self._findings.breach_unless(left_out, "A6", Fault(self._kind.data_type, id_, detail))
        else:
            self._unread()

    def _unread(self) -> None:
        self._findings.skipped("A6", f"Some of what might be {self._kind.data_type} could not be read.")

    def _unmet(self, id_: str, left: list[Settlement]) -> None:
        """What payments say they settle and is not among the living."""
        data_type = self._kind.data_type
        lacking = self._targets.lacking(data_type)
        for payment in (one.payment for one in left):
            if not self._targets.has(data_type, id_):
                detail = f"{self._kind.paid_by} {payment} names {data_type} {id_}, which is not there"
                fault = Fault(self._kind.paid_by, payment, detail)
                absent(data_type, id_, fault, self._findings, self._targets)
                if self._targets.dangles(data_type, id_):
                    continue
            detail = f"{payment} settles {data_type} {id_}, which does not say so"
            self._findings.breach_unless(lacking, "C7", Fault(self._kind.paid_by, payment, detail))

    def _document(self, document: Any, figures: Figures | None) -> None:
        findings, kind = self._findings, self._kind
        data_type, id_, total, tax = kind.data_type, document.id, document.total_amount, kind.tax(document)
        member, to = kind.party
        if (party := getattr(document, member)) is not None:
            refer(data_type, id_, to, party.id, findings, self._targets)
        adds_up(data_type, document, tax, findings, self._targets, is_priced=kind.is_priced)
        if figures is not None:
            as_the_source_says(data_type, document, tax, figures, findings)
        findings.looked("B8")
        if total < 0:
            findings.breach("B8", Fault(data_type, id_, f"{data_type} {id_} has the total {total}"))
        if (in_all := getattr(document, "total_discount", None)) is not None:
            findings.looked("B7")
            given = sum((line.discount_amount or ZERO for line in document.line_items or ()), ZERO)
            percent = document.discount_percentage
            if given != in_all or not (percent is None or 0 <= percent <= 100):
                detail = f"{data_type} {id_} says {in_all}, its lines {given}; {percent} percent"
                findings.breach("B7", Fault(data_type, id_, detail, given, in_all))
        self._settled(document, figures)
        self._mirrored(document)
        if document.status not in _DRAFT:
            named = None if party is None else party.id
            self._open.document(data_type, document, named, kind.owed, kind.due(document), figures)
            self._open.taxed.document(document, tax, kind.owed)

    def _settled(self, document: Any, figures: Figures | None) -> None:
        findings, kind = self._findings, self._kind
        data_type, id_, total = kind.data_type, document.id, document.total_amount
        due, status = kind.due(document), document.status
        withheld = sum((one.amount for one in document.withholding_tax or ()), ZERO)
        allocations = document.payment_allocations or ()
        used = sum((one.allocation.total_amount or ZERO for one in allocations), ZERO)
        # Not told what a payment comes to, or settled by what is no payment: what is open follows from neither.
        is_told = all(one.allocation.total_amount is not None for one in allocations)
        if figures is not None and figures.is_settled_unseen:
            is_told = False
        if due is not None:
            is_draft = status in _DRAFT
            expected = total if is_draft else total - withheld - used
            # What is written off of an invoice is a payment of its own; of a credit nothing bears it. And what was
            # paid beyond a document is not open on it.
            is_let_go = kind.side > 0 and status == DocumentStatus.VOID and not due and expected >= 0
            is_beyond = status in _SETTLED and not due and expected < 0
            findings.looked(kind.due_identity, int(is_told))
            if is_told and ((due != expected and not is_let_go and not is_beyond) or (is_draft and allocations)):
                detail = f"{data_type} {id_}: {expected} should be open, it says {due}"
                fault = Fault(data_type, id_, detail, expected, due)
                findings.breach_if_still(self._is_moving, self._payments_lacking, kind.due_identity, fault)
            findings.looked("C3")
            if not 0 <= due <= total:
                findings.breach("C3", Fault(data_type, id_, f"{data_type} {id_}: {due} of {total}"))
            findings.looked("C4")
            if not _agrees(status, due, total - withheld):
                detail = f"{data_type} {id_} is {status}, with {due} of {total - withheld} open"
                findings.breach("C4", Fault(data_type, id_, detail))
        if figures is None:
            return
        if figures.due is not None:
            findings.looked("C9")
            if due != figures.due:
                detail = f"{data_type} {id_} says {due}, its source {figures.due}"
                findings.breach("C9", Fault(data_type, id_, detail, figures.due, due))
        unit = minor_unit(document.currency)
        if figures.withheld is not None:
            findings.looked("C10")
            if abs(withheld - figures.withheld) > unit * max(figures.withheld_on, 1):  # each line may be rounded
                detail = f"{data_type} {id_}: {withheld} withheld, its rate gives {figures.withheld}"
                findings.breach("C10", Fault(data_type, id_, detail, figures.withheld, withheld))
        if figures.suffered is not None and total != withheld and is_told:
            findings.looked("C10")
            share = rounded(withheld * used / (total - withheld), unit / 100)  # shown as it is judged
            if abs(share - figures.suffered) > unit:
                detail = f"{data_type} {id_}: {share} came due of {withheld}, its source says {figures.suffered}"
                fault = Fault(data_type, id_, detail, figures.suffered, share)
                findings.breach_if_still(self._is_moving, self._payments_lacking, "C10", fault)

    def _mirrored(self, document: Any) -> None:
        kind, findings = self._kind, self._findings
        row = self._settlements.of(document.id)
        told = [] if row is None else row[1]
        for one in document.payment_allocations or ():
            findings.looked("C8")
            if one.allocation.currency != document.currency:
                detail = f"{kind.data_type} {document.id} in {document.currency} is settled in "
                detail += str(one.allocation.currency)
                findings.breach("C8", Fault(kind.data_type, document.id, detail))
            account = one.payment.account_ref
            if account is not None and account.id is not None:
                refer(kind.data_type, document.id, "bankAccounts", account.id, findings, self._targets)
        for settled in told:
            if settled.foreign is not None and settled.foreign == document.currency:
                what = f"{kind.data_type} {document.id}"
                detail = f"{settled.payment} and {what} are both in {settled.foreign}, at a rate"
                findings.breach("C8", Fault(kind.paid_by, settled.payment, detail))
        if not self._payments_known:
            return
        findings.looked("C7")
        own = sorted(
            (one.payment.id, kind.side * (one.allocation.total_amount or ZERO), one.allocation.allocated_on_date or "")
            for one in document.payment_allocations or ()
        )
        theirs = sorted((one.payment, one.amount, one.day or "") for one in told)
        if own != theirs:
            detail = f"{kind.data_type} {document.id} says {_shown(own)}, payments say {_shown(theirs)}"
            findings.breach_unless(self._payments_lacking, "C7", Fault(kind.data_type, document.id, detail))


def _agrees(status: Any, due: Decimal, payable: Decimal) -> bool:
    if status in _SETTLED:
        return not due
    if status in _UNTOUCHED:
        return due == payable
    if status in _PARTLY:
        return 0 < due < payable
    return status in _DRAFT or status in _UNKNOWN


def _shown(settlements: list[tuple[str, Decimal, str]]) -> str:
    return ", ".join(f"{payment}: {amount} on {(day or '?')[:10]}" for payment, amount, day in settlements) or "nothing"

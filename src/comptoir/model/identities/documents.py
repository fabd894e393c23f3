"""Identities B and C: documents add up, and what settles them is told alike on both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from comptoir.model.identities.findings import Figures, Findings, SourceFacts, Stored
from comptoir.model.identities.references import Targets, each, line_refs, refer
from comptoir.model.money import ZERO, minor_unit
from comptoir.model.purchases import BillStatus
from comptoir.model.sales import DocumentStatus

__all__ = ["Settlements", "check_documents"]

_HUNDRED = Decimal(100)
_DRAFT = {DocumentStatus.DRAFT, BillStatus.DRAFT}
_SETTLED = {DocumentStatus.PAID, DocumentStatus.VOID, BillStatus.PAID, BillStatus.VOID}
_UNTOUCHED = {DocumentStatus.SUBMITTED, BillStatus.OPEN}
_PARTLY = {DocumentStatus.PARTIALLY_PAID, BillStatus.PARTIALLY_PAID}


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between the documents. `sides`: how an allocation stands to the link that mirrors it."""

    data_type: str
    party: tuple[str, str]  # the member that refers to it, and the data type it names
    tax: Callable[[Any], Decimal]
    due: Callable[[Any], Decimal | None]
    paid_by: str
    side: int
    is_priced: bool  # lines carry a price that was given, not one computed from their net
    due_identity: str


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
    ),
)
_DIRECT = ("directCosts", "directIncomes")
_LINKS: Mapping[str, Mapping[str, str]] = {
    "payments": {"Invoice": "invoices", "CreditNote": "creditNotes"},
    "billPayments": {"Bill": "bills", "CreditNote": "billCreditNotes"},
}

_Settlement = tuple[str, Decimal, str | None, str | None, Decimal | None]  # payment, amount, day, currency, rate


class Settlements:
    """What payments say they settle, by document; gathered on one walk through all payments, checked on the way."""

    def __init__(self, stored: Stored, findings: Findings, targets: Targets) -> None:
        self.of: dict[tuple[str, str], list[_Settlement]] = {}
        banks = (
            {account.id: account.currency for account in stored.records("bankAccounts")}
            if "bankAccounts" in targets.read
            else {}
        )
        for data_type, party in (("payments", "customer_ref"), ("billPayments", "supplier_ref")):
            if data_type in targets.read:
                for payment in each(stored, data_type, findings):
                    self._payment(data_type, party, payment, banks, findings, targets)
            else:
                for code in ("C5", "C6", "C7", "C8"):
                    findings.skipped(code, f"{data_type} was not read in this sync.")

    def _payment(
        self,
        data_type: str,
        party: str,
        payment: Any,
        banks: Mapping[str, str | None],
        findings: Findings,
        targets: Targets,
    ) -> None:
        id_, unit = payment.id, minor_unit(payment.currency)
        _party(data_type, payment, party, "customers" if party == "customer_ref" else "suppliers", findings, targets)
        account = payment.account_ref
        if account is not None and account.id is not None:
            refer(data_type, id_, "bankAccounts", account.id, findings, targets)
            findings.looked("C8")
            if account.id in banks and banks[account.id] != payment.currency:
                findings.breach("C8", f"{data_type} {id_} is in {payment.currency}, its account in {banks[account.id]}")
        findings.looked("C5")
        lines = payment.lines or ()
        if sum((line.amount for line in lines), ZERO) != payment.total_amount:
            findings.breach("C5", f"{data_type} {id_}: its lines do not add up to {payment.total_amount}")
        links_in_all = ZERO
        for line in lines:
            links = line.links or ()
            rates = [link.currency_rate for link in links]
            moved = sum(((link.amount or ZERO) * (rate or 1) for link, rate in zip(links, rates, strict=True)), ZERO)
            off = abs(line.amount + moved)
            allowed = ZERO if all(rate == 1 for rate in rates) else unit
            if off > allowed and None not in rates:
                findings.breach("C5", f"{data_type} {id_}: a line of {line.amount} is linked for {-moved}")
            for link in links:
                links_in_all += link.amount or ZERO
                self._link(data_type, payment, line, link, findings, targets)
        if not payment.total_amount and account is None:
            findings.looked("C6")
            if links_in_all:
                findings.breach("C6", f"{data_type} {id_} moves {links_in_all}")

    def _link(self, data_type: str, payment: Any, line: Any, link: Any, findings: Findings, targets: Targets) -> None:
        to = _LINKS[data_type].get(link.type.value)
        if to is None or link.id is None:
            return
        refer(data_type, payment.id, to, link.id, findings, targets)
        settlement = (
            payment.id, link.amount or ZERO, line.allocated_on_date, payment.currency, link.currency_rate,
        )  # fmt: skip
        self.of.setdefault((to, link.id), []).append(settlement)


def check_documents(
    stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets, settlements: Settlements
) -> None:
    for kind in _KINDS:
        if kind.data_type not in targets.read:
            for code in ("B2", "B5", kind.due_identity, "C7"):
                findings.skipped(code, f"{kind.data_type} was not read in this sync.")
            continue
        figures = facts.figures.get(kind.data_type, {})
        for document in each(stored, kind.data_type, findings):
            _document(kind, document, figures.get(document.id), findings, targets, settlements)
    for (data_type, id_), left in settlements.of.items():
        if data_type in targets.read:
            for payment, *_ in left:
                findings.breach("C7", f"{payment} settles {data_type} {id_}, which does not say so")
    for data_type in _DIRECT:
        if data_type in targets.read:
            figures = facts.figures.get(data_type, {})
            for record in each(stored, data_type, findings):
                _direct(data_type, record, figures.get(record.id), findings, targets)


def _party(data_type: str, record: Any, member: str, to: str, findings: Findings, targets: Targets) -> None:
    party = getattr(record, member)
    if party is not None:
        refer(data_type, record.id, to, party.id, findings, targets)


def _document(
    kind: _Kind,
    document: Any,
    figures: Figures | None,
    findings: Findings,
    targets: Targets,
    settlements: Settlements,
) -> None:
    data_type, id_, total = kind.data_type, document.id, document.total_amount
    member, to = kind.party
    _party(data_type, document, member, to, findings, targets)
    tax = kind.tax(document)
    _adds_up(data_type, document, tax, kind.is_priced, findings, targets)
    _as_the_source_says(data_type, document, tax, figures, findings)
    findings.looked("B8")
    if total < 0:
        findings.breach("B8", f"{data_type} {id_} has the total {total}")
    if (in_all := getattr(document, "total_discount", None)) is not None:
        findings.looked("B7")
        given = sum((line.discount_amount or ZERO for line in document.line_items or ()), ZERO)
        percent = document.discount_percentage
        if given != in_all or not (percent is None or 0 <= percent <= 100):
            findings.breach("B7", f"{data_type} {id_} says {in_all}, its lines {given}; {percent} percent")
    _settled(kind, document, figures, findings, settlements)


def _adds_up(
    data_type: str, document: Any, tax: Decimal, is_priced: bool, findings: Findings, targets: Targets
) -> None:
    id_, lines, unit = document.id, document.line_items or (), minor_unit(document.currency)
    findings.looked("B2")
    findings.looked("B3")
    count = len(lines)
    for code in ("B1", "B4", "B6"):
        findings.looked(code, count)
    nets = taxes = totals = ZERO
    for place, line in enumerate(lines, 1):
        net, taxed, whole = line.sub_total or ZERO, line.tax_amount or ZERO, line.total_amount or ZERO
        nets += net
        taxes += taxed
        totals += whole
        if whole != net + taxed:
            findings.breach("B1", f"{data_type} {id_} line {place}: {net} and {taxed} are not {whole}")
        priced = line.unit_amount * line.quantity
        if is_priced:
            # A tax line has a price and no net. Lines take part of what the header was rounded by.
            expected, allowed = net if net or not taxed else taxed, 2 * unit
            off = abs(priced - (line.discount_amount or ZERO) - expected)
        else:
            off, allowed = abs(priced - net), unit / 2 * max(abs(line.quantity), 1)
        if off > allowed:
            findings.breach("B4", f"{data_type} {id_} line {place}: {line.quantity} x {line.unit_amount} for {net}")
        ref = line.tax_rate_ref
        rate = ref.effective_tax_rate if ref is not None else None
        if rate is not None and (net or not taxed) and abs(taxed - net * rate / _HUNDRED) > unit:
            findings.breach("B6", f"{data_type} {id_} line {place}: {taxed} on {net} at {rate} percent")
        line_refs(data_type, id_, line.account_ref, ref, line.item_ref, line.tracking_category_refs, findings, targets)
    if lines and (nets != document.sub_total or taxes != tax or totals != document.total_amount):
        findings.breach(
            "B2", f"{data_type} {id_}: {nets} + {taxes} = {totals} in lines, {document.total_amount} in all"
        )
    if document.total_amount != document.sub_total + tax:
        findings.breach("B3", f"{data_type} {id_}: {document.sub_total} and {tax} are not {document.total_amount}")


def _as_the_source_says(
    data_type: str, document: Any, tax: Decimal, figures: Figures | None, findings: Findings
) -> None:
    if figures is None:
        return
    findings.looked("A8")
    findings.looked("B5")
    total = abs(document.total_amount)
    if total != figures.total:
        findings.breach("A8", f"{data_type} {document.id} is {total}, its source {figures.total}")
    said = (total, abs(document.sub_total), abs(tax))
    expected = said
    if figures.net is not None and figures.tax is not None:
        if figures.total == figures.net + figures.tax:
            expected = (figures.total, figures.net, figures.tax)
        elif figures.total == figures.net:  # tax that is told and not charged
            expected = (figures.total, figures.total, ZERO)
    if said != expected:
        shown = " / ".join(map(str, expected))
        findings.breach("B5", f"{data_type} {document.id} is {' / '.join(map(str, said))}, its source {shown}")


def _settled(kind: _Kind, document: Any, figures: Figures | None, findings: Findings, settlements: Settlements) -> None:
    data_type, id_, total = kind.data_type, document.id, document.total_amount
    due, status = kind.due(document), document.status
    allocations = document.payment_allocations or ()
    withheld = sum((one.amount for one in document.withholding_tax or ()), ZERO)
    used = sum((one.allocation.total_amount or ZERO for one in allocations), ZERO)
    findings.looked(kind.due_identity)
    findings.looked("C3")
    findings.looked("C4")
    if due is not None:
        is_draft = status in _DRAFT
        expected = total if is_draft else total - withheld - used
        if due != expected or (is_draft and allocations):
            findings.breach(kind.due_identity, f"{data_type} {id_}: {expected} should be open, it says {due}")
        if not 0 <= due <= total:
            findings.breach("C3", f"{data_type} {id_}: {due} of {total}")
        payable = total - withheld
        if (
            (status in _SETTLED and due)
            or (status in _UNTOUCHED and due != payable)
            or (status in _PARTLY and not 0 < due < payable)
        ):
            findings.breach("C4", f"{data_type} {id_} is {status}, with {due} of {payable} open")
        if figures is not None and figures.due is not None:
            findings.looked("C9")
            if due != figures.due:
                findings.breach("C9", f"{data_type} {id_} says {due}, its source {figures.due}")
    if figures is not None and figures.withheld is not None:
        findings.looked("C10")
        if abs(withheld - figures.withheld) > minor_unit(document.currency):
            findings.breach("C10", f"{data_type} {id_}: {withheld} withheld, its rate gives {figures.withheld}")
    _mirrored(kind, document, findings, settlements)


def _mirrored(kind: _Kind, document: Any, findings: Findings, settlements: Settlements) -> None:
    findings.looked("C7")
    told = settlements.of.pop((kind.data_type, document.id), [])
    own = sorted(
        (one.payment.id, kind.side * (one.allocation.total_amount or ZERO), one.allocation.allocated_on_date)
        for one in document.payment_allocations or ()
    )
    theirs = sorted((payment, amount, day) for payment, amount, day, _, _ in told)
    if own != theirs:
        findings.breach("C7", f"{kind.data_type} {document.id} says {_shown(own)}, payments say {_shown(theirs)}")
    for payment, _, _, currency, rate in told:
        if currency == document.currency and rate not in (None, 1):
            findings.breach("C8", f"{payment} and {kind.data_type} {document.id} are in {currency}, at {rate}")


def _shown(settlements: list[tuple[str, Decimal, str | None]]) -> str:
    return ", ".join(f"{payment}: {amount} on {(day or '?')[:10]}" for payment, amount, day in settlements) or "nothing"


def _direct(data_type: str, record: Any, figures: Figures | None, findings: Findings, targets: Targets) -> None:
    id_, total = record.id, record.total_amount
    _adds_up(data_type, record, record.tax_amount, False, findings, targets)
    _as_the_source_says(data_type, record, record.tax_amount, figures, findings)
    if record.contact_ref is not None:
        refer(data_type, id_, record.contact_ref.data_type, record.contact_ref.id, findings, targets)
    findings.looked("B9")
    amounts = {
        amount
        for one in record.payment_allocations
        for amount in (one.payment.total_amount, one.allocation.total_amount)
    }
    if len(record.line_items) != 1 or len(record.payment_allocations) != 1 or amounts != {total}:
        findings.breach("B9", f"{data_type} {id_} has {len(record.line_items)} lines and payments of {amounts}")
    for one in record.payment_allocations:
        if one.payment.account_ref is not None and one.payment.account_ref.id is not None:
            refer(data_type, id_, "chartOfAccounts", one.payment.account_ref.id, findings, targets)
    if figures is not None and figures.flow is not None:
        findings.looked("D7")
        expected = -figures.flow if data_type == "directCosts" else figures.flow
        if (total > 0) != (expected > 0) or (total < 0) != (expected < 0):
            findings.breach("D7", f"{data_type} {id_} is {total}, the money moved was {figures.flow}")

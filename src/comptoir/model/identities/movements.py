"""Identities of money that moved: payments, spending and income without a document, transfers.

All five data types are walked together in the order of their ids, beside what the source says should be there.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from comptoir.model.identities.beside import Beside
from comptoir.model.identities.control import Open
from comptoir.model.identities.findings import Fault, Figures, Findings, Movement, Pile, SourceFacts, Stored
from comptoir.model.identities.lines import adds_up, as_the_source_says
from comptoir.model.identities.references import Targets, each, peek, refer
from comptoir.model.money import ZERO, minor_unit

__all__ = ["Flow", "Settlement", "Walk"]

_SPEAK_OF: Mapping[str, tuple[str, ...]] = {  # identities that are not wholly looked at without a data type
    "payments": ("A5", "C5", "C6", "C7", "C8"),
    "billPayments": ("A5", "C5", "C7", "C8"),
    "directCosts": ("A5", "B9", "D7"),
    "directIncomes": ("A5", "B9", "D7"),
    "transfers": ("A5", "D6"),
}
_LINKS: Mapping[str, Mapping[str, str]] = {
    "payments": {"Invoice": "invoices", "CreditNote": "creditNotes"},
    "billPayments": {"Bill": "bills", "CreditNote": "billCreditNotes"},
}
_HALF_A_RATE = Decimal("0.0000000005")
_PARTIES = {"payments": ("customer_ref", "customers"), "billPayments": ("supplier_ref", "suppliers")}
_INWARDS = ("payments", "directIncomes")  # positive when money comes in; the others when it goes out

_Row = tuple[str, Movement | None]


class Flow(msgspec.Struct):
    """What moved on the bank accounts of the company's own currency in a month. `is_foreign`: on others too."""

    received: Decimal = ZERO
    spent: Decimal = ZERO
    transferred_in: Decimal = ZERO
    transferred_out: Decimal = ZERO
    is_foreign: bool = False

    def add(self, amount: Decimal, *, is_transfer: bool) -> None:
        if is_transfer:
            self.transferred_in += max(amount, ZERO)
            self.transferred_out -= min(amount, ZERO)
        elif amount > 0:
            self.received += amount
        else:
            self.spent -= amount


class Settlement(msgspec.Struct, frozen=True, array_like=True):
    """What a payment says it settled of a document. `foreign` is its currency, where a rate says that the document is
    in another."""

    payment: str
    amount: Decimal
    day: str | None
    foreign: str | None


class Walk:
    """One walk through all that moved. Afterwards `settlements` tells by data type, under each document, what payments
    say they settle, `to_review` has the bank lines that wait for somebody to look at them, `moved` is what each data
    type moved on each bank account, in positive, None where a record does not say, and `flows` what moved in each
    month."""

    def __init__(self, stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets, open_: Open) -> None:
        self._findings, self._targets, self._open = findings, targets, open_
        self._pile = stored.pile
        self.settlements: dict[str, Pile[Settlement]] = {}
        self.to_review = stored.pile(str)
        self.moved: dict[tuple[str, str], Decimal | None] = {}
        self.flows: dict[str, Flow] = defaultdict(Flow)
        read = [data_type for data_type in _SPEAK_OF if data_type in targets.read]
        for data_type, codes in _SPEAK_OF.items():
            for code in codes if data_type not in read else ():
                findings.skipped(code, f"{data_type} was not read in this sync.")
        if facts.movements is None:
            for code in ("A5", "A8", "D7"):
                findings.skipped(code, "What the bank's lines are for was not read from the source.")
        if "bankAccounts" not in targets.read:
            findings.skipped("C8", "bankAccounts was not read in this sync.")
        self._currencies: Mapping[str, str | None] = {
            account.id: account.currency
            for account in (peek(stored, "bankAccounts") if "bankAccounts" in targets.read else ())
        }
        self._served = _Served(
            stored.pile(_Seen),
            facts,
            findings,
            judges=len(read) == len(_SPEAK_OF),
            left_out=targets.left_out(*_SPEAK_OF),
        )
        beside = Beside(iter(()) if facts.movements is None else facts.movements(), self._missed)
        streams = [
            _of_type(place, data_type, each(stored, data_type, findings)) for place, data_type in enumerate(read)
        ]
        for id_, group in groupby(heapq.merge(*streams), key=lambda one: one[0]):
            row = beside.of(id_)
            movement = self._seen(row)
            names = []
            for _, _, data_type, record in group:
                names.append(data_type)
                self._check(data_type, record, movement)
            self._served.met(id_, row, names)
        beside.end()
        self._served.end()
        if len(read) < len(_SPEAK_OF):
            self.flows.clear()  # of some of what moved

    def _seen(self, row: _Row | None) -> Movement | None:
        movement = row[1] if row is not None else None
        if movement is not None and movement.to_review is not None:
            self.to_review.put(movement.to_review, "")
        return movement

    def _missed(self, id_: str, movement: Movement | None) -> None:
        self._served.met(id_, (id_, self._seen((id_, movement))), [])

    def _check(self, data_type: str, record: Any, movement: Movement | None) -> None:
        if data_type in _PARTIES:
            self._payment(data_type, record)
        elif data_type == "transfers":
            self._transfer(record)
        else:
            self._direct(data_type, record, movement)
        if movement is not None and data_type in _PARTIES:
            self._findings.looked("A8")
            paid = movement.amount if data_type in _INWARDS else -movement.amount
            if record.total_amount != paid:
                detail = f"{data_type} {record.id} is {record.total_amount}, its source {paid}"
                self._findings.breach("A8", Fault(data_type, record.id, detail, paid, record.total_amount))

    def _move(self, data_type: str, account: str | None, amount: Decimal | None, day: str | None) -> None:
        """Money moved on an account; of those that are no bank accounts nobody asks."""
        if account is None or account not in self._currencies:
            return
        before = self.moved.get((account, data_type), ZERO)
        self.moved[account, data_type] = None if before is None or amount is None else before + amount
        flow = self.flows[(day or "")[:7]]
        if amount is None or self._currencies[account] != self._open.base:
            flow.is_foreign = True
        else:
            flow.add(amount, is_transfer=data_type == "transfers")

    # Payments

    def _payment(self, data_type: str, payment: Any) -> None:
        findings, id_, unit = self._findings, payment.id, minor_unit(payment.currency)
        member, parties = _PARTIES[data_type]
        party = getattr(payment, member)
        if party is not None:
            refer(data_type, id_, parties, party.id, findings, self._targets)
        account = payment.account_ref
        if account is not None and account.id is not None:
            refer(data_type, id_, "bankAccounts", account.id, findings, self._targets)
            paid = payment.total_amount * (1 if data_type in _INWARDS else -1)
            self._move(data_type, account.id, paid, payment.date)
            findings.looked("C8")
            held_in = self._currencies.get(account.id, payment.currency)
            if held_in != payment.currency:
                detail = f"{data_type} {id_} is in {payment.currency}, its account in {held_in}"
                findings.breach("C8", Fault(data_type, id_, detail))
        findings.looked("C5")
        lines = payment.lines or ()
        if (added := sum((line.amount for line in lines), ZERO)) != payment.total_amount:
            detail = f"{data_type} {id_}: its lines do not add up to {payment.total_amount}"
            findings.breach("C5", Fault(data_type, id_, detail, added, payment.total_amount))
        in_all = ZERO
        for line in lines:
            in_all += self._links(data_type, payment, line, unit)
        if not payment.total_amount and account is None:
            findings.looked("C6")
            if in_all:
                findings.breach("C6", Fault(data_type, id_, f"{data_type} {id_} moves {in_all}", ZERO, in_all))

    def _links(self, data_type: str, payment: Any, line: Any, unit: Decimal) -> Decimal:
        """Follow the links of a line; what they come to."""
        moved, in_all, off, is_told = ZERO, ZERO, ZERO, True
        for link in line.links or ():
            amount, rate = link.amount or ZERO, link.currency_rate
            is_told = is_told and link.amount is not None
            if rate is None and amount:
                detail = f"{data_type} {payment.id}: a link of {amount} has no rate"
                self._findings.breach("C5", Fault(data_type, payment.id, detail))
            in_all += amount
            moved += amount * (rate or 1)
            if rate not in (None, 1):
                off += unit + abs(amount) * _HALF_A_RATE  # a rate is rounded, however large what it is applied to
            if link.type.value == "PaymentOnAccount":
                party = getattr(payment, _PARTIES[data_type][0])
                self._open.on_account(data_type, payment, link, None if party is None else party.id)
            to = _LINKS[data_type].get(link.type.value)
            if to is None or link.id is None:
                continue
            self._findings.looked("A3")
            foreign = None if rate in (None, 1) else payment.currency
            if to not in self.settlements:
                self.settlements[to] = self._pile(Settlement)
            self.settlements[to].put(link.id, Settlement(payment.id, amount, line.allocated_on_date, foreign))
        if is_told and abs(line.amount + moved) > off:
            detail = f"{data_type} {payment.id}: a line of {line.amount} is linked for {-moved}"
            self._findings.breach("C5", Fault(data_type, payment.id, detail, line.amount, -moved))
        return in_all

    # Spending and income without a document

    def _direct(self, data_type: str, record: Any, movement: Movement | None) -> None:
        findings, id_, total = self._findings, record.id, record.total_amount
        adds_up(data_type, record, record.tax_amount, findings, self._targets, is_priced=False)
        if record.contact_ref is not None:
            refer(data_type, id_, record.contact_ref.data_type, record.contact_ref.id, findings, self._targets)
        findings.looked("B9")
        payments = [one.payment for one in record.payment_allocations]
        amounts = [payment.total_amount for payment in payments]
        amounts += [one.allocation.total_amount for one in record.payment_allocations]
        if len(record.line_items) != 1 or len(payments) != 1 or any(amount != total for amount in amounts):
            shown = ", ".join(sorted(map(str, set(amounts)))) or "nothing"
            detail = f"{data_type} {id_} of {total} has {len(record.line_items)} lines and payments of {shown}"
            findings.breach("B9", Fault(data_type, id_, detail))
        out = 1 if data_type == "directCosts" else -1
        self._open.taxed.direct(record, out)
        for line in record.line_items:
            self._open.post(record, line.account_ref.id if line.account_ref else None, out * (line.sub_total or ZERO))
        for payment in payments:
            findings.looked("A3")
            if payment.id != id_:
                detail = f"{data_type} {id_} names {payment.id} as its payment, not itself"
                findings.breach("A3", Fault(data_type, id_, detail))
            if payment.account_ref is not None and payment.account_ref.id is not None:
                refer(data_type, id_, "chartOfAccounts", payment.account_ref.id, findings, self._targets)
                self._open.post(record, payment.account_ref.id, -out * total)
                self._move(data_type, payment.account_ref.id, -out * total, record.issue_date)
        if movement is None:
            return
        figures = Figures(abs(movement.amount))
        if movement.tax is not None:
            figures = Figures(figures.total, abs(movement.amount - movement.tax), abs(movement.tax))
        as_the_source_says(data_type, record, record.tax_amount, figures, findings)
        findings.looked("D7")
        flow = movement.amount if data_type in _INWARDS else -movement.amount
        if (total > 0) != (flow > 0) or (total < 0) != (flow < 0):
            detail = f"{data_type} {id_} is {total}, the money moved was {movement.amount}"
            findings.breach("D7", Fault(data_type, id_, detail))

    # Between bank accounts

    def _transfer(self, transfer: Any) -> None:
        self._findings.looked("D6")
        from_, to = transfer.from_, transfer.to
        for side in (from_, to):
            ref = side.account_ref
            refer("transfers", transfer.id, ref.data_type, ref.id, self._findings, self._targets)
        out, into = from_.amount, to.amount
        self._move("transfers", from_.account_ref.id, None if out is None else -out, transfer.date)
        self._move("transfers", to.account_ref.id, into, transfer.date)
        if (
            (out is not None and out <= 0)
            or (into is not None and into <= 0)
            or from_.account_ref.id == to.account_ref.id
            or (from_.currency == to.currency and (out is None or out != into))
        ):
            shown = f"{out} {from_.currency} to {into} {to.currency}"
            detail = f"transfer {transfer.id} from {from_.account_ref.id}: {shown}"
            self._findings.breach("D6", Fault("transfers", transfer.id, detail))


def _of_type(place: int, data_type: str, records: Iterator[Any]) -> Iterator[tuple[str, int, str, Any]]:
    for record in records:
        yield record.id, place, data_type, record


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    """Of one number, what was seen: that a transfer is served under it, a lone one if no movement has it; the amount of
    its movement; or the movement `of` which it is the other side, with its amount and how often it is served."""

    of: str | None = None
    amount: Decimal | None = None
    times: int = 0
    is_lone: bool = False


def _moves(amount: Decimal | None, other: Decimal | None) -> bool:
    """Whether movements of these amounts can be the sides of one transfer; what the other one moved may be unknown."""
    return bool(amount) and (other is None or other * (amount or ZERO) < 0)


class _Served:
    """A5: each movement is served once; the two of a transfer are served by one record, under either's id."""

    def __init__(
        self, seen: Pile[_Seen], facts: SourceFacts, findings: Findings, *, judges: bool, left_out: str | None
    ) -> None:
        self._seen, self._facts, self._findings, self._left_out = seen, facts, findings, left_out
        self._judges = judges and facts.movements is not None
        self._unreadable = 0

    def met(self, id_: str, row: _Row | None, data_types: list[str]) -> None:
        """A movement, or records without one, in the order of ids."""
        if not self._judges:
            return
        if "transfers" in data_types:
            self._seen.put(id_, _Seen(is_lone=row is None and data_types == ["transfers"]))
        if row is None:
            if data_types != ["transfers"] and self._facts.is_movement(id_):
                detail = f"{' and '.join(data_types)} {id_}: there is no such movement"
                self._findings.breach("A5", Fault(data_types[0], id_, detail))
            return
        if (movement := row[1]) is None:
            self._unreadable += 1  # what is served of it is as it was before
            return
        self._findings.looked("A5")
        if movement.other_side is not None:
            self._seen.put(id_, _Seen(amount=movement.amount))
            self._seen.put(movement.other_side, _Seen(id_, movement.amount, len(data_types)))
        elif len(data_types) != 1:
            self._wrong(id_, len(data_types), next(iter(data_types), ""))

    def end(self) -> None:
        if self._unreadable:
            self._findings.skipped("A5", f"{self._unreadable} movements could not be read, and were set aside.")
        for id_, rows in groupby(self._seen, key=lambda one: one[0]):
            self._pair(id_, [row for _, row in rows])

    def _pair(self, id_: str, seen: list[_Seen]) -> None:
        """All that was seen of one number: its own movement, the transfer under it, and those that name it."""
        sides = [one for one in seen if one.of is not None]
        of_transfers = [one for one in seen if one.amount is None]
        amount = next((one.amount for one in seen if one.of is None and one.amount is not None), None)
        for side in sides:
            served = side.times + bool(of_transfers)
            if not served and not _moves(side.amount, amount):
                self._findings.skipped("A5", "Some transfers move nothing, or both sides the same way: not served.")
            elif served != 1:
                self._wrong(side.of or "", served)
        if not sides and any(one.is_lone for one in of_transfers):
            self._findings.breach("A5", Fault("transfers", id_, f"transfers {id_}: there is no such movement"))

    def _wrong(self, id_: str, times: int, data_type: str = "") -> None:
        fault = Fault(data_type, id_, f"movement {id_} is served {times} times")
        self._findings.breach_unless(None if times else self._left_out, "A5", fault)

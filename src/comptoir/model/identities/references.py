"""Identities A of every record: its shape, its id, what it names."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Set
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from comptoir.model import SHAPES
from comptoir.model.identities.findings import Fault, Findings, Stored
from comptoir.model.records import decoder, encode

__all__ = ["Targets", "absent", "check_lists", "check_outlived", "each", "line_refs", "peek", "refer"]

_MOST_LOOKED_UP = 200
_AT_ONCE, _MOST_MET = 1000, 10_000  # references that are looked up together, and targets that are remembered
_SAFE = re.compile(r"[A-Za-z0-9._-]+")
# Where references lead that say no data type.
_ACCOUNTS, _BANKS, _RATES, _ITEMS, _TRACKING, _CUSTOMERS = (
    "chartOfAccounts", "bankAccounts", "taxRates", "items", "trackingCategories", "customers",
)  # fmt: skip


class Targets:
    """Which ids there are, looked up by whoever follows a reference: many together, and only the last ones met are
    remembered, so that books of any size fit."""

    def __init__(self, stored: Stored, lists: Callable[[str, str], bool] = lambda *_: True) -> None:
        self._stored = stored
        self._lists = lists
        self._unlisted: dict[tuple[str, str], bool] = {}
        self.read = set(stored.data_types())
        self._met: dict[str, set[str]] = defaultdict(set)
        self._waiting: dict[str, list[tuple[str, str, str]]] = defaultdict(list)  # target, and who names it
        self._unread: set[str] = set()

    def has(self, data_type: str, id_: str) -> bool:
        """Whether a record is there; said of every record of a data type that was not read with the others."""
        if data_type not in self.read:
            self.pass_by(data_type)
            return True
        return id_ in self._met[data_type] or bool(self._look_up(data_type, {id_}))

    def follow(self, data_type: str, id_: str, to: str, target: str, findings: Findings) -> None:
        """Have it looked up whether the record that this one names is there: in time, with others."""
        if target in self._met[to]:
            return
        if to not in self.read:
            self.pass_by(to)
            return
        waiting = self._waiting[to]
        waiting.append((target, data_type, id_))
        if len(waiting) == _AT_ONCE:
            self._follow(to, findings)

    def follow_all(self, findings: Findings) -> None:
        """Look up what still waits; nothing is said of a reference before."""
        for to in sorted(self._waiting):
            self._follow(to, findings)

    def _follow(self, to: str, findings: Findings) -> None:
        waiting = self._waiting.pop(to)
        found = self._look_up(to, {target for target, _, _ in waiting})
        for target, data_type, id_ in waiting:
            if target not in found:
                fault = Fault(data_type, id_, f"{data_type} {id_} names {to} {target}, which is not there")
                absent(to, target, fault, findings, self)

    def _look_up(self, data_type: str, ids: Set[str]) -> Set[str]:
        found = self._stored.present(data_type, ids)
        met = self._met[data_type]
        if len(met) > _MOST_MET:
            met.clear()
        met |= found
        return found

    def dangles(self, data_type: str, id_: str) -> bool:
        """Whether the source itself names a record that it does not have."""
        key = (data_type, id_)
        if key not in self._unlisted:
            if len(self._unlisted) >= _MOST_LOOKED_UP:  # each look goes through the source's whole list
                return False
            self._unlisted[key] = not self._lists(data_type, id_)
        return self._unlisted[key]

    def pass_by(self, data_type: str) -> None:
        """References lead to this data type, and it was not read with the others."""
        self._unread.add(data_type)

    def read_earlier(self, data_type: str) -> datetime | None:
        """When a data type that was not read with the others was read last; None if it was, or never was."""
        return None if data_type in self.read else self._stored.read_earlier(data_type)

    def reaches(self, data_type: str) -> bool:
        """Whether a data type was read whole, with the others or earlier."""
        return data_type in self.read or self.read_earlier(data_type) is not None

    def earlier(self, *data_types: str) -> str | None:
        """Why what is told of one of these may not be so any more."""
        for data_type in data_types:
            if (moment := self.read_earlier(data_type)) is not None:
                return f"{data_type} was read last at {moment:%Y-%m-%d %H:%M} UTC, and things have moved since."
        return None

    def lacking(self, *data_types: str) -> str | None:
        """Why what is told of one of these may not be all there is."""
        return next((why for data_type in data_types if (why := self._stored.lacking(data_type))), None)

    def left_out(self, *data_types: str) -> str | None:
        """Why some of these are not held on purpose."""
        return next((why for data_type in data_types if (why := self._stored.left_out(data_type))), None)

    @property
    def not_followed(self) -> Set[str]:
        """Data types that references lead to and that were not read with the others."""
        return self._unread


def each(stored: Stored, data_type: str, findings: Findings) -> Iterator[Any]:
    """The live records of a data type, by id; one without its shape is a breach, and left out."""
    count, last = 0, ""
    decode = decoder(SHAPES[data_type].struct).decode
    for id_, document in stored.documents(data_type):
        count += 1
        try:
            record = decode(document)
        except msgspec.DecodeError as error:
            findings.breach("A7", Fault(data_type, id_, f"{data_type} {id_} cannot be read: {error}"))
            continue
        own = getattr(record, "id", id_)
        if own != id_ or id_ <= last:
            detail = f"{data_type} {id_} calls itself {own}, after {last or 'nothing'}"
            findings.breach("A1", Fault(data_type, id_, detail))
        if not _SAFE.fullmatch(id_):
            findings.breach("A1", Fault(data_type, id_, f"{data_type} {id_!r} cannot stand in a path"))
        if encode(record) != document:
            _otherwise(data_type, id_, document, record, findings)
        last = id_
        yield record
    for code in ("A1", "A2", "A7", "A9", "A10"):
        findings.looked(code, count)


def peek(stored: Stored, data_type: str) -> Iterator[Any]:
    """Likewise, without a judgement: for those whose turn comes later."""
    decode = decoder(SHAPES[data_type].struct).decode
    for _, document in stored.documents(data_type):
        with contextlib.suppress(msgspec.DecodeError):
            yield decode(document)


def _otherwise(data_type: str, id_: str, document: bytes, record: Any, findings: Findings) -> None:
    """A document that is not what its record is written as: has it more to say, or the same in other words?"""
    if _exact(document) == _exact(encode(record)):
        findings.breach("A2", Fault(data_type, id_, f"{data_type} {id_} would be written in another way"))
    else:
        detail = f"{data_type} {id_} holds what its data type has no member for"
        findings.breach("A7", Fault(data_type, id_, detail))


def _exact(document: bytes) -> Any:
    return msgspec.json.Decoder(float_hook=Decimal).decode(document)


def check_lists(stored: Stored, findings: Findings, targets: Targets) -> None:
    """The data types that neither documents nor movements have walked through."""
    for data_type in ("company", _CUSTOMERS, "suppliers", _RATES, "journals"):
        if data_type in targets.read:
            for _ in each(stored, data_type, findings):
                pass
    if _ITEMS in targets.read:
        for item in each(stored, _ITEMS, findings):
            for part in (item.invoice_item, item.bill_item):
                if part is not None:
                    _named(_ITEMS, item.id, _ACCOUNTS, part.account_ref, findings, targets)
                    _named(_ITEMS, item.id, _RATES, part.tax_rate_ref, findings, targets)
    if _TRACKING in targets.read:
        for category in each(stored, _TRACKING, findings):
            if category.parent_id is not None:
                refer(_TRACKING, category.id, _TRACKING, category.parent_id, findings, targets)
    _banks_are_accounts(stored, findings, targets)
    for data_type in sorted(targets.not_followed):
        findings.skipped("A3", f"References to {data_type} were not followed: it was not read in this sync.")


def check_outlived(stored: Stored, findings: Findings, targets: Targets) -> None:
    """A9; what is derived from several records, such as an account, may outlive one of them."""
    for data_type in sorted(targets.read):
        for id_ in stored.outlived(data_type):
            detail = f"{data_type} {id_} is served, and was deleted at the source"
            findings.breach("A9", Fault(data_type, id_, detail))


def refer(data_type: str, id_: str, to: str, target: str, findings: Findings, targets: Targets) -> None:
    """Follow one reference."""
    findings.looked("A3")
    targets.follow(data_type, id_, to, target, findings)


def absent(to: str, target: str, fault: Fault, findings: Findings, targets: Targets) -> None:
    """A reference that leads nowhere: a breach, unless we know that we lack some, or the source has no such record."""
    lacking = targets.lacking(to)
    if lacking is None and targets.dangles(to, target):
        lacking = f"Some references name {to} that the source itself does not list."
    findings.breach_unless(lacking, "A3", fault)


def _named(data_type: str, id_: str, to: str, ref: Any, findings: Findings, targets: Targets) -> None:
    if ref is not None and ref.id is not None:
        refer(data_type, id_, to, ref.id, findings, targets)


def line_refs(data_type: str, id_: str, line: Any, findings: Findings, targets: Targets) -> None:
    """Follow the references of a line."""
    _named(data_type, id_, _ACCOUNTS, line.account_ref, findings, targets)
    _named(data_type, id_, _RATES, line.tax_rate_ref, findings, targets)
    _named(data_type, id_, _ITEMS, line.item_ref, findings, targets)
    for category in line.tracking_category_refs or ():
        refer(data_type, id_, _TRACKING, category.id, findings, targets)
    tracking = line.tracking
    if tracking is None:
        return
    for category in getattr(tracking, "category_refs", ()):
        refer(data_type, id_, _TRACKING, category.id, findings, targets)
    _named(data_type, id_, _TRACKING, getattr(tracking, "project_ref", None), findings, targets)
    _named(data_type, id_, _CUSTOMERS, getattr(tracking, "customer_ref", None), findings, targets)
    for ref in (*getattr(tracking, "record_refs", ()), getattr(tracking, "invoice_to", None)):
        if ref is not None:
            refer(data_type, id_, ref.data_type, ref.id, findings, targets)


def _banks_are_accounts(stored: Stored, findings: Findings, targets: Targets) -> None:
    if not {_ACCOUNTS, _BANKS} <= targets.read:
        findings.skipped("A4", f"{_ACCOUNTS} and {_BANKS} were not both read in this sync.")
        for data_type in {_ACCOUNTS, _BANKS} & targets.read:
            for _ in each(stored, data_type, findings):
                pass
        return
    marked = {account.id for account in each(stored, _ACCOUNTS, findings) if account.is_bank_account}
    banks = {account.id for account in each(stored, _BANKS, findings)}
    lacking = targets.lacking(_ACCOUNTS, _BANKS)
    findings.looked("A4", len(marked | banks))
    for id_ in sorted(banks - marked):
        fault = Fault(_BANKS, id_, f"bank account {id_} is not among the accounts as one")
        findings.breach_unless(lacking, "A4", fault)
    for id_ in sorted(marked - banks):
        fault = Fault(_ACCOUNTS, id_, f"account {id_} is marked as a bank account, and is none")
        findings.breach_unless(lacking, "A4", fault)

"""Identities A: shape, ids, references, and that everything is served once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from typing import Any

import msgspec

from comptoir.model.identities.findings import Findings, Once, SourceFacts, Stored
from comptoir.model.records import encode

__all__ = ["Targets", "check_references", "each", "line_refs", "refer"]

_SAFE = re.compile(r"[A-Za-z0-9._-]+")
_READ_BACK = 1000  # records of a data type that are written again
# Where references lead that say no data type.
_ACCOUNTS, _BANKS, _RATES, _ITEMS, _TRACKING = (
    "chartOfAccounts", "bankAccounts", "taxRates", "items", "trackingCategories",
)  # fmt: skip


class Targets:
    """Which ids there are, looked up by whoever follows a reference."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.read = set(stored.data_types())
        self._ids: dict[str, Set[str]] = {}
        self._unread: set[str] = set()

    def ids(self, data_type: str) -> Set[str]:
        found = self._ids.get(data_type)
        if found is None:
            found = self._ids[data_type] = self._stored.ids(data_type)
        return found

    def live(self, data_type: str) -> Set[str]:
        return self._stored.ids(data_type, live=True)

    def has(self, data_type: str, id_: str) -> bool:
        """Whether a record is there; said of every record of a data type that was not read with the others."""
        if data_type not in self.read:
            self._unread.add(data_type)
            return True
        return id_ in self.ids(data_type)

    @property
    def not_followed(self) -> Set[str]:
        """Data types that references lead to and that were not read with the others."""
        return self._unread


def each(stored: Stored, data_type: str, findings: Findings) -> Iterator[Any]:
    """The live records of a data type; one without its shape is a breach, and ends them."""
    count = 0
    try:
        for record in stored.records(data_type):
            count += 1
            if count <= _READ_BACK:
                _read_back(data_type, record, findings)
            yield record
    except msgspec.DecodeError as error:
        findings.breach("A7", f"{data_type}: after {count} records one cannot be read: {error}")
    findings.looked("A7", count)


def _read_back(data_type: str, record: Any, findings: Findings) -> None:
    findings.looked("A2")
    document = encode(record)
    if encode(msgspec.json.decode(document, type=type(record))) != document:
        findings.breach("A2", f"{data_type} {getattr(record, 'id', '')}")


def check_references(stored: Stored, facts: SourceFacts, findings: Findings, targets: Targets) -> None:
    """What the walks through documents and banks have left: ids, the other data types, and what is served once."""
    for data_type in sorted(targets.read - {"company"}):
        ids = targets.ids(data_type)
        findings.looked("A1", len(ids))
        for id_ in ids:
            if not _SAFE.fullmatch(id_):
                findings.breach("A1", f"{data_type} {id_!r} cannot stand in a path")
    _others(stored, findings, targets)
    _banks_are_accounts(stored, findings, targets)
    for once in facts.once:
        _once(once, findings, targets)
    if not any(once.code == "A5" for once in facts.once):
        findings.skipped("A5", "Explanations of bank movements were not read in this sync.")
    if not any(once.code == "A6" for once in facts.once):
        findings.skipped("A6", "Bills and invoices were not read in this sync.")
    for data_type in sorted(targets.not_followed):
        findings.skipped("A3", f"References to {data_type} were not followed: it was not read in this sync.")


def _others(stored: Stored, findings: Findings, targets: Targets) -> None:
    for data_type in ("company", "customers", "suppliers", _RATES):
        if data_type in targets.read:
            for _ in each(stored, data_type, findings):
                pass
    if _ITEMS in targets.read:
        for item in each(stored, _ITEMS, findings):
            for part in (item.invoice_item, item.bill_item):
                if part is not None:
                    line_refs("items", item.id, part.account_ref, part.tax_rate_ref, None, None, findings, targets)
    if _TRACKING in targets.read:
        for category in each(stored, _TRACKING, findings):
            if category.parent_id is not None:
                refer(_TRACKING, category.id, _TRACKING, category.parent_id, findings, targets)


def refer(data_type: str, id_: str, to: str, target: str, findings: Findings, targets: Targets) -> None:
    """Follow one reference."""
    findings.looked("A3")
    if not targets.has(to, target):
        findings.breach("A3", f"{data_type} {id_} names {to} {target}, which is not there")


def line_refs(
    data_type: str,
    id_: str,
    account: Any,
    rate: Any,
    item: Any,
    tracking: Any,
    findings: Findings,
    targets: Targets,
) -> None:
    """Follow the references of a line."""
    if account is not None and account.id is not None:
        refer(data_type, id_, _ACCOUNTS, account.id, findings, targets)
    if rate is not None and rate.id is not None:
        refer(data_type, id_, _RATES, rate.id, findings, targets)
    if item is not None:
        refer(data_type, id_, _ITEMS, item.id, findings, targets)
    for category in tracking or ():
        refer(data_type, id_, _TRACKING, category.id, findings, targets)


def _banks_are_accounts(stored: Stored, findings: Findings, targets: Targets) -> None:
    if not {_ACCOUNTS, _BANKS} <= targets.read:
        findings.skipped("A4", "Accounts and bank accounts were not both read in this sync.")
        for data_type in {_ACCOUNTS, _BANKS} & targets.read:
            for _ in each(stored, data_type, findings):
                pass
        return
    marked = {account.id for account in each(stored, _ACCOUNTS, findings) if account.is_bank_account}
    banks = {account.id for account in each(stored, _BANKS, findings)}
    findings.looked("A4", len(marked | banks))
    for id_ in sorted(banks - marked):
        findings.breach("A4", f"bank account {id_} is not among the accounts as one")
    for id_ in sorted(marked - banks):
        findings.breach("A4", f"account {id_} is marked as a bank account, and is none")


def _once(once: Once, findings: Findings, targets: Targets) -> None:
    missing_types = once.origin.keys() - targets.read
    if missing_types:
        findings.skipped(once.code, f"{', '.join(sorted(missing_types))} was not read in this sync.")
        return
    served: Counter[str] = Counter()
    for data_type, origin in once.origin.items():
        for id_ in targets.live(data_type):
            if (source := origin(id_)) is not None:
                served[source] += 1
                if data_type == once.both_sides and (other := once.other_side.get(source)) is not None:
                    served[other] += 1
    findings.looked(once.code, len(once.ids))
    for id_ in once.ids:
        if (times := served.pop(id_, 0)) != 1:
            findings.breach(once.code, f"{once.words} {id_} is served {times} times")
    for id_ in served:
        findings.breach(once.code, f"{once.words} {id_} is served, and is not there")

"""The books check: the identities of accounting, run over what is stored and the upstream's own figures.

It reports and never hinders: a breach is shown with the sync, and the records are served all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Set
from datetime import datetime
from typing import TypeVar

import msgspec

from comptoir.integrations.contract import Integration, RawRow, Resource
from comptoir.model.identities import MOVED, Line, Redated, check
from comptoir.store import (
    ConnectionId,
    Database,
    SyncId,
    TenantId,
    datasets,
    mappings,
    originals,
    raw,
    records,
    rereads,
    syncs,
)
from comptoir.store.datasets import Status, Warning_
from comptoir.store.pile import Pile
from comptoir.sync.outcomes import COMPLETE, NOT_SUPPORTED

__all__ = ["Line", "Report", "is_of_the_check", "run", "warnings_of"]

# A data type that was mapped in this sync, up to the end of which it is checked.
_MAPPED = (Status.VALIDATION_QUEUED, Status.VALIDATING, Status.COMPLETE)
_RULE = "books-check-"  # before the code of an identity
_BATCH = 1000
_T = TypeVar("_T")


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of all identities; `breaches` counts the records that breach one.

    `checked_at` is when they were held against the books; `basis` what for: the day, the data types that were read, and
    what could not be. A report that says `stands` was taken over from the sync before: nothing had changed since.
    """

    breaches: int
    lines: tuple[Line, ...]
    checked_at: datetime | None = None
    basis: tuple[str, ...] = ()
    stands: bool = False

    def may_stand_on(self, basis: tuple[str, ...]) -> bool:
        """What was left to the next reading, that reading must tell."""
        return self.basis == basis and not any(MOVED in line.reasons for line in self.lines)

    @staticmethod
    def decode(stored: bytes) -> Report:
        """A report as it is kept with its sync."""
        return msgspec.json.decode(stored, type=Report)


def warnings_of(report: Report, data_type: str) -> tuple[Warning_, ...]:
    """What the check found in one data type, as findings of its read."""
    return tuple(
        Warning_(item_id=fault.id, message=fault.detail, rule_id=_RULE + line.code, validator_name="BooksCheck")
        for line in report.lines
        for fault in line.faults
        if fault.data_type == data_type
    )


def is_of_the_check(warning: Warning_) -> bool:
    return warning.rule_id.startswith(_RULE)


def run(
    db: Database,
    integration: Integration,
    tenant: TenantId,
    connection: ConnectionId,
    sync: SyncId,
    *,
    now: datetime,
    may_stand: bool = False,
) -> Report:
    """Check what a sync has read; records are streamed, of most only what others refer to stays in memory.

    Data types it did not read are left out: they show the books as they were at another time. `may_stand`: the sync
    found nothing new, changed, gone or unreadable. Then the report of the sync before stands, if it has the same basis:
    a check is a function of nothing else.
    """
    stored = _Stored(db, integration, tenant, connection, sync, now)
    if may_stand and (before := stored.report_before()) is not None and before.may_stand_on(stored.basis):
        return msgspec.structs.replace(before, stands=True)
    lines = check(stored, integration.facts(stored))
    return Report(breaches=sum(line.breaches for line in lines), lines=lines, checked_at=now, basis=stored.basis)


class _Stored:
    """The books of one connection as far as one sync has read them, mapped and raw.

    Each batch has a view of the database of its own: nobody else changes this connection's rows, and one view for all
    would keep SQLite from writing its log back.
    """

    def __init__(
        self,
        db: Database,
        integration: Integration,
        tenant: TenantId,
        connection: ConnectionId,
        sync: SyncId,
        now: datetime,
    ) -> None:
        self._db, self._integration, self._tenant, self._connection = db, integration, tenant, connection
        self._now = now
        with db.read() as tx:
            newest = datasets.newest_of(tx, tenant, connection).values()
            reads = syncs.reads(tx, tenant, connection).values()
            unfiled, aside = raw.aside(tx, tenant, connection, sync), mappings.aside(tx, tenant, connection)
            running = syncs.active(tx, tenant, connection)
            before = syncs.latest(tx, tenant, connection)
            held = mappings.of(tx, tenant, connection)
        self._begun_at = running.started if running is not None else None
        self._before = before
        self._read = sorted(one.data_type for one in newest if one.sync_id == sync and one.status in _MAPPED)
        outcomes = {one.resource: one.outcome for one in reads if one.sync_id == sync}
        lacking = sorted(f"{resource}: {outcome}" for resource, outcome in outcomes.items() if outcome != COMPLETE)
        day = "" if running is None else running.started.date().isoformat()
        # A remap changes records, and is no sync.
        made_by = sorted(
            f"{name}: {one.version} {one.history_from}" for name, one in held.items() if name in self._read
        )
        self._history_from = {name: one.history_from for name, one in held.items() if one.history_from is not None}
        # What an earlier sync read whole may be looked at beside what this one did.
        self._earlier = {
            one.data_type: one.started
            for one in newest
            if one.sync_id not in (None, sync) and one.status is Status.COMPLETE and one.started is not None
        }
        before_this = sorted(f"{name} of {at.isoformat()}" for name, at in self._earlier.items())
        behind = sorted(f"{resource} {id_} is behind" for resource, id_ in self.behind())
        self.basis = (day, *self._read, *lacking, *made_by, *before_this, *behind)
        self._complete = {resource for resource, outcome in outcomes.items() if outcome == COMPLETE}
        # What the upstream does not have, nobody lacks.
        refused = {resource for resource, outcome in outcomes.items() if outcome not in (COMPLETE, NOT_SUPPORTED)}
        self._refused = {
            one.name: sorted({making.resource for making in one.made_from} & refused) for one in integration.data_types
        }
        # Made from several records each: what is left of them when one goes, only mapping knows.
        self._merged = {one.name for one in integration.data_types if one.merges}
        self._aside: dict[str, set[str]] = {}  # by resource
        self._unmade: Counter[str] = Counter()  # by data type
        for resource, id_, data_type in aside:
            self._aside.setdefault(resource, set()).add(id_)
            self._unmade.update([data_type])
        for resource in unfiled:
            self._unmade.update(_made_from(integration, resource))

    # Mapped

    def report_before(self) -> Report | None:
        """Of the sync just before this one; what that left unchecked cannot stand."""
        return None if self._before is None or self._before.checks is None else Report.decode(self._before.checks)

    def data_types(self) -> Collection[str]:
        return self._read

    def read_earlier(self, data_type: str) -> datetime | None:
        return self._earlier.get(data_type) if self.lacking(data_type) is None else None

    def present(self, data_type: str, ids: Collection[str]) -> Set[str]:
        with self._db.read() as tx:
            return records.present(tx, self._tenant, self._connection, data_type, ids)

    def documents(self, data_type: str) -> Iterator[tuple[str, bytes]]:
        after = ""
        while True:
            with self._db.read() as tx:
                batch = records.next_batch(tx, self._tenant, self._connection, data_type, after)
            if not batch:
                return
            yield from batch
            after = batch[-1][0]

    def outlived(self, data_type: str) -> Iterator[str]:
        if data_type in self._merged:
            return
        with self._db.read() as tx:
            gone = records.outlived(tx, self._tenant, self._connection, data_type)
        yield from gone

    def lacking(self, data_type: str) -> str | None:
        if count := self._unmade[data_type]:
            return f"{data_type}: {count} set aside, because they could not be read."
        if refused := self._refused.get(data_type):
            return f"{data_type}: {', '.join(refused)} could not be read in this sync."
        return self.left_out(data_type)

    def left_out(self, data_type: str) -> str | None:
        if since := self._history_from.get(data_type):
            return f"{data_type}: by its schedule, only what changed since {since:%Y-%m-%d} is held."
        return None

    def now(self) -> datetime:
        return self._now

    def redated(self, data_type: str) -> Iterator[Redated]:
        declared = self._integration.data_type(data_type)
        if self._begun_at is None or declared is None:
            return
        for name in sorted({making.resource for making in declared.made_from}):
            owner = (self._tenant, self._connection, data_type, name)
            with self._db.read() as tx:
                changed = list(originals.redated(tx, *owner, self._begun_at))
            resource, aside = self._integration.resource(name), self._aside.get(name, set())
            for one in changed:
                if one.source_id not in aside:  # what is set aside is served as it was
                    before = _dated(resource, one.former)
                    yield Redated(one.id, one.modified, one.source_modified, before, one.says)

    def modified_after(self, data_type: str, moment: datetime) -> Iterator[tuple[str, datetime]]:
        with self._db.read() as tx:
            yield from records.modified_after(tx, self._tenant, self._connection, data_type, moment)

    def pile(self, of: type[_T]) -> Pile[_T]:
        return Pile(of)

    # Raw

    def is_complete(self, resource: str) -> bool:
        return resource in self._complete

    def rows(self, resource: str) -> Iterator[RawRow]:
        after = ""
        while True:
            with self._db.read() as tx:
                batch = raw.next_by_id(tx, self._tenant, self._connection, resource, after)
            if not batch:
                return
            yield from batch
            after = batch[-1].id

    def dated_since(self, resource: str, moment: datetime) -> Iterator[RawRow]:
        owner = (self._tenant, self._connection, resource)
        with self._db.read() as tx:
            ids = raw.ids_dated_since(tx, *owner, moment)
        for start in range(0, len(ids), _BATCH):
            with self._db.read() as tx:
                batch = raw.live_by_ids(tx, *owner, ids[start : start + _BATCH])
            yield from batch

    def begun_at(self) -> datetime | None:
        return self._begun_at

    def behind(self) -> Collection[tuple[str, str]]:
        with self._db.read() as tx:
            return [(one.resource, one.id) for one in rereads.waiting(tx, self._tenant, self._connection)]

    def unread(self, resource: str) -> Set[str]:
        return self._aside.get(resource, set())


def _dated(resource: Resource, body: bytes) -> datetime | None:
    """When a body says it was changed; None where it does not, or cannot be read."""
    try:
        return resource.read(body).updated_at
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _made_from(integration: Integration, resource: str) -> list[str]:
    """The data types that a record which could not even be filed might have become."""
    return [one.name for one in integration.data_types if any(making.resource == resource for making in one.made_from)]

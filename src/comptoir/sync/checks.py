"""The books check: the identities of accounting, run over what is stored and the upstream's own figures.

It reports and never hinders: a breach is shown with the sync, and the records are served all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from typing import Any

import msgspec

from comptoir.integrations.contract import Integration, RawRow, ReadRaw
from comptoir.model import decode
from comptoir.model.identities import Line, check
from comptoir.store import ConnectionId, Database, SyncId, TenantId, datasets, raw, records, syncs
from comptoir.store.datasets import Status
from comptoir.sync.outcomes import COMPLETE

__all__ = ["Line", "Report", "run"]

# A data type that was mapped in this sync, up to the end of which it is checked.
_MAPPED = (Status.VALIDATION_QUEUED, Status.VALIDATING, Status.COMPLETE)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of all identities; `breaches` counts the records that breach one."""

    breaches: int
    lines: tuple[Line, ...]

    @staticmethod
    def decode(stored: bytes) -> Report:
        """A report as it is kept with its sync."""
        return msgspec.json.decode(stored, type=Report)


def run(db: Database, integration: Integration, tenant: TenantId, connection: ConnectionId, sync: SyncId) -> Report:
    """Check what a sync has read; records are streamed, of most only ids stay in memory.

    Data types it did not read are left out: they show the books as they were at another time.
    """
    stored = _Stored(db, tenant, connection, sync)
    lines = check(stored, integration.facts(_read_raw(db, tenant, connection, sync)))
    return Report(breaches=sum(line.breaches for line in lines), lines=lines)


class _Stored:
    """The books of one connection, as far as one sync has read them."""

    def __init__(self, db: Database, tenant: TenantId, connection: ConnectionId, sync: SyncId) -> None:
        self._db, self._tenant, self._connection = db, tenant, connection
        with db.read() as tx:
            newest = datasets.newest_of(tx, tenant, connection).values()
        self._read = [one.data_type for one in newest if one.sync_id == sync and one.status in _MAPPED]

    def data_types(self) -> Collection[str]:
        return self._read

    def ids(self, data_type: str, *, live: bool = False) -> Set[str]:
        find = records.live_ids if live else records.all_ids
        with self._db.read() as tx:
            return find(tx, self._tenant, self._connection, data_type)

    def records(self, data_type: str) -> Iterator[Any]:
        with self._db.read() as tx:
            for document in records.iterate(tx, self._tenant, self._connection, data_type):
                yield decode(data_type, document)


def _read_raw(db: Database, tenant: TenantId, connection: ConnectionId, sync: SyncId) -> ReadRaw:
    """Raw rows of what this sync has read to its end."""
    with db.read() as tx:
        reads = syncs.reads(tx, tenant, connection).values()
    complete = {one.resource for one in reads if one.sync_id == sync and one.outcome == COMPLETE}

    def rows(resource: str) -> Iterator[RawRow]:
        with db.read() as tx:
            for batch in raw.iterate(tx, tenant, connection, resource):
                yield from batch

    return lambda resource: rows(resource) if resource in complete else None

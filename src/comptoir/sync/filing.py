"""Files what came: records with what is known of them, those that cannot be read aside, and the row of their page.

All of it goes into the transaction of whoever calls, so that a page is held whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from datetime import datetime

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Kind, Link, RawRecord, Resource
from comptoir.store import ConnectionId, SyncId, TenantId, pages, raw, rereads
from comptoir.store.history import Log
from comptoir.store.rereads import Reread
from comptoir.sync.calls import UNREADABLE, PageAnswer, Task
from comptoir.sync.retold import Retold
from comptoir.sync.walk import unread

__all__ = ["Filing"]


class Filing:
    """Of one run over one connection. `held_whole` names resources that were read to their end before it: what is new
    there is news."""

    def __init__(
        self, tenant: TenantId, connection: ConnectionId, sync: SyncId, retold: Retold, held_whole: Set[str]
    ) -> None:
        self._tenant, self._connection, self._sync = tenant, connection, sync
        self._retold, self._held_whole = retold, held_whole

    def read(
        self, tx: Transaction, task: Task, answer: PageAnswer, now: datetime
    ) -> tuple[list[raw.Arrived], list[str]]:
        """What files each record of a page; one that cannot be read is set aside and its neighbours go on."""
        resource = task.walk.resource
        read: Callable[[bytes], RawRecord] = resource.read
        rows: list[raw.Arrived] = []
        ids: list[str] = []
        for position, (part, body) in enumerate(answer.records):
            try:
                record = read(body)
                if resource.kind is Kind.REPORT:
                    record = msgspec.structs.replace(record, id=task.window or resource.name)
            except UNREADABLE as error:
                ids.append(unread(task.window, task.page, position))
                raw.set_aside(
                    tx,
                    self._tenant,
                    self._connection,
                    self._sync,
                    resource.name,
                    reason=str(error),
                    body=body,
                    now=now,
                )
                continue
            rows.append(raw.Arrived(part, record, body))
            ids.append(record.id)
        return rows, ids

    def put(self, tx: Transaction, task: Task, rows: list[raw.Arrived], now: datetime) -> raw.Counts:
        resource = task.walk.resource
        touched: list[Reread] = []

        def told(record: RawRecord, former: Sequence[Link]) -> None:
            touched.extend(self._retold.by(resource, record, former, task.reread))

        counts = raw.put(
            tx,
            self._tenant,
            self._connection,
            resource.name,
            rows,
            now,
            window=task.window,
            lasting=resource.lasting,
            log=self._log_of(resource),
            told=told if resource.touches else None,
        )
        rereads.note(tx, self._tenant, self._connection, touched)
        return counts

    def mark_deleted(self, tx: Transaction, resource: Resource, ids: Collection[str], now: datetime) -> None:
        self._retold.note_gone(tx, resource, ids)
        owner = (self._tenant, self._connection, resource.name)
        raw.mark_deleted(tx, *owner, ids, now, log=self._log_of(resource))

    def keep_page(
        self, tx: Transaction, task: Task, number: int, ids: Sequence[str], total: int | None, now: datetime
    ) -> None:
        pages.commit(
            tx,
            self._tenant,
            self._connection,
            self._sync,
            task.walk.resource.name,
            task.walk.pass_number,
            task.window,
            number,
            total=total,
            ids=ids,
            now=now,
        )

    def _log_of(self, resource: Resource) -> Log | None:
        """Where its changes are noted: a first read has none, and what is worked out from other records only follows
        them."""
        is_derived = resource.is_derived or resource.kind is Kind.REPORT
        if is_derived or resource.name not in self._held_whole:
            return None
        return Log(self._tenant, self._connection, self._sync)

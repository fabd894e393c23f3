"""What is kept of an answer: a page with its row, what changed meanwhile, one record that was asked for by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Kind
from comptoir.runtime.clock import Clock
from comptoir.store import ConnectionId, TenantId, raw, rereads
from comptoir.sync.calls import UNREADABLE, PageAnswer, Task
from comptoir.sync.filing import Filing
from comptoir.sync.outcomes import Outcome
from comptoir.sync.passes import BEGUN
from comptoir.sync.retold import Retold
from comptoir.sync.walk import is_descending

__all__ = ["Answers"]

_CALLS_APART = timedelta(seconds=2)  # the first calls of a run begin together


class Answers:
    """Of one run over one connection; what is given back are calls to make next."""

    def __init__(
        self,
        tenant: TenantId,
        connection: ConnectionId,
        filing: Filing,
        retold: Retold,
        clock: Clock,
        *,
        page_size: int,
    ) -> None:
        self._tenant, self._connection = tenant, connection
        self._filing, self._retold, self._clock, self._page_size = filing, retold, clock, page_size

    def page(self, tx: Transaction, task: Task, answer: PageAnswer) -> list[Task]:
        """A page's records and the row that says that it is stored."""
        walk, resource, now = task.walk, task.walk.resource, self._clock.now()
        if self._retold.floor is None and answer.made_after is not None:
            self._retold.floor = answer.made_after - _CALLS_APART
        rows, ids = self._filing.read(tx, task, answer, now)
        if task.is_changes:
            return self._changes(tx, task, answer, rows, now)
        window = walk.windows[task.window]
        window.heard(row.record.updated_at for row in rows)
        if window.is_ignored:
            return []  # the walk ends, and another reads the list whole
        counts = self._filing.put(tx, task, rows, now)
        walk.outcome.changed += counts.new + counts.changed
        self._filing.keep_page(tx, task, task.page, ids, answer.total, now)
        if task.page == 1 and (resource.kind is Kind.LIST or resource.closed_until_moved is not None):
            begun = walk.begin(task.window, made_after=answer.made_after, now=now)
            since = window.since.isoformat() if window.since is not None else ""
            self._filing.keep_page(tx, task, BEGUN, [begun.isoformat(), since], None, now)
        following = walk.page_came(
            task.window,
            task.page,
            total=answer.total,
            has_next=answer.has_next,
            ids=ids,
            page_size=self._page_size,
        )
        return [msgspec.structs.replace(task, page=number) for number in following]

    def _changes(
        self, tx: Transaction, task: Task, answer: PageAnswer, rows: list[raw.Arrived], now: datetime
    ) -> list[Task]:
        """What changed since the walk began is held in its newest version. A record that was not met, or came as it is
        only after the walk began, may have shifted others: then the list has moved."""
        walk, window = task.walk, task.walk.windows[task.window]
        times = [row.record.updated_at for row in rows]
        has_more = bool(rows) and answer.has_next is not False
        if walk.resource.since is None:
            is_heard = is_descending(times)
            rows = [row for row in rows if not window.is_older(row.record.updated_at)]
            has_more = has_more and len(rows) == len(times)
        else:
            is_heard = not window.is_not_heard(answer.total, times, page_size=self._page_size)
        if not is_heard:
            window.tells_changes, window.changes_are_read = False, True
            return []
        met = [row for row in rows if row.record.id in walk.seen]
        others = [row for row in rows if row.record.id not in walk.seen]
        counts = self._filing.put(tx, task, met, now)
        added = self._filing.put(tx, task, others, now)
        walk.outcome.changed += counts.changed + added.new + added.changed
        window.has_moved = window.has_moved or bool(others) or counts.unchanged > 0
        walk.seen.update(row.record.id for row in others)
        window.changes_are_read = not has_more
        return [msgspec.structs.replace(task, page=task.page + 1)] if has_more else []

    def alone(self, tx: Transaction, task: Task, body: bytes | None, outcome: Outcome) -> None:
        """What a record that was asked for by itself is now, counted in `outcome`. One that its list lacked goes only
        with the others that are missing, once all were asked for."""
        resource, reread = task.walk.resource, task.reread
        id_ = reread.id if reread is not None else task.record_id
        assert id_ is not None
        owner = (self._tenant, self._connection, resource.name)
        if reread is not None:
            rereads.done(tx, *owner, [id_])
        window = raw.windows_of(tx, *owner, [id_]).get(id_)
        if body is None:
            if window is not None and reread is not None:
                self._filing.mark_deleted(tx, resource, [id_], self._clock.now())
                outcome.deleted += 1
            return
        if window is None and (resource.per is not None or resource.windows is not None):
            return  # it comes with its own list
        row = raw.by_ids(tx, *owner, [id_]).get(id_)
        try:
            arrived = raw.Arrived(row.part if row is not None else resource.keys[0], resource.read(body), body)
        except UNREADABLE:
            return  # its list has it in a form that is set aside
        counts = self._filing.put(tx, msgspec.structs.replace(task, window=window or ""), [arrived], self._clock.now())
        outcome.changed += counts.new + counts.changed

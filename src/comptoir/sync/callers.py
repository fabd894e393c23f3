"""Threads that make the calls of a read, many at once. They only ask: who handed a task out files what came of it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from types import TracebackType

from comptoir.integrations.contract import ByDay, Resource
from comptoir.runtime.failpoints import failpoint
from comptoir.store import ConnectionId, Database, TenantId, raw
from comptoir.sync import narrow
from comptoir.sync.calls import UNREADABLE, Answer, Arrival, Body, Count, Proved, Reader, Searched, Task
from comptoir.sync.walk import Params, Window

__all__ = ["Callers"]

_LOOK_UP_SECONDS = 0.2  # how soon a stop is noticed


class Callers:
    """Makes calls of one connection. `around` are all its resources."""

    def __init__(
        self,
        db: Database,
        tenant: TenantId,
        connection: ConnectionId,
        reader: Reader,
        around: Sequence[Resource],
        *,
        page_size: int,
        workers: int,
    ) -> None:
        self._db, self._tenant, self._connection = db, tenant, connection
        self._reader, self._page_size, self._workers = reader, page_size, workers
        self._around = {resource.name: resource for resource in around}
        self._calls: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self.under_way = 0

    def __enter__(self) -> Callers:
        # Daemons: a call that waits for a rate limit must not keep the process from ending. Each is in the context of
        # the sync: its calls and its lines in the log are the sync's.
        for n in range(self._workers):
            threading.Thread(target=copy_context().run, args=(self._work,), name=f"fetch-{n}", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for _ in range(self._workers):
            self._calls.put(None)

    def has_room(self) -> bool:
        return self.under_way < 2 * self._workers

    def hand(self, task: Task) -> None:
        self.under_way += 1
        self._calls.put(task)

    def arrived(self) -> list[Arrival]:
        """What came in, a transaction's worth of it; empty if nothing did for a moment."""
        try:
            arrivals = [self._arrivals.get(timeout=_LOOK_UP_SECONDS)]
        except queue.Empty:
            return []
        while not self._arrivals.empty():
            arrivals.append(self._arrivals.get())
        self.under_way -= len(arrivals)
        return arrivals

    def _work(self) -> None:
        while (task := self._calls.get()) is not None:
            try:
                self._arrivals.put(Arrival(task, self._call(task), None))
            except BaseException as error:  # also what is no Exception: the writer raises it again
                self._arrivals.put(Arrival(task, None, error))

    def _call(self, task: Task) -> Answer:
        if task.reread is not None:
            return Body(self._reader.record(task.walk.resource, task.reread.id))
        if task.record_id is not None:
            return Body(self._reader.record(task.walk.resource, task.record_id))
        if task.is_search:
            return Searched(self._search(task.walk.resource, task.window, task.walk.windows[task.window]))
        if task.is_count:
            return Count(self._reader.count(task.walk.resource, task.params))
        if task.is_proof:
            return Proved(self._report(task))
        answer = self._reader.page(task.walk.resource, task.page, task.params)
        failpoint("fetch.page")
        return answer

    def _report(self, task: Task) -> bytes | None:
        proof = task.walk.resource.proof
        assert proof is not None
        records = self._reader.page(self._around[proof.report], 1, task.params).records
        return records[0][1] if records else None

    def _search(self, resource: Resource, name: str, window: Window) -> frozenset[str] | None:
        """Which of the records held of a window its list lacks; None if that could not be told."""
        how, params = resource.narrowing, window.params
        assert how is not None
        assert window.total is not None
        placed = how.day if isinstance(how, ByDay) else how.moment

        def held() -> Iterator[tuple[str | None, str]]:
            with self._db.read() as tx:
                for row in raw.in_window(tx, self._tenant, self._connection, resource.name, name):
                    yield placed(row.body), row.id

        def page_of(more: Params, number: int) -> tuple[list[str], bool]:
            answer = self._reader.page(resource, number, (*params, *more))
            ids = [resource.read(body).id for _, body in answer.records]
            return ids, len(ids) >= self._page_size if answer.has_next is None else answer.has_next

        def count_of(more: Params) -> int | None:
            return self._reader.count(resource, (*params, *more))

        try:
            return narrow.missing(
                how, held, window.total, page_of=page_of, count_of=count_of, page_size=self._page_size
            )
        except UNREADABLE:
            return None

"""Reads resources whole, many pages at once, each committed with a row that says so.

Several threads fetch, one writes. A page's records and its row go in one transaction, so after a kill only pages
without a row are fetched again. A list that moves while it is read is walked again until it stands still.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import ProductError, RelinkRequired, SetupRequired, UpstreamChanged
from comptoir.integrations.contract import Kind, RawRecord, Resource
from comptoir.jobs import Stopped
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import ConnectionId, Database, SyncId, TenantId, pages, raw, syncs
from comptoir.store.history import Log
from comptoir.sync import sweep
from comptoir.sync.outcomes import COMPLETE, Outcome, outcome_of
from comptoir.sync.walk import Params, Walk, unread

__all__ = ["Fetch", "PageAnswer", "Reader", "Watch"]

_MOST_PASSES = 3
_BEGUN = 0  # the page number that keeps the instant from which changes to a window count
_LOOK_UP_SECONDS = 0.2  # how soon a stop is noticed
_LAST_PAGES_SECONDS = 6.0  # how long pages under way may still come in after a stop
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError)


class PageAnswer(Protocol):
    """One page: `total` counts the whole list and `has_next` tells of a further page, each None where the upstream does
    not say; records come with the member they were in. The page was put together at `made_after` or later, by the
    upstream's own clock."""

    @property
    def total(self) -> int | None: ...
    @property
    def has_next(self) -> bool | None: ...
    @property
    def records(self) -> Sequence[tuple[str, bytes]]: ...
    @property
    def made_after(self) -> datetime | None: ...


class Reader(Protocol):
    """Reads one connection's upstream; raises the errors of `comptoir.errors`. Called from several threads."""

    def page(self, resource: Resource, number: int, params: Params = ()) -> PageAnswer: ...

    def exists(self, resource: Resource, record_id: str) -> bool: ...


class Watch(Protocol):
    """Is told how far a read has come: pages done, pages in all (if known), records so far."""

    def __call__(self, resource: str, pages_done: int, pages_in_all: int | None, records: int) -> None: ...


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    """A call to make: a page of a window, a page of its changes, or one record by its id."""

    walk: Walk
    window: str = ""
    page: int = 1
    params: Params = ()
    is_changes: bool = False
    record_id: str | None = None


class _Arrival(msgspec.Struct, frozen=True):
    task: _Task
    answer: PageAnswer | bool | None
    error: BaseException | None


class Fetch:
    """One round of reading over one connection; `run` gives each resource's outcome."""

    def __init__(
        self,
        db: Database,
        tenant: TenantId,
        connection: ConnectionId,
        sync: SyncId,
        reader: Reader,
        clock: Clock,
        *,
        page_size: int,
        workers: int,
        today: date,
        months: int = 24,
        watch: Watch | None = None,
        meanwhile: Callable[[], None] = lambda: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """`months` is how long reports are kept for; `meanwhile` is called several times a second while calls are
        under way."""
        self._db, self._tenant, self._connection, self._sync = db, tenant, connection, sync
        self._reader, self._clock = reader, clock
        self._page_size, self._workers, self._today, self._months = page_size, workers, today, months
        self._watch: Watch = watch or (lambda *_: None)
        self._meanwhile, self._should_stop = meanwhile, should_stop
        self._todo: deque[_Task] = deque()
        self._under_way = 0
        self._calls: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._arrivals: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        self._walks: dict[str, Walk] = {}
        self._seen_before: dict[str, set[str]] = {}
        self._ended: dict[str, Outcome] = {}
        self._held_whole: set[str] = set()  # resources that were read to their end before: what is new there is news

    def run(self, resources: Sequence[Resource]) -> dict[str, Outcome]:
        """Read all of these. RelinkRequired and SetupRequired end the round at once: nothing else could be read.

        Raises Stopped when asked to stop, after the pages under way came in.
        """
        # Daemons: a call that waits for a rate limit must not keep the process from ending.
        threads = [threading.Thread(target=self._work, name=f"fetch-{n}", daemon=True) for n in range(self._workers)]
        for thread in threads:
            thread.start()
        try:
            self._run(resources)
        finally:
            self._todo.clear()
            for _ in threads:
                self._calls.put(None)
        return self._ended

    def _run(self, resources: Sequence[Resource]) -> None:
        chosen = {resource.name for resource in resources}
        self._ended = self._ended_before(chosen)
        waiting = [resource for resource in resources if resource.name not in self._ended]
        while True:
            waiting = self._start_ready(waiting, chosen)
            self._hand_out()
            if self._under_way:
                self._take(self._arrived())
                self._meanwhile()
            elif not waiting and not self._todo:
                return
            if self._should_stop():
                self._come_to_a_stop()

    def _ended_before(self, chosen: set[str]) -> dict[str, Outcome]:
        """Resources that this very run had read whole before the process ended."""
        with self._db.read() as tx:
            reads = syncs.reads(tx, self._tenant, self._connection)
        self._held_whole = {name for name, read in reads.items() if read.seen_at is not None}
        return {
            name: Outcome(set_aside=read.set_aside, deleted=read.deleted, warning=read.message)
            for name, read in reads.items()
            if name in chosen and read.sync_id == self._sync and read.outcome == COMPLETE
        }

    def _hand_out(self) -> None:
        while self._todo and self._under_way < 2 * self._workers:
            self._under_way += 1
            self._calls.put(self._todo.popleft())

    def _arrived(self) -> list[_Arrival]:
        """What came in, a transaction's worth of it; empty if nothing did for a moment."""
        try:
            arrivals = [self._arrivals.get(timeout=_LOOK_UP_SECONDS)]
        except queue.Empty:
            return []
        while not self._arrivals.empty():
            arrivals.append(self._arrivals.get())
        self._under_way -= len(arrivals)
        return arrivals

    def _come_to_a_stop(self) -> None:
        self._todo.clear()
        deadline = self._clock.monotonic() + _LAST_PAGES_SECONDS
        while self._under_way and self._clock.monotonic() < deadline:
            self._take(self._arrived())
            self._todo.clear()
        raise Stopped

    # In the fetching threads

    def _work(self) -> None:
        while (task := self._calls.get()) is not None:
            try:
                self._arrivals.put(_Arrival(task, self._call(task), None))
            except BaseException as error:  # also what is no Exception: the writer raises it again
                self._arrivals.put(_Arrival(task, None, error))

    def _call(self, task: _Task) -> PageAnswer | bool:
        if task.record_id is not None:
            return self._reader.exists(task.walk.resource, task.record_id)
        answer = self._reader.page(task.walk.resource, task.page, task.params)
        failpoint("fetch.page")
        return answer

    # What to read

    def _start_ready(self, waiting: list[Resource], chosen: set[str]) -> list[Resource]:
        """Begin the resources whose parents are read; a parent that failed fails its children."""
        still: list[Resource] = []
        for resource in waiting:
            parents = [name for name in resource.parents if name in chosen]
            failed = next((name for name in parents if name in self._ended and not self._ended[name].is_complete), None)
            if failed is not None:
                of_parent = self._ended[failed]
                self._end(resource, msgspec.structs.replace(of_parent, records=0, set_aside=0, changed=0, deleted=0))
            elif any(name not in self._ended for name in parents):
                still.append(resource)
            else:
                self._begin(resource, 1)
        return still

    def _begin(self, resource: Resource, pass_number: int) -> None:
        """Begin a pass, or go on with one that was cut off."""
        with self._db.read() as tx:
            kept = pages.done(tx, self._tenant, self._sync, resource.name, pass_number)
            try:
                windows = self._windows(tx, resource)
            except _UNREADABLE as error:
                message = f"What {resource.name} is to be read for cannot be told: {error}."
                self._end(resource, outcome_of(UpstreamChanged(message)))
                return
            before = self._walks.get(resource.name)
            walk = self._walks[resource.name] = Walk(resource, pass_number, windows)
            walk.pages_before = before.pages_done if before is not None else 0
        for (name, number), page in sorted(kept.items()):
            if name not in walk.windows:
                continue
            if number == _BEGUN:
                walk.windows[name].begun_at = datetime.fromisoformat(page.ids[0])
                continue
            has_next = page.total is None  # it did not say: look
            walk.page_came(name, number, total=page.total, has_next=has_next, ids=page.ids, page_size=self._page_size)
        for name, window in walk.windows.items():
            for number in window.still_to_read():
                self._ask(_Task(walk=walk, window=name, page=number, params=window.params))
        self._go_on(walk)

    def _windows(self, tx: Transaction, resource: Resource) -> dict[str, Params]:
        params = resource.params
        if resource.today_param:
            params = (*params, (resource.today_param, self._today.isoformat()))
        if resource.windows is not None:
            rows = {name: raw.whole(tx, self._tenant, self._connection, name) for name in resource.windows_of}
            return {
                window.name: (*params, *window.params) for window in resource.windows(rows, self._today, self._months)
            }
        if resource.per is None:
            return {"": params}
        parents = raw.whole(tx, self._tenant, self._connection, resource.per)
        name = resource.per_param or resource.per
        return {row.id: (*params, (name, _own_url(row.body))) for row in parents}

    def _ask(self, task: _Task) -> None:
        task.walk.open += 1
        self._todo.append(task)

    # What came

    def _take(self, arrivals: list[_Arrival]) -> None:
        fatal: BaseException | None = None
        answered: list[tuple[_Task, PageAnswer]] = []
        for arrival in arrivals:
            walk, error = arrival.task.walk, arrival.error
            walk.open -= 1
            if error is None:
                if isinstance(arrival.answer, bool):
                    assert walk.asked is not None
                    assert arrival.task.record_id is not None
                    walk.asked[arrival.task.record_id] = arrival.answer
                elif arrival.answer is not None:
                    answered.append((arrival.task, arrival.answer))
            elif not isinstance(error, ProductError) or isinstance(error, (RelinkRequired, SetupRequired)):
                fatal = error
            elif arrival.task.record_id is not None:
                walk.asking_failed = error.message
            elif walk.outcome.is_complete:
                walk.outcome = outcome_of(error)
        if answered:
            with self._db.write() as tx:
                for task, answer in answered:
                    self._store(tx, task, answer)
            failpoint("fetch.committed")
        if fatal is not None:
            raise fatal
        for walk in {arrival.task.walk.resource.name: arrival.task.walk for arrival in arrivals}.values():
            self._watch(walk.resource.name, walk.pages_done, walk.pages_in_all, len(walk.seen))
            self._go_on(walk)

    def _store(self, tx: Transaction, task: _Task, answer: PageAnswer) -> None:
        """A page's records and the row that says that it is stored."""
        walk, resource, now = task.walk, task.walk.resource, self._clock.now()
        rows, ids = self._read(tx, task, answer, now)
        if task.is_changes:
            self._store_changes(tx, task, answer, rows, now)
            return
        counts = self._put(tx, task, rows, now)
        walk.outcome.changed += counts.new + counts.changed
        self._keep(tx, task, task.page, ids, answer.total, now)
        if task.page == 1 and resource.kind is Kind.LIST:
            begun = walk.begin(task.window, made_after=answer.made_after, now=now)
            self._keep(tx, task, _BEGUN, [begun.isoformat()], None, now)
        following = walk.page_came(
            task.window,
            task.page,
            total=answer.total,
            has_next=answer.has_next,
            ids=ids,
            page_size=self._page_size,
        )
        for number in following:
            self._ask(msgspec.structs.replace(task, page=number))

    def _store_changes(
        self, tx: Transaction, task: _Task, answer: PageAnswer, rows: list[raw.Arrived], now: datetime
    ) -> None:
        """What changed since the walk began is held in its newest version. A record that was not met, or came as it is
        only after the walk began, may have shifted others: then the list has moved."""
        walk, window = task.walk, task.walk.windows[task.window]
        if window.is_not_heard(answer.total, [row.record.updated_at for row in rows], page_size=self._page_size):
            window.tells_changes, window.changes_are_read = False, True
            return
        met = [row for row in rows if row.record.id in walk.seen]
        others = [row for row in rows if row.record.id not in walk.seen]
        counts = self._put(tx, task, met, now)
        added = self._put(tx, task, others, now)
        walk.outcome.changed += counts.changed + added.new + added.changed
        window.has_moved = window.has_moved or bool(others) or counts.unchanged > 0
        walk.seen.update(row.record.id for row in others)
        window.changes_are_read = not rows or answer.has_next is False
        if not window.changes_are_read:
            self._ask(msgspec.structs.replace(task, page=task.page + 1))

    def _log_of(self, resource: Resource) -> Log | None:
        """Where its changes are noted: a first read has none, and what is worked out from other records only follows
        them."""
        is_derived = resource.is_derived or resource.kind is Kind.REPORT
        if is_derived or resource.name not in self._held_whole:
            return None
        return Log(self._tenant, self._connection, self._sync)

    def _read(
        self, tx: Transaction, task: _Task, answer: PageAnswer, now: datetime
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
            except _UNREADABLE as error:
                ids.append(unread(task.window, task.page, position))
                raw.set_aside(
                    tx,
                    self._tenant,
                    self._connection,
                    self._sync,
                    resource.name,
                    record_id=None,
                    data_type=None,
                    reason=str(error),
                    body=body,
                    now=now,
                )
                continue
            rows.append(raw.Arrived(part, record, body))
            ids.append(record.id)
        return rows, ids

    def _put(self, tx: Transaction, task: _Task, rows: list[raw.Arrived], now: datetime) -> raw.Counts:
        resource = task.walk.resource
        return raw.put(
            tx,
            self._tenant,
            self._connection,
            resource.name,
            rows,
            now,
            window=task.window,
            lasting=resource.lasting,
            log=self._log_of(resource),
        )

    def _keep(
        self, tx: Transaction, task: _Task, number: int, ids: list[str], total: int | None, now: datetime
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

    # When all that was asked for has come

    def _go_on(self, walk: Walk) -> None:
        """The next thing to do for a resource when nothing of it is under way, until it has ended."""
        resource, outcome = walk.resource, walk.outcome
        if not outcome.is_complete and walk.open:
            dropped = [task for task in self._todo if task.walk is walk]
            self._todo = deque(task for task in self._todo if task.walk is not walk)
            walk.open -= len(dropped)
        if walk.open or resource.name in self._ended:
            return
        if not outcome.is_complete:
            self._end(resource, outcome)
            return
        if changes := walk.changes_to_read():
            for window, params in changes:
                self._ask(_Task(walk=walk, window=window, params=params, is_changes=True))
            return
        if walk.asked is None:
            walk.is_settled = self._is_settled(walk)
            walk.live, walk.missing = self._missing(walk)
            is_doubtful = sweep.is_suspicious(walk.live, len(walk.missing)) and walk.pass_number == 1
            if is_doubtful or (not walk.is_settled and walk.pass_number < _MOST_PASSES):
                self._seen_before[resource.name] = walk.seen
                self._begin(resource, walk.pass_number + 1)
                return
            walk.asked = {}
            if asked := sweep.to_ask_for(resource, walk.live, walk.missing, stood_still=walk.is_settled):
                for id_ in asked:
                    self._ask(_Task(walk=walk, record_id=id_))
                return
        self._conclude(walk)

    def _missing(self, walk: Walk) -> tuple[int, set[str]]:
        """How many records are held as live, and which of them the pass did not meet."""
        with self._db.read() as tx:
            live = raw.count_live(tx, self._tenant, self._connection, walk.resource.name)
            if live == len(walk.seen) - walk.outcome.set_aside:
                return live, set()  # all that was met is held, so nothing else is
            held = raw.live_ids(tx, self._tenant, self._connection, walk.resource.name)
        return live, held - walk.seen

    def _is_settled(self, walk: Walk) -> bool:
        """Does the pass hold each live record exactly once, as far as can be told?"""
        if walk.needs_agreement():
            return walk.stood_still() and self._seen_before.get(walk.resource.name) == walk.seen
        return walk.stood_still()

    def _conclude(self, walk: Walk) -> None:
        resource, outcome = walk.resource, walk.outcome
        verdict = sweep.judge(
            resource,
            walk.live,
            walk.missing,
            stood_still=walk.is_settled,
            asked=walk.asked or {},
            failed=walk.asking_failed,
        )
        if verdict.deleted:
            with self._db.write() as tx:
                owner = (self._tenant, self._connection, resource.name)
                raw.mark_deleted(tx, *owner, verdict.deleted, self._clock.now(), log=self._log_of(resource))
        outcome.deleted, outcome.warning = len(verdict.deleted), verdict.warning
        if not walk.is_settled:
            moved = (
                f"The list {resource.name} kept changing while it was read, {_MOST_PASSES} times over. All that was "
                "met is held; what moved is read again at the next sync."
            )
            outcome.warning = " ".join(filter(None, (moved, verdict.warning)))
        outcome.records = len(walk.seen)
        self._end(resource, outcome)

    def _end(self, resource: Resource, outcome: Outcome) -> None:
        """Remember how the read of a resource ended."""
        self._ended[resource.name] = outcome
        now = self._clock.now()
        with self._db.write() as tx:
            syncs.read_ended(
                tx,
                self._tenant,
                self._connection,
                syncs.ResourceRead(
                    resource=resource.name,
                    sync_id=self._sync,
                    outcome=outcome.kind,
                    message=outcome.warning if outcome.is_complete else outcome.message,
                    level_needed=outcome.level_needed,
                    set_aside=outcome.set_aside,
                    deleted=outcome.deleted,
                    read_at=now,
                    seen_at=now if outcome.is_complete else None,
                ),
            )


class _Named(msgspec.Struct):
    url: str


_named = msgspec.json.Decoder(_Named)


def _own_url(body: bytes) -> str:
    return _named.decode(body).url

"""Reads resources whole, many pages at once, each committed with a row that says so.

One thread writes, several fetch. A page's records and its row go in one transaction; after a kill only pages without a
row are fetched again. A list that moves while it is read is walked again until it comes to rest.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Protocol

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import (
    ActionNeeded,
    NotSupported,
    PermissionsLacking,
    ProductError,
    RelinkRequired,
    SetupRequired,
    TryLater,
    UpstreamChanged,
)
from comptoir.integrations.contract import Kind, Resource
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import ConnectionId, Database, SyncId, TenantId, pages, raw, syncs

__all__ = ["COMPLETE", "Fetch", "Outcome", "PageAnswer", "Reader", "Watch"]

COMPLETE = "complete"
_MOST_PASSES = 3
_MOST_DIRECT_READS = 50
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, KeyError, ArithmeticError)


class PageAnswer(Protocol):
    """One page: `total` counts the whole list where the upstream says so; records come with the member they were in."""

    @property
    def total(self) -> int | None: ...
    @property
    def has_next(self) -> bool: ...
    @property
    def records(self) -> Sequence[tuple[str, bytes]]: ...


class Reader(Protocol):
    """Reads one connection's upstream; raises the errors of `comptoir.errors`."""

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> PageAnswer: ...

    def exists(self, resource: Resource, record_id: str) -> bool: ...


class Watch(Protocol):
    """Is told how far a read has come: pages done, pages in all (if known), records so far."""

    def __call__(self, resource: str, pages_done: int, pages_in_all: int | None, records: int) -> None: ...


class Outcome(msgspec.Struct, kw_only=True):
    """How the read of one resource ended: `complete`, or the kind of error with its sentence."""

    kind: str
    message: str | None = None
    level_needed: int | None = None
    retry_after_seconds: float | None = None
    set_aside: int = 0
    deleted: int = 0
    changed: int = 0
    records: int = 0
    warning: str | None = None


class _Task(msgspec.Struct, frozen=True):
    resource: Resource
    window: str
    page: int
    params: tuple[tuple[str, str], ...]


class _Arrival(msgspec.Struct, frozen=True):
    task: _Task
    answer: PageAnswer | None
    error: BaseException | None


class _Walk:
    """One pass over one resource: its windows, pages and what they said."""

    def __init__(self, resource: Resource, pass_number: int) -> None:
        self.resource = resource
        self.pass_number = pass_number
        self.open = 0  # tasks asked for and not yet written
        self.totals: dict[str, set[int]] = {}
        self.ids: dict[str, list[str]] = {}
        self.pages_done = 0
        self.pages_in_all: dict[str, int] = {}
        self.outcome = Outcome(kind=COMPLETE)

    def is_at_rest(self) -> bool:
        """Every page told the same total, and as many records came, none twice."""
        for window, totals in self.totals.items():
            ids = self.ids.get(window, [])
            if len(totals) > 1 or len(set(ids)) != len(ids) or (totals and next(iter(totals)) != len(ids)):
                return False
        return True

    def seen(self) -> set[str]:
        return {id_ for ids in self.ids.values() for id_ in ids}


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
        watch: Watch | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db, self._tenant, self._connection, self._sync = db, tenant, connection, sync
        self._reader, self._clock = reader, clock
        self._page_size, self._workers, self._today = page_size, workers, today
        self._watch: Watch = watch or (lambda *_: None)
        self._should_stop = should_stop
        self._arrivals: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        self._todo: deque[_Task] = deque()
        self._walks: dict[str, _Walk] = {}
        self._ended: dict[str, Outcome] = {}

    def run(self, resources: Sequence[Resource]) -> dict[str, Outcome]:
        """Read all of these. RelinkRequired and SetupRequired end the round at once: nothing else could be read."""
        waiting = list(resources)
        in_flight = 0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="fetch") as pool:
            try:
                while True:
                    waiting = self._start_ready(waiting, {resource.name for resource in resources})
                    while self._todo and in_flight < 2 * self._workers:
                        pool.submit(self._read, self._todo.popleft()).add_done_callback(_raise_bug)
                        in_flight += 1
                    if not in_flight:
                        if not waiting and all(name in self._ended for name in self._walks):
                            return self._ended
                        continue
                    arrivals = [self._arrivals.get()]
                    while not self._arrivals.empty():
                        arrivals.append(self._arrivals.get())
                    in_flight -= len(arrivals)
                    self._take(arrivals)
                    if self._should_stop():
                        raise TryLater("Stopped on request; the read goes on at the next start.")
            finally:
                self._todo.clear()

    # What to read

    def _start_ready(self, waiting: list[Resource], chosen: set[str]) -> list[Resource]:
        """Begin the resources whose parents are read; a parent that failed fails its children."""
        still: list[Resource] = []
        for resource in waiting:
            parent = resource.per
            if parent is None or parent not in chosen:
                self._begin(resource, 1)
            elif parent in self._ended:
                if (outcome := self._ended[parent]).kind == COMPLETE:
                    self._begin(resource, 1)
                else:
                    self._ended[resource.name] = msgspec.structs.replace(outcome, set_aside=0, deleted=0)
                    self._remember(resource, self._ended[resource.name])
            else:
                still.append(resource)
        return still

    def _begin(self, resource: Resource, pass_number: int) -> None:
        walk = self._walks[resource.name] = _Walk(resource, pass_number)
        with self._db.read() as tx:
            done = pages.done(tx, self._tenant, self._sync, resource.name, pass_number)
            windows = self._windows(tx, resource)
        for (window, number), page in done.items():
            self._note(walk, window, number, page.total, page.ids, has_next=False)
        for window, params in windows:
            fetched = {number for at, number in done if at == window}
            if 1 not in fetched:
                self._ask(walk, _Task(resource, window, 1, params))
            elif resource.kind is Kind.LIST:
                known = walk.pages_in_all.get(window)
                last = known if known is not None else max(fetched) + 1
                for number in range(2, last + 1):
                    if number not in fetched:
                        self._ask(walk, _Task(resource, window, number, params))
        if not walk.open:
            self._pass_ended(walk)

    def _windows(self, tx: Transaction, resource: Resource) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
        params = resource.params
        if resource.today_param:
            params = (*params, (resource.today_param, self._today.isoformat()))
        if resource.per is None:
            return [("", params)]
        parents = raw.whole(tx, self._tenant, self._connection, resource.per)
        name = resource.per_param or resource.per
        return [(row.id, (*params, (name, _own_url(row.body)))) for row in parents]

    def _ask(self, walk: _Walk, task: _Task) -> None:
        walk.open += 1
        self._todo.append(task)

    def _read(self, task: _Task) -> None:
        """In a fetching thread: one page, or the error instead."""
        try:
            if task.resource.name in self._ended:
                self._arrivals.put(_Arrival(task, None, None))
                return
            answer = self._reader.page(task.resource, task.page, task.params)
            failpoint("fetch.page")
            self._arrivals.put(_Arrival(task, answer, None))
        except BaseException as error:
            self._arrivals.put(_Arrival(task, None, error))

    # What came

    def _take(self, arrivals: Iterable[_Arrival]) -> None:
        fatal: BaseException | None = None
        good: list[tuple[_Arrival, PageAnswer]] = []
        for arrival in arrivals:
            walk = self._walks[arrival.task.resource.name]
            walk.open -= 1
            if arrival.error is None and arrival.answer is not None:
                good.append((arrival, arrival.answer))
            elif arrival.error is not None:
                if not isinstance(arrival.error, ProductError) or isinstance(
                    arrival.error, (RelinkRequired, SetupRequired)
                ):
                    fatal = arrival.error
                elif walk.outcome.kind == COMPLETE:
                    walk.outcome = _outcome(arrival.error)
        if good:
            with self._db.write() as tx:
                for arrival, answer in good:
                    self._store(tx, arrival.task, answer)
            failpoint("fetch.committed")
        if fatal is not None:
            raise fatal
        for name in dict.fromkeys(arrival.task.resource.name for arrival in arrivals):
            walk = self._walks[name]
            self._watch(name, walk.pages_done, sum(walk.pages_in_all.values()) or None, len(walk.seen()))
            if walk.outcome.kind != COMPLETE:
                dropped = [task for task in self._todo if task.resource.name == name]
                walk.open -= len(dropped)
                self._todo = deque(task for task in self._todo if task.resource.name != name)
            if not walk.open and name not in self._ended:
                self._pass_ended(walk)

    def _store(self, tx: Transaction, task: _Task, answer: PageAnswer) -> None:
        resource, walk, now = task.resource, self._walks[task.resource.name], self._clock.now()
        rows: list[raw.Arrived] = []
        ids: list[str] = []
        for position, (part, body) in enumerate(answer.records):
            try:
                record = resource.read(body)
            except _UNREADABLE as error:
                # Named by its place, so that the count of records still agrees with the list's total.
                ids.append(f"\x00{task.window}/{task.page}/{position}")
                walk.outcome.set_aside += 1
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
        counts = raw.put(tx, self._tenant, self._connection, resource.name, rows, now)
        walk.outcome.changed += counts.new + counts.changed
        pages.commit(
            tx,
            self._tenant,
            self._connection,
            self._sync,
            resource.name,
            walk.pass_number,
            task.window,
            task.page,
            total=answer.total,
            ids=ids,
            now=now,
        )
        known = self._note(walk, task.window, task.page, answer.total, ids, has_next=answer.has_next)
        if resource.kind is not Kind.LIST:
            return
        if task.page == 1 and known is not None:
            for number in range(2, known + 1):
                self._ask(walk, msgspec.structs.replace(task, page=number))
        elif known is None and answer.has_next:
            self._ask(walk, msgspec.structs.replace(task, page=task.page + 1))

    def _note(
        self, walk: _Walk, window: str, number: int, total: int | None, ids: list[str], *, has_next: bool
    ) -> int | None:
        """Add a page to what is known of the walk; the number of pages in this window, if known."""
        walk.pages_done += 1
        walk.ids.setdefault(window, []).extend(ids)
        totals = walk.totals.setdefault(window, set())
        if total is None:
            if not has_next:
                walk.pages_in_all[window] = number
            return None
        totals.add(total)
        walk.pages_in_all.setdefault(window, max(1, -(-total // self._page_size)))
        return walk.pages_in_all[window]

    # When a pass has ended

    def _pass_ended(self, walk: _Walk) -> None:
        resource, outcome = walk.resource, walk.outcome
        if outcome.kind == COMPLETE and resource.kind is Kind.LIST and not walk.is_at_rest():
            if walk.pass_number < _MOST_PASSES:
                self._begin(resource, walk.pass_number + 1)
                return
            outcome.warning = (
                f"The list {resource.name} kept changing while it was read, {_MOST_PASSES} times over. All that was "
                "met is held; what moved is read again at the next sync."
            )
        elif outcome.kind == COMPLETE and not self._sweep(walk):
            return
        outcome.records = len(walk.seen())
        self._ended[resource.name] = outcome
        self._remember(resource, outcome)

    def _sweep(self, walk: _Walk) -> bool:
        """Mark what is gone upstream; False if another pass must agree first.

        A list that comes back empty or a fifth shorter is not believed at once; each record missing from a list is
        asked for by itself where they are few.
        """
        resource, seen = walk.resource, walk.seen()
        with self._db.read() as tx:
            live = raw.live_ids(tx, self._tenant, self._connection, resource.name)
        missing = live - seen
        if not missing:
            return True
        is_suspicious = len(missing) * 5 > len(live) and resource.kind is Kind.LIST and len(live) > 1
        if is_suspicious and walk.pass_number == 1:
            self._begin(resource, 2)
            return False
        if resource.kind is Kind.LIST and (is_suspicious or len(missing) <= _MOST_DIRECT_READS):
            asked = sorted(missing)[:_MOST_DIRECT_READS]
            try:
                alive = {id_ for id_ in asked if self._reader.exists(resource, id_)}
            except (TryLater, ActionNeeded) as error:
                walk.outcome.warning = (
                    f"{len(missing)} records are missing from {resource.name}, and asking for one failed: "
                    f"{error.message} Nothing is marked deleted until a later sync."
                )
                return True
            if alive:
                walk.outcome.warning = (
                    f"{len(alive)} records are missing from the list {resource.name} and yet there. Nothing of it is "
                    "marked deleted until a later sync agrees."
                )
                return True
            if is_suspicious:
                walk.outcome.warning = (
                    f"{len(missing)} of {len(live)} records of {resource.name} are gone; two passes and direct reads "
                    "agree."
                )
        with self._db.write() as tx:
            raw.mark_deleted(tx, self._tenant, self._connection, resource.name, missing, self._clock.now())
        walk.outcome.deleted = len(missing)
        return True

    def _remember(self, resource: Resource, outcome: Outcome) -> None:
        with self._db.write() as tx:
            syncs.read_ended(
                tx,
                self._tenant,
                self._connection,
                syncs.ResourceRead(
                    resource=resource.name,
                    sync_id=self._sync,
                    outcome=outcome.kind,
                    message=outcome.message,
                    level_needed=outcome.level_needed,
                    set_aside=outcome.set_aside,
                    deleted=outcome.deleted,
                    read_at=self._clock.now(),
                ),
            )


def _raise_bug(future: Future[None]) -> None:
    future.result()


class _Named(msgspec.Struct):
    url: str


_named = msgspec.json.Decoder(_Named)


def _own_url(body: bytes) -> str:
    return _named.decode(body).url


def _outcome(error: ProductError) -> Outcome:
    if isinstance(error, PermissionsLacking):
        return Outcome(kind="permissions", message=error.message, level_needed=error.level_needed)
    if isinstance(error, NotSupported):
        return Outcome(kind="not_supported", message=error.message)
    if isinstance(error, TryLater):
        return Outcome(kind="try_later", message=error.message, retry_after_seconds=error.retry_after_seconds)
    if isinstance(error, UpstreamChanged):
        return Outcome(kind="changed", message=error.message)
    return Outcome(kind="failed", message=error.message)

"""Reads resources, whole or what changed in them, many pages at once, each committed with a row that says so.

Several threads fetch, one writes. A page's records and its row go in one transaction, so after a kill only pages
without a row are fetched again. A list that moves while it is read is walked again until it stands still.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import ProductError, RelinkRequired, SetupRequired, TryLater, UpstreamChanged
from comptoir.integrations.contract import ByDay, Kind, Link, RawRecord, ReadWindow, Resource
from comptoir.jobs import Stopped
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import ConnectionId, Database, SyncId, TenantId, cursors, pages, raw, rereads, syncs
from comptoir.store.history import Log
from comptoir.store.rereads import Reread
from comptoir.sync import keeping_up, narrow, sweep
from comptoir.sync.calls import Answer, Arrival, Body, Count, PageAnswer, Reader, Searched, Task, Watch
from comptoir.sync.outcomes import COMPLETE, Outcome, outcome_of
from comptoir.sync.walk import Params, Walk, Window, unread

__all__ = ["Fetch", "PageAnswer", "Reader", "Watch"]

_MOST_PASSES = 3
_PASS_TO_REREAD = 100  # the number of the pass that reads a list whole because many of its records are to be read again
_SOME = 1  # how many records a read changed before the process ended is not known; that none did is not either
_CALLS_APART = timedelta(seconds=2)  # the first calls of a run begin together
_MOST_ROUNDS_OF_REREADS = 4  # a payment leads to its invoice, and that to its customer
_BEGUN = 0  # the page number that keeps when the reading of a window began, and since when changes were asked for
_LOOK_UP_SECONDS = 0.2  # how soon a stop is noticed
_LAST_PAGES_SECONDS = 6.0  # how long pages under way may still come in after a stop
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError)


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
        around: Sequence[Resource] = (),
        watch: Watch | None = None,
        meanwhile: Callable[[], None] = lambda: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """`around` are all resources, those not read now too. `months` is how long reports are kept for; `meanwhile`
        is called several times a second while calls are under way."""
        self._db, self._tenant, self._connection, self._sync = db, tenant, connection, sync
        self._reader, self._clock = reader, clock
        self._page_size, self._workers, self._today, self._months = page_size, workers, today, months
        self._around = around
        self._watch: Watch = watch or (lambda *_: None)
        self._meanwhile, self._should_stop = meanwhile, should_stop
        self._todo: deque[Task] = deque()
        self._under_way = 0
        self._calls: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._walks: dict[str, Walk] = {}
        self._names: dict[str, frozenset[str]] = {}  # of all windows that a resource has now
        self._bases: dict[str, dict[str, bytes]] = {}  # what tells whether a window that is over has changed
        self._before: dict[str, Walk] = {}  # the pass before, where another must agree with it
        self._ended: dict[str, Outcome] = {}
        self._held_whole: set[str] = set()  # resources that were read to their end before: what is new there is news
        self._former: dict[str, Outcome] = {}  # of resources that are read another time
        self._rounds_of_rereads = 0
        self._unread_again: set[Reread] = set()
        self._floor: datetime | None = None  # no list of this run that is yet to begin was read before

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
        with self._db.read() as tx:
            self._walks = {one.name: self._walked(tx, one) for one in resources if one.name in self._ended}
        begun = [window.begun_at for walk in self._walks.values() for window in walk.windows.values()]
        self._floor = min(filter(None, begun), default=None)
        while True:
            waiting = self._start_ready(waiting, chosen)
            self._hand_out()
            if self._under_way:
                self._take(self._arrived())
                self._meanwhile()
            elif not waiting and not self._todo and not self._begin_rereads(resources):
                return
            if self._should_stop():
                self._come_to_a_stop()

    def _ended_before(self, chosen: set[str]) -> dict[str, Outcome]:
        """Resources that this very run had read whole before the process ended."""
        with self._db.read() as tx:
            reads = syncs.reads(tx, self._tenant, self._connection)
        self._held_whole = {name for name, read in reads.items() if read.seen_at is not None}
        return {
            name: Outcome(changed=_SOME, set_aside=read.set_aside, deleted=read.deleted, warning=read.message)
            for name, read in reads.items()
            if name in chosen and read.sync_id == self._sync and read.outcome == COMPLETE
        }

    def _hand_out(self) -> None:
        while self._todo and self._under_way < 2 * self._workers:
            self._under_way += 1
            self._calls.put(self._todo.popleft())

    def _arrived(self) -> list[Arrival]:
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
        answer = self._reader.page(task.walk.resource, task.page, task.params)
        failpoint("fetch.page")
        return answer

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
        except _UNREADABLE:
            return None

    # What to read

    def _start_ready(self, waiting: list[Resource], chosen: set[str]) -> list[Resource]:
        """Begin the resources whose parents are read; a parent that failed fails its children."""
        still: list[Resource] = []
        for resource in waiting:
            parents = [name for name in resource.parents if name in chosen]
            told_by = resource.closed_until_moved
            failed = next((name for name in parents if name in self._ended and not self._ended[name].is_complete), None)
            if failed is not None:
                of_parent = self._ended[failed]
                self._end(resource, msgspec.structs.replace(of_parent, records=0, set_aside=0, changed=0, deleted=0))
            elif any(name not in self._ended for name in parents) or (told_by in chosen and told_by not in self._ended):
                still.append(resource)
            else:
                self._begin(resource, 1)
        return still

    def _begin(
        self, resource: Resource, pass_number: int, *, attempt: int = 1, whole: frozenset[str] | None = None
    ) -> None:
        """Begin a pass, or go on with one that was cut off. `whole` names windows that are to be read whole, and then
        only those are read."""
        with self._db.read() as tx:
            kept = pages.done(tx, self._tenant, self._sync, resource.name, pass_number)
            try:
                windows = self._windows(tx, resource)
            except _UNREADABLE as error:
                message = f"What {resource.name} is to be read for cannot be told: {error}."
                self._end(resource, outcome_of(UpstreamChanged(message)))
                return
            since = {} if whole is not None else self._since(tx, resource, windows, kept)
            known = cursors.of(tx, self._tenant, self._connection, resource.name)
            ranges = self._ranges(tx, resource) if resource.windows is not None else ()
            closed = {window.name for window in ranges if window.is_closed}
            still = self._unmoved(tx, resource, windows) if whole is None else windows.keys() - whole
        self._names[resource.name] = frozenset(windows)
        windows = {name: params for name, params in windows.items() if name not in still}
        before = self._walks.get(resource.name)
        walk = self._walks[resource.name] = Walk(resource, pass_number, windows, attempt=attempt, since=since)
        if before is not None:
            walk.pages_before = before.pages_done
            if resource.name not in self._former:
                walk.outcome.changed = before.outcome.changed
        walk.outcome.changed += _SOME if kept else 0
        if before is not None and before is self._before.get(resource.name) and before.stood_still():
            walk.carry_on(before)
        for name, window in walk.windows.items():
            window.is_closed = name in closed
            if keeping_up.is_deaf(known.get(name), self._clock.now()):
                window.tells_changes, window.changes_are_read = False, True
        self._recall(walk, kept)
        for name, window in walk.windows.items():
            for number in window.still_to_read():
                self._ask(Task(walk=walk, window=name, page=number, params=walk.params_of(name)))
        self._go_on(walk)

    def _unmoved(self, tx: Transaction, resource: Resource, names: Collection[str]) -> set[str]:
        """Windows that are over and were read before, and of which the report that tells of change stayed as it was."""
        report = resource.closed_until_moved
        if report is None or resource.windows is None:
            return set()
        rows = raw.by_ids(tx, self._tenant, self._connection, report, names)
        bases = {name: hashlib.sha256(row.body).digest() for name, row in rows.items()}
        self._bases[resource.name] = bases
        told = self._ended.get(report)
        if told is None or not told.is_complete:
            return set()
        known = cursors.of(tx, self._tenant, self._connection, resource.name)
        return {
            one.name
            for one in self._ranges(tx, resource)
            if one.is_closed
            and (cursor := known.get(one.name)) is not None
            and cursor.basis == bases.get(one.name, b"")
            and not keeping_up.is_due(cursor, self._clock.now(), f"{self._connection}/{resource.name}/{one.name}")
            and not self._is_touched(tx, cursor, one.last)
        }

    def _is_touched(self, tx: Transaction, cursor: cursors.Cursor, last: str) -> bool:
        """Whether a record that is told of up to a day changed since a window was read."""
        owner = (self._tenant, self._connection)
        for other in self._around:
            if other.day is None:
                continue
            for body in raw.changed_since(tx, *owner, other.name, cursor.whole_at, cursor.seen):
                day = other.day(body)
                if day is None or day <= last:
                    return True
        return False

    def _recall(self, walk: Walk, kept: Mapping[tuple[str, int], pages.Done]) -> None:
        """Have a walk know the pages that were committed before the process ended."""
        for (name, number), page in sorted(kept.items()):
            if name not in walk.windows:
                continue
            if number == _BEGUN:
                walk.windows[name].begun_at = datetime.fromisoformat(page.ids[0])
                continue
            has_next = page.total is None  # it did not say: look
            walk.page_came(name, number, total=page.total, has_next=has_next, ids=page.ids, page_size=self._page_size)

    def _walked(self, tx: Transaction, resource: Resource) -> Walk:
        """The walk of a resource that had ended before the process did: what it met tells what need not be read
        again."""
        number = pages.latest_pass(tx, self._tenant, self._sync, resource.name)
        kept = pages.done(tx, self._tenant, self._sync, resource.name, number)
        names = {name for name, _ in kept}
        walk = Walk(resource, number, dict.fromkeys(names, ()), since=_asked_since(kept))
        self._recall(walk, kept)
        return walk

    def _since(
        self,
        tx: Transaction,
        resource: Resource,
        windows: Mapping[str, Params],
        kept: Mapping[tuple[str, int], pages.Done],
    ) -> dict[str, datetime | None]:
        """From when on changes are asked for, None for a window that is read whole. What a pass that was cut off asked
        for, it goes on asking for."""
        if resource.kind is not Kind.LIST or resource.since is None:
            return {}
        known = cursors.of(tx, self._tenant, self._connection, resource.name)
        held = raw.standing(tx, self._tenant, self._connection, resource.name)
        now = self._clock.now()
        since = _asked_since(kept)
        for name in windows.keys() - since.keys():
            since[name] = keeping_up.since(
                known.get(name),
                held.get(name, raw.Standing()),
                page_size=self._page_size,
                now=now,
                salt=f"{self._connection}/{resource.name}",
            )
        return since

    def _windows(self, tx: Transaction, resource: Resource) -> dict[str, Params]:
        params = resource.params
        if resource.today_param:
            params = (*params, (resource.today_param, self._today.isoformat()))
        if resource.windows is not None:
            return {window.name: (*params, *window.params) for window in self._ranges(tx, resource)}
        if resource.per is None:
            return {"": params}
        parents = raw.whole(tx, self._tenant, self._connection, resource.per)
        name = resource.per_param or resource.per
        return {row.id: (*params, (name, _own_url(row.body))) for row in parents}

    def _ranges(self, tx: Transaction, resource: Resource) -> tuple[ReadWindow, ...]:
        assert resource.windows is not None
        rows = {name: raw.whole(tx, self._tenant, self._connection, name) for name in resource.windows_of}
        return resource.windows(rows, self._today, self._months)

    def _ask(self, task: Task) -> None:
        task.walk.open += 1
        self._todo.append(task)

    # What came

    def _take(self, arrivals: list[Arrival]) -> None:
        fatal: BaseException | None = None
        answered: list[tuple[Task, PageAnswer | Body]] = []
        for arrival in arrivals:
            walk, error = arrival.task.walk, arrival.error
            walk.open -= 1
            if error is None:
                if isinstance(arrival.answer, Searched):
                    walk.windows[arrival.task.window].missing = arrival.answer.missing
                elif isinstance(arrival.answer, Count):
                    walk.windows[arrival.task.window].total = arrival.answer.total
                else:
                    if arrival.task.record_id is not None:
                        assert walk.asked is not None
                        assert isinstance(arrival.answer, Body)
                        walk.asked[arrival.task.record_id] = arrival.answer.body is not None
                    assert arrival.answer is not None
                    answered.append((arrival.task, arrival.answer))
            elif not isinstance(error, ProductError) or isinstance(error, (RelinkRequired, SetupRequired)):
                fatal = error
            elif arrival.task.record_id is not None:
                walk.asking_failed = error.message
            elif arrival.task.reread is not None:
                self._unread_again.add(arrival.task.reread)  # it goes on waiting, for the next sync
            elif walk.outcome.is_complete:
                walk.outcome = msgspec.structs.replace(outcome_of(error), changed=walk.outcome.changed)
                walk.is_cut_by_limit = isinstance(error, TryLater) and error.is_rate_limit
        if answered:
            with self._db.write() as tx:
                for task, answer in answered:
                    if isinstance(answer, Body):
                        self._store_alone(tx, task, answer.body)
                    else:
                        self._store(tx, task, answer)
            failpoint("fetch.committed")
        if fatal is not None:
            raise fatal
        for walk in {arrival.task.walk.resource.name: arrival.task.walk for arrival in arrivals}.values():
            if self._walks.get(walk.resource.name) is walk:
                self._watch(walk.resource.name, walk.pages_done, walk.pages_in_all, len(walk.seen))
                self._go_on(walk)

    def _store(self, tx: Transaction, task: Task, answer: PageAnswer) -> None:
        """A page's records and the row that says that it is stored."""
        walk, resource, now = task.walk, task.walk.resource, self._clock.now()
        if self._floor is None and answer.made_after is not None:
            self._floor = answer.made_after - _CALLS_APART
        rows, ids = self._read(tx, task, answer, now)
        if task.is_changes:
            self._store_changes(tx, task, answer, rows, now)
            return
        window = walk.windows[task.window]
        window.heard(row.record.updated_at for row in rows)
        if window.is_ignored:
            return  # the walk ends, and another reads the list whole
        counts = self._put(tx, task, rows, now)
        walk.outcome.changed += counts.new + counts.changed
        self._keep(tx, task, task.page, ids, answer.total, now)
        if task.page == 1 and resource.kind is Kind.LIST:
            begun = walk.begin(task.window, made_after=answer.made_after, now=now)
            since = window.since.isoformat() if window.since is not None else ""
            self._keep(tx, task, _BEGUN, [begun.isoformat(), since], None, now)
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
        self, tx: Transaction, task: Task, answer: PageAnswer, rows: list[raw.Arrived], now: datetime
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
            except _UNREADABLE as error:
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

    def _put(self, tx: Transaction, task: Task, rows: list[raw.Arrived], now: datetime) -> raw.Counts:
        resource, at = task.walk.resource, task.reread.at if task.reread is not None else None
        touched: list[Reread] = []

        def told(arrived: raw.Arrived, former: bytes | None) -> None:
            dates = [date for date in (arrived.record.updated_at, at) if date is not None]
            is_dated = arrived.record.updated_at is not None and (task.reread is None or at is not None)
            links = set(_touched(resource, arrived.body)) | set(_touched(resource, former or b"{}"))
            touched.extend(self._touched_after_read(links, max(dates) if is_dated else None))

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
            told=told if resource.touches is not None else None,
        )
        rereads.note(tx, self._tenant, self._connection, touched)
        return counts

    def _touched_after_read(self, links: Iterable[Link], at: datetime | None) -> Iterator[Reread]:
        """Records that a change tells of, but those that this run read after it."""
        for link in links:
            one = Reread(link.resource, link.id, at, self._sync)
            if not self._is_read_since(one):
                yield one

    def _is_read_since(self, one: Reread) -> bool:
        walk = self._walks.get(one.resource)
        if walk is None or one.at is None or self._floor is None or not walk.has_begun_after(one.at, self._floor):
            return False
        return one.id in walk.seen or not walk.partial

    def _mark_deleted(self, tx: Transaction, resource: Resource, ids: Collection[str]) -> None:
        """Gone upstream; nobody can say since when."""
        if resource.touches is not None:
            rows = raw.by_ids(tx, self._tenant, self._connection, resource.name, ids)
            links = {link for row in rows.values() for link in _touched(resource, row.body)}
            rereads.note(tx, self._tenant, self._connection, self._touched_after_read(links, None))
        owner = (self._tenant, self._connection, resource.name)
        raw.mark_deleted(tx, *owner, ids, self._clock.now(), log=self._log_of(resource))

    def _keep(self, tx: Transaction, task: Task, number: int, ids: list[str], total: int | None, now: datetime) -> None:
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
        is_ignored = any(window.is_ignored for window in walk.windows.values())
        is_put_back = any(map(keeping_up.is_put_back, walk.windows.values()))
        if (is_ignored or is_put_back or not outcome.is_complete) and walk.open:
            dropped = [task for task in self._todo if task.walk is walk]
            self._todo = deque(task for task in self._todo if task.walk is not walk)
            walk.open -= len(dropped)
        if walk.open or resource.name in self._ended or self._walks[resource.name] is not walk:
            return
        if not outcome.is_complete:
            if walk.is_cut_by_limit:
                with self._db.write() as tx:
                    cursors.forget(tx, self._tenant, self._connection, resource.name)
            self._end(resource, outcome)
            return
        if is_ignored:
            with self._db.write() as tx:
                cursors.ignored(tx, self._tenant, self._connection, resource.name, self._clock.now())
        if is_ignored or is_put_back:
            self._begin(resource, walk.pass_number + 1, whole=self._names[resource.name])
            return
        if changes := walk.changes_to_read():
            for window, params in changes:
                self._ask(Task(walk=walk, window=window, params=params, is_changes=True))
            return
        if walk.asked is None:
            walk.is_settled = self._is_settled(walk)
            if not walk.is_settled and walk.attempt < _MOST_PASSES:
                again = frozenset(walk.to_agree()) if walk.stood_still() else self._whole_again(walk)
                self._before[resource.name] = walk
                self._begin(resource, walk.pass_number + 1, attempt=walk.attempt + 1, whole=again)
                return
            walk.seen.update(walk.carried)
            if not self._is_counted(walk):
                return
            walk.live, walk.missing = self._missing(walk)
            walk.missing.update(*(window.missing or () for window in walk.partial.values()))
            walk.is_proof = walk.is_settled and not any(window.unread for window in walk.windows.values())
            walk.suspicious = self._suspicious(walk)
            if walk.suspicious and walk.attempt == 1:
                self._before[resource.name] = walk
                again = None if walk.partial else walk.suspicious & walk.windows.keys() or frozenset(walk.windows)
                self._begin(resource, walk.pass_number + 1, attempt=2, whole=again)
                return
            walk.asked = {}
            if asked := sweep.to_ask_for(
                resource, walk.missing, is_proof=walk.is_proof, is_suspicious=bool(walk.suspicious)
            ):
                for id_ in asked:
                    self._ask(Task(walk=walk, record_id=id_))
                return
        self._conclude(walk)

    def _whole_again(self, walk: Walk) -> frozenset[str] | None:
        """What a further pass of the same kind reads whole: None where changes are asked for."""
        return None if walk.partial else frozenset(walk.windows)

    def _is_counted(self, walk: Walk) -> bool:
        """Whether what changes told agrees with how many records there are; if not, what follows from it is begun."""
        partial = walk.partial if walk.is_settled else {}
        if uncounted := [name for name, window in partial.items() if not window.is_counted]:
            for name in uncounted:
                walk.windows[name].is_counted = True
                self._ask(Task(walk=walk, window=name, params=walk.windows[name].params, is_count=True))
            return False
        if not partial:
            return True
        with self._db.read() as tx:
            held = raw.standing(tx, self._tenant, self._connection, walk.resource.name)
        can_narrow = walk.resource.narrowing is not None and walk.resource.asked_by_id
        weighed = keeping_up.weigh(walk, held, can_narrow=can_narrow)
        if weighed.again:
            self._begin(walk.resource, walk.pass_number + 1, attempt=walk.attempt + 1)
            return False
        if weighed.whole:
            self._move_cursors(walk, walk.windows.keys() - weighed.whole)
            self._begin(walk.resource, walk.pass_number + 1, whole=weighed.whole)
            return False
        for name in weighed.short:
            walk.windows[name].is_narrowed = True
            self._ask(Task(walk=walk, window=name, is_search=True))
        return not weighed.short

    def _missing(self, walk: Walk) -> tuple[int, set[str]]:
        """How many records are held as live, and which of them the pass did not meet where it read all."""
        with self._db.read() as tx:
            held = raw.standing(tx, self._tenant, self._connection, walk.resource.name)
            live = sum(one.live for one in held.values())
            others = self._names[walk.resource.name] - walk.whole.keys()
            in_whole = sum(one.live for name, one in held.items() if name not in others)
            if not others and in_whole == len(walk.seen) - walk.outcome.set_aside:
                return live, set()  # all that was met is held, so nothing else is
            if not in_whole:
                return live, set()
            held_ids = raw.live_ids(tx, self._tenant, self._connection, walk.resource.name, but=others)
            return live, {id_ for id_ in held_ids if id_ not in walk.seen}

    def _suspicious(self, walk: Walk) -> frozenset[str]:
        """Windows that lost more than a fifth, or all they had: each is a list of its own that may come back empty. A
        report that is missing is one that nobody asks for any more."""
        if not walk.missing or walk.resource.kind is Kind.REPORT:
            return frozenset()
        owner = (self._tenant, self._connection, walk.resource.name)
        with self._db.read() as tx:
            held = raw.standing(tx, *owner)
            lost = Counter(raw.windows_of(tx, *owner, walk.missing).values())
        return frozenset(name for name, number in lost.items() if sweep.is_suspicious(held[name].live, number))

    def _is_settled(self, walk: Walk) -> bool:
        """Does the pass hold each live record exactly once, as far as can be told?"""
        if not walk.stood_still() or not walk.to_agree():
            return walk.stood_still()
        before = self._before.get(walk.resource.name)
        return before is not None and walk.agrees_with(before)

    def _conclude(self, walk: Walk) -> None:
        resource, outcome = walk.resource, walk.outcome
        verdict = sweep.judge(
            resource,
            walk.live,
            walk.missing,
            is_proof=walk.is_proof,
            is_suspicious=bool(walk.suspicious),
            asked=walk.asked or {},
            failed=walk.asking_failed,
        )
        if verdict.deleted:
            with self._db.write() as tx:
                self._mark_deleted(tx, resource, verdict.deleted)
        outcome.deleted, outcome.warning = len(verdict.deleted), verdict.warning
        if not walk.is_settled:
            moved = (
                f"The list {resource.name} kept changing while it was read, {_MOST_PASSES} times over. All that was "
                "met is held; what moved is read again at the next sync."
            )
            outcome.warning = " ".join(filter(None, (moved, verdict.warning)))
        walk.is_settled = walk.is_settled and not verdict.is_doubtful
        outcome.records = len(walk.seen)
        self._move_cursors(walk, walk.windows.keys())
        self._end(resource, outcome)

    def _move_cursors(self, walk: Walk, names: Set[str]) -> None:
        """Changes to these windows are told from here on. A pass that did not come to rest moves no cursor, and what
        it should have read whole is read whole at the next sync."""
        resource = walk.resource
        if resource.kind is not Kind.LIST or (resource.since is None and resource.closed_until_moved is None):
            return
        bases = self._bases.get(resource.name, {})
        with self._db.write() as tx:
            if not walk.is_settled:
                cursors.forget(tx, self._tenant, self._connection, resource.name, walk.whole)
                return
            before = cursors.of(tx, self._tenant, self._connection, resource.name)
            held = raw.standing(tx, self._tenant, self._connection, resource.name)
            for name in names:
                window, now = walk.windows[name], self._clock.now()
                cursor = keeping_up.moved(before.get(name), name, window, held.get(name, raw.Standing()), now)
                if resource.since is None:  # what its source dates later may stand otherwise in this window
                    cursor = msgspec.structs.replace(cursor, seen=window.begun_at, basis=bases.get(name))
                cursors.move(tx, self._tenant, self._connection, resource.name, cursor)

    # Records that others tell of

    def _begin_rereads(self, resources: Sequence[Resource]) -> bool:
        """Ask for what waits to be read again, of the resources of this run; whether there was anything to ask."""
        if self._rounds_of_rereads == _MOST_ROUNDS_OF_REREADS:
            return False
        self._rounds_of_rereads += 1
        with self._db.read() as tx:
            waiting = rereads.waiting(tx, self._tenant, self._connection)
        if read := [one for one in waiting if self._is_read_since(one)]:
            waiting = [one for one in waiting if one not in read]
            with self._db.write() as tx:
                for one in read:
                    rereads.done(tx, self._tenant, self._connection, one.resource, [one.id])
        for resource in resources:
            these = [one for one in waiting if one.resource == resource.name and one not in self._unread_again]
            if not these or not self._ended[resource.name].is_complete:
                continue
            if len(these) > self._pages(resource):
                self._former[resource.name] = self._ended.pop(resource.name)
                number = _PASS_TO_REREAD * self._rounds_of_rereads
                self._begin(resource, number, whole=self._all_windows(resource))
                continue
            walk = Walk(resource, 0, {})
            for one in these:
                self._ask(Task(walk=walk, reread=one))
        return bool(self._todo or self._under_way)

    def _pages(self, resource: Resource) -> int:
        """How many calls reading it whole would take."""
        with self._db.read() as tx:
            held = raw.standing(tx, self._tenant, self._connection, resource.name)
        return sum(max(1, -(-one.live // self._page_size)) for one in held.values())

    def _all_windows(self, resource: Resource) -> frozenset[str]:
        with self._db.read() as tx:
            return frozenset(self._windows(tx, resource))

    def _store_alone(self, tx: Transaction, task: Task, body: bytes | None) -> None:
        """What a record that was asked for by itself is now. One that its list lacked goes only with the others that
        are missing, once all were asked for."""
        resource, reread = task.walk.resource, task.reread
        id_ = reread.id if reread is not None else task.record_id
        assert id_ is not None
        owner = (self._tenant, self._connection, resource.name)
        outcome = task.walk.outcome
        if reread is not None:
            outcome = self._ended[resource.name]
            rereads.done(tx, *owner, [id_])
        window = raw.windows_of(tx, *owner, [id_]).get(id_)
        if body is None:
            if window is not None and reread is not None:
                self._mark_deleted(tx, resource, [id_])
                outcome.deleted += 1
            return
        if window is None and (resource.per is not None or resource.windows is not None):
            return  # it comes with its own list
        row = raw.by_ids(tx, *owner, [id_]).get(id_)
        try:
            arrived = raw.Arrived(row.part if row is not None else resource.keys[0], resource.read(body), body)
        except _UNREADABLE:
            return  # its list has it in a form that is set aside
        counts = self._put(tx, msgspec.structs.replace(task, window=window or ""), [arrived], self._clock.now())
        outcome.changed += counts.new + counts.changed

    def _end(self, resource: Resource, outcome: Outcome) -> None:
        """Remember how the read of a resource ended."""
        if (former := self._former.pop(resource.name, None)) is not None:
            outcome = _together(former, outcome)
        self._ended[resource.name] = outcome
        now = self._clock.now()
        walk = self._walks.get(resource.name)
        with self._db.write() as tx:
            if walk is not None and outcome.is_complete:
                self._have_read_again(tx, walk)
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

    def _have_read_again(self, tx: Transaction, walk: Walk) -> None:
        """What waited to be read again when this walk began, and was met by it, waits no longer."""
        name = walk.resource.name
        met = [
            one.id
            for one in rereads.waiting(tx, self._tenant, self._connection)
            if one.resource == name
            and one.id in walk.seen
            and (one.sync_id != self._sync or walk.pass_number >= _PASS_TO_REREAD)
        ]
        rereads.done(tx, self._tenant, self._connection, name, met)


def _asked_since(kept: Mapping[tuple[str, int], pages.Done]) -> dict[str, datetime | None]:
    """Since when a pass that was cut off had asked for changes, by window; None where it read all."""
    return {
        name: datetime.fromisoformat(page.ids[1]) if page.ids[1] else None
        for (name, number), page in kept.items()
        if number == _BEGUN
    }


def _touched(resource: Resource, body: bytes) -> Iterable[Link]:
    assert resource.touches is not None
    try:
        return resource.touches(body)
    except _UNREADABLE:
        return ()


def _together(former: Outcome, latter: Outcome) -> Outcome:
    """Of a resource that was read once more: what both reads found."""
    if not latter.is_complete:
        return former  # what was read stands; what was to be read again goes on waiting
    return msgspec.structs.replace(
        latter,
        changed=former.changed + latter.changed,
        deleted=former.deleted + latter.deleted,
        warning=latter.warning or former.warning,
    )


class _Named(msgspec.Struct):
    url: str


_named = msgspec.json.Decoder(_Named)


def _own_url(body: bytes) -> str:
    return _named.decode(body).url

"""Reads resources, whole or what changed in them, many pages at once, each committed with a row that says so.

Several threads fetch, one writes. A page's records and its row go in one transaction, so after a kill only pages
without a row are fetched again. A list that moves while it is read is walked again until it stands still.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import ProductError, RelinkRequired, SetupRequired, StoreAway, TryLater, UpstreamChanged
from comptoir.integrations.contract import Kind, Resource
from comptoir.jobs import Stopped
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import ConnectionId, Database, SyncId, TenantId, calls, cursors, pages, raw, rereads, syncs
from comptoir.sync import keeping_up, sweep
from comptoir.sync.callers import Callers
from comptoir.sync.calls import UNREADABLE, Arrival, Body, Count, PageAnswer, Proved, Reader, Searched, Task, Watch
from comptoir.sync.filing import Filing
from comptoir.sync.outcomes import COMPLETE, NOT_SUPPORTED, Outcome, outcome_of
from comptoir.sync.retold import PASS_TO_REREAD, Retold
from comptoir.sync.scope import Scope
from comptoir.sync.walk import Params, Walk, is_descending
from comptoir.upstream.notes import Notes, noting

__all__ = ["Fetch", "PageAnswer", "Reader", "Watch"]

_MOST_PASSES = 3
_SOME = 1  # how many records a read changed before the process ended is not known; that none did is not either
_CALLS_APART = timedelta(seconds=2)  # the first calls of a run begin together
_BEGUN = 0  # the page number that keeps when the reading of a window began, and since when changes were asked for
_LAST_PAGES_SECONDS = 6.0  # how long pages under way may still come in after a stop


class Fetch:
    """One round of reading over one connection; `run` gives each resource's outcome, and raises StoreAway while the
    database does not answer: the pages that are stored by then stay so."""

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
        self._clock, self._page_size = clock, page_size
        self._around = tuple(around)
        self._watch: Watch = watch or (lambda *_: None)
        self._meanwhile, self._should_stop = meanwhile, should_stop
        self._notes = Notes()
        self._todo: deque[Task] = deque()
        self._walks: dict[str, Walk] = {}
        self._bases: dict[str, Mapping[str, bytes]] = {}  # what tells whether a window that is over has changed
        self._before: dict[str, Walk] = {}  # the pass before, where another must agree with it
        self._ended: dict[str, Outcome] = {}
        self._former: dict[str, Outcome] = {}  # of resources that are read another time
        self._scope = Scope(tenant, connection, around, page_size=page_size, today=today, months=months)
        self._retold = Retold(tenant, connection, sync, self._walks)
        self._callers = Callers(db, tenant, connection, reader, around, page_size=page_size, workers=workers)
        with db.read() as tx:
            self._reads = syncs.reads(tx, tenant, connection)
            has_former = syncs.latest(tx, tenant, connection) is not None
        held_whole = {name for name, read in self._reads.items() if read.seen_at is not None} if has_former else set()
        self._filing = Filing(tenant, connection, sync, self._retold, held_whole)

    def run(self, resources: Sequence[Resource]) -> dict[str, Outcome]:
        """Read all of these, but what this very sync has read before. RelinkRequired and SetupRequired end the round at
        once: nothing else could be read.

        Raises Stopped when asked to stop, after the pages under way came in.
        """
        try:
            with noting(self._notes), self._callers:
                self._run(resources)
        finally:
            if made := self._notes.take():
                with self._db.write() as tx:
                    self._note(tx, made)
        return self._ended

    def _note(self, tx: Transaction, made: Sequence[calls.Made]) -> None:
        calls.keep(tx, self._tenant, self._connection, self._sync, made, self._clock.now())

    def _run(self, resources: Sequence[Resource]) -> None:
        chosen = {resource.name for resource in resources}
        known = {resource.name: resource for resource in (*self._around, *resources)}
        self._ended = self._ended_before(known.keys())
        waiting = [resource for resource in resources if resource.name not in self._ended]
        with self._db.read() as tx:
            self._walks.update({name: self._walked(tx, known[name]) for name in self._ended})
        begun = [window.begun_at for walk in self._walks.values() for window in walk.windows.values()]
        self._retold.floor = min(filter(None, begun), default=None)
        while True:
            waiting = self._start_ready(waiting, chosen)
            self._hand_out()
            if self._callers.under_way:
                self._take(self._callers.arrived())
                self._meanwhile()
            elif not waiting and not self._todo and not self._begin_rereads(resources):
                return
            if self._should_stop():
                self._come_to_a_stop()

    def _ended_before(self, known: Set[str]) -> dict[str, Outcome]:
        """What this very sync has read: in a round before, or before the process ended."""
        return {
            name: Outcome(changed=_SOME, set_aside=read.set_aside, deleted=read.deleted, warning=read.message)
            if read.outcome == COMPLETE
            else Outcome(kind=read.outcome, message=read.message, level_needed=read.level_needed)
            for name, read in self._reads.items()
            if name in known and read.is_settled_by(self._sync)
        }

    def _hand_out(self) -> None:
        while self._todo and self._callers.has_room():
            self._callers.hand(self._todo.popleft())

    def _come_to_a_stop(self) -> None:
        self._todo.clear()
        deadline = self._clock.monotonic() + _LAST_PAGES_SECONDS
        while self._callers.under_way and self._clock.monotonic() < deadline:
            self._take(self._callers.arrived())
            self._todo.clear()
        raise Stopped

    # What to read

    def _start_ready(self, waiting: list[Resource], chosen: set[str]) -> list[Resource]:
        """Begin resources whose parents were read, and what tells of them; a parent that failed fails its children."""
        still: list[Resource] = []
        for resource in waiting:
            parents = [name for name in resource.parents if name in chosen]
            before = {*parents, *(name for name in resource.told_by if name in chosen)}
            failed = next((name for name in parents if name in self._ended and not self._ended[name].is_complete), None)
            if failed is not None:
                of_parent = self._ended[failed]
                self._end(resource, msgspec.structs.replace(of_parent, records=0, set_aside=0, changed=0, deleted=0))
            elif before - self._ended.keys():
                still.append(resource)
            else:
                self._begin(resource, 1)
        return still

    def _begin(
        self,
        resource: Resource,
        pass_number: int,
        *,
        attempt: int = 1,
        whole: frozenset[str] | None = None,
        lacked: frozenset[str] = frozenset(),
    ) -> None:
        """Begin a pass, or go on with one that was cut off. `whole` names windows that are to be read whole, and then
        only those are read; `lacked` are records that the pass before found missing in the others."""
        now = self._clock.now()
        with self._db.read() as tx:
            kept = pages.done(tx, self._tenant, self._sync, resource.name, pass_number)
            try:
                windows = self._scope.windows(tx, resource)
                ranges = self._scope.ranges(tx, resource)
            except UNREADABLE as error:
                message = f"What {resource.name} is to be read for cannot be told: {error}."
                self._end(resource, outcome_of(UpstreamChanged(message)))
                return
            since: dict[str, datetime | None] = {}
            if whole is None and resource.kind is Kind.LIST and resource.tells_changes:
                since = _asked_since(kept)  # what a pass that was cut off asked for, it goes on asking for
                since |= self._scope.since(tx, resource, windows.keys() - since.keys(), now)
            known = cursors.of(tx, self._tenant, self._connection, resource.name)
            bases = self._bases[resource.name] = self._scope.bases(tx, resource)
            still = windows.keys() - whole if whole is not None else self._unmoved(tx, resource, bases, now)
        asked = {name: params for name, params in windows.items() if name not in still}
        before = self._walks.get(resource.name)
        walk = self._walks[resource.name] = Walk(resource, pass_number, asked, attempt=attempt, since=since)
        walk.names = frozenset(windows)
        walk.lacked = lacked
        if before is not None:
            walk.pages_before = before.pages_done
            if resource.name not in self._former:
                walk.outcome.changed = before.outcome.changed
        walk.outcome.changed += _SOME if kept else 0
        if before is not None and before is self._before.get(resource.name) and before.stood_still():
            walk.carry_on(before)
        for name, window in walk.windows.items():
            window.is_closed = name in ranges and ranges[name].is_closed
            if keeping_up.is_deaf(known.get(name), now):
                window.tells_changes, window.changes_are_read = False, True
        self._recall(walk, kept)
        for name, window in walk.windows.items():
            for number in window.still_to_read():
                self._ask(Task(walk=walk, window=name, page=number, params=walk.params_of(name)))
        self._go_on(walk)

    def _unmoved(self, tx: Transaction, resource: Resource, bases: Mapping[str, bytes], now: datetime) -> Set[str]:
        read = {name for name, outcome in self._ended.items() if outcome.is_complete}
        absent = {name for name, outcome in self._ended.items() if outcome.kind == NOT_SUPPORTED}
        return self._scope.unmoved(tx, resource, bases, now, read=read, absent=absent)

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
        walk.outcome = self._ended[resource.name]
        return walk

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
                elif isinstance(arrival.answer, Proved):
                    walk.windows[arrival.task.window].is_proven = self._is_proven(arrival.task, arrival.answer)
                else:
                    if arrival.task.record_id is not None:
                        assert walk.asked is not None
                        assert isinstance(arrival.answer, Body)
                        walk.asked[arrival.task.record_id] = arrival.answer.body is not None
                    assert arrival.answer is not None
                    answered.append((arrival.task, arrival.answer))
            elif not isinstance(error, ProductError) or isinstance(error, (RelinkRequired, SetupRequired, StoreAway)):
                fatal = error
            elif arrival.task.record_id is not None:
                walk.asking_failed = error.message
            elif arrival.task.reread is not None:
                self._retold.could_not_read(arrival.task.reread)
            elif arrival.task.is_proof:
                continue  # without a proof, a further pass must agree
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
                self._note(tx, self._notes.take())
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
        if self._retold.floor is None and answer.made_after is not None:
            self._retold.floor = answer.made_after - _CALLS_APART
        rows, ids = self._filing.read(tx, task, answer, now)
        if task.is_changes:
            self._store_changes(tx, task, answer, rows, now)
            return
        window = walk.windows[task.window]
        window.heard(row.record.updated_at for row in rows)
        if window.is_ignored:
            return  # the walk ends, and another reads the list whole
        counts = self._filing.put(tx, task, rows, now)
        walk.outcome.changed += counts.new + counts.changed
        self._filing.keep_page(tx, task, task.page, ids, answer.total, now)
        if task.page == 1 and (resource.kind is Kind.LIST or resource.closed_until_moved is not None):
            begun = walk.begin(task.window, made_after=answer.made_after, now=now)
            since = window.since.isoformat() if window.since is not None else ""
            self._filing.keep_page(tx, task, _BEGUN, [begun.isoformat(), since], None, now)
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
            return
        met = [row for row in rows if row.record.id in walk.seen]
        others = [row for row in rows if row.record.id not in walk.seen]
        counts = self._filing.put(tx, task, met, now)
        added = self._filing.put(tx, task, others, now)
        walk.outcome.changed += counts.changed + added.new + added.changed
        window.has_moved = window.has_moved or bool(others) or counts.unchanged > 0
        walk.seen.update(row.record.id for row in others)
        window.changes_are_read = not has_more
        if has_more:
            self._ask(msgspec.structs.replace(task, page=task.page + 1))

    def _is_proven(self, task: Task, answer: Proved) -> bool:
        """Whether what was met of a window adds up to what its upstream says of it."""
        resource, proof = task.walk.resource, task.walk.resource.proof
        assert proof is not None
        if answer.body is None:
            return False
        with self._db.read() as tx:
            owner = (self._tenant, self._connection)
            beside = {name: raw.whole(tx, *owner, name) for name in proof.beside}
            lines = (
                row.body for row in raw.in_window(tx, *owner, resource.name, task.window) if row.id in task.walk.seen
            )
            try:
                return proof.holds(self._scope.ranges(tx, resource)[task.window], lines, answer.body, beside)
            except UNREADABLE:
                return False

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
        if is_ignored or is_put_back:
            with self._db.write() as tx:
                if is_ignored:
                    cursors.ignored(tx, self._tenant, self._connection, resource.name, self._clock.now())
                else:  # should the pass break off, what changed before the clock caught up would never be asked for
                    cursors.forget(tx, self._tenant, self._connection, resource.name)
            self._begin(resource, walk.pass_number + 1, whole=walk.names)
            return
        if changes := walk.changes_to_read():
            for window, params in changes:
                self._ask(Task(walk=walk, window=window, params=params, is_changes=True))
            return
        if proofs := self._to_prove(walk):
            for window, params in proofs.items():
                walk.windows[window].is_proof_asked = True
                self._ask(Task(walk=walk, window=window, params=params, is_proof=True))
            return
        if walk.asked is None:
            walk.is_settled = self._is_settled(walk)
            if not walk.is_settled and walk.attempt < _MOST_PASSES:
                again = frozenset(walk.to_agree()) if walk.stood_still() else self._whole_again(walk)
                self._before[resource.name] = walk
                self._begin(resource, walk.pass_number + 1, attempt=walk.attempt + 1, whole=again, lacked=walk.lacked)
                return
            walk.seen.update(walk.carried)
            if not self._is_counted(walk):
                return
            walk.live, walk.missing = self._missing(walk)
            lacking = walk.lacked.union(*(window.missing or () for window in walk.partial.values()))
            walk.missing.update(id_ for id_ in lacking if id_ not in walk.seen)
            walk.suspicious = self._suspicious(walk.resource, walk.missing)
            if walk.suspicious and walk.is_settled and not self._is_missed_twice(walk):
                if walk.attempt <= _MOST_PASSES:
                    self._before[resource.name] = walk
                    again = None if walk.partial else walk.suspicious & walk.windows.keys() or frozenset(walk.windows)
                    self._begin(
                        resource, walk.pass_number + 1, attempt=walk.attempt + 1, whole=again, lacked=walk.lacked
                    )
                    return
                walk.is_settled = False  # each pass lacked something else
            walk.is_proof = walk.is_settled and not any(window.unread for window in walk.windows.values())
            walk.asked = {}
            if asked := sweep.to_ask_for(resource, walk.missing):
                for id_ in asked:
                    self._ask(Task(walk=walk, record_id=id_))
                return
        self._conclude(walk)

    def _to_prove(self, walk: Walk) -> dict[str, Params]:
        """Windows that a report may prove, and how it is asked for: what else does not hold needs no proof."""
        proof = walk.resource.proof
        if proof is None or not walk.stood_still():
            return {}
        names = [name for name in walk.to_agree() if not walk.windows[name].is_proof_asked]
        if not names:
            return {}
        with self._db.read() as tx:
            ranges = self._scope.ranges(tx, walk.resource)
        return {name: proof.asked(ranges[name]) for name in names if name in ranges}

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
        for name in weighed.short:
            walk.windows[name].is_narrowed = True
            self._ask(Task(walk=walk, window=name, is_search=True))
        if weighed.whole and not weighed.short:
            self._move_cursors(walk, walk.windows.keys() - weighed.whole)
            lacked = walk.lacked | self._lacked(walk, weighed.whole)
            self._begin(walk.resource, walk.pass_number + 1, whole=weighed.whole, lacked=lacked)
            return False
        return not weighed.short

    def _missing(self, walk: Walk) -> tuple[int, set[str]]:
        """How many records are held as live, and which of them the pass did not meet where it read all."""
        with self._db.read() as tx:
            held = raw.standing(tx, self._tenant, self._connection, walk.resource.name)
            live = sum(one.live for one in held.values())
            others = walk.names - walk.whole.keys()
            whole = {name: one for name, one in held.items() if name not in others}
            in_whole = sum(one.live for one in whole.values())
            if not others and in_whole == len(walk.seen) - walk.outcome.set_aside:
                return live, set()  # all that was met is held, so nothing else is
            if not in_whole:
                return live, set()
            held_ids = raw.live_ids(tx, self._tenant, self._connection, walk.resource.name, whole)
            return live, {id_ for id_ in held_ids if id_ not in walk.seen}

    def _lacked(self, walk: Walk, again: Set[str]) -> frozenset[str]:
        """What a pass found missing in windows that the next one does not read again; not where a second pass would
        have to agree: the next sync will tell."""
        lacked = {id_ for name, window in walk.partial.items() if name not in again for id_ in window.missing or ()}
        if not any(window.unread for window in walk.whole.values()):
            lacked |= self._missing(walk)[1]
        doubtful = self._suspicious(walk.resource, lacked)
        with self._db.read() as tx:
            windows = raw.windows_of(tx, self._tenant, self._connection, walk.resource.name, lacked)
        return frozenset(id_ for id_, name in windows.items() if name not in doubtful)

    def _suspicious(self, resource: Resource, missing: Set[str]) -> frozenset[str]:
        """Windows that lost more than a fifth, or all they had: each is a list of its own that may come back empty. A
        report that is missing is one that nobody asks for any more."""
        if not missing or resource.kind is Kind.REPORT:
            return frozenset()
        owner = (self._tenant, self._connection, resource.name)
        with self._db.read() as tx:
            held = raw.standing(tx, *owner)
            lost = Counter(raw.windows_of(tx, *owner, missing).values())
        return frozenset(name for name, number in lost.items() if sweep.is_suspicious(held[name].live, number))

    def _is_settled(self, walk: Walk) -> bool:
        """Does the pass hold each live record exactly once, as far as can be told?"""
        if not walk.stood_still() or not walk.to_agree():
            return walk.stood_still()
        before = self._before.get(walk.resource.name)
        return before is not None and walk.agrees_with(before)

    def _is_missed_twice(self, walk: Walk) -> bool:
        """Whether the pass before lacked whatever this one lacks."""
        before = self._before.get(walk.resource.name)
        return before is not None and walk.missing <= before.missing

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
                self._filing.mark_deleted(tx, resource, verdict.deleted, self._clock.now())
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
        if not (resource.kind is Kind.LIST and resource.tells_changes) and resource.closed_until_moved is None:
            return
        bases, now = self._bases.get(resource.name, {}), self._clock.now()
        with self._db.write() as tx:
            if not walk.is_settled:
                cursors.forget(tx, self._tenant, self._connection, resource.name, walk.whole)
                return
            before = cursors.of(tx, self._tenant, self._connection, resource.name)
            held = raw.standing(tx, self._tenant, self._connection, resource.name)
            for name in names:
                window = walk.windows[name]
                cursor = keeping_up.moved(before.get(name), name, window, held.get(name, raw.Standing()), now)
                if (
                    resource.closed_until_moved is not None
                ):  # what its source dates later may stand otherwise in this window
                    cursor = msgspec.structs.replace(cursor, seen=window.begun_at, basis=bases.get(name))
                cursors.move(tx, self._tenant, self._connection, resource.name, cursor)

    # Records that others tell of

    def _begin_rereads(self, resources: Sequence[Resource]) -> bool:
        """Ask for what waits to be read again, of the resources of this run; whether there was anything to ask."""
        waiting = self._retold.waiting(self._db)
        for resource in resources:
            these = waiting.get(resource.name, [])
            if not these or not self._ended[resource.name].is_complete:
                continue
            if len(these) > self._pages(resource):
                self._former[resource.name] = self._ended.pop(resource.name)
                number = PASS_TO_REREAD * self._retold.round
                with self._db.read() as tx:
                    whole = frozenset(self._scope.windows(tx, resource))
                self._begin(resource, number, whole=whole)
                continue
            walk = Walk(resource, 0, {})
            for one in these:
                self._ask(Task(walk=walk, reread=one))
        return bool(self._todo or self._callers.under_way)

    def _pages(self, resource: Resource) -> int:
        """How many calls reading it whole would take."""
        with self._db.read() as tx:
            held = raw.standing(tx, self._tenant, self._connection, resource.name)
        return sum(max(1, -(-one.live // self._page_size)) for one in held.values())

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

    def _end(self, resource: Resource, outcome: Outcome) -> None:
        """Remember how the read of a resource ended."""
        if (former := self._former.pop(resource.name, None)) is not None:
            outcome = _together(former, outcome)
        self._ended[resource.name] = outcome
        now = self._clock.now()
        walk = self._walks.get(resource.name)
        with self._db.write() as tx:
            if walk is not None and outcome.is_complete:
                self._retold.have_read(tx, walk)
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


def _asked_since(kept: Mapping[tuple[str, int], pages.Done]) -> dict[str, datetime | None]:
    """Since when a pass that was cut off had asked for changes, by window; None where it read all."""
    return {
        name: datetime.fromisoformat(page.ids[1]) if page.ids[1] else None
        for (name, number), page in kept.items()
        if number == _BEGUN
    }


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

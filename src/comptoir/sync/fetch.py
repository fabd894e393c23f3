"""Reads resources, whole or what changed in them, many pages at once, each committed with a row that says so.

Several threads fetch, one writes. A page's records and its row go in one transaction, so after a kill only pages
without a row are fetched again. A list that moves while it is read is walked again until it stands still.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence, Set
from datetime import date

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import OnHold, ProductError, RelinkRequired, SetupRequired, StoreAway, TryLater, UpstreamChanged
from comptoir.integrations.contract import Resource
from comptoir.jobs import Stopped
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.runtime.memory import give_back
from comptoir.store import ConnectionId, Database, SyncId, TenantId, calls, cursors, raw, syncs
from comptoir.sync import keeping_up, sweep
from comptoir.sync.answers import Answers
from comptoir.sync.callers import Callers
from comptoir.sync.calls import UNREADABLE, Arrival, Body, Count, PageAnswer, Proved, Reader, Searched, Task, Watch
from comptoir.sync.filing import Filing
from comptoir.sync.lacking import Lacking
from comptoir.sync.outcomes import Outcome, kept, outcome_of, to_keep
from comptoir.sync.passes import Passes
from comptoir.sync.proving import Proving
from comptoir.sync.retold import PASS_TO_REREAD, Retold
from comptoir.sync.scope import Scope
from comptoir.sync.walk import Walk
from comptoir.upstream.notes import Notes, noting

__all__ = ["Fetch", "PageAnswer", "Reader", "Watch"]

_MOST_PASSES = 3
_GIVE_BACK_EVERY = 200  # answers stored
_LAST_PAGES_SECONDS = 6.0  # how long pages under way may still come in after a stop
_ENDS_ALL = (RelinkRequired, SetupRequired, StoreAway, OnHold)  # nothing else could be read either


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
        self._stored = 0  # answers since memory was given back
        self._todo: deque[Task] = deque()
        self._walks: dict[str, Walk] = {}
        self._before: dict[str, Walk] = {}  # the pass before, where another must agree with it
        self._ended: dict[str, Outcome] = {}
        self._former: dict[str, Outcome] = {}  # of resources that are read another time
        self._scope = Scope(tenant, connection, around, page_size=page_size, today=today, months=months)
        self._passes = Passes(db, tenant, connection, sync, self._scope, clock, page_size=page_size)
        self._lacking = Lacking(db, tenant, connection)
        self._proving = Proving(db, tenant, connection, self._scope)
        self._retold = Retold(tenant, connection, sync, self._walks)
        self._callers = Callers(db, tenant, connection, reader, around, page_size=page_size, workers=workers)
        with db.read() as tx:
            self._reads = syncs.reads(tx, tenant, connection)
            has_former = syncs.latest(tx, tenant, connection) is not None
        held_whole = {name for name, read in self._reads.items() if read.seen_at is not None} if has_former else set()
        self._filing = Filing(tenant, connection, sync, self._retold, held_whole)
        self._answers = Answers(tenant, connection, self._filing, self._retold, clock, page_size=page_size)

    def run(self, resources: Sequence[Resource]) -> dict[str, Outcome]:
        """Read all of these, but what this very sync has read before. RelinkRequired, SetupRequired and OnHold end the
        round at once: nothing else could be read.

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
            self._walks.update({name: self._passes.ended(tx, known[name], self._ended[name]) for name in self._ended})
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
            name: kept(read) for name, read in self._reads.items() if name in known and read.is_settled_by(self._sync)
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
        try:
            walk = self._passes.begin(resource, pass_number, self._ended, attempt=attempt, whole=whole)
        except UNREADABLE as error:
            message = f"What {resource.name} is to be read for cannot be told: {error}."
            self._end(resource, outcome_of(UpstreamChanged(message)))
            return
        before = self._walks.get(resource.name)
        self._walks[resource.name] = walk
        walk.lacked = lacked
        if before is not None:
            walk.pages_before = before.pages_done
            if resource.name not in self._former:
                walk.outcome.changed += before.outcome.changed
            if before is self._before.get(resource.name) and before.stood_still():
                walk.carry_on(before)
        for name, window in walk.windows.items():
            for number in window.still_to_read():
                self._ask(Task(walk=walk, window=name, page=number, params=walk.params_of(name)))
        self._go_on(walk)

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
                    walk.windows[arrival.task.window].is_proven = self._proving.holds(arrival.task, arrival.answer)
                else:
                    if arrival.task.record_id is not None:
                        assert walk.asked is not None
                        assert isinstance(arrival.answer, Body)
                        walk.asked[arrival.task.record_id] = arrival.answer.body is not None
                    assert arrival.answer is not None
                    answered.append((arrival.task, arrival.answer))
            elif not isinstance(error, ProductError) or isinstance(error, _ENDS_ALL):
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
                        is_told = task.reread is not None  # by another record, once its own list had ended
                        outcome = self._ended[task.walk.resource.name] if is_told else task.walk.outcome
                        self._answers.alone(tx, task, answer.body, outcome)
                        continue
                    for following in self._answers.page(tx, task, answer):
                        self._ask(following)
                self._note(tx, self._notes.take())
            failpoint("fetch.committed")
            self._stored += len(answered)
            if self._stored >= _GIVE_BACK_EVERY:
                self._stored = 0
                give_back()
        if fatal is not None:
            raise fatal
        for walk in {arrival.task.walk.resource.name: arrival.task.walk for arrival in arrivals}.values():
            if self._walks.get(walk.resource.name) is walk:
                self._watch(walk.resource.name, walk.pages_done, walk.pages_in_all, len(walk.seen))
                self._go_on(walk)

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
        if proofs := self._proving.to_ask_for(walk):
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
            walk.live, walk.missing = self._lacking.missing(walk)
            lacking = walk.lacked.union(*(window.missing or () for window in walk.partial.values()))
            walk.missing.update(id_ for id_ in lacking if id_ not in walk.seen)
            walk.suspicious = self._lacking.suspicious(walk.resource, walk.missing)
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
            self._passes.move_cursors(walk, walk.windows.keys() - weighed.whole)
            lacked = walk.lacked | self._lacking.found(walk, weighed.whole)
            self._begin(walk.resource, walk.pass_number + 1, whole=weighed.whole, lacked=lacked)
            return False
        return not weighed.short

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
        self._passes.move_cursors(walk, walk.windows.keys())
        self._end(resource, outcome)

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
                to_keep(resource.name, self._sync, outcome, now),
            )


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

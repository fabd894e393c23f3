"""The story of a sync: plan, read each resource once, map each data type, check the books, say that it is done.

It is told in rounds: of what is due together, what comes first is read, mapped and served before the rest is read, by
the order that is set and by the stages of the integration. What is asked for meanwhile joins in. The check at the end
covers all rounds.

The same for `comptoir serve`, where each step is durable, and for `comptoir pull`, where a step is a plain call. Every
step may run again after a kill: what it wrote is found by its keys and not written twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import NotFound, OnHold, RelinkRequired, SetupRequired, TryLater
from comptoir.integrations.contract import DataType, Integration
from comptoir.jobs import Outdated, Step, Stopped
from comptoir.link import lifecycle
from comptoir.runtime.clock import Clock
from comptoir.runtime.correlation import correlate, correlated
from comptoir.runtime.failpoints import failpoint
from comptoir.store import (
    ConnectionId,
    Database,
    DatasetId,
    SyncId,
    TenantId,
    connections,
    datasets,
    holds,
    pages,
    profile,
    raw,
    syncs,
)
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.datasets import Dataset, Status
from comptoir.sync import checks, closing, endings, plan
from comptoir.sync.fetch import Fetch, Reader
from comptoir.sync.map import Mapper, MapResult
from comptoir.sync.outcomes import COMPLETE, Outcome
from comptoir.sync.plan import Round
from comptoir.sync.progress import Board
from comptoir.sync.requests import due, refuse
from comptoir.sync.telling import Pauses, Progress
from comptoir.sync.turns import Turns

__all__ = ["Engine", "OpenReader"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_DATABASE_AGAIN_SECONDS = 5.0
_LOOK_UP_SECONDS = 0.2


class OpenReader(Protocol):
    """Gives a reader for a connection, and how many calls it has made."""

    def __call__(self, connection: Connection) -> tuple[Reader, Callable[[], int]]: ...


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """Of a round. `resources` are also those that rounds before it had read; `is_unchanged`: whatever it read itself is
    as it was before. `is_overtaken`: it made way for something that comes first, and goes on behind that."""

    calls: int
    resources: dict[str, Outcome]
    is_unchanged: bool = False
    is_overtaken: bool = False


class Engine:
    """Runs syncs.

    `paused_until` tells until when a connection waits for its upstream's limit of calls, None when it does not.
    `workers` is how many pages are fetched at once. `retries_slowly` is off where nobody would wait for the next try.
    `should_stop` ends a run soon, by raising Stopped. `ended` is told how a sync ended, and after how many seconds.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        integration_of: Callable[[str], Integration],
        open_reader: OpenReader,
        *,
        paused_until: Callable[[Connection], datetime | None] = lambda _: None,
        workers: int = 8,
        retries_slowly: bool = True,
        board: Board | None = None,
        turns: Turns | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        ended: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        self._db, self._clock = db, clock
        self._integration_of, self._open = integration_of, open_reader
        self._paused_until = paused_until
        self._workers, self._retries_slowly = workers, retries_slowly
        self._board, self._turns, self._should_stop = board or Board(), turns or Turns(), should_stop
        self._ended = ended

    def run(self, tenant: TenantId, connection_id: ConnectionId, step: Step) -> None:
        """Work off whatever is queued over a connection, until nothing is; what is queued meanwhile joins in."""
        with correlated(connection=connection_id), self._turns.take(tenant, connection_id, self._should_stop):
            self._run(tenant, connection_id, step)

    def _run(self, tenant: TenantId, connection_id: ConnectionId, step: Step) -> None:
        watch = self._board.watch(connection_id)
        try:
            watch.clear()
            self._story(tenant, connection_id, step)
        except NotFound:
            _log.info("connection %s was deleted while it was read", connection_id)
        except Exception:
            _log.exception("sync over connection %s ended in a bug of ours", connection_id)
            self._ended("failed", 0.0)
            self._give_up(tenant, connection_id)
            raise
        finally:
            watch.clear()

    def _story(self, tenant: TenantId, connection_id: ConnectionId, step: Step) -> None:
        ran_here: set[str] = set()

        def durably(name: str, work: Callable[[], Any]) -> Any:
            def here() -> Any:
                ran_here.add(name)
                return msgspec.to_builtins(self._patiently(work))

            return step(name, here)

        def told(name: str, recorded: Any, kind: type[_T]) -> _T:
            """What a step returned; one that did not run here may have been recorded before an upgrade."""
            try:
                return msgspec.convert(recorded, kind)
            except msgspec.ValidationError as error:
                if name in ran_here:
                    raise
                raise Outdated from error

        reads: list[_Read] = []  # of this sync so far
        for number in count(1):
            planned = durably(f"plan {number}", lambda: self._plan(tenant, connection_id))
            if planned is None:
                return
            turn = told(f"plan {number}", planned, Round)
            correlate(sync=turn.sync)

            def read(turn: Round = turn) -> _Read | None:
                return self._read(tenant, connection_id, turn)

            answered = durably(f"read {number}", read)
            if answered is None:
                self._tell_end(tenant, connection_id, turn.sync)
                return
            answer = told(f"read {number}", answered, _Read)
            reads.append(answer)
            if answer.is_overtaken:
                continue

            def map_(turn: Round = turn, answer: _Read = answer) -> None:
                self._map(tenant, connection_id, turn, answer)

            durably(f"map {number}", map_)

            def end(turn: Round = turn, reads: tuple[_Read, ...] = tuple(reads)) -> bool:
                return self._end(tenant, connection_id, turn, reads)

            if durably(f"end {number}", end):
                self._tell_end(tenant, connection_id, turn.sync)
                reads.clear()

    def _tell_end(self, tenant: TenantId, connection_id: ConnectionId, sync: SyncId) -> None:
        """Log and count how a sync ended; one that has not, or was deleted meanwhile, is not told of."""
        with suppress(TryLater, NotFound), self._db.read() as tx:
            told = syncs.get(tx, tenant, connection_id, sync)
            if told.ended is None:
                return
            found = datasets.of_syncs(tx, tenant, connection_id, [sync]).get(sync, [])
            is_linked = connections.get(tx, tenant, connection_id).status is ConnectionStatus.LINKED
            statuses = Counter(one.status.value for one in found)
            fine = {Status.COMPLETE.value, Status.NOT_SUPPORTED.value}
            outcome = "complete" if statuses.keys() <= fine else "incomplete" if is_linked else "access lost"
            seconds = (told.ended - told.started).total_seconds()
            changed = sum(one.records_new + one.records_changed + one.records_deleted for one in found)
            _log.info(
                "sync ended: %s, %d calls, %d records changed, %.1f s, datasets %s",
                outcome, told.calls, changed, seconds, dict(statuses),
            )  # fmt: skip
            self._ended(outcome, seconds)

    def _patiently(self, work: Callable[[], _T]) -> _T:
        """Do a step's work; a database that is full, busy or down is waited for, however long it takes."""
        while True:
            try:
                return work()
            except TryLater as error:
                if not self._retries_slowly:
                    raise
                _log.warning("sync waits: %s", error.message)
                until = self._clock.monotonic() + (error.retry_after_seconds or _DATABASE_AGAIN_SECONDS)
                while self._clock.monotonic() < until:
                    if self._should_stop():
                        raise Stopped from error
                    self._clock.sleep(_LOOK_UP_SECONDS)

    # Steps: each may run twice

    def _plan(self, tenant: TenantId, connection_id: ConnectionId) -> Round | None:
        """Take up what comes first of all that waits; None if nothing does."""
        with self._db.write() as tx:
            now = self._clock.now()
            connection = connections.get(tx, tenant, connection_id)
            if connection.status is not ConnectionStatus.LINKED:
                message = f"The connection is {connection.status}: have the company linked again, then refresh."
                datasets.end_all(tx, tenant, connection_id, Status.CANCELLED, message, now)
                if (cut_off := syncs.active(tx, tenant, connection_id)) is not None:
                    syncs.end(tx, tenant, cut_off.id, calls=0, checks=None, now=now)
                    pages.purge(tx, tenant, cut_off.id)
                return None
            for dataset in due(tx, tenant, connection_id, now):
                if not connection.allows(dataset.data_type):
                    refuse(tx, connection, dataset, now)
            if (hold := holds.of(tx, tenant)) is not None:
                self._wait_for_release(tx, tenant, connection_id, hold.sentence)
                return None
            return plan.take_up(tx, connection, self._integration_of(connection.integration_key), now)

    def _is_overtaken(self, connection: Connection, turn: Round) -> bool:
        with self._db.read() as tx:
            integration = self._integration_of(connection.integration_key)
            return plan.is_overtaken(tx, connection, integration, turn, self._clock.now())

    def _read(self, tenant: TenantId, connection_id: ConnectionId, turn: Round) -> _Read | None:
        """Read each resource that any of the data types needs; None when access has ended or must wait, or the sync has
        ended: what a server left was read by command, and then the server came back."""
        with self._db.read() as tx:
            if (active := syncs.active(tx, tenant, connection_id)) is None or active.id != turn.sync:
                return None
            connection = connections.get(tx, tenant, connection_id)
            chosen = [datasets.get(tx, tenant, id_) for id_ in turn.datasets]
            months = profile.months_of_reports(tx, tenant, connection.company_id)
            mates = datasets.of_syncs(tx, tenant, connection_id, [turn.sync]).get(turn.sync, [])
            reads = syncs.reads(tx, tenant, connection_id)
        integration = self._integration_of(connection.integration_key)
        before = [one for one in mates if one.status.is_ended and one.id not in turn.datasets]
        told = {one.name for one in plan.needed(integration, before, connection.access_level)}
        told = {name for name in told if name in reads and reads[name].is_settled_by(turn.sync)}
        needed = [one for one in plan.needed(integration, chosen, connection.access_level) if one.name not in told]
        reader, calls = self._open(connection)
        pauses = Pauses(self._db, self._clock, integration.name, chosen, lambda: self._paused_until(connection))
        overtaken = _EverySecond(self._clock, lambda: self._is_overtaken(connection, turn))
        fetch = Fetch(
            self._db,
            tenant,
            connection_id,
            turn.sync,
            reader,
            self._clock,
            page_size=integration.page_size,
            around=integration.resources,
            workers=self._workers,
            today=turn.today.date(),
            months=months,
            watch=self._board.watch(connection_id).read,
            meanwhile=pauses.look,
            should_stop=lambda: self._should_stop() or overtaken.is_so(),
        )
        try:
            outcomes = fetch.run(needed)
        except Stopped:
            if self._should_stop() or not overtaken.was_so:
                raise
            return _Read(calls=calls(), resources={}, is_overtaken=True)
        except RelinkRequired as error:
            with self._db.write() as tx:
                if connections.get(tx, tenant, connection_id).status is ConnectionStatus.LINKED:
                    lifecycle.deauthorize(tx, tenant, connection_id, error.message, self._clock.now())
                closing.close(tx, tenant, connection_id, turn.sync, made=calls(), report=None, now=self._clock.now())
            return None
        except SetupRequired as error:
            self._wait_for_set_up(tenant, connection_id, turn, error.message, calls())
            return None
        except OnHold as error:  # the sync goes on later from the page it was at
            with self._db.write() as tx:
                self._wait_for_release(tx, tenant, connection_id, error.message)
            return None
        failpoint("read.ended")
        with self._db.write() as tx:
            for dataset in chosen:
                datasets.advance(tx, tenant, dataset.id, status=Status.MAP_QUEUED, status_description=None, progress=45)
        ours = [outcomes[one.name] for one in needed]
        is_unchanged = not any(one.changed or one.deleted or one.set_aside for one in ours)
        return _Read(calls=calls(), resources=outcomes, is_unchanged=is_unchanged)

    def _wait_for_set_up(
        self, tenant: TenantId, connection_id: ConnectionId, turn: Round, message: str, calls: int
    ) -> None:
        with self._db.write() as tx:
            now = self._clock.now()
            for dataset in due(tx, tenant, connection_id, now):
                if self._retries_slowly:
                    endings.postpone(tx, tenant, dataset, message, now)
                else:
                    endings.finish(tx, tenant, dataset, Status.FETCH_ERROR, message, now)
            closing.close(tx, tenant, connection_id, turn.sync, made=calls, report=None, now=now)

    def _wait_for_release(self, tx: Transaction, tenant: TenantId, connection_id: ConnectionId, message: str) -> None:
        """What waits goes back to the queue until the hold is lifted, which has it read at once."""
        now = self._clock.now()
        for dataset in due(tx, tenant, connection_id, now):
            if self._retries_slowly:
                endings.put_on_hold(tx, tenant, dataset, message, now)
            else:
                endings.finish(tx, tenant, dataset, Status.FETCH_ERROR, message, now)

    def _map(self, tenant: TenantId, connection_id: ConnectionId, turn: Round, answer: _Read) -> None:
        """Map the data types whose sources were read; the others end with the reason, or wait for the next try."""
        with self._db.write() as tx:
            connection = connections.get(tx, tenant, connection_id)
            integration = self._integration_of(connection.integration_key)
            chosen: dict[DataType, Dataset] = {}
            for id_ in turn.datasets:
                dataset = datasets.get(tx, tenant, id_)
                data_type = integration.data_type(dataset.data_type)
                if dataset.status.is_ended or dataset.status in (Status.QUEUED, Status.VALIDATION_QUEUED):
                    continue  # it ended meanwhile, waits for the next try, or was mapped before the process ended
                if self._may_be_mapped(tx, tenant, dataset, data_type, answer, integration):
                    assert data_type is not None
                    chosen[data_type] = datasets.advance(tx, tenant, id_, status=Status.MAPPING, progress=50)
            reads = syncs.reads(tx, tenant, connection_id)
            mates = datasets.of_syncs(tx, tenant, connection_id, [turn.sync]).get(turn.sync, [])
            following = plan.following(tx, connection, integration, chosen.keys())
        ids = {one.name: dataset.id for one, dataset in chosen.items()}
        counting = {one.data_type: one.id for one in mates} | ids
        progress = Progress(self._db, tenant, ids, self._clock)
        watch = self._board.watch(connection_id)

        def told(data_type: str, rows: int, rows_in_all: int, made: int) -> None:
            watch.mapped(data_type, rows, rows_in_all, made)
            if data_type in ids:
                progress.mapped(data_type, rows, rows_in_all)

        def stored(tx: Transaction, data_type: str, counts: raw.Counts, deleted: int) -> None:
            if (id_ := counting.get(data_type)) is not None:  # what follows may not have been asked for in this sync
                datasets.count(tx, tenant, id_, new=counts.new, changed=counts.changed, deleted=deleted)

        def finished(tx: Transaction, data_type: str, result: MapResult) -> None:
            if data_type not in ids:
                return
            sources = integration.data_type(data_type)
            assert sources is not None
            warnings = endings.source_warnings(sources, answer.resources)
            _mapped(tx, tenant, ids[data_type], result, warnings)

        Mapper(
            self._db,
            integration,
            self._clock,
            tenant=tenant,
            company=connection.company_id,
            connection=connection_id,
            sync=turn.sync,
            complete=frozenset(name for name, read in reads.items() if read.outcome == COMPLETE),
            today=turn.today,
            told=told,
            stored=stored,
            finished=finished,
            should_stop=self._should_stop,
        ).run(list(chosen), following=following)

    def _may_be_mapped(
        self,
        tx: Transaction,
        tenant: TenantId,
        dataset: Dataset,
        data_type: DataType | None,
        answer: _Read,
        integration: Integration,
    ) -> bool:
        """Were its sources read? If not, its dataset is moved to where that leads."""
        now = self._clock.now()
        if data_type is None:
            message = f"{integration.name} does not supply this data type."
            endings.finish(tx, tenant, dataset, Status.NOT_SUPPORTED, message, now)
            return False
        if (why := endings.blocked(data_type, answer.resources, integration)) is None:
            return True
        status, message, wait_seconds = why
        if status is None and self._retries_slowly:
            endings.retry_or_fail(tx, tenant, dataset, message, wait_seconds, now)
        else:
            endings.finish(tx, tenant, dataset, status or Status.FETCH_ERROR, message, now)
        return False

    def _end(self, tenant: TenantId, connection_id: ConnectionId, turn: Round, reads: tuple[_Read, ...]) -> bool:
        """The datasets of the round are Complete. Behind the last one the books are checked first, and in the same
        transaction it is told that the sync is over; whether it is."""
        with self._db.write() as tx:
            connection = connections.get(tx, tenant, connection_id)
            is_over = not any(
                one.sync_id == turn.sync and one.retry_at is None and one.id not in turn.datasets
                for one in datasets.open_ones(tx, tenant, connection_id)
            )
            status = Status.VALIDATING if is_over else Status.COMPLETE
            for id_ in turn.datasets:
                if datasets.get(tx, tenant, id_).status is Status.VALIDATION_QUEUED:
                    self._move(tx, tenant, id_, status)
            if not is_over:
                return False
            found = datasets.of_syncs(tx, tenant, connection_id, [turn.sync]).get(turn.sync, [])
        report = checks.run(
            self._db,
            self._integration_of(connection.integration_key),
            tenant,
            connection_id,
            turn.sync,
            now=self._clock.now(),
            may_stand=all(read.is_unchanged for read in reads) and not any(map(_is_telling, found)),
        )
        failpoint("end.checked")
        with self._db.write() as tx:
            for id_ in turn.datasets:
                if datasets.get(tx, tenant, id_).status in (Status.VALIDATING, Status.VALIDATION_QUEUED):
                    self._move(tx, tenant, id_, Status.COMPLETE)
            calls = sum(read.calls for read in reads)
            closing.close(tx, tenant, connection_id, turn.sync, made=calls, report=report, now=self._clock.now())
        return True

    def _move(self, tx: Transaction, tenant: TenantId, dataset: DatasetId, status: Status) -> None:
        if status is Status.VALIDATING:
            datasets.advance(tx, tenant, dataset, status=status, progress=95)
        else:
            datasets.advance(tx, tenant, dataset, status=status, completed=self._clock.now(), progress=100)

    def _give_up(self, tenant: TenantId, connection_id: ConnectionId) -> None:
        """A bug of ours: what was under way ends, so that a refresh can be asked for."""
        with self._db.write() as tx:
            now = self._clock.now()
            sync = syncs.active(tx, tenant, connection_id)
            named = f" It is logged under {sync.id}." if sync else ""
            message = f"Something in Comptoir went wrong while this was read.{named} Refresh to try again."
            datasets.end_all(tx, tenant, connection_id, Status.INTERNAL_ERROR, message, now)
            if sync is not None:
                syncs.end(tx, tenant, sync.id, calls=0, checks=None, now=now)
                pages.purge(tx, tenant, sync.id)


class _EverySecond:
    """Asks again no sooner than a second after it asked."""

    def __init__(self, clock: Clock, ask: Callable[[], bool]) -> None:
        self._clock, self._ask, self._asked_at = clock, ask, clock.monotonic()
        self.was_so = False

    def is_so(self) -> bool:
        now = self._clock.monotonic()
        if now - self._asked_at < 1.0:
            return False
        self._asked_at = now
        self.was_so = self._ask()
        return self.was_so


def _is_telling(dataset: Dataset) -> bool:
    """Whether the books must be checked anew with it: something came of it, or everything was asked for."""
    counts = (dataset.records_new, dataset.records_changed, dataset.records_deleted, dataset.records_set_aside)
    return dataset.is_whole or any(counts)


def _mapped(
    tx: Transaction, tenant: TenantId, dataset: DatasetId, result: MapResult, warnings: list[datasets.Warning_]
) -> None:
    datasets.advance(
        tx,
        tenant,
        dataset,
        status=Status.VALIDATION_QUEUED,
        progress=90,
        records_read=result.read,
        records_set_aside=result.set_aside,
        warnings=tuple(warnings + result.warnings),
    )

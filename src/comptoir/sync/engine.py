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
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import NotFound, RelinkRequired, SetupRequired, TryLater
from comptoir.integrations.contract import DataType, Integration, Resource
from comptoir.jobs import Step, Stopped
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
    calls,
    companies,
    connections,
    cursors,
    datasets,
    events,
    history,
    pages,
    profile,
    raw,
    syncs,
)
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.datasets import Dataset, Status
from comptoir.store.syncs import Sync
from comptoir.sync import checks, endings
from comptoir.sync.fetch import Fetch, Reader
from comptoir.sync.map import Mapper, MapResult
from comptoir.sync.outcomes import COMPLETE, Outcome
from comptoir.sync.progress import Board
from comptoir.sync.requests import due, request
from comptoir.sync.turns import Turns

__all__ = ["Engine", "OpenReader", "due", "request"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_DATABASE_AGAIN_SECONDS = 5.0
_LOOK_UP_SECONDS = 0.2
_SHORTEST_TOLD_SECONDS = 2.0
_ORDINARY_STAGE = 1


class OpenReader(Protocol):
    """Gives a reader for a connection, and how many calls it has made."""

    def __call__(self, connection: Connection) -> tuple[Reader, Callable[[], int]]: ...


class _Round(msgspec.Struct, frozen=True, kw_only=True):
    """What of a sync is worked off together: the datasets of one place in the order of all."""

    sync: SyncId
    today: datetime
    place: tuple[int, int]
    datasets: tuple[DatasetId, ...]


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
        def durably(name: str, work: Callable[[], Any]) -> Any:
            return step(name, lambda: msgspec.to_builtins(self._patiently(work)))

        reads: list[_Read] = []  # of this sync so far
        for number in count(1):
            planned = durably(f"plan {number}", lambda: self._plan(tenant, connection_id))
            if planned is None:
                return
            turn = msgspec.convert(planned, _Round)
            correlate(sync=turn.sync)

            def read(turn: _Round = turn) -> _Read | None:
                return self._read(tenant, connection_id, turn)

            answered = durably(f"read {number}", read)
            if answered is None:
                self._tell_end(tenant, connection_id, turn.sync)
                return
            answer = msgspec.convert(answered, _Read)
            reads.append(answer)
            if answer.is_overtaken:
                continue

            def map_(turn: _Round = turn, answer: _Read = answer) -> None:
                self._map(tenant, connection_id, turn, answer)

            durably(f"map {number}", map_)

            def end(turn: _Round = turn, reads: tuple[_Read, ...] = tuple(reads)) -> bool:
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

    def _plan(self, tenant: TenantId, connection_id: ConnectionId) -> _Round | None:
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
            waiting = due(tx, tenant, connection_id, now)
            if not waiting:
                return None
            place_of = self._order(tx, connection)
            first = min(map(place_of, waiting))
            chosen = [dataset for dataset in waiting if place_of(dataset) == first]
            sync = syncs.begin(tx, tenant, connection_id, now)
            for dataset in waiting:
                datasets.advance(tx, tenant, dataset.id, sync_id=sync.id)
            for dataset in chosen:
                self._read_since(tx, connection, sync, dataset)
                datasets.advance(
                    tx,
                    tenant,
                    dataset.id,
                    status=Status.FETCHING,
                    started=dataset.started or now,
                    retry_at=None,
                    status_description=None,
                    progress=5,
                )
            places = {
                data_type.name: place
                for place, data_type in enumerate(self._integration_of(connection.integration_key).data_types)
            }
            ordered = sorted(chosen, key=lambda one: places.get(one.data_type, len(places)))
            return _Round(sync=sync.id, today=sync.started, place=first, datasets=tuple(one.id for one in ordered))

    def _order(self, tx: Transaction, connection: Connection) -> Callable[[Dataset], tuple[int, int]]:
        """Where datasets stand: by the order that is set, then by stage. After the first sync little is read of most,
        and the early stages go together."""
        tenant, integration = connection.tenant_id, self._integration_of(connection.integration_key)
        orders = {one.data_type: one.sync_order for one in profile.sync_settings(tx, tenant, connection.company_id)}
        stages = {one.name: one.stage for one in integration.data_types}
        early = 0 if syncs.latest(tx, tenant, connection.id) is None else _ORDINARY_STAGE
        return lambda one: (orders.get(one.data_type, 0), max(early, stages.get(one.data_type, 0)))

    def _read_since(self, tx: Transaction, connection: Connection, sync: Sync, dataset: Dataset) -> None:
        """Have read once more what this sync had read before the dataset was asked for, whole if that was wanted."""
        integration = self._integration_of(connection.integration_key)
        reads = syncs.reads(tx, connection.tenant_id, connection.id)
        needed = _needed(integration, [dataset], connection.access_level)
        for resource in needed if dataset.is_whole else ():
            cursors.forget(tx, connection.tenant_id, connection.id, resource.name)
        old = [
            one.name
            for one in needed
            if (read := reads.get(one.name)) is not None
            and read.sync_id == sync.id
            and read.read_at < dataset.requested
        ]
        syncs.read_again(tx, connection.tenant_id, connection.id, sync.id, old)
        pages.purge(tx, connection.tenant_id, sync.id, old)

    def _is_overtaken(self, connection: Connection, turn: _Round) -> bool:
        """Whether something waits that comes first: it was asked for since, or its next try has come."""
        with self._db.read() as tx:
            place_of = self._order(tx, connection)
            return any(
                one.status is Status.QUEUED and place_of(one) < turn.place
                for one in due(tx, connection.tenant_id, connection.id, self._clock.now())
            )

    def _read(self, tenant: TenantId, connection_id: ConnectionId, turn: _Round) -> _Read | None:
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
        told = {one.name for one in _needed(integration, before, connection.access_level)}
        told = {name for name in told if name in reads and reads[name].is_settled_by(turn.sync)}
        needed = [one for one in _needed(integration, chosen, connection.access_level) if one.name not in told]
        reader, calls_so_far = self._open(connection)
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
            meanwhile=_Pauses(self._db, self._clock, integration, chosen, lambda: self._paused_until(connection)).look,
            should_stop=lambda: self._should_stop() or overtaken.is_so(),
        )
        try:
            outcomes = fetch.run(needed)
        except Stopped:
            if self._should_stop() or not overtaken.was_so:
                raise
            return _Read(calls=calls_so_far(), resources={}, is_overtaken=True)
        except RelinkRequired as error:
            with self._db.write() as tx:
                if connections.get(tx, tenant, connection_id).status is ConnectionStatus.LINKED:
                    lifecycle.deauthorize(tx, tenant, connection_id, error.message, self._clock.now())
                self._end_sync(tx, tenant, connection_id, turn, calls_so_far(), None)
            return None
        except SetupRequired as error:
            self._wait_for_set_up(tenant, connection_id, turn, error.message, calls_so_far())
            return None
        failpoint("read.ended")
        with self._db.write() as tx:
            for dataset in chosen:
                datasets.advance(tx, tenant, dataset.id, status=Status.MAP_QUEUED, status_description=None, progress=45)
        ours = [outcomes[one.name] for one in needed]
        is_unchanged = not any(one.changed or one.deleted or one.set_aside for one in ours)
        return _Read(calls=calls_so_far(), resources=outcomes, is_unchanged=is_unchanged)

    def _wait_for_set_up(
        self, tenant: TenantId, connection_id: ConnectionId, turn: _Round, message: str, made: int
    ) -> None:
        with self._db.write() as tx:
            now = self._clock.now()
            for dataset in due(tx, tenant, connection_id, now):
                if self._retries_slowly:
                    endings.postpone(tx, tenant, dataset, message, now)
                else:
                    endings.finish(tx, tenant, dataset, Status.FETCH_ERROR, message, now)
            self._end_sync(tx, tenant, connection_id, turn, made, None)

    def _map(self, tenant: TenantId, connection_id: ConnectionId, turn: _Round, answer: _Read) -> None:
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
        ids = {one.name: dataset.id for one, dataset in chosen.items()}
        progress = _Progress(self._db, tenant, ids, self._clock)
        watch = self._board.watch(connection_id)

        def told(data_type: str, rows: int, rows_in_all: int, made: int) -> None:
            watch.mapped(data_type, rows, rows_in_all, made)
            progress.mapped(data_type, rows, rows_in_all)

        def stored(tx: Transaction, data_type: str, counts: raw.Counts, deleted: int) -> None:
            datasets.count(tx, tenant, ids[data_type], new=counts.new, changed=counts.changed, deleted=deleted)

        def finished(tx: Transaction, data_type: str, result: MapResult) -> None:
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
        ).run(list(chosen))

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

    def _end(self, tenant: TenantId, connection_id: ConnectionId, turn: _Round, reads: tuple[_Read, ...]) -> bool:
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
            made = sum(read.calls for read in reads)
            self._end_sync(tx, tenant, connection_id, turn, made, report)
        return True

    def _move(self, tx: Transaction, tenant: TenantId, dataset: DatasetId, status: Status) -> None:
        if status is Status.VALIDATING:
            datasets.advance(tx, tenant, dataset, status=status, progress=95)
        else:
            datasets.advance(tx, tenant, dataset, status=status, completed=self._clock.now(), progress=100)

    def _end_sync(
        self,
        tx: Transaction,
        tenant: TenantId,
        connection_id: ConnectionId,
        turn: _Round,
        made: int,
        report: checks.Report | None,
    ) -> None:
        """Close the run with the number of calls `made`, and tell of it and of what the check found; a second time does
        nothing."""
        active = syncs.active(tx, tenant, connection_id)
        if active is None or active.id != turn.sync:
            return
        now = self._clock.now()
        connection = connections.get(tx, tenant, connection_id)
        before = syncs.latest(tx, tenant, connection_id)
        is_first = before is None or (connection.linked_at is not None and before.started < connection.linked_at)
        encoded = None if report is None else msgspec.json.encode(report)
        syncs.end(tx, tenant, turn.sync, calls=made, checks=encoded, now=now)
        pages.purge(tx, tenant, turn.sync)
        calls.fold(tx, tenant, connection_id, turn.sync, now)
        history.purge(tx, tenant, connection_id, now)
        newest = {one.data_type: one for one in datasets.of_syncs(tx, tenant, connection_id, [turn.sync])[turn.sync]}
        ended = [one for one in newest.values() if one.status.is_ended]
        if report is not None:
            ended = [
                datasets.warn(tx, tenant, one.id, checks.warnings_of(report, one.data_type))
                if one.status is Status.COMPLETE
                else one
                for one in ended
            ]
            if any(one.status is Status.COMPLETE for one in ended):
                connections.set_last_sync(tx, tenant, connection_id, now)
        if not ended:
            return
        payload = _read_completed(tx, tenant, connection, ended)
        events.append(tx, tenant, "read.completed", payload, now)
        if is_first:
            events.append(tx, tenant, "read.completed.initial", payload, now)

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


class _Pauses:
    """Says with the datasets under way until when the upstream's limit holds them up."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        integration: Integration,
        chosen: list[Dataset],
        paused_until: Callable[[], datetime | None],
    ) -> None:
        self._db, self._clock, self._name, self._chosen = db, clock, integration.name, chosen
        self._paused_until = paused_until
        self._told: datetime | None = None

    def look(self) -> None:
        """Tell what changed; a pause that is all but over is not worth a word."""
        until = self._paused_until()
        if until is not None and (until - self._clock.now()).total_seconds() < _SHORTEST_TOLD_SECONDS:
            return
        if until == self._told or (until and self._told and abs((until - self._told).total_seconds()) < 1):
            return
        told = f"{self._name}'s limit of calls is reached. Reading goes on at {until:%H:%M:%S} UTC." if until else None
        with self._db.write() as tx:
            for dataset in self._chosen:
                datasets.advance(tx, dataset.tenant_id, dataset.id, status_description=told)
        self._told = until


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


class _Progress:
    """Tells a dataset's row how far its mapping is, at most once a second and only if nobody writes just then."""

    def __init__(self, db: Database, tenant: TenantId, ids: Mapping[str, DatasetId], clock: Clock) -> None:
        self._db, self._tenant, self._ids, self._clock = db, tenant, ids, clock
        self._told_at = clock.monotonic()

    def mapped(self, data_type: str, rows: int, rows_in_all: int) -> None:
        now = self._clock.monotonic()
        if now - self._told_at < 1.0:
            return
        self._told_at = now
        share = rows / rows_in_all if rows_in_all else 1.0
        values = {"progress": 50 + int(35 * min(1.0, share)), "records_read": rows}
        self._db.write_if_free(lambda tx: datasets.advance(tx, self._tenant, self._ids[data_type], **values))


def _is_telling(dataset: Dataset) -> bool:
    """Whether the books must be checked anew with it: something came of it, or everything was asked for."""
    counts = (dataset.records_new, dataset.records_changed, dataset.records_deleted, dataset.records_set_aside)
    return dataset.is_whole or any(counts)


def _needed(integration: Integration, chosen: list[Dataset], access_level: int | None) -> list[Resource]:
    """The resources that the chosen data types are made from, and those read along as far as the approving user may
    see them, with their parents, in reading order."""
    names: set[str] = set()
    for dataset in chosen:
        if (data_type := integration.data_type(dataset.data_type)) is not None:
            names.update(source.resource for source in data_type.sources)
            along = [integration.resource(name) for name in data_type.along]
            names.update(one.name for one in along if not access_level or one.access_level <= access_level)
    for resource in reversed(integration.resources):  # children come behind their parents
        if resource.name in names:
            names.update(resource.parents)
    return [resource for resource in integration.resources if resource.name in names]


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


def _read_completed(
    tx: Transaction, tenant: TenantId, connection: Connection, ended: list[Dataset]
) -> Mapping[str, Any]:
    company = companies.get(tx, tenant, connection.company_id)
    return {
        "referenceCompany": {"id": company.id, "name": company.name, "description": company.description},
        "modifiedFromDate": None,
        "dataTypes": [
            {
                "connectionId": connection.id,
                "dataType": dataset.data_type,
                "recordsModified": bool(dataset.records_new or dataset.records_changed or dataset.records_deleted),
                "status": dataset.status.value,
                "issues": [_issue(dataset)] if dataset.warnings else [],
            }
            for dataset in ended
        ],
    }


def _issue(dataset: Dataset) -> Mapping[str, Any]:
    """That something was doubtful, and where it is told; addresses are relative, to the API and to the portal."""
    count, wrong = len(dataset.warnings), sum(map(checks.is_of_the_check, dataset.warnings))
    found = f"{count} finding{'' if count == 1 else 's'} in {dataset.data_type}"
    return {
        "type": "warning.validation",
        "message": f"{found}, {wrong} of them from the books check." if wrong else f"{found}.",
        "links": {
            "logs": f"/companies/{dataset.company_id}/sync/{dataset.id}/validation",
            "portal": f"/companies/{dataset.company_id}/books-check/{dataset.sync_id}",
        },
    }

"""The story of a sync: plan, read each resource once, map each data type, check the books, say that it is done.

The same for `comptoir serve`, where each step is durable, and for `comptoir pull`, where a step is a plain call. Every
step may run again after a kill: what it wrote is found by its keys and not written twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import Conflict, InvalidInput, NotFound, RelinkRequired, SetupRequired
from comptoir.integrations.contract import DataType, Integration
from comptoir.link import lifecycle
from comptoir.model import DATA_TYPE_KEYS
from comptoir.runtime.clock import Clock
from comptoir.store import (
    CompanyId,
    ConnectionId,
    Database,
    SyncId,
    TenantId,
    companies,
    connections,
    datasets,
    events,
    pages,
    profile,
    syncs,
)
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.datasets import Dataset, Status, Warning_
from comptoir.sync import checks
from comptoir.sync.fetch import COMPLETE, Fetch, Outcome, Reader, Watch
from comptoir.sync.map import MapResult, map_data_type

__all__ = ["Engine", "Step", "due", "request"]

_T = TypeVar("_T")
# Waits before the next try of what the upstream refused for now, in minutes; after the last one it is a FetchError.
_SLOW_RETRIES = (1, 5, 15, 30, 60, 120, 120, 120, 120, 120)


class Step(Protocol):
    """Runs a piece of work under a name: durably, or just so. What it returns must be plain JSON."""

    def __call__(self, name: str, work: Callable[[], Any]) -> Any: ...


class _Open(Protocol):
    """Gives a reader for a connection, and how many calls it has made."""

    def __call__(self, connection: Connection) -> tuple[Reader, Callable[[], int]]: ...


def request(
    tx: Transaction,
    tenant: TenantId,
    company: CompanyId,
    integration_of: Callable[[str], Integration],
    *,
    data_types: Iterable[str] | None,
    connection: ConnectionId | None = None,
    now: datetime,
) -> tuple[ConnectionId, list[Dataset]]:
    """Queue reads: of the data types named, or of all that are read on first link.

    With none named, types already running are passed over; a named one that is running is a Conflict. Raises NotFound
    for a type that is not supported, InvalidInput for one that does not exist, Conflict without a linked connection.
    """
    companies.get(tx, tenant, company)
    found = connections.of_company(tx, tenant, company)
    if connection is not None:
        found = [connections.get(tx, tenant, connection, company)]
    linked = [one for one in found if one.status is ConnectionStatus.LINKED]
    if not linked:
        states = ", ".join(one.status for one in found) or "none"
        raise Conflict(
            f"There is no linked connection to read from (state: {states}). Have the company linked over its Link URL, "
            "then ask again."
        )
    source = linked[0]
    integration = integration_of(source.integration_key)
    queued: list[Dataset] = []
    if data_types is not None:
        for name in data_types:
            if name not in DATA_TYPE_KEYS:
                raise InvalidInput(f"There is no data type {name!r}.", field="dataType")
            if integration.data_type(name) is None:
                raise NotFound(f"Datatype {name} not supported by platform(s) {integration.name}")
            queued.append(datasets.queue(tx, tenant, company, source.id, name, now))
        return source.id, queued
    settings = {one.data_type: one for one in profile.sync_settings(tx, tenant, company)}
    for data_type in sorted(integration.data_types, key=lambda one: settings[one.name].sync_order):
        if settings[data_type.name].fetch_on_first_link:
            try:
                queued.append(datasets.queue(tx, tenant, company, source.id, data_type.name, now))
            except Conflict:
                continue  # already running: it is passed over
    return source.id, queued


def due(tx: Transaction, tenant: TenantId, connection: ConnectionId, now: datetime) -> list[Dataset]:
    """What waits to be read now."""
    return [
        one
        for one in datasets.open_ones(tx, tenant, connection)
        if one.status is not Status.QUEUED or one.retry_at is None or one.retry_at <= now
    ]


class Engine:
    """Runs syncs. `workers` is how many pages are fetched at once; `retries_slowly` is off where nobody would wait."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        integration_of: Callable[[str], Integration],
        open_reader: _Open,
        *,
        workers: int = 8,
        retries_slowly: bool = True,
        watch: Watch | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db, self._clock = db, clock
        self._integration_of, self._open = integration_of, open_reader
        self._workers, self._retries_slowly = workers, retries_slowly
        self._watch, self._should_stop = watch, should_stop

    def run(self, tenant: TenantId, connection_id: ConnectionId, step: Step) -> None:
        """Work off whatever is queued over a connection, until nothing is."""
        round_number = 0
        while True:
            round_number += 1
            chosen: list[str] = step(f"plan {round_number}", lambda: self._plan(tenant, connection_id))
            if not chosen:
                return
            facts = step(f"begin {round_number}", lambda: self._begin(tenant, connection_id))
            if facts is None:
                return
            outcomes = step(f"read {round_number}", lambda c=chosen, f=facts: self._read(tenant, connection_id, c, f))
            if outcomes is None:
                return
            for dataset in chosen:
                step(
                    f"map {round_number} {dataset}",
                    lambda d=dataset, o=outcomes, f=facts: self._map(tenant, connection_id, d, o, f),
                )
            step(f"end {round_number}", lambda c=chosen, f=facts: self._end(tenant, connection_id, c, f))

    # Steps: each returns plain JSON, and may run twice

    def _plan(self, tenant: TenantId, connection_id: ConnectionId) -> list[str]:
        with self._db.write() as tx:
            now = self._clock.now()
            chosen = due(tx, tenant, connection_id, now)
            for dataset in chosen:
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
            return [dataset.id for dataset in chosen]

    def _begin(self, tenant: TenantId, connection_id: ConnectionId) -> dict[str, str] | None:
        with self._db.write() as tx:
            try:
                connection = connections.get(tx, tenant, connection_id)
            except NotFound:
                return None
            if connection.status is not ConnectionStatus.LINKED:
                message = f"The connection is {connection.status}; have the company linked again."
                datasets.end_all(tx, tenant, connection_id, Status.CANCELLED, message, self._clock.now())
                return None
            sync = syncs.begin(tx, tenant, connection_id, self._clock.now())
            return {"sync": sync.id, "today": sync.started.isoformat()}

    def _read(
        self, tenant: TenantId, connection_id: ConnectionId, chosen: list[str], facts: dict[str, str]
    ) -> dict[str, Any] | None:
        with self._db.read() as tx:
            connection = connections.get(tx, tenant, connection_id)
            wanted = [datasets.get(tx, tenant, dataset) for dataset in chosen]
        integration = self._integration_of(connection.integration_key)
        types = [found for one in wanted if (found := integration.data_type(one.data_type)) is not None]
        names = {source.resource for data_type in types for source in data_type.sources}
        names |= {parent for name in names if (parent := integration.resource(name).per)}
        reader, calls = self._open(connection)
        fetch = Fetch(
            self._db,
            tenant,
            connection_id,
            SyncId(facts["sync"]),
            reader,
            self._clock,
            page_size=integration.page_size,
            workers=self._workers,
            today=datetime.fromisoformat(facts["today"]).date(),
            watch=self._watch,
            should_stop=self._should_stop,
        )
        try:
            outcomes = fetch.run([resource for resource in integration.resources if resource.name in names])
        except RelinkRequired as error:
            with self._db.write() as tx:
                lifecycle.deauthorize(tx, tenant, connection_id, error.message, self._clock.now())
                self._close(tx, tenant, SyncId(facts["sync"]), calls())
            return None
        except SetupRequired as error:
            self._postpone(tenant, connection_id, chosen, error.message)
            return None
        return {
            "calls": calls(),
            "resources": {name: msgspec.to_builtins(outcome) for name, outcome in outcomes.items()},
        }

    def _close(self, tx: Transaction, tenant: TenantId, sync: SyncId, calls: int) -> None:
        syncs.end(tx, tenant, sync, calls=calls, checks=None, now=self._clock.now())
        pages.purge(tx, tenant, sync)

    def _postpone(self, tenant: TenantId, connection_id: ConnectionId, chosen: list[str], message: str) -> None:
        """Nothing is lost and no customer is to blame: the datasets wait, with the sentence."""
        with self._db.write() as tx:
            for id_ in chosen:
                self._retry_or_fail(tx, tenant, datasets.get(tx, tenant, id_), message, None)
            if (sync := syncs.active(tx, tenant, connection_id)) is not None:
                self._close(tx, tenant, sync.id, 0)

    def _retry_or_fail(
        self, tx: Transaction, tenant: TenantId, dataset: Dataset, message: str, wait_seconds: float | None
    ) -> None:
        now = self._clock.now()
        if not self._retries_slowly or dataset.attempt >= len(_SLOW_RETRIES):
            datasets.advance(tx, tenant, dataset.id, status=Status.FETCH_ERROR, error_message=message, completed=now)
            return
        spread = random.Random(f"{dataset.id}/{dataset.attempt}").uniform(0.9, 1.1)  # noqa: S311 - spreads load only
        wait = max(timedelta(minutes=_SLOW_RETRIES[dataset.attempt]) * spread, timedelta(seconds=wait_seconds or 0))
        at = now + wait
        datasets.advance(
            tx,
            tenant,
            dataset.id,
            status=Status.QUEUED,
            attempt=dataset.attempt + 1,
            retry_at=at,
            status_description=f"{message} It is tried again at {at:%H:%M} UTC.",
        )

    def _map(
        self, tenant: TenantId, connection_id: ConnectionId, id_: str, outcomes: dict[str, Any], facts: dict[str, str]
    ) -> None:
        with self._db.read() as tx:
            dataset = datasets.get(tx, tenant, id_)
            connection = connections.get(tx, tenant, connection_id)
        if dataset.status.is_ended:
            return
        integration = self._integration_of(connection.integration_key)
        data_type = integration.data_type(dataset.data_type)
        if data_type is None:
            self._finish(tenant, dataset, Status.NOT_SUPPORTED, f"{integration.name} does not supply this data type.")
            return
        read = {name: msgspec.convert(outcome, Outcome) for name, outcome in outcomes["resources"].items()}
        warnings = self._sources(tenant, dataset, data_type, read, integration)
        if warnings is None:
            return
        with self._db.write() as tx:
            datasets.advance(tx, tenant, dataset.id, status=Status.MAPPING, progress=50)
        complete = frozenset(name for name, outcome in read.items() if outcome.kind == COMPLETE)
        result = map_data_type(
            self._db,
            integration,
            data_type,
            tenant=tenant,
            company=connection.company_id,
            connection=connection_id,
            sync=SyncId(facts["sync"]),
            complete=complete,
            today=datetime.fromisoformat(facts["today"]),
            clock=self._clock,
        )
        self._stored(tenant, dataset, result, warnings, read)

    def _sources(
        self,
        tenant: TenantId,
        dataset: Dataset,
        data_type: DataType,
        read: dict[str, Outcome],
        integration: Integration,
    ) -> list[Warning_] | None:
        """What the reads of a data type's sources mean for it; None when they ended it."""
        warnings: list[Warning_] = []
        for source in data_type.sources:
            outcome = read.get(source.resource)
            if outcome is None or outcome.kind == COMPLETE:
                if outcome is not None and outcome.warning:
                    warnings.append(_warning(source.resource, outcome.warning))
                if outcome is not None and outcome.set_aside:
                    counted = f"{outcome.set_aside} records of {source.resource} could not be read and were set aside."
                    warnings.append(_warning(source.resource, counted))
                continue
            message = outcome.message or "It could not be read."
            if not source.required:
                warnings.append(_warning(source.resource, f"Served without {source.resource}: {message}"))
            elif outcome.kind == "permissions":
                level = integration.access_levels.get(outcome.level_needed or data_type.access_level, "")
                needed = f" The approving user needs the access level {level!r} or higher." if level else ""
                self._finish(tenant, dataset, Status.PERMISSIONS_ERROR, message + needed)
                return None
            elif outcome.kind == "not_supported":
                self._finish(tenant, dataset, Status.NOT_SUPPORTED, message)
                return None
            elif outcome.kind == "try_later":
                with self._db.write() as tx:
                    self._retry_or_fail(tx, tenant, dataset, message, outcome.retry_after_seconds)
                return None
            else:
                self._finish(tenant, dataset, Status.FETCH_ERROR, message)
                return None
        return warnings

    def _finish(self, tenant: TenantId, dataset: Dataset, status: Status, message: str) -> None:
        with self._db.write() as tx:
            now = self._clock.now()
            datasets.advance(tx, tenant, dataset.id, status=status, error_message=message, completed=now, progress=100)

    def _stored(
        self,
        tenant: TenantId,
        dataset: Dataset,
        result: MapResult,
        warnings: list[Warning_],
        read: dict[str, Outcome],
    ) -> None:
        with self._db.write() as tx:
            datasets.advance(
                tx,
                tenant,
                dataset.id,
                status=Status.VALIDATION_QUEUED,
                progress=90,
                records_read=result.read,
                records_new=result.new,
                records_changed=result.changed,
                records_deleted=result.deleted,
                records_set_aside=result.set_aside,
                warnings=tuple(warnings + result.warnings),
            )

    def _end(self, tenant: TenantId, connection_id: ConnectionId, chosen: list[str], facts: dict[str, str]) -> None:
        """Check the books, then in one transaction: the datasets are Complete, and it is told that they are."""
        with self._db.read() as tx:
            connection = connections.get(tx, tenant, connection_id)
        integration = self._integration_of(connection.integration_key)
        report = checks.run(self._db, integration, tenant, connection_id)
        with self._db.write() as tx:
            now = self._clock.now()
            ended = [datasets.get(tx, tenant, id_) for id_ in chosen]
            for dataset in ended:
                if dataset.status is Status.VALIDATION_QUEUED:
                    datasets.advance(tx, tenant, dataset.id, status=Status.COMPLETE, completed=now, progress=100)
            ended = [datasets.get(tx, tenant, id_) for id_ in chosen]
            if any(dataset.status is Status.COMPLETE for dataset in ended):
                connections.set_last_sync(tx, tenant, connection_id, now)
            sync = syncs.active(tx, tenant, connection_id)
            if sync is not None and sync.id == facts["sync"]:
                syncs.end(tx, tenant, sync.id, calls=0, checks=msgspec.json.encode(report), now=now)
                pages.purge(tx, tenant, sync.id)
                is_first = syncs.count_ended(tx, tenant, connection_id) == 1
                payload = _read_completed(connection, ended)
                events.append(tx, tenant, "read.completed", payload, now)
                if is_first:
                    events.append(tx, tenant, "read.completed.initial", payload, now)


def _warning(resource: str, message: str) -> Warning_:
    return Warning_(item_id=resource, message=message, rule_id="source")


def _read_completed(connection: Connection, ended: list[Dataset]) -> dict[str, Any]:
    return {
        "companyId": connection.company_id,
        "dataTypes": [
            {
                "connectionId": connection.id,
                "dataType": dataset.data_type,
                "recordsModified": bool(dataset.records_new or dataset.records_changed or dataset.records_deleted),
                "status": dataset.status.value,
                "issues": [{"type": "warning.validation", "message": f"{len(dataset.warnings)} findings"}]
                if dataset.warnings
                else [],
            }
            for dataset in ended
        ],
    }

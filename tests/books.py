"""Books of a stand-in's world, synced into a database without a server in between: for tests of many worlds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from comptoir.errors import NotSupported
from comptoir.integrations.contract import Kind, Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.model import decode
from comptoir.store import ConnectionId, Database, SyncId, TenantId, companies, connections, datasets, records, syncs
from comptoir.store import tenants as tenants_
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Dataset
from comptoir.sync import Engine, Report, request
from comptoir.upstream.client import Page, _filled, _record, _records
from freeagent_standin.api import answer
from freeagent_standin.wire import Answer, Call
from freeagent_standin.world import World, generate

TODAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 12, 0, 0, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8001"


def world_of(seed: int, size: str | int = 150) -> World:
    """A small world whose kind of company and situations are drawn by the seed."""
    return generate(size=size, seed=seed, today=TODAY)


class SteadyClock:
    """A clock that goes on by itself a second a look, so that later things are later."""

    def __init__(self) -> None:
        self._time = NOON

    def now(self) -> datetime:
        self._time += timedelta(seconds=1)
        return self._time

    def set(self, time: datetime) -> None:
        self._time = time

    def monotonic(self) -> float:
        return (self._time - NOON).total_seconds()

    def sleep(self, seconds: float) -> None:
        self._time += timedelta(seconds=seconds)


class DirectReader:
    """Reads a world's API by calling it; what a server and the network add is left out.

    One call at a time is answered, as the server does: `one_at_a_time` keeps others out.
    """

    def __init__(self, world: World, *, page_size: int = 100, now: datetime = NOON) -> None:
        self.world, self.page_size, self.now = world, page_size, now
        self.made = 0
        self.one_at_a_time = threading.RLock()

    def calls(self) -> int:
        return self.made

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        if resource.kind is Kind.LIST:
            params = (*params, ("page", str(number)), ("per_page", str(self.page_size)))
        path, params = _filled(resource.path, params)
        with self.one_at_a_time:
            given, made_after = self._get(path.strip("/"), params), self.now
        headers = {name.lower(): value for name, value in given.headers}
        total = headers.get("x-total-count")
        return Page(
            total=None if total is None else int(total),
            has_next='rel="next"' in headers.get("link", ""),
            records=_records(given.body, resource, "the stand-in"),
            made_after=made_after,
        )

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        path, params = _filled(resource.path, (*params, ("page", "1"), ("per_page", "1")))
        given = self._get(path.strip("/"), params)
        return next((int(value) for name, value in given.headers if name.lower() == "x-total-count"), None)

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        try:
            given = self._get(f"{resource.path.strip('/')}/{record_id}", ())
        except NotSupported:
            return None
        return _record(given.body, resource, "the stand-in")

    def _get(self, path: str, params: Sequence[tuple[str, str]]) -> Answer:
        with self.one_at_a_time:
            self.made += 1
            call = Call(
                method="GET",
                path=path,
                query=tuple(params),
                body=b"",
                base_url=ORIGIN,
                now=self.now,
                level=8,
                user_id=self.world.users[0].id,
            )
            given = answer(self.world, call)
        if given.status == 404:
            raise NotSupported(f"{path} is not there")
        assert given.status == 200, (path, params, given)
        return given


class Books:
    """One company's books in a database, synced from a world."""

    def __init__(self, db: Database, world: World, *, page_size: int = 100) -> None:
        """With small pages small books are read as large ones are."""
        self.db, self.world, self.clock = db, world, SteadyClock()
        self.reader = DirectReader(world, page_size=page_size)
        self._integration = msgspec.structs.replace(FREEAGENT, page_size=page_size)
        with db.write() as tx:
            now = self.clock.now()
            self.tenant: TenantId = tenants_.add(tx, f"{world.name} {uuid4()}", now).id
            company = companies.add(tx, self.tenant, name=world.name, created_by=None, now=now)
            self.company = company.id
            self.connection: ConnectionId = connections.add(tx, self.tenant, company.id, FREEAGENT.key, now).id
            connections.set_status(tx, self.tenant, self.connection, ConnectionStatus.LINKED, now)
        self.engine = self.another_engine()

    def another_engine(self) -> Engine:
        """As another process has one."""
        return Engine(self.db, self.clock, lambda _: self._integration, lambda _: self._opened(), retries_slowly=False)

    def _opened(self) -> tuple[DirectReader, Callable[[], int]]:
        """As a client has it: the calls since it was opened."""
        before = self.reader.calls()
        return self.reader, lambda: self.reader.calls() - before

    def request(self, *data_types: str) -> None:
        """Have everything read, or the data types named, once the engine runs."""
        with self.db.write() as tx:
            request(
                tx,
                self.tenant,
                self.company,
                lambda _: FREEAGENT,
                data_types=data_types or None,
                now=self.clock.now(),
            )

    def sync(self, *data_types: str) -> Report:
        """Read everything, or the data types named; what the books check found."""
        self.request(*data_types)
        self.engine.run(self.tenant, self.connection, lambda _, work: work())
        with self.db.read() as tx:
            sync = syncs.latest(tx, self.tenant, self.connection)
        assert sync is not None
        assert sync.checks is not None
        self.last_sync: SyncId = sync.id
        return Report.decode(sync.checks)

    def datasets(self) -> dict[str, Dataset]:
        with self.db.read() as tx:
            return datasets.newest_of(tx, self.tenant, self.connection)

    def documents(self, data_type: str) -> list[bytes]:
        with self.db.read() as tx:
            return list(records.iterate(tx, self.tenant, self.connection, data_type))

    def records(self, data_type: str) -> list[Any]:
        return [decode(data_type, document) for document in self.documents(data_type)]

    def plain(self, data_type: str) -> dict[str, dict[str, Any]]:
        """The documents as JSON objects, by id."""
        decoded = (msgspec.json.decode(document) for document in self.documents(data_type))
        return {document.get("id", data_type): document for document in decoded}

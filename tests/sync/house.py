"""The part of the product that reads books: store, client and engine, over real sockets to a stand-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import msgspec
import sqlalchemy as sa
from tests.sync.standin import StandIn, lasting

from comptoir.integrations.contract import Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import ConnectionId, Database, TenantId, companies, connections, datasets, holds, raw, syncs
from comptoir.store import tenants as tenants_
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.datasets import Dataset, Status
from comptoir.store.tables import documents_name, standard_name
from comptoir.sync import Board, Engine, request
from comptoir.sync.progress import Mapped, Reading
from comptoir.upstream import Client, FixedToken, Limits

_WAITS_SHORTENED = 500.0


class HastyClock:
    """Time as it is or ahead of it, moved on by tests; waits are cut to a five-hundredth."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead
        self.waited = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        time.sleep(max(0.0, seconds) / _WAITS_SHORTENED)  # the clock's own waiting, as in the product


class _Watched:
    """A reader that lets a test act just before and after calls."""

    def __init__(self, reader: Any, house: House) -> None:
        self._reader, self._house = reader, house

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Any:
        self._house.before_page(resource.name, number)
        answer = self._reader.page(resource, number, params)
        self._house.after_page(resource.name, number)
        return answer

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        return cast("int | None", self._reader.count(resource, params))

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        return cast("bytes | None", self._reader.record(resource, record_id))


def _nothing(resource: str, number: int) -> None:
    return


class House:
    """One linked company in a database, read from a stand-in."""

    def __init__(
        self,
        db: Database,
        standin: StandIn,
        *,
        workers: int = 8,
        retries_slowly: bool = True,
        limits: tuple[tuple[int, int], ...] | None = None,
        time_scale: float = 1.0,
    ) -> None:
        self.db, self.standin, self.clock = db, standin, HastyClock(standin.now() - datetime.now(UTC))
        self.before_page: Callable[[str, int], None] = _nothing
        self.after_page: Callable[[str, int], None] = _nothing
        self.told: list[Reading | Mapped] = []
        self.is_stopping = False
        with db.write() as tx:
            now = self.clock.now()
            self.tenant: TenantId = tenants_.add(tx, f"tenant {uuid4()}", now).id
            self.company = companies.add(tx, self.tenant, name="Kestrel", created_by=None, now=now).id
            self.connection: ConnectionId = connections.add(tx, self.tenant, self.company, FREEAGENT.key, now).id
            connections.set_status(tx, self.tenant, self.connection, ConnectionStatus.LINKED, now)
        budget = Limits(self.clock, calls=limits, refreshes=None, address=None, time_scale=time_scale)
        self.client = Client(
            FREEAGENT, standin.url, budget, self.clock, may_call=lambda one: holds.refuse(db, one.tenant_id)
        )
        self.engine = Engine(
            db,
            self.clock,
            lambda _: FREEAGENT,
            self._open,
            paused_until=lambda connection: self.client.limits.paused_until(connection.budget),
            workers=workers,
            retries_slowly=retries_slowly,
            board=Board(lambda _, row: self.told.append(row)),
            should_stop=lambda: self.is_stopping,
        )

    def _open(self, connection: Connection) -> tuple[Any, Callable[[], int]]:
        reader = self.client.reader(connection, FixedToken(self.standin.token))
        return _Watched(reader, self), reader.calls

    def close(self) -> None:
        self.client.close()

    def ask(self, *data_types: str) -> list[Dataset]:
        """Queue reads of the data types named, or of all."""
        with self.db.write() as tx:
            _, queued = request(
                tx,
                self.tenant,
                self.company,
                lambda _: FREEAGENT,
                data_types=data_types or None,
                now=self.clock.now(),
            )
        return queued

    def run(self) -> dict[str, Dataset]:
        """Work off what is queued; the newest dataset of each type."""
        self.engine.run(self.tenant, self.connection, lambda _, work: work())
        return self.datasets()

    def sync(self, *data_types: str) -> dict[str, Dataset]:
        self.ask(*data_types)
        return self.run()

    def datasets(self) -> dict[str, Dataset]:
        with self.db.read() as tx:
            return datasets.newest_of(tx, self.tenant, self.connection)

    def statuses(self) -> dict[str, Status]:
        return {name: one.status for name, one in self.datasets().items()}

    def raw(self) -> dict[str, dict[str, bytes]]:
        """Live raw bodies by resource and id."""
        with self.db.read() as tx:
            return {
                resource.name: {
                    row.id: lasting(row.body) for row in raw.whole(tx, self.tenant, self.connection, resource.name)
                }
                for resource in FREEAGENT.resources
                if resource.today_param is None
            }

    def standard(self) -> dict[str, dict[str, tuple[Any, ...]]]:
        return standard(self.db, self.connection)

    def is_syncing(self) -> bool:
        with self.db.read() as tx:
            return syncs.active(tx, self.tenant, self.connection) is not None


def standard(db: Database, connection: str) -> dict[str, dict[str, tuple[Any, ...]]]:
    """All standard records, gone ones too: what is served of each, when it was modified, whether it is deleted."""
    found: dict[str, dict[str, tuple[Any, ...]]] = {}
    with db.read() as tx:
        for one in FREEAGENT.data_types:
            sql = (
                "SELECT s.id, d.doc, d.supplemental, s.source_modified_date, s.is_deleted, s.modified_date "
                f"FROM {standard_name(one.name)} s JOIN {documents_name(one.name)} d ON d.pk = s.pk "
                "WHERE s.connection_id = :c"
            )
            found[one.name] = {
                row[0]: (bytes(row[1]), row[2] and bytes(row[2]), row[3], bool(row[4]), row[5])
                for row in tx.execute(sa.text(sql), {"c": connection})
            }
    return found


def unmoved(records: dict[str, dict[str, tuple[Any, ...]]]) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Records without the moment at which we stored them."""
    return {name: {id_: row[:-1] for id_, row in rows.items()} for name, rows in records.items()}


def document(row: tuple[Any, ...]) -> Any:
    return msgspec.json.decode(row[0])

"""Reads one company's books as `comptoir serve` does, durably and by schedule, until all is read; made to be killed.

python driver.py FOLDER URL TOKEN [FAILPOINTS] [DATABASE_URL]

Started again in the same folder it goes on from where it was; where a file `again` lies in it, all is asked for once more.
Says `begun` once the read is asked for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.jobs import Jobs, Step
from comptoir.runtime import failpoints
from comptoir.runtime.clock import SystemClock
from comptoir.store import (
    ConnectionId,
    Database,
    TenantId,
    companies,
    connections,
    datasets,
    open_database,
    profile,
    tenants,
)
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.sync import Engine, Scheduler, request
from comptoir.sync.fetch import Reader
from comptoir.upstream import Client, FixedToken, Limits

_PATIENCE_SECONDS = 120
_SCALE = 20.0


def _linked(db: Database, clock: SystemClock, again: Path) -> tuple[TenantId, ConnectionId]:
    """The company; in its first life all of its books are asked for."""
    with db.write() as tx:
        if (known := tenants.by_name(tx, "crash")) is not None:
            found = connections.all_linked(tx)[0]
            if again.exists():
                request(tx, known.id, found.company_id, lambda _: FREEAGENT, data_types=None, now=clock.now())
            return known.id, found.id
        now = clock.now()
        tenant = tenants.add(tx, "crash", now).id
        company = companies.add(tx, tenant, name="Kestrel", created_by=None, now=now).id
        connection = connections.add(tx, tenant, company, FREEAGENT.key, now).id
        connections.set_status(tx, tenant, connection, ConnectionStatus.LINKED, now)
        # Nothing is due by itself, however long a killed read takes on a busy machine.
        never = [msgspec.structs.replace(one, sync_schedule=0) for one in profile.sync_settings(tx, tenant)]
        profile.put_sync_settings(tx, tenant, never)
        request(tx, tenant, company, lambda _: FREEAGENT, data_types=None, now=now)
        return tenant, connection


def main(folder: Path, url: str, token: str, armed: str, database_url: str) -> None:
    clock = SystemClock(_SCALE)
    failpoints.arm(armed)
    db = open_database(database_url)
    tenant, connection = _linked(db, clock, folder / "again")
    (folder / "again").unlink(missing_ok=True)
    client = Client(FREEAGENT, url, Limits(clock, calls=None, refreshes=None, address=None), clock)
    stopping = threading.Event()

    def sync(tenant: str, connection: str, step: Step) -> None:
        engine.run(TenantId(tenant), ConnectionId(connection), step)

    jobs = Jobs(f"sqlite:///{folder / 'jobs.db'}", sync, polling_seconds=0.1)

    def begin(tenant: TenantId, connection: ConnectionId) -> None:
        jobs.start(tenant, connection)

    def open_reader(connection: Connection) -> tuple[Reader, Callable[[], int]]:
        reader = client.reader(connection, FixedToken(token))
        return reader, reader.calls

    engine = Engine(db, clock, lambda _: FREEAGENT, open_reader, should_stop=jobs.stopping.is_set)
    print("begun", flush=True)  # noqa: T201 - whoever kills it waits for this
    jobs.launch()
    scheduler = Scheduler(db, clock, lambda _: FREEAGENT, begin, is_busy=jobs.is_busy, time_scale=_SCALE)
    scheduler.start()
    for _ in range(_PATIENCE_SECONDS * 50):
        with db.read() as tx:
            has_ended = not datasets.open_ones(tx, tenant, connection)
        if has_ended and not jobs.is_busy(connection):
            break
        stopping.wait(0.02)
    else:
        sys.exit("not all was read in time")
    scheduler.stop()
    jobs.destroy()
    client.close()
    db.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:6])

"""Several processes of one installation over one PostgreSQL, as on several machines: each with a data folder of its own."""

from __future__ import annotations

import base64
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from tests.cli.conftest import COMMAND, Running, free_ports
from tests.sync.house import standard, unmoved
from tests.sync.standin import StandIn

from comptoir.access import api_keys
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.runtime.clock import SystemClock
from comptoir.store import (
    Database,
    Vault,
    companies,
    connections,
    datasets,
    grants,
    integration_settings,
    leases,
    open_database,
    profile,
    syncs,
    tenants,
)
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Dataset, Status
from comptoir.store.tables import PAGES, TURNS

_KEY = b"m" * 32
LEASE_SECONDS = 4
_CLOCK = SystemClock()
_PATIENCE_SECONDS = 150


def until(condition: Callable[[], bool], *, seconds: float = _PATIENCE_SECONDS) -> None:
    end = _CLOCK.monotonic() + seconds
    while not condition():
        assert _CLOCK.monotonic() < end, f"not within {seconds} s"
        _CLOCK.sleep(0.05)


class _Lasting(Running):
    patience_seconds = 280


class Process:
    """A worker or a server."""

    def __init__(self, running: Running, url: str = "") -> None:
        self.running, self.url = running, url

    @property
    def pid(self) -> int:
        return self.running.process.pid

    def signal(self, what: signal.Signals) -> None:
        self.running.process.send_signal(what)


class Installation:
    """One linked company whose books wait to be read, and the processes that are started for it, which may know the
    database by another address than the one it is looked at."""

    def __init__(self, database_url: str, standin: StandIn, folder: Path, *, processes: str = "") -> None:
        self._url, self._standin, self._folder = database_url, standin, folder
        self._processes_url = processes or database_url
        self.db = open_database(database_url)
        self._processes: list[Process] = []
        vault, now = Vault({1: _KEY}, 1), datetime.now(UTC)
        with self.db.write() as tx:
            self.tenant = tenants.add(tx, "default", now).id
            self.company = companies.add(tx, self.tenant, name="Kestrel", created_by=None, now=now).id
            self.connection = connections.add(tx, self.tenant, self.company, FREEAGENT.key, now).id
            connections.set_status(tx, self.tenant, self.connection, ConnectionStatus.LINKED, now)
            never = [msgspec.structs.replace(one, sync_schedule=0) for one in profile.sync_settings(tx, self.tenant)]
            profile.put_sync_settings(tx, self.tenant, never)
            grants.put(
                tx, self.tenant, self.connection, vault, access_token=standin.token, refresh_token="r",
                expires_at=now + timedelta(hours=1), now=now,
            )  # fmt: skip
            integration_settings.save_keys(
                tx, self.tenant, FREEAGENT.key, client_id="i", client_secret="s", vault=vault, now=now
            )
            integration_settings.set_enabled(tx, self.tenant, FREEAGENT.key, enabled=True)
            _, self._api_key = api_keys.add(tx, self.tenant, "tests", now)

    def environment(self, folder: Path, **more: str) -> dict[str, str]:
        return {
            "COMPTOIR_DATABASE_URL": self._processes_url,
            "COMPTOIR_DATA_DIR": str(folder),
            "COMPTOIR_MASTER_KEY": base64.b64encode(_KEY).decode(),
            "COMPTOIR_FREEAGENT_URL": self._standin.url,
            "COMPTOIR_FREEAGENT_LIMITS": "off",
            "COMPTOIR_LEASE_SECONDS": str(LEASE_SECONDS),
            "COMPTOIR_TIME_SCALE": "20",
            "COMPTOIR_TEST_SEAMS": "1",
        } | more

    def worker(self, **more: str) -> Process:
        return self._started(("worker",), "works off", "", **more)

    def server(self, **more: str) -> Process:
        (port,) = free_ports(1)
        return self._started(("serve", "--port", str(port)), "serves", f"http://127.0.0.1:{port}", **more)

    def _started(self, command: tuple[str, ...], said: str, url: str, **more: str) -> Process:
        folder = self._folder / f"machine-{len(self._processes)}"
        running = _Lasting([str(COMMAND), *command], **self.environment(folder, **more))
        process = Process(running, url)
        self._processes.append(process)
        running.wait_for(said)
        return process

    def close(self) -> None:
        for one in self._processes:
            one.running.stop(signal.SIGKILL)
        self.db.close()

    # Over the API of one of the servers

    def ask(self, server: Process, method: str, path: str) -> httpx2.Response:
        token = base64.b64encode(self._api_key.encode()).decode()
        with httpx2.Client(headers={"Authorization": f"Basic {token}"}, timeout=60, trust_env=False) as http:
            return http.request(method, f"{server.url}/api{path}")

    def page(self, server: Process, path: str) -> httpx2.Response:
        """As somebody asks for it who was signed in."""
        return httpx2.get(server.url + path, headers={"Cookie": f"comptoir_session={'s' * 43}"}, timeout=60)

    def refresh(self, server: Process) -> None:
        answer = self.ask(server, "POST", f"/companies/{self.company}/data/all")
        assert answer.status_code in (200, 202, 204), answer.text

    # What the database holds

    def datasets(self) -> dict[str, Dataset]:
        with self.db.read() as tx:
            return datasets.newest_of(tx, self.tenant, self.connection)

    def is_over(self) -> bool:
        found = self.datasets()
        with self.db.read() as tx:
            is_active = syncs.active(tx, self.tenant, self.connection) is not None
        return bool(found) and not is_active and all(one.status.is_ended for one in found.values())

    def assert_complete(self) -> None:
        found = self.datasets()
        assert {one.status for one in found.values()} == {Status.COMPLETE}, found
        assert len(found) == len(FREEAGENT.data_types)

    def pages(self) -> int:
        with self.db.read() as tx:
            return len(tx.execute(PAGES.select().where(PAGES.c.connection_id == self.connection)).all())

    def reader(self) -> Process | None:
        """Which of the processes reads the company's books at the moment."""
        with self.db.read() as tx:
            row = tx.execute(TURNS.select().where(TURNS.c.connection_id == self.connection)).one_or_none()
            by_number = {one.number: one.process for one in leases.held(tx)}
        if row is None or row.number not in by_number:
            return None
        return next(one for one in self._processes if f" {one.pid} " in by_number[row.number])

    def books(self) -> Any:
        return unmoved(standard(self.db, self.connection))

    def close_database(self) -> None:
        self.db.close()

    def open_database(self) -> Database:
        self.db = open_database(self._url)
        return self.db

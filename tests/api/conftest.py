"""A served API over an empty database of each kind, with one tenant, its key, and records put in by hand."""

from __future__ import annotations

import base64
import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from litestar import Litestar, asgi
from litestar.testing import TestClient
from litestar.types import ASGIApp
from tests.books import Books, world_of
from tests.conftest import TRAIL_KEY, PostgresDatabases

from comptoir import model
from comptoir.access import api_keys
from comptoir.api import ApiServices, api
from comptoir.integrations import INTEGRATIONS, by_key
from comptoir.link import lifecycle
from comptoir.model import SHAPES
from comptoir.store import (
    CompanyId,
    ConnectionId,
    Database,
    TenantId,
    companies,
    connections,
    datasets,
    events,
    integration_settings,
    open_database,
    records,
    tenants,
)
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Dataset, Status
from comptoir.store.records import Prepared
from comptoir.store.trail import Actor
from comptoir.store.vault import Vault
from comptoir.sync import request

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
RECORDS = {name: shape for name, shape in SHAPES.items() if not shape.is_statement}  # what is listed record by record
VAULT = Vault({1: b"k" * 32}, 1)
PLATFORM = INTEGRATIONS[0]


class SteadyClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class House:
    """One tenant's corner of a database, and the API over it."""

    db: Database
    client: TestClient[Litestar]
    clock: SteadyClock
    tenant: TenantId
    key: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": header(key or self.key), **more.pop("headers", {})}
        return self.client.request(method, f"/api{path}", headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.ask("GET", path, **more)

    def ask_in_bytes(
        self,
        target: bytes,
        *,
        method: str = "GET",
        body: Sequence[dict[str, Any]] = ({"type": "http.request"},),
        headers: Sequence[tuple[bytes, bytes]] = (),
        app: ASGIApp | None = None,
    ) -> tuple[int, bytes]:
        """Status and body for a target and messages that a well-behaved client would never send.

        `target` is all of it, the API's own path included.
        """
        path, _, query = target.partition(b"?")
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path.decode(errors="replace")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", b"testserver.local"), (b"authorization", header(self.key).encode()), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        sent: list[Any] = []
        messages = iter(body)

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            sent.append(message)

        async def call() -> None:
            await (app or self.client.app)(scope, receive, send)

        self.client.blocking_portal.call(call)  # turns of callers are kept for one event loop
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    def a_company(self, name: str = "Toft Bakery", **members: Any) -> str:
        with self.db.write() as tx:
            found = companies.add(tx, self.tenant, name=name, created_by="test", now=self.clock.now(), **members)
        self.clock.sleep(1)
        return found.id

    def a_connection(self, company: str, status: ConnectionStatus = ConnectionStatus.LINKED) -> str:
        with self.db.write() as tx:
            found = connections.add(tx, self.tenant, CompanyId(company), PLATFORM.key, self.clock.now())
            if status is not ConnectionStatus.PENDING_AUTH:
                connections.set_status(tx, self.tenant, found.id, ConnectionStatus.LINKED, self.clock.now())
                if status is not ConnectionStatus.LINKED:
                    connections.set_status(tx, self.tenant, found.id, status, self.clock.now())
        self.clock.sleep(1)
        return found.id

    def a_linked_company(self) -> tuple[str, str]:
        company = self.a_company()
        return company, self.a_connection(company)

    def a_dataset(self, company: str, connection: str, data_type: str, status: Status, **members: Any) -> Dataset:
        with self.db.write() as tx:
            found = datasets.queue(
                tx, self.tenant, CompanyId(company), ConnectionId(connection), data_type, self.clock.now()
            )
            self.clock.sleep(1)
            if status.is_ended:
                members = {"completed": self.clock.now(), "progress": 100, **members}
            if status is not Status.QUEUED:
                found = datasets.advance(tx, self.tenant, found.id, status=status, **members)
        return found

    def put(self, company: str, connection: str, data_type: str, found: Sequence[Any]) -> None:
        """Records as a sync would leave them, their dataset Complete."""
        rows = [
            Prepared(
                id=getattr(one, "id", data_type),
                document=model.encode(one),
                supplemental=None,
                source_resource="tests",
                source_id=str(next(self._numbers)),
                source_modified_date=getattr(one, "source_modified_date", None),
                record=one,
            )
            for one in found
        ]
        owner = (self.tenant, CompanyId(company), ConnectionId(connection), data_type)
        with self.db.write() as tx:
            records.put(tx, *owner, rows, self.clock.now())
            records.mark_readable(tx, *owner, self.clock.now())
        self.a_dataset(company, connection, data_type, Status.COMPLETE)

    def enable(self) -> None:
        with self.db.write() as tx:
            integration_settings.save_keys(
                tx,
                self.tenant,
                PLATFORM.key,
                client_id="client",
                client_secret="secret-of-tests",
                vault=VAULT,
                now=self.clock.now(),
            )
            integration_settings.set_enabled(tx, self.tenant, PLATFORM.key, enabled=True)


def header(key: str) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


def _queue(db: Database, clock: SteadyClock) -> Any:
    """Reads are queued as ever, and nobody works them off."""

    def queue(
        tenant: TenantId,
        company: CompanyId,
        *,
        connection: ConnectionId | None = None,
        data_types: Sequence[str] | None = None,
        whole: bool = False,
    ) -> list[Dataset]:
        with db.write() as tx:
            _, queued = request(
                tx, tenant, company, by_key, data_types=data_types, connection=connection, whole=whole, now=clock.now()
            )
        return queued

    return queue


def mounted(services: ApiServices) -> Litestar:
    """The API at its path, in an application that a test client can start and stop."""
    return Litestar(
        route_handlers=[asgi(services.path or "/", is_mount=True, copy_scope=False)(api(services))], openapi_config=None
    )


def services_for(db: Database, clock: SteadyClock) -> ApiServices:
    def unlink(tenant: TenantId, connection: ConnectionId, actor: Actor) -> None:
        with db.write() as tx:
            lifecycle.unlink(tx, tenant, connection, clock.now())
            events.audit(tx, tenant, actor, "connection.unlinked", connection, clock.now())

    def delete(tenant: TenantId, connection: ConnectionId, actor: Actor) -> None:
        with db.write() as tx:
            lifecycle.delete(tx, tenant, connection, clock.now())
            events.audit(tx, tenant, actor, "connection.deleted", connection, clock.now())

    def delete_company(tenant: TenantId, company: CompanyId, actor: Actor) -> None:
        with db.write() as tx:
            lifecycle.delete_company(tx, tenant, company)
            events.audit(tx, tenant, actor, "company.deleted", company, clock.now())

    return ApiServices(
        db=db,
        clock=clock,
        integrations=INTEGRATIONS,
        api_url="http://testserver.local/api",
        link_url="http://testserver.local/link",
        request_refresh=_queue(db, clock),
        unlink=unlink,
        delete_connection=delete,
        delete_company=delete_company,
        download=lambda connection, file: f"{connection.id} {file.id}".encode(),
        print_out=lambda connection, printed, id_: f"{connection.id} {printed.path} {id_}".encode(),
    )


@contextlib.contextmanager
def house_in(database: Database) -> Iterator[House]:
    """The API over a database, with one tenant and a key of its own."""
    clock = SteadyClock()
    database.sign_trail_with(TRAIL_KEY)
    with database.write() as tx:
        tenant = tenants.add(tx, "Lender", clock.now())
        _, key = api_keys.add(tx, tenant.id, "tests", clock.now())
    app = mounted(services_for(database, clock))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield House(database, client, clock, tenant.id, key)


@pytest.fixture
def house(database: Database) -> Iterator[House]:
    with house_in(database) as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house made once a module on each database, for tests that others do not notice: they mostly are refused."""
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('standing') / 'comptoir.db'}"
        if request.param == "postgresql":
            databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
            url = stack.enter_context(databases.one()).render_as_string(hide_password=False)
        database = open_database(url)
        stack.callback(database.close)
        yield stack.enter_context(house_in(database))


@dataclass(kw_only=True)
class Served(House):
    """The API over the books of a small company, read from a stand-in's world."""

    company: str
    connection: str
    counts: dict[str, int]

    def base(self, data_type: str) -> str:
        """Where the list of a data type is; of bank transactions, that of the account with most of them."""
        company, path_word = f"/companies/{self.company}", SHAPES[data_type].path_word
        connection = f"{company}/connections/{self.connection}/data"
        if data_type == "bankTransactions":
            accounts = self.get(f"{connection}/bankAccounts").json()["results"]
            paths = [f"{connection}/bankAccounts/{one['id']}/bankTransactions" for one in accounts]
            return max(paths, key=lambda path: int(self.get(path).json()["totalResults"]))
        return f"{connection}/{path_word}" if data_type == "bankAccounts" else f"{company}/data/{path_word}"

    def all(self, data_type: str, **params: Any) -> list[dict[str, Any]]:
        answer = self.get(self.base(data_type), params={"pageSize": 5000, **params})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """For tests that only read: on SQLite, once a module."""
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('served') / 'comptoir.db'}")
    books = Books(db, world_of(1, "small"))
    books.sync()
    with serving(books) as opened:
        yield opened
    db.close()


@contextlib.contextmanager
def serving(books: Books) -> Iterator[Served]:
    """The API over books that were read."""
    clock = SteadyClock()
    books.db.sign_trail_with(TRAIL_KEY)
    with books.db.write() as tx:
        _, key = api_keys.add(tx, books.tenant, "tests", clock.now())
    app = mounted(services_for(books.db, clock))
    with TestClient(app, raise_server_exceptions=False) as client:
        counts = {name: len(books.documents(name)) for name in RECORDS}
        yield Served(
            db=books.db,
            client=client,
            clock=clock,
            tenant=books.tenant,
            key=key,
            company=books.company,
            connection=books.connection,
            counts=counts,
        )


@pytest.fixture
def neighbour(house: House) -> House:
    """Another tenant in the same database, over the same API."""
    with house.db.write() as tx:
        tenant = tenants.add(tx, "Rival", house.clock.now())
        _, key = api_keys.add(tx, tenant.id, "tests", house.clock.now())
    return House(house.db, house.client, house.clock, tenant.id, key)


def error_in(answer: Any, status: int) -> str:
    """The sentence of an error in the documented form; everything else of the form is checked here."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = msgspec.json.decode(answer.content)
    assert body["statusCode"] == status
    assert body["service"] == "PublicApi"
    assert len(body["correlationId"]) == 32
    assert body["canBeRetried"] in ("True", "False", "Unknown")
    assert body["detailedErrorCode"] == 0
    assert body["validation"] is None or set(body["validation"]) == {"errors", "warnings"}
    return str(body["error"])

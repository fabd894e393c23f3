"""Puts the house together: opens the store, builds each floor with what it needs, serves, stops in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa
import uvicorn
from litestar import Litestar, Router
from litestar.types import ASGIApp

from comptoir import access
from comptoir.access import FirstStart, api_keys
from comptoir.api import ApiLimits, ApiServices, api
from comptoir.checkup import of_data
from comptoir.errors import ActionNeeded, Conflict, TryLater
from comptoir.front import by_tls_only, divided, is_below, is_no_cut_off, is_on_host, listen
from comptoir.integrations import INTEGRATIONS, by_key
from comptoir.integrations.contract import Attached, Integration, Printed
from comptoir.jobs import Jobs, Shift, Stopped, Tenure, fence
from comptoir.link import Flow, TokenEndpoint, TokenKeeper, lifecycle
from comptoir.portal import PortalServices, error_response, health_router, observed
from comptoir.portal import routes as portal_routes
from comptoir.runtime import failpoints, logs
from comptoir.runtime.clock import Clock, SystemClock
from comptoir.runtime.ending import end_anyway
from comptoir.runtime.local_socket import Desk
from comptoir.runtime.metrics import Metrics
from comptoir.settings import Settings
from comptoir.store import (
    CompanyId,
    ConnectionId,
    Database,
    DatasetId,
    TenantId,
    backup,
    calls,
    connections,
    events,
    holds,
    new_id,
    open_database,
    spending,
    syncs,
    tenants,
)
from comptoir.store.companies import Company
from comptoir.store.connections import Connection
from comptoir.store.datasets import Dataset
from comptoir.store.trail import Actor
from comptoir.sync import (
    Board,
    Engine,
    Remapped,
    Remapping,
    Report,
    Scheduler,
    Synced,
    Turns,
    company_named,
    follow,
    remap,
    request,
    synced,
)
from comptoir.sync.progress import Mapped, Reading
from comptoir.upkeep import held, open_vault, operator_link, rotated, verified
from comptoir.upstream import Client, Limits, Shared

if TYPE_CHECKING:
    from comptoir.upstream.openid import OpenIdProvider

__all__ = ["SOCKET", "Application"]

SOCKET = "comptoir.sock"  # in the data folder: where commands reach a server that runs
_STOP_WITHIN_SECONDS = 10
_JOBS_STOP_WITHIN_SECONDS = 7.0  # the page under way is read and stored
_REQUESTS_STOP_WITHIN_SECONDS = 3  # whoever is still sending then is cut off
_ENDS_ANYWAY_AFTER_SECONDS = 20.0
_REQUESTS_AT_ONCE = 32  # some wait for other machines: not as few as a small machine is given by default
_JOBS_KEPT = timedelta(days=7)
_log = logging.getLogger(__name__)


class Application:
    """One process of an installation. `start` has it serve, `begin_work` only work; `stop` ends it. They may be called
    from any thread, once each.

    A worker works always. Any other process does so on SQLite, where there is no other, and while there is no worker.
    """

    def __init__(self, settings: Settings, role: Literal["server", "worker", "command"] = "server") -> None:
        self.settings, self._role = settings, role
        self._clock = SystemClock(settings.time_scale)
        failpoints.arm(settings.failpoints)
        logs.configure(settings.log_format, settings.log_level)
        self.metrics = Metrics()
        process = f"comptoir {socket.gethostname()[:24]} {os.getpid()} {new_id()[:8]}"
        self.db = open_database(settings.database_url, process=process)
        self._vault = open_vault(self.db, settings)
        self.first_start: FirstStart | None = None
        if role == "server":  # nobody else tells the password
            self.first_start = access.ensure_first(self.db, self._clock)
        self._single_sign_on = _single_sign_on(settings, self._clock)
        self._endpoints: dict[str, TokenEndpoint] = {}
        self._limits: dict[str, Limits] = {}
        self._clients: dict[str, Client] = {}
        for integration in INTEGRATIONS:
            self._reach(integration)
        self._keeper = TokenKeeper(
            self.db,
            self._vault,
            self._clock,
            by_key,
            self._endpoints.__getitem__,
            self._limits.__getitem__,
        )
        self._flow = Flow(
            self.db,
            self._vault,
            self._clock,
            by_key,
            self._endpoints.__getitem__,
            self._clients.__getitem__,
            lambda key: settings.upstreams[key].authorise_url,
            settings.redirect_uri,
            self._keeper,
        )
        self._tenure: Tenure | None = None
        if self.db.dialect == "postgresql":
            seconds = settings.lease_seconds
            self._tenure = Tenure(self.db, self._clock, process, is_worker=role == "worker", seconds=seconds)
        self._board, self._turns = Board(), Turns(self.db, self._number)
        self._jobs = Jobs(_jobs_url(settings), self._sync, tenure=self._tenure)
        self._scheduler = Scheduler(
            self.db,
            self._clock,
            by_key,
            self._begin_sync,
            is_busy=self._jobs.is_busy,
            tidy=self._tidy,
            is_on_duty=lambda: self._jobs.is_eldest,
            time_scale=settings.time_scale,
        )
        works = {
            "remap": self._remap,
            "sync": self._read_now,
            "audit-verify": self._verify_trails,
            "operator-link": self._operator_link,
            "doctor": self._looked_at,
            "backup": self._copy_out,
            "hold": self._hold,
            "rotate-keys": self._rotate_keys,
        }
        self._desk = Desk(settings.data_dir / SOCKET, works)
        self._gone: set[ConnectionId] = set()  # deleted, and perhaps worked on at that moment
        self._launched = threading.Event()
        self._stop_asked = threading.Event()
        self._server: uvicorn.Server | None = None
        self._serving: threading.Thread | None = None

    def _reach(self, integration: Integration) -> None:
        upstream = self.settings.upstreams[integration.key]
        limits = Limits(
            self._clock,
            calls=upstream.limits.calls,
            refreshes=upstream.limits.refreshes,
            address=upstream.limits.address,
            time_scale=self.settings.time_scale,
            spent=spending.spent_in(self.db),
            ledger=Shared(self.db, self._clock, integration.key) if self.db.dialect == "postgresql" else None,
        )
        self._limits[integration.key] = limits
        bounds = self.settings.bounds
        called = self.metrics.called(integration.slug)
        self._clients[integration.key] = Client(
            integration,
            upstream.origin,
            limits,
            self._clock,
            bounds=bounds,
            called=called,
            may_call=lambda connection: holds.refuse(self.db, connection.tenant_id),
        )
        self._endpoints[integration.key] = TokenEndpoint(
            integration,
            upstream.token_url,
            self._clock,
            bounds=bounds,
            called=called,
            refreshed=self.metrics.refreshed(integration.slug),
        )

    # Serving

    @cached_property
    def asgi(self) -> ASGIApp:
        """Portal, Link pages and API: on one origin, or the API on a host of its own below the base domain."""
        portal = self._portal_services()
        public = self._api_services()
        pages = _pages(portal_routes(portal), portal)
        own_host = f"api.{self.settings.base_domain}" if self.settings.base_domain else None
        both = divided(is_on_host(own_host) if own_host else is_below(public.path), api(public), pages)
        return by_tls_only(both) if portal.is_secure else both

    def start(self) -> None:
        """Listen, then begin to work off what is queued. Raises ActionNeeded if the port is taken."""
        self._answer(self.asgi, self.settings.port, "--port or COMPTOIR_PORT")
        self.begin_work()
        self._desk.start()

    def start_to_work(self) -> None:
        """Begin to work off what is queued, and tell on the port for metrics, if one is set, how that goes.

        Raises ActionNeeded if the port is taken.
        """
        if self.settings.metrics_port is not None:
            portal = self._portal_services()
            pages = _pages([health_router(portal)], portal)
            self._answer(pages, self.settings.metrics_port, "--metrics-port or COMPTOIR_METRICS_PORT")
        self.begin_work()

    def _answer(self, asgi: ASGIApp, port: int, chosen_by: str) -> None:
        listener = listen(self.settings.host, port, chosen_by)
        config = uvicorn.Config(
            asgi,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_REQUESTS_STOP_WITHIN_SECONDS,
        )
        self._server = server = uvicorn.Server(config)
        self._serving = threading.Thread(target=lambda: server.run(sockets=[listener]), name="serve", daemon=True)
        self._serving.start()
        while not server.started:
            if not self._serving.is_alive():
                raise ActionNeeded("The server could not start; the log says why.")
            self._serving.join(0.01)

    def begin_work(self) -> None:
        """Work off what is queued, and what falls due. Raises ActionNeeded if the queue cannot be opened."""
        try:
            self._jobs.launch()
        except sa.exc.DBAPIError as error:
            raise ActionNeeded(
                f"The queue of background work, {_shown(_jobs_url(self.settings))}, cannot be opened: "
                f"{str(error.orig).splitlines()[0]}. If the file was damaged, remove it: what was queued is asked for "
                "anew; no book is in it."
            ) from error
        self._launched.set()
        gc.freeze()  # what stands now stays: the collector need not go through it again and again
        if self._role != "command":
            self._scheduler.start()

    def stop_on_signals(self) -> None:
        """From now on SIGTERM and Ctrl-C end `wait`, also if they come before it is called, and before long the process
        too."""
        end_anyway(self._stop_asked, after_seconds=_ENDS_ANYWAY_AFTER_SECONDS)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._stop_asked.set())

    def wait(self) -> None:
        """Until a stop signal comes, or `stop` is called."""
        while not self._stop_asked.wait(0.5):
            pass

    def stop(self) -> None:
        """The page under way ends, work is put down where it can be taken up again, everything is closed."""
        self._stop_asked.set()
        if self._server is not None:  # requests under way end while the work is put down
            logging.getLogger("uvicorn.error").addFilter(is_no_cut_off)
            self._server.should_exit = True
        if self._launched.is_set():
            self._desk.stop()
            self._scheduler.stop()
            self._jobs.destroy(wait_seconds=_JOBS_STOP_WITHIN_SECONDS)
        for client in self._clients.values():
            client.close()
        for endpoint in self._endpoints.values():
            endpoint.close()
        if self._single_sign_on is not None:
            self._single_sign_on.close()
        if self._serving is not None:
            self._serving.join(_STOP_WITHIN_SECONDS)
        self.db.close()

    # What the floors ask of each other

    def _sync(self, tenant: str, connection: str, step: Shift) -> None:
        db = self.db if step.number is None else self.db.under(step.guard)
        self._engine(db, step.should_stop).run(TenantId(tenant), ConnectionId(connection), step)

    def _engine(self, db: Database, should_stop: Callable[[], bool]) -> Engine:
        return Engine(
            db,
            self._clock,
            by_key,
            self._open_reader,
            paused_until=lambda connection: self._limits[connection.integration_key].paused_until(connection.budget),
            board=self._board,
            turns=self._turns,
            should_stop=should_stop,
            ended=self.metrics.sync_ended,
        )

    def _number(self) -> int | None:
        """Of the lease that this process writes under; None on SQLite."""
        return None if self._tenure is None else self._tenure.number

    def _guarded(self) -> Database:
        """The database for what must not go on once this process was replaced."""
        number = self._number()
        return self.db if number is None else self.db.under(fence(number))

    def _open_reader(self, connection: Connection) -> tuple[Any, Callable[[], int]]:
        reader = self._clients[connection.integration_key].reader(connection, self._keeper)
        return reader, reader.calls

    def _begin_sync(self, tenant: TenantId, connection: ConnectionId) -> None:
        if not self._launched.wait(_STOP_WITHIN_SECONDS):
            raise ActionNeeded("The background work has not started yet. Try again in a few seconds.")
        try:
            self._jobs.start(tenant, connection)
        except TryLater as error:  # what is queued is found and begun by the schedule
            _log.warning("a read is begun a little later: %s", error.message)

    def _tidy(self, now: datetime) -> None:
        self._scrub()
        self._jobs.purge(now - _JOBS_KEPT)
        with self.db.write() as tx:
            calls.purge(tx, now)
            if self.db.dialect == "postgresql":
                spending.purge(tx)

    def request_refresh(
        self,
        tenant: TenantId,
        company: CompanyId,
        *,
        connection: ConnectionId | None = None,
        data_types: Sequence[str] | None = None,
        whole: bool = False,
    ) -> Sequence[Dataset]:
        with self.db.write() as tx:
            source, queued = request(
                tx,
                tenant,
                company,
                by_key,
                data_types=data_types,
                connection=connection,
                whole=whole,
                now=self._clock.now(),
            )
        self._begin_sync(tenant, source)
        return queued

    def _remap(self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]) -> Any:
        asked = msgspec.convert(arguments, _RemapAsked)
        try:
            remapped = remap(
                self._guarded(),
                self._clock,
                by_key,
                self._turns,
                company=asked.company,
                data_types=asked.data_types,
                tell=lambda how_far: tell(msgspec.to_builtins(how_far)),
                should_stop=should_stop,
            )
        except Stopped as stopped:
            raise TryLater("Comptoir is being stopped. Start it, and remap again.") from stopped
        return msgspec.to_builtins(remapped)

    def _verify_trails(
        self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]
    ) -> Any:
        return msgspec.to_builtins(verified(self.db, self._vault))

    def _operator_link(
        self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]
    ) -> Any:
        return operator_link(self.db, self.settings, str(arguments.get("email", "")))

    def _read_now(
        self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]
    ) -> Any:
        asked = msgspec.convert(arguments, _SyncAsked)
        try:
            found = self.read_in_turn(
                company=asked.company,
                data_types=asked.data_types,
                whole=asked.whole,
                tell=lambda row: tell(msgspec.to_builtins(row)),
                should_stop=should_stop,
            )
        except Stopped as stopped:
            raise TryLater("Comptoir is being stopped. What was asked for is read once it runs again.") from stopped
        return msgspec.to_builtins(found)

    def read_in_turn(
        self,
        *,
        company: str,
        data_types: Sequence[str] | None,
        whole: bool,
        tell: Callable[[Reading | Mapped], None],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Synced:
        """Ask for a read, and follow it to its end, in whatever process that goes on. Raises Stopped when asked to
        stop."""
        with self.db.read() as tx:
            found = company_named(tx, company)
        queued = self.request_refresh(found.tenant_id, found.id, data_types=data_types, whole=whole)
        ids = self._asked_for(found, queued)
        for connection in {one.connection_id for one in queued}:
            follow(
                self.db,
                self._clock,
                self._board,
                found.tenant_id,
                connection,
                ids,
                tell=tell,
                should_stop=should_stop,
            )
        return synced(self.db, found.tenant_id, found, ids)

    def _copy_out(
        self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]
    ) -> Any:
        to = msgspec.convert(arguments, _CopyAsked).to
        with self.db.read() as tx:
            is_done = backup.copy_file(tx, Path(to), tell=lambda *how_far: tell(how_far), should_stop=should_stop)
        if not is_done:
            raise TryLater("Comptoir is being stopped. Start the backup again.")
        return {}

    def _hold(self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]) -> Any:
        asked = msgspec.convert(arguments, _HoldAsked)
        return held(self.db, self._clock, asked.tenant, is_on=asked.is_on)

    def _rotate_keys(
        self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]
    ) -> Any:
        return msgspec.to_builtins(rotated(self.db, self._vault, self.settings, should_stop))

    def _asked_for(self, company: Company, queued: Sequence[Dataset]) -> list[DatasetId]:
        if not queued:
            raise Conflict(f"All data types of {company.name} are being read already. Their progress is on its page.")
        return [one.id for one in queued]

    def read_now(
        self,
        *,
        company: str,
        data_types: Sequence[str] | None,
        whole: bool,
        tell: Callable[[Reading | Mapped], None],
    ) -> Synced:
        """Read here and now, while nothing is served; what was cut off when a server stopped is read to its end first:
        till then it cannot be asked for."""
        self._board.told = lambda _, row: tell(row)
        with self.db.read() as tx:
            found = company_named(tx, company)
            owner = (found.tenant_id, found.id)
            known = connections.of_company(tx, *owner)
        for connection in known:
            self._read_here(connection.tenant_id, connection.id)
        with self.db.write() as tx:
            source, queued = request(tx, *owner, by_key, data_types=data_types, whole=whole, now=self._clock.now())
        ids = self._asked_for(found, queued)
        self._read_here(found.tenant_id, source)
        return synced(self.db, found.tenant_id, found, ids)

    def remap_here(
        self, *, company: str | None, data_types: Sequence[str], tell: Callable[[Remapping], None]
    ) -> list[Remapped]:
        """Remap here and now; between several processes under a lease of its own."""
        if self._tenure is not None:
            self._tenure.begin(lambda _: None)
        try:
            return remap(
                self._guarded(), self._clock, by_key, self._turns, company=company, data_types=data_types, tell=tell
            )
        finally:
            if self._tenure is not None:
                self._tenure.stop()
                self._tenure.give_back()

    def _read_here(self, tenant: TenantId, connection: ConnectionId) -> None:
        self._engine(self.db, self._jobs.stopping.is_set).run(tenant, connection, lambda _, work: work())

    def _unlink(self, tenant: TenantId, connection: ConnectionId, actor: Actor) -> None:
        with self.db.write() as tx:
            lifecycle.unlink(tx, tenant, connection, self._clock.now())
            events.audit(tx, tenant, actor, "connection.unlinked", connection, self._clock.now())
        self._keeper.forget(connection)

    def _delete_connection(self, tenant: TenantId, connection: ConnectionId, actor: Actor) -> None:
        with self.db.write() as tx:
            lifecycle.delete(tx, tenant, connection, self._clock.now())
            events.audit(tx, tenant, actor, "connection.deleted", connection, self._clock.now())
        self._forget([connection])

    def _delete_company(self, tenant: TenantId, company: CompanyId, actor: Actor) -> None:
        with self.db.write() as tx:
            gone = lifecycle.delete_company(tx, tenant, company)
            events.audit(tx, tenant, actor, "company.deleted", company, self._clock.now())
        self._forget(gone)

    def _forget(self, gone: Sequence[ConnectionId]) -> None:
        """What is known of deleted connections outside the tables; work that is under way is forgotten once it ends."""
        for connection in gone:
            self._keeper.forget(connection)
        self._gone.update(gone)
        with contextlib.suppress(TryLater):  # they are deleted; the rest is done when things are tidied up
            self._scrub()

    def _scrub(self) -> None:
        if self._launched.is_set() and self._gone:
            self._gone = set(map(ConnectionId, self._jobs.forget(self._gone)))
        self.db.scrub()

    def _portal_services(self) -> PortalServices:
        return PortalServices(
            db=self.db,
            vault=self._vault,
            clock=self._clock,
            integrations=INTEGRATIONS,
            public_url=self.settings.portal_url,
            link_url=self.settings.link_url,
            base_domain=self.settings.base_domain,
            redirect_uri=self.settings.redirect_uri,
            developer_url=lambda integration: self.settings.upstreams[integration.key].developer_url,
            start_link=self._flow.start,
            finish_link=self._flow.finish,
            test_keys=self._flow.test_keys,
            request_refresh=self._refresh_quietly,
            unlink=self._unlink,
            delete_connection=self._delete_connection,
            delete_company=self._delete_company,
            download=self._download,
            print_out=self._print_out,
            single_sign_on=self._single_sign_on,
            is_stopping=self._stop_asked.is_set,
            data_dir=self.settings.data_dir,
            metrics=self.metrics,
            metrics_token=self.settings.metrics_token,
            work_lacks=self._work_lacks,
            budgets_left=lambda: (
                (one.slug, window, left)
                for one in INTEGRATIONS
                for window, left in self._limits[one.key].lowest().items()
            ),
            windows_of=lambda connection: self._limits[connection.integration_key].windows(connection.budget),
        )

    def _looked_at(
        self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]
    ) -> Any:
        return msgspec.to_builtins(list(of_data(self.db, self._clock, self._work_lacks)))

    def _work_lacks(self) -> list[str]:
        """Why what is queued is not worked off; a process that was not started to serve owes no work."""
        if self._server is None:
            return []
        if not self._launched.is_set():
            return ["The background work has not started yet."]
        return [] if self._scheduler.is_well() else ["The background work does not go on."]

    def _refresh_quietly(
        self,
        tenant: TenantId,
        company: CompanyId,
        *,
        connection: ConnectionId | None = None,
        data_types: Sequence[str] | None = None,
        whole: bool = False,
    ) -> None:
        self.request_refresh(tenant, company, connection=connection, data_types=data_types, whole=whole)

    def _api_services(self) -> ApiServices:
        key, tenant, address = self.settings.api_limits
        return ApiServices(
            db=self.db,
            clock=self._clock,
            integrations=INTEGRATIONS,
            api_url=self.settings.api_url,
            link_url=self.settings.link_url,
            request_refresh=self.request_refresh,
            unlink=self._unlink,
            delete_connection=self._delete_connection,
            delete_company=self._delete_company,
            download=self._download,
            print_out=self._print_out,
            limits=ApiLimits(key=key, tenant=tenant, address=address),
            answered=partial(self.metrics.answered, "api"),
        )

    def _download(self, connection: Connection, file: Attached) -> bytes:
        return self._clients[connection.integration_key].file(connection, file, self._keeper, self._clock.now())

    def _print_out(self, connection: Connection, printed: Printed, record_id: str) -> bytes:
        return self._clients[connection.integration_key].printed(connection, printed, record_id, self._keeper)

    # For the command line

    def new_api_key(self, name: str) -> str:
        """A key of the first tenant, told once."""
        with self.db.write() as tx:
            tenant, *_ = tenants.all_tenants(tx)
            _, key = api_keys.add(tx, tenant.id, name, self._clock.now())
        return key

    def books_check(self, connection: ConnectionId) -> Report | None:
        """What the newest sync of a connection of the first tenant found out about its books."""
        with self.db.read() as tx:
            tenant, *_ = tenants.all_tenants(tx)
            found = syncs.latest(tx, tenant.id, connection)
        return None if found is None or found.checks is None else Report.decode(found.checks)


class _RemapAsked(msgspec.Struct, frozen=True):
    company: str | None = None
    data_types: tuple[str, ...] = ()


class _CopyAsked(msgspec.Struct, frozen=True):
    to: str


class _HoldAsked(msgspec.Struct, frozen=True):
    is_on: bool
    tenant: str | None = None


class _SyncAsked(msgspec.Struct, frozen=True):
    company: str
    data_types: tuple[str, ...] | None = None
    whole: bool = False


def _pages(routes: Sequence[Router], portal: PortalServices) -> ASGIApp:
    pages = Litestar(
        route_handlers=routes,
        exception_handlers={Exception: error_response(portal)},
        openapi_config=None,
        logging_config=None,
        on_startup=[_enough_threads],
    )
    return observed(pages, portal)


async def _enough_threads() -> None:
    """For the requests of this server. The loop waits for them at its end, so that the database closes after them."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_REQUESTS_AT_ONCE, "request"))


def _single_sign_on(settings: Settings, clock: Clock) -> OpenIdProvider | None:
    told = settings.oidc
    if told is None:
        return None
    from comptoir.upstream.openid import OpenIdProvider  # costs a tenth of the start, and few use it

    redirect_uri = f"{settings.portal_url}/sign-in/single/callback"
    return OpenIdProvider(told.issuer, told.client_id, told.client_secret, redirect_uri, clock)


def _jobs_url(settings: Settings) -> str:
    if settings.is_on_sqlite:
        return f"sqlite:///{settings.data_dir / 'jobs.db'}"
    return settings.database_url.replace("postgresql+psycopg://", "postgresql://")


def _shown(jobs_url: str) -> str:
    return jobs_url.removeprefix("sqlite:///") if jobs_url.startswith("sqlite") else "in the database"

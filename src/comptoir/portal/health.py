"""For machines that watch this one: whether it lives, whether it can serve, and what it does. Nothing of any tenant."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, TypeAlias

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from sqlalchemy.exc import SQLAlchemyError

from comptoir.errors import TryLater
from comptoir.portal.pages import HEADERS
from comptoir.portal.services import PortalServices
from comptoir.portal.visits import ANYONE
from comptoir.runtime.metrics import CONTENT_TYPE, Figure
from comptoir.store import figures, tenants
from comptoir.store.room import room

__all__ = ["ROUTES", "Health", "may_see", "router"]

_OPEN = {"permission": ANYONE}
_REFUSED = (
    "Send the token of COMPTOIR_METRICS_TOKEN as `Authorization: Bearer ...`. Without that setting metrics are told on "
    "this machine only, and never through a proxy."
)
_DATABASE_SECONDS = 2.0
_COUNTED_EVERY_SECONDS = 60.0
_AT_ONCE = 4


class _Question:
    """One look at the database, in a thread that nobody has to wait for."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._is_over = threading.Event()
        self._is_good = False
        threading.Thread(target=self._run, name="health", daemon=True).start()

    def _run(self) -> None:
        try:
            self._ask()
            self._is_good = True
        except (TryLater, SQLAlchemyError):
            self._is_good = False
        finally:
            self._is_over.set()

    def is_over(self) -> bool:
        return self._is_over.is_set()

    def is_good_within(self, seconds: float) -> bool:
        return self._is_over.wait(seconds) and self._is_good


class Health:
    """Looks after one installation. Asks the database one question at a time, and never waits for it long: whoever
    asks whether all is well must be told so when it is not."""

    def __init__(self, services: PortalServices) -> None:
        self.services = services
        self.limiter = CapacityLimiter(_AT_ONCE)  # other pages may have used up all the threads there are
        self._asked: _Question | None = None
        self._lock = threading.Lock()
        self._records: tuple[float, dict[tuple[str, ...], float]] | None = None

    def reasons(self) -> list[str]:
        """Why no request should be sent here just now; empty while all is well."""
        services = self.services
        found = []
        if not self._database_answers():
            found.append("The database does not answer.")
        space = room(services.data_dir)
        if space is None:
            found.append("The data folder is not there.")
        elif not space.is_enough or services.db.is_full:
            found.append("The disk is full.")
        return [*found, *services.work_lacks()]

    def _database_answers(self) -> bool:
        with self._lock:
            if self._asked is None or self._asked.is_over():
                self._asked = _Question(self._ask_database)
            asked = self._asked
        return asked.is_good_within(_DATABASE_SECONDS)

    def _ask_database(self) -> None:
        with self.services.db.read() as tx:
            tenants.by_name(tx, "")  # a table of ours, not only a connection
        if self.services.db.is_full:
            with suppress(TryLater):  # there is still none: that is told, and not that it does not answer
                figures.probe(self.services.db)

    def metrics(self) -> bytes:
        return self.services.metrics.text(list(self.figures()))

    def figures(self) -> Iterator[Figure]:
        """What is looked up for `/metrics`; without what the database knows while it does not answer."""
        services = self.services
        lowest: dict[tuple[str, ...], float] = {
            (slug, window): float(left) for slug, window, left in services.budgets_left()
        }
        yield Figure(
            name="comptoir_upstream_budget_left",
            text="Calls that the limits still allow whoever has least left, by window.",
            labels=("integration", "window"),
            values=lowest,
        )
        if (space := room(services.data_dir)) is not None:
            yield Figure(name="comptoir_disk_free_bytes", text="Room for the data.", values={(): float(space.free)})
        is_up = self._database_answers()
        yield Figure(name="comptoir_database_up", text="1 while the database answers.", values={(): float(is_up)})
        if is_up:
            try:
                yield from self._counted()
            except (TryLater, SQLAlchemyError):
                return

    def _counted(self) -> Iterator[Figure]:
        services = self.services
        with services.db.read() as tx:
            queue = figures.queue(tx, services.clock.now())
            linked = figures.connections(tx)
        states = {("due",): queue.due, ("later",): queue.later, ("running",): queue.running}
        yield Figure(
            name="comptoir_queue_depth",
            text="Reads of a data type that have not ended: due, put off until their next try, under way.",
            labels=("state",),
            values={key: float(count) for key, count in states.items()},
        )
        yield Figure(
            name="comptoir_oldest_due_sync_age_seconds",
            text="How long the read that is due for longest has been waiting; 0 when none is due.",
            values={(): queue.oldest_due / timedelta(seconds=1)},
        )
        yield Figure(
            name="comptoir_connections",
            text="Connections, by status.",
            labels=("status",),
            values={(status,): float(count) for status, count in linked.items()},
        )
        yield Figure(
            name="comptoir_records_stored",
            text="Records held, by data type; counted once a minute.",
            labels=("data_type",),
            values=self._counted_records(),
        )

    def _counted_records(self) -> dict[tuple[str, ...], float]:
        now = self.services.clock.monotonic()
        held = self._records
        if held is None or now - held[0] >= _COUNTED_EVERY_SECONDS:
            with self.services.db.read() as tx:
                counted = figures.records(tx)
            held = self._records = (now, {(name,): float(count) for name, count in counted.items()})
        return held[1]


Looked: TypeAlias = NamedDependency[SkipValidation[Health]]


@get("/health/live", opt=_OPEN)
async def live() -> Response[Any]:
    """200 while this process answers at all: whoever gets no answer should start it anew."""
    return Response({"status": "ok"}, headers=dict(HEADERS))


@get(["/health", "/health/ready"], opt=_OPEN)
async def ready(health: Looked) -> Response[Any]:
    """200 while requests can be answered and work is done; 503 with the reasons while not."""
    reasons = await run_sync(health.reasons, limiter=health.limiter)
    content = {"status": "unavailable" if reasons else "ok", "ready": not reasons, "reasons": reasons}
    return Response(content, status_code=503 if reasons else 200, headers=dict(HEADERS))


@get("/metrics", opt=_OPEN)
async def metrics(request: Request[Any, Any, Any], health: Looked) -> Response[Any]:
    """What this process does and uses, in the text form of Prometheus."""
    if not may_see(request, health.services.metrics_token):
        return Response({"status": "refused", "reasons": [_REFUSED]}, status_code=403, headers=dict(HEADERS))
    written = await run_sync(health.metrics, limiter=health.limiter)
    return Response(written, media_type=CONTENT_TYPE, headers=dict(HEADERS))


ROUTES = (live, ready, metrics)


def router(services: PortalServices) -> Router:
    """Without the guard of the other pages: it looks up who asks in what may be the very thing that does not answer."""
    health = Health(services)
    dependencies = {"health": Provide(lambda: health, sync_to_thread=False)}
    return Router(path="/", route_handlers=ROUTES, dependencies=dependencies, include_in_schema=False)


def may_see(request: Request[Any, Any, Any], token: str | None) -> bool:
    """Whether metrics are told to who asks: with the token where one is set, else on this machine."""
    if token is not None:
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())
    if any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via")):
        return False  # asked through a proxy, which is on this machine whoever asks it
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False

"""One durable workflow: work on a connection, in named steps, one connection at a time in all processes together.

Finished steps never run again; a step that was cut off by a kill runs again from its start, so whatever it writes has
a key. DBOS is imported when work is launched, not before: commands that need none of it start at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection, event

from comptoir.errors import TryLater
from comptoir.jobs.fence import Outdated, Stopped, fence
from comptoir.jobs.tenure import Tenure, Turn
from comptoir.runtime.correlation import correlated
from comptoir.store.database import LINE

if TYPE_CHECKING:
    from dbos import DBOSClient

__all__ = ["Jobs", "Shift", "Step", "Work"]

_log = logging.getLogger(__name__)

# Names that stored workflows are found by: they are kept for good.
_APPLICATION = "comptoir"
_VERSION = "comptoir"  # a constant: after an upgrade old work must be picked up
_QUEUE = "syncs"
_WORKFLOW = "sync"
_LIVE = ["PENDING", "ENQUEUED", "DELAYED"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_MOST_PURGED_AT_ONCE = 1000
_MOST_RECOVERIES = 1000
_SESSIONS = 8  # in PostgreSQL, whose number is limited for all processes together
_AGAIN_SECONDS = 5.0
_ALONE = "local"  # the one process that a SQLite database has
_PUT_DOWN_WITHIN_SECONDS = 7.0  # the page under way is read and stored
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON", "secure_delete=ON")


class Step(Protocol):
    """Runs a piece of work under a name: durably, or just so. What it returns must be plain JSON."""

    def __call__(self, name: str, work: Callable[[], Any]) -> Any: ...


class Work(Protocol):
    """What is done for a connection; it takes its steps in the same order whenever it is run again."""

    def __call__(self, tenant: str, connection: str, step: Shift) -> None: ...


class Jobs:
    """Has `work` done for connections, at most `at_once` of them in this process, each in its own turn. One in a
    process.

    `url` is a SQLite file of its own (`sqlite:////path/jobs.db`), or a PostgreSQL database, where `tenure` tells
    whether it is this process that works. While `stopping` is set, steps should end soon by raising `Stopped`. The
    queue is looked at every `polling_seconds`: most of what an idle process does.
    """

    def __init__(
        self,
        url: str,
        work: Work,
        *,
        at_once: int = 8,
        tenure: Tenure | None = None,
        polling_seconds: float = 1.0,
    ) -> None:
        self.stopping = threading.Event()
        self._url, self._work, self._tenure = _on_the_line(url), work, tenure
        self._at_once, self._polling_seconds = at_once, polling_seconds
        self._engine: sa.Engine | None = None
        self._client: DBOSClient | None = None
        self._working: _Working | None = None
        self._starting = threading.Lock()
        self._is_eldest = tenure is None

    @property
    def process(self) -> str | None:
        """What this process is called in the database; None where it has that alone."""
        return None if self._tenure is None else self._tenure.process

    @property
    def is_eldest(self) -> bool:
        """Whether this is the one process that does what must be done by one only."""
        return self._is_eldest

    def launch(self) -> None:
        """Begin to work, first on what was cut off when the last process ended, unless others are there to do it."""
        _quieten()
        from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

        self.stopping.clear()
        if self._url.startswith("sqlite"):
            self._engine = _sqlite_engine(self._url)
        else:
            DBOS.migrate(self._url)
        self._client = DBOSClient(
            system_database_url=None if self._engine else self._url,
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=_APPLICATION,
            lazy=True,
            retry_connection_errors=False,  # whoever asks is told at once that the database is down
        )
        if self._tenure is None:
            self._begin_to_work(_ALONE, None)
        else:
            self._tenure.begin(self._turned)

    def destroy(self, *, wait_seconds: float = 10.0) -> None:
        """Stop: steps under way are asked to end and are waited for; what is not finished goes on at next launch, or
        at once in another process."""
        if self._client is None:
            return
        self.stopping.set()
        if self._tenure is not None:
            self._tenure.stop()
        try:
            self._put_down(wait_seconds)
            if self._tenure is not None:
                self._tenure.give_back()
        except TryLater as error:
            _log.warning("work could not be handed on: it goes on once the lease has run out. %s", error.message)
        self._client.destroy()
        self._client = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _turned(self, turn: Turn) -> None:
        """Follow what a look at the leases told."""
        if self._working is not None and (self._working.executor != turn.executor or not turn.is_working):
            self._put_down(_PUT_DOWN_WITHIN_SECONDS)
        if turn.is_working and self._working is None:
            self._begin_to_work(turn.executor, turn.number)
        self._is_eldest = turn.is_eldest
        if turn.buried or turn.is_eldest:
            self._take_over()

    def _begin_to_work(self, executor: str, number: int | None) -> None:
        self._working = _Working(self, executor, number)
        try:
            self._working.launch(self._url, self._engine, self._at_once, self._polling_seconds)
        except BaseException:
            self._working.destroy(wait_seconds=0)
            self._working = None
            raise

    def _put_down(self, wait_seconds: float) -> None:
        working, self._working = self._working, None
        if working is None:
            return
        working.destroy(wait_seconds=wait_seconds)
        if self._tenure is not None:
            self._hand_on(one.workflow_id for one in self._pending() if one.executor_id == working.executor)

    def _take_over(self) -> None:
        """Have what nobody alive works on done by whoever is."""
        assert self._tenure is not None
        pending = self._pending()  # before the leases: whoever took work up had one already
        alive = self._tenure.executors() if pending else set()
        self._hand_on(one.workflow_id for one in pending if one.executor_id not in alive)

    def _pending(self) -> list[Any]:
        with self._asking() as client:
            return client.list_workflows(
                name=_WORKFLOW, queue_name=_QUEUE, status="PENDING", load_input=False, load_output=False
            )

    def _hand_on(self, ids: Iterable[str]) -> None:
        if left := list(ids):
            with self._asking() as client:  # into its own queue: elsewhere it would not be one at a time
                client.resume_workflows(left, queue_name=_QUEUE)

    def start(self, tenant: str, connection: str) -> str:
        """Have the work done for a connection, now or after what runs for it; returns the workflow's id.

        One that waits already will see all that was committed before this call, so no second one is made. TryLater
        when the database does not answer.
        """
        with self._starting:
            if waiting := self._ids(connection, ["ENQUEUED"]):
                return waiting[0]
            id_ = f"{_prefix(connection)}{uuid4()}"
            with self._asking() as client:
                client.enqueue(
                    {
                        "workflow_name": _WORKFLOW,
                        "queue_name": _QUEUE,
                        "workflow_id": id_,
                        "queue_partition_key": connection,
                        "app_version": _VERSION,
                    },
                    tenant,
                    connection,
                )
        return id_

    def is_busy(self, connection: str) -> bool:
        """Is work for the connection under way or waiting for its turn?"""
        return bool(self._ids(connection, _LIVE))

    def purge(self, before: datetime) -> int:
        """Forget workflows that ended before an instant; how many."""
        gone = 0
        while True:
            with self._asking() as client:
                ended = client.list_workflows(
                    name=_WORKFLOW,
                    status=_ENDED,
                    completed_before=before.isoformat(),
                    limit=_MOST_PURGED_AT_ONCE,
                    load_input=False,
                    load_output=False,
                )
                if not ended:
                    return gone
                client.delete_workflows([one.workflow_id for one in ended])
                gone += len(ended)

    def forget(self, connections: Iterable[str]) -> set[str]:
        """Delete what is known of work for connections that are gone; those that are still worked on are given back."""
        left: set[str] = set()
        for connection in connections:
            with self._asking() as client:
                if waiting := self._ids(connection, ["ENQUEUED", "DELAYED"]):
                    client.cancel_workflows(waiting)
                if ended := self._ids(connection, _ENDED):
                    client.delete_workflows(ended)
            if self._ids(connection, ["PENDING"]):
                left.add(connection)
        if self._engine is not None:
            with self._engine.connect() as database:
                database.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return left

    def _ids(self, connection: str, statuses: list[str]) -> list[str]:
        with self._asking() as client:
            found = client.list_workflows(
                workflow_id_prefix=_prefix(connection), status=statuses, load_input=False, load_output=False
            )
        return [one.workflow_id for one in found]

    @contextmanager
    def _asking(self) -> Iterator[DBOSClient]:
        """The client; TryLater when the database does not answer it."""
        if self._client is None:
            raise RuntimeError("jobs were not launched")
        try:
            yield self._client
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            raise TryLater(
                "The queue of background work does not answer just now. It is tried again in a moment.",
                retry_after_seconds=_AGAIN_SECONDS,
            ) from error


class _Working:
    """DBOS while it runs in this process, under one executor's name."""

    def __init__(self, jobs: Jobs, executor: str, number: int | None) -> None:
        self.executor, self.number = executor, number
        self._jobs, self._work = jobs, jobs._work
        self._ending = threading.Event()
        self._running = 0
        self._changed = threading.Condition()

    def launch(self, url: str, engine: sa.Engine | None, at_once: int, polling_seconds: float) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        config = DBOSConfig(
            name=_APPLICATION,
            system_database_url=url,
            application_version=_VERSION,
            executor_id=self.executor,
            serializer=DBOSPortableJSONSerializer(),  # plain JSON: never pickle
            log_level="WARNING",
            sys_db_pool_size=_SESSIONS,
        )
        if engine is not None:
            config["system_database_engine"] = engine
        if self._jobs.process is not None:  # whoever takes our work over ends our sessions by this name
            config["db_engine_kwargs"] = {"connect_args": {"application_name": self._jobs.process}}
        DBOS(config=config)
        # Known before launch, because launch takes up again what was cut off.
        decorate = DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_MOST_RECOVERIES)

        def run(tenant: str, connection: str) -> None:  # a plain function: DBOS sets attributes on it
            self._run(tenant, connection)

        decorate(run)
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE,
            partition_concurrency=1,
            worker_concurrency=at_once,
            polling_interval_sec=polling_seconds,
            on_conflict="always_update",
        )

    def destroy(self, *, wait_seconds: float) -> None:
        from dbos import DBOS

        self._ending.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=wait_seconds)
        DBOS.destroy(destroy_registry=True)

    def is_ending(self) -> bool:
        return self._ending.is_set() or self._jobs.stopping.is_set()

    def _run(self, tenant: str, connection: str) -> None:
        with self._changed:
            self._running += 1
        from dbos import DBOS

        try:
            with correlated(job=DBOS.workflow_id or ""):
                self._work(tenant, connection, Shift(self))
        except Outdated:
            _log.info("work on connection %s was begun by another version: begun anew", connection)
            with suppress(TryLater):  # or the schedule begins it
                self._jobs.start(tenant, connection)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()


class Shift:
    """The steps of one piece of work, and whether it still is this process's to do."""

    def __init__(self, working: _Working) -> None:
        self._working = working
        self._is_replaced = False

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        from dbos import DBOS, error

        if self.should_stop():
            raise Stopped
        try:
            return DBOS.run_step({"name": name}, work)
        except error.DBOSUnexpectedStepError as other:
            raise Outdated from other

    @property
    def number(self) -> int | None:
        """The number of the lease that the work is done under; None where there is one process only."""
        return self._working.number

    def should_stop(self) -> bool:
        return self._is_replaced or self._working.is_ending()

    def guard(self, tx: Connection) -> None:
        """Asked in each transaction that writes: raises Stopped once another process has taken the work over."""
        if self._working.number is None:
            return
        try:
            fence(self._working.number)(tx)
        except Stopped:
            self._is_replaced = True
            raise


def _prefix(connection: str) -> str:
    return f"{_WORKFLOW}-{connection}-"


def _on_the_line(url: str) -> str:
    """PostgreSQL's address with what is said there of lines that are cut, unless it says so itself."""
    if url.startswith("sqlite"):
        return url
    parsed = sa.make_url(url)
    return parsed.update_query_dict(LINE | dict(parsed.query)).render_as_string(hide_password=False)


def _quieten() -> None:
    """DBOS's own messages go where all messages go, without its console format, and only if something is wrong."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = True
    logger.setLevel(logging.WARNING)
    logger.addFilter(_without_traceback)


def _without_traceback(line: logging.LogRecord) -> bool:
    """What DBOS could not do it raises to us, or tries again: where in its code that was helps nobody."""
    line.exc_info = line.exc_text = None
    return True


def _sqlite_engine(url: str) -> sa.Engine:
    """One connection in all: with two writers SQLite before 3.51.3 may lose commits in WAL mode."""
    with suppress(OSError):  # it is there already; or it cannot be made, which is told when it is opened
        Path(sa.make_url(url).database or "").touch(mode=0o600, exist_ok=False)
    engine = sa.create_engine(
        url, poolclass=sa.pool.QueuePool, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine

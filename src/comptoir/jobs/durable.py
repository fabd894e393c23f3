"""One durable workflow: work on a connection, in named steps, one connection at a time.

Finished steps never run again; a step that was cut off by a kill runs again from its start, so whatever it writes has
a key. DBOS is imported when work is launched, not before: commands that need none of it start at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import event

if TYPE_CHECKING:
    from dbos import Queue

__all__ = ["Jobs", "Step", "Stopped", "Work"]

# Names that stored workflows are found by: they are kept for good.
_APPLICATION = "comptoir"
_VERSION = "comptoir"  # a constant: after an upgrade old work must be picked up
_QUEUE = "syncs"
_WORKFLOW = "sync"
_LIVE = ["PENDING", "ENQUEUED", "DELAYED"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_MOST_PURGED_AT_ONCE = 1000
_MOST_RECOVERIES = 1000


class Stopped(BaseException):
    """Raised inside a step when the process is to end. No Exception: those are recorded as the step's result."""


class Step(Protocol):
    """Runs a piece of work under a name: durably, or just so. What it returns must be plain JSON."""

    def __call__(self, name: str, work: Callable[[], Any]) -> Any: ...


class Work(Protocol):
    """What is done for a connection; it takes its steps in the same order whenever it is run again."""

    def __call__(self, tenant: str, connection: str, step: Step) -> None: ...


class Jobs:
    """Runs `work` for connections, at most `at_once` of them, each in its own turn. One in a process.

    `url` is a SQLite file of its own (`sqlite:////path/jobs.db`) or a PostgreSQL database. While `stopping` is set,
    steps should end soon by raising `Stopped`.
    """

    def __init__(
        self,
        url: str,
        work: Work,
        *,
        at_once: int = 8,
        executor: str = "local",
        polling_seconds: float = 0.5,
    ) -> None:
        self.stopping = threading.Event()
        self._url, self._work, self._executor = url, work, executor
        self._at_once, self._polling_seconds = at_once, polling_seconds
        self._workflow: Callable[[str, str], None] | None = None
        self._queue: Queue | None = None
        self._engine: sa.Engine | None = None
        self._starting = threading.Lock()
        self._running = 0
        self._changed = threading.Condition()

    def launch(self) -> None:
        """Begin to work, first on what was cut off when the last process ended."""
        _quieten()
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        self.stopping.clear()
        config = DBOSConfig(
            name=_APPLICATION,
            system_database_url=self._url,
            application_version=_VERSION,
            executor_id=self._executor,
            serializer=DBOSPortableJSONSerializer(),  # plain JSON: never pickle
            log_level="WARNING",
        )
        if self._url.startswith("sqlite"):
            self._engine = config["system_database_engine"] = _sqlite_engine(self._url)
        DBOS(config=config)
        # Known before launch, because launch takes up again what was cut off.
        decorate = DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_MOST_RECOVERIES)

        def run(tenant: str, connection: str) -> None:  # a plain function: DBOS sets attributes on it
            self._run(tenant, connection)

        self._workflow = decorate(run)
        DBOS.launch()
        self._queue = DBOS.register_queue(
            _QUEUE,
            partition_concurrency=1,
            worker_concurrency=self._at_once,
            polling_interval_sec=self._polling_seconds,
            on_conflict="always_update",
        )

    def destroy(self, *, wait_seconds: float = 10.0) -> None:
        """Stop: steps under way are asked to end and are waited for; what is not finished goes on at next launch."""
        if self._workflow is None:
            return
        from dbos import DBOS

        self.stopping.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=wait_seconds)
        DBOS.destroy(destroy_registry=True)
        self._workflow = self._queue = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def start(self, tenant: str, connection: str) -> str:
        """Have the work done for a connection, now or after what runs for it; returns the workflow's id.

        One that waits already will see all that was committed before this call, so no second one is made.
        """
        from dbos import SetEnqueueOptions, SetWorkflowID

        if self._workflow is None or self._queue is None:
            raise RuntimeError("jobs were not launched")
        with self._starting:
            if waiting := self._ids(connection, ["ENQUEUED"]):
                return waiting[0]
            id_ = f"{_prefix(connection)}{uuid4()}"
            with SetWorkflowID(id_), SetEnqueueOptions(queue_partition_key=connection):
                self._queue.enqueue(self._workflow, tenant, connection)
        return id_

    def is_busy(self, connection: str) -> bool:
        """Is work for the connection under way or waiting for its turn?"""
        return bool(self._ids(connection, _LIVE))

    def purge(self, before: datetime) -> int:
        """Forget workflows that ended before an instant; how many."""
        from dbos import DBOS

        gone = 0
        while True:
            ended = DBOS.list_workflows(
                name=_WORKFLOW,
                status=_ENDED,
                completed_before=before.isoformat(),
                limit=_MOST_PURGED_AT_ONCE,
                load_input=False,
                load_output=False,
            )
            if not ended:
                return gone
            DBOS.delete_workflows([one.workflow_id for one in ended])
            gone += len(ended)

    def _run(self, tenant: str, connection: str) -> None:
        from dbos import DBOS

        def step(name: str, work: Callable[[], Any]) -> Any:
            if self.stopping.is_set():
                raise Stopped
            return DBOS.run_step({"name": name}, work)

        with self._changed:
            self._running += 1
        try:
            self._work(tenant, connection, step)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _ids(self, connection: str, statuses: list[str]) -> list[str]:
        from dbos import DBOS

        found = DBOS.list_workflows(
            workflow_id_prefix=_prefix(connection), status=statuses, load_input=False, load_output=False
        )
        return [one.workflow_id for one in found]


def _prefix(connection: str) -> str:
    return f"{_WORKFLOW}-{connection}-"


def _quieten() -> None:
    """DBOS's own messages go where all messages go, without its console format, and only if something is wrong."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = True
    logger.setLevel(logging.WARNING)


def _sqlite_engine(url: str) -> sa.Engine:
    """One connection in all: with two writers SQLite before 3.51.3 may lose commits in WAL mode."""
    engine = sa.create_engine(
        url, poolclass=sa.pool.QueuePool, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine

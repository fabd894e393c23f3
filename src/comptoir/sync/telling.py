"""What the datasets under way say while a step goes on: until when a limit holds them up, how far mapping has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from comptoir.runtime.clock import Clock
from comptoir.store import Database, DatasetId, TenantId, datasets
from comptoir.store.datasets import Dataset

__all__ = ["Pauses", "Progress"]

_SHORTEST_TOLD_SECONDS = 2.0


class Pauses:
    """Says with the datasets under way until when the upstream's limit holds them up."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        upstream: str,
        chosen: list[Dataset],
        paused_until: Callable[[], datetime | None],
    ) -> None:
        self._db, self._clock, self._name, self._chosen = db, clock, upstream, chosen
        self._paused_until = paused_until
        self._told: datetime | None = None

    def look(self) -> None:
        """Tell what changed; a pause that is all but over is not worth a word."""
        until = self._paused_until()
        if until is not None and (until - self._clock.now()).total_seconds() < _SHORTEST_TOLD_SECONDS:
            return
        if until == self._told or (until and self._told and abs((until - self._told).total_seconds()) < 1):
            return
        told = f"{self._name}'s limit of calls is reached. Reading goes on at {until:%H:%M:%S} UTC." if until else None
        with self._db.write() as tx:
            for dataset in self._chosen:
                datasets.advance(tx, dataset.tenant_id, dataset.id, status_description=told)
        self._told = until


class Progress:
    """Tells a dataset's row how far its mapping is, at most once a second and only if nobody writes just then."""

    def __init__(self, db: Database, tenant: TenantId, ids: Mapping[str, DatasetId], clock: Clock) -> None:
        self._db, self._tenant, self._ids, self._clock = db, tenant, ids, clock
        self._told_at = clock.monotonic()

    def mapped(self, data_type: str, rows: int, rows_in_all: int) -> None:
        now = self._clock.monotonic()
        if now - self._told_at < 1.0:
            return
        self._told_at = now
        share = rows / rows_in_all if rows_in_all else 1.0
        values = {"progress": 50 + int(35 * min(1.0, share)), "records_read": rows}
        self._db.write_if_free(lambda tx: datasets.advance(tx, self._tenant, self._ids[data_type], **values))

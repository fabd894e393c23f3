"""Keeps books fresh: asks for reads when their schedule says so, and starts what waits and nobody runs.

One thread that looks every few seconds. Nothing of its own is kept: what is due is counted from the newest dataset of
each type, so runs missed while the process was down happen once, and after a restart the same is due as before it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from math import ceil

import msgspec

from comptoir.errors import ProductError
from comptoir.integrations.contract import Integration
from comptoir.runtime.clock import Clock
from comptoir.store import ConnectionId, Database, TenantId, connections, datasets, profile
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.datasets import Status
from comptoir.store.profile import DAY_HOURS, SyncSetting
from comptoir.sync.requests import queue_idle

__all__ = ["Scheduler"]

_log = logging.getLogger(__name__)
_TURN_SECONDS = 5.0
_STUCK_SECONDS = 180.0
_LOOK_AGAIN = timedelta(minutes=5)  # how soon changed settings are noticed
_SPREAD_TURNS = 180  # all that is due at once is begun within this many turns, a quarter of an hour
_TOGETHER = 0.9  # a type joins a sync that is due anyway once this share of its interval is over
_RARELY_HOURS = 24  # how often a type that the source does not offer is asked for again
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Due(msgspec.Struct, frozen=True):
    """When a data type is to be read; from `not_before` on it joins a sync that begins anyway."""

    order: int
    at: datetime
    not_before: datetime


class Scheduler:
    """Begins syncs by schedule.

    `begin_sync` has queued datasets worked off; `is_busy` says whether that goes on for a connection already. `tidy` is
    called once an hour. Of several processes one `is_on_duty`, or each would begin a share of what is due.
    `time_scale` shortens the hours of schedules.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        integration_of: Callable[[str], Integration],
        begin_sync: Callable[[TenantId, ConnectionId], None],
        *,
        is_busy: Callable[[ConnectionId], bool] = lambda _: False,
        tidy: Callable[[datetime], None] = lambda _: None,
        is_on_duty: Callable[[], bool] = lambda: True,
        time_scale: float = 1.0,
    ) -> None:
        self._db, self._clock, self._integration_of = db, clock, integration_of
        self._begin_sync, self._is_busy, self._tidy = begin_sync, is_busy, tidy
        self._is_on_duty = is_on_duty
        self._hour = timedelta(hours=1) / time_scale
        self._scale = time_scale
        self._look_at: dict[ConnectionId, datetime] = {}
        self._tidied: datetime | None = None
        self._looked: datetime | None = None
        self._turned_at = clock.monotonic()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def is_well(self) -> bool:
        """Whether turns follow one another: not if one has been stuck for minutes, or the thread is gone."""
        is_alive = self._thread is not None and self._thread.is_alive()
        return is_alive and self._clock.monotonic() - self._turned_at < _STUCK_SECONDS

    def _run(self) -> None:
        while True:
            self._turned_at = self._clock.monotonic()
            try:
                if self._is_on_duty():
                    self.turn()
            except ProductError as error:  # the database is down: looked at again in the next turn
                _log.warning("schedules wait: %s", error.message)
            except Exception:
                _log.exception("a turn of the schedules failed")
            if self._over.wait(_TURN_SECONDS / self._scale):
                return

    def turn(self) -> None:
        """Look once: start what waits, ask for what is due, tidy up."""
        now = self._clock.now()
        if self._looked is None or now < self._looked:
            self._set_right(now)
        self._looked = now
        with self._db.read() as tx:
            waiting = datasets.all_waiting(tx, now)
            linked = connections.all_linked(tx)
        for tenant, connection_id in waiting:
            if not self._is_busy(connection_id):
                self._begin_sync(tenant, connection_id)
        for connection, names in self._due(linked, now):
            self._ask_for(connection, names, now)
        if self._tidied is None or now - self._tidied >= self._hour:
            self._tidied = now
            self._tidy(now)

    def _set_right(self, now: datetime) -> None:
        """What a clock that was ahead has dated would not be due before that time comes."""
        self._look_at.clear()
        self._tidied = None
        with self._db.write() as tx:
            if moved := datasets.set_right(tx, now):
                _log.warning("the clock was put back: %s reads that it had dated ahead of now were dated anew", moved)

    def _due(self, linked: list[Connection], now: datetime) -> Iterator[tuple[Connection, list[str]]]:
        """Connections with what is due over them, longest known to be due first; a share of them where many are."""
        current = {one.id for one in linked}
        self._look_at = {id_: at for id_, at in self._look_at.items() if id_ in current}
        ready = [one for one in linked if self._look_at.get(one.id, now) <= now]
        ready.sort(key=lambda one: (self._look_at.get(one.id, now), one.last_sync or one.created, one.id))
        share = ceil(len(linked) / _SPREAD_TURNS)
        for connection in ready:
            if not share:
                return
            names, next_look = self._due_types(connection, now)
            self._look_at[connection.id] = min(next_look, now + _LOOK_AGAIN / self._scale)
            if names:
                share -= 1
                yield connection, names

    def _due_types(self, connection: Connection, now: datetime) -> tuple[list[str], datetime]:
        """The data types to read now in the order to read them, and when to look again."""
        with self._db.read() as tx:
            settings = profile.sync_settings(tx, connection.tenant_id, connection.company_id)
            newest = datasets.newest_of(tx, connection.tenant_id, connection.id)
        offered = {one.name for one in self._integration_of(connection.integration_key).data_types}
        due_at: dict[str, _Due] = {}
        for setting in settings:
            is_wanted = setting.data_type in offered and connection.allows(setting.data_type)
            if not is_wanted or not setting.sync_schedule:
                continue
            last = newest.get(setting.data_type)
            if last is not None and not last.status.is_ended:
                continue
            linked = connection.linked_at or connection.created
            begun = last.requested if last is not None else linked if linked <= now else _EPOCH
            is_rare = last is not None and last.status is Status.NOT_SUPPORTED
            due_at[setting.data_type] = self._next(setting, begun, is_rare=is_rare)
        next_look = min((one.at for one in due_at.values()), default=now + _LOOK_AGAIN)
        if next_look > now:
            return [], next_look
        together = {name: one.order for name, one in due_at.items() if one.not_before <= now}
        return sorted(together, key=lambda name: together[name]), now + _LOOK_AGAIN

    def _next(self, setting: SyncSetting, begun: datetime, *, is_rare: bool) -> _Due:
        """When a data type last begun at `begun` is read again."""
        hours = max(setting.sync_schedule, _RARELY_HOURS) if is_rare else setting.sync_schedule
        interval = hours * self._hour
        if setting.time_of_day is None:
            at = begun + interval
            return _Due(setting.sync_order, at, at - interval * (1 - _TOGETHER))
        at = self._at_time_of_day(setting.time_of_day, begun + interval - DAY_HOURS * self._hour)
        return _Due(setting.sync_order, at, at)

    def _at_time_of_day(self, text: str, after: datetime) -> datetime:
        """The first instant after `after` at which the clock shows this time; days are shortened like hours."""
        hours, minutes = text.split(":")
        day = DAY_HOURS * self._hour
        into_day = (int(hours) + int(minutes) / 60) * self._hour
        days = (after - _EPOCH - into_day) // day
        return _EPOCH + into_day + (days + 1) * day

    def _ask_for(self, connection: Connection, names: list[str], now: datetime) -> None:
        with self._db.write() as tx:
            current = connections.find(tx, connection.id)
            if current is None or current.status is not ConnectionStatus.LINKED:
                return
            queued = queue_idle(tx, connection.tenant_id, connection.company_id, connection.id, names, now)
        if queued:
            self._begin_sync(connection.tenant_id, connection.id)

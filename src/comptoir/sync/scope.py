"""What is to be read of a resource now: in which ranges, which of them stand as they were, and since when changes are
asked for.

A range that is over is not read again while what tells of it stays as it was. Nothing is left unread for ever: each is
read whole now and then, whatever is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from functools import cache

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import ReadWindow, Resource
from comptoir.store import ConnectionId, TenantId, cursors, raw
from comptoir.sync import keeping_up
from comptoir.sync.walk import Params

__all__ = ["Scope"]


class Scope:
    """Of one connection on one day. `around` are all resources; `months` is how long reports are kept for."""

    def __init__(
        self,
        tenant: TenantId,
        connection: ConnectionId,
        around: Sequence[Resource],
        *,
        page_size: int,
        today: date,
        months: int,
    ) -> None:
        self._tenant, self._connection = tenant, connection
        self._around = {resource.name: resource for resource in around}
        self._page_size, self._today, self._months = page_size, today, months

    def windows(self, tx: Transaction, resource: Resource) -> dict[str, Params]:
        """How each list or report is asked for, by name: one without a name, or one for each range or parent."""
        params = resource.params
        if resource.today_param:
            params = (*params, (resource.today_param, self._today.isoformat()))
        if resource.windows is not None:
            return {name: (*params, *window.params) for name, window in self.ranges(tx, resource).items()}
        if resource.per is None:
            return {"": params}
        parents = raw.whole(tx, self._tenant, self._connection, resource.per)
        name = resource.per_param or resource.per
        return {row.id: (*params, (name, _own_url(row.body))) for row in parents}

    def ranges(self, tx: Transaction, resource: Resource) -> dict[str, ReadWindow]:
        if resource.windows is None:
            return {}
        rows = {name: raw.whole(tx, self._tenant, self._connection, name) for name in resource.windows_of}
        return {one.name: one for one in resource.windows(rows, self._today, self._months)}

    def since(self, tx: Transaction, resource: Resource, names: Set[str], now: datetime) -> dict[str, datetime | None]:
        """From when on changes are asked for, None for a window that is read whole."""
        known = cursors.of(tx, self._tenant, self._connection, resource.name)
        held = raw.standing(tx, self._tenant, self._connection, resource.name)
        return {
            name: keeping_up.since(
                known.get(name),
                held.get(name, raw.Standing()),
                page_size=self._page_size,
                now=now,
                salt=f"{self._connection}/{resource.name}",
            )
            for name in names
        }

    def bases(self, tx: Transaction, resource: Resource) -> dict[str, bytes]:
        """By window, what tells whether it has changed, digested; without those of which nothing is told."""
        if resource.closed_until_moved is None:
            return {}
        told_by = {name: window.told_by or name for name, window in self.ranges(tx, resource).items()}
        rows = raw.by_ids(
            tx, self._tenant, self._connection, resource.closed_until_moved, dict.fromkeys(told_by.values())
        )
        return {name: hashlib.sha256(rows[other].body).digest() for name, other in told_by.items() if other in rows}

    def unmoved(
        self,
        tx: Transaction,
        resource: Resource,
        bases: Mapping[str, bytes],
        now: datetime,
        *,
        read: Set[str],
        absent: Set[str],
    ) -> set[str]:
        """Windows that are over and need not be read again. `read` are the resources of which all was read just now,
        `absent` those that the upstream does not have."""
        if resource.closed_until_moved not in read:
            return set()
        known = cursors.of(tx, self._tenant, self._connection, resource.name)
        are_told = read | absent >= set(resource.moved_by)

        @cache  # windows that were read together are touched by the same records
        def first_touched(whole_at: datetime, seen: datetime | None) -> str | None:
            return self._first_touched(tx, resource, whole_at, seen)

        return {
            name
            for name, window in self.ranges(tx, resource).items()
            if window.is_closed
            and (cursor := known.get(name)) is not None
            and cursor.basis is not None
            and cursor.basis == bases.get(name)
            and (are_told or window.told_by in (None, name))
            and not keeping_up.is_due(cursor, now, f"{self._connection}/{resource.name}/{name}")
            and ((touched := first_touched(cursor.whole_at, cursor.seen)) is None or touched > window.last)
        }

    def _first_touched(
        self, tx: Transaction, resource: Resource, whole_at: datetime, seen: datetime | None
    ) -> str | None:
        """The earliest day of a record that came, changed or went since windows were read, or that it was of before;
        empty where it may be any, None where there is none."""
        owner, since = (self._tenant, self._connection), (whole_at, seen)
        for name in resource.worded_by:
            if any(was_held for was_held, _ in raw.changed_since(tx, *owner, name, *since)):
                return ""
        days: list[str] = []
        for name in resource.moved_by:
            day = self._around[name].day
            assert day is not None
            days += (day(body) or "" for _, body in raw.changed_since(tx, *owner, name, *since))
            days += (day(body) or "" for body in raw.versions_until(tx, *owner, name, whole_at))
        return min(days, default=None)


class _Named(msgspec.Struct):
    url: str


_named = msgspec.json.Decoder(_Named)


def _own_url(body: bytes) -> str:
    return _named.decode(body).url

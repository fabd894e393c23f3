"""How a pass over a resource begins, anew or where it was cut off, and where its cursors stand once it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Kind, Resource
from comptoir.runtime.clock import Clock
from comptoir.store import ConnectionId, Database, SyncId, TenantId, cursors, pages, raw
from comptoir.sync import keeping_up
from comptoir.sync.outcomes import NOT_SUPPORTED, SOME, Outcome
from comptoir.sync.scope import Scope
from comptoir.sync.walk import Walk

__all__ = ["BEGUN", "Passes"]

BEGUN = 0  # the page number that keeps when the reading of a window began, and since when changes were asked for


class Passes:
    """Of one run over one connection."""

    def __init__(
        self,
        db: Database,
        tenant: TenantId,
        connection: ConnectionId,
        sync: SyncId,
        scope: Scope,
        clock: Clock,
        *,
        page_size: int,
    ) -> None:
        self._db, self._tenant, self._connection, self._sync = db, tenant, connection, sync
        self._scope, self._clock, self._page_size = scope, clock, page_size
        self._bases: dict[str, Mapping[str, bytes]] = {}  # what tells whether a window that is over has changed

    def begin(
        self,
        resource: Resource,
        number: int,
        ended: Mapping[str, Outcome],
        *,
        attempt: int = 1,
        whole: frozenset[str] | None = None,
    ) -> Walk:
        """A pass with what of it was committed before the process ended. `ended` are the resources that were read, or
        could not be; `whole` names windows that are to be read whole, and then only those are read.

        Raises what `UNREADABLE` names where what is to be read depends on records that cannot be understood.
        """
        now = self._clock.now()
        with self._db.read() as tx:
            kept = pages.done(tx, self._tenant, self._sync, resource.name, number)
            windows = self._scope.windows(tx, resource)
            ranges = self._scope.ranges(tx, resource)
            since: dict[str, datetime | None] = {}
            if whole is None and resource.kind is Kind.LIST and resource.tells_changes:
                since = _asked_since(kept)  # what a pass that was cut off asked for, it goes on asking for
                since |= self._scope.since(tx, resource, windows.keys() - since.keys(), now)
            known = cursors.of(tx, self._tenant, self._connection, resource.name)
            bases = self._bases[resource.name] = self._scope.bases(tx, resource)
            still = windows.keys() - whole if whole is not None else self._unmoved(tx, resource, bases, now, ended)
        asked = {name: params for name, params in windows.items() if name not in still}
        walk = Walk(resource, number, asked, attempt=attempt, since=since)
        walk.names = frozenset(windows)
        walk.outcome.changed = SOME if kept else 0
        for name, window in walk.windows.items():
            window.is_closed = name in ranges and ranges[name].is_closed
            if keeping_up.is_deaf(known.get(name), now):
                window.tells_changes, window.changes_are_read = False, True
        self._recall(walk, kept)
        return walk

    def ended(self, tx: Transaction, resource: Resource, outcome: Outcome) -> Walk:
        """The walk of a resource that had ended before the process did: what it met tells what need not be read
        again."""
        number = pages.latest_pass(tx, self._tenant, self._sync, resource.name)
        kept = pages.done(tx, self._tenant, self._sync, resource.name, number)
        names = {name for name, _ in kept}
        walk = Walk(resource, number, dict.fromkeys(names, ()), since=_asked_since(kept))
        self._recall(walk, kept)
        walk.outcome = outcome
        return walk

    def _unmoved(
        self,
        tx: Transaction,
        resource: Resource,
        bases: Mapping[str, bytes],
        now: datetime,
        ended: Mapping[str, Outcome],
    ) -> Set[str]:
        read = {name for name, outcome in ended.items() if outcome.is_complete}
        absent = {name for name, outcome in ended.items() if outcome.kind == NOT_SUPPORTED}
        return self._scope.unmoved(tx, resource, bases, now, read=read, absent=absent)

    def _recall(self, walk: Walk, kept: Mapping[tuple[str, int], pages.Done]) -> None:
        """Have a walk know the pages that were committed before the process ended."""
        for (name, number), page in sorted(kept.items()):
            if name not in walk.windows:
                continue
            if number == BEGUN:
                walk.windows[name].begun_at = datetime.fromisoformat(page.ids[0])
                continue
            has_next = page.total is None  # it did not say: look
            walk.page_came(name, number, total=page.total, has_next=has_next, ids=page.ids, page_size=self._page_size)

    def move_cursors(self, walk: Walk, names: Set[str]) -> None:
        """Changes to these windows are told from here on. A pass that did not come to rest moves no cursor, and what
        it should have read whole is read whole at the next sync."""
        resource = walk.resource
        if not (resource.kind is Kind.LIST and resource.tells_changes) and resource.closed_until_moved is None:
            return
        bases, now = self._bases.get(resource.name, {}), self._clock.now()
        are_all_read = not any(window.unread for window in walk.windows.values())
        with self._db.write() as tx:
            if not walk.is_settled:
                cursors.forget(tx, self._tenant, self._connection, resource.name, walk.whole)
                return
            before = cursors.of(tx, self._tenant, self._connection, resource.name)
            held = raw.standing(tx, self._tenant, self._connection, resource.name)
            for name in names:
                window = walk.windows[name]
                cursor = keeping_up.moved(before.get(name), name, window, held.get(name, raw.Standing()), now)
                if resource.closed_until_moved is not None:
                    # What its source dates later may stand otherwise in this window. Where some could not be read,
                    # what is gone was not told from what is there, in no window: all are read again.
                    basis = bases.get(name) if are_all_read else None
                    cursor = msgspec.structs.replace(cursor, seen=window.begun_at, basis=basis)
                cursors.move(tx, self._tenant, self._connection, resource.name, cursor)


def _asked_since(kept: Mapping[tuple[str, int], pages.Done]) -> dict[str, datetime | None]:
    """Since when a pass that was cut off had asked for changes, by window; None where it read all."""
    return {
        name: datetime.fromisoformat(page.ids[1]) if page.ids[1] else None
        for (name, number), page in kept.items()
        if number == BEGUN
    }

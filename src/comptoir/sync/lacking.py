"""What a pass did not meet of the records that are held: missing from the lists, which is not yet gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set

from comptoir.integrations.contract import Kind, Resource
from comptoir.store import ConnectionId, Database, TenantId, raw
from comptoir.sync import sweep
from comptoir.sync.walk import Walk

__all__ = ["Lacking"]


class Lacking:
    """Of one connection."""

    def __init__(self, db: Database, tenant: TenantId, connection: ConnectionId) -> None:
        self._db, self._tenant, self._connection = db, tenant, connection

    def missing(self, walk: Walk) -> tuple[int, set[str]]:
        """How many records are held as live, and which of them the pass did not meet where it read all."""
        with self._db.read() as tx:
            held = raw.standing(tx, self._tenant, self._connection, walk.resource.name)
            live = sum(one.live for one in held.values())
            others = walk.names - walk.whole.keys()
            whole = {name: one for name, one in held.items() if name not in others}
            in_whole = sum(one.live for one in whole.values())
            if not others and in_whole == len(walk.seen) - walk.outcome.set_aside:
                return live, set()  # all that was met is held, so nothing else is
            if not in_whole:
                return live, set()
            held_ids = raw.live_ids(tx, self._tenant, self._connection, walk.resource.name, whole)
            return live, {id_ for id_ in held_ids if id_ not in walk.seen}

    def found(self, walk: Walk, again: Set[str]) -> frozenset[str]:
        """What a pass found missing in windows that the next one does not read again; not where a second pass would
        have to agree: the next sync will tell."""
        lacked = {id_ for name, window in walk.partial.items() if name not in again for id_ in window.missing or ()}
        if not any(window.unread for window in walk.whole.values()):
            lacked |= self.missing(walk)[1]
        doubtful = self.suspicious(walk.resource, lacked)
        with self._db.read() as tx:
            windows = raw.windows_of(tx, self._tenant, self._connection, walk.resource.name, lacked)
        return frozenset(id_ for id_, name in windows.items() if name not in doubtful)

    def suspicious(self, resource: Resource, missing: Set[str]) -> frozenset[str]:
        """Windows that lost more than a fifth, or all they had: each is a list of its own that may come back empty. A
        report that is missing is one that nobody asks for any more."""
        if not missing or resource.kind is Kind.REPORT:
            return frozenset()
        owner = (self._tenant, self._connection, resource.name)
        with self._db.read() as tx:
            held = raw.standing(tx, *owner)
            lost = Counter(raw.windows_of(tx, *owner, missing).values())
        return frozenset(name for name, number in lost.items() if sweep.is_suspicious(held[name].live, number))

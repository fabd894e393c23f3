"""Records that others tell of: a payment settles an invoice, whose own date need not move with it.

When one that tells of others comes, changes or goes, those are noted in the same transaction, and asked for by
themselves at the end of the read, unless the read met them after the change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Link, RawRecord, Resource
from comptoir.store import ConnectionId, Database, SyncId, TenantId, raw, rereads
from comptoir.store.rereads import Reread
from comptoir.sync.walk import Walk

__all__ = ["PASS_TO_REREAD", "Retold"]

PASS_TO_REREAD = 100  # the number of the pass that reads a list whole because many of its records are to be read again
_MOST_ROUNDS = 4  # a payment leads to its invoice, and that to its customer


class Retold:
    """Of one run over one connection. `walks` are the walks of the run, as they go on; nothing of it is read before
    `floor`, None while that is not known."""

    def __init__(self, tenant: TenantId, connection: ConnectionId, sync: SyncId, walks: Mapping[str, Walk]) -> None:
        self._tenant, self._connection, self._sync, self._walks = tenant, connection, sync, walks
        self.floor: datetime | None = None
        self.round = 0
        self._not_read: set[Reread] = set()

    def by(
        self, resource: Resource, record: RawRecord, former: Sequence[Link], reread: Reread | None
    ) -> Iterator[Reread]:
        """What a record tells of that is new or changed: not before it was dated, or was noted itself. `former` is what
        it named before."""
        at, updated_at = reread.at if reread is not None else None, record.updated_at
        dates = [date for date in (updated_at, at) if date is not None]
        is_dated = updated_at is not None and (reread is None or at is not None)
        links = _touched(resource, (*record.links, *former))
        return self._after_read(links, max(dates) if is_dated else None)

    def note_gone(self, tx: Transaction, resource: Resource, ids: Collection[str]) -> None:
        """Nobody can say since when these are gone."""
        if resource.touches:
            named = raw.links_of(tx, self._tenant, self._connection, resource.name, ids).values()
            links = _touched(resource, (link for links in named for link in links))
            rereads.note(tx, self._tenant, self._connection, self._after_read(links, None))

    def waiting(self, db: Database) -> dict[str, list[Reread]]:
        """What is to be asked for now, by resource, and nothing after some rounds; what was read meanwhile waits no
        longer."""
        if self.round == _MOST_ROUNDS:
            return {}
        self.round += 1
        with db.read() as tx:
            noted = rereads.waiting(tx, self._tenant, self._connection)
        found: dict[str, list[Reread]] = {}
        read: list[Reread] = []
        for one in noted:
            if self._is_read_since(one):
                read.append(one)
            elif one not in self._not_read:
                found.setdefault(one.resource, []).append(one)
        if read:
            with db.write() as tx:
                for one in read:
                    rereads.done(tx, self._tenant, self._connection, one.resource, [one.id])
        return found

    def could_not_read(self, one: Reread) -> None:
        """It goes on waiting, for the next sync."""
        self._not_read.add(one)

    def have_read(self, tx: Transaction, walk: Walk) -> None:
        """What waited to be read again when this walk began, and was met by it, waits no longer."""
        name = walk.resource.name
        met = [
            one.id
            for one in rereads.waiting(tx, self._tenant, self._connection)
            if one.resource == name
            and one.id in walk.seen
            and (one.sync_id != self._sync or walk.pass_number >= PASS_TO_REREAD)
        ]
        rereads.done(tx, self._tenant, self._connection, name, met)

    def _after_read(self, links: Iterable[Link], at: datetime | None) -> Iterator[Reread]:
        """Records that a change tells of, but those that this run read after it."""
        for link in links:
            one = Reread(link.resource, link.id, at, self._sync)
            if not self._is_read_since(one):
                yield one

    def _is_read_since(self, one: Reread) -> bool:
        walk = self._walks.get(one.resource)
        if walk is None or not walk.outcome.is_complete or one.at is None or self.floor is None:
            return False
        if not walk.has_begun_after(one.at, self.floor):
            return False
        return one.id in walk.seen or walk.is_of_all


def _touched(resource: Resource, named: Iterable[Link]) -> set[Link]:
    return {link for link in named if link.name in resource.touches}

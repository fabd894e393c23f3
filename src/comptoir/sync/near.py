"""What a batch of raw rows names and what names it, looked up once however many data types ask."""

from __future__ import annotations

from collections.abc import Iterable, Set

from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Direction, Hop
from comptoir.store import ConnectionId, TenantId, raw
from comptoir.store.raw import Held

__all__ = ["Kept", "Naming", "Near", "Rows"]

Rows = dict[str, dict[str, Held]]
Naming = dict[tuple[str, str], dict[str, tuple[Held, ...]]]

_MOST_KEPT = 2000  # rows of one resource that are kept in memory from batch to batch


class Kept:
    """Rows of other resources that batches named, such as contacts: kept from batch to batch of one mapping, while
    nobody changes them, because the next batch names many of them again."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Held | None]] = {}

    def of(self, resource: str) -> dict[str, Held | None]:
        known = self._rows.setdefault(resource, {})
        if len(known) > _MOST_KEPT:
            known.clear()
        return known


class Near:
    """The surroundings of one batch, in one view of the database. A row is read once, however it is come by."""

    def __init__(
        self,
        tx: Transaction,
        tenant: TenantId,
        connection: ConnectionId,
        resource: str,
        batch: Iterable[Held],
        kept: Kept,
    ) -> None:
        self._tx, self._tenant, self._connection = tx, tenant, connection
        self._resource = resource
        self._batch = {row.id: row for row in batch}
        self._followed: dict[tuple[Hop, ...], tuple[Rows, Naming]] = {}
        self._rows: dict[str, dict[str, Held | None]] = {resource: dict(self._batch)}
        self._kept = kept
        self._naming: Naming = {}
        # By resource and link, what rows name, by their ids; and the rows whose links stand there.
        self._targets: dict[str, dict[str, dict[str, list[str]]]] = {}
        self._unfolded: dict[str, set[str]] = {}

    def follow(self, hops: tuple[Hop, ...]) -> tuple[Rows, Naming]:
        """The rows that these hops reach from the batch, hop by hop."""
        if hops not in self._followed:
            self._followed[hops] = self._follow(hops)
        return self._followed[hops]

    def _follow(self, hops: tuple[Hop, ...]) -> tuple[Rows, Naming]:
        rows: Rows = {self._resource: self._batch}
        naming: Naming = {}
        for hop in hops:
            start = rows.get(hop.start)
            if not start:
                continue
            if hop.direction is Direction.OUT:
                found = self._by_ids(hop.to, self._named_by(hop.start, hop.link, start))
            else:
                is_beside = hop.direction is Direction.BESIDE
                named = self._named_by(hop.start, hop.link, start) if is_beside else start.keys()
                by_target = self._naming_them(hop.to, hop.link, named)
                if by_target:
                    naming[hop.to, hop.link] = naming.get((hop.to, hop.link), {}) | by_target
                found = {row.id: row for those in by_target.values() for row in those}
            if found:
                rows[hop.to] = rows.get(hop.to, {}) | found
        return rows, naming

    def _by_ids(self, resource: str, ids: Set[str]) -> dict[str, Held]:
        known = self._rows.get(resource)
        if known is None:
            known = self._rows[resource] = self._kept.of(resource)
        if unknown := ids - known.keys():
            found = raw.by_ids(self._tx, self._tenant, self._connection, resource, unknown)
            known.update({id_: found.get(id_) for id_ in unknown})
        return {id_: row for id_ in ids if (row := known[id_]) is not None}

    def _naming_them(self, resource: str, link: str, ids: Set[str]) -> dict[str, tuple[Held, ...]]:
        known = self._naming.setdefault((resource, link), {})
        if unknown := ids - known.keys():
            pairs = raw.naming(self._tx, self._tenant, self._connection, resource, link, unknown)
            rows = self._by_ids(resource, {id_ for _, id_ in pairs})
            found: dict[str, list[Held]] = {id_: [] for id_ in unknown}
            for target, id_ in sorted(pairs):
                if (row := rows.get(id_)) is not None and row.is_live:
                    found[target].append(row)
            known.update({id_: tuple(those) for id_, those in found.items()})
        return {id_: those for id_ in ids if (those := known[id_])}

    def _named_by(self, resource: str, link: str, rows: dict[str, Held]) -> set[str]:
        by_link = self._targets.setdefault(resource, {})
        unfolded = self._unfolded.setdefault(resource, set())
        for id_ in rows.keys() - unfolded:
            for one in rows[id_].named():
                by_link.setdefault(one.name, {}).setdefault(id_, []).append(one.id)
        unfolded.update(rows)
        return {target for id_, targets in by_link.get(link, {}).items() if id_ in rows for target in targets}

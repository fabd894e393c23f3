"""What a batch of raw rows names and what names it, looked up once however many data types ask."""

from __future__ import annotations

from collections.abc import Iterable, Set

from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Direction, Hop, Link, RawRow
from comptoir.store import ConnectionId, TenantId, raw

__all__ = ["Naming", "Near", "Rows"]

Rows = dict[str, dict[str, RawRow]]
Naming = dict[tuple[str, str], dict[str, tuple[RawRow, ...]]]


class Near:
    """The surroundings of one batch, in one view of the database."""

    def __init__(
        self, tx: Transaction, tenant: TenantId, connection: ConnectionId, resource: str, batch: Iterable[RawRow]
    ) -> None:
        self._tx, self._tenant, self._connection = tx, tenant, connection
        self._resource = resource
        self._batch = {row.id: row for row in batch}
        self._followed: dict[tuple[Hop, ...], tuple[Rows, Naming]] = {}
        self._rows: dict[str, dict[str, RawRow | None]] = {resource: dict(self._batch)}
        self._named: dict[tuple[str, str], dict[str, tuple[RawRow, ...]]] = {}
        self._links: dict[str, dict[str, tuple[Link, ...]]] = {}

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
                found = self._by_ids(hop.to, self._named_by(hop.start, hop.link, start.keys()))
            else:
                is_beside = hop.direction is Direction.BESIDE
                named = self._named_by(hop.start, hop.link, start.keys()) if is_beside else start.keys()
                by_target = self._naming(hop.to, hop.link, named)
                naming[hop.to, hop.link] = naming.get((hop.to, hop.link), {}) | by_target
                found = {row.id: row for those in by_target.values() for row in those}
            rows[hop.to] = rows.get(hop.to, {}) | found
        return rows, naming

    def _by_ids(self, resource: str, ids: Set[str]) -> dict[str, RawRow]:
        known = self._rows.setdefault(resource, {})
        if unknown := ids - known.keys():
            found = raw.by_ids(self._tx, self._tenant, self._connection, resource, unknown)
            known.update({id_: found.get(id_) for id_ in unknown})
        return {id_: row for id_ in ids if (row := known[id_]) is not None}

    def _naming(self, resource: str, link: str, ids: Set[str]) -> dict[str, tuple[RawRow, ...]]:
        known = self._named.setdefault((resource, link), {})
        if unknown := ids - known.keys():
            found = raw.naming(self._tx, self._tenant, self._connection, resource, link, unknown)
            known.update({id_: found.get(id_, ()) for id_ in unknown})
        return {id_: rows for id_ in ids if (rows := known[id_])}

    def _named_by(self, resource: str, link: str, ids: Set[str]) -> set[str]:
        known = self._links.setdefault(resource, {})
        if unknown := ids - known.keys():
            found = raw.links_of(self._tx, self._tenant, self._connection, resource, unknown)
            known.update({id_: found.get(id_, ()) for id_ in unknown})
        return {one.id for id_ in ids for one in known[id_] if one.name == link}

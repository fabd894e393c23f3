"""Records as they arrived, with their versions and their links to others. The source of everything that is served."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.integrations.contract import RawRecord, RawRow
from comptoir.store.direct import marked
from comptoir.store.ids import ConnectionId, SyncId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import RAW, RAW_ASIDE, RAW_LINKS, RAW_VERSIONS
from comptoir.store.values import text_of

__all__ = [
    "Arrived",
    "Counts",
    "by_ids",
    "count_live",
    "iterate",
    "links_of",
    "live_ids",
    "mark_deleted",
    "naming",
    "put",
    "set_aside",
    "whole",
]

_BATCH = 500  # ids named in one statement


class Arrived(msgspec.Struct, frozen=True):
    """A record that can be filed: the member it came under, what was read from it, and its bytes."""

    part: str
    record: RawRecord
    body: bytes


class Counts(msgspec.Struct):
    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, other: Counts) -> None:
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged


def _hash(arrived: Arrived) -> bytes:
    return hashlib.blake2b(arrived.body, digest_size=16, key=arrived.part.encode()[:64]).digest()


def put(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    rows: Sequence[Arrived],
    now: datetime,
    *,
    is_first: bool = False,
) -> Counts:
    """Store what is new or changed; the former body of a changed record becomes a version.

    `is_first`: nothing of this resource was held before this run, which saves looking.
    """
    by_id = {arrived.record.id: arrived for arrived in rows}
    hashes = {id_: _hash(arrived) for id_, arrived in by_id.items()}
    held: dict[str, Any] = {}
    columns = sa.select(RAW.c.id, RAW.c.hash, RAW.c.deleted_at)
    for ids in _batches(by_id):
        mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.id.in_(ids))
        held.update({row.id: row for row in tx.execute(columns.where(mine))})
    new = [id_ for id_ in by_id if id_ not in held]
    changed = [id_ for id_, row in held.items() if row.hash != hashes[id_] or row.deleted_at is not None]
    moment = text_of(now)
    if new:
        _insert(tx, tenant, connection, resource, [(by_id[id_], hashes[id_]) for id_ in new], moment)
    if changed:
        _change(tx, tenant, connection, resource, [(by_id[id_], hashes[id_]) for id_ in changed], now)
    return Counts(len(new), len(changed), len(by_id) - len(new) - len(changed))


def _insert(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    rows: Sequence[tuple[Arrived, bytes]],
    moment: str,
) -> None:
    dialect = tx.dialect.name
    sql = (
        "INSERT INTO raw (tenant_id, connection_id, resource, id, part, sort_key, body, hash, updated_at, first_seen, "
        "changed_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
    )
    values = [
        (
            tenant,
            connection,
            resource,
            arrived.record.id,
            arrived.part,
            arrived.record.sort_key,
            arrived.body,
            digest,
            _instant(arrived.record),
            moment,
            moment,
        )
        for arrived, digest in rows
    ]
    tx.exec_driver_sql(marked(sql, dialect), values)
    _insert_links(tx, tenant, connection, resource, [arrived for arrived, _ in rows])


def _insert_links(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, rows: Iterable[Arrived]
) -> None:
    links = [
        (tenant, connection, resource, arrived.record.id, link.name, link.id, link.resource)
        for arrived in rows
        for link in dict.fromkeys(arrived.record.links)
    ]
    if links:
        sql = (
            "INSERT INTO raw_links (tenant_id, connection_id, resource, id, link, target, target_resource) "
            "VALUES (?,?,?,?,?,?,?)"
        )
        tx.exec_driver_sql(marked(sql, tx.dialect.name), links)


def _change(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    rows: Sequence[tuple[Arrived, bytes]],
    now: datetime,
) -> None:
    for arrived, digest in rows:
        id_ = arrived.record.id
        mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.id == id_)
        before = tx.execute(sa.select(RAW.c.body, RAW.c.hash, RAW.c.changed_at).where(mine)).one()
        if before.hash != digest:
            tx.execute(
                sa.insert(RAW_VERSIONS).values(
                    tenant_id=tenant,
                    connection_id=connection,
                    resource=resource,
                    id=id_,
                    body=before.body,
                    from_=before.changed_at,
                    until=now,
                )
            )
        values = {
            "part": arrived.part,
            "sort_key": arrived.record.sort_key,
            "body": arrived.body,
            "hash": digest,
            "updated_at": _instant(arrived.record),
            "changed_at": now,
            "deleted_at": None,
        }
        tx.execute(sa.update(RAW).where(mine).values(values))
        links = only(
            RAW_LINKS,
            tenant,
            RAW_LINKS.c.connection_id == connection,
            RAW_LINKS.c.resource == resource,
            RAW_LINKS.c.id == id_,
        )
        tx.execute(sa.delete(RAW_LINKS).where(links))
    _insert_links(tx, tenant, connection, resource, [arrived for arrived, _ in rows])


def _instant(record: RawRecord) -> str | None:
    return None if record.updated_at is None else text_of(record.updated_at)


def set_aside(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    sync: SyncId,
    resource: str,
    *,
    record_id: str | None,
    data_type: str | None,
    reason: str,
    body: bytes,
    now: datetime,
) -> None:
    """Keep a record that cannot be filed or mapped, with the reason; it is counted and shown."""
    values = {
        "tenant_id": tenant,
        "connection_id": connection,
        "sync_id": sync,
        "resource": resource,
        "record_id": record_id,
        "data_type": data_type,
        "reason": reason,
        "body": body,
        "at": now,
    }
    tx.execute(sa.insert(RAW_ASIDE).values(values))


def iterate(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, *, batch: int = 1000
) -> Iterator[list[RawRow]]:
    """Live rows in the order (sort_key, id), a batch at a time."""
    after: tuple[str, str] | None = None
    base = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.deleted_at.is_(None))
    columns = sa.select(RAW.c.sort_key, RAW.c.id, RAW.c.part, RAW.c.body).order_by(RAW.c.sort_key, RAW.c.id)
    has_keys = tx.execute(sa.select(RAW.c.id).where(base, RAW.c.sort_key != "").limit(1)).first() is not None
    if not has_keys:
        # The primary key gives the order: no sort, however many rows.
        columns = sa.select(RAW.c.sort_key, RAW.c.id, RAW.c.part, RAW.c.body).order_by(RAW.c.id)
    while True:
        condition = base
        if after is not None:
            later = (
                sa.tuple_(RAW.c.sort_key, RAW.c.id) > sa.tuple_(sa.literal(after[0]), sa.literal(after[1]))
                if has_keys
                else RAW.c.id > after[1]
            )
            condition = sa.and_(base, later)
        rows = tx.execute(columns.where(condition).limit(batch)).all()
        if rows:
            yield [RawRow(row.id, row.part, row.body) for row in rows]
            after = (rows[-1].sort_key, rows[-1].id)
        if len(rows) < batch:
            return


def whole(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str) -> tuple[RawRow, ...]:
    return tuple(row for rows in iterate(tx, tenant, connection, resource) for row in rows)


def by_ids(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str]
) -> dict[str, RawRow]:
    """Rows by id, deleted ones too: a record may still name one."""
    found: dict[str, RawRow] = {}
    columns = sa.select(RAW.c.id, RAW.c.part, RAW.c.body)
    for some in _batches(ids):
        mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.id.in_(some))
        found.update({row.id: RawRow(row.id, row.part, row.body) for row in tx.execute(columns.where(mine))})
    return found


def naming(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, link: str, targets: Iterable[str]
) -> dict[str, tuple[RawRow, ...]]:
    """Live rows of `resource` whose `link` names one of the targets, by target, in the order of their ids."""
    found: dict[str, list[RawRow]] = {}
    joined = RAW.join(
        RAW_LINKS,
        sa.and_(
            RAW_LINKS.c.connection_id == RAW.c.connection_id,
            RAW_LINKS.c.resource == RAW.c.resource,
            RAW_LINKS.c.id == RAW.c.id,
        ),
    )
    columns = sa.select(RAW_LINKS.c.target, RAW.c.id, RAW.c.part, RAW.c.body).select_from(joined)
    for some in _batches(targets):
        mine = sa.and_(
            only(RAW, tenant, RAW.c.deleted_at.is_(None)),
            only(
                RAW_LINKS,
                tenant,
                RAW_LINKS.c.connection_id == connection,
                RAW_LINKS.c.resource == resource,
                RAW_LINKS.c.link == link,
                RAW_LINKS.c.target.in_(some),
            ),
        )
        for row in tx.execute(columns.where(mine)):
            found.setdefault(row.target, []).append(RawRow(row.id, row.part, row.body))
    return {target: tuple(sorted(rows, key=lambda row: row.id)) for target, rows in found.items()}


def links_of(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, link: str, ids: Iterable[str]
) -> set[str]:
    """The ids that rows of `resource` name by `link`."""
    found: set[str] = set()
    for some in _batches(ids):
        mine = only(
            RAW_LINKS,
            tenant,
            RAW_LINKS.c.connection_id == connection,
            RAW_LINKS.c.resource == resource,
            RAW_LINKS.c.link == link,
            RAW_LINKS.c.id.in_(some),
        )
        found.update(tx.execute(sa.select(RAW_LINKS.c.target).where(mine)).scalars())
    return found


def count_live(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str) -> int:
    mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.deleted_at.is_(None))
    return tx.execute(sa.select(sa.func.count()).select_from(RAW).where(mine)).scalar_one()


def live_ids(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str) -> set[str]:
    mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.deleted_at.is_(None))
    return set(tx.execute(sa.select(RAW.c.id).where(mine)).scalars())


def mark_deleted(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str], now: datetime
) -> None:
    """Gone upstream: kept, with the date."""
    for some in _batches(ids):
        mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.id.in_(some))
        tx.execute(sa.update(RAW).where(mine).values(deleted_at=now))


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while some := list(islice(remaining, _BATCH)):
        yield some

"""Records as they arrived, with their versions and their links to others. The source of everything that is served."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.errors import NotFound
from comptoir.integrations.contract import Link, RawRecord, RawRow
from comptoir.store import bulk, changes
from comptoir.store.history import Change, Layer, Log
from comptoir.store.ids import ConnectionId, SyncId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import RAW, RAW_ASIDE, RAW_LINKS
from comptoir.store.values import from_text, text_of

__all__ = [
    "Arrived",
    "Counts",
    "Held",
    "Place",
    "Standing",
    "aside",
    "by_ids",
    "changed_since",
    "count_live",
    "id_before",
    "ids_dated_since",
    "in_window",
    "iterate",
    "links_of",
    "live_by_ids",
    "live_ids",
    "mark_deleted",
    "naming",
    "next_batch",
    "next_by_id",
    "put",
    "set_aside",
    "standing",
    "versions_until",
    "whole",
    "windows_of",
]

_NEW = (
    "tenant_id", "connection_id", "resource", "id", "part", "window_name", "sort_key", "hash", "updated_at",
    "first_seen", "changed_at", "links", "body",
)  # fmt: skip
_CHANGED = (
    "part", "window_name", "sort_key", "hash", "updated_at", "changed_at", "deleted_at", "last_seen", "links", "body",
)  # fmt: skip
_DRIFTED = ("window_name", "hash", "body")
_KEY = ("tenant_id", "connection_id", "resource", "id")
_LINK = ("tenant_id", "connection_id", "resource", "link", "target", "id")


class Arrived(msgspec.Struct, frozen=True):
    """A record that can be filed: the member it came under, what was read from it, and its bytes."""

    part: str
    record: RawRecord
    body: bytes


class Held(RawRow, frozen=True):
    """A stored row with what it names, as JSON, None for nothing; a deleted one is still named by others."""

    links: bytes | None
    is_live: bool

    def named(self) -> tuple[Link, ...]:
        return _links.decode(self.links) if self.links else ()


class Counts(msgspec.Struct):
    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, other: Counts) -> None:
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a walk through a resource has come."""

    is_ordered: bool
    sort_key: str
    id: str


class Standing(msgspec.Struct, frozen=True):
    """How many live records of a window are held, and when the newest of them changed."""

    live: int = 0
    newest: datetime | None = None


_links = msgspec.json.Decoder(tuple[Link, ...])


def put(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    rows: Sequence[Arrived],
    now: datetime,
    *,
    window: str = "",
    lasting: Callable[[bytes], object] | None = None,
    log: Log | None = None,
    told: Callable[[RawRecord, Sequence[Link]], None] | None = None,
) -> Counts:
    """Store what is new, changed or back again; the former body of a changed record becomes a version.

    Of records with the same id in `rows` the last one counts. One whose body differs, and not in what `lasting` tells,
    is kept in its newest form and counts as unchanged. What is new or changed is noted in the log, if there is one, and
    `told` hears of each of them with what it named before.
    """
    by_id = {arrived.record.id: arrived for arrived in rows}
    beginnings = {part: f"{window}\n{part}\n".encode() for part in {arrived.part for arrived in by_id.values()}}
    hashes = {id_: _hash(beginnings[arrived.part], arrived.body) for id_, arrived in by_id.items()}
    held = _held(tx, tenant, connection, resource, list(by_id))
    new = [id_ for id_ in by_id if id_ not in held] if held else list(by_id)
    moment = text_of(now)
    values = [_new(tenant, connection, resource, window, by_id[id_], hashes[id_], moment) for id_ in new]
    if bulk.insert(tx, RAW, _NEW, values) != len(new):
        # Another page of this very read brought one of them meanwhile (PostgreSQL writes pages side by side).
        held = _held(tx, tenant, connection, resource, list(by_id))
        if not all(one[3] in held for one in values):
            raise NotFound(f"Data connection {connection} not found")  # the place is taken, and not by this tenant
        values = [one for one in values if held[one[3]] == (one[7], False)]
    bulk.insert(tx, RAW_LINKS, _LINK, _links_of_rows(tenant, connection, resource, [by_id[one[3]] for one in values]))
    changes.keep_new(tx, tenant, connection, resource, (one[3] for one in values))
    differing = [id_ for id_, (digest, is_gone) in held.items() if digest != hashes[id_] or is_gone]
    former = by_ids(tx, tenant, connection, resource, differing) if differing and (lasting or told) else {}
    drifted: set[str] = set()
    if lasting is not None:
        drifted = _drifted(by_id, {id_: row for id_, row in former.items() if not held[id_][1]}, lasting)
        changes.keep(tx, tenant, connection, resource, drifted)  # what is served of it follows all the same
        newest = [(window, hashes[id_], by_id[id_].body, tenant, connection, resource, id_) for id_ in drifted]
        bulk.update(tx, RAW, _DRIFTED, _KEY, newest)
    changed = [id_ for id_ in differing if id_ not in drifted]
    if changed:
        _change(tx, tenant, connection, resource, window, [(by_id[id_], hashes[id_]) for id_ in changed], moment)
    if log is not None:
        log.note(tx, Layer.SOURCE, resource, Change.NEW, [one[3] for one in values])
        log.note(tx, Layer.SOURCE, resource, Change.CHANGED, changed)
    if told is not None:
        for id_ in (*new, *changed):
            told(by_id[id_].record, former[id_].named() if id_ in former else ())
    return Counts(len(new), len(changed), len(by_id) - len(new) - len(changed))


def _hash(beginning: bytes, body: bytes) -> bytes:
    return hashlib.sha256(beginning + body).digest()[:16]


def _drifted(
    arrived: Mapping[str, Arrived], held: Mapping[str, RawRow], lasting: Callable[[bytes], object]
) -> set[str]:
    return {
        id_
        for id_, row in held.items()
        if row.part == arrived[id_].part and lasting(row.body) == lasting(arrived[id_].body)
    }


@cache
def _held_sql(dialect: str) -> str:
    return (
        "SELECT id, hash, deleted_at IS NOT NULL FROM raw WHERE tenant_id = ? AND connection_id = ? AND resource = ? "  # noqa: S608 - our own names
        f"AND {bulk.among('id', dialect)}"
    )


def _held(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: list[str]
) -> dict[str, tuple[bytes, bool]]:
    """Hash, and whether it was deleted, of those that are there."""
    dialect = tx.dialect.name
    found: dict[str, tuple[bytes, bool]] = {}
    for some in bulk.batches(ids):
        rows = bulk.select(tx, _held_sql(dialect), (tenant, connection, resource, bulk.named(some, dialect)))
        found.update({id_: (digest, bool(is_gone)) for id_, digest, is_gone in rows})
    return found


def _new(
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    window: str,
    arrived: Arrived,
    digest: bytes,
    moment: str,
) -> tuple[Any, ...]:
    record = arrived.record
    return (
        tenant, connection, resource, record.id, arrived.part, window, record.sort_key, digest,
        None if record.updated_at is None else text_of(record.updated_at), moment, moment,
        msgspec.json.encode(record.links) if record.links else None, arrived.body,
    )  # fmt: skip


def _links_of_rows(
    tenant: TenantId, connection: ConnectionId, resource: str, rows: Iterable[Arrived]
) -> list[tuple[str, ...]]:
    return [
        (tenant, connection, resource, link.name, link.id, arrived.record.id)
        for arrived in rows
        for link in arrived.record.links
    ]


def _change(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    window: str,
    rows: Sequence[tuple[Arrived, bytes]],
    moment: str,
) -> None:
    dialect = tx.dialect.name
    changes.keep(tx, tenant, connection, resource, (arrived.record.id for arrived, _ in rows))
    for ids in bulk.batches(arrived.record.id for arrived, _ in rows):
        values = (tenant, connection, resource, bulk.named(ids, dialect))
        mine = f"tenant_id = ? AND connection_id = ? AND resource = ? AND {bulk.among('id', dialect)}"
        keep = (
            "INSERT INTO raw_versions (tenant_id, connection_id, resource, id, body, from_, until) "  # noqa: S608 - our own names
            f"SELECT tenant_id, connection_id, resource, id, body, changed_at, coalesce(deleted_at, ?) "
            f"FROM raw WHERE {mine}"
        )
        bulk.run(tx, keep, (moment, *values))
        _drop_links(tx, tenant, connection, resource, ids)
    bulk.update(
        tx,
        RAW,
        _CHANGED,
        _KEY,
        [
            (
                arrived.part, window, arrived.record.sort_key, digest,
                None if arrived.record.updated_at is None else text_of(arrived.record.updated_at), moment, None, None,
                msgspec.json.encode(arrived.record.links) if arrived.record.links else None, arrived.body,
                tenant, connection, resource, arrived.record.id,
            )
            for arrived, digest in rows
        ],
    )  # fmt: skip
    bulk.insert(tx, RAW_LINKS, _LINK, _links_of_rows(tenant, connection, resource, [arrived for arrived, _ in rows]))


def _drop_links(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: list[str]) -> None:
    rows = [
        (tenant, connection, resource, link.name, link.id, id_)
        for id_, links in _named_by(tx, tenant, connection, resource, ids)
        for link in links
    ]
    bulk.delete(tx, RAW_LINKS, _LINK, rows)


def _named_by(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Sequence[str]
) -> Iterator[tuple[str, tuple[Link, ...]]]:
    """The links of those rows that have any."""
    dialect = tx.dialect.name
    sql = (
        "SELECT id, links FROM raw WHERE tenant_id = ? AND connection_id = ? AND resource = ? "  # noqa: S608 - our own names
        f"AND {bulk.among('id', dialect)} AND links IS NOT NULL"
    )
    for id_, links in bulk.select(tx, sql, (tenant, connection, resource, bulk.named(ids, dialect))):
        yield id_, _links.decode(links)


def set_aside(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    sync: SyncId,
    resource: str,
    *,
    reason: str,
    body: bytes,
    now: datetime,
) -> None:
    """Keep a record that cannot be filed, with the reason; it is counted and shown."""
    values = {
        "tenant_id": tenant,
        "connection_id": connection,
        "sync_id": sync,
        "resource": resource,
        "reason": reason,
        "body": body,
        "at": now,
    }
    tx.execute(sa.insert(RAW_ASIDE).values(values))


def aside(tx: Connection, tenant: TenantId, connection: ConnectionId, sync: SyncId) -> list[str]:
    """The resource of each record that a run could not file."""
    mine = only(RAW_ASIDE, tenant, RAW_ASIDE.c.connection_id == connection, RAW_ASIDE.c.sync_id == sync)
    return list(tx.execute(sa.select(RAW_ASIDE.c.resource).where(mine)).scalars())


_HELD = "id, part, body, links, deleted_at IS NULL"
_FEW = 10_000  # ids in memory at once
_LIVE = "FROM raw WHERE tenant_id = ? AND connection_id = ? AND resource = ? AND deleted_at IS NULL"


def next_batch(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    place: Place | None = None,
    *,
    batch: int = 1000,
    until: str | None = None,
) -> tuple[list[Held], Place | None]:
    """Live rows in the order (sort_key, id) from a place on, and the place behind them: None when there are no more.
    `until` ends the walk before that sort key.

    No transaction need stay open from batch to batch: rows that come or go behind the place are met, or missed.
    """
    mine = (tenant, connection, resource)
    place = place or Place(is_ordered=False, sort_key="", id="")
    if not place.is_ordered:
        # Two walks along two indexes: those without an order of their own come first, by id.
        plain = f"SELECT {_HELD} {_LIVE} AND sort_key = '' AND id > ? ORDER BY id LIMIT ?"
        rows = bulk.select(tx, plain, (*mine, place.id, batch))
        if len(rows) == batch:
            return [Held(*row) for row in rows], Place(is_ordered=False, sort_key="", id=rows[-1][0])
        place = Place(is_ordered=True, sort_key="", id="")
        if rows:
            return [Held(*row) for row in rows], place
    end, bound = ("", ()) if until is None else ("AND sort_key < ? ", (until,))
    keyed = (
        f"SELECT {_HELD}, sort_key {_LIVE} AND sort_key <> '' AND (sort_key, id) > (?, ?) {end}"
        "ORDER BY sort_key, id LIMIT ?"
    )
    rows = bulk.select(tx, keyed, (*mine, place.sort_key, place.id, *bound, batch))
    behind = Place(is_ordered=True, sort_key=rows[-1][-1], id=rows[-1][0]) if len(rows) == batch else None
    return [Held(*row) for *row, _ in rows], behind


def next_by_id(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, after: str = "", *, batch: int = 1000
) -> list[RawRow]:
    """Live rows behind the id `after`, by id, whatever order of their own they have."""
    sql = f"SELECT id, part, body {_LIVE} AND id > ? ORDER BY id LIMIT ?"
    return [RawRow(*row) for row in bulk.select(tx, sql, (tenant, connection, resource, after, batch))]


def iterate(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, *, batch: int = 1000
) -> Iterator[list[Held]]:
    """All live rows in the order (sort_key, id), a batch at a time."""
    place: Place | None = None
    while True:
        rows, place = next_batch(tx, tenant, connection, resource, place, batch=batch)
        if rows:
            yield rows
        if place is None:
            return


def in_window(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, window: str
) -> Iterator[RawRow]:
    """Live rows of one window, by id."""
    sql = f"SELECT id, part, body {_LIVE} AND window_name = ? AND id > ? ORDER BY id LIMIT 1000"
    after = ""
    while rows := bulk.select(tx, sql, (tenant, connection, resource, window, after)):
        yield from (RawRow(*row) for row in rows)
        after = rows[-1][0]


def whole(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str) -> tuple[RawRow, ...]:
    return tuple(row for rows in iterate(tx, tenant, connection, resource) for row in rows)


def by_ids(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str]
) -> dict[str, Held]:
    """Rows by id, deleted ones too: a record may still name one."""
    dialect = tx.dialect.name
    sql = (
        f"SELECT {_HELD} FROM raw WHERE tenant_id = ? AND connection_id = ? AND resource = ? "  # noqa: S608 - our own names
        f"AND {bulk.among('id', dialect)}"
    )
    return {
        row[0]: Held(*row)
        for some in bulk.batches(ids)
        for row in bulk.select(tx, sql, (tenant, connection, resource, bulk.named(some, dialect)))
    }


def live_by_ids(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Sequence[str]
) -> list[Held]:
    """Those of these rows that are live, by id."""
    dialect = tx.dialect.name
    sql = f"SELECT {_HELD} {_LIVE} AND {bulk.among('id', dialect)} ORDER BY id"
    rows = bulk.select(tx, sql, (tenant, connection, resource, bulk.named(ids, dialect)))
    return [Held(*row) for row in rows]


def id_before(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, sort_key: str, not_before: str
) -> str | None:
    """The live row that stands next before a sort key, if one does from `not_before` on."""
    between = "AND sort_key <> '' AND sort_key < ? AND sort_key >= ?"
    sql = f"SELECT id {_LIVE} {between} ORDER BY sort_key DESC, id DESC LIMIT 1"
    rows = bulk.select(tx, sql, (tenant, connection, resource, sort_key, not_before))
    return rows[0][0] if rows else None


def naming(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, link: str, targets: Iterable[str]
) -> list[tuple[str, str]]:
    """The targets that a row of `resource` names by `link`, each with the id of such a row; rows that are gone too."""
    dialect = tx.dialect.name
    sql = (
        "SELECT target, id FROM raw_links WHERE tenant_id = ? AND connection_id = ? AND resource = ? AND link = ? "  # noqa: S608 - our own names
        f"AND {bulk.among('target', dialect)}"
    )
    return [
        (target, id_)
        for some in bulk.batches(targets)
        for target, id_ in bulk.select(tx, sql, (tenant, connection, resource, link, bulk.named(some, dialect)))
    ]


def links_of(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str]
) -> dict[str, tuple[Link, ...]]:
    """What rows of `resource` name, by their ids; rows that name nothing are left out."""
    return dict(named for some in bulk.batches(ids) for named in _named_by(tx, tenant, connection, resource, some))


def count_live(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str) -> int:
    return int(bulk.select(tx, f"SELECT count(*) {_LIVE}", (tenant, connection, resource))[0][0])


def standing(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str) -> dict[str, Standing]:
    """By window."""
    sql = f"SELECT window_name, count(*), max(updated_at) {_LIVE} GROUP BY window_name"
    rows = bulk.select(tx, sql, (tenant, connection, resource))
    return {name: Standing(live, None if newest is None else from_text(newest)) for name, live, newest in rows}


def ids_dated_since(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, moment: datetime
) -> list[str]:
    """Live rows that their source dates at a moment or later."""
    sql = f"SELECT id {_LIVE} AND updated_at >= ?"
    return [id_ for (id_,) in bulk.select(tx, sql, (tenant, connection, resource, text_of(moment)))]


def changed_since(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    moment: datetime,
    updated_at: datetime | None,
) -> Iterator[tuple[bool, bytes]]:
    """Rows that came, changed or went after a moment of ours, or that their source dates at another moment or later:
    whether each was held at that moment, and its body."""
    dated = "" if updated_at is None else " OR updated_at >= ?"
    sql = (
        "SELECT first_seen <= ?, body FROM raw WHERE tenant_id = ? AND connection_id = ? AND resource = ? "  # noqa: S608 - our own names
        f"AND (changed_at > ? OR deleted_at > ?{dated})"
    )
    at = text_of(moment)
    values = (at, tenant, connection, resource, at, at)
    for was_held, body in bulk.select(tx, sql, values if updated_at is None else (*values, text_of(updated_at))):
        yield bool(was_held), body


def versions_until(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, moment: datetime
) -> Iterator[bytes]:
    """Bodies that rows had until after a moment of ours."""
    mine = "tenant_id = ? AND connection_id = ? AND resource = ?"
    changed = f"SELECT id FROM raw WHERE {mine} AND changed_at > ?"  # noqa: S608 - our own names
    sql = f"SELECT body FROM raw_versions WHERE {mine} AND id IN ({changed}) AND until > ?"  # noqa: S608 - likewise
    values = (tenant, connection, resource, *[text_of(moment)] * 2)
    for (body,) in bulk.select(tx, sql, (tenant, connection, resource, *values)):
        yield body


def windows_of(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str]
) -> dict[str, str]:
    """Which window each of these live records is in."""
    dialect = tx.dialect.name
    sql = f"SELECT id, window_name {_LIVE} AND {bulk.among('id', dialect)}"
    return {
        id_: name
        for some in bulk.batches(ids)
        for id_, name in bulk.select(tx, sql, (tenant, connection, resource, bulk.named(some, dialect)))
    }


def live_ids(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, windows: Mapping[str, Standing]
) -> Iterator[str]:
    """Of these windows, with what stands in each; a batch at a time in memory."""
    sql = f"SELECT id {_LIVE} AND window_name = ?"
    paged = f"{sql} AND id > ? ORDER BY id LIMIT {_FEW}"
    for name, standing in windows.items():
        mine = (tenant, connection, resource, name)
        if standing.live < _FEW:  # by the index of windows; by that of ids all other windows are gone through too
            yield from (id_ for (id_,) in bulk.select(tx, sql, mine))
            continue
        after = ""
        while rows := bulk.select(tx, paged, (*mine, after)):
            yield from (id_ for (id_,) in rows)
            after = rows[-1][0]


def mark_deleted(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    ids: Iterable[str],
    now: datetime,
    log: Log | None = None,
) -> None:
    """Gone upstream: kept, with the date, and with the last time it was met; noted in the log, if there is one."""
    dialect = tx.dialect.name
    mine = (
        f"tenant_id = ? AND connection_id = ? AND resource = ? AND {bulk.among('id', dialect)} AND deleted_at IS NULL"
    )
    met = (
        "(SELECT max(m.seen_at) FROM resource_reads m WHERE m.tenant_id = raw.tenant_id "
        "AND m.connection_id = raw.connection_id AND m.resource = raw.resource AND m.seen_at > raw.changed_at)"
    )
    for some in bulk.batches(ids):
        values = (tenant, connection, resource, bulk.named(some, dialect))
        gone = [row[0] for row in bulk.select(tx, f"SELECT id FROM raw WHERE {mine}", values)]  # noqa: S608 - our own names
        sql = f"UPDATE raw SET deleted_at = ?, last_seen = coalesce({met}, changed_at) WHERE {mine}"  # noqa: S608 - likewise
        changes.keep(tx, tenant, connection, resource, gone)
        bulk.run(tx, sql, (text_of(now), *values))
        if log is not None:
            log.note(tx, Layer.SOURCE, resource, Change.DELETED, gone)

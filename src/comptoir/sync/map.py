"""From raw rows to standard records: a batch at a time, with the rows they name and the rows that name them.

Mapping itself is the integration's, and pure. A row that cannot be mapped is set aside with its reason; its neighbours
go on, and what was served of it before stays. Each resource is gone through once for all data types made from it; each
data type sees exactly the rows it declares, so what it is mapped with does not depend on its company.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from decimal import localcontext
from typing import Any

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import (
    DataType,
    Direction,
    Hop,
    Integration,
    Link,
    Loaded,
    Making,
    Mapped,
    Note,
    RawRow,
)
from comptoir.jobs import Stopped
from comptoir.model import SHAPES, encode
from comptoir.model.money import WIDE
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import CompanyId, ConnectionId, Database, SyncId, TenantId, raw, records
from comptoir.store.datasets import Warning_
from comptoir.store.history import Log
from comptoir.store.records import Prepared

__all__ = ["MapResult", "Mapper", "Told"]

_BATCH = 500
_MOST_WARNINGS = 1000  # kept with a dataset; all are counted
_supplement = msgspec.json.Encoder(decimal_format="number")

# Is told how far mapping is: the data type, raw rows mapped of so many, records made.
Told = Callable[[str, int, int, int], None]


class MapResult(msgspec.Struct, kw_only=True):
    """What became of one data type: raw rows read, and records new, changed, deleted and set aside."""

    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    set_aside: int = 0
    warnings: list[Warning_] = []
    more_warnings: int = 0

    def warn(self, warning: Warning_) -> None:
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(warning)
        else:
            self.more_warnings += 1


class _Unreadable(msgspec.Struct, frozen=True):
    """Stands for the payload of a row that could not be decoded."""

    reason: str


class _Type:
    """One data type while it is mapped."""

    def __init__(self, data_type: DataType) -> None:
        self.data_type = data_type
        self.name = data_type.name
        self.values = SHAPES[data_type.name].values
        self.carried: dict[str, Any] = {}
        self.result = MapResult()
        # By id, with the place of the making it came from: the first one that makes a record wins.
        self.merged: dict[str, tuple[int, Prepared]] = {}
        self.rows_in_all = 0
        self.is_first = False  # nothing of it is served yet, so nothing can be gone
        self.log: Log | None = None  # set once all of it was there: until then all that comes is new

    def makings(self, resource: str) -> list[tuple[int, Making]]:
        return [(place, one) for place, one in enumerate(self.data_type.made_from) if one.resource == resource]

    def set_aside(self, reasons: Mapping[str, str]) -> None:
        for id_, reason in reasons.items():
            self.result.set_aside += 1
            message = f"Set aside, because it could not be read: {reason}"
            self.result.warn(Warning_(item_id=id_, message=message, rule_id="set-aside"))

    def merge(self, place: int, made: Iterable[Prepared]) -> None:
        for record in made:
            known = self.merged.get(record.id)
            if known is None or place < known[0]:
                self.merged[record.id] = (place, record)


class _MadeOf(msgspec.Struct, frozen=True):
    """What a batch of rows made of one data type, and why some rows made none; `read` counts its rows so far."""

    of: _Type
    read: int
    prepared: list[Prepared]
    aside: dict[str, str]


class _Batch(msgspec.Struct, frozen=True):
    resource: str
    rows: list[RawRow]
    made: list[_MadeOf]


class Mapper:
    """Maps data types of one connection anew; only records whose document changed are written.

    `complete` names the resources whose latest read was complete. Raises Stopped when asked to stop, between batches.
    """

    def __init__(
        self,
        db: Database,
        integration: Integration,
        clock: Clock,
        *,
        tenant: TenantId,
        company: CompanyId,
        connection: ConnectionId,
        sync: SyncId,
        complete: frozenset[str],
        today: datetime,
        told: Told = lambda *_: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db, self._integration, self._clock = db, integration, clock
        self._tenant, self._company, self._connection, self._sync = tenant, company, connection, sync
        self._complete, self._today = complete, today
        self._told, self._should_stop = told, should_stop

    def run(self, data_types: Sequence[DataType]) -> dict[str, MapResult]:
        """Map all rows of these data types; what became of each, by name."""
        types = [_Type(data_type) for data_type in data_types]
        wanted = {making.resource for one in types for making in one.data_type.made_from}
        with self._db.read() as tx:
            whole = {
                name: raw.whole(tx, self._tenant, self._connection, name)
                for name in {name for one in types for name in one.data_type.whole}
            }
            counts = {name: raw.count_live(tx, self._tenant, self._connection, name) for name in wanted}
            for one in types:
                one.is_first = not records.count(tx, self._tenant, self._connection, one.name)
                if records.is_readable(tx, self._tenant, self._company, one.name, self._connection):
                    one.log = Log(self._tenant, self._connection, self._sync)
                resources = {making.resource for making in one.data_type.made_from}
                one.rows_in_all = sum(counts[name] for name in resources)
        # One batch is stored while the next is mapped.
        with ThreadPoolExecutor(1, thread_name_prefix="store") as storing:
            stored: Future[None] | None = None
            for batch in self._batches(types, wanted, whole):
                if stored is not None:
                    stored.result()
                if self._should_stop():
                    raise Stopped
                stored = storing.submit(self._store, batch)
            if stored is not None:
                stored.result()
        with self._db.write() as tx:
            for one in types:
                self._finish(tx, one)
        return {one.name: one.result for one in types}

    def _batches(
        self, types: Sequence[_Type], wanted: Set[str], whole: Mapping[str, tuple[RawRow, ...]]
    ) -> Iterator[_Batch]:
        """All rows, mapped. Each batch has a view of the database of its own: nobody else changes this connection's
        rows, and one view for all would keep SQLite from writing its log back."""
        for resource in self._integration.resources:
            if resource.name not in wanted:
                continue
            here = [one for one in types if one.makings(resource.name)]
            place: raw.Place | None = None
            while True:
                with self._db.read() as tx, localcontext(WIDE):
                    rows, place = raw.next_batch(tx, self._tenant, self._connection, resource.name, place, batch=_BATCH)
                    batch = self._map_batch(tx, here, resource.name, rows, whole) if rows else None
                if batch is not None:
                    yield batch
                if place is None:
                    break

    def _map_batch(
        self,
        tx: Transaction,
        here: Sequence[_Type],
        resource: str,
        rows: list[RawRow],
        whole: Mapping[str, tuple[RawRow, ...]],
    ) -> _Batch:
        near = _Near(tx, self._tenant, self._connection, resource, rows)
        payloads: dict[Callable[[RawRow], Any], list[Any]] = {}
        made: list[_MadeOf] = []
        for one in here:
            near_rows, naming = near.follow(one.data_type.hops)
            books = self._integration.books(
                Loaded(
                    whole={name: whole[name] for name in one.data_type.whole},
                    rows=near_rows,
                    naming=naming,
                    carried=one.carried,
                    today=self._today,
                    complete=self._complete,
                )
            )
            prepared: list[Prepared] = []
            aside: dict[str, str] = {}
            for place, making in one.makings(resource):
                if making.decode not in payloads:
                    payloads[making.decode] = [_decoded(making.decode, row) for row in rows]
                records_made, unmade = _made(one, making, books, rows, payloads[making.decode])
                aside |= unmade
                if one.data_type.merges:
                    one.merge(place, records_made)
                else:
                    prepared += records_made
            one.result.read += len(rows)
            one.set_aside(aside)
            made.append(_MadeOf(one, one.result.read, prepared, aside))
        return _Batch(resource, rows, made)

    def _store(self, batch: _Batch) -> None:
        with self._db.write() as tx:
            for made in batch.made:
                self._store_one(tx, batch, made)
        failpoint("map.batch")
        for made in batch.made:
            result = made.of.result
            self._told(made.of.name, made.read, made.of.rows_in_all, result.new + result.changed)

    def _store_one(self, tx: Transaction, batch: _Batch, made: _MadeOf) -> None:
        now, one = self._clock.now(), made.of
        for row in batch.rows if made.aside else ():
            if row.id in made.aside:
                raw.set_aside(
                    tx,
                    self._tenant,
                    self._connection,
                    self._sync,
                    batch.resource,
                    record_id=row.id,
                    data_type=one.name,
                    reason=made.aside[row.id],
                    body=row.body,
                    now=now,
                )
        if one.data_type.merges:
            return
        owners = (self._tenant, self._company, self._connection)
        counts = records.put(tx, *owners, one.name, made.prepared, now, log=one.log)
        one.result.new += counts.new
        one.result.changed += counts.changed
        if one.is_first:
            return
        mapped = [row.id for row in batch.rows if row.id not in made.aside]
        produced = {record.id for record in made.prepared}
        gone = records.mark_absent(tx, *owners, one.name, batch.resource, mapped, produced, now, one.log)
        one.result.deleted += gone

    def _finish(self, tx: Transaction, one: _Type) -> None:
        """When all rows of a data type are mapped: what no row makes any more is deleted."""
        now, owners = self._clock.now(), (self._tenant, self._company, self._connection)
        if not one.data_type.merges:
            one.result.deleted += records.mark_deleted_sources(tx, *owners, one.name, now, one.log)
        else:
            merged = [record for _, record in one.merged.values()]
            counts = records.put(tx, *owners, one.name, merged, now, log=one.log)
            one.result.new += counts.new
            one.result.changed += counts.changed
            if not one.result.set_aside:  # a record that only an unreadable row makes stays as it was
                gone = sorted(records.live_ids(tx, self._tenant, self._connection, one.name) - one.merged.keys())
                one.result.deleted += records.delete(tx, *owners, one.name, gone, now, one.log)
        if one.result.more_warnings:
            message = f"{one.result.more_warnings} further warnings are not listed."
            one.result.warnings.append(Warning_(item_id="", message=message, rule_id="more"))


def _decoded(decode: Callable[[RawRow], Any], row: RawRow) -> Any:
    try:
        return decode(row)
    except Exception as error:  # whatever is wrong with one record must not touch its neighbours
        return _Unreadable(_reason(error))


def _made(
    one: _Type, making: Making, books: Any, batch: Sequence[RawRow], payloads: Sequence[Any]
) -> tuple[list[Prepared], dict[str, str]]:
    """The records of a batch, and why some rows of it made none."""
    values, resource, map_ = one.values, making.resource, making.map
    prepared: list[Prepared] = []
    aside: dict[str, str] = {}
    for row, payload in zip(batch, payloads, strict=True):
        if isinstance(payload, _Unreadable):
            aside[row.id] = payload.reason
            continue
        made: list[Prepared] = []
        notes: list[Note] = []
        try:
            for item in map_(payload, books):
                if isinstance(item, Note):
                    notes.append(item)
                    continue
                assert isinstance(item, Mapped)
                record = item.record
                made.append(
                    Prepared(
                        getattr(record, "id", one.name),
                        encode(record),
                        _supplemental(item.supplemental),
                        resource,
                        row.id,
                        getattr(record, "source_modified_date", None),
                        values(record),
                    )
                )
        except Exception as error:  # likewise
            aside[row.id] = _reason(error)
            continue
        prepared += made
        for note in notes:
            one.result.warn(Warning_(item_id=note.record_id, message=note.message, validator_name=note.field))
    return prepared, aside


def _reason(error: Exception) -> str:
    return (
        str(error) if isinstance(error, (msgspec.ValidationError, ValueError)) else f"{type(error).__name__}: {error}"
    )


def _supplemental(content: Mapping[str, Any]) -> bytes | None:
    held = {name: value for name, value in content.items() if value is not None}
    return _supplement.encode(held) if held else None


_Rows = dict[str, dict[str, RawRow]]
_Naming = dict[tuple[str, str], dict[str, tuple[RawRow, ...]]]


class _Near:
    """What a batch names and what names it, looked up once however many data types ask."""

    def __init__(
        self, tx: Transaction, tenant: TenantId, connection: ConnectionId, resource: str, batch: Iterable[RawRow]
    ) -> None:
        self._tx, self._tenant, self._connection = tx, tenant, connection
        self._resource = resource
        self._batch = {row.id: row for row in batch}
        self._followed: dict[tuple[Hop, ...], tuple[_Rows, _Naming]] = {}
        self._rows: dict[str, dict[str, RawRow | None]] = {resource: dict(self._batch)}
        self._named: dict[tuple[str, str], dict[str, tuple[RawRow, ...]]] = {}
        self._links: dict[str, dict[str, tuple[Link, ...]]] = {}

    def follow(self, hops: tuple[Hop, ...]) -> tuple[_Rows, _Naming]:
        """The rows that these hops reach from the batch, hop by hop."""
        if hops not in self._followed:
            self._followed[hops] = self._follow(hops)
        return self._followed[hops]

    def _follow(self, hops: tuple[Hop, ...]) -> tuple[_Rows, _Naming]:
        rows: _Rows = {self._resource: self._batch}
        naming: _Naming = {}
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

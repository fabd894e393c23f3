"""From raw rows to standard records: a batch at a time, with the rows they name and the rows that name them.

Mapping itself is the integration's, and pure. A row that cannot be mapped is set aside with its reason; its neighbours
go on, and what was served of it before stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import (
    DataType,
    Direction,
    Hop,
    Integration,
    Loaded,
    Making,
    Mapped,
    Note,
    RawRow,
)
from comptoir.model import SHAPES, encode
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import CompanyId, ConnectionId, Database, SyncId, TenantId, raw, records
from comptoir.store.datasets import Warning_
from comptoir.store.records import Prepared

__all__ = ["MapResult", "map_data_type"]

_BATCH = 1000
_supplement = msgspec.json.Encoder(decimal_format="number")
_MOST_WARNINGS = 1000
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, KeyError, LookupError, ArithmeticError, AttributeError)


class MapResult(msgspec.Struct, kw_only=True):
    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    set_aside: int = 0
    warnings: list[Warning_] = []


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Whose records these are, and under which run they are mapped."""

    tenant: TenantId
    company: CompanyId
    connection: ConnectionId
    sync: SyncId


def map_data_type(
    db: Database,
    integration: Integration,
    data_type: DataType,
    *,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    sync: SyncId,
    complete: frozenset[str],
    today: datetime,
    clock: Clock,
    watch: Callable[[int], None] = lambda _: None,
) -> MapResult:
    """Map all rows of a data type anew; only records whose document changed are written.

    `complete` names the resources whose latest read was complete; `watch` is told how many rows were mapped.
    """
    place = _Place(tenant=tenant, company=company, connection=connection, sync=sync)
    result = MapResult()
    carried: dict[str, Any] = {}
    merged: dict[str, Prepared] = {}
    with db.read() as tx:
        whole = {name: raw.whole(tx, tenant, connection, name) for name in data_type.whole}
        for making in data_type.made_from:
            for batch in raw.iterate(tx, tenant, connection, making.resource, batch=_BATCH):
                rows, naming = _follow(tx, place, data_type.hops, making.resource, batch)
                loaded = Loaded(whole=whole, rows=rows, naming=naming, carried=carried, today=today, complete=complete)
                prepared, aside = _map(making, integration.books(loaded), batch, data_type.name, result)
                result.read += len(batch)
                if data_type.merges:
                    for one in prepared:
                        merged.setdefault(one.id, one)
                    prepared = []
                with db.write() as write:
                    _store(write, place, data_type, making.resource, batch, prepared, aside, result, clock.now())
                failpoint("map.batch")
                watch(result.read)
    with db.write() as write:
        now = clock.now()
        if data_type.merges:
            _add(result, records.put(write, tenant, company, connection, data_type.name, list(merged.values()), now))
            gone = sorted(records.live_ids(write, tenant, connection, data_type.name) - merged.keys())
            result.deleted += records.delete(write, tenant, company, connection, data_type.name, gone, now)
        else:
            result.deleted += records.mark_deleted_sources(write, tenant, company, connection, data_type.name, now)
    return result


def _map(
    making: Making, books: Any, batch: Iterable[RawRow], data_type: str, result: MapResult
) -> tuple[list[Prepared], dict[str, tuple[str, RawRow]]]:
    shape = SHAPES[data_type]
    values = shape.values
    prepared: list[Prepared] = []
    aside: dict[str, tuple[str, RawRow]] = {}
    for row in batch:
        made: list[Prepared] = []
        try:
            for item in making.map(making.decode(row), books):
                if isinstance(item, Mapped):
                    record = item.record
                    made.append(
                        Prepared(
                            getattr(record, "id", "company"),
                            encode(record),
                            _supplemental(item.supplemental),
                            making.resource,
                            row.id,
                            getattr(record, "source_modified_date", None),
                            values(record),
                        )
                    )
                elif isinstance(item, Note) and len(result.warnings) < _MOST_WARNINGS:
                    result.warnings.append(
                        Warning_(item_id=item.record_id, message=item.message, validator_name=item.field)
                    )
        except _UNREADABLE as error:
            aside[row.id] = (f"{type(error).__name__}: {error}", row)
            continue
        prepared += made
    return prepared, aside


def _supplemental(content: dict[str, Any]) -> bytes | None:
    held = {name: value for name, value in content.items() if value is not None}
    return _supplement.encode(held) if held else None


def _store(
    tx: Transaction,
    place: _Place,
    data_type: DataType,
    resource: str,
    batch: list[RawRow],
    prepared: list[Prepared],
    aside: dict[str, tuple[str, RawRow]],
    result: MapResult,
    now: datetime,
) -> None:
    for id_, (reason, row) in aside.items():
        raw.set_aside(
            tx,
            place.tenant,
            place.connection,
            place.sync,
            resource,
            record_id=id_,
            data_type=data_type.name,
            reason=reason,
            body=row.body,
            now=now,
        )
        result.set_aside += 1
        if len(result.warnings) < _MOST_WARNINGS:
            message = f"Set aside, because it could not be read: {reason}"
            result.warnings.append(Warning_(item_id=id_, message=message, rule_id="set-aside"))
    if data_type.merges:
        return
    owners = (place.tenant, place.company, place.connection)
    _add(result, records.put(tx, *owners, data_type.name, prepared, now))
    mapped = (row.id for row in batch if row.id not in aside)
    produced = {one.id for one in prepared}
    result.deleted += records.mark_absent(tx, *owners, data_type.name, resource, mapped, produced, now)


def _add(result: MapResult, counts: raw.Counts) -> None:
    result.new += counts.new
    result.changed += counts.changed


_Rows = dict[str, dict[str, RawRow]]
_Naming = dict[tuple[str, str], dict[str, tuple[RawRow, ...]]]


def _follow(
    tx: Transaction, place: _Place, hops: Iterable[Hop], resource: str, batch: list[RawRow]
) -> tuple[_Rows, _Naming]:
    """Load what the batch names and what names it, hop by hop."""
    rows: _Rows = {resource: {row.id: row for row in batch}}
    naming: _Naming = {}
    for hop in hops:
        start = rows.get(hop.start)
        if not start:
            continue
        found = rows.setdefault(hop.to, {})
        if hop.direction is Direction.OUT:
            named = raw.links_of(tx, place.tenant, place.connection, hop.start, hop.link, start)
            found.update(raw.by_ids(tx, place.tenant, place.connection, hop.to, named - found.keys()))
        else:
            by_target = raw.naming(tx, place.tenant, place.connection, hop.to, hop.link, start)
            known = naming.setdefault((hop.to, hop.link), {})
            known.update(by_target)
            for those in by_target.values():
                found.update({row.id: row for row in those})
    return rows, naming

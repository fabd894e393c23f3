"""From raw rows to standard records: a batch at a time, with the rows they name and the rows that name them.

Mapping itself is the integration's, and pure. A row that cannot be mapped is set aside with its reason; its neighbours
go on, and what was served of it before stays. Only rows that may make something else than they did are mapped: those
that changed since, and those that lead to them; all of a data type where what it is made with at large has changed.
Each data type sees exactly what it declares: what it is mapped with depends neither on its company nor on its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from decimal import localcontext
from typing import Any

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import DataType, Integration, Loaded, Making, Mapped, Note, RawRow
from comptoir.integrations.versions import mapping_version
from comptoir.jobs import Stopped
from comptoir.model import encode
from comptoir.model.money import WIDE
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import (
    CompanyId,
    ConnectionId,
    Database,
    SyncId,
    TenantId,
    changes,
    mappings,
    plans,
    profile,
    raw,
    records,
)
from comptoir.store.datasets import Warning_
from comptoir.store.history import Counted, Layer, Log, counted
from comptoir.store.mappings import Doubt
from comptoir.store.raw import Counts, Held
from comptoir.store.records import Prepared
from comptoir.sync.affected import affected
from comptoir.sync.near import Kept, Near
from comptoir.sync.surroundings import Surroundings

__all__ = ["Finished", "MapResult", "Mapper", "Stored", "Told"]

_BATCH = 1000
_MOST_WARNINGS = 1000  # kept with a dataset; all are counted
_supplement = msgspec.json.Encoder(decimal_format="number")

# Is told how far mapping is: the data type, raw rows mapped of so many, records made.
Told = Callable[[str, int, int, int], None]
# Is told, in the transaction that stores them, how many records of a data type became new, changed, or were deleted.
Stored = Callable[[Transaction, str, Counts, int], None]


class MapResult(msgspec.Struct, kw_only=True):
    """What became of one data type: raw rows mapped, and records new, changed, deleted. Rows that stand set aside, and
    doubts, are told of all its rows, whenever they were mapped."""

    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    set_aside: int = 0
    warnings: list[Warning_] = []


# Is told what became of a data type, in the transaction that ends its mapping.
Finished = Callable[[Transaction, str, MapResult], None]


class _Unreadable(msgspec.Struct, frozen=True):
    """Stands for the payload of a row that could not be decoded."""

    reason: str


class _Type:
    """One data type while it is mapped."""

    def __init__(self, data_type: DataType, version: str) -> None:
        self.data_type, self.version = data_type, version
        self.name = data_type.name
        self.result = MapResult()
        self.basis = ""
        self.since = -1  # the mark up to which its records have followed the rows
        self.rows: Mapping[str, set[str]] | None = None  # by resource, the ids of those to map; None for all
        self.in_all = 0
        self.is_first = False  # nothing of it is served yet, so nothing can be gone
        self.log: Log | None = None  # set once all of it was there: until then all that comes is new
        self.has_doubts = False
        self.history_from: datetime | None = None  # what the source last changed before then is left out
        self.is_following = False  # mapped once more in one sync: what was told of it stands, and is not told twice
        self.begin()

    def begin(self) -> None:
        """Nothing is mapped yet."""
        self.carried: dict[str, Any] = {}
        # By id, with the place of the making it came from: the first one that makes a record wins.
        self.merged: dict[str, tuple[int, Prepared]] = {}
        self.result.read = 0
        self.settled: set[tuple[str, str]] = set()  # of a merging one: chosen rows that made all they make, or are gone
        self.has_aside = False
        self.is_broken = False  # what was to be mapped cannot be without the rest

    def makings(self, resource: str) -> list[tuple[int, Making]]:
        return [(place, one) for place, one in enumerate(self.data_type.made_from) if one.resource == resource]

    def chosen(self, resource: str) -> set[str]:
        return set() if self.rows is None else self.rows.get(resource, set())

    def turn(self, place: int, record: Prepared) -> tuple[int, str]:
        """When a record would be made, if everything was mapped: the first one counts."""
        return place, record.source_id

    def turn_of(self, source: tuple[str, str]) -> tuple[int, str]:
        """Likewise of a record that was made of this row."""
        resource, id_ = source
        return min((place for place, _ in self.makings(resource)), default=len(self.data_type.made_from)), id_

    def merge(self, place: int, made: Iterable[Prepared]) -> None:
        for record in made:
            known = self.merged.get(record.id)
            if known is None or place < known[0]:
                self.merged[record.id] = (place, record)


class _MadeOf(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch of rows made of one data type, and what was doubtful; `read` counts its rows so far."""

    of: _Type
    read: int
    prepared: list[Prepared] = []
    doubts: list[Doubt] = []
    mapped: list[str] = []  # rows that made all they make
    gone: list[str] = []  # rows that are not there any more


class _Batch(msgspec.Struct, frozen=True):
    resource: str
    made: list[_MadeOf]


class Mapper:
    """Maps data types of one connection; only records whose document changed are written.

    `complete` names the resources whose latest read was complete; what changed is noted under `sync`.
    Raises Stopped when asked to stop, between batches: what is stored by then is stored, and the next run comes to the
    same end.
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
        stored: Stored = lambda *_: None,
        finished: Finished = lambda *_: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db, self._integration, self._clock = db, integration, clock
        self._tenant, self._company, self._connection = tenant, company, connection
        self._owners, self._sync = (tenant, company, connection), sync
        self._complete, self._today = complete, today
        self._told, self._stored, self._finished, self._should_stop = told, stored, finished, should_stop
        self._kept = Kept()

    def run(
        self, data_types: Sequence[DataType], *, following: Sequence[DataType] = (), anew: bool = False
    ) -> dict[str, MapResult]:
        """Map what may have changed of these data types, `anew` everything; what became of each, by name. Those that
        are `following` may have been mapped in this sync before."""
        types = [_Type(one, mapping_version(self._integration, one)) for one in (*data_types, *following)]
        for one in types[len(data_types) :]:
            one.is_following = True
        with self._db.write() as tx:
            mark = changes.close(tx, self._tenant, self._connection)
        with self._db.read() as tx:
            around = Surroundings(
                tx, self._integration, self._tenant, self._connection, complete=self._complete, today=self._today
            )
            self._whole = {one.name: around.whole(one.data_type) for one in types}
            self._known = {one.name: around.complete(one.data_type) for one in types}
            self._day = {one.name: around.today(one.data_type) for one in types}
            held = mappings.of(tx, self._tenant, self._connection)
            wanted = profile.history_from(tx, self._tenant, self._company, self._today)
            for one in types:
                one.history_from = wanted.get(one.name)
                one.basis = around.basis(one.data_type)
                one.has_doubts = bool(mappings.count_doubts(tx, self._tenant, self._connection, one.name))
                is_readable = records.is_readable(tx, self._tenant, self._company, one.name, self._connection)
                if one.is_following and is_readable:
                    is_readable = records.was_readable(tx, self._tenant, self._connection, one.name, self._today)
                if is_readable:
                    one.log = Log(self._tenant, self._connection, self._sync)
                one.rows = None if anew else self._chosen(tx, one, held.get(one.name))
            self._count(tx, types)
        self._go_through(types)
        with self._db.read() as tx:
            for one in types:
                one.is_broken = one.is_broken or self._is_in_doubt(tx, one)
        # All of a data type is gone through then. A row that cannot be read breaks its series, and perhaps others.
        if broken := [one for one in types if one.is_broken]:
            for one in broken:
                one.rows = None
            with self._db.read() as tx:
                self._count(tx, broken)
            self._go_through(broken)
        with self._db.write() as tx:
            for one in types:
                self._finish(tx, one, mark)
            changes.forget(tx, self._tenant, self._connection)
        with self._db.write() as tx:
            plans.filled(tx, {one.name: one.result.new for one in types})
        return {one.name: one.result for one in types}

    # What to map

    def _chosen(self, tx: Transaction, one: _Type, held: mappings.Mapping | None) -> Mapping[str, set[str]] | None:
        """The rows that may make something else than they did, by resource; None for all."""
        if held is None or held.mark < 0 or held.basis != one.basis:
            return None
        if held.history_from is not None and (one.history_from is None or one.history_from < held.history_from):
            return None  # what was left out is wanted again
        one.since = held.mark
        rows = affected(tx, self._tenant, self._connection, one.data_type, one.since)
        if rows is None or not any(rows.values()):
            return rows
        if one.data_type.series and mappings.count_aside(tx, self._tenant, self._connection, one.name):
            return None
        return rows

    def _count(self, tx: Transaction, types: Sequence[_Type]) -> None:
        counts: dict[str, int] = {}
        for one in types:
            one.begin()
            resources = {making.resource for making in one.data_type.made_from}
            if one.rows is not None:
                one.in_all = sum(len(one.chosen(name)) for name in resources)
                continue
            one.is_first = not records.are_there(tx, self._tenant, self._connection, one.name)
            for name in resources - counts.keys():
                counts[name] = raw.count_live(tx, self._tenant, self._connection, name)
            one.in_all = sum(counts[name] for name in resources)

    def _go_through(self, types: Sequence[_Type]) -> None:
        self._kept = Kept()
        if doubted := [one for one in types if one.rows is None and one.has_doubts]:
            with self._db.write() as tx:
                for one in doubted:
                    mappings.drop_doubts(tx, self._tenant, self._connection, one.name)
        # One batch is stored while the next is mapped.
        with ThreadPoolExecutor(1, thread_name_prefix="store") as storing:
            under_way: Future[None] | None = None
            for batch in self._batches(types):
                if under_way is not None:
                    under_way.result()
                if self._should_stop():
                    raise Stopped
                under_way = storing.submit(self._store, batch)
            if under_way is not None:
                under_way.result()

    # Each batch has a view of the database of its own: nobody else changes this connection's rows, and one view for all
    # would keep SQLite from writing its log back.

    def _batches(self, types: Sequence[_Type]) -> Iterator[_Batch]:
        for name in (resource.name for resource in self._integration.resources):
            here = [one for one in types if one.makings(name)]
            if everything := [one for one in here if one.rows is None]:
                yield from self._along(name, everything, None, None)
            if chosen := [one for one in here if one.chosen(name) and not one.data_type.series]:
                yield from self._by_ids(name, chosen)
            for one in here:
                if one.chosen(name) and one.data_type.series:
                    yield from self._rest_of_series(name, one)

    def _along(
        self, resource: str, types: Sequence[_Type], place: raw.Place | None, until: str | None
    ) -> Iterator[_Batch]:
        """All rows from a place on."""
        while True:
            with self._db.read() as tx, localcontext(WIDE):
                rows, place = raw.next_batch(
                    tx, self._tenant, self._connection, resource, place, batch=_BATCH, until=until
                )
                batch = self._map_batch(tx, [(one, rows) for one in types], resource, rows) if rows else None
            if batch is not None:
                yield batch
            if place is None:
                return

    def _by_ids(self, resource: str, types: Sequence[_Type]) -> Iterator[_Batch]:
        """The rows that any of these data types has chosen, each mapped for those that have."""
        ids = sorted(set().union(*(one.chosen(resource) for one in types)))
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            with self._db.read() as tx, localcontext(WIDE):
                rows = raw.live_by_ids(tx, self._tenant, self._connection, resource, some)
                of_each = [(one, [row for row in rows if row.id in one.chosen(resource)]) for one in types]
                batch = self._map_batch(tx, of_each, resource, rows)
            gone = set(some) - {row.id for row in rows}
            for one in types:
                if one.data_type.merges:
                    one.settled |= {(resource, id_) for id_ in gone & one.chosen(resource)}
            yield _Batch(
                resource,
                [msgspec.structs.replace(made, gone=sorted(gone & made.of.chosen(resource))) for made in batch.made],
            )

    def _rest_of_series(self, resource: str, one: _Type) -> Iterator[_Batch]:
        """Every series that changed, from the first row on that did."""
        series = one.data_type.series
        assert series is not None
        mine = (self._tenant, self._connection, resource)
        changed = sorted(one.chosen(resource))
        with self._db.read() as tx:
            first = changes.first_sort_keys(tx, *mine, one.since, series.separator)
            gone = sorted(set(changed) - {row.id for row in raw.live_by_ids(tx, *mine, changed)})
        yield _Batch(resource, [_MadeOf(of=one, read=one.result.read, gone=gone)])
        for name, sort_key in sorted(first.items()):
            one.carried.clear()
            with self._db.read() as tx:
                before = raw.id_before(tx, *mine, sort_key, name + series.separator)
                document = None if before is None else records.document_of(tx, *self._owners, one.name, before)
            if document is not None:
                series.resume(document, one.carried)
            elif before is not None:
                one.is_broken = True
                return
            behind = name + chr(ord(series.separator) + 1)
            yield from self._along(resource, [one], raw.Place(is_ordered=True, sort_key=sort_key, id=""), behind)

    def _map_batch(
        self, tx: Transaction, of_each: Sequence[tuple[_Type, list[Held]]], resource: str, rows: list[Held]
    ) -> _Batch:
        near = Near(tx, self._tenant, self._connection, resource, rows, self._kept)
        payloads: dict[Callable[[RawRow], Any], dict[str, Any]] = {}
        batch: list[_MadeOf] = []
        for one, own_rows in of_each:
            near_rows, naming = near.follow(one.data_type.hops)
            books = self._integration.books(
                Loaded(
                    whole=self._whole[one.name],
                    rows=near_rows,
                    naming=naming,
                    carried=one.carried,
                    today=self._day[one.name],
                    complete=self._known[one.name],
                )
            )
            made = _MadeOf(of=one, read=one.result.read + len(own_rows))
            aside: dict[str, str] = {}
            notes: dict[str, list[Note]] = {}
            for place, making in one.makings(resource):
                if making.decode not in payloads:
                    payloads[making.decode] = _decoded(making.decode, rows)
                prepared = _made(one, making, books, own_rows, payloads[making.decode], aside, notes)
                if one.data_type.merges:
                    one.merge(place, prepared)
                else:
                    made.prepared.extend(prepared)
            one.result.read += len(own_rows)
            one.has_aside = one.has_aside or bool(aside)
            one.is_broken = one.is_broken or bool(aside and one.data_type.series and one.rows is not None)
            made.mapped.extend(
                [row.id for row in own_rows if row.id not in aside] if aside else [row.id for row in own_rows]
            )
            if one.data_type.merges and one.rows is not None:
                one.settled |= {(resource, id_) for id_ in made.mapped}
            made.doubts.extend(Doubt(resource, id_, aside.get(id_), tuple(notes.get(id_, ()))) for id_ in aside | notes)
            batch.append(made)
        return _Batch(resource, batch)

    # What was made

    def _store(self, batch: _Batch) -> None:
        with self._db.write() as tx:
            for made in batch.made:
                self._store_one(tx, batch.resource, made)
        failpoint("map.batch")
        for made in batch.made:
            result = made.of.result
            self._told(made.of.name, made.read, max(made.read, made.of.in_all), result.new + result.changed)

    def _store_one(self, tx: Transaction, resource: str, made: _MadeOf) -> None:
        one, now = made.of, self._clock.now()
        if one.has_doubts and one.rows is not None:
            again = [*made.mapped, *made.gone, *(doubt.id for doubt in made.doubts)]
            mappings.drop_doubts(tx, self._tenant, self._connection, one.name, resource, again)
        if made.doubts:
            mappings.put_doubts(tx, self._tenant, self._connection, one.name, made.doubts)
            one.has_doubts = True
        if one.data_type.merges:
            return
        before = self._noted(tx, one)
        counts = records.put(tx, *self._owners, one.name, made.prepared, now, one.version, one.log)
        deleted = 0
        if not one.is_first:
            produced = {record.id for record in made.prepared}
            ids = [*made.mapped, *made.gone]
            deleted = records.mark_absent(tx, *self._owners, one.name, resource, ids, produced, now, one.log)
        if one.is_following:
            after = self._noted(tx, one)
            counts, deleted = (
                Counts(after.new - before.new, after.changed - before.changed),
                after.deleted - before.deleted,
            )
        self._tell(tx, one, counts, deleted)

    def _noted(self, tx: Transaction, one: _Type) -> Counted:
        """What this sync has told of one that follows so far: each record once, and of a first read nothing."""
        if not one.is_following or one.log is None:
            return Counted()
        noted = counted(tx, self._tenant, self._connection, [self._sync], Layer.STANDARD)
        return noted.get(self._sync, {}).get(one.name, Counted())

    def _tell(self, tx: Transaction, one: _Type, counts: Counts, deleted: int) -> None:
        one.result.new += counts.new
        one.result.changed += counts.changed
        one.result.deleted += deleted
        self._stored(tx, one.name, counts, deleted)

    def _finish(self, tx: Transaction, one: _Type, mark: int) -> None:
        """When all that was to be mapped of a data type is: what no row makes any more is deleted."""
        now = self._clock.now()
        if one.data_type.merges:
            merged = self._merged(tx, one)
            counts = records.put(tx, *self._owners, one.name, merged, now, one.version, one.log)
            deleted = 0
            if one.rows is None and not one.has_aside:  # a record that only an unreadable row makes stays as it was
                gone = sorted(records.live_ids(tx, self._tenant, self._connection, one.name) - one.merged.keys())
                deleted = records.delete(tx, *self._owners, one.name, gone, now, one.log)
            self._tell(tx, one, counts, deleted)
        elif one.rows is None:
            self._tell(tx, one, Counts(), records.mark_deleted_sources(tx, *self._owners, one.name, now, one.log))
        if one.history_from is not None:  # it moves on with the days, and records fall out behind it
            old = records.older(tx, *self._owners, one.name, one.history_from)
            self._tell(tx, one, Counts(), records.delete(tx, *self._owners, one.name, old, now, one.log))
        mapping = mappings.Mapping(
            mark=mark, basis=one.basis, version=one.version, mapped_at=now, history_from=one.history_from
        )
        mappings.put(tx, self._tenant, self._connection, one.name, mapping)
        if one.has_doubts:
            one.result.set_aside = mappings.count_aside(tx, self._tenant, self._connection, one.name)
            one.result.warnings = list(self._warnings(tx, one))
        self._finished(tx, one.name, one.result)

    # Several rows make the same record, and the first making of it wins: one row is told to have made it.

    def _is_in_doubt(self, tx: Transaction, one: _Type) -> bool:
        """Whether a record that some chosen row made is not made by it any more: any other may make it."""
        if not one.settled:
            return False
        return any(
            source in one.settled and ((made := one.merged.get(id_)) is None or one.turn(*made) > one.turn_of(source))
            for id_, source in records.sources_of(tx, *self._owners, one.name).items()
        )

    def _merged(self, tx: Transaction, one: _Type) -> list[Prepared]:
        """What is to be stored; a record that a row makes which was not chosen, and comes before, stays as it is."""
        if one.rows is None or not one.merged:
            return [record for _, record in one.merged.values()]
        held = records.sources_of(tx, *self._owners, one.name)
        return [
            record
            for id_, (place, record) in one.merged.items()
            if (source := held.get(id_)) is None or one.turn(place, record) <= one.turn_of(source)
        ]

    def _warnings(self, tx: Transaction, one: _Type) -> Iterator[Warning_]:
        mine = (tx, self._tenant, self._connection, one.name)
        listed = mappings.doubts(*mine, _MOST_WARNINGS)
        for doubt in listed:
            if doubt.reason is not None:
                message = f"Set aside, because it could not be read: {doubt.reason}"
                yield Warning_(item_id=doubt.id, message=message, rule_id="set-aside")
            for note in doubt.notes:
                yield Warning_(item_id=note.record_id, message=note.message, validator_name=note.field)
        if more := mappings.count_doubts(*mine) - len(listed):
            yield Warning_(item_id="", message=f"{more} further warnings are not listed.", rule_id="more")


def _decoded(decode: Callable[[RawRow], Any], rows: Sequence[RawRow]) -> dict[str, Any]:
    """The payload of each row, by its id."""
    found: dict[str, Any] = {}
    for row in rows:
        try:
            found[row.id] = decode(row)
        except Exception as error:  # whatever is wrong with one record must not touch its neighbours
            found[row.id] = _Unreadable(_reason(error))
    return found


def _made(
    one: _Type,
    making: Making,
    books: Any,
    rows: Sequence[RawRow],
    payloads: Mapping[str, Any],
    aside: dict[str, str],
    notes: dict[str, list[Note]],
) -> list[Prepared]:
    """The records of a batch; `aside` is told why some rows of it made none, `notes` what is doubtful about others."""
    resource, map_ = making.resource, making.map
    oldest = "" if one.history_from is None else one.history_from.isoformat(timespec="seconds")
    prepared: list[Prepared] = []
    for row in rows:
        payload, before = payloads[row.id], len(prepared)
        if isinstance(payload, _Unreadable):
            aside[row.id] = payload.reason
            continue
        noted: list[Note] | None = None
        try:
            for item in map_(payload, books):
                if isinstance(item, Note):
                    noted = [*(noted or ()), item]
                    continue
                assert isinstance(item, Mapped)
                record = item.record
                modified = getattr(record, "source_modified_date", None)
                if oldest and modified is not None and modified < oldest:
                    continue
                prepared.append(
                    Prepared(
                        getattr(record, "id", one.name),
                        encode(record),
                        _supplemental(item.supplemental),
                        resource,
                        row.id,
                        modified,
                        record,
                    )
                )
        except Exception as error:  # likewise
            aside[row.id] = _reason(error)
            del prepared[before:]
            continue
        if noted:
            notes.setdefault(row.id, []).extend(noted)
    return prepared


def _reason(error: Exception) -> str:
    return (
        str(error) if isinstance(error, (msgspec.ValidationError, ValueError)) else f"{type(error).__name__}: {error}"
    )


def _supplemental(content: Mapping[str, Any]) -> bytes | None:
    held = {name: value for name, value in content.items() if value is not None}
    return _supplement.encode(held) if held else None

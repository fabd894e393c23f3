"""The ledger row by row: what the records' postings come to, one row a leg, made anew whenever it is asked for.

Nothing is stored but the row ids of the last windows. A row's id is its record's, followed by its place among the
record's legs: it stays through every change to other records. Opening balances are no rows
(https://dev.freeagent.com/docs/transactions).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import msgspec

from freeagent_standin.world.books import World
from freeagent_standin.world.entities import Record
from freeagent_standin.world.postings import Leg
from freeagent_standin.world.shelves import Table

_PLACES = 10_000
_WINDOWS_KEPT = 4
_BY_DAY: tuple[Callable[[World], Table[Any]], ...] = (
    lambda world: world.reconciliations,
    lambda world: world.bills,
    lambda world: world.expenses,
    lambda world: world.journal_sets,
    lambda world: world.explanations,
    lambda world: world.vat_filings,
    lambda world: world.provisions,
)
"""Tables whose order is that of the days they post on."""
_BY_ARRIVAL: tuple[Callable[[World], Table[Any]], ...] = (
    lambda world: world.invoices,
    lambda world: world.credit_notes,
    lambda world: world.owned.capital_assets,
)
"""Tables in another order, or with postings on other days than the record's own: looked through whole."""


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One leg of one record."""

    id: int
    day: date
    leg: Leg
    record: Record
    place: int
    """Its place among the record's legs."""


def rows_of(world: World, record: Record) -> Iterator[Row]:
    """Every row of a record; none of one that is not dated, which opens the books."""
    if getattr(record, "dated_on", None) is None:
        return
    place = 0
    for day, legs in world.postings_of(record):
        for leg in legs:
            yield Row(id=record.id * _PLACES + place, day=day, leg=leg, record=record, place=place)
            place += 1


def window(world: World, since: date, until: date, code: str = "") -> array[int]:
    """Ids of the rows within two days (both included), by day and id; of one nominal code, or of a parent's all."""
    key = (since, until, code)
    known = world.windows.get(key)
    if known is not None and known[0] == world.revision:
        return known[1]
    by_day: dict[date, list[int]] = {}
    for record in _records(world, since, until):
        for row in rows_of(world, record):
            if since <= row.day <= until and _is_on(row.leg.code, code):
                by_day.setdefault(row.day, []).append(row.id)
    ids = array("q")
    for day in sorted(by_day):
        ids.extend(sorted(by_day[day]))
    stale = [each for each, (revision, _) in world.windows.items() if revision != world.revision]
    for each in stale:
        del world.windows[each]
    while len(world.windows) >= _WINDOWS_KEPT:
        del world.windows[next(iter(world.windows))]
    world.windows[key] = (world.revision, ids)
    return ids


def row(world: World, row_id: int) -> Row | None:
    """The row with an id, or None when there is none (any more)."""
    number, place = divmod(row_id, _PLACES)
    for table in (*_BY_DAY, *_BY_ARRIVAL):
        record = table(world).get(number)
        if record is not None:
            return next((each for each in rows_of(world, record) if each.place == place), None)
    return None


def _records(world: World, since: date, until: date) -> Iterator[Record]:
    for table in _BY_DAY:
        yield from table(world).between(since.toordinal(), until.toordinal())
    for table in _BY_ARRIVAL:
        yield from table(world)


def _is_on(code: str, wanted: str) -> bool:
    return not wanted or code == wanted or code.partition("-")[0] == wanted

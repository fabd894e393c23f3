"""Where records stand: by id, and in the order a list shows them.

Ids count upwards without reuse, so a table is a Python list with an offset; a list's order is an array of one integer a
record (eight bytes), sorted when it is first asked for and kept sorted from then on. A million bank lines cost their
records and sixteen bytes each.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from freeagent_standin.world.entities import Record

R = TypeVar("R", bound=Record)

_ID_BITS = 32
_ID_MASK = (1 << _ID_BITS) - 1


class Order:
    """Ids sorted by a whole-number key, ties by id; `version` rises with every change to the records behind it."""

    def __init__(self) -> None:
        self._keys = array("q")
        self._is_sorted = True
        self._was_read = False
        self.version = 0

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, record_id: int) -> None:
        """Put an id in its place."""
        packed = (key << _ID_BITS) | record_id
        self.version += 1
        if not self._keys or packed > self._keys[-1]:
            self._keys.append(packed)
        elif self._was_read and self._is_sorted:
            insort(self._keys, packed)
        else:  # still being filled: one sort at the first read is cheaper than a million insertions
            self._keys.append(packed)
            self._is_sorted = False

    def discard(self, key: int, record_id: int) -> None:
        """Take an id out."""
        packed = (key << _ID_BITS) | record_id
        keys = self._sorted()
        place = bisect_left(keys, packed)
        if place < len(keys) and keys[place] == packed:
            del keys[place]
        self.version += 1

    def touch(self) -> None:
        """A record changed in place."""
        self.version += 1

    def ids(self, start: int = 0, stop: int | None = None) -> list[int]:
        """Ids from one position up to another, in rising order."""
        return [packed & _ID_MASK for packed in self._sorted()[start:stop]]

    def position(self, key: int) -> int:
        """How many ids have a smaller key."""
        return bisect_left(self._sorted(), key << _ID_BITS)

    def last_key(self) -> int | None:
        """The greatest key, or None when empty."""
        keys = self._sorted()
        return keys[-1] >> _ID_BITS if keys else None

    def _sorted(self) -> array[int]:
        self._was_read = True
        if not self._is_sorted:
            self._keys = array("q", sorted(self._keys))
            self._is_sorted = True
        return self._keys


class Table(Generic[R]):
    """The records of one resource, with one order a partition (a bank account, or the whole table)."""

    def __init__(
        self,
        name: str,
        *,
        first_id: int,
        key: Callable[[R], int],
        partition: Callable[[R], int] = lambda _record: 0,
    ) -> None:
        self.name = name
        self._first_id = first_id
        self._rows: list[R | None] = []
        self._key = key
        self._partition = partition
        self._orders: dict[int, Order] = {}
        self._live = 0
        self.version = 0

    def __len__(self) -> int:
        return self._live

    def __iter__(self) -> Iterator[R]:
        return (row for row in self._rows if row is not None)

    @property
    def next_id(self) -> int:
        """The id the next record must carry."""
        return self._first_id + len(self._rows)

    @property
    def next_number(self) -> int:
        """The place of the next record among all there ever were, from 1 on: what sub-accounts are numbered by."""
        return len(self._rows) + 1

    def get(self, record_id: int) -> R | None:
        """The record, or None when there is none (any more)."""
        place = record_id - self._first_id
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def __getitem__(self, record_id: int) -> R:
        row = self.get(record_id)
        if row is None:
            raise KeyError(record_id)
        return row

    def order(self, partition: int = 0) -> Order:
        """The order of one partition; empty when nothing is in it."""
        order = self._orders.get(partition)
        if order is None:
            order = self._orders[partition] = Order()
        return order

    def between(self, first: int, last: int) -> Iterator[R]:
        """The records whose keys lie between two, both included, whatever their partition."""
        for order in self._orders.values():
            for record_id in order.ids(order.position(first), order.position(last + 1)):
                yield self[record_id]

    def add(self, record: R) -> None:
        """Append a record that carries `next_id`."""
        if record.id != self._first_id + len(self._rows):
            raise ValueError(f"The next of {self.name} is {self.next_id}, not {record.id}.")
        self._rows.append(record)
        self._live += 1
        self.version += 1
        self.order(self._partition(record)).add(self._key(record), record.id)

    def replace(self, record: R) -> None:
        """Put a newer record in the place of the one with its id."""
        old = self[record.id]
        self._rows[record.id - self._first_id] = record
        self.version += 1
        before, after = (self._partition(old), self._key(old)), (self._partition(record), self._key(record))
        if before == after:
            self.order(before[0]).touch()
        else:
            self.order(before[0]).discard(before[1], record.id)
            self.order(after[0]).add(after[1], record.id)

    def remove(self, record_id: int) -> None:
        """Delete for good; the id is not used again."""
        old = self[record_id]
        self._rows[record_id - self._first_id] = None
        self._live -= 1
        self.version += 1
        self.order(self._partition(old)).discard(self._key(old), record_id)

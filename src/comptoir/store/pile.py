"""Rows put down in any order and taken up in the order of their keys: of any number, in little memory.

Nothing of it outlives the process, and no database is written: what no longer fits goes to a temporary file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

__all__ = ["Pile"]

_IN_MEMORY = 5000  # rows
_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2000")
_T = TypeVar("_T")


class Pile(Generic[_T]):
    """Rows of one type, each under a key; to be taken up once, when all are there."""

    def __init__(self, of: type[_T]) -> None:
        self._encode, self._decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(of).decode
        self._rows: list[tuple[bytes, bytes]] = []
        self._file: sqlite3.Connection | None = None

    def put(self, key: str, row: _T) -> None:
        # As bytes keys stand in the order that Python gives words, whatever is in them.
        self._rows.append((key.encode("utf-8", "surrogatepass"), self._encode(row)))
        if len(self._rows) == _IN_MEMORY:
            self._file = self._put_away(self._file or _file())

    def __iter__(self) -> Iterator[tuple[str, _T]]:
        """In the order of keys; under one key as they were put down."""
        rows: Iterator[tuple[bytes, bytes]]
        if self._file is None:
            rows = iter(sorted(self._rows, key=lambda one: one[0]))
        else:
            rows = self._put_away(self._file).execute("SELECT name, row FROM pile ORDER BY name, rowid")
        for key, row in rows:
            yield key.decode("utf-8", "surrogatepass"), self._decode(row)
        if self._file is not None:
            self._file.close()

    def _put_away(self, file: sqlite3.Connection) -> sqlite3.Connection:
        file.executemany("INSERT INTO pile VALUES (?, ?)", self._rows)
        self._rows = []
        return file


def _file() -> sqlite3.Connection:
    """A file that is gone when it is closed, or the process ends."""
    connection = sqlite3.connect("", isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE pile (name BLOB NOT NULL, row BLOB NOT NULL)")
    return connection

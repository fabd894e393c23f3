"""How far reads have come, live, for people who watch: bars in a terminal, server-sent events in a browser.

Kept in memory only. What must outlast the process stands in the datasets' rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import msgspec

from comptoir.store import ConnectionId

__all__ = ["Board", "Mapped", "Reading", "Snapshot", "Watch"]


class Reading(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One resource being read; `pages` is None until the upstream has told how many there are."""

    resource: str
    pages_done: int
    pages: int | None
    records: int


class Mapped(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One data type being mapped: `done` raw records of so many, and what they made."""

    data_type: str
    done: int
    in_all: int
    records: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All that goes on over one connection; `version` rises with each change."""

    version: int
    reading: tuple[Reading, ...]
    mapping: tuple[Mapped, ...]


class Board:
    """Where syncs write how far they are and watchers look; `told` hears of each change, in the sync's thread."""

    def __init__(self, told: Callable[[ConnectionId, Reading | Mapped], None] | None = None) -> None:
        self.told = told
        self._lock = threading.Lock()
        self._rows: dict[ConnectionId, dict[str, Reading | Mapped]] = {}
        self._versions: dict[ConnectionId, int] = {}

    def watch(self, connection: ConnectionId) -> Watch:
        return Watch(self, connection)

    def tell(self, connection: ConnectionId, row: Reading | Mapped) -> None:
        name = row.resource if isinstance(row, Reading) else row.data_type
        with self._lock:
            self._rows.setdefault(connection, {})[f"{type(row).__name__} {name}"] = row
            self._versions[connection] = self._versions.get(connection, 0) + 1
        if self.told is not None:
            self.told(connection, row)

    def clear(self, connection: ConnectionId) -> None:
        """A run over the connection begins or has ended."""
        with self._lock:
            self._rows.pop(connection, None)
            self._versions[connection] = self._versions.get(connection, 0) + 1

    def now(self, connection: ConnectionId) -> Snapshot:
        with self._lock:
            rows: Mapping[str, Reading | Mapped] = dict(self._rows.get(connection, {}))
            version = self._versions.get(connection, 0)
        return Snapshot(
            version=version,
            reading=tuple(row for row in rows.values() if isinstance(row, Reading)),
            mapping=tuple(row for row in rows.values() if isinstance(row, Mapped)),
        )


class Watch:
    """Writes one connection's part of a board."""

    def __init__(self, board: Board, connection: ConnectionId) -> None:
        self._board, self._connection = board, connection

    def read(self, resource: str, pages_done: int, pages_in_all: int | None, records: int) -> None:
        reading = Reading(resource=resource, pages_done=pages_done, pages=pages_in_all, records=records)
        self._board.tell(self._connection, reading)

    def mapped(self, data_type: str, done: int, in_all: int, records: int) -> None:
        self._board.tell(self._connection, Mapped(data_type=data_type, done=done, in_all=in_all, records=records))

    def clear(self) -> None:
        self._board.clear(self._connection)

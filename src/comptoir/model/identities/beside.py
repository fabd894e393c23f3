"""Two walks side by side: what the source says should be served, and what is, both in the order of their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["Beside", "side_by_side"]

_T = TypeVar("_T")


class Beside(Generic[_T]):
    """The source's rows; `missed` is told of each that no record was met for."""

    def __init__(self, rows: Iterator[tuple[str, _T]], missed: Callable[[str, _T], None]) -> None:
        self._rows, self._missed = rows, missed
        self._next = next(rows, None)

    def of(self, id_: str) -> tuple[str, _T] | None:
        """The row of this id, if there is one; ids must come in ascending order."""
        while (row := self._next) is not None and row[0] < id_:
            self._next = next(self._rows, None)
            self._missed(*row)
        if row is None or row[0] != id_:
            return None
        self._next = next(self._rows, None)
        return row

    def end(self) -> None:
        """No more records will come."""
        while (row := self._next) is not None:
            self._next = next(self._rows, None)
            self._missed(*row)


def side_by_side(*walks: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Several walks in the order of ids, together: each id that any of them has, and what each has of it, or None."""
    heads = [next(walk, None) for walk in walks]
    while ids := [head[0] for head in heads if head is not None]:
        id_ = min(ids)
        row: list[Any] = []
        for place, head in enumerate(heads):
            if head is not None and head[0] == id_:
                row.append(head[1])
                heads[place] = next(walks[place], None)
            else:
                row.append(None)
        yield id_, row

"""A set of very many ids in little memory: a company has millions, and a read remembers all that it met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["Ids"]

_NEIGHBOURS = 9  # numbers that differ in so many last bits share one integer, a bit each
_MASK = (1 << _NEIGHBOURS) - 1
_LONGEST = 18  # digits; a longer number is kept as it is written


class Ids:
    """Grows only. Upstreams number their records one after the other, so that numbers stand close together: such an id
    takes a bit, and some bytes for it and its neighbours together. Any other id is kept as it is."""

    __slots__ = ("_blocks", "_count", "_others")

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        self._others: set[str] = set()
        self._count = 0

    def update(self, ids: Iterable[str]) -> int:
        """Add ids; tells how many of them were new."""
        before, blocks, others = self._count, self._blocks, self._others
        for id_ in ids:
            if _is_plain(id_):
                number = int(id_)
                place, bit = number >> _NEIGHBOURS, 1 << (number & _MASK)
                held = blocks.get(place, 0)
                if not held & bit:
                    blocks[place] = held | bit
                    self._count += 1
            elif id_ not in others:
                others.add(id_)
                self._count += 1
        return self._count - before

    def __contains__(self, id_: str) -> bool:
        if not _is_plain(id_):
            return id_ in self._others
        number = int(id_)
        return bool(self._blocks.get(number >> _NEIGHBOURS, 0) >> (number & _MASK) & 1)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        """In no order."""
        for place, held in self._blocks.items():
            for bit in range(1 << _NEIGHBOURS):
                if held >> bit & 1:
                    yield str((place << _NEIGHBOURS) + bit)
        yield from self._others

    def __le__(self, other: Ids) -> bool:
        return self._others <= other._others and all(
            not held & ~other._blocks.get(place, 0) for place, held in self._blocks.items()
        )


def _is_plain(id_: str) -> bool:
    """Whether it is a number, written in the one way that Python writes it."""
    return id_.isdecimal() and id_.isascii() and (id_[0] != "0" or id_ == "0") and len(id_) <= _LONGEST

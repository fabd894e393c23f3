"""Finds the few records of a long list that are gone, with few calls: the list is halved until a page holds the gap.

By days where the list can be cut by days, else by its pages in an order of time. What is found is only missing from
the list; whether it is gone is asked of each by itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

import msgspec

from comptoir.integrations.contract import ByDay, InOrder

__all__ = ["missing"]

PageOf = Callable[[tuple[tuple[str, str], ...], int], tuple[list[str], bool]]  # (parameters, number): ids, has more
_T = TypeVar("_T", int, str)
CountOf = Callable[[tuple[tuple[str, str], ...]], int | None]


class _Unclear(Exception):
    """The counts contradict one another: the list moves, or is cut in another way than was thought."""


class _Gap(msgspec.Struct, frozen=True):
    """Days that hold what is missing: all that is held of them but what was met."""

    first: str
    last: str
    met: frozenset[str] = frozenset()


def missing(
    how: ByDay | InOrder,
    held: Callable[[], Iterable[tuple[str | None, str]]],
    total: int,
    *,
    page_of: PageOf,
    count_of: CountOf,
    page_size: int,
) -> frozenset[str] | None:
    """Ids of what is held that a list of `total` records lacks; None where it cannot be told with fewer calls than the
    list has pages. `held` gives pairs of a day, or a moment, and an id, in any order and anew at each call; with None
    for a place nothing can be told."""
    budget = [-(-total // page_size)]

    def spend() -> None:
        budget[0] -= 1
        if budget[0] < 0:
            raise _Unclear

    def count(params: tuple[tuple[str, str], ...]) -> int:
        spend()
        if (counted := count_of(params)) is None:
            raise _Unclear
        return counted

    def page(params: tuple[tuple[str, str], ...], number: int) -> tuple[list[str], bool]:
        spend()
        return page_of(params, number)

    try:
        if isinstance(how, ByDay):
            # Days are counted and not kept with their ids: a bank account has a million lines.
            days = _placed(Counter(day for day, _ in held()).items())
            live = sum(lines for _, lines in days)
            gaps = _by_days(how, days, total, page, count, page_size)
            found = frozenset(id_ for day, id_ in held() if _is_in(gaps, day, id_)) if gaps else frozenset()
        else:
            ordered = _placed(held())
            live, found = len(ordered), _in_order(how, ordered, total, page, page_size)
    except _Unclear:
        return None
    return found if len(found) == live - total else None


def _placed(rows: Iterable[tuple[str | None, _T]]) -> list[tuple[str, _T]]:
    placed: list[tuple[str, _T]] = []
    for place, row in rows:
        if place is None:
            raise _Unclear
        placed.append((place, row))
    return sorted(placed)


def _is_in(gaps: Sequence[_Gap], day: str | None, id_: str) -> bool:
    place = bisect_right(gaps, day or "", key=lambda gap: gap.first) - 1
    return place >= 0 and (day or "") <= gaps[place].last and id_ not in gaps[place].met


def _by_days(
    how: ByDay,
    days: Sequence[tuple[str, int]],
    total: int,
    page: PageOf,
    count: Callable[[tuple[tuple[str, str], ...]], int],
    page_size: int,
) -> list[_Gap]:
    """Where records are missing among `days`, with how many are held of each, of which the list has `total`."""
    live = sum(lines for _, lines in days)
    if total > live:
        raise _Unclear
    if total == live:
        return []
    first, last = days[0][0], days[-1][0]
    if not total:
        return [_Gap(first, last)]
    if live <= page_size or first == last:
        met: set[str] = set()
        number, has_more = 0, True
        while has_more:
            number += 1
            ids, has_more = page(how.between(first, last), number)
            met.update(ids)
        return [_Gap(first, last, frozenset(met))]
    # Days are not cut: the half ends before the day in the middle, or behind it where that is the first one.
    counted = list(accumulate(lines for _, lines in days))
    cut = bisect_right(counted, live // 2) or 1
    left, right = days[:cut], days[cut:]
    in_left = count(how.between(first, left[-1][0]))
    return [
        *_by_days(how, left, in_left, page, count, page_size),
        *_by_days(how, right, total - in_left, page, count, page_size),
    ]


def _in_order(
    how: InOrder, held: Sequence[tuple[str, str]], total: int, page: PageOf, page_size: int
) -> frozenset[str]:
    """Pages of the list, put in the same order as what is held: where a record stands tells how many lack before it."""
    moments = [moment for moment, _ in held]
    moment_of = {id_: moment for moment, id_ in held}
    fetched: dict[int, list[str]] = {}

    def ids_of(number: int) -> list[str]:
        if number not in fetched:
            fetched[number], _ = page(how.params, number)
        return fetched[number]

    def between(listed: tuple[int, int], kept: tuple[int, int]) -> frozenset[str]:
        """Missing among the held of `kept`, which stand in the places `listed` of the list."""
        lacking = (kept[1] - kept[0]) - (listed[1] - listed[0])
        if lacking < 0:
            raise _Unclear
        if not lacking:
            return frozenset()
        first, last = listed[0] // page_size + 1, max(listed[0], listed[1] - 1) // page_size + 1
        middle = (first + last) // 2
        if last - first <= 1 and middle in fetched:
            met = {id_ for number in range(first, last + 1) for id_ in ids_of(number)}
            return frozenset(id_ for _, id_ in held[kept[0] : kept[1]] if id_ not in met)
        ids = ids_of(middle)
        if not ids or any(id_ not in moment_of for id_ in ids):
            raise _Unclear
        latest = moment_of[ids[-1]]
        earlier = sum(moment_of[id_] < latest for id_ in ids)
        if not earlier:
            raise _Unclear  # all of one moment: their order is not known
        place, rank = (middle - 1) * page_size + earlier, bisect_left(moments, latest)
        if not (listed[0] < place < listed[1] and kept[0] < rank < kept[1]):
            met = {id_ for number in range(first, last + 1) for id_ in ids_of(number)}
            return frozenset(id_ for _, id_ in held[kept[0] : kept[1]] if id_ not in met)
        return between((listed[0], place), (kept[0], rank)) | between((place, listed[1]), (rank, kept[1]))

    return between((0, total), (0, len(held)))

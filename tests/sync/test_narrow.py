"""A gap in a long list is found by halving it: fewer calls than pages, and never a guess."""

from __future__ import annotations

import random

import pytest

from comptoir.integrations.contract import ByDay, InOrder
from comptoir.sync import narrow

DAYS = ByDay(first="from", last="to", day=lambda _: None)
ORDER = InOrder(params=(("sort", "created_at"),), moment=lambda _: None)
SIZE = 10


class Upstream:
    """A list of (day or moment, id), in an order of its own where moments are alike."""

    def __init__(self, rows: list[tuple[str, str]]) -> None:
        self.rows, self.calls = rows, 0

    def _within(self, params: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        asked = dict(params)
        return [row for row in self.rows if asked.get("from", "") <= row[0] <= asked.get("to", "~")]

    def count_of(self, params: tuple[tuple[str, str], ...]) -> int | None:
        self.calls += 1
        return len(self._within(params))

    def page_of(self, params: tuple[tuple[str, str], ...], number: int) -> tuple[list[str], bool]:
        self.calls += 1
        rows = self._within(params)
        return [id_ for _, id_ in rows[(number - 1) * SIZE : number * SIZE]], number * SIZE < len(rows)

    def lacks(self, how: ByDay | InOrder, held: list[tuple[str, str]]) -> frozenset[str] | None:
        return narrow.missing(
            how, lambda: held, len(self.rows), page_of=self.page_of, count_of=self.count_of, page_size=SIZE
        )


def held(seed: int, count: int, *, alike: int) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    moments = sorted(rng.randrange(count // alike) for _ in range(count))
    return [(f"{moment:06d}", f"{place:04d}") for place, moment in enumerate(moments)]


@pytest.mark.parametrize("how", [DAYS, ORDER], ids=["by days", "in order"])
@pytest.mark.parametrize("seed", range(40))
def test_what_is_missing_is_found_or_it_is_said_that_it_could_not_be(how: ByDay | InOrder, seed: int) -> None:
    rng = random.Random(seed)
    rows = held(seed, 400, alike=rng.choice((1, 3, 30)))
    gone = set(rng.sample(rows, rng.choice((1, 1, 2, 5))))
    upstream = Upstream([row for row in rows if row not in gone])

    found = upstream.lacks(how, rows)

    assert found is None or found == frozenset(id_ for _, id_ in gone)
    assert upstream.calls <= 40


@pytest.mark.parametrize("how", [DAYS, ORDER], ids=["by days", "in order"])
@pytest.mark.parametrize("place", [0, 1, 9, 10, 200, 398, 399])
def test_one_gap_takes_few_calls_wherever_it_is(how: ByDay | InOrder, place: int) -> None:
    rows = [(f"{number:06d}", f"{number:04d}") for number in range(400)]
    upstream = Upstream(rows[:place] + rows[place + 1 :])

    assert upstream.lacks(how, rows) == frozenset({f"{place:04d}"})
    assert upstream.calls <= 9


def test_a_list_that_contradicts_itself_is_not_guessed_at() -> None:
    rows = [(f"{number:06d}", f"{number:04d}") for number in range(400)]
    upstream = Upstream(rows[::-1][1:])  # not in the order that was asked for

    assert upstream.lacks(ORDER, rows) is None

"""Rows are taken up in the order of their keys, and however many there are, few stay in memory."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from random import Random

import msgspec
import pytest

from comptoir.store.pile import Pile


class Row(msgspec.Struct, frozen=True, array_like=True):
    number: int
    amount: Decimal | None = None


@pytest.mark.parametrize("count", [0, 1, 300, 12_000])
def test_rows_come_in_the_order_of_their_keys_and_under_one_as_they_were_put(count: int) -> None:
    chance, pile = Random(count), Pile(Row)
    put = [(chance.choice(("é", "", "a\x00b", "\U0001f600")) + str(chance.randrange(999)), n) for n in range(count)]

    for key, number in put:
        pile.put(key, Row(number, Decimal("0.30")))

    taken = [(key, row.number) for key, row in pile]
    assert taken == sorted(put, key=lambda one: one[0])


def test_amounts_come_back_digit_by_digit() -> None:
    pile = Pile(Row)
    pile.put("a", Row(1, Decimal("-123456789012345678901234567890.123456789")))
    pile.put("b", Row(2, None))

    assert [str(row.amount) for _, row in pile] == ["-123456789012345678901234567890.123456789", "None"]


def test_many_rows_take_little_memory() -> None:
    pile = Pile(Row)
    tracemalloc.start()
    try:
        for number in range(30_000):
            pile.put(str(number * 7 % 30_000), Row(number))
        total = sum(1 for _ in pile)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert total == 30_000
    assert peak < 2 * 2**20

"""Many ids in little memory: they behave as any set of words does, whatever the words look like."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from comptoir.sync.ids import Ids

_numbers = st.integers(min_value=0, max_value=2000).map(str) | st.integers(min_value=10**16, max_value=10**20).map(str)
_words = _numbers | st.sampled_from(
    ["", "007", "00", "-1", "+1", " 1", "1_0", "\u0663", "\u00b2", "1e3", "a", "\x00/1/0"]
)
_some = st.lists(_words, max_size=30)


@given(_some, _some, _words)
def test_ids_are_held_as_a_set_holds_them(first: list[str], then: list[str], asked: str) -> None:
    ids, others = Ids(), Ids()

    news = ids.update(first), ids.update(then)
    others.update(then)

    assert news == (len(set(first)), len(set(then) - set(first)))
    assert sorted(ids) == sorted({*first, *then})
    assert len(ids) == len({*first, *then})
    assert (asked in ids) is (asked in first or asked in then)
    assert (ids <= others) is (set(first) <= set(then))
    assert others <= ids


def test_a_hundred_thousand_numbers_close_together_take_less_than_a_megabyte() -> None:
    ids = Ids()
    tracemalloc.start()
    try:
        ids.update(str(number) for number in range(40_000_000, 40_300_000, 3))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(ids) == 100_000
    assert held < 2**20

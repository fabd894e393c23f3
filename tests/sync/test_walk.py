"""How a list is walked, whatever its upstream tells or leaves untold: to its end, and no further."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.sync.conftest import HouseOf
from tests.sync.standin import standing_in

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database
from comptoir.store.datasets import Status
from comptoir.sync.walk import Walk, unread

NOON = datetime(2026, 3, 31, 12, 0, 0, tzinfo=UTC)
CONTACTS = next(one for one in FREEAGENT.resources if one.name == "contacts")
SIZE = 100


def walked(pages: list[list[str]], *, total: int | None = None, link: bool = True) -> tuple[Walk, list[int]]:
    """A walk over a list; what lies behind its last page is that page again. And the pages it asked for, in order."""
    walk = Walk(CONTACTS, 1, {"": ()})
    asked, to_ask = [], [1]
    while to_ask:
        number = to_ask.pop(0)
        asked.append(number)
        assert len(asked) < 50, "it does not end"
        ids = pages[min(number, len(pages)) - 1]
        has_next = number < len(pages) if link else None
        to_ask += walk.page_came("", number, total=total, has_next=has_next, ids=ids, page_size=SIZE)
    return walk, asked


def ids(first: int, count: int) -> list[str]:
    return [str(number) for number in range(first, first + count)]


THREE = [ids(0, 100), ids(100, 100), ids(200, 50)]


@pytest.mark.parametrize(("total", "link", "pages"), [
    (250, True, [1, 2, 3]),
    (250, False, [1, 2, 3]),
    (None, True, [1, 2, 3]),
    (120, True, [1, 2, 3]),  # a total that is too small
    (120, False, [1, 2, 3]),
])  # fmt: skip
def test_a_list_is_read_to_its_end(total: int | None, link: bool, pages: list[int]) -> None:
    walk, asked = walked(THREE, total=total, link=link)

    assert asked == pages
    assert len(walk.seen) == 250
    assert walk.stood_still() is (total in (250, None))


def test_where_nothing_tells_of_more_pages_only_an_empty_one_ends_the_list() -> None:
    walk, asked = walked([*THREE, []], link=False)

    assert asked == [1, 2, 3, 4]
    assert walk.stood_still()


def test_a_server_that_gives_fewer_records_a_page_than_asked_for_is_read_to_its_end() -> None:
    _, asked = walked([ids(0, 25), ids(25, 25), ids(50, 10)], total=60)

    assert asked == [1, 2, 3]


def test_a_list_whose_length_changed_while_it_was_read_has_moved() -> None:
    """One is gone behind the reader, and another slipped over a page boundary: as many as are left were met."""
    walk = Walk(CONTACTS, 1, {"": ()})
    for number, (page, total) in enumerate(((ids(0, 100), 250), (ids(101, 100), 249), (ids(201, 49), 249)), start=1):
        walk.page_came("", number, total=total, has_next=number < 3, ids=page, page_size=SIZE)

    assert not walk.stood_still()


@pytest.mark.parametrize("total", [None, 50])
def test_a_list_that_ignores_page_numbers_ends_where_it_repeats_itself(total: int | None) -> None:
    walk = Walk(CONTACTS, 1, {"": ()})
    asked, to_ask = 0, [1]
    while to_ask:
        number = to_ask.pop()
        asked += 1
        to_ask += walk.page_came("", number, total=total, has_next=True, ids=ids(0, 100), page_size=SIZE)

    assert asked == 2
    assert not walk.stood_still()


def test_unreadable_records_alone_do_not_make_a_list_without_end() -> None:
    walk = Walk(CONTACTS, 1, {"": ()})

    first = walk.page_came("", 1, total=None, has_next=None, ids=["1", unread("", 1, 1)], page_size=SIZE)
    then = walk.page_came("", 2, total=None, has_next=None, ids=[unread("", 2, 0)], page_size=SIZE)

    assert (first, then) == ([2], [])


def test_a_list_of_absurd_length_fails_with_a_sentence() -> None:
    walk = Walk(CONTACTS, 1, {"": ()})

    assert walk.page_came("", 100_000, total=None, has_next=True, ids=["1"], page_size=SIZE) == []
    assert walk.outcome.message == "The list contacts has not ended after 100,000 pages."


def test_an_answer_with_older_records_did_not_hear_what_was_asked() -> None:
    walk = Walk(CONTACTS, 1, {"": ()})
    walk.begin("", made_after=NOON, now=NOON)
    window = walk.windows[""]

    assert window.is_not_heard(None, [NOON, NOON.replace(hour=11)], page_size=SIZE)
    assert not window.is_not_heard(None, [NOON, None], page_size=SIZE)


def test_what_changed_in_the_second_in_which_a_read_began_may_not_be_in_it() -> None:
    walk = Walk(CONTACTS, 1, {"": ()})
    walk.begin("", made_after=NOON.replace(microsecond=700_000), now=NOON)

    assert not walk.has_begun_after(NOON, NOON)
    assert walk.has_begun_after(NOON.replace(hour=11), NOON)


@pytest.mark.slow
@pytest.mark.parametrize("drop", [("Link",), ("X-Total-Count",), ("Link", "X-Total-Count")])
def test_books_are_whole_without_the_headers_that_tell_of_pages(
    db: Database, tmp_path: Path, house_of: HouseOf, drop: tuple[str, ...]
) -> None:
    with standing_in(tmp_path / "stand-in", books=700, seed=3) as standin:
        standin.fault({"pathRegex": "^/v2/[a-z_]+$"}, "headers", drop=drop)
        house = house_of(db, standin)

        ended = house.sync()
        standin.heal()
        served = standin.served()

    assert {one.status for one in ended.values()} == {Status.COMPLETE}
    assert not [one.message for dataset in ended.values() for one in dataset.warnings if "kept" in one.message]
    held = house.raw()
    for resource in ("contacts", "invoices", "bills", "bank_transactions", "bank_transaction_explanations"):
        assert held[resource] == served[resource], resource

"""What mapping has yet to follow: told by a number that only rises, with what the rows were before they changed."""

from __future__ import annotations

import _sqlite3
import ctypes

import pytest
from tests.store.house import NOON, House, arrived

from comptoir.integrations.contract import Note
from comptoir.store import changes, mappings, raw
from comptoir.store.mappings import Doubt, Mapping


def close(house: House) -> int:
    with house.db.write() as tx:
        return changes.close(tx, house.tenant, house.connection)


def ids(house: House, since: int, resource: str = "invoices") -> set[str]:
    with house.db.read() as tx:
        return changes.ids(tx, house.tenant, house.connection, resource, since)


def gone(house: House, *ids: str) -> None:
    with house.db.write() as tx:
        raw.mark_deleted(tx, house.tenant, house.connection, "invoices", ids, NOON)


def mapped(house: House, data_type: str, mark: int) -> None:
    with house.db.write() as tx:
        mapping = Mapping(mark=mark, basis="basis", version="version", mapped_at=NOON)
        mappings.put(tx, house.tenant, house.connection, data_type, mapping)
        changes.forget(tx, house.tenant, house.connection)


def test_nothing_is_kept_before_the_first_mapping(house: House) -> None:
    house.arrive("invoices", arrived("1"))

    assert ids(house, -1) == set()


def test_rows_new_changed_gone_and_back_have_changed_since_a_mark(house: House) -> None:
    house.arrive("invoices", arrived("1"), arrived("2"), arrived("3"))
    first = close(house)
    house.arrive("invoices", arrived("1"), arrived("2", b"other"), arrived("4"))
    gone(house, "3")
    second = close(house)
    house.arrive("invoices", arrived("3"))

    assert (first, second) == (0, 1)
    assert ids(house, first) == {"2", "3", "4"}
    assert ids(house, second) == {"3"}
    assert ids(house, first, "bills") == set()
    assert ids(house.another_company(), first) == set()


def test_what_a_row_named_before_it_changed_is_told_however_often_it_did(house: House) -> None:
    def named(target: str) -> None:
        house.arrive("invoices", arrived("1", target.encode(), links=[("contact", "contacts", target)]))

    named("7")
    mark = close(house)
    named("8")
    named("9")

    with house.db.read() as tx:
        mine = (tx, house.tenant, house.connection, "invoices")
        assert changes.former_targets(*mine, mark, "contact") == {"7"}
        assert changes.former_targets(*mine, mark, "project") == set()
        assert changes.former_targets(*mine, mark + 1, "contact") == set()


def test_what_changed_rows_name_and_named_is_told_together(house: House) -> None:
    def named(id_: str, target: str, link: str = "contact") -> None:
        house.arrive("invoices", arrived(id_, target.encode(), links=[(link, "contacts", target)]))

    named("1", "7")
    named("2", "8")
    mark = close(house)
    named("1", "9")
    named("3", "6")
    named("4", "5", link="project")

    with house.db.read() as tx:
        mine = (tx, house.tenant, house.connection, "invoices")
        assert changes.targets(*mine, mark, "contact") == {"7", "9", "6"}
        assert changes.targets(*mine, mark + 1, "contact") == set()


def test_of_each_series_the_first_place_that_changed_is_told(house: House) -> None:
    house.arrive("lines", arrived("1", sort_key="a|3"), arrived("2", sort_key="a|5"), arrived("3", sort_key="b|1"))
    mark = close(house)
    house.arrive("lines", arrived("2", b"moved", sort_key="a|4"), arrived("4", sort_key="c|2"))
    house.arrive("lines", arrived("2", b"moved again", sort_key="a|9"))

    with house.db.read() as tx:
        first = changes.first_sort_keys(tx, house.tenant, house.connection, "lines", mark, "|")

    assert first == {"a": "a|5", "c": "c|2"}


def test_what_all_data_types_have_followed_is_forgotten(house: House) -> None:
    mapped(house, "invoices", close(house))
    house.arrive("invoices", arrived("1"))
    second = close(house)
    mapped(house, "bills", second)
    assert ids(house, 0) == {"1"}

    mapped(house, "invoices", second)
    assert ids(house, 0) == set()


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 6])
def test_what_is_forgotten_a_part_at_a_time_is_what_all_have_followed(
    house: House, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(changes, "_AT_ONCE", at_once)
    other = house.another_company()
    for one in (house, other):
        mapped(one, "invoices", close(one))
        one.arrive("bills", arrived("1"), arrived("2"))
        one.arrive("invoices", arrived("1"), arrived("2"))
    second = close(house)
    house.arrive("bills", arrived("0"), arrived("3"))
    house.arrive("invoices", arrived("2", b"other"), arrived("3"))

    mapped(house, "invoices", second)

    assert (ids(house, 0, "bills"), ids(house, 0)) == ({"0", "3"}, {"2", "3"})
    assert (ids(other, 0, "bills"), ids(other, 0)) == ({"1", "2"}, {"1", "2"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL's server deletes in its own memory
def test_many_changes_are_forgotten_in_little_memory(house: House) -> None:
    sqlite = ctypes.CDLL(_sqlite3.__file__)
    if not hasattr(sqlite, "sqlite3_memory_highwater"):
        pytest.skip("this build of Python does not let its SQLite be asked")
    sqlite.sqlite3_memory_used.restype = sqlite.sqlite3_memory_highwater.restype = ctypes.c_int64
    mapped(house, "invoices", close(house))
    owner = (house.tenant, house.connection)
    with house.db.write() as tx:
        changes.keep_new(tx, *owner, "invoices", map(str, range(50_000)))
    second = close(house)
    before = sqlite.sqlite3_memory_used()
    sqlite.sqlite3_memory_highwater(True)

    mapped(house, "invoices", second)

    assert ids(house, 0) == set()
    assert sqlite.sqlite3_memory_highwater(False) - before < 2**20


def test_a_data_type_that_lags_far_behind_is_mapped_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_MOST_KEPT", 2)
    mapped(house, "invoices", close(house))
    house.arrive("invoices", arrived("1"), arrived("2"), arrived("3"))
    mapped(house, "bills", close(house))

    with house.db.read() as tx:
        marks = {name: one.mark for name, one in mappings.of(tx, house.tenant, house.connection).items()}
    assert marks == {"invoices": -1, "bills": 1}
    assert ids(house, 0) == set()


def test_doubts_stand_until_they_are_dropped(house: House) -> None:
    note = Note(record_id="1", field="status", message="odd \x00")
    with house.db.write() as tx:
        mine = (tx, house.tenant, house.connection)
        mappings.put_doubts(
            *mine, "invoices", [Doubt("invoices", "1", None, (note,)), Doubt("invoices", "2", "odd \x00")]
        )
        mappings.put_doubts(*mine, "bills", [Doubt("bills", "1", "odd")])

        assert mappings.doubts(*mine, "invoices", 9) == [
            Doubt("invoices", "2", "odd \x00"),
            Doubt("invoices", "1", None, (note,)),
        ]
        assert mappings.doubts(*mine, "invoices", 1) == [Doubt("invoices", "2", "odd \x00")]
        assert mappings.count_doubts(*mine, "invoices") == 2
        assert mappings.count_aside(*mine, "invoices") == 1
        assert sorted(mappings.aside(*mine)) == [("bills", "1", "bills"), ("invoices", "2", "invoices")]
        mappings.drop_doubts(*mine, "invoices", "invoices", ["2", "nosuch"])
        assert mappings.count_aside(*mine, "invoices") == 0
        mappings.drop_doubts(*mine, "invoices")
        assert mappings.count_doubts(*mine, "invoices") == 0
        assert mappings.count_doubts(*mine, "bills") == 1

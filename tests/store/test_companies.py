"""Companies: names are cleaned, tags are few, and a list by tags is a list like any other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.store.house import LATER, NOON, House

from comptoir.errors import InvalidInput, NotFound
from comptoir.store import companies
from comptoir.store.query import parse


@pytest.mark.parametrize(("given", "becomes"), [
    ("Company (Codat[1])", "Company Codat1"), ("  a   b\t c\n", "a b c"), ("Smith & Sons, Ltd. - 'x'?!@", "Smith & Sons, Ltd. - 'x'?!@"),
    ("snake_case", "snakecase"), ("<b>x</b>", "bxb"), ("Café Ångström 日本 9", "Café Ångström 日本 9"), ("Cafe\u0301", "Café"), ("x" * 500, "x" * 400),
    ("a\x00b", "ab"), ("a\u202eb", "ab"),
])  # fmt: skip
def test_a_name_keeps_only_what_is_allowed(given: str, becomes: str) -> None:
    assert companies.clean_name(given) == becomes


@pytest.mark.parametrize("given", ["", "  ", "()[]", "<>", None, 7, ["a"], "\x00"])
def test_a_name_with_nothing_left_is_refused(given: object) -> None:
    with pytest.raises(InvalidInput, match="Give the company a name made of letters") as told:
        companies.clean_name(given)

    assert told.value.field == "name"


@pytest.mark.parametrize("tags", [
    {str(n): "" for n in range(11)}, {"": "x"}, {"x" * 28: ""}, {"a": "x" * 101}, {"a": 1}, {"a": None}, [], "a",
])  # fmt: skip
def test_tags_beyond_their_limits_are_refused_and_nothing_changes(house: House, tags: object) -> None:
    with pytest.raises(InvalidInput) as told, house.db.write() as tx:
        companies.update(tx, house.tenant, house.company, name="New name", tags=tags)

    assert told.value.field == "tags"
    with house.db.read() as tx:
        assert companies.get(tx, house.tenant, house.company).name == "Toft Bakery"


def test_tags_at_their_limits_are_kept(house: House) -> None:
    tags = {f"{n}" + "é" * 26: "x" * 100 for n in range(10)}

    with house.db.write() as tx:
        assert companies.update(tx, house.tenant, house.company, tags=tags).tags == tags


def test_an_update_changes_what_is_given_and_a_replacement_clears_the_rest(house: House) -> None:
    with house.db.write() as tx:
        made = companies.add(
            tx, house.tenant, name="One", description="first", tags={"a": "1"}, created_by="ann", now=NOON
        )

        assert companies.update(tx, house.tenant, made.id) == made
        changed = companies.update(tx, house.tenant, made.id, name="Two")
        assert (changed.name, changed.description, changed.tags) == ("Two", "first", {"a": "1"})
        assert companies.update(tx, house.tenant, made.id, tags={}).tags == {}
        replaced = companies.replace(tx, house.tenant, made.id, name="Three", description=None, tags=None)
        assert (replaced.name, replaced.description, replaced.tags, replaced.created_by) == ("Three", None, {}, "ann")
        assert companies.list_page(tx, house.tenant, query=parse("description~first")).total == 0
        assert companies.list_page(tx, house.tenant, query=parse("name=three")).total == 1


def test_tags_narrow_a_list_and_its_total(house: House) -> None:
    with house.db.write() as tx:
        for n in range(5):
            companies.add(
                tx,
                house.tenant,
                name=f"C{n}",
                tags={"region": "uk" if n % 2 else "FR", "Team": f"t{n}"},
                created_by=None,
                now=LATER + timedelta(minutes=n),
            )

        found = companies.list_page(tx, house.tenant, tags=parse("region=fr && team!=t0"), page=1, page_size=1)
        assert (found.total, [one.name for one in found.rows]) == (2, ["C2"])
        found = companies.list_page(tx, house.tenant, query=parse("name!=C2"), tags=parse("region~F"), order="-name")
        assert [one.name for one in found.rows] == ["C4", "C0"]
        assert companies.list_page(tx, house.tenant, tags=parse("nosuch!=1")).total == 6


def test_a_list_by_tags_looks_through_any_number_of_companies(sqlite_url: str) -> None:
    """More ids than one statement may name on SQLite (32,766)."""
    from comptoir.store import open_database
    from comptoir.store.tables import COMPANIES

    house = House.built(open_database(sqlite_url))
    with house.db.write() as tx:
        template = dict(tx.execute(COMPANIES.select()).mappings().one())
        tx.execute(COMPANIES.insert(), [template | {"id": f"c{n}", "tags": b'{"a":"1"}'} for n in range(33_000)])

        assert companies.list_page(tx, house.tenant, tags=parse("a=1"), page=330, page_size=100).total == 33_000
    house.db.close()


def test_another_tenants_company_is_unknown_everywhere(house: House, stranger: House) -> None:
    for company in (house.company, "nosuch", "", "a\x00b"):
        text = f"^No company was found with ID {company}$"
        with stranger.db.write() as tx:
            with pytest.raises(NotFound, match=text):
                companies.get(tx, stranger.tenant, company)
            with pytest.raises(NotFound, match=text):
                companies.update(tx, stranger.tenant, company, name="Mine now")
            with pytest.raises(NotFound, match=text):
                companies.replace(tx, stranger.tenant, company, name="Mine now", description=None, tags=None)
            with pytest.raises(NotFound, match=text):
                companies.delete(tx, stranger.tenant, company)
            assert companies.list_page(tx, stranger.tenant, query=parse(f"id={company or 'x'}")).rows == []
    with house.db.read() as tx:
        assert companies.get(tx, house.tenant, house.company).name == "Toft Bakery"
        assert [one.id for one in companies.list_page(tx, stranger.tenant).rows] == [stranger.company]


def test_a_link_page_finds_a_company_by_its_id_alone(house: House, stranger: House) -> None:
    with house.db.read() as tx:
        for one in (house, stranger):
            found = companies.find(tx, one.company)
            assert found is not None
            assert found.tenant_id == one.tenant
        assert companies.find(tx, "nosuch\x00") is None

"""Pages of every list: 25 records, 100 at most, Link and X-Total-Count, in an order that holds."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.freeagent_standin.reader import LISTS, ORIGIN, PER_ACCOUNT, Reader, Row, known

PAGED = (*LISTS, *PER_ACCOUNT)
LINK = re.compile(r'<([^>]+)>; rel="(first|prev|next|last)"')


def needed(reader: Reader, name: str) -> dict[str, Any]:
    """What a list must be asked with to show everything it has."""
    view = {} if name in ("price_list_items", "credit_note_reconciliations", *PER_ACCOUNT) else {"view": "all"}
    if name not in PER_ACCOUNT:
        return view
    return {"bank_account": reader.world.users and next(iter(reader.world.bank_accounts)).id}


def links(header: str) -> dict[str, dict[str, str]]:
    """The query of each address in a Link header, by relation."""
    found = {relation: dict(parse_qsl(urlsplit(url).query)) for url, relation in LINK.findall(header)}
    assert ", ".join(f'<{url}>; rel="{relation}"' for url, relation in LINK.findall(header)) == header
    return found


@pytest.mark.parametrize("name", PAGED)
def test_a_page_holds_25_records_unless_told_otherwise(name: str) -> None:
    reader = Reader(known("medium"))
    query = needed(reader, name)
    rows, headers = reader.page(name, **query)
    total = int(headers["x-total-count"])

    assert len(rows) == min(25, total)
    assert len(reader.page(name, **query, per_page=7)[0]) == min(7, total)
    for odd in (0, -1, "x", "", "1.5", "٣"):
        assert reader.page(name, **query, per_page=odd) == (rows, headers), odd


@pytest.mark.parametrize("name", PAGED)
def test_a_page_holds_100_records_at_most(name: str) -> None:
    reader = Reader(known("medium"))
    query = needed(reader, name)

    hundred = reader.page(name, **query, per_page=100)

    assert len(hundred[0]) == min(100, int(hundred[1]["x-total-count"]))
    assert reader.page(name, **query, per_page=101) == hundred
    assert reader.page(name, **query, per_page=999_999_999) == hundred


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("per_page", [1, 3, 100])
def test_pages_tile_the_list_and_link_to_each_other(name: str, per_page: int) -> None:
    reader = Reader(known("small"))
    query = needed(reader, name) | {"per_page": per_page}
    _, headers = reader.page(name, **query)
    total = int(headers["x-total-count"])
    last = max(1, -(-total // per_page))
    urls: list[str] = []

    for page in range(1, last + 1):
        rows, headers = reader.page(name, **query, page=page)
        found = links(headers["link"])
        urls += [row["url"] for row in rows]
        assert int(headers["x-total-count"]) == total
        expected = {"first": 1, "prev": page - 1} if page > 1 else {}
        expected |= {"next": page + 1, "last": last} if page < last else {}
        assert {relation: int(asked["page"]) for relation, asked in found.items()} == expected
        assert all(asked["per_page"] == str(per_page) for asked in found.values())

    assert len(urls) == len(set(urls)) == total


@pytest.mark.parametrize("name", PAGED)
def test_a_list_of_one_page_has_an_empty_link_header(name: str) -> None:
    reader = Reader(known(1, 2))
    rows, headers = reader.page(name, **needed(reader, name), per_page=100)

    assert headers["link"] == ""
    assert headers["x-total-count"] == str(len(rows))


@pytest.mark.parametrize("name", PAGED)
def test_a_page_past_the_end_is_empty_and_leads_back(name: str) -> None:
    reader = Reader(known("small"))
    query = needed(reader, name)

    rows, headers = reader.page(name, **query, page=50)

    assert rows == []
    assert set(links(headers["link"])) == {"first", "prev"}
    assert headers["x-total-count"] == reader.page(name, **query)[1]["x-total-count"]


@pytest.mark.parametrize("page", [0, -4, "x", "", "1e1"])
def test_an_odd_page_number_is_the_first_page(page: object) -> None:
    reader = Reader(known("small"))

    assert reader.page("invoices", page=page) == reader.page("invoices")


def test_links_keep_the_filters_and_the_origin() -> None:
    reader = Reader(known("medium"))
    account = next(iter(reader.world.bank_accounts)).id
    wanted = {"bank_account": f"{ORIGIN}/v2/bank_accounts/{account}", "from_date": "2025-01-01", "view": "explained"}

    _, headers = reader.page("bank_transactions", **wanted, per_page=10)

    [url] = [url for url, relation in LINK.findall(headers["link"]) if relation == "next"]
    assert url.startswith(f"{ORIGIN}/v2/bank_transactions?")
    assert dict(parse_qsl(urlsplit(url).query)) == wanted | {"page": "2", "per_page": "10"}


def test_bank_lines_come_newest_first_and_explanations_oldest_first() -> None:
    reader = Reader(known("medium"))
    account = next(iter(reader.world.bank_accounts)).id
    lines = [row["dated_on"] for row in reader.all("bank_transactions", bank_account=account)]
    explanations = [row["dated_on"] for row in reader.all("bank_transaction_explanations", bank_account=account)]

    assert lines == sorted(lines, reverse=True)
    assert explanations == sorted(explanations)


SORTS = {
    "contacts": ("name", "created_at", "updated_at"),
    "invoices": ("created_at", "updated_at"),
    "credit_notes": ("created_at", "updated_at"),
    "projects": ("name", "contact_name", "contact_display_name", "created_at", "updated_at"),
    "price_list_items": ("created_at", "code", "updated_at"),
    "stock_items": ("created_at", "description", "updated_at"),
    "tasks": ("name", "created_at", "updated_at"),
}
DEFAULTS = {
    "contacts": "name",
    "projects": "name",
    "tasks": "name",
    "invoices": "created_at",
    "credit_notes": "created_at",
}


@pytest.mark.parametrize(("name", "sort"), [(name, sort) for name, sorts in SORTS.items() for sort in sorts])
def test_a_sortable_list_is_sorted_both_ways(name: str, sort: str) -> None:
    reader = Reader(known("small", 4))
    rising = reader.all(name, sort=sort)
    falling = reader.all(name, sort=f"-{sort}")
    plain = reader.all(name)

    assert [key(row, sort) for row in rising] == sorted(key(row, sort) for row in plain)
    assert [key(row, sort) for row in falling] == sorted((key(row, sort) for row in plain), reverse=True)
    assert urls(rising) == urls(falling) == urls(plain)


@pytest.mark.parametrize("name", LISTS)
def test_a_sort_a_list_does_not_know_is_ignored(name: str) -> None:
    reader = Reader(known("small"))

    assert reader.all(name, sort="colour") == reader.all(name)
    if name in DEFAULTS:
        assert reader.all(name) == reader.all(name, sort=DEFAULTS[name])
    if name not in SORTS:
        assert reader.all(name, sort="-updated_at") == reader.all(name)


def key(row: Row, sort: str) -> str:
    if sort == "name" and "active_projects_count" in row:
        shown = row.get("organisation_name") or f"{row.get('first_name', '')} {row.get('last_name', '')}".strip()
        return str(shown).casefold()
    if sort.startswith("contact"):
        return str(row["contact_name"]).casefold()
    return str(row[sort]).casefold() if sort == "name" else str(row[sort])


def urls(rows: list[Row]) -> set[str]:
    return {row["url"] for row in rows}

"""Generated books pulled over real HTTP: counters tell what was read, lists move between pages, nothing answers 500."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from tests.freeagent_standin.reader import LISTS, PER_ACCOUNT, Reader, Row
from tests.freeagent_standin.shell.conftest import Served

from .conftest import ServeBooks

NO_VIEW = frozenset({"price_list_items", "credit_note_reconciliations", *PER_ACCOUNT})


def pulled(served: Served, name: str, per_page: int = 100, **query: object) -> list[Row]:
    """A whole list, page after page along the links."""
    asked = {"per_page": per_page} | ({} if name in NO_VIEW else {"view": "all"}) | query
    path: str | None = name + "?" + "&".join(f"{key}={value}" for key, value in asked.items())
    rows: list[Row] = []
    while path is not None:
        answer = served.get(path)
        assert answer.status_code == 200, answer.text
        rows += answer.json()[name]
        link = answer.links.get("next")
        path = None if link is None else link["url"].split("/v2/")[1]
    return rows


def pulled_whole(served: Served) -> dict[str, list[Row]]:
    found = {name: pulled(served, name) for name in LISTS}
    for name in PER_ACCOUNT:
        found[name] = [
            row for account in found["bank_accounts"] for row in pulled(served, name, bank_account=account["url"])
        ]
    return found


@pytest.mark.parametrize("size", ["small", "medium"])
def test_counts_and_counters_tell_what_a_full_pull_sees(serve_books: ServeBooks, size: str) -> None:
    served, world = serve_books(size)

    found = pulled_whole(served)

    seen = {name: len(rows) for name, rows in found.items()}
    counts = served.control("GET", "counts")[str(world.id)]
    counters = served.control("GET", "counters")
    assert {name: counts[name] for name in seen} == seen
    assert {name: one["records"] for name, one in counters["byResource"].items()} == seen
    assert counters["records"] == sum(seen.values())
    assert counters["requests"] == sum(one["requests"] for one in counters["byResource"].values())
    assert counters["byStatus"] == {"200": counters["requests"]}


def test_lists_move_between_pages_and_the_books_stay_true(serve_books: ServeBooks) -> None:
    served, world = serve_books("small", page_drift=True)
    before = {row["url"].split("/v2/")[1] for row in Reader(world).all("price_list_items")}

    while_moving = pulled(served, "invoices", per_page=5)
    served.control("POST", "settings", {"pageDrift": False})
    at_rest = pulled(served, "invoices")

    counters = served.control("GET", "counters")
    assert counters["pageDrifts"] >= 5
    read, live = ({row["url"] for row in rows} for rows in (while_moving, at_rest))
    assert read != live
    assert len(live) == world.counts()["invoices"]
    assert sum(Reader(world).trial_balance().values()) == 0
    assert {row["url"].split("/v2/")[1] for row in pulled(served, "price_list_items")} == before


def test_lists_move_as_often_as_asked_for(serve_books: ServeBooks) -> None:
    served, _ = serve_books("small", page_drift=3)

    pulled(served, "expenses", per_page=2)

    assert served.control("GET", "counters")["pageDrifts"] == 3
    assert served.control("GET", "settings")["pageDrift"] == 0


STILL = (
    "users",
    "bank_accounts",
    "bank_feeds",
    "hire_purchases",
    "stock_items",
)  # people stay, and one page has no next


@pytest.mark.parametrize("name", [name for name in (*LISTS, *PER_ACCOUNT) if name not in STILL])
def test_every_list_that_can_move_does(serve_books: ServeBooks, name: str) -> None:
    served, world = serve_books("small", 3, page_drift=1)
    query = {"bank_account": next(iter(world.bank_accounts)).id} if name in PER_ACCOUNT else {}
    before = {row["url"].split("/v2/")[1] for row in Reader(world).all(name)}

    pulled(served, name, per_page=2, **query)

    assert {row["url"].split("/v2/")[1] for row in Reader(world).all(name)} != before
    assert sum(Reader(world).trial_balance().values()) == 0


def test_limits_are_kept_on_the_minute_over_whole_books(serve_books: ServeBooks) -> None:
    served, _ = serve_books("small", limits="5/60,3600/3600,15/60")

    answers = [served.get("company") for _ in range(7)]
    served.control("POST", "clock", {"advanceSeconds": 60})

    assert [one.status_code for one in answers] == [200] * 5 + [429] * 2
    assert answers[-1].text == "You must not exceed 5 requests per 60 seconds"
    assert answers[-1].headers["content-type"].startswith("text/plain")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert served.get("company").status_code == 200


ODD_PATHS = [
    "",
    "company",
    "invoices",
    "invoices/100100001",
    "nothing",
    "é",
    "%00",
    "a" * 3_000,
    "bank_transactions",
]
ODD_PATHS += [
    "token_endpoint",
    "approve_app",
    "categories/001",
    "users/me",
    "invoices/100100001/transitions/mark_as_sent",
]
ODD_VALUES = [
    "",
    "-1",
    "9" * 500,
    "\x00",
    "é",
    "²",
    "2026-02-30",
    "9999-12-31T23:59:59Z",
    "last_²_months",
    "[]",
    "%",
    "x",
]
ODD_BODIES = [b"", b"{", b"[]", b"null", b"\xff", b'{"invoice": 5}', b"grant_type=refresh_token&refresh_token=%00"]
PARAMETERS = [
    "page",
    "per_page",
    "view",
    "sort",
    "updated_since",
    "from_date",
    "to_date",
    "bank_account",
    "contact",
    "x",
]
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_asked_is_answered_in_freeagents_way(serve_books: ServeBooks, seed: int) -> None:
    served, _ = serve_books("small")
    rng = random.Random(seed)
    for _ in range(400):
        method, path = rng.choice(VERBS), rng.choice(ODD_PATHS)
        query: dict[str, Any] = {rng.choice(PARAMETERS): rng.choice(ODD_VALUES) for _ in range(rng.randint(0, 3))}
        answer = served._http.request(
            method,
            f"{served.url}/v2/{path}",
            params=query,
            content=rng.choice(ODD_BODIES),
            headers={
                "Authorization": f"Bearer {served.token}",
                "User-Agent": "test",
                "Content-Type": "application/json",
            },
        )
        assert answer.status_code < 500, (method, path, query, answer.text)
        told = answer.headers["content-type"]
        if answer.status_code >= 400 and method != "HEAD" and path not in ("token_endpoint", "approve_app"):
            assert told.startswith("application/json"), (method, path, told)
            assert "errors" in answer.json()


def test_a_query_of_sixty_thousand_letters_is_answered(serve_books: ServeBooks) -> None:
    served, _ = serve_books(1)

    assert served.get("invoices?colour=" + "b" * 60_000).status_code == 200


def test_the_api_below_v2_without_a_resource_is_not_found_in_json(serve_books: ServeBooks) -> None:
    served, _ = serve_books(1)

    for path in (f"{served.url}/v2", f"{served.url}/v2/"):
        answer = served._http.get(path, headers={"Authorization": f"Bearer {served.token}", "User-Agent": "test"})
        assert answer.status_code == 404
        assert answer.json() == {"errors": {"error": {"message": "Resource not found"}}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("bills", b"%PDF"), ("expenses", b"\xff\xd8\xff"), ("bank_transaction_explanations", b"\x89PNG")],
)
def test_the_link_to_a_file_works_without_token_for_a_minute(serve_books: ServeBooks, name: str, kind: bytes) -> None:
    served, _ = serve_books("small")
    rows = pulled_whole(served)[name] if name in PER_ACCOUNT else pulled(served, name)
    file = next(row["attachment"] for row in rows if "attachment" in row)

    got = served._http.get(file["content_src"])
    forged = served._http.get(file["content_src"][:-1] + "x")
    longer = served._http.get(re.sub(r"expires=\d+", "expires=1999999999", file["content_src"]))
    other = served._http.get(file["content_src_small"].replace("/small", "/original"))
    named = served._http.get(file["content_src"], headers={"Authorization": f"Bearer {served.token}"})
    smaller = [served._http.get(file[f"content_src_{size}"]) for size in ("medium", "small")]
    unknown = served._http.get(f"{served.url}/files/7/original?expires=1999999999&signature=0")
    served.control("POST", "clock", {"advanceSeconds": 70})
    late = served._http.get(file["content_src"])
    again = served.get(file["url"].split("/v2/")[1]).json()["attachment"]["content_src"]

    assert got.content.startswith(kind)
    assert len(got.content) == file["file_size"]
    assert got.headers["content-type"] == file["content_type"]
    assert all(one.content.startswith(b"\x89PNG") for one in smaller)
    assert [one.status_code for one in (got, forged, longer, other, unknown, late)] == [200, *[403] * 5]
    assert named.status_code == 400
    assert served._http.get(again).status_code == 200

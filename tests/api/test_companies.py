"""Companies over the API."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.conftest import House, error_in

from comptoir.store.connections import ConnectionStatus


def test_a_company_is_created_and_read_back(house: House) -> None:
    created = house.ask(
        "POST", "/companies", json={"name": "Company (Codat[1])", "description": "A bakery", "tags": {"region": "uk"}}
    )

    assert created.status_code == 200
    body = created.json()
    assert body["name"] == "Company Codat1"
    assert body["description"] == "A bakery"
    assert body["tags"] == {"region": "uk"}
    assert body["redirect"] == f"http://testserver.local/link/company/{body['id']}"
    assert body["created"] == "2026-03-01T09:30:00Z"
    assert body["dataConnections"] == []
    assert body["products"] == []
    assert body["ownerUserIds"] == []
    assert "lastSync" not in body
    assert house.get(f"/companies/{body['id']}").json() == body


@pytest.mark.parametrize("body", [
    {}, {"name": None}, {"name": ""}, {"name": "()[]"}, {"name": "a", "tags": {"x" * 28: "a"}}, {"name": "a", "tags": {"a": "x" * 101}},
    {"name": "a", "tags": {str(n): "" for n in range(11)}}, {"name": "a", "tags": {"a": 1}}, {"name": "a", "tags": []},
    {"name": "a", "description": 1}, {"name": ["a"]},
])  # fmt: skip
def test_a_company_that_cannot_be_taken_answers_400_and_is_not_made(standing: House, body: dict[str, Any]) -> None:
    error_in(standing.ask("POST", "/companies", json=body), 400)

    assert standing.get("/companies").json()["totalResults"] == 0


def test_patch_changes_only_what_is_sent_and_not_null(house: House) -> None:
    id_ = house.a_company(description="before", tags={"region": "uk"})

    body = house.ask("PATCH", f"/companies/{id_}", json={"name": "After", "description": None, "tags": None}).json()

    assert (body["name"], body["description"], body["tags"]) == ("After", "before", {"region": "uk"})
    assert house.ask("PATCH", f"/companies/{id_}", json={"tags": {}}).json()["tags"] == {}


def test_put_clears_what_is_absent(house: House) -> None:
    id_ = house.a_company(description="before", tags={"region": "uk"})

    body = house.ask("PUT", f"/companies/{id_}", json={"name": "After"}).json()

    assert (body["name"], body.get("description"), body["tags"]) == ("After", None, {})
    error_in(house.ask("PUT", f"/companies/{id_}", json={"description": "no name"}), 400)


def test_a_deleted_company_is_gone_everywhere_below_it(house: House) -> None:
    company, connection = house.a_linked_company()

    deleted = house.ask("DELETE", f"/companies/{company}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert "content-type" not in deleted.headers
    for path in ("", "/connections", f"/connections/{connection}", "/dataStatus", "/data/invoices"):
        assert error_in(house.get(f"/companies/{company}{path}"), 404).startswith("No company was found")
    error_in(house.ask("DELETE", f"/companies/{company}"), 404)


def test_companies_are_paged_with_relative_links(house: House) -> None:
    ids = [house.a_company(f"Company {number}") for number in range(5)]

    body = house.get("/companies?page=2&pageSize=2&query=name%7ECompany&orderBy=-name").json()

    assert [one["id"] for one in body["results"]] == [ids[2], ids[1]]
    assert (body["pageNumber"], body["pageSize"], body["totalResults"]) == (2, 2, 5)
    assert body["_links"] == {
        "self": {"href": "/companies"},
        "current": {"href": "/companies?page=2&pageSize=2&query=name%7ECompany&orderBy=-name"},
        "next": {"href": "/companies?page=3&pageSize=2&query=name~Company&orderBy=-name"},
        "previous": {"href": "/companies?page=1&pageSize=2&query=name~Company&orderBy=-name"},
    }


def test_following_next_links_visits_every_company_once(house: House) -> None:
    ids = {house.a_company(f"R&D = {number}") for number in range(5)}
    seen: list[str] = []
    path: str | None = "/companies?pageSize=2&query=name%7ER%26D"

    while path:
        body = house.get(path).json()
        seen += [one["id"] for one in body["results"]]
        path = body["_links"].get("next", {}).get("href")

    assert len(seen) == 5
    assert set(seen) == ids


def test_without_page_and_page_size_the_first_hundred_are_answered(standing: House) -> None:
    body = standing.get("/companies").json()

    assert (body["pageNumber"], body["pageSize"], body["results"]) == (1, 100, [])
    assert body["_links"] == {"self": {"href": "/companies"}, "current": {"href": "/companies"}}


@pytest.mark.parametrize("page", [2, 3, 10**17])
def test_a_page_past_the_end_is_empty(house: House, page: int) -> None:
    house.a_company()

    body = house.get(f"/companies?page={page}").json()

    assert (body["results"], body["totalResults"], body["pageNumber"]) == ([], 1, page)
    assert "next" not in body["_links"]
    assert ("previous" in body["_links"]) == (page == 2)


@pytest.mark.parametrize("query", [
    "page=0", "page=-1", "page=x", "page=1.5", "page=", "page=%D9%A1", "page=1_0", "page=" + "9" * 5000,
    "pageSize=0", "pageSize=5001", "pageSize=-5", "pageSize=ten", "orderBy=nothing", "orderBy=-", "query=nothing%3D1", "query=name",
    "query=name%3D1%26%26", "query=%7Bname%3D1", "query=" + "a" * 2049, "query=created%7E2020", "tags=region", "tags=region%3Euk", "tags=a%3Db%26%26region%3E%3Duk", "query=a%00%3D1",
    "query=" + "%7B" * 600, "&".join(f"x{number}=1" for number in range(300)),
])  # fmt: skip
def test_what_cannot_be_understood_answers_400(standing: House, query: str) -> None:
    error_in(standing.get(f"/companies?{query}"), 400)


def test_the_documented_texts_of_query_errors_are_used(standing: House) -> None:
    unknown = error_in(standing.get("/companies?query=colour%3Dred"), 400)
    malformed = error_in(standing.get("/companies?query=%26%26"), 400)

    assert unknown.startswith("Error parsing query - Could not resolve property colour on Company")
    assert malformed.startswith("Error parsing query - Malformed query.")


@pytest.mark.parametrize("query", ["name%3DToft", "name=Toft", "name%253DToft", "NAME+%3D+toft"])
def test_a_query_is_understood_encoded_once_twice_or_not_at_all(house: House, query: str) -> None:
    toft = house.a_company("Toft")
    house.a_company("Other")

    [found] = house.get(f"/companies?query={query}").json()["results"]

    assert found["id"] == toft


def test_companies_are_found_by_tags_and_by_their_connections(house: House) -> None:
    linked = house.a_company("Linked", tags={"region": "uk", "owningTeam": "lending"})
    house.a_connection(linked)
    pending = house.a_company("Pending", tags={"region": "fr"})
    house.a_connection(pending, ConnectionStatus.PENDING_AUTH)
    bare = house.a_company("Bare")

    def found(query: str) -> list[str]:
        return [one["id"] for one in house.get(f"/companies?{query}").json()["results"]]

    assert found("query=dataConnections.status%3DLinked") == [linked]
    assert found("query=dataConnections.status!%3DLinked") == [pending, bare]
    assert found("tags=region%20%3D%20uk%20%26%26%20owningTeam%20~%20lend") == [linked]
    states = ("Linked", "PendingAuth", "Unlinked", "Deauthorized")
    chain = "%26%26".join(f"dataConnections.status!%3D{state}" for state in states)
    assert found(f"query={chain}") == [bare]

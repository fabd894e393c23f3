"""Connections over the API: created, found, unlinked, deleted."""

from __future__ import annotations

import pytest
from tests.api.conftest import PLATFORM, House, error_in

from comptoir.store import connections
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status


def test_a_connection_is_created_for_an_enabled_integration(house: House) -> None:
    house.enable()
    company = house.a_company()

    created = house.ask("POST", f"/companies/{company}/connections", json={"platformKey": "FBRH"})

    assert created.status_code == 200
    body = created.json()
    assert body["status"] == "PendingAuth"
    assert body["integrationKey"] == "fbrh"
    assert body["integrationId"] == str(PLATFORM.integration_id)
    assert body["sourceId"] == str(PLATFORM.source_id)
    assert (body["sourceType"], body["platformName"]) == ("Accounting", "FreeAgent")
    assert body["linkUrl"] == f"http://testserver.local/link/companies/{company}/connections/{body['id']}/start"
    assert body["dataConnectionErrors"] == []
    assert house.get(f"/companies/{company}/connections/{body['id']}").json() == body
    assert house.get(f"/companies/{company}").json()["dataConnections"] == [body]
    assert house.get(f"/companies/{company}/connections").json()["results"] == [body]


@pytest.mark.parametrize(
    "body", [b"", b"null", b'"fbrh"', b"{}", b"[]", b'{"platformKey": null}', b'{"platformKey": 1}']
)
def test_a_connection_needs_an_object_with_a_platform_key(standing: House, body: bytes) -> None:
    company = standing.a_company()

    answer = standing.ask("POST", f"/companies/{company}/connections", content=body)

    assert error_in(answer, 400).startswith("Push object DataConnectionArgs must be provided")


@pytest.mark.parametrize("key", ["zzzz", "fbrh", ""])
def test_an_unknown_or_disabled_integration_cannot_be_connected(standing: House, key: str) -> None:
    company = standing.a_company()

    error_in(standing.ask("POST", f"/companies/{company}/connections", json={"platformKey": key}), 404)


def test_a_linked_connection_is_unlinked_and_nothing_else(house: House) -> None:
    company, connection = house.a_linked_company()
    path = f"/companies/{company}/connections/{connection}"
    for status in ("Linked", "PendingAuth", "Deauthorized", "", None, "no such"):
        error_in(house.ask("PATCH", path, json={"status": status}), 400)

    answer = house.ask("PATCH", path, json={"status": "Unlinked"})

    assert (answer.status_code, answer.json()["status"]) == (200, "Unlinked")
    error_in(house.ask("PATCH", path, json={"status": "Unlinked"}), 400)


def test_a_deleted_connection_answers_200_with_an_empty_body_and_is_gone(house: House) -> None:
    company, connection = house.a_linked_company()
    path = f"/companies/{company}/connections/{connection}"

    answer = house.ask("DELETE", path)

    assert (answer.status_code, answer.content) == (200, b"")
    assert error_in(house.get(path), 404) == f"Data connection {connection} not found"
    assert house.get(f"/companies/{company}/connections").json()["results"] == []


def test_a_connection_is_not_found_under_another_company(house: House) -> None:
    _, connection = house.a_linked_company()
    other = house.a_company()

    error_in(house.get(f"/companies/{other}/connections/{connection}"), 404)
    error_in(house.ask("DELETE", f"/companies/{other}/connections/{connection}"), 404)
    error_in(house.ask("PATCH", f"/companies/{other}/connections/{connection}", json={"status": "Unlinked"}), 404)


def test_last_sync_is_the_newest_of_the_companys_connections(house: House) -> None:
    company, connection = house.a_linked_company()
    house.a_dataset(company, connection, "invoices", Status.COMPLETE)
    with house.db.write() as tx:
        connections.set_last_sync(tx, house.tenant, connection, house.clock.now())

    body = house.get(f"/companies/{company}").json()

    assert body["lastSync"] == body["dataConnections"][0]["lastSync"] == "2026-03-01T09:30:03Z"


def test_connections_are_found_by_what_is_told_of_them(house: House) -> None:
    company, linked = house.a_linked_company()
    pending = house.a_connection(company, ConnectionStatus.PENDING_AUTH)
    told = house.get(f"/companies/{company}/connections/{linked}").json()

    def found(query: str, order: str = "created") -> list[str]:
        params = {"query": query, "orderBy": order}
        return [one["id"] for one in house.get(f"/companies/{company}/connections", params=params).json()["results"]]

    for name in ("integrationId", "integrationKey", "sourceId", "sourceType", "platformName"):
        assert found(f"{name}={told[name]}") == [linked, pending], name
        assert found(f"{name}!={told[name]}") == [], name
    assert found("sourceType=accounting&&platformName~free", "-status") == [pending, linked]
    assert found("status=Linked") == found(f"id={linked}") == [linked]
    assert found("created>=2026-03-01T09:30:01Z", "-created") == [pending, linked]
    assert found("lastSync!=2026-01-01") == [linked, pending]  # never read matches nothing but !=
    assert found("lastSync>2000-01-01") == []


def test_companies_are_found_by_what_is_told_of_their_connections(house: House) -> None:
    company, _ = house.a_linked_company()
    house.a_company("Bare")

    def found(query: str) -> list[str]:
        return [one["id"] for one in house.get("/companies", params={"query": query}).json()["results"]]

    for name in ("integrationKey=fbrh", "sourceType=Accounting", "platformName=freeagent"):
        assert found(f"dataConnections.{name}") == [company]
    assert found(f"dataConnections.integrationId={PLATFORM.integration_id}") == [company]
    assert company not in found(f"dataConnections.sourceId!={PLATFORM.source_id}")


@pytest.mark.parametrize(
    "params", [{"query": "colour=red"}, {"query": "linkUrl=a"}, {"orderBy": "errors"}, {"query": "status>Linked"}]
)
def test_connections_refuse_what_cannot_be_queried(standing: House, params: dict[str, str]) -> None:
    company, _ = standing.a_linked_company()

    error_in(standing.get(f"/companies/{company}/connections", params=params), 400)


def test_connections_are_paged(house: House) -> None:
    company, first = house.a_linked_company()
    ids = [first, *(house.a_connection(company, ConnectionStatus.PENDING_AUTH) for _ in range(4))]

    pages = [
        house.get(f"/companies/{company}/connections?page={page}&pageSize=2").json()["results"] for page in (1, 2, 3, 4)
    ]

    assert [[one["id"] for one in page] for page in pages] == [ids[:2], ids[2:4], ids[4:], []]


def test_why_linking_failed_is_told_with_the_connection(house: House) -> None:
    company = house.a_company()
    connection = house.a_connection(company, ConnectionStatus.PENDING_AUTH)
    with house.db.write() as tx:
        connections.record_error(
            tx,
            house.tenant,
            connection,
            status_code=403,
            status_text="User cancelled",
            message="The customer did not approve.",
            now=house.clock.now(),
        )

    [error] = house.get(f"/companies/{company}/connections/{connection}").json()["dataConnectionErrors"]

    assert error == {
        "statusCode": "403",
        "statusText": "User cancelled",
        "errorMessage": "The customer did not approve.",
        "erroredOnUtc": "2026-03-01T09:30:02Z",
        "status": "Active",
        "resolvedOnUtc": None,
    }


def test_another_tenants_connection_answers_exactly_like_an_unknown_one(house: House, neighbour: House) -> None:
    company = house.a_company()
    _, theirs = neighbour.a_linked_company()
    path = f"/companies/{company}/connections/{theirs}"

    for answer in (
        house.get(path),
        house.ask("PATCH", path, json={"status": "Unlinked"}),
        house.ask("DELETE", path),
        house.get(f"{path}/data/invoices"),
        house.ask("POST", f"/companies/{company}/data/queue/invoices?connectionId={theirs}"),
    ):
        assert error_in(answer, 404) == f"Data connection {theirs} not found"

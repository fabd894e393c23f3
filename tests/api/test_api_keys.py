"""API keys over the API: told once, limited, revoked at once."""

from __future__ import annotations

import pytest
from tests.api.conftest import House, error_in, header

from comptoir.access import api_keys


def test_a_deleted_key_is_refused_at_once_and_a_new_one_works_at_once(house: House) -> None:
    created = house.ask("POST", "/apiKeys", json={"name": "second"})
    assert created.status_code == 201
    key = created.json()["apiKey"]
    assert house.get("/companies", key=key).status_code == 200

    deleted = house.ask("DELETE", f"/apiKeys/{created.json()['id']}")

    assert deleted.status_code == 204
    assert deleted.content == b""
    error_in(house.get("/companies", key=key), 401)


def test_the_use_of_a_key_is_noted(house: House) -> None:
    house.get("/companies")

    with house.db.read() as tx:
        [key] = api_keys.all_keys(tx, house.tenant)
    assert key.last_used == house.clock.now()


def test_keys_are_sent_to_nobody_after_they_were_made(house: House) -> None:
    [told] = house.get("/apiKeys").json()["results"]

    assert house.key not in str(told)
    assert told["apiKey"].endswith(house.key[-4:])
    assert header(house.key) not in str(told)


def test_keys_have_limits(house: House) -> None:
    assert error_in(house.ask("POST", "/apiKeys", json={"name": "x" * 51}), 400) == (
        "Max string length (50) for 'name' reached."
    )
    for _ in range(9):
        assert house.ask("POST", "/apiKeys", json={"name": None}).status_code == 201
    error_in(house.ask("POST", "/apiKeys", json={}), 409)
    assert len(house.get("/apiKeys").json()["results"]) == 10


def test_the_last_key_cannot_be_deleted(house: House) -> None:
    [key] = house.get("/apiKeys").json()["results"]

    error_in(house.ask("DELETE", f"/apiKeys/{key['id']}"), 409)
    error_in(house.ask("DELETE", "/apiKeys/nonsense"), 404)

    assert house.get("/apiKeys").status_code == 200


@pytest.mark.parametrize(("body", "name"), [
    (b'{"name": "lending \xc3\xa9"}', "lending \u00e9"), (b'{"name": null}', None), (b"{}", None), (b"", None), (b'{"name": ""}', ""),
    (b'{"name": "%s", "apiKey": "mine", "id": 1}' % (b"x" * 50), "x" * 50),
])  # fmt: skip
def test_a_key_is_told_whole_once_and_has_a_name_or_none(house: House, body: bytes, name: str | None) -> None:
    created = house.ask("POST", "/apiKeys", content=body)

    assert created.status_code == 201
    told = created.json()
    assert told["name"] == name
    assert told["createdDate"] == "2026-03-01T09:30:00Z"
    assert len(told["apiKey"]) >= 43
    [listed] = [one for one in house.get("/apiKeys").json()["results"] if one["id"] == told["id"]]
    assert listed == told | {"apiKey": f"****{told['apiKey'][-4:]}", "lastUsedDate": None}
    with house.db.read() as tx:
        stored = tx.exec_driver_sql("SELECT * FROM api_keys").fetchall()
    assert told["apiKey"] not in str(stored)


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{", b'{"name": 1}', b'{"name": ["a"]}', b'{"name": "a\\u0000"}', b'"name"']
)
def test_a_key_with_no_possible_name_is_not_made(standing: House, body: bytes) -> None:
    error_in(standing.ask("POST", "/apiKeys", content=body), 400)

    assert len(standing.get("/apiKeys").json()["results"]) == 1


def test_a_key_may_revoke_itself(house: House) -> None:
    house.ask("POST", "/apiKeys", json={"name": "second"})
    [mine] = [one for one in house.get("/apiKeys").json()["results"] if one["name"] == "tests"]

    assert house.ask("DELETE", f"/apiKeys/{mine['id'].upper()}").status_code == 204

    error_in(house.get("/apiKeys"), 401)


def test_keys_of_another_tenant_are_neither_listed_nor_revoked(house: House, neighbour: House) -> None:
    [theirs] = neighbour.get("/apiKeys").json()["results"]
    house.ask("POST", "/apiKeys", json={})

    assert theirs["id"] not in house.get("/apiKeys").text
    assert error_in(house.ask("DELETE", f"/apiKeys/{theirs['id']}"), 404) == (
        f"No API key was found with ID {theirs['id']}"
    )
    assert neighbour.get("/companies").status_code == 200

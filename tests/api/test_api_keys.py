"""API keys over the API: told once, limited, revoked at once."""

from __future__ import annotations

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

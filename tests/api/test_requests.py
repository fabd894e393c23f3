"""Who asks, which operation, and the one form of every error."""

from __future__ import annotations

import base64
import dataclasses
import re
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.api.conftest import House, error_in, header, house_in, services_for
from tests.relay import relayed

from comptoir.access import ANYONE
from comptoir.api import OPERATIONS, api
from comptoir.api.routing import Operation
from comptoir.runtime import failpoints
from comptoir.store import companies, open_database

ID = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("value", [
    "Basic {encoded}", "basic {encoded}", "BASIC {encoded}", "Basic {with_colon}", "Basic {after_colon}", "Basic {key}",
])  # fmt: skip
def test_a_key_is_taken_in_every_form_clients_send(standing: House, value: str) -> None:
    key = standing.key
    text = value.format(encoded=_encoded(key), with_colon=_encoded(key + ":"), after_colon=_encoded(":" + key), key=key)

    answer = standing.client.get("/api/companies", headers={"Authorization": text})

    assert answer.status_code == 200


@pytest.mark.parametrize("value", [
    None, "", "Basic", "Basic ", "Basic !!!", "Bearer {key}", "Basic {encoded}x", "Basic " + "A" * 4000, "Basic ====",
])  # fmt: skip
def test_a_wrong_or_missing_key_is_refused_in_the_documented_form(standing: House, value: str | None) -> None:
    headers = {} if value is None else {"Authorization": value.format(key=standing.key, encoded=_encoded("made-up"))}

    answer = standing.client.get("/api/companies", headers=headers)

    assert "API key" in error_in(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("path", [
    "/nothing", "/companies/{id}/nothing", "/companies/{id}/data/nothing", "/", "/companies//", "/companies/{id}/data/bankAccounts",
    "/companies/{id}/data/bankAccounts/1/transactions", "/integrations/fbrh/images", "/%00", "/%ff%fe", "/" + "a/" * 60,
])  # fmt: skip
def test_unknown_paths_answer_404_in_the_documented_form(standing: House, path: str) -> None:
    answer = standing.get(path.format(id=ID))

    if path == "/companies//":  # an empty segment is none
        assert answer.status_code == 200
    else:
        error_in(answer, 404)


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("DELETE", "/companies", "GET, POST"), ("POST", "/companies/{id}", "DELETE, GET, PATCH, PUT"),
    ("PUT", "/companies/{id}/data/invoices", "GET"), ("TRACE", "/profile", "GET, PUT"), ("OPTIONS", "/apiKeys", "GET, POST"),
])  # fmt: skip
def test_other_methods_answer_405_and_say_which_are_allowed(
    standing: House, method: str, path: str, allowed: str
) -> None:
    answer = standing.ask(method, path.format(id=ID))

    assert "not allowed" in error_in(answer, 405)
    assert answer.headers["allow"] == allowed


def test_what_there_is_is_told_only_to_those_with_a_key(standing: House) -> None:
    error_in(standing.client.get("/api/nothing"), 401)
    error_in(standing.client.delete("/api/companies"), 401)


def test_every_answer_carries_rate_limits_a_correlation_id_and_strict_headers(house: House) -> None:
    answers = [house.get("/companies"), house.get("/nothing"), house.client.get("/api/companies")]

    for answer in answers:
        assert int(answer.headers["x-rate-limit-remaining"]) >= 1_000_000
        assert int(answer.headers["x-rate-limit-limit"]) >= 1_000_000
        assert answer.headers["x-rate-limit-reset"] == "2026-03-02T00:00:00Z"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cache-control"] == "no-store"
    ids = [answer.headers["x-correlation-id"] for answer in answers]
    assert len(set(ids)) == 3
    assert answers[1].json()["correlationId"] == ids[1]


@pytest.mark.parametrize(
    "path", ["/COMPANIES", "/Integrations/FBRH", "/integrations/fbrh/BRANDING", "/apikeys", "/Profile/syncsettings"]
)
def test_path_segments_match_in_any_letter_case(standing: House, path: str) -> None:
    assert standing.get(path).status_code == 200


def test_ids_match_in_any_letter_case(house: House) -> None:
    company = house.a_company()

    assert house.get(f"/companies/{company.upper()}").json()["id"] == company


def test_a_content_type_on_a_get_is_never_refused(standing: House) -> None:
    answer = standing.get("/companies", headers={"Content-Type": "application/octet-stream"})

    assert answer.status_code == 200


def test_unknown_query_parameters_and_members_are_ignored(house: House) -> None:
    answer = house.ask("POST", "/companies?shout=true", json={"name": "Toft", "mood": {"happy": [1]}})

    assert answer.status_code == 200
    assert house.get("/companies?shout=true&PAGESIZE=1").json()["pageSize"] == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'"text"', b"\xff\xfe", b'{"name": 5}', b'{"name": "a\\ud800"}', b"[" * 100_000]
)
def test_a_body_that_cannot_be_read_answers_400(standing: House, body: bytes) -> None:
    error_in(standing.ask("POST", "/companies", content=body), 400)


def test_a_body_with_a_null_character_answers_400(standing: House) -> None:
    error_in(standing.ask("POST", "/companies", json={"name": "a", "description": "a\x00b"}), 400)


def test_a_body_that_is_too_large_answers_413(standing: House) -> None:
    error_in(standing.ask("POST", "/companies", content=b" " * (1024 * 1024 + 1)), 413)


def test_a_head_request_answers_like_get_without_a_body(standing: House) -> None:
    answer = standing.ask("HEAD", "/companies")

    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


def test_an_error_of_ours_shows_no_internals(house: House) -> None:
    failpoints.arm("api.answer=error@1")
    try:
        answer = house.ask("POST", "/companies", json={"name": "Toft"})
    finally:
        failpoints.arm(None)

    assert "correlation id" in error_in(answer, 500)
    assert "failpoint" not in answer.text
    assert house.get("/companies").json()["totalResults"] == 0


@pytest.mark.parametrize("path", [
    "/companies/{id}", "/companies/{id}/connections", "/companies/{id}/dataStatus", "/companies/{id}/data/history",
    "/companies/{id}/data/invoices", "/companies/{id}/data/invoices/1", "/companies/{id}/data/info", "/companies/{id}/syncSettings",
    "/companies/{id}/push", "/companies/{id}/reports/agedDebtor/available", "/companies/{id}/data/journals", "/companies/{id}/accessToken",
])  # fmt: skip
@pytest.mark.parametrize("id_", [ID, "nonsense", "a%2Fb", "%00"])
def test_an_unknown_company_answers_404_everywhere(standing: House, path: str, id_: str) -> None:
    sentence = error_in(standing.get(path.format(id=id_)), 404)

    assert sentence.startswith("No company was found with ID ")


def test_another_tenants_company_answers_exactly_like_an_unknown_one(house: House, neighbour: House) -> None:
    theirs = neighbour.a_company()
    connection = neighbour.a_connection(theirs)
    paths = [
        f"/companies/{theirs}",
        f"/companies/{theirs}/data/invoices",
        f"/companies/{theirs}/connections/{connection}",
    ]

    for path in paths:
        assert error_in(house.get(path), 404) == f"No company was found with ID {theirs}"
    assert neighbour.get(f"/companies/{theirs}").status_code == 200
    assert house.get("/companies").json()["totalResults"] == 0


def test_another_tenants_company_is_not_found_by_any_operation(house: House, neighbour: House) -> None:
    theirs = neighbour.a_company()
    connection = neighbour.a_connection(theirs)
    body = {"name": "Toft", "platformKey": "fbrh", "status": "Unlinked", "settings": []}  # good for any of them
    others = {"dataType": "invoices", "platformKey": "fbrh"}
    of_companies = [one for one in OPERATIONS if "{companyId}" in one.path]

    def told(one: Operation, company: str, connection: str) -> str:
        names = {"companyId": company, "connectionId": connection, **others}
        path = re.sub(r"\{(\w+)\}", lambda name: names.get(name[1], ID), one.path)
        answer = house.ask(one.method, f"{path}?periodLength=1&periodsToCompare=1", json=body)
        assert answer.status_code == 404, (one.id, answer.text)
        return error_in(answer, 404).replace(company, "C").replace(connection, "X")

    for one in of_companies:
        assert told(one, theirs, connection) == told(one, str(uuid4()), str(uuid4())), one.id
    assert len(of_companies) > 60
    assert neighbour.get(f"/companies/{theirs}/connections/{connection}").status_code == 200


@pytest.mark.parametrize("body", [
    [{"type": "http.disconnect"}], [{"type": "http.request", "body": b'{"name": "Toft"}', "more_body": True}, {"type": "http.disconnect"}],
    [{"type": "http.request", "body": b'{"name": "To', "more_body": True}, {"type": "http.disconnect"}],
])  # fmt: skip
def test_a_request_that_breaks_off_changes_nothing(house: House, body: list[dict[str, Any]]) -> None:
    status, answer = house.ask_in_bytes(b"/api/companies", method="POST", body=body)

    assert (status, msgspec.json.decode(answer)["statusCode"]) == (400, 400)
    assert house.get("/companies").json()["totalResults"] == 0


def test_what_the_database_cannot_do_now_answers_503_and_says_when_to_come_back(migrated_sqlite_url: str) -> None:
    database = open_database(migrated_sqlite_url)
    with house_in(database) as house:
        with database.write() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.exec_driver_sql(f"PRAGMA max_page_count={pages + 3}")

        answer = house.ask("POST", "/companies", json={"name": "Toft", "description": "x" * 100_000})

        assert "The disk is full" in error_in(answer, 503)
        assert answer.json()["canBeRetried"] == "True"
        assert int(answer.headers["retry-after"]) >= 1
        assert house.get("/companies").json()["totalResults"] == 0  # reading goes on
    database.close()


def test_a_change_that_may_be_done_already_is_not_to_be_repeated_unseen(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with relayed(postgres_url) as relay:
        database = open_database(relay.url)
        with house_in(database) as house:
            add = companies.add

            def lost(*told: Any, **more: Any) -> Any:
                relay.lost_share = 0.0 if relay.lost else 1.0
                return add(*told, **more)

            monkeypatch.setattr(companies, "add", lost)
            answer = house.ask("POST", "/companies", json={"name": "Toft"})
            relay.lost_share = 0.0

            assert "it is not known whether this was done" in error_in(answer, 409)
            assert answer.json()["canBeRetried"] == "Unknown"
            assert "retry-after" not in answer.headers
            assert house.get("/companies").json()["totalResults"] == 1
        database.close()


def test_a_body_is_measured_as_it_arrives_not_as_it_is_announced(standing: House) -> None:
    part = {"type": "http.request", "body": b" " * 65536, "more_body": True}

    status, answer = standing.ask_in_bytes(b"/api/companies", method="POST", body=[part] * 17)

    assert (status, msgspec.json.decode(answer)["statusCode"]) == (413, 413)


def test_a_body_that_is_announced_too_large_is_not_waited_for(standing: House) -> None:
    for length in (b"1048577", b"9" * 5000):
        status, answer = standing.ask_in_bytes(
            b"/api/companies", method="POST", body=(), headers=[(b"content-length", length)]
        )

        assert (status, msgspec.json.decode(answer)["statusCode"]) == (413, 413)


def test_a_body_in_parts_is_read_whole(house: House) -> None:
    parts = [
        {"type": "http.request", "body": part, "more_body": part != b"}"} for part in (b'{"name":', b' "Toft"', b"}")
    ]

    status, answer = house.ask_in_bytes(b"/api/companies", method="POST", body=parts)

    assert (status, msgspec.json.decode(answer)["name"]) == (200, "Toft")


@pytest.mark.parametrize("path", ["/companies", "/companies?page=1", "/openapi.json", "/Companies/"])
def test_an_api_with_a_host_of_its_own_has_no_path_before_it(standing: House, path: str) -> None:
    bare = api(dataclasses.replace(services_for(standing.db, standing.clock), api_url="https://api.example.test"))

    status, body = standing.ask_in_bytes(path.encode(), app=bare)

    assert status == 200
    if "openapi" in path:
        assert msgspec.json.decode(body)["servers"] == [{"url": "https://api.example.test"}]
    else:
        assert msgspec.json.decode(body)["_links"]["self"]["href"].lower() == "/companies"
    assert standing.ask_in_bytes(b"/api/companies", app=bare)[0] == 404


def test_every_operation_refuses_a_missing_key_and_a_wrong_one(standing: House) -> None:
    for operation in OPERATIONS:
        if operation.permission == ANYONE:
            continue
        path = re.sub(r"\{\w+\}", ID, operation.path)
        for headers in ({}, {"Authorization": header("made-up")}):
            answer = standing.client.request(operation.method, f"/api{path}", headers=headers)
            assert "API key" in error_in(answer, 401), operation.id


def test_every_operation_answers_a_nonsensical_request_in_the_documented_form(house: House) -> None:
    for operation in OPERATIONS:
        for id_ in (ID, "nonsense", "%00", "a%2Fb", "%FF"):
            path = re.sub(r"\{\w+\}", id_, operation.path)
            answer = house.ask(operation.method, f"{path}?page=x&query=%7B&orderBy=%00", content=b"\xff{[")
            if answer.status_code not in (200, 204):
                assert answer.status_code in (400, 404, 409), (operation.id, answer.status_code)
                error_in(answer, answer.status_code)


def test_every_path_refuses_other_methods_and_names_its_own(standing: House) -> None:
    by_path: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path.lower(), set()).add(operation.method)
    for path, methods in by_path.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = standing.ask(method, re.sub(r"\{\w+\}", ID, path))
            if answer.status_code != 405:  # a path with a parameter there takes it
                assert answer.status_code in (400, 404, 409), (method, path)
            else:
                assert methods <= set(answer.headers["allow"].split(", "))
            error_in(answer, answer.status_code)

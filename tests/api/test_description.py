"""The API's description of itself agrees with what the API does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.api.conftest import House, Served, error_in

from comptoir.api import OPERATIONS
from comptoir.model import SHAPES

_LISTED = {(one.method.lower(), one.path): one for one in OPERATIONS if one.is_listed}


@pytest.fixture(scope="module")
def described(served: Served) -> Any:
    return served.client.get("/api/openapi.json").json()


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from _references(part)
    elif isinstance(node, list):
        for part in node:
            yield from _references(part)


def test_it_is_told_without_a_key_and_names_where_it_is_served(house: House) -> None:
    answer = house.client.get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.json()["servers"] == [{"url": "http://testserver.local/api"}]


def test_every_operation_is_in_it_with_its_parameters(described: Any) -> None:
    found = {(method, path) for path, methods in described["paths"].items() for method in methods}

    assert found == set(_LISTED)
    names = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))
    for path, methods in described["paths"].items():
        for operation in methods.values():
            in_path = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
            assert in_path == re.findall(r"\{(\w+)\}", path)
            assert ("401" in operation["responses"]) != (operation.get("security") == [])


def test_everything_it_refers_to_is_there(described: Any) -> None:
    schemas = described["components"]["schemas"]

    wanted = {reference.removeprefix("#/components/schemas/") for reference in _references(described)}
    assert wanted <= set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def _breaches(described: Any, schema: dict[str, Any], body: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "components": described["components"]})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(body)][:5]


def _ids(served: Served, path: str) -> dict[str, str]:
    history = served.get(f"/companies/{served.company}/data/history").json()["results"]
    found = {
        "companyId": served.company,
        "connectionId": served.connection,
        "platformKey": "fbrh",
        "datasetId": history[0]["id"],
        "syncId": "latest",
    }
    if "{syncId}" in path:
        syncs = served.get(f"/companies/{served.company}/connections/{served.connection}/syncs").json()["results"]
        found["syncId"] = syncs[0]["id"]
    if "{resource}" in path:
        found |= {"resource": "company", "sourceId": "company"}
    if "{dataType}/{recordId}" in path:
        found |= {"dataType": "invoices", "recordId": served.get(served.base("invoices")).json()["results"][0]["id"]}
    if "{accountId}" in path:
        found["accountId"] = served.base("bankTransactions").split("/")[-2]
    record = re.search(r"/data/(?:bankAccounts/\{accountId\}/)?(\w+)/\{recordId\}", path)
    if record:
        data_type = next(shape.name for shape in SHAPES.values() if shape.path_word == record[1])
        found["recordId"] = served.get(served.base(data_type)).json()["results"][0]["id"]
    return found


_GETS = sorted(
    path
    for method, path in _LISTED
    if method == "get" and not path.endswith(("{image}", "/pdf")) and "{attachmentId}" not in path
)


@pytest.mark.parametrize("path", _GETS)
def test_answers_are_as_it_says(served: Served, described: Any, path: str) -> None:
    operation = described["paths"][path]["get"]

    needed = {one["name"]: 1 for one in operation["parameters"] if one["in"] == "query" and one["required"]}
    answer = served.get(path.format(**_ids(served, path)), params=needed)

    schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    assert answer.status_code == 200, answer.text
    assert _breaches(described, schema, answer.json()) == []


def test_errors_are_as_it_says(served: Served, described: Any) -> None:
    schema = {"$ref": "#/components/schemas/ErrorMessage"}

    for path, status in (("/companies?page=0", 400), ("/companies/x", 404), ("/nothing", 404)):
        answer = served.get(path)
        error_in(answer, status)
        assert _breaches(described, schema, answer.json()) == []

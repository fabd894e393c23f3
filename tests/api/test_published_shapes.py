"""Every operation of the published files that is served answers as they document: status, body and errors."""

from __future__ import annotations

import csv
import re
from functools import cache
from itertools import cycle
from typing import Any

import msgspec
import pytest
from tests.api.conftest import House, Served
from tests.api.published import breaches, error_breaches, responses
from tests.integrations.shared import SHARED, needs_shared

from comptoir.api import OPERATIONS
from comptoir.model import SHAPES
from comptoir.store.datasets import Status

pytestmark = needs_shared

UNKNOWN = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"


class Documented(msgspec.Struct, frozen=True):
    api: str
    operation: str
    method: str
    path: str
    success: int


@cache
def _documented() -> dict[str, Documented]:
    """What operations.csv says FreeAgent can serve in the first wave, by operation."""
    if not SHARED.is_dir():
        return {}
    with (SHARED / "contract" / "operations.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        row["operationId"]: Documented(row["api"], row["operationId"], row["method"], row["path"], int(row["success"]))
        for row in rows
        if row["api"] != "accounting-newer" and row["freeagent"] in ("yes", "partly") and row["wave"] == "1"
    }


def _word(path: str) -> str:
    """A path without the names of its parameters, as two tables of paths are compared."""
    return re.sub(r"\{[^}]*\}", "{}", path).lower()


_SERVED = {(one.method, _word(one.path)) for one in OPERATIONS if one.is_listed}
# Written down with the reason, so that nothing of the first wave is left out unseen.
_LATER = {
    "list-webhook-consumers": "webhooks come later",
    "create-webhook-consumer": "webhooks come later",
    "delete-webhook-consumer": "webhooks come later",
}


def test_every_operation_of_the_first_wave_is_served_or_written_down_as_later() -> None:
    missing = {name for name, one in _documented().items() if (one.method, _word(one.path)) not in _SERVED}

    assert missing == set(_LATER)


def test_success_is_the_documented_status() -> None:
    ours = {(one.method, _word(one.path)): one.success for one in OPERATIONS}

    for one in _documented().values():
        if one.operation not in _LATER:
            assert ours[one.method, _word(one.path)] == one.success, one.operation


# Bytes, without a schema; and what the small world has none of.
_FILES = {f"download-{kind}-attachment" for kind in ("bill", "direct-cost", "direct-income")} | {
    "get-direct-income-attachment",
    "Download-invoice-pdf",
}
_READS = sorted(
    name for name, one in _documented().items() if one.method == "GET" and name not in _LATER.keys() | _FILES
)


def _example(served: Served, path: str) -> dict[str, str]:
    """Ids for the parameters of a path, of things that are there."""
    found = {"companyId": served.company, "connectionId": served.connection, "platformKey": "fbrh"}
    wanted = re.findall(r"\{(\w+)\}", path)
    if "datasetId" in wanted:
        history = served.get(f"/companies/{served.company}/data/history").json()
        found["datasetId"] = history["results"][0]["id"]
    record = re.search(r"/data/(\w+)/\{(\w+)\}", path)
    if record is not None and record[2] not in found:
        data_type = next(shape.name for shape in SHAPES.values() if shape.path_word == record[1])
        found[record[2]] = served.all(data_type)[0]["id"]
    if "attachmentId" in wanted and record is not None:
        base = f"/companies/{served.company}/connections/{served.connection}/data/{record[1]}"
        for one in served.all(record[1]):
            files = served.get(f"{base}/{one['id']}/attachments").json()["attachments"]
            if files:
                found[record[2]], found["attachmentId"] = one["id"], files[0]["id"]
    return found


@pytest.mark.parametrize("operation", _READS)
def test_an_answer_has_the_documented_shape(served: Served, operation: str) -> None:
    one = _documented()[operation]
    path = one.path.format(**_example(served, one.path))

    answer = served.get(path, params={"pageSize": 5000, "periodLength": 2, "periodsToCompare": 3})

    assert answer.status_code == one.success, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert breaches(one.api, responses(one.api, "GET", one.path)[str(one.success)], answer.json())[:5] == []


@pytest.mark.parametrize("operation", [name for name in _READS if "{" in _documented()[name].path])
def test_what_is_not_there_answers_the_documented_error(served: Served, operation: str) -> None:
    one = _documented()[operation]

    path = re.sub(r"\{[^}]*\}", UNKNOWN, one.path)

    answer = served.get(path, params={"periodLength": 1, "periodsToCompare": 1})

    assert answer.status_code == 404
    assert error_breaches(answer.json()) == []


@pytest.mark.parametrize("operation", sorted(_documented().keys() - _LATER.keys()))
def test_a_wrong_key_answers_the_documented_error(served: Served, operation: str) -> None:
    one = _documented()[operation]

    answer = served.ask(one.method, re.sub(r"\{[^}]*\}", UNKNOWN, one.path), key="made-up", json={})

    assert answer.status_code == 401
    assert error_breaches(answer.json()) == []


@pytest.mark.parametrize(
    "operation",
    [
        name
        for name in _READS
        if name.startswith("list-") and name != "list-api-keys" and not name.endswith("-attachments")
    ],
)
def test_a_query_that_cannot_be_read_answers_the_documented_error(served: Served, operation: str) -> None:
    one = _documented()[operation]
    path = one.path.format(**_example(served, one.path))

    for params in ({"query": "no such thing"}, {"page": "0"}, {"orderBy": "nothing"}):
        answer = served.get(path, params=params)
        assert answer.status_code == 400, params
        assert error_breaches(answer.json()) == []


class Write(msgspec.Struct, frozen=True):
    """A call that changes something: what it needs to be there, and its body."""

    operation: str
    body: Any = None
    state: str = "company"


_SETTING = {"dataType": "invoices", "fetchOnFirstLink": True, "syncSchedule": 24, "syncOrder": 0}
_WRITES = (
    Write("create-company", {"name": "Toft Bakery", "description": "a", "tags": {"region": "uk"}}),
    Write("replace-company", {"name": "Toft Bakery"}),
    Write("update-company", {"description": "b"}),
    Write("delete-company"),
    Write("create-connection", {"platformKey": "fbrh"}),
    Write("delete-connection", state="linked"),
    Write("unlink-connection", {"status": "Unlinked"}, state="linked"),
    Write("set-company-syncSettings", {"settings": [_SETTING], "overridesDefaults": True}),
    Write("update-profile-syncSettings", {"settings": [_SETTING], "overridesDefaults": True}),
    Write("refresh-company-data", state="linked"),
    Write("refresh-data-type", state="linked"),
    Write("refresh-company-info", state="linked"),
    Write("update-profile", {"name": "Lender", "redirectUrl": "https://lender.example/"}),
    Write("create-api-key", {"name": "second"}),
    Write("delete-api-key", state="key"),
)


def test_every_call_that_changes_something_is_tried() -> None:
    changing = {name for name, one in _documented().items() if one.method != "GET"}

    assert {one.operation for one in _WRITES} == changing - set(_LATER)


@pytest.mark.parametrize("write", [pytest.param(one, id=one.operation) for one in _WRITES])
def test_a_change_answers_as_documented(standing: House, write: Write) -> None:
    one = _documented()[write.operation]
    standing.enable()
    company = standing.a_company()
    connection = standing.a_connection(company) if write.state == "linked" else UNKNOWN
    key = standing.ask("POST", "/apiKeys", json={}).json()["id"] if write.state == "key" else UNKNOWN
    path = one.path.format(companyId=company, connectionId=connection, dataType="invoices", apiKeyId=key)

    answer = standing.ask(one.method, path, **({} if write.body is None else {"json": write.body}))

    assert answer.status_code == one.success, answer.text
    body = answer.json() if answer.content else None
    assert breaches(one.api, responses(one.api, one.method, one.path)[str(one.success)], body)[:5] == []


def test_reads_in_any_state_have_the_documented_shape(house: House) -> None:
    company, connection = house.a_linked_company()

    for data_type, status in zip(cycle(SHAPES), reversed(Status), strict=False):  # ended ones first
        facts = {"error_message": "why", "status_description": "how"}
        house.a_dataset(company, connection, data_type, status, **facts)
        for name in ("get-company-data-status", "list-pull-operations"):
            one = _documented()[name]
            answer = house.get(one.path.format(companyId=company))
            assert answer.status_code == 200
            assert breaches(one.api, responses(one.api, "GET", one.path)["200"], answer.json())[:5] == []

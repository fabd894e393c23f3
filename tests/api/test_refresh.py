"""Refreshes, and how reads stand and stood, over the API."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.conftest import PLATFORM, House, error_in

from comptoir.store import ConnectionId, datasets
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status, Warning_

UNKNOWN = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"
ALL_TYPES = {one.name for one in PLATFORM.data_types}


def _history(house: House, company: str, **params: Any) -> list[dict[str, Any]]:
    answer = house.get(f"/companies/{company}/data/history", params={"pageSize": 5000, **params})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


@pytest.mark.parametrize("path", ["all", "ALL", "queue/all"])
def test_refreshing_all_queues_every_type_that_is_read_on_first_link(house: House, path: str) -> None:
    company, connection = house.a_linked_company()
    settings = {"dataType": "bills", "fetchOnFirstLink": False, "syncSchedule": 1, "syncOrder": 0}
    house.ask("POST", f"/companies/{company}/syncSettings", json={"settings": [settings]})

    answer = house.ask("POST", f"/companies/{company}/data/{path}")

    assert (answer.status_code, answer.content) == (204, b"")
    queued = _history(house, company)
    assert {one["dataType"] for one in queued} == ALL_TYPES - {"bills"}
    assert {(one["status"], one["connectionId"]) for one in queued} == {("Queued", connection)}


def test_refreshing_all_passes_over_what_is_running(house: House) -> None:
    company, connection = house.a_linked_company()
    running = house.a_dataset(company, connection, "invoices", Status.FETCHING)

    for _ in range(2):
        assert house.ask("POST", f"/companies/{company}/data/all").status_code == 204

    found = _history(house, company)
    assert len(found) == len(ALL_TYPES)
    assert [one["id"] for one in found if one["dataType"] == "invoices"] == [running.id]


@pytest.mark.parametrize("key", ["invoices", "INVOICES", "chartOfAccounts", "company", "bankTransactions"])
def test_one_type_is_queued_whatever_its_settings_say(standing: House, key: str) -> None:
    company, connection = standing.a_linked_company()
    settings = {"dataType": "invoices", "fetchOnFirstLink": False, "syncSchedule": 0, "syncOrder": 0}
    standing.ask("POST", f"/companies/{company}/syncSettings", json={"settings": [settings]})

    answer = standing.ask("POST", f"/companies/{company}/data/queue/{key}")

    assert answer.status_code == 200
    body = answer.json()
    assert body["dataType"].lower() == key.lower()
    assert (body["companyId"], body["connectionId"], body["status"]) == (company, connection, "Queued")
    assert (body["progress"], body["isCompleted"], body["isErrored"]) == (0, False, False)
    assert body["requested"].startswith("2026-03-01T09:30:")
    assert "completed" not in body
    assert standing.get(f"/companies/{company}/data/history/{body['id']}").json() == body


def test_a_type_that_is_running_answers_409_with_the_documented_text(house: House) -> None:
    company, _ = house.a_linked_company()
    first = house.ask("POST", f"/companies/{company}/data/queue/bills").json()

    again = house.ask("POST", f"/companies/{company}/data/queue/bills")

    assert error_in(again, 409) == (
        f"DatasetAlreadyInProgressException: Cannot queue bills sync for {company} as previous sync {first['id']} "
        "is still in progress"
    )
    assert house.ask("POST", f"/companies/{company}/data/queue/invoices").status_code == 200


def test_a_type_that_waits_for_its_next_try_is_run_at_once(house: House) -> None:
    company, connection = house.a_linked_company()
    waiting = house.a_dataset(company, connection, "bills", Status.FETCHING)
    with house.db.write() as tx:
        later = {"status": Status.QUEUED, "retry_at": house.clock.now(), "status_description": "next try at 10:00"}
        datasets.advance(tx, house.tenant, waiting.id, **later)

    answer = house.ask("POST", f"/companies/{company}/data/queue/bills")

    assert (answer.status_code, answer.json()["id"]) == (200, waiting.id)
    assert answer.json()["statusDescription"] is None


def test_a_type_that_is_unknown_or_unsupported_is_not_queued(house: House) -> None:
    company, _ = house.a_linked_company()

    for key, status, words in (
        ("nothing", 400, "There is no data type 'nothing'."),
        ("accounts", 400, "There is no data type 'accounts'."),  # a word of paths, not a key
        ("info", 400, "There is no data type"),
        ("banking-nothing", 400, "There is no data type"),
        ("%00", 400, "There is no data type"),
        ("paymentMethods", 404, "Datatype paymentMethods not supported by platform(s) FreeAgent"),
        ("salesorders", 404, "Datatype salesOrders not supported by platform(s) FreeAgent"),
        ("commerce-orders", 404, "Datatype commerce-orders not supported by platform(s) FreeAgent"),
        ("BANKING-ACCOUNTS", 404, "Datatype banking-accounts not supported by platform(s) FreeAgent"),
    ):
        answer = house.ask("POST", f"/companies/{company}/data/queue/{key}")
        assert error_in(answer, status).startswith(words)
    assert _history(house, company) == []


@pytest.mark.parametrize("state", [ConnectionStatus.PENDING_AUTH, ConnectionStatus.UNLINKED, ConnectionStatus.DEAUTHORIZED])  # fmt: skip
def test_nothing_is_queued_without_a_linked_connection(house: House, state: ConnectionStatus) -> None:
    company = house.a_company()
    connection = house.a_connection(company, state)
    calls = ("data/all", "data/queue/bills", f"data/queue/bills?connectionId={connection}", "data/info")

    for call in calls:
        sentence = error_in(house.ask("POST", f"/companies/{company}/{call}"), 409)
        assert state.value in sentence

    assert _history(house, company) == []


def test_a_refresh_may_name_its_connection(house: House) -> None:
    company, _ = house.a_linked_company()
    pending = house.a_connection(company, ConnectionStatus.PENDING_AUTH)
    stranger = house.a_connection(house.a_company())
    path = f"/companies/{company}/data/queue/bills"

    error_in(house.ask("POST", f"{path}?connectionId={pending}"), 409)
    for unknown in (UNKNOWN, "nonsense", stranger):
        sentence = error_in(house.ask("POST", path, params={"connectionId": unknown}), 404)
        assert sentence == f"Data connection {unknown} not found"
    assert _history(house, company) == []


def test_the_companys_own_details_are_refreshed_as_a_dataset(house: House) -> None:
    company, _ = house.a_linked_company()

    body = house.ask("POST", f"/companies/{company}/data/info").json()

    assert (body["dataType"], body["status"]) == ("company", "Queued")
    assert set(body) >= {"datasetLogsUrl", "validationInformationUrl"}
    findings = house.client.get(body["validationInformationUrl"], headers={"Authorization": f"Basic {house.key}"})
    assert findings.json() == {"errors": [], "warnings": []}


def test_success_and_failure_are_told_apart_in_every_state(house: House) -> None:
    company, connection = house.a_linked_company()
    running = ("Initial", "Queued", "Fetching", "MapQueued", "Mapping", "ProcessingQueued", "Processing",
               "ValidationQueued", "Validating")  # fmt: skip

    for number, status in enumerate(reversed(Status)):  # ended ones first: a type runs once at a time
        read = house.a_dataset(company, connection, PLATFORM.data_types[number % 18].name, Status.QUEUED)
        with house.db.write() as tx:
            ended = {"completed": house.clock.now()} if status.is_ended else {}
            datasets.advance(tx, house.tenant, read.id, status=status, **ended)
        body = house.get(f"/companies/{company}/data/history/{read.id}").json()
        assert body["status"] == status.value
        assert body["isCompleted"] == (status is Status.COMPLETE)
        assert body["isErrored"] == (status.value not in running and status is not Status.COMPLETE)
        assert ("completed" in body) == (status.value not in running)


def test_status_names_the_newest_read_and_the_newest_that_succeeded(house: House) -> None:
    company, connection = house.a_linked_company()
    good = house.a_dataset(company, connection, "bills", Status.COMPLETE)
    bad = house.a_dataset(company, connection, "bills", Status.FETCH_ERROR, error_message="FreeAgent is down.")
    first = house.a_dataset(company, connection, "chartOfAccounts", Status.FETCHING)

    body = house.get(f"/companies/{company}/dataStatus").json()

    assert set(body) == {"bills", "chartOfAccounts"}  # what was never asked for is left out
    assert body["bills"] == {
        "dataType": "bills",
        "currentStatus": "FetchError",
        "lastSuccessfulSync": "2026-03-01T09:30:03Z",
        "latestSyncId": bad.id,
        "latestSuccessfulSyncId": good.id,
    }
    assert body["chartOfAccounts"] == {
        "dataType": "chartOfAccounts",
        "currentStatus": "Fetching",
        "latestSyncId": first.id,
    }


def test_status_of_a_company_that_was_never_read_is_an_empty_object(standing: House) -> None:
    assert standing.get(f"/companies/{standing.a_company()}/dataStatus").json() == {}


def test_history_is_newest_first_paged_queried_and_ordered(house: House) -> None:
    company, connection = house.a_linked_company()
    made = [
        house.a_dataset(company, connection, data_type, status).id
        for data_type, status in (
            ("bills", Status.COMPLETE), ("bills", Status.FETCH_ERROR), ("invoices", Status.COMPLETE), ("invoices", Status.QUEUED),
        )
    ]  # fmt: skip

    def ids(**params: Any) -> list[str]:
        return [one["id"] for one in _history(house, company, **params)]

    assert ids() == made[::-1]
    assert ids(orderBy="requested") == made
    assert ids(orderBy="-dataType", query="status=complete") == [made[2], made[0]]
    assert ids(query="dataType=bills") == [made[1], made[0]]
    assert ids(query="dataType=Bills&&status!=Complete") == [made[1]]
    assert ids(query=f"connectionId={connection}&&progress<100") == [made[3]]
    assert ids(query="completed!=2026-01-01&&status=Queued") == [made[3]]
    assert ids(query=f"id={made[0]}||id={made[3]}") == [made[3], made[0]]
    assert ids(page=2, pageSize=3) == [made[0]]


@pytest.mark.parametrize("params", [
    {"query": "isCompleted=true"}, {"query": "isErrored=false"}, {"query": "colour=red"}, {"orderBy": "isCompleted"},
    {"query": "progress=half"}, {"query": "requested~2026"}, {"page": "0"},
])  # fmt: skip
def test_history_refuses_what_it_cannot_query(standing: House, params: dict[str, str]) -> None:
    company = standing.a_company()

    error_in(standing.get(f"/companies/{company}/data/history", params=params), 400)


def test_what_was_doubtful_is_told_with_the_read(house: House) -> None:
    company, connection = house.a_linked_company()
    doubt = Warning_(item_id="12", message="'Odd' is not a documented status", rule_id="status")
    read = house.a_dataset(company, connection, "bills", Status.COMPLETE, warnings=(doubt,))

    body = house.get(f"/companies/{company}/sync/{read.id}/validation").json()

    assert body == {
        "errors": [],
        "warnings": [{"itemId": "12", "message": doubt.message, "ruleId": "status", "validatorName": ""}],
    }


@pytest.mark.parametrize("path", ["data/history/{id}", "sync/{id}/validation"])
def test_a_read_is_found_only_under_its_own_company(house: House, neighbour: House, path: str) -> None:
    company, connection = house.a_linked_company()
    read = house.a_dataset(company, connection, "bills", Status.COMPLETE)
    other = house.a_company()
    theirs = neighbour.a_company()

    assert house.get(f"/companies/{company}/{path.format(id=read.id.upper())}").status_code == 200
    for id_ in (UNKNOWN, "nonsense", "%00"):
        error_in(house.get(f"/companies/{company}/{path.format(id=id_)}"), 404)
    error_in(house.get(f"/companies/{other}/{path.format(id=read.id)}"), 404)
    error_in(neighbour.get(f"/companies/{theirs}/{path.format(id=read.id)}"), 404)
    assert error_in(neighbour.get(f"/companies/{company}/{path.format(id=read.id)}"), 404).startswith("No company")


def test_everything_is_read_again_where_that_is_asked_for(house: House) -> None:
    company, connection = house.a_linked_company()

    one = house.ask("POST", f"/companies/{company}/data/queue/invoices", params={"whole": "true"})
    everything = house.ask("POST", f"/companies/{company}/data/all", params={"whole": "true"})
    refused = house.ask("POST", f"/companies/{company}/data/all", params={"whole": "perhaps"})

    assert (one.status_code, everything.status_code, refused.status_code) == (200, 204, 400)
    with house.db.read() as tx:
        found = datasets.open_ones(tx, house.tenant, ConnectionId(connection))
    assert len(found) > 1
    assert all(dataset.is_whole for dataset in found)

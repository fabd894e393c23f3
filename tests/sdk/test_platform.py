"""codat-platform runs a company from its creation to its deletion: one strict type error anywhere is a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.sdk.conftest import Demo, Sdk, Sdks

from comptoir.cli.visitor import Visitor

pytestmark = [pytest.mark.sdk, pytest.mark.xdist_group("sdk-platform")]

_PATIENCE_SECONDS = 60
UNKNOWN = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"


@pytest.fixture
def platform(sdks: Sdks) -> Sdk:
    return sdks.sdk("codat-platform")


@pytest.fixture
def demo(sdks: Sdks, platform: Sdk) -> Demo:
    return sdks.demo


@pytest.fixture
def company(platform: Sdk) -> Iterator[str]:
    """A company of the test's own."""
    made = platform.answer("companies.create", {"name": f"Toft Bakery {uuid4()}"})["id"]
    yield made
    platform.answer("companies.delete", {"company_id": made})


def _until(holds: Callable[[], Any]) -> Any:
    """What the condition gives once it is true."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < until, "waited too long"
    return found


def _all_ended(platform: Sdk, company: str) -> dict[str, Any] | None:
    statuses: dict[str, Any] = platform.answer("refresh_data.get", {"company_id": company})
    ended = ("Complete", "Error", "Cancelled", "NotSupported", "PrerequisiteNotMet")
    return statuses if all(one["currentStatus"].endswith(ended) for one in statuses.values()) else None


def test_integrations_are_listed_with_what_they_can_do(platform: Sdk, demo: Demo) -> None:
    query = {"query": "sourceType=Accounting&&enabled=true", "order_by": "-name"}

    [listed] = platform.answer("integrations.list", {**query, "page": 1, "page_size": 10})["results"]

    assert (listed["key"], listed["name"], listed["enabled"]) == ("fbrh", "FreeAgent", True)
    assert {one["dataType"] for one in listed["datatypeFeatures"]} == set(demo.records)
    assert platform.answer("integrations.get", {"platform_key": "fbrh"}) == listed
    assert platform.answer("integrations.list", {"query": "enabled=false"})["results"] == []
    branding = platform.answer("integrations.get_branding", {"platform_key": "fbrh"})
    assert branding["sourceId"] == listed["sourceId"]


def test_a_company_is_created_found_changed_replaced_and_deleted(platform: Sdk, demo: Demo) -> None:
    sent = {"name": f"Company (Codat[1]) {uuid4()}", "description": "A bakery", "tags": {"region": "uk", "team": "a b"}}

    created = platform.answer("companies.create", sent)

    one = {"company_id": created["id"]}
    assert created["name"].startswith("Company Codat1 ")
    assert (created["description"], created["tags"]) == ("A bakery", sent["tags"])
    assert platform.answer("companies.get", one) == created
    by_name = {"query": f"name={created['name']}&&dataConnections.status!=Linked", "tags": "region = uk && team ~ a"}
    assert platform.pages("companies.list", by_name) == [created]
    updated = platform.answer("companies.update", {**one, "company_update_request": {"description": "A mill"}})
    assert updated == created | {"description": "A mill"}
    replaced = platform.answer("companies.replace", {**one, "company_request_body": {"name": "Toft Mill"}})
    assert (replaced["name"], replaced.get("description"), replaced["tags"]) == ("Toft Mill", None, {})
    assert platform.answer("companies.delete", one) is None
    raised, error = platform.error("companies.get", one)
    assert (raised, error["statusCode"]) == ("ErrorMessage", 404)


def test_companies_are_listed_page_by_page(platform: Sdk, demo: Demo) -> None:
    made = [platform.answer("companies.create", {"name": f"Pages {number}"})["id"] for number in range(5)]

    whole = platform.pages("companies.list", {"query": "name~pages", "order_by": "-name"})

    assert [one["id"] for one in whole] == made[::-1]
    assert platform.pages("companies.list", {"query": "name~pages", "order_by": "-name", "page_size": 2}) == whole
    linked = platform.pages("companies.list", {"query": "dataConnections.status=Linked"})
    assert [one["id"] for one in linked] == [demo.company]
    for id_ in made:
        platform.answer("companies.delete", {"company_id": id_})


def test_the_linked_connection_is_listed_and_read(platform: Sdk, demo: Demo) -> None:
    company = {"company_id": demo.company}

    [listed] = platform.pages("connections.list", {**company, "query": "status=Linked", "order_by": "-created"})

    assert listed["id"] == demo.connection
    assert (listed["status"], listed["sourceType"], listed["platformName"]) == ("Linked", "Accounting", "FreeAgent")
    assert platform.answer("connections.get", {**company, "connection_id": demo.connection}) == listed
    assert platform.answer("companies.get", company)["lastSync"] == listed["lastSync"]


def test_a_connection_is_created_linked_read_unlinked_and_deleted(platform: Sdk, demo: Demo, company: str) -> None:
    created = platform.answer("connections.create", {"company_id": company, "request_body": {"platform_key": "fbrh"}})
    one = {"company_id": company, "connection_id": created["id"]}
    assert created["status"] == "PendingAuth"

    _approve(demo, created["linkUrl"])

    assert platform.answer("connections.get", one)["status"] == "Linked"
    statuses = _until(lambda: _all_ended(platform, company))
    assert {key: status["currentStatus"] for key, status in statuses.items()} == dict.fromkeys(demo.records, "Complete")
    unlinked = platform.answer("connections.unlink", {**one, "update_connection_status": {"status": "Unlinked"}})
    assert unlinked["status"] == "Unlinked"
    raised, said = platform.error("refresh_data.by_data_type", {"company_id": company, "data_type": "bills"})
    assert raised == "SDKError"  # 409 is not among the statuses that the operation documents
    assert '"statusCode":409' in said
    assert platform.answer("connections.delete", one) is None
    raised, error = platform.error("connections.get", one)
    assert (raised, error["statusCode"]) == ("ErrorMessage", 404)
    # The same person approved the same app for the same books again, which ended the first approval.
    first = {"company_id": demo.company, "connection_id": demo.connection}
    _approve(demo, platform.answer("connections.get", first)["linkUrl"])
    assert platform.answer("connections.get", first)["status"] == "Linked"


def _approve(demo: Demo, link_url: str) -> None:
    """What the customer does at FreeAgent, whose sign-in page the address leads to."""
    customer = Visitor()
    try:
        customer.open(link_url)
        customer.submit("Sign in", {"Email": demo.facts["standinEmail"], "Password": demo.facts["standinPassword"]})
        customer.submit("Approve")
    finally:
        customer.close()


def test_a_refresh_is_queued_watched_and_found_in_status_and_history(platform: Sdk, demo: Demo) -> None:
    company = {"company_id": demo.company}
    _until(lambda: _all_ended(platform, demo.company))
    before = platform.answer("refresh_data.get", company)["invoices"]

    queued = platform.answer(
        "refresh_data.by_data_type", {**company, "data_type": "invoices", "connection_id": demo.connection}
    )

    assert (queued["dataType"], queued["isCompleted"], queued["isErrored"]) == ("invoices", False, False)
    one = {**company, "dataset_id": queued["id"]}
    ended = _until(lambda: (read := platform.answer("refresh_data.get_pull_operation", one))["isCompleted"] and read)
    assert (ended["status"], ended["progress"]) == ("Complete", 100)
    after = _until(lambda: _all_ended(platform, demo.company))["invoices"]
    assert after["latestSyncId"] == after["latestSuccessfulSyncId"] == queued["id"]
    assert after["lastSuccessfulSync"] > before["lastSuccessfulSync"]
    history = {**company, "query": "dataType=invoices&&status=Complete", "order_by": "-requested", "page_size": 1}
    assert platform.pages("refresh_data.list_pull_operations", history)[0] == ended
    assert platform.answer("read_data.get_validation_results", one)["errors"] == []


def test_everything_is_refreshed_at_once(platform: Sdk, demo: Demo) -> None:
    company = {"company_id": demo.company}
    before = _until(lambda: _all_ended(platform, demo.company))

    assert platform.answer("refresh_data.all", company) is None

    after = _until(lambda: _all_ended(platform, demo.company))
    assert set(after) == set(demo.records)
    assert all(after[key]["latestSyncId"] != before[key]["latestSyncId"] for key in before)
    history = platform.pages("refresh_data.list_pull_operations", {**company, "page_size": 7})
    assert len(history) >= 2 * len(demo.records)
    assert {one["status"] for one in history} == {"Complete"}


def test_settings_are_read_and_written(platform: Sdk, demo: Demo, company: str) -> None:
    profile = platform.answer("settings.get_profile")
    assert platform.answer("settings.update_profile", profile) == profile
    ours = platform.answer("settings.get_sync_settings")
    theirs = platform.answer("companies.get_company_sync_settings", {"company_id": company})
    assert theirs["settings"] == ours["settings"]
    assert set(demo.records) <= {one["dataType"] for one in ours["settings"]}

    [bills] = [one for one in ours["settings"] if one["dataType"] == "bills"]
    changed = {
        "company_id": company,
        "overrides_defaults": True,
        "settings": [_snake(bills | {"syncSchedule": 24})],
    }
    set_ = platform.answer("companies.set_company_sync_settings", {"company_id": company, "request_body": changed})

    assert set_ is None
    after = platform.answer("companies.get_company_sync_settings", {"company_id": company})
    assert after["overridesDefaults"] is True
    assert [one["syncSchedule"] for one in after["settings"] if one["dataType"] == "bills"] == [24]


def _snake(setting: dict[str, Any]) -> dict[str, Any]:
    """Members as the SDK's requests name them."""
    return {
        "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name): held for name, held in setting.items()
    }


def test_a_key_is_created_used_listed_and_revoked(sdks: Sdks, platform: Sdk) -> None:
    made = platform.answer("settings.create_api_key", {"name": "second"})

    second = sdks.sdk("codat-platform", made["apiKey"])
    assert second.answer("settings.get_profile") == platform.answer("settings.get_profile")
    listed = platform.answer("settings.list_api_keys")["results"]
    assert [one["name"] for one in listed if one["id"] == made["id"]] == ["second"]
    platform.outcome("settings.delete_api_key", {"api_key_id": made["id"]})  # which cannot read the documented answer
    raised, error = second.error("settings.get_profile")
    assert (raised, error["statusCode"]) == ("ErrorMessage", 401)


@pytest.mark.parametrize(("call", "request_", "status"), [
    ("companies.get", {"company_id": UNKNOWN}, 404),
    ("companies.get", {"company_id": "not/there"}, 404),
    ("companies.list", {"query": "name"}, 400),
    ("companies.list", {"query": "colour=red"}, 400),
    ("companies.list", {"page": 0}, 400),
    ("companies.list", {"page_size": 5001}, 400),
    ("companies.create", {"name": "()"}, 400),
    ("companies.update", {"company_id": UNKNOWN, "company_update_request": {"name": "a"}}, 404),
    ("connections.list", {"company_id": UNKNOWN}, 404),
    ("connections.get", {"company_id": UNKNOWN, "connection_id": UNKNOWN}, 404),
    ("connections.create", {"company_id": UNKNOWN, "request_body": {"platform_key": "fbrh"}}, 404),
    ("integrations.get", {"platform_key": "zzzz"}, 404),
    ("integrations.list", {"order_by": "colour"}, 400),
    ("refresh_data.all", {"company_id": UNKNOWN}, 404),
    ("refresh_data.get", {"company_id": UNKNOWN}, 404),
    ("refresh_data.list_pull_operations", {"company_id": UNKNOWN}, 404),
    ("refresh_data.get_pull_operation", {"company_id": UNKNOWN, "dataset_id": UNKNOWN}, 404),
    ("read_data.get_validation_results", {"company_id": UNKNOWN, "dataset_id": UNKNOWN}, 404),
    ("companies.get_company_sync_settings", {"company_id": UNKNOWN}, 404),
])  # fmt: skip
def test_errors_arrive_as_the_typed_error(platform: Sdk, call: str, request_: dict[str, Any], status: int) -> None:
    raised, error = platform.error(call, request_)

    assert (raised, error["statusCode"]) == ("ErrorMessage", status)
    assert error["service"] == "PublicApi"
    assert error["canBeRetried"] == "False"
    assert len(error["correlationId"]) == 32


@pytest.mark.parametrize(("call", "request_"), [
    ("companies.list", {}), ("integrations.list", {}), ("settings.get_profile", None), ("settings.list_api_keys", None),
    ("connections.list", {"company_id": UNKNOWN}), ("refresh_data.get", {"company_id": UNKNOWN}),
])  # fmt: skip
def test_a_wrong_key_is_the_typed_error_everywhere(sdks: Sdks, call: str, request_: dict[str, Any] | None) -> None:
    raised, error = sdks.sdk("codat-platform", "made-up").error(call, request_)

    assert (raised, error["statusCode"]) == ("ErrorMessage", 401)


@pytest.fixture
def slow_freeagent(demo: Demo) -> Iterator[None]:
    """Every answer takes a while, so that what is queued is surely still running when the next call arrives."""
    address = f"{demo.facts['controlUrl']}/settings"
    httpx2.post(address, json={"latency": 1.0}).raise_for_status()
    yield
    httpx2.post(address, json={"latency": 0}).raise_for_status()


@pytest.mark.usefixtures("slow_freeagent")
def test_a_data_type_that_is_running_cannot_be_queued_again(platform: Sdk, demo: Demo) -> None:
    _until(lambda: _all_ended(platform, demo.company))
    bills = {"company_id": demo.company, "data_type": "bills"}
    first = platform.answer("refresh_data.by_data_type", bills)

    raised, said = platform.error("refresh_data.by_data_type", bills)

    assert raised == "SDKError"  # 409 is not among the statuses that the operation documents
    assert '"statusCode":409' in said
    assert f"DatasetAlreadyInProgressException: Cannot queue bills sync for {demo.company}" in said
    assert first["id"] in said
    assert platform.answer("refresh_data.all", {"company_id": demo.company}) is None  # which passes it over

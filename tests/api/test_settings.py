"""Integrations, API keys, profile and sync settings over the API."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from tests.api.conftest import PLATFORM, House, error_in

from comptoir.model import DATA_TYPE_KEYS


def test_integrations_say_what_they_can_do_and_whether_they_are_enabled(house: House) -> None:
    [before] = house.get("/integrations").json()["results"]

    house.enable()

    after = house.get("/integrations/fbrh").json()
    assert (before["enabled"], after["enabled"]) == (False, True)
    assert (after["key"], after["name"], after["sourceType"]) == ("fbrh", "FreeAgent", "Accounting")
    assert (after["isBeta"], after["isOfflineConnector"]) == (False, False)
    assert {one["dataType"] for one in after["datatypeFeatures"]} == {one.name for one in PLATFORM.data_types}
    assert all(
        {"featureType": "Get", "featureState": "Release"} in one["supportedFeatures"]
        for one in after["datatypeFeatures"]
    )


def test_an_integration_enabled_by_one_tenant_is_not_enabled_for_another(house: House, neighbour: House) -> None:
    house.enable()

    assert neighbour.get("/integrations/fbrh").json()["enabled"] is False


@pytest.mark.parametrize(("query", "count"), [
    ("sourceType=Accounting&&enabled=false", 1), ("sourceType=ACCOUNTING", 1), ("enabled=true", 0), ("key!=fbrh", 0), ("name~agent", 1),
])  # fmt: skip
def test_integrations_are_queried(house: House, query: str, count: int) -> None:
    answer = house.get("/integrations", params={"query": query, "orderBy": "-name"})

    assert answer.json()["totalResults"] == count


@pytest.mark.parametrize("params", [{"query": "colour=red"}, {"orderBy": "colour"}, {"query": "name>a"}])
def test_integrations_refuse_what_cannot_be_queried(house: House, params: dict[str, str]) -> None:
    error_in(house.get("/integrations", params=params), 400)


def test_branding_names_pictures_that_are_served_without_a_key(house: House) -> None:
    branding = house.get("/integrations/fbrh/branding").json()

    places = (
        branding["logo"]["full"],
        branding["logo"]["square"],
        branding["button"]["default"],
        branding["button"]["hover"],
    )
    for place in places:
        answer = house.client.get(place["image"]["src"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
        ElementTree.fromstring(answer.text)
        assert "FreeAgent" in place["image"]["alt"]
    assert house.client.get(house.get("/integrations/fbrh").json()["logoUrl"]).status_code == 200
    assert branding["sourceId"] == str(PLATFORM.source_id)
    error_in(house.client.get("/api/integrations/fbrh/images/nothing.svg"), 404)


@pytest.mark.parametrize("path", ["/integrations/zzzz", "/integrations/zzzz/branding"])
def test_an_unknown_integration_answers_404(house: House, path: str) -> None:
    error_in(house.get(path), 404)


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


def test_the_profile_is_replaced(house: House) -> None:
    assert house.get("/profile").json()["name"] == "Lender"

    put = house.ask(
        "PUT",
        "/profile",
        json={
            "name": "Toft Lending",
            "redirectUrl": "https://toft.example/{companyId}",
            "alertAuthHeader": "Bearer hush",
        },
    )

    assert put.status_code == 200
    assert put.json() == house.get("/profile").json()
    assert put.json()["redirectUrl"] == "https://toft.example/{companyId}"
    assert "hush" not in put.text


@pytest.mark.parametrize("body", [
    {}, {"name": "a"}, {"redirectUrl": ""}, {"name": " ", "redirectUrl": ""}, {"name": "a", "redirectUrl": "javascript:alert(1)"},
    {"name": "a", "redirectUrl": "", "whiteListUrls": ["ftp://x"]}, {"name": "a", "redirectUrl": "http://["}, {"name": 1, "redirectUrl": ""},
])  # fmt: skip
def test_a_profile_that_cannot_be_taken_answers_400(house: House, body: dict[str, Any]) -> None:
    error_in(house.ask("PUT", "/profile", json=body), 400)


def test_sync_settings_name_every_data_type_also_unsupported_ones(house: House) -> None:
    company = house.a_company()

    ours, theirs = house.get("/profile/syncSettings").json(), house.get(f"/companies/{company}/syncSettings").json()

    assert ours["clientId"] == house.tenant
    assert theirs["companyId"] == company
    assert {one["dataType"] for one in ours["settings"]} == set(DATA_TYPE_KEYS)
    assert theirs["settings"] == ours["settings"]
    assert (ours["overridesDefaults"], theirs["overridesDefaults"]) == (False, False)
    [report] = [one for one in ours["settings"] if one["dataType"] == "balanceSheet"]
    assert (report["syncSchedule"], report["monthsToSync"]) == (24, 24)


def _setting(**members: Any) -> dict[str, Any]:
    return {"dataType": "invoices", "fetchOnFirstLink": False, "syncSchedule": 24, "syncOrder": 3, **members}


def test_a_companys_sync_settings_override_and_go_back(house: House) -> None:
    company = house.a_company()
    path = f"/companies/{company}/syncSettings"

    posted = house.ask("POST", path, json={"settings": [_setting(syncFromWindow=6)], "overridesDefaults": True})

    assert (posted.status_code, posted.content) == (204, b"")
    after = house.get(path).json()
    assert after["overridesDefaults"] is True
    assert [one for one in after["settings"] if one["dataType"] == "invoices"] == [_setting(syncFromWindow=6)]
    assert len(after["settings"]) == len(DATA_TYPE_KEYS)
    assert house.get("/profile/syncSettings").json()["overridesDefaults"] is False
    assert house.ask("POST", path, json={"overridesDefaults": False, "settings": []}).status_code == 204
    assert house.get(path).json()["overridesDefaults"] is False


def test_what_is_read_can_be_posted_back(house: House) -> None:
    before = house.get("/profile/syncSettings").json()

    assert house.ask("POST", "/profile/syncSettings", json=before | {"overridesDefaults": True}).status_code == 204

    assert house.get("/profile/syncSettings").json()["settings"] == before["settings"]


@pytest.mark.parametrize("body", [
    {}, {"settings": [_setting(dataType="nothing")]}, {"settings": [_setting(syncSchedule=2)]}, {"settings": [{"dataType": "bills"}]},
    {"settings": [_setting(syncOrder=10**30)]}, {"settings": [_setting(syncFromUtc="yesterday")]}, {"settings": 1},
    {"settings": [_setting(syncOrder="first")]},
])  # fmt: skip
def test_sync_settings_that_cannot_be_taken_answer_400(house: House, body: dict[str, Any]) -> None:
    company = house.a_company()

    error_in(house.ask("POST", f"/companies/{company}/syncSettings", json=body), 400)
    error_in(house.ask("POST", "/profile/syncSettings", json=body), 400)

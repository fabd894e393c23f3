"""Profile and sync settings over the API."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api.conftest import House, error_in

from comptoir.model import DATA_TYPE_KEYS


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
def test_a_profile_that_cannot_be_taken_answers_400(standing: House, body: dict[str, Any]) -> None:
    error_in(standing.ask("PUT", "/profile", json=body), 400)


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


@pytest.mark.parametrize(("sent", "told"), [
    ("2020-01-01T12:00:00.000Z", "2020-01-01T12:00:00Z"), ("2020-01-01", "2020-01-01T00:00:00Z"),
    ("2020-06-01T00:30:00+01:00", "2020-05-31T23:30:00Z"), ("20200101T120000", "2020-01-01T12:00:00Z"),
])  # fmt: skip
def test_a_date_to_sync_from_is_told_in_utc(house: House, sent: str, told: str) -> None:
    path = f"/companies/{house.a_company()}/syncSettings"

    house.ask("POST", path, json={"settings": [_setting(syncFromUtc=sent, syncFromWindow=3)]})

    [after] = [one for one in house.get(path).json()["settings"] if one["dataType"] == "invoices"]
    assert after == _setting(syncFromUtc=told)  # one of the two, not both


def test_what_is_read_can_be_posted_back(house: House) -> None:
    before = house.get("/profile/syncSettings").json()

    assert house.ask("POST", "/profile/syncSettings", json=before | {"overridesDefaults": True}).status_code == 204

    assert house.get("/profile/syncSettings").json()["settings"] == before["settings"]


@pytest.mark.parametrize("body", [
    {}, {"settings": [_setting(dataType="nothing")]}, {"settings": [_setting(syncSchedule=2)]}, {"settings": [{"dataType": "bills"}]},
    {"settings": [_setting(syncOrder=10**30)]}, {"settings": [_setting(syncFromUtc="yesterday")]}, {"settings": [_setting(syncFromUtc="0001-01-01T00:00:00+14:00")]}, {"settings": 1},
    {"settings": [_setting(syncOrder="first")]},
])  # fmt: skip
def test_sync_settings_that_cannot_be_taken_answer_400(standing: House, body: dict[str, Any]) -> None:
    company = standing.a_company()

    error_in(standing.ask("POST", f"/companies/{company}/syncSettings", json=body), 400)
    error_in(standing.ask("POST", "/profile/syncSettings", json=body), 400)

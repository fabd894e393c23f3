"""Integrations over the API: what can be linked, what it can do, and pictures of it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from tests.api.conftest import PLATFORM, House, error_in


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
    ("key=zzzz||{isBeta=FALSE&&isOfflineConnector!=true}", 1), ("integrationId={id}", 1), ("sourceId!={id}", 1),
])  # fmt: skip
def test_integrations_are_queried(standing: House, query: str, count: int) -> None:
    text = query.replace("{id}", str(PLATFORM.integration_id))
    answer = standing.get("/integrations", params={"query": text, "orderBy": "-name"})

    assert answer.json()["totalResults"] == count


@pytest.mark.parametrize("params", [
    {"query": "colour=red"}, {"orderBy": "colour"}, {"query": "name>a"}, {"query": "enabled=maybe"}, {"query": "enabled~tru"},
    {"query": "key=zzzz&&colour=red"}, {"query": "key=fbrh||{name~a&&name>b}"}, {"query": "key=zzzz", "orderBy": "-colour"},
])  # fmt: skip
def test_integrations_refuse_what_cannot_be_queried(standing: House, params: dict[str, str]) -> None:
    error_in(standing.get("/integrations", params=params), 400)


def test_branding_names_pictures_that_are_served_without_a_key(standing: House) -> None:
    branding = standing.get("/integrations/fbrh/branding").json()

    places = (
        branding["logo"]["full"],
        branding["logo"]["square"],
        branding["button"]["default"],
        branding["button"]["hover"],
    )
    for place in places:
        answer = standing.client.get(place["image"]["src"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
        ElementTree.fromstring(answer.text)
        assert "FreeAgent" in place["image"]["alt"]
    assert standing.client.get(standing.get("/integrations/fbrh").json()["logoUrl"]).status_code == 200
    assert branding["sourceId"] == str(PLATFORM.source_id)
    error_in(standing.client.get("/api/integrations/fbrh/images/nothing.svg"), 404)


@pytest.mark.parametrize("path", ["/integrations/zzzz", "/integrations/zzzz/branding"])
def test_an_unknown_integration_answers_404(standing: House, path: str) -> None:
    error_in(standing.get(path), 404)


def test_coverage_tells_where_each_member_comes_from(standing: House) -> None:
    table = standing.get("/integrations/FBRH/coverage").json()

    assert [one["dataType"] for one in table["dataTypes"]] == [one.name for one in PLATFORM.data_types]
    invoices = next(one for one in table["dataTypes"] if one["dataType"] == "invoices")
    members = {one["path"]: one for one in invoices["members"]}
    assert members["totalAmount"] == {
        "path": "totalAmount",
        "read": "Read",
        "write": "NotYet",
        "sources": ["invoices.total_value"],
        "remark": None,
    }
    assert members["salesOrderRefs[]"]["read"] == "NotSupported"
    assert members["salesOrderRefs[]"]["remark"] == "FreeAgent has no sales orders."
    error_in(standing.get("/integrations/zzzz/coverage"), 404)

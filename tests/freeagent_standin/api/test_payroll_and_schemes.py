"""What only some companies have: payroll, the Construction Industry Scheme, properties, sales tax periods, MOSS rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.freeagent_standin.api.test_shapes import faults
from tests.freeagent_standin.api.writer import made, send, told
from tests.freeagent_standin.reader import TODAY, Reader, fresh, number
from tests.integrations.shared import needs_shared

from freeagent_standin.world import World, generate
from freeagent_standin.world.kinds import kind_named

pytestmark = needs_shared


def books(kind: str) -> World:
    return generate(size=40, seed=3, today=TODAY, kind=kind_named(kind))


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh())


# Payroll


def test_payroll_is_what_the_salary_journals_say(reader: Reader) -> None:
    tagged = [row for row in reader.all("journal_sets") if row.get("tag") == "PAYROLL-RUN"]
    years = {"2025": reader.get("payroll/2025"), "2026": reader.get("payroll/2026")}
    periods = [period for year in years.values() for period in year["periods"]]

    assert [period["dated_on"] for period in periods] == [row["dated_on"] for row in tagged]
    assert years["2026"]["periods"][0]["period"] == 0
    for period, source in zip(periods, tagged, strict=True):
        [slip] = reader.get(period["url"].split("/v2/")[1])["period"]["payslips"]
        tax = next(entry for entry in source["journal_entries"] if entry["category"].endswith("/814"))
        assert Decimal(slip["tax_deducted"]) == -Decimal(tax["debit_value"])
    assert [fault for year in years.values() for fault in faults("/payroll/{year}", year)] == []
    assert faults("/payroll/{year}/{period}", reader.get("payroll/2026/0")) == []


def test_a_payroll_payment_is_marked_and_marked_back(reader: Reader) -> None:
    payment = reader.get("payroll/2026")["payments"][0]
    path = f"payroll/2026/payments/{payment['due_on']}"

    paid = msgspec.json.decode(send(reader, "PUT", f"{path}/mark_as_paid").body)["payments"][0]
    unpaid = msgspec.json.decode(send(reader, "PUT", f"{path}/mark_as_unpaid").body)["payments"][0]

    assert (payment["due_on"], payment["status"]) == ("2025-05-22", "unpaid")
    assert (paid["status"], unpaid["status"]) == ("marked_as_paid", "unpaid")
    assert send(reader, "PUT", "payroll/2026/payments/2025-05-23/mark_as_paid").status == 404
    assert reader.call(f"{path}/mark_as_paid").status == 404


def test_payroll_profiles_are_of_those_who_were_paid(reader: Reader) -> None:
    [profile] = reader.get("payroll_profiles/2026")["profiles"]

    assert profile["user"] == reader.all("users")[0]["url"]
    assert reader.get("payroll_profiles/2026", user=profile["user"])["profiles"] == [profile]
    assert reader.get("payroll_profiles/2026", user=1)["profiles"] == []
    assert faults("/payroll_profiles/{year}", {"profiles": [profile]}) == []


@pytest.mark.parametrize("path", ["payroll", "payroll/26", "payroll/x", "payroll/2026/12", "payroll_profiles", "payroll/2026/0/1"])  # fmt: skip
def test_what_payroll_has_not_is_not_found(reader: Reader, path: str) -> None:
    assert reader.call(path).status == 404


def test_payroll_needs_its_level_and_a_british_company(reader: Reader) -> None:
    abroad = Reader(books("universal"))

    assert Reader(reader.world, level=6).call("payroll/2026").status == 403
    assert abroad.call("payroll/2026").status == 404
    assert abroad.call("cis_settings").status == 404
    assert abroad.call("hire_purchases").status == 404


# The Construction Industry Scheme


def test_a_company_joins_and_leaves_the_scheme() -> None:
    reader = Reader(books("sole-trader"))
    before = reader.get("cis_settings")
    joining = {"cis_settings": {"subcontractor_details": {"cis_deduction_rates": ["cis_standard"]}}}

    joined = msgspec.json.decode(send(reader, "PUT", "cis_settings", joining).body)

    assert before == {"cis_settings": {"contractor_details": None, "subcontractor_details": None}}
    assert joined["cis_settings"]["subcontractor_details"]["cis_deduction_rates"]
    assert reader.get("company")["company"]["cis_subcontractor"] is True
    assert reader.call("cis_bands").status == 200
    assert faults("CisSettings", joined["cis_settings"]) == []
    send(reader, "PUT", "cis_settings", {"cis_settings": {"subcontractor_details": None}})
    assert reader.call("cis_bands").status == 404
    assert Reader(reader.world, level=7).call("cis_settings").status == 403


def test_a_scheme_with_documents_cannot_be_left(reader: Reader) -> None:
    world = generate(size="small", seed=1, today=TODAY, kind=kind_named("limited,cis-contractor"))

    refused = send(Reader(world), "PUT", "cis_settings", {"cis_settings": {"contractor_details": None}})

    assert refused.status == 409
    assert "contractor" in told(refused)


# Properties and sales tax periods


def test_a_landlord_has_properties() -> None:
    reader = Reader(books("landlord"))
    rows = reader.all("properties")

    new = made(reader, "properties", {"property": {"address1": "9 New Row", "town": None}})
    path = f"properties/{number(new['url'])}"
    changed = msgspec.json.decode(send(reader, "PUT", path, {"property": {"town": "Bath"}}).body)["property"]

    assert len(rows) == 2
    assert [fault for row in (*rows, new, changed) for fault in faults("Property", row)] == []
    assert (new["town"], changed["town"], changed["country"]) == (None, "Bath", "United Kingdom")
    assert send(reader, "POST", "properties", {"property": {"town": "Bath"}}).status == 422
    assert send(reader, "DELETE", path).status == 200
    assert len(reader.all("properties")) == 2
    assert Reader(reader.world, level=6).call("properties").status == 403


def test_a_company_abroad_has_sales_tax_periods() -> None:
    reader = Reader(books("universal"))
    first, last = reader.all("sales_tax_periods")
    given: dict[str, Any] = {
        "sales_tax_name": "GST",
        "sales_tax_registration_status": "Registered",
        "sales_tax_rate_1": "9.0",
        "sales_tax_is_value_added": True,
        "effective_date": "2026-03-01",
    }

    refused = send(reader, "DELETE", f"sales_tax_periods/{number(first['url'])}")
    new = made(reader, "sales_tax_periods", {"sales_tax_period": given})

    assert (first["is_locked"], last["is_locked"]) == (True, False)
    assert refused.status == 409
    assert [fault for row in (first, last, new) for fault in faults("SalesTaxPeriod", row)] == []
    assert send(reader, "DELETE", f"sales_tax_periods/{number(new['url'])}").status == 200
    assert Reader(reader.world, level=4).call("sales_tax_periods").status == 200
    low = send(Reader(reader.world, level=7), "POST", "sales_tax_periods", {"sales_tax_period": given})
    assert low.status == 403


@pytest.mark.parametrize("path", ["properties", "sales_tax_periods"])
def test_a_british_limited_company_has_neither(reader: Reader, path: str) -> None:
    assert reader.call(path).status == 404
    assert send(reader, "POST", path, {}).status == 404


# MOSS


def test_moss_rates_are_by_country_and_day(reader: Reader) -> None:
    found = reader.get("ec_moss/sales_tax_rates", country="Austria", date="2026-01-31")

    assert found == {
        "sales_tax_rates": [{"percentage": "20.0", "band": "Standard"}, {"percentage": "10.0", "band": "Reduced"}]
    }
    for query in ({}, {"country": "Austria"}, {"date": "2026-01-31"}, {"country": "Mars", "date": "2026-01-31"}):
        assert reader.call("ec_moss/sales_tax_rates", **query).status == 400

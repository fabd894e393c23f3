"""Reports over the API: worked out from the stored documents, refused with the reason before these were read."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from tests.api.conftest import House, Served, error_in
from tests.api.test_records import an_invoice

from comptoir.model.sales import CustomerRef
from comptoir.store import CompanyId, ConnectionId, records
from comptoir.store.datasets import Status

_SIDES = [("agedDebtor", "invoices", "creditNotes"), ("agedCreditor", "bills", "billCreditNotes")]


def _decoded(answer: Any) -> Any:
    """The answer with decimals exactly as written."""
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


@pytest.mark.parametrize(("report", "debts", "credits_"), _SIDES)
def test_an_aged_report_adds_up_to_what_documents_leave_open(
    served: Served, report: str, debts: str, credits_: str
) -> None:
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for data_type, member, sign in ((debts, "amountDue", 1), (credits_, "remainingCredit", -1)):
        for one in served.all(data_type):
            if one["status"] != "Draft":
                expected[one["currency"]] += sign * Decimal(str(one[member]))

    # A day after all of the books, so that nothing of them is left out.
    answer = _decoded(served.get(f"/companies/{served.company}/reports/{report}", params={"reportDate": "2030-01-01"}))

    found: dict[str, Decimal] = defaultdict(Decimal)
    for party in answer["data"]:
        for held in party["agedCurrencyOutstanding"]:
            for cell in held["agedOutstandingAmounts"]:
                found[held["currency"]] += cell["amount"]
                assert cell["amount"] == sum(one["amount"] for one in cell["details"])
    assert {code: total for code, total in found.items() if total} == {
        code: total for code, total in expected.items() if total
    }
    assert answer["reportDate"] == "2030-01-01T00:00:00"


def test_a_report_is_of_today_with_four_periods_of_thirty_days_unless_asked_otherwise(house: House) -> None:
    company, connection = house.a_linked_company()
    invoice = an_invoice(customer_ref=CustomerRef(id="7", company_name="Toft Bakery"), currency="GBP")
    house.put(company, connection, "invoices", [invoice])
    house.put(company, connection, "creditNotes", [])
    path = f"/companies/{company}/reports/agedDebtor"

    default = _decoded(house.get(path))
    chosen = _decoded(house.get(path, params={"numberOfPeriods": 2, "periodLengthDays": 7}))

    assert default["reportDate"] == "2026-03-01T00:00:00"
    assert default["generated"].startswith("2026-03-01T09:")
    [debtor] = default["data"]
    assert (debtor["customerId"], debtor["customerName"]) == ("7", "Toft Bakery")
    [gbp] = debtor["agedCurrencyOutstanding"]
    cells = gbp["agedOutstandingAmounts"]
    assert cells[0] == {
        "fromDate": "2026-01-31T00:00:00",
        "toDate": "2026-03-01T00:00:00",
        "amount": 120,
        "details": [{"name": "Invoices", "amount": 120}],
    }
    assert [cell["amount"] for cell in cells] == [120, 0, 0, 0]
    assert len(chosen["data"][0]["agedCurrencyOutstanding"][0]["agedOutstandingAmounts"]) == 2


@pytest.mark.parametrize(("params", "words"), [
    ({"reportDate": "soon"}, "reportDate must be a day such as 2026-03-31"),
    ({"reportDate": "2026-02-30"}, "reportDate must be a day such as 2026-03-31"),
    ({"reportDate": "0001-01-01"}, "reportDate must be a day such as 2026-03-31"),
    ({"numberOfPeriods": "0"}, "numberOfPeriods must be a whole number from 1 to 120."),
    ({"periodLengthDays": "1.5"}, "periodLengthDays must be a whole number from 1 to 366."),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_in_words(served: Served, params: dict[str, str], words: str) -> None:
    answer = served.get(f"/companies/{served.company}/reports/agedDebtor", params=params)

    assert error_in(answer, 400).startswith(words)


@pytest.mark.parametrize(("report", "debts", "credits_"), _SIDES)
def test_a_report_is_available_once_all_it_is_made_from_was_read(
    house: House, report: str, debts: str, credits_: str
) -> None:
    company, connection = house.a_linked_company()
    path = f"/companies/{company}/reports/{report}"

    assert house.get(f"{path}/available").json() is False
    assert error_in(house.get(path), 409).endswith("it has not been requested yet.")
    house.put(company, connection, debts, [])
    house.a_dataset(company, connection, credits_, Status.PERMISSIONS_ERROR, error_message="Bills is needed.")
    assert house.get(f"{path}/available").json() is False
    assert error_in(house.get(path), 409).endswith("its sync ended in PermissionsError. Bills is needed.")
    house.put(company, connection, credits_, [])
    assert house.get(f"{path}/available").json() is True
    assert house.get(path).json()["data"] == []


def test_another_tenants_report_is_not_found(house: House, neighbour: House) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "invoices", [an_invoice()])
    house.put(company, connection, "creditNotes", [])

    for path in (f"/companies/{company}/reports/agedDebtor", f"/companies/{company}/reports/agedDebtor/available"):
        assert error_in(neighbour.get(path), 404) == f"No company was found with ID {company}"


def test_a_deleted_document_is_owed_no_more(house: House) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "invoices", [an_invoice()])
    house.put(company, connection, "creditNotes", [])
    path = f"/companies/{company}/reports/agedDebtor"
    assert len(house.get(path).json()["data"]) == 1

    with house.db.write() as tx:
        owner = (house.tenant, CompanyId(company), ConnectionId(connection))
        records.delete(tx, *owner, "invoices", ["1"], house.clock.now())

    assert house.get(path).json()["data"] == []


_STATEMENTS = ("profitAndLoss", "balanceSheet", "cashFlowStatement")


def _statement(served: Served, name: str, length: int, count: int, **more: Any) -> Any:
    params = {"periodLength": length, "periodsToCompare": count, **more}
    return _decoded(served.get(f"/companies/{served.company}/data/financials/{name}", params=params))


def test_profit_of_a_quarter_is_that_of_its_months(served: Served) -> None:
    months = _statement(served, "profitAndLoss", 1, 6)["reports"]
    quarters = _statement(served, "profitAndLoss", 3, 2)["reports"]

    assert (len(months), len(quarters)) == (6, 2)
    for place, quarter in enumerate(quarters):
        of_it = months[3 * place : 3 * place + 3]
        assert (quarter["fromDate"], quarter["toDate"]) == (of_it[-1]["fromDate"], of_it[0]["toDate"])
        for member in ("grossProfit", "netOperatingProfit", "netOtherIncome", "netProfit"):
            assert quarter[member] == sum(one[member] for one in of_it)
        for section in ("income", "costOfSales", "expenses", "otherExpenses", "otherIncome"):
            assert quarter[section]["value"] == sum(one[section]["value"] for one in of_it)
            assert quarter[section]["value"] == sum(one["value"] for one in quarter[section]["items"])
        assert quarter["netProfit"] == quarter["netOperatingProfit"] + quarter["netOtherIncome"]


def test_a_balance_sheet_balances_and_moves_by_the_profit(served: Served) -> None:
    sheets = _statement(served, "balanceSheet", 1, 3)["reports"]

    assert len(sheets) == 3
    for one in sheets:
        assert one["netAssets"] == one["assets"]["value"] - one["liabilities"]["value"] == one["equity"]["value"]


def test_every_account_of_a_report_is_in_the_chart(served: Served) -> None:
    def named(line: Any) -> set[str]:
        held = {line["accountId"]} if line.get("accountId") else set()
        return held.union(*map(named, line["items"]))

    accounts = {one["id"] for one in served.all("chartOfAccounts")}
    for name, sections in (
        ("profitAndLoss", ("income", "costOfSales", "expenses", "otherExpenses")),
        ("balanceSheet", ("assets", "liabilities", "equity")),
    ):
        for report in _statement(served, name, 1, 24)["reports"]:
            assert set().union(*(named(report[section]) for section in sections)) <= accounts


def test_a_statement_ends_in_the_month_asked_for(served: Served) -> None:
    for name in _STATEMENTS:
        whole = _statement(served, name, 1, 24)
        earlier = _statement(served, name, 1, 24, startMonth="2025-12-15")

        assert whole["mostRecentAvailableMonth"] == "2026-03-01T00:00:00"
        assert whole["earliestAvailableMonth"] == "2025-01-01T00:00:00"
        assert len(whole["reports"]) == 15
        assert earlier["reports"] == whole["reports"][3:]


def test_a_connections_form_answers_the_same(served: Served) -> None:
    params = {"periodLength": 2, "periodsToCompare": 3}
    for name in _STATEMENTS:
        path = f"/data/financials/{name}"
        of_connection = served.get(f"/companies/{served.company}/connections/{served.connection}{path}", params=params)

        assert of_connection.status_code == 200
        assert of_connection.json() == served.get(f"/companies/{served.company}{path}", params=params).json()


@pytest.mark.parametrize(("params", "words"), [
    ({}, "periodLength must be a whole number from 1."),
    ({"periodLength": "3"}, "periodsToCompare must be a whole number from 1."),
    ({"periodLength": "0", "periodsToCompare": "1"}, "periodLength must be a whole number from 1."),
    ({"periodLength": "1", "periodsToCompare": "1.5"}, "periodsToCompare must be a whole number from 1."),
    ({"periodLength": "1", "periodsToCompare": "1", "startMonth": "March"}, "startMonth must be a day"),
])  # fmt: skip
def test_a_statement_without_its_parameters_is_refused_in_words(
    served: Served, params: dict[str, str], words: str
) -> None:
    answer = served.get(f"/companies/{served.company}/data/financials/balanceSheet", params=params)

    assert error_in(answer, 400).startswith(words)


def test_a_statement_that_was_not_read_says_why(house: House) -> None:
    company, connection = house.a_linked_company()
    asked = {"periodLength": 1, "periodsToCompare": 1}
    path = f"/companies/{company}/data/financials/profitAndLoss"

    assert error_in(house.get(path, params=asked), 409).endswith("it has not been requested yet.")
    house.a_dataset(company, connection, "profitAndLoss", Status.PERMISSIONS_ERROR, error_message="Level 7 is needed.")
    assert error_in(house.get(path, params=asked), 409).endswith("PermissionsError. Level 7 is needed.")
    house.a_dataset(company, connection, "profitAndLoss", Status.NOT_SUPPORTED)
    assert (
        error_in(house.get(path, params=asked), 404) == "Datatype profitAndLoss not supported by platform(s) FreeAgent"
    )
    house.put(company, connection, "profitAndLoss", [])
    assert house.get(path, params=asked).json() == {"currency": "XXX", "reportBasis": "Unknown", "reports": []}

"""codat-accounting and codat-lending read every data type: one strict type error anywhere is a failure."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.sdk.conftest import Sdks

pytestmark = [pytest.mark.sdk, pytest.mark.xdist_group("sdk-records")]

_LARGEST_PAGE = 5000


class Kind(msgspec.Struct, frozen=True):
    """How an SDK reads a data type: its group of methods and the name of a record's id, and a property to filter by."""

    data_type: str
    accounting: str
    lending: str | None
    id: str
    property: str
    operator: str
    is_of_connection: bool = False

    def value(self, record: dict[str, Any]) -> Any:
        """What the property holds, in a form that compares as it does in a query."""
        held = record.get(self.property)
        return Decimal(str(held)) if self.property.endswith("Amount") and held is not None else held


KINDS = (
    Kind("chartOfAccounts", "accounts", "financial_statements.accounts", "account_id", "type", "="),
    Kind("accountTransactions", "account_transactions", "transactions.account_transactions", "account_transaction_id",
         "totalAmount", "<", True),
    Kind("bankAccounts", "bank_accounts", "accounting_bank_data.accounts", "account_id", "accountName", "=", True),
    Kind("billCreditNotes", "bill_credit_notes", "accounts_payable.bill_credit_notes", "bill_credit_note_id",
         "totalAmount", ">="),
    Kind("billPayments", "bill_payments", "accounts_payable.bill_payments", "bill_payment_id", "date", "<"),
    Kind("bills", "bills", "accounts_payable.bills", "bill_id", "totalAmount", ">"),
    Kind("creditNotes", "credit_notes", "accounts_receivable.credit_notes", "credit_note_id", "issueDate", "<="),
    Kind("customers", "customers", "accounts_receivable.customers", "customer_id", "status", "="),
    Kind("directCosts", "direct_costs", "transactions.direct_costs", "direct_cost_id", "totalAmount", ">=", True),
    Kind("directIncomes", "direct_incomes", "accounts_receivable.direct_incomes", "direct_income_id",
         "currency", "=", True),
    Kind("invoices", "invoices", "accounts_receivable.invoices", "invoice_id", "dueDate", ">"),
    Kind("items", "items", None, "item_id", "itemStatus", "="),
    Kind("journalEntries", "journal_entries", "transactions.journal_entries", "journal_entry_id", "postedOn", ">="),
    Kind("journals", "journals", "transactions.journals", "journal_id", "status", "="),
    Kind("payments", "payments", "accounts_receivable.payments", "payment_id", "totalAmount", "!="),
    Kind("suppliers", "suppliers", "accounts_payable.suppliers", "supplier_id", "status", "="),
    Kind("taxRates", "tax_rates", None, "tax_rate_id", "name", "="),
    Kind("trackingCategories", "tracking_categories", None, "tracking_category_id", "name", "!="),
    Kind("transfers", "transfers", "transactions.transfers", "transfer_id", "date", ">=", True),
)  # fmt: skip

EVERY_TYPE = pytest.mark.parametrize(("name", "kind"), [
    pytest.param(name, kind, id=f"{name}-{kind.data_type}")
    for name in ("codat-accounting", "codat-lending")
    for kind in KINDS
    if name == "codat-accounting" or kind.lending is not None
])  # fmt: skip


class Reader:
    """One SDK reading one data type of the demo's company."""

    def __init__(self, sdks: Sdks, name: str, kind: Kind) -> None:
        self.sdk, self.demo, self.kind = sdks.sdk(name), sdks.demo, kind
        self._group = kind.accounting if name == "codat-accounting" else str(kind.lending)
        self._owner = {"company_id": self.demo.company}
        if kind.is_of_connection:
            self._owner["connection_id"] = self.demo.connection

    def all(self, page_size: int = _LARGEST_PAGE, **more: Any) -> list[dict[str, Any]]:
        return self.sdk.pages(self.list_call, {**self._owner, "page_size": page_size, **more})

    def get(self, id_: str) -> Any:
        return self.sdk.answer(f"{self._group}.get", {**self._owner, self.kind.id: id_})

    def error(self, method: str, **more: Any) -> tuple[str, Any]:
        return self.sdk.error(f"{self._group}.{method}", {**self._owner, **more})

    @property
    def list_call(self) -> str:
        return f"{self._group}.list"


@EVERY_TYPE
def test_pages_of_any_size_hold_every_record_once(sdks: Sdks, name: str, kind: Kind) -> None:
    reader = Reader(sdks, name, kind)

    whole = reader.all()
    in_small_pages = reader.all(page_size=len(whole) // 4 + 1)

    assert len(whole) == sdks.demo.records[kind.data_type] > 0
    assert in_small_pages == whole
    assert len({one["id"] for one in whole}) == len(whole)
    assert all(one["modifiedDate"] and one["metadata"] == {"isDeleted": False} for one in whole)


_COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


@EVERY_TYPE
def test_a_query_keeps_what_matches_and_an_order_orders(sdks: Sdks, name: str, kind: Kind) -> None:
    reader = Reader(sdks, name, kind)
    records = sorted(reader.all(), key=kind.value)
    middle = kind.value(records[len(records) // 2])
    expected = [one for one in records if _COMPARES[kind.operator](kind.value(one), middle)]

    query = f"{kind.property}{kind.operator}{middle}&&metadata.isDeleted!=true"
    found = reader.all(page_size=len(records) // 3 + 1, query=query, order_by=f"-{kind.property}")

    assert expected
    assert sorted(found, key=_id) == sorted(expected, key=_id)
    values = [kind.value(one) for one in found]
    assert values == sorted(values, reverse=True)


def test_open_invoices_are_found_by_a_query_of_several_parts(sdks: Sdks) -> None:
    reader = Reader(sdks, "codat-lending", next(kind for kind in KINDS if kind.data_type == "invoices"))
    expected = [
        one
        for one in reader.all()
        if one["status"] in ("Submitted", "PartiallyPaid") and Decimal(str(one["amountDue"])) > 0
    ]

    found = reader.all(query="{status = Submitted || status = PartiallyPaid} && amountDue > 0", order_by="-amountDue")

    assert expected
    assert sorted(found, key=_id) == sorted(expected, key=_id)


def _id(record: dict[str, Any]) -> str:
    return str(record["id"])


@EVERY_TYPE
def test_each_record_is_read_by_its_id(sdks: Sdks, name: str, kind: Kind) -> None:
    reader = Reader(sdks, name, kind)
    listed = reader.all()

    for record in listed[:: len(listed) // 5 + 1]:
        assert reader.get(record["id"]) == record


@EVERY_TYPE
def test_errors_arrive_as_the_sdks_typed_error(sdks: Sdks, name: str, kind: Kind) -> None:
    reader = Reader(sdks, name, kind)

    for status, outcome in (
        (404, reader.error("get", **{kind.id: "not/there"})),
        (404, reader.error("list", company_id="0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1")),
        (400, reader.error("list", query="status=")),
        (400, reader.error("list", query="lineItems.unitAmount=700")),
        (400, reader.error("list", order_by="nothing")),
    ):
        raised, data = outcome
        assert (raised, data["statusCode"]) == ("ErrorMessage", status)
        assert data["error"]
        assert len(data["correlationId"]) == 32


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("codat-accounting", "bank_account_transactions.list"),
        ("codat-lending", "accounting_bank_data.list_transactions"),
    ],
)
def test_transactions_of_every_bank_account_are_read(sdks: Sdks, name: str, call: str) -> None:
    sdk, demo = sdks.sdk(name), sdks.demo
    owner = {"company_id": demo.company, "connection_id": demo.connection}
    accounts = Reader(sdks, name, next(kind for kind in KINDS if kind.data_type == "bankAccounts")).all()
    count = 0

    for account in accounts:
        request = {**owner, "account_id": account["id"], "page_size": 50}
        lines = sdk.pages(call, request)
        spent = sdk.pages(call, {**request, "query": "amount<0", "order_by": "amount"})
        assert sorted(map(_id, spent)) == sorted(_id(one) for one in lines if Decimal(str(one["amount"])) < 0)
        assert [Decimal(str(one["amount"])) for one in spent] == sorted(Decimal(str(one["amount"])) for one in spent)
        count += len(lines)

    assert count == demo.records["bankTransactions"]
    raised, data = sdk.error(call, {**owner, "account_id": "none"})
    assert (raised, data["statusCode"]) == ("ErrorMessage", 404)


@pytest.mark.parametrize(
    ("name", "call"),
    [("codat-accounting", "company_info.get"), ("codat-lending", "company_info.get_accounting_profile")],
)
def test_the_companys_own_details_are_read(sdks: Sdks, name: str, call: str) -> None:
    details = sdks.sdk(name).answer(call, {"company_id": sdks.demo.company})

    assert details["companyName"]
    assert details["baseCurrency"] == "GBP"


def test_payments_are_read_over_a_connection_too(sdks: Sdks) -> None:
    sdk, demo = sdks.sdk("codat-accounting"), sdks.demo
    request = {"company_id": demo.company, "connection_id": demo.connection, "link_type": "Invoice"}

    found = sdk.answer("payments.payments", request)

    assert found["totalResults"] == demo.records["payments"]


@pytest.mark.parametrize("group", [
    "payment_methods", "purchase_orders", "sales_orders", "item_receipts",
])  # fmt: skip
def test_data_types_that_are_not_supported_say_so_in_the_typed_error(sdks: Sdks, group: str) -> None:
    sdk, demo = sdks.sdk("codat-accounting"), sdks.demo

    raised, data = sdk.error(f"{group}.list", {"company_id": demo.company, "connection_id": demo.connection})

    assert (raised, data["statusCode"]) == ("ErrorMessage", 404)
    assert data["error"].endswith("not supported by platform(s) FreeAgent")


@pytest.mark.parametrize("name", ["codat-accounting", "codat-lending"])
def test_a_wrong_key_is_a_typed_error(sdks: Sdks, name: str) -> None:
    call = Reader(sdks, name, KINDS[0]).list_call

    raised, data = sdks.sdk(name, "made-up").error(call, {"company_id": sdks.demo.company})

    assert (raised, data["statusCode"]) == ("ErrorMessage", 401)


def test_lending_reads_companies_connections_and_the_state_of_reads(sdks: Sdks) -> None:
    sdk, demo = sdks.sdk("codat-lending"), sdks.demo
    company = {"company_id": demo.company}

    status = sdk.answer("manage_data.get_status", company)
    history = sdk.pages("manage_data.pull_operations.list", {**company, "page_size": 5})

    assert sdk.answer("companies.get", company)["id"] == demo.company
    assert [one["id"] for one in sdk.pages("connections.list", company)] == [demo.connection]
    assert {key: one["currentStatus"] for key, one in status.items()} == dict.fromkeys(demo.records, "Complete")
    assert {one["dataType"] for one in history} == set(demo.records)


@pytest.mark.parametrize(("name", "debtors", "creditors"), [
    ("codat-accounting", "reports.get_aged_debtors_report", "reports.get_aged_creditors_report"),
    ("codat-lending", "accounts_receivable.reports.get_aged_debtors", "accounts_receivable.reports.get_aged_creditors"),
])  # fmt: skip
def test_aged_reports_are_read(sdks: Sdks, name: str, debtors: str, creditors: str) -> None:
    sdk, company = sdks.sdk(name), {"company_id": sdks.demo.company}

    for call in (debtors, creditors):
        answer = sdk.answer(call, {**company, "number_of_periods": 3, "period_length_days": 30})

        assert answer["data"]
        cells = answer["data"][0]["agedCurrencyOutstanding"][0]["agedOutstandingAmounts"]
        assert len([cell for cell in cells if cell.get("fromDate") and cell.get("toDate")]) == 3


def test_statements_are_read_by_periods_of_any_length(sdks: Sdks) -> None:
    sdk, company = sdks.sdk("codat-accounting"), {"company_id": sdks.demo.company}

    for call in ("reports.get_profit_and_loss", "reports.get_balance_sheet", "reports.get_cash_flow_statement"):
        answer = sdk.answer(call, {**company, "period_length": 2, "periods_to_compare": 3})

        assert len(answer["reports"]) == 3
        assert answer["mostRecentAvailableMonth"]


def test_a_bills_file_is_listed_and_downloaded(sdks: Sdks) -> None:
    sdk, owner = sdks.sdk("codat-accounting"), {"company_id": sdks.demo.company, "connection_id": sdks.demo.connection}
    bills = Reader(sdks, "codat-accounting", next(kind for kind in KINDS if kind.data_type == "bills")).all()

    of_bills = {one["id"]: sdk.answer("bills.list_attachments", {**owner, "bill_id": one["id"]}) for one in bills}
    [(bill, file)] = [(id_, file) for id_, answer in of_bills.items() for file in answer["attachments"]][:1]

    wanted = {**owner, "bill_id": bill, "attachment_id": file["id"]}
    assert sdk.answer("bills.get_attachment", wanted) == file
    assert sdk.answer("bills.download_attachment", wanted) == {"bytes": file["fileSize"]}


def test_an_invoice_is_downloaded_as_a_pdf(sdks: Sdks) -> None:
    sdk, company = sdks.sdk("codat-accounting"), {"company_id": sdks.demo.company}
    invoice = sdk.answer("invoices.list", company)["results"][0]["id"]

    assert sdk.answer("invoices.download_pdf", {**company, "invoice_id": invoice})["bytes"] > 100


def test_reports_say_whether_they_are_available(sdks: Sdks) -> None:
    sdk, company = sdks.sdk("codat-accounting"), {"company_id": sdks.demo.company}

    assert sdk.answer("reports.is_aged_debtor_report_available", company) is True
    assert sdk.answer("reports.is_aged_creditors_report_available", company) is True


def test_what_has_no_files_has_an_empty_list_and_what_is_not_supplied_says_so(sdks: Sdks) -> None:
    sdk, owner = sdks.sdk("codat-accounting"), {"company_id": sdks.demo.company, "connection_id": sdks.demo.connection}
    customer = sdk.answer("customers.list", {"company_id": sdks.demo.company})["results"][0]["id"]

    assert sdk.answer("customers.list_attachments", {**owner, "customer_id": customer}) == {"attachments": []}
    for call, ids in (
        ("customers.get_attachment", {"customer_id": customer, "attachment_id": "1"}),
        ("purchase_orders.list_attachments", {"purchase_order_id": "1"}),
        ("item_receipts.list", {}),
    ):
        kind, error = sdk.error(call, {**owner, **ids})
        assert (kind, error["statusCode"]) == ("ErrorMessage", 404), call

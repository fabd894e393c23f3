"""Books that are legal and untidy: the books check raises no false alarm over them, and a true one all the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.integrations.given import GivenBooks, a_bank_account, a_category, a_company, an_explanation, an_invoice, url

from comptoir.store import Database, open_database

D = Decimal
INVOICE = url("invoices", 5150001)
BILL = url("bills", 7300001)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('legal') / 'comptoir.db'}")
    yield opened
    opened.close()


def a_bill(**more: Any) -> dict[str, Any]:
    """100.00 and 20.00 VAT, of which nothing is paid."""
    return {
        "url": BILL,
        "contact": url("contacts", 4410021),
        "reference": "RB-1",
        "dated_on": "2024-05-20",
        "due_on": "2024-06-19",
        "currency": "GBP",
        "total_value": "120.0",
        "net_value": "-100.0",
        "sales_tax_value": "-20.0",
        "due_value": "120.0",
        "status": "Open",
        "bill_items": [
            {
                "description": "Battens",
                "category": url("categories", "104"),
                "quantity": "1.0",
                "total_value": "120.0",
                "total_value_ex_tax": "100.0",
                "sales_tax_rate": "20.0",
                "sales_tax_value": "-20.0",
                "sales_tax_status": "TAXABLE",
            }
        ],
        **more,
    }


def test_a_bill_that_a_finance_agreement_pays_is_paid_by_no_payment(db: Database) -> None:
    books = GivenBooks(db, bills=[a_bill(status="Paid", due_value="0.0", is_paid_by_hire_purchase=True)])

    assert books.one("bills", "7300001")["amountDue"] == 0
    assert books.breached() == {}


def test_a_paid_bill_without_a_payment_is_told(db: Database) -> None:
    books = GivenBooks(db, bills=[a_bill(status="Paid", due_value="0.0")])

    assert books.breached().keys() == {"C1"}


def test_a_bill_may_be_paid_more_than_it_asks_for(db: Database) -> None:
    books = GivenBooks(
        db,
        bills=[a_bill(status="Paid", due_value="-5.0")],
        bank_transaction_explanations=[an_explanation(1, "-125.0", paid_bill=BILL)],
    )

    assert books.one("bills", "7300001")["amountDue"] == 0
    assert books.breached() == {}


def test_an_invoice_paid_and_paid_back_is_void_and_settled(db: Database) -> None:
    books = GivenBooks(
        db,
        invoices=[an_invoice(status="Refunded", due_value="0.0")],
        bank_transaction_explanations=[
            an_explanation(1, "120.0", paid_invoice=INVOICE),
            an_explanation(2, "-120.0", paid_invoice=INVOICE),
        ],
    )

    assert books.one("invoices", "5150001")["status"] == "Void"
    assert books.breached() == {}


def test_what_is_due_follows_from_the_payments_where_it_is_not_told(db: Database) -> None:
    books = GivenBooks(
        db,
        invoices=[an_invoice(due_value=None)],
        bills=[
            a_bill(due_value=None),
            a_bill(url=url("bills", 2), total_value="-120.0", due_value=None, bill_items=[]),
        ],
        bank_transaction_explanations=[
            an_explanation(1, "50.0", paid_invoice=INVOICE),
            an_explanation(2, "-30.0", paid_bill=BILL),
            an_explanation(3, "20.0", paid_bill=url("bills", 2)),
        ],
    )

    invoice, bill = books.one("invoices", "5150001"), books.one("bills", "7300001")
    assert (invoice["amountDue"], invoice["status"]) == (70, "PartiallyPaid")
    assert (bill["amountDue"], bill["status"]) == (90, "PartiallyPaid")
    assert books.one("billCreditNotes", "2")["remainingCredit"] == 100
    assert "C1" not in books.breached()
    assert "C2" not in books.breached()


def test_tax_that_is_shown_and_not_charged_yet_is_no_wrong_rate(db: Database) -> None:
    interim = an_invoice(
        is_interim_uk_vat=True, net_value="100.0", sales_tax_value="0.0", total_value="100.0", due_value="100.0"
    )
    books = GivenBooks(db, invoices=[interim])

    [line] = books.one("invoices", "5150001")["lineItems"]
    assert (line["taxAmount"], line["taxRateRef"]["id"]) == (0, "taxable-20")
    assert books.breached() == {}


def test_a_large_payment_in_another_currency_is_not_off_by_its_rounded_rate(db: Database) -> None:
    yen = an_invoice(
        status="Paid",
        currency="JPY",
        exchange_rate="0.0052712345",
        total_value="100000003",
        net_value="100000003",
        sales_tax_value=None,
        due_value="0",
        invoice_items=[],
    )
    books = GivenBooks(
        db,
        invoices=[yen],
        bank_transaction_explanations=[
            an_explanation(1, "527123.47", paid_invoice=INVOICE, foreign_currency_value="100000003.0")
        ],
    )

    [line] = books.one("payments", "1")["lines"]
    assert line["links"] == [
        {"type": "Invoice", "id": "5150001", "amount": -100000003, "currencyRate": D("0.005271235")}
    ]
    assert books.breached().keys() <= {"B2"}  # this invoice has no lines


@pytest.mark.parametrize("foreign", [None, "0.0", "NaN", []])
def test_money_of_another_currency_is_never_taken_for_the_documents(db: Database, foreign: Any) -> None:
    dollars = an_invoice(status="Paid", currency="USD", exchange_rate="0.8", due_value="0.0")
    books = GivenBooks(
        db,
        invoices=[dollars],
        bills=[a_bill(status="Paid", currency="USD", exchange_rate="0.8", due_value="0.0")],
        bank_transaction_explanations=[
            an_explanation(1, "95.0", paid_invoice=INVOICE, foreign_currency_value=foreign),
            an_explanation(2, "-95.0", paid_bill=BILL, foreign_currency_value=foreign),
        ],
    )

    assert books.one("payments", "1")["lines"] == [
        {"amount": 95, "allocatedOnDate": "2024-06-20T00:00:00", "links": [{"type": "Invoice", "id": "5150001"}]}
    ]
    assert books.one("billPayments", "2")["lines"][0]["links"] == [{"type": "Bill", "id": "7300001"}]
    [allocation] = books.one("invoices", "5150001")["paymentAllocations"]
    assert "totalAmount" not in allocation["allocation"]
    assert allocation["payment"]["totalAmount"] == 95
    assert "lines.links.amount" in books.noted("payments")
    assert "paymentAllocations.allocation.totalAmount" in books.noted("invoices")
    assert books.breached() == {}


def test_an_invoice_that_received_too_much_is_divided_to_the_last_digit(db: Database) -> None:
    odd = an_invoice(status="Overpaid", total_value="33.335", net_value="33.335", sales_tax_value=None, due_value="0.0")
    odd["invoice_items"] = [odd["invoice_items"][0] | {"quantity": "1", "price": "33.335", "sales_tax_rate": "0"}]
    books = GivenBooks(
        db, invoices=[odd], bank_transaction_explanations=[an_explanation(1, "100.0", paid_invoice=INVOICE)]
    )

    lines = books.one("payments", "1")["lines"]
    assert [(line["amount"], line["links"][0]["amount"], line["links"][0]["type"]) for line in lines] == [
        (D("33.335"), D("-33.335"), "Invoice"),
        (D("66.665"), D("-66.665"), "PaymentOnAccount"),
    ]
    assert books.breached() == {}


@pytest.mark.parametrize(("one", "other"), [("0.0", "0.0"), ("5.0", "5.0"), ("-5.0", "-5.0")])
def test_two_sides_that_make_no_transfer_are_not_served_and_said(db: Database, one: str, other: str) -> None:
    sides = {
        "linked_transfer_account": url("bank_accounts", 738790),
        "linked_transfer_explanation": "/v2/bank_transaction_explanation/2",
    }
    back = {
        "bank_account": url("bank_accounts", 738790),
        "linked_transfer_account": url("bank_accounts", 738783),
        "linked_transfer_explanation": "/v2/bank_transaction_explanation/1",
    }
    books = GivenBooks(
        db,
        bank_accounts=[a_bank_account(), a_bank_account(738790)],
        bank_transaction_explanations=[an_explanation(1, one, **sides), an_explanation(2, other, **back)],
    )

    assert books.of("transfers") == {}
    assert "amount" in books.noted("transfers")
    assert "move nothing" in books.unchecked()["A5"]
    assert books.breached() == {}


def test_a_transfer_told_by_a_singular_address_is_served_once(db: Database) -> None:
    books = GivenBooks(
        db,
        bank_accounts=[a_bank_account(), a_bank_account(738790, currency="EUR")],
        bank_transaction_explanations=[
            an_explanation(
                2,
                "9.0",
                bank_account=url("bank_accounts", 738790),
                linked_transfer_account="/v2/bank_account/738783",
                linked_transfer_explanation="/v2/bank_transaction_explanation/1",
            ),
            an_explanation(
                1,
                "-7.5",
                linked_transfer_account="http://api.freeagent.com/v2/bank_accounts/738790",
                linked_transfer_explanation="/v2/bank_transaction_explanation/2",
            ),
        ],
    )

    made = books.one("transfers", "1")
    assert books.of("transfers").keys() == {"1"}
    assert (made["from"]["amount"], made["to"]["amount"], made["to"]["currency"]) == (D("7.5"), 9, "EUR")
    assert books.breached() == {}


def test_a_reference_that_leads_nowhere_in_the_source_itself_is_no_breach_and_is_said(db: Database) -> None:
    books = GivenBooks(
        db,
        contacts=[{"url": url("contacts", 1), "status": "Active"}],
        invoices=[an_invoice(project=url("projects", 99))],
        bank_transaction_explanations=[
            an_explanation(1, "5.0", paid_invoice=url("invoices", 404)),
            an_explanation(2, "-5.0", paid_bill=url("bills", 404)),
        ],
    )

    assert books.one("invoices", "5150001")["customerRef"] == {"id": "4410021"}
    assert books.one("payments", "1")["lines"][0]["links"][0]["id"] == "404"
    assert "customerRef" in books.noted("invoices")
    assert "lines.links.id" in books.noted("payments")
    said = books.unchecked()["A3"]
    assert all(f"name {to} that the source itself does not list" in said for to in ("customers", "invoices", "bills"))
    assert books.breached() == {}


def test_many_lines_of_withheld_tax_may_each_be_rounded(db: Database) -> None:
    items = [
        {
            "description": f"Day {day}",
            "category": url("categories", "097"),
            "total_value": "10.02",
            "total_value_ex_tax": "10.02",
            "sales_tax_status": "OUT_OF_SCOPE",
        }
        for day in range(10)
    ]
    bill = a_bill(
        total_value="100.2",
        net_value="-100.2",
        sales_tax_value=None,
        due_value="80.2",
        cis_deduction_rate="0.2",
        cis_deduction="20.0",
        cis_deduction_suffered="0.0",
        bill_items=items,
    )
    categories = [a_category("097", "CIS Labour", "cost_of_sales_categories")]
    books = GivenBooks(db, bills=[bill], categories=categories, company=[a_company(cis_contractor=True)])

    assert books.one("bills", "7300001")["withholdingTax"] == [{"name": "CIS deduction 20%", "amount": 20}]
    assert books.breached() == {}

    wrong = GivenBooks(db, bills=[bill | {"cis_deduction": "25.0", "due_value": "75.2"}], categories=categories)

    assert wrong.breached().keys() == {"C10"}


@pytest.mark.parametrize(("refused", "unpaid"), [((), 120), (("bank_transaction_explanations",), 70)])
def test_without_the_banks_lines_what_was_written_off_is_what_the_source_says_is_unpaid(
    db: Database, refused: tuple[str, ...], unpaid: int
) -> None:
    written_off = an_invoice(
        status="Part written-off", paid_value="50.0", due_value="0.0", written_off_date="2024-09-01"
    )
    books = GivenBooks(db, invoices=[written_off], refused=refused)

    [allocation] = books.one("invoices", "5150001")["paymentAllocations"]
    assert allocation["payment"]["id"] == "wo-5150001"
    assert allocation["allocation"]["totalAmount"] == unpaid
    assert books.breached() == {}


def _while_read(updated_at: str) -> dict[str, list[dict[str, Any]]]:
    """An invoice and a bank account as they were before a payment of both came in."""
    payment = an_explanation(
        1, "50.0", paid_invoice=INVOICE, bank_transaction=url("bank_transactions", 9), updated_at=updated_at
    )
    line = {
        "url": url("bank_transactions", 9),
        "bank_account": url("bank_accounts", 738783),
        "dated_on": "2024-06-20",
        "amount": "50.0",
        "unexplained_amount": "50.0",
        "updated_at": updated_at,
    }
    payment["marked_for_review"] = False
    return {
        "invoices": [an_invoice()],
        "bank_transaction_explanations": [payment],
        "bank_transactions": [line],
    }


def test_what_came_in_while_the_books_were_read_is_no_breach_and_is_said(db: Database) -> None:
    books = GivenBooks(db, _while_read("2026-03-31T12:00:30.000Z"))

    assert books.breached() == {}
    assert all("changed while they were read" in books.unchecked()[code] for code in ("C1", "D3"))


def test_what_was_there_before_the_books_were_read_is_a_breach(db: Database) -> None:
    books = GivenBooks(db, _while_read("2026-03-31T11:40:00.000Z"))

    assert books.breached().keys() == {"C1", "D1", "D3"}


def test_a_bill_of_many_digits_is_divided_exactly(db: Database) -> None:
    net = "1234567890123456789012345678901234567890.12"
    item = a_bill()["bill_items"][0] | {"total_value": net, "total_value_ex_tax": net, "sales_tax_value": "0.0"}
    item |= {"quantity": "8.0", "sales_tax_rate": "0.0"}
    bill = a_bill(total_value=net, net_value=f"-{net}", sales_tax_value="0.0", due_value=net, bill_items=[item])
    books = GivenBooks(db, bills=[bill])

    [line] = books.one("bills", "7300001")["lineItems"]
    assert line["unitAmount"] == D("154320986265432098626543209862654320986.265")
    assert books.breached() == {}


def test_a_landlords_documents_are_tracked_by_the_property(db: Database) -> None:
    house = {"url": url("properties", 3301), "address1": "12 Weir Cottages", "postcode": "GL5 1AB"}
    books = GivenBooks(
        db,
        company=[a_company(type="UkUnincorporatedLandlord", sales_tax_registration_status="Not Registered")],
        properties=[house],
        invoices=[an_invoice(property=house["url"], project=None)],
        bank_transaction_explanations=[
            an_explanation(1, "-80.0", category=url("categories", "104"), property="/v2/property/3301")
        ],
    )

    ref = {"id": "property-3301", "name": "12 Weir Cottages, GL5 1AB"}
    assert books.one("trackingCategories", "property-3301")["name"] == ref["name"]
    assert books.one("invoices", "5150001")["lineItems"][0]["trackingCategoryRefs"] == [ref]
    [line] = books.one("directCosts", "1")["lineItems"]
    assert line["trackingCategoryRefs"] == [ref]
    assert line["tracking"]["recordRefs"] == [{"id": "property-3301", "dataType": "trackingCategories"}]
    assert books.breached() == {}


def test_two_taxes_at_once_are_one_amount_and_one_rate(db: Database) -> None:
    company = a_company(
        type="UniversalCompany",
        currency="CAD",
        sales_tax_name="GST",
        sales_tax_rates=["5.0"],
        second_sales_tax_name="PST",
        second_sales_tax_rates=["8.0"],
        second_sales_tax_is_compound=True,
    )
    taxed = an_invoice(
        currency="CAD", sales_tax_value="5.0", second_sales_tax_value="8.4", total_value="113.4", due_value="113.4"
    )
    taxed["invoice_items"] = [taxed["invoice_items"][0] | {"sales_tax_rate": "5.0", "second_sales_tax_rate": "8.0"}]
    books = GivenBooks(db, company=[company], invoices=[taxed])

    made = books.one("invoices", "5150001")
    assert (made["totalTaxAmount"], made["lineItems"][0]["taxAmount"]) == (D("13.4"), D("13.4"))
    assert made["lineItems"][0]["taxRateRef"]["id"] == "taxable-5_8c"
    assert books.beside("invoices", "5150001")["taxSplit"] == {"salesTax": 5, "secondSalesTax": D("8.4")}
    assert books.breached() == {}


def test_nothing_to_look_at_is_not_said_to_hold(db: Database) -> None:
    books = GivenBooks(db)

    held = {line.code for line in books.report.lines if line.state == "held"}
    assert held <= {"A1", "A2", "A3", "A4", "A7", "A9", "A10", "D3", "D8", "E6", "G1", "G2", "G3"}
    assert all(line.checked for line in books.report.lines if line.state == "held")


def test_an_account_that_only_a_price_list_names_is_served(db: Database) -> None:
    item = {
        "url": url("price_list_items", 8100),
        "description": "Ridge tiles",
        "price": "4.0",
        "category": url("categories", "047"),
    }

    books = GivenBooks(db, price_list_items=[item])

    assert books.one("items", "8100")["invoiceItem"]["accountRef"]["id"] == "047"
    assert books.one("chartOfAccounts", "047")
    assert books.breached() == {}

"""XML in the place of JSON, both ways, over real HTTP: the quick start of FreeAgent's documentation uses it."""

from __future__ import annotations

from xml.etree import ElementTree

import httpx
import pytest
from tests.freeagent_standin.api.conftest import ServeBooks
from tests.freeagent_standin.shell.conftest import Served

XML = {"Accept": "application/xml", "Content-Type": "application/xml"}


@pytest.fixture
def served(serve_books: ServeBooks) -> Served:
    return serve_books()[0]


def call(served: Served, method: str, path: str, body: bytes = b"", headers: dict[str, str] = XML) -> httpx.Response:
    sent = {"Authorization": f"Bearer {served.token}", "User-Agent": "test"} | headers
    return served._http.request(method, f"{served.url}/v2/{path}", content=body, headers=sent)


def test_an_answer_in_xml_says_what_the_one_in_json_says(served: Served) -> None:
    given = call(served, "GET", "invoices?per_page=3&nested_invoice_items=true")
    rows = call(served, "GET", "invoices?per_page=3&nested_invoice_items=true", headers={}).json()["invoices"]

    root = ElementTree.fromstring(given.content)
    [invoices] = root
    assert given.headers["content-type"] == "application/xml; charset=utf-8"
    assert given.headers["x-total-count"]
    assert (root.tag, invoices.tag, invoices.get("type")) == ("freeagent", "invoices", "array")
    for element, row in zip(invoices, rows, strict=True):
        assert element.tag == "invoice"
        assert [each.tag.replace("-", "_") for each in element] == list(row)
        assert element.findtext("contact-name") == row["contact_name"]
        total = element.find("total-value")
        assert total is not None
        assert (total.get("type"), total.text) == ("decimal", row["total_value"])
        items = element.find("invoice-items")
        assert items is not None
        assert [each.findtext("price") for each in items] == [each["price"] for each in row["invoice_items"]]
    kinds = {each.tag: each.get("type") for each in invoices[0]}
    assert kinds["dated-on"] == "date"
    assert kinds["created-at"] == "dateTime"
    assert kinds["omit-header"] == "boolean"
    assert kinds["reference"] is None


@pytest.mark.parametrize(
    ("accept", "path", "is_xml"),
    [
        ("application/xml", "company", True),
        ("text/xml", "company", True),
        ("application/json;q=0.5, application/xml", "company", True),
        ("application/xml;q=0.5, application/json", "company", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "company", False),
        ("*/*", "company", False),
        ("", "company", False),
        ("application/xml;q=much", "company", False),
        ("application/json", "company.xml", True),
        ("application/xml", "company.json", False),
    ],
)
def test_the_form_is_what_is_accepted_best(served: Served, accept: str, path: str, is_xml: bool) -> None:
    given = call(served, "GET", path, headers={"Accept": accept})

    assert given.status_code == 200
    assert given.headers["content-type"].startswith("application/xml") is is_xml


def test_a_record_is_made_and_changed_in_xml(served: Served) -> None:
    contact = call(served, "GET", "contacts", headers={}).json()["contacts"][0]["url"]
    body = f"""<?xml version="1.0" encoding="UTF-8"?><!-- ours -->
      <invoice>
        <contact>{contact}</contact>
        <dated-on type="datetime">2026-03-30</dated-on>
        <payment-terms-in-days type="integer">5</payment-terms-in-days>
        <po_reference>A &amp; B</po_reference>
        <project nil="true"/>
        <invoice-items type="array">
          <invoice-item><description>Work</description><item-type>Hours</item-type>
            <price type="decimal">10.0</price><quantity type="decimal">2.0</quantity></invoice-item>
        </invoice-items>
      </invoice>"""

    made = call(served, "POST", "invoices", body.encode())
    path = made.headers["location"].partition("/v2/")[2]
    changed = call(served, "PUT", path, b"<freeagent><invoice><comments>Thanks</comments></invoice></freeagent>")

    record = call(served, "GET", path, headers={}).json()["invoice"]
    assert (made.status_code, changed.status_code) == (201, 200)
    assert (record["net_value"], record["po_reference"], record["comments"]) == ("20.0", "A & B", "Thanks")
    assert ElementTree.fromstring(changed.content).findtext("invoice/comments") == "Thanks"
    assert call(served, "DELETE", path).content == b""


def test_a_statement_comes_in_xml(served: Served) -> None:
    account = call(served, "GET", "bank_accounts", headers={}).json()["bank_accounts"][0]["url"]
    line = "<dated_on>2026-03-29</dated_on><amount>-100</amount><description>Local Council</description>"
    body = f'<statement type="array"><transaction>{line}</transaction></statement>'.encode()

    given = call(served, "POST", f"bank_transactions/statement?bank_account={account}", body)
    served.control("POST", "clock", {"advanceSeconds": 5})

    rows = call(served, "GET", f"bank_transactions?bank_account={account}&from_date=2026-03-29", headers={}).json()[
        "bank_transactions"
    ]
    assert (given.status_code, given.content) == (200, b"")
    assert ("Local Council", "-100.0") in {(row["description"].partition("/")[0], row["amount"]) for row in rows}


def test_a_refusal_comes_in_xml_too(served: Served) -> None:
    missing = call(served, "GET", "invoices/1")
    blank = call(served, "POST", "invoices", b"<invoice><reference>1</reference></invoice>")

    assert missing.status_code == 404
    assert ElementTree.fromstring(missing.content).findtext("errors/error/message") == "Resource not found"
    assert blank.status_code == 422
    assert ElementTree.fromstring(blank.content).findtext("errors/contact/contact") == "can't be blank"


@pytest.mark.parametrize(
    "body",
    [
        b"<invoice>",
        b"",
        b"{}",
        b"\xff\xfe<",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>" * 40 + b"</a>" * 40,
        b"<invoice>" + b"\x00" + b"</invoice>",
    ],
)
def test_what_is_no_xml_is_told(served: Served, body: bytes) -> None:
    assert call(served, "POST", "invoices", body).status_code == 400


def test_words_that_xml_cannot_carry_are_shown_as_unknown(served: Served) -> None:
    made = call(served, "POST", "contacts", b'{"contact": {"organisation_name": "A\\u0000B \\u000bC"}}', {})
    path = made.headers["location"].partition("/v2/")[2]

    given = call(served, "GET", path)

    assert ElementTree.fromstring(given.content).findtext("contact/organisation-name") == "A\ufffdB \ufffdC"

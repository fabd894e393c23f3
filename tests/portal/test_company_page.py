"""The page of a company: where each read stands and why, how far a read is, and what the books check found."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from tests.portal.conftest import Browser, House
from tests.portal.linking import Company, Linking
from tests.portal.pages import PLATFORM

from comptoir.store import companies, connections, datasets
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status

pytestmark = pytest.mark.slow
MANY = r"\d,\d{3}"  # records of a small company
STANDS = "Nothing had changed since the check of"


def _watch(company: Company) -> list[str]:
    """What the page is told while it is live, up to the end: each part as it is read."""
    told: list[str] = []
    with company.linking.operator.http.stream("GET", f"{company.linking.portal}{company.path}/progress") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "unsafe" not in stream.headers["content-security-policy"]
        data: list[str] = []
        event = ""
        for line in stream.iter_lines():
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                data.append(line.removeprefix("data:").removeprefix(" "))
            elif not line and event:
                if event == "done":
                    break
                told.append(" ".join(unescape(re.sub(r"<[^>]+>", " ", "\n".join(data))).split()))
                data, event = [], ""
    return told


def _row(company: Company, name: str) -> str:
    """All that is said of one data type."""
    [row] = re.findall(
        rf'<tr role="row">\s*<th scope="row" role="rowheader">(?:<a [^>]*>)?{name}<.*?</tr>',
        company.page().html,
        re.DOTALL,
    )
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split())


def test_a_read_can_be_watched_from_its_beginning_to_the_books_check(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()

    told = _watch(company)

    assert re.match(rf" {MANY} records held", told[-1].partition("What is read")[2])
    assert " checks agree" in told[-1]
    assert "Reading:" not in told[-1]
    assert (
        "Books check After each read the records are held against each other and against the figures of FreeAgent."
        in told[-1]
    )
    assert "Lines add up to their document: net, tax and total." in company.books_check().words


@pytest.mark.parametrize(
    ("ago", "is_asked_for", "is_live"),
    [
        (timedelta(seconds=1), False, True),  # the read is asked for in a step of its own, once the link is there
        (timedelta(seconds=1), True, False),  # and has ended
        (timedelta(seconds=61), False, False),  # nothing is set to be read on the first link
    ],
)
def test_a_page_goes_on_until_the_first_read_after_the_link_was_asked_for(
    house: House, operator: Browser, ago: timedelta, is_asked_for: bool, is_live: bool
) -> None:
    now = datetime.now(UTC)
    with house.application.db.write() as tx:
        company = companies.add(tx, house.tenant, name="Toft Bakery", created_by=None, now=now).id
        connection = connections.add(tx, house.tenant, company, PLATFORM.key, now).id
        connections.set_status(tx, house.tenant, connection, ConnectionStatus.LINKED, now - ago)
        if is_asked_for:
            asked = datasets.queue(tx, house.tenant, company, connection, "bills", now)
            datasets.advance(tx, house.tenant, asked.id, status=Status.COMPLETE, completed=now)

    page = operator.get(f"/companies/{company}")

    [live] = re.findall(r'data-live="([^"]*)"', page.html)
    assert live == (f"/companies/{company}/progress" if is_live else "")


@pytest.mark.usefixtures("faults")
def test_how_far_a_read_is_can_be_seen_with_and_without_script(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()
    _watch(company)
    linking.tell("faults", match={"list": "bills", "times": 1}, action={"kind": "latency", "seconds": 2})

    linking.operator.post(f"{company.path}/refresh")
    page = company.page()
    told = _watch(company)

    assert re.search(rf"Reading: \d+ of {len(PLATFORM.data_types)} data types done, {MANY} records held", page.words)
    assert "<progress max=" in page.html
    assert f'<noscript><p><a href="{company.path}">Show how far it is now</a>' in page.html
    assert any("Reading:" in one for one in told)
    assert "Reading:" not in told[-1]


def test_everything_is_read_again_and_checked_anew_on_request(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()
    _watch(company)

    def calls_of(fields: dict[str, str]) -> int:
        linking.control.post("/reset")
        answer = linking.operator.post(f"{company.path}/refresh", fields)
        assert linking.operator.follow(answer).status == 200
        _watch(company)
        return int(linking.control.get("/counters").json()["requests"])

    for_changes = calls_of({})
    stood = company.books_check().words
    form = re.findall(r'(?s)<form [^>]*refresh">((?:(?!</form>).)*)id="refresh-whole"', company.page().html)
    for_all = calls_of(dict(re.findall(r'name="(whole)" value="(\w+)"', form[-1])))

    assert "Read everything again" in company.page().words
    assert for_changes < for_all
    assert STANDS in stood
    assert STANDS not in company.books_check().words


@pytest.mark.usefixtures("faults")
def test_each_failure_is_one_plain_sentence_beside_its_data_type(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()
    _watch(company)
    invoices = [one for one in re.findall(r"/data/(\w+)", company.page().html) if one == "invoices"]
    linking.tell("faults", match={"list": "bills"}, action={"kind": "status", "status": 500})
    linking.tell("faults", match={"list": "bank_transactions"}, action={"kind": "status", "status": 403})
    linking.tell("faults", match={"list": "price_list_items"}, action={"kind": "status", "status": 404})
    linking.tell("faults", match={"list": "invoices"}, action={"kind": "patch", "index": 1, "set": {"dated_on": None}})

    linking.operator.post(f"{company.path}/refresh")
    _watch(company)

    assert invoices
    bills = _row(company, "Bills")
    assert "Waiting FreeAgent answered with an error (500)." in bills
    assert "It is tried again at" in bills
    assert "Not permitted FreeAgent refuses bank_transactions to the user who approved." in _row(
        company, "Bank transactions"
    )
    assert "Not offered FreeAgent does not offer price_list_items to this company." in _row(company, "Items")
    assert "1 record set aside" in _row(company, "Invoices")
    assert "Set aside, because it could not be read: dated_on is null" in _row(company, "Invoices")
    # What was read before is still there, and what only waits for another try is not said to be under way.
    for name in ("Bills", "Bank transactions", "Items", "Invoices"):
        assert re.search(r"\b[1-9]\d* \d", _row(company, name)), name
    page = company.page()
    assert "<progress" not in page.html
    assert "Reading:" not in page.words


@pytest.mark.usefixtures("faults")
def test_failures_are_told_in_french(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()
    _watch(company)
    linking.tell("faults", match={"list": "bills"}, action={"kind": "html", "status": 200})

    linking.operator.post(f"{company.path}/refresh")
    linking.operator.post("/language", {"language": "fr", "next": "/"})
    _watch(company)
    row = _row(company, "Factures fournisseurs")
    linking.operator.post("/language", {"language": "en", "next": "/"})

    assert (
        "En attente FreeAgent a renvoyé autre chose que des données (une page à lui, ou rien). Nouvelle tentative"
        in row
    )
    assert "lang=" not in row


def test_records_are_shown_exactly_and_page_by_page(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()
    _watch(company)

    first = linking.operator.get(f"{company.path}/data/chartOfAccounts")
    second = linking.operator.get(f"{company.path}/data/chartOfAccounts?page=2")
    past = linking.operator.get(f"{company.path}/data/chartOfAccounts?page=99")

    assert re.search(r"Page 1 of [3-9]\b", first.words)
    assert re.search(r"Page 2 of [3-9]\b", second.words)
    assert "This page is past the last record." in past.words
    rows = [set(re.findall(r'<tr role="row">.*?</tr>', page.html, re.DOTALL)[1:]) for page in (first, second)]
    assert len(rows[0]) == 50
    assert not rows[0] & rows[1]


def test_deleting_a_company_names_what_is_lost_and_loses_it(linking: Linking) -> None:
    company = linking.a_company("Gone Tomorrow")
    company.customer().link()
    _watch(company)

    asked = linking.operator.get(f"{company.path}?confirm=delete")
    page = linking.operator.follow(linking.operator.post(f"{company.path}/delete"))

    assert re.search(rf"its history and {MANY} records are deleted for good", asked.words)
    assert "Gone Tomorrow and all its data are deleted." in page.words
    assert company.page().status == 404
    assert company.customer().get(company.link).status == 404


def test_when_access_is_lost_the_books_and_their_check_stay(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()
    _watch(company)
    linking.tell("revoke")

    linking.operator.post(f"{company.path}/refresh")
    _watch(company)
    page = company.page()

    assert "Access lost" in page.words
    assert "FreeAgent no longer accepts our access." in page.words
    assert re.search(rf"{MANY} records held", page.words)
    assert "Books check" in page.words
    assert "checks agree" in page.words
    assert "FreeAgent no longer accepts the earlier approval." in company.customer().get(company.link).words
    company.customer().link()
    assert "Access lost" not in company.page().words.partition("What is read")[0]

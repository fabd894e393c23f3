"""The page of the books check: what agrees, what does not and by how much, what was not checked and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from tests.portal.conftest import Browser, House
from tests.portal.pages import PLATFORM

from comptoir.model.identities import Fault, Line
from comptoir.store import CompanyId, companies, connections, datasets, syncs
from comptoir.store.connections import ConnectionStatus
from comptoir.sync import Report

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
APART = Fault("bills", "7300456", "bills 7300456: 600 and 120 are not 719.99", Decimal(720), Decimal("719.99"))
ODD = Fault("", "99140001", "movement 99140001 is served 0 times")
WRONG = Report(
    breaches=42,
    lines=(
        Line(code="A5", state="breached", checked=9, breaches=1, faults=(ODD,)),
        Line(code="B3", state="breached", checked=1234, breaches=41, faults=(APART,)),
        Line(code="C1", state="held", checked=1234),
        Line(code="F1", state="held", checked=50, as_of=NOON),
        Line(code="D3", state="not checked", reasons=("bankTransactions was not read in this sync.",)),
        Line(code="D4", state="noted", checked=1, reasons=("Of 1 accounts 1 agree without what is not explained, 0 with it.",)),
    ),
)  # fmt: skip
RIGHT = Report(breaches=0, lines=(Line(code="C1", state="held", checked=7),), checked_at=NOON, stands=True)


def a_company(house: House, *reports: Report) -> str:
    """One with a check for each report, a day apart; the path of its page."""
    with house.application.db.write() as tx:
        company = companies.add(tx, house.tenant, name="Toft Bakery", created_by=None, now=NOON)
        connection = connections.add(tx, house.tenant, company.id, PLATFORM.key, NOON)
        connections.set_status(tx, house.tenant, connection.id, ConnectionStatus.LINKED, NOON)
        for place, report in enumerate(reports):
            now = NOON + timedelta(days=place)
            sync = syncs.begin(tx, house.tenant, connection.id, now)
            syncs.end(tx, house.tenant, sync.id, calls=1, checks=msgspec.json.encode(report), now=now)
    return f"/companies/{company.id}"


@pytest.fixture
def page(house: House) -> str:
    return f"{a_company(house, RIGHT, WRONG)}/books-check"


def test_what_does_not_agree_names_the_record_and_the_difference(house: House, page: str) -> None:
    shown = house.operator().get(page)

    words = shown.words
    assert "42 records do not agree" in words
    assert "A document's total is its net and its tax. 41 records do not agree · 1,234 looked at · B3" in words
    assert "Bills 7300456 bills 7300456: 600 and 120 are not 719.99 720.00 719.99 -0.01" in words
    assert "40 more are not listed." in words
    assert shown.links(f"{page.rpartition('/')[0]}/data/") == [f"{page.rpartition('/')[0]}/data/bills/7300456"]
    assert "99140001 movement 99140001 is served 0 times" in words


def test_what_was_not_checked_is_said_with_its_reason_and_what_holds_with_its_count(house: House, page: str) -> None:
    words = house.operator().get(page).words

    not_checked = words.partition("What was not checked")[2]
    assert "bankTransactions was not read in this sync." in not_checked
    assert "Of 1 accounts 1 agree without what is not explained" in words.partition("What was found out")[2]
    assert "1,234 looked at · C1" in words.partition("What agrees")[2]
    assert "With what was read last at 31 Mar 2026, 12:00" in words.partition("What agrees")[2]


def test_it_speaks_french(house: House, page: str) -> None:
    words = house.operator("fr").get(page).words

    assert "Contrôle des livres" in words
    assert "42 enregistrements ne concordent pas" in words
    assert "720,00 719,99 -0,01" in words
    assert "bills 7300456 : 600 et 120 ne font pas 719.99" in words
    assert "Ce qui n'a pas été contrôlé" in words
    assert "bankTransactions n'a pas été lu cette fois." in words


def test_earlier_checks_stay_to_be_seen(house: House, page: str) -> None:
    operator = house.operator()
    [_, earlier] = operator.get(page).links(f"{page}/")

    shown = operator.get(earlier)

    assert "Nothing had changed since the check of 31 Mar 2026, 12:00 UTC: what it found stands." in shown.words
    assert "1 check agrees" in shown.words.partition("What agrees")[0]
    assert "What does not agree" not in shown.words


def test_before_anything_was_checked_it_says_so(house: House) -> None:
    path = a_company(house)
    operator: Browser = house.operator()

    assert "Nothing was checked yet." in operator.get(f"{path}/books-check").words
    assert operator.get(f"{path}/books-check/unknown").status == 404


def test_it_is_shown_to_nobody_of_another_tenant(house: House, page: str) -> None:
    stranger = House(house.application, house.client).operator()

    assert stranger.get(page).status == 404


def test_nobody_of_another_tenant_has_everything_read_again(house: House) -> None:
    path = a_company(house)
    shown = house.operator("fr").get(path).words

    answer = House(house.application, house.client).operator().post(f"{path}/refresh", {"whole": "true"})

    assert "Tout relire" in shown
    assert answer.status == 404
    with house.application.db.read() as tx:
        [connection] = connections.of_company(tx, house.tenant, CompanyId(path.rpartition("/")[2]))
        assert datasets.open_ones(tx, house.tenant, connection.id) == []

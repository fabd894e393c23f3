"""What the books check of a sync found, over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from tests.api.conftest import House, Served, error_in

from comptoir.model.identities import IDENTITIES, Fault, Line
from comptoir.store import ConnectionId, syncs
from comptoir.sync import Report

UNKNOWN = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"
APART = Fault("bills", "77", "bills 77 is apart", Decimal("12345678901234567890.10"), Decimal("0.1"))
ODD = Fault("", "movement", "movement is served 0 times")
REPORT = Report(
    breaches=2,
    lines=(
        Line(code="A5", state="breached", checked=9, breaches=1, faults=(ODD,)),
        Line(code="B3", state="breached", checked=3, breaches=1, faults=(APART,)),
        Line(code="C1", state="held", checked=3, as_of=datetime(2026, 3, 30, 20, tzinfo=UTC)),
        Line(code="D3", state="not checked", reasons=("The source's balances were not read.",)),
        Line(code="D4", state="noted", checked=1, reasons=("Either way.",)),
    ),
)


def _checked(house: House, connection: str, report: Report | None = REPORT) -> str:
    with house.db.write() as tx:
        now = house.clock.now()
        sync = syncs.begin(tx, house.tenant, ConnectionId(connection), now)
        checks = None if report is None else msgspec.json.encode(report)
        syncs.end(tx, house.tenant, sync.id, calls=7, checks=checks, now=now)
    house.clock.sleep(60)
    return sync.id


def test_true_books_hold_and_every_identity_is_told(served: Served) -> None:
    body = served.get(f"/companies/{served.company}/booksChecks/latest").json()

    assert [one["code"] for one in body["identities"]] == list(IDENTITIES)
    assert [one["identity"] for one in body["identities"]] == list(IDENTITIES.values())
    assert (body["breaches"], body["breached"], body["connectionId"]) == (0, 0, served.connection)
    assert body["held"] + body["noted"] + body["notChecked"] == len(IDENTITIES)
    assert all(one["recordsChecked"] > 0 for one in body["identities"] if one["state"] == "held")
    assert all(one["reasons"] for one in body["identities"] if one["state"] != "held")


def test_a_breach_names_the_record_and_the_difference_exactly(house: House) -> None:
    company, connection = house.a_linked_company()
    sync = _checked(house, connection)

    answer = house.get(f"/companies/{company}/booksChecks/{sync.upper()}")

    body = msgspec.json.Decoder(float_hook=Decimal).decode(answer.content)
    assert [body[name] for name in ("breaches", "held", "breached", "noted", "notChecked")] == [2, 1, 2, 1, 1]
    odd, apart = (one["faults"] for one in body["identities"][:2])
    assert apart == [
        {
            "dataType": "bills",
            "recordId": "77",
            "message": "bills 77 is apart",
            "expected": Decimal("12345678901234567890.1"),
            "found": Decimal("0.1"),
            "difference": Decimal("-12345678901234567890"),
        }
    ]
    assert [one["asOf"] for one in body["identities"][1:3]] == [None, "2026-03-30T20:00:00Z"]
    assert [odd[0][name] for name in ("dataType", "recordId", "difference")] == [None, "movement", None]


def test_checks_are_listed_newest_first_page_by_page(house: House) -> None:
    company, connection = house.a_linked_company()
    first, second = _checked(house, connection), _checked(house, connection)
    _checked(house, connection, None)  # it found no access

    def listed(**params: Any) -> list[str]:
        answer = house.get(f"/companies/{company}/booksChecks", params=params)
        assert answer.status_code == 200, answer.text
        assert answer.json()["totalResults"] == 2
        return [one["id"] for one in answer.json()["results"]]

    assert listed() == [second, first]
    assert listed(page=2, pageSize=1) == [first]
    assert listed(connectionId=connection) == [second, first]
    assert house.get(f"/companies/{company}/booksChecks/latest").json()["id"] == second


def test_nobody_else_s_checks_are_told(house: House, neighbour: House) -> None:
    company, connection = house.a_linked_company()
    sync = _checked(house, connection)
    empty, _ = house.a_linked_company()

    error_in(neighbour.get(f"/companies/{company}/booksChecks"), 404)
    error_in(neighbour.get(f"/companies/{company}/booksChecks/{sync}"), 404)
    for path in (f"{empty}/booksChecks/{sync}", f"{empty}/booksChecks/latest", f"{company}/booksChecks/{UNKNOWN}"):
        assert "No books check" in error_in(house.get(f"/companies/{path}"), 404)
    error_in(house.get(f"/companies/{company}/booksChecks?connectionId={UNKNOWN}"), 404)
    error_in(house.get(f"/companies/{company}/booksChecks/nonsense"), 404)

"""Bank statements uploaded as callers do, and what comes in of them."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.freeagent_standin.api.writer import told
from tests.freeagent_standin.reader import NOON, Reader, Row, fresh, number

LINE = {
    "dated_on": "2026-03-30",
    "description": "DESK LAMP",
    "amount": -42.5,
    "fitid": "B-1",
    "transaction_type": "POS",
}

OFX = b"""OFXHEADER:100\r
<OFX><BANKTRANLIST>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260330120000<TRNAMT>-12.34<FITID>X1<NAME>CAFE<MEMO>LUNCH
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260329<TRNAMT>99.99<FITID>X2<NAME>REFUND</STMTTRN>
</BANKTRANLIST></OFX>"""
QIF = b"!Type:Bank\nD30/03/2026\nT-12.34\nPCAFE LUNCH\n^\nD29/03/2026\nT99.99\nPREFUND\n^\n"
CSV = b"30/03/2026,-12.34,CAFE LUNCH\n29/03/2026,99.99,REFUND\n"


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh())


def upload(reader: Reader, body: bytes, account: str = "") -> int:
    where = account or str(number(reader.all("bank_accounts")[0]["url"]))
    given = reader.send("POST", "bank_transactions/statement", body, bank_account=where)
    if given.status == 200:
        assert given.body == b""
    else:
        assert told(given)
    return given.status


def said(*lines: Row) -> bytes:
    return json.dumps({"statement": lines}).encode()


def came_in(reader: Reader, before: list[Row]) -> list[Row]:
    """The lines that are new two seconds later."""
    reader.now += timedelta(seconds=2)
    known = {row["url"] for row in before}
    return [row for row in reader.all("bank_transactions") if row["url"] not in known]


def test_lines_come_in_a_while_after_the_answer(reader: Reader) -> None:
    before = reader.all("bank_transactions")
    account = reader.all("bank_accounts")[0]

    assert upload(reader, said(LINE)) == 200
    assert reader.all("bank_transactions") == before
    [line] = came_in(reader, before)

    assert (line["amount"], line["unexplained_amount"], line["is_manual"]) == ("-42.5", "-42.5", False)
    assert (line["description"], line["transaction_id"]) == ("DESK LAMP//POS/", "B-1")
    assert line["created_at"] == "2026-03-31T12:00:02.000Z"
    after = reader.all("bank_accounts")[0]
    assert Decimal(after["current_balance"]) == Decimal(account["current_balance"]) - Decimal("42.5")
    assert after["unexplained_transaction_count"] == account["unexplained_transaction_count"] + 1
    assert sum(reader.trial_balance().values()) == 0


def test_a_line_that_is_there_already_is_dropped(reader: Reader) -> None:
    before = reader.all("bank_transactions")

    upload(reader, said(LINE, LINE, LINE | {"amount": -43}))
    first = came_in(reader, before)
    upload(reader, said(LINE | {"fitid": "B-2"}, LINE | {"description": "OTHER LAMP"}))
    second = came_in(reader, before + first)

    assert [row["amount"] for row in sorted(first, key=lambda row: row["url"])] == ["-42.5", "-43.0"]
    assert [row["description"] for row in second] == ["OTHER LAMP//POS/"]


def test_an_amount_in_quotes_is_taken_and_nothing_comes_of_it(reader: Reader) -> None:
    before = reader.all("bank_transactions")

    assert upload(reader, said(LINE | {"amount": "-42.5"})) == 200
    assert came_in(reader, before) == []


@pytest.mark.parametrize(
    ("kind", "amount", "becomes"),
    [("CREDIT", -5, "5.0"), ("DEBIT", 5, "-5.0"), ("directdebit", 5, "-5.0"), ("ATM", 5, "5.0"), ("ODD", -5, "-5.0")],
)
def test_some_types_say_which_way_the_money_went(reader: Reader, kind: str, amount: int, becomes: str) -> None:
    before = reader.all("bank_transactions")

    upload(reader, said(LINE | {"transaction_type": kind, "amount": amount}))

    assert [row["amount"] for row in came_in(reader, before)] == [becomes]


@pytest.mark.parametrize("file", [OFX, QIF, CSV, CSV.replace(b"\r", b"").replace(b"\n", b"\r")])
@pytest.mark.parametrize("is_form", [True, False])
def test_files_of_the_usual_kinds_are_read(reader: Reader, file: bytes, is_form: bool) -> None:
    before = reader.all("bank_transactions")
    form = (
        b'--b\r\nContent-Disposition: form-data; name="statement"; filename="s"\r\nContent-Type: text/plain\r\n\r\n'
        + file
        + b"\r\n--b--\r\n"
    )

    assert upload(reader, form if is_form else file) == 200

    lines = sorted(came_in(reader, before), key=lambda row: row["dated_on"])
    assert [(row["dated_on"], row["amount"]) for row in lines] == [("2026-03-29", "99.99"), ("2026-03-30", "-12.34")]
    assert [row["description"].split("//")[0] for row in lines] == ["REFUND", "CAFE LUNCH"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 406),
        (b"hello", 406),
        (b'"' + b"x" * 200_000, 406),
        (b"{", 400),
        (b"{}", 406),
        (said(), 406),
        (said({"amount": 1}), 400),
        (said(LINE | {"dated_on": "30.3."}), 400),
        (said(LINE | {"amount": 1.234}), 422),
        (b"--b\r\nContent-Disposition: form-data; name=other\r\n\r\nx\r\n--b--", 406),
        (b"\xff\xfe\x00", 406),
    ],
)
def test_an_upload_that_cannot_be_read_is_told(reader: Reader, body: bytes, status: int) -> None:
    before = reader.all("bank_transactions")

    assert upload(reader, body) == status
    assert came_in(reader, before) == []


def test_an_upload_names_its_account_and_needs_the_level_of_banking() -> None:
    world = fresh()

    assert upload(Reader(world), said(LINE), account="7") == 404
    assert Reader(world).send("POST", "bank_transactions/statement", said(LINE)).status == 404
    assert Reader(world).send("PUT", "bank_transactions/statement", said(LINE)).status == 404
    assert Reader(world, level=5).send("POST", "bank_transactions/statement", said(LINE)).status == 403


def test_what_was_on_its_way_comes_in_the_same_when_it_is_played_again() -> None:
    def played(*, is_read_between: bool) -> str:
        world = fresh()
        account = world.users and next(iter(world.bank_accounts)).id
        line = {"dated_on": "2026-03-30", "amount": "-1.0", "description": "X"}
        world.mutate({"do": "import", "bank_account": account, "lines": [line]}, NOON)
        later = NOON + timedelta(seconds=5)
        if is_read_between:
            Reader(world, now=later).all("bank_transactions")
        world.mutate({"do": "add", "resource": "bank_transactions", "set": {"amount": "-2.0"}}, later)
        return Reader(world, now=later).fingerprint()

    assert played(is_read_between=True) == played(is_read_between=False)

"""Bank statements as they are uploaded: lines in JSON, or a file of the OFX, QIF or CSV kind.

https://dev.freeagent.com/docs/bank_transactions. An upload answers 200 at once and says nothing of what becomes of it.
Observed: an amount in quotes is taken and nothing comes of it. Inferred: the forms of the files, of which only the
usual ones are read; an upload without a line that can be read answers 406.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.api.answers import Refusal, bad_request

Line = dict[str, str]
MOST_LINES = 20_000

_JSON = msgspec.json.Decoder(float_hook=Decimal)
_PART = re.compile(rb'name="?statement"?[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n(.*)', re.DOTALL | re.IGNORECASE)
_BLOCK = re.compile(r"<STMTTRN>(.*?)(?=<STMTTRN>|</BANKTRANLIST>|</STMTTRN>|\Z)", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(r"<(TRNTYPE|DTPOSTED|TRNAMT|FITID|NAME|MEMO)>([^<\r\n]*)", re.IGNORECASE)
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d/%m'%y", "%d %b %Y", "%Y%m%d")


def lines_of(body: bytes) -> list[Line]:
    """The lines of an upload, in its order: dated_on, amount, description, transaction_type and fitid as text."""
    if body.lstrip()[:1] in (b"{", b"["):
        found = list(_in_json(body))
    else:
        text = _file(body).decode("utf-8-sig", "replace")
        read = _in_ofx if "<STMTTRN>" in text.upper() else _in_qif if text.lstrip().startswith("!") else _in_csv
        found = list(read(text))
        if not found:
            raise Refusal(406, [{"message": "The statement has no line that can be read"}])
    if len(found) > MOST_LINES:
        raise Refusal(406, [{"message": f"A statement has {MOST_LINES} lines at most"}])
    return found


def _in_json(body: bytes) -> Iterator[Line]:
    try:
        document = _JSON.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise bad_request("The body is not JSON") from error
    rows = document.get("statement") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not rows:
        raise Refusal(406, [{"message": "The statement is missing or empty"}])
    for row in rows:
        if not isinstance(row, dict) or _day(row.get("dated_on")) is None:
            raise bad_request("Each line of a statement is dated_on a day such as 2026-03-31")
        amount = row.get("amount", 0)
        if isinstance(amount, int | Decimal) and not isinstance(amount, bool) and amount:
            yield _line(row["dated_on"], amount, row.get("description"), row.get("transaction_type"), row.get("fitid"))


def _in_ofx(text: str) -> Iterator[Line]:
    for block in _BLOCK.findall(text):
        given = {name.upper(): value.strip() for name, value in _FIELD.findall(block)}
        words = " ".join(each for each in (given.get("NAME"), given.get("MEMO")) if each)
        yield from _if_good(
            given.get("DTPOSTED", "")[:8], given.get("TRNAMT"), words, given.get("TRNTYPE"), given.get("FITID")
        )


def _in_qif(text: str) -> Iterator[Line]:
    for block in text.split("^"):
        given = {row[:1]: row[1:].strip() for row in block.splitlines() if row and row[0] in "DTPM"}
        yield from _if_good(given.get("D"), given.get("T"), given.get("P") or given.get("M"), None, None)


def _in_csv(text: str) -> Iterator[Line]:
    """Day, amount and description, in this order and without a heading."""
    try:
        for row in csv.reader(io.StringIO(text, newline=None)):  # whatever ends its lines
            if len(row) >= 3:
                yield from _if_good(row[0], row[1], row[2], None, None)
    except csv.Error:
        return  # no CSV from here on


def _if_good(day: Any, amount: Any, description: Any, kind: Any, fitid: Any) -> Iterator[Line]:
    try:
        value = Decimal(str(amount).replace(",", "").replace("£", "").strip())
    except ArithmeticError:
        return
    if value.is_finite() and value and _day(day) is not None:
        yield _line(day, value, description, kind, fitid)


def _line(day: Any, amount: Any, description: Any, kind: Any, fitid: Any) -> Line:
    return {
        "dated_on": (_day(day) or date.min).isoformat(),
        "amount": str(amount),
        "description": "" if description is None else str(description),
        "transaction_type": str(kind or "OTHER").upper(),
        "fitid": "" if fitid is None else str(fitid),
    }


def _day(value: object) -> date | None:
    for form in _DAYS:
        try:
            return datetime.strptime(str(value).strip(), form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    return None


def _file(body: bytes) -> bytes:
    """The file inside a form of several parts, or the body itself."""
    if not body.startswith(b"--"):
        return body
    boundary = body.split(b"\n", 1)[0].rstrip(b"\r")
    for part in body.split(boundary):
        found = _PART.search(part)
        if found is not None:
            return found[1].rstrip(b"\r\n")
    raise Refusal(406, [{"message": "The statement is missing or empty"}])

"""Bodies drawn at random, good and odd: none breaks the books."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from tests.freeagent_standin.api.writer import told
from tests.freeagent_standin.reader import LISTS, PER_ACCOUNT, Reader, Row, fresh

from freeagent_standin.world import World

ODD: list[object] = [None, "", 0, -1, 7.25, True, [], {}, "x", "1e99", "9999-12-31", "0001-01-01", "NaN", "٣", 10**30]


@pytest.mark.parametrize("seed", range(1, 7))
def test_no_body_however_odd_breaks_the_books(seed: int) -> None:
    world = fresh(40, seed)
    reader = Reader(world)
    rng = Random(seed)
    for _ in range(250):
        method, path = any_target(world, rng)
        body = any_body(world, rng)
        body.pop(path.split("/")[0].removesuffix("s"), None)  # it would be taken for the root key
        given = reader.send(method, path, json.dumps(body).encode())
        assert given.status in (200, 201, 400, 403, 404, 405, 409, 422), given
        if given.status >= 400:
            assert told(given)

    assert sum(reader.trial_balance().values()) == 0
    for name in (*LISTS, *PER_ACCOUNT):
        assert len(reader.all(name)) == world.counts()[name]
    for line in reader.all("bank_transactions"):
        explained = sum(Decimal(part["gross_value"]) for part in line["bank_transaction_explanations"])
        assert Decimal(line["amount"]) == explained + Decimal(line["unexplained_amount"])
    for bill in reader.all("bills", nested_bill_items="true"):
        assert sum(Decimal(item["total_value"]) for item in bill["bill_items"]) == Decimal(bill["total_value"])
        assert sum(Decimal(item["total_value_ex_tax"]) for item in bill["bill_items"]) == -Decimal(bill["net_value"])


def any_target(world: World, rng: Random) -> tuple[str, str]:
    resource = rng.choice(sorted(world.tables()))
    rows = list(world.tables()[resource])
    record = rng.choice(rows).id if rows else 1
    move = rng.choice(
        ("", "", "", "/transitions/mark_as_sent", "/transitions/mark_as_draft", "/transitions/mark_as_cancelled")
    )
    if rng.random() < 0.5:
        return "POST", resource
    return rng.choice(("PUT", "PUT", "DELETE")), f"{resource}/{record}{move}"


def any_body(world: World, rng: Random, *, odd: Sequence[object] = ODD) -> Row:
    def one(*good: object) -> object:
        return rng.choice(good) if rng.random() < 0.95 else rng.choice(odd)

    def line(price: str) -> Row:
        return {
            "description": one("Work", "Étude"),
            "price": one(price, f"{price}.125"),
            "quantity": one("1", "1.3333", 2),
            "total_value": one("9.5", "-3"),
            "category": one("001", "285"),
            "sales_tax_rate": one("20.0", "5.0", "0.0", "Auto", None),
            "sales_tax_status": one("TAXABLE", "EXEMPT", "OUT_OF_SCOPE", None),
            "manual_sales_tax_amount": one(None, None, "0.5"),
            "total_value_ex_tax": one(None, None, "8"),
            "unit": one(None, "Hours"),
            "url": one(None, None, "", 7),
            "_destroy": one(None, None, 1),
        }

    account = rng.choice(list(world.bank_accounts)).id
    body: Row = {
        "contact": one(rng.choice(list(world.contacts)).id),
        "user": one(world.users[0].id),
        "bank_account": one(account),
        "dated_on": one("2026-03-01", "2026-03-02"),
        "due_on": one("2026-04-01"),
        "payment_terms_in_days": one(30, "30"),
        "reference": one("R", 7),
        "category": one("285", "001", "817", "Mileage"),
        "gross_value": one("-5", 12),
        "currency": one("GBP", "EUR", "XYZ"),
        "discount_percent": one("10", "100"),
        "ec_status": one("UK/Non-EC", "Reverse Charge", "EC Goods"),
        "sales_tax_status": one("TAXABLE", "EXEMPT"),
        "sales_tax_rate": one("20.0", "5.0", "Auto"),
        "manual_sales_tax_amount": one("0.25", None),
        "mileage": one("12.5"),
        "reclaim_mileage": one(0, 1),
        "cis_rate": one("cis_standard", None),
        "project": one(next((each.id for each in world.projects), None)),
        "rebill_type": one("cost", None),
        "attachment": one({"file_name": "a.pdf", "content_type": "application/pdf", "data": "JVBERg=="}, None),
        "opening_balance": one("12.5", 0),
        "is_primary": one(True, False),
        "budget": one(5, "7.5"),
        "starts_on": one("2026-01-01"),
        "role": one("Director"),
        "email": one("a@example.com"),
        "first_name": one("Ida"),
        "last_name": one("Neu"),
        "vat_status": one("standard"),
        "code": one("C"),
        "price": one("9.99"),
        "name": one("N"),
        "description": one("D"),
        "organisation_name": one("O"),
        "permission_level": one(8),
        "transfer_bank_account": account if rng.random() < 0.2 else None,
        "invoice_items": one([line("10"), line("2")]),
        "credit_note_items": one([line("-3")]),
        "bill_items": one([line("1")]),
    }
    return {key: value for key, value in body.items() if value is not None and rng.random() < 0.9}

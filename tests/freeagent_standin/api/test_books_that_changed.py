"""Books that went through three months of business and dozens of random changes say the same in every report.

The worlds are of every kind, by seed. The changes are those of the control address and of callers of the API, sensible
and not; what none of them is given is a day beyond today, or a cost on a VAT account, which the checks do not reckon with.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from random import Random

import pytest
from tests.freeagent_standin.api.test_ledger import _edit, ledger_agrees
from tests.freeagent_standin.api.test_odd_bodies import any_body, any_target
from tests.freeagent_standin.api.test_reports import (
    cash_flow_agrees,
    profit_agrees,
    retained_profit_agrees,
    sheet_agrees,
)
from tests.freeagent_standin.api.writer import made
from tests.freeagent_standin.reader import NOON, TODAY, Reader
from tests.freeagent_standin.world.test_double_entry import SEEDS, balances_agree, documents_add_up, payments_agree

from freeagent_standin.world import generate

CHANGES = 100


@pytest.mark.parametrize("seed", [2_000 + seed for seed in SEEDS[: max(12, len(SEEDS) // 4)]])
def test_after_business_and_changes_every_report_says_the_same(seed: int) -> None:
    world = generate(size=(1, 7, 40, 120)[seed % 4], seed=seed, today=date(2025, 12, 31))
    world.mutate({"do": "advance", "days": 90}, datetime(2025, 12, 31, 12, tzinfo=UTC))
    reader, rng = Reader(world), Random(seed)

    for _ in range(CHANGES):
        change = _edit(world, rng)
        if rng.random() < 0.5 and change["do"] != "advance":
            with suppress(ValueError):
                world.mutate(change, NOON)
            continue
        method, path = any_target(world, rng)
        body = any_body(world, rng, odd=(None,))
        body.pop(path.split("/")[0].removesuffix("s"), None)
        if body.get("category") == "817":
            body["category"] = "285"
        reader.send(method, path, json.dumps(body).encode())

    for agrees in (
        *(balances_agree, documents_add_up, payments_agree, ledger_agrees),
        *(profit_agrees, sheet_agrees, retained_profit_agrees, cash_flow_agrees),
    ):
        agrees(reader)


def test_a_bill_that_becomes_reverse_charge_only_tells_its_tax() -> None:
    world = generate(size="small", seed=1, today=TODAY)
    reader = Reader(world)
    contact = reader.all("contacts")[0]["url"]
    line = {"description": "Felt", "category": "103", "total_value": "12.0", "sales_tax_rate": "20.0"}
    head = {"contact": contact, "reference": "B", "dated_on": "2026-03-30", "due_on": "2026-04-30"}
    bill = made(reader, "bills", {"bill": head | {"bill_items": [line]}})
    path = "bills/" + bill["url"].rsplit("/", 1)[-1]

    reader.send("PUT", path, json.dumps({"bill": {"ec_status": "Reverse Charge"}}).encode())
    charged = reader.get(path)["bill"]
    reader.send("PUT", path, json.dumps({"bill": {"ec_status": "UK/Non-EC"}}).encode())

    assert (bill["net_value"], bill["sales_tax_value"]) == ("-10.0", "-2.0")
    assert (charged["total_value"], charged["net_value"]) == ("12.0", "-12.0")
    assert reader.get(path)["bill"]["net_value"] == bill["net_value"]
    balances_agree(reader)


def test_tax_told_by_hand_is_not_in_the_total_of_a_notional_bill() -> None:
    reader = Reader(generate(size="small", seed=1, today=TODAY))
    line = {"description": "Felt", "category": "103", "total_value": "12.0", "manual_sales_tax_amount": "2.0"}
    head = {"contact": reader.all("contacts")[0]["url"], "reference": "B", "ec_status": "Reverse Charge"}
    days = {"dated_on": "2026-03-30", "due_on": "2026-04-30"}

    bill = made(reader, "bills", {"bill": head | days | {"bill_items": [line]}})

    assert (bill["total_value"], bill["net_value"]) == ("12.0", "-12.0")
    balances_agree(reader)


def test_what_was_paid_of_a_written_off_invoice_is_written_off_too_when_the_payment_goes() -> None:
    world = generate(size="small", seed=1, today=TODAY)
    reader = Reader(world)
    invoice = next(row for row in reader.all("invoices") if row["status"] == "Part written-off")
    number = int(invoice["url"].rsplit("/", 1)[-1])
    [payment] = [each.id for each in world.explanations if each.invoice == number]

    with pytest.raises(ValueError, match="must be opened again"):
        world.mutate({"do": "pay", "resource": "invoices", "id": number, "amount": "5"}, NOON)
    world.mutate({"do": "delete", "resource": "bank_transaction_explanations", "id": payment}, NOON)

    after = reader.get(f"invoices/{number}")["invoice"]
    assert (after["status"], after["paid_value"], after["due_value"]) == ("Written-off", "0.0", "0.0")
    balances_agree(reader)


def test_a_bill_that_a_hire_purchase_pays_is_not_paid_again() -> None:
    world = generate(size="small", seed=1, today=TODAY)
    hired = next(each for each in world.bills if each.hire_purchase)

    with pytest.raises(ValueError, match="A hire purchase pays this bill"):
        world.mutate({"do": "pay", "resource": "bills", "id": hired.id, "amount": "5"}, NOON)

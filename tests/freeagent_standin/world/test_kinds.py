"""Kinds of company: how they are asked for, and what sets the books of each apart."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cache

import msgspec
import pytest
from tests.freeagent_standin.api.test_ledger import ledger
from tests.freeagent_standin.api.writer import bodies, made, send, told
from tests.freeagent_standin.reader import TODAY, Reader

from freeagent_standin.companies import generate as generate_all
from freeagent_standin.world import Kind, World, generate, kind_named

ZERO = Decimal(0)


@cache
def books(kind: str) -> World:
    return generate(size="small", seed=4, today=TODAY, kind=kind_named(kind))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("limited", Kind()),
        ("no-vat", Kind(vat=False)),
        ("sole-trader,cash", Kind(type="UkSoleTrader", cash=True)),
        (" landlord , no-foreign", Kind(type="UkUnincorporatedLandlord", foreign=False)),
        ("partnership,cis-subcontractor", Kind(type="UkPartnership", cis_subcontractor=True)),
        ("llp,cis-contractor", Kind(type="UkLimitedLiabilityPartnership", cis_contractor=True)),
        ("universal,cis-contractor", Kind(type="UniversalCompany", vat=False)),
    ],
)
def test_words_tell_a_kind(words: str, kind: Kind) -> None:
    assert kind_named(words) == kind


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("charity", "A kind is one of limited"),
        ("llp,landlord", "A kind is one of"),
        ("limited,cash", "cash basis is for"),
    ],
)
def test_words_that_tell_no_kind_are_refused(words: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        generate_all(size="small", seed=1, today=TODAY, companies=1, kind=words)


@pytest.mark.parametrize("kind", ["sole-trader", "landlord,cash", "partnership,no-vat", "llp", "universal"])
def test_books_of_every_kind_balance_and_hold_every_situation(kind: str) -> None:
    world, wanted = books(kind), kind_named(kind)
    reader = Reader(world)
    company = reader.get("company")["company"]

    assert company["type"] == wanted.type
    assert company["sales_tax_registration_status"] == ("Registered" if wanted.vat else "Not Registered")
    assert company["initial_vat_basis"] == ("Cash" if wanted.cash else "Invoice")
    assert sum(reader.trial_balance().values()) == 0
    assert world.counts()["invoices"] == generate(size="small", seed=4, today=TODAY).counts()["invoices"]
    assert not any(row["nominal_code"].startswith(("502", "908", "910")) for row in ledger(reader))


def test_on_the_cash_basis_documents_are_posted_when_they_are_paid() -> None:
    reader = Reader(books("sole-trader,cash,cis-subcontractor,cis-contractor"))
    rows = ledger(reader)
    by_source: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        by_source[row.get("source_item_url", "")][row["nominal_code"].partition("-")[0]] += Decimal(row["debit_value"])

    assert not {"681", "796", "450"} & {row["nominal_code"] for row in rows}
    assert not any("/invoices/" in url or "/bills/" in url or "/credit_notes/" in url for url in by_source)
    paid = [row for row in reader.all("invoices", view="paid") if row["currency"] == "GBP" and "cis_rate" not in row]
    receipts = defaultdict(list)
    for row in reader.all("bank_transaction_explanations"):
        receipts[row.get("paid_invoice")].append(row["url"])
    alone = [each for each in paid if len(receipts[each["url"]]) == 1 and "discount_percent" not in each]
    checked = 0
    for invoice in alone:
        legs = by_source[receipts[invoice["url"]][0]]
        if legs["750"] == Decimal(invoice["total_value"]):
            assert sum(total for code, total in legs.items() if code < "096") == -Decimal(invoice["net_value"])
            assert legs["819"] == -Decimal(invoice.get("sales_tax_value", "0")) or "ec_status" in invoice
            checked += 1
    assert checked > 5


def test_on_the_cash_basis_contacts_owe_what_is_open() -> None:
    reader = Reader(books("sole-trader,cash"))
    accrual = Reader(books("sole-trader"))

    balances = [[row["account_balance"] for row in each.all("contacts")] for each in (reader, accrual)]

    assert balances[0] == balances[1]
    assert any(balance != "0.0" for balance in balances[0])


def test_a_change_on_the_cash_basis_keeps_the_books_true() -> None:
    world = generate(size="small", seed=4, today=TODAY, kind=kind_named("landlord,cash"))
    reader = Reader(world)
    before = reader.trial_balance()
    bill = next(row for row in reader.all("bills", view="open") if row["currency"] == "GBP")
    number = bill["url"].rsplit("/", 1)[1]

    paid = world.mutate({"do": "pay", "resource": "bills", "id": number}, reader.now)
    between = reader.trial_balance()
    world.mutate({"do": "delete", "resource": "bank_transaction_explanations", "id": paid["explanation"]}, reader.now)

    moved = {code: between.get(code, ZERO) - before.get(code, ZERO) for code in {*between, *before}}
    assert sum(moved.values()) == 0
    assert moved["750-1"] == -Decimal(bill["due_value"])
    assert reader.trial_balance() == before


def test_what_settled_a_document_that_comes_to_nothing_now_stands_on_suspense() -> None:
    world = generate(size="small", seed=4, today=TODAY, kind=kind_named("sole-trader,cash"))
    reader = Reader(world)
    invoice = next(row for row in reader.all("invoices", view="open") if row["currency"] == "GBP")
    number = invoice["url"].rsplit("/", 1)[1]
    world.mutate({"do": "pay", "resource": "invoices", "id": number, "amount": "0.01"}, reader.now)
    before = reader.trial_balance().get("999", ZERO)
    record = world.invoices[int(number)]

    world.replace(msgspec.structs.replace(record, net=0, tax=0, item_nets=(0,) * len(record.items)))

    assert reader.trial_balance()["999"] == before - Decimal("0.01")
    assert sum(reader.trial_balance().values()) == 0


def test_a_landlord_s_documents_name_a_property_and_cannot_be_made_without() -> None:
    world = generate(size="small", seed=4, today=TODAY, kind=kind_named("landlord"))
    reader = Reader(world)
    properties = [row["url"] for row in reader.all("properties")]
    for path in ("invoices", "credit_notes", "bills", "expenses"):
        assert {row["property"] for row in reader.all(path)} == set(properties[:2]), path
    rows = reader.all("bank_transaction_explanations")
    assert {"property" in row for row in rows if "paid_bill" in row or "linked_transfer_account" in row} == {False}
    assert all(row["property"] in properties for row in rows if row["type"] in ("Payment", "Sales"))

    given = bodies(reader)
    for path in ("invoices", "credit_notes", "bills", "expenses", "bank_transaction_explanations"):
        [(singular, attributes)] = given[path].items()
        assert told(send(reader, "POST", path, {singular: attributes})) == ["property can't be blank"], path
        record = made(reader, path, {singular: attributes | {"property": properties[1]}})
        assert record["property"] == properties[1]
    assert send(reader, "DELETE", f"properties/{properties[0].rsplit('/', 1)[1]}").status == 409
    assert "property" not in Reader(books("sole-trader")).all("bills")[0]

"""What is kept of what a caller sets, and what of it makes no sense."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.freeagent_standin.api.writer import bodies, made, send, told
from tests.freeagent_standin.reader import LISTS, Reader, Row, fresh, number


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh())


KEPT: list[tuple[str, Row]] = [
    (
        "contacts",
        {"default_payment_terms_in_days": 45, "charge_sales_tax": "Never", "locale": "fr", "address1": "1 Rue A"}
        | {"sales_tax_registration_number": "FR1", "status": "Hidden", "mobile": "07"}
        | {"uses_contact_invoice_sequence": True, "emails_payment_reminders": True, "contact_name_on_invoices": True},
    ),
    (
        "projects",
        {"currency": "EUR", "budget_units": "Days", "hours_per_day": "7.5", "normal_billing_rate": "80.25"}
        | {"billing_period": "day", "is_ir35": True, "starts_on": "2026-01-01", "ends_on": "2026-12-31"}
        | {"contract_po_reference": "PO-1", "budget": 12, "name": "Étude"}
        | {"uses_project_invoice_sequence": True, "include_unbilled_time_in_profitability": True},
    ),
    ("price_list_items", {"item_type": "Hours", "vat_status": "zero", "quantity": "2.5", "code": "Z"}),
    (
        "bank_accounts",
        {"type": "PaypalAccount", "email": "pay@example.com", "bank_name": "Pal", "is_personal": True}
        | {"bank_guess_enabled": True, "secondary_sort_code": "102030"},
    ),
    (
        "users",
        {
            "role": "Director",
            "permission_level": 4,
            "first_name": "Éva",
            "ni_number": "KC123456C",
            "unique_tax_reference": "1234567890",
        },
    ),
    (
        "invoices",
        {"po_reference": "PO-9", "comments": "Thanks", "payment_terms_in_days": 7, "due_on": "2026-04-06"}
        | {"omit_header": True, "send_thank_you_emails": True, "client_contact_name": "Ms Wu", "payment_terms": "Soon"},
    ),
    (
        "credit_notes",
        {
            "omit_header": True,
            "client_contact_name": "Ms Wu",
            "comments": "Sorry",
            "payment_terms_in_days": 3,
            "due_on": "2026-04-02",
        },
    ),
    (
        "bills",
        {
            "input_total_values_inc_tax": False,
            "recurring_end_date": "2027-01-01",
            "comments": "Urgent",
            "recurring": "Quarterly",
            "ec_status": "UK/Non-EC",
        },
    ),
    ("expenses", {"receipt_reference": "R-1", "manual_sales_tax_amount": "1.25", "sales_tax_value": "-1.25"}),
    ("bank_transaction_explanations", {"receipt_reference": "R-2", "cheque_number": "000017"}),
]


@pytest.mark.parametrize(("path", "attributes"), KEPT, ids=[path for path, _ in KEPT])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_is_set_is_kept(reader: Reader, method: str, path: str, attributes: Row) -> None:
    [given] = bodies(reader)[path].values()

    if method == "POST":
        record = made(reader, path, given | attributes)
    else:
        key = f"{path}/{number(made(reader, path, given)['url'])}"
        assert send(reader, "PUT", key, attributes).status == 200
        [record] = reader.get(key).values()

    assert record | attributes == record
    assert sum(reader.trial_balance().values()) == 0


@pytest.mark.parametrize(
    ("path", "attributes"),
    [
        ("contacts", {"status": "Asleep"}),
        ("contacts", {"locale": "xx"}),
        ("projects", {"currency": "GPB"}),
        ("price_list_items", {"item_type": "Crates"}),
        ("bank_accounts", {"type": "Jar"}),
        ("bank_accounts", {"email": "nobody"}),
        ("users", {"role": "King"}),
        ("users", {"permission_level": 9}),
        ("invoices", {"discount_percent": "101"}),
        ("invoices", {"ec_status": "EC"}),
        ("invoices", {"invoice_items": [{"sales_tax_rate": "120"}]}),
        ("invoices", {"invoice_items": [{"url": "invoice_items/7", "price": "1"}]}),
        ("bills", {"bill_items": [{"category": "103", "total_value": "1", "sales_tax_status": "SOME"}]}),
        ("bills", {"bill_items": [{"category": "103", "total_value": "1"}] * 41}),
        ("expenses", {"recurring": "Daily"}),
        ("expenses", {"category": "Mileage"}),
        ("bills", {"rebill_type": "cost"}),
        ("expenses", {"attachment": {"file_name": "a.exe", "content_type": "application/exe", "data": "AA=="}}),
        ("expenses", {"attachment": {"file_name": "a.pdf", "content_type": "application/x-pdf", "data": "?"}}),
        ("expenses", {"attachment": "a.pdf"}),
    ],
)
def test_a_value_that_makes_no_sense_is_told(reader: Reader, path: str, attributes: Row) -> None:
    [given] = bodies(reader)[path].values()
    before = reader.fingerprint()

    answered = send(reader, "POST", path, given | attributes)

    assert answered.status == 422
    assert told(answered)
    assert reader.fingerprint() == before


@pytest.mark.parametrize(("path", "key", "amount"), [("invoices", "price", "40.0"), ("bills", "total_value", "40.0")])
def test_lines_are_changed_added_and_taken_away_by_their_url(reader: Reader, path: str, key: str, amount: str) -> None:
    [given] = bodies(reader)[path].values()
    rows = f"{path.removesuffix('s')}_items"
    line = given[rows][0]
    record = made(reader, path, given | {rows: [line, line | {"description": "Second"}]})
    where = f"{path}/{number(record['url'])}"
    first, second = record[rows]

    send(reader, "PUT", where, {rows: [{"url": first["url"], key: amount}]})
    [changed] = reader.get(where).values()
    send(
        reader, "PUT", where, {rows: [{"url": second["url"], "_destroy": 1}, line | {"url": "", "description": "New"}]}
    )
    [grown] = reader.get(where).values()

    assert changed[rows][0] == first | {key: amount} | {
        name: changed[rows][0][name] for name in ("total_value_ex_tax", "sales_tax_value") if name in first
    }
    assert changed[rows][1] == second
    assert [each["description"] for each in grown[rows]] == [first["description"], "New"]
    assert sum(reader.trial_balance().values()) == 0


@pytest.mark.parametrize("path", ["bills", "expenses", "bank_transaction_explanations"])
def test_a_file_is_uploaded_described_and_taken_away(reader: Reader, path: str) -> None:
    [given] = bodies(reader)[path].values()
    file = {"file_name": "till.png", "content_type": "image/x-png", "description": "Till", "data": "iVBORw0="}

    record = made(reader, path, given | {"attachment": file})
    alone = f"attachments/{number(record['attachment']['url'])}"
    described = reader.get(alone)["attachment"]
    gone = send(reader, "DELETE", alone)

    assert (described["file_name"], described["content_type"], described["file_size"]) == ("till.png", "image/png", 5)
    assert (gone.status, gone.body, reader.call(alone).status) == (200, b"", 404)
    [left] = reader.get(f"{path}/{number(record['url'])}").values()
    assert "attachment" not in left


def test_several_claims_are_made_at_once_or_none_is(reader: Reader) -> None:
    [claim] = bodies(reader)["expenses"].values()
    drive = claim | {"category": "Mileage", "mileage": "10", "reclaim_mileage": 1, "gross_value": None}

    both = send(reader, "POST", "expenses", {"expenses": [claim, drive]})
    before = reader.world.counts()["expenses"]
    refused = send(reader, "POST", "expenses", {"expenses": [claim, claim | {"currency": "XYZ"}]})

    rows = msgspec.json.decode(both.body)["expenses"]
    assert (both.status, [row["gross_value"] for row in rows]) == (201, ["-12.5", "-4.5"])
    assert (rows[1]["category"], rows[1]["mileage"]) == ("Mileage", "10.0")
    assert (refused.status, reader.world.counts()["expenses"]) == (422, before)


def test_an_explanation_is_moved_to_another_amount(reader: Reader) -> None:
    row = made(reader, "bank_transaction_explanations", bodies(reader)["bank_transaction_explanations"])
    key = f"bank_transaction_explanations/{number(row['url'])}"
    part = "1.5" if row["is_money_in"] else "-1.5"

    given = send(reader, "PUT", key, {"gross_value": part, "category": 285})
    line = reader.get(f"bank_transactions/{number(row['bank_transaction'])}")["bank_transaction"]

    assert msgspec.json.decode(given.body)["bank_transaction_explanation"]["gross_value"] == part
    assert Decimal(line["unexplained_amount"]) == Decimal(line["amount"]) - Decimal(part)
    assert sum(reader.trial_balance().values()) == 0


def test_a_drive_keeps_its_car_and_other_claims_have_none(reader: Reader) -> None:
    [claim] = bodies(reader)["expenses"].values()
    car = {
        "vehicle_type": "Motorcycle",
        "engine_type": "Diesel",
        "engine_size": "Over 2000cc",
        "have_vat_receipt": True,
    }
    drive = claim | {"category": "Mileage", "mileage": "10", "reclaim_mileage": 1, "gross_value": None} | car

    driven, dined = made(reader, "expenses", drive), made(reader, "expenses", claim | car)

    assert driven | car == driven
    assert not dined.keys() & car.keys()
    assert send(reader, "POST", "expenses", {"expense": drive | {"vehicle_type": "Boat"}}).status == 422


def test_what_is_only_shown_is_cleared_and_goes_with_its_record(reader: Reader) -> None:
    [wanted] = bodies(reader)["invoices"].values()
    record = made(reader, "invoices", wanted | {"client_contact_name": "Ms Wu"})
    path = f"invoices/{number(record['url'])}"

    assert send(reader, "PUT", path, {"invoice": {"client_contact_name": ""}}).status == 200
    assert "client_contact_name" not in reader.get(path)["invoice"]
    assert send(reader, "PUT", path, {"invoice": {"client_contact_name": "Mr Wu"}}).status == 200
    assert send(reader, "DELETE", path).status == 200
    assert reader.world.said == {}


def test_there_is_one_primary_account(reader: Reader) -> None:
    [given] = bodies(reader)["bank_accounts"].values()

    record = made(reader, "bank_accounts", given | {"is_primary": True})

    assert [row["url"] for row in reader.all("bank_accounts") if row["is_primary"]] == [record["url"]]
    assert record["current_balance"] == "12.5"
    assert sum(reader.trial_balance().values()) == 0


def test_somebody_changes_their_own_profile_but_not_their_level() -> None:
    world = fresh()
    reader = Reader(world, level=1, user=world.users[1].id)

    given = send(reader, "PUT", "users/me", {"user": {"first_name": "Neo", "permission_level": 8}})

    assert given.status == 200
    assert msgspec.json.decode(given.body)["user"]["first_name"] == "Neo"
    assert (
        Reader(world).get(f"users/{world.users[1].id}")["user"]["permission_level"] == world.users[1].permission_level
    )
    assert world.users[1].permission_level < 8


CANNOT_BE_PUT_BACK = {
    *("credit_note_reconciliations", "recurring_invoices", "stock_items", "capital_assets", "hire_purchases"),
    *("bank_feeds", "capital_asset_types"),
}


@pytest.mark.parametrize(("size", "seed"), [("small", 1), (60, 2), (60, 5), (60, 8), (120, 7)])
def test_a_record_put_back_as_it_was_read_stays_as_it_is(size: str | int, seed: int) -> None:
    reader = Reader(fresh(size, seed))
    before, found = reader.trial_balance(), []

    for path in sorted({*LISTS, "bank_transaction_explanations"} - CANNOT_BE_PUT_BACK):
        for row in reader.all(path):
            key = f"{path}/{number(row['url'])}"
            [(singular, read)] = reader.get(key).items()
            given = send(reader, "PUT", key, {singular: read})
            [after] = reader.get(key).values()
            same = {name: read.get(name) == after.get(name) for name in {*read, *after} - {"updated_at", "attachment"}}
            found += [(key, given.body)] if given.status != 200 else []
            found += [(key, name) for name, is_same in same.items() if not is_same]

    assert found == []
    assert reader.trial_balance() == before

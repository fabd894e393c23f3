"""Records created, changed and deleted through the API, and every way in which that is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from tests.freeagent_standin.reader import LISTS, ORIGIN, PER_ACCOUNT, Reader, Row, fresh, number

from freeagent_standin.wire import Answer
from freeagent_standin.world import World


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh())


def send(reader: Reader, method: str, path: str, body: object = None) -> Answer:
    return reader.send(method, path, b"" if body is None else json.dumps(body).encode())


def told(given: Answer) -> Any:
    """The message or messages of a refusal."""
    errors = msgspec.json.decode(given.body)["errors"]
    if isinstance(errors, list):
        return [one["message"] for one in errors]
    if "error" in errors:
        return errors["error"]["message"]
    return [f"{name} {message}" for name, messages in errors.items() for message in messages]


def made(reader: Reader, path: str, body: object) -> Row:
    given = send(reader, "POST", path, body)
    assert given.status == 201, given
    [record] = msgspec.json.decode(given.body).values()
    assert dict(given.headers)["Location"] == record["url"]
    assert reader.get(f"{path}/{number(record['url'])}") == msgspec.json.decode(given.body)
    return dict(record)


def bodies(reader: Reader) -> dict[str, Row]:
    contact = reader.all("contacts")[0]["url"]
    invoice = next(row for row in reader.all("invoices", view="open") if Decimal(row["due_value"]) > 5)
    note = next(row for row in reader.all("credit_notes", view="open_or_overdue") if row["currency"] == "GBP")
    line = next(row for row in reader.all("bank_transactions") if row["unexplained_amount"] != "0.0")
    return {
        "contacts": {"contact": {"first_name": "Zoë", "last_name": "Ó Briain", "not_known_here": 1}},
        "projects": {"project": {"contact": contact, "name": "Barn", "status": "Active", "budget": 5}},
        "price_list_items": {"price_list_item": {"code": "X-1", "description": "Thing", "price": "9.99"}},
        "invoices": {
            "invoice": {
                "contact": contact,
                "dated_on": "2026-03-30",
                "payment_terms_in_days": "30",
                "reference": 77,
                "invoice_items": [{"description": "Work", "price": "10", "quantity": "2", "item_type": "Hours"}],
            }
        },
        "credit_notes": {
            "credit_note": {
                "contact": contact,
                "dated_on": "2026-03-30",
                "credit_note_items": [{"description": "Back", "price": "-10"}],
            }
        },
        "credit_note_reconciliations": {
            "credit_note_reconciliation": {
                "credit_note": note["url"],
                "invoice": invoice["url"],
                "gross_value": "5",
                "dated_on": "2026-03-30",
            }
        },
        "bills": {
            "bill": {
                "contact": number(contact),
                "reference": "B/1",
                "dated_on": "2026-03-30",
                "due_on": "2026-04-30",
                "bill_items": [{"description": "Felt", "category": "103", "total_value": "12.0"}],
            }
        },
        "expenses": {
            "expense": {
                "user": reader.all("users")[0]["url"],
                "category": f"{ORIGIN}/v2/categories/285",
                "dated_on": "2026-03-30",
                "gross_value": "-12.5",
                "description": "Dinner",
            }
        },
        "bank_transaction_explanations": {
            "bank_transaction_explanation": {
                "bank_transaction": line["url"],
                "dated_on": line["dated_on"],
                "gross_value": line["unexplained_amount"],
                "category": f"{ORIGIN}/v2/categories/285",
                "description": "Lunch",
            }
        },
        "bank_accounts": {"bank_account": {"name": "Jar", "opening_balance": "12.5", "bank_code": "barclays"}},
        "users": {
            "user": {"first_name": "Ida", "last_name": "Neu", "email": "ida@example.com", "role": "Employee"}
            | {"opening_mileage": "0"}
        },
    }


CREATED = (
    "contacts",
    "projects",
    "price_list_items",
    "invoices",
    "credit_notes",
    "credit_note_reconciliations",
    "bills",
    "expenses",
    "bank_transaction_explanations",
    "bank_accounts",
    "users",
)


@pytest.mark.parametrize("path", CREATED)
def test_a_create_answers_201_where_it_is_and_what_it_became(reader: Reader, path: str) -> None:
    before = reader.world.counts()[path]

    record = made(reader, path, bodies(reader)[path])

    assert record["updated_at"] == "2026-03-31T12:00:00.000Z"
    assert reader.world.counts()[path] == before + 1
    assert sum(reader.trial_balance().values()) == 0


@pytest.mark.parametrize("path", CREATED)
def test_a_create_works_without_the_root_key(reader: Reader, path: str) -> None:
    [attributes] = bodies(reader)[path].values()

    assert made(reader, path, attributes)


@pytest.mark.parametrize("path", CREATED)
def test_what_cannot_be_missing_is_told(reader: Reader, path: str) -> None:
    given = send(reader, "POST", path, {"colour": "red"})

    assert given.status == 422
    assert told(given)
    assert all("can't be blank" in message for message in told(given))
    assert isinstance(msgspec.json.decode(given.body)["errors"], dict)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"invoice":[]}']
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_that_cannot_be_read_is_a_bad_request(reader: Reader, method: str, body: bytes) -> None:
    path = "invoices" if method == "POST" else f"invoices/{number(reader.all('invoices')[0]['url'])}"

    given = reader.send(method, path, body)

    assert given.status == 400
    assert told(given)


def test_an_invoice_begins_as_a_draft_and_is_moved_on_by_transitions(reader: Reader) -> None:
    record = made(reader, "invoices", bodies(reader)["invoices"])
    path = f"invoices/{number(record['url'])}"
    before = reader.trial_balance()

    sent = send(reader, "PUT", f"{path}/transitions/mark_as_sent")
    counted = reader.trial_balance()
    locked = send(reader, "PUT", path, {"invoice": {"invoice_items": [{"description": "More", "price": "1"}]}})
    send(reader, "PUT", f"{path}/transitions/mark_as_draft")
    line = {"url": record["invoice_items"][0]["url"], "price": "1"}
    changed = send(reader, "PUT", path, {"invoice": {"invoice_items": [line]}})

    assert (record["status"], record["total_value"], record["reference"]) == ("Draft", "24.0", "77")
    assert (sent.status, msgspec.json.decode(sent.body)["invoice"]["status"]) == (200, "Open")
    assert counted["681"] - before["681"] == Decimal("24.0")
    assert locked.status == 422
    assert "invoice_items.description is locked and cannot be changed" in told(locked)
    assert msgspec.json.decode(changed.body)["invoice"]["total_value"] == "2.4"
    assert reader.trial_balance() == before


def test_a_cancelled_invoice_is_written_off(reader: Reader) -> None:
    overdue = next(row for row in reader.all("invoices", view="overdue") if Decimal(row["due_value"]) > 0)
    path = f"invoices/{number(overdue['url'])}/transitions/mark_as_cancelled"

    first, second = send(reader, "PUT", path), send(reader, "PUT", path)

    assert msgspec.json.decode(first.body)["invoice"]["status"] in ("Written-off", "Part written-off")
    assert second.status == 422


def test_an_explanation_pays_an_invoice_a_bill_and_a_person(reader: Reader) -> None:
    account = reader.all("bank_accounts")[0]["url"]
    invoice = next(row for row in reader.all("invoices", view="open") if row["due_value"] == row["total_value"])
    bill = next(
        row for row in reader.all("bills", view="open") if row["currency"] == "GBP" and row["paid_value"] == "0.0"
    )
    base = {"bank_account": account, "dated_on": "2026-03-30"}

    received = made(
        reader,
        "bank_transaction_explanations",
        base | {"gross_value": invoice["due_value"], "paid_invoice": invoice["url"]},
    )
    paid = made(
        reader,
        "bank_transaction_explanations",
        base | {"gross_value": f"-{bill['due_value']}", "paid_bill": bill["url"]},
    )
    person = made(
        reader,
        "bank_transaction_explanations",
        base | {"gross_value": "-5", "paid_user": reader.all("users")[0]["url"]},
    )

    assert [row["type"] for row in (received, paid, person)] == [
        "Invoice Receipt",
        "Bill Payment",
        "Money Paid to User",
    ]
    assert reader.get(f"invoices/{number(invoice['url'])}")["invoice"]["status"] == "Paid"
    assert reader.get(f"bills/{number(bill['url'])}")["bill"]["status"] == "Paid"
    assert reader.get(f"bank_transactions/{number(paid['bank_transaction'])}")["bank_transaction"]["is_manual"] is True
    assert sum(reader.trial_balance().values()) == 0


def test_a_transfer_explains_both_sides(reader: Reader) -> None:
    accounts = reader.all("bank_accounts")
    asked = {"bank_account": accounts[0]["url"], "dated_on": "2026-03-30", "gross_value": "-10"}

    mine = made(reader, "bank_transaction_explanations", asked | {"transfer_bank_account": accounts[3]["url"]})
    other = reader.get(f"bank_transaction_explanations/{number(mine['linked_transfer_explanation'])}")

    assert mine["type"] == "Transfer to Another Account"
    [theirs] = other.values()
    assert theirs["type"] == "Transfer from Another Account"
    assert theirs["linked_transfer_explanation"] == mine["url"]
    assert sum(reader.trial_balance().values()) == 0


@pytest.mark.parametrize(
    ("path", "attributes", "shown"),
    [
        ("contacts", {"town": "Ely"}, {"town": "Ely"}),
        ("projects", {"status": "Completed"}, {"status": "Completed"}),
        ("price_list_items", {"price": 7.5}, {"price": "7.5"}),
        ("bills", {"reference": "R 2"}, {"reference": "R 2"}),
        ("expenses", {"description": "Taxi"}, {"description": "Taxi"}),
        ("users", {"last_name": "Neu"}, {"last_name": "Neu"}),
        ("bank_accounts", {"name": "Everyday"}, {"name": "Everyday"}),
    ],
)
def test_a_change_answers_with_the_whole_record(reader: Reader, path: str, attributes: Row, shown: Row) -> None:
    row = reader.all(path)[0]
    key = f"{path}/{number(row['url'])}"

    for method in ("PUT", "PATCH"):
        given = send(reader, method, key, attributes)
        assert given.status == 200, given
        assert given.body == reader.call(key).body
    [record] = reader.get(key).values()
    assert record | shown == record
    assert record["updated_at"] == "2026-03-31T12:00:00.000Z"
    assert record["created_at"] == row["created_at"]


KEPT: list[tuple[str, Row]] = [
    (
        "contacts",
        {"default_payment_terms_in_days": 45, "charge_sales_tax": "Never", "locale": "fr", "address1": "1 Rue A"}
        | {"sales_tax_registration_number": "FR1", "status": "Hidden", "mobile": "07"},
    ),
    (
        "projects",
        {"currency": "EUR", "budget_units": "Days", "hours_per_day": "7.5", "normal_billing_rate": "80.25"}
        | {"billing_period": "day", "is_ir35": True, "starts_on": "2026-01-01", "ends_on": "2026-12-31"}
        | {"contract_po_reference": "PO-1", "budget": 12, "name": "Étude"},
    ),
    ("price_list_items", {"item_type": "Hours", "vat_status": "zero", "quantity": "2.5", "code": "Z"}),
    ("bank_accounts", {"type": "PaypalAccount", "email": "pay@example.com", "bank_name": "Pal", "is_personal": True}),
    ("users", {"role": "Director", "permission_level": 4, "first_name": "Éva"}),
    ("invoices", {"po_reference": "PO-9", "comments": "Thanks", "payment_terms_in_days": 7, "due_on": "2026-04-06"}),
    ("credit_notes", {"comments": "Sorry", "payment_terms_in_days": 3, "due_on": "2026-04-02"}),
    ("bills", {"comments": "Urgent", "recurring": "Quarterly", "ec_status": "UK/Non-EC"}),
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


@pytest.mark.parametrize(("size", "seed"), [("small", 1), (60, 2), (60, 5), (60, 8), (120, 7)])
def test_a_record_put_back_as_it_was_read_stays_as_it_is(size: str | int, seed: int) -> None:
    reader = Reader(fresh(size, seed))
    before, found = reader.trial_balance(), []

    for path in sorted({*LISTS, "bank_transaction_explanations"} - {"credit_note_reconciliations"}):
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


def test_an_explanation_is_approved_and_put_on_another_category(reader: Reader) -> None:
    [row] = [row for row in reader.all("bank_transaction_explanations") if row["marked_for_review"]][:1]
    key = f"bank_transaction_explanations/{number(row['url'])}"

    given = send(reader, "PUT", key, {"marked_for_review": False, "category": f"{ORIGIN}/v2/categories/269"})

    [record] = msgspec.json.decode(given.body).values()
    assert record["marked_for_review"] is False
    assert record["category"].endswith("/269")
    assert sum(reader.trial_balance().values()) == 0


def test_a_delete_answers_nothing_and_the_record_is_gone_for_good(reader: Reader) -> None:
    invoice = next(row for row in reader.all("invoices", view="draft"))
    path = f"invoices/{number(invoice['url'])}"

    given, again = send(reader, "DELETE", path), send(reader, "DELETE", path)

    assert (given.status, given.body, given.content_type.split(";")[0]) == (200, b"", "application/json")
    assert (again.status, reader.call(path).status) == (404, 404)


def test_what_others_rest_on_is_not_deleted(reader: Reader) -> None:
    paid = next(row for row in reader.all("invoices", view="paid"))

    contact = send(reader, "DELETE", f"contacts/{number(paid['contact'])}")
    invoice = send(reader, "DELETE", f"invoices/{number(paid['url'])}")

    assert (contact.status, invoice.status) == (403, 409)
    assert "cannot be deleted" in told(contact)
    assert "settled" in told(invoice)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("invoices", "Invoice is locked."),
        ("credit_notes", "Credit note is locked."),
        ("bills", "Bill is locked."),
        ("expenses", "Expense is locked."),
        ("bank_transaction_explanations", "Bank transaction explanation is locked."),
    ],
)
def test_a_locked_period_is_read_and_not_written(reader: Reader, path: str, said: str) -> None:
    row = next(iter(reader.all(path)))
    key = f"{path}/{number(row['url'])}"
    [given] = bodies(reader)[path].values()
    reader.world.mutate({"do": "lock", "until": row["dated_on"]}, reader.now)
    locked = reader.fingerprint()

    refused = [
        send(reader, "PUT", key, {"description": "x"}),
        send(reader, "DELETE", key),
        send(reader, "POST", path, given | {"dated_on": row["dated_on"]}),
    ]

    assert [(one.status, told(one)) for one in refused] == [(403, said)] * 3
    assert reader.fingerprint() == locked
    [shown] = reader.get(key).values()
    assert shown.get("is_locked", True) is True
    reader.world.mutate({"do": "lock", "until": None}, reader.now)
    assert send(reader, "PUT", key, {}).status == 200


def test_a_category_comes_changes_and_goes_under_the_key_of_its_group(reader: Reader) -> None:
    category: Row = {"description": "Hats", "nominal_code": "201", "category_group": "admin_expenses"}
    category |= {
        "tax_reporting_name": "Sundry expenses",
        "allowable_for_tax": True,
        "auto_sales_tax_rate": "Reduced rate",
    }
    claim = bodies(reader)["expenses"]["expense"] | {"category": "201", "gross_value": "-10.5"}

    made_one = send(reader, "POST", "categories", {"category": category})
    taken = send(reader, "POST", "categories", {"category": category})
    changed = send(reader, "PUT", "categories/201", {"category": {"description": "Caps"}})
    claimed = made(reader, "expenses", claim)
    in_use = send(reader, "DELETE", "categories/201")
    send(reader, "DELETE", f"expenses/{number(claimed['url'])}")
    gone = send(reader, "DELETE", "categories/201")

    assert (made_one.status, taken.status, changed.status, in_use.status, gone.status) == (201, 422, 200, 422, 200)
    assert dict(made_one.headers)["Location"] == f"{ORIGIN}/v2/categories/201"
    [shown] = msgspec.json.decode(changed.body).values()
    assert (shown["description"], shown["nominal_code"]) == ("Caps", "201")
    assert (claimed["sales_tax_rate"], claimed["sales_tax_value"]) == ("5.0", "-0.5")
    assert msgspec.json.decode(gone.body) == {"admin_expenses_categories": shown}
    assert reader.call("categories/201").status == 404


@pytest.mark.parametrize("wrong", [{"nominal_code": "600"}, {"nominal_code": "25"}, {"category_group": "hats"}])
def test_a_category_out_of_range_is_told(reader: Reader, wrong: Row) -> None:
    category = {"description": "Hats", "nominal_code": "201", "category_group": "admin_expenses"}

    assert send(reader, "POST", "categories", {"category": category | wrong}).status == 422


def test_an_invoice_is_duplicated_as_a_draft_of_today(reader: Reader) -> None:
    paid = next(row for row in reader.all("invoices", view="paid", nested_invoice_items="true"))
    before = reader.trial_balance()

    given = send(reader, "POST", f"invoices/{number(paid['url'])}/duplicate")

    copy = msgspec.json.decode(given.body)["invoice"]
    assert given.status == 200
    assert copy["url"] != paid["url"]
    assert (copy["status"], copy["dated_on"], copy["paid_value"]) == ("Draft", "2026-03-31", "0.0")
    assert [row["price"] for row in copy["invoice_items"]] == [row["price"] for row in paid["invoice_items"]]
    assert reader.trial_balance() == before


def test_writes_need_the_level_of_the_resource() -> None:
    world = fresh()
    asked = bodies(Reader(world))["bills"]

    assert send(Reader(world, level=4), "POST", "bills", asked).status == 403
    assert send(Reader(world, level=5), "POST", "bills", asked).status == 201


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "stock_items", 404),
        ("POST", "recurring_invoices", 404),
        ("POST", "accounting/trial_balance/summary", 404),
        ("POST", "nothing", 404),
        ("PUT", "invoices", 404),
        ("DELETE", "invoices", 404),
        ("PUT", "invoices/1", 404),
        ("PUT", "invoices/1/transitions/mark_as_sent", 404),
        ("GET", "invoices/1/transitions/mark_as_sent", 404),
        ("OPTIONS", "invoices", 404),
        ("TRACE", "invoices", 404),
        ("FOO", "invoices", 404),
        ("POST", "estimates", 405),
        ("POST", "categories", 422),
        ("PUT", "categories", 404),
        ("POST", "categories/285", 404),
        ("DELETE", "categories/199", 404),
        ("DELETE", "categories/285", 422),
        ("PUT", "categories/750-1", 422),
        ("POST", "credit_notes/1/duplicate", 404),
        ("POST", "invoices/1/duplicate", 404),
        ("GET", "invoices/1/duplicate", 404),
        ("POST", "bank_transactions", 405),
        ("PUT", "attachments/1", 405),
        ("DELETE", "attachments/1", 404),
        ("DELETE", "users/100000101", 405),
    ],
)
def test_what_cannot_be_written_says_so(reader: Reader, method: str, path: str, status: int) -> None:
    given = send(reader, method, path, {})

    assert given.status == status
    assert told(given)


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


ODD: list[object] = [None, "", 0, -1, 7.25, True, [], {}, "x", "1e99", "9999-12-31", "0001-01-01", "NaN", "٣", 10**30]


def any_body(world: World, rng: Random) -> Row:
    def one(*good: object) -> object:
        return rng.choice(good) if rng.random() < 0.95 else rng.choice(ODD)

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

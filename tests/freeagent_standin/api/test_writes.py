"""Records created, changed and deleted through the API, and every way in which that is refused."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.freeagent_standin.api.writer import CREATED, bodies, made, send, told
from tests.freeagent_standin.reader import ORIGIN, Reader, Row, fresh, number


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh())


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


def test_a_cancelled_invoice_is_opened_again_by_sending_it(reader: Reader) -> None:
    overdue = next(row for row in reader.all("invoices", view="overdue") if Decimal(row["due_value"]) > 0)
    path, before = f"invoices/{number(overdue['url'])}", reader.trial_balance()

    send(reader, "PUT", f"{path}/transitions/mark_as_cancelled")
    given = send(reader, "PUT", f"{path}/transitions/mark_as_sent")

    again = msgspec.json.decode(given.body)["invoice"]
    assert (given.status, again["status"], again["due_value"]) == (200, "Overdue", overdue["due_value"])
    assert reader.trial_balance() == before


def test_only_an_overdue_invoice_is_cancelled(reader: Reader) -> None:
    row = next(row for row in reader.all("invoices", view="open"))

    given = send(reader, "PUT", f"invoices/{number(row['url'])}/transitions/mark_as_cancelled")

    assert given.status == 422


def test_a_negative_draft_becomes_a_credit_note(reader: Reader) -> None:
    [wanted] = bodies(reader)["invoices"].values()
    before = reader.trial_balance()
    record = made(reader, "invoices", wanted | {"invoice_items": [{"description": "Back", "price": "-10"}]})
    path = f"invoices/{number(record['url'])}"

    given = send(reader, "PUT", f"{path}/transitions/convert_to_credit_note")
    note = msgspec.json.decode(given.body)["credit_note"]

    assert (note["status"], note["total_value"], note["reference"]) == ("Draft", "-12.0", "77")
    assert reader.call(path).status == 404
    send(reader, "PUT", f"credit_notes/{number(note['url'])}/transitions/mark_as_sent")
    assert reader.trial_balance()["681"] == before["681"] - 12


def test_a_reconciliation_is_changed_within_what_both_documents_have(reader: Reader) -> None:
    record = made(reader, "credit_note_reconciliations", bodies(reader)["credit_note_reconciliations"])
    path = f"credit_note_reconciliations/{number(record['url'])}"
    invoice = f"invoices/{number(record['invoice'])}"
    due = Decimal(reader.get(invoice)["invoice"]["due_value"])

    smaller = send(reader, "PUT", path, {"credit_note_reconciliation": {"gross_value": "4.5"}})
    too_much = send(reader, "PUT", path, {"credit_note_reconciliation": {"gross_value": "99999"}})

    assert msgspec.json.decode(smaller.body)["credit_note_reconciliation"]["gross_value"] == "4.5"
    assert too_much.status == 422
    assert Decimal(reader.get(invoice)["invoice"]["due_value"]) == due + Decimal("0.5")
    assert sum(reader.trial_balance().values()) == 0


@pytest.mark.parametrize("resource", ["invoices", "estimates"])
def test_the_text_below_documents_is_set_and_cleared(reader: Reader, resource: str) -> None:
    path = f"{resource}/default_additional_text"

    given = send(reader, "PUT", path, {"default_additional_text": "Pay within 7 days"})

    assert msgspec.json.decode(given.body) == reader.get(path) == {"default_additional_text": "Pay within 7 days"}
    assert send(reader, "DELETE", path).body == b""
    assert reader.get(path) == {"default_additional_text": ""}


def test_a_person_goes_when_nothing_names_them(reader: Reader) -> None:
    record = made(reader, "users", bodies(reader)["users"])
    named_in_claims = reader.all("expenses")[0]["user"]

    assert send(reader, "DELETE", f"users/{number(named_in_claims)}").status == 409
    assert send(reader, "DELETE", f"users/{number(record['url'])}").status == 200
    assert reader.call(f"users/{number(record['url'])}").status == 404


def test_an_emailed_draft_is_sent(reader: Reader) -> None:
    for path, singular in (("invoices", "invoice"), ("credit_notes", "credit_note")):
        where = f"{path}/{number(made(reader, path, bodies(reader)[path])['url'])}"

        given = send(reader, "POST", f"{where}/send_email", {singular: {"email": {"use_template": True}}})

        assert (given.status, given.body) == (200, b"")
        assert reader.get(where)[singular]["status"] != "Draft"


def test_two_addresses_are_taken_as_the_documentation_spells_them(reader: Reader) -> None:
    item = made(reader, "price_list_items", bodies(reader)["price_list_items"])
    line = next(row for row in reader.all("bank_transactions") if not row["bank_transaction_explanations"])

    assert send(reader, "DELETE", f"price_list_item/{number(item['url'])}").status == 200
    assert send(reader, "DELETE", f"bank_transaction/{number(line['url'])}").status == 200
    assert reader.call(f"bank_transactions/{number(line['url'])}").status == 404


@pytest.mark.parametrize("day", ["2026-03-30", "2026-3-30", "2026-03-30T00:00:00.000Z", "2026-03-30 23:59"])
def test_a_day_may_come_short_or_with_the_time_of_day(reader: Reader, day: str) -> None:
    [wanted] = bodies(reader)["invoices"].values()

    record = made(reader, "invoices", wanted | {"dated_on": day})
    send(reader, "PUT", "account_locks", {"account_lock": {"locked_to_date": "2026-03-30"}})
    locked = send(reader, "POST", "invoices", {"invoice": wanted | {"dated_on": day}})

    assert record["dated_on"] == "2026-03-30"
    assert locked.status == 403


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
        ("POST", "estimates", 422),
        ("POST", "tasks", 400),
        ("POST", "notes", 400),
        ("POST", "estimate_items", 422),
        ("GET", "estimate_items", 404),
        ("PUT", "estimate_items/1", 404),
        ("PUT", "estimate_items/x", 404),
        ("POST", "timeslips/1/timer", 404),
        ("GET", "timeslips/1/timer", 404),
        ("POST", "categories", 422),
        ("PUT", "categories", 404),
        ("POST", "categories/285", 404),
        ("DELETE", "categories/199", 404),
        ("DELETE", "categories/285", 422),
        ("PUT", "categories/750-1", 422),
        ("POST", "credit_notes/1/duplicate", 404),
        ("POST", "invoices/1/duplicate", 404),
        ("GET", "invoices/1/duplicate", 404),
        ("POST", "bank_transactions", 404),
        ("PUT", "attachments/1", 404),
        ("DELETE", "attachments/1", 404),
        ("DELETE", "users/100000101", 409),
    ],
)
def test_what_cannot_be_written_says_so(reader: Reader, method: str, path: str, status: int) -> None:
    given = send(reader, method, path, {})

    assert given.status == status
    assert told(given)

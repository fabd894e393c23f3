"""Records read one by one, the documents that are no lists, and the headers of every answer."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from tests.freeagent_standin.reader import LISTS, NOON, ORIGIN, PER_ACCOUNT, TODAY, Reader, fresh, known, number

SINGULAR = {name: "bank_" + name[5:-1] if name.startswith("bank_") else name[:-1] for name in (*LISTS, *PER_ACCOUNT)}
ONLY_SINGLY = {
    "invoices": {"invoice_items"},
    "credit_notes": {"credit_note_items"},
    "bills": {"bill_items"},
    "estimates": {"estimate_items"},
    "recurring_invoices": {"invoice_items"},
}


@pytest.fixture
def reader() -> Reader:
    return Reader(known("small", 2))


@pytest.mark.parametrize("name", [*LISTS, *PER_ACCOUNT])
def test_every_row_of_a_list_can_be_read_singly(reader: Reader, name: str) -> None:
    for row in reader.all(name):
        single = reader.get(f"{name}/{number(row['url'])}")[SINGULAR[name]]
        more = ONLY_SINGLY.get(name, {"is_deletable"} if name == "projects" else set())
        assert {key: value for key, value in single.items() if key not in more} == row


@pytest.mark.parametrize("name", [*LISTS, *PER_ACCOUNT])
@pytest.mark.parametrize(
    "key", ["1", "0", "999999999", "9" * 5_000, "x", "-1", "1.5", "٣", "%00", "..", "1/items", " "]
)
def test_a_record_there_is_not_is_not_found(reader: Reader, name: str, key: str) -> None:
    given = reader.call(f"{name}/{key}")

    assert given.status == 404
    assert given.body == b'{"errors":{"error":{"message":"Resource not found"}}}'


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing",
        "v2/invoices",
        "invoices/100001/nothing",
        "payroll/26",
        "sales_tax_periods",
        "properties",
        "currencies",
        "accounting",
        "accounting/trial_balance",
        "users/me/me",
        "company/nothing",
        "\x00",
        "é",
        "categories/99999",
        "categories/1",
        "attachments/1",
        "attachments",
    ],
)
def test_what_is_not_there_is_not_found(reader: Reader, path: str) -> None:
    assert reader.call(path).status == 404


def test_attributes_without_value_are_left_out(reader: Reader) -> None:
    for value in walk(reader.everything()):
        assert value is not None


def walk(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [each for one in value.values() for each in walk(one)]
    if isinstance(value, list):
        return [each for one in value for each in walk(one)]
    return [value]


def test_no_number_is_a_binary_fraction(reader: Reader) -> None:
    assert not [value for value in walk(reader.everything()) if isinstance(value, float)]


def test_references_are_on_the_host_that_was_called(reader: Reader) -> None:
    urls = [value for value in walk(reader.everything()) if isinstance(value, str) and "/v2/" in value]

    assert urls
    assert all(url.startswith(f"{ORIGIN}/v2/") for url in urls)


def test_a_single_record_says_when_it_was_changed(reader: Reader) -> None:
    row = reader.all("invoices")[0]
    given = dict(reader.call(f"invoices/{number(row['url'])}").headers)

    changed = parsedate_to_datetime(given["Last-Modified"])
    assert changed.strftime("%Y-%m-%dT%H:%M:%S.000Z") == row["updated_at"]
    assert given["ETag"].startswith('W/"')
    assert given["Cache-Control"] == "no-store"
    assert len(given["X-Request-Id"]) == 36


def test_a_list_has_no_date_of_change_and_every_request_an_id_of_its_own(reader: Reader) -> None:
    first = dict(reader.call("invoices").headers)
    second = dict(Reader(reader.world, now=NOON + timedelta(milliseconds=1)).call("invoices").headers)

    assert "Last-Modified" not in first
    assert first["ETag"] == second["ETag"]
    assert first["X-Request-Id"] != second["X-Request-Id"]


def test_the_tag_of_a_record_moves_with_the_record() -> None:
    world = fresh()
    reader = Reader(world)
    contact = next(iter(world.contacts)).id
    before = dict(reader.call(f"contacts/{contact}").headers)["ETag"]

    world.mutate({"do": "change", "resource": "contacts", "id": contact, "set": {"town": "Ely"}}, NOON)

    assert dict(reader.call(f"contacts/{contact}").headers)["ETag"] != before


def test_a_category_answers_under_the_key_of_its_group(reader: Reader) -> None:
    assert reader.get("categories/001")["income_categories"]["description"] == "Sales"
    assert reader.get("categories/285")["admin_expenses_categories"]["nominal_code"] == "285"
    account = reader.get("categories/750-1")["general_categories"]
    assert account["bank_account"] == reader.all("bank_accounts")[0]["url"]


def test_the_company_knows_its_accounting_years(reader: Reader) -> None:
    company = reader.get("company")["company"]
    periods = company["annual_accounting_periods"]

    assert periods[0]["starts_on"] <= company["freeagent_start_date"] <= periods[0]["ends_on"]
    assert periods[-1]["starts_on"] <= str(TODAY) <= periods[-1]["ends_on"]
    for earlier, later in pairwise(periods):
        assert date.fromisoformat(later["starts_on"]) - date.fromisoformat(earlier["ends_on"]) == timedelta(days=1)


def test_somebody_reads_their_own_profile(reader: Reader) -> None:
    for user in reader.world.users:
        mine = Reader(reader.world, level=user.permission_level or 1, user=user.id).get("users/me")["user"]
        assert mine["email"] == user.email


def test_amounts_in_words_of_a_bank_line_are_printed_as_recorded(reader: Reader) -> None:
    lines = {row["amount"]: row["full_description"] for row in reader.all("bank_transactions") if not row["is_manual"]}

    large = next(amount for amount in lines if Decimal(amount) >= 1000)
    assert lines[large].endswith(f"/£{Decimal(large):,.2f}")
    assert "," in lines[large].rsplit("/", 1)[1]


def test_a_long_status_tells_the_time_there_is_in_round_words() -> None:
    reader = Reader(fresh("small", 2))
    account = {"contact": reader.all("contacts")[0]["url"], "reference": "R", "dated_on": "2026-03-31"}
    item = [{"category": "285", "total_value": "1"}]

    def said(due_on: str) -> str:
        body = json.dumps(account | {"due_on": due_on, "bill_items": item}).encode()
        return str(msgspec.json.decode(reader.send("POST", "bills", body).body)["bill"]["long_status"])

    assert [
        said(day) for day in ("2026-03-31", "2026-04-01", "2026-04-29", "2026-05-01", "2026-08-01", "2027-04-02")
    ] == [
        "Open - due today",
        "Open - due in 1 day",
        "Open - due in 29 days",
        "Open - due in about 1 month",
        "Open - due in 4 months",
        "Open - due in about 1 year",
    ]
    assert said("2026-03-01") == "Overdue - due about 1 month ago"


def test_a_line_without_unit_has_no_quantity_and_an_open_claim_says_nothing_of_locks(reader: Reader) -> None:
    items = [item for bill in reader.all("bills", nested_bill_items="true") for item in bill["bill_items"]]

    assert {("unit" in item, item.get("quantity")) for item in items} == {(True, "1.0"), (False, None)}
    assert not any("is_locked" in claim for claim in reader.all("expenses"))


def test_an_attachment_is_described_where_it_hangs_and_alone(reader: Reader) -> None:
    [bill] = [row for row in reader.all("bills") if "attachment" in row][:1]
    alone = reader.get(f"attachments/{number(bill['attachment']['url'])}")["attachment"]

    assert alone == bill["attachment"]
    assert alone["expires_at"] == "2026-03-31T12:01:00.000Z"
    assert "signature=" in alone["content_src"]


def test_the_lines_of_a_bill_are_listed_by_bill(reader: Reader) -> None:
    bill = reader.all("bills", nested_bill_items="true")[0]

    assert reader.all("bill_items", bill=bill["url"]) == bill["bill_items"]
    assert reader.call("bill_items").status == 400
    assert reader.call("bill_items", bill=1).status == 404
    assert reader.get(f"bill_items/{number(bill['bill_items'][0]['url'])}")["bill_item"] == bill["bill_items"][0]


def test_notes_need_to_know_whose(reader: Reader) -> None:
    assert reader.call("notes").status == 400
    assert reader.get("notes", contact=2_001) == {"notes": []}


def test_bands_of_the_construction_scheme_are_for_those_in_it() -> None:
    inside = next(known(20, seed) for seed in range(1, 41) if known(20, seed).company.cis_subcontractor)
    outside = next(known(20, seed) for seed in range(1, 41) if not known(20, seed).company.cis_subcontractor)

    bands = Reader(inside).get("cis_bands")["available_bands"]
    assert [band["nominal_code"] for band in bands] == ["061", "062", "063"]
    assert [band["deduction_rate"] for band in bands] == ["0.0", "0.2", "0.3"]
    assert Reader(outside).call("cis_bands").status == 404


def test_a_trial_balance_names_its_accounts(reader: Reader) -> None:
    rows = reader.get("accounting/trial_balance/summary")["trial_balance_summary"]
    by_code = {row["display_nominal_code"]: row for row in rows}
    account = reader.all("bank_accounts")[0]

    assert [row["display_nominal_code"] for row in rows] == sorted(by_code)
    assert by_code["750-1"]["bank_account"] == account["url"]
    assert by_code["750-1"]["nominal_code"] == f"750-{number(account['url'])}"
    assert by_code["905-1"]["user"] == reader.all("users")[0]["url"]
    assert all(row["category"].startswith(f"{ORIGIN}/v2/categories/") for row in rows)
    assert not [row for row in rows if Decimal(row["total"]) == 0]


def test_a_trial_balance_of_a_range_counts_profit_within_it_only(reader: Reader) -> None:
    year = Reader(reader.world).get("company")["company"]["annual_accounting_periods"][-1]
    start = date.fromisoformat(year["starts_on"])
    middle = start + timedelta(days=90)

    to_middle = reader.trial_balance(to_date=middle)
    first, rest = (
        reader.trial_balance(from_date=start, to_date=middle),
        reader.trial_balance(from_date=middle + timedelta(days=1), to_date=TODAY),
    )
    whole = reader.trial_balance()

    assert to_middle == first
    for code in {code for code in whole if code < "600"} | {code for code in first if code < "600"}:
        assert first.get(code, Decimal(0)) + rest.get(code, Decimal(0)) == whole.get(code, Decimal(0)), code


@pytest.mark.parametrize("query", [{"from_date": "x"}, {"to_date": "2026-13-01"}, {"from_date": "2027-01-01"}])
def test_a_trial_balance_of_no_range_is_a_bad_request(reader: Reader, query: dict[str, str]) -> None:
    assert reader.call("accounting/trial_balance/summary", **query).status == 400


@pytest.mark.parametrize(
    "query",
    [
        {"from_date": "0001-01-01"},
        {"to_date": "0001-01-01"},
        {"to_date": "9999-12-31"},
        {"from_date": "0001-01-01", "to_date": "9999-12-31"},
    ],
)
def test_a_trial_balance_reaches_to_the_ends_of_time(reader: Reader, query: dict[str, str]) -> None:
    assert sum(reader.trial_balance(**query).values()) == 0

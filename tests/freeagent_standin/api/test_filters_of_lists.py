"""Filters of every list, each compared with what picking from the whole list by hand gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.freeagent_standin.reader import LISTS, NOON, ORIGIN, PER_ACCOUNT, Reader, Row, fresh, known, number

Pick = Callable[[Row], bool]
BY_UPDATE = (
    "invoices",
    "credit_notes",
    "credit_note_reconciliations",
    "bills",
    "expenses",
    "contacts",
    "journal_sets",
    "estimates",
    "tasks",
    "timeslips",
    *PER_ACCOUNT,
)
BY_DAY = ("bills", "expenses", "credit_note_reconciliations", "estimates", "timeslips", *PER_ACCOUNT)
WHOLE = (*LISTS, *PER_ACCOUNT)


@pytest.fixture
def reader() -> Reader:
    return Reader(known("small", 3))


def same(got: list[Row], whole: list[Row], pick: Pick, *, may_be_empty: bool = False) -> None:
    wanted = [row["url"] for row in whole if pick(row)]
    assert [row["url"] for row in got] == wanted
    assert wanted or may_be_empty


@pytest.mark.parametrize("name", BY_UPDATE)
def test_updated_since_gives_what_was_updated_then_or_later(reader: Reader, name: str) -> None:
    whole = reader.all(name)
    moments = sorted(row["updated_at"] for row in whole)
    middle = moments[len(moments) // 2]
    after = (datetime.fromisoformat(middle) + timedelta(seconds=1)).isoformat()

    same(reader.all(name, updated_since=middle), whole, lambda row: row["updated_at"] >= middle)
    same(reader.all(name, updated_since=after), whole, lambda row: row["updated_at"] > middle, may_be_empty=True)
    assert reader.all(name, updated_since="2999-01-01T00:00:00Z") == []
    assert reader.all(name, updated_since="1970-01-01T00:00:00Z") == whole


@pytest.mark.parametrize("name", sorted(set(LISTS) - set(BY_UPDATE)))
def test_a_list_that_does_not_know_updated_since_gives_everything(reader: Reader, name: str) -> None:
    assert reader.all(name, updated_since="2999-01-01T00:00:00Z") == reader.all(name) != []


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-02-01T12:00:00Z",
        "2026-02-01T12:00:00.000Z",
        "2026-02-01T13:00:00+01:00",
        "2026-02-01T13:00:00 01:00",  # a plus sign that nobody escaped
        "2026-02-01T12:00:00",
        "2026-02-01 12:00:00",
        "2026-02-01T12:00:00.000000+00:00",
    ],
)
def test_an_instant_may_be_spelt_in_several_ways(reader: Reader, spelling: str) -> None:
    expected = [row for row in reader.all("contacts") if row["updated_at"] >= "2026-02-01T12:00:00.000Z"]

    assert reader.all("contacts", updated_since=spelling) == expected
    assert reader.call("invoices", updated_since=spelling).status == 200


@pytest.mark.parametrize("name", BY_DAY)
def test_days_bound_a_list_with_both_ends_inside(reader: Reader, name: str) -> None:
    whole = reader.all(name)
    days = sorted(row["dated_on"] for row in whole)
    first, last = days[len(days) // 3], days[2 * len(days) // 3]

    same(reader.all(name, from_date=first), whole, lambda row: row["dated_on"] >= first)
    same(reader.all(name, to_date=last), whole, lambda row: row["dated_on"] <= last)
    same(reader.all(name, from_date=first, to_date=last), whole, lambda row: first <= row["dated_on"] <= last)
    same(reader.all(name, from_date=first, to_date=first), whole, lambda row: row["dated_on"] == first)
    assert reader.all(name, from_date=last, to_date="2000-01-01") == []


@pytest.mark.parametrize("name", BY_DAY)
def test_windows_that_tile_the_time_find_every_record_once(reader: Reader, name: str) -> None:
    found: list[str] = []
    day = datetime(2025, 1, 1, tzinfo=UTC).date()
    while day < NOON.date():
        end = day + timedelta(days=30)
        found += [row["url"] for row in reader.all(name, from_date=day, to_date=end)]
        day = end + timedelta(days=1)

    assert sorted(found) == sorted(row["url"] for row in reader.all(name))


@pytest.mark.parametrize("name", BY_DAY)
def test_days_and_updated_since_work_together(reader: Reader, name: str) -> None:
    whole = reader.all(name)
    day = sorted(row["dated_on"] for row in whole)[len(whole) // 4]
    moment = sorted(row["updated_at"] for row in whole)[len(whole) // 2]

    got = reader.all(name, from_date=day, updated_since=moment)

    same(got, whole, lambda row: row["dated_on"] >= day and row["updated_at"] >= moment)


@pytest.mark.parametrize("name", ["invoices", "credit_notes", "contacts", "projects"])
def test_a_list_without_days_ignores_them(reader: Reader, name: str) -> None:
    assert reader.all(name, from_date="2999-01-01", to_date="2999-01-02") == reader.all(name)


@pytest.mark.parametrize("name", BY_DAY)
@pytest.mark.parametrize("parameter", ["from_date", "to_date", "updated_since"])
def test_a_date_that_cannot_be_read_is_a_bad_request(reader: Reader, name: str, parameter: str) -> None:
    account = next(iter(reader.world.bank_accounts)).id
    for value in ("yesterday", "31/03/2026", "2026-02-30", "2026", "0"):
        given = reader.call(name, bank_account=account, **{parameter: value})
        assert given.status == 400, value
        assert b"not a valid" in given.body


VIEWS: dict[str, dict[str, Pick]] = {
    "contacts": {
        "active": lambda row: row["status"] == "Active",
        "hidden": lambda row: row["status"] == "Hidden",
        "active_projects": lambda row: row["active_projects_count"] > 0,
    },
    "projects": {
        "active": lambda row: row["status"] == "Active",
        "completed": lambda row: row["status"] == "Completed",
        "cancelled": lambda row: row["status"] == "Cancelled",
        "hidden": lambda row: row["status"] == "Hidden",
    },
    "users": {
        "staff": lambda row: row["role"] != "Accountant",
        "active_staff": lambda row: row["role"] != "Accountant" and not row["hidden"],
        "advisors": lambda row: row["role"] == "Accountant",
        "active_advisors": lambda row: row["role"] == "Accountant" and not row["hidden"],
    },
    "bank_accounts": {
        "standard_bank_accounts": lambda row: row["type"] == "StandardBankAccount",
        "credit_card_accounts": lambda row: row["type"] == "CreditCardAccount",
    },
    "invoices": {
        "open": lambda row: row["status"] == "Open",
        "overdue": lambda row: row["status"] == "Overdue",
        "open_or_overdue": lambda row: row["status"] in ("Open", "Overdue"),
        "draft": lambda row: row["status"] == "Draft",
        "paid": lambda row: row["status"] == "Paid",
        "scheduled_to_email": lambda row: row["status"] == "Scheduled To Email",
        "last_3_months": lambda row: row["dated_on"] >= "2025-12-28",
        "recent_open_or_overdue": lambda row: (
            row["status"] in ("Open", "Overdue") and row["dated_on"] >= str(NOON.date() - timedelta(days=183))
        ),
    },
    "credit_notes": {
        "open_or_overdue": lambda row: row["status"] in ("Open", "Overdue"),
        "draft": lambda row: row["status"] == "Draft",
        "refunded": lambda row: row["status"] == "Refunded",
    },
    "bills": {
        "open": lambda row: row["status"] == "Open",
        "overdue": lambda row: row["status"] == "Overdue",
        "open_or_overdue": lambda row: row["status"] in ("Open", "Overdue"),
        "open_or_overdue_payments": lambda row: row["status"] in ("Open", "Overdue") and positive(row),
        "open_or_overdue_refunds": lambda row: row["status"] in ("Open", "Overdue") and not positive(row),
        "paid": lambda row: row["status"] in ("Paid", "Refunded"),
        "recurring": lambda row: "recurring" in row,
    },
    "expenses": {"recurring": lambda row: "recurring" in row},
    "bank_transactions": {
        "unexplained": lambda row: row["unexplained_amount"] != "0.0",
        "explained": lambda row: row["unexplained_amount"] == "0.0",
        "manual": lambda row: bool(row["is_manual"]),
        "imported": lambda row: not row["is_manual"],
        "marked_for_review": lambda row: any(
            part["marked_for_review"] for part in row["bank_transaction_explanations"]
        ),
    },
}


def positive(row: Row) -> bool:
    return Decimal(row["total_value"]) > 0


@pytest.mark.parametrize(("name", "view"), [(name, view) for name, views in VIEWS.items() for view in views])
def test_a_view_shows_what_its_name_says(reader: Reader, name: str, view: str) -> None:
    same(reader.all(name, view=view), reader.all(name), VIEWS[name][view])


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_an_unknown_view_is_the_default_one(reader: Reader, name: str) -> None:
    expected = [row for row in reader.all(name) if name != "contacts" or row["status"] == "Active"]

    assert [row["url"] for row in reader.all(name, view="colourful")] == [row["url"] for row in expected]


def test_contacts_show_active_ones_only_unless_asked(reader: Reader) -> None:
    plain, _ = reader.page("contacts", per_page=100)

    assert len(plain) < len(reader.all("contacts"))
    assert {row["status"] for row in plain} == {"Active"}


def test_contacts_by_what_they_owe(reader: Reader) -> None:
    invoices = reader.all("invoices")
    clients = {row["contact"] for row in invoices + reader.all("credit_notes")}
    owing = {row["contact"] for row in invoices if row["status"] in ("Open", "Overdue") and positive(row)}
    suppliers = {row["contact"] for row in reader.all("bills")}
    whole = reader.all("contacts")

    same(reader.all("contacts", view="clients"), whole, lambda row: row["url"] in clients)
    same(reader.all("contacts", view="suppliers"), whole, lambda row: row["url"] in suppliers)
    assert {row["url"] for row in reader.all("contacts", view="open_clients")} >= owing


RELATIONS = [
    (name, relation) for name in ("invoices", "bills", "credit_notes") for relation in ("contact", "project")
] + [("expenses", "project"), ("projects", "contact")]


@pytest.mark.parametrize(("name", "relation"), RELATIONS)
@pytest.mark.parametrize("size", ["small", "medium"])
def test_a_relation_is_asked_for_by_url_or_by_bare_id(size: str, name: str, relation: str) -> None:
    reader = Reader(known(size))
    whole = reader.all(name)
    wanted = next(row[relation] for row in whole if relation in row)

    for spelling in (wanted, number(wanted), wanted.replace(ORIGIN, "https://api.freeagent.com"), wanted + "/"):
        same(reader.all(name, **{relation: spelling}), whole, lambda row: row.get(relation) == wanted)
    assert reader.all(name, **{relation: 999}) == []
    assert reader.all(name, **{relation: "x"}) == []


@pytest.mark.parametrize("name", PER_ACCOUNT)
def test_bank_lists_need_a_bank_account(reader: Reader, name: str) -> None:
    for query in ({}, {"bank_account": ""}):
        given = reader.call(name, **query)
        assert given.status == 400
        assert b"bank_account" in given.body
    account = next(iter(reader.world.bank_accounts)).id
    by_id = reader.all(name, bank_account=account)
    assert by_id == reader.all(name, bank_account=f"{ORIGIN}/v2/bank_accounts/{account}")
    assert {number(row["bank_account"]) for row in by_id} == {account}


@pytest.mark.parametrize(
    ("name", "parameter", "holds"),
    [
        ("invoices", "nested_invoice_items", "invoice_items"),
        ("credit_notes", "nested_credit_note_items", "credit_note_items"),
        ("bills", "nested_bill_items", "bill_items"),
    ],
)
def test_items_come_with_a_list_only_when_asked_for(reader: Reader, name: str, parameter: str, holds: str) -> None:
    plain = reader.all(name)
    nested = reader.all(name, **{parameter: "true"})

    assert all(holds not in row for row in plain)
    assert [{key: value for key, value in row.items() if key != holds} for row in nested] == plain
    for row in nested:
        assert row[holds] == reader.get(f"{name}/{number(row['url'])}")[name[:-1]][holds]
    for yes in ("True", "1"):
        assert reader.all(name, **{parameter: yes}) == nested
    for no in ("false", "0", ""):
        assert reader.all(name, **{parameter: no}) == plain


def test_nested_projects_hold_their_contact(reader: Reader) -> None:
    plain, nested = reader.all("projects"), reader.all("projects", nested="true")

    assert [row["contact"]["url"] for row in nested] == [row["contact"] for row in plain]


def test_categories_show_sub_accounts_only_when_asked_for(reader: Reader) -> None:
    plain, with_subs = reader.get("categories"), reader.get("categories", sub_accounts="true")
    codes = {row["nominal_code"] for group in plain.values() for row in group}
    subs = {row["nominal_code"]: row for group in with_subs.values() for row in group}
    accounts, users = reader.all("bank_accounts"), reader.all("users")

    assert (
        set(plain)
        == set(with_subs)
        == {
            "admin_expenses_categories",
            "cost_of_sales_categories",
            "general_categories",
            "income_categories",
        }
    )
    assert {code for code in codes if "-" in code} == set()
    assert "750" in codes
    assert "750" not in subs
    assert {row["bank_account"] for row in subs.values() if "bank_account" in row} == {row["url"] for row in accounts}
    assert sum(code.startswith("905-") for code in subs) == len(users)
    assert {code.partition("-")[0] for code in subs} == codes
    assert "001" in codes
    assert len(codes) >= 100


def test_the_last_upload_is_the_newest_imported_lines(reader: Reader) -> None:
    account = next(iter(reader.world.bank_accounts)).id
    whole = reader.all("bank_transactions", bank_account=account)
    newest = max(row["uploaded_at"] for row in whole if "uploaded_at" in row)

    got = reader.all("bank_transactions", bank_account=account, last_uploaded="true")

    same(got, whole, lambda row: row.get("uploaded_at") == newest)


@pytest.mark.parametrize("name", WHOLE)
def test_parameters_nobody_knows_are_ignored(reader: Reader, name: str) -> None:
    assert reader.all(name, colour="red", minimal_data="true") == reader.all(name)


def test_a_filtered_list_follows_every_change_at_once() -> None:
    world = fresh("small", 3)
    reader = Reader(world)
    before = reader.all("invoices", view="open")
    invoice = number(next(row["url"] for row in before if positive(row)))

    world.mutate({"do": "pay", "resource": "invoices", "id": invoice}, NOON)
    after = reader.all("invoices", view="open")
    next_year = Reader(world, now=NOON + timedelta(days=365)).all("invoices", view="open")

    assert [row["url"] for row in after] == [row["url"] for row in before if number(row["url"]) != invoice]
    assert next_year == []


def test_overdue_comes_from_the_calendar_alone() -> None:
    world = known("small", 3)
    due = {row["url"]: row["due_on"] for row in Reader(world).all("invoices", view="open") if positive(row)}
    url, day = min(due.items(), key=lambda pair: pair[1])
    on_the_day = datetime.fromisoformat(f"{day}T23:59:59+00:00")

    def status(now: datetime) -> Any:
        return Reader(world, now=now).get(f"invoices/{number(url)}")["invoice"]["status"]

    assert status(on_the_day) == "Open"
    assert status(on_the_day + timedelta(seconds=1)) == "Overdue"

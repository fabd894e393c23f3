"""The ledger row by row and the journal sets: what they add up to, and what is refused."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from tests.freeagent_standin.api.test_shapes import faults
from tests.freeagent_standin.api.writer import made, send, told
from tests.freeagent_standin.reader import ORIGIN, TODAY, Reader, Row, fresh, known, number
from tests.freeagent_standin.world.test_double_entry import NAMED, WORLDS
from tests.integrations.shared import needs_shared

from freeagent_standin.world import World

ZERO = Decimal(0)
LEDGER = "accounting/transactions"


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh("small", 3))


def periods(reader: Reader) -> list[tuple[str, str]]:
    rows = reader.get("company")["company"]["annual_accounting_periods"]
    return [(row["starts_on"], row["ends_on"]) for row in rows]


def ledger(reader: Reader, **query: object) -> list[Row]:
    """Every row of a range, page after page; of all accounting periods where no range is given."""
    if not query:
        return [row for first, last in periods(reader) for row in ledger(reader, from_date=first, to_date=last)]
    rows: list[Row] = []
    while True:
        given = reader.call(LEDGER, per_page=100, page=len(rows) // 100 + 1, **query)
        assert given.status == 200, given
        headers = dict(given.headers)
        rows += msgspec.json.decode(given.body)["transactions"]
        if 'rel="next"' not in headers["Link"]:
            assert len(rows) == int(headers["X-Total-Count"])
            return rows


def totals(rows: list[Row]) -> defaultdict[str, Decimal]:
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row["nominal_code"]] += Decimal(row["debit_value"])
    return found


@pytest.mark.parametrize(("size", "seed"), WORLDS[:16] + NAMED)
def test_the_ledger_by_period_comes_to_the_trial_balance(size: str | int, seed: int) -> None:
    ledger_agrees(Reader(known(size, seed)))


def ledger_agrees(reader: Reader) -> None:
    """The ledger, by accounting period, comes to the trial balance."""
    opening = reader.get("accounting/trial_balance/summary/opening_balances")["trial_balance_summary"]
    began = defaultdict(Decimal, {row["display_nominal_code"]: Decimal(row["total"]) for row in opening})
    rows = ledger(reader)

    assert len({row["url"] for row in rows}) == len(rows)
    for first, last in periods(reader):
        balance = defaultdict(Decimal, reader.trial_balance(to_date=last))
        moved = totals([row for row in rows if row["dated_on"] <= last])
        of_the_year = totals([row for row in rows if first <= row["dated_on"] <= last])
        for code in {*balance, *moved, *began} - {"968"}:
            expected = of_the_year[code] if code < "600" else began[code] + moved[code]
            assert balance[code] == expected, (last, code)
        earlier = sum((total for code, total in (totals(rows)).items() if code < "600"), ZERO)
        if last == periods(reader)[-1][1]:
            before = earlier - sum((total for code, total in of_the_year.items() if code < "600"), ZERO)
            assert balance["968"] == began["968"] + moved["968"] + before


@pytest.mark.parametrize(("size", "seed"), WORLDS[:16] + NAMED[:2])
def test_what_one_source_posts_on_a_day_comes_to_nothing(size: str | int, seed: int) -> None:
    entries: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in ledger(Reader(known(size, seed))):
        entries[str(row.get("source_item_url", row["description"])), row["dated_on"]] += Decimal(row["debit_value"])

    assert {entry: total for entry, total in entries.items() if total} == {}


@needs_shared
@pytest.mark.parametrize(("size", "seed"), [("small", 1), *WORLDS[:8]])
def test_every_row_is_as_the_contract_says(size: str | int, seed: int) -> None:
    reader = Reader(known(size, seed))
    rows = ledger(reader)

    assert {fault for row in rows for fault in faults("LedgerTransaction", row)} == set()
    assert reader.get(f"{LEDGER}/{number(rows[-1]['url'])}") == {"transaction": rows[-1]}


def test_foreign_rows_tell_the_amount_in_their_currency(reader: Reader) -> None:
    invoice = next(row for row in reader.all("invoices", view="all") if row["currency"] == "EUR")
    rows = [row for row in ledger(reader) if row.get("source_item_url") == invoice["url"]]

    [debtors] = [row for row in rows if row["nominal_code"] == "681"]
    assert debtors["foreign_currency_data"] == {"currency_code": "EUR", "debit_value": invoice["total_value"]}
    assert sum(Decimal(row["foreign_currency_data"]["debit_value"]) for row in rows) == 0
    assert any(row["foreign_currency_data"] == {} for row in ledger(reader))
    euros = next(row["url"] for row in reader.all("bank_accounts") if row["currency"] == "EUR")
    spent = [row for row in reader.all("bank_transaction_explanations", bank_account=euros) if "category" in row]
    for paid in spent:
        legs = [row for row in ledger(reader) if row.get("source_item_url") == paid["url"]]
        assert sum(Decimal(row["foreign_currency_data"]["debit_value"]) for row in legs) == 0
        assert legs[0]["foreign_currency_data"]["debit_value"] == paid["gross_value"]
    assert spent


def test_rows_stay_through_changes_to_other_records(reader: Reader) -> None:
    before = {row["url"]: row for row in ledger(reader)}
    bill = next(row for row in reader.all("bills") if row["status"] == "Open")

    send(reader, "DELETE", f"bills/{number(bill['url'])}")
    made(reader, "contacts", {"contact": {"first_name": "Ida"}})
    after = {row["url"]: row for row in ledger(reader)}

    gone = {url for url, row in before.items() if row.get("source_item_url") == bill["url"]}
    assert gone
    assert after == {url: row for url, row in before.items() if url not in gone}


def test_without_days_the_ledger_is_that_of_the_period_until_today(reader: Reader) -> None:
    first = periods(reader)[-1][0]

    assert ledger(reader, to_date=TODAY) == ledger(reader, from_date=first, to_date=TODAY)
    assert len(ledger(reader, to_date=TODAY)) == int(dict(reader.call(LEDGER).headers)["X-Total-Count"])
    assert ledger(reader, from_date="2026-01-01") == ledger(reader, from_date="2026-01-01", to_date=TODAY)


@pytest.mark.parametrize(
    ("since", "until", "told_so"),
    [
        ("2025-03-01", "2025-04-30", "No accounting period includes the specified dates"),
        ("2024-03-31", "2024-05-01", "No accounting period includes the specified dates"),
        ("2026-03-01", "2026-04-01", "No accounting period includes the specified dates"),
        ("2026-03-01", "2026-02-01", "from_date must not be after to_date"),
        ("yesterday", "2026-02-01", "from_date is not a valid date"),
    ],
)
def test_days_outside_one_accounting_period_are_refused(reader: Reader, since: str, until: str, told_so: str) -> None:
    given = reader.call(LEDGER, from_date=since, to_date=until)

    assert (given.status, told(given)) == (400, [told_so])


def test_a_nominal_code_picks_its_rows_and_a_parent_those_of_all_its_accounts(reader: Reader) -> None:
    first, last = periods(reader)[-1]
    whole = ledger(reader, from_date=first, to_date=last)

    for code in ("001", "750-1", "750"):
        picked = ledger(reader, from_date=first, to_date=last, nominal_code=code)
        assert picked == [
            row for row in whole if row["nominal_code"].split("-")[0] == code or row["nominal_code"] == code
        ]
        assert picked
    assert ledger(reader, from_date=first, to_date=last, nominal_code="075") == []


def test_a_row_that_is_not_there_is_not_found(reader: Reader) -> None:
    assert [reader.call(f"{LEDGER}/{key}").status for key in ("0", "9" * 18, "x", "1001000010099")] == [404] * 4
    assert reader.send("POST", LEDGER, b"{}").status == 404


# Journal sets


def balanced(**more: Any) -> dict[str, Any]:
    entries = [
        {"category": f"{ORIGIN}/v2/categories/001", "debit_value": "-123.45", "description": "A Sales Correction"},
        {"category": "901", "user": 100000101, "debit_value": "123.45", "description": "Capital introduced"},
    ]
    return {"journal_set": {"dated_on": "2026-02-27", "description": "Mine", "journal_entries": entries} | more}


@pytest.mark.parametrize(("size", "seed"), [("small", 3), *WORLDS[:6]])
def test_the_opening_balances_are_those_of_the_trial_balance_with_the_banks_sign_turned(
    size: str | int, seed: int
) -> None:
    reader = Reader(known(size, seed))
    journal = reader.get("journal_sets/opening_balances")["journal_set"]
    listed = reader.all("journal_sets")
    rows = reader.get("accounting/trial_balance/summary/opening_balances")["trial_balance_summary"]
    banks = {row["bank_account"]: Decimal(row["total"]) for row in rows if "bank_account" in row}
    others = {row["category"]: Decimal(row["total"]) for row in rows if "bank_account" not in row}

    assert listed[0] == journal
    assert "dated_on" not in journal
    assert all("dated_on" in row for row in listed[1:])
    assert {row["url"]: -Decimal(row["debit_value"]) for row in journal["bank_accounts"]} == banks
    assert {row["category"]: Decimal(row["debit_value"]) for row in journal["journal_entries"]} == others
    assert not any(row.get("source_item_url") == journal["url"] for row in ledger(reader))


@pytest.mark.parametrize(("size", "seed"), WORLDS[:8] + NAMED[:2])
def test_every_other_set_comes_to_nothing(size: str | int, seed: int) -> None:
    sets = Reader(known(size, seed)).all("journal_sets")[1:]

    assert sets
    assert {sum(Decimal(entry["debit_value"]) for entry in each["journal_entries"]) for each in sets} == {ZERO}
    assert any("tag" in each for each in sets)


def test_sets_are_picked_by_tag_and_days(reader: Reader) -> None:
    whole = reader.all("journal_sets")
    middle = "2025-09-01"

    tagged = reader.all("journal_sets", tag="PAYROLL-RUN")
    assert tagged == [row for row in whole if row.get("tag") == "PAYROLL-RUN"] != []
    assert reader.all("journal_sets", tag="nobody's") == []
    assert reader.all("journal_sets", from_date=middle) == [row for row in whole if row.get("dated_on", "") >= middle]
    dated = [row for row in whole if "dated_on" in row]
    assert reader.all("journal_sets", to_date=middle) == [row for row in dated if row["dated_on"] <= middle]


def test_a_set_is_made_changed_and_taken_away(reader: Reader) -> None:
    before = reader.trial_balance()

    record = made(reader, "journal_sets", balanced(tag="T-1"))
    key = f"journal_sets/{number(record['url'])}"
    sales, capital = record["journal_entries"]
    rows = [row for row in ledger(reader) if row.get("source_item_url") == record["url"]]

    assert [row["debit_value"] for row in rows] == ["-123.45", "123.45"]
    assert [row["description"] for row in rows] == ["A Sales Correction", "Capital introduced"]
    assert [row["nominal_code"] for row in rows] == ["001", "901-1"]
    assert reader.trial_balance()["901-1"] == before.get("901-1", ZERO) + Decimal("123.45")
    assert reader.all("journal_sets", tag="T-1") == [record]

    change = [
        {"url": sales["url"], "debit_value": "-100.0"},
        {"url": capital["url"], "_destroy": True},
        {"category": "907", "user": capital["user"], "debit_value": "100.0"},
    ]
    given = send(reader, "PUT", key, {"journal_set": {"journal_entries": change}})
    changed = msgspec.json.decode(given.body)["journal_set"]

    assert [(each["url"] == sales["url"], each["debit_value"]) for each in changed["journal_entries"]] == [
        (True, "-100.0"),
        (False, "100.0"),
    ]
    assert "901-1" not in set(reader.trial_balance()) - set(before)
    assert send(reader, "DELETE", key).body == b""
    assert reader.call(key).status == 404
    assert reader.trial_balance() == before


def test_entries_stand_on_the_sub_accounts_of_asset_types_and_stock(reader: Reader) -> None:
    kind, goods = reader.all("capital_asset_types")[1]["url"], reader.all("stock_items")[0]["url"]
    entries = [
        {"category": "605", "capital_asset_type": kind, "debit_value": "-10.0"},
        {"category": "609", "stock_item": goods, "stock_altering_quantity": 3, "debit_value": "10.0"},
    ]

    record = made(reader, "journal_sets", balanced(journal_entries=entries))
    rows = [row for row in ledger(reader) if row.get("source_item_url") == record["url"]]

    asset, stock = record["journal_entries"]
    assert (asset["capital_asset_type"], stock["stock_item"], stock["stock_altering_quantity"]) == (kind, goods, 3)
    assert [row["nominal_code"] for row in rows] == ["605-2", "609-1"]
    assert [row["category_name"] for row in rows] == [
        *("Fixtures and Fittings Depreciation Brought Forward", "Stock: Oak boards, 2 m")
    ]
    assert faults("JournalSet", record) == []
    names = {row["name"] for row in reader.get("accounting/trial_balance/summary")["trial_balance_summary"]}
    assert "Fixtures and Fittings Depreciation Brought Forward" in names


def test_depreciation_is_posted_month_by_month_and_stands_on_the_balance_sheet(reader: Reader) -> None:
    rows = [row for row in ledger(reader) if "capital_assets" in row.get("source_item_url", "")]
    charged = sum(Decimal(row["debit_value"]) for row in rows if row["nominal_code"] == "460")

    assert {row["nominal_code"].split("-")[0] for row in rows} == {"460", "606"}
    assert len({row["dated_on"] for row in rows}) > 6
    assert reader.trial_balance()["460"] == charged > 0
    section = reader.get("accounting/balance_sheet")["balance_sheet"]["capital_assets"]
    lost = sum(row["total_debit_value"] for row in section["accounts"] if row["nominal_code"].startswith("606"))
    assert abs(-lost - charged) <= 2
    assert all("Capital Asset" not in row["name"] for row in section["accounts"])


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([{"category": "001", "debit_value": "-1"}, {"category": "280", "debit_value": "1.01"}], "must balance"),
        ([{"category": "001", "debit_value": "0"}, {"category": "280", "debit_value": "0"}], "other than zero"),
        ([{"category": "001", "debit_value": "1"}], "at least two"),
        ([{"category": "901", "debit_value": "1"}, {"category": "280", "debit_value": "-1"}], "needs a user"),
        ([{"category": "606", "debit_value": "1"}, {"category": "280", "debit_value": "-1"}], "a capital_asset_type"),
        ([{"category": "609", "debit_value": "1"}, {"category": "280", "debit_value": "-1"}], "needs a stock_item"),
        ([{"category": "750-1", "debit_value": "1"}, {"category": "280", "debit_value": "-1"}], "bank accounts"),
        ([{"category": "007", "debit_value": "1"}, {"category": "280", "debit_value": "-1"}], "no category"),
        ([{"debit_value": "1"}, {"category": "280", "debit_value": "-1"}], "needs a category"),
        ([{"category": "001", "debit_value": "1.001"}, {"category": "280", "debit_value": "-1.001"}], "two decimals"),
    ],
)
def test_a_set_that_makes_no_sense_is_refused_whole(reader: Reader, entries: list[Row], says: str) -> None:
    before = reader.world.counts()["journal_sets"]

    given = send(reader, "POST", "journal_sets", balanced(journal_entries=entries))

    assert given.status == 422
    assert says in " ".join(told(given))
    assert reader.world.counts()["journal_sets"] == before


def test_a_locked_period_takes_no_set(reader: Reader) -> None:
    reader.world.mutate({"do": "lock", "until": "2026-02-28"}, reader.now)

    assert send(reader, "POST", "journal_sets", balanced()).status == 403
    assert send(reader, "POST", "journal_sets", balanced(dated_on="2026-03-01")).status == 201


def test_opening_balances_are_changed_with_suspense_making_up_the_rest(reader: Reader) -> None:
    journal = reader.get("journal_sets/opening_balances")["journal_set"]
    key = f"journal_sets/{number(journal['url'])}"
    more = {"category": "682", "debit_value": "250.0"}

    given = send(reader, "PUT", key, {"journal_set": {"journal_entries": [more]}})
    after = reader.get("journal_sets/opening_balances")["journal_set"]
    amounts = {number(row["category"]): row["debit_value"] for row in after["journal_entries"]}

    assert given.status == 200
    assert (amounts[682], amounts[999]) == ("250.0", "-250.0")
    assert reader.trial_balance()["682"] == 250
    assert sum(reader.trial_balance().values()) == 0
    assert send(reader, "DELETE", key).status == 409


def test_a_new_account_s_opening_balance_changes_the_opening_set(reader: Reader) -> None:
    later = Reader(reader.world, now=reader.now + timedelta(hours=1))
    moment = later.now.isoformat()
    assert later.all("journal_sets", updated_since=moment) == []

    account = made(later, "bank_accounts", {"bank_account": {"name": "Jar", "opening_balance": "12.5"}})

    [journal] = later.all("journal_sets", updated_since=moment)
    assert journal["bank_accounts"][-1] == {"url": account["url"], "description": "Jar", "debit_value": "-12.5"}
    assert date.fromisoformat(journal["updated_at"][:10]) == TODAY


# Books that change


def _edit(world: World, rng: Random) -> dict[str, Any]:
    """Something that may be asked of running books; some of it is refused."""
    day = (TODAY - timedelta(days=rng.randint(0, 200))).isoformat()
    amount = f"{rng.randint(1, 900)}.{rng.randint(10, 99)}"
    names = ("invoices", "credit_notes", "bills", "expenses", "journal_sets", "bank_transaction_explanations")
    table = world.tables()[rng.choice(names)]
    record = rng.choice(list(table)) if len(table) else None
    entries = [{"category": "288", "debit_value": amount}, {"category": "620", "debit_value": f"-{amount}"}]
    more: dict[str, Any] = {"journal_entries": entries} if table.name == "journal_sets" else {}
    options: list[dict[str, Any]] = [
        {"do": "add", "resource": table.name, "set": {"dated_on": day} | more},
        {"do": "delete", "resource": table.name, "id": 0 if record is None else record.id},
        {"do": "change", "resource": table.name, "id": 0 if record is None else record.id, "set": {"dated_on": day}},
        {"do": "pay", "resource": table.name, "id": 0 if record is None else record.id, "amount": amount},
        {"do": "write_off", "resource": table.name, "id": 0 if record is None else record.id},
        {"do": "advance", "days": rng.randint(1, 9)},
        {"do": "return", "resource": "vat_returns", "period_ends_on": "2025-12-31", "mark": "mark_as_unfiled"},
    ]
    return rng.choice(options)


@pytest.mark.parametrize("seed", range(1, 7))
def test_after_any_change_the_ledger_still_comes_to_the_trial_balance(seed: int) -> None:
    world, rng, done = fresh(40, seed), Random(seed), 0
    reader = Reader(world)
    opening = reader.get("accounting/trial_balance/summary/opening_balances")["trial_balance_summary"]
    began = defaultdict(Decimal, {row["display_nominal_code"]: Decimal(row["total"]) for row in opening})
    for _ in range(25):
        with suppress(ValueError):
            world.mutate(_edit(world, rng), reader.now)
            done += 1
        moved = totals(ledger(reader))
        balance = defaultdict(Decimal, reader.trial_balance(from_date=periods(reader)[0][0], to_date="2026-03-31"))
        off = {code for code in {*moved, *balance, *began} if balance[code] != moved[code] + began[code]}
        assert off == set(), off
    assert done >= 8

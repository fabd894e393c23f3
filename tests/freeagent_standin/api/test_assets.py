"""What a company owns: its postings agree with what is shown, and only what FreeAgent lets go goes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from tests.freeagent_standin.api.writer import made, send, told
from tests.freeagent_standin.reader import NOON, Reader, fresh, known, number


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh())


def test_what_assets_lost_stands_in_the_trial_balance() -> None:
    for size, seed in (("small", 1), (60, 5), ("medium", 1)):
        reader = Reader(known(size, seed))
        assets = reader.all("capital_assets", include_history="true")
        events = [event for asset in assets for event in asset["capital_asset_history"]]
        totals = {kind: Decimal(0) for kind in ("purchase", "depreciation")}
        for event in events:
            totals[event["type"]] += Decimal(event["value"])
        balance = reader.trial_balance()

        assert len(assets) == 4
        assert sum(total for code, total in balance.items() if code.startswith("602-")) == totals["purchase"]
        assert sum(total for code, total in balance.items() if code.startswith("606-")) == totals["depreciation"] < 0
        assert all(event["date"] <= "2026-03-31" for event in events)


def test_assets_lose_more_as_business_goes_on(reader: Reader) -> None:
    before = reader.all("capital_assets", include_history="true")

    reader.world.mutate({"do": "advance", "days": 92}, NOON)
    later = Reader(reader.world, now=NOON + timedelta(days=92))

    gained = {
        asset["description"]: len(asset["capital_asset_history"]) - len(old["capital_asset_history"])
        for old, asset in zip(before, later.all("capital_assets", include_history="true"), strict=True)
    }
    assert gained == {"Workstation": 4, "Delivery van": 4, "Portrait of the founder": 0, "Spindle moulder": 1}
    assert sum(later.trial_balance().values()) == 0


def test_an_asset_lost_is_lost_whole_in_the_end() -> None:
    reader = Reader(fresh(20))
    profile = {"method": "straight_line", "asset_life_years": 2}
    wanted = {"value": "1000.01", "purchased_on": "2026-01-31", "depreciation_profile": profile}
    asset = reader.world.mutate({"do": "add", "resource": "capital_assets", "set": wanted}, NOON)

    reader.world.mutate({"do": "advance", "days": 900}, NOON)

    read = reader.get(f"capital_assets/{asset['id']}", include_history="true")["capital_asset"]
    purchase, *losses = read["capital_asset_history"]
    assert len(losses) == 24
    assert sum(Decimal(each["value"]) for each in losses) == -Decimal(purchase["value"])
    assert (losses[0]["date"], losses[-1]["date"]) == ("2026-01-31", "2027-12-31")


def test_history_is_shown_when_asked_for(reader: Reader) -> None:
    [asset, *_] = reader.all("capital_assets")
    path = f"capital_assets/{number(asset['url'])}"

    assert "capital_asset_history" not in asset
    assert "capital_asset_history" not in reader.get(path)["capital_asset"]
    assert reader.get(path, include_history="true")["capital_asset"]["capital_asset_history"]


def test_a_bill_that_bought_an_asset_stays_as_it_is(reader: Reader) -> None:
    [asset, *_] = reader.all("capital_assets", include_history="true")
    bill = reader.get(asset["capital_asset_history"][0]["link"].split("/v2/")[1])["bill"]
    path = f"bills/{number(bill['url'])}"
    [item] = bill["bill_items"]

    assert item["category"].endswith("/categories/602-1")
    assert send(reader, "DELETE", path).status == 409
    assert send(reader, "PUT", path, {"bill": {"bill_items": [{"url": item["url"], "total_value": "1"}]}}).status == 422
    assert send(reader, "PUT", path, {"bill": {"comments": "Paid by card"}}).status == 200


def test_types_of_assets_are_made_changed_and_deleted(reader: Reader) -> None:
    kind = made(reader, "capital_asset_types", {"capital_asset_type": {"name": "Boats"}})
    path = f"capital_asset_types/{number(kind['url'])}"
    codes = {row["nominal_code"] for row in reader.get("categories", sub_accounts="true")["general_categories"]}

    assert kind["system_default"] is False
    assert {"601-7", "602-7", "607-7"} <= codes
    assert send(reader, "PUT", path, {"capital_asset_type": {"name": "Ships"}}).status == 200
    assert send(reader, "PUT", path, {"capital_asset_type": {"name": "Motor vehicles"}}).status == 422
    assert send(reader, "PUT", path, {"capital_asset_type": {"system_default": True}}).status == 400
    deleted = send(reader, "DELETE", path)
    assert msgspec.json.decode(deleted.body)["capital_asset_type"]["name"] == "Ships"
    assert reader.call(path).status == 404


def test_types_of_freeagents_own_and_used_ones_stay(reader: Reader) -> None:
    types = reader.all("capital_asset_types")
    own = next(row for row in types if not row["system_default"])

    for row in (types[0], own):
        refused = send(reader, "DELETE", f"capital_asset_types/{number(row['url'])}")
        assert refused.status == 409, told(refused)
    assert [row["system_default"] for row in types] == [True] * 5 + [False]


def test_a_hire_purchase_settles_its_bill_and_owes_in_its_own_accounts(reader: Reader) -> None:
    [agreement] = reader.all("hire_purchases")
    bill = reader.get(agreement["bill"].split("/v2/")[1])["bill"]
    balance = reader.trial_balance()
    codes = [agreement[f"liabilities_{side}_one_year_category"].rsplit("/", 1)[1] for side in ("under", "over")]

    assert (bill["is_paid_by_hire_purchase"], bill["status"], bill["due_value"]) == (True, "Paid", "0.0")
    assert sum(balance[code] for code in codes) == -Decimal(bill["total_value"])
    assert [reader.get(f"categories/{code}")["general_categories"]["hire_purchase"] for code in codes] == (
        [agreement["url"]] * 2
    )
    assert bill["url"] in {row["url"] for row in reader.all("bills", view="hire_purchase")}
    assert send(reader, "DELETE", f"bills/{number(bill['url'])}").status == 409


@pytest.mark.parametrize("resource", ["stock_items", "capital_assets", "hire_purchases", "bank_feeds"])
def test_what_callers_cannot_write_is_not_found(reader: Reader, resource: str) -> None:
    [row, *_] = reader.all(resource)

    for method, path in (("POST", resource), ("PUT", f"{resource}/{number(row['url'])}")):
        assert send(reader, method, path, {resource[:-1]: {"description": "X"}}).status == 404
    made_one = reader.world.mutate({"do": "add", "resource": resource}, NOON)
    assert reader.call(made_one["url_path"]).status == 200


def test_every_stock_item_has_an_account(reader: Reader) -> None:
    rows = reader.get("categories", sub_accounts="true")["general_categories"]

    stock = {row["stock_item"]: row["nominal_code"] for row in rows if "stock_item" in row}
    assert list(stock) == [row["url"] for row in reader.all("stock_items")]
    assert list(stock.values()) == ["609-1", "609-2"]


def a_purchase(reader: Reader, **more: object) -> dict[str, object]:
    line = {"description": "Lathe", "category": f"{reader.get('categories')['general_categories'][0]['url'][:-3]}602-5"}
    asset = {"depreciation_profile": {"method": "reducing_balance", "annual_depreciation_percentage": 40}}
    row = line | {"total_value": "1200.0", "capital_asset": asset} | more
    contact = reader.all("contacts")[0]["url"]
    dates = {"dated_on": "2026-02-10", "due_on": "2026-03-10"}
    return {"bill": {"contact": contact, "reference": "L-1", "bill_items": [row], **dates}}


def test_a_bill_buys_what_its_lines_say(reader: Reader) -> None:
    before = reader.trial_balance()

    bill = made(reader, "bills", a_purchase(reader))

    [item] = bill["bill_items"]
    asset = reader.get(item["capital_asset"].split("/v2/")[1], include_history="true")["capital_asset"]
    assert (asset["description"], asset["asset_type"], asset["purchased_on"]) == (
        "Lathe",
        "Plant and Machinery",
        "2026-02-10",
    )
    assert asset["depreciation_profile"] == {
        "method": "reducing_balance",
        "annual_depreciation_percentage": 40,
        "frequency": "monthly",
    }
    purchase, *losses = asset["capital_asset_history"]
    assert (purchase["value"], [each["date"] for each in losses]) == ("1200.0", ["2026-02-28", "2026-03-31"])
    assert reader.trial_balance().get("602-5", Decimal(0)) - before.get("602-5", Decimal(0)) == 1200


@pytest.mark.parametrize(
    "more",
    [
        {"category": "103"},
        {"category": "602-99"},
        {"capital_asset": "a lathe"},
        {"capital_asset": {"depreciation_profile": {"method": "straight_line", "asset_life_years": 40}}},
        {"capital_asset": {"depreciation_profile": {"method": "burning"}}},
    ],
)
def test_a_purchase_that_makes_no_sense_enters_nothing(reader: Reader, more: dict[str, object]) -> None:
    before = reader.world.counts()

    assert send(reader, "POST", "bills", a_purchase(reader, **more)).status == 422
    assert reader.world.counts() == before

"""Things a company bought to keep, goods it sells, and where its bank lines come from.

https://dev.freeagent.com/docs/capital_assets, /docs/stock_items, /docs/hire_purchases, /docs/bank_feeds. Nothing here
writes a bank line, and on the cash basis what is bought is a cost at once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from freeagent_standin.world import acts, owning, rates
from freeagent_standin.world.assets import PURCHASE, BankFeed, StockItem
from freeagent_standin.world.kinds import LANDLORD
from freeagent_standin.world.stage import Stage
from freeagent_standin.world.wishes import Wishes

_COST = "271"


def play(stage: Stage) -> None:
    """All of it."""
    world, founded = stage.world, stage.world.company.created_at
    owning.found_types(world, at=founded)
    owning.ADD["capital_asset_types"](world, Wishes({"name": "Étuves & kilns"}), founded + 7_200, stage.start)
    _assets(stage)
    if world.company.is_british and not world.company.cash_basis:
        _hire_purchase(stage)
    _stock(stage)
    _feeds(stage)
    if world.company.type == LANDLORD:
        owning.ADD["properties"](world, Wishes({"address1": "3 Mill Lane", "town": "Stroud"}), founded, stage.start)
        owning.ADD["properties"](
            world, Wishes({"address1": "Flat 2, Ty Coch", "postcode": "CF10 1AA"}), founded, stage.start
        )
    if not world.company.is_british:
        for first, rate in ((stage.start, "7.5"), (stage.ago(60), "8.0")):
            period = {"sales_tax_name": "GST", "sales_tax_rate_1": rate, "effective_date": first.isoformat()}
            owning.ADD["sales_tax_periods"](world, Wishes(period), founded, first)


def _assets(stage: Stage) -> None:
    """One by each way of losing its value, bought by bills; on the cash basis these are bills and no more."""
    world = stage.world
    types = {each.name: each for each in world.owned.capital_asset_types}
    rows: list[tuple[int, str, str, int, dict[str, Any]]] = [
        (300, "Workstation", "Computer Equipment", 143_999, {"method": "straight_line", "years": 3}),
        (210, "Delivery van", "Motor Vehicles", 1_200_000, {"method": "reducing_balance", "percent": 25}),
        (95, "Portrait of the founder", "Étuves & kilns", 60_000, {"method": "no_depreciation"}),
        (40, "Spindle moulder", "Plant and Machinery", 312_345, {"years": 5, "is_annual": True}),
    ]
    for days, text, name, gross, more in rows:
        kind, day = types[name], stage.ago(days)
        is_kept = not world.company.cash_basis
        category = f"{PURCHASE}-{kind.number}" if is_kept else _COST
        line = stage.bill_line(text, category, gross, rate="20.0")
        at = stage.at(day)
        bill = acts.enter_bill(world, contact=stage.contact(), day=day, items=[line], at=at)
        if is_kept:
            owning.bought(world, world.bills[bill], line, kind, until=stage.latest, at=at, **more)


def _hire_purchase(stage: Stage) -> None:
    day = stage.ago(150)
    line = stage.bill_line("Forklift", "104", 960_000)
    owning.hired(stage.world, stage.contact(), [line], day=day, at=stage.at(day), description="Forklift agreement")


def _stock(stage: Stage) -> None:
    """One item in demand, one that nobody touched."""
    table, first = stage.world.owned.stock_items, stage.at(stage.start)
    rows = (("Oak boards, 2 m", "120.0", "37.5"), ("Brass knobs «Lyon»", "400.0", "400.0"))
    for number, (text, opening, left) in enumerate(rows, start=1):
        at = first + number
        stage.world.add(
            StockItem(
                id=table.next_id,
                created_at=at,
                updated_at=at,
                description=text,
                number=table.next_number,
                opening_quantity=Decimal(opening),
                on_hand=Decimal(left),
            )
        )


def _feeds(stage: Stage) -> None:
    """An open banking feed, and one whose consent has run out."""
    table = stage.world.owned.bank_feeds
    at, ended = stage.at(stage.start), rates.day_start(stage.ago(3)) + 43_200
    rows: tuple[tuple[int, dict[str, Any]], ...] = (
        (stage.main.id, {"service": "Example Bank"}),
        (stage.card.id, {"service": "Example Cards", "feed_type": "api", "consent_until": ended}),
    )
    for account, more in rows:
        stage.world.add(BankFeed(id=table.next_id, created_at=at, updated_at=at, account=account, **more))

"""What a company owns and owes beside money: stock, capital assets and what they lose, hire purchases, feeds, houses.

https://dev.freeagent.com/docs/stock_items, /docs/capital_assets, /docs/capital_asset_types, /docs/hire_purchases,
/docs/bank_feeds. A capital asset is bought by a bill, on the sub-account of its type; depreciation is posted at month
ends (or the ends of accounting years) from the month of purchase on. Inferred: whole months from the first, pennies
rounded so that they add up, and years of a reducing balance that begin with the purchase.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, takewhile
from typing import Any

from freeagent_standin.world.amounts import times
from freeagent_standin.world.entities import Company, Record
from freeagent_standin.world.kinds import LANDLORD
from freeagent_standin.world.postings import Leg
from freeagent_standin.world.shelves import Table

ASSET_CODES = ("601", "602", "604", "605", "606", "607")
"""Each has a sub-account a type."""
PURCHASE, DEPRECIATION, CHARGE = "602", "606", "460"
STOCK = "609"
UNDER_A_YEAR, OVER_A_YEAR = "792", "793"
DEFAULT_TYPES = (
    "Computer Equipment",
    "Fixtures and Fittings",
    "Motor Vehicles",
    "Other Tangible Assets",
    "Plant and Machinery",
)
_HUNDRED = Decimal(100)


class StockItem(Record, frozen=True, kw_only=True, gc=False):
    """Goods kept for sale; what came and went since is not followed."""

    description: str
    number: int
    """The sub-code: 609-1."""
    opening_quantity: Decimal = Decimal("0.0")
    on_hand: Decimal = Decimal("0.0")
    cost_of_sale: str = "101"


class CapitalAssetType(Record, frozen=True, kw_only=True, gc=False):
    """A kind of capital asset: FreeAgent's own, or one a caller made."""

    name: str
    number: int
    """The sub-code: 602-1."""
    is_default: bool = False


class CapitalAsset(Record, frozen=True, kw_only=True, gc=False):
    """Something bought to be kept, and how it loses its value."""

    description: str
    type: int
    number: int
    """The sub-code of its type."""
    bill: int
    item: int
    """The line of the bill."""
    cost: int
    """Without tax, in the company's currency."""
    dated_on: date
    method: str = "straight_line"
    years: int = 3
    percent: int = 25
    is_annual: bool = False
    year_end: date
    """An end of the company's accounting years."""
    written_down_to: date
    """The day up to which depreciation has been posted."""


class HirePurchase(Record, frozen=True, kw_only=True, gc=False):
    """A bill that a finance agreement pays."""

    description: str
    bill: int
    number: int
    """The sub-code: 792-1."""


class BankFeed(Record, frozen=True, kw_only=True, gc=False):
    """Where a bank account's lines come from."""

    account: int
    service: str
    feed_type: str = "open_banking"
    state: str = "enabled"
    consent_until: int | None = None
    """When the bank wants its customer to approve again, in seconds since 1970."""


class Property(Record, frozen=True, kw_only=True, gc=False):
    """A landlord's (https://dev.freeagent.com/docs/properties)."""

    lines: tuple[str, str, str, str, str, str]
    """address1, address2, address3, town, region, postcode."""


class SalesTaxPeriod(Record, frozen=True, kw_only=True, gc=False):
    """From a day on, of companies abroad (https://dev.freeagent.com/docs/sales_tax)."""

    name: str
    dated_on: date
    is_registered: bool = True
    rates: tuple[Decimal, ...] = ()
    is_value_added: bool = True
    registration_number: str = ""


class Assets:
    """The tables of all these."""

    def __init__(self, base: int) -> None:
        self.stock_items: Table[StockItem] = Table("stock_items", first_id=base + 70_001, key=lambda it: it.created_at)
        self.capital_asset_types: Table[CapitalAssetType] = Table(
            "capital_asset_types", first_id=base + 72_001, key=lambda it: it.created_at
        )
        self.capital_assets: Table[CapitalAsset] = Table(
            "capital_assets", first_id=base + 74_001, key=lambda it: it.created_at
        )
        self.hire_purchases: Table[HirePurchase] = Table(
            "hire_purchases", first_id=base + 76_001, key=lambda it: it.created_at
        )
        self.properties: Table[Property] = Table("properties", first_id=base + 80_001, key=lambda it: it.created_at)
        self.sales_tax_periods: Table[SalesTaxPeriod] = Table(
            "sales_tax_periods", first_id=base + 82_001, key=lambda it: it.dated_on.toordinal()
        )
        self.bank_feeds: Table[BankFeed] = Table("bank_feeds", first_id=base + 78_001, key=lambda it: it.created_at)

    def tables(self, company: Company) -> dict[type[Record], Table[Any]]:
        """Each table by what is in it, as far as companies of this type have such things."""
        found: dict[type[Record], Table[Any]] = {
            StockItem: self.stock_items,
            CapitalAssetType: self.capital_asset_types,
            CapitalAsset: self.capital_assets,
            BankFeed: self.bank_feeds,
        }
        if company.type == LANDLORD:
            found[Property] = self.properties
        found |= {HirePurchase: self.hire_purchases} if company.is_british else {SalesTaxPeriod: self.sales_tax_periods}
        return found

    def sub_accounts(self, code: str, description: str) -> list[tuple[str, str, Record]] | None:
        """What stands in a category's place, as code, description and owner; None for one that stands for itself."""
        if code in ASSET_CODES:
            types = self.capital_asset_types
            return [(f"{code}-{it.number}", description.replace("Capital Asset", it.name), it) for it in types]
        if code == STOCK:
            return [(f"{code}-{it.number}", f"{description}: {it.description}", it) for it in self.stock_items]
        if code in (UNDER_A_YEAR, OVER_A_YEAR):
            return [(f"{code}-{it.number}", f"{description}: {it.description}", it) for it in self.hire_purchases]
        return None

    def bought_by(self, item: int) -> CapitalAsset | None:
        """The asset that a line of a bill bought."""
        return next((each for each in self.capital_assets if each.item == item), None)

    def has_code(self, code: str) -> bool:
        """Whether a line can be put on this sub-account."""
        parent, _, number = code.partition("-")
        return any(full == code for full, _, _ in self.sub_accounts(parent, "") or ()) if number else False


def depreciation(asset: CapitalAsset) -> list[tuple[date, int]]:
    """What an asset has lost so far, by the day it was posted."""
    within = takewhile(lambda loss: loss[0] <= asset.written_down_to, _losses(asset))
    return [(day, amount) for day, amount in within if amount]


def legs_of_asset(asset: CapitalAsset) -> list[tuple[date, list[Leg]]]:
    """The charge against the depreciation of the asset's type; the purchase is the bill's."""
    account = f"{DEPRECIATION}-{asset.number}"
    return [(day, [Leg(CHARGE, amount), Leg(account, -amount)]) for day, amount in depreciation(asset)]


def _losses(asset: CapitalAsset) -> Iterator[tuple[date, int]]:
    if asset.method == "no_depreciation":
        return
    days = _year_ends(asset) if asset.is_annual else _month_ends(asset.dated_on)
    steps = 1 if asset.is_annual else 12
    if asset.method == "straight_line":
        count = asset.years * steps
        values = [times(asset.cost, Decimal(step) / count) for step in range(count + 1)]
        yield from ((day, after - before) for day, (before, after) in zip(days, pairwise(values), strict=False))
        return
    left = asset.cost
    while True:  # as many years as are asked for
        of_year = times(left, asset.percent / _HUNDRED)
        values = [times(of_year, Decimal(step) / steps) for step in range(steps + 1)]
        yield from ((next(days), after - before) for before, after in pairwise(values))
        left -= of_year


def _month_ends(first: date) -> Iterator[date]:
    index = first.year * 12 + first.month
    while True:
        yield date(index // 12, index % 12 + 1, 1) - timedelta(days=1)
        index += 1


def _year_ends(asset: CapitalAsset) -> Iterator[date]:
    """The ends of accounting years from the purchase on; all years end in the same month."""
    return (day for day in _month_ends(asset.dated_on) if day.month == asset.year_end.month)

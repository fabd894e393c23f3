"""Stock, capital assets and their types, hire purchases and bank feeds as FreeAgent sends them.

https://dev.freeagent.com/docs/stock_items, /docs/capital_assets, /docs/capital_asset_types, /docs/hire_purchases,
/docs/bank_feeds. Inferred: the words of an asset's history, and that its values are what it lost.
"""

from __future__ import annotations

from freeagent_standin.api.desk import Body, Desk, day_text, instant, money, sent
from freeagent_standin.world.amounts import decimal_text
from freeagent_standin.world.assets import (
    OVER_A_YEAR,
    UNDER_A_YEAR,
    BankFeed,
    CapitalAsset,
    CapitalAssetType,
    HirePurchase,
    Property,
    SalesTaxPeriod,
    StockItem,
    depreciation,
)
from freeagent_standin.world.owning import PROPERTY_LINES, is_locked_period


def stock_item(desk: Desk, record: StockItem, *, is_nested: bool, is_single: bool) -> Body:
    """One stock item."""
    return {
        "url": desk.url("stock_items", record.id),
        "description": record.description,
        "opening_quantity": decimal_text(record.opening_quantity),
        "opening_balance": "0.0",
        "cost_of_sale_category": desk.category(record.cost_of_sale),
        "stock_on_hand": decimal_text(record.on_hand),
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def capital_asset_type(desk: Desk, record: CapitalAssetType, *, is_nested: bool, is_single: bool) -> Body:
    """One type."""
    return {
        "url": desk.url("capital_asset_types", record.id),
        "name": record.name,
        "system_default": record.is_default,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def capital_asset(desk: Desk, record: CapitalAsset, *, is_nested: bool, is_single: bool) -> Body:
    """One asset; include_history=true adds how it was bought and what it lost."""
    body: Body = {
        "url": desk.url("capital_assets", record.id),
        "description": record.description,
        "asset_type": desk.world.owned.capital_asset_types[record.type].name,
        "purchased_on": day_text(record.dated_on),
        "depreciation_profile": _profile(record),
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }
    if is_nested:
        purchase = {
            "type": "purchase",
            "description": "Purchase",
            "date": day_text(record.dated_on),
            "value": money(record.cost),
            "tax_value": money(record.cost),
            "link": desk.url("bills", record.bill),
        }
        losses = [
            {"type": "depreciation", "description": "Depreciation", "date": day_text(day), "value": money(-amount)}
            for day, amount in depreciation(record)
        ]
        body["capital_asset_history"] = [purchase, *losses]
    return body


def _profile(record: CapitalAsset) -> Body:
    if record.method == "no_depreciation":
        return {"method": record.method}
    is_straight = record.method == "straight_line"
    extent = {"asset_life_years": record.years} if is_straight else {"annual_depreciation_percentage": record.percent}
    return {"method": record.method, **extent, "frequency": "annually" if record.is_annual else "monthly"}


def hire_purchase(desk: Desk, record: HirePurchase, *, is_nested: bool, is_single: bool) -> Body:
    """One agreement."""
    return {
        "url": desk.url("hire_purchases", record.id),
        "description": record.description,
        "bill": desk.url("bills", record.bill),
        "liabilities_over_one_year_category": desk.category(f"{OVER_A_YEAR}-{record.number}"),
        "liabilities_under_one_year_category": desk.category(f"{UNDER_A_YEAR}-{record.number}"),
    }


def property_(desk: Desk, record: Property, *, is_nested: bool, is_single: bool) -> Body:
    """One property; parts of the address without a value are sent as null, as documented."""
    address = {name: line or None for name, line in zip(PROPERTY_LINES, record.lines, strict=True)}
    return {"url": desk.url("properties", record.id), **address, "country": "United Kingdom"}


def sales_tax_period(desk: Desk, record: SalesTaxPeriod, *, is_nested: bool, is_single: bool) -> Body:
    """One period; all but the last are locked (inferred)."""
    is_locked = is_locked_period(desk.world, record)
    rates = {f"sales_tax_rate_{number}": decimal_text(rate) for number, rate in enumerate(record.rates, start=1)}
    return sent(
        {
            "url": desk.url("sales_tax_periods", record.id),
            "sales_tax_name": record.name,
            "sales_tax_registration_status": "Registered" if record.is_registered else "Not Registered",
            **rates,
            "sales_tax_is_value_added": record.is_value_added,
            "sales_tax_registration_number": record.registration_number,
            "effective_date": day_text(record.dated_on),
            "is_locked": is_locked,
            "locked_reason": "A later sales tax period has begun" if is_locked else None,
        }
    )


def bank_feed(desk: Desk, record: BankFeed, *, is_nested: bool, is_single: bool) -> Body:
    """One feed; when its consent ends is told of `api` feeds alone."""
    return sent(
        {
            "url": desk.url("bank_feeds", record.id),
            "bank_account": desk.url("bank_accounts", record.account),
            "state": record.state,
            "feed_type": record.feed_type,
            "bank_service_name": record.service,
            "sca_expires_at": None if record.consent_until is None else instant(record.consent_until),
            "created_at": instant(record.created_at),
            "updated_at": instant(record.updated_at),
        }
    )

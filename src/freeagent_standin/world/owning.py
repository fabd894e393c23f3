"""Stock, capital assets and their types, hire purchases and bank feeds from what a caller sets, and what keeps each.

FreeAgent lets callers write the types alone (https://dev.freeagent.com/docs/capital_asset_types); the rest is for the
control address. Raises ValueError with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import acts, parts
from freeagent_standin.world.amounts import times
from freeagent_standin.world.assets import (
    DEFAULT_TYPES,
    PURCHASE,
    BankFeed,
    CapitalAsset,
    CapitalAssetType,
    HirePurchase,
    Property,
    SalesTaxPeriod,
    StockItem,
)
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import BankAccount, Bill, BillItem, Contact, Record
from freeagent_standin.world.wishes import Wishes

PROPERTY_LINES = ("address1", "address2", "address3", "town", "region", "postcode")
_METHODS = ("straight_line", "reducing_balance", "no_depreciation")


# Stock


def _add_stock(world: World, wishes: Wishes, at: int, today: date) -> int:
    table = world.owned.stock_items
    quantity = wishes.decimal("opening_quantity", Decimal("10.0"))
    item = StockItem(
        id=table.next_id,
        created_at=at,
        updated_at=at,
        number=table.next_number,
        description=wishes.text("description", f"New stock {len(table) + 1}"),
        opening_quantity=quantity,
        on_hand=wishes.decimal("stock_on_hand", quantity),
        cost_of_sale=parts.category(world, wishes.take("cost_of_sale_category") or "101"),
    )
    return _entered(world, item, wishes)


def _stock_fields(world: World, record: StockItem, wishes: Wishes) -> dict[str, Any]:
    fields: dict[str, Any] = {"on_hand": wishes.decimal("stock_on_hand", record.on_hand)}
    if "description" in wishes:
        fields["description"] = wishes.text("description")
    return fields


# Capital assets


def found_types(world: World, *, at: int) -> None:
    """The types every company has."""
    for name in DEFAULT_TYPES:
        _entered(world, _type(world, name, at=at, is_default=True), Wishes({}))


def _type(world: World, name: str, *, at: int, is_default: bool = False) -> CapitalAssetType:
    table = world.owned.capital_asset_types
    return CapitalAssetType(
        id=table.next_id, created_at=at, updated_at=at, name=name, number=table.next_number, is_default=is_default
    )


def _add_type(world: World, wishes: Wishes, at: int, today: date) -> int:
    made = _type(world, wishes.text("name", f"New type {len(world.owned.capital_asset_types) + 1}"), at=at)
    return _entered(
        world, msgspec.structs.replace(made, **_type_fields(world, made, Wishes({"name": made.name}))), wishes
    )


def _type_fields(world: World, record: CapitalAssetType, wishes: Wishes) -> dict[str, Any]:
    name = wishes.text("name", record.name)
    if not name:
        raise ValueError("Name can't be blank.")
    if any(
        each.name.casefold() == name.casefold() and each.id != record.id for each in world.owned.capital_asset_types
    ):
        raise ValueError("Name has already been taken.")
    if record.is_default and name != record.name:
        raise ValueError("A type of FreeAgent's own cannot be changed.")
    return {"name": name}


def _add_asset(world: World, wishes: Wishes, at: int, today: date) -> int:
    """An asset and the bill that bought it."""
    _refuse_on_cash_basis(world)
    name = wishes.text("asset_type", DEFAULT_TYPES[0])
    kind = next((each for each in world.owned.capital_asset_types if each.name == name), None)
    if kind is None:
        raise ValueError(f"There is no capital asset type {name!r}.")
    day, value = wishes.day("purchased_on", today), wishes.money("value", 120_000)
    profile = Wishes(wishes.take("depreciation_profile", {"method": "straight_line", "asset_life_years": 3}))
    fields = depreciation_profile(profile)
    profile.done()
    contact: Contact | None = wishes.one_of("contact", world.contacts) or next(iter(world.contacts), None)
    text = wishes.text("description", f"New asset {len(world.owned.capital_assets) + 1}")
    wishes.done()
    if contact is None or value <= 0:
        raise ValueError("A capital asset needs a contact who sold it and a value above zero.")
    line = acts.bill_item(world, description=text, category=f"{PURCHASE}-{kind.number}", gross=value)
    bill = acts.enter_bill(world, contact=contact, day=day, items=[line], at=at)
    return bought(world, world.bills[bill], line, kind, until=today, at=at, **fields)


def bought(
    world: World, bill: Bill, line: BillItem, kind: CapitalAssetType, *, until: date, at: int, **fields: Any
) -> int:
    """The asset that a line of a bill bought, written down to a day; returns its id."""
    asset = CapitalAsset(
        id=world.owned.capital_assets.next_id,
        created_at=at,
        updated_at=at,
        description=line.description,
        type=kind.id,
        number=kind.number,
        bill=bill.id,
        item=line.id,
        cost=times(line.net, bill.rate),
        dated_on=bill.dated_on,
        year_end=world.company.first_year_end,
        written_down_to=until,
        **fields,
    )
    world.add(asset)
    return asset.id


def depreciation_profile(wishes: Wishes) -> dict[str, Any]:
    """How an asset loses its value (https://dev.freeagent.com/docs/depreciation_profiles)."""
    method = wishes.choice("method", _METHODS, "straight_line")
    years, percent = wishes.whole("asset_life_years", 3), wishes.whole("annual_depreciation_percentage", 25)
    if not 2 <= years <= 25:
        raise ValueError("asset_life_years is from 2 to 25.")
    if not 1 <= percent <= 99:
        raise ValueError("annual_depreciation_percentage is from 1 to 99.")
    is_annual = wishes.choice("frequency", ("monthly", "annually"), "monthly") == "annually"
    return {"method": method, "years": years, "percent": percent, "is_annual": is_annual}


def _asset_fields(world: World, record: CapitalAsset, wishes: Wishes) -> dict[str, Any]:
    return {"description": wishes.text("description", record.description)}


def wanted_with(world: World, items: Sequence[BillItem], given: Sequence[object]) -> list[tuple[BillItem, Any]]:
    """The lines of a bill that are to be capital assets, each with how it will lose its value.

    `given` is what each line says of its capital_asset; a line on the account of a type without a word is one that
    lasts three years.
    """
    found = []
    for item, said in zip(items, given, strict=True):
        parent = item.category.partition("-")[0]
        if said and parent != PURCHASE:
            raise ValueError("A capital_asset is bought on the account of its type, such as 602-1.")
        if parent == PURCHASE and "-" in item.category:
            _refuse_on_cash_basis(world)
            about = Wishes(said or {}, is_api=True)
            profile = Wishes(about.take("depreciation_profile") or {}, is_api=True)
            found.append((item, depreciation_profile(profile)))
    return found


def all_bought(world: World, bill: int, wanted: list[tuple[BillItem, Any]], *, until: date, at: int) -> None:
    """Enter the assets that a new bill bought."""
    types = {each.number: each for each in world.owned.capital_asset_types}
    for item, fields in wanted:
        kind = types[int(item.category.partition("-")[2])]
        bought(world, world.bills[bill], item, kind, until=until, at=at, **fields)


def write_down(world: World, until: date) -> None:
    """Post what assets lose up to a day; nothing of it is taken back by an earlier one."""
    for asset in list(world.owned.capital_assets):
        if asset.written_down_to < until:
            world.replace(msgspec.structs.replace(asset, written_down_to=until))


# Hire purchases


def _add_hire_purchase(world: World, wishes: Wishes, at: int, today: date) -> int:
    """An agreement and the bill that it pays."""
    _refuse_on_cash_basis(world)
    text = wishes.text("description", f"New agreement {len(world.owned.hire_purchases) + 1}")
    value = wishes.money("value", 240_000)
    contact: Contact | None = wishes.one_of("contact", world.contacts) or next(iter(world.contacts), None)
    day = wishes.day("dated_on", today)
    wishes.done()
    if contact is None or value <= 0:
        raise ValueError("A hire purchase needs a contact who sold it and a value above zero.")
    line = acts.bill_item(world, description=text, category="104", gross=value)
    return hired(world, contact, [line], day=day, at=at, description=text)


def hired(world: World, contact: Contact, items: list[BillItem], *, day: date, at: int, description: str) -> int:
    """A bill that a finance agreement pays, and the agreement; returns the agreement's id."""
    table = world.owned.hire_purchases
    bill = acts.enter_bill(world, contact=contact, day=day, items=items, at=at, hire_purchase=table.next_number)
    agreement = HirePurchase(
        id=table.next_id, created_at=at, updated_at=at, description=description, bill=bill, number=table.next_number
    )
    world.add(agreement)
    return agreement.id


def _hire_purchase_fields(world: World, record: HirePurchase, wishes: Wishes) -> dict[str, Any]:
    return {"description": wishes.text("description", record.description)}


# Bank feeds


def _add_feed(world: World, wishes: Wishes, at: int, today: date) -> int:
    account: BankAccount = wishes.one_of("bank_account", world.bank_accounts) or next(iter(world.bank_accounts))
    feed = BankFeed(
        id=world.owned.bank_feeds.next_id,
        created_at=at,
        updated_at=at,
        account=account.id,
        service=wishes.text("bank_service_name", "Example Bank"),
        feed_type=wishes.choice("feed_type", ("api", "open_banking"), "open_banking"),
    )
    return _entered(world, feed, wishes)


def _feed_fields(world: World, record: BankFeed, wishes: Wishes) -> dict[str, Any]:
    return {"state": wishes.text("state", record.state), "service": wishes.text("bank_service_name", record.service)}


# Of landlords, and of companies abroad


def _add_property(world: World, wishes: Wishes, at: int, today: date) -> int:
    table = world.owned.properties
    blank = Property(
        id=table.next_id, created_at=at, updated_at=at, lines=(f"{len(table) + 1} New Street", "", "", "", "", "")
    )
    made = msgspec.structs.replace(blank, **_property_fields(world, blank, wishes))
    return _entered(world, made, wishes)


def _property_fields(world: World, record: Property, wishes: Wishes) -> dict[str, Any]:
    old = dict(zip(PROPERTY_LINES, record.lines, strict=True))
    if not old["address1"] and "name" in wishes and "address1" not in wishes:
        old["address1"] = wishes.text("name")
    wishes.take("name")
    lines = tuple((wishes.take(name) or "") if name in wishes else old[name] for name in PROPERTY_LINES)
    if not lines[0] or not all(isinstance(line, str) for line in lines):
        raise ValueError("Address1 can't be blank.")
    return {"lines": lines}


def _add_period(world: World, wishes: Wishes, at: int, today: date) -> int:
    blank = SalesTaxPeriod(
        id=world.owned.sales_tax_periods.next_id, created_at=at, updated_at=at, name="Sales Tax", dated_on=today
    )
    return _entered(world, msgspec.structs.replace(blank, **_period_fields(world, blank, wishes)), wishes)


def _period_fields(world: World, record: SalesTaxPeriod, wishes: Wishes) -> dict[str, Any]:
    if is_locked_period(world, record):
        raise ValueError("This sales tax period is locked and cannot be changed.")
    rates = [wishes.decimal(f"sales_tax_rate_{number}") for number in (1, 2, 3)]
    old = [*record.rates, None, None, None]
    taken = [old[number] if rate is None else rate for number, rate in enumerate(rates)]
    status = wishes.choice("sales_tax_registration_status", ("Registered", "Not Registered"), "Registered")
    return {
        "name": wishes.text("sales_tax_name", record.name),
        "dated_on": wishes.day("effective_date", record.dated_on),
        "is_registered": status == "Registered",
        "rates": tuple(rate for rate in taken if rate is not None),
        "is_value_added": wishes.flag("sales_tax_is_value_added", otherwise=record.is_value_added),
        "registration_number": wishes.text("sales_tax_registration_number", record.registration_number),
    }


def is_locked_period(world: World, record: SalesTaxPeriod) -> bool:
    """Whether documents have been dated in a period, or after it: all but the last are."""
    return any(each.id != record.id and each.dated_on > record.dated_on for each in world.owned.sales_tax_periods)


ADD: Mapping[str, Callable[[World, Wishes, int, date], int]] = {
    "stock_items": _add_stock,
    "capital_asset_types": _add_type,
    "capital_assets": _add_asset,
    "hire_purchases": _add_hire_purchase,
    "bank_feeds": _add_feed,
    "properties": _add_property,
    "sales_tax_periods": _add_period,
}
CHANGE: Mapping[type[Record], Callable[[World, Any, Wishes], dict[str, Any]]] = {
    StockItem: _stock_fields,
    CapitalAssetType: _type_fields,
    CapitalAsset: _asset_fields,
    HirePurchase: _hire_purchase_fields,
    BankFeed: _feed_fields,
    Property: _property_fields,
    SalesTaxPeriod: _period_fields,
}


def why_it_stays(world: World, record: Record) -> str:
    """What is owned that keeps a record from going, or nothing."""
    if isinstance(record, CapitalAssetType):
        if record.is_default:
            return "it is one of FreeAgent's own"
        return "capital assets are of it" if any(it.type == record.id for it in world.owned.capital_assets) else ""
    if isinstance(record, Bill) and has_asset(world, record):
        return "a capital asset was bought by it"
    if isinstance(record, HirePurchase) or (isinstance(record, Bill) and record.hire_purchase):
        return "a hire purchase pays it" if isinstance(record, Bill) else "its bill names it"
    if isinstance(record, Property):
        return _why_property_stays(world, record)
    if isinstance(record, SalesTaxPeriod) and is_locked_period(world, record):
        return "it is locked"
    if isinstance(record, BankAccount) and any(it.account == record.id for it in world.owned.bank_feeds):
        return "a bank feed fills it"
    return ""


def _why_property_stays(world: World, record: Property) -> str:
    tables = (world.invoices, world.credit_notes, world.bills, world.expenses, world.explanations)
    used = any(world.property_of(each) == record.id for table in tables for each in table)
    return "documents name it" if used else ""


def has_asset(world: World, bill: Bill) -> bool:
    """Whether a capital asset was bought by a bill."""
    return any(it.bill == bill.id for it in world.owned.capital_assets)


def _refuse_on_cash_basis(world: World) -> None:
    if world.company.cash_basis:
        raise ValueError("On the cash basis nothing is bought to be kept and paid later.")


def _entered(world: World, record: Any, wishes: Wishes) -> int:
    wishes.done()
    world.add(record)
    return int(record.id)

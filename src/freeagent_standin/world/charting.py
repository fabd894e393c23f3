"""Categories a caller makes, changes and takes away (https://dev.freeagent.com/docs/categories).

Each group has a range of nominal codes of its own; FreeAgent's own categories and used ones stay as they are. Inferred:
any name for tax reporting is taken, where FreeAgent has an unpublished list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from freeagent_standin.world import chart, words
from freeagent_standin.world.books import World
from freeagent_standin.world.chart import Category
from freeagent_standin.world.wishes import Wishes

_RANGES = {
    "income": (chart.INCOME, 1, 49),
    "cost_of_sales": (chart.COST_OF_SALES, 96, 199),
    "admin_expenses": (chart.ADMIN, 200, 399),
    "current_assets": (chart.GENERAL, 671, 720),
    "liabilities": (chart.GENERAL, 731, 780),
    "equities": (chart.GENERAL, 921, 960),
}


def added(world: World, wishes: Wishes) -> str:
    """Enter a category; returns its code."""
    group, first, last = _RANGES[wishes.choice("category_group", tuple(_RANGES), "admin_expenses")]
    code = wishes.text("nominal_code")
    if not (len(code) == 3 and code.isascii() and code.isdigit() and first <= int(code) <= last):
        raise ValueError(f"nominal_code is from {first:03d} to {last:03d} in this group, not {code!r}.")
    if code in world.category_names:
        raise ValueError(f"nominal_code {code} has been taken.")
    like = next((each for each in world.categories if each.group == group), None)
    blank = Category(
        code=code,
        group=group,
        description=f"Category {code}",
        group_description=like.group_description if like is not None else "",
        is_custom=True,
    )
    category = msgspec.structs.replace(blank, **_fields(wishes, blank))
    wishes.done()
    _set(world, (*world.categories, category))
    return code


def changed(world: World, code: str, wishes: Wishes) -> None:
    """Give a category other words; its code and group stay."""
    old = _own(world, code)
    newer = msgspec.structs.replace(old, **_fields(wishes, old))
    wishes.take("nominal_code"), wishes.take("category_group")
    wishes.done()
    _set(world, tuple(newer if each.code == code else each for each in world.categories))


def cis_registered(world: World, sides: Mapping[str, bool], *, at: int) -> None:
    """Join or leave sides of the Construction Industry Scheme; one that documents were made under cannot be left."""
    if not world.company.is_british:
        raise ValueError("The Construction Industry Scheme is of the United Kingdom.")
    used = {
        "contractor": any(bill.cis_band for bill in world.bills),
        "subcontractor": any(each.cis_band for each in (*world.invoices, *world.credit_notes)),
    }
    for side, is_on in sides.items():
        if used[side] and not is_on:
            raise ValueError(f"There are documents that were made as a {side}.")
    fields: dict[str, Any] = {f"cis_{side}": is_on for side, is_on in sides.items()}
    world.company = msgspec.structs.replace(world.company, updated_at=at, **fields)
    own = tuple(each for each in world.categories if each.is_custom)
    _set(world, (*chart.categories(world.company), *own))


def removed(world: World, code: str) -> None:
    """Take a category away."""
    _own(world, code)
    _set(world, tuple(each for each in world.categories if each.code != code))


def _own(world: World, code: str) -> Category:
    found = next((each for each in world.categories if each.code == code), None)
    if found is None:
        raise ValueError(f"There is no category {code!r}.")
    if not found.is_custom:
        raise ValueError(f"Category {code} is FreeAgent's own and stays as it is.")
    if _is_used(world, code):
        raise ValueError(f"Category {code} is in use.")
    return found


def _is_used(world: World, code: str) -> bool:
    tables = (world.invoices, world.credit_notes, world.bills)
    lines = (line for table in tables for document in table for line in document.items)
    others = (record for table in (world.price_list, world.expenses, world.explanations) for record in table)
    return any(each.category == code for each in lines) or any(each.category == code for each in others)


def _fields(wishes: Wishes, record: Category) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "description": wishes.text("description", record.description),
        "reporting": wishes.text("tax_reporting_name", record.reporting),
        "auto_rate": wishes.choice("auto_sales_tax_rate", words.AUTO_RATES, record.auto_rate),
    }
    if "allowable_for_tax" in wishes:
        fields["allowable"] = wishes.flag("allowable_for_tax")
    if not fields["description"]:
        raise ValueError("Description can't be blank.")
    return fields


def _set(world: World, categories: tuple[Category, ...]) -> None:
    world.categories = categories
    world.category_names = {each.code: each.description for each in categories}
    world.revision += 1

"""Journal sets a caller makes, changes and takes away (https://dev.freeagent.com/docs/journal_sets).

All entries of a set are of one day and come to nothing. Bank accounts cannot be journalled to; the codes of users,
capital assets and stock need a user, a capital asset type or a stock item. Inferred: the wording of refusals, that an
entry needs an amount other than zero, and that the opening balances are changed like another set, but that the suspense
account makes up what they lack.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from freeagent_standin.world import chart, parts
from freeagent_standin.world.assets import ASSET_CODES, STOCK
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import JournalLine, JournalSet
from freeagent_standin.world.shelves import Table
from freeagent_standin.world.wishes import Wishes

_USUAL = ({"category": "280", "debit_value": "12.0"}, {"category": "660", "debit_value": "-12.0"})


def added(world: World, wishes: Wishes, at: int, today: date) -> int:
    """Enter a set; returns its id."""
    rows = wishes.rows("journal_entries")
    if rows is None:
        rows = [Wishes(row) for row in _USUAL]
    day = wishes.day("dated_on", today)
    journal = JournalSet(
        id=world.journal_sets.next_id,
        created_at=at,
        updated_at=at,
        dated_on=day,
        description=wishes.text("description", f"Journal Set for {day}"),
        tag=wishes.text("tag"),
        entries=_entries(world, (), rows),
    )
    wishes.done()
    world.add(journal)
    return journal.id


def fields(world: World, record: JournalSet, wishes: Wishes) -> dict[str, Any]:
    """What a change to a set comes to."""
    changes: dict[str, Any] = {name: wishes.text(name) for name in ("description", "tag") if name in wishes}
    rows = wishes.rows("journal_entries")
    if record.dated_on is None:
        wishes.take("dated_on")
        return changes if rows is None else changes | {"entries": _opening(world, record.entries, rows)}
    changes["dated_on"] = wishes.day("dated_on", record.dated_on)
    if rows is not None:
        changes["entries"] = _entries(world, record.entries, rows)
    return changes


def _opening(world: World, old: tuple[JournalLine, ...], rows: list[Wishes]) -> tuple[JournalLine, ...]:
    """Opening balances, balanced by the suspense account's entry whatever was said of it."""
    suspense = next(entry for entry in old if entry.code == chart.SUSPENSE)
    made = parts.lines(old, rows, lambda row, entry: _entry(world, row, entry))
    others = [entry for entry in made if entry.code != chart.SUSPENSE]
    rest = -sum(entry.amount for entry in others)
    return (msgspec.structs.replace(suspense, amount=rest), *others)


def _entries(world: World, old: tuple[JournalLine, ...], rows: list[Wishes]) -> tuple[JournalLine, ...]:
    entries = parts.lines(old, rows, lambda row, entry: _entry(world, row, entry))
    total = sum(entry.amount for entry in entries)
    if len(entries) < 2:
        raise ValueError("A journal set needs at least two journal entries.")
    if total:
        raise ValueError(f"Journal entries must balance: these come to {total / 100:.2f} instead of 0.00.")
    return entries


def _entry(world: World, wishes: Wishes, old: JournalLine | None) -> JournalLine:
    code = old.code if old is not None else ""
    if wishes.peek("category") not in (None, ""):
        code = _code(world, wishes.take("category"))
    wishes.take("category")
    if not code:
        raise ValueError("A journal entry needs a category.")
    code, quantity = _of_owner(world, code, wishes), None if old is None else old.quantity
    if wishes.peek("stock_altering_quantity") not in (None, ""):
        quantity = int(wishes.decimal("stock_altering_quantity", Decimal(0)))
    wishes.take("stock_altering_quantity")
    amount = wishes.money("debit_value", 0 if old is None else old.amount)
    if not amount:
        raise ValueError("A journal entry needs a debit_value other than zero.")
    description = wishes.text("description", "" if old is None else old.description)
    for name in ("url", "id", "_destroy"):
        wishes.take(name)
    wishes.done()
    number = world.new_journal_line_id() if old is None else old.id
    return JournalLine(id=number, code=code, amount=amount, description=description, quantity=quantity)


def _of_owner(world: World, code: str, wishes: Wishes) -> str:
    """The code with the sub-code of whom the entry names; what has nothing to do with its category is ignored."""
    parent = code.partition("-")[0]
    owners: tuple[tuple[str, Table[Any], Collection[str]], ...] = (
        ("user", world.people, parts.USER_CODES),
        ("capital_asset_type", world.owned.capital_asset_types, ASSET_CODES),
        ("stock_item", world.owned.stock_items, (STOCK,)),
    )
    for name, table, codes in owners:
        owner = parts.reference(wishes, name, table)
        if parent in codes and owner is not None:
            code = f"{parent}-{table[owner].number}"
        elif parent in codes and code == parent:
            raise ValueError(f"A journal entry on category {parent} needs a {name}.")
    return code


def _code(world: World, value: object) -> str:
    """The nominal code that a category names, with the sub-code of a user where it has one."""
    code = f"{value:03d}" if isinstance(value, int) and not isinstance(value, bool) else parts.last_part(value)
    parent, _, number = code.partition("-")
    if parent == chart.BANK_CODE:
        raise ValueError("It is not possible to journal to or from bank accounts.")
    is_user = parent in parts.USER_CODES and number in {str(each.number) for each in world.people}
    if parent not in world.category_names or (number and not is_user and not world.owned.has_code(code)):
        raise ValueError(f"There is no category {value!r}.")
    return code


def touch_opening(world: World, *, at: int) -> None:
    """The opening balances have changed with those of a bank account."""
    world.replace(msgspec.structs.replace(world.opening, updated_at=at))

"""Statement lines that come in a while after they were uploaded, each once.

https://dev.freeagent.com/docs/bank_transactions. Observed: the answer to an upload comes before the lines do, by
anything from under a second to most of a minute; a line of the same account, day, amount and description as one that
is there already is dropped. Here they take two seconds of the stand-in's clock.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from freeagent_standin.world import acts, words
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import BankAccount
from freeagent_standin.world.wishes import Wishes

SECONDS = 2


def uploaded(world: World, account: BankAccount, rows: list[Wishes], *, at: int) -> int:
    """Take in the lines of a statement; returns how many are on their way. Raises ValueError on nonsense."""
    lines = [_read(row) for row in rows]
    world.awaited.append((at + SECONDS, account.id, lines))
    return len(lines)


def arrived(world: World, now: int) -> None:
    """Enter the lines whose time has come."""
    due = [each for each in world.awaited if each[0] <= now]
    if not due:
        return
    world.awaited = [each for each in world.awaited if each[0] > now]
    for at, account_id, lines in due:
        account = world.bank_accounts.get(account_id)
        if account is None:
            continue  # closed in the meantime
        for line in lines:
            if not _is_known(world, account, line):
                acts.bank_line(world, account=account, at=at, **line)


def _read(row: Wishes) -> dict[str, Any]:
    said = row.text("transaction_type", "OTHER").upper()
    kind = said if said in words.LINE_TYPES else "OTHER"
    amount = row.money("amount", 0)
    if kind in words.LINE_TYPES_IN:
        amount = abs(amount)
    elif kind in words.LINE_TYPES_OUT:
        amount = -abs(amount)
    line = {
        "day": row.day("dated_on", date.min),
        "amount": amount,
        "description": row.text("description"),
        "line_type": kind,
        "bank_reference": row.text("fitid"),
    }
    row.done()
    return line


def _is_known(world: World, account: BankAccount, line: dict[str, Any]) -> bool:
    order = world.transactions.order(account.id)
    first = line["day"].toordinal()
    same_day = (world.transactions[each] for each in order.ids(order.position(first), order.position(first + 1)))
    return any((it.amount, it.description) == (line["amount"], line["description"]) for it in same_day)

"""Books that are edited at random and kept up with: after every round they equal a fresh pull of all, byte for byte.

Pages are small, so that small books are kept up with as large ones are. A world and its edits are those of a seed.
In full: `make test-books`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.books import NOON, Books, world_of
from tests.sync.house import standard
from tests.sync.standin import lasting

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import open_database, raw
from comptoir.store.datasets import Status
from freeagent_standin.world import World

WORLDS = int(os.environ.get("COMPTOIR_TEST_WORLDS", "2"))
ROUNDS = int(os.environ.get("COMPTOIR_TEST_ROUNDS", "4"))
FIRST_SEED = int(os.environ.get("COMPTOIR_TEST_FIRST_SEED", "1"))
_PAGE_SIZE = 8
_DOCUMENTS = ("invoices", "credit_notes", "bills")


def _edit(world: World, chance: Random) -> dict[str, Any]:
    """Anything that somebody may do to books; what they do not allow is refused."""
    tables = world.tables()

    def some(resource: str) -> int:
        rows = list(tables[resource])
        return chance.choice(rows).id if rows else 0

    text = f"Words {chance.randrange(10**6)}"
    match chance.randrange(14):
        case 0:
            return {"do": "advance", "days": chance.randint(1, 20)}
        case 1 | 2:
            names = (*_DOCUMENTS, "expenses", "bank_transactions", "contacts", "projects", "price_list_items")
            return {"do": "add", "resource": chance.choice(names)}
        case 3 | 4 | 5:
            resource = chance.choice(sorted(tables))
            return {"do": "delete", "resource": resource, "id": some(resource)}
        case 6:
            return {"do": "write_off", "resource": "invoices", "id": some("invoices")}
        case 7:
            source, target = chance.sample([account.id for account in world.bank_accounts], 2)
            return {"do": "transfer", "from": source, "to": target, "amount": f"{chance.randint(1, 900)}.05"}
        case 8 | 9:
            resource = chance.choice(_DOCUMENTS)
            due = abs(world.due(tables[resource][id_])) if (id_ := some(resource)) else 0
            amount = {"amount": f"{due // 2 / 100:.2f}"} if due > 1 and chance.random() < 0.5 else {}
            return {"do": "pay", "resource": resource, "id": id_, "touch": chance.random() < 0.5} | amount
        case 10:
            resource = chance.choice(_DOCUMENTS)
            return {"do": "change", "resource": resource, "id": some(resource), "set": {"comments": text}}
        case 11:
            wanted = chance.choice(({"gross_value": f"{chance.randint(1, 900)}.5"}, {"description": text}))
            return {
                "do": "change",
                "resource": "bank_transaction_explanations",
                "id": some("bank_transaction_explanations"),
                "set": wanted,
            }
        case 12:
            return {"do": "change", "resource": "contacts", "id": some("contacts"), "set": {"organisation_name": text}}
        case _:
            resource = chance.choice(("projects", "bank_accounts"))
            return {"do": "change", "resource": resource, "id": some(resource), "set": {"name": text}}


class _Kept:
    """One company's books, kept up with from round to round, and the same read afresh."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.world = world_of(seed, 60)
        self.db = open_database(f"sqlite:///{folder / 'comptoir.db'}")
        self.books = Books(self.db, self.world, page_size=_PAGE_SIZE)
        self.passed = timedelta()
        self.done: Counter[str] = Counter()

    def go_on(self, chance: Random) -> None:
        """An hour of edits."""
        for _ in range(chance.randint(1, 12)):
            self.passed += timedelta(seconds=chance.randint(0, 600))
            edit = _edit(self.world, chance)
            try:
                self.world.mutate(edit, NOON + self.passed)
            except ValueError:
                continue
            self.done[edit["do"]] += 1
            if edit["do"] == "advance":
                self.passed += timedelta(days=edit["days"])
        self.passed += timedelta(minutes=chance.randint(1, 90))

    def synced(self) -> Books:
        return self._synced(self.books)

    def afresh(self) -> Books:
        return self._synced(Books(self.db, self.world, page_size=_PAGE_SIZE))

    def _synced(self, books: Books) -> Books:
        books.reader.now = NOON + self.passed
        books.clock.set(NOON + self.passed)
        books.sync()
        assert {one.status for one in books.datasets().values()} == {Status.COMPLETE}
        return books


def _raw(books: Books) -> dict[str, dict[str, object]]:
    """Live raw rows, without what changes by itself; but what a contact owes is told exactly."""
    held: dict[str, dict[str, object]] = {}
    with books.db.read() as tx:
        for resource in FREEAGENT.resources:
            kept = resource.lasting or lasting
            held[resource.name] = {
                row.id: kept(row.body) for row in raw.whole(tx, books.tenant, books.connection, resource.name)
            }
        contacts = raw.whole(tx, books.tenant, books.connection, "contacts")
        held["balances"] = {row.id: json.loads(row.body)["account_balance"] for row in contacts}
    return held


def _standard(books: Books) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Live standard records, without the moment at which we stored them."""
    rows = standard(books.db, books.connection)
    return {name: {id_: row[:3] for id_, row in of.items() if not row[3]} for name, of in rows.items()}


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_books_kept_up_with_equal_a_fresh_pull(tmp_path: Path, seed: int) -> None:
    kept, chance = _Kept(tmp_path, seed), Random(seed)
    kept.synced()
    calls = {"kept up": 0, "afresh": 0}
    for number in range(ROUNDS):
        kept.go_on(chance)
        before = kept.books.reader.made

        books, fresh = kept.synced(), kept.afresh()

        calls["kept up"] += books.reader.made - before
        calls["afresh"] += fresh.reader.made
        assert _raw(books) == _raw(fresh), (seed, number)
        assert _standard(books) == _standard(fresh), (seed, number)
    kept.db.close()
    print(f"seed {seed}: {ROUNDS} rounds, {dict(kept.done)}, calls {calls}")  # noqa: T201 - to repeat it

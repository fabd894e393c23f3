"""Books that are edited at random and kept up with: after every round they equal a fresh pull of all, byte for byte.

Pages are small, so that small books are kept up with as large ones are. A world and its edits are those of a seed.
In full: `make test-books`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Container, Mapping
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from tests.books import NOON, Books, world_of
from tests.sync.house import standard
from tests.sync.standin import lasting

from comptoir.integrations.contract import Kind, Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.model import SHAPES
from comptoir.store import history, open_database, originals, raw
from comptoir.store.datasets import Status
from comptoir.store.history import Change, Layer
from freeagent_standin.world import World

WORLDS = int(os.environ.get("COMPTOIR_TEST_WORLDS", "2"))
ROUNDS = int(os.environ.get("COMPTOIR_TEST_ROUNDS", "4"))
FIRST_SEED = int(os.environ.get("COMPTOIR_TEST_FIRST_SEED", "1"))
_PAGE_SIZE = 8
_DOCUMENTS = ("invoices", "credit_notes", "bills")


def _edit(world: World, chance: Random, today: date) -> dict[str, Any]:
    """Anything that somebody may do to books; what they do not allow is refused."""
    tables = world.tables()

    def some(resource: str) -> int:
        rows = list(tables[resource])
        return chance.choice(rows).id if rows else 0

    match chance.randrange(18):
        case 0:
            return {"do": "advance", "days": chance.randint(1, 20)}
        case 1 | 2 | 3:
            resource = chance.choice(sorted(tables))
            return {"do": "add", "resource": resource, "set": _first(world, resource, chance, today)}
        case 4 | 5 | 6:
            resource = chance.choice((*sorted(tables), *_DOCUMENTS, "bank_transaction_explanations"))
            return {"do": "delete", "resource": resource, "id": some(resource)}
        case 7:
            return {"do": "write_off", "resource": "invoices", "id": some("invoices")}
        case 8:
            source, target = chance.sample([account.id for account in world.bank_accounts], 2)
            return {"do": "transfer", "from": source, "to": target, "amount": f"{chance.randint(1, 900)}.05"}
        case 9 | 10:
            resource = chance.choice(_DOCUMENTS)
            due = abs(world.due(tables[resource][id_])) if (id_ := some(resource)) else 0
            amount = {"amount": f"{due // 2 / 100:.2f}"} if due > 1 and chance.random() < 0.5 else {}
            return {"do": "pay", "resource": resource, "id": id_, "touch": chance.random() < 0.5} | amount
        case 11:
            return {"do": "convert", "resource": "estimates", "id": some("estimates")}
        case 12:
            return {"do": "duplicate", "resource": "invoices", "id": some("invoices")}
        case 13:
            line = {"dated_on": today.isoformat(), "amount": f"{chance.randint(-900, 900)}.07", "description": "Feed"}
            return {"do": "import", "bank_account": some("bank_accounts"), "lines": [line]}
        case _:
            resource = chance.choice(sorted(tables))
            wanted = dict([chance.choice(_words(world, resource, chance, today))])
            return {"do": "change", "resource": resource, "id": some(resource), "set": wanted}


def _first(world: World, resource: str, chance: Random, today: date) -> dict[str, Any]:
    """What a new record is told with."""
    if resource == "bank_transaction_explanations":
        open_lines = [line.id for line in world.transactions if world.unexplained(line)]
        told: dict[str, Any] = {"bank_transaction": chance.choice(open_lines)} if open_lines else {}
        told |= {} if told else {"bank_account": 1, "gross_value": f"{chance.randint(-90, 90)}.01"}
        ways: tuple[dict[str, Any], ...] = (
            {},
            {"category": "285"},
            {"paid_user": next(iter(world.people)).id},
            _at_random(world, chance),
        )
        return told | chance.choice(ways)
    return dict([chance.choice(_words(world, resource, chance, today))]) if chance.random() < 0.4 else {}


def _at_random(world: World, chance: Random) -> dict[str, Any]:
    """A document to be paid."""
    name, documents = chance.choice((("paid_invoice", world.invoices), ("paid_bill", world.bills)))
    return {name: chance.choice([one.id for one in documents])} if len(documents) else {}


def _words(world: World, resource: str, chance: Random, today: date) -> list[tuple[str, Any]]:
    """What may be told of a record, one thing of which is."""
    text, price = f"Words {chance.randrange(10**6)}", f"{chance.randint(1, 900)}.5"
    day = ("dated_on", (today - timedelta(days=chance.choice((0, 3, 40, 400)))).isoformat())
    contact = ("contact", chance.choice([one.id for one in world.contacts]))
    project = ("project", chance.choice([one.id for one in world.projects])) if len(world.projects) else contact
    described = ("description", text)
    match resource:
        case "invoices" | "credit_notes":
            is_credit = resource == "credit_notes"
            items = [{"description": text, "price": f"-{price}" if is_credit else price}]
            lines = (resource.removesuffix("s") + "_items", items)
            status = ("status", chance.choice(("Draft", "Open")))
            return [("comments", text), day, contact, project, lines, status, ("currency", "EUR"), ("reference", text)]
        case "bills":
            items = [{"description": text, "category": chance.choice(("285", "103")), "total_value": price}]
            return [("comments", text), day, contact, ("bill_items", items), ("reference", text)]
        case "expenses":
            return [described, day, ("gross_value", f"-{price}"), ("category", "285")]
        case "bank_transaction_explanations":
            review = ("marked_for_review", chance.random() < 0.5)
            return [described, ("gross_value", chance.choice(("", "-")) + price), ("category", "285"), review]
        case "contacts":
            return [("organisation_name", text), ("status", chance.choice(("Active", "Hidden"))), ("first_name", text)]
        case "projects":
            return [("name", text), contact, ("status", "Completed")]
        case "bank_accounts":
            kinds = chance.choice(("StandardBankAccount", "CreditCardAccount"))
            hidden = chance.choice(("active", "hidden"))
            return [("name", text), ("opening_balance", price), ("type", kinds), ("status", hidden)]
        case "journal_sets":
            entries = [{"category": "280", "debit_value": price}, {"category": "660", "debit_value": f"-{price}"}]
            return [described, day, ("journal_entries", entries)]
        case "price_list_items":
            return [described, ("price", price), ("category", "001"), ("vat_status", "standard")]
        case "stock_items":
            return [described, ("stock_on_hand", price)]
        case "users":
            return [("first_name", text), ("hidden", chance.random() < 0.5)]
        case "properties":
            return [("town", text), ("postcode", text)]
        case _:
            return [described, ("name", text), ("comments", text)]


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
            edit = _edit(self.world, chance, (NOON + self.passed).date())
            try:
                self.world.mutate(edit, NOON + self.passed)
            except ValueError:
                continue
            self.done[" ".join(filter(None, (edit["do"], edit.get("resource"))))] += 1
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


class _Held(msgspec.Struct, frozen=True):
    """All that is held at a moment, of what somebody may edit: bodies, and records with the moment they were stored."""

    source: dict[str, dict[str, bytes]]
    known: dict[str, set[str]]  # those that are gone too
    standard: dict[str, dict[str, tuple[Any, ...]]]

    @classmethod
    def of(cls, books: Books) -> _Held:
        names = [one.name for one in FREEAGENT.resources if not one.is_derived and one.kind is not Kind.REPORT]
        owner = (books.tenant, books.connection)
        with books.db.read() as tx:
            source = {name: {row.id: row.body for row in raw.whole(tx, *owner, name)} for name in names}
            known = {
                name: {one.id for one in originals.list_page(tx, *owner, name, page_size=10_000).rows} for name in names
            }
        return cls(source, known, standard(books.db, books.connection))


_Changes = dict[str, dict[str, Change]]


def _expected(before: _Held, after: _Held) -> dict[Layer, _Changes]:
    """What the data history must tell: what differs between two moments, and nothing else."""
    told: dict[Layer, _Changes] = {Layer.SOURCE: {}, Layer.STANDARD: {}}
    for one in FREEAGENT.resources:
        if one.name in after.source:
            bodies = (_lasting(one, held.source[one.name]) for held in (before, after))
            told[Layer.SOURCE][one.name] = _differing(*bodies, known=before.known[one.name])
    for name in after.standard:
        records = (_served(held.standard[name]) for held in (before, after))
        told[Layer.STANDARD][name] = _differing(*records, known=before.standard[name])
    return told


def _lasting(resource: Resource, bodies: Mapping[str, bytes]) -> dict[str, object]:
    kept: Callable[[bytes], object] = resource.lasting or bytes
    return {id_: kept(body) for id_, body in bodies.items()}


def _served(rows: Mapping[str, tuple[Any, ...]]) -> dict[str, object]:
    return {id_: (row[0], row[2]) for id_, row in rows.items() if not row[3]}


def _differing(old: Mapping[str, object], new: Mapping[str, object], *, known: Container[str]) -> dict[str, Change]:
    """What was served before and gone came back: it has changed."""
    found = {id_: Change.CHANGED if id_ in known else Change.NEW for id_ in new.keys() - old.keys()}
    found |= {id_: Change.CHANGED for id_ in new.keys() & old.keys() if new[id_] != old[id_]}
    return found | dict.fromkeys(old.keys() - new.keys(), Change.DELETED)


def _told(books: Books) -> dict[Layer, _Changes]:
    owner, sync = (books.tenant, books.connection), books.last_sync
    names = {Layer.SOURCE: [one.name for one in FREEAGENT.resources], Layer.STANDARD: list(SHAPES)}
    with books.db.read() as tx:
        return {layer: {name: history.of(tx, *owner, sync, layer, name) for name in of} for layer, of in names.items()}


def _without_nothing(told: Mapping[Layer, _Changes]) -> dict[tuple[Layer, str], dict[str, Change]]:
    return {(layer, name): rows for layer, of in told.items() for name, rows in of.items() if rows}


def _moved(before: _Held, after: _Held) -> set[tuple[str, str]]:
    """Records whose modifiedDate moved though what is served of them did not."""
    return {
        (name, id_)
        for name, rows in after.standard.items()
        for id_, row in rows.items()
        if (was := before.standard[name].get(id_)) and (was[0], *was[2:4]) == (row[0], *row[2:4]) and was[4] != row[4]
    }


def _former(books: Books, before: _Held, after: _Held) -> set[tuple[str, str]]:
    """Records that changed and whose former body is not the version before the newest."""
    with books.db.read() as tx:
        return {
            (name, id_)
            for (layer, name), rows in _without_nothing(_expected(before, after)).items()
            if layer is Layer.SOURCE
            for id_, change in rows.items()
            if change is Change.CHANGED
            and [one.body for one in originals.versions(tx, books.tenant, books.connection, name, id_)][-2:]
            != [before.source[name][id_], after.source[name][id_]]
        }


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
        before, held = kept.books.reader.made, _Held.of(kept.books)

        books = kept.synced()
        now = _Held.of(books)
        fresh = kept.afresh()

        calls["kept up"] += books.reader.made - before
        calls["afresh"] += fresh.reader.made
        assert _raw(books) == _raw(fresh), (seed, number)
        assert _standard(books) == _standard(fresh), (seed, number)
        assert _without_nothing(_told(books)) == _without_nothing(_expected(held, now)), (seed, number)
        assert not _moved(held, now), (seed, number)
        assert not _former(books, held, now), (seed, number)
    kept.db.close()
    print(f"seed {seed}: {ROUNDS} rounds, {dict(kept.done)}, calls {calls}")  # noqa: T201 - to repeat it

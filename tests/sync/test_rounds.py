"""Books that are edited at random and kept up with: after every round they equal a fresh pull of all, byte for byte.

Pages are small, so that small books are kept up with as large ones are. A world and its edits are those of a seed.
In full: `make test-books`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from tests.books import NOON, Books, DirectReader, world_of
from tests.sync.house import standard
from tests.sync.standin import lasting

from comptoir.errors import NotSupported, PermissionsLacking, ProductError, TryLater, UpstreamChanged
from comptoir.integrations.contract import Kind, Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.model import SHAPES
from comptoir.store import Database, history, originals, raw
from comptoir.store.datasets import Status
from comptoir.store.history import Change, Layer
from comptoir.upstream.client import Page
from freeagent_standin.world import World

WORLDS = int(os.environ.get("COMPTOIR_TEST_WORLDS", "1"))
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

    def __init__(self, db: Database, seed: int) -> None:
        self.db, self.world = db, world_of(seed, 60)
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
            and id_ in before.source[name]  # and not one that came back
            and [one.body for one in originals.versions(tx, books.tenant, books.connection, name, id_)][-2:]
            != [before.source[name][id_], after.source[name][id_]]
        }


def _standard(books: Books) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Live standard records, without the moment at which we stored them."""
    rows = standard(books.db, books.connection)
    return {name: {id_: row[:3] for id_, row in of.items() if not row[3]} for name, of in rows.items()}


class _Rough(DirectReader):
    """While it reads, people go on working, and answers go wrong; what was done and went wrong is told in `said`."""

    def __init__(self, world: World, chance: Random) -> None:
        super().__init__(world, page_size=_PAGE_SIZE)
        self._chance = chance
        self.share = 0.0  # of calls that go wrong, and between which somebody works
        self.said: list[object] = []

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        self._somebody_works()
        wrong = self._wrong(("later", "denied", "absent", "odd", *_SPOILING), resource.name, number)
        page = super().page(resource, number, params)
        return page if wrong is None or resource.kind in (Kind.REPORT, Kind.SINGLE) else _spoiled(page, wrong)

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        self._somebody_works()
        told = super().count(resource, params)
        wrong = self._wrong(("later", "untold", "fewer", "more"), resource.name, "count")
        if told is None or wrong == "untold":
            return None
        return max(0, told + {"fewer": -2, "more": 5}.get(wrong or "", 0))

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        self._somebody_works()
        self._wrong(("later", "denied"), resource.name, record_id)
        return super().record(resource, record_id)

    def _wrong(self, ways: Sequence[str], *what: object) -> str | None:
        """What goes wrong with a call, if anything does; some of it ends the call."""
        if self._chance.random() >= self.share:
            return None
        way = self._chance.choice(ways)
        self.said.append((way, *what))
        if (error := _ENDING.get(way)) is not None:
            raise error("planted")
        return way

    def _somebody_works(self) -> None:
        with self.one_at_a_time:
            self.now += timedelta(seconds=1)
            edit = _edit(self.world, self._chance, self.now.date()) if self._chance.random() < self.share else {}
            if edit and edit["do"] != "advance":
                with contextlib.suppress(ValueError):
                    self.world.mutate(edit, self.now)
                    self.said.append(edit)


_ENDING: Mapping[str, type[ProductError]] = {
    "later": TryLater, "denied": PermissionsLacking, "absent": NotSupported, "odd": UpstreamChanged,
}  # fmt: skip
_SPOILING = ("empty", "half", "untold", "miscounted", "doubled", "unreadable", "undated")


def _spoiled(page: Page, way: str) -> Page:
    rows, replace = list(page.records), msgspec.structs.replace
    match way:
        case "empty":
            return replace(page, records=[], total=page.total and 0, has_next=False)
        case "half":
            return replace(page, records=rows[: len(rows) // 2])
        case "untold":
            return replace(page, total=None, has_next=None)
        case "miscounted":
            return replace(page, total=page.total and page.total + 3)
        case "doubled":
            return replace(page, records=rows + rows[:1])
        case "unreadable":
            return replace(page, records=[(part, b'{"url":null}') for part, _ in rows[:1]] + rows[1:])
        case _:
            return replace(page, made_after=None)


@pytest.mark.timeout(300 + 60 * ROUNDS)
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_books_kept_up_with_equal_a_fresh_pull(database: Database, seed: int) -> None:
    kept, chance = _Kept(database, seed), Random(seed)
    kept.synced()
    calls = {"kept up": 0, "afresh": 0}
    rounds = ROUNDS if database.dialect == "sqlite" else max(1, ROUNDS // 4)
    for number in range(rounds):
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
    print(f"seed {seed}: {rounds} rounds, {dict(kept.done)}, calls {calls}")  # noqa: T201 - to repeat it


def _wrongly_gone(books: Books, fresh: Books) -> set[tuple[str, str]]:
    """Records that are marked as gone and are there."""
    held, there = _Held.of(books), _Held.of(fresh)
    return {
        (name, id_)
        for name, live in there.source.items()
        for id_ in (held.known[name] - held.source[name].keys()) & live.keys()
    }


@pytest.mark.slow
@pytest.mark.timeout(300 + 60 * ROUNDS)
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_after_reads_amid_work_and_faults_a_quiet_one_makes_books_whole(db: Database, seed: int) -> None:
    kept, chance = _Kept(db, seed), Random(seed)
    kept.books.reader = rough = _Rough(kept.world, chance)
    kept.synced()
    for number in range(max(1, ROUNDS // 2)):
        kept.go_on(chance)
        rough.now, rough.share, rough.said = NOON + kept.passed, 0.03, []
        kept.books.clock.set(rough.now)
        kept.books.sync()
        rough.share = 0.0
        over = max(rough.now, kept.books.clock.now())  # ours goes faster: it is not to be put back here
        kept.passed = over - NOON + timedelta(minutes=chance.choice((1, 20, 200)))
        assert not _wrongly_gone(kept.books, kept.afresh()), (seed, number, rough.said)

        books, fresh = kept.synced(), kept.afresh()

        assert _raw(books) == _raw(fresh), (seed, number, rough.said)
        assert _standard(books) == _standard(fresh), (seed, number, rough.said)

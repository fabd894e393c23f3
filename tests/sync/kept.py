"""Books that were read whole and are kept up with, from an upstream that tests let go wrong.

Pages are small, so that small books are kept up with as large ones are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import msgspec
from tests.books import Books, DirectReader, world_of
from tests.sync.standin import lasting

from comptoir.integrations.contract import Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database, raw
from comptoir.sync import Engine
from comptoir.upstream.client import Page
from freeagent_standin.world import World

SIZE = 4
T = TypeVar("T")


class Reader(DirectReader):
    """Notes what it was asked, and lets a test act on answers."""

    def __init__(self, world: World, page_size: int) -> None:
        super().__init__(world, page_size=page_size)
        self.asked: list[tuple[str, int, dict[str, str]]] = []
        self._in_hand = threading.local()
        self.counted: list[str] = []
        self.hears_changes = True
        self.answers: Callable[[Resource, Page], Page] = lambda _, page: page
        self.after: Callable[[str, int], None] = lambda *_: None
        self.counts: dict[str, int | None] = {}  # what is told of a resource, or of an account's lists
        self.uncounted = ""  # a bank account of which no part is counted

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        self._in_hand.call = (resource.name, number, dict(params))
        self.asked.append(self._in_hand.call)
        self.now += timedelta(seconds=1)  # time goes on meanwhile
        if not self.hears_changes:
            params = [(name, value) for name, value in params if name != "updated_since"]
        page = self.answers(resource, super().page(resource, number, params))
        self.after(resource.name, number)
        return page

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        self.counted.append(resource.name)
        if len(params) > 1 and self.uncounted in dict(params).values():
            return None
        told = super().count(resource, params)
        return self.counts.get(dict(params).get("bank_account", resource.name), told)

    @property
    def in_hand(self) -> tuple[str, int, dict[str, str]]:
        """The page that is being answered; several threads ask."""
        call: tuple[str, int, dict[str, str]] = self._in_hand.call
        return call

    def of(self, resource: str) -> list[tuple[int, bool]]:
        """Pages asked for of a resource, and whether only changes were."""
        return [(number, "updated_since" in params) for name, number, params in self.asked if name == resource]


class Kept:
    """Books that were read whole, an hour ago."""

    def __init__(self, db: Database, seed: int = 3, page_size: int = SIZE) -> None:
        self.world = world_of(seed, 60)
        self.books = Books(db, self.world, page_size=page_size)
        self.reader = self.books.reader = Reader(self.world, page_size)
        self.books.sync()
        self.on(timedelta(hours=1))

    def on(self, time: timedelta) -> None:
        self.reader.now += time
        self.books.clock.set(self.reader.now)
        self.reader.asked.clear()
        self.reader.counted.clear()

    def edit(self, **edit: Any) -> str:
        return str(self.world.mutate(edit, self.reader.now)["id"])

    def held(self, resource: str) -> dict[str, bytes]:
        with self.books.db.read() as tx:
            rows = raw.whole(tx, self.books.tenant, self.books.connection, resource)
        return {row.id: lasting(row.body) for row in rows}

    def served(self, resource: str) -> dict[str, bytes]:
        fresh = Books(self.books.db, self.world)
        fresh.reader.now = self.reader.now
        fresh.sync()
        with fresh.db.read() as tx:
            rows = raw.whole(tx, fresh.tenant, fresh.connection, resource)
        return {row.id: lasting(row.body) for row in rows}

    def some(self, resource: str) -> str:
        return next(iter(self.held(resource)))

    def warnings(self, data_type: str) -> str:
        return " ".join(one.message for one in self.books.datasets()[data_type].warnings)


def shortened(page: Page) -> Page:
    rows = page.records[: len(page.records) // 2]
    return msgspec.structs.replace(page, records=rows, total=len(rows), has_next=False)


def emptied(page: Page) -> Page:
    return msgspec.structs.replace(page, records=[], total=0, has_next=False)


def deleted(kept: Kept, id_: str) -> bool:
    try:
        kept.edit(do="delete", resource="bank_transactions", id=id_)
    except ValueError:
        return False
    return True


def spoiled(body: bytes, ids: Container[str]) -> bytes:
    number = msgspec.json.decode(body).get("url", "").rpartition("/")[2]
    return b'{"url":null}' if number in ids else body


def without(page: Page, ids: Container[str]) -> Page:
    rows = [row for row in page.records if msgspec.json.decode(row[1])["url"].rpartition("/")[2] not in ids]
    return msgspec.structs.replace(page, records=rows, total=None, has_next=page.has_next)


def unpaid(kept: Kept) -> list[str]:
    return [str(one.id) for one in kept.world.bills if kept.world.due(one) == one.total]


def _the_same(it: T, _: Any) -> T:
    return it


def stopping_engine(kept: Kept, stopping: list[bool]) -> Engine:
    """One that stops when told to."""
    return Engine(
        kept.books.db,
        kept.books.clock,
        partial(_the_same, msgspec.structs.replace(FREEAGENT, page_size=SIZE)),
        partial(_the_same, (kept.reader, kept.reader.calls)),
        workers=1,
        retries_slowly=False,
        should_stop=partial(any, stopping),
    )

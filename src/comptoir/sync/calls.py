"""The calls that a read makes, and what comes back of them; how a reader of the upstream looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from comptoir.integrations.contract import Resource
from comptoir.store.rereads import Reread
from comptoir.sync.walk import Params, Walk

__all__ = [
    "UNREADABLE",
    "Answer",
    "Arrival",
    "Body",
    "Count",
    "PageAnswer",
    "Proved",
    "Reader",
    "Searched",
    "Task",
    "Watch",
]

# What the functions of an integration raise for bytes that they cannot read.
UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError)


class PageAnswer(Protocol):
    """One page: `total` counts the whole list and `has_next` tells of a further page, each None where the upstream does
    not say; records come with the member they were in. The page was put together at `made_after` or later, by the
    upstream's own clock."""

    @property
    def total(self) -> int | None: ...
    @property
    def has_next(self) -> bool | None: ...
    @property
    def records(self) -> Sequence[tuple[str, bytes]]: ...
    @property
    def made_after(self) -> datetime | None: ...


class Reader(Protocol):
    """Reads one connection's upstream; raises the errors of `comptoir.errors`. Called from several threads."""

    def page(self, resource: Resource, number: int, params: Params = ()) -> PageAnswer: ...

    def count(self, resource: Resource, params: Params = ()) -> int | None: ...

    def record(self, resource: Resource, record_id: str) -> bytes | None: ...


class Watch(Protocol):
    """Is told how far a read has come: pages done, pages in all (if known), records so far."""

    def __call__(self, resource: str, pages_done: int, pages_in_all: int | None, records: int) -> None: ...


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A call to make: a page of a window, a page of its changes, its count, the report that proves it, or one record by
    its id; or the few calls that search a window for what is gone from it."""

    walk: Walk
    window: str = ""
    page: int = 1
    params: Params = ()
    is_changes: bool = False
    is_count: bool = False
    is_search: bool = False
    is_proof: bool = False
    record_id: str | None = None
    reread: Reread | None = None


class Body(msgspec.Struct, frozen=True):
    body: bytes | None


class Count(msgspec.Struct, frozen=True):
    total: int | None


class Searched(msgspec.Struct, frozen=True):
    missing: frozenset[str] | None


class Proved(msgspec.Struct, frozen=True):
    """The report that a window must add up to, None where the upstream gave none."""

    body: bytes | None


Answer = PageAnswer | Count | Body | Searched | Proved


class Arrival(msgspec.Struct, frozen=True):
    task: Task
    answer: Answer | None
    error: BaseException | None

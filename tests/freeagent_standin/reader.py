"""Reads a world through the stand-in's API as a client would, without a server in between."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from freeagent_standin.api import answer
from freeagent_standin.wire import Answer, Call
from freeagent_standin.world import World, generate

TODAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 12, 0, 0, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8001"
PER_ACCOUNT = ("bank_transactions", "bank_transaction_explanations")
PER_PARENT = ("notes",)
LISTS = (
    "bank_accounts",
    "bank_feeds",
    "bills",
    "capital_asset_types",
    "capital_assets",
    "contacts",
    "credit_note_reconciliations",
    "credit_notes",
    "estimates",
    "expenses",
    "hire_purchases",
    "invoices",
    "journal_sets",
    "price_list_items",
    "projects",
    "recurring_invoices",
    "stock_items",
    "tasks",
    "timeslips",
    "users",
)
Row = dict[str, Any]


class Reader:
    """One user's view of one company's books at one moment."""

    def __init__(self, world: World, *, now: datetime = NOON, level: int = 8, user: int | None = None) -> None:
        self.world = world
        self.now = now
        self.level = level
        self.user = user or world.users[0].id

    def call(self, path: str, **query: object) -> Answer:
        """The answer to a GET."""
        return self.send("GET", path, **query)

    def send(self, method: str, path: str, body: bytes = b"", /, **query: object) -> Answer:
        pairs = tuple((key, str(value)) for key, value in query.items())
        asked = Call(
            method=method,
            path=path,
            query=pairs,
            body=body,
            base_url=ORIGIN,
            now=self.now,
            level=self.level,
            user_id=self.user,
        )
        return answer(self.world, asked)

    def get(self, path: str, **query: object) -> Any:
        """The decoded body of a call that succeeds."""
        given = self.call(path, **query)
        assert given.status == 200, (path, query, given)
        return msgspec.json.decode(given.body)

    def page(self, path: str, **query: object) -> tuple[list[Row], dict[str, str]]:
        """One page and its headers by lower-case name, without what is of one request alone."""
        given = self.call(path, **query)
        assert given.status == 200, (path, query, given)
        return msgspec.json.decode(given.body)[path], {
            key.lower(): value for key, value in given.headers if key != "X-Request-Id"
        }

    def all(self, path: str, **query: object) -> list[Row]:
        """Every row of a list, page after page, with the widest view unless another is asked for."""
        if path in PER_ACCOUNT and "bank_account" not in query:
            accounts = self.all("bank_accounts")
            return [row for each in accounts for row in self.all(path, bank_account=each["url"], **query)]
        if path in PER_PARENT and not query.keys() & {"contact", "project"}:
            parents = (("contact", "contacts"), ("project", "projects"))
            return [row for one, many in parents for each in self.all(many) for row in self._of(path, one, each, query)]
        rows: list[Row] = []
        wanted = {"view": "all", "per_page": 100} | query
        while True:
            page, headers = self.page(path, **wanted, page=len(rows) // 100 + 1)
            rows += page
            if 'rel="next"' not in headers["link"]:
                assert len(rows) == int(headers["x-total-count"])
                return rows

    def _of(self, path: str, parent: str, owner: Row, query: dict[str, object]) -> list[Row]:
        return self.all(path, **query, **{parent: owner["url"]})

    def has(self, path: str) -> bool:
        """Whether a company of this type has such a list at all."""
        return path != "hire_purchases" or self.world.company.is_british

    def everything(self) -> dict[str, Any]:
        """All that can be read, with items."""
        nested = {f"nested_{one}_items": "true" for one in ("invoice", "credit_note", "bill", "estimate")}
        return {
            "company": self.get("company"),
            "categories": self.get("categories", sub_accounts="true"),
            "trial_balance": self.get("accounting/trial_balance/summary"),
            "opening": self.get("accounting/trial_balance/summary/opening_balances"),
            **{name: self.all(name, **nested) for name in (*LISTS, *PER_ACCOUNT, *PER_PARENT) if self.has(name)},
        }

    def fingerprint(self) -> str:
        """Tells whether two worlds would be read the same."""
        return hashlib.sha256(msgspec.json.encode(self.everything())).hexdigest()

    def trial_balance(self, **query: object) -> dict[str, Decimal]:
        rows = self.get("accounting/trial_balance/summary", **query)["trial_balance_summary"]
        totals = {row["display_nominal_code"]: Decimal(row["total"]) for row in rows}
        assert len(totals) == len(rows)
        return totals


@lru_cache(maxsize=8)
def known(size: str | int, seed: int = 1, company: int = 1) -> World:
    """A world that no test may change."""
    return generate(size=size, seed=seed, today=TODAY, company=company)


def fresh(size: str | int = "small", seed: int = 1, company: int = 1) -> World:
    """A world of the test's own."""
    return generate(size=size, seed=seed, today=TODAY, company=company)


def number(url: str) -> int:
    """The id at the end of a reference."""
    return int(url.rsplit("/", 1)[-1])

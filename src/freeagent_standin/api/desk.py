"""What rendering needs beside a record: the world, the caller's origin and today; and how values are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from freeagent_standin.api.answers import forbidden
from freeagent_standin.wire import Call
from freeagent_standin.world.amounts import money_text
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import Bill, Expense, Explanation, SalesDocument

Body = dict[str, object]


class Desk:
    """One call's view of a world."""

    def __init__(self, world: World, call: Call) -> None:
        self.world = world
        self.call = call
        self.root = f"{call.base_url}/v2"
        self.today: date = call.now.date()
        self._remembered: dict[object, set[int]] = {}

    def require(self, level: int) -> None:
        """Refuse a caller of a lower level: levels are cumulative."""
        if self.call.level < level:
            raise forbidden("You do not have permission to access this resource")

    def change(self, op: dict[str, Any]) -> dict[str, Any]:
        """Change the books. Raises ValueError with a sentence on nonsense."""
        change = self.call.change
        return self.world.mutate(op, self.call.now) if change is None else change(op)

    def url(self, resource: str, key: object) -> str:
        """A reference, written on the origin that was called (https://dev.freeagent.com/docs/introduction)."""
        return f"{self.root}/{resource}/{key}"

    def property_url(self, record: SalesDocument | Bill | Expense | Explanation) -> str | None:
        """A reference to what a landlord's record is for."""
        number = self.world.property_of(record)
        return None if number is None else self.url("properties", number)

    def remembered(self, key: object, make: Callable[[], set[int]]) -> set[int]:
        """Something made once a call."""
        if key not in self._remembered:
            self._remembered[key] = make()
        return self._remembered[key]

    def category(self, code: str) -> str:
        """A reference to a category by nominal code."""
        return f"{self.root}/categories/{code}"


@lru_cache(maxsize=16_384)
def instant(seconds: int) -> str:
    """Seconds since 1970 as live rows write them, milliseconds always 000."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@lru_cache(maxsize=16_384)
def day_text(day: date) -> str:
    """YYYY-MM-DD."""
    return day.isoformat()


def sent(body: Body) -> Body:
    """The body without attributes that have no value: FreeAgent leaves them out instead of sending null."""
    return {key: value for key, value in body.items() if value is not None and value != ""}


def long_status(status: str, due_on: date, today: date) -> str:
    """A status with the time there is yet, or was: "Open - due in about 1 month" is recorded, the rest inferred."""
    days = (due_on - today).days
    if status == "Open":
        return f"Open - due in {_distance(days)}" if days else "Open - due today"
    if status == "Overdue":
        return f"Overdue - due {_distance(-days)} ago"
    return status


def _distance(days: int) -> str:
    """Days in round words."""
    if days < 30:
        return "1 day" if days == 1 else f"{days} days"
    months, years = round(days / 30), round(days / 365)
    if days < 60:
        return "about 1 month" if months == 1 else f"about {months} months"
    if days < 365:
        return f"{months} months"
    return "about 1 year" if years == 1 else f"about {years} years"


def locked_reason(desk: Desk) -> str:
    """Why a record cannot be changed (the wording is inferred)."""
    return f"The books are locked until {desk.world.locked_until}"


money = money_text

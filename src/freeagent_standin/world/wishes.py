"""What a caller sets, in FreeAgent's own attribute names and forms, read piece by piece.

A reference is an id or a whole URL; an amount is text or a number; a day is YYYY-MM-DD. Raises ValueError with a
sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, overload

from freeagent_standin.world.amounts import parse_decimal, parse_pennies
from freeagent_standin.world.shelves import Table

# A day as clients send it: months and days of one digit, and the time of day along with it.
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d\d:\d\d.*)?", re.ASCII | re.DOTALL)


class Wishes:
    """What a caller set, taken piece by piece; what is left over at the end was not understood.

    The control address is told of such leftovers. FreeAgent's own API ignores them (`is_api`) and
    takes numbers for text.
    """

    def __init__(self, wishes: object, *, is_api: bool = False) -> None:
        if not isinstance(wishes, Mapping):
            raise ValueError(f"An object of attributes was expected, not {wishes!r}.")
        self._left = dict(wishes)
        self._is_api = is_api

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, otherwise: Any = None) -> Any:
        """The value as it came."""
        return self._left.pop(name, otherwise)

    def peek(self, name: str) -> Any:
        """The value as it came, left where it is."""
        return self._left.get(name)

    def text(self, name: str, otherwise: str = "") -> str:
        """Text, of any kind and length."""
        value = self._left.pop(name, otherwise)
        if self._is_api and (value is None or isinstance(value, int | float)):
            value = "" if value is None else str(value)
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text, not {value!r}.")
        return value

    def choice(self, name: str, allowed: Collection[str], otherwise: str = "") -> str:
        """One of a closed set of values; said to be nothing, it takes the value it would have had unsaid."""
        value = self.text(name) or otherwise
        if value != otherwise and value not in allowed:
            shown = [each for each in allowed if each]
            listed = ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "")
            raise ValueError(f"{name} is one of {listed}; not {value!r}.")
        return value

    def flag(self, name: str, *, otherwise: bool = False) -> bool:
        """A switch: true and false, or as text."""
        value = self._left.pop(name, otherwise)
        if value is None or value in (True, False, 0, 1):
            return bool(value)
        if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", ""):
            return value.lower() in ("true", "1")
        raise ValueError(f"{name} is true or false, not {value!r}.")

    @property
    def is_api(self) -> bool:
        """Whether these came through FreeAgent's own API."""
        return self._is_api

    def rows(self, name: str) -> list[Wishes] | None:
        """The lines of a document, or None when nothing was said."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, list | tuple):
            raise ValueError(f"{name} must be a list, not {value!r}.")
        return None if value is None else [Wishes(row, is_api=self._is_api) for row in value]

    def day(self, name: str, otherwise: date) -> date:
        """A day."""
        value = self._left.pop(name, None)
        if value is None:
            return otherwise
        try:
            return day_of(value)
        except ValueError as error:
            raise ValueError(f"{name} must be a day such as 2026-11-24, not {value!r}.") from error

    def money(self, name: str, otherwise: int) -> int:
        """An amount, in minor units."""
        value = self._left.pop(name, None)
        return otherwise if value is None else parse_pennies(value, what=name)

    @overload
    def decimal(self, name: str) -> Decimal | None: ...
    @overload
    def decimal(self, name: str, otherwise: Decimal) -> Decimal: ...
    def decimal(self, name: str, otherwise: Decimal | None = None) -> Decimal | None:
        """A number with any decimals."""
        value = self._left.pop(name, None)
        return otherwise if value is None else parse_decimal(value, what=name)

    def whole(self, name: str, otherwise: int) -> int:
        """A whole number."""
        value = self._left.pop(name, otherwise)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name} must be a whole number, not {value!r}.")
        return value

    def one_of(self, name: str, table: Table[Any]) -> Any:
        """The record a reference names, or None when nothing was said."""
        value = self._left.pop(name, None)
        return None if value is None else named(table, value)

    def done(self) -> None:
        """Complain about what nobody took."""
        if self._left and not self._is_api:
            raise ValueError(f"These cannot be set here: {', '.join(sorted(self._left))}.")


def day_of(value: object) -> date:
    """The day that a value tells. Raises ValueError."""
    found = _DAY.fullmatch(str(value))
    return date(int(found[1]), int(found[2]), int(found[3])) if found else date.fromisoformat(str(value))


def named(table: Table[Any], reference: object) -> Any:
    """The record with an id, given bare or as the end of a URL."""
    last = str(reference).rstrip("/").rsplit("/", 1)[-1]
    record = table.get(int(last)) if last.isascii() and last.isdigit() and len(last) < 20 else None
    if record is None:
        raise ValueError(f"There is no record {reference!r} in {table.name}.")
    return record

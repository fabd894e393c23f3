"""How values stand in columns so that their order is the order of what they mean.

Instants and days: text of one length in UTC. Amounts: NUMERIC on PostgreSQL; on SQLite, which has no exact decimals, a
text key with any number of digits whose order as text is the order of the numbers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = ["Amount", "Instant", "amount_key", "from_text", "text_of"]

_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_OFFSET = 50_000  # exponents from -50,000 to 49,999


def text_of(moment: datetime) -> str:
    """An aware datetime as text of fixed length in UTC; its order as text is the order of time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


@lru_cache(maxsize=65536)
def amount_key(number: Decimal) -> str:
    """A text key that orders and compares as the number does; equal numbers have equal keys."""
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    power = int(exponent) + len(text)
    text = text.rstrip("0")
    if not text:
        return "1"
    key = f"{power + _OFFSET:05d}{text}"
    # A negative number is smaller the larger its size: its digits are turned round, and a mark above digits ends it.
    return "0" + key.translate(_COMPLEMENT) + "~" if sign else "2" + key


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as text of fixed length in UTC."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else text_of(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_text(value)


class Amount(TypeDecorator[Decimal]):
    """An exact decimal, any number of digits, ordered as a number."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return amount_key(value)

"""How values stand in columns so that their order is the order of what they mean.

Instants and days: text of one length in UTC. Amounts: NUMERIC on PostgreSQL; on SQLite, which has no exact decimals, a
text key with any number of digits whose order as text is the order of the numbers. Words that are searched without
regard to case: folded. Text is compared by code points on both databases.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = [
    "Amount",
    "Instant",
    "Words",
    "amount_key",
    "escaped",
    "folded",
    "from_text",
    "number_of_key",
    "numeric",
    "storable",
    "text_of",
    "unescaped",
]

_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_LEAST_POWER, _MOST_POWER = -44, 44  # powers of ten that need two digits only
_NUMERIC_DIGITS, _NUMERIC_PLACES = 131_071, 16_383  # what PostgreSQL's NUMERIC holds before and after the point
_ESCAPED = {"\x1a": "\x1a1", "\x00": "\x1a0"}  # PostgreSQL's text refuses U+0000


def text_of(moment: datetime) -> str:
    """An aware datetime as text of fixed length in UTC; its order as text is the order of time."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


def folded(text: str) -> str:
    """For comparing without regard to case, in any script."""
    return storable(text.casefold())


def storable(text: str) -> str:
    """Text as a column takes it that is only searched: without U+0000."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def amount_key(number: Decimal) -> str:
    """A text key that orders and compares as the number does; equal numbers have equal keys."""
    text = str(number)
    if text[0] in "123456789" and "E" not in text and len(text) <= _MOST_POWER:  # nearly all of them
        whole, _, places = text.partition(".")
        return f"2{len(whole) + 50}{(whole + places).rstrip('0')}"
    is_negative = text[0] == "-"
    written, _, exponent = text.lstrip("-").partition("E")
    whole, _, places = written.partition(".")
    text = (whole + places).lstrip("0")
    power = int(exponent or 0) - len(places) + len(text)
    text = text.rstrip("0")
    if not text:
        return "1"
    key = _power_key(power) + text
    # A negative number is smaller the larger its size: its digits are turned round, and a mark above digits ends it.
    return "0" + key.translate(_COMPLEMENT) + "~" if is_negative else "2" + key


def _power_key(power: int) -> str:
    if _LEAST_POWER <= power <= _MOST_POWER:
        return f"{power + 50:02d}"
    size = str(abs(power))
    long = f"{len(size):02d}{size}"
    return "95" + long if power > 0 else "05" + long.translate(_COMPLEMENT)


def number_of_key(key: str) -> Decimal:
    """The number that `amount_key` made this key of, without the noughts it ended with."""
    if key == "1":
        return Decimal(0)
    is_negative = key[0] == "0"
    text = key[1:-1].translate(_COMPLEMENT) if is_negative else key[1:]
    power, digits = _power_of_key(text)
    return Decimal((int(is_negative), tuple(map(int, digits)), power - len(digits)))


def _power_of_key(text: str) -> tuple[int, str]:
    """The power of ten a key begins with, and the digits behind it."""
    if text[:2] not in ("95", "05"):
        return int(text[:2]) - 50, text[2:]
    is_large = text[0] == "9"
    rest = text[2:] if is_large else text[2:].translate(_COMPLEMENT)
    end = 2 + int(rest[:2])
    power = int(rest[2:end])
    return (power if is_large else -power), text[2 + end :]


def numeric(number: Decimal) -> Decimal | None:
    """The number for a NUMERIC column; None for one so long that no such column holds it (the document does)."""
    if number.adjusted() > _NUMERIC_DIGITS - 1 or int(number.as_tuple().exponent) < -_NUMERIC_PLACES:
        return None
    return number


def escaped(text: str) -> str:
    """Text as PostgreSQL takes it; `unescaped` gives it back."""
    if not ("\x00" in text or "\x1a" in text):
        return text
    return "".join(_ESCAPED.get(sign, sign) for sign in text)


def unescaped(text: str) -> str:
    return text.replace("\x1a0", "\x00").replace("\x1a1", "\x1a") if "\x1a" in text else text


class Words(TypeDecorator[str]):
    """Text as it was given, every character of it; on PostgreSQL ordered by code points."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None or dialect.name != "postgresql" else escaped(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None or dialect.name != "postgresql" else unescaped(value)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as text of fixed length in UTC."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

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
        if value is None:
            return None
        return numeric(value) if dialect.name == "postgresql" else amount_key(value)

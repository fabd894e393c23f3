"""FreeAgent names records by URL: absolute or relative, plural or (in places) singular. We keep kind and number."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

from comptoir.model.records import Instant, LocalDate

__all__ = ["bank_account_id", "day", "instant", "last_segment", "local_date", "moment"]


@lru_cache(maxsize=65536)
def last_segment(url: str) -> str:
    """The record's own id: the last path segment. ValueError for what is no reference."""
    segment = url.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
    if not segment or not all(letter.isalnum() or letter in "._-" for letter in segment):
        raise ValueError(f"{url!r} is no reference to a record")
    return segment


@lru_cache(maxsize=4096)
def bank_account_id(url: str) -> str:
    """A bank account's id; a very short one is marked, so that it cannot be taken for a nominal code."""
    number = last_segment(url)
    return number if len(number) > 3 else f"bank-{number}"


@lru_cache(maxsize=65536)
def day(text: str) -> date | None:
    """YYYY-MM-DD as a date; None for one that does not exist."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def local_date(text: str | None) -> LocalDate | None:
    """A day as the standard model writes it; None for one that is absent or does not exist."""
    if not text or day(text) is None:
        return None
    return LocalDate(f"{text[:10]}T00:00:00")


def moment(text: str | None) -> datetime | None:
    """A timestamp in any of FreeAgent's three spellings, aware, in UTC; None where it cannot be read."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant(text: str | None) -> Instant | None:
    """A timestamp as the standard model writes it: UTC, whole seconds."""
    if text and len(text) == 24 and text.endswith("Z") and text[19] == "." and text[:19].isascii():
        return Instant(text[:19] + "Z") if moment(text) is not None else None
    read = moment(text)
    return None if read is None else Instant(read.strftime("%Y-%m-%dT%H:%M:%SZ"))

"""FreeAgent names records by URL: absolute or relative, plural or (in places) singular. We keep kind and number."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from comptoir.model.records import Instant, LocalDate

__all__ = [
    "POSTING",
    "any_date",
    "bank_account_id",
    "calendar_day",
    "day",
    "identifier",
    "in_a_key",
    "instant",
    "is_credit_note",
    "last_segment",
    "local_date",
    "moment",
    "number_in",
    "number_of",
    "posted_with",
    "source_of",
]

# Resources whose records post to the ledger.
POSTING = (
    "invoices",
    "credit_notes",
    "credit_note_reconciliations",
    "bills",
    "expenses",
    "bank_transactions",
    "bank_transaction_explanations",
    "journal_sets",
)
# Dots alone would be a way up, not a name; and what is longer than any id would not fit into an index.
_SEGMENT = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,200}")
_LONGEST_DAY = 40  # of what stands where a day should
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_NAMED_OFTEN = 4096  # accounts, contacts and categories; most other records are named once or twice, close together


@lru_cache(maxsize=_NAMED_OFTEN)
def last_segment(url: str) -> str:
    """The record's own id: the last path segment. ValueError for what is no reference."""
    segment = url.rpartition("/")[2]
    if segment.isdecimal() and _SEGMENT.fullmatch(segment) and "?" not in url:
        return segment  # as nearly all are
    segment = url.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
    if not _SEGMENT.fullmatch(segment):
        raise ValueError(f"{url[:100]!r} is no reference to a record")
    return segment


def identifier(text: str) -> str:
    """Text that is to be an id as it stands, such as a nominal code. ValueError for what cannot stand in a path."""
    if not _SEGMENT.fullmatch(text):
        raise ValueError(f"{text[:100]!r} cannot be an id")
    return text


def in_a_key(text: str) -> str:
    """What stands where a day should, as part of a key: not for long, and without what no index takes."""
    return text[:_LONGEST_DAY].replace("\x00", "\ufffd")


def is_credit_note(url: str) -> bool:
    """Of what an explanation pays: a credit note, which is paid out, rather than an invoice."""
    kind = url.split("?", 1)[0].rstrip("/").rsplit("/", 2)[-2:-1]
    return kind in (["credit_notes"], ["credit_note"])


def number_in(url: str | None) -> str | None:
    """Likewise; None for what is absent or no reference. For looking things up, where one odd record must not count."""
    try:
        return last_segment(url) if url else None
    except ValueError:
        return None


def number_of(id_: str) -> tuple[int, str]:
    """What ids are sorted by: numbers as numbers."""
    return (int(id_), "") if id_.isascii() and id_.isdigit() else (0, id_)


@lru_cache(maxsize=_NAMED_OFTEN)
def source_of(url: str | None) -> tuple[str, str] | None:
    """Kind and number of what a line of the ledger comes from; None for what is absent or no reference.

    An entry of a journal set belongs to the set, whose lines balance together.
    """
    parts = (url or "").split("?", 1)[0].rstrip("/").split("/")
    if "journal_sets" in parts[:-2]:
        parts = parts[: parts.index("journal_sets") + 2]
    kind, number = parts[-2:] if len(parts) > 1 else ("", "")
    return (kind, number) if _SEGMENT.fullmatch(kind) and _SEGMENT.fullmatch(number) else None


def posted_with(source_item_url: str | None, dated_on: str) -> tuple[str, str, str]:
    """What a line of the ledger is put together by: the name of a link, the resource it names, and the id. Lines of
    journal entries, and those that name nothing, go by their day."""
    found, dated_on = source_of(source_item_url), in_a_key(dated_on)
    if found is None or found[0] == "journal_entries":
        kind = "nothing" if found is None else found[0]
        return "source", kind, f"{kind}-{dated_on}"
    kind, number = found
    return (f"source_{kind}", kind, number) if kind in POSTING else ("source", kind, f"{kind}-{number}")


@lru_cache(maxsize=_NAMED_OFTEN)
def bank_account_id(url: str) -> str:
    """A bank account's id; a very short one is marked, so that it cannot be taken for a nominal code."""
    number = last_segment(url)
    return number if len(number) > 3 else f"bank-{number}"


@lru_cache(maxsize=65536)
def calendar_day(text: str) -> date | None:
    """YYYY-MM-DD, alone or before a time, as a date; None for one that does not exist."""
    if text[10:11] not in ("", "T", " ") or text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def day(text: str) -> date | None:
    """Likewise; None also for one so far off that no books are kept of it."""
    found = calendar_day(text)
    return found if found is not None and _FIRST_YEAR <= found.year <= _LAST_YEAR else None


@lru_cache(maxsize=65536)
def local_date(text: str | None) -> LocalDate | None:
    """A day as the standard model writes it; None for one that is absent, does not exist or is far off."""
    found = day(text) if text else None
    return None if found is None else _written(found)


@lru_cache(maxsize=65536)
def any_date(text: str) -> LocalDate | None:
    """Likewise, however far off: for records that cannot be served without their day."""
    found = calendar_day(text)
    return None if found is None else _written(found)


def _written(found: date) -> LocalDate:
    return LocalDate(f"{found.isoformat()}T00:00:00")


def moment(text: str | None) -> datetime | None:
    """A timestamp in any of FreeAgent's three spellings, aware, in UTC; None where it cannot be read."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is UTC:  # written with Z, as nearly all are
            return read
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant(text: str | None) -> Instant | None:
    """A timestamp as the standard model writes it: UTC, whole seconds."""
    read = moment(text)
    if read is None or text is None:
        return None
    if text[4:11:3] == "--T" and text[13:17:3] == "::" and text[-1] == "Z":
        return Instant(f"{text[:19]}Z")  # it is written so already; nearly all are
    return Instant(f"{read.replace(tzinfo=None).isoformat(timespec='seconds')}Z")

"""What of a record changes without an edit: with the day, with another record, or with every answer.

FreeAgent does not date such changes, so they tell nothing of whether somebody changed the record.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

__all__ = ["whatever_the_day", "without"]

# Wherever they stand: signed links to files, what may be edited, and words that tell of another record or of the day.
_EVERYWHERE = frozenset(
    {
        "content_src",
        "content_src_medium",
        "content_src_small",
        "expires_at",
        "is_locked",
        "is_deletable",
        "locked_reason",
        "long_status",
        "contact_name",
        "native_due_value",
        "matching_transactions_count",
        "has_pending_operation",
    }
)
_BY_THE_CALENDAR = {"Overdue": "Open"}


def whatever_the_day(status: str) -> str:
    """A document's status as somebody made it: only the calendar makes an open one overdue."""
    return _BY_THE_CALENDAR.get(status, status)


def without(*members: str) -> Callable[[bytes], object]:
    """Tells what stays of a record until somebody edits it: all but these members and those that drift everywhere."""
    dropped = _EVERYWHERE | set(members)

    def lasting(body: bytes) -> object:
        try:
            record = json.loads(body, parse_float=Decimal, object_pairs_hook=kept)
        except (ValueError, RecursionError):
            return body  # compared as it is
        if isinstance(record, dict) and isinstance(status := record.get("status"), str):
            record["status"] = whatever_the_day(status)
        return record

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in pairs if name not in dropped}

    return lasting

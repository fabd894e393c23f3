"""What FreeAgent's refusals mean: one table from status to error.

The shapes of `errors` vary, so texts are only quoted. Source: https://dev.freeagent.com/docs/introduction
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from comptoir.errors import (
    ActionNeeded,
    Conflict,
    InvalidInput,
    NotSupported,
    PermissionsLacking,
    ProductError,
    RelinkRequired,
    TryLater,
    UpstreamChanged,
)
from comptoir.integrations.contract import Resource

__all__ = ["error_of"]

_LONGEST_QUOTE = 300


def error_of(status: int, headers: Mapping[str, str], body: bytes, resource: Resource | None) -> ProductError:
    """The error an answer means; the sentence names FreeAgent's own words where it gave any."""
    name = resource.name if resource else "this"
    said = _said(body)
    quoted = f" FreeAgent says: {said}" if said else ""
    if status == 401:
        return RelinkRequired(
            "FreeAgent no longer accepts our access. Have the company's owner open the Link URL and approve again; "
            "data already read stays readable meanwhile."
        )
    if status == 403:
        level = resource.access_level if resource else None
        return PermissionsLacking(f"FreeAgent refuses {name} to the user who approved.{quoted}", level_needed=level)
    if status == 404:
        return NotSupported(f"FreeAgent does not offer {name} to this company.")
    if status == 429:
        return TryLater(
            "FreeAgent's rate limit was reached.",
            retry_after_seconds=_wait(headers.get("retry-after", "").strip(), headers.get("date", "")),
            is_rate_limit=True,
        )
    if status == 409:
        return Conflict(f"FreeAgent cannot do this now.{quoted}")
    if status in (400, 406, 422):
        return InvalidInput(f"FreeAgent did not take the request for {name} (status {status}).{quoted}")
    if status < 300 or status == 304:  # of a success only 200 comes with what was asked for
        return TryLater(f"FreeAgent answered with the status {status} and no data.")
    if status >= 500 or status in (408, 425):
        return TryLater(f"FreeAgent answered with an error ({status}). It usually passes.")
    if 300 <= status < 400:
        return UpstreamChanged(f"FreeAgent redirects {name} elsewhere, which is not documented.")
    return ActionNeeded(f"FreeAgent answered {name} with the status {status}.{quoted}")


def _wait(told: str, now: str) -> float | None:
    """Seconds to wait, told as a number or as a day and time by the server's own clock; None for neither."""
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        return max(0.0, (parsedate_to_datetime(told) - parsedate_to_datetime(now)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _said(body: bytes) -> str:
    """The messages in an `errors` member, in any of its three shapes."""
    try:
        errors: Any = msgspec.json.decode(body)["errors"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return ""
    found: list[str] = []
    _collect(errors, found, 0)
    return " ".join(found)[:_LONGEST_QUOTE]


def _collect(value: Any, found: list[str], depth: int) -> None:
    if depth > 4 or len(found) > 10:
        return
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for member in value.values():
            _collect(member, found, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _collect(member, found, depth + 1)

"""The border between the stand-in's shell and its world: one API call, and what is answered to it.

The shell (server, OAuth, limits, faults) turns an HTTP request into a `Call`; `freeagent_standin.api.answer` turns a
`Call` and a world into an `Answer`. Nothing here does I/O, and neither side knows more of the other than this.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authorised request below /v2."""

    method: str
    """The HTTP method in capitals."""
    path: str
    """Below /v2 without a leading slash: "invoices", "invoices/12", "accounting/trial_balance/summary"."""
    query: tuple[tuple[str, str], ...]
    """Decoded pairs, in the order sent."""
    body: bytes
    base_url: str
    """The origin the client called, such as "http://127.0.0.1:8001"; addresses of records are written on it."""
    now: datetime
    """The stand-in's clock, aware UTC."""
    level: int
    """Permission level (0-8) of the user who approved."""
    user_id: int
    """That user, for users/me."""
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Changes the company's books and keeps the change for the next start; without it the books alone are changed."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent back; the shell adds transport headers only."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"

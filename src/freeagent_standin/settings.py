"""How this stand-in behaves: what the command line chose, changeable while it runs by the control address."""

from __future__ import annotations

from typing import Literal

import msgspec

from freeagent_standin.limits import Limits

__all__ = ["LONGEST_WAIT", "Settings"]

LONGEST_WAIT = 600
"""The most seconds that an answer may be held back."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One set of choices; replaced whole when one changes."""

    limits: Limits
    refresh: Literal["strict", "lenient"] = "strict"
    latency_seconds: float = 0.0
    # True: between all pages of every list, for ever; a number: so many times yet.
    page_drift: bool | int = False
    # What a call without User-Agent answers (FreeAgent does not say); None lets it through.
    missing_user_agent_status: int | None = 400
    access_token_seconds: int = 3600

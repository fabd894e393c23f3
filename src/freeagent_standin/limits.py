"""FreeAgent's rate limits: fixed windows that begin at the top of the minute and of the hour.

Counted per user of an app (and company), and, as FreeAgent's staff tell, per calling address.
Source: https://dev.freeagent.com/docs/introduction (rate limits).
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable

import msgspec

__all__ = ["FREEAGENT_LIMITS", "TEST_LIMIT", "Limit", "Limits", "Refusal", "Windows", "parse_limits"]


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """So many calls in a window of so many seconds."""

    calls: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.calls}/{self.seconds}"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """All limits in force; None where there is none."""

    minute: Limit | None = None
    hour: Limit | None = None
    refreshes: Limit | None = None
    address: Limit | None = None

    def __str__(self) -> str:
        return ",".join(str(one) for one in (self.minute, self.hour, self.refreshes, self.address) if one) or "off"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A call over a limit: which one, and the whole seconds until its window ends."""

    limit: Limit
    retry_after_seconds: int


FREEAGENT_LIMITS = "120/60,3600/3600,15/60,1000/60"
# What `X-RateLimit-Test: true` lowers the minute's limit to.
TEST_LIMIT = Limit(calls=5, seconds=60)

_PART = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", re.ASCII)


def parse_limits(text: str) -> Limits:
    """Read `120/60,3600/3600,15/60`: the minute's, the hour's and the token refreshes' limit; or `off`.

    A fourth part limits all calls of one calling address together. Raises ValueError with a sentence.
    """
    if text.strip().lower() == "off":
        return Limits()
    limits = []
    parts = text.split(",")
    for part in parts:
        found = _PART.fullmatch(part)
        if found is None or not int(found[1]) or not int(found[2]):
            raise ValueError(
                f"Limits are calls/seconds for a minute, an hour and token refreshes, such as 120/60,3600/3600,15/60, "
                f"or off; {text!r} is not."
            )
        limits.append(Limit(calls=int(found[1]), seconds=int(found[2])))
    if len(limits) not in (3, 4):
        raise ValueError(f"Limits have three parts (or a fourth, per calling address), or are off; {text!r} is not.")
    return Limits(
        minute=limits[0], hour=limits[1], refreshes=limits[2], address=limits[3] if len(limits) == 4 else None
    )


class Windows:
    """How many calls were let through in the window that is open now, for each who and length of window."""

    def __init__(self) -> None:
        self._counts: dict[tuple[Hashable, int], tuple[int, int]] = {}

    def take(self, asked: tuple[tuple[Hashable, Limit], ...], now: float) -> Refusal | None:
        """Count one call against all these limits, or against none and say which one refuses it.

        The limit that holds longest is named: whoever waits that long is not refused by another.
        """
        refusal = None
        counts = []
        for who, limit in asked:
            window = int(now // limit.seconds)
            opened, count = self._counts.get((who, limit.seconds), (window, 0))
            if opened != window:
                count = 0
            if count >= limit.calls:
                wait = max(1, math.ceil((window + 1) * limit.seconds - now))
                if refusal is None or wait > refusal.retry_after_seconds:
                    refusal = Refusal(limit=limit, retry_after_seconds=wait)
            counts.append(((who, limit.seconds), (window, count + 1)))
        if refusal is None:
            self._counts.update(counts)
        return refusal

    def reset(self) -> None:
        """Open every window anew."""
        self._counts.clear()

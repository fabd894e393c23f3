"""The stand-in's own clock: real time, moved and scaled at will.

Everything the stand-in dates (limit windows, token life, Retry-After, the Date header, overdue invoices) reads this
clock and no other, so that a test can move an hour on in no time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec

__all__ = ["Anchor", "Clock"]


_FASTEST = 1_000_000
_LAST = datetime(2999, 12, 31, tzinfo=UTC).timestamp()


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which both clocks were read; from it and the scale every other moment follows."""

    real: float
    standin: float
    scale: float


class Clock:
    """Now, as the stand-in has it. Seconds are since 1970-01-01 UTC."""

    def __init__(self, *, start: datetime | None = None, scale: float = 1.0, anchor: Anchor | None = None) -> None:
        real = time.time()
        if anchor is not None:  # time went on while we were stopped, at the pace it had
            standin = anchor.standin + max(0.0, real - anchor.real) * anchor.scale
        else:
            standin = start.timestamp() if start is not None else real
        self._set(real, standin, scale)

    def _set(self, real: float, standin: float, scale: float) -> None:
        if not 0 < scale <= _FASTEST:
            raise ValueError(f"The time scale must be above 0 and at most {_FASTEST:,}.")
        if not 0 <= standin <= _LAST:
            raise ValueError("The clock can be set to any moment from 1970 to 2999.")
        self._real, self._standin, self._scale = real, standin, scale
        # Measured on the monotonic clock, so that a change of the machine's time does not move ours.
        self._monotonic = time.monotonic()

    @property
    def scale(self) -> float:
        """How many of our seconds pass in one real second."""
        return self._scale

    @property
    def anchor(self) -> Anchor:
        """What to keep so that a later start goes on from here."""
        return Anchor(real=self._real, standin=self._standin, scale=self._scale)

    def seconds(self) -> float:
        """Now, in seconds since 1970."""
        return self._standin + (time.monotonic() - self._monotonic) * self._scale

    def now(self) -> datetime:
        """Now, aware UTC."""
        return datetime.fromtimestamp(min(self.seconds(), _LAST), UTC)

    def advance(self, seconds: float) -> None:
        """Move on (or back, with a negative number)."""
        self._set(time.time(), self.seconds() + seconds, self._scale)

    def set(self, instant: datetime) -> None:
        """Make it this instant now."""
        self._set(time.time(), instant.timestamp(), self._scale)

    def rescale(self, scale: float) -> None:
        """Let time pass at another pace from now on."""
        self._set(time.time(), self.seconds(), scale)

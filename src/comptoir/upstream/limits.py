"""The upstream's limits as a budget: a call is booked in its window before it is made, so that none is ever refused.

Windows are fixed and start on the upstream's minute and hour, so its clock counts, learnt from the Date header of its
answers. What is not sure about that clock is a margin: near the edge of a window a call is booked on both sides.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from comptoir.runtime.clock import Clock

__all__ = ["Limit", "Limits"]

Limit = tuple[int, int]
_ADDRESS = "the calling address"
_UNSURE_AT_FIRST = 2.0
_LONGEST_SLEEP = 1.0
_MOST_KEYS = 10_000


class Limits:
    """Budgets of every connection, and of the one address that all of them call from. Safe to use from threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        calls: Iterable[Limit] | None,
        refreshes: Limit | None,
        address: Limit | None,
        time_scale: float = 1.0,
    ) -> None:
        self._clock, self._scale = clock, time_scale
        self._calls = tuple(calls or ())
        self._refreshes = (refreshes,) if refreshes else ()
        self._address = (address,) if address else ()
        self._lock = threading.Lock()
        self._booked: dict[tuple[str, int, int], int] = defaultdict(int)
        self._paused: dict[str, float] = {}
        self._refused_in_a_row: dict[str, int] = {}
        # The upstream's time is our monotonic clock (scaled) plus something between these two.
        start = clock.now().timestamp() - clock.monotonic() * time_scale
        self._lowest, self._highest = start - _UNSURE_AT_FIRST, start + _UNSURE_AT_FIRST

    @property
    def are_off(self) -> bool:
        return not (self._calls or self._address)

    def reserve(self, connection: str) -> None:
        """Book one call of a connection, waiting until its windows and the address's have room."""
        if self._calls or self._address or self._paused:
            self._reserve(((connection, self._calls), (_ADDRESS, self._address)), connection)

    def reserve_refresh(self, connection: str) -> None:
        """Book one token refresh of a connection; it counts as a call from the address too."""
        self._reserve(((f"refresh {connection}", self._refreshes), (_ADDRESS, self._address)), f"refresh {connection}")

    def _reserve(self, budgets: tuple[tuple[str, tuple[Limit, ...]], ...], pause_key: str) -> None:
        while True:
            with self._lock:
                now, unsure = self._now()
                wait = max(0.0, self._paused.get(pause_key, 0.0) - now)
                if not wait:
                    wait = self._book(budgets, now, unsure)
                if not wait:
                    return
            self._clock.sleep(min(wait, _LONGEST_SLEEP))

    def _book(self, budgets: tuple[tuple[str, tuple[Limit, ...]], ...], now: float, unsure: float) -> float:
        """Book in every window that the call may fall into; or how long until there is room."""
        keys: list[tuple[str, int, int]] = []
        for name, limits in budgets:
            for count, seconds in limits:
                for index in {int((now - unsure) // seconds), int((now + unsure) // seconds)}:
                    if self._booked[(name, seconds, index)] >= count:
                        return (index + 1) * seconds + unsure - now + 0.01
                    keys.append((name, seconds, index))
        for key in keys:
            self._booked[key] += 1
        if len(self._booked) > _MOST_KEYS:
            for key in [one for one in self._booked if (one[2] + 2) * one[1] < now]:
                del self._booked[key]
        return 0.0

    def answered(self, connection: str, headers: Mapping[str, str], sent: float, received: float) -> None:
        """Learn the upstream's clock from an answer; `sent` and `received` are monotonic seconds."""
        if self.are_off and not self._paused:
            return
        try:
            told = parsedate_to_datetime(headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError, IndexError):
            return
        # The header names the second in which the answer was made: somewhere between sending and receiving.
        lowest = told - received * self._scale
        highest = told + 1.0 - sent * self._scale
        with self._lock:
            self._refused_in_a_row.pop(connection, None)
            if lowest > self._highest or highest < self._lowest:  # a clock was set: begin anew
                self._lowest, self._highest = lowest, highest
            else:
                self._lowest, self._highest = max(self._lowest, lowest), min(self._highest, highest)

    def refused(self, connection: str, retry_after_seconds: float | None) -> float:
        """Somebody else used the budget: the connection pauses. Returns until when, in the upstream's time.

        Until the time that was given; else to the next minute, and when that is refused too to the next hour.
        """
        with self._lock:
            now, unsure = self._now()
            times = self._refused_in_a_row.get(connection, 0)
            self._refused_in_a_row[connection] = times + 1
            if retry_after_seconds is not None:
                until = now + retry_after_seconds
            else:
                seconds = 60 if times == 0 else 3600
                until = (now // seconds + 1) * seconds
            self._paused[connection] = max(self._paused.get(connection, 0.0), until + unsure)
            return self._paused[connection]

    def paused_until(self, connection: str) -> datetime | None:
        """Until when a connection waits for its limit, by our own clock; None when it does not."""
        with self._lock:
            now, _ = self._now()
            left = self._paused.get(connection, 0.0) - now
        if left <= 0:
            return None
        return datetime.fromtimestamp(self._clock.now().timestamp() + left / self._scale, self._clock.now().tzinfo)

    def _now(self) -> tuple[float, float]:
        """The upstream's time, and by how much it may be off."""
        offset = (self._lowest + self._highest) / 2
        return self._clock.monotonic() * self._scale + offset, (self._highest - self._lowest) / 2 + 0.05

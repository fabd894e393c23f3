"""The upstream's limits as a budget: a call is booked in its window before it is made, so that none is ever refused.

Windows are fixed and start on the upstream's minute and hour, so its clock counts, learnt from the Date header of its
answers. Calls are remembered by our own monotonic clock: when we learn that the upstream's clock is another, those
already made are counted in the windows they were really made in. What is not sure is a margin: near the edge of a
window a call counts on both sides.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from comptoir.errors import TryLater
from comptoir.runtime.clock import Clock

__all__ = ["Limit", "Limits"]

Limit = tuple[int, int]
_Budget = tuple[str, tuple[Limit, ...]]
_ADDRESS = "the calling address"
_UNSURE_AT_FIRST = 2.0
_ON_ITS_WAY = 0.5  # seconds that a call may take until the upstream counts it
_LONGEST_SLEEP = 1.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 24 * 3600.0  # whatever an answer asks for


def _nothing_spent(connection: str | None, since: datetime) -> int:
    return 0


class Limits:
    """Budgets of every connection, and of the one address that all of them call from. Safe to use from threads.

    `spent` tells how many calls of a connection (None: of all) were made since a moment by processes before this one:
    one that was killed in mid-read must not make its successor exceed the limit.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        calls: Iterable[Limit] | None,
        refreshes: Limit | None,
        address: Limit | None,
        time_scale: float = 1.0,
        spent: Callable[[str | None, datetime], int] = _nothing_spent,
    ) -> None:
        self.time_scale = time_scale
        self._clock, self._scale, self._spent = clock, time_scale, spent
        # One limit for each length of window: the lowest.
        lowest: dict[int, int] = {}
        for count, seconds in calls or ():
            lowest[seconds] = min(count, lowest.get(seconds, count))
        self._calls = tuple((count, seconds) for seconds, count in lowest.items())
        self._refreshes = (refreshes,) if refreshes else ()
        self._address = (address,) if address else ()
        self._lock = threading.Lock()
        self._made: dict[tuple[str, int], list[float]] = {}  # monotonic seconds, ascending, by name and window length
        self._paused: dict[str, float] = {}
        self._full_until: dict[str, float] = {}  # when a call that waits for room goes on
        self._refused_in_a_row: dict[str, int] = {}
        # The upstream's time is our monotonic clock (scaled) plus something between these two.
        start = clock.now().timestamp() - clock.monotonic() * time_scale
        self._lowest, self._highest = start - _UNSURE_AT_FIRST, start + _UNSURE_AT_FIRST

    @property
    def are_off(self) -> bool:
        return not (self._calls or self._address)

    def reserve(self, connection: str, *, patience_seconds: float | None = None) -> None:
        """Book one call of a connection, waiting until its windows and the address's have room.

        TryLater at once when that would take longer than `patience_seconds`.
        """
        if self._calls or self._address or self._paused:
            budgets = ((connection, self._calls), (_ADDRESS, self._address))
            self._reserve(budgets, connection, patience_seconds)

    def reserve_refresh(self, connection: str) -> None:
        """Book one token refresh of a connection; it counts as a call from the address too."""
        name = _refresh_of(connection)
        self._reserve(((name, self._refreshes), (_ADDRESS, self._address)), name, None)

    def _reserve(self, budgets: tuple[_Budget, ...], pause_key: str, patience_seconds: float | None) -> None:
        while True:
            with self._lock:
                now, unsure = self._now()
                wait = max(0.0, self._paused.get(pause_key, 0.0) - now)
                if not wait:
                    wait = self._book(budgets, now, unsure)
                if not wait:
                    return
                self._full_until[pause_key] = now + wait
            if patience_seconds is not None and wait / self._scale > patience_seconds:
                raise TryLater(
                    "The limit of calls is used up for the moment.",
                    retry_after_seconds=wait / self._scale,
                    is_rate_limit=True,
                )
            self._clock.sleep(min(wait, _LONGEST_SLEEP))

    def _book(self, budgets: tuple[_Budget, ...], now: float, unsure: float) -> float:
        """Book in every window that the call may fall into; or how long until there is room."""
        for name, limits in budgets:
            for count, seconds in limits:
                made = self._made_in(name, seconds, now)
                for index in {int((now - unsure) // seconds), int((now + unsure + _ON_ITS_WAY) // seconds)}:
                    first = bisect_left(made, self._our_time(index * seconds - unsure - _ON_ITS_WAY))
                    if len(made) - first >= count:
                        return (index + 1) * seconds + unsure - now + 0.01
        moment = self._clock.monotonic()
        for name, limits in budgets:
            for _, seconds in limits:
                insort(self._made[(name, seconds)], moment)
        return 0.0

    def _made_in(self, name: str, seconds: int, now: float) -> list[float]:
        """When calls were made that may count in a window of this length; at first those of earlier processes."""
        made = self._made.get((name, seconds))
        if made is None:
            began = self._clock.now() - timedelta(seconds=(now % seconds) / self._scale)
            count = 0
            if not name.startswith(_refresh_of("")):
                count = self._spent(None if name == _ADDRESS else name, began)
            made = self._made[(name, seconds)] = [self._clock.monotonic()] * count
        oldest = self._our_time(now - 2 * seconds)
        if made and made[0] < oldest and len(made) > 64:
            del made[: bisect_left(made, oldest)]
        return made

    def count_as(self, name: str, connection: str) -> None:
        """Calls made under another name, before it was known whose books are read, are this connection's."""
        with self._lock:
            now, _ = self._now()
            for _, seconds in self._calls:
                made = self._made_in(connection, seconds, now)
                for moment in self._made.pop((name, seconds), ()):
                    insort(made, moment)

    def ended(self, connection: str, sent: float, received: float) -> None:
        """A call has ended, with or without an answer; `sent` and `received` are monotonic seconds.

        Where a window began meanwhile the call may have been counted in it: then it is booked there too.
        """
        with self._lock:
            sent_at, received_at = (one * self._scale + self._lowest for one in (sent, received))
            for name, limits in ((connection, self._calls), (_ADDRESS, self._address)):
                for _, seconds in limits:
                    if int(sent_at // seconds) != int(received_at // seconds) and (name, seconds) in self._made:
                        insort(self._made[(name, seconds)], received)

    def answered(self, headers: Mapping[str, str], sent: float, received: float) -> None:
        """Learn the upstream's clock from an answer; `sent` and `received` are monotonic seconds."""
        if self.are_off and not self._paused:
            return
        try:
            told = parsedate_to_datetime(headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError, IndexError, OverflowError):
            return
        # The header names the second in which the answer was made: somewhere between sending and receiving.
        lowest = told - received * self._scale
        highest = told + 1.0 - sent * self._scale
        with self._lock:
            if lowest > self._highest or highest < self._lowest:  # a clock was set: begin anew
                moved = (lowest + highest - self._lowest - self._highest) / 2
                self._lowest, self._highest = lowest, highest
                for key in self._paused:  # a pause lasts as long as it was told to
                    self._paused[key] += moved
            else:
                self._lowest, self._highest = max(self._lowest, lowest), min(self._highest, highest)

    def accepted(self, connection: str) -> None:
        """A call was answered: whatever was refused before, it is over."""
        with self._lock:
            self._refused_in_a_row.pop(connection, None)

    def refused(self, connection: str, retry_after_seconds: float | None) -> float:
        """Somebody else used the budget: the connection pauses. Returns until when, in the upstream's time.

        Until the time that was given; else to the next minute, and when that is refused too to the next hour. Calls
        that were under way when the pause began are refused with it, and lengthen it only by a time they are given.
        """
        with self._lock:
            return self._pause(connection, retry_after_seconds)

    def refresh_refused(self, connection: str, retry_after_seconds: float | None) -> None:
        """A token refresh met the limit: the next one waits."""
        with self._lock:
            self._pause(_refresh_of(connection), retry_after_seconds)

    def _pause(self, key: str, retry_after_seconds: float | None) -> float:
        now, unsure = self._now()
        held = self._paused.get(key, 0.0)
        if retry_after_seconds is not None:
            until = now + max(_SHORTEST_PAUSE, min(retry_after_seconds, _LONGEST_PAUSE))
        elif held > now:
            return held
        else:
            seconds = 3600 if self._refused_in_a_row.get(key) else 60
            until = (now // seconds + 1) * seconds
        if held <= now:
            self._refused_in_a_row[key] = self._refused_in_a_row.get(key, 0) + 1
        self._paused[key] = max(held, until + unsure)
        return self._paused[key]

    def paused_until(self, connection: str) -> datetime | None:
        """Until when a connection waits for its limit, by our own clock; None when it does not."""
        with self._lock:
            now, _ = self._now()
            left = max(self._paused.get(connection, 0.0), self._full_until.get(connection, 0.0)) - now
        if left <= 0:
            return None
        return self._clock.now() + timedelta(seconds=left / self._scale)

    def _now(self) -> tuple[float, float]:
        """The upstream's time, and by how much it may be off."""
        offset = (self._lowest + self._highest) / 2
        return self._clock.monotonic() * self._scale + offset, (self._highest - self._lowest) / 2 + 0.05

    def _our_time(self, moment: float) -> float:
        """The monotonic second of a moment of the upstream's."""
        return (moment - (self._lowest + self._highest) / 2) / self._scale


def _refresh_of(connection: str) -> str:
    return f"refresh {connection}"

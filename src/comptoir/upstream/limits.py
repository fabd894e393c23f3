"""The upstream's limits as a budget: a call is booked in its window before it is made, so that none is ever refused.

Windows are fixed and start on the upstream's minute and hour, so its clock counts, learnt from the Date header of its
answers. Calls are remembered by a clock of our own: when we learn that the upstream's clock is another, those already
made are counted in the windows they were really made in. What is not sure is a margin: near the edge of a window a call
counts on both sides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from comptoir.errors import TryLater
from comptoir.runtime.clock import Clock
from comptoir.store.spending import REFRESH, Pause
from comptoir.upstream.ledger import ADDRESS, Entries, InMemory, Ledger

__all__ = ["Limit", "Limits", "Window"]

Limit = tuple[int, int]
_Budget = tuple[str, tuple[Limit, ...]]
_UNSURE_AT_FIRST = 2.0
_ON_ITS_WAY = 0.5  # seconds of our own that a call may take until the upstream counts it, however fast its clock runs
_LONGEST_SLEEP = 1.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 24 * 3600.0  # whatever an answer asks for
_HEADROOM_PERCENT = 2  # of each window, for people who wait and, later, for what is written
_WORTH_TELLING = 0.02  # seconds by which the upstream's clock must be better known


def _nothing_spent(connection: str | None, since: datetime) -> int:
    return 0


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The window that is open now: `spent` of `limit` calls in so many `seconds` of the upstream's; it is over at
    `until`, by our own clock. `budget` is `calls`, `refreshes` or `address`."""

    budget: str
    limit: int
    seconds: int
    spent: int
    until: datetime

    @property
    def left(self) -> int:
        return max(0, self.limit - self.spent)


class _Left(msgspec.Struct, frozen=True):
    """What was spent in a window of so many seconds when it was last booked in; it is over at `until`, upstream's."""

    seconds: int
    spent: int
    until: float


class Limits:
    """Budgets of every connection, and of the one address that all of them call from. Safe to use from threads.

    They are kept in `ledger`, or else in this process's memory, with what `spent` tells of those before it.
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
        ledger: Ledger | None = None,
    ) -> None:
        self.time_scale = time_scale
        self._clock, self._scale = clock, time_scale
        self._ledger: Ledger = ledger or InMemory(clock, spent)
        # One limit for each length of window: the lowest.
        lowest: dict[int, int] = {}
        for count, seconds in calls or ():
            lowest[seconds] = min(count, lowest.get(seconds, count))
        self._calls = tuple((count, seconds) for seconds, count in lowest.items())
        self._refreshes: tuple[Limit, ...] = (refreshes,) if refreshes else ()
        self._address: tuple[Limit, ...] = (address,) if address else ()
        self._began = (clock.now().timestamp(), clock.monotonic())
        self._lock = threading.Lock()
        self._pauses: dict[str, Pause] = {}  # as last seen in the ledger
        self._full_until: dict[str, float] = {}  # when a call that waits for room goes on
        self._left: dict[str, tuple[_Left, ...]] = {}  # as last booked, by budget
        # The upstream's time is the ledger's (scaled) plus something between these two; None until a call is made.
        self._bounds: tuple[float, float] | None = None
        self._learnt: tuple[float, float] | None = None  # likewise, what answers told that the ledger does not hold yet

    @property
    def are_off(self) -> bool:
        return not (self._calls or self._address)

    def reserve(self, connection: str, *, patience_seconds: float | None = None) -> None:
        """Book one call of a connection, waiting until its windows and the address's have room.

        TryLater at once when that would take longer than `patience_seconds`. Whoever has patience without end leaves
        some headroom to those who have not.
        """
        if self._calls or self._address or self._pauses:
            budgets: tuple[_Budget, ...] = ((connection, self._calls), (ADDRESS, self._address))
            if patience_seconds is None:
                budgets = tuple((name, tuple(map(_with_headroom, limits))) for name, limits in budgets)
            self._reserve(budgets, connection, patience_seconds)

    def reserve_refresh(self, connection: str) -> None:
        """Book one token refresh of a connection; it counts as a call from the address too."""
        name = REFRESH + connection
        self._reserve(((name, self._refreshes), (ADDRESS, self._address)), name, None)

    def _reserve(self, budgets: tuple[_Budget, ...], pause_key: str, patience_seconds: float | None) -> None:
        while True:
            try:
                wait = self._try(budgets, pause_key)
            except TryLater:  # the ledger's database is down: nobody may call uncounted
                if patience_seconds is not None:
                    raise
                wait = _LONGEST_SLEEP * self._scale
            if not wait:
                return
            if patience_seconds is not None and wait / self._scale > patience_seconds:
                raise TryLater(
                    "The limit of calls is used up for the moment.",
                    retry_after_seconds=wait / self._scale,
                    is_rate_limit=True,
                )
            self._clock.sleep(min(wait, _LONGEST_SLEEP))

    def _try(self, budgets: tuple[_Budget, ...], pause_key: str) -> float:
        """Book if there is room; else in how many of the upstream's seconds there may be."""
        with self._ledger.turn() as entries:
            self._catch_up(entries)
            self._see_pause(entries, pause_key)
            at = self._at()
            held = self._pauses.get(pause_key)
            wait = max(0.0, held.until - at) * self._scale if held is not None else 0.0
            wait = wait or self._book(entries, budgets)
        if wait:
            self._full_until[pause_key] = at + wait / self._scale
        return wait

    def _book(self, entries: Entries, budgets: tuple[_Budget, ...]) -> float:
        """Book in every window that the call may fall into; or how long until there is room."""
        now, unsure = self._now()
        on_its_way = _ON_ITS_WAY * self._scale
        left: dict[str, tuple[_Left, ...]] = {}
        for name, limits in budgets:
            for count, seconds in limits:
                self._recall(entries, name, seconds)
                spent = 0
                for index in sorted({int((now - unsure) // seconds), int((now + unsure + on_its_way) // seconds)}):
                    since = self._our_time(index * seconds - unsure - on_its_way)
                    spent = entries.count(name, seconds / self._scale, since)
                    if spent >= count:
                        return (index + 1) * seconds + unsure - now + 0.01
                left[name] = (*left.get(name, ()), _Left(seconds, spent + 1, (index + 1) * seconds))
        self._note(entries, budgets, self._at())
        self._left.update(left)
        return 0.0

    def _recall(self, entries: Entries, name: str, seconds: int) -> None:
        now, _ = self._now()
        entries.recall(name, seconds / self._scale, self._our_time(now // seconds * seconds))

    def _note(self, entries: Entries, budgets: tuple[_Budget, ...], at: float) -> None:
        for name, limits in budgets:
            entries.note(name, [seconds / self._scale for _, seconds in limits], at)

    def count_as(self, name: str, connection: str) -> None:
        """Calls made under another name, before it was known whose books are read, are this connection's."""
        with self._ledger.turn() as entries:
            self._catch_up(entries)
            for _, seconds in self._calls:
                self._recall(entries, connection, seconds)
            entries.rename(name, connection)

    def ended(self, connection: str, sent: float, received: float) -> None:
        """A call has ended, with or without an answer; `sent` and `received` are monotonic seconds.

        Where a window began meanwhile the call may have been counted in it: then it is booked there too.
        """
        if self.are_off or self._bounds is None:
            return
        at = self._ledger.at(received)
        sent_at, received_at = (self._ledger.at(one) * self._scale + self._bounds[0] for one in (sent, received))
        crossed = tuple(
            (name, tuple(one for one in limits if int(sent_at // one[1]) != int(received_at // one[1])))
            for name, limits in ((connection, self._calls), (ADDRESS, self._address))
        )
        if any(limits for _, limits in crossed):
            with suppress(TryLater), self._ledger.turn() as entries:
                self._note(entries, crossed, at)

    def answered(self, headers: Mapping[str, str], sent: float, received: float) -> None:
        """Learn the upstream's clock from an answer; `sent` and `received` are monotonic seconds."""
        if self._bounds is None:
            return
        try:
            told = parsedate_to_datetime(headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError, IndexError, OverflowError):
            return
        # The header names the second in which the answer was made: somewhere between sending and receiving.
        learnt = (told - self._ledger.at(received) * self._scale, told + 1.0 - self._ledger.at(sent) * self._scale)
        with self._lock:
            self._bounds = _together(self._bounds, learnt)
            self._learnt = learnt if self._learnt is None else _together(self._learnt, learnt)

    def _catch_up(self, entries: Entries) -> None:
        """Know what others learnt of the upstream's clock, and tell them what we did."""
        if (held := entries.clock()) is None:
            now, monotonic = self._began
            start = now - self._ledger.at(monotonic) * self._scale
            held = (start - _UNSURE_AT_FIRST, start + _UNSURE_AT_FIRST)
            entries.set_clock(*held)
        with self._lock:
            learnt, self._learnt = self._learnt, None
            bounds = self._bounds = held if learnt is None else _together(held, learnt)
        if learnt is not None and max(abs(a - b) for a, b in zip(bounds, held, strict=True)) > _WORTH_TELLING:
            entries.set_clock(*bounds)

    def accepted(self, connection: str) -> None:
        """A call was answered: whatever was refused before, it is over."""
        known = self._pauses.get(connection)
        if known is not None and known.refusals:
            with suppress(TryLater), self._ledger.turn() as entries:
                self._set_pause(entries, connection, Pause(known.until, 0))

    def refused(self, connection: str, retry_after_seconds: float | None) -> None:
        """Somebody else used the budget: the connection pauses, in all processes.

        Until the time that was given; else to the next minute, and when that is refused too to the next hour. Calls
        that were under way when the pause began are refused with it, and lengthen it only by a time they are given.
        """
        self._pause(connection, retry_after_seconds)

    def refresh_refused(self, connection: str, retry_after_seconds: float | None) -> None:
        """A token refresh met the limit: the next one waits."""
        self._pause(REFRESH + connection, retry_after_seconds)

    def _pause(self, key: str, retry_after_seconds: float | None) -> None:
        with self._ledger.turn() as entries:
            self._catch_up(entries)
            now, unsure = self._now()
            at = self._at()
            held = entries.pause(key) or Pause(0.0, 0)
            is_new = held.until <= at
            if retry_after_seconds is not None:
                until = now + max(_SHORTEST_PAUSE, min(retry_after_seconds, _LONGEST_PAUSE))
            elif not is_new:
                self._pauses[key] = held
                return
            else:
                seconds = 3600 if held.refusals else 60
                until = (now // seconds + 1) * seconds
            ours = max(held.until, self._our_time(until + unsure))
            self._set_pause(entries, key, Pause(ours, held.refusals + is_new))

    def _set_pause(self, entries: Entries, key: str, pause: Pause) -> None:
        entries.set_pause(key, pause)
        self._pauses[key] = pause

    def _see_pause(self, entries: Entries, key: str) -> None:
        if (held := entries.pause(key)) is not None:
            self._pauses[key] = held
        else:  # forgotten by whoever tidies up: long over, or dated by a clock that was ahead
            self._pauses.pop(key, None)

    def paused_until(self, connection: str) -> datetime | None:
        """Until when a connection waits for its limit, by our own clock, as far as this process knows; None when it
        does not."""
        paused = self._pauses.get(connection)
        until = max(0.0 if paused is None else paused.until, self._full_until.get(connection, 0.0))
        left = until - self._at() if until else 0.0
        return self._clock.now() + timedelta(seconds=left) if left > 0 else None

    def windows(self, budget: str | None) -> list[Window]:
        """What is spent and left in each window that is open now: of the calls and token refreshes of a connection's
        `budget`, and of the calling address; without one of the address only. Empty where there are no limits.

        Counted anew whenever it is asked for, on PostgreSQL over all processes; TryLater when the database does not
        answer.
        """
        budgets = [("address", ADDRESS, self._address)]
        if budget is not None:
            mine = [("calls", budget, self._calls), ("refreshes", REFRESH + budget, self._refreshes)]
            budgets = [*mine, *budgets]
        if not any(limits for _, _, limits in budgets):
            return []
        found: list[Window] = []
        with self._ledger.turn() as entries:
            self._catch_up(entries)
            now, _ = self._now()
            for kind, name, limits in budgets:
                for limit, seconds in limits:
                    self._recall(entries, name, seconds)
                    begun = now // seconds * seconds
                    spent = entries.count(name, seconds / self._scale, self._our_time(begun))
                    until = self._clock.now() + timedelta(seconds=(begun + seconds - now) / self._scale)
                    found.append(Window(budget=kind, limit=limit, seconds=seconds, spent=spent, until=until))
        return found

    def left(self, connection: str) -> tuple[tuple[int, int], ...]:
        """How many calls each of a connection's windows still allowed when it last made one, by its length in
        seconds."""
        return tuple((one.seconds, left) for one, left in self._known(connection, self._calls))

    def lowest(self) -> dict[str, int]:
        """How many calls each kind of window still allows whoever has least left, as far as this process knows: by its
        length, as in `60s`, and as `refresh` and `address`."""
        lowest = {f"{seconds}s": limit for limit, seconds in self._calls}
        lowest.update(("refresh", limit) for limit, _ in self._refreshes)
        lowest.update(("address", limit) for limit, _ in self._address)
        if self._bounds is None:
            return lowest
        now, _ = self._now()
        for name in list(self._left):
            kind = "address" if name == ADDRESS else "refresh" if name.startswith(REFRESH) else None
            limits = self._address if kind == "address" else self._refreshes if kind == "refresh" else self._calls
            for one, left in self._known(name, limits):
                if one.until > now:
                    key = kind or f"{one.seconds}s"
                    lowest[key] = min(lowest[key], left)
        return lowest

    def _known(self, name: str, limits: tuple[Limit, ...]) -> list[tuple[_Left, int]]:
        of_length = {seconds: limit for limit, seconds in limits}
        return [(one, max(0, of_length[one.seconds] - one.spent)) for one in self._left.get(name, ())]

    def _at(self) -> float:
        return self._ledger.at(self._clock.monotonic())

    def _now(self) -> tuple[float, float]:
        """The upstream's time, and by how much it may be off."""
        assert self._bounds is not None
        lowest, highest = self._bounds
        return self._at() * self._scale + (lowest + highest) / 2, (highest - lowest) / 2 + 0.05

    def _our_time(self, moment: float) -> float:
        """The ledger's second of a moment of the upstream's."""
        assert self._bounds is not None
        return (moment - (self._bounds[0] + self._bounds[1]) / 2) / self._scale


def _with_headroom(limit: Limit) -> Limit:
    count, seconds = limit
    return count - count * _HEADROOM_PERCENT // 100, seconds


def _together(held: tuple[float, float], learnt: tuple[float, float]) -> tuple[float, float]:
    """What both tell; where they contradict one another a clock was set, and the newer one counts."""
    lowest, highest = max(held[0], learnt[0]), min(held[1], learnt[1])
    return (lowest, highest) if lowest <= highest else learnt

"""What is known of one pass over one list: which pages came, whether the list moved meanwhile, who was met.

A list that nobody changes tells the same total on every page, holds as many records, and none twice. That is not quite
enough: one record gone and another added leave the total as it was, and shift a third one past the reader. So a list of
several pages that can tell changes since an instant is asked for them once it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from comptoir.errors import UpstreamChanged
from comptoir.integrations.contract import Kind, Resource
from comptoir.sync.ids import Ids
from comptoir.sync.outcomes import Outcome, outcome_of

__all__ = ["Params", "Walk", "Window", "is_descending", "unread"]

Params = tuple[tuple[str, str], ...]
_UNREAD = "\x00"
_MOST_PAGES = 100_000  # ten million records: nobody's list is as long
# Without the upstream's own time ours must do, and the two clocks may be this far apart.
_CLOCKS_APART = timedelta(minutes=10)


def unread(window: str, page: int, position: int) -> str:
    """Stands for a record whose id could not be read, so that counts still agree with the list's total."""
    return f"{_UNREAD}{window}/{page}/{position}"


class Window:
    """One list of a walk: the whole resource, or the part of it that belongs to one parent record.

    With `since` only what changed from then on is asked for; how many records there are in all is counted afterwards,
    or told along where the list is asked for `newest_first`, up to what is older.
    """

    def __init__(self, params: Params, since: datetime | None = None, *, newest_first: bool = False) -> None:
        self.params, self.since = params, since
        self.is_newest_first = newest_first and since is not None
        self.oldest: datetime | None = None  # met so far of a list that gives the newest first
        self.pages: set[int] = set()
        self.last_page: int | None = None  # None while not known
        self.totals: set[int] = set()
        self.met = 0
        self.begun_at: datetime | None = None
        self.has_moved = False
        self.changes_are_read = False
        self.tells_changes = True
        self.is_closed = False
        self.is_proof_asked = False
        self.is_proven = False
        self.unread = 0
        # Of a window asked for changes: did it give older records, how many records there are in all, and which of
        # those held are not there, None where that could not be told.
        self.is_ignored = False
        self.is_counted = False
        self.total: int | None = None
        self.is_narrowed = False
        self.missing: frozenset[str] | None = None

    def came(
        self, number: int, *, total: int | None, has_next: bool | None, count: int, is_news: bool, page_size: int
    ) -> list[int]:
        """Note a page; the numbers of the pages to ask for next. `is_news`: it held a record not met before."""
        self.pages.add(number)
        self.met += count
        if self.is_newest_first:
            return self._newest_came(number, total=total, has_next=has_next, is_full=count >= page_size)
        if has_next is None:  # then a page is the last one if it is not full, or, where nothing else tells, empty
            has_next = count >= (1 if total is None else page_size)
        if total is not None:
            self.totals.add(total)
            if self.last_page is None:
                self.last_page = max(number, 1, -(-total // page_size))
                if number < self.last_page:
                    return list(range(number + 1, self.last_page + 1))
        # A page that only repeats what was met ends a list, or one that ignores page numbers would never end.
        if has_next and is_news and number >= (self.last_page or 0) and number < _MOST_PAGES:
            # No total to go by, a list that grew, or one that gives fewer records a page than it was asked for.
            self.last_page = None if total is None else number + 1
            return [number + 1]
        if self.last_page is None:
            self.last_page = number
        return []

    def _newest_came(self, number: int, *, total: int | None, has_next: bool | None, is_full: bool) -> list[int]:
        if total is not None:
            self.totals.add(total)
            self.total, self.is_counted = total, True
        has_more = is_full if has_next is None else has_next
        if has_more and not _is_older(self.since, [self.oldest]):
            return [number + 1]
        self.last_page = number
        return []

    def still_to_read(self) -> list[int]:
        """Pages known to be missing."""
        last = self.last_page if self.last_page is not None else max(self.pages, default=0) + 1
        return [number for number in range(1, last + 1) if number not in self.pages]

    def is_not_heard(self, total: int | None, times: Iterable[datetime | None], *, page_size: int) -> bool:
        """Whether an answer to what changed since the walk began is the whole list, the question ignored."""
        if self.since is None and total is not None and total >= self.met and total > page_size:
            return True
        return _is_older(self.begun_at, times)

    def heard(self, times: Iterable[datetime | None]) -> None:
        """Note when the records of a page changed: older ones than were asked for show that it was not heard, or an
        order that is another than was asked for."""
        if not self.is_newest_first:
            self.is_ignored = self.is_ignored or _is_older(self.since, times)
            return
        for time in times:
            if time is None or (self.oldest is not None and time > self.oldest):
                self.is_ignored = True
            self.oldest = time

    def is_older(self, time: datetime | None) -> bool:
        """Whether what changed then had changed before the reading began."""
        return _is_older(self.begun_at, [time])

    def stood_still(self) -> bool:
        are_met = self.is_newest_first or not self.totals or self.met in self.totals
        return not self.has_moved and len(self.totals) <= 1 and are_met


def is_descending(times: Sequence[datetime | None]) -> bool:
    """Do all tell a time, the newest first?"""
    told = [time for time in times if time is not None]
    return len(told) == len(times) and told == sorted(told, reverse=True)


def _is_older(since: datetime | None, times: Iterable[datetime | None]) -> bool:
    begun = since.replace(microsecond=0) if since is not None else None
    return begun is not None and any(time is not None and time < begun for time in times)


class Walk:
    """One pass over the lists of one resource, or some of them; `attempt` counts passes of the same kind."""

    def __init__(
        self,
        resource: Resource,
        pass_number: int,
        windows: Mapping[str, Params],
        *,
        attempt: int = 1,
        since: Mapping[str, datetime | None] | None = None,
    ) -> None:
        self.resource = resource
        self.pass_number, self.attempt = pass_number, attempt
        since = since or {}
        is_by_order = resource.since is None
        self.windows = {
            name: Window(params, since.get(name), newest_first=is_by_order) for name, params in windows.items()
        }
        self.names = frozenset({""})  # of all windows that the resource has, read by this pass or not
        self.pages_before = 0
        self.open = 0  # tasks asked for that have not come back
        self.seen = Ids()
        self.carried = Ids()  # met by an earlier pass, in windows that this one does not read again
        self.lacked: frozenset[str] = frozenset()  # found missing by an earlier pass, in such windows
        self.outcome = Outcome(passes=pass_number)
        # When all pages are in: what is missing from the list, and what asking for it by itself said.
        self.is_settled = False
        self.is_proof = False  # it stood still, and all of it could be read: what it lacks is not there
        self.suspicious: frozenset[str] = frozenset()  # windows that lost so much that a second pass must agree
        self.live = 0
        self.missing: set[str] = set()
        self.asked: dict[str, bool] | None = None
        self.asking_failed: str | None = None
        self.is_cut_by_limit = False

    @property
    def pages_done(self) -> int:
        """Those of earlier passes included, so that what is told rises."""
        return self.pages_before + sum(len(window.pages) for window in self.windows.values())

    @property
    def pages_in_all(self) -> int | None:
        """None while any window has not told."""
        lasts = [window.last_page for window in self.windows.values()]
        return None if None in lasts else self.pages_before + sum(filter(None, lasts))

    def page_came(
        self, name: str, number: int, *, total: int | None, has_next: bool | None, ids: Sequence[str], page_size: int
    ) -> list[int]:
        """Note a page of a window; the numbers of the pages to ask for next."""
        window = self.windows[name]
        news = self.seen.update(ids)
        if news != len(ids):
            window.has_moved = True  # met before: the list shifted under the reader
        unread_ones = sum(id_.startswith(_UNREAD) for id_ in ids)
        self.outcome.set_aside += unread_ones
        window.unread += unread_ones
        if self.resource.kind is not Kind.LIST:
            window.pages.add(number)
            window.last_page = number
            return []
        if number >= _MOST_PAGES:
            message = f"The list {self.resource.name} has not ended after {_MOST_PAGES:,} pages."
            self.outcome = outcome_of(UpstreamChanged(message))
        # What could not be read may be anything: it is taken for news only where the upstream says that more follows.
        is_news = news > (unread_ones if has_next is None else 0)
        return window.came(number, total=total, has_next=has_next, count=len(ids), is_news=is_news, page_size=page_size)

    def begin(self, name: str, *, made_after: datetime | None, now: datetime) -> datetime:
        """Changes to a window count from before its first page was put together, by the upstream's own clock."""
        begun = made_after if made_after is not None else now - _CLOCKS_APART
        self.windows[name].begun_at = begun
        return begun

    def has_begun_after(self, moment: datetime, floor: datetime) -> bool:
        """Whether what changed at that moment, by the upstream's clock, stands in what is read: nothing is read before
        `floor`."""
        begun = min((window.begun_at or floor for window in self.windows.values()), default=None)
        return begun is None or begun.replace(microsecond=0) > moment

    def changes_to_read(self) -> list[tuple[str, Params]]:
        """Windows whose changes since the walk began are still to be asked for, and how to ask."""
        if not self.resource.tells_changes:
            return []
        return [
            (name, self._changes(window, window.begun_at))
            for name, window in self.windows.items()
            if len(window.pages) > 1 and window.begun_at is not None and not window.changes_are_read
        ]

    def params_of(self, name: str) -> Params:
        """How to ask for a window: for all of it, or for what changed."""
        window = self.windows[name]
        return window.params if window.since is None else self._changes(window, window.since)

    def _changes(self, window: Window, since: datetime) -> Params:
        if self.resource.since is None:
            return (*window.params, *self.resource.newest_first)
        return (*window.params, (self.resource.since, since.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"))

    @property
    def partial(self) -> dict[str, Window]:
        """Windows that were asked for changes only."""
        return {name: window for name, window in self.windows.items() if window.since is not None}

    @property
    def whole(self) -> dict[str, Window]:
        return {name: window for name, window in self.windows.items() if window.since is None}

    @property
    def is_of_all(self) -> bool:
        """Whether it reads all that there is of the resource."""
        return self.names == self.whole.keys()

    def stood_still(self) -> bool:
        """Did the list stand still while it was read? Then it holds each live record exactly once."""
        return self.resource.kind is not Kind.LIST or all(window.stood_still() for window in self.windows.values())

    def to_agree(self) -> list[str]:
        """Windows of several pages that cannot tell changes: they are believed once two passes agree, or once it is
        proven that all was met. One that is over is taken to stand still."""
        if self.resource.kind is not Kind.LIST:
            return []
        return [
            name
            for name, window in self.windows.items()
            if len(window.pages) > 1
            and not window.is_closed
            and not window.is_proven
            and not (self.resource.tells_changes and window.tells_changes)
        ]

    def agrees_with(self, before: Walk) -> bool:
        """Whether both met the same records in the windows that must agree."""
        return self.seen <= before.seen and all(
            name in before.windows and before.windows[name].met == self.windows[name].met for name in self.to_agree()
        )

    def carry_on(self, before: Walk) -> None:
        """Take over the windows of an earlier pass that this one does not read again."""
        rest = {name: window for name, window in before.windows.items() if name not in self.windows}
        if rest:
            self.windows |= rest
            self.carried = before.seen
            self.pages_before -= sum(len(window.pages) for window in rest.values())

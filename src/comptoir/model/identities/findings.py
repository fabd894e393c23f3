"""What identities are held against, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from decimal import Decimal
from typing import Any, Literal, Protocol

import msgspec

__all__ = ["BankFigures", "Figures", "Findings", "Line", "Once", "SourceFacts", "State", "Stored"]

State = Literal["held", "breached", "not checked"]
_MOST_DETAILS = 20  # records named for one identity; all are counted


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one identity. `checked` counts the records looked at; `details` names the first that breach it."""

    code: str
    words: str
    state: State
    checked: int = 0
    breaches: int = 0
    details: tuple[str, ...] = ()


class Figures(msgspec.Struct, frozen=True):
    """What the source says of one document, as sizes: net and tax only where it says both. `due` is what it says is
    still open, `flow` the money of one without a document: in positive, out negative."""

    total: Decimal
    net: Decimal | None = None
    tax: Decimal | None = None
    due: Decimal | None = None
    flow: Decimal | None = None
    withheld: Decimal | None = None  # what the rate gives on the lines it applies to, where there is a rate


class BankFigures(msgspec.Struct, frozen=True):
    """What the source says of a bank account: where it began and where it stands."""

    opening: Decimal
    current: Decimal


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """Source records that must each be served exactly once, as one of several data types.

    `origin` gives the source id of a served record, or None for one of another origin. `both_sides` names the data
    type whose records may stand for two source records: `other_side` gives the second one.
    """

    code: str
    words: str
    ids: Set[str]
    origin: Mapping[str, Callable[[str], str | None]]
    both_sides: str | None = None
    other_side: Mapping[str, str] = {}


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the source itself says; a mapping or set that is None could not be read."""

    figures: Mapping[str, Mapping[str, Figures]] = {}  # by data type and record id
    once: tuple[Once, ...] = ()
    bank: Mapping[str, BankFigures] | None = None
    unreconciled: Set[str] | None = None  # ids of statement lines not explained in full, or marked for review


class Stored(Protocol):
    """The books as they are stored."""

    def data_types(self) -> Collection[str]:
        """Those that were all read at one time, so that they can be held against each other."""
        ...

    def ids(self, data_type: str, *, live: bool = False) -> Set[str]:
        """All ids, those of deleted records too unless only live ones are wanted."""
        ...

    def records(self, data_type: str) -> Iterator[Any]:
        """Live records, decoded; raises msgspec.DecodeError at one that has not its data type's shape."""
        ...


class Findings:
    """Gathers what is found; an identity nobody looked at is "not checked"."""

    def __init__(self, identities: Mapping[str, str]) -> None:
        self._words = identities
        self._checked = dict.fromkeys(identities, 0)
        self._breaches = dict.fromkeys(identities, 0)
        self._details: dict[str, list[str]] = {code: [] for code in identities}
        self._why: dict[str, str] = {}

    def looked(self, code: str, count: int = 1) -> None:
        self._checked[code] += count

    def breach(self, code: str, detail: str) -> None:
        self._breaches[code] += 1
        if len(self._details[code]) < _MOST_DETAILS:
            self._details[code].append(detail)

    def skipped(self, code: str, why: str) -> None:
        """Not, or not wholly, looked at, for this reason."""
        self._why.setdefault(code, why)

    def lines(self) -> tuple[Line, ...]:
        return tuple(self._line(code) for code in self._words)

    def _line(self, code: str) -> Line:
        breaches, details = self._breaches[code], tuple(self._details[code])
        why = self._why.get(code)
        state: State = "held"
        if breaches:
            state = "breached"
        elif why is not None:
            state, details = "not checked", (why,)
        return Line(
            code=code,
            words=self._words[code],
            state=state,
            checked=self._checked[code],
            breaches=breaches,
            details=details,
        )

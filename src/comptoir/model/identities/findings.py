"""What identities are held against, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

import msgspec

from comptoir.model.identities.catalogue import IDENTITIES
from comptoir.model.identities.told import Reported
from comptoir.model.money import WIDE

__all__ = [
    "MOVED",
    "BankFigures",
    "Fault",
    "Figures",
    "Findings",
    "LedgerFacts",
    "Line",
    "Movement",
    "Pile",
    "Redated",
    "SourceFacts",
    "State",
    "Stored",
]

State = Literal["held", "breached", "noted", "not checked"]
_MOST_FAULTS = 20  # named for one identity; all are counted
MOVED = "Some of the books were changed while they were read: the next reading will tell."
_NOTHING = "There is nothing in these books that it speaks of."
_T = TypeVar("_T")


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that breaches an identity, and how: in words, and by the two figures that should be one, where they
    are figures. Without a data type it is no record of ours, but something the source has and we should."""

    data_type: str
    id: str
    detail: str
    should_be: Decimal | None = None
    is_: Decimal | None = None

    @property
    def difference(self) -> Decimal | None:
        """What is too much; negative for what is lacking."""
        return None if self.should_be is None or self.is_ is None else WIDE.subtract(self.is_, self.should_be)


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one identity. `checked` counts the records looked at; `faults` are the first that breach it,
    `reasons` say why it was not, or not wholly, checked. "noted": what the source means is not known well enough to
    call it a breach, so `reasons` say what was found. `as_of`: it rests on something that was read at that earlier
    moment, and agrees with what was read now."""

    code: str
    state: State
    checked: int = 0
    breaches: int = 0
    faults: tuple[Fault, ...] = ()
    reasons: tuple[str, ...] = ()
    as_of: datetime | None = None

    @property
    def words(self) -> str:
        """The identity itself; its code, if it is none of today's."""
        return IDENTITIES.get(self.code, self.code)

    @property
    def details(self) -> tuple[str, ...]:
        """All there is to say of it, in words."""
        return (*(fault.detail for fault in self.faults), *self.reasons)


class Figures(msgspec.Struct, frozen=True):
    """What the source says of one document, as sizes: net and tax only where it says both, `due` what it says is
    still open. `withheld` is what the rate gives on the `withheld_on` lines it applies to, where there is a rate;
    `suffered` is the part of it that came due with what was paid. `is_settled_unseen`: it was settled in a way that no
    payment tells of."""

    total: Decimal
    net: Decimal | None = None
    tax: Decimal | None = None
    due: Decimal | None = None
    withheld: Decimal | None = None
    suffered: Decimal | None = None
    withheld_on: int = 1
    is_settled_unseen: bool = False


class Movement(msgspec.Struct, frozen=True):
    """Money that moved, as the source says: in positive, out negative. `tax` is the part of it that is tax, None
    where it is not told; `other_side` is the movement it makes one transfer with; `to_review` the bank line that
    waits for somebody to look at this."""

    amount: Decimal
    tax: Decimal | None = None
    other_side: str | None = None
    to_review: str | None = None


class BankFigures(msgspec.Struct, frozen=True):
    """What the source says of a bank account: where it began and where it stands."""

    opening: Decimal
    current: Decimal


class LedgerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the source's own trial balance says, by account as we name it, debit positive, in the company's currency.

    `until` is the day it was drawn up for; `opening` what accounts held when the books began, None if not told.
    `debtors` and `creditors` are the control accounts, `users` those of what people paid out of pocket, `taxes` those
    of sales tax, `retained` that of profit of earlier years. `began` is the first day of the books, `year_began` that
    of the accounting year. `may_be_cash_basis`: the company may have chosen to post documents when they are paid, and
    the source does not say whether it did. `is_flat_rate`: of the tax on documents a share of the total is owed, at
    least at some time, and the rest of it is income or cost.
    """

    totals: Mapping[str, Decimal]
    until: date
    debtors: str
    creditors: str
    users: Set[str] = frozenset()
    opening: Mapping[str, Decimal] | None = None
    taxes: Set[str] = frozenset()
    retained: str = ""
    suspense: str = ""
    began: date | None = None
    year_began: date | None = None
    may_be_cash_basis: bool = False
    is_flat_rate: bool = False


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the source itself says; what is None could not be read.

    `documents`, `movements` and `open_lines` tell in the order of ids, of what should be served those it is served
    under, anew at each call: nothing of any size stays in memory. With None comes what is there and cannot be read.
    """

    documents: Mapping[str, Callable[[], Iterator[tuple[str, Figures | None]]]] = {}  # by data type
    movements: Callable[[], Iterator[tuple[str, Movement | None]]] | None = None
    is_movement: Callable[[str], bool] = lambda _: True  # does a record of this id come of `movements`?
    bank: Mapping[str, BankFigures] | None = None
    # Bank lines not explained in full, with their account and what is still open.
    open_lines: Callable[[], Iterator[tuple[str, str, Decimal]]] | None = None
    ledger: LedgerFacts | None = None
    contacts: Callable[[], Iterator[tuple[str, Decimal]]] | None = None  # what each owes us in all, negative: we owe
    reported: Reported = Reported()
    lists: Callable[[str, str], bool] = lambda *_: True  # (data type, id): does the source have such a record?
    # (data type, id): was it changed, or what settles or explains it, while the books were read? ("", ""): was any?
    is_moving: Callable[[str, str], bool] = lambda *_: False


class Pile(Protocol[_T]):
    """Rows put down in any order, and taken up once in the order of their keys: of any number, in little memory."""

    def put(self, key: str, row: _T) -> None: ...

    def __iter__(self) -> Iterator[tuple[str, _T]]: ...


class Redated(msgspec.Struct, frozen=True):
    """A record whose source was changed while this reading went on. `modified` is when our copy last changed, and
    `source_modified` when it is served to have changed at the source; `before` and `says` are what the source dated
    itself until then, and dates itself now."""

    id: str
    modified: datetime
    source_modified: datetime | None
    before: datetime | None
    says: datetime | None


class Stored(Protocol):
    """The books as they are stored."""

    def data_types(self) -> Collection[str]:
        """Those that were all read at one time, so that they can be held against each other."""
        ...

    def read_earlier(self, data_type: str) -> datetime | None:
        """When a data type that was not read with the others was read last, whole; None if it was read with them, or
        not whole."""
        ...

    def present(self, data_type: str, ids: Collection[str]) -> Set[str]:
        """Those of these ids that there are records of, deleted ones too."""
        ...

    def documents(self, data_type: str) -> Iterator[tuple[str, bytes]]:
        """Live records in the order of their ids, as they are stored."""
        ...

    def outlived(self, data_type: str) -> Iterator[str]:
        """Live records whose source was deleted."""
        ...

    def lacking(self, data_type: str) -> str | None:
        """Why some of its records may not be there, though the source has them: set aside, or refused to us."""
        ...

    def left_out(self, data_type: str) -> str | None:
        """Why some of its records are not held on purpose, which `lacking` tells too; None if all are."""
        ...

    def begun_at(self) -> datetime | None:
        """When the reading began, by our clock; None where that is not known."""
        ...

    def now(self) -> datetime: ...

    def redated(self, data_type: str) -> Iterator[Redated]:
        """Live records whose source was changed since the reading began."""
        ...

    def modified_after(self, data_type: str, moment: datetime) -> Iterator[tuple[str, datetime]]:
        """Live records whose copy here is said to have changed later than that, and when."""

    def pile(self, of: type[_T]) -> Pile[_T]:
        """An empty one, for rows of a type."""
        ...


class Findings:
    """Gathers what is found; an identity nobody looked at is "not checked"."""

    def __init__(self) -> None:
        self._checked = dict.fromkeys(IDENTITIES, 0)
        self._breaches = dict.fromkeys(IDENTITIES, 0)
        self._faults: dict[str, list[Fault]] = {code: [] for code in IDENTITIES}
        self._why: dict[str, list[str]] = {code: [] for code in IDENTITIES}
        self._noted: set[str] = set()
        self._as_of: dict[str, datetime] = {}

    def looked(self, code: str, count: int = 1) -> None:
        self._checked[code] += count

    def breach(self, code: str, fault: Fault) -> None:
        self._breaches[code] += 1
        if len(self._faults[code]) < _MOST_FAULTS:
            self._faults[code].append(fault)

    def adopt(self, code: str, aside: Findings) -> State:
        """Take over what was found aside, but for breaches; what state that was."""
        line = aside._line(code)
        if not line.breaches:
            self.looked(code, line.checked)
            for reason in line.reasons:
                (self.noted if line.state == "noted" else self.skipped)(code, reason)
        return line.state

    def rests_on(self, code: str, moment: datetime) -> None:
        """An identity is held against something that was read at that earlier moment."""
        self._as_of[code] = moment

    def noted(self, code: str, what: str) -> None:
        """Found out, and no breach whichever way it is."""
        self._noted.add(code)
        self.skipped(code, what)

    def skipped(self, code: str, why: str) -> None:
        """Not, or not wholly, looked at, for this reason."""
        if why not in self._why[code]:
            self._why[code].append(why)

    def breach_if_still(
        self, is_moving: Callable[[str, str], bool], lacking: str | None, code: str, fault: Fault
    ) -> None:
        """A breach, unless something is lacking, or the record moved while it was read piece by piece."""
        if lacking is None and is_moving(fault.data_type, fault.id):
            lacking = MOVED
        self.breach_unless(lacking, code, fault)

    def breach_unless(self, lacking: str | None, code: str, fault: Fault) -> None:
        """A breach, unless something is lacking, which is told elsewhere too: then this cannot be told."""
        if lacking is None:
            self.breach(code, fault)
        else:
            self.skipped(code, lacking)

    def lines(self) -> tuple[Line, ...]:
        return tuple(self._line(code) for code in IDENTITIES)

    def _line(self, code: str) -> Line:
        checked, breaches, why = self._checked[code], self._breaches[code], self._why[code]
        state: State = "held"
        if breaches:
            state = "breached"
        elif code in self._noted:
            state = "noted"
        elif why or not checked:
            state = "not checked"
        return Line(
            code=code,
            state=state,
            checked=checked,
            breaches=breaches,
            faults=tuple(self._faults[code]),
            reasons=tuple(why if why or checked else [_NOTHING]),
            as_of=self._as_of.get(code) if checked else None,
        )

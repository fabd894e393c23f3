"""What an integration declares, and what the engine gives it in return.

An integration is data and pure functions: how its API is read (RESOURCES), what is served from it (DATA_TYPES), how
its OAuth works, which words its set-up page shows. It never does I/O itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import msgspec

from comptoir.errors import ProductError
from comptoir.model.identities import SourceFacts
from comptoir.model.records import Instant

__all__ = [
    "Access",
    "Attached",
    "ByDay",
    "Covered",
    "DataType",
    "Direction",
    "Feature",
    "Files",
    "Hop",
    "Identity",
    "InOrder",
    "Integration",
    "Kind",
    "Link",
    "Loaded",
    "Making",
    "Mapped",
    "Note",
    "OAuth",
    "Part",
    "Printed",
    "Proof",
    "RawRecord",
    "RawRow",
    "ReadRaw",
    "ReadWindow",
    "Resource",
    "Series",
    "SetupStep",
    "Source",
    "Words",
]


class Kind(StrEnum):
    """How a resource answers: a paged list, one unpaged document holding records, one record, or a report.

    A report is kept whole: the answer is one raw record, and its id is the name of its window, or the resource's.
    """

    LIST = "list"
    DOCUMENT = "document"
    SINGLE = "single"
    REPORT = "report"


class Link(msgspec.Struct, frozen=True):
    """A record of ours names another: (`paid_invoice`, `invoices`, `5150077`). Kept in an indexed table."""

    name: str
    resource: str
    id: str


class RawRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine must know of a record to store it raw; the body itself is kept as it arrived."""

    id: str
    updated_at: datetime | None
    links: tuple[Link, ...] = ()
    sort_key: str = ""  # mapping reads a resource in the order (sort_key, id)


class RawRow(msgspec.Struct, frozen=True):
    """A stored raw record as mapping sees it."""

    id: str
    part: str
    body: bytes


class ReadWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A range of a resource that is read by itself, such as an accounting year. Its name can stand in a path.

    A closed one is over since `last`, its last day, and nothing new is expected in it: it need not be read again as
    long as `Resource.closed_until_moved` stays as it was, in the window of the same name or in `told_by`, and no record
    of `Resource.moved_by` of that day or before came, changed or went. What `told_by` names is of a later day, and what
    only moved from one window to another before that day does not show there: then such a window stands only where all
    of `moved_by` were read in the same run.
    """

    name: str
    params: tuple[tuple[str, str], ...]
    is_closed: bool = False
    last: str = ""
    told_by: str | None = None


class ByDay(msgspec.Struct, frozen=True, kw_only=True):
    """A list can be cut by days: parameters that take the first and the last day, and a record's day as text that
    orders as days do, None where it has none."""

    first: str
    last: str
    day: Callable[[bytes], str | None]

    def between(self, first: str, last: str) -> tuple[tuple[str, str], ...]:
        return ((self.first, first), (self.last, last))


class InOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A list can be put in an order of time by parameters; a record's moment is text that orders as time does."""

    params: tuple[tuple[str, str], ...]
    moment: Callable[[bytes], str | None]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Shows with one call that a list of several pages was read right while its upstream may have changed it: the
    report that its records add up to, asked for once they are in.

    `report` is the resource to ask, with the parameters that `asked` gives for the window. `holds` is told the window,
    the bodies of its records, the answer, and the rows of `beside`; where it cannot tell, it does not hold.
    """

    report: str
    asked: Callable[[ReadWindow], tuple[tuple[str, str], ...]]
    beside: tuple[str, ...]
    holds: Callable[[ReadWindow, Iterable[bytes], bytes, Mapping[str, tuple[RawRow, ...]]], bool]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the upstream offers, and how to read all of it.

    `keys` are the members of the answer that hold records, a list each (or one object); the member a record came
    under is kept as its `part`. `read` looks at one record's bytes; it raises msgspec.ValidationError or ValueError
    for one that cannot be filed, which is then set aside with that reason.
    `per` names a resource whose every record asks for a read of its own: `per_param` takes that record's URL.
    `windows` says which ranges are read, each by itself, from the rows of `windows_of`, today's date and how many
    months reports are kept for; what is in no window any more is gone. Where `path` names a parameter in braces, its
    value goes there.
    `lasting` tells what of a record's bytes stays until somebody edits it, as something that compares equal: a body
    that differs in nothing else is kept in its newest form, and is no change.
    `touches` are those links of a record that name others which tell something of it, such as the invoice that a
    payment settles: their own date need not move when it comes, changes or goes, so they are asked for again by
    themselves.
    `narrowing` is how a record that is gone is found without reading the whole list.
    """

    name: str
    path: str
    kind: Kind
    keys: tuple[str, ...]
    read: Callable[[bytes], RawRecord]
    params: tuple[tuple[str, str], ...] = ()
    per: str | None = None
    per_param: str | None = None
    access_level: int = 1
    since: str | None = None  # the parameter that asks for what changed at an instant or later, where there is one
    newest_first: tuple[tuple[str, str], ...] = ()  # where there is none: puts what changed last at the beginning
    today_param: str | None = None  # a parameter that takes today's date, such as a report's to_date
    windows: Callable[[Mapping[str, tuple[RawRow, ...]], date, int], tuple[ReadWindow, ...]] | None = None
    windows_of: tuple[str, ...] = ()
    closed_until_moved: str | None = (
        None  # reports by windows: one that changed tells of change in windows that are over
    )
    moved_by: tuple[str, ...] = ()  # resources with a `day`: their records tell of change in windows that are over
    worded_by: tuple[str, ...] = ()  # resources whose names stand in the records of every window
    after: tuple[str, ...] = ()  # resources that this one, read later, shows to have stood still or moved meanwhile
    day: Callable[[bytes], str | None] | None = None  # of a record, as text that orders as days do; None: of any
    proof: Proof | None = None
    lasting: Callable[[bytes], object] | None = None
    touches: frozenset[str] = frozenset()  # names of links
    narrowing: ByDay | InOrder | None = None
    asked_by_id: bool = True  # can a record be asked for by itself, and is its absence then worth knowing?
    is_derived: bool = False  # the upstream works it out from other records, as it does every report: nobody edits it

    @property
    def parents(self) -> tuple[str, ...]:
        """What must be read before this can be: its windows depend on it."""
        return self.windows_of if self.per is None else (self.per, *self.windows_of)

    @property
    def tells_changes(self) -> bool:
        """Can it be asked for what changed since an instant?"""
        return self.since is not None or bool(self.newest_first)

    @property
    def told_by(self) -> tuple[str, ...]:
        """What is read before it, if that is read at all: it tells which windows need not be read, or proves them."""
        beside = () if self.proof is None else self.proof.beside
        return tuple(filter(None, (self.closed_until_moved, *self.moved_by, *self.worded_by, *beside, *self.after)))


class Loaded(msgspec.Struct, kw_only=True):
    """What the engine has read for one batch; an integration builds its books from this.

    `whole`: every row of the small resources the data type names. `rows`: rows reached by hops, by resource and id
    (the batch itself included). `naming`: rows found by an incoming hop or one beside: (resource, link name) -> id
    named -> rows, live ones only.
    `carried` lives through one mapping of one data type: running totals go here. `today` is the day of the sync, and
    None for a data type that is not `by_day`.
    """

    whole: Mapping[str, tuple[RawRow, ...]]
    rows: Mapping[str, Mapping[str, RawRow]]
    naming: Mapping[tuple[str, str], Mapping[str, tuple[RawRow, ...]]]
    carried: dict[str, Any]
    today: datetime | None
    complete: frozenset[str]  # resources whose latest read was complete


class Direction(StrEnum):
    OUT = "out"  # follow a link from a loaded row to the row it names
    IN = "in"  # find rows whose link names a loaded row
    BESIDE = "beside"  # find rows whose link names what a loaded row's names: what is named need not be a row itself


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One step of loading: from the rows of `start` loaded so far to rows of `to`, along the link `link`.

    OUT: `link` is declared on `start` and names rows of `to`. IN: `link` is declared on `to` and names rows of `start`.
    BESIDE: `link` is declared on both, as on the lines of one source in a ledger.
    Hops run in order; a later hop starts from what earlier ones loaded.
    `is_late`: rows of `to` are read for other data types, perhaps in a later round or more seldom. Nobody waits for
    them, what is held of them counts, and what they change is mapped once more when they were read. Such a hop is IN,
    and none starts from where it leads.
    """

    start: str
    link: str
    to: str
    direction: Direction
    is_late: bool = False


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Doubt about one field of one record: served all the same, and reported as a warning."""

    record_id: str
    field: str
    message: str


class Mapped(msgspec.Struct, frozen=True):
    """A record, and what the standard model has no member for: kept beside it, off the wire unless asked for."""

    record: Any
    supplemental: dict[str, Any] = {}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A resource a data type needs. A required one unread fails the data type; an optional one only warns."""

    resource: str
    required: bool = True


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """Records of a data type are made from each row of `resource` by `map`: (payload, books) -> Mapped and Note.

    `decode` turns a raw row into the typed payload; it raises msgspec.ValidationError or ValueError for one that
    cannot be read, which is then set aside with that reason while its neighbours go on.
    """

    resource: str
    decode: Callable[[RawRow], Any]
    map: Callable[[Any, Any], Iterable[Any]]


class Part(msgspec.Struct, frozen=True):
    """Of a resource that is given whole: the only members of its records that mapping is given, and of those only what
    has no record of the same id in `beside`, or has the member `or_having`. A change in anything else asks for no
    mapping."""

    resource: str
    members: tuple[str, ...]
    beside: str | None = None
    or_having: str | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Something is carried from row to row, such as a running total: rows whose sort keys are alike up to `separator`
    are a series, in their order. Each row makes one record, of its own id.

    When only the rest of a series is mapped, `resume` is given the document before it and sets what is carried.
    """

    separator: str
    resume: Callable[[bytes, dict[str, Any]], None]


class Feature(StrEnum):
    GET = "Get"
    POST = "Post"
    PUT = "Put"
    DELETE = "Delete"
    GET_ATTACHMENT = "GetAttachment"
    GET_ATTACHMENTS = "GetAttachments"
    DOWNLOAD_ATTACHMENT = "DownloadAttachment"
    GET_AS_PDF = "GetAsPdf"


class DataType(msgspec.Struct, frozen=True, kw_only=True):
    """One data type of the standard model as this integration serves it. `name` is the platform's key.

    `along`: resources that nothing is made from, read along with this one and kept as they are; what is refused of them
    or absent is of no consequence.
    `stage`: of what is due together, lower stages are read, mapped and served before higher ones are read.
    `merges`: several raw rows yield the same record (equal bytes for an equal id), as derived lists do. `by_day`: its
    records depend on the day they are mapped on, and are mapped anew each day. All else that mapping may look at is
    declared here, and so it is known what must be mapped again when something changes.
    """

    name: str
    access_level: int
    sources: tuple[Source, ...]
    made_from: tuple[Making, ...]
    along: tuple[str, ...] = ()
    whole: tuple[str | Part, ...] = ()
    hops: tuple[Hop, ...] = ()
    features: frozenset[Feature] = frozenset({Feature.GET})
    stage: int = 1
    merges: bool = False
    by_day: bool = False
    series: Series | None = None


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a standard record, by its path (`lineItems[].quantity`), and where it comes from.

    `sources` name members of resources likewise: `invoices.invoice_items[].quantity`. It is copied from the first of
    them that has it, unless `how` says what is made of them. One that cannot be supplied has a `why` instead.
    """

    path: str
    sources: tuple[str, ...] = ()
    how: str | None = None
    why: str | None = None


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A file on a record. `link` leads to it without any token until `expires_at`: it is as good as the file, and is
    neither stored nor logged."""

    id: str
    name: str | None
    content_type: str | None
    size: int | None
    created: Instant | None
    link: str | None
    expires_at: datetime | None


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """Records of a resource as the source itself would print them: a PDF, made when it is asked for at `path`, which
    names the raw record's `{id}`. `content` takes it out of the answer, and raises ValueError if it is not there."""

    resource: str
    path: str
    content: Callable[[bytes], bytes]


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """How files on records are found. Data types that have such declare the features.

    `of` tells the files of a raw record's body; `resource` is where one is asked for by its id, once its link has
    ended, and `again` reads that answer. `printed`, by data type: records that are to be had as a PDF.
    """

    resource: Resource
    of: Callable[[bytes], tuple[Attached, ...]]
    again: Callable[[bytes], Attached]
    printed: Mapping[str, Printed]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose books a grant opens: read once after approval, compared at every re-link."""

    company_id: str
    company_name: str


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What the approving user may see: a level and its name in the upstream's words."""

    level: int
    name: str


class OAuth(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how a customer approves. Paths are joined to the configured origin."""

    authorise_path: str
    token_path: str
    identity_path: str  # GET, tells which company the token opens
    identity: Callable[[bytes], Identity]
    access_path: str  # GET, tells the approving user's access level
    access: Callable[[bytes], Access]
    wrong_pair: Callable[[int, bytes], bool]  # (status, body) of a token answer: are the app's own keys refused?


class SetupStep(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered step of the set-up page. `kind` says what the page shows with it."""

    text: Mapping[str, str]  # by language; **bold** marks the upstream's own labels
    kind: str = "text"  # "text", "developer_link" (to the developer site) or "redirect_uri" (with a copy button)


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The integration's own words on pages, by language ("en", "fr")."""

    about: Mapping[str, str]  # one sentence for lists
    setup_steps: tuple[SetupStep, ...]
    caution: Mapping[str, str]
    what_is_read: Mapping[str, tuple[str, ...]]  # told to the customer on the Link page
    client_id_hint: Mapping[str, str]
    client_secret_hint: Mapping[str, str]


class ReadRaw(Protocol):
    """The raw books as this sync has read them."""

    def is_complete(self, resource: str) -> bool:
        """Was all of it read?"""
        ...

    def rows(self, resource: str) -> Iterator[RawRow]:
        """Live rows in the order (sort_key, id)."""
        ...

    def dated_since(self, resource: str, moment: datetime) -> Iterator[RawRow]:
        """Live rows that say that they were changed at that moment or later."""
        ...

    def unread(self, resource: str) -> Set[str]:
        """Ids of rows that mapping has set aside, because it could not read them."""
        ...

    def begun_at(self) -> datetime | None:
        """When this sync began to read, by our clock; None where that is not known."""
        ...

    def behind(self) -> Collection[tuple[str, str]]:
        """Resources and ids of records that others told of, and that could not be asked for again yet."""
        ...


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream system, whole."""

    key: str  # the platform key, as in the public API
    slug: str  # folder, page address and settings prefix: COMPTOIR_<SLUG>_*; without it for the first integration
    name: str
    integration_id: UUID
    source_id: UUID
    source_type: str
    monogram: str
    colour: str
    origin: str  # production
    developer_url: str
    api_root: str  # path prefix of the API below the origin, e.g. "/v2"
    own_hosts: tuple[str, ...]  # on these and their subdomains limits may not be loosened
    refused_hosts: Mapping[str, str]  # host suffix -> the sentence that refuses it
    limits: tuple[tuple[int, int], ...]  # (calls, seconds) a connection, windows aligned to the clock
    refresh_limit: tuple[int, int]
    address_limit: tuple[int, int]
    page_size: int
    oauth: OAuth
    error_of: Callable[
        [int, Mapping[str, str], bytes, Resource | None], ProductError
    ]  # (status, headers, body, of what)
    resources: tuple[Resource, ...]  # in reading order: parents first
    data_types: tuple[DataType, ...]
    books: Callable[[Loaded], Any]
    facts: Callable[[ReadRaw], SourceFacts]  # what the source itself says, to check the mapped books against
    files: Files
    access_levels: Mapping[int, str]
    words: Words
    coverage: Mapping[str, tuple[Covered, ...]]  # by data type, every member of its records
    not_read: Mapping[str, str] = {}  # what else the upstream offers, and why it is left
    ordered: Mapping[
        str, str
    ] = {}  # lists of the source, `invoices.lines`, served in the order of this member of theirs

    def resource(self, name: str) -> Resource:
        return next(resource for resource in self.resources if resource.name == name)

    def data_type(self, name: str) -> DataType | None:
        return next((data_type for data_type in self.data_types if data_type.name == name), None)

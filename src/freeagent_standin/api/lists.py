"""Lists: filters, views, sorting and pages.

Pages are of 25 records unless `per_page` says otherwise, 100 at most; `Link` and `X-Total-Count` count them
(https://dev.freeagent.com/docs/introduction). Parameters a list does not know are ignored. Inferred: `updated_since`
and the date bounds include their own instant or day; a larger per_page counts as 100; an unknown view or sort counts as
the default; a date that cannot be read answers 400; a page past the end is empty.

A list without filters is cut from its table's order at once. A filtered or re-sorted one is made once and kept, until a
change to the books, for the pages that follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from freeagent_standin.api.answers import bad_request
from freeagent_standin.api.desk import Body, Desk
from freeagent_standin.wire import Call
from freeagent_standin.world import plain
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import Company
from freeagent_standin.world.shelves import Order, Table

DEFAULT_PER_PAGE = 25
GREATEST_PER_PAGE = 100
_SELECTIONS_KEPT = 24
_LOST_PLUS = re.compile(r"(:[\d.]+) (\d\d:?\d\d)$")

View = Callable[[Desk, Any], bool]
Sort = Callable[[Desk, Any], Any]


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """How one resource is listed and read."""

    name: str
    """The path, and the key of the list."""
    singular: str
    """The key of a single record."""
    level: int
    write_level: int = 0
    """The level it takes to write, where that is another than to read."""
    table: Callable[[World], Table[Any]]
    render: Callable[..., Body]
    views: Mapping[str, View] = {}
    default_view: str = ""
    months_view: bool = False
    """Whether last_N_months is a view."""
    sorts: Mapping[str, Sort] = {}
    default_sort: str = ""
    has_updated_since: bool = False
    has_dates: bool = False
    """from_date and to_date; the table is then ordered by dated_on."""
    relations: Mapping[str, Callable[[Any], int | None]] = {}
    texts: Mapping[str, Callable[[Any], str]] = {}
    """Filters by a text of the record's."""
    nested: str = ""
    """The parameter that puts items or related records into a list."""
    newest_first: bool = False
    by_bank_account: bool = False
    needs: tuple[str, ...] = ()
    """Filters of which one must be given."""
    exists: Callable[[Company], bool] = lambda _company: True
    """Whether a company of this type has such records at all; to others the resource is not there."""
    reader: int = 0
    """Whose own records these are, where a list is not the same for everybody."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list."""

    records: list[Any]
    number: int
    per_page: int
    total: int


def page_of(desk: Desk, listing: Listing, query: Mapping[str, str]) -> Page:
    """The page a query asks for."""
    if listing.needs and not any(query.get(name) for name in listing.needs):
        raise bad_request(f"{' or '.join(listing.needs)} parameter is required")
    table = listing.table(desk.world)
    order = table.order(bank_account(desk, query) if listing.by_bank_account else 0)
    start, stop = _date_bounds(listing, order, query)
    number, per_page = page_bounds(query)
    tests = _tests(desk, listing, query)
    sort, is_descending = _sort(listing, query)
    first = (number - 1) * per_page
    if not tests and not sort:
        total = stop - start
        if listing.newest_first:
            upper = max(start, stop - first)
            ids = order.ids(max(start, upper - per_page), upper)[::-1]
        else:
            lower = min(stop, start + first)
            ids = order.ids(lower, min(stop, lower + per_page))
    else:
        chosen = _selection(desk, listing, table, order, (start, stop), tests, sort, is_descending=is_descending)
        total = len(chosen)
        ids = chosen[first : first + per_page]
    return Page(records=[table[each] for each in ids], number=number, per_page=per_page, total=total)


def rendered(desk: Desk, listing: Listing, record: Any, *, is_nested: bool, is_single: bool) -> Body:
    """A record as it is sent, with what was set on it to be shown."""
    body = listing.render(desk, record, is_nested=is_nested, is_single=is_single)
    said = desk.world.said.get(record.id)
    if said is None:
        return body
    return body | {name: value for name, value in said.items() if name in body or name not in plain.OF_DRIVES}


def page_bounds(query: Mapping[str, str]) -> tuple[int, int]:
    """Which page is asked for, and how long pages are to be."""
    per_page = min(GREATEST_PER_PAGE, _whole(query.get("per_page"), DEFAULT_PER_PAGE) or DEFAULT_PER_PAGE)
    return max(1, _whole(query.get("page"), 1)), per_page


def paging_headers(call: Call, page: Page) -> tuple[tuple[str, str], ...]:
    """Link with first, prev, next and last as far as they apply (empty on a single page), and X-Total-Count."""
    last = max(1, -(-page.total // page.per_page))
    links = []
    if page.number > 1:
        links += [("first", 1), ("prev", page.number - 1)]
    if page.number < last:
        links += [("next", page.number + 1), ("last", last)]
    kept = [(key, value) for key, value in call.query if key not in ("page", "per_page")]
    written = ", ".join(
        f"<{call.base_url}/v2/{call.path}?{urlencode([*kept, ('page', number), ('per_page', page.per_page)])}>"
        f'; rel="{relation}"'
        for relation, number in links
    )
    return (("Link", written), ("X-Total-Count", str(page.total)))


def identifier(value: str) -> int | None:
    """The id in a reference: filters take a whole URL or a bare id."""
    last = value.rstrip("/").rsplit("/", 1)[-1]
    return int(last) if last.isascii() and last.isdigit() and len(last) < 20 else None


def flag(value: str | None) -> bool:
    """Whether a parameter is switched on: clients send true, True and 1."""
    return (value or "").lower() not in ("", "0", "f", "false", "off")


def day(value: str, *, what: str) -> date:
    """A date parameter; of a timestamp its day."""
    try:
        return date.fromisoformat(value[:10])
    except ValueError as error:
        raise bad_request(f"{what} is not a valid date") from error


def bank_account(desk: Desk, query: Mapping[str, str]) -> int:
    """The account that bank lists and uploads must name."""
    value = query.get("bank_account", "")
    if not value:
        raise bad_request("bank_account parameter is required")
    account = identifier(value)
    if account is None or desk.world.bank_accounts.get(account) is None:
        raise bad_request("bank_account is not one of this company's bank accounts")
    return account


def _date_bounds(listing: Listing, order: Order, query: Mapping[str, str]) -> tuple[int, int]:
    start, stop = 0, len(order)
    if listing.has_dates:
        if query.get("from_date"):
            start = order.position(day(query["from_date"], what="from_date").toordinal())
        if query.get("to_date"):
            stop = order.position(day(query["to_date"], what="to_date").toordinal() + 1)
            start = max(start, order.position(1))  # what has no date lies on no day
    return start, max(start, stop)


Test = tuple[object, Callable[[Any], bool], bool]
"""What tells one filter from another, the filter, and whether it looks beyond the record itself."""


def _tests(desk: Desk, listing: Listing, query: Mapping[str, str]) -> list[Test]:
    tests: list[Test] = []
    if listing.has_updated_since and query.get("updated_since"):
        since = _instant(query["updated_since"])
        tests.append((("updated_since", since), lambda record: bool(record.updated_at >= since), False))
    for parameter, related in listing.relations.items():
        if query.get(parameter):
            wanted = identifier(query[parameter]) or 0  # no record has this id
            tests.append(((parameter, wanted), _related_to(related, wanted), False))
    for parameter, text in listing.texts.items():
        if query.get(parameter):
            tests.append(((parameter, query[parameter]), _says(text, query[parameter]), False))
    view = query.get("view", "")
    if view not in listing.views:
        months = _months(view) if listing.months_view else None
        if months is not None:
            begin = _months_before(desk.today, months)
            tests.append((("since", begin), lambda record: bool(record.dated_on >= begin), False))
            return tests
        view = listing.default_view
    test = listing.views.get(view)
    if test is not None:
        tests.append((("view", view, desk.today), lambda record: test(desk, record), True))
    if flag(query.get("last_uploaded")) and listing.name == "bank_transactions":
        newest = _last_upload(desk, query)
        tests.append((("uploaded", newest), lambda record: record.created_at == newest and not record.is_manual, False))
    return tests


def _related_to(related: Callable[[Any], int | None], wanted: int) -> Callable[[Any], bool]:
    return lambda record: related(record) == wanted


def _says(text: Callable[[Any], str], wanted: str) -> Callable[[Any], bool]:
    return lambda record: text(record) == wanted


def _selection(
    desk: Desk,
    listing: Listing,
    table: Table[Any],
    order: Order,
    bounds: tuple[int, int],
    tests: list[Test],
    sort: str,
    *,
    is_descending: bool,
) -> list[int]:
    looks_beyond = any(test[2] for test in tests) or sort.startswith("contact")
    version = desk.world.revision if looks_beyond else order.version
    key = (
        listing.name,
        listing.reader,
        id(order),
        bounds,
        tuple(test[0] for test in tests),
        sort,
        is_descending,
        version,
    )
    kept = desk.world.selections
    known = kept.get(key)
    if known is not None:
        return known
    ids = order.ids(*bounds)
    for _, test, _ in tests:
        ids = [each for each in ids if test(table[each])]
    if sort:
        value = listing.sorts[sort]
        ids.sort(key=lambda each: (value(desk, table[each]), each), reverse=is_descending)
    elif listing.newest_first:
        ids.reverse()
    while len(kept) >= _SELECTIONS_KEPT:
        del kept[next(iter(kept))]
    kept[key] = ids
    return ids


def _sort(listing: Listing, query: Mapping[str, str]) -> tuple[str, bool]:
    wanted = query.get("sort", "")
    name = wanted.removeprefix("-")
    if name in listing.sorts:
        return name, wanted.startswith("-")
    return listing.default_sort, False


def _instant(value: str) -> float:
    try:
        # A "+" that was not escaped arrives as a blank.
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", value.strip()))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise bad_request("updated_since is not a valid timestamp") from error


def _whole(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else otherwise


def _months(view: str) -> int | None:
    number = view.removeprefix("last_").removesuffix("_months")
    return (
        int(number)
        if view == f"last_{number}_months" and number.isascii() and number.isdigit() and len(number) < 5
        else None
    )


def _months_before(today: date, months: int) -> date:
    index = today.year * 12 + today.month - 1 - months
    if index < 12:
        return date.min
    return date(index // 12, index % 12 + 1, min(today.day, 28))


def _last_upload(desk: Desk, query: Mapping[str, str]) -> int:
    table = desk.world.transactions
    lines = (table[each] for each in table.order(bank_account(desk, query)).ids())
    return max((line.created_at for line in lines if not line.is_manual), default=0)

"""Resources read by ranges, such as accounting years: each range is a list or a report of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.books import NOON, SteadyClock

from comptoir.integrations.contract import Kind, RawRecord, RawRow, ReadWindow, Resource
from comptoir.store import ConnectionId, Database, SyncId, TenantId, companies, connections, raw, syncs, tenants
from comptoir.sync.fetch import Fetch
from comptoir.sync.outcomes import Outcome
from comptoir.upstream.client import Page, _filled, _records


class _Numbered(msgspec.Struct):
    id: str


def _read(body: bytes) -> RawRecord:
    return RawRecord(id=msgspec.json.decode(body, type=_Numbered).id, updated_at=None)


def _years(rows: Mapping[str, tuple[RawRow, ...]], today: date, _: int) -> tuple[ReadWindow, ...]:
    [company] = rows["company"]
    first: int = msgspec.json.decode(company.body)["first"]
    return tuple(
        ReadWindow(name=str(year), params=(("year", str(year)),), is_closed=year < today.year)
        for year in range(first, today.year + 1)
    )


COMPANY = Resource(
    name="company",
    path="/company",
    kind=Kind.SINGLE,
    keys=("company",),
    read=lambda _: RawRecord(id="company", updated_at=None),
)
LEDGER = Resource(
    name="ledger", path="/ledger", kind=Kind.LIST, keys=("rows",), read=_read, windows=_years, windows_of=("company",)
)
REPORT = Resource(
    name="report",
    path="/reports/{year}",
    kind=Kind.REPORT,
    keys=("total",),
    read=lambda _: RawRecord(id="", updated_at=None),
    windows=_years,
    windows_of=("company",),
)


class _Upstream:
    """Answers from a table: company, ledger rows by year, reports by year."""

    def __init__(self) -> None:
        self.first = 2024
        self.rows: dict[str, list[str | None]] = {"2024": ["1", "2"], "2025": ["3"], "2026": ["4"]}
        self.asked: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self.parts = 1  # of so many equal parts of a list it gives one, each time another

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        path, rest = _filled(resource.path, params)
        self.asked.append((path, tuple(rest)))
        if resource is COMPANY:
            answer: Any = {"company": {"first": self.first}}
        elif resource.name == "ledger":
            times = self.asked.count((path, tuple(rest)))
            answer = {
                "rows": [{"id": one} for one in self.rows[dict(params)["year"]][times % self.parts :: self.parts]]
            }
        else:
            answer = {"total": len(self.rows[path.rsplit("/", 1)[1]]), "note": "kept whole"}
        body = msgspec.json.encode(answer)
        return Page(total=None, has_next=False, records=_records(body, resource, "it"), made_after=NOON)

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        return None

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        return b"{}" if any(record_id in rows for rows in self.rows.values()) else None


class _Connection:
    def __init__(self, db: Database) -> None:
        self.db, self.upstream = db, _Upstream()
        with db.write() as tx:
            self.tenant: TenantId = tenants.add(tx, f"tenant {uuid4()}", NOON).id
            company = companies.add(tx, self.tenant, name="Kestrel", created_by=None, now=NOON).id
            self.connection: ConnectionId = connections.add(tx, self.tenant, company, "fbrh", NOON).id

    def fetch(self, ledger: Resource = LEDGER) -> dict[str, Outcome]:
        with self.db.write() as tx:
            sync: SyncId = syncs.begin(tx, self.tenant, self.connection, NOON).id
        outcomes = Fetch(
            self.db, self.tenant, self.connection, sync, self.upstream, SteadyClock(), page_size=100, workers=2,
            today=date(2026, 3, 31),
        ).run([COMPANY, ledger, REPORT])  # fmt: skip
        with self.db.write() as tx:
            syncs.end(tx, self.tenant, sync, calls=0, checks=None, now=NOON)
        return outcomes

    def held(self, resource: str) -> dict[str, bytes]:
        with self.db.read() as tx:
            return {row.id: row.body for row in raw.whole(tx, self.tenant, self.connection, resource)}


@pytest.fixture
def connection(db: Database) -> _Connection:
    return _Connection(db)


def test_each_window_is_read_once_its_parents_are(connection: _Connection) -> None:
    outcomes = connection.fetch()

    assert all(one.is_complete for one in outcomes.values())
    assert connection.upstream.asked[0] == ("/company", ())
    assert sorted(connection.upstream.asked[1:]) == [
        *(("/ledger", (("year", year),)) for year in ("2024", "2025", "2026")),
        *((f"/reports/{year}", ()) for year in ("2024", "2025", "2026")),
    ]
    assert connection.held("ledger").keys() == {"1", "2", "3", "4"}


def test_a_report_is_kept_whole_under_the_name_of_its_window(connection: _Connection) -> None:
    connection.fetch()

    assert connection.held("report") == {
        "2024": b'{"total":2,"note":"kept whole"}',
        "2025": b'{"total":1,"note":"kept whole"}',
        "2026": b'{"total":1,"note":"kept whole"}',
    }


def test_what_left_a_window_or_with_its_window_is_gone(connection: _Connection) -> None:
    connection.fetch()
    connection.upstream.rows["2025"] = ["5"]
    connection.upstream.first = 2025
    del connection.upstream.rows["2024"]

    outcomes = connection.fetch()

    assert connection.held("ledger").keys() == {"4", "5"}
    assert connection.held("report").keys() == {"2025", "2026"}
    assert outcomes["ledger"].deleted == 3


def test_a_window_that_lacks_something_else_each_time_loses_nothing(connection: _Connection) -> None:
    """Its records cannot be asked for by themselves, and no two passes agree."""
    ledger = msgspec.structs.replace(LEDGER, asked_by_id=False)
    connection.upstream.first = 2026
    connection.upstream.rows["2026"] = [str(number) for number in range(10, 20)]
    connection.fetch(ledger)
    before = connection.held("ledger")
    connection.upstream.parts = 2

    outcomes = connection.fetch(ledger)

    assert connection.held("ledger") == before
    assert "kept changing" in str(outcomes["ledger"].warning)


def test_windows_that_cannot_be_told_fail_their_resource_alone(connection: _Connection) -> None:
    connection.upstream.first = "nonsense"  # type: ignore[assignment]  # what an upstream might answer

    outcomes = connection.fetch()

    assert outcomes["company"].is_complete
    assert not outcomes["ledger"].is_complete
    assert str(outcomes["ledger"].message).startswith("What ledger is to be read for cannot be told: ")


def test_a_window_that_is_over_is_read_again_when_its_report_moved(connection: _Connection) -> None:
    ledger = msgspec.structs.replace(LEDGER, closed_until_moved="report")
    connection.fetch(ledger)
    connection.upstream.asked.clear()
    connection.upstream.rows["2024"] = ["1", "2", "6"]

    connection.fetch(ledger)

    assert sorted(params for path, params in connection.upstream.asked if path == "/ledger") == [
        (("year", "2024"),),
        (("year", "2026"),),
    ]
    assert connection.held("ledger").keys() == {"1", "2", "3", "4", "6"}


def test_windows_read_while_something_could_not_be_read_are_read_again_although_no_report_moved(
    connection: _Connection,
) -> None:
    ledger = msgspec.structs.replace(LEDGER, closed_until_moved="report", asked_by_id=False)
    rows = connection.upstream.rows
    rows |= {"2024": ["1", "2", "7"], "2025": ["3", "5"]}
    connection.fetch(ledger)
    rows |= {"2024": ["1", "2", "9", None], "2025": ["3", "6", "10"]}  # what is gone cannot be told from this
    connection.fetch(ledger)
    assert connection.held("ledger").keys() == {"1", "2", "3", "4", "5", "6", "7", "9", "10"}
    rows["2024"][-1] = "8"

    connection.fetch(ledger)

    assert connection.held("ledger").keys() == {"1", "2", "3", "4", "6", "8", "9", "10"}

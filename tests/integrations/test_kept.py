"""What the standard model has no place for: read along with the ledger, kept as it came, and in nobody's way."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.books import NOON, Books, world_of
from tests.integrations.given import Given, GivenReader, a_company, url
from tests.integrations.shared import SHARED, needs_shared

from comptoir.integrations.contract import RawRow, Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.integrations.freeagent.kept import KEPT
from comptoir.model import DATA_TYPE_KEYS
from comptoir.store import Database, connections, open_database, raw, syncs
from comptoir.store.datasets import Status
from comptoir.upstream.client import Page

NAMES = {one.name for one in KEPT}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'comptoir.db'}")
    yield opened
    opened.close()


class _Noting(GivenReader):
    """Answers with given records and knows what it was asked for."""

    def __init__(self, given: Given, refused: Sequence[str] = ()) -> None:
        super().__init__(given, refused)
        self.asked: list[str] = []

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        self.asked.append(resource.name)
        return super().page(resource, number, params)


def read(db: Database, reader: _Noting, *data_types: str, level: int = 8) -> Books:
    books = Books(db, world_of(1))
    any_reader: Any = reader
    books.engine._open = lambda _: (any_reader, lambda: 0)
    with db.write() as tx:
        connections.set_identity(
            tx, books.tenant, books.connection, company_id="1", company_name="Alder", level=level, name="a level"
        )
    books.sync(*data_types)
    return books


def held(books: Books, resource: str) -> dict[str, bytes]:
    with books.db.read() as tx:
        return {row.id: row.body for row in raw.whole(tx, books.tenant, books.connection, resource)}


def test_a_company_s_other_records_are_kept_and_what_it_lacks_is_noted(db: Database) -> None:
    books = Books(db, world_of(1))
    books.sync()

    with db.read() as tx:
        outcomes = {name: one.outcome for name, one in syncs.reads(tx, books.tenant, books.connection).items()}
    lacking = {name for name in NAMES if outcomes[name] == "not_supported"}
    assert lacking <= {"cis_bands", "cis_settings", "payroll", "payroll_profiles"}
    assert {outcomes[name] for name in NAMES - lacking} == {"complete"}
    for name in ("estimates", "tasks", "timeslips", "recurring_invoices", "capital_assets", "self_assessment_returns"):
        assert held(books, name), name
    assert "timeline_items" in json.loads(held(books, "tax_timeline")["tax_timeline"])
    assert {one.status for one in books.datasets().values()} == {Status.COMPLETE}


def test_they_are_no_data_type_and_make_none() -> None:
    assert not NAMES & set(DATA_TYPE_KEYS)
    for data_type in FREEAGENT.data_types:
        assert not NAMES & {making.resource for making in data_type.made_from}
        assert not NAMES & {source.resource for source in data_type.sources}


@needs_shared
def test_whatever_is_offered_is_read_or_it_is_said_why_not() -> None:
    with (SHARED / "freeagent/resources.csv").open(encoding="utf-8") as file:
        offered = {row["resource"] for row in csv.DictReader(file)}

    read = {one.name for one in FREEAGENT.resources}

    assert offered - read - FREEAGENT.not_read.keys() == set()
    assert read & FREEAGENT.not_read.keys() == set()


def test_only_a_read_of_the_ledger_reads_them(db: Database) -> None:
    reader = _Noting({"company": [a_company()], "ledger_transactions": []})

    read(db, reader, "company", "invoices", "bills")

    assert not NAMES & set(reader.asked)


def test_what_the_approving_user_may_not_see_is_not_asked_for(db: Database) -> None:
    reader = _Noting({"company": [a_company()], "ledger_transactions": []})

    read(db, reader, "journalEntries", level=6)

    assert NAMES & set(reader.asked) == {one.name for one in KEPT if one.access_level <= 6}


def test_a_refusal_is_of_no_consequence(db: Database) -> None:
    books = read(
        db, _Noting({"company": [a_company()], "ledger_transactions": []}, refused=sorted(NAMES)), "journalEntries"
    )

    dataset = books.datasets()["journalEntries"]
    assert dataset.status is Status.COMPLETE
    assert [one.message for one in dataset.warnings] == []


class _OfUsers(_Noting):
    """Each user has a return for the same year."""

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        if resource.name == "self_assessment_returns":
            address = f"{url('users', dict(params)['user'])}/self_assessment_returns/2025-04-05"
            body = json.dumps({"url": address}).encode()
            return Page(total=1, has_next=False, records=[(resource.name, body)], made_after=NOON)
        return super().page(resource, number, params)


def test_returns_of_two_users_for_one_year_are_two(db: Database) -> None:
    users = [{"url": url("users", number), "first_name": "Ann"} for number in (1, 2)]

    books = read(db, _OfUsers({"company": [a_company()], "ledger_transactions": [], "users": users}), "journalEntries")

    assert held(books, "self_assessment_returns").keys() == {"1-2025-04-05", "2-2025-04-05"}


@pytest.mark.parametrize(("today", "last"), [(date(2026, 4, 5), "2026"), (date(2026, 4, 6), "2027")])
def test_payroll_is_asked_for_by_tax_year(today: date, last: str) -> None:
    payroll = FREEAGENT.resource("payroll")
    assert payroll.windows is not None

    def years(**more: Any) -> list[tuple[str, bool]]:
        company = RawRow("company", "company", json.dumps(a_company(**more)).encode())
        assert payroll.windows is not None
        return [(one.name, one.is_closed) for one in payroll.windows({"company": (company,)}, today, 24)]

    found = years(freeagent_start_date="2024-04-06")
    assert found[0] == ("2025", True)
    assert found[-1] == (last, False)
    assert len(years(freeagent_start_date="1999-01-01")) == 7
    assert years(type="UsLimitedLiabilityCompany") == []


def test_a_contact_with_another_name_is_no_edit_of_an_estimate() -> None:
    lasting = FREEAGENT.resource("estimates").lasting
    assert lasting is not None
    before = b'{"url":"/v2/estimates/1","contact_name":"Before Ltd","net_value":"9.0"}'

    assert lasting(before) == lasting(before.replace(b"Before", b"After"))
    assert lasting(before) != lasting(before.replace(b"9.0", b"8.0"))


def test_what_an_asset_lost_with_the_months_is_no_edit_of_it() -> None:
    lasting = FREEAGENT.resource("capital_assets").lasting
    assert lasting is not None
    before = b'{"url":"/v2/capital_assets/1","description":"Kiln","capital_asset_history":[{"value":"-40.0"}]}'

    assert lasting(before) == lasting(before.replace(b"-40.0", b"-80.0"))
    assert lasting(before) != lasting(before.replace(b"Kiln", b"Oven"))

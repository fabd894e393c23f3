"""The query language inside both databases says the same as a plain reading of the contract in Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.house import LATER, NOON, House, an_invoice

from comptoir.model.sales import CustomerRef, DocumentStatus
from comptoir.store import companies, connections, datasets, records
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status
from comptoir.store.query import parse

WORDS = (
    "Fjord & Söhne",
    "fjord & söhne",
    "Straße",
    "STRASSE",
    "a=b",
    "a|b",
    "50% off_",
    "日本",
    "İstanbul",
    "x\x00y",
    "",
    "it's",
)
AMOUNTS = (
    "0",
    "-0.00",
    "120.00",
    "120",
    "-120.005",
    "0.1",
    "12345678901234567890.123456789",
    "12345678901234567890.123456788",
    "1E+30",
    "-1E-20",
)
DAYS = ("2026-01-30", "2026-01-31", "2026-02-01", "1999-12-31")
IDS = ("7", "a7", "A7", "70")

records_ = st.builds(
    an_invoice,
    invoice_number=st.one_of(st.none(), st.sampled_from(WORDS)),
    customer_ref=st.one_of(
        st.none(),
        st.builds(CustomerRef, id=st.sampled_from(IDS), company_name=st.one_of(st.none(), st.sampled_from(WORDS))),
    ),
    issue_date=st.sampled_from(DAYS).map(lambda day: f"{day}T00:00:00"),
    due_date=st.one_of(st.none(), st.sampled_from(DAYS).map(lambda day: f"{day}T00:00:00")),
    source_modified_date=st.one_of(st.none(), st.sampled_from(DAYS).map(lambda day: f"{day}T10:30:00Z")),
    currency_rate=st.one_of(st.none(), st.sampled_from(AMOUNTS).map(Decimal)),
    total_amount=st.sampled_from(AMOUNTS).map(Decimal),
    status=st.sampled_from(list(DocumentStatus)),
)

EQUAL = ("=", "!=")
ORDERED = ("=", "!=", ">", "<", ">=", "<=")
moments = st.sampled_from(DAYS).flatmap(
    lambda day: st.sampled_from(
        [day, f"{day}T00:00:00", f"{day}T00:00:00Z", f"{day}T01:00:00+01:00", f"{day}T10:30:00.00Z", f"{day}T10:30:00"]
    )
)
tests = st.one_of(
    st.tuples(st.sampled_from(["invoiceNumber", "customerRef.companyName", "CUSTOMERREF.companyname"]), st.sampled_from(["=", "!=", "~"]), st.sampled_from(WORDS).filter(bool)),
    st.tuples(st.just("customerRef.id"), st.sampled_from(["=", "!=", "~"]), st.sampled_from(IDS)),
    st.tuples(st.just("status"), st.sampled_from(["=", "!=", "~"]), st.sampled_from(["Paid", "paid", "PAID", "aid", "nonsense"])),
    st.tuples(st.sampled_from(["totalAmount", "currencyRate"]), st.sampled_from(ORDERED), st.sampled_from(AMOUNTS)),
    st.tuples(st.sampled_from(["issueDate", "dueDate", "sourceModifiedDate"]), st.sampled_from(ORDERED), moments),
    st.tuples(st.just("metadata.isDeleted"), st.sampled_from(EQUAL), st.sampled_from(["true", "False", "TRUE"])),
)  # fmt: skip
queries = st.recursive(
    tests,
    lambda inner: st.tuples(st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=6,
)


def written(query: tuple[Any, ...]) -> str:
    """A query as a person would type it: braces only where `&&` would bind tighter than meant."""
    if len(query) == 3:
        return "".join(map(str, query))
    joint, parts = str(query[0]), query[1]
    texts = []
    for part in parts:
        text = written(part)
        is_needed = len(part) == 2 and (joint == "&&" or part[0] == joint)
        texts.append(f"{{{text}}}" if is_needed else text)
    return joint.join(texts)


def holds(query: Any, document: dict[str, Any]) -> bool:
    """The contract, read plainly."""
    if len(query) == 2:
        joint, parts = query
        return (all if joint == "&&" else any)(holds(part, document) for part in parts)
    path, operator, text = query
    held: Any = reduce(
        lambda at, name: None if at is None else at.get(name.lower()), path.split("."), lowered(document)
    )
    if held is None:
        return bool(operator == "!=")
    wanted: Any = text
    if path in ("totalAmount", "currencyRate"):
        held, wanted = Decimal(str(held)), Decimal(text)
    elif path.endswith("Date"):
        held, wanted = instant(held), instant(text)
    elif path == "metadata.isDeleted":
        wanted = text.lower() == "true"
    elif path != "customerRef.id" or operator == "~":
        held, wanted = (one.casefold().replace("\x00", "\ufffd") for one in (held, text))
    else:
        held, wanted = held.replace("\x00", "\ufffd"), text
    compare: dict[str, Callable[[], bool]] = {
        "=": lambda: held == wanted, "!=": lambda: held != wanted, "~": lambda: wanted in held, ">": lambda: held > wanted,
        "<": lambda: held < wanted, ">=": lambda: held >= wanted, "<=": lambda: held <= wanted,
    }  # fmt: skip
    return compare[operator]()


def lowered(value: Any) -> Any:
    return {name.lower(): lowered(member) for name, member in value.items()} if isinstance(value, dict) else value


def instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_exact = msgspec.json.Decoder(float_hook=Decimal)


def test_queries_find_in_sql_what_a_plain_reading_finds(house: House) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        found=st.lists(records_, min_size=1, max_size=8),
        asked=st.lists(queries, min_size=20, max_size=20),
        deleted=st.integers(0, 7),
    )
    def run(found: list[Any], asked: list[Any], deleted: int) -> None:
        numbered = [msgspec.structs.replace(one, id=str(place)) for place, one in enumerate(found)]
        with house.db.write() as tx:
            tx.exec_driver_sql("DELETE FROM std_invoices")
        house.put("invoices", *numbered)
        with house.db.write() as tx:
            records.delete(tx, house.tenant, house.company, house.connection, "invoices", [str(deleted)], LATER)
        documents = {document["id"]: document for document in map(_exact.decode, house.page("invoices").documents)}

        for query in asked:
            text = written(query)
            expected = {id_ for id_, document in documents.items() if holds(query, document)}
            assert set(house.ids("invoices", text)) == expected, text
            assert house.page("invoices", text, page_size=1).total == len(expected)

    run()


@pytest.mark.parametrize(("query", "finds"), [
    ("totalAmount=12345678901234567890.123456789", ["exact"]), ("totalAmount>12345678901234567890.123456788", ["exact"]),
    ("totalAmount>=12345678901234567890.123456788", ["near", "exact"]), ("totalAmount<12345678901234567890.123456788", ["small"]),
])  # fmt: skip
def test_amounts_of_any_length_are_compared_exactly(house: House, query: str, finds: list[str]) -> None:
    house.put(
        "invoices",
        an_invoice("near", total_amount=Decimal("12345678901234567890.123456788")),
        an_invoice("exact", total_amount=Decimal("12345678901234567890.123456789")),
        an_invoice("small", total_amount=Decimal("-99999999999999999999999999999.99")),
    )

    assert house.ids("invoices", query) == finds


def test_the_documented_filters_do_what_the_guides_say(house: House) -> None:
    house.put(
        "invoices",
        an_invoice("1", due_date="2021-01-28T00:00:00"),
        an_invoice("2", due_date="2021-01-29T00:00:00"),
        an_invoice("3", due_date=None),
    )

    assert house.ids("invoices", "dueDate>2021-01-28") == ["2"]
    assert house.ids("invoices", "metadata.isDeleted!=true") == ["1", "2", "3"]
    assert house.ids("invoices", "dueDate!=2021-01-28") == ["2", "3"]
    assert house.ids("invoices", "customerRef.companyName~FJORD && {totalAmount>100 || currency=EUR}") == [
        "1",
        "2",
        "3",
    ]


def test_a_number_too_large_for_any_column_is_missing_to_queries_and_whole_in_the_document(house: House) -> None:
    house.put("invoices", an_invoice("1", currency_rate=Decimal("1E+140000"), total_amount=Decimal("2")))

    [document] = house.page("invoices", "totalAmount=2").documents

    assert b"1" + b"0" * 140000 in document


def test_companies_are_found_by_their_own_and_their_connections_properties(house: House) -> None:
    bare = house.another_company("Zoë's Café")
    with house.db.write() as tx:
        connections.delete(tx, house.tenant, bare.connection)
        companies.update(tx, house.tenant, bare.company, description="A CAFÉ in Ångermanland")
        connections.set_last_sync(tx, house.tenant, house.connection, LATER)

    def found(query: str) -> list[str]:
        with house.db.read() as tx:
            return [one.name for one in companies.list_page(tx, house.tenant, query=parse(query)).rows]

    both = ["Toft Bakery", "Zoë's Café"]
    assert found("name=toft bakery") == both[:1]
    assert found("name~ZOË") == both[1:]
    assert found("description~café in ång") == both[1:]
    assert found("description!=x") == both
    assert found(f"id={house.company}") == both[:1]
    assert found(f"id={house.company.upper()}") == []
    assert found("created>2026-03-01T12:00:00Z") == both[1:]
    assert found("createdByUserName=ANN@example.com") == both[:1]
    assert found("lastSync>=2026-03-01T13:00:00Z") == both[:1]
    assert found("lastSync!=2020-01-01") == both
    assert found("dataConnections.status=linked") == both[:1]
    assert found("dataConnections.status~INK") == both[:1]
    assert found(f"dataConnections.id={house.connection}") == both[:1]
    assert found("dataConnections.status!=Linked") == both[1:]
    assert found("&&".join(f"dataConnections.status!={status}" for status in ConnectionStatus)) == both[1:]
    assert found("dataConnections.created>2020-01-01") == both[:1]


def test_connections_and_history_are_found_by_their_properties(house: House) -> None:
    with house.db.write() as tx:
        second = connections.add(tx, house.tenant, house.company, "fbrh", LATER)
        one = datasets.queue(tx, house.tenant, house.company, house.connection, "invoices", NOON)
        datasets.advance(
            tx,
            house.tenant,
            one.id,
            status=Status.FETCH_ERROR,
            error_message="Société Générale: ÉCHEC",
            progress=40,
            completed=LATER,
        )
        datasets.queue(tx, house.tenant, house.company, house.connection, "bills", NOON + timedelta(minutes=1))

        def linked(query: str) -> list[str]:
            return [one.id for one in connections.list_page(tx, house.tenant, house.company, query=parse(query)).rows]

        def history(query: str, order: str | None = None) -> list[str]:
            rows = datasets.list_page(tx, house.tenant, house.company, query=parse(query), order=order).rows
            return [one.data_type for one in rows]

        assert linked("status=linked") == [house.connection]
        assert linked("status!=linked&&integrationKey=FBRH") == [second.id]
        assert linked("lastSync>2020-01-01") == []
        assert history("dataType=Invoices") == ["invoices"]
        assert history("status=queued") == ["bills"]
        assert history("errorMessage~générale") == ["invoices"]
        assert history("errorMessage=Société Générale: ÉCHEC") == ["invoices"]
        assert history("errorMessage!=Société Générale: ÉCHEC") == ["bills"]
        assert history("progress>=40") == ["invoices"]
        assert history("completed!=2020-01-01") == ["bills", "invoices"]
        assert history(f"connectionId={house.connection}", "requested") == ["invoices", "bills"]
        assert history(f"companyId={house.company}&&id={one.id}") == ["invoices"]
        assert history("statusDescription~x") == []

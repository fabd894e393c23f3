"""Lists of records: pages neither overlap nor leave out, whatever the order; deleted records stay; totals are true."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.house import LATER, NOON, House, a_bank_line, an_invoice, prepared

from comptoir.errors import InvalidInput
from comptoir.model import SHAPES
from comptoir.model.sales import CustomerRef, DocumentStatus
from comptoir.store import companies, connections, reading, records
from comptoir.store.database import Source, fetch
from comptoir.store.places import Place, Places
from comptoir.store.query import parse
from comptoir.store.reading import properties


def walked(house: House, size: int, **more: Any) -> list[str]:
    """Ids of all pages of a size, one page after another."""
    found: list[str] = []
    number = 1
    while some := house.ids("invoices", page=number, page_size=size, **more):
        found += some
        number += 1
    return found


@pytest.mark.parametrize(
    "order",
    [
        None,
        "issueDate",
        "-issueDate",
        "dueDate",
        "-dueDate",
        "totalAmount",
        "-totalAmount",
        "status",
        "-status",
        "customerRef.companyName",
        "-modifiedDate",
    ],
)
def test_pages_hold_each_record_once_however_many_are_alike(
    house: House, order: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_places", Places(apart=1))  # so that pages begin where others did
    house.put(
        "invoices",
        *(
            an_invoice(str(n), due_date=None if n % 3 else "2026-01-01T00:00:00", total_amount=Decimal(n % 2))
            for n in range(23)
        ),
    )

    for size in (1, 4, 5, 23, 100):
        assert walked(house, size, order=order) == house.ids("invoices", order=order)
        assert sorted(walked(house, size, order=order)) == sorted(str(n) for n in range(23))

    house.put("invoices", *(an_invoice(str(n), total_amount=Decimal(3)) for n in range(0, 30, 2)), now=LATER)

    for size in (4, 7):
        assert walked(house, size, order=order) == house.ids("invoices", order=order)
        assert len(set(walked(house, size, order=order))) == 26


@pytest.mark.parametrize("order", [None, "issueDate", "-issueDate", "id"])
@pytest.mark.parametrize("query", [None, "totalAmount>=0"])
def test_a_page_is_looked_for_from_the_nearest_place_known(
    house: House, order: str | None, query: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_places", Places(apart=3))
    skipped: list[int] = []

    def noted(source: Source, sql: str, values: Sequence[Any]) -> Any:
        if "OFFSET" in sql:
            skipped.append(values[[at for at, sign in enumerate(sql) if sign == "?"].index(sql.index("OFFSET ?") + 7)])
        return fetch(source, sql, values)

    monkeypatch.setattr(reading, "fetch", noted)
    house.put("invoices", *(an_invoice(str(n), issue_date=f"2026-01-{10 + n // 4}T00:00:00") for n in range(40)))
    whole = house.ids("invoices", query, order=order)
    skipped.clear()

    for number in (5, 5, 6, 20, 19, 20, 17, 2):
        assert house.ids("invoices", query, order=order, page=number, page_size=2) == whole[2 * number - 2 : 2 * number]

    assert skipped == [8, 0, 2, 30, 28, 0, 24, 2]
    house.put("invoices", an_invoice("new"), now=LATER)
    house.ids("invoices", query, order=order, page=20, page_size=2)
    assert skipped[-1] == 38


def test_places_of_lists_that_are_asked_for_stay_longest() -> None:
    places = Places(2, apart=1)
    for name in ("first", "second"):
        places.note((name,), Place(5, 1, None))
    assert places.before(("first",), 9) is not None

    places.note(("third",), Place(5, 1, None))

    assert [places.before((name,), 9) is not None for name in ("first", "second", "third")] == [True, False, True]


@pytest.mark.parametrize("order", ["totalAmount", "-totalAmount"])
def test_numbers_too_long_for_a_column_are_on_a_page_too(
    house: House, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_places", Places(apart=1))
    amounts = [Decimal(n) for n in range(8)] + [Decimal("1E+140000")] * 4
    house.put("invoices", *(an_invoice(str(n), total_amount=amount) for n, amount in enumerate(amounts)))

    whole = house.page("invoices", order=order).documents
    for _ in range(2):
        pages = [house.page("invoices", order=order, page=number, page_size=2).documents for number in range(1, 7)]
        assert [one for page in pages for one in page] == whole
    assert len(whole) == 12


def test_what_another_connection_stores_meanwhile_moves_no_page_of_this_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_places", Places(apart=1))
    house.put("invoices", *(an_invoice(f"{2 * n:02}") for n in range(30)))
    with house.db.write() as tx:
        second = connections.add(tx, house.tenant, house.company, "fbrh", LATER).id
    other = House(house.db, house.tenant, house.company, second)
    counted = reading._total

    def meanwhile(*asked: Any) -> int:
        total = counted(*asked)
        monkeypatch.setattr(reading, "_total", counted)
        other.put("invoices", *(an_invoice(f"{2 * n + 1:02}") for n in range(30)))
        return total

    monkeypatch.setattr(reading, "_total", meanwhile)
    house.ids("invoices", order="id", page=3, page_size=10)

    mine = records.list_page(
        house.db, house.tenant, house.company, "invoices", connection=house.connection, order="id", page=3, page_size=10
    )
    assert [json.loads(one)["id"] for one in mine.documents] == [f"{2 * n:02}" for n in range(20, 30)]


def test_orders_are_those_of_what_is_meant(house: House) -> None:
    house.put(
        "invoices",
        an_invoice(
            "a",
            total_amount=Decimal(9),
            due_date=None,
            customer_ref=CustomerRef(id="10", company_name="beta"),
            status=DocumentStatus.VOID,
        ),
        an_invoice(
            "b",
            total_amount=Decimal(10),
            due_date="2026-02-01T00:00:00",
            customer_ref=CustomerRef(id="9", company_name="Alpha"),
            status=DocumentStatus.PAID,
        ),
        an_invoice(
            "c",
            total_amount=Decimal("-100"),
            due_date="2025-02-01T00:00:00",
            customer_ref=None,
            status=DocumentStatus.DRAFT,
        ),
    )

    assert house.ids("invoices") == ["a", "b", "c"]
    assert house.ids("invoices", order="totalAmount") == ["c", "a", "b"]
    assert house.ids("invoices", order="-totalAmount") == ["b", "a", "c"]
    assert house.ids("invoices", order="dueDate") == ["c", "b", "a"]  # what lacks a value comes last
    assert house.ids("invoices", order="-dueDate") == ["b", "c", "a"]
    assert house.ids("invoices", order="customerRef.companyName") == ["b", "a", "c"]
    assert house.ids("invoices", order="-id") == ["c", "b", "a"]
    assert house.ids("invoices", "totalAmount<10", order="-totalAmount") == ["a", "c"]


def test_amounts_of_any_size_are_ordered_as_numbers(house: House) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.decimals(allow_nan=False, allow_infinity=False).filter(lambda one: abs(one.adjusted()) < 2000),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    def run(amounts: list[Decimal]) -> None:
        with house.db.write() as tx:
            tx.exec_driver_sql("DELETE FROM std_invoices")
        house.put("invoices", *(an_invoice(str(place), total_amount=amount) for place, amount in enumerate(amounts)))

        ordered = [amounts[int(id_)] for id_ in house.ids("invoices", order="totalAmount")]

        assert ordered == sorted(amounts)

    run()


def test_every_property_of_every_data_type_can_order_and_filter(house: House) -> None:
    for name in SHAPES:
        for path, found in properties(name).items():
            value = {
                "amount": "1",
                "integer": "1",
                "boolean": "true",
                "date": "2026-01-01",
                "instant": "2026-01-01",
            }.get(found.kind, "x")
            assert house.page(name, f"{path}={value}||{path}!={value}", order=f"-{path}").total == 0


def test_a_page_behind_the_last_is_empty_and_tells_the_total(house: House) -> None:
    house.put("invoices", an_invoice("1"), an_invoice("2"))

    page = house.page("invoices", page=3, page_size=1)

    assert (page.total, page.documents) == (2, [])


def test_a_total_is_counted_anew_when_records_change(house: House) -> None:
    house.put("invoices", an_invoice("1"), an_invoice("2", status=DocumentStatus.VOID))
    assert house.page("invoices", "status=Paid").total == 1

    house.put("invoices", an_invoice("2", status=DocumentStatus.PAID), now=LATER)
    assert house.page("invoices", "status=Paid").total == 2

    with house.db.write() as tx:
        records.delete(tx, house.tenant, house.company, house.connection, "invoices", ["1"], LATER)
    assert house.page("invoices", "metadata.isDeleted=false").total == 1


def test_a_total_counted_in_a_transaction_that_is_undone_is_not_remembered(house: House) -> None:
    house.put("invoices", an_invoice("1"))

    rows = [prepared("invoices", an_invoice(str(n))) for n in range(2, 9)]
    with contextlib.suppress(ZeroDivisionError), house.db.write() as tx:
        records.put(tx, house.tenant, house.company, house.connection, "invoices", rows, NOON)
        assert records.list_page(tx, house.tenant, house.company, "invoices").total == 8
        raise ZeroDivisionError
    house.put("invoices", an_invoice("2"))

    assert house.page("invoices").total == 2


def test_documents_carry_what_the_store_knows_of_them(house: House) -> None:
    house.put("invoices", an_invoice("1"))
    with house.db.write() as tx:
        records.delete(tx, house.tenant, house.company, house.connection, "invoices", ["1"], LATER)

    [document] = map(msgspec.json.decode, house.page("invoices").documents)
    again = records.get(house.db, house.tenant, house.company, "invoices", "1")

    assert document["modifiedDate"] == "2026-03-01T13:00:00.000000Z"
    assert document["metadata"] == {"isDeleted": True}
    assert again is not None
    assert msgspec.json.decode(again) == document


def test_bank_transactions_are_read_below_their_account(house: House) -> None:
    house.put("bankTransactions", a_bank_line("1", "A"), a_bank_line("2", "B"), a_bank_line("3", "A", "-5.00"))

    assert house.ids("bankTransactions", account="A") == ["1", "3"]
    assert house.ids("bankTransactions", "amount<0", account="A", order="-clearedOnDate") == ["3"]
    assert house.ids("bankTransactions", account="nosuch\x00") == []
    [document] = house.page("bankTransactions", account="B").documents
    assert b'"modifiedDate"' in document
    assert b'"metadata"' not in document

    def get(account: str) -> bytes | None:
        return records.get(house.db, house.tenant, house.company, "bankTransactions", "2", account=account)

    assert get("B") is not None
    assert get("A") is None


def test_a_list_is_readable_once_its_data_type_was_read_to_its_end(house: House) -> None:
    owner = (house.tenant, house.company)

    def readable() -> bool:
        return records.is_readable(house.db, *owner, "invoices")

    assert not readable()
    assert not house.page("invoices").is_readable

    house.put("invoices", an_invoice("1"))
    assert not house.page("invoices").is_readable

    with house.db.write() as tx:
        records.mark_readable(tx, *owner, house.connection, "invoices", NOON)
        records.mark_readable(tx, *owner, house.connection, "bills", NOON)
    assert readable()
    assert house.page("invoices").is_readable
    assert house.page("bills").is_readable
    assert house.page("bills").documents == []
    assert not records.is_readable(house.db, *owner, "payments")
    assert not records.is_readable(house.db, *owner, "invoices", "another connection")  # type: ignore[arg-type]  # any text


def test_a_list_of_a_company_joins_its_connections_and_can_be_narrowed_to_one(house: House) -> None:
    with house.db.write() as tx:
        second = connections.add(tx, house.tenant, house.company, "fbrh", LATER).id
    other = House(house.db, house.tenant, house.company, second)
    house.put("invoices", an_invoice("1"))
    other.put("invoices", an_invoice("2"), an_invoice("1", note="the other's"))

    assert house.ids("invoices") == ["1", "2", "1"]
    assert house.ids("invoices", connection=second) == ["2", "1"]
    only = records.get(house.db, house.tenant, house.company, "invoices", "1", second)
    assert only is not None
    assert b"the other's" in only


def test_one_record_is_got_by_its_exact_id(house: House) -> None:
    house.put("invoices", an_invoice("Ab"))

    def get(id_: str) -> bytes | None:
        return records.get(house.db, house.tenant, house.company, "invoices", id_)

    assert get("Ab") is not None
    assert get("ab") is None
    assert get("A") is None
    assert get("A\x00b") is None
    assert get("") is None


def test_companies_and_other_lists_keep_a_stable_order_too(house: House) -> None:
    with house.db.write() as tx:
        for n in range(9):
            companies.add(tx, house.tenant, name=f"Same {n % 2}", tags={"n": str(n % 3)}, created_by=None, now=LATER)

    def names(size: int, **more: Any) -> list[str]:
        with house.db.read() as tx:
            found, number = [], 1
            while rows := companies.list_page(tx, house.tenant, page=number, page_size=size, **more).rows:
                found += [one.id for one in rows]
                number += 1
            return found

    for more in (
        {},
        {"order": "name"},
        {"order": "-created"},
        {"order": "lastSync"},
        {"tags": parse("n!=1"), "order": "-name"},
    ):
        assert names(2, **more) == names(100, **more)
        assert len(set(names(2, **more))) == len(names(100, **more)) == (7 if "tags" in more else 10)


def test_an_order_that_is_not_understood_is_refused(house: House) -> None:
    with pytest.raises(InvalidInput, match="Could not resolve property lineItems on Invoice"):
        house.page("invoices", order="lineItems")

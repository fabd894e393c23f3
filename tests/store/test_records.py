"""Standard records, written: only what changed is touched, what is no longer made is deleted, what is back is back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.house import LATER, NOON, House, an_invoice, arrived, prepared

from comptoir import model
from comptoir.store import open_database, raw, records
from comptoir.store.raw import Counts
from comptoir.store.records import Prepared


def documents(house: House) -> dict[str, dict[str, Any]]:
    found = [msgspec.json.decode(one) for one in house.page("invoices", page_size=5000).documents]
    return {one["id"]: one for one in found}


def put(house: House, *rows: Prepared, now: Any = NOON) -> Counts:
    with house.db.write() as tx:
        return records.put(tx, house.tenant, house.company, house.connection, "invoices", rows, now)


def test_new_changed_and_unchanged_are_told_apart_and_only_changes_move_the_date(house: House) -> None:
    assert house.put("invoices", an_invoice("1"), an_invoice("2")) == Counts(new=2)

    counts = house.put("invoices", an_invoice("1"), an_invoice("2", note="x"), an_invoice("3"), now=LATER)

    assert counts == Counts(1, 1, 1)
    held = documents(house)
    assert [held[id_]["modifiedDate"][11:13] for id_ in ("1", "2", "3")] == ["12", "13", "13"]
    assert held["2"]["note"] == "x"


def test_a_new_date_of_the_source_alone_is_a_change(house: House) -> None:
    row = prepared("invoices", an_invoice("1"))
    put(house, row)

    assert put(house, msgspec.structs.replace(row, source_modified_date="2026-02-02T00:00:00Z"), now=LATER) == Counts(
        changed=1
    )


def test_of_records_with_one_id_the_last_counts(house: House) -> None:
    assert house.put("invoices", an_invoice("1", note="first"), an_invoice("1", note="last")) == Counts(new=1)

    assert documents(house)["1"]["note"] == "last"


def test_typed_columns_follow_their_document(house: House) -> None:
    house.put("invoices", an_invoice("1", total_amount=Decimal(5)))
    house.put("invoices", an_invoice("1", total_amount=Decimal(7), due_date=None), now=LATER)

    assert house.ids("invoices", "totalAmount=7&&dueDate!=2026-02-28") == ["1"]
    assert house.ids("invoices", "totalAmount=5") == []


def test_a_deleted_record_keeps_its_values_and_comes_back_when_made_again(house: House) -> None:
    house.put("invoices", an_invoice("1"), an_invoice("2"))
    owner = (house.tenant, house.company, house.connection, "invoices")
    with house.db.write() as tx:
        assert records.delete(tx, *owner, ["1", "nosuch"], LATER) == 1
        assert records.delete(tx, *owner, ["1"], LATER) == 0
        assert records.live_ids(tx, house.tenant, house.connection, "invoices") == {"2"}
        assert records.present(tx, house.tenant, house.connection, "invoices", ["1", "2", "3"]) == {"1", "2"}
        assert records.count(tx, house.tenant, house.connection, "invoices") == 1
        assert [
            msgspec.json.decode(one)["id"] for one in records.iterate(tx, house.tenant, house.connection, "invoices")
        ] == ["2"]
    assert documents(house)["1"]["metadata"] == {"isDeleted": True}
    assert documents(house)["1"]["totalAmount"] == 120

    assert house.put("invoices", an_invoice("1")) == Counts(changed=1)
    assert documents(house)["1"]["metadata"] == {"isDeleted": False}


def test_a_record_its_source_no_longer_makes_is_deleted(house: House) -> None:
    owner = (house.tenant, house.company, house.connection, "invoices")
    put(
        house,
        prepared("invoices", an_invoice("1"), source=("invoices", "1")),
        prepared("invoices", an_invoice("2"), source=("invoices", "2")),
        prepared("invoices", an_invoice("9-a"), source=("bills", "9")),
        prepared("invoices", an_invoice("9-b"), source=("bills", "9")),
        prepared("invoices", an_invoice("9"), source=("bills", "9")),
    )

    with house.db.write() as tx:
        assert records.mark_absent(tx, *owner, "invoices", ["1", "2"], {"1"}, LATER) == 1
        assert records.mark_absent(tx, *owner, "bills", ["9", "nosuch"], {"9-b"}, LATER) == 2
        assert records.mark_absent(tx, *owner, "bills", ["1"], set(), LATER) == 0
        assert records.live_ids(tx, house.tenant, house.connection, "invoices") == {"1", "9-b"}


def test_records_of_deleted_sources_are_deleted(house: House) -> None:
    owner = (house.tenant, house.company, house.connection, "invoices")
    house.arrive("invoices", arrived("1"), arrived("2"))
    house.arrive("bills", arrived("9"), arrived("1"))
    put(
        house,
        prepared("invoices", an_invoice("1"), source=("invoices", "1")),
        prepared("invoices", an_invoice("2"), source=("invoices", "2")),
        prepared("invoices", an_invoice("9-a"), source=("bills", "9")),
    )
    with house.db.write() as tx:
        raw.mark_deleted(tx, house.tenant, house.connection, "bills", ["9", "1"], LATER)
        raw.mark_deleted(tx, house.tenant, house.connection, "invoices", ["2"], LATER)

        assert records.mark_deleted_sources(tx, *owner, LATER) == 2
        assert records.mark_deleted_sources(tx, *owner, LATER) == 0
        assert records.live_ids(tx, house.tenant, house.connection, "invoices") == {"1"}


def test_amounts_keep_every_digit_from_the_record_to_the_document(house: House) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1E+60"), max_value=Decimal("1E+60")),
            min_size=1,
            max_size=10,
        )
    )
    def run(amounts: list[Decimal]) -> None:
        house.put("invoices", *(an_invoice(f"a{place}", total_amount=amount) for place, amount in enumerate(amounts)))

        for place, amount in enumerate(amounts):
            document = records.get(house.db, house.tenant, house.company, "invoices", f"a{place}")
            assert document is not None
            held = model.decode("invoices", document).total_amount
            assert held == amount
            assert house.ids("invoices", f"id=a{place}&&totalAmount={amount:f}"[:2048]) == [f"a{place}"]
            assert b"E" not in document.partition(b'"totalAmount":')[2].partition(b",")[0]

    run()


def test_sums_of_long_amounts_are_exact_on_postgres(postgres_url: str) -> None:
    house = House.built(open_database(postgres_url))
    house.put("invoices", *(an_invoice(str(n), total_amount=Decimal("0.1") + Decimal(10) ** 20) for n in range(3)))

    assert house.db.fetch(
        "SELECT sum(p_total_amount), sum(total_amount) FROM std_invoices s JOIN invoices i ON i.id = s.id"
    ) == [(Decimal("300000000000000000000.3"), Decimal("300000000000000000000.3"))]
    house.db.close()


def test_any_text_comes_through_the_document_unchanged(house: House) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=40))
    def run(text: str) -> None:
        house.put("invoices", an_invoice("1", note=text, invoice_number=text))

        document = records.get(house.db, house.tenant, house.company, "invoices", "1")

        assert document is not None
        found = model.decode("invoices", document)
        assert (found.note, found.invoice_number) == (text, text)

    run()


def test_what_the_model_has_no_member_for_is_kept_beside_the_record(house: House) -> None:
    row = prepared("invoices", an_invoice("1"))
    put(house, msgspec.structs.replace(row, supplemental=b'{"poReference":"7"}'), prepared("invoices", an_invoice("2")))
    owner = (house.tenant, house.company, house.connection, "invoices")

    with house.db.read() as tx:
        assert records.supplemental_of(tx, *owner, "1") == b'{"poReference":"7"}'
        assert records.supplemental_of(tx, *owner, "2") is None
        assert records.supplemental_of(tx, *owner, "nosuch") is None


def test_batches_of_thousands_are_handled_whole_and_walked_in_order(house: House) -> None:
    many = [an_invoice(f"{n:05d}") for n in range(2345)]
    assert house.put("invoices", *many) == Counts(new=2345)
    assert house.put("invoices", *many) == Counts(unchanged=2345)
    assert house.put("invoices", *(msgspec.structs.replace(one, note="x") for one in many)) == Counts(changed=2345)

    with house.db.read() as tx:
        walked = [
            msgspec.json.decode(one)["id"] for one in records.iterate(tx, house.tenant, house.connection, "invoices")
        ]
    assert walked == [one.id for one in many]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-31T10:00:00Z",
        "2026-01-31T10:00:00.5Z",
        "2026-01-31T10:00:00.123456Z",
        "2026-01-31T11:00:00+01:00",
        "2026-01-31T10:00:00",
    ],
)
def test_a_date_of_the_source_is_compared_as_the_instant_it_is(house: House, moment: str) -> None:
    house.put("invoices", an_invoice("1", source_modified_date=moment))

    assert house.ids(
        "invoices", "sourceModifiedDate>=2026-01-31T10:00:00Z&&sourceModifiedDate<2026-01-31T10:00:01Z"
    ) == ["1"]
    assert house.ids("invoices", f"sourceModifiedDate={moment}") == ["1"]
    assert house.put("invoices", an_invoice("1", source_modified_date=moment)) == Counts(unchanged=1)


def test_another_tenants_records_are_neither_seen_nor_touched(house: House, stranger: House) -> None:
    house.put("invoices", an_invoice("1"))
    with house.db.write() as tx:
        records.mark_readable(tx, house.tenant, house.company, house.connection, "invoices", NOON)
    owner = (stranger.tenant, house.company, house.connection, "invoices")

    with house.db.write() as tx:
        assert records.delete(tx, *owner, ["1"], LATER) == 0
        assert records.mark_absent(tx, *owner, "invoices", ["1"], set(), LATER) == 0
        assert records.mark_deleted_sources(tx, *owner, LATER) == 0
        assert records.present(tx, stranger.tenant, house.connection, "invoices", ["1", "2"]) == set()
        assert records.live_ids(tx, stranger.tenant, house.connection, "invoices") == set()
        assert records.count(tx, stranger.tenant, house.connection, "invoices") == 0
        assert list(records.iterate(tx, stranger.tenant, house.connection, "invoices")) == []
        assert records.supplemental_of(tx, *owner, "1") is None
    for tenant, company in ((stranger.tenant, house.company), (house.tenant, stranger.company)):
        assert records.list_page(house.db, tenant, company, "invoices").documents == []
        assert records.get(house.db, tenant, company, "invoices", "1") is None
        assert records.get(house.db, tenant, company, "invoices", "1", house.connection) is None
        assert not records.is_readable(house.db, tenant, company, "invoices")
    assert documents(house)["1"]["metadata"] == {"isDeleted": False}

"""Lists over the API: pages that tile, orders that hold, and every rule of the query language."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.conftest import RECORDS, House, Served, error_in
from tests.api.test_records import an_invoice

from comptoir.model.records import LocalDate
from comptoir.model.sales import CustomerRef, DocumentStatus

LISTS = [name for name, shape in RECORDS.items() if not shape.is_single]


def _follow(served: House, path: str | None) -> Iterator[dict[str, Any]]:
    """Pages from this one on, by their next links."""
    while path:
        body = served.get(path).json()
        yield body
        path = body["_links"].get("next", {}).get("href")


@pytest.mark.parametrize("data_type", LISTS)
def test_pages_of_any_size_tile_the_list(served: Served, data_type: str) -> None:
    whole = served.all(data_type)
    base = served.base(data_type)

    for size in (1 if len(whole) < 40 else 7, max(1, len(whole) - 1), len(whole), len(whole) + 1):
        pages = list(_follow(served, f"{base}?pageSize={size}"))
        assert [one for page in pages for one in page["results"]] == whole
        assert [page["pageNumber"] for page in pages] == list(range(1, -(-len(whole) // size) + 1))
        assert {page["totalResults"] for page in pages} == {len(whole)}
        assert all("previous" in page["_links"] for page in pages[1:])
        assert "previous" not in pages[0]["_links"]
    for page, has_previous in ((len(whole) + 1, True), (len(whole) + 2, False)):
        past = served.get(f"{base}?pageSize=1&page={page}").json()
        assert (past["results"], past["totalResults"]) == ([], len(whole))
        assert ("previous" in past["_links"], "next" in past["_links"]) == (has_previous, False)


def test_links_keep_query_order_and_size_and_can_be_followed(served: Served) -> None:
    base = served.base("invoices")
    query = "{status=Paid||status!=Draft}&&customerRef.companyName!=Smith & Sons=50%"
    path = f"{base}?query={quote(query, safe='')}&orderBy=-totalAmount&pageSize=3&page=2"

    links = served.get(path).json()["_links"]

    assert links["self"]["href"] == base
    assert links["current"]["href"] == path
    kept = f"query={quote(query, safe='')}&orderBy=-totalAmount"
    assert links["next"]["href"] == f"{base}?page=3&pageSize=3&{kept}"
    assert links["previous"]["href"] == f"{base}?page=1&pageSize=3&{kept}"
    following = served.get(links["next"]["href"]).json()
    assert served.get(following["_links"]["previous"]["href"]).json()["results"] == served.get(path).json()["results"]


def test_what_a_client_did_not_encode_is_read_and_encoded_in_links(house: House) -> None:
    ids = [house.a_company("Café Abel"), house.a_company("Café Toft")]

    for sent in (b"Caf\xc3\xa9", b"Caf%C3%A9", b"caf%c3%a9&pageSize=1"):
        status, body = house.ask_in_bytes(b"/api/companies?query=name~" + sent + b"&orderBy=name")
        answer = msgspec.json.decode(body)
        assert status == 200
        assert [one["id"] for one in answer["results"]] == ids[: len(answer["results"])] != []
        assert answer["totalResults"] == 2
        assert "query=name~caf%c3%a9" in answer["_links"]["current"]["href"].lower()
        for link in answer["_links"].values():
            assert link["href"].isascii()
            assert house.get(link["href"]).status_code == 200


def test_bytes_that_are_no_text_are_no_fault_of_ours(standing: House) -> None:
    company = standing.a_company().encode()

    for target in (
        b"/companies?query=name=%FF", b"/companies?query=name=\xff\xfe", b"/companies?query=%", b"/companies?query=%zz=1", b"/\xff\xfe",
        b"/companies/\xff/data/invoices", b"/companies?%FF=%FF&=&&&;", b"/companies?query=\xc3", b"/companies?orderBy=%00", b"/companies?page=%C2%B2",
        b"/companies/" + company + b"/connections?query=id=%FF&orderBy=\xff", b"/companies/" + company + b"/data/history/\xff",
        b"/integrations/\xff", b"/integrations?query=name~\xff", b"/companies?tags=a=\xff",
    ):  # fmt: skip
        status, body = standing.ask_in_bytes(b"/api" + target)
        assert status in (200, 400, 404), target
        assert b"href" in body or msgspec.json.decode(body)["statusCode"] == status


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of a record by its dotted path; what is inside arrays is left out."""
    for name, held in node.items():
        if isinstance(held, dict):
            yield from _leaves(held, f"{path}{name}.")
        elif not isinstance(held, list) and held is not None:
            yield f"{path}{name}", held


@pytest.mark.parametrize("data_type", LISTS)
def test_every_member_of_a_record_can_be_queried_and_ordered_by(served: Served, data_type: str) -> None:
    answer = served.get(served.base(data_type), params={"pageSize": 5000})
    found: list[dict[str, Any]] = answer.json()["results"]
    examples = {path: (record["id"], value) for record in found for path, value in _leaves(record)}

    for path, (id_, value) in examples.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if any(sign in text for sign in "{}") or "&&" in text or "||" in text or text != text.strip() or not text:
            continue
        ids = {one["id"] for one in served.all(data_type, query=f"{path}={text}")}
        others = {one["id"] for one in served.all(data_type, query=f"{path}!={text}")}
        assert id_ in ids, (path, text)
        assert ids | others == {one["id"] for one in found}, path
        assert not ids & others, path
        assert len(served.all(data_type, orderBy=f"-{path}")) == len(found)


_INVOICES = (
    an_invoice("1", status=DocumentStatus.PAID, total_amount=Decimal("100.00"), due_date=LocalDate("2021-01-28T00:00:00"),
               currency="GBP", customer_ref=CustomerRef(id="A", company_name="Smith & Sons = 50%|x Ltd"), note="it's \"quoted\""),
    an_invoice("2", status=DocumentStatus.SUBMITTED, total_amount=Decimal("99.999999999999999999999"),
               due_date=LocalDate("2021-01-29T00:00:00"), currency="EUR", customer_ref=CustomerRef(id="a", company_name="Ärger GmbH")),
    an_invoice("3", status=DocumentStatus.SUBMITTED, total_amount=Decimal("-5"), discount_percentage=Decimal("0"), note=""),
    an_invoice("4", status=DocumentStatus.VOID, total_amount=Decimal("1000000000000000000000000"), currency="GBP",
               note="true", due_date=LocalDate("2021-01-27T00:00:00")),
)  # fmt: skip

_QUERIES: tuple[tuple[str, str], ...] = (
    # Operators by type
    ("totalAmount=100", "1"), ("totalAmount=1e2", "1"), ("totalAmount!=100.00", "234"), ("totalAmount>99.999999999999999999999", "14"),
    ("totalAmount>=99.999999999999999999999", "124"), ("totalAmount<0", "3"), ("totalAmount<=-5.0", "3"), ("totalAmount = +100.", "1"),
    ("status=paid", "1"), ("status!=PAID", "234"), ("status~sub", "23"), ("note=true", "4"), ("metadata.isDeleted=FALSE", "1234"),
    ("metadata.isDeleted!=true", "1234"), ("metadata.isDeleted = true", ""),
    # Text: ids letter by letter, the rest without regard to case
    ("customerRef.id=a", "2"), ("customerRef.id~A", "12"), ("id=1", "1"), ("customerRef.companyName=ärger gmbh", "2"),
    ("customerRef.companyName~ÄRG", "2"), ("CUSTOMERREF.COMPANYNAME~sons", "1"), ("customerRef . companyName ~ Sons", "1"),
    # Values run to the next connective; one pair of quotes is taken off
    ("customerRef.companyName=Smith & Sons = 50%|x Ltd", "1"), ("customerRef.companyName='Smith & Sons = 50%|x Ltd'", "1"),
    ('status="Paid"&&note~"quoted"', "1"), ("note~''", "134"), ("note=''", "3"), ("note=\"it's \"quoted\"\"", "1"),
    # Dates: without a time midnight, compared as instants
    ("dueDate>2021-01-28", "2"), ("dueDate>=2021-01-28", "12"), ("dueDate=2021-01-28T00:00:00Z", "1"), ("dueDate<2021-01-28T00:00:00.00Z", "4"),
    ("dueDate=2021-01-28T01:00:00+01:00", "1"), ("dueDate!=2021-01-28", "234"), ("dueDate>2021-01-27T23:59:59.9999999Z", "12"),
    ("modifiedDate>2026-03-01", "1234"), ("modifiedDate<2026-03-01T09:30:00.000Z", ""),
    # Null matches nothing but !=
    ("currency!=GBP", "23"), ("dueDate<2100-01-01", "124"), ("discountPercentage>=0", "3"), ("discountPercentage!=0", "124"),
    ("note~a", ""), ("customerRef.companyName!=x", "1234"), ("paidOnDate=2021-01-28", ""), ("paidOnDate!=2021-01-28", "1234"),
    # && binds tighter than ||, braces group
    ("status=Paid||status=Submitted&&currency=EUR", "12"), ("{status=Paid||status=Submitted}&&currency=EUR", "2"),
    ("status=Submitted&&currency=EUR||status=Paid", "12"), ("{{{status=Void}}}", "4"), ("{status=Void}||{status=Paid}", "14"),
    ("status!=Paid && status!=Void && status!=Draft", "23"), (" { status = Void } ", "4"), ("{" * 32 + "id=1" + "}" * 32, "1"),
    ("||".join(["id=1"] * 200), "1"), ("   ", "1234"),
)  # fmt: skip


def test_every_rule_of_the_query_language_holds(house: House) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "invoices", _INVOICES)

    for query, expected in _QUERIES:
        answer = house.get(f"/companies/{company}/data/invoices?query={quote(query, safe='')}")
        assert answer.status_code == 200, (query, answer.text)
        assert "".join(sorted(one["id"] for one in answer.json()["results"])) == expected, query
        assert answer.json()["totalResults"] == len(expected), query
        twice = quote(quote(query, safe=""), safe="")
        if not {"~", "%", "<", ">"} & set(query):
            again = house.get(f"/companies/{company}/data/invoices?query={twice}")
            assert again.status_code == 200, (query, again.text)
            assert again.json()["results"] == answer.json()["results"], query


_MALFORMED = (
    "status", "status=", "=Paid", "status=Paid&&", "&&status=Paid", "||", "status=Paid||||id=1", "{status=Paid", "status=Paid}", "{}", "{status}",
    "status=Paid{id=1}", "status=Paid&&{", "a b c", "status=={", "(status=Paid)", "!status=Paid", "status!Paid", "status<>Paid", "[]", "id=1;drop",
    "lineItems.unitAmount=700", "lineItems=1", "paymentAllocations.payment.id=1", "customerRef=1", "isCompleted=true", "nosuch=1", "status.x=1",
    "totalAmount~1", "status>Paid", "id>1", "metadata.isDeleted>true", "metadata.isDeleted=yes", "totalAmount=ten", "totalAmount=1,000",
    "totalAmount=NaN", "totalAmount=Infinity", "totalAmount=1e99999", "totalAmount=0x10", "totalAmount=١", "dueDate=yesterday", "dueDate=2021-02-30",
    "dueDate~2021", "dueDate=2021-13-01", "dueDate=-1", "modifiedDate=0", "id=1&&nosuch=1", "id=1||status>a", "{" * 33 + "id=1" + "}" * 33,
    "{" * 2000, "id=" + "x" * 2046, "supplementalData.x=1", "status=Paid \x00",
)  # fmt: skip


def test_what_is_no_query_answers_400_and_says_where(served: Served) -> None:
    for query in _MALFORMED:
        if query in ("id=1;drop", "totalAmount=١"):
            continue
        sentence = error_in(served.get(served.base("invoices"), params={"query": query}), 400)
        assert sentence.startswith("Error parsing query - ") or "U+0000" in sentence, query
    place = error_in(served.get(served.base("invoices"), params={"query": "status=Paid&&&&id=1"}), 400)
    assert place == "Error parsing query - Malformed query. It went wrong at character 14."
    end = error_in(served.get(served.base("invoices"), params={"query": "status=Paid&&"}), 400)
    assert end == "Error parsing query - Malformed query. It went wrong at its end."
    unknown = error_in(served.get(served.base("bills"), params={"query": "lineItems.unitAmount=700"}), 400)
    assert unknown == "Error parsing query - Could not resolve property lineItems.unitAmount on Bill"


def test_an_order_puts_what_is_missing_last_and_breaks_ties_the_same_way(house: House) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "invoices", _INVOICES)

    def ids(order: str, **more: Any) -> str:
        params = {"orderBy": order, **more}
        return "".join(
            one["id"] for one in house.get(f"/companies/{company}/data/invoices", params=params).json()["results"]
        )

    assert (ids("totalAmount"), ids("-totalAmount")) == ("3214", "4123")
    assert (ids("dueDate"), ids("-dueDate")) == ("4123", "2143")
    assert (ids("currency"), ids("-currency")) == ("2143", "4123")
    assert (ids("customerRef.companyName"), ids("id"), ids("-ID")) == ("1234", "1234", "4321")
    assert ids("-dueDate", query="currency!=EUR") == "143"
    assert "".join(ids("-currency", page=str(page), pageSize="1") for page in range(1, 5)) == ids("-currency")
    for order in ("-", "nosuch", "lineItems.unitAmount", "customerRef", "--id", "id,status", "id desc", "id;--"):
        sentence = error_in(house.get(f"/companies/{company}/data/invoices", params={"orderBy": order}), 400)
        assert "Could not resolve property" in sentence


_PIECES = st.sampled_from(
    ["status", "totalAmount", "dueDate", "metadata.isDeleted", "customerRef.companyName", "id", "nosuch", ".", " ", "=", "!=", ">", "<", ">=",
     "<=", "~", "&&", "||", "&", "|", "{", "}", "Paid", "100", "-1e5", "2021-01-28", "true", "'", '"', "%", "%3D", "\\", "é", "\u0130", ";", "--"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.one_of(st.lists(_PIECES, max_size=12).map("".join), st.text(max_size=60)), order=st.text(max_size=8))
def test_no_query_is_a_fault_of_ours(served: Served, query: str, order: str) -> None:
    for data_type in ("invoices", "transfers"):
        for params in ({"query": query}, {"orderBy": order}, {"query": f"id=1&&{query}", "orderBy": "-id"}):
            answer = served.get(served.base(data_type), params=params)
            assert answer.status_code in (200, 400), answer.text
            if answer.status_code == 400:
                error_in(answer, 400)

"""The query language: what it takes, how it binds, and what it says to what it cannot take."""

from __future__ import annotations

import re

import pytest

from comptoir.errors import InvalidInput
from comptoir.model import ColumnKind
from comptoir.store import companies, connections, datasets
from comptoir.store.query import LONGEST_QUERY, Order, parse
from comptoir.store.reading import properties

INVOICE = properties("invoices")


def where(text: str, dialect: str = "sqlite") -> tuple[str, tuple[object, ...]]:
    bound = parse(text).where(INVOICE, "Invoice", dialect)
    return re.sub(r"\bs\.p_", "", bound.sql), bound.values


@pytest.mark.parametrize(("text", "sql"), [
    ("status=Paid", "status = ?"),
    (" status  =  Paid ", "status = ?"),
    ("STATUS=Paid", "status = ?"),
    ("customerref . companyname = x", "(customer_ref_company_name = ?)"),
    ("status=a && status=b || status=c", "((status = ? AND status = ?) OR status = ?)"),
    ("status=a && {status=b || status=c}", "(status = ? AND (status = ? OR status = ?))"),
    ("{{status=a}}", "status = ?"),
    ("{status=a&&{status=b||{status=c&&status=d}}}", "(status = ? AND (status = ? OR (status = ? AND status = ?)))"),
    ("status!=a", "status <> ?"),
    ("currency!=a", "(currency IS NULL OR currency <> ?)"),
    ("status~a", "instr(status, ?) > 0"),
])  # fmt: skip
def test_terms_are_joined_and_grouped_as_written(text: str, sql: str) -> None:
    assert where(text)[0] == sql.replace("(customer_ref_company_name = ?)", "customer_ref_company_name = ?")


@pytest.mark.parametrize(("text", "value"), [
    ("customerRef.companyName=Smith & Sons Ltd", "smith & sons ltd"),
    ("customerRef.companyName= a=b ", "a=b"),
    ("customerRef.companyName=a|b", "a|b"),
    ("customerRef.companyName=a&", "a&"),
    ("customerRef.companyName='quoted'", "quoted"),
    ('customerRef.companyName="quoted  "', "quoted  "),
    ("customerRef.companyName=\"it's\"", "it's"),
    ("customerRef.companyName=''", ""),
    ("customerRef.companyName='", "'"),
    ("customerRef.companyName=''a''", "'a'"),
    ("customerRef.companyName=(a)", "(a)"),
    ("customerRef.companyName=ÉCOLE", "école"),
    ("customerRef.companyName=STRAẞE", "strasse"),
    ("customerRef.companyName=%' OR 1=1 --", "%' or 1=1 --"),
    ("customerRef.companyName=a\x00b", "a\ufffdb"),
    ("customerRef.id=AbC", "AbC"),
    ("customerRef.id=a\x00b", "a\ufffdb"),
    ("metadata.isDeleted=TRUE", True),
    ("metadata.isDeleted!=false", False),
    ("dueDate>2021-01-28", "2021-01-28T00:00:00.000000Z"),
    ("dueDate>2021-01-28T10:00:00", "2021-01-28T10:00:00.000000Z"),
    ("dueDate>2021-01-28T10:00:00Z", "2021-01-28T10:00:00.000000Z"),
    ("dueDate>2021-01-28T10:00:00.00Z", "2021-01-28T10:00:00.000000Z"),
    ("dueDate>2021-01-28T10:00:00.1234567Z", "2021-01-28T10:00:00.123456Z"),
    ("dueDate>2021-01-28T10:00:00+01:00", "2021-01-28T09:00:00.000000Z"),
    ("dueDate>2021-01-28T10:00:00 01:00", "2021-01-28T09:00:00.000000Z"),  # a plus that came as a blank
    ("modifiedDate>=2021-01-28T10:00:00.5-02:30", "2021-01-28T12:30:00.500000Z"),
])  # fmt: skip
def test_values_are_bound_as_their_columns_hold_them(text: str, value: object) -> None:
    assert where(text)[1] == (value,)


@pytest.mark.parametrize("text", [
    "", " ", "status", "status=", "=Paid", "status=Paid&&", "||status=Paid", "{status=Paid", "status=Paid}", "{}", "status=a status&&",
    "status=a&&&status=b", "status Paid", "(status=Paid)", "status=a{b", "status=a&&||status=b", ".status=a", "status.=a", "status==&&",
])  # fmt: skip
def test_a_malformed_query_is_refused_and_the_place_is_told(text: str) -> None:
    with pytest.raises(
        InvalidInput, match=r"^Error parsing query - Malformed query\. It went wrong at (character \d+|its end)\.$"
    ) as told:
        parse(text)

    assert told.value.field == "query"


def test_the_place_told_is_where_it_went_wrong() -> None:
    with pytest.raises(InvalidInput, match=r"at character 12\.$"):
        parse("status=Paid}")
    with pytest.raises(InvalidInput, match=r"at its end\.$"):
        parse("status=Paid&&")


def test_a_query_may_have_2048_characters_and_no_more() -> None:
    longest = "status=" + "x" * (LONGEST_QUERY - 7)

    parse(longest)
    with pytest.raises(InvalidInput, match="It has 2049 characters, 2048 are allowed"):
        parse(longest + "x")


@pytest.mark.parametrize("text", ["{" * 33 + "status=a" + "}" * 33, "{" * 2048])
def test_braces_nest_to_a_limit(text: str) -> None:
    with pytest.raises(InvalidInput, match="Braces nest deeper than 32"):
        parse(text)


@pytest.mark.parametrize("path", [
    "nosuch", "lineItems.unitAmount", "lineItems", "customerRef", "customerRef.nosuch", "status.x", "p_status", "pk", "doc", "tenant_id",
    "metadata", "supplementalData.content",
])  # fmt: skip
def test_an_unknown_property_is_named_with_its_type(path: str) -> None:
    with pytest.raises(InvalidInput) as told:
        where(f"{path}=700")
    assert told.value.message == f"Error parsing query - Could not resolve property {path} on Invoice"
    assert told.value.field == "query"

    with pytest.raises(InvalidInput) as told:
        Order.parse(f"-{path}", INVOICE, "Invoice")
    assert told.value.message == f"Error parsing query - Could not resolve property {path} on Invoice"
    assert told.value.field == "orderBy"


@pytest.mark.parametrize(("text", "said"), [
    ("totalAmount~1", "~ cannot be used with totalAmount; it takes = != > < >= <="),
    ("dueDate~2021", "~ cannot be used with dueDate; it takes = != > < >= <="),
    ("status>Paid", "> cannot be used with status; it takes = != ~"),
    ("customerRef.id<=7", "<= cannot be used with customerRef.id; it takes = != ~"),
    ("invoiceNumber<7", "< cannot be used with invoiceNumber; it takes = != ~"),
    ("metadata.isDeleted~t", "~ cannot be used with metadata.isDeleted; it takes = !="),
    ("metadata.isDeleted>true", "> cannot be used with metadata.isDeleted; it takes = !="),
    ("totalAmount>ten", "'ten' is not a value for totalAmount (a number)"),
    ("totalAmount>1,000", "'1,000' is not a value for totalAmount (a number)"),
    ("totalAmount>NaN", "'NaN' is not a value for totalAmount (a number)"),
    ("totalAmount>Infinity", "'Infinity' is not a value for totalAmount (a number)"),
    ("totalAmount>1e99999", "'1e99999' is not a value for totalAmount (a number)"),
    ("totalAmount=١٢", "'١٢' is not a value for totalAmount (a number)"),
    ("totalAmount=''", "'' is not a value for totalAmount (a number)"),
    ("dueDate>tomorrow", "'tomorrow' is not a value for dueDate (a date such as 2024-03-31)"),
    ("dueDate>2021-02-29", "'2021-02-29' is not a value for dueDate (a date such as 2024-03-31)"),
    ("dueDate>2021-13-01", "'2021-13-01' is not a value for dueDate (a date such as 2024-03-31)"),
    ("dueDate>0001-01-01T00:00:00+14:00", "'0001-01-01T00:00:00+14:00' is not a value for dueDate (a date such as 2024-03-31)"),
    ("modifiedDate>x", "'x' is not a value for modifiedDate (a date or time such as 2024-03-31T10:00:00Z)"),
    ("metadata.isDeleted=yes", "'yes' is not a value for metadata.isDeleted (true or false)"),
])  # fmt: skip
def test_an_operator_or_a_value_of_the_wrong_type_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as told:
        where(text)

    assert told.value.message == f"Error parsing query - {said}"


def test_what_a_query_says_reaches_sql_only_as_bound_values() -> None:
    text = "status=\"x' OR '1'='1\" && customerRef.companyName~%_\\ || totalAmount>1"

    for dialect in ("sqlite", "postgresql"):
        sql, values = where(text, dialect)
        assert "'" not in sql
        assert "%" not in sql
        assert len(values) == sql.count("?") == 3


def test_one_text_binds_anew_for_each_kind_of_list() -> None:
    query = parse("id=1")

    found = [
        query.where(names, "Same word", "sqlite").sql
        for names in (companies.PROPERTIES, connections.PROPERTIES, datasets.PROPERTIES, INVOICE)
    ]

    assert found == ["companies.id = ?", "connections.id = ?", "datasets.id = ?", "s.id = ?"]


@pytest.mark.parametrize(("text", "matches"), [
    ("region=UK", True), ("region=fr", False), ("region!=fr", True), ("owningTeam~LEND", True), ("nosuch=1", False), ("nosuch!=1", True),
    ("nosuch~1", False), ("region = uk && owning team ~ x || region=uk", True), ("{region=uk||region=fr}&&owningTeam=lending", True),
    ("tag-with-hyphen=1", True),
])  # fmt: skip
def test_short_lists_are_matched_in_memory_by_the_same_language(text: str, matches: bool) -> None:
    tags = {"region": "uk", "owningteam": "Lending", "tag-with-hyphen": "1"}

    assert parse(text).matches(tags.get) is matches


@pytest.mark.parametrize(("text", "words"), [
    ("name>a", "> cannot be used with name; it takes = != ~"), ("enabled~tru", "~ cannot be used with enabled"),
    ("enabled=maybe", "'maybe' is not a value for enabled"), ("nosuch=1", "Could not resolve property nosuch on Integration"),
    ("enabled=false&&{name=x||nosuch=1}", "Could not resolve property nosuch on Integration"),
])  # fmt: skip
def test_what_a_short_list_cannot_match_is_refused_wherever_it_stands(text: str, words: str) -> None:
    kinds = {"name": ColumnKind.TEXT, "enabled": ColumnKind.BOOLEAN}

    with pytest.raises(InvalidInput, match=words):
        parse(text).check(kinds.get, "Integration")


@pytest.mark.parametrize(("text", "column", "descending"), [
    (None, None, False), ("", None, False), ("  ", None, False), ("totalAmount", "s.p_total_amount", False),
    ("-totalamount", "s.p_total_amount", True), (" -customerRef.companyName ", "s.p_customer_ref_company_name", True),
    ("modifiedDate", "s.modified_date", False), ("id", "s.id", False),
])  # fmt: skip
def test_an_order_names_a_property_and_a_way(text: str | None, column: str | None, descending: bool) -> None:
    order = Order.parse(text, INVOICE, "Invoice")

    assert (order.column, order.descending) == (column, descending)


def test_a_list_cannot_be_ordered_by_what_it_has_many_of() -> None:
    with pytest.raises(InvalidInput, match=r"Could not resolve property dataConnections\.status on Company"):
        Order.parse("dataConnections.status", companies.PROPERTIES, "Company")


@pytest.mark.parametrize("text", ["9" * 19, "-" + "9" * 19, "1.5", "1e3", "x", "\u0661"])
def test_a_whole_number_is_one_that_a_database_holds(text: str) -> None:
    with pytest.raises(InvalidInput, match="a whole number"):
        parse(f"progress={text}").where(datasets.PROPERTIES, "DataSet", "sqlite")

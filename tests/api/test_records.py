"""Records over the API: when they can be read, where they are, and that they arrive as they are stored."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.api.conftest import RECORDS, House, Served, error_in

from comptoir.model import DATA_TYPE_KEYS, SHAPES
from comptoir.model.banking import BankAccount, BankAccountType, BankTransaction, BankTransactionType
from comptoir.model.records import Instant, LocalDate
from comptoir.model.sales import CustomerRef, DocumentStatus, Invoice
from comptoir.store.connections import ConnectionStatus, set_status
from comptoir.store.datasets import Status

UNKNOWN = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"
LISTS = [name for name, shape in RECORDS.items() if not shape.is_single]
BELOW_A_COMPANY = [name for name in RECORDS if name not in ("bankAccounts", "bankTransactions")]


def an_invoice(id_: str = "1", **members: Any) -> Invoice:
    given: dict[str, Any] = {
        "issue_date": LocalDate("2026-02-28T00:00:00"),
        "total_tax_amount": Decimal("20.00"),
        "total_amount": Decimal("120.00"),
        "amount_due": Decimal("120.00"),
        "status": DocumentStatus.SUBMITTED,
    }
    return Invoice(id=id_, **(given | members))


def a_line(id_: str, account: str) -> BankTransaction:
    kind = BankTransactionType.UNKNOWN
    return BankTransaction(id=id_, account_id=account, amount=Decimal(-5), reconciled=True, transaction_type=kind)


def _path(data_type: str, company: str, connection: str | None = None) -> str:
    base = f"/companies/{company}" + (f"/connections/{connection}" if connection else "")
    if data_type == "bankTransactions":
        return f"{base}/data/bankAccounts/1/bankTransactions"
    return f"{base}/data/{SHAPES[data_type].path_word}"


def test_before_its_first_read_a_type_answers_409_and_says_why(house: House) -> None:
    company, connection = house.a_linked_company()

    for data_type, shape in RECORDS.items():
        path = _path(data_type, company, connection)
        paths = [path] if shape.is_single else [path, f"{path}/1"]
        for one in paths:
            assert error_in(house.get(one), 409).endswith("it has not been requested yet.")
        house.a_dataset(company, connection, data_type, Status.FETCHING)
        for one in paths:
            assert error_in(house.get(one), 409).endswith("its first sync is still in progress.")


@pytest.mark.parametrize(("status", "code", "words"), [
    (Status.PERMISSIONS_ERROR, 409, "its sync ended in PermissionsError. Bills is needed."),
    (Status.CANCELLED, 409, "its sync ended in Cancelled. Bills is needed."),
    (Status.NOT_SUPPORTED, 404, "Datatype bills not supported by platform(s) FreeAgent"),
])  # fmt: skip
def test_a_type_whose_first_read_failed_says_how(house: House, status: Status, code: int, words: str) -> None:
    company, connection = house.a_linked_company()
    house.a_dataset(company, connection, "bills", status, error_message="Bills is needed.")

    assert error_in(house.get(f"/companies/{company}/data/bills"), code).endswith(words)


def test_a_type_that_was_read_and_is_empty_answers_no_results(house: House) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "bankAccounts", [BankAccount(id="1", account_type=BankAccountType.DEBIT)])

    for data_type in LISTS:
        if data_type == "bankAccounts":
            continue
        house.put(company, connection, data_type, [])
        body = house.get(_path(data_type, company, connection)).json()
        assert (body["results"], body["totalResults"]) == ([], 0)
        error_in(house.get(f"{_path(data_type, company, connection)}/1"), 404)


def test_types_that_no_integration_supplies_answer_404(standing: House) -> None:
    company, connection = standing.a_linked_company()

    for key in DATA_TYPE_KEYS:
        if key in SHAPES:
            continue
        for base in (f"/companies/{company}", f"/companies/{company}/connections/{connection}"):
            sentence = error_in(standing.get(f"{base}/data/{key}"), 404)
            assert sentence == f"Datatype {key} not supported by platform(s) FreeAgent"


@pytest.mark.parametrize("path", ["bankAccounts", "bankAccounts/1", "bankAccounts/1/transactions", "bankAccounts/1/bankTransactions"])  # fmt: skip
def test_bank_accounts_of_a_whole_company_were_withdrawn(standing: House, path: str) -> None:
    company, connection = standing.a_linked_company()
    standing.put(company, connection, "bankAccounts", [BankAccount(id="1", account_type=BankAccountType.DEBIT)])

    error_in(standing.get(f"/companies/{company}/data/{path}"), 404)


@pytest.mark.parametrize("data_type", BELOW_A_COMPANY)
def test_a_companys_and_a_connections_form_answer_the_same(served: Served, data_type: str) -> None:
    of_company = served.get(_path(data_type, served.company)).json()
    of_connection = served.get(_path(data_type, served.company, served.connection)).json()

    if SHAPES[data_type].is_single:
        assert of_company == of_connection
    else:
        assert of_company["results"] == of_connection["results"] != []


def test_a_company_answers_what_was_read_over_all_its_connections(house: House) -> None:
    company, first = house.a_linked_company()
    second = house.a_connection(company)
    house.put(company, first, "invoices", [an_invoice("1"), an_invoice("2")])
    house.put(company, second, "invoices", [an_invoice("3")])

    def ids(path: str) -> list[str]:
        return [one["id"] for one in house.get(f"/companies/{company}{path}/data/invoices").json()["results"]]

    assert (ids(""), ids(f"/connections/{first}"), ids(f"/connections/{second}")) == (
        ["1", "2", "3"],
        ["1", "2"],
        ["3"],
    )
    assert house.get(f"/companies/{company}/data/invoices/3").status_code == 200
    error_in(house.get(f"/companies/{company}/connections/{first}/data/invoices/3"), 404)


@pytest.mark.parametrize("data_type", list(RECORDS))
def test_paths_match_in_any_letter_case(served: Served, data_type: str) -> None:
    path = served.base(data_type)
    changed = path.replace("/companies/", "/COMPANIES/").replace("/data/", "/Data/")
    word = SHAPES[data_type].path_word

    answer = served.get(changed.replace(f"/{word}", f"/{word.upper()}"))

    assert answer.status_code == 200
    assert answer.content.partition(b',"_links"')[0] == served.get(path).content.partition(b',"_links"')[0]


@pytest.mark.parametrize("data_type", LISTS)
def test_every_record_is_read_by_its_id_with_any_sign_encoded(served: Served, data_type: str) -> None:
    for record in served.all(data_type)[:5]:
        encoded = "".join(f"%{byte:02X}" for byte in record["id"].encode())

        assert served.get(f"{served.base(data_type)}/{record['id']}").json() == record
        assert served.get(f"{served.base(data_type)}/{encoded}").json() == record


def test_ids_of_any_kind_can_stand_in_a_path(house: House) -> None:
    company, connection = house.a_linked_company()
    ids = ["a/b", "100%", "a b", "é", "%2F", "?x=1", "#", "日本", "a+b", "..x", "A", "a"]
    house.put(company, connection, "invoices", [an_invoice(id_) for id_ in ids])

    for id_ in ids:
        encoded = "".join(f"%{byte:02x}" for byte in id_.encode())
        assert house.get(f"/companies/{company}/data/invoices/{encoded}").json()["id"] == id_
    for id_ in ("é", "日本"):  # as a careless client sends them
        path = f"/api/companies/{company}/data/invoices/{id_}".encode()
        assert house.ask_in_bytes(path)[0] == 200
    for unknown in ("b", "a%2Fc", "%00", "a%00b", "%FF", "%25252F", "%E0%A4%A", "x" * 3000, "'%20OR%201=1--"):
        sentence = error_in(house.get(f"/companies/{company}/data/invoices/{unknown}"), 404)
        assert sentence.startswith("No data available for invoices for ID ")


def test_transactions_are_read_for_one_bank_account(house: House) -> None:
    company, connection = house.a_linked_company()
    base = f"/companies/{company}/connections/{connection}/data/bankAccounts"
    accounts = [BankAccount(id=id_, account_type=BankAccountType.DEBIT) for id_ in ("1", "2", "12")]
    house.put(company, connection, "bankAccounts", accounts)
    lines = [a_line(f"{account}-{number}", account) for account in ("1", "12") for number in range(2)]
    house.put(company, connection, "bankTransactions", lines)

    def ids(account: str) -> list[str]:
        return [one["id"] for one in house.get(f"{base}/{account}/bankTransactions").json()["results"]]

    assert (ids("1"), ids("12"), ids("2")) == (["1-0", "1-1"], ["12-0", "12-1"], [])
    for unknown in ("3", "%00", "1%002", "1%2F", "%20"):
        error_in(house.get(f"{base}/{unknown}/bankTransactions"), 404)
    assert house.get(f"{base}/1/bankTransactions?query=amount%3E0").json()["results"] == []
    error_in(house.get(f"{base}/12/bankTransactions/1-0"), 404)


@pytest.mark.parametrize("state", [ConnectionStatus.UNLINKED, ConnectionStatus.DEAUTHORIZED])
def test_what_was_read_stays_readable_when_the_connection_ends(house: House, state: ConnectionStatus) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "invoices", [an_invoice()])
    with house.db.write() as tx:
        set_status(tx, house.tenant, connection, state, house.clock.now())

    for path in (_path("invoices", company), _path("invoices", company, connection)):
        assert house.get(path).json()["totalResults"] == 1
        assert house.get(f"{path}/1").status_code == 200


def test_what_was_read_stays_readable_while_a_later_read_fails(house: House) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "invoices", [an_invoice()])
    for status in (Status.FETCH_ERROR, Status.PERMISSIONS_ERROR, Status.NOT_SUPPORTED, Status.FETCHING):
        house.a_dataset(company, connection, "invoices", status)

        assert house.get(_path("invoices", company)).json()["totalResults"] == 1


def test_another_tenant_sees_nothing_of_it(house: House, neighbour: House) -> None:
    company, connection = house.a_linked_company()
    house.put(company, connection, "invoices", [an_invoice()])
    theirs, _ = neighbour.a_linked_company()

    for data_type in RECORDS:
        places = [_path(data_type, company, connection)]
        if data_type in BELOW_A_COMPANY:
            places.append(_path(data_type, company))
        for path in (*places, *(f"{place}/1" for place in places)):
            unknown = neighbour.get(path.replace(company, UNKNOWN))
            assert error_in(neighbour.get(path), 404) == error_in(unknown, 404).replace(UNKNOWN, company)
        sentence = error_in(neighbour.get(_path(data_type, theirs, connection)), 404)
        assert sentence == f"Data connection {connection} not found"


@pytest.mark.parametrize("data_type", list(RECORDS))
def test_numbers_are_in_plain_notation_and_dates_can_be_read(served: Served, data_type: str) -> None:
    body = served.get(served.base(data_type), params={"pageSize": 5000}).content

    assert not re.search(rb"[:,\[]-?[0-9.]+[eE]", re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', body))
    for name, value in re.findall(rb'"(\w*[dD]ate|date)":"([^"]*)"', body):
        assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z?", value), (name, value)


def test_amounts_text_and_dates_arrive_exactly(house: House) -> None:
    company, connection = house.a_linked_company()
    exact = "12345678901234567890123456789.000000000000000000001"
    note = "\x01 \x7f <script>\"'\\ \u2028 😀 é e\u0301 \ufeff"
    made = an_invoice(
        total_amount=Decimal(exact),
        amount_due=Decimal("1E+3"),
        total_tax_amount=Decimal("-0.00"),
        note=note,
        customer_ref=CustomerRef(id="c", company_name="Smith & Sons"),
        source_modified_date=Instant("2026-02-28T10:00:00Z"),
    )
    house.put(company, connection, "invoices", [made])

    answer = house.get(f"/companies/{company}/data/invoices/1")

    text = answer.content.decode()
    assert f'"totalAmount":{exact}' in text
    assert '"amountDue":1000' in text
    assert '"totalTaxAmount":-0.00' in text
    body = msgspec.json.decode(answer.content)
    assert body["note"] == note
    assert body["issueDate"] == "2026-02-28T00:00:00"
    assert body["sourceModifiedDate"] == "2026-02-28T10:00:00Z"
    assert body["modifiedDate"].startswith("2026-03-01T09:30:02")
    assert body["metadata"] == {"isDeleted": False}


def test_a_content_type_on_a_read_is_never_refused(served: Served) -> None:
    for name in ("application/octet-stream", "multipart/form-data", "nonsense"):
        assert served.get(served.base("invoices"), headers={"Content-Type": name}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_records_are_only_read(served: Served, method: str) -> None:
    for path in (served.base("invoices"), f"{served.base('invoices')}/1", served.base("bankTransactions")):
        answer = served.ask(method, path, json={})
        assert "not allowed" in error_in(answer, 405)
        assert answer.headers["allow"] == "GET"

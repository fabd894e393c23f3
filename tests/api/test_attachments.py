"""Files on records: listed, told of and downloaded; what has none says so, and what is not there is not found."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.api.conftest import House, Served, error_in, header, mounted, services_for

from comptoir.store import records
from comptoir.store.connections import ConnectionStatus, set_status

KINDS = ("bills", "directCosts")


def base(served: Served, key: str) -> str:
    return f"/companies/{served.company}/connections/{served.connection}/data/{key}"


def attached(served: Served, key: str) -> tuple[str, dict[str, Any]]:
    """A record that has a file, and what is told of it."""
    for record in served.all(key):
        path = f"{base(served, key)}/{record['id']}/attachments"
        if found := served.get(path).json()["attachments"]:
            return path, found[0]
    raise AssertionError(f"no file on any of {key}")


@pytest.mark.parametrize("key", KINDS)
def test_a_file_is_listed_told_of_and_downloaded(served: Served, key: str) -> None:
    path, file = attached(served, key)

    assert file["id"].isdigit()
    assert file["fileSize"] > 0
    assert file["contentType"] in ("application/pdf", "image/jpeg", "image/png")
    assert file["includeWhenSent"] is False
    assert file["dateCreated"].endswith("Z")
    assert served.get(f"{path}/{file['id']}").json() == file
    download = served.get(f"{path}/{file['id']}/download")
    assert download.status_code == 200
    assert download.content == f"{served.connection} {file['id']}".encode()
    assert download.headers["content-type"] == "application/octet-stream"
    assert download.headers["x-content-type-options"] == "nosniff"
    assert download.headers["content-disposition"].startswith(f'attachment; filename="{file["name"]}"')


def test_files_that_are_waited_for_leave_room_for_others(served: Served) -> None:
    """Whose upstream is slow holds up a few threads, and not all that there are."""
    path, file = attached(served, "bills")
    let_go, under_way = threading.Event(), list[object]()

    def slow(*asked: object) -> bytes:
        under_way.append(asked)
        return b"file" if let_go.wait(5) else b"too late"

    app = mounted(replace(services_for(served.db, served.clock), download=slow))
    with TestClient(app) as client, ThreadPoolExecutor(15) as threads:

        def ask(path: str) -> Any:
            return client.get(f"/api{path}", headers={"Authorization": header(served.key)})

        ask("/companies")
        asked = [threads.submit(ask, f"{path}/{file['id']}/download") for _ in range(15)]
        meanwhile = {ask("/companies").status_code}
        while len(under_way) < 10:
            meanwhile.add(ask("/companies").status_code)
        meanwhile.add(ask("/companies").status_code)
        count = len(under_way)
        let_go.set()
        answers = {one.result().content for one in asked}

    assert (meanwhile, count, answers) == ({200}, 10, {b"file"})


@pytest.mark.parametrize("key", ["invoices", "customers", "suppliers", "payments", "transfers"])
def test_a_record_without_a_file_has_an_empty_list(served: Served, key: str) -> None:
    record = served.all(key)[0]["id"]

    assert served.get(f"{base(served, key)}/{record}/attachments").json() == {"attachments": []}
    assert "7" in error_in(served.get(f"{base(served, key)}/{record}/attachments/7"), 404)
    assert "7" in error_in(served.get(f"{base(served, key)}/{record}/attachments/7/download"), 404)


def test_a_record_that_is_not_there_is_not_found(served: Served) -> None:
    for tail in ("", "/7", "/7/download"):
        sentence = error_in(served.get(f"{base(served, 'bills')}/none/attachments{tail}"), 404)
        assert sentence == "No data available for bills for ID none"


def test_before_records_were_read_the_refusal_says_why(house: House) -> None:
    company, connection = house.a_linked_company()

    path = f"/companies/{company}/connections/{connection}/data/bills/1/attachments"

    assert error_in(house.get(path), 409).endswith("it has not been requested yet.")
    assert error_in(house.get(path.replace("bills", "purchaseOrders")), 404)


def test_a_file_is_not_fetched_over_a_connection_that_was_cut(served: Served) -> None:
    path, file = attached(served, "bills")
    connection: Any = served.connection

    with served.db.write() as tx:
        set_status(tx, served.tenant, connection, ConnectionStatus.UNLINKED, served.clock.now())
    try:
        assert "linked again" in error_in(served.get(f"{path}/{file['id']}/download"), 409)
        assert served.get(path).status_code == 200
    finally:
        with served.db.write() as tx:
            set_status(tx, served.tenant, connection, ConnectionStatus.LINKED, served.clock.now())


def test_an_invoice_is_downloaded_as_a_pdf_under_its_number(served: Served) -> None:
    invoice = served.all("invoices")[0]

    for owner in (f"/companies/{served.company}", f"/companies/{served.company}/connections/{served.connection}"):
        answer = served.get(f"{owner}/data/invoices/{invoice['id']}/pdf")

        assert answer.status_code == 200
        assert answer.content == f"{served.connection} /invoices/{{id}}/pdf {invoice['id']}".encode()
        assert answer.headers["content-type"] == "application/pdf"
        assert f'filename="invoice-{invoice["invoiceNumber"]}.pdf"' in answer.headers["content-disposition"]


def test_a_pdf_of_an_invoice_that_is_not_there_is_not_found(served: Served) -> None:
    sentence = error_in(served.get(f"/companies/{served.company}/data/invoices/none/pdf"), 404)

    assert sentence == "No data available for invoices for ID none"
    assert "not supported" in error_in(served.get(f"/companies/{served.company}/data/purchaseOrders/1/pdf"), 404)


def test_a_deleted_invoice_is_not_printed(served: Served) -> None:
    invoice, owner = served.all("invoices")[-1]["id"], (served.tenant, served.company, served.connection)

    with served.db.write() as tx:
        records.delete(tx, *owner, "invoices", [invoice], served.clock.now())  # type: ignore[arg-type]  # ids as text

    sentence = error_in(served.get(f"/companies/{served.company}/data/invoices/{invoice}/pdf"), 404)
    assert sentence == f"No PDF is available for invoices for ID {invoice}"


def test_a_pdf_before_invoices_were_read_is_refused_with_the_reason(house: House) -> None:
    company, _ = house.a_linked_company()

    sentence = error_in(house.get(f"/companies/{company}/data/invoices/1/pdf"), 409)

    assert sentence.endswith("it has not been requested yet.")


def test_a_pdf_is_not_fetched_over_a_connection_that_was_cut(served: Served) -> None:
    invoice = served.all("invoices")[0]["id"]
    connection: Any = served.connection

    with served.db.write() as tx:
        set_status(tx, served.tenant, connection, ConnectionStatus.UNLINKED, served.clock.now())
    try:
        answer = served.get(f"/companies/{served.company}/data/invoices/{invoice}/pdf")
        assert "linked again" in error_in(answer, 409)
    finally:
        with served.db.write() as tx:
            set_status(tx, served.tenant, connection, ConnectionStatus.LINKED, served.clock.now())

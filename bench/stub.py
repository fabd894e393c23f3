"""A fast stand-in for FreeAgent's list endpoints. Standard library only.

    python stub.py --port 9100 --invoices 20000 --latency-ms 20

Lists contacts, invoices (items nested when nested_invoice_items=true), bills (same, with
nested_bill_items), bank_accounts, bank_transactions and bank_transaction_explanations in pages
of at most 100, with Link and X-Total-Count headers. `updated_since` is honoured. There is no
rate limit. Any bearer token is accepted; POST /v2/token_endpoint hands one out.
GET /__stats tells what was asked since the last POST /__reset.
Everything is generated from the record's number, so two runs serve the same bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import signal
from urllib.parse import parse_qsl, urlencode

HOST = "127.0.0.1"
UPDATED_OLD = "2026-01-02T10:00:00.000Z"  # every record but the newest 1 %
UPDATED_NEW = "2026-10-01T10:00:00.000Z"  # the newest 1 %, for updated_since
SHARES = {  # records of each kind per invoice
    "contacts": 0.1,
    "invoices": 1.0,
    "bills": 0.5,
    "bank_transactions": 1.0,
    "bank_transaction_explanations": 1.0,
}


def counts(invoices: int) -> dict[str, int]:
    return {kind: max(1, round(invoices * share)) for kind, share in SHARES.items()}


def _day(i: int) -> str:
    return f"20{10 + i % 16:02d}-{1 + i % 12:02d}-{1 + i % 28:02d}"


def _items(base: str, kind: str, i: int) -> list[dict]:
    return [
        {
            "url": f"{base}/v2/{kind}/{i * 3 + k}",
            "position": k + 1,
            "description": f"Work package {k + 1}, phase {i % 7}, as agreed with the client",
            "item_type": "Hours",
            "price": f"{(i * 13 + k) % 9000 / 10:.2f}",
            "quantity": "2.0",
            "sales_tax_rate": "20.0",
            "category": f"{base}/v2/categories/001",
        }
        for k in range(1 + i % 4)
    ]


def record(base: str, kind: str, i: int, updated: str) -> dict:
    url = f"{base}/v2/{kind}/{i}"
    stamps = {"created_at": "2026-01-01T10:00:00.000Z", "updated_at": updated}
    contact = f"{base}/v2/contacts/{1 + i % 997}"
    account = f"{base}/v2/bank_accounts/1"
    if kind == "contacts":
        return {
            "url": url,
            "organisation_name": f"Client {i} Ltd",
            "first_name": "Ann",
            "last_name": f"Smith {i}",
            "email": f"ann{i}@example.com",
            "address1": f"{i} High Street",
            "town": "London",
            "postcode": "N1 1AA",
            "country": "United Kingdom",
            "active_projects_count": i % 3,
            "contact_name_on_invoices": True,
            "uses_contact_invoice_sequence": False,
            "charge_sales_tax": "Auto",
            "status": "Active",
            "account_balance": f"{i % 1000}.00",
            **stamps,
        }
    if kind == "invoices":
        net = (i * 37) % 1_000_000 / 100
        return {
            "url": url,
            "contact": contact,
            "contact_name": f"Client {1 + i % 997} Ltd",
            "status": ("Draft", "Open", "Overdue", "Paid")[i % 4],
            "reference": f"INV-{i:06d}",
            "dated_on": _day(i),
            "due_on": _day(i + 1),
            "payment_terms_in_days": 30,
            "currency": "GBP",
            "exchange_rate": "1.0",
            "net_value": f"{net:.2f}",
            "sales_tax_value": f"{net * 0.2:.2f}",
            "total_value": f"{net * 1.2:.2f}",
            "paid_value": "0.0",
            "due_value": f"{net * 1.2:.2f}",
            "discount_percent": "0.0",
            "omit_header": False,
            "always_show_bic_and_iban": False,
            "involves_sales_tax": True,
            "ec_status": "UK/Non-EC",
            "comments": "Thank you for your business",
            "bank_account": account,
            **stamps,
            "invoice_items": _items(base, "invoice_items", i),
        }
    if kind == "bills":
        net = (i * 53) % 700_000 / 100
        return {
            "url": url,
            "contact": contact,
            "contact_name": f"Client {1 + i % 997} Ltd",
            "status": ("Open", "Overdue", "Paid")[i % 3],
            "reference": f"BILL-{i:06d}",
            "dated_on": _day(i),
            "due_on": _day(i + 2),
            "currency": "GBP",
            "exchange_rate": "1.0",
            "total_value": f"{net * 1.2:.2f}",
            "net_value": f"{net:.2f}",
            "sales_tax_value": f"{net * 0.2:.2f}",
            "paid_value": "0.0",
            "due_value": f"{net * 1.2:.2f}",
            "ec_status": "UK/Non-EC",
            "comments": None,
            **stamps,
            "bill_items": _items(base, "bill_items", i),
        }
    if kind == "bank_transactions":
        return {
            "url": url,
            "bank_account": account,
            "dated_on": _day(i),
            "description": f"CARD PAYMENT {i} TO SOME SHOP",
            "full_description": f"CARD PAYMENT {i} TO SOME SHOP, LONDON GB",
            "amount": f"{(i * 29) % 100_000 / 100:.2f}",
            "unexplained_amount": "0.0",
            "is_manual": False,
            "uploaded_at": "2026-01-01T10:00:00.000Z",
            "transaction_id": f"t{i}",
            **stamps,
        }
    return {
        "url": url,
        "bank_account": account,
        "bank_transaction": f"{base}/v2/bank_transactions/{i}",
        "type": "Payment",
        "dated_on": _day(i),
        "description": f"Explained {i}",
        "gross_value": f"-{(i * 29) % 100_000 / 100:.2f}",
        "sales_tax_status": "TAXABLE",
        "sales_tax_rate": "20.0",
        "category": f"{base}/v2/categories/285",
        "marked_for_review": False,
        "is_money_out": True,
        "entry_type": "Payment",
        **stamps,
    }


class Store:
    def __init__(self, base: str, invoices: int) -> None:
        self.base = base
        self.full: dict[str, list[bytes]] = {}
        self.flat: dict[str, list[bytes]] = {}
        self.new_from: dict[str, int] = {}
        for kind, n in counts(invoices).items():
            fresh = self.new_from[kind] = n - max(1, n // 100)
            full, flat = [], []
            for i in range(1, n + 1):
                rec = record(base, kind, i, UPDATED_NEW if i > fresh else UPDATED_OLD)
                full.append(json.dumps(rec, separators=(",", ":")).encode())
                if kind in ("invoices", "bills"):
                    rec.pop("invoice_items", None)
                    rec.pop("bill_items", None)
                    flat.append(json.dumps(rec, separators=(",", ":")).encode())
            self.full[kind], self.flat[kind] = full, flat or full
        account = {
            "url": f"{base}/v2/bank_accounts/1",
            "name": "Current",
            "type": "StandardBankAccount",
            "currency": "GBP",
            "opening_balance": "0.0",
            "current_balance": "100.0",
            "is_primary": True,
            "status": "active",
            "created_at": UPDATED_OLD,
            "updated_at": UPDATED_OLD,
        }
        self.full["bank_accounts"] = self.flat["bank_accounts"] = [json.dumps(account).encode()]
        self.new_from["bank_accounts"] = 0
        self.requests = 0
        self.records = 0
        self.bytes = 0
        self.by_kind: dict[str, int] = {}

    def page(self, kind: str, query: dict[str, str]) -> tuple[bytes, bytes]:
        nested = query.get(f"nested_{kind[:-1]}_items") == "true"
        rows = (self.full if nested or kind not in ("invoices", "bills") else self.flat)[kind]
        since = query.get("updated_since")
        if since and since > UPDATED_OLD:
            rows = rows[self.new_from[kind] :] if since <= UPDATED_NEW else []
        per = max(1, min(100, int(query.get("per_page", 25))))
        page = max(1, int(query.get("page", 1)))
        last = max(1, math.ceil(len(rows) / per))
        part = rows[(page - 1) * per : page * per]
        links = []
        for rel, to in (("prev", page - 1), ("next", page + 1), ("first", 1), ("last", last)):
            if (
                (rel == "prev" and page > 1)
                or (rel == "next" and page < last)
                or (rel == "first" and page > 1)
                or (rel == "last" and page < last)
            ):
                links.append(
                    f'<{self.base}/v2/{kind}?{urlencode({**query, "page": to, "per_page": per})}>; rel="{rel}"'
                )
        body = b'{"' + kind.encode() + b'":[' + b",".join(part) + b"]}"
        head = f"X-Total-Count: {len(rows)}\r\n" + (f"Link: {', '.join(links)}\r\n" if links else "")
        self.requests += 1
        self.records += len(part)
        self.bytes += len(body)
        self.by_kind[kind] = self.by_kind.get(kind, 0) + len(part)
        return body, head.encode()


def answer(status: str, body: bytes, head: bytes = b"") -> bytes:
    return (
        b"HTTP/1.1 "
        + status.encode()
        + b"\r\nContent-Type: application/json; charset=utf-8\r\n"
        + head
        + b"Content-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )


class Connection(asyncio.Protocol):
    def __init__(self, store: Store, latency: float) -> None:
        self.store, self.latency, self.buffer = store, latency, b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = 0
            for line in head.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
            asyncio.get_running_loop().call_later(self.latency, self.reply, method, target)

    def reply(self, method: str, target: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.route(method, target))

    def route(self, method: str, target: str) -> bytes:
        path, _, raw = target.partition("?")
        store = self.store
        if path == "/__stats":
            return answer(
                "200 OK",
                json.dumps(
                    {
                        "requests": store.requests,
                        "records": store.records,
                        "bytes": store.bytes,
                        "by_kind": store.by_kind,
                    }
                ).encode(),
            )
        if path == "/__reset":
            store.requests = store.records = store.bytes = 0
            store.by_kind = {}
            return answer("200 OK", b"{}")
        if path == "/v2/token_endpoint":
            return answer(
                "200 OK",
                b'{"access_token":"stub","token_type":"bearer","expires_in":3600,"refresh_token":"stub","refresh_token_expires_in":631139040}',
            )
        if path == "/v2/company":
            return answer(
                "200 OK",
                json.dumps(
                    {
                        "company": {
                            "url": f"{store.base}/v2/company",
                            "id": 1,
                            "name": "Stub Ltd",
                            "subdomain": "stub",
                            "type": "UkLimitedCompany",
                            "currency": "GBP",
                            "mileage_units": "miles",
                            "company_start_date": "2010-01-01",
                            "freeagent_start_date": "2010-01-01",
                            "first_accounting_year_end": "2010-12-31",
                            "company_registration_number": "00000000",
                            "sales_tax_registration_status": "Not Registered",
                        }
                    }
                ).encode(),
            )
        kind = path.removeprefix("/v2/")
        if method == "GET" and kind in store.full:
            return answer("200 OK", *store.page(kind, dict(parse_qsl(raw))))
        return answer("404 Not Found", b'{"errors":{"error":{"message":"Resource not found"}}}')


async def serve(port: int, invoices: int, latency_ms: float) -> None:
    loop = asyncio.get_running_loop()
    store = Store(f"http://{HOST}:{port}", invoices)
    server = await loop.create_server(lambda: Connection(store, latency_ms / 1000), HOST, port)
    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    print(f"ready {port}", flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--port", type=int, default=9100)
    ap.add_argument("--invoices", type=int, default=20_000)
    ap.add_argument("--latency-ms", type=float, default=0.0)
    a = ap.parse_args()
    asyncio.run(serve(a.port, a.invoices, a.latency_ms))

"""Builders for tests of the store: a tenant's corner of a database, and records to put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from comptoir import model
from comptoir.integrations.contract import Link, RawRecord
from comptoir.model.banking import BankTransaction, BankTransactionType
from comptoir.model.records import LocalDate
from comptoir.model.sales import CustomerRef, DocumentStatus, Invoice
from comptoir.store import CompanyId, ConnectionId, Database, TenantId, companies, connections, raw, records, tenants
from comptoir.store.connections import ConnectionStatus
from comptoir.store.query import parse
from comptoir.store.raw import Arrived, Counts
from comptoir.store.records import Documents, Prepared

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@dataclass(frozen=True)
class House:
    """One tenant's corner of a database."""

    db: Database
    tenant: TenantId
    company: CompanyId
    connection: ConnectionId

    @classmethod
    def built(cls, db: Database, name: str = "default") -> House:
        with db.write() as tx:
            tenant = tenants.add(tx, name, NOON).id
            company = companies.add(tx, tenant, name="Toft Bakery", created_by="ann@example.com", now=NOON).id
            connection = connections.add(tx, tenant, company, "fbrh", NOON).id
            connections.set_status(tx, tenant, connection, ConnectionStatus.LINKED, NOON)
        return cls(db, tenant, company, connection)

    def another_company(self, name: str = "Second") -> House:
        with self.db.write() as tx:
            company = companies.add(tx, self.tenant, name=name, created_by=None, now=LATER).id
            connection = connections.add(tx, self.tenant, company, "fbrh", LATER).id
        return House(self.db, self.tenant, company, connection)

    def put(self, data_type: str, *found: Any, now: datetime = NOON) -> Counts:
        with self.db.write() as tx:
            rows = [prepared(data_type, one) for one in found]
            return records.put(tx, self.tenant, self.company, self.connection, data_type, rows, now)

    def page(self, data_type: str, query: str | None = None, **more: Any) -> Documents:
        parsed = None if query is None else parse(query)
        return records.list_page(self.db, self.tenant, self.company, data_type, query=parsed, **more)

    def ids(self, data_type: str, query: str | None = None, **more: Any) -> list[str]:
        """Ids of a page's records, in order."""
        return [msgspec.json.decode(one)["id"] for one in self.page(data_type, query, **more).documents]

    def arrive(self, resource: str, *rows: Arrived, now: datetime = NOON) -> Counts:
        with self.db.write() as tx:
            return raw.put(tx, self.tenant, self.connection, resource, rows, now)


def prepared(data_type: str, record: Any, *, source: tuple[str, str] | None = None) -> Prepared:
    """A record as mapping hands it over; it was made from the row of its own id unless `source` says otherwise."""
    resource, source_id = source or (data_type, record.id)
    return Prepared(
        id=record.id,
        document=model.encode(record),
        supplemental=None,
        source_resource=resource,
        source_id=source_id,
        source_modified_date=record.source_modified_date,
        record=record,
    )


def an_invoice(id_: str = "1", **members: Any) -> Invoice:
    """An invoice; `total` is its amount, whatever else it says is made up."""
    defaults: dict[str, Any] = {
        "invoice_number": f"INV-{id_}",
        "customer_ref": CustomerRef(id="7", company_name="Fjord & Söhne"),
        "issue_date": "2026-01-31T00:00:00",
        "due_date": "2026-02-28T00:00:00",
        "currency": "GBP",
        "total_tax_amount": Decimal("20.00"),
        "total_amount": Decimal("120.00"),
        "amount_due": Decimal("0.00"),
        "status": DocumentStatus.PAID,
    }
    return Invoice(id=id_, **{**defaults, **members})


def a_bank_line(id_: str, account: str, amount: str = "10.00", day: str = "2026-01-31") -> BankTransaction:
    return BankTransaction(
        id=id_,
        account_id=account,
        cleared_on_date=LocalDate(f"{day}T00:00:00"),
        description="Sale/OTHER/card payment",
        reconciled=False,
        amount=Decimal(amount),
        transaction_type=BankTransactionType.OTHER,
    )


def arrived(
    id_: str,
    body: bytes | None = None,
    *,
    links: Sequence[tuple[str, str, str]] = (),
    sort_key: str = "",
    part: str = "invoices",
) -> Arrived:
    """A raw record; `links` are (name, resource, id)."""
    record = RawRecord(id=id_, updated_at=NOON, links=tuple(Link(*one) for one in links), sort_key=sort_key)
    return Arrived(part, record, body if body is not None else b'{"url":"https://x/%b"}' % id_.encode())

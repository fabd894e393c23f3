"""The files of a record: those attached to it, and itself as the source prints it. Told from what is stored: whoever
wants one has it fetched."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import Conflict
from comptoir.integrations.contract import Attached, Feature, Integration, Printed
from comptoir.store import CompanyId, ConnectionId, TenantId, connections, originals
from comptoir.store.connections import Connection, ConnectionStatus

__all__ = ["Files", "files_of"]


class _Invoice(msgspec.Struct, rename="camel"):
    id: str
    invoice_number: str | None = None


_invoice = msgspec.json.Decoder(_Invoice).decode


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """`source_id` is the raw record's; `printed` is None for what the source does not print, or has no more."""

    connection: Connection
    source_id: str
    attached: tuple[Attached, ...]
    printed: Printed | None
    printed_name: str

    @property
    def can_be_fetched(self) -> bool:
        return self.connection.status is ConnectionStatus.LINKED

    def check_linked(self) -> None:
        """Conflict for a connection that nothing can be fetched over."""
        if not self.can_be_fetched:
            raise Conflict(
                f"Files are fetched from the source, and the connection is {self.connection.status}. Have the company "
                "linked again, then ask for the file once more."
            )


def files_of(
    tx: Transaction,
    integration_of: Callable[[str], Integration | None],
    tenant: TenantId,
    company: CompanyId,
    data_type: str,
    record_id: str,
    connection: ConnectionId | None = None,
) -> Files | None:
    """None for a record that is not there. `integration_of` knows integrations by their keys."""
    made = None if "\x00" in record_id else originals.made(tx, tenant, company, data_type, record_id, connection)
    if made is None:
        return None
    owner = connections.get(tx, tenant, made.connection_id, company)
    integration = integration_of(owner.integration_key)
    assert integration is not None, "a connection to an integration that is gone"
    declared = integration.data_type(data_type)
    original = originals.get(tx, tenant, made.connection_id, made.resource, made.source_id)
    can_have = original is not None and declared is not None and Feature.GET_ATTACHMENTS in declared.features
    printed = None if made.is_deleted else integration.files.printed.get(data_type)
    return Files(
        connection=owner,
        source_id=made.source_id,
        attached=integration.files.of(original.body) if original is not None and can_have else (),
        printed=printed if printed is not None and printed.resource == made.resource else None,
        printed_name=_printed_name(made.document) if printed is not None else "",
    )


def _printed_name(document: bytes) -> str:
    invoice = _invoice(document)
    return f"invoice-{invoice.invoice_number or invoice.id}.pdf"

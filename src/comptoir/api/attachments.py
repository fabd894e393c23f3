"""Files on records: which there are, and their contents, fetched from the source when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from comptoir.api import answers
from comptoir.api.answers import Answer
from comptoir.api.calls import Call
from comptoir.api.records import scope_of, unreadable
from comptoir.api.routing import FileContent, Operation
from comptoir.errors import Conflict, NotFound
from comptoir.integrations.contract import Attached, Feature
from comptoir.model.records import Instant
from comptoir.store import connections, originals, records
from comptoir.store.connections import Connection, ConnectionStatus

__all__ = ["OPERATIONS"]

_CONNECTION = "/companies/{companyId}/connections/{connectionId}/data"
_TAG = "Attachments"
# Of these the contract has attachments; which of them can have any, the integration says.
_TYPES = (
    "bills", "billCreditNotes", "customers", "directCosts", "directIncomes", "invoices", "payments", "suppliers",
    "transfers",
)  # fmt: skip


class Attachment(Answer, frozen=True, kw_only=True):
    id: str
    name: str | msgspec.UnsetType
    content_type: str | msgspec.UnsetType
    date_created: Instant | msgspec.UnsetType
    file_size: int | msgspec.UnsetType
    include_when_sent: bool = False


class Attachments(Answer, frozen=True, kw_only=True):
    attachments: tuple[Attachment, ...]


def _files_of(call: Call, key: str) -> tuple[Connection, tuple[Attached, ...]]:
    """The files of a record, as its own body tells of them. NotFound for a record that is not there."""
    company, connection_id = scope_of(call)
    assert connection_id is not None
    tenant, id_ = call.tenant, call.names["recordId"]
    if not records.is_readable(call.services.db, tenant, company, key, connection_id):
        raise unreadable(call, key, company, connection_id)
    with call.services.db.read() as tx:
        connection = connections.get(tx, tenant, connection_id, company)
        made = None if "\x00" in id_ else originals.made(tx, tenant, company, key, id_, connection_id)
        if made is None:
            raise NotFound(f"No data available for {key} for ID {id_}")
        original = originals.get(tx, tenant, connection_id, made.resource, made.source_id)
    integration = call.services.integration(connection.integration_key)
    assert integration is not None, "a connection to an integration that is gone"
    data_type = integration.data_type(key)
    if original is None or data_type is None or Feature.GET_ATTACHMENTS not in data_type.features:
        return connection, ()
    return connection, integration.files.of(original.body)


def _one(call: Call, key: str) -> tuple[Connection, Attached]:
    connection, files = _files_of(call, key)
    wanted = call.names["attachmentId"]
    for file in files:
        if file.id == wanted:
            return connection, file
    raise NotFound(f"No attachment was found with ID {wanted}")


def _told(file: Attached) -> Attachment:
    """What the source does not tell is left out."""
    return Attachment(
        id=file.id,
        name=msgspec.UNSET if file.name is None else file.name,
        content_type=msgspec.UNSET if file.content_type is None else file.content_type,
        date_created=msgspec.UNSET if file.created is None else file.created,
        file_size=msgspec.UNSET if file.size is None else file.size,
    )


def _list(key: str) -> Callable[[Call], bytes]:
    return lambda call: answers.encode(Attachments(attachments=tuple(map(_told, _files_of(call, key)[1]))))


def _get(key: str) -> Callable[[Call], bytes]:
    return lambda call: answers.encode(_told(_one(call, key)[1]))


def _download(key: str) -> Callable[[Call], FileContent]:
    def download(call: Call) -> FileContent:
        connection, file = _one(call, key)
        if connection.status is not ConnectionStatus.LINKED:
            raise Conflict(
                f"Files are fetched from the source, and the connection is {connection.status}. Have the company "
                "linked again, then ask for the file once more."
            )
        return FileContent(body=call.services.download(connection, file), name=file.name or file.id)

    return download


def _all() -> Iterator[Operation]:
    for key in _TYPES:
        path = f"{_CONNECTION}/{key}/{{recordId}}/attachments"
        yield Operation(
            id=f"list-{key}-attachments",
            method="GET",
            path=path,
            tag=_TAG,
            summary=f"List the files of a record of {key}",
            handle=_list(key),
            answer=Attachments,
            fails=(409,),
        )
        yield Operation(
            id=f"get-{key}-attachment",
            method="GET",
            path=f"{path}/{{attachmentId}}",
            tag=_TAG,
            summary=f"Get what is told of a file of a record of {key}",
            handle=_get(key),
            answer=Attachment,
            fails=(409,),
        )
        yield Operation(
            id=f"download-{key}-attachment",
            method="GET",
            path=f"{path}/{{attachmentId}}/download",
            tag=_TAG,
            summary=f"Download a file of a record of {key}, fetched from the source now",
            handle=_download(key),
            content_type="application/octet-stream",
            fails=(409,),
        )


OPERATIONS = tuple(_all())

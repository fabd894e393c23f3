"""Files on records, and records as PDFs: which there are, and their contents, fetched from the source when they are
asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from comptoir.access import Permission
from comptoir.api import answers
from comptoir.api.answers import Answer
from comptoir.api.calls import Call
from comptoir.api.records import scope_of, unreadable
from comptoir.api.routing import FileContent, Operation
from comptoir.errors import NotFound
from comptoir.integrations.contract import Attached
from comptoir.model.records import Instant
from comptoir.store import records
from comptoir.sync.files import Files, files_of

__all__ = ["OPERATIONS"]

_COMPANY = "/companies/{companyId}/data"
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


def _files_of(call: Call, key: str) -> Files:
    """NotFound for a record that is not there."""
    company, connection = scope_of(call)
    id_ = call.names["recordId"]
    if not records.is_readable(call.services.db, call.tenant, company, key, connection):
        raise unreadable(call, key, company, connection)
    with call.services.db.read() as tx:
        found = files_of(tx, call.services.integration, call.tenant, company, key, id_, connection)
    if found is None:
        raise NotFound(f"No data available for {key} for ID {id_}")
    return found


def _one(call: Call, key: str) -> tuple[Files, Attached]:
    found = _files_of(call, key)
    wanted = call.names["attachmentId"]
    for file in found.attached:
        if file.id == wanted:
            return found, file
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
    return lambda call: answers.encode(Attachments(attachments=tuple(map(_told, _files_of(call, key).attached))))


def _get(key: str) -> Callable[[Call], bytes]:
    return lambda call: answers.encode(_told(_one(call, key)[1]))


def _download(key: str) -> Callable[[Call], FileContent]:
    def download(call: Call) -> FileContent:
        found, file = _one(call, key)
        found.check_linked()
        return FileContent(body=call.services.download(found.connection, file), name=file.name or file.id)

    return download


def _print_out(call: Call) -> FileContent:
    found = _files_of(call, "invoices")
    if found.printed is None:
        raise NotFound(f"No PDF is available for invoices for ID {call.names['recordId']}")
    found.check_linked()
    body = call.services.print_out(found.connection, found.printed, found.source_id)
    return FileContent(body=body, name=found.printed_name)


def _all() -> Iterator[Operation]:
    for key in _TYPES:
        path = f"{_CONNECTION}/{key}/{{recordId}}/attachments"
        yield Operation(
            id=f"list-{key}-attachments",
            method="GET",
            path=path,
            tag=_TAG,
            summary=f"List the files of a record of {key}",
            permission=Permission.READ_DATA,
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
            permission=Permission.READ_DATA,
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
            permission=Permission.READ_DATA,
            handle=_download(key),
            content_type="application/octet-stream",
            asks_upstream=True,
            fails=(409,),
        )
    for prefix, base in (("", _COMPANY), ("connection-", _CONNECTION)):
        yield Operation(
            id=f"download-{prefix}invoice-pdf",
            method="GET",
            path=f"{base}/invoices/{{recordId}}/pdf",
            tag=_TAG,
            summary="Download an invoice as a PDF, printed by the source now",
            permission=Permission.READ_DATA,
            handle=_print_out,
            content_type="application/pdf",
            asks_upstream=True,
            fails=(409,),
        )


OPERATIONS = tuple(_all())

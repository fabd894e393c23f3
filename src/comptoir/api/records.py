"""Records of the standard model: lists and single records, of a company or of one of its connections.

What is sent are the stored documents themselves: nothing is decoded on the way.
"""

from __future__ import annotations

from collections.abc import Iterator

from comptoir.access import Permission
from comptoir.api.calls import Call, Handle
from comptoir.api.listing import LISTING, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.routing import Operation
from comptoir.errors import Conflict, NotFound
from comptoir.model import DATA_TYPE_KEYS, SHAPES, Shape
from comptoir.store import CompanyId, ConnectionId, companies, connections, datasets, records
from comptoir.store.datasets import Status

__all__ = ["OPERATIONS", "refuse_unsupported", "scope_of", "unreadable"]

_COMPANY = "/companies/{companyId}/data"
_CONNECTION = "/companies/{companyId}/connections/{connectionId}/data"
_TAILS = ("", "/pdf", "/attachments", "/attachments/{attachmentId}", "/attachments/{attachmentId}/download")
_BELOW_CONNECTION_ONLY = frozenset({"bankAccounts", "bankTransactions"})


def scope_of(call: Call) -> tuple[CompanyId, ConnectionId | None]:
    return call.company_id, call.connection_id if "connectionId" in call.names else None


def unreadable(call: Call, key: str, company: CompanyId, connection: ConnectionId | None) -> Exception:
    """Why nothing can be read. Raises NotFound for a company or connection that is not there."""
    with call.services.db.read() as tx:
        companies.get(tx, call.tenant, company)
        if connection is not None:
            found = [connections.get(tx, call.tenant, connection, company)]
        else:
            found = connections.of_company(tx, call.tenant, company)
        latest, _ = datasets.latest(tx, call.tenant, company).get(key, (None, None))
    used = [one for one in call.services.integrations if any(each.integration_key == one.key for each in found)]
    platforms = used or list(call.services.integrations)
    if all(one.data_type(key) is None for one in platforms) or (latest and latest.status is Status.NOT_SUPPORTED):
        names = ", ".join(one.name for one in platforms)
        return NotFound(f"Datatype {key} not supported by platform(s) {names}")
    if latest is None:
        return Conflict(f"No data available for {key} for ID {company}: it has not been requested yet.")
    if not latest.status.is_ended:
        return Conflict(f"No data available for {key} for ID {company}: its first sync is still in progress.")
    reason = f" {latest.error_message}" if latest.error_message else ""
    return Conflict(f"No data available for {key} for ID {company}: its sync ended in {latest.status}.{reason}")


def refuse_unsupported(key: str) -> Handle:
    """For data types that no integration supplies yet: the documented refusal, for those who may know."""

    def refuse(call: Call) -> bytes:
        raise unreadable(call, key, *scope_of(call))

    return refuse


def _list(key: str) -> Handle:
    def list_records(call: Call) -> bytes:
        company, connection = scope_of(call)
        paging, query = paging_of(call), call.where()
        account = call.names.get("accountId")
        page = records.list_page(
            call.services.db,
            call.tenant,
            company,
            key,
            connection=connection,
            query=query,
            order=call.query.get("orderby"),
            page=paging.clipped,
            page_size=paging.size,
            account=account,
        )
        if not page.is_readable:
            raise unreadable(call, key, company, connection)
        if account is not None and page.total == 0:
            _one(call, "bankAccounts", account)
        return envelope(call, paging, page.total, page.documents)

    return list_records


def _one(call: Call, key: str, id_: str, account: str | None = None) -> bytes:
    company, connection = scope_of(call)
    db, tenant = call.services.db, call.tenant
    # Data that was read once stays readable; before that, say exactly why there is none.
    if not records.is_readable(db, tenant, company, key, connection):
        raise unreadable(call, key, company, connection)
    found = None if "\x00" in id_ else records.get(db, tenant, company, key, id_, connection, account)
    if found is None:
        raise NotFound(f"No data available for {key} for ID {id_}")
    return found


def _get(key: str) -> Handle:
    return lambda call: _one(call, key, call.names["recordId"], call.names.get("accountId"))


def _get_single(key: str) -> Handle:
    # A single record is stored under the name of its data type.
    return lambda call: _one(call, key, key)


def _words(name: str) -> str:
    """`billCreditNotes` as words: bill credit notes."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _operations_of(shape: Shape) -> Iterator[Operation]:
    places = [("connection-", _CONNECTION)]
    if shape.name not in _BELOW_CONNECTION_ONLY:
        places.append(("", _COMPANY))
    word = _words(shape.path_word)
    for prefix, base in places:
        tag = word.capitalize()
        if shape.is_single:
            yield Operation(
                id=f"get-{prefix}{shape.path_word}",
                method="GET",
                path=f"{base}/{shape.path_word}",
                tag=tag,
                summary="Get the company's own details",
                permission=Permission.READ_DATA,
                handle=_get_single(shape.name),
                answer=shape.name,
                fails=(409,),
                is_quick=True,
            )
            continue
        path = f"{base}/{shape.path_word}"
        if shape.name == "bankTransactions":
            path = f"{base}/bankAccounts/{{accountId}}/bankTransactions"
        yield Operation(
            id=f"list-{prefix}{shape.path_word}",
            method="GET",
            path=path,
            tag=tag,
            summary=f"List {word}",
            permission=Permission.READ_DATA,
            handle=_list(shape.name),
            answer=Page(shape.name),
            parameters=LISTING,
            fails=(400, 409),
            is_quick=True,
        )
        yield Operation(
            id=f"get-{prefix}{shape.path_word}",
            method="GET",
            path=f"{path}/{{recordId}}",
            tag=tag,
            summary=f"Get one of the {word}",
            permission=Permission.READ_DATA,
            handle=_get(shape.name),
            answer=shape.name,
            fails=(409,),
            is_quick=True,
        )


def _unsupported(key: str, paths: tuple[str, ...]) -> Iterator[Operation]:
    for path in paths:
        for place, base in (("company", _COMPANY), ("connection", _CONNECTION)):
            yield Operation(
                id=f"no-{place}-{path}",
                method="GET",
                path=f"{base}/{path}",
                tag="Not supported",
                summary=f"Not supported: {_words(key)}",
                permission=Permission.READ_DATA,
                handle=refuse_unsupported(key),
                is_listed=False,
            )


def _all() -> Iterator[Operation]:
    for shape in SHAPES.values():
        if not shape.is_statement:
            yield from _operations_of(shape)
    for key in DATA_TYPE_KEYS:
        if key not in SHAPES:
            yield from _unsupported(key, (key, *(f"{key}/{{recordId}}{tail}" for tail in _TAILS)))


OPERATIONS = tuple(_all())

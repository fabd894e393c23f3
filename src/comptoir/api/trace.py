"""Where records come from: calls of our own, beside those of the contract.

Bodies and values are sent as they came, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from comptoir.access import Permission
from comptoir.api import answers
from comptoir.api.answers import Answer, DataTypeKey
from comptoir.api.calls import Call
from comptoir.api.listing import PAGING, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.records import unreadable
from comptoir.api.routing import Operation
from comptoir.errors import NotFound
from comptoir.integrations.contract import Integration
from comptoir.model import SHAPES
from comptoir.store import ConnectionId, companies, connections, originals
from comptoir.store.originals import Original
from comptoir.sync import trace
from comptoir.sync.trace import Field, Stood, Trace

__all__ = ["OPERATIONS"]

_TAG = "Tracing"
_NAMES = {word.lower(): shape.name for shape in SHAPES.values() for word in (shape.name, shape.path_word)}


class SourceRecord(Answer, frozen=True, kw_only=True):
    """A record of the source as it came. `lastSeen` is when a complete read last met it."""

    resource: str
    id: str
    first_seen: datetime
    last_seen: datetime
    changed_at: datetime
    deleted_at: datetime | None
    body: msgspec.Raw


class MemberChange(Answer, frozen=True, kw_only=True):
    """A member that changed from one version to the next, by its path; without `before` it came, without `after` it
    went. `isDrift`: nobody edited it, as a link that is signed anew for each answer."""

    path: str
    is_drift: bool
    before: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    after: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class SourceVersion(Answer, frozen=True, kw_only=True):
    """How the source's record stood from one moment until another; `until` is null while it stands so. `syncId` is the
    sync that first met it so, null where that is not known."""

    from_: datetime
    until: datetime | None
    sync_id: UUID | None
    changes: tuple[MemberChange, ...]
    body: msgspec.Raw


class FieldSource(Answer, frozen=True, kw_only=True):
    """A member of a resource, and its value where one record alone can be meant."""

    name: str
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class TracedField(Answer, frozen=True, kw_only=True):
    """A member of the record. It was copied from the first source that has a value unless `isMade`: then `remark` says
    what was made of them."""

    path: str
    value: msgspec.Raw
    is_made: bool
    remark: str | None
    sources: tuple[FieldSource, ...]


class RecordSource(Answer, frozen=True, kw_only=True):
    """`source` is the record it was made from, `versions` how that one stood, the oldest first; `beside` are others
    that it was told with, fifty at most."""

    company_id: UUID
    connection_id: UUID
    data_type: DataTypeKey
    record_id: str
    modified_date: str
    is_deleted: bool
    mapping_version: str
    fields: tuple[TracedField, ...]
    source: SourceRecord | None
    versions: tuple[SourceVersion, ...]
    beside: tuple[SourceRecord, ...]
    has_more_beside: bool


class SourceHistory(Answer, frozen=True, kw_only=True):
    source: SourceRecord
    versions: tuple[SourceVersion, ...]


def _source(found: Original) -> SourceRecord:
    return SourceRecord(
        resource=found.resource,
        id=found.id,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        changed_at=found.changed_at,
        deleted_at=found.deleted_at,
        body=msgspec.Raw(found.body),
    )


def _versions(found: Iterable[Stood]) -> tuple[SourceVersion, ...]:
    return tuple(
        SourceVersion(
            from_=one.since,
            until=one.until,
            sync_id=None if one.sync is None else UUID(one.sync),
            changes=tuple(
                MemberChange(path=each.path, is_drift=each.is_drift, before=_raw(each.before), after=_raw(each.after))
                for each in one.differences
            ),
            body=msgspec.Raw(one.body),
        )
        for one in found
    )


def _raw(value: bytes | None) -> msgspec.Raw | msgspec.UnsetType:
    return msgspec.UNSET if value is None else msgspec.Raw(value)


def _field(one: Field) -> TracedField:
    return TracedField(
        path=one.path,
        value=msgspec.Raw(one.value),
        is_made=one.is_made,
        remark=one.remark,
        sources=tuple(FieldSource(name=each.name, value=_raw(each.value)) for each in one.sources),
    )


def _integration(call: Call, key: str) -> Integration:
    found = call.services.integration(key)
    assert found is not None, "a connection to an integration that is gone"
    return found


def _trace(call: Call) -> bytes:
    company, name, id_ = call.company_id, call.names["dataType"], call.names["recordId"]
    connection = call.connection_id if "connectionId" in call.names else None
    key = _NAMES.get(name.lower())
    if key is None:
        raise unreadable(call, name, company, connection)
    with call.services.db.read() as tx:
        companies.get(tx, call.tenant, company)
        theirs = connections.of_company(tx, call.tenant, company)
        if connection is not None:
            connections.get(tx, call.tenant, connection, company)
        platforms = {one.id: _integration(call, one.integration_key) for one in theirs}
        found = trace.trace(tx, platforms, call.tenant, company, key, id_, connection)
    if found is None:
        raise NotFound(f"No data available for {key} for ID {id_}")
    return answers.encode(_answer(call, found))


def _answer(call: Call, found: Trace) -> RecordSource:
    made = found.made
    return RecordSource(
        company_id=UUID(call.company_id),
        connection_id=UUID(made.connection_id),
        data_type=DataTypeKey(found.data_type),
        record_id=made.id,
        modified_date=made.modified_date,
        is_deleted=made.is_deleted,
        mapping_version=made.mapping_version,
        fields=tuple(map(_field, found.fields)),
        source=None if found.original is None else _source(found.original),
        versions=_versions(found.versions),
        beside=tuple(map(_source, found.beside)),
        has_more_beside=found.has_more_beside,
    )


def _resource(call: Call) -> tuple[Integration, ConnectionId, str]:
    """The connection and what it is to, and the resource under its own name in any letter case."""
    with call.services.db.read() as tx:
        found = connections.get(tx, call.tenant, call.connection_id, call.company_id)
    integration, name = _integration(call, found.integration_key), call.names["resource"].lower()
    if name not in {one.name for one in integration.resources}:
        raise NotFound(f"{integration.name} has no resource {call.names['resource']} that is read.")
    return integration, found.id, name


def _list(call: Call) -> bytes:
    paging = paging_of(call)
    _, connection, resource = _resource(call)
    with call.services.db.read() as tx:
        owner = (call.tenant, connection, resource)
        page = originals.list_page(tx, *owner, page=paging.clipped, page_size=paging.size)
    return envelope(call, paging, page.total, answers.encoded([_source(one) for one in page.rows]))


def _one(call: Call) -> bytes:
    integration, connection, resource = _resource(call)
    id_ = call.names["sourceId"]
    with call.services.db.read() as tx:
        found = originals.get(tx, call.tenant, connection, resource, id_)
        if found is None:
            raise NotFound(f"No record of {resource} was ever met under ID {id_}")
        stood = trace.stood(tx, integration, call.tenant, connection, resource, id_)
    return answers.encode(SourceHistory(source=_source(found), versions=_versions(stood)))


_COMPANY = "/companies/{companyId}"
_CONNECTION = f"{_COMPANY}/connections/{{connectionId}}"
_SOURCE = "data/{dataType}/{recordId}/source"

OPERATIONS = (
    Operation(
        id="get-connection-record-source",
        method="GET",
        path=f"{_CONNECTION}/{_SOURCE}",
        tag=_TAG,
        summary="Where a record comes from, field by field, and how its source stood before",
        permission=Permission.READ_DATA,
        handle=_trace,
        answer=RecordSource,
    ),
    Operation(
        id="get-record-source",
        method="GET",
        path=f"{_COMPANY}/{_SOURCE}",
        tag=_TAG,
        summary="The same of the record that is served under this id for the company",
        permission=Permission.READ_DATA,
        handle=_trace,
        answer=RecordSource,
    ),
    Operation(
        id="list-source-records",
        method="GET",
        path=f"{_CONNECTION}/sources/{{resource}}",
        tag=_TAG,
        summary="List the records of a resource of the source as they came, deleted ones too",
        permission=Permission.READ_DATA,
        handle=_list,
        answer=Page(SourceRecord),
        parameters=PAGING,
        fails=(400,),
    ),
    Operation(
        id="get-source-record",
        method="GET",
        path=f"{_CONNECTION}/sources/{{resource}}/{{sourceId}}",
        tag=_TAG,
        summary="A record of the source as it came, and how it stood before",
        permission=Permission.READ_DATA,
        handle=_one,
        answer=SourceHistory,
    ),
)

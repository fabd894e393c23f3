"""Where a standard record comes from: the body it was made of, those it was told with, and how they were before.

Field by field as the integration declares its coverage. Nothing is mapped again: what is shown is what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Covered, DataType, Integration, Kind
from comptoir.store import CompanyId, ConnectionId, SyncId, TenantId, originals, raw, syncs
from comptoir.store.originals import Made, Original
from comptoir.sync.bodies import Difference, at, differences, leaves
from comptoir.sync.near import Kept, Near

__all__ = ["Field", "Source", "Stood", "Trace", "stood", "trace"]

_MOST_BESIDE = 50  # records told of beside the one that a record was made from
_PLACE = re.compile(r"\[(\d+)\]")


class Stood(msgspec.Struct, frozen=True, kw_only=True):
    """A body as it stood from one moment until another, and how it differs from the one before; `until` is None while
    it stands. `sync` is the one that met it first, where that is known."""

    body: bytes
    since: datetime
    until: datetime | None
    sync: SyncId | None = None
    differences: tuple[Difference, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """A member that a field comes from, `invoices.total_value`, and its value where it can be told."""

    name: str
    value: bytes | None = None


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One member of a document. `is_made`: something was made of its sources, rather than copied."""

    path: str
    value: bytes
    sources: tuple[Source, ...] = ()
    is_made: bool = False
    remark: str | None = None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """`original` is None for a record whose source row is not held any more. `versions` are its bodies, the oldest
    first; `beside` are the other records it was told with. `deleted_by` is the sync that found it gone."""

    data_type: str
    made: Made
    original: Original | None
    versions: tuple[Stood, ...]
    beside: tuple[Original, ...]
    has_more_beside: bool
    fields: tuple[Field, ...]
    deleted_by: SyncId | None = None


def trace(
    tx: Transaction,
    integration_of: Mapping[ConnectionId, Integration],
    tenant: TenantId,
    company: CompanyId,
    data_type: str,
    record_id: str,
    connection: ConnectionId | None = None,
) -> Trace | None:
    """All that is known of where a record comes from; None for a record that is not there. `integration_of` tells
    what each of the company's connections is to."""
    made = originals.made(tx, tenant, company, data_type, record_id, connection)
    if made is None:
        return None
    integration = integration_of[made.connection_id]
    declared = integration.data_type(data_type)
    found = originals.get(tx, tenant, made.connection_id, made.resource, made.source_id)
    near: dict[str, list[str]] = {}
    if found is not None and declared is not None:
        near = _near(tx, tenant, made, declared, found)
    chosen = [(resource, id_) for resource, ids in near.items() for id_ in ids][:_MOST_BESIDE]
    beside = [originals.get(tx, tenant, made.connection_id, resource, id_) for resource, id_ in chosen]
    held = tuple(one for one in beside if one is not None)
    bodies = _bodies(tx, tenant, made, integration, found, held)
    return Trace(
        data_type=data_type,
        made=made,
        original=found,
        versions=stood(tx, integration, tenant, made.connection_id, made.resource, made.source_id),
        beside=held,
        has_more_beside=sum(map(len, near.values())) > _MOST_BESIDE,
        fields=tuple(_fields(made, declared, integration, bodies, near.keys() | {made.resource})),
        deleted_by=_sync_at(tx, tenant, made.connection_id, found.deleted_at if found is not None else None),
    )


def stood(
    tx: Transaction, integration: Integration, tenant: TenantId, connection: ConnectionId, resource: str, record_id: str
) -> tuple[Stood, ...]:
    """Every body a raw record had, the oldest first."""
    lasting = next((one.lasting for one in integration.resources if one.name == resource), None)
    found = originals.versions(tx, tenant, connection, resource, record_id)
    told = [(), *(_marked(differences(before.body, one.body), lasting) for before, one in pairwise(found))]
    return tuple(
        Stood(
            body=one.body,
            since=one.since,
            until=one.until,
            sync=_sync_at(tx, tenant, connection, one.since),
            differences=tuple(differing),
        )
        for one, differing in zip(found, told, strict=False)
    )


def _sync_at(tx: Transaction, tenant: TenantId, connection: ConnectionId, moment: datetime | None) -> SyncId | None:
    found = None if moment is None else syncs.at(tx, tenant, connection, moment)
    return None if found is None else found.id


def _marked(found: Iterable[Difference], lasting: Callable[[bytes], object] | None) -> Iterable[Difference]:
    """Differences that are nobody's edit are marked: what the declared `lasting` does not tell apart."""
    if lasting is None:
        return found

    def alone(one: Difference, value: bytes | None) -> object:
        name = _PLACE.sub("", one.path).rpartition(".")[2]
        return lasting(b"{%b:%b}" % (msgspec.json.encode(name), value or b"null"))

    return [msgspec.structs.replace(one, is_drift=alone(one, one.before) == alone(one, one.after)) for one in found]


def _near(tx: Transaction, tenant: TenantId, made: Made, declared: DataType, found: Original) -> dict[str, list[str]]:
    """Ids of the records that mapping was given beside the one it mapped, by resource."""
    own = raw.by_ids(tx, tenant, made.connection_id, made.resource, [found.id])
    rows, _ = Near(tx, tenant, made.connection_id, made.resource, own.values(), Kept()).follow(declared.hops)
    by_resource = {
        resource: sorted(id_ for id_ in those if (resource, id_) != (found.resource, found.id))
        for resource, those in rows.items()
    }
    return {resource: ids for resource, ids in by_resource.items() if ids}


def _bodies(
    tx: Transaction,
    tenant: TenantId,
    made: Made,
    integration: Integration,
    found: Original | None,
    beside: Sequence[Original],
) -> dict[str, bytes]:
    """The one body of each resource that can be meant; a resource of which several were used is left out."""
    counts: dict[str, list[bytes]] = {}
    for one in beside:
        counts.setdefault(one.resource, []).append(one.body)
    for resource in integration.resources:
        if resource.kind is Kind.SINGLE and resource.name not in counts:
            page = originals.list_page(tx, tenant, made.connection_id, resource.name, page_size=2)
            counts[resource.name] = [one.body for one in page.rows]
    bodies = {resource: those[0] for resource, those in counts.items() if len(those) == 1}
    return bodies | ({found.resource: found.body} if found is not None else {})


def _fields(
    made: Made,
    declared: DataType | None,
    integration: Integration,
    bodies: Mapping[str, bytes],
    used: frozenset[str] | set[str],
) -> Iterator[Field]:
    covered = {one.path: one for one in integration.coverage.get(declared.name, ())} if declared else {}
    # A record made of one resource has nothing from another that such records are made of as well.
    unused = {one.resource for one in declared.made_from} - used if declared else set()
    members = list(leaves(made.document))
    lengths = _lengths(path for path, _ in members)
    for path, value in members:
        # An empty list stands for its elements.
        name = _PLACE.sub("[]", path) + ("[]" if value == b"[]" else "")
        one = covered.get(name)
        if one is None:
            is_made = any(each.sources for each in covered.values() if each.path.startswith(f"{name}."))
            yield Field(path=path, value=value, is_made=is_made)
            continue
        yield Field(
            path=path,
            value=value,
            sources=tuple(_sources(one, path, lengths, integration, bodies, unused)),
            is_made=one.how is not None,
            remark=one.how or one.why,
        )


def _lengths(paths: Iterator[str]) -> dict[str, int]:
    """How many elements each list of a document has, by the path before its brackets."""
    lengths: dict[str, int] = {}
    for path in paths:
        for found in _PLACE.finditer(path):
            before = path[: found.start()]
            lengths[before] = max(lengths.get(before, 0), int(found[1]) + 1)
    return lengths


def _sources(
    one: Covered,
    path: str,
    lengths: Mapping[str, int],
    integration: Integration,
    bodies: Mapping[str, bytes],
    unused: set[str],
) -> Iterator[Source]:
    places = [(int(found[1]), lengths[path[: found.start()]]) for found in _PLACE.finditer(path)]
    for name in one.sources:
        resource, _, member = name.partition(".")
        if resource in unused:
            continue
        body = bodies.get(resource)
        ordered = integration.ordered.get(name.partition("[]")[0])
        yield Source(name, None if body is None else at(body, member, places, ordered))

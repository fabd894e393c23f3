"""One company's books into a local database by a token somebody already has: no server, no linking, no waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.access import FIRST_TENANT
from comptoir.errors import InvalidInput, NotSupported
from comptoir.integrations.contract import Access, Identity, Integration
from comptoir.runtime.clock import Clock
from comptoir.store import (
    CompanyId,
    ConnectionId,
    Database,
    TenantId,
    companies,
    connections,
    datasets,
    syncs,
    tenants,
)
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.datasets import Dataset
from comptoir.sync.checks import Report
from comptoir.sync.engine import Engine
from comptoir.sync.progress import Board
from comptoir.sync.requests import queue_idle
from comptoir.upstream import Client, FixedToken

__all__ = ["Pulled", "pull"]

_NOBODY = ConnectionId("pull")
_NAMELESS = Identity(company_id="", company_name="Company")


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull came to: one dataset for each data type asked for, and what the books check found."""

    connection: Connection
    datasets: tuple[Dataset, ...]
    calls: int
    report: Report | None


def pull(
    db: Database,
    clock: Clock,
    integration: Integration,
    client: Client,
    *,
    access_token: str,
    data_types: Iterable[str] | None = None,
    whole: bool = False,
    board: Board | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Pulled:
    """Read the books that the token opens; what was read by an earlier pull that was cut off is not read again, and of
    what one has read only what changed, unless `whole` asks for everything.

    Raises InvalidInput for a data type that is not supplied, RelinkRequired for a token that is refused, TryLater if
    the upstream cannot be reached. Whatever befalls a single data type stands in its dataset.
    """
    offered = [one.name for one in integration.data_types]
    names = offered if data_types is None else list(dict.fromkeys(data_types))
    for name in names:
        if name not in offered:
            known = ", ".join(offered)
            raise InvalidInput(f"{integration.name} does not supply {name!r}. Choose from {known}.", field="dataType")
    tokens = FixedToken(access_token)
    identity, access = _ask_whose(client, clock, integration, tokens)
    with db.write() as tx:
        connection = _linked(tx, clock, integration, identity, access)
        owner = (connection.tenant_id, connection.company_id, connection.id)
        queue_idle(tx, *owner, names, clock.now(), whole=whole)
    client.limits.count_as(_NOBODY, connection.budget)

    def open_reader(connection: Connection) -> tuple[Any, Callable[[], int]]:
        reader = client.reader(connection, tokens)
        return reader, reader.calls

    engine = Engine(
        db, clock, lambda _: integration, open_reader, retries_slowly=False, board=board, should_stop=should_stop
    )
    engine.run(connection.tenant_id, connection.id, lambda _, work: work())
    with db.read() as tx:
        newest = datasets.newest_of(tx, connection.tenant_id, connection.id)
        sync = syncs.latest(tx, connection.tenant_id, connection.id)
        return Pulled(
            connection=connections.get(tx, connection.tenant_id, connection.id),
            datasets=tuple(newest[name] for name in names),
            calls=0 if sync is None else sync.calls,
            report=None if sync is None or sync.checks is None else Report.decode(sync.checks),
        )


def _ask_whose(client: Client, clock: Clock, integration: Integration, tokens: FixedToken) -> tuple[Identity, Access]:
    """Whose books these are; a server that does not say has one nameless company."""
    oauth = integration.oauth
    nobody = Connection(  # limits are counted for this id; nothing of it is stored
        id=_NOBODY,
        tenant_id=TenantId(""),
        company_id=CompanyId(""),
        integration_key=integration.key,
        status=ConnectionStatus.PENDING_AUTH,
        created=clock.now(),
        linked_at=None,
        last_sync=None,
        source_company_id=None,
        source_company_name=None,
        access_level=None,
        access_name=None,
        errors=(),
    )
    identity, access = _NAMELESS, Access(level=0, name="")
    for path in (oauth.identity_path, oauth.access_path):
        try:
            body = client.get(nobody, path.removeprefix(integration.api_root), (), tokens).body
            if path == oauth.identity_path:
                identity = oauth.identity(body)
            else:
                access = oauth.access(body)
        except (NotSupported, msgspec.DecodeError):
            continue
    return identity, access


def _linked(tx: Transaction, clock: Clock, integration: Integration, identity: Identity, access: Access) -> Connection:
    """The connection that earlier pulls of these books used, or a new one with a company of its own."""
    now = clock.now()
    tenant = _tenant(tx, clock)
    found = connections.of_source(tx, tenant, integration.key, identity.company_id)
    if found is None:
        company = companies.add(
            tx, tenant, name=identity.company_name, description=None, tags={}, created_by="comptoir pull", now=now
        )
        found = connections.add(tx, tenant, company.id, integration.key, now)
    if found.status is not ConnectionStatus.LINKED:
        connections.set_status(tx, tenant, found.id, ConnectionStatus.LINKED, now)
    connections.set_identity(
        tx,
        tenant,
        found.id,
        company_id=identity.company_id,
        company_name=identity.company_name,
        level=access.level,
        name=access.name,
    )
    return connections.get(tx, tenant, found.id)


def _tenant(tx: Transaction, clock: Clock) -> TenantId:
    found = tenants.by_name(tx, FIRST_TENANT)
    return (found or tenants.add(tx, FIRST_TENANT, clock.now())).id

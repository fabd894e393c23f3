"""What is known of a company's connections and reads, gathered for pages and for live progress."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.access import Permission
from comptoir.integrations.contract import Integration
from comptoir.portal.languages import N_
from comptoir.portal.looks import CONNECTION_STATES, LOOKS, dataset_state
from comptoir.portal.visits import Visit
from comptoir.store import CompanyId, connections, datasets, integration_settings, link_states, records, syncs
from comptoir.store.companies import Company
from comptoir.store.connections import Connection, ConnectionError_, ConnectionStatus
from comptoir.store.datasets import Dataset
from comptoir.sync import Report

__all__ = ["CompanyState", "ConnectionState", "TypeState", "can_be_linked", "company_state", "connection_state"]


_ASKED_FOR_WITHIN = timedelta(minutes=1)  # of the link; nothing may be set to be read on the first link


class ConnectionState(msgspec.Struct, frozen=True, kw_only=True):
    """A connection with its words; `approval_since` is set while a customer is expected back from the upstream."""

    connection: Connection
    integration: Integration
    tone: str
    word: str
    approval_since: datetime | None
    active_errors: tuple[ConnectionError_, ...]
    blocked: tuple[str, ...]  # data types that the approving user's access level does not reach


class TypeState(msgspec.Struct, frozen=True, kw_only=True):
    """One data type: its newest read, when it last succeeded, and how many records are held."""

    key: str
    name: str
    tone: str
    word: str
    dataset: Dataset | None
    is_open: bool  # the newest read is under way or about to begin; one that waits for another try is not
    last_success: datetime | None
    count: int | None


class CompanyState(msgspec.Struct, frozen=True, kw_only=True):
    company_id: CompanyId
    connections: tuple[ConnectionState, ...]
    source: ConnectionState | None  # the connection that data is read over: the linked one, else the newest with data
    types: tuple[TypeState, ...]
    checks: Report | None  # the newest books check there is
    is_beginning: bool = False  # linked a moment ago; its first read, asked for in a step of its own, is awaited

    @property
    def is_reading(self) -> bool:
        return any(one.is_open for one in self.types)

    @property
    def is_live(self) -> bool:
        """Whether this may change by itself soon: a read runs, or a customer is expected."""
        was_linked = any(one.connection.linked_at is not None for one in self.connections)
        is_awaited = not was_linked or any(one.approval_since is not None for one in self.connections)
        return is_awaited or self.is_beginning or self.is_reading

    @property
    def asked(self) -> int:
        """Data types of the round under way: those asked for since the oldest that has not ended."""
        return len(self._round())

    @property
    def ended(self) -> int:
        return sum(not one.is_open for one in self._round())

    @property
    def records(self) -> int:
        return sum(one.count or 0 for one in self.types)

    def _round(self) -> list[TypeState]:
        held = [one for one in self.types if one.dataset is not None]
        open_ones = [one.dataset.requested for one in held if one.dataset and one.is_open]
        if not open_ones:
            return held
        return [one for one in held if one.dataset and one.dataset.requested >= min(open_ones)]


def company_state(tx: Transaction, visit: Visit, company: Company) -> CompanyState:
    found = tuple(connection_state(tx, visit, one) for one in connections.of_company(tx, visit.tenant, company.id))
    linked = [one for one in found if one.connection.status is ConnectionStatus.LINKED]
    with_data = [one for one in found if one.connection.linked_at is not None]
    source = next(iter(linked or with_data[-1:]), None)
    if source is None or not visit.may(Permission.READ_DATA):
        return CompanyState(company_id=company.id, connections=found, source=source, types=(), checks=None)
    latest = datasets.latest(tx, visit.tenant, company.id)
    checks = syncs.latest_checks(tx, visit.tenant, source.connection.id)
    linked_at, now = source.connection.linked_at, visit.services.clock.now()
    return CompanyState(
        company_id=company.id,
        connections=found,
        source=source,
        types=tuple(_type_state(tx, visit, source, one.name, latest) for one in source.integration.data_types),
        checks=Report.decode(checks) if checks else None,
        is_beginning=linked_at is not None
        and now - linked_at < _ASKED_FOR_WITHIN
        and all(last.requested < linked_at for last, _ in latest.values()),
    )


def can_be_linked(tx: Transaction, visit: Visit) -> bool:
    """Whether companies can link anything at all: some integration is enabled."""
    found = [integration_settings.get(tx, visit.tenant, one.key) for one in visit.services.integrations]
    return any(one is not None and one.enabled for one in found)


def connection_state(tx: Transaction, visit: Visit, connection: Connection) -> ConnectionState:
    tone, word = CONNECTION_STATES[connection.status]
    integration = visit.services.integration_by_key(connection.integration_key)
    level = connection.access_level
    blocked = [one.name for one in integration.data_types if level is not None and one.access_level > level]
    now = visit.services.clock.now()
    return ConnectionState(
        connection=connection,
        integration=integration,
        tone=tone,
        word=word,
        approval_since=_awaited_since(tx, connection, now),
        active_errors=tuple(one for one in connection.errors if one.status == "Active"),
        blocked=tuple(LOOKS[name].name if name in LOOKS else name for name in blocked),
    )


def _awaited_since(tx: Transaction, connection: Connection, now: datetime) -> datetime | None:
    """When the approval that is still awaited was begun: one that was begun before another came back is given up."""
    since = link_states.open_since(tx, connection.tenant_id, connection.id, now)
    ended = [one.errored_on_utc for one in connection.errors]
    ended += [connection.linked_at] if connection.linked_at is not None else []
    return None if since is None or any(moment > since for moment in ended) else since


def _type_state(
    tx: Transaction,
    visit: Visit,
    source: ConnectionState,
    key: str,
    latest: dict[str, tuple[Dataset, Dataset | None]],
) -> TypeState:
    newest, good = latest.get(key, (None, None))
    now = visit.services.clock.now()
    waits = newest is not None and newest.retry_at is not None and newest.retry_at > now
    tone, word = dataset_state(newest) if newest is not None else ("idle", "Not read yet")
    if not source.connection.allows(key):
        tone, word = "idle", N_("Not allowed")
    return TypeState(
        key=key,
        name=LOOKS[key].name if key in LOOKS else key,
        tone=tone,
        word=word,
        dataset=newest,
        is_open=newest is not None and not newest.status.is_ended and not waits,
        last_success=good.completed if good is not None else None,
        count=records.count(tx, visit.tenant, source.connection.id, key) if good is not None or newest else None,
    )

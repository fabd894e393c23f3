"""Which raw rows must be mapped again after others changed: those, and the rows that were or are mapped with them."""

from __future__ import annotations

from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import DataType, Direction, Hop
from comptoir.store import ConnectionId, TenantId, changes, raw

__all__ = ["affected"]

_MOST = 50_000  # rows told apart; where more changed, going through everything costs little more


def affected(
    tx: Transaction, tenant: TenantId, connection: ConnectionId, data_type: DataType, since: int
) -> dict[str, set[str]] | None:
    """By resource, the ids of rows that may make other records than they did at the mark `since`; rows that are gone
    among them. None where everything is better gone through."""
    sources = {making.resource for making in data_type.made_from}
    resources = sources | {name for hop in data_type.hops if not hop.is_late for name in (hop.start, hop.to)}
    if sum(changes.count(tx, tenant, connection, name, since) for name in resources) > _MOST:
        return None
    found = {name: changes.ids(tx, tenant, connection, name, since) for name in resources}
    # From the last hop to the first: what leads to a row that leads to a changed one is affected too.
    for hop in reversed(data_type.hops):
        if hop.is_late:
            found[hop.start] |= changes.targets(tx, tenant, connection, hop.to, since, hop.link)
        else:
            found[hop.start] |= _leading(tx, tenant, connection, hop, found[hop.to], since)
        if len(found[hop.start]) > _MOST:
            return None
    return {name: found[name] for name in sources}


def _leading(
    tx: Transaction, tenant: TenantId, connection: ConnectionId, hop: Hop, ends: set[str], since: int
) -> set[str]:
    """The rows from which this hop leads to one of `ends`, or led to one before it changed."""
    if not ends:
        return set()
    if hop.direction is Direction.OUT:
        return {id_ for _, id_ in raw.naming(tx, tenant, connection, hop.start, hop.link, ends)}
    links = raw.links_of(tx, tenant, connection, hop.to, ends)
    named = {one.id for those in links.values() for one in those if one.name == hop.link}
    named |= changes.former_targets(tx, tenant, connection, hop.to, since, hop.link)
    if hop.direction is Direction.IN:
        return named
    return {id_ for _, id_ in raw.naming(tx, tenant, connection, hop.start, hop.link, named)}

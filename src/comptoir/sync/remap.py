"""Standard records made anew from the raw ones that are held: no call upstream, and no read of anything.

For a mapping that was improved, where the next sync is not to be waited for. A record whose bytes stay the same keeps
its `modifiedDate`. What was cut off is not half done: each record is as one mapping or the other made it, and the same
command, or the next sync, goes through all of it again. It is told in the data history, with each record it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from comptoir.errors import Conflict, InvalidInput
from comptoir.integrations.contract import Integration
from comptoir.model import DATA_TYPE_KEYS
from comptoir.runtime.clock import Clock
from comptoir.store import Database, companies, connections, mappings, syncs
from comptoir.store.connections import Connection
from comptoir.store.syncs import Remade
from comptoir.sync.following import company_named
from comptoir.sync.map import Mapper
from comptoir.sync.outcomes import COMPLETE
from comptoir.sync.turns import Turns

__all__ = ["Remapped", "Remapping", "remap"]


class Remapping(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is: of a company's data type, rows mapped of so many. Without a data type: it waits for its turn."""

    company: str
    data_type: str | None = None
    done: int = 0
    in_all: int = 0


class Remapped(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one data type of a company."""

    company: str
    data_type: str
    rows: int
    new: int
    changed: int
    deleted: int
    set_aside: int


def remap(
    db: Database,
    clock: Clock,
    integration_of: Callable[[str], Integration],
    turns: Turns,
    *,
    company: str | None,
    data_types: Iterable[str] = (),
    tell: Callable[[Remapping], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Remapped]:
    """Map everything anew that is held of a company, given by its id or name, or of all of them; or of these data
    types only.

    Raises NotFound or InvalidInput for what there is not, Conflict where books are half read, Stopped when asked to
    stop, between batches.
    """
    names = set(data_types)
    if unknown := sorted(names - set(DATA_TYPE_KEYS)):
        raise InvalidInput(f"There is no data type {unknown[0]!r}. There are {', '.join(DATA_TYPE_KEYS)}.")
    found: list[Remapped] = []
    for name, connection in _connections(db, company):
        found += _remapped(db, clock, integration_of, turns, name, connection, names, tell, should_stop)
    if not found and names:
        raise InvalidInput(f"Nothing was read of {', '.join(sorted(names))} yet, so there is nothing to map anew.")
    return found


def _connections(db: Database, company: str | None) -> list[tuple[str, Connection]]:
    """Those that may hold records, each with its company's name."""
    with db.read() as tx:
        chosen = companies.named(tx, None) if company is None else [company_named(tx, company)]
        return [
            (one.name, connection) for one in chosen for connection in connections.of_company(tx, one.tenant_id, one.id)
        ]


def _remapped(
    db: Database,
    clock: Clock,
    integration_of: Callable[[str], Integration],
    turns: Turns,
    company: str,
    connection: Connection,
    names: set[str],
    tell: Callable[[Remapping], None],
    should_stop: Callable[[], bool],
) -> Sequence[Remapped]:
    tenant, integration = connection.tenant_id, integration_of(connection.integration_key)
    with turns.take(tenant, connection.id, should_stop, lambda: tell(Remapping(company=company))):
        with db.read() as tx:
            if syncs.active(tx, tenant, connection.id) is not None:
                raise Conflict(
                    f"The books of {company} are half read: their reading was cut off. It goes on while Comptoir "
                    "serves; remap them once it has ended."
                )
            held = mappings.of(tx, tenant, connection.id)
            reads = syncs.reads(tx, tenant, connection.id)
        chosen = [one for one in integration.data_types if one.name in held and (not names or one.name in names)]
        if not chosen:
            return []
        with db.write() as tx:
            entry = syncs.begin_remaking(tx, tenant, connection.id, clock.now())
        mapper = Mapper(
            db,
            integration,
            clock,
            tenant=tenant,
            company=connection.company_id,
            connection=connection.id,
            sync=entry,
            complete=frozenset(name for name, read in reads.items() if read.outcome == COMPLETE),
            today=clock.now(),
            told=lambda name, done, in_all, _: tell(
                Remapping(company=company, data_type=name, done=done, in_all=in_all)
            ),
            should_stop=should_stop,
        )
        found = [
            Remade(
                data_type=name,
                rows=one.read,
                new=one.new,
                changed=one.changed,
                deleted=one.deleted,
                set_aside=one.set_aside,
            )
            for name, one in mapper.run(chosen, anew=True).items()
        ]
        with db.write() as tx:
            syncs.end_remaking(tx, tenant, entry, found, clock.now())
    return [Remapped(company=company, **msgspec.structs.asdict(one)) for one in found]

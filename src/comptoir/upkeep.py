"""What commands have done to a whole installation, by whichever process has its data: the server, or their own."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection as Transaction

from comptoir import access
from comptoir.errors import Conflict, NotFound
from comptoir.runtime.clock import Clock, SystemClock
from comptoir.settings import Settings
from comptoir.store import Database, Vault, events, holds, tenants, trail, vault
from comptoir.store.rotation import Rotated, rotate
from comptoir.store.tenants import Tenant
from comptoir.store.trail import Actor, ActorKind

__all__ = ["held", "open_vault", "operator_link", "rotated", "verified"]


def open_vault(db: Database, settings: Settings) -> Vault:
    with db.read() as tx:
        was_sealed = vault.is_sealed(tx)
    opened = vault.load_master_key(settings.data_dir, settings.master_key, sealed_before=was_sealed)
    with db.write() as tx:
        vault.check_key(tx, opened)
        signs = trail.key(tx, opened)
    db.sign_trail_with(signs)
    return opened


def verified(db: Database, opened: Vault) -> list[trail.Proof]:
    with db.write() as tx:
        signs = trail.key(tx, opened)
    with db.read() as tx:
        return [trail.verify(tx, one.id, one.name, signs) for one in tenants.all_tenants(tx)]


def operator_link(db: Database, settings: Settings, email: str) -> str:
    address, until = access.link_by_command(db, SystemClock(), email=email, public_url=settings.portal_url)
    return f"{address}\nIt works once, until {until:%d %B %Y %H:%M} UTC."


def rotated(db: Database, keys: Vault, settings: Settings, should_stop: Callable[[], bool]) -> Rotated:
    is_given = settings.master_key is not None
    done = rotate(db, keys, settings.data_dir, is_key_given=is_given, should_stop=should_stop)
    by, now = Actor(kind=ActorKind.COMMAND, name="comptoir keys rotate"), SystemClock().now()
    with db.write() as tx:
        for one in tenants.all_tenants(tx):
            events.audit(tx, one.id, by, "masterKey.changed", None, now, detail=f"version {done.version}")
    return done


def held(db: Database, clock: Clock, named: str | None, *, is_on: bool) -> str:
    with db.write() as tx:
        found = None if named is None else tenants.by_name(tx, named)
        if named is not None and found is None:
            raise NotFound(f"There is no tenant {named!r}.")
        id_, whose = (None, "every tenant") if found is None else (found.id, f"the tenant {found.name!r}")
        if is_on:
            holds.put(tx, id_, by="comptoir hold", why="asked", now=clock.now())
            _note_hold(tx, found, "hold.laid", clock)
            return f"On hold: nothing is asked of any upstream for {whose}. `comptoir resume` lifts the hold."
        if not holds.lift(tx, id_):
            raise Conflict(f"No hold lies on {whose}.")
        _note_hold(tx, found, "hold.lifted", clock)
        return f"The hold on {whose} is lifted: what waited is read now."


def _note_hold(tx: Transaction, of: Tenant | None, action: str, clock: Clock) -> None:
    """In the trail of a tenant, or of all of them."""
    by = Actor(kind=ActorKind.COMMAND, name="comptoir hold" if action == "hold.laid" else "comptoir resume")
    for one in tenants.all_tenants(tx) if of is None else [of]:
        events.audit(tx, one.id, by, action, None, clock.now())

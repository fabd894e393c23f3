"""The audit trail: who did what, to what, when and from where. It only grows, and it can be proved whole.

Each tenant's entries are numbered and chained: an entry's mark is a keyed digest of itself and of the mark before it,
and a head says how many there are. The key is sealed with the master key, which is not in the database: whoever can
write to the database, past the triggers that refuse it, can neither change an entry nor cut off the last ones unseen.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from comptoir.store.ids import TenantId
from comptoir.store.rows import Page, insert_if_free, only, struct_of, take_turns, upsert
from comptoir.store.tables import AUDIT as TABLE
from comptoir.store.tables import AUDIT_HEADS as HEADS
from comptoir.store.tables import META, OPERATORS
from comptoir.store.values import text_of
from comptoir.store.vault import Vault

__all__ = ["KEY_OPTION", "Actor", "ActorKind", "Entry", "Proof", "append", "key", "page", "verify"]

KEY_OPTION = "trail_key"  # what a writing transaction carries it under
_SEALED_AS = "audit-trail-key"
_LONGEST = 300


class ActorKind(StrEnum):
    OPERATOR = "operator"
    API_KEY = "API key"
    COMMAND = "command"
    ITSELF = "itself"  # no person's act: tokens that are opened to read or to renew them
    CUSTOMER = "customer"  # whoever has a company's Link URL
    NOBODY = "nobody"  # not known, or not let in


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts. `address` is the network address that the request came from; None for commands on this machine."""

    kind: ActorKind
    name: str
    address: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    at: datetime
    actor_kind: ActorKind
    actor: str
    address: str | None
    action: str
    subject: str | None
    detail: str | None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What came of proving one tenant's trail: `fault` says what was changed first; None while all is whole."""

    tenant: str
    entries: int
    mark: str
    fault: str | None


def key(tx: Connection, vault: Vault) -> bytes:
    """The key that entries are marked with, made at the first start; MasterKeyWrong if it cannot be opened."""
    place = {"tenant": "", "subject": _SEALED_AS, "field": ""}
    remembered = sa.select(META.c.value).where(META.c.name == _SEALED_AS)
    held = tx.execute(remembered).scalar_one_or_none()
    if held is None:
        insert_if_free(tx, META, name=_SEALED_AS, value=vault.seal(os.urandom(32), **place))
        held = tx.execute(remembered).scalar_one()  # of another process, if that was quicker
    return vault.open(held, **place)


def append(
    tx: Connection,
    tenant: TenantId,
    actor: Actor,
    action: str,
    subject: str | None,
    now: datetime,
    *,
    detail: str | None = None,
) -> None:
    """The next entry of a tenant, kept if and only if the transaction is. Never a secret in any part of it.

    Others that note something of the same tenant wait until the transaction ends: do it last.
    """
    take_turns(tx, tenant)
    head = tx.execute(sa.select(HEADS).where(only(HEADS, tenant))).one_or_none()
    number, before = (1, "") if head is None else (head.number + 1, head.mark)
    entry = Entry(
        number=number,
        at=now,
        actor_kind=actor.kind,
        actor=actor.name[:_LONGEST],
        address=actor.address,
        action=action,
        subject=None if subject is None else subject[:_LONGEST],
        detail=None if detail is None else detail[:_LONGEST],
    )
    signs = _key_of(tx)
    mark = _mark(signs, tenant, entry, before)
    values = msgspec.structs.asdict(entry) | {"actor_kind": entry.actor_kind.value, "mark": mark}
    tx.execute(sa.insert(TABLE).values(tenant_id=tenant, **values))
    changed = {"number": number, "mark": mark, "seal": _seal(signs, tenant, number, mark)}
    upsert(tx, HEADS, {"tenant_id": tenant}, changed)


def page(
    tx: Connection,
    tenant: TenantId,
    *,
    number: int,
    size: int,
    action: str | None = None,
    actor: str | None = None,
    of_somebody: bool = False,
) -> Page:
    """Entries from the newest on: of one action, of actors whose name or address holds a text, and without what
    Comptoir does by itself, if asked for."""
    conditions = [] if action is None else [TABLE.c.action == action]
    if of_somebody:
        conditions.append(TABLE.c.actor_kind != sa.literal_column("'itself'"))  # word for word as the index has it
    if actor:
        named = (TABLE.c.actor, TABLE.c.address)
        conditions.append(sa.or_(*(column.icontains(actor, autoescape=True) for column in named)))
    mine = only(TABLE, tenant, *conditions)
    total = tx.execute(sa.select(sa.func.count()).select_from(TABLE).where(mine)).scalar_one()
    rows = tx.execute(
        sa.select(TABLE).where(mine).order_by(TABLE.c.number.desc()).limit(size).offset(size * (number - 1))
    )
    return Page(total=total, rows=[struct_of(Entry, row) for row in rows])


def verify(tx: Connection, tenant: TenantId, name: str, signs: bytes) -> Proof:
    """Look through a tenant's whole trail, and name the first entry that is not as it was written."""
    head = tx.execute(sa.select(HEADS).where(only(HEADS, tenant))).one_or_none()
    count, mark, fault = 0, "", None
    in_order = sa.select(TABLE).where(only(TABLE, tenant)).order_by(TABLE.c.number, TABLE.c.pk)
    with tx.execute(in_order, execution_options={"yield_per": 1000}) as rows:
        for count, row in enumerate(rows, 1):
            entry = struct_of(Entry, row)
            if entry.number != count:
                fault = f"Entry {count} is missing: after number {count - 1} comes number {entry.number}."
                break
            mark = _mark(signs, tenant, entry, mark)
            if not hmac.compare_digest(mark, row.mark):
                fault = f"Entry {count} ({text_of(entry.at)}, {entry.action}) is not as it was written."
                break
    if fault is None:
        fault = _fault_of_head(tx, tenant, head, count, mark, signs)
    return Proof(tenant=name, entries=count, mark=mark, fault=fault)


def _fault_of_head(
    tx: Connection, tenant: TenantId, head: Row[Any] | None, count: int, mark: str, signs: bytes
) -> str | None:
    """What the last entry and the head do not agree on."""
    if head is None:
        # Whoever can sign in was made by an act that is in the trail.
        has_people = tx.execute(sa.select(OPERATORS.c.id).where(only(OPERATORS, tenant)).limit(1)).first() is not None
        return "The trail, or its head, was removed." if count or has_people else None
    if not hmac.compare_digest(head.seal, _seal(signs, tenant, head.number, head.mark)):
        return "The head of the trail is not as it was written."
    if head.number > count:
        return f"Entry {count + 1} is missing: {head.number} were written, and the trail ends with number {count}."
    return None if (head.number, head.mark) == (count, mark) else f"Entry {head.number + 1} was added by other means."


def _key_of(tx: Connection) -> bytes:
    found = tx.get_execution_options().get(KEY_OPTION)
    if not isinstance(found, bytes):
        raise RuntimeError("an act is to be noted, but the database was opened without the audit trail's key")
    return found


def _mark(signs: bytes, tenant: str, entry: Entry, before: str) -> str:
    parts = [before, tenant, *msgspec.structs.astuple(entry)]
    parts[3] = text_of(entry.at)
    return hmac.new(signs, msgspec.json.encode(parts), hashlib.sha256).hexdigest()


def _seal(signs: bytes, tenant: str, number: int, mark: str) -> str:
    return hmac.new(signs, msgspec.json.encode(["head", tenant, number, mark]), hashlib.sha256).hexdigest()

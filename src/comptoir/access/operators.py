"""Operators: the people who sign in to the portal. Each belongs to one tenant; the last Administrator cannot go.

One who was invited has no password until the link of the invitation was used.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from comptoir.access import passwords
from comptoir.access.roles import PERMISSIONS, Permission, Role
from comptoir.errors import Conflict, InvalidInput, NotFound
from comptoir.store import OperatorId, TenantId, new_id
from comptoir.store.rows import all_of as rows_of
from comptoir.store.rows import insert_if_free, one_of, only, struct_of, take_turns
from comptoir.store.tables import OPERATORS as TABLE
from comptoir.store.tables import PASSWORD_LINKS, SESSIONS

__all__ = [
    "LANGUAGES",
    "Operator",
    "add",
    "all_of",
    "by_email",
    "change_password",
    "disable",
    "enable",
    "end_sessions",
    "get",
    "invite",
    "of_row",
    "set_language",
    "set_role",
]

LANGUAGES = ("en", "fr")
_LONGEST_EMAIL = 254


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """`language` is None until chosen: the browser's then counts. `signed_in` is the last time."""

    id: OperatorId
    tenant_id: TenantId
    email: str
    role: Role
    language: str | None
    created: datetime
    disabled: datetime | None
    signed_in: datetime | None
    has_password: bool
    has_second_factor: bool

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


def add(
    tx: Connection, tenant: TenantId, *, email: str, password: str | None = None, role: Role, now: datetime
) -> tuple[Operator, str]:
    """A new operator and the password, which is told this once; one is made up if none is given."""
    password = passwords.made_up() if password is None else passwords.checked(password)
    return _insert(tx, tenant, email, passwords.hashed(password), role, now), password


def invite(tx: Connection, tenant: TenantId, *, email: str, role: Role, now: datetime) -> Operator:
    """A new operator who cannot sign in yet: a link by which to choose a password is made by `password_links`."""
    return _insert(tx, tenant, email, None, role, now)


def _insert(
    tx: Connection, tenant: TenantId, email: str, password_hash: str | None, role: Role, now: datetime
) -> Operator:
    address, id_ = _checked_email(email), new_id()
    values = {"id": id_, "email": address, "role": role.value, "password_hash": password_hash, "created": now}
    # E-mail addresses are unique over all tenants: signing in asks for nothing else.
    if not insert_if_free(tx, TABLE, tenant_id=tenant, **values):
        raise Conflict(f"There is an operator with the e-mail address {address} already.")
    return get(tx, tenant, id_)


def get(tx: Connection, tenant: TenantId, operator: str) -> Operator:
    return of_row(one_of(tx, TABLE, tenant, operator, "There is no such operator."))


def by_email(tx: Connection, tenant: TenantId, email: str) -> Operator:
    mine = only(TABLE, tenant, TABLE.c.email == email.strip().lower())
    row = tx.execute(sa.select(TABLE).where(mine)).one_or_none()
    if row is None:
        raise NotFound("There is no such operator.")
    return of_row(row)


def all_of(tx: Connection, tenant: TenantId) -> list[Operator]:
    return sorted((of_row(row) for row in rows_of(tx, TABLE, tenant)), key=lambda one: one.email)


def set_language(tx: Connection, tenant: TenantId, operator: str, language: str) -> None:
    if language not in LANGUAGES:
        raise InvalidInput(f"The language is one of {', '.join(LANGUAGES)}.", field="language")
    _set(tx, tenant, operator, {"language": language})


def change_password(tx: Connection, tenant: TenantId, operator: str, password: str) -> None:
    """Every session of the operator ends, and no link of theirs works any more; a new session begins by signing in with
    the new password."""
    get(tx, tenant, operator)
    _set(tx, tenant, operator, {"password_hash": passwords.hashed(passwords.checked(password))})
    end_sessions(tx, tenant, operator)
    _end_links(tx, tenant, operator)


def set_role(tx: Connection, tenant: TenantId, operator: str, role: Role) -> Operator:
    """What the operator may do from the next request on; returns the operator as before."""
    before = _not_the_last(tx, tenant, operator) if role is not Role.ADMINISTRATOR else get(tx, tenant, operator)
    _set(tx, tenant, operator, {"role": role.value})
    return before


def disable(tx: Connection, tenant: TenantId, operator: str, now: datetime) -> Operator:
    """The operator cannot sign in any more, every session ends at once, and no link of theirs works."""
    leaving = _not_the_last(tx, tenant, operator)
    _set(tx, tenant, operator, {"disabled": now})
    end_sessions(tx, tenant, operator)
    _end_links(tx, tenant, operator)
    return leaving


def enable(tx: Connection, tenant: TenantId, operator: str) -> Operator:
    """The operator may sign in again, with the password and second factor there were."""
    returning = get(tx, tenant, operator)
    _set(tx, tenant, operator, {"disabled": None})
    return returning


def _not_the_last(tx: Connection, tenant: TenantId, operator: str) -> Operator:
    """The operator, unless nobody else could put things right afterwards: Conflict then.

    From here to the end of the transaction no other one may ask that.
    """
    take_turns(tx, tenant)
    leaving = get(tx, tenant, operator)
    others = [one for one in all_of(tx, tenant) if one.id != operator and one.disabled is None and one.has_password]
    if leaving.role is Role.ADMINISTRATOR and not any(one.role is Role.ADMINISTRATOR for one in others):
        raise Conflict("This is the last Administrator. Make another one first.")
    return leaving


def of_row(row: Row[tuple[object, ...]]) -> Operator:
    return struct_of(
        Operator,
        row,
        role=Role(row.role),
        has_password=row.password_hash is not None,
        has_second_factor=row.totp_secret is not None,
    )


def _checked_email(email: str) -> str:
    address = email.strip().lower()
    name, at, host = address.rpartition("@")
    if not (at and name and host) or any(sign.isspace() for sign in address) or len(address) > _LONGEST_EMAIL:
        raise InvalidInput(f"{email.strip()[:80]!r} is not an e-mail address.", field="email")
    return address


def _set(tx: Connection, tenant: TenantId, operator: str, values: dict[str, object]) -> None:
    tx.execute(sa.update(TABLE).where(only(TABLE, tenant, TABLE.c.id == operator)).values(values))


def _end_links(tx: Connection, tenant: TenantId, operator: str) -> None:
    tx.execute(sa.delete(PASSWORD_LINKS).where(only(PASSWORD_LINKS, tenant, PASSWORD_LINKS.c.operator_id == operator)))


def end_sessions(tx: Connection, tenant: TenantId, operator: str) -> None:
    tx.execute(sa.delete(SESSIONS).where(only(SESSIONS, tenant, SESSIONS.c.operator_id == operator)))

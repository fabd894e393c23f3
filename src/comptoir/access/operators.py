"""Operators: the people who sign in to the portal. Each belongs to one tenant; the last Administrator cannot go."""

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
from comptoir.store.tables import SESSIONS

__all__ = ["LANGUAGES", "Operator", "add", "all_of", "by_email", "change_password", "disable", "get", "set_language"]

LANGUAGES = ("en", "fr")
_LONGEST_EMAIL = 254


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """`language` is None until chosen: the browser's then counts."""

    id: OperatorId
    tenant_id: TenantId
    email: str
    role: Role
    language: str | None
    created: datetime
    disabled: datetime | None

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


def add(
    tx: Connection, tenant: TenantId, *, email: str, password: str | None = None, role: Role, now: datetime
) -> tuple[Operator, str]:
    """A new operator and the password, which is told this once; one is made up if none is given."""
    address = _checked_email(email)
    password = passwords.made_up() if password is None else passwords.checked(password)
    operator = Operator(
        id=OperatorId(new_id()), tenant_id=tenant, email=address, role=role, language=None, created=now, disabled=None
    )
    values = msgspec.structs.asdict(operator) | {"role": role.value, "password_hash": passwords.hashed(password)}
    # E-mail addresses are unique over all tenants: signing in asks for nothing else.
    if not insert_if_free(tx, TABLE, **values):
        raise Conflict(f"There is an operator with the e-mail address {address} already.")
    return operator, password


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
    """Every session of the operator ends; a new one starts by signing in with the new password."""
    get(tx, tenant, operator)
    _set(tx, tenant, operator, {"password_hash": passwords.hashed(passwords.checked(password))})
    _end_sessions(tx, tenant, operator)


def disable(tx: Connection, tenant: TenantId, operator: str, now: datetime) -> None:
    """The operator cannot sign in any more, and every session ends at once."""
    take_turns(tx, tenant)
    leaving = get(tx, tenant, operator)
    others = [one for one in all_of(tx, tenant) if one.id != operator and one.disabled is None]
    if leaving.role is Role.ADMINISTRATOR and not any(one.role is Role.ADMINISTRATOR for one in others):
        raise Conflict("This is the last Administrator. Make another one first.")
    _set(tx, tenant, operator, {"disabled": now})
    _end_sessions(tx, tenant, operator)


def of_row(row: Row[tuple[object, ...]]) -> Operator:
    return struct_of(Operator, row, role=Role(row.role))


def _checked_email(email: str) -> str:
    address = email.strip().lower()
    name, at, host = address.rpartition("@")
    if not (at and name and host) or any(sign.isspace() for sign in address) or len(address) > _LONGEST_EMAIL:
        raise InvalidInput(f"{email.strip()[:80]!r} is not an e-mail address.", field="email")
    return address


def _set(tx: Connection, tenant: TenantId, operator: str, values: dict[str, object]) -> None:
    tx.execute(sa.update(TABLE).where(only(TABLE, tenant, TABLE.c.id == operator)).values(values))


def _end_sessions(tx: Connection, tenant: TenantId, operator: str) -> None:
    tx.execute(sa.delete(SESSIONS).where(only(SESSIONS, tenant, SESSIONS.c.operator_id == operator)))

"""People who sign in to the portal. Passwords are kept as memory-hard hashes; guessing is slowed, never locked out."""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, Row

from comptoir.access.roles import PERMISSIONS, Permission, Role
from comptoir.errors import Conflict, InvalidInput, NotFound, TryLater
from comptoir.store import Database, OperatorId, TenantId, new_id, tenants
from comptoir.store.rows import one_of, only, struct_of
from comptoir.store.tables import OPERATORS, SIGN_IN_FAILURES

__all__ = ["FirstStart", "Operator", "add", "ensure_first", "get", "set_language", "sign_in"]

_hasher = PasswordHasher()
# Verified against when nobody has the address, so that the answer takes as long as for one who exists.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))
_ALPHABET = string.ascii_letters + string.digits
_FREE_TRIES = 3
_LONGEST_DELAY = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=24)
_LONGEST_PASSWORD = 1024


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    id: OperatorId
    tenant_id: TenantId
    email: str
    role: Role
    language: str | None
    created: datetime
    disabled: datetime | None

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


class FirstStart(msgspec.Struct, frozen=True, kw_only=True):
    """What is told once: the Administrator made at the first start."""

    tenant: TenantId
    email: str
    password: str

    def __repr__(self) -> str:
        return f"FirstStart(email={self.email!r})"


def _operator(row: Row[tuple[object, ...]]) -> Operator:
    return struct_of(Operator, row, role=Role(row.role))


def new_password() -> str:
    """Twenty letters and digits in four groups: 119 bits, easy to copy by hand."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def add(
    tx: Connection, tenant: TenantId, *, email: str, role: Role, now: datetime, password: str | None = None
) -> tuple[Operator, str]:
    """A new operator and the password, which is shown once: given, or made here."""
    address = email.strip().lower()
    if not address or "@" not in address or any(letter.isspace() for letter in address):
        raise InvalidInput(f"{email!r} is not an e-mail address.", field="email")
    if tx.execute(sa.select(OPERATORS.c.id).where(OPERATORS.c.email == address)).one_or_none() is not None:
        raise Conflict(f"{address} is an operator already.")
    chosen = password or new_password()
    id_ = OperatorId(new_id())
    tx.execute(
        sa.insert(OPERATORS).values(
            id=id_, tenant_id=tenant, email=address, password_hash=_hasher.hash(chosen), role=role.value, created=now
        )
    )
    return get(tx, tenant, id_), chosen


def get(tx: Connection, tenant: TenantId, operator: OperatorId) -> Operator:
    return _operator(one_of(tx, OPERATORS, tenant, operator, "There is no such operator."))


def set_language(tx: Connection, tenant: TenantId, operator: OperatorId, language: str) -> None:
    tx.execute(
        sa.update(OPERATORS).where(only(OPERATORS, tenant, OPERATORS.c.id == operator)).values(language=language)
    )


def sign_in(db: Database, *, email: str, password: str, address: str, now: datetime) -> Operator:
    """The operator with this password. InvalidInput, in the same words and time whoever it is, if there is none.

    After three failures in a row for an e-mail address from one network address each further one must wait longer:
    TryLater says how long.
    """
    key = f"{email.strip().lower()}|{address}"
    with db.read() as tx:
        failed = tx.execute(sa.select(SIGN_IN_FAILURES).where(SIGN_IN_FAILURES.c.key == key)).one_or_none()
        condition = sa.and_(OPERATORS.c.email == email.strip().lower(), OPERATORS.c.tenant_id.is_not(None))
        row = tx.execute(sa.select(OPERATORS).where(condition)).one_or_none()
    if failed is not None and now - failed.last < _FORGOTTEN_AFTER:
        opens = failed.last + _delay(failed.count)
        if now < opens:
            seconds = int((opens - now).total_seconds()) + 1
            raise TryLater(
                f"Too many wrong passwords. Wait {seconds} seconds, then try again.", retry_after_seconds=seconds
            )
    is_right = _verified(row.password_hash if row is not None else _NOBODY, password)
    if row is None or not is_right or row.disabled is not None:
        _count_failure(db, key, now)
        raise InvalidInput("E-mail or password is wrong.", field="password")
    with db.write() as tx:
        tx.execute(sa.delete(SIGN_IN_FAILURES).where(SIGN_IN_FAILURES.c.key == key))
    return _operator(row)


def _verified(password_hash: str, password: str) -> bool:
    if len(password) > _LONGEST_PASSWORD:
        return False
    try:
        return _hasher.verify(password_hash, password)
    except VerificationError:
        return False


def _delay(failures: int) -> timedelta:
    if failures < _FREE_TRIES:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failures - _FREE_TRIES, 20)), _LONGEST_DELAY)


def _count_failure(db: Database, key: str, now: datetime) -> None:
    with db.write() as tx:
        tx.execute(sa.delete(SIGN_IN_FAILURES).where(SIGN_IN_FAILURES.c.last < now - _FORGOTTEN_AFTER))
        mine = SIGN_IN_FAILURES.c.key == key
        values = {"count": SIGN_IN_FAILURES.c.count + 1, "last": now}
        if not tx.execute(sa.update(SIGN_IN_FAILURES).where(mine).values(values)).rowcount:
            tx.execute(sa.insert(SIGN_IN_FAILURES).values(key=key, count=1, last=now))


def ensure_first(tx: Connection, now: datetime, *, email: str = "admin@localhost") -> FirstStart | None:
    """Make the tenant `default` and its Administrator, if there is no tenant yet; None if there is."""
    if tenants.all_tenants(tx):
        return None
    tenant = tenants.add(tx, "default", now)
    operator, password = add(tx, tenant.id, email=email, role=Role.ADMINISTRATOR, now=now)
    return FirstStart(tenant=tenant.id, email=operator.email, password=password)


def by_email(tx: Connection, tenant: TenantId, email: str) -> Operator:
    row = tx.execute(sa.select(OPERATORS).where(only(OPERATORS, tenant, OPERATORS.c.email == email))).one_or_none()
    if row is None:
        raise NotFound("There is no such operator.")
    return _operator(row)

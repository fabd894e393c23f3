"""The second factor: codes of an authenticator app (TOTP), and recovery codes for when it is lost.

The secret is sealed and opened only to look at a code. No code is taken twice: that of a time step is used up with it
and with every later one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.access.operators import Operator
from comptoir.errors import InvalidInput
from comptoir.store.ids import TenantId
from comptoir.store.rows import only
from comptoir.store.tables import OPERATORS, RECOVERY_CODES
from comptoir.store.vault import Vault

__all__ = ["address_of", "codes_left", "fresh_codes", "is_secret", "new_secret", "taken", "turn_off", "turn_on"]

_STEP_SECONDS = 30
_DRIFT_STEPS = 1  # clocks of phones are up to so many steps apart from ours
_SECRET_BYTES = 20
_CODES = 10
_FIELD = "totp_secret"


def new_secret() -> str:
    """In the letters that apps take when it is typed."""
    return pyotp.random_base32()


def address_of(secret: str, operator: Operator, issuer: str) -> str:
    """What the picture says that apps read: the secret, and what to call it."""
    return pyotp.TOTP(secret).provisioning_uri(name=operator.email, issuer_name=issuer)


def turn_on(tx: Connection, vault: Vault, operator: Operator, secret: str, code: str, now: datetime) -> list[str]:
    """Ask for codes from now on; returns the recovery codes, which are told this once.

    InvalidInput when the code is not one of the secret's: the app does not have it, then, or its clock is wrong.
    """
    step = _step_of(secret, code, now) if is_secret(secret) else None
    if step is None:
        raise InvalidInput(
            "The code is not right. Type the one that the app shows now, and check its clock.", field="code"
        )
    sealed = vault.seal(secret.encode(), tenant=operator.tenant_id, subject=operator.id, field=_FIELD)
    _set(tx, operator.tenant_id, operator.id, {"totp_secret": sealed, "totp_step": step})
    return fresh_codes(tx, operator)


def turn_off(tx: Connection, tenant: TenantId, operator: str) -> None:
    """Ask for a password only, from now on."""
    _set(tx, tenant, operator, {"totp_secret": None, "totp_step": None})
    tx.execute(sa.delete(RECOVERY_CODES).where(_codes_of(tenant, operator)))


def taken(tx: Connection, vault: Vault, operator: Operator, code: str, now: datetime) -> str | None:
    """What a code was, `code` or `recovery code`, and it is used up; None if it is neither."""
    mine = only(OPERATORS, operator.tenant_id, OPERATORS.c.id == operator.id)
    row = tx.execute(sa.select(OPERATORS.c.totp_secret, OPERATORS.c.totp_step).where(mine)).one_or_none()
    if row is None or row.totp_secret is None:
        return None
    secret = vault.open(row.totp_secret, tenant=operator.tenant_id, subject=operator.id, field=_FIELD).decode()
    step = _step_of(secret, code, now)
    if step is not None:
        unused = sa.or_(OPERATORS.c.totp_step.is_(None), OPERATORS.c.totp_step < step)
        statement = sa.update(OPERATORS).where(mine, unused).values(totp_step=step)
        return "code" if tx.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1 else None
    used = sa.delete(RECOVERY_CODES).where(
        _codes_of(operator.tenant_id, operator.id), RECOVERY_CODES.c.code_hash == _hashed(code)
    )
    found = tx.execute(used, execution_options={"preserve_rowcount": True}).rowcount
    return "recovery code" if found == 1 else None


def fresh_codes(tx: Connection, operator: Operator) -> list[str]:
    """New recovery codes, each good for one sign-in; those there were are worth nothing any more."""
    mine = _codes_of(operator.tenant_id, operator.id)
    tx.execute(sa.delete(RECOVERY_CODES).where(mine))
    codes = [_code() for _ in range(_CODES)]
    owner = {"tenant_id": operator.tenant_id, "operator_id": operator.id}
    tx.execute(sa.insert(RECOVERY_CODES), [owner | {"code_hash": _hashed(code)} for code in codes])
    return codes


def codes_left(tx: Connection, tenant: TenantId, operator: str) -> int:
    count = sa.select(sa.func.count()).select_from(RECOVERY_CODES).where(_codes_of(tenant, operator))
    return tx.execute(count).scalar_one()


def is_secret(text: str) -> bool:
    """Whether a text may be a secret of ours: it comes back through a form, so it may be anything."""
    try:
        return len(base64.b32decode(text)) == _SECRET_BYTES
    except (binascii.Error, ValueError):
        return False


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, of those that clocks may be apart."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == 6):
        return None
    present = int(now.timestamp()) // _STEP_SECONDS
    app = pyotp.TOTP(secret, interval=_STEP_SECONDS)
    steps = range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1)
    return next((step for step in steps if hmac.compare_digest(app.generate_otp(step), typed)), None)


def _code() -> str:
    """80 random bits in four groups of letters and digits that are not mistaken for each other."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, 16, 4))


def _hashed(code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _codes_of(tenant: TenantId, operator: str) -> sa.ColumnElement[bool]:
    return only(RECOVERY_CODES, tenant, RECOVERY_CODES.c.operator_id == operator)


def _set(tx: Connection, tenant: TenantId, operator: str, values: dict[str, object]) -> None:
    tx.execute(sa.update(OPERATORS).where(only(OPERATORS, tenant, OPERATORS.c.id == operator)).values(values))

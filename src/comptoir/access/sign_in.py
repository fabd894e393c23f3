"""Signing in: growing delays for whoever guesses, no permanent lock, the same answer and time for unknown people.

Failures are counted for an e-mail address from one network address; more patiently for a network address alone, so
that one password for many people is slow too; and for an e-mail address alone, so that many machines are no way round.
That last delay stays short: nobody can lock another out for long.

Refusals are in the trail of the tenant whose operator was meant. Who is unknown is in no tenant's trail, or anybody
could fill it, and tries that had to wait are not noted.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from comptoir.access import delays, operators, passwords, second_factor, sessions
from comptoir.access.delays import Counted
from comptoir.access.operators import Operator
from comptoir.errors import InvalidInput, NotFound, TryLater
from comptoir.store import Database, Vault, events
from comptoir.store.rows import only
from comptoir.store.tables import OPERATORS
from comptoir.store.trail import Actor, ActorKind

__all__ = ["confirm", "prove", "sign_in", "sign_in_as"]

_WRONG = "The e-mail address or the password is not right."
_WRONG_CODE = "The code is not right, or it was used already."


def sign_in(db: Database, *, email: str, password: str, address: str, now: datetime) -> str:
    """The token of a new session, which awaits a code if the operator has a second factor.

    Raises InvalidInput when e-mail address or password is wrong (it does not say which), and TryLater after too many
    failures, without looking at the password.
    """
    email = email.strip().lower()[:254]
    network = delays.network_of(address)
    here = Counted((email, network), free=5, longest_seconds=300)
    keys = (here, Counted((network,), free=50, longest_seconds=300), Counted((email,), free=20, longest_seconds=30))
    with db.write() as tx:
        wait = delays.counted(tx, keys, now)
    _refuse_to_hurry(wait)
    with db.read() as tx:
        row = _row(tx, email)
    if not passwords.matches(password, None if row is None else row.password_hash) or row is None:
        with db.write() as tx:
            # For the time it takes: writes of one kind or another, whether there is such a person or not.
            delays.touched(tx, here, now)
            if row is not None:
                _refused(tx, operators.of_row(row), address, now, "wrong password")
        raise InvalidInput(_WRONG)
    operator = operators.of_row(row)
    fresh = passwords.hashed(password) if passwords.is_outdated(row.password_hash) else None
    with db.write() as tx:
        delays.forgiven(tx, here)
        for key in keys[1:]:
            delays.uncounted(tx, key)
        if fresh is not None:
            mine = only(OPERATORS, operator.tenant_id, OPERATORS.c.id == operator.id)
            tx.execute(sa.update(OPERATORS).where(mine).values(password_hash=fresh))
        return _admitted(tx, operator, address, now, "password")


def sign_in_as(db: Database, *, email: str, address: str, now: datetime, by: str) -> str:
    """The token of a new session for whoever another service, `by`, says has this e-mail address, as `sign_in` gives.

    NotFound unless there is such an operator who may come in: nobody is made one by this.
    """
    with db.write() as tx:
        row = _row(tx, email)
        if row is None:
            raise NotFound("There is no operator with this e-mail address.")
        return _admitted(tx, operators.of_row(row), address, now, by)


def _admitted(tx: Connection, operator: Operator, address: str, now: datetime, by: str) -> str:
    """A new session, which awaits a code if the operator has a second factor."""
    if operator.has_second_factor:
        return sessions.begin(tx, operator, now, awaits_code=True)
    return _begun(tx, operator, address, now, by)


def prove(db: Database, vault: Vault, *, token: str, code: str, address: str, now: datetime) -> str:
    """The token of a new session in place of one that awaited a code.

    Raises InvalidInput for a wrong code or a session that awaits none, TryLater after too many wrong ones.
    """
    operator = sessions.awaiting(db, token, now)
    if operator is None:
        raise InvalidInput("Sign in again: the code came too late.", field="session")
    guesses = Counted(("code", operator.id), free=5, longest_seconds=300)
    with db.write() as tx:
        wait = delays.counted(tx, [guesses], now)
    _refuse_to_hurry(wait)
    with db.write() as tx:
        by = second_factor.taken(tx, vault, operator, code, now)
        if by is None:
            _refused(tx, operator, address, now, "wrong code")
        else:
            delays.forgiven(tx, guesses)
            sessions.end(tx, token)
            return _begun(tx, operator, address, now, f"second factor: {by}")
    raise InvalidInput(_WRONG_CODE, field="code")


def confirm(db: Database, operator: Operator, password: str, address: str, now: datetime) -> None:
    """Ask who is signed in for the password once more, before what matters most.

    Raises InvalidInput when it is wrong, TryLater after too many wrong ones.
    """
    guesses = Counted(("confirm", operator.id), free=5, longest_seconds=300)
    with db.write() as tx:
        wait = delays.counted(tx, [guesses], now)
    _refuse_to_hurry(wait)
    with db.read() as tx:
        row = _row(tx, operator.email)
    is_right = row is not None and passwords.matches(password, row.password_hash)
    with db.write() as tx:
        if is_right:
            delays.forgiven(tx, guesses)
        else:
            _refused(tx, operator, address, now, "wrong password, while signed in")
    if not is_right:
        raise InvalidInput("This is not your password.", field="password")


def _begun(tx: Connection, operator: Operator, address: str, now: datetime, by: str) -> str:
    mine = only(OPERATORS, operator.tenant_id, OPERATORS.c.id == operator.id)
    tx.execute(sa.update(OPERATORS).where(mine).values(signed_in=now))
    token = sessions.begin(tx, operator, now)
    actor = Actor(kind=ActorKind.OPERATOR, name=operator.email, address=address)
    events.audit(tx, operator.tenant_id, actor, "signIn.succeeded", operator.id, now, detail=by)
    return token


def _refused(tx: Connection, operator: Operator, address: str, now: datetime, why: str) -> None:
    actor = Actor(kind=ActorKind.NOBODY, name=operator.email, address=address)
    events.audit(tx, operator.tenant_id, actor, "signIn.refused", operator.id, now, detail=why)


def _refuse_to_hurry(wait: int) -> None:
    if wait > 0:
        raise TryLater(
            f"There were too many failed sign-ins. Wait {wait} seconds, then try again.", retry_after_seconds=wait
        )


def _row(tx: Connection, email: str) -> Row[tuple[object, ...]] | None:
    # No tenant is known yet: the e-mail address is unique over all of them.
    condition = sa.and_(OPERATORS.c.email == email, OPERATORS.c.tenant_id.is_not(None), OPERATORS.c.disabled.is_(None))
    return tx.execute(sa.select(OPERATORS).where(condition)).one_or_none()

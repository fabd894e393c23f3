"""Access tokens, refreshed in one place, one at a time for each connection.

A refresh uses up the refresh token, so nothing may be lost on the way: the intent is saved before the call, the raw
answer before it is read, the former refresh token until the new access token has worked. What cannot be rescued ends
in asking for a new approval; never in a loop.

Each time that tokens leave the vault is an entry of the audit trail: with the intent to renew them, or when they are
used as somebody else renewed them. In between they are held here, and no call makes an entry.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import ProductError, RelinkRequired, StoreAway, TryLater, UpstreamChanged
from comptoir.integrations.contract import Integration
from comptoir.link.app_keys import AppKeys
from comptoir.link.endpoint import GrantRefused, TokenEndpoint, read
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import ConnectionId, Database, Vault, events, grants
from comptoir.store.connections import Connection
from comptoir.store.grants import Grant
from comptoir.store.trail import Actor, ActorKind
from comptoir.upstream import Limits

__all__ = ["TokenKeeper"]

_EARLY, _SHARE = timedelta(seconds=60), 10  # renewed a minute early, but never more than a tenth of a token's life
_MOST_WAITS, _LONGEST_WAIT_SECONDS = 2, 61.0
_LONGEST_HELD_SECONDS, _SAVED_AGAIN_SECONDS = 600.0, 0.2
# On PostgreSQL each takes a connection of the pool until it is over, and needs another one for its writes.
_MOST_AT_ONCE = 6
_ITSELF = Actor(kind=ActorKind.ITSELF, name="Comptoir")


class _Held(msgspec.Struct, frozen=True):
    token: str
    renew_at: datetime
    generation: int
    is_proved: bool


class TokenKeeper:
    """Gives access tokens to the upstream client, refreshing those that are about to expire or were refused."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        clock: Clock,
        integration_of: Callable[[str], Integration],
        endpoint_of: Callable[[str], TokenEndpoint],
        limits_of: Callable[[str], Limits],
    ) -> None:
        self._db, self._vault, self._clock = db, vault, clock
        self._integration_of, self._endpoint_of, self._limits_of = integration_of, endpoint_of, limits_of
        self._app_keys = AppKeys(db, vault)
        self._held: dict[ConnectionId, _Held] = {}
        self._failed: dict[ConnectionId, tuple[float, ProductError]] = {}
        self._locks: dict[ConnectionId, threading.Lock] = {}
        self._guard = threading.Lock()
        self._turns = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def forget(self, connection: ConnectionId) -> None:
        """The tokens were replaced or dropped elsewhere: read them anew."""
        self._held.pop(connection, None)

    def access_token(self, connection: Connection) -> str:
        """A token that should be accepted now.

        Raises RelinkRequired when there can be none, SetupRequired while the app's own keys are refused, TryLater while
        the token endpoint does not answer.
        """
        held = self._held.get(connection.id)
        if held is not None and self._clock.now() < held.renew_at:
            return held.token
        return self._renewed(connection, refused=None)

    def refreshed(self, connection: Connection, refused: str) -> str:
        """Another token than the one refused; raises as `access_token` does."""
        return self._renewed(connection, refused=refused)

    def worked(self, connection: Connection, token: str) -> None:
        """This token was accepted: the refresh token before it can be dropped, at once or a little later."""
        held = self._held.get(connection.id)
        if held is None or held.is_proved or held.token != token:
            return
        is_noted = False
        with suppress(TryLater):  # what was read counts more; the next call proves it too
            is_noted = self._db.write_if_free(
                lambda tx: grants.proved(tx, connection.tenant_id, connection.id, held.generation)
            )
        if is_noted:
            self._held[connection.id] = msgspec.structs.replace(held, is_proved=True)

    def _renewed(self, connection: Connection, *, refused: str | None) -> str:
        asked_at = self._clock.monotonic()
        with self._guard:
            lock = self._locks.setdefault(connection.id, threading.Lock())
        with lock:
            failed_at, error = self._failed.get(connection.id, (asked_at - 1, None))
            if error is not None and failed_at >= asked_at:  # tried while this one waited: not at once again
                raise copy.copy(error)
            try:
                return self._usable(connection, refused)
            except ProductError as problem:
                self._failed[connection.id] = (self._clock.monotonic(), copy.copy(problem))
                raise

    def _usable(self, connection: Connection, refused: str | None) -> str:
        grant = self._grant(connection)
        if self._is_good(grant, refused):  # somebody else has refreshed it meanwhile
            return self._use(connection, grant)
        with self._turns, grants.one_at_a_time(self._db, connection.id):
            grant = self._grant(connection)
            if grant.raw_answer is not None:  # the process died between the answer and its use
                self._take(connection, grant, grant.raw_answer, grant.refresh_token)
                grant = self._grant(connection)
            if self._is_good(grant, refused):
                return self._use(connection, grant)
            return self._refresh(connection, grant)

    def _is_good(self, grant: Grant, refused: str | None) -> bool:
        is_settled = grant.raw_answer is None
        return is_settled and grant.access_token != refused and self._clock.now() < _renew_at(grant)

    def _grant(self, connection: Connection) -> Grant:
        with self._db.read() as tx:
            grant = grants.get(tx, connection.tenant_id, connection.id, self._vault)
        if grant is None:
            raise RelinkRequired("There is no approval for this connection any more. Have the company linked again.")
        return grant

    def _use(self, connection: Connection, grant: Grant) -> str:
        """Hold tokens that were renewed by somebody else, or by a call that is over."""
        with self._db.write() as tx:
            self._note(tx, connection, "to read with them")
        return self._hold(connection, grant)

    def _note(self, tx: Transaction, connection: Connection, why: str) -> None:
        events.audit(tx, connection.tenant_id, _ITSELF, "tokens.opened", connection.id, self._clock.now(), detail=why)

    def _hold(self, connection: Connection, grant: Grant) -> str:
        is_proved = grant.previous_refresh_token is None
        self._held[connection.id] = _Held(grant.access_token, _renew_at(grant), grant.generation, is_proved)
        return grant.access_token

    def _refresh(self, connection: Connection, grant: Grant) -> str:
        tenant, id_ = connection.tenant_id, connection.id
        with self._db.write() as tx:
            is_begun = grants.begin_refresh(tx, tenant, id_, grant.generation)
            if is_begun:
                self._note(tx, connection, "to renew them, with the app's secret")
        if not is_begun:
            return self._use(connection, self._grant(connection))
        failpoint("tokens.begun")
        used = grant.refresh_token
        try:
            answer = self._ask(connection, used)
        except GrantRefused as error:
            newer = self._grant(connection)
            if newer.generation != grant.generation:  # replaced meanwhile: what holds now counts
                return self._hold(connection, newer)
            if grant.previous_refresh_token is None:
                raise RelinkRequired(_lost(error.message, grant)) from error
            used = grant.previous_refresh_token
            try:  # the answer that replaced it may never have reached us: one try with the one before
                answer = self._ask(connection, used)
            except GrantRefused as again:
                raise RelinkRequired(_lost(again.message, grant)) from again
        failpoint("tokens.answered")
        is_saved = self._save(connection, grant.generation, answer)
        failpoint("tokens.saved")
        if is_saved:
            self._take(connection, grant, answer, used)
        failpoint("tokens.taken")
        return self._hold(connection, self._grant(connection))

    def _save(self, connection: Connection, generation: int, answer: bytes) -> bool:
        """The answer is all there is now: a database that is down is waited for, as long as that may help."""
        until = self._clock.monotonic() + _LONGEST_HELD_SECONDS
        while True:
            try:
                with self._db.write() as tx:
                    return grants.save_raw_answer(
                        tx, connection.tenant_id, connection.id, self._vault, generation, answer
                    )
            except StoreAway:
                if self._clock.monotonic() >= until:
                    raise
                self._clock.sleep(_SAVED_AGAIN_SECONDS)

    def _take(self, connection: Connection, grant: Grant, answer: bytes, used: str) -> None:
        """Put the tokens of an answer in the place of those it was asked for with, unless these were replaced."""
        tenant, id_, now = connection.tenant_id, connection.id, self._clock.now()
        try:
            tokens = read(answer, now, former_refresh_token=used)
        except UpstreamChanged as error:
            with self._db.write() as tx:
                grants.drop_raw_answer(tx, tenant, id_, grant.generation)
            raise TryLater(f"{error.message} It is tried again.") from error
        with self._db.write() as tx:
            grants.replace(
                tx,
                tenant,
                id_,
                self._vault,
                grant.generation,
                access_token=tokens.access_token,
                refresh_token=tokens.refresh_token,
                previous_refresh_token=used,
                expires_at=tokens.expires_at,
                now=now,
            )

    def _ask(self, connection: Connection, refresh_token: str) -> bytes:
        """The raw answer; with the second secret where the first is refused. SetupRequired when both are."""
        key = connection.integration_key
        endpoint, limits = self._endpoint_of(key), self._limits_of(key)

        def ask(client_id: str, secret: str) -> bytes:
            waits = 0
            while True:
                limits.reserve_refresh(connection.budget)
                try:
                    return endpoint.refresh(client_id=client_id, secret=secret, refresh_token=refresh_token)
                except TryLater as error:
                    told = error.retry_after_seconds or 0.0
                    if not error.is_rate_limit or waits == _MOST_WAITS or told > _LONGEST_WAIT_SECONDS:
                        raise
                    waits += 1  # a limit was met: nothing was used up
                    limits.refresh_refused(connection.budget, error.retry_after_seconds)

        return self._app_keys.use(connection.tenant_id, self._integration_of(key), ask)


def _renew_at(grant: Grant) -> datetime:
    return grant.expires_at - min(_EARLY, (grant.expires_at - grant.obtained_at) / _SHARE)


def _lost(cause: str, grant: Grant) -> str:
    cut_off = " An earlier renewal was cut off before its answer was here." if grant.is_refreshing else ""
    return (
        f"{cause}{cut_off} Have the company's owner open the Link URL and approve again; data already read stays "
        "readable meanwhile."
    )

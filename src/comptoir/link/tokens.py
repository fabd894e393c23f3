"""Access tokens, refreshed in one place, one at a time for each connection.

A refresh uses up the refresh token, so nothing may be lost on the way: the intent is saved before the call, the raw
answer before it is read, the former refresh token until the new access token has worked. What cannot be rescued ends
in asking for a new approval; never in a loop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from comptoir.errors import ActionNeeded, RelinkRequired, SetupRequired
from comptoir.integrations.contract import Integration
from comptoir.link.endpoint import GrantRefused, TokenEndpoint, WrongPair, read
from comptoir.runtime.clock import Clock
from comptoir.runtime.failpoints import failpoint
from comptoir.store import ConnectionId, Database, Vault, grants, integration_settings
from comptoir.store.connections import Connection
from comptoir.store.grants import Grant
from comptoir.upstream import Limits

__all__ = ["TokenKeeper"]

_EARLY = timedelta(seconds=60)


class _Held(msgspec.Struct, frozen=True):
    token: str
    expires_at: datetime
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
        self._held: dict[ConnectionId, _Held] = {}
        self._locks: dict[ConnectionId, threading.Lock] = {}
        self._guard = threading.Lock()

    def forget(self, connection: ConnectionId) -> None:
        """The tokens were replaced or dropped elsewhere: read them anew."""
        self._held.pop(connection, None)

    def access_token(self, connection: Connection) -> str:
        held = self._held.get(connection.id)
        if held is not None and self._clock.now() < held.expires_at - _EARLY:
            return held.token
        return self._refreshed(connection, refused=None)

    def refreshed(self, connection: Connection, refused: str) -> str:
        return self._refreshed(connection, refused=refused)

    def worked(self, connection: Connection, token: str) -> None:
        held = self._held.get(connection.id)
        if held is None or held.is_proved or held.token != token:
            return
        with self._db.write() as tx:
            grants.proved(tx, connection.tenant_id, connection.id)
        self._held[connection.id] = _Held(token, held.expires_at, is_proved=True)

    def _refreshed(self, connection: Connection, *, refused: str | None) -> str:
        with self._guard:
            lock = self._locks.setdefault(connection.id, threading.Lock())
        with lock:
            grant = self._grant(connection)
            if grant.raw_answer is not None:  # the process died between the answer and its use
                return self._take(connection, grant, grant.raw_answer)
            is_fresh = self._clock.now() < grant.expires_at - _EARLY
            if is_fresh and grant.access_token != refused:  # somebody else has refreshed it meanwhile
                return self._hold(connection, grant)
            return self._refresh(connection, grant)

    def _grant(self, connection: Connection) -> Grant:
        with self._db.read() as tx:
            grant = grants.get(tx, connection.tenant_id, connection.id, self._vault)
        if grant is None:
            raise RelinkRequired("There is no approval for this connection any more. Have the company linked again.")
        return grant

    def _hold(self, connection: Connection, grant: Grant) -> str:
        is_proved = grant.previous_refresh_token is None
        self._held[connection.id] = _Held(grant.access_token, grant.expires_at, is_proved)
        return grant.access_token

    def _refresh(self, connection: Connection, grant: Grant) -> str:
        with self._db.write() as tx:
            if not grants.begin_refresh(tx, connection.tenant_id, connection.id, grant.generation):
                grant = self._moved_on(connection, grant)
                return self._hold(connection, grant)
        failpoint("tokens.begun")
        try:
            answer = self._ask(connection, grant.refresh_token)
        except GrantRefused as error:
            newer = self._grant(connection)
            if newer.generation != grant.generation:  # another process was first: its tokens count
                return self._hold(connection, newer)
            if grant.previous_refresh_token is None:
                raise RelinkRequired(_lost(error.message)) from error
            try:  # the answer that replaced it may never have reached us: one try with the one before
                answer = self._ask(connection, grant.previous_refresh_token)
            except GrantRefused as again:
                raise RelinkRequired(_lost(again.message)) from again
        failpoint("tokens.answered")
        with self._db.write() as tx:
            grants.save_raw_answer(tx, connection.tenant_id, connection.id, self._vault, answer)
        failpoint("tokens.saved")
        return self._take(connection, grant, answer)

    def _moved_on(self, connection: Connection, grant: Grant) -> Grant:
        newer = self._grant(connection)
        if newer.generation == grant.generation:
            raise RelinkRequired("There is no approval for this connection any more. Have the company linked again.")
        return newer

    def _take(self, connection: Connection, grant: Grant, answer: bytes) -> str:
        now = self._clock.now()
        tokens = read(answer, now, former_refresh_token=grant.refresh_token)
        with self._db.write() as tx:
            grants.put(
                tx,
                connection.tenant_id,
                connection.id,
                self._vault,
                access_token=tokens.access_token,
                refresh_token=tokens.refresh_token,
                previous_refresh_token=grant.refresh_token,
                expires_at=tokens.expires_at,
                now=now,
            )
        self._held[connection.id] = _Held(tokens.access_token, tokens.expires_at, is_proved=False)
        return tokens.access_token

    def _ask(self, connection: Connection, refresh_token: str) -> bytes:
        """The raw answer; with the second secret where the first is refused. SetupRequired when both are."""
        tenant, key = connection.tenant_id, connection.integration_key
        endpoint = self._endpoint_of(key)
        with self._db.read() as tx:
            settings = integration_settings.get(tx, tenant, key)
            secrets = integration_settings.secrets(tx, tenant, key, self._vault)
        if settings is None:
            raise ActionNeeded("No keys are stored for this integration.")
        for number, secret in enumerate(secrets):
            self._limits_of(key).reserve_refresh(connection.id)
            try:
                answer = endpoint.refresh(client_id=settings.client_id, secret=secret, refresh_token=refresh_token)
            except WrongPair:
                continue
            if number or settings.alarm:
                with self._db.write() as tx:
                    if number:
                        integration_settings.promote_second(tx, tenant, key, self._vault)
                    integration_settings.set_alarm(tx, tenant, key, None)
            return answer
        name = self._integration_of(key).name
        message = (
            f"{name} refuses the app's own keys, so no company can be read. Save the right Client ID and Client secret "
            "under Settings > Integrations > Accounting; everything goes on by itself then."
        )
        with self._db.write() as tx:
            integration_settings.set_alarm(tx, tenant, key, message)
        raise SetupRequired(message)


def _lost(cause: str) -> str:
    return (
        f"{cause} Have the company's owner open the Link URL and approve again; data already read stays readable "
        "meanwhile."
    )

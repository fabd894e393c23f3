"""An approval from its beginning to its end: the way to the upstream, and what comes back.

Each `state` is random, used once, at most 15 minutes old and bound to the browser it was begun in. Whatever goes wrong
is told in a sentence and kept with the connection; nothing is lost by it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from comptoir.errors import (
    ActionNeeded,
    CommitUnknown,
    Conflict,
    NotFound,
    OnHold,
    ProductError,
    RelinkRequired,
    SetupRequired,
    TryLater,
    UpstreamChanged,
)
from comptoir.integrations.contract import Access, Identity, Integration
from comptoir.link.app_keys import AppKeys
from comptoir.link.endpoint import UNREADABLE, GrantRefused, TokenEndpoint, Tokens, WrongPair, read
from comptoir.link.tokens import TokenKeeper
from comptoir.runtime.clock import Clock
from comptoir.store import (
    Database,
    TenantId,
    Vault,
    connections,
    events,
    grants,
    holds,
    integration_settings,
    link_states,
)
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.integration_settings import IntegrationSettings
from comptoir.store.link_states import LinkState
from comptoir.store.trail import Actor, ActorKind
from comptoir.upstream import Client, FixedToken

__all__ = ["Flow", "Outcome"]

_PATIENCE_SECONDS = 5.0  # somebody sits before the page that comes of this
_DELETED = "The link was deleted meanwhile. Ask for a new one."
_NOT_OURS = (
    "This approval does not belong to a link that was begun here, or it was used already. Open your link again and "
    "approve once more; nothing was changed."
)


class _Approved(msgspec.Struct, frozen=True, kw_only=True):
    """What an approval brought, from which network address of a browser, and when."""

    tokens: Tokens
    identity: Identity
    access: Access
    address: str
    at: datetime


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an approval ended: 200 linked, 403 refused by the customer, 409 not allowed, 500 something failed.

    `connection` is None where not even that is known. `parameters` are those the Link URL was opened with.
    """

    status_code: int
    message: str
    connection: Connection | None = None
    company_name: str | None = None
    parameters: Mapping[str, str] = {}


class Flow:
    """Begins and ends approvals for every integration."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        clock: Clock,
        integration_of: Callable[[str], Integration],
        endpoint_of: Callable[[str], TokenEndpoint],
        client_of: Callable[[str], Client],
        authorise_url_of: Callable[[str], str],
        redirect_uri_of: Callable[[Integration], str],
        keeper: TokenKeeper,
    ) -> None:
        self._db, self._vault, self._clock = db, vault, clock
        self._integration_of, self._endpoint_of, self._client_of = integration_of, endpoint_of, client_of
        self._authorise_url_of, self._redirect_uri_of = authorise_url_of, redirect_uri_of
        self._keeper = keeper
        self._app_keys = AppKeys(db, vault)

    def start(self, connection: Connection, *, browser: str, parameters: Mapping[str, str]) -> str:
        """The upstream's approval page for this connection; Conflict while that is off or on hold."""
        if holds.of(self._db, connection.tenant_id) is not None:  # an approval could not be ended
            raise Conflict("Nothing can be linked here at the moment. Ask whoever sent you the link.")
        integration = self._integration_of(connection.integration_key)
        with self._db.write() as tx:
            settings = self._enabled(tx, connection.tenant_id, integration)
            state = _state_for(settings.client_id)
            link_states.add(
                tx,
                connection.tenant_id,
                connection.company_id,
                connection.id,
                state=state,
                browser=browser,
                parameters=dict(parameters),
                now=self._clock.now(),
            )
        query = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": self._redirect_uri_of(integration),
            "state": state,
        }
        return f"{self._authorise_url_of(integration.key)}?{urlencode(query)}"

    def _enabled(self, tx: Any, tenant: TenantId, integration: Integration) -> IntegrationSettings:
        settings = integration_settings.get(tx, tenant, integration.key)
        if settings is None or not settings.enabled:
            raise Conflict(f"{integration.name} is not enabled here at the moment. Ask whoever sent you the link.")
        return settings

    def finish(
        self,
        *,
        state: str | None,
        code: str | None,
        error: str | None,
        description: str | None,
        browser: str,
        address: str,
    ) -> Outcome:
        """What came back from the upstream. Never raises for what a customer or the upstream did.

        `address` is the network address of the customer's browser.
        """
        now = self._clock.now()
        taken = None
        if state:
            with self._db.write() as tx:
                taken = link_states.take(tx, state, now)
        if taken is None:
            return Outcome(status_code=400, message=_NOT_OURS)
        with self._db.read() as tx:
            connection = connections.find(tx, taken.connection_id)
        if connection is None:
            return Outcome(status_code=400, message=_DELETED)
        if taken.browser_hash != link_states.hashed(browser):
            return self._failed(
                taken,
                connection,
                400,
                "The approval was begun in another browser. Open your link in this one and approve again.",
            )
        if taken.was_used:  # a page loaded again: what came of the approval the first time stands
            return Outcome(status_code=400, message=_NOT_OURS, connection=connection, parameters=taken.parameters)
        if now > taken.expires:
            return self._failed(
                taken, connection, 400, "The approval took longer than 15 minutes. Open your link again and approve."
            )
        if error is not None:
            if error == "access_denied":
                return self._failed(taken, connection, 403, "User cancelled.")
            said = (description or error)[:200]
            return self._failed(taken, connection, 500, f"The approval did not succeed: {said}")
        if not code:
            return self._failed(taken, connection, 500, "The approval came back without a code. Open your link again.")
        try:
            return self._link(taken, connection, state or "", code, address)
        except GrantRefused:
            return self._failed(
                taken,
                connection,
                500,
                "The approval has expired or was used already. Open your link again and approve.",
            )
        except TryLater:
            # Nobody exchanges the code a second time, so this is not "tried again": the customer has to come back.
            name = self._integration_of(connection.integration_key).name
            return self._failed(
                taken,
                connection,
                500,
                f"{name} could not be reached just now, so nothing was linked. Open your link again in a while and "
                "approve.",
            )
        except OnHold:  # since the approval was begun
            return self._failed(
                taken, connection, 409, "Nothing can be linked here at the moment. Ask whoever sent you the link."
            )
        except RelinkRequired:  # of the token that was given a moment ago
            name = self._integration_of(connection.integration_key).name
            return self._failed(
                taken,
                connection,
                500,
                f"{name} does not let us read this company, although you approved. Check that its account there is "
                "open and that you may see it, then open your link again and approve.",
            )
        except ProductError as problem:
            return self._failed(taken, connection, 409 if isinstance(problem, Conflict) else 500, problem.message)

    def _failed(self, taken: LinkState, connection: Connection, status: int, message: str) -> Outcome:
        now = self._clock.now()
        text = {403: "Forbidden", 409: "Conflict"}.get(status, "Error")
        try:
            with self._db.write() as tx:
                connections.record_error(
                    tx, taken.tenant_id, connection.id, status_code=status, status_text=text, message=message, now=now
                )
                events.append(
                    tx, taken.tenant_id, "connection.failed", {"connectionId": connection.id, "message": message}, now
                )
                connection = connections.get(tx, taken.tenant_id, connection.id)
        except NotFound:  # with its company, while the customer was away
            return Outcome(status_code=400, message=_DELETED)
        return Outcome(status_code=status, message=message, connection=connection, parameters=taken.parameters)

    def _link(self, taken: LinkState, connection: Connection, state: str, code: str, address: str) -> Outcome:
        integration = self._integration_of(connection.integration_key)
        with self._db.read() as tx:
            settings = self._enabled(tx, taken.tenant_id, integration)
            # Before the code is used up: a new approval ends the tokens that the same user gave the same app before.
            _refuse_second(tx, connection)
        if not _is_state_of(state, settings.client_id):
            raise ActionNeeded(
                f"The link to {integration.name} was set up anew while you approved. Open your link again and approve "
                "once more; nothing was changed."
            )
        answer = self._exchange(taken.tenant_id, integration, code)
        now = self._clock.now()
        tokens = read(answer, now)
        identity, access = self._ask_whose(integration, connection, tokens.access_token)
        approved = _Approved(tokens=tokens, identity=identity, access=access, address=address, at=now)
        try:
            linked = self._keep(taken, connection, integration, approved)
        except CommitUnknown:  # kept twice it is as kept once
            linked = self._keep(taken, connection, integration, approved)
        self._keeper.forget(connection.id)
        if connection.budget != linked.budget:
            self._client_of(integration.key).limits.count_as(connection.budget, linked.budget)
        return Outcome(
            status_code=200,
            message="",
            connection=linked,
            company_name=identity.company_name,
            parameters=taken.parameters,
        )

    def _keep(
        self, taken: LinkState, connection: Connection, integration: Integration, approved: _Approved
    ) -> Connection:
        """Everything an approval brings, and that it is linked, at once or not at all."""
        now = approved.at
        with self._db.write() as tx:
            before = connections.get(tx, taken.tenant_id, connection.id)
            self._refuse_others(tx, before, approved.identity, integration)
            was = before.status
            grants.put(
                tx,
                taken.tenant_id,
                connection.id,
                self._vault,
                access_token=approved.tokens.access_token,
                refresh_token=approved.tokens.refresh_token,
                expires_at=approved.tokens.expires_at,
                now=now,
            )
            if was is not ConnectionStatus.LINKED:
                connections.set_status(tx, taken.tenant_id, connection.id, ConnectionStatus.LINKED, now)
            connections.set_identity(
                tx,
                taken.tenant_id,
                connection.id,
                company_id=approved.identity.company_id,
                company_name=approved.identity.company_name,
                level=approved.access.level,
                name=approved.access.name,
            )
            connections.resolve_errors(tx, taken.tenant_id, connection.id, now)
            if was is not ConnectionStatus.LINKED:
                kind = "connection.connected" if was is ConnectionStatus.PENDING_AUTH else "connection.reconnected"
                events.append(tx, taken.tenant_id, kind, {"connectionId": connection.id}, now)
            linked = connections.get(tx, taken.tenant_id, connection.id)
            customer = Actor(kind=ActorKind.CUSTOMER, name="Link URL", address=approved.address)
            opened = "opened: the app's secret"
            events.audit(tx, taken.tenant_id, customer, "connection.linked", connection.id, now, detail=opened)
            return linked

    def _exchange(self, tenant: TenantId, integration: Integration, code: str) -> bytes:
        def exchange(client_id: str, secret: str) -> bytes:
            return self._endpoint_of(integration.key).exchange(
                client_id=client_id, secret=secret, code=code, redirect_uri=self._redirect_uri_of(integration)
            )

        try:
            return self._app_keys.use(tenant, integration, exchange)
        except SetupRequired as error:
            raise ActionNeeded(
                f"The link to {integration.name} is not set up rightly at the moment. Whoever sent you the link has "
                "been told; try again later."
            ) from error

    def _ask_whose(self, integration: Integration, connection: Connection, token: str) -> tuple[Identity, Access]:
        client, tokens = self._client_of(integration.key), FixedToken(token)
        oauth = integration.oauth

        def ask(path: str) -> bytes:
            return client.get(
                connection, path.removeprefix(integration.api_root), (), tokens, patience_seconds=_PATIENCE_SECONDS
            ).body

        try:
            return oauth.identity(ask(oauth.identity_path)), oauth.access(ask(oauth.access_path))
        except UNREADABLE as error:
            raise UpstreamChanged(
                f"{integration.name} did not tell whose books these are. Open your link again in a while."
            ) from error

    def _refuse_others(self, tx: Any, connection: Connection, identity: Identity, integration: Integration) -> None:
        """A re-link must be to the same books; and only one accounting connection of a company is linked at a time."""
        if connection.source_company_id not in (None, identity.company_id):
            raise Conflict(
                f"This link belongs to {connection.source_company_name!r} in {integration.name}, but the approval was "
                f"given for {identity.company_name!r}. Sign in to {integration.name} as a user of the first and "
                "approve again."
            )
        _refuse_second(tx, connection)

    def test_keys(self, tenant: TenantId, integration: Integration) -> bool | None:
        """Whether the stored pair is accepted, by exchanging a made-up code; None if it could not be found out.

        OnHold while the tenant may ask nothing of an upstream.
        """
        holds.refuse(self._db, tenant)
        with self._db.read() as tx:
            settings = integration_settings.get(tx, tenant, integration.key)
            if settings is None:
                raise Conflict("No keys are stored yet. Set the integration up first.")
            secret, *_ = integration_settings.secrets(tx, tenant, integration.key, self._vault)
        try:
            self._endpoint_of(integration.key).exchange(
                client_id=settings.client_id,
                secret=secret,
                code=f"made-up-{secrets.token_hex(8)}",
                redirect_uri=self._redirect_uri_of(integration),
            )
        except WrongPair:
            return False
        except GrantRefused:
            if settings.alarm is not None:
                with self._db.write() as tx:
                    integration_settings.set_alarm(tx, tenant, integration.key, None)
            return True
        except TryLater:
            return None
        return None  # a made-up code cannot be exchanged: whatever answered was not the token endpoint


def _refuse_second(tx: Any, connection: Connection) -> None:
    """Conflict while another accounting connection of the same company is linked."""
    other = connections.linked_of_company(tx, connection.tenant_id, connection.company_id)
    if other is not None and other.id != connection.id:
        raise Conflict("This company has another linked accounting connection. Unlink that one first.")


def _state_for(client_id: str) -> str:
    """A new random state that is bound to the app whose approval is asked for."""
    random = secrets.token_urlsafe(32)
    return f"{random}.{_mark(random, client_id)}"


def _is_state_of(state: str, client_id: str) -> bool:
    random, _, mark = state.partition(".")
    return hmac.compare_digest(mark.encode(), _mark(random, client_id).encode())


def _mark(random: str, client_id: str) -> str:
    return hashlib.sha256(f"{random}\n{client_id}".encode()).hexdigest()[:16]

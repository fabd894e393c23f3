"""OAuth 2.0 as FreeAgent does it: the authorisation code flow with client secrets, and refresh tokens that rotate.

Only what happens behind the pages; the approval page itself is in `pages`.
Source: https://dev.freeagent.com/docs/oauth
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_plus, urlencode, urlsplit

import msgspec

from freeagent_standin import web
from freeagent_standin.clock import Clock
from freeagent_standin.counters import Counters
from freeagent_standin.limits import Windows
from freeagent_standin.settings import Settings
from freeagent_standin.state import AccessToken, App, RefreshToken, State
from freeagent_standin.wire import Answer

__all__ = ["CODE_SECONDS", "Asked", "NotAsked", "callback", "read_ask", "token_endpoint"]

CODE_SECONDS = 15 * 60
REFRESH_TOKEN_SECONDS = 631_139_040  # twenty years, the order of FreeAgent's own example
_NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an app asks for when it sends its customer to the approval page."""

    app: App
    redirect_uri: str
    state: str | None


class NotAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Why nobody is asked and nothing is called back: a heading and a sentence for the person who sees it."""

    heading: str
    sentence: str


def read_ask(request: web.Request, state: State) -> Asked | NotAsked:
    """What /v2/approve_app was called with. A redirect address counts only when it is equal to a registered one."""
    query = dict(request.query)
    app = state.apps.get(query.get("client_id", ""))
    if app is None:
        return NotAsked(
            heading="Unknown app",
            sentence="No app on this stand-in has the OAuth identifier that was sent as client_id. Compare it with the "
            "app's page on the developer site.",
        )
    redirect_uri = query.get("redirect_uri", "")
    if not redirect_uri:
        return NotAsked(
            heading="No redirect address",
            sentence=f"The request for {app.name} has no redirect_uri, which FreeAgent requires.",
        )
    if redirect_uri not in app.redirect_uris:
        return NotAsked(
            heading="Redirect address not registered",
            sentence=f"{redirect_uri} is not one of the OAuth Redirect URIs of {app.name}. Scheme, host, port, path "
            "and a trailing slash must be equal to a registered one.",
        )
    if query.get("response_type") != "code":
        return NotAsked(
            heading="Unknown response type",
            sentence="The only response_type FreeAgent knows is code.",
        )
    return Asked(app=app, redirect_uri=redirect_uri, state=query.get("state"))


def callback(asked: Asked, **answer: str) -> str:
    """The address the browser goes back to, with this answer and the app's own state."""
    pairs = list(answer.items())
    if asked.state is not None:
        pairs.append(("state", asked.state))
    return asked.redirect_uri + ("&" if urlsplit(asked.redirect_uri).query else "?") + urlencode(pairs)


def token_endpoint(
    request: web.Request, *, state: State, clock: Clock, settings: Settings, windows: Windows, counters: Counters
) -> Answer:
    """Exchange a code, or a refresh token, for a pair of tokens."""
    if request.method != "POST":
        return web.error(404, "Resource not found")
    form = dict(request.query) | request.form  # parameters count wherever they stand, as FreeAgent's examples differ
    now = clock.seconds()
    app = _authenticated(request, form, state, now)
    if app is None:
        return web.text(401, "HTTP Basic: Access denied.", (("WWW-Authenticate", 'Basic realm="Application"'),))
    match form.get("grant_type"):
        case None | "":
            return _refused("invalid_request", "The request has no grant_type.")
        case "authorization_code":
            return _exchange(form, app, state, settings, counters, now)
        case "refresh_token":
            return _refresh(form, app, state, settings, windows, counters, now)
        case _:
            return _refused("unsupported_grant_type", "The grant type is not supported.")


def _authenticated(request: web.Request, form: dict[str, str], state: State, now: float) -> App | None:
    """The app whose pair was sent: as HTTP Basic, or among the parameters."""
    scheme, _, encoded = request.header(b"authorization").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        app = state.app_of_pair(user, password, now)
        # The standard has the pair form-encoded inside the header; most clients do not.
        return app or state.app_of_pair(unquote_plus(user), unquote_plus(password), now)
    return state.app_of_pair(form.get("client_id", ""), form.get("client_secret", ""), now)


def _exchange(
    form: dict[str, str], app: App, state: State, settings: Settings, counters: Counters, now: float
) -> Answer:
    value = form.get("code", "")
    if not value:
        return _refused("invalid_request", "The request has no code.")
    code = state.codes.get(value)
    if code is None or code.client_id != app.client_id or code.expires_at <= now:
        return _refused("invalid_grant", "The code is unknown, was used before, or has expired.")
    if form.get("redirect_uri") != code.redirect_uri:
        return _refused("invalid_grant", "The redirect_uri is not the one the code was given for.")
    if code.company_id in state.closed:
        return _refused("invalid_grant", "The company's account is closed.")
    access, refresh = state.exchange_code(
        code,
        now=now,
        lifetime=settings.access_token_seconds,
        ends_earlier=settings.refresh == "strict",
    )
    counters.exchanges += 1
    return _tokens(access, refresh, settings)


def _refresh(
    form: dict[str, str],
    app: App,
    state: State,
    settings: Settings,
    windows: Windows,
    counters: Counters,
    now: float,
) -> Answer:
    value = form.get("refresh_token", "")
    if not value:
        return _refused("invalid_request", "The request has no refresh_token.")
    token = state.refresh.get(value)
    if token is None or token.grant.client_id != app.client_id or token.grant.company_id in state.closed:
        return _refused("invalid_grant", "The refresh token is unknown, was used before, or has been revoked.")
    grant = token.grant
    who = f"{app.client_id}/{grant.company_id}/{grant.user_id}"
    counters.refresh_in_window(who, now)
    if settings.limits.refreshes is not None:
        refusal = windows.take(((("refresh", who), settings.limits.refreshes),), now)
        if refusal is not None:
            return too_many(refusal.limit.calls, refusal.limit.seconds, refusal.retry_after_seconds)
    access, refresh = state.rotate(
        token, now=now, lifetime=settings.access_token_seconds, keeps_old=settings.refresh == "lenient"
    )
    counters.refreshes += 1
    return _tokens(access, refresh, settings)


def too_many(calls: int, seconds: int, retry_after_seconds: int) -> Answer:
    """What FreeAgent says over a limit: plain text, not JSON."""
    sentence = f"You must not exceed {calls} requests per {seconds} seconds"
    return web.text(429, sentence, (("Retry-After", str(retry_after_seconds)),))


def _tokens(access: AccessToken, refresh: RefreshToken, settings: Settings) -> Answer:
    body = {
        "access_token": access.value,
        "token_type": "bearer",
        "expires_in": settings.access_token_seconds,
        "refresh_token": refresh.value,
        "refresh_token_expires_in": REFRESH_TOKEN_SECONDS,
    }
    return web.json_answer(body, headers=_NO_STORE)


def _refused(code: str, description: str) -> Answer:
    return web.json_answer({"error": code, "error_description": description}, 400, _NO_STORE)

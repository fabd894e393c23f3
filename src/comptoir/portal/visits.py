"""Who asks, and whether they may: sessions, languages, proof of origin, permissions, confirmations.

Every route of the portal declares `opt={"permission": ...}`; one that does not is refused to everyone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import SplitResult, quote, unquote, urlsplit

from anyio.to_thread import run_sync
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import (
    ImproperlyConfiguredException,
    MethodNotAllowedException,
    NotAuthorizedException,
    PermissionDeniedException,
)
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation

from comptoir.access import ANYONE, PERMISSIONS, Operator, Permission, Session, sessions
from comptoir.errors import ProductError
from comptoir.portal.languages import N_, Language, chosen, languages
from comptoir.portal.pages import HEADERS, html, render
from comptoir.portal.said import SAID
from comptoir.portal.services import PortalServices
from comptoir.store import TenantId, holds
from comptoir.store.holds import Hold
from comptoir.store.trail import Actor, ActorKind

__all__ = [
    "ANYONE",
    "Asked",
    "SecondFactorNeeded",
    "Visit",
    "admit",
    "anonymous",
    "identified",
    "parts_of",
    "safe_path",
]

_SESSION, _BROWSER, _LANGUAGE, _SAID, _AWAY = "session", "browser", "language", "said", "away"
_YEAR_SECONDS = 365 * 24 * 3600
_WEEK_SECONDS = 7 * 24 * 3600
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class SecondFactorNeeded(NotAuthorizedException):
    """Somebody is signed in who must set up a second factor first."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request as the pages see it. `browser` is a random value this browser keeps."""

    request: Request[Any, Any, Any]
    services: PortalServices
    language: Language
    browser: str
    is_new_browser: bool
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, str] | None = None

    @property
    def operator(self) -> Operator | None:
        """Who is signed in, if anybody."""
        return None if self.session is None else self.session.operator

    @property
    def me(self) -> Operator:
        """Who is signed in; for pages that ask for it."""
        if self.operator is None:
            raise NotAuthorizedException
        return self.operator

    @property
    def tenant(self) -> TenantId:
        return self.me.tenant_id

    @property
    def address(self) -> str:
        """The network address that the request came from."""
        return self.request.client.host if self.request.client else ""

    @property
    def actor(self) -> Actor:
        """Who is named in the audit trail."""
        if self.operator is None:
            return Actor(kind=ActorKind.NOBODY, name="", address=self.address)
        return Actor(kind=ActorKind.OPERATOR, name=self.operator.email, address=self.address)

    @property
    def page_number(self) -> int:
        """The page of a list that was asked for, from 1."""
        text = self.query("page")
        return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1

    @property
    def csrf(self) -> str:
        """Goes into every form and comes back with it; bound to the session, or to the browser before sign-in."""
        if self.session is not None:
            return self.session.csrf
        return hashlib.sha256(b"form:" + self.browser.encode()).hexdigest()

    @property
    def token(self) -> str:
        """The session's token as the browser gave it; empty without one."""
        return self.request.cookies.get(_cookie_name(_SESSION, self.services), "")

    @property
    def path(self) -> str:
        return self.request.url.path

    def may(self, *permissions: Permission) -> bool:
        """Whether the operator has any of these."""
        return self.operator is not None and not PERMISSIONS[self.operator.role].isdisjoint(permissions)

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "")

    def say(self, text: str, **values: object) -> str:
        return self.language.say(text, **values)

    def page(self, template: str, status: int = 200, *, here: str | None = None, **context: Any) -> Response[str]:
        """A page. `here` is where the language switch comes back to: this address unless it takes posts only."""
        if here is None:
            here = self.path + (f"?{self.request.url.query}" if self.request.url.query else "")
        code, name = self.said or ("", "")
        said = SAID.get(code)
        content = render(
            template,
            self.language,
            visit=self,
            csrf=self.csrf,
            here=here,
            said=None if said is None else self.say(said.sentence, name=name),
            said_tone=None if said is None else said.tone,
            said_code=None if said is None else code,
            Permission=Permission,
            hold=self._hold() if status < 500 else None,
            **context,
        )
        response = html(content, status)
        self._keep_browser(response)
        if self.said is not None:
            self._cookie(response, _SAID, "", 0)
        return response

    def _hold(self) -> Hold | None:
        """What lies on the operator's tenant; no page fails because it cannot be found out."""
        if self.operator is None:
            return None
        with suppress(ProductError):
            return holds.of(self.services.db, self.tenant)
        return None

    def go(self, path: str, *, said: str | None = None, name: str = "") -> Response[str]:
        """See another page next: what follows a form that was sent. `said` is what to confirm there."""
        response = Response("", status_code=303, headers={**HEADERS, "Location": path}, media_type="text/plain")
        if said is not None:
            self._cookie(response, _SAID, quote(f"{said}|{name[:200]}"), 60)
        self._keep_browser(response)
        return response

    def arrive(self, token: str, back: str) -> Response[str]:
        """What follows a sign-in: the page that was asked for, or first the one for the second factor."""
        services = self.services
        if sessions.awaiting(services.db, token, services.clock.now()) is not None:
            back = "/sign-in/code" if back == "/" else f"/sign-in/code?next={quote(back, safe='/')}"
        response = self.go(back)
        self.sign_in(response, token)
        return response

    @property
    def remembered(self) -> str:
        """What this browser was given to keep while it signs in elsewhere; empty if it was not, or too long ago."""
        return unquote(self.request.cookies.get(_cookie_name(_AWAY, self.services), ""))[:4000]

    def remember(self, response: Response[str], text: str, seconds: int) -> None:
        self._cookie(response, _AWAY, quote(text, safe=""), seconds)

    def sign_in(self, response: Response[str], token: str) -> None:
        self._cookie(response, _SESSION, token, _WEEK_SECONDS)

    def sign_out(self, response: Response[str]) -> None:
        self._cookie(response, _SESSION, "", 0)

    def speak(self, response: Response[str], code: str) -> None:
        self._cookie(response, _LANGUAGE, code, _YEAR_SECONDS)

    def _keep_browser(self, response: Response[str]) -> None:
        if self.is_new_browser:
            # Link pages and the redirect address may have hosts of their own: the cookie is theirs together.
            self._cookie(response, _BROWSER, self.browser, _YEAR_SECONDS, domain=self.services.base_domain)

    def _cookie(
        self, response: Response[str], name: str, value: str, seconds: int, *, domain: str | None = None
    ) -> None:
        response.set_cookie(
            _cookie_name(name, self.services, wide=domain is not None),
            value,
            max_age=seconds,
            path="/",
            domain=domain,
            secure=self.services.is_secure,
            httponly=True,
            samesite="lax",
        )


Asked: TypeAlias = NamedDependency[SkipValidation[Visit]]


def _cookie_name(name: str, services: PortalServices, *, wide: bool = False) -> str:
    prefix = "" if not services.is_secure else "__Secure-" if wide else "__Host-"
    return f"{prefix}comptoir_{name}"


def safe_path(text: str) -> str:
    """A path on our own pages, for going back to; "/" for anything else."""
    is_path = text.startswith("/") and not text.startswith("//")
    return text[:2000] if is_path and text.isprintable() and "\\" not in text else "/"


def parts_of(address: str) -> SplitResult:
    """The parts of an address that anybody may have written; all empty where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def anonymous(request: Request[Any, Any, Any], services: PortalServices) -> Visit:
    """The visit as far as cookies and headers tell, before anybody is looked up."""
    cookies = request.cookies
    browser = cookies.get(_cookie_name(_BROWSER, services, wide=services.base_domain is not None), "")
    is_new = not 40 <= len(browser) <= 60
    speaks = languages().get(cookies.get(_cookie_name(_LANGUAGE, services), ""))
    code, _, name = unquote(cookies.get(_cookie_name(_SAID, services), "")).partition("|")
    return Visit(
        request=request,
        services=services,
        language=speaks or chosen(request.headers.get("accept-language", "")),
        browser=secrets.token_urlsafe(32) if is_new else browser,
        is_new_browser=is_new,
        said=(code, name[:200]) if code else None,
    )


def admit(
    services: PortalServices,
) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]:
    """The guard of every route: finds who asks, then refuses or leaves the Visit in the request's state."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        assert isinstance(connection, Request)
        permission = handler.opt.get("permission")
        if connection.method == "OPTIONS":
            raise MethodNotAllowedException  # the framework's own handler, which no page needs
        if permission is None:
            raise ImproperlyConfiguredException(f"{handler} declares no permission")
        visit = await run_sync(identified, connection, services)
        connection.state.visit = visit
        if connection.method not in _SAFE_METHODS:
            form = await connection.form()
            visit = replace(visit, form={name: value for name, value in form.multi_items() if isinstance(value, str)})
            connection.state.visit = visit
            if permission == ANYONE or visit.operator is not None:
                _prove_origin(visit)
        if permission == ANYONE:
            return
        if visit.operator is None:
            raise NotAuthorizedException
        asked = permission if isinstance(permission, tuple) else (permission,)
        assert visit.session is not None
        if visit.session.lacks_second_factor and Permission.USE_ACCOUNT not in asked:
            raise SecondFactorNeeded
        if not visit.may(*asked):
            raise PermissionDeniedException(N_("Your role does not allow this. An Administrator can change your role."))

    return guard


def identified(request: Request[Any, Any, Any], services: PortalServices) -> Visit:
    """The visit with whoever is signed in: looks the session up, so not for the event loop's busy paths."""
    visit = anonymous(request, services)
    token = visit.token
    if not token:
        return visit

    session = sessions.find(services.db, token, services.clock.now())
    if session is None:
        return visit
    by_cookie = languages().get(request.cookies.get(_cookie_name(_LANGUAGE, services), ""))
    speaks = by_cookie or languages().get(session.operator.language or "") or visit.language
    return replace(visit, session=session, language=speaks)


def _prove_origin(visit: Visit) -> None:
    """Refuse what was not sent by one of our own pages: another origin, or without this visitor's token."""
    request, services = visit.request, visit.services
    origin = request.headers.get("origin")
    if origin is None:
        parts = parts_of(request.headers.get("referer", ""))
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else None
    own = {_origin(services.public_url), _origin(services.link_url)}
    own |= {f"{scheme}://{request.headers.get('host', '')}" for scheme in ("http", "https")}
    if origin is not None and origin not in own:
        raise PermissionDeniedException(_STALE)
    if not hmac.compare_digest(visit.form.get("csrf", "").encode(), visit.csrf.encode()):
        raise PermissionDeniedException(_STALE)


_STALE = N_("This form is out of date, so nothing was changed. Go back, reload the page and send it again.")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"

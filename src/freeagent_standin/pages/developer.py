"""The developer site: apps, their redirect addresses and their secrets.

Source: behaviour of dev.freeagent.com as its guide tells it (My Apps, Create New App).
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from freeagent_standin import web
from freeagent_standin.pages.sessions import Session
from freeagent_standin.state import MOST_SECRETS, App
from freeagent_standin.wire import Answer

if TYPE_CHECKING:
    from freeagent_standin.pages import Pages

__all__ = ["DeveloperSite"]

_MOST_NAME = 100
_MOST_DESCRIPTION = 1_000
_MOST_URIS = 20
_SHOWN_SECONDS = 600
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_NEVER = ("javascript", "data", "vbscript", "file", "blob", "about")


class _Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the app form."""

    name: str = ""
    description: str = ""
    redirect_uris: str = ""
    practice: bool = False


class DeveloperSite:
    """Everything below /dev but signing in."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        # Secrets that are still shown: by the token in the page's address, until when and which.
        self._shown: dict[str, tuple[float, str, str]] = {}

    def answer(self, request: web.Request, session: Session) -> Answer:
        """Answer a request of somebody who is signed in here."""
        parts = request.path.strip("/").split("/")[1:]
        is_post = request.method == "POST"
        match parts:
            case [] | ["apps"] if not is_post:
                return self._apps(request, session)
            case ["apps"]:
                return self._create(request, session)
            case ["apps", "new"] if not is_post:
                return self._form(request, session, _Typed())
            case ["apps", client_id] if client_id in self._state.apps:
                app = self._state.apps[client_id]
                return self._edit(request, session, app) if is_post else self._app(request, session, app)
            case ["apps", client_id, "secrets"] if is_post and client_id in self._state.apps:
                return self._add_secret(request, session, self._state.apps[client_id])
            case ["apps", client_id, "secrets", secret_id] if is_post and client_id in self._state.apps:
                return self._revoke_secret(request, session, self._state.apps[client_id], secret_id)
            case _:
                return self._pages.not_found(request)

    @property
    def _state(self) -> Any:
        return self._pages.standin.state

    def _now(self) -> float:
        return self._pages.standin.clock.seconds()

    def _apps(self, request: web.Request, session: Session) -> Answer:
        apps = sorted(self._state.apps.values(), key=lambda app: app.created_at, reverse=True)
        return self._pages.page("apps.html", request, session, apps=apps)

    # Making and changing an app

    def _form(
        self, request: web.Request, session: Session, typed: _Typed, errors: dict[str, str] | None = None
    ) -> Answer:
        return self._pages.page(
            "app_new.html", request, session, status=422 if errors else 200, typed=typed, errors=errors or {}
        )

    def _create(self, request: web.Request, session: Session) -> Answer:
        typed, uris, errors = _read_form(request)
        if errors:
            return self._form(request, session, typed, errors)
        app = self._state.add_app(
            name=typed.name,
            description=typed.description,
            redirect_uris=uris,
            practice=typed.practice,
            now=self._now(),
        )
        return web.redirect(self._address(app, self._show(app, app.secrets[0].id)))

    def _edit(self, request: web.Request, session: Session, app: App) -> Answer:
        typed, uris, errors = _read_form(request)
        if errors:
            return self._app(request, session, app, typed, errors)
        self._state.put_app(
            msgspec.structs.replace(
                app,
                name=typed.name,
                description=typed.description,
                redirect_uris=uris,
                is_practice=typed.practice,
            )
        )
        return web.redirect(self._address(app, request.form.get("shown", ""), "saved"))

    # One app

    def _app(
        self,
        request: web.Request,
        session: Session,
        app: App,
        typed: _Typed | None = None,
        errors: dict[str, str] | None = None,
    ) -> Answer:
        query = dict(request.query)
        shown = request.form.get("shown", "") if errors else query.get("shown", "")
        saved = _Typed(
            name=app.name,
            description=app.description,
            redirect_uris="\n".join(app.redirect_uris),
            practice=app.is_practice,
        )
        return self._pages.page(
            "app.html",
            request,
            session,
            status=422 if errors else 200,
            app=app,
            secret=self._still_shown(app, shown),
            shown=shown,
            said=_SAID.get(query.get("said", ""), ""),
            typed=typed or saved,
            errors=errors or {},
            most_secrets=MOST_SECRETS,
        )

    def _address(self, app: App, shown: str = "", said: str = "") -> str:
        pairs = [f"{name}={value}" for name, value in (("shown", shown), ("said", said)) if value and value.isascii()]
        return f"/dev/apps/{app.client_id}" + ("?" + "&".join(pairs) if pairs else "")

    def _show(self, app: App, secret_id: str) -> str:
        """Let the next page, and reloads of it for ten minutes, show this secret."""
        until = self._now() + _SHOWN_SECONDS
        self._shown = {key: entry for key, entry in self._shown.items() if entry[0] > self._now()}
        key = secrets.token_hex(8)
        self._shown[key] = (until, app.client_id, secret_id)
        return key

    def _still_shown(self, app: App, key: str) -> str | None:
        until, client_id, secret_id = self._shown.get(key, (0.0, "", ""))
        if client_id != app.client_id or until <= self._now():
            return None
        return next((secret.value for secret in app.secrets if secret.id == secret_id), None)

    def _add_secret(self, request: web.Request, session: Session, app: App) -> Answer:
        secret = self._state.add_secret(app.client_id, self._now())
        if secret is None:
            return web.redirect(self._address(app, said="full"))
        return web.redirect(self._address(app, self._show(app, secret.id), "added"))

    def _revoke_secret(self, request: web.Request, session: Session, app: App, secret_id: str) -> Answer:
        self._state.revoke_secret(app.client_id, secret_id)
        return web.redirect(self._address(app, said="revoked"))


_SAID = {
    "saved": "The app is saved.",
    "added": "A secret was added. Copy it now: it is not shown again once you leave this page.",
    "full": "An app has at most two live secrets. Revoke one before you add another.",
    "revoked": "The secret is revoked. Calls that use it fail from now on.",
}


def _read_form(request: web.Request) -> tuple[_Typed, tuple[str, ...], dict[str, str]]:
    """What was typed, the redirect addresses in it, and a sentence for each field that cannot be taken."""
    form = request.form
    typed = _Typed(
        name=form.get("name", "").strip(),
        description=form.get("description", "").strip(),
        redirect_uris=form.get("redirect_uris", "").replace("\r\n", "\n").strip(),
        practice=form.get("practice") == "on",
    )
    errors = {}
    if not typed.name:
        errors["name"] = "Give the app a name. Your customers see it when they approve."
    elif len(typed.name) > _MOST_NAME:
        errors["name"] = f"A name has at most {_MOST_NAME} characters."
    if len(typed.description) > _MOST_DESCRIPTION:
        errors["description"] = f"A description has at most {_MOST_DESCRIPTION} characters."
    uris = tuple(dict.fromkeys(line.strip() for line in typed.redirect_uris.split("\n") if line.strip()))
    wrong = next((uri for uri in uris if not _is_redirect_uri(uri)), None)
    if not uris:
        errors["redirect_uris"] = "Give at least one address that the browser may return to."
    elif wrong is not None:
        errors["redirect_uris"] = (
            f"{wrong} is not a complete address without a fragment, such as https://example.com/callback."
        )
    elif len(uris) > _MOST_URIS:
        errors["redirect_uris"] = f"An app has at most {_MOST_URIS} redirect addresses."
    return typed, uris, errors


def _is_redirect_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    if any(character.isspace() or not character.isprintable() for character in text) or "#" in text:
        return False
    if not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _NEVER:
        return False
    return bool(parts.hostname) if parts.scheme in ("http", "https") else bool(parts.netloc or parts.path)


def moment(seconds: float) -> str:
    """A time as the pages show it."""
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"

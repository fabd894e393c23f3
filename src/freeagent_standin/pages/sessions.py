"""Who is signed in, at which of the two sites. FreeAgent keeps its developer site's accounts apart, and so do we.

Sign-ins live in memory: after a restart people sign in again.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from freeagent_standin import web

__all__ = ["Session", "Sessions", "Site", "is_from_here"]

Site = Literal["developer", "freeagent"]
_MOST_SESSIONS = 10_000


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser, signed in at one site. `csrf` goes into every form and must come back."""

    key: str
    site: Site
    email: str
    csrf: str


class Sessions:
    """All that are signed in."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def find(self, request: web.Request, site: Site) -> Session | None:
        session = self._sessions.get(request.cookie(_cookie_name(request, site)))
        return session if session is not None and session.site == site else None

    def begin(self, request: web.Request, site: Site, email: str) -> tuple[str, str]:
        """Sign in; returns the header that tells the browser."""
        if len(self._sessions) >= _MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        session = Session(key=secrets.token_urlsafe(24), site=site, email=email, csrf=secrets.token_urlsafe(24))
        self._sessions[session.key] = session
        name = _cookie_name(request, site)
        return ("Set-Cookie", f"{name}={session.key}; Path=/; HttpOnly; SameSite=Lax")

    def end(self, request: web.Request, session: Session) -> tuple[str, str]:
        """Sign out; returns the header that tells the browser."""
        self._sessions.pop(session.key, None)
        return ("Set-Cookie", f"{_cookie_name(request, session.site)}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")


def _cookie_name(request: web.Request, site: Site) -> str:
    # Cookies know no ports: two stand-ins on one machine would sign each other's people out.
    return f"standin_{site}_{urlsplit(request.origin).port or 0}"


def is_from_here(request: web.Request, session: Session | None) -> bool:
    """Whether a form was sent from a page of ours, and by the browser it was shown to."""
    origin = request.header(b"origin")
    if origin and origin != request.origin:
        return False
    return session is None or hmac.compare_digest(request.form.get("csrf", "").encode(), session.csrf.encode())

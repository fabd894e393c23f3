"""What people see of the stand-in: its front page, the developer site, FreeAgent's sign-in and approval pages.

Server-rendered, without script; nothing is loaded from elsewhere. Every page says that this is not FreeAgent.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from freeagent_standin import web
from freeagent_standin.pages.approval import Approval, Membership
from freeagent_standin.pages.developer import DeveloperSite, moment
from freeagent_standin.pages.sessions import Session, Sessions, Site, is_from_here
from freeagent_standin.state import App
from freeagent_standin.wire import Answer

if TYPE_CHECKING:
    from freeagent_standin.standin import Standin

__all__ = ["Pages"]

_HERE = Path(__file__).parent
_SECURE = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not no-referrer: with that browsers send `Origin: null` with our own forms.
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"


class Pages:
    """All pages of one stand-in."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self._sessions = Sessions()
        self._developer = DeveloperSite(self)
        self._approval = Approval(self)
        self._style = (_HERE / "standin.css").read_bytes()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["moment"] = moment

    def answer(self, request: web.Request) -> Answer:
        """Answer a request for a page."""
        if request.method not in ("GET", "HEAD", "POST"):
            return self._problem(request, 405, "Not possible", "This page cannot be asked for in that way.")
        path = request.path
        if path == "/standin.css":
            return Answer(status=200, body=self._style, content_type="text/css; charset=utf-8", headers=_SECURE[:1])
        developer = self._sessions.find(request, "developer")
        customer = self._sessions.find(request, "freeagent")
        session = developer if path.startswith("/dev") else customer
        is_signing_in = path in ("/sign-in", "/dev/sign-in")
        if request.method == "POST" and not is_from_here(request, None if is_signing_in else session):
            return self._problem(
                request, 403, "Not sent from this page", "Load the page again, and then send the form once more."
            )
        match path:
            case "/":
                return self.page("front.html", request, customer)
            case "/sign-in" | "/dev/sign-in" if request.method == "POST":
                return self._sign_in(request, "developer" if path.startswith("/dev") else "freeagent")
            case "/sign-out" | "/dev/sign-out" if request.method == "POST":
                headers = (self._sessions.end(request, session),) if session is not None else ()
                back = _own_path(request.form.get("return_to", ""), "/dev" if path.startswith("/dev") else "/")
                return web.redirect(back, headers=headers)
            case "/v2/approve_app":
                return self._approval.answer(request, session)
            case "/connected-apps":
                return self._approval.connected(request, session)
            case _ if path == "/dev" or path.startswith("/dev/"):
                if session is None:
                    return self.sign_in_page(request, "developer")
                return self._developer.answer(request, session)
            case _:
                return self.not_found(request)

    # What every page needs

    def page(
        self,
        template: str,
        request: web.Request,
        session: Session | None,
        *,
        status: int = 200,
        any_form_action: bool = False,
        **values: Any,
    ) -> Answer:
        """A page from its template."""
        here = request.path + (f"?{request.query_string.decode('latin-1')}" if request.query_string else "")
        body = self._templates.get_template(template).render(
            standin=self.standin,
            origin=request.origin,
            session=session,
            here=here,
            site="developer" if request.path.startswith("/dev") else "freeagent",
            **values,
        )
        policy = _POLICY if any_form_action else f"{_POLICY}; form-action 'self'"
        return Answer(
            status=status,
            body=body.encode(),
            headers=(("Content-Security-Policy", policy), *_SECURE),
            content_type="text/html; charset=utf-8",
        )

    def not_found(self, request: web.Request) -> Answer:
        return self._problem(request, 404, "No such page", "The stand-in has no page at this address.")

    def _problem(self, request: web.Request, status: int, heading: str, sentence: str) -> Answer:
        return self.page("problem.html", request, None, status=status, heading=heading, sentence=sentence)

    # Signing in

    def memberships(self, email: str) -> list[Membership]:
        """The companies of whoever signs in with this address. The pair's owner owns all of them."""
        companies = self.standin.companies
        if email.casefold() == self.standin.credentials.email.casefold():
            return [Membership(world=world, user=companies.owner(world)) for world in companies]
        return [
            Membership(world=world, user=user)
            for world in companies
            for user in world.users
            if user.email.casefold() == email.casefold() and user.permission_level > 0
        ]

    def sign_in_page(
        self, request: web.Request, site: Site, *, app: App | None = None, email: str = "", problem: str = ""
    ) -> Answer:
        here = request.path + (f"?{request.query_string.decode('latin-1')}" if request.query_string else "")
        return self.page(
            "sign_in.html",
            request,
            None,
            status=422 if problem else 200,
            where=site,
            app=app,
            email=email,
            problem=problem,
            return_to=request.form.get("return_to", "") if problem else here,
        )

    def _sign_in(self, request: web.Request, site: Site) -> Answer:
        form = request.form
        email = form.get("email", "").strip()
        # The developer site has accounts of its own; here that is the pair alone.
        is_known = (
            email.casefold() == self.standin.credentials.email.casefold()
            if site == "developer"
            else bool(self.memberships(email))
        )
        is_right = hmac.compare_digest(form.get("password", "").encode(), self.standin.credentials.password.encode())
        if not is_known or not is_right:
            problem = "The email and password are incorrect. The stand-in printed them when it started."
            return self.sign_in_page(request, site, email=email, problem=problem)
        back = _own_path(form.get("return_to", ""), "/dev/apps" if site == "developer" else "/")
        return web.redirect(back, headers=(self._sessions.begin(request, site, email),))


def _own_path(path: str, default: str) -> str:
    """This path, if it is one of ours: never another site's address."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else default

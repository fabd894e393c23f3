"""FreeAgent's approval page: an app asks, the customer approves or denies, the browser goes back to the app."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from freeagent_standin import web
from freeagent_standin.companies import User, World
from freeagent_standin.oauth import CODE_SECONDS, NotAsked, callback, read_ask
from freeagent_standin.pages.sessions import Session
from freeagent_standin.state import App, Grant
from freeagent_standin.wire import Answer

if TYPE_CHECKING:
    from freeagent_standin.pages import Pages

__all__ = ["LEVEL_NAMES", "Approval", "Membership"]

LEVEL_NAMES = (
    "No access",
    "Time",
    "My Money",
    "Contacts & Projects",
    "Invoices, Estimates & Files",
    "Bills",
    "Banking",
    "Tax, Accounting & Users",
    "Full",
)


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A company that somebody belongs to, and who they are there."""

    world: World
    user: User

    @property
    def level_name(self) -> str:
        return LEVEL_NAMES[self.user.permission_level]


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """An app that somebody approved for a company."""

    grant: Grant
    app: App
    world: World


class Approval:
    """/v2/approve_app for somebody who has come from an app."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def answer(self, request: web.Request, session: Session | None) -> Answer:
        """Ask for a sign-in first, then for approval; then send the browser back."""
        standin = self._pages.standin
        asked = read_ask(request, standin.state)
        if isinstance(asked, NotAsked):
            return self._pages.page(
                "problem.html", request, session, status=400, heading=asked.heading, sentence=asked.sentence
            )
        if session is None:
            return self._pages.sign_in_page(request, "freeagent", app=asked.app)
        memberships = self._pages.memberships(session.email)
        if request.method != "POST":
            return self._pages.page(
                "approve.html",
                request,
                session,
                # The answer to this form leads to the app and on from there: form-action would forbid that.
                any_form_action=True,
                app=asked.app,
                return_host=urlsplit(asked.redirect_uri).netloc or asked.redirect_uri,
                memberships=memberships,
            )
        form = request.form
        if form.get("answer") != "approve":
            return web.redirect(callback(asked, error="access_denied"), 302)
        chosen = next((one for one in memberships if str(one.world.id) == form.get("company")), None)
        if chosen is None:
            return self._pages.page(
                "problem.html",
                request,
                session,
                status=400,
                heading="No such company",
                sentence="You do not belong to the company that was chosen. Go back and choose another.",
            )
        code = standin.state.add_code(
            client_id=asked.app.client_id,
            redirect_uri=asked.redirect_uri,
            company_id=chosen.world.id,
            user_id=chosen.user.id,
            expires_at=standin.clock.seconds() + CODE_SECONDS,
        )
        return web.redirect(callback(asked, code=code.value), 302)

    def connected(self, request: web.Request, session: Session | None) -> Answer:
        """The apps that somebody has approved, and the way to withdraw it."""
        if session is None:
            return self._pages.sign_in_page(request, "freeagent")
        state = self._pages.standin.state
        memberships = self._pages.memberships(session.email)
        mine = {(one.world.id, one.user.id): one.world for one in memberships}
        grants = [
            Connected(grant=grant, app=state.apps[grant.client_id], world=mine[(grant.company_id, grant.user_id)])
            for grant in state.grants.values()
            if grant.client_id in state.apps and (grant.company_id, grant.user_id) in mine
        ]
        if request.method == "POST":
            meant = [one.grant for one in grants if one.grant.id == request.form.get("grant")]
            state.revoke(meant, what="all")
            return web.redirect("/connected-apps?withdrawn=yes")
        return self._pages.page(
            "connected.html", request, session, grants=grants, withdrawn=bool(dict(request.query).get("withdrawn"))
        )

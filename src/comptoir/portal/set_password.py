"""Where the link of an invitation or of a lost password leads: choose a password, once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post

from comptoir.access import password_links
from comptoir.errors import InvalidInput, NotFound
from comptoir.portal.account import PASSWORD_LENGTH
from comptoir.portal.visits import ANYONE, Asked, Visit
from comptoir.store import events
from comptoir.store.trail import Actor, ActorKind

__all__ = ["ROUTES"]

_OPEN = {"permission": ANYONE}
_PAGE = "/set-password"


@get(_PAGE, opt=_OPEN, sync_to_thread=True)
def show_form(visit: Asked) -> Response[Any]:
    # In the query, which is written to no log, and nowhere else.
    return _show(visit, visit.query("token"))


def _show(visit: Visit, token: str, status: int = 200, error: str | None = None) -> Response[Any]:
    try:
        with visit.services.db.read() as tx:
            operator = password_links.find(tx, token, visit.services.clock.now())
    except NotFound:
        return visit.page("account/link_over.html", 404, here="/sign-in")
    here = f"{_PAGE}?{urlencode({'token': token})}"
    context = {"token": token, "email": operator.email, "error": error}
    return visit.page("account/set_password.html", status, here=here, **context)


@post(_PAGE, opt=_OPEN, status_code=200, sync_to_thread=True)
def set_password(visit: Asked) -> Response[Any]:
    token = visit.form.get("token", "")
    try:
        with visit.services.db.write() as tx:
            now = visit.services.clock.now()
            operator = password_links.use(tx, token, visit.form.get("new_password", ""), now)
            actor = Actor(kind=ActorKind.OPERATOR, name=operator.email, address=visit.address)
            action = "operator.passwordReset" if operator.has_password else "operator.joined"
            events.audit(tx, operator.tenant_id, actor, action, operator.id, now, detail="by link")
    except (InvalidInput, NotFound) as error:
        problem = visit.say(PASSWORD_LENGTH) if isinstance(error, InvalidInput) else None
        return _show(visit, token, 422, problem)
    response = visit.go("/sign-in", said="password-set")
    visit.sign_out(response)  # whoever was signed in in this browser may be somebody else
    return response


ROUTES = (show_form, set_password)

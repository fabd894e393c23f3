"""One's own account: a new password, and the second factor. Each change asks for the password once more."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import segno
from litestar import Response, get, post
from markupsafe import Markup
from sqlalchemy import Connection as Transaction

from comptoir.access import Operator, Permission, operators, second_factor, sessions
from comptoir.access.sign_in import confirm
from comptoir.errors import InvalidInput, TryLater
from comptoir.portal.languages import N_
from comptoir.portal.visits import Asked, Visit
from comptoir.store import events, tenants

__all__ = ["PASSWORD_LENGTH", "ROUTES"]

_MAY = {"permission": Permission.USE_ACCOUNT}
_PAGE = "/account"
PASSWORD_LENGTH = N_("A password has 12 to 1024 characters.")
_WRONG = N_("This is not your password.")
_WAIT = N_("There were too many failed sign-ins. Wait %(seconds)s seconds, then try again.")
_WRONG_CODE = N_("The code is not right. Type the one that the app shows now, and check its clock.")
_REQUIRED = N_("Your organisation asks for two-factor sign-in, so it stays on.")
_ON_ALREADY = N_("Two-factor sign-in is on already.")


@get(_PAGE, opt=_MAY, sync_to_thread=True)
def show_account(visit: Asked) -> Response[Any]:
    return _show(visit)


def _show(visit: Visit, status: int = 200, **more: Any) -> Response[Any]:
    me = visit.me
    with visit.services.db.read() as tx:
        codes_left = second_factor.codes_left(tx, me.tenant_id, me.id)
    context = {"errors": {}, "codes": None, "confirm": visit.query("confirm"), **more}
    return visit.page("account/show.html", status, here=_PAGE, codes_left=codes_left, **context)


@post(f"{_PAGE}/password", opt=_MAY, status_code=200, sync_to_thread=True)
def change_password(visit: Asked) -> Response[Any]:
    """Every session ends with the old password; this browser begins a new one."""
    me, new = visit.me, visit.form.get("new_password", "")
    if not me.has_password:  # or whoever finds an open session had a lasting way in
        return _show(visit, 409)
    if (problem := _password_problem(visit, "current_password")) is not None:
        return _show(visit, 422, errors=problem)
    try:
        with visit.services.db.write() as tx:
            now = visit.services.clock.now()
            operators.change_password(tx, me.tenant_id, me.id, new)
            token = sessions.begin(tx, me, now)
            events.audit(tx, me.tenant_id, visit.actor, "operator.passwordChanged", me.id, now)
    except InvalidInput:
        return _show(visit, 422, errors={"new_password": visit.say(PASSWORD_LENGTH)})
    response = visit.go(_PAGE, said="password-changed")
    visit.sign_in(response, token)
    return response


@get(f"{_PAGE}/second-factor", opt=_MAY, sync_to_thread=True)
def show_second_factor(visit: Asked) -> Response[Any]:
    if visit.me.has_second_factor:
        return visit.go(_PAGE)
    return _set_up(visit, second_factor.new_secret())


def _set_up(visit: Visit, secret: str, status: int = 200, **errors: str) -> Response[Any]:
    """The secret is kept nowhere until a code proves that the app has it: it stands in the form."""
    issuer = f"Comptoir ({urlsplit(visit.services.public_url).netloc})"
    drawn = segno.make(second_factor.address_of(secret, visit.me, issuer), error="m")
    picture = drawn.svg_inline(scale=4, dark="#000", light="#fff", svgclass="qr", lineclass=None)
    return visit.page(
        "account/second_factor.html",
        status,
        here=f"{_PAGE}/second-factor",
        secret=secret,
        picture=Markup(picture),  # noqa: S704 - drawn here, of squares
        errors=errors,
    )


@post(f"{_PAGE}/second-factor", opt=_MAY, status_code=200, sync_to_thread=True)
def turn_on(visit: Asked) -> Response[Any]:
    """Answered with a page: recovery codes are kept nowhere that a later page could show them from."""
    me, secret = visit.me, visit.form.get("secret", "")
    if me.has_second_factor:
        return _show(visit, 409, errors={"second_factor": visit.say(_ON_ALREADY)})
    if not second_factor.is_secret(secret):
        return visit.go(f"{_PAGE}/second-factor")
    if (problem := _password_problem(visit, "password")) is not None:
        return _set_up(visit, secret, 422, **problem)
    try:
        with visit.services.db.write() as tx:
            now = visit.services.clock.now()
            codes = second_factor.turn_on(tx, visit.services.vault, me, secret, visit.form.get("code", ""), now)
            _note(tx, visit, "secondFactor.turnedOn", me)
    except InvalidInput:
        return _set_up(visit, secret, 422, code=visit.say(_WRONG_CODE))
    return _show(visit, 201, codes=codes, is_new=True)


@post(f"{_PAGE}/second-factor/codes", opt=_MAY, status_code=200, sync_to_thread=True)
def renew_codes(visit: Asked) -> Response[Any]:
    me = visit.me
    if not me.has_second_factor:
        return visit.go(_PAGE)
    if (problem := _password_problem(visit, "codes_password")) is not None:
        return _show(visit, 422, errors=problem)
    with visit.services.db.write() as tx:
        codes = second_factor.fresh_codes(tx, me)
        _note(tx, visit, "secondFactor.codesRenewed", me)
    return _show(visit, 201, codes=codes)


@post(f"{_PAGE}/second-factor/remove", opt=_MAY, status_code=200, sync_to_thread=True)
def turn_off(visit: Asked) -> Response[Any]:
    me = visit.me
    with visit.services.db.read() as tx:
        is_required = tenants.get(tx, me.tenant_id).needs_second_factor
    if is_required:
        return _show(visit, 409, errors={"second_factor": visit.say(_REQUIRED)})
    if (problem := _password_problem(visit, "remove_password")) is not None:
        return _show(visit, 422, errors=problem, confirm="second-factor")
    with visit.services.db.write() as tx:
        second_factor.turn_off(tx, me.tenant_id, me.id)
        _note(tx, visit, "secondFactor.turnedOff", me)
    return visit.go(_PAGE, said="second-factor-off")


def _password_problem(visit: Visit, field: str) -> dict[str, str] | None:
    """What is wrong with the password in a field, by field; None if it is the operator's own, or there is none yet."""
    services = visit.services
    if not visit.me.has_password:  # signed in at another service only
        return None
    try:
        confirm(services.db, visit.me, visit.form.get(field, ""), visit.address, services.clock.now())
    except InvalidInput:
        return {field: visit.say(_WRONG)}
    except TryLater as late:
        return {field: visit.say(_WAIT, seconds=int(late.retry_after_seconds or 1))}
    return None


def _note(tx: Transaction, visit: Visit, action: str, me: Operator) -> None:
    events.audit(tx, me.tenant_id, visit.actor, action, me.id, visit.services.clock.now())


ROUTES = (show_account, change_password, show_second_factor, turn_on, renew_codes, turn_off)

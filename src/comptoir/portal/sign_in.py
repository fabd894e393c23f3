"""Signing in and out, and the switch of languages."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from comptoir.access import operators, prove, sessions, sign_in
from comptoir.errors import InvalidInput, TryLater
from comptoir.portal.languages import N_, languages
from comptoir.portal.visits import ANYONE, Asked, safe_path
from comptoir.store import events

__all__ = ["ROUTES"]

_WRONG = N_("The e-mail address or the password is not right.")
_WRONG_CODE = N_("The code is not right, or it was used already.")
_WAIT = N_("There were too many failed sign-ins. Wait %(seconds)s seconds, then try again.")


@get("/sign-in", opt={"permission": ANYONE}, sync_to_thread=True)
def show_sign_in(visit: Asked) -> Response[Any]:
    back = safe_path(visit.query("next"))
    if visit.operator is not None:
        return visit.go(back)
    return visit.page("sign_in.html", back=back, email="", error=None)


@post("/sign-in", opt={"permission": ANYONE}, status_code=200, sync_to_thread=True)
def start_session(visit: Asked) -> Response[Any]:
    headers: dict[str, str] = {}
    email, password = visit.form.get("email", ""), visit.form.get("password", "")
    back = safe_path(visit.form.get("next", "/"))
    services = visit.services
    try:
        token = sign_in(
            services.db,
            email=email,
            password=password,
            address=visit.address,
            now=services.clock.now(),
        )
    except InvalidInput:
        error, status = visit.say(_WRONG), 422
    except TryLater as late:
        seconds = int(late.retry_after_seconds or 1)
        error, status, headers = visit.say(_WAIT, seconds=seconds), 429, {"Retry-After": str(seconds)}
    else:
        return visit.arrive(token, back)
    response = visit.page("sign_in.html", status, here="/sign-in", back=back, email=email[:254], error=error)
    response.headers.update(headers)
    return response


@get("/sign-in/code", opt={"permission": ANYONE}, sync_to_thread=True)
def show_code(visit: Asked) -> Response[Any]:
    """The second step, for whoever's password was right."""
    services = visit.services
    if sessions.awaiting(services.db, visit.token, services.clock.now()) is None:
        return visit.go("/sign-in")
    return visit.page("sign_in_code.html", back=safe_path(visit.query("next")), error=None)


@post("/sign-in/code", opt={"permission": ANYONE}, status_code=200, sync_to_thread=True)
def prove_code(visit: Asked) -> Response[Any]:
    services, back = visit.services, safe_path(visit.form.get("next", "/"))
    code, headers = visit.form.get("code", "")[:100], {}
    try:
        token = prove(
            services.db,
            services.vault,
            token=visit.token,
            code=code,
            address=visit.address,
            now=services.clock.now(),
        )
    except InvalidInput as wrong:
        if wrong.field == "session":
            return visit.go("/sign-in", said="code-too-late")
        error, status = visit.say(_WRONG_CODE), 422
    except TryLater as late:
        seconds = int(late.retry_after_seconds or 1)
        error, status, headers = visit.say(_WAIT, seconds=seconds), 429, {"Retry-After": str(seconds)}
    else:
        response = visit.go(back)
        visit.sign_in(response, token)
        return response
    response = visit.page("sign_in_code.html", status, here="/sign-in/code", back=back, error=error)
    response.headers.update(headers)
    return response


@post("/sign-out", opt={"permission": ANYONE}, status_code=303, sync_to_thread=True)
def end_session(visit: Asked) -> Response[Any]:
    if visit.session is not None:
        with visit.services.db.write() as tx:
            sessions.end(tx, visit.token)
            now = visit.services.clock.now()
            events.audit(tx, visit.tenant, visit.actor, "signOut", visit.me.id, now)
    response = visit.go("/sign-in", said="signed-out")
    visit.sign_out(response)
    return response


@post("/language", opt={"permission": ANYONE}, status_code=303, sync_to_thread=True)
def switch_language(visit: Asked) -> Response[Any]:
    code = visit.form.get("language", "")
    response = visit.go(safe_path(visit.form.get("next", "/")))
    if code in languages():
        visit.speak(response, code)
        if visit.operator is not None:
            with visit.services.db.write() as tx:
                operators.set_language(tx, visit.operator.tenant_id, visit.operator.id, code)
    return response


ROUTES = (show_sign_in, start_session, show_code, prove_code, end_session, switch_language)

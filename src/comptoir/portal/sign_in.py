"""Signing in and out, and the switch of languages."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from comptoir.access import operators, sessions, sign_in
from comptoir.errors import InvalidInput, TryLater
from comptoir.portal.languages import N_, languages
from comptoir.portal.visits import ANYONE, Asked, safe_path

__all__ = ["ROUTES"]

_WRONG = N_("The e-mail address or the password is not right.")
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
    services, client = visit.services, visit.request.client
    try:
        token = sign_in(
            services.db,
            email=email,
            password=password,
            address=client.host if client else "",
            now=services.clock.now(),
        )
    except InvalidInput:
        error, status = visit.say(_WRONG), 422
    except TryLater as late:
        seconds = int(late.retry_after_seconds or 1)
        error, status, headers = visit.say(_WAIT, seconds=seconds), 429, {"Retry-After": str(seconds)}
    else:
        response = visit.go(back)
        visit.sign_in(response, token)
        return response
    response = visit.page("sign_in.html", status, here="/sign-in", back=back, email=email[:254], error=error)
    response.headers.update(headers)
    return response


@post("/sign-out", opt={"permission": ANYONE}, status_code=303, sync_to_thread=True)
def end_session(visit: Asked) -> Response[Any]:
    if visit.session is not None:
        with visit.services.db.write() as tx:
            sessions.end(tx, visit.token)
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


ROUTES = (show_sign_in, start_session, end_session, switch_language)

"""Signing in by way of another service (OpenID Connect): there and back, bound to the browser it was begun in.

It signs in operators there are already; it makes nobody an operator, and nobody an Administrator.
"""

from __future__ import annotations

import hmac
from typing import Any

from litestar import Response, get

from comptoir.access import sign_in_as
from comptoir.errors import InvalidInput, NotFound, ProductError
from comptoir.portal.languages import N_
from comptoir.portal.visits import ANYONE, Asked, Visit, safe_path

__all__ = ["ROUTES"]

_OPEN = {"permission": ANYONE}
_PAGE = "/sign-in/single"
_NOT_BEGUN = N_("This sign-in was not begun in this browser, or took longer than ten minutes. Begin once more.")
_REFUSED = N_("%(host)s did not sign you in. Begin once more.")
_NOT_VERIFIED = N_("%(host)s does not say that your e-mail address is verified, so you are not signed in.")
_NOBODY = N_("Nobody here has the e-mail address %(email)s. Ask an Administrator to invite you.")
_NOT_NOW = N_("%(host)s cannot be used to sign in just now. Try again in a moment, or use your password.")
_TRIES_SECONDS = 600


@get(_PAGE, opt=_OPEN, sync_to_thread=True)
def begin(visit: Asked) -> Response[Any]:
    provider = visit.services.single_sign_on
    if provider is None:
        raise NotFound("There is no other service to sign in at.")
    try:
        begun = provider.begin()
    except ProductError:
        return _refused(visit, 503, visit.say(_NOT_NOW, host=provider.host))
    response = visit.go(begun.address)
    back = safe_path(visit.query("next"))
    visit.remember(response, "|".join((begun.state, begun.nonce, begun.verifier, back)), _TRIES_SECONDS)
    return response


@get(f"{_PAGE}/callback", opt=_OPEN, sync_to_thread=True)
def finish(visit: Asked) -> Response[Any]:
    """Where the other service sends the browser back to. What was remembered is good for this once."""
    services, provider = visit.services, visit.services.single_sign_on
    if provider is None:
        raise NotFound("There is no other service to sign in at.")
    state, _, rest = visit.remembered.partition("|")
    nonce, _, rest = rest.partition("|")
    verifier, _, back = rest.partition("|")
    host = provider.host
    if not (state and verifier) or not hmac.compare_digest(state.encode(), visit.query("state").encode()):
        return _refused(visit, 400, visit.say(_NOT_BEGUN))
    code = visit.query("code")[:4096]
    if not code:
        return _refused(visit, 403, visit.say(_REFUSED, host=host))
    email = ""
    try:
        email = provider.finish(code, nonce=nonce, verifier=verifier)
        token = sign_in_as(services.db, email=email, address=visit.address, now=services.clock.now(), by=host)
    except NotFound:
        return _refused(visit, 403, visit.say(_NOBODY, email=email[:254]))
    except InvalidInput as wrong:
        sentence = _NOT_VERIFIED if wrong.field == "email" else _REFUSED
        return _refused(visit, 403, visit.say(sentence, host=host))
    except ProductError:
        return _refused(visit, 503, visit.say(_NOT_NOW, host=host))
    response = visit.arrive(token, safe_path(back))
    visit.remember(response, "", 0)
    return response


def _refused(visit: Visit, status: int, sentence: str) -> Response[Any]:
    response = visit.page("sign_in.html", status, here="/sign-in", back="/", email="", error=sentence)
    visit.remember(response, "", 0)
    return response


ROUTES = (begin, finish)

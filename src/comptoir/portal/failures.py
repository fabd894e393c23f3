"""Pages that say what went wrong: a plain sentence, what to do, and a reference to find it in the log. No internals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException, PermissionDeniedException
from sqlalchemy.exc import SQLAlchemyError

from comptoir.errors import ActionNeeded, CommitUnknown, Conflict, InvalidInput, NotFound, ProductError, TryLater
from comptoir.portal.languages import N_
from comptoir.portal.services import PortalServices
from comptoir.portal.visits import SecondFactorNeeded, Visit, anonymous, identified, parts_of, safe_path

__all__ = ["error_response", "handlers", "reference"]

_AGAIN_SECONDS = 5  # where nobody said how long
_log = structlog.get_logger("comptoir.portal")
_STATUSES: tuple[tuple[type[ProductError], int], ...] = (
    (NotFound, 404),
    (InvalidInput, 400),
    (Conflict, 409),
    (ActionNeeded, 409),
    (CommitUnknown, 500),
    (TryLater, 503),
)
_TITLES: Mapping[int, str] = {
    400: N_("This cannot be taken"),
    403: N_("This is not allowed"),
    404: N_("This page is not here"),
    405: N_("This page is not here"),
    409: N_("This cannot be done now"),
    413: N_("This is too large"),
    500: N_("Something went wrong here"),
    503: N_("This cannot be done just now"),
}
_SENTENCES: Mapping[int, str] = {
    400: N_("What was sent cannot be understood. Go back, check it and send it again."),
    403: N_("You may not do this."),
    404: N_("It may have been moved or deleted, or the address has a mistake in it."),
    405: N_("It may have been moved or deleted, or the address has a mistake in it."),
    409: N_("The thing you asked for is in a state that does not allow it."),
    413: N_("More was sent than is taken here. Nothing was changed."),
    500: N_("It is our fault, not yours, and it is noted. Try again in a moment."),
    503: N_("Nothing was changed. Try again in a moment."),
}


def reference(request: Request[Any, Any, Any]) -> str:
    """The id of this request, the same on the page and in the log."""
    state = request.scope.setdefault("state", {})
    return str(state.setdefault("correlation_id", uuid4().hex))


def error_response(services: PortalServices) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    """The exception handler of portal and Link pages, and of addresses that nothing answers."""

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        visit = getattr(request.state, "visit", None)
        if not isinstance(visit, Visit):
            visit = _visit_of(request, services, error)
        if isinstance(error, SecondFactorNeeded):
            return visit.go("/account/second-factor", said="second-factor-needed")
        if isinstance(error, NotAuthorizedException):
            return _to_sign_in(visit)
        status, sentence = _told(error)
        if status >= 500 and not isinstance(error, ProductError):
            _log.error("page failed", correlation_id=reference(request), path=request.url.path, exc_info=error)
        page = visit.page(
            "failure.html",
            status,
            here=safe_path(request.url.path) if request.method == "GET" else "/",
            title=_TITLES.get(status, _TITLES[500 if status >= 500 else 400]),
            sentence=sentence,
            reference=reference(request),
        )
        if isinstance(error, TryLater) and status == 503:
            page.headers["Retry-After"] = str(max(1, round(error.retry_after_seconds or _AGAIN_SECONDS)))
        return page

    return handle


def _visit_of(request: Request[Any, Any, Any], services: PortalServices, error: Exception) -> Visit:
    """Who asks for an address that no route answers, so that no guard has looked."""
    if not isinstance(error, HTTPException) or isinstance(error, NotAuthorizedException):
        return anonymous(request, services)
    try:
        return identified(request, services)
    except (SQLAlchemyError, TryLater):  # the page that says what went wrong must not need what went wrong
        return anonymous(request, services)


def handlers(services: PortalServices) -> dict[type[Exception] | int, Any]:
    handle = error_response(services)
    return {ProductError: handle, HTTPException: handle, Exception: handle}


def _told(error: Exception) -> tuple[int, str]:
    """The status, and the sentence that may be shown: a bug's own words never are."""
    if isinstance(error, ProductError):
        status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
        # The message of a NotFound names an id, which helps programs; a person is told where to look.
        return status, _SENTENCES[404] if status == 404 else error.message
    if isinstance(error, PermissionDeniedException) and error.detail:
        return 403, error.detail
    if isinstance(error, HTTPException):
        status = error.status_code
        return status, _SENTENCES.get(status, _SENTENCES[500 if status >= 500 else 400])
    return 500, _SENTENCES[500]


def _to_sign_in(visit: Visit) -> Response[Any]:
    request = visit.request
    if request.method == "GET":
        back = safe_path(visit.path + (f"?{request.url.query}" if request.url.query else ""))
    else:
        back = safe_path(parts_of(request.headers.get("referer", "")).path or "/")
    return visit.go("/sign-in" if back == "/" else f"/sign-in?next={quote(back, safe='/')}")

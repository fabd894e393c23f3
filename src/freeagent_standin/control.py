"""The control address: how tests move the clock, change the books, ask for faults and read what was served.

JSON in, JSON out, for callers on this machine only. Nothing here exists at FreeAgent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from freeagent_standin import web
from freeagent_standin.companies import User, World
from freeagent_standin.limits import parse_limits
from freeagent_standin.settings import LONGEST_WAIT
from freeagent_standin.state import Grant
from freeagent_standin.wire import Answer

if TYPE_CHECKING:
    from freeagent_standin.standin import Standin

__all__ = ["answer"]

_LOOPBACK = ("127.", "::1", "::ffff:127.")


class _Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class ClockAsked(_Body, frozen=True, kw_only=True):
    advance_seconds: float = 0.0
    set: datetime | None = None
    time_scale: float | None = None


class RevokeAsked(_Body, frozen=True, kw_only=True):
    """All that is given must hold; nothing given means every grant."""

    company: int | None = None
    app: str | None = None
    user: int | None = None
    grant: str | None = None
    token: str | None = None
    what: Literal["all", "access", "refresh"] = "all"


class UserAsked(_Body, frozen=True, kw_only=True):
    user: int | str
    permission_level: int
    company: int | None = None


class CloseAsked(_Body, frozen=True, kw_only=True):
    company: int | None = None
    status: Literal[401, 403] = 403
    is_open: bool = False


class SettingsAsked(_Body, frozen=True, kw_only=True):
    limits: str | None = None
    refresh: Literal["strict", "lenient"] | None = None
    latency: float | None = None
    page_drift: bool | int | None = None
    missing_user_agent_status: int | msgspec.UnsetType | None = msgspec.UNSET
    access_token_seconds: int | None = None


class AppAsked(_Body, frozen=True, kw_only=True):
    name: str
    redirect_uris: tuple[str, ...]
    description: str = ""
    practice: bool = False


def answer(standin: Standin, request: web.Request) -> Answer:
    """Answer one request below /control."""
    if not request.address.startswith(_LOOPBACK) or b"x-forwarded-for" in request.headers:
        return _refused(403, "The control address answers callers on its own machine only.")
    if b"origin" in request.headers and request.header(b"origin") != request.origin:
        return _refused(403, "The control address does not answer other sites' pages.")
    path = request.path.removeprefix("/control").strip("/")
    if path.startswith("faults/") and request.method == "DELETE":
        return web.json_answer({"cleared": standin.faults.clear(path.removeprefix("faults/"))})
    verbs = _ROUTES.get(path)
    if verbs is None:
        return _refused(404, f"There is no /control/{path}. There are: {', '.join(sorted(_ROUTES))}.")
    verb = verbs.get(request.method)
    if verb is None:
        return _refused(405, f"/control/{path} knows {', '.join(sorted(verbs))}.")
    try:
        return web.json_answer(verb(standin, request))
    except msgspec.MsgspecError as problem:
        return _refused(400, f"{problem}.")
    except ValueError as problem:
        return _refused(400, str(problem))
    except RecursionError:
        return _refused(400, "This is nested too deep to be read.")


def _refused(status: int, sentence: str) -> Answer:
    return web.json_answer({"error": sentence}, status)


_T = TypeVar("_T")


def _read(request: web.Request, shape: type[_T]) -> _T:
    return msgspec.json.decode(request.body or b"{}", type=shape)


# What was served, and what there is to serve


def _show_counters(standin: Standin, request: web.Request) -> Any:
    return standin.counters.told()


def _reset_counters(standin: Standin, request: web.Request) -> Any:
    standin.counters.reset(standin.clock.now().isoformat())
    return standin.counters.told()


def _show_counts(standin: Standin, request: web.Request) -> Any:
    return {str(world.id): world.counts() for world in standin.companies}


def _show_companies(standin: Standin, request: web.Request) -> Any:
    return [
        {
            "id": world.id,
            "name": world.name,
            "subdomain": world.subdomain,
            "isClosed": world.id in standin.state.closed,
            "users": [_user_told(user) for user in world.users],
        }
        for world in standin.companies
    ]


def _show_issued(standin: Standin, request: web.Request) -> Any:
    return standin.state.issued


# The books


def _mutate(standin: Standin, request: web.Request) -> Any:
    asked = msgspec.json.decode(request.body)
    if isinstance(asked, list):
        return [_mutate_one(standin, one) for one in asked]
    return _mutate_one(standin, asked)


def _mutate_one(standin: Standin, asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict) or "do" not in asked:
        raise ValueError('A change is an object such as {"do": "delete", "resource": "invoices", "id": 12}.')
    op = dict(asked)
    company = op.pop("company", standin.companies.first.id)
    if not isinstance(company, int):
        raise ValueError("company is a number.")
    result = standin.companies.change(company, op, standin.clock.now())
    if op["do"] == "advance" and isinstance(op.get("days"), int):
        # Business was done for that long, so it is that much later now.
        standin.clock.advance(op["days"] * 86_400)
        standin.state.remember_clock(standin.clock.anchor)
    return result


def _users(standin: Standin, request: web.Request) -> Any:
    asked = _read(request, UserAsked)
    if not 0 <= asked.permission_level <= 8:
        raise ValueError("A permission level is a number from 0 to 8.")
    world = _world(standin, asked.company)
    user = next((one for one in world.users if asked.user in (one.id, one.email)), None)
    if user is None:
        raise ValueError(
            f"{world.name} has no user {asked.user}; it has {', '.join(one.email for one in world.users)}."
        )
    op = {
        "do": "change",
        "resource": "users",
        "id": user.id,
        "set": {"permission_level": asked.permission_level},
    }
    standin.companies.change(world.id, op, standin.clock.now())
    return next(_user_told(one) for one in world.users if one.id == user.id)


def _show_users(standin: Standin, request: web.Request) -> Any:
    return {str(world.id): [_user_told(user) for user in world.users] for world in standin.companies}


def _user_told(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": f"{user.first_name} {user.last_name}",
        "email": user.email,
        "permissionLevel": user.permission_level,
    }


def _close(standin: Standin, request: web.Request) -> Any:
    asked = _read(request, CloseAsked)
    world = _world(standin, asked.company)
    if asked.is_open:
        standin.state.reopen_company(world.id)
    else:
        standin.state.close_company(world.id, asked.status)
    return {"company": world.id, "isClosed": not asked.is_open}


def _world(standin: Standin, company: int | None) -> World:
    return standin.companies.first if company is None else standin.companies.get(company)


# Time, behaviour and faults


def _show_clock(standin: Standin, request: web.Request) -> Any:
    return {"now": standin.clock.now(), "timeScale": standin.clock.scale}


def _move_clock(standin: Standin, request: web.Request) -> Any:
    asked = _read(request, ClockAsked)
    clock = standin.clock
    if asked.time_scale is not None:
        clock.rescale(asked.time_scale)
    if asked.set is not None:
        clock.set(asked.set if asked.set.tzinfo else asked.set.replace(tzinfo=UTC))
    clock.advance(asked.advance_seconds)
    standin.state.remember_clock(clock.anchor)
    return _show_clock(standin, request)


def _show_settings(standin: Standin, request: web.Request) -> Any:
    settings = standin.settings
    return {
        "limits": str(settings.limits),
        "refresh": settings.refresh,
        "latency": settings.latency_seconds,
        "pageDrift": settings.page_drift,
        "missingUserAgentStatus": settings.missing_user_agent_status,
        "accessTokenSeconds": settings.access_token_seconds,
    }


def _change_settings(standin: Standin, request: web.Request) -> Any:
    asked = _read(request, SettingsAsked)
    changes: dict[str, Any] = {}
    if asked.limits is not None:
        changes["limits"] = parse_limits(asked.limits)
    if asked.refresh is not None:
        changes["refresh"] = asked.refresh
    if asked.latency is not None:
        if not 0 <= asked.latency <= LONGEST_WAIT:
            raise ValueError(f"latency is from 0 to {LONGEST_WAIT} seconds.")
        changes["latency_seconds"] = asked.latency
    if asked.page_drift is not None:
        if asked.page_drift < 0:
            raise ValueError("pageDrift is true, false, or how many times.")
        changes["page_drift"] = asked.page_drift
    if asked.missing_user_agent_status is not msgspec.UNSET:
        if asked.missing_user_agent_status is not None and not 400 <= asked.missing_user_agent_status <= 599:
            raise ValueError("missingUserAgentStatus is from 400 to 599, or null.")
        changes["missing_user_agent_status"] = asked.missing_user_agent_status
    if asked.access_token_seconds is not None:
        if asked.access_token_seconds < 1:
            raise ValueError("accessTokenSeconds is 1 or more.")
        changes["access_token_seconds"] = asked.access_token_seconds
    if "limits" in changes:
        standin.windows.reset()
    standin.settings = msgspec.structs.replace(standin.settings, **changes)
    return _show_settings(standin, request)


def _show_faults(standin: Standin, request: web.Request) -> Any:
    return standin.faults.told()


def _add_faults(standin: Standin, request: web.Request) -> Any:
    return standin.faults.add(request.body)


def _clear_faults(standin: Standin, request: web.Request) -> Any:
    return {"cleared": standin.faults.clear()}


# Apps and approvals


def _add_app(standin: Standin, request: web.Request) -> Any:
    asked = _read(request, AppAsked)
    app = standin.state.add_app(
        name=asked.name,
        description=asked.description,
        redirect_uris=asked.redirect_uris,
        practice=asked.practice,
        now=standin.clock.seconds(),
    )
    return {"clientId": app.client_id, "clientSecret": app.secrets[0].value}


def _show_apps(standin: Standin, request: web.Request) -> Any:
    return [
        {
            "clientId": app.client_id,
            "name": app.name,
            "redirectUris": app.redirect_uris,
            "practice": app.is_practice,
            "liveSecrets": len(app.secrets),
        }
        for app in standin.state.apps.values()
    ]


def _show_grants(standin: Standin, request: web.Request) -> Any:
    state = standin.state
    return [
        {
            "id": grant.id,
            "app": grant.client_id,
            "company": grant.company_id,
            "user": grant.user_id,
            "createdAt": datetime.fromtimestamp(grant.created_at, UTC),
            "accessTokens": sum(one.grant.id == grant.id for one in state.access.values()),
            "refreshTokens": sum(one.grant.id == grant.id for one in state.refresh.values()),
        }
        for grant in state.grants.values()
    ]


def _revoke(standin: Standin, request: web.Request) -> Any:
    asked = _read(request, RevokeAsked)
    state = standin.state
    named = None
    if asked.token is not None:
        token = state.access.get(asked.token) or state.refresh.get(asked.token)
        if token is None:
            raise ValueError("No live token has this value.")
        named = token.grant.id

    def is_meant(grant: Grant) -> bool:
        return (
            asked.company in (None, grant.company_id)
            and asked.app in (None, grant.client_id)
            and asked.user in (None, grant.user_id)
            and asked.grant in (None, grant.id)
            and named in (None, grant.id)
        )

    grants = [grant for grant in state.grants.values() if is_meant(grant)]
    return {"grants": len(grants), "tokensRevoked": state.revoke(grants, what=asked.what)}


Verb = Callable[["Standin", web.Request], Any]
_ROUTES: dict[str, dict[str, Verb]] = {
    "": {"GET": lambda standin, request: {path or "/": sorted(verbs) for path, verbs in _ROUTES.items()}},
    "apps": {"GET": _show_apps, "POST": _add_app},
    "clock": {"GET": _show_clock, "POST": _move_clock},
    "close": {"POST": _close},
    "companies": {"GET": _show_companies},
    "counters": {"GET": _show_counters},
    "counts": {"GET": _show_counts},
    "faults": {"GET": _show_faults, "POST": _add_faults, "DELETE": _clear_faults},
    "grants": {"GET": _show_grants},
    "issued": {"GET": _show_issued},
    "mutate": {"POST": _mutate},
    "reset": {"POST": _reset_counters},
    "revoke": {"POST": _revoke},
    "settings": {"GET": _show_settings, "POST": _change_settings},
    "users": {"GET": _show_users, "POST": _users},
}

"""Settings > Team: who may sign in, as what; invitations, links for a new password, and who may no longer.

There is no mail server: a link is shown once, to whoever made it, to be handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection as Transaction

from comptoir.access import Operator, Permission, Role, operators, password_links, second_factor
from comptoir.errors import Conflict, InvalidInput
from comptoir.portal.languages import N_
from comptoir.portal.visits import Asked, Visit
from comptoir.store import events, tenants

__all__ = ["ROLES", "ROUTES"]

_MAY = {"permission": Permission.MANAGE_OPERATORS}
_PAGE = "/settings/team"
ROLES: Mapping[Role, str] = MappingProxyType(
    {
        Role.ADMINISTRATOR: N_("Everything, the team and the audit trail too."),
        Role.DEVELOPER: N_("Everything but the team and the audit trail."),
        Role.ANALYST: N_("Adds, links and deletes companies, sees their books, and has them read anew."),
        Role.ADVISOR: N_("Adds companies, has them linked, and sees their books."),
        Role.ONBOARDING: N_("Adds companies and has them linked and read. Does not see their books."),
    }
)
# What a role is called is its name, translated.
_NAMES = (N_("Administrator"), N_("Developer"), N_("Analyst"), N_("Advisor"), N_("Onboarding"))
_NO_EMAIL = N_("Enter an e-mail address, such as name@example.com.")
_NO_ROLE = N_("Choose a role.")
_TAKEN = N_("This e-mail address cannot be invited: it is somebody's here already.")
_LAST = N_("This is the last Administrator. Make another one first.")


@get(_PAGE, opt=_MAY, sync_to_thread=True)
def show_team(visit: Asked) -> Response[Any]:
    return _show(visit)


def _show(visit: Visit, status: int = 200, **more: Any) -> Response[Any]:
    now = visit.services.clock.now()
    with visit.services.db.read() as tx:
        people = operators.all_of(tx, visit.tenant)
        waiting = password_links.waiting(tx, visit.tenant, now)
        is_required = tenants.get(tx, visit.tenant).needs_second_factor
    rows = [(one, *_state(one, waiting)) for one in people]
    context = {"email": "", "role": Role.ANALYST.value, "errors": {}, "made": None, **more}
    return visit.page("team/list.html", status, here=_PAGE, rows=rows, roles=ROLES, is_required=is_required, **context)


def _state(operator: Operator, waiting: Mapping[str, datetime]) -> tuple[str, str]:
    """How an operator stands: the tone and the word for it."""
    if operator.disabled is not None:
        return "idle", N_("Disabled")
    if operator.has_password or operator.signed_in is not None:
        return "good", N_("Active")
    return ("wait", N_("Invited")) if operator.id in waiting else ("bad", N_("Invitation expired"))


@post(_PAGE, opt=_MAY, status_code=200, sync_to_thread=True)
def invite(visit: Asked) -> Response[Any]:
    """Answered with a page: the link is kept nowhere that a later page could show it from."""
    email, role = visit.form.get("email", "").strip(), _role(visit)
    typed = {"email": email[:254], "role": role.value if role else ""}
    if role is None:
        return _show(visit, 422, **typed, errors={"role": visit.say(_NO_ROLE)})
    try:
        with visit.services.db.write() as tx:
            now = visit.services.clock.now()
            invited = operators.invite(tx, visit.tenant, email=email, role=role, now=now)
            token, until = password_links.make(tx, visit.tenant, invited.id, now)
            _note(tx, visit, "operator.invited", invited, detail=f"{invited.email}, {role}")
    except InvalidInput:
        return _show(visit, 422, **typed, errors={"email": visit.say(_NO_EMAIL)})
    except Conflict:
        return _show(visit, 409, **typed, errors={"email": visit.say(_TAKEN)})
    return _show(visit, 201, made=_made(visit, invited, token, until))


@get(f"{_PAGE}/{{operator:str}}", opt=_MAY, sync_to_thread=True)
def show_member(visit: Asked, operator: FromPath[str]) -> Response[Any]:
    return _member(visit, operator)


def _member(visit: Visit, operator: str, status: int = 200, **more: Any) -> Response[Any]:
    with visit.services.db.read() as tx:
        found = operators.get(tx, visit.tenant, operator)
        waiting = password_links.waiting(tx, visit.tenant, visit.services.clock.now())
    tone, word = _state(found, waiting)
    context = {"problem": None, "made": None, "confirm": visit.query("confirm"), **more}
    here = f"{_PAGE}/{found.id}"
    return visit.page("team/member.html", status, here=here, member=found, tone=tone, word=word, roles=ROLES, **context)


@post(f"{_PAGE}/{{operator:str}}/role", opt=_MAY, status_code=303, sync_to_thread=True)
def change_role(visit: Asked, operator: FromPath[str]) -> Response[Any]:
    role = _role(visit)
    if role is None:
        return _member(visit, operator, 422, problem=visit.say(_NO_ROLE))
    try:
        with visit.services.db.write() as tx:
            before = operators.set_role(tx, visit.tenant, operator, role)
            detail = f"{before.email}: {before.role} to {role}"
            _note(tx, visit, "operator.roleChanged", before, detail=detail)
    except Conflict:
        return _member(visit, operator, 409, problem=visit.say(_LAST))
    own = before.id == (visit.operator and visit.operator.id)
    return visit.go("/account" if own else f"{_PAGE}/{operator}", said="role-changed", name=before.email)


@post(f"{_PAGE}/{{operator:str}}/link", opt=_MAY, status_code=200, sync_to_thread=True)
def make_link(visit: Asked, operator: FromPath[str]) -> Response[Any]:
    with visit.services.db.write() as tx:
        found = operators.get(tx, visit.tenant, operator)
        token, until = password_links.make(tx, visit.tenant, found.id, visit.services.clock.now())
        _note(tx, visit, "operator.linkMade", found)
    return _member(visit, operator, 201, made=_made(visit, found, token, until))


@post(f"{_PAGE}/{{operator:str}}/disable", opt=_MAY, status_code=303, sync_to_thread=True)
def disable(visit: Asked, operator: FromPath[str]) -> Response[Any]:
    try:
        with visit.services.db.write() as tx:
            found = operators.disable(tx, visit.tenant, operator, visit.services.clock.now())
            _note(tx, visit, "operator.disabled", found)
    except Conflict:
        return _member(visit, operator, 409, problem=visit.say(_LAST))
    return visit.go(_PAGE, said="operator-disabled", name=found.email)


@post(f"{_PAGE}/{{operator:str}}/enable", opt=_MAY, status_code=303, sync_to_thread=True)
def enable(visit: Asked, operator: FromPath[str]) -> Response[Any]:
    with visit.services.db.write() as tx:
        found = operators.enable(tx, visit.tenant, operator)
        _note(tx, visit, "operator.enabled", found)
    return visit.go(f"{_PAGE}/{found.id}", said="operator-enabled", name=found.email)


@post(f"{_PAGE}/{{operator:str}}/second-factor/remove", opt=_MAY, status_code=303, sync_to_thread=True)
def remove_second_factor(visit: Asked, operator: FromPath[str]) -> Response[Any]:
    """For whoever lost both phone and recovery codes."""
    with visit.services.db.write() as tx:
        found = operators.get(tx, visit.tenant, operator)
        second_factor.turn_off(tx, visit.tenant, found.id)
        operators.end_sessions(tx, visit.tenant, found.id)
        _note(tx, visit, "secondFactor.removed", found)
    return visit.go(f"{_PAGE}/{found.id}", said="second-factor-removed", name=found.email)


@post(f"{_PAGE}/second-factor", opt=_MAY, status_code=303, sync_to_thread=True)
def require_second_factor(visit: Asked) -> Response[Any]:
    """Ask everybody for a second factor, or leave it to each."""
    required = visit.form.get("required") == "true"
    with visit.services.db.write() as tx:
        tenants.require_second_factor(tx, visit.tenant, required=required)
        action = "secondFactor.required" if required else "secondFactor.optional"
        events.audit(tx, visit.tenant, visit.actor, action, None, visit.services.clock.now())
    return visit.go(_PAGE, said="second-factor-required" if required else "second-factor-optional")


def _role(visit: Visit) -> Role | None:
    text = visit.form.get("role", "")
    return Role(text) if text in {role.value for role in Role} else None


def _made(visit: Visit, operator: Operator, token: str, until: datetime) -> dict[str, Any]:
    return {
        "email": operator.email,
        "link": password_links.address_of(token, visit.services.public_url),
        "until": until,
    }


def _note(tx: Transaction, visit: Visit, action: str, operator: Operator, *, detail: str | None = None) -> None:
    now = visit.services.clock.now()
    events.audit(tx, visit.tenant, visit.actor, action, operator.id, now, detail=detail or operator.email)


ROUTES = (
    show_team,
    invite,
    show_member,
    change_role,
    make_link,
    disable,
    enable,
    remove_second_factor,
    require_second_factor,
)

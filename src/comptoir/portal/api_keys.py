"""Settings > API keys: make one (its secret is shown this once), see when each was used, delete."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from comptoir.access import Permission, api_keys
from comptoir.errors import Conflict, InvalidInput
from comptoir.portal.languages import N_
from comptoir.portal.visits import Asked, Visit
from comptoir.store import events

__all__ = ["ROUTES"]

_MAY = {"permission": Permission.MANAGE_KEYS}
_NO_NAME = N_("Enter a name, so that you know the key again.")
_LONG_NAME = N_("A name has at most 50 characters.")
_TOO_MANY = N_("There are 10 API keys already. Delete one first.")
_LAST = N_("The last API key cannot be deleted. Make another one first.")


@get("/settings/api-keys", opt=_MAY, sync_to_thread=True)
def list_keys(visit: Asked) -> Response[Any]:
    return _show(visit)


def _show(visit: Visit, status: int = 200, **more: Any) -> Response[Any]:
    with visit.services.db.read() as tx:
        keys = api_keys.all_keys(tx, visit.tenant)
    context = {"name": "", "error": None, "problem": None, "made": None, "confirm": visit.query("confirm"), **more}
    return visit.page("api_keys.html", status, here="/settings/api-keys", keys=keys, **context)


@post("/settings/api-keys", opt=_MAY, status_code=200, sync_to_thread=True)
def add_key(visit: Asked) -> Response[Any]:
    """The one form that is answered with a page: the secret is kept nowhere that a later page could show it from."""
    name = visit.form.get("name", "").strip()
    if not name:
        return _show(visit, 422, error=visit.say(_NO_NAME))
    try:
        with visit.services.db.write() as tx:
            now = visit.services.clock.now()
            key, secret = api_keys.add(tx, visit.tenant, name, now)
            events.audit(tx, visit.tenant, visit.actor, "apiKey.made", key.id, now, detail=key.name)
    except InvalidInput:
        return _show(visit, 422, name=name[:200], error=visit.say(_LONG_NAME))
    except Conflict:
        return _show(visit, 409, name=name, error=visit.say(_TOO_MANY))
    return _show(visit, 201, made={"name": key.name, "secret": secret})


@post("/settings/api-keys/{key:str}/delete", opt=_MAY, status_code=303, sync_to_thread=True)
def delete_key(visit: Asked, key: FromPath[str]) -> Response[Any]:
    try:
        with visit.services.db.write() as tx:
            api_keys.delete(tx, visit.tenant, key)
            events.audit(tx, visit.tenant, visit.actor, "apiKey.deleted", key, visit.services.clock.now())
    except Conflict:
        return _show(visit, 409, problem=visit.say(_LAST))
    return visit.go("/settings/api-keys", said="key-deleted")


ROUTES = (list_keys, add_key, delete_key)

"""Settings > Organisation: what customers are told, where they go after linking, and the hold on everything."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response, get, post
from sqlalchemy import Connection as Transaction

from comptoir.access import Permission
from comptoir.portal.languages import N_
from comptoir.portal.services import PortalServices
from comptoir.portal.visits import Asked, Visit, parts_of
from comptoir.store import TenantId, events, holds, profile, tenants

__all__ = ["ROUTES", "organisation_name"]

_MAY = {"permission": Permission.MANAGE_SETTINGS}
_UNNAMED = "default"  # the tenant that the first start makes
_LONGEST = 200
_NO_NAME = N_("Enter the name your customers know you by.")
_LONG_NAME = N_("A name has at most 200 characters.")
_NO_ADDRESS = N_("Enter a whole address, such as https://www.example.com/linked, or leave it empty.")


def organisation_name(tx: Transaction, tenant: TenantId, services: PortalServices) -> str:
    """Who asks, on Link pages: the name that was set, else the tenant's, else where this is."""
    name = profile.get(tx, tenant, tenants.get(tx, tenant).name).name.strip()
    return name if name and name != _UNNAMED else f"Comptoir ({urlsplit(services.public_url).netloc})"


@get("/settings/organisation", opt=_MAY, sync_to_thread=True)
def show_organisation(visit: Asked) -> Response[Any]:
    with visit.services.db.read() as tx:
        found = profile.get(tx, visit.tenant, tenants.get(tx, visit.tenant).name)
    name = "" if found.name == _UNNAMED else found.name
    return _show(visit, name=name, address=found.redirect_url, errors={})


def _show(visit: Visit, status: int = 200, **context: Any) -> Response[Any]:
    return visit.page("organisation.html", status, here="/settings/organisation", **context)


@post("/settings/organisation", opt=_MAY, status_code=200, sync_to_thread=True)
def save_organisation(visit: Asked) -> Response[Any]:
    name, address = visit.form.get("name", "").strip(), visit.form.get("address", "").strip()
    errors: dict[str, str] = {}
    if not name:
        errors["name"] = visit.say(_NO_NAME)
    elif len(name) > _LONGEST:
        errors["name"] = visit.say(_LONG_NAME)
    if address and not _is_address(address):
        errors["address"] = visit.say(_NO_ADDRESS)
    if errors:
        return _show(visit, 422, name=name[:1000], address=address[:2000], errors=errors)
    with visit.services.db.write() as tx:
        found = profile.get(tx, visit.tenant, name)
        profile.put(tx, visit.tenant, msgspec.structs.replace(found, name=name, redirect_url=address))
        events.audit(tx, visit.tenant, visit.actor, "profile.changed", None, visit.services.clock.now())
    return visit.go("/settings/organisation", said="organisation-saved")


@post("/settings/hold", opt=_MAY, status_code=303, sync_to_thread=True)
def hold_or_release(visit: Asked) -> Response[Any]:
    """Stop all use of upstreams for this tenant, or let it go on; it counts for every process at once."""
    is_on, now = visit.form.get("hold") == "yes", visit.services.clock.now()
    with visit.services.db.write() as tx:
        if is_on:
            holds.put(tx, visit.tenant, by=visit.actor.name, why="asked", now=now)
        else:
            holds.lift(tx, visit.tenant)
        events.audit(tx, visit.tenant, visit.actor, "hold.laid" if is_on else "hold.lifted", None, now)
    return visit.go("/settings/organisation", said="held" if is_on else "released")


def _is_address(text: str) -> bool:
    parts = parts_of(text)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and len(text) <= 2000 and text.isprintable()


ROUTES = (show_organisation, save_organisation, hold_or_release)

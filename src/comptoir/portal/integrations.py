"""Settings > Integrations: the list, setting one up, and managing it. A stored secret is never shown again."""

from __future__ import annotations

import hmac
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection as Transaction

from comptoir.access import Permission
from comptoir.errors import Conflict
from comptoir.integrations.contract import Integration
from comptoir.portal.languages import N_
from comptoir.portal.visits import Asked, Visit
from comptoir.store import datasets, events
from comptoir.store import integration_settings as stored
from comptoir.store.integration_settings import IntegrationSettings

__all__ = ["BASE", "ROUTES"]

BASE = "/settings/integrations/accounting"
_MAY = {"permission": Permission.MANAGE_INTEGRATIONS}
_LONGEST_KEY = 500

_NO_ID = N_("Enter the Client ID.")
_NO_SECRET = N_("Enter the client secret.")
_BLANKS = N_(
    "This contains a space, a line break or a sign that cannot be seen. Copy the value again, with nothing before, "
    "inside or after it."
)
_STRANGE = N_(
    "This contains a sign that stands in no key. Copy the value again, with nothing before, inside or after it."
)
_LONG = N_("This is too long to be a key. Copy the value alone.")
_SAME = N_("This is the same value as the Client ID. The two differ: copy each from its own field.")
_STORED_SECRET = N_("This is the secret that is stored already. The Client ID is the other value.")
_STORED_ALREADY = N_("This is the secret that is stored already. Enter the new one.")
_IS_ID = N_("This is the Client ID. Enter the new secret.")
_IS_STORED_ID = N_("This is the Client ID that is stored already. The client secret is the other value.")
_NO_KEYS = N_("%(name)s has no keys yet, so it cannot be enabled. Set it up first.")


@get("/settings", opt=_MAY, sync_to_thread=False)
def settings_home(visit: Asked) -> Response[Any]:
    return visit.go(BASE)


@get("/settings/integrations", opt=_MAY, sync_to_thread=False)
def integrations_home(visit: Asked) -> Response[Any]:
    return visit.go(BASE)


@get(BASE, opt=_MAY, sync_to_thread=True)
def list_integrations(visit: Asked) -> Response[Any]:
    return _list(visit, visit.query("search"))


def _list(visit: Visit, search: str, *, refused: Integration | None = None, status: int = 200) -> Response[Any]:
    wanted = search.strip().casefold()
    shown = [one for one in visit.services.integrations if wanted in one.name.casefold()]
    with visit.services.db.read() as tx:
        rows = [(one, stored.get(tx, visit.tenant, one.key)) for one in shown]
    problem = visit.say(_NO_KEYS, name=refused.name) if refused else None
    return visit.page(
        "integrations/list.html",
        status,
        here=BASE,
        rows=rows,
        search=search[:200],
        refused=refused.slug if refused else None,
        problem=problem,
    )


@get(f"{BASE}/{{slug:str}}", opt=_MAY, sync_to_thread=True)
def show_integration(visit: Asked, slug: FromPath[str]) -> Response[Any]:
    """Managing it, once it has keys; setting it up, before."""
    return _show(visit, visit.services.integration(slug))


@get(f"{BASE}/{{slug:str}}/set-up", opt=_MAY, sync_to_thread=True)
def show_set_up(visit: Asked, slug: FromPath[str]) -> Response[Any]:
    return _show(visit, visit.services.integration(slug), template="set_up")


def _show(
    visit: Visit,
    integration: Integration,
    *,
    template: str | None = None,
    status: int = 200,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    with visit.services.db.read() as tx:
        settings = stored.get(tx, visit.tenant, integration.key)
    return visit.page(
        f"integrations/{template or ('manage' if settings else 'set_up')}.html",
        status,
        here=f"{BASE}/{integration.slug}",
        integration=integration,
        settings=settings,
        redirect_uri=visit.services.redirect_uri(integration),
        developer_url=visit.services.developer_url(integration),
        typed=typed or {},
        errors={name: visit.say(sentence) for name, sentence in (errors or {}).items()},
        base=BASE,
    )


@post(f"{BASE}/{{slug:str}}", opt=_MAY, status_code=200, sync_to_thread=True)
def save_keys(visit: Asked, slug: FromPath[str]) -> Response[Any]:
    integration, services = visit.services.integration(slug), visit.services
    client_id, secret = visit.form.get("client_id", ""), visit.form.get("client_secret", "")
    with services.db.write() as tx:
        settings = stored.get(tx, visit.tenant, integration.key)
        known = stored.secrets(tx, visit.tenant, integration.key, services.vault) if settings else ()
        errors = _key_errors(client_id, secret, known, settings.client_id if settings else None)
        if not errors:
            stored.save_keys(
                tx,
                visit.tenant,
                integration.key,
                client_id=client_id,
                client_secret=secret,
                vault=services.vault,
                now=services.clock.now(),
            )
            datasets.wake(tx, visit.tenant, integration.key)
            _note(tx, visit, integration, "keysSaved", opened=bool(known))
    if errors:
        # What was typed stays, the secret too: in the answer to this very form, which nothing keeps, and nowhere else.
        typed = {"client_id": client_id, "client_secret": secret}
        template = "set_up" if visit.form.get("from") == "set_up" else None
        return _show(visit, integration, template=template, status=422, typed=typed, errors=errors)
    return visit.go(f"{BASE}/{slug}", said="keys-saved", name=integration.name)


def _key_errors(client_id: str, secret: str, known: tuple[str, ...], stored_id: str | None) -> dict[str, str]:
    """What is wrong with the pair, by field; empty when it may be stored. `known` are the secrets stored now."""
    errors: dict[str, str] = {}
    if problem := _problem(client_id, _NO_ID):
        errors["client_id"] = problem
    elif any(_equal(client_id, one) for one in known):
        errors["client_id"] = _STORED_SECRET
    if problem := _problem(secret, _NO_SECRET):
        errors["client_secret"] = problem
    elif _equal(client_id, secret):
        errors["client_secret"] = _SAME
    elif stored_id is not None and _equal(secret, stored_id):
        errors["client_secret"] = _IS_STORED_ID
    return errors


def _problem(value: str, when_empty: str) -> str | None:
    if not value:
        return when_empty
    # What cannot be seen, such as a zero-width blank, comes along when text is copied from a page.
    if any(sign.isspace() or not sign.isprintable() for sign in value):
        return _BLANKS
    # RFC 6749, appendix A: only visible ASCII. A blank of another script, which Python calls printable, ends here.
    if not all("!" <= sign <= "~" for sign in value):
        return _STRANGE
    return _LONG if len(value) > _LONGEST_KEY else None


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


@post(f"{BASE}/{{slug:str}}/switch", opt=_MAY, status_code=303, sync_to_thread=True)
def switch(visit: Asked, slug: FromPath[str]) -> Response[Any]:
    """Enable or disable. Refused with a sentence while there are no keys."""
    integration = visit.services.integration(slug)
    enabled = visit.form.get("enabled") == "true"
    try:
        with visit.services.db.write() as tx:
            stored.set_enabled(tx, visit.tenant, integration.key, enabled=enabled)
            _note(tx, visit, integration, "enabled" if enabled else "disabled")
    except Conflict:
        return _list(visit, "", refused=integration, status=409)
    back = BASE if visit.form.get("from") == "list" else f"{BASE}/{slug}"
    return visit.go(back, said="enabled" if enabled else "disabled", name=integration.name)


@post(f"{BASE}/{{slug:str}}/test", opt=_MAY, status_code=303, sync_to_thread=True)
def test_keys(visit: Asked, slug: FromPath[str]) -> Response[Any]:
    integration = visit.services.integration(slug)
    _needed(visit, integration)
    with visit.services.db.write() as tx:  # before the secret is opened: an opening that is not noted must not be
        _note(tx, visit, integration, "keysTested", opened=True)
    verdict = visit.services.test_keys(visit.tenant, integration)
    if verdict:
        with visit.services.db.write() as tx:
            stored.set_alarm(tx, visit.tenant, integration.key, None)  # whatever was wrong has passed
    said = "keys-untested" if verdict is None else "keys-good" if verdict else "keys-wrong"
    return visit.go(f"{BASE}/{slug}", said=said, name=integration.name)


@post(f"{BASE}/{{slug:str}}/next-secret", opt=_MAY, status_code=200, sync_to_thread=True)
def save_next_secret(visit: Asked, slug: FromPath[str]) -> Response[Any]:
    """A secret that waits ahead of a change at the upstream."""
    integration, services = visit.services.integration(slug), visit.services
    settings, secret = _needed(visit, integration), visit.form.get("next_secret", "")
    problem = _problem(secret, _NO_SECRET)
    with services.db.write() as tx:
        if problem is None:
            known = stored.secrets(tx, visit.tenant, integration.key, services.vault)
            if _equal(secret, settings.client_id):
                problem = _IS_ID
            elif any(_equal(secret, one) for one in known):
                problem = _STORED_ALREADY
        if problem is None:
            now = services.clock.now()
            stored.save_second(tx, visit.tenant, integration.key, client_secret=secret, vault=services.vault, now=now)
            datasets.wake(tx, visit.tenant, integration.key)
            _note(tx, visit, integration, "nextSecretSaved", opened=True)
    if problem is not None:
        typed = {"next_secret": secret}
        return _show(visit, integration, status=422, typed=typed, errors={"next_secret": problem})
    return visit.go(f"{BASE}/{slug}", said="second-saved", name=integration.name)


@post(f"{BASE}/{{slug:str}}/next-secret/remove", opt=_MAY, status_code=303, sync_to_thread=True)
def drop_next_secret(visit: Asked, slug: FromPath[str]) -> Response[Any]:
    integration = visit.services.integration(slug)
    with visit.services.db.write() as tx:
        stored.drop_second(tx, visit.tenant, integration.key)
        _note(tx, visit, integration, "nextSecretRemoved")
    return visit.go(f"{BASE}/{slug}", said="second-dropped", name=integration.name)


def _note(tx: Transaction, visit: Visit, integration: Integration, what: str, *, opened: bool = False) -> None:
    """`opened`: the act opens the stored secret, for use or for comparison."""
    now, detail = visit.services.clock.now(), "opened: the app's secret" if opened else None
    events.audit(tx, visit.tenant, visit.actor, f"integration.{what}", integration.key, now, detail=detail)


def _needed(visit: Visit, integration: Integration) -> IntegrationSettings:
    with visit.services.db.read() as tx:
        settings = stored.get(tx, visit.tenant, integration.key)
    if settings is None:
        raise Conflict(visit.say(_NO_KEYS, name=integration.name))
    return settings


ROUTES = (
    settings_home,
    integrations_home,
    list_integrations,
    show_integration,
    show_set_up,
    save_keys,
    switch,
    test_keys,
    save_next_secret,
    drop_next_secret,
)

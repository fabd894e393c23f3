"""Settings > Audit trail: who did what, to what, when and from where; the newest first.

Tokens are opened every hour for every company: unless asked for, what nobody did is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get

from comptoir.access import Permission
from comptoir.portal.languages import N_
from comptoir.portal.visits import Asked
from comptoir.store import trail
from comptoir.store.trail import ActorKind

__all__ = ["ACTIONS", "ROUTES"]

_SIZE = 50
_EVERYTHING = "everything"  # with what Comptoir does by itself, which comes with every read
ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "apiKey.deleted": N_("API key deleted"),
        "apiKey.made": N_("API key made"),
        "company.changed": N_("Company changed"),
        "company.created": N_("Company added"),
        "company.deleted": N_("Company deleted"),
        "connection.created": N_("Connection made"),
        "connection.deleted": N_("Connection deleted"),
        "connection.limitsChanged": N_("Limits of a connection changed"),
        "connection.linked": N_("Connection linked"),
        "connection.unlinked": N_("Connection unlinked"),
        "hold.laid": N_("Everything put on hold"),
        "hold.lifted": N_("Hold lifted"),
        "integration.disabled": N_("Integration disabled"),
        "integration.enabled": N_("Integration enabled"),
        "integration.keysSaved": N_("Integration's keys saved"),
        "integration.keysTested": N_("Integration's keys tested"),
        "integration.nextSecretRemoved": N_("Next secret removed"),
        "integration.nextSecretSaved": N_("Next secret saved"),
        "masterKey.changed": N_("Master key changed"),
        "operator.added": N_("Operator added"),
        "operator.disabled": N_("Operator disabled"),
        "operator.enabled": N_("Operator enabled"),
        "operator.invited": N_("Operator invited"),
        "operator.joined": N_("Invitation accepted"),
        "operator.linkMade": N_("Link for a password made"),
        "operator.passwordChanged": N_("Password changed"),
        "operator.passwordReset": N_("Password set by a link"),
        "operator.roleChanged": N_("Role changed"),
        "profile.changed": N_("Organisation changed"),
        "secondFactor.codesRenewed": N_("Recovery codes made anew"),
        "secondFactor.optional": N_("Two-factor sign-in left to each"),
        "secondFactor.removed": N_("Two-factor sign-in removed"),
        "secondFactor.required": N_("Two-factor sign-in asked of all"),
        "secondFactor.turnedOff": N_("Two-factor sign-in turned off"),
        "secondFactor.turnedOn": N_("Two-factor sign-in turned on"),
        "signIn.refused": N_("Sign-in refused"),
        "signIn.succeeded": N_("Signed in"),
        "signOut": N_("Signed out"),
        "syncSettings.changed": N_("Schedule changed"),
        "tokens.opened": N_("Tokens opened"),
    }
)
# What details say where they are words of ours; what else they hold is a name.
_DETAILS = (
    N_("by link"),
    N_("first start"),
    N_("opened: the app's secret"),
    N_("password"),
    N_("second factor: code"),
    N_("second factor: recovery code"),
    N_("to read with them"),
    N_("to renew them, with the app's secret"),
    N_("wrong code"),
    N_("wrong password"),
    N_("wrong password, while signed in"),
)
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        ActorKind.OPERATOR: N_("operator"),
        ActorKind.API_KEY: N_("API key"),
        ActorKind.COMMAND: N_("command"),
        ActorKind.ITSELF: N_("by itself"),
        ActorKind.CUSTOMER: N_("customer"),
        ActorKind.NOBODY: N_("not signed in"),
    }
)


@get("/settings/audit-trail", opt={"permission": Permission.READ_TRAIL}, sync_to_thread=True)
def show_trail(visit: Asked) -> Response[Any]:
    action, who = visit.query("action"), visit.query("who").strip()[:100]
    chosen = action if action in ACTIONS or action == _EVERYTHING else ""
    number = visit.page_number
    with visit.services.db.read() as tx:
        found = trail.page(
            tx,
            visit.tenant,
            number=number,
            size=_SIZE,
            action=chosen if chosen in ACTIONS else None,
            actor=who or None,
            of_somebody=not chosen,
        )
    names = {one: visit.say(name) for one, name in ACTIONS.items()}
    kept = urlencode({name: value for name, value in (("action", chosen), ("who", who)) if value})
    return visit.page(
        "audit_trail.html",
        rows=found.rows,
        total=found.total,
        page=number,
        pages=max(1, -(-found.total // _SIZE)),
        address=f"/settings/audit-trail?{kept}&" if kept else "/settings/audit-trail?",
        names=dict(sorted(names.items(), key=lambda one: one[1].casefold())),
        kinds=_KINDS,
        action=chosen,
        who=who,
    )


ROUTES = (show_trail,)

"""What is confirmed after a form was sent, by the code that travels in a short-lived cookie: no free text does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from comptoir.portal.languages import N_

__all__ = ["SAID", "Said"]


class Said(msgspec.Struct, frozen=True):
    sentence: str
    tone: str = "good"


SAID: Mapping[str, Said] = MappingProxyType(
    {
        "code-too-late": Said(N_("The code came too late. Sign in again."), "warn"),
        "signed-out": Said(N_("You are signed out.")),
        "keys-saved": Said(N_("The keys for %(name)s are saved.")),
        "keys-good": Said(N_("%(name)s accepts the keys.")),
        "keys-wrong": Said(
            N_("%(name)s refuses the keys. Copy both again from the same app, then save them here."), "bad"
        ),
        "keys-untested": Said(
            N_("%(name)s could not be reached, so the keys are not tested. Try again in a moment."), "warn"
        ),
        "enabled": Said(N_("%(name)s is enabled. Companies can link it now.")),
        "disabled": Said(N_("%(name)s is disabled. No company can link it; data already read stays readable.")),
        "second-saved": Said(
            N_("The next secret for %(name)s is saved. It is used as soon as %(name)s refuses the present one.")
        ),
        "second-dropped": Said(N_("The next secret for %(name)s is removed.")),
        "company-added": Said(N_("%(name)s is added. Send its Link URL to the company to have it linked.")),
        "company-deleted": Said(N_("%(name)s and all its data are deleted.")),
        "reading": Said(N_("Reading has begun.")),
        "unlinked": Said(N_("%(name)s is unlinked. Data already read stays readable.")),
        "connection-deleted": Said(N_("The connection to %(name)s and the data read over it are deleted.")),
        "organisation-saved": Said(N_("Your organisation's details are saved.")),
        "held": Said(N_("Everything is on hold. Nothing more is asked of any integration.")),
        "released": Said(N_("The hold is lifted. What waited is read now.")),
        "limits-saved": Said(N_("What may be done over the connection to %(name)s is saved.")),
        "schedules-saved": Said(N_("The schedule is saved.")),
        "schedules-default": Said(N_("The default schedule holds again.")),
        "operator-disabled": Said(N_("%(name)s is disabled and signed out everywhere.")),
        "operator-enabled": Said(N_("%(name)s may sign in again.")),
        "role-changed": Said(N_("The role of %(name)s is changed.")),
        "password-changed": Said(N_("Your password is changed. Every other session of yours has ended.")),
        "password-set": Said(N_("Your password is set. Sign in with it.")),
        "second-factor-needed": Said(N_("Your organisation asks for two-factor sign-in. Set it up to go on."), "warn"),
        "second-factor-off": Said(N_("Two-factor sign-in is off. Your password alone signs you in.")),
        "second-factor-optional": Said(N_("Two-factor sign-in is left to each.")),
        "second-factor-removed": Said(N_("Two-factor sign-in of %(name)s is removed.")),
        "second-factor-required": Said(N_("Everybody is asked to set up two-factor sign-in.")),
        "key-deleted": Said(N_("The API key is deleted. It no longer works.")),
    }
)

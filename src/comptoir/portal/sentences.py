"""Sentences that lower floors say in English, told in the reader's language where they are known here.

Each is the sentence as it is written there, with %(names)s where values stand. One that is not listed is shown as it
came, marked as English for those who have pages read out.
"""

from __future__ import annotations

import re
from functools import cache

from markupsafe import Markup

from comptoir.portal.languages import N_, Language

__all__ = ["SENTENCES", "tell"]

SENTENCES = (
    N_("User cancelled."),
    N_(
        "This approval does not belong to a link that was begun here, or it was used already. Open your link again and "
        "approve once more; nothing was changed."
    ),
    N_("The link was deleted meanwhile. Ask for a new one."),
    N_("The approval was begun in another browser. Open your link in this one and approve again."),
    N_("The approval took longer than 15 minutes. Open your link again and approve."),
    N_("The approval did not succeed: %(said)s"),
    N_("The approval came back without a code. Open your link again."),
    N_("The approval has expired or was used already. Open your link again and approve."),
    N_("%(name)s is not enabled here at the moment. Ask whoever sent you the link."),
    N_(
        "The link to %(name)s is not set up rightly at the moment. Whoever sent you the link has been told; try again "
        "later."
    ),
    N_("%(name)s did not tell whose books these are. Open your link again in a while."),
    N_("This company has another linked accounting connection. Unlink that one first."),
    N_("%(name)s did not answer in time."),
    N_("%(name)s could not be reached, or its answer broke off."),
    N_("%(name)s's token endpoint could not be reached. It is tried again."),
    N_("%(name)s answered with something that is no data (a page of its own, or nothing)."),
    N_("%(name)s does not supply this data type."),
    N_("The connection was unlinked."),
    N_("Only a linked connection can be unlinked; this one is %(status)s."),
)


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    def pattern(sentence: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.{1,200})", re.escape(sentence)))

    return tuple((pattern(sentence), sentence) for sentence in SENTENCES)


def tell(language: Language, message: str) -> str | Markup:
    """The message in the language; as it is, and marked as English, if it is not known."""
    if language.code == "en":
        return message
    if (known := language.gettext(message)) != message:
        return known
    for pattern, sentence in _forms():
        if (found := pattern.fullmatch(message)) is not None:
            return language.say(sentence, **found.groupdict())
    return Markup('<span lang="en">{}</span>').format(message)

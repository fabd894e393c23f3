"""Sentences that lower floors say in English, told in the reader's language where they are known here.

Each is the sentence as it is written there, with %(names)s where values stand. One that is not listed is shown as it
came, marked as English for those who have pages read out.
"""

from __future__ import annotations

import re
from functools import cache

from markupsafe import Markup

from comptoir.portal.findings import FINDINGS, LABELS
from comptoir.portal.languages import N_, Language

__all__ = ["SENTENCES", "tell"]

_LONGEST = 1000  # signs: enough for any sentence of ours, and never slow to look at

SENTENCES = (
    # Around another sentence, the cause, which is told in the same language: these are looked at first
    N_("Served without %(what)s: %(cause)s"),
    N_("Set aside, because it could not be read: %(reason)s"),
    N_("%(cause)s Have it approved again by a user with the access level %(level)s or higher."),
    N_(
        "%(cause)s Have the company's owner open the Link URL and approve again; data already read stays readable "
        "meanwhile."
    ),
    N_("%(cause)s It was tried %(count)s times and is tried again at the next scheduled sync."),
    N_("%(cause)s It is tried again at %(at)s UTC; a refresh asked for runs at once."),
    N_("%(cause)s An earlier renewal was cut off before its answer was here."),
    N_("%(cause)s It is tried again."),
    N_("%(cause)s %(name)s says: %(said)s"),
    # Of an approval
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
    N_("%(name)s could not be reached just now, so nothing was linked. Open your link again in a while and approve."),
    N_("%(name)s is not enabled here at the moment. Ask whoever sent you the link."),
    N_(
        "The link to %(name)s is not set up rightly at the moment. Whoever sent you the link has been told; try again "
        "later."
    ),
    N_(
        "The link to %(name)s was set up anew while you approved. Open your link again and approve once more; nothing "
        "was changed."
    ),
    N_("%(name)s did not tell whose books these are. Open your link again in a while."),
    N_(
        "This link belongs to %(first)s in %(name)s, but the approval was given for %(second)s. Sign in to %(again)s "
        "as a user of the first and approve again."
    ),
    N_("This company has another linked accounting connection. Unlink that one first."),
    # Of access that was lost, or keys that are wrong
    N_("There is no approval for this connection any more. Have the company linked again."),
    N_("%(name)s does not accept the approval any more: it was used, has expired or was revoked."),
    N_(
        "%(name)s refuses the app's own keys, so no company can be read. Save the right Client ID and Client secret "
        "under Settings > Integrations > Accounting; everything goes on by itself then."
    ),
    N_("The token endpoint answered, but not with tokens."),
    N_("The token endpoint's answer holds no refresh token."),
    N_("%(name)s's token endpoint did not answer in time."),
    N_("%(name)s's token endpoint could not be reached, or its answer broke off."),
    N_("The token endpoint's answer holds no access token."),
    N_("%(name)s's token endpoint answered with an error (%(status)s). It is tried again."),
    N_("%(name)s limits token refreshes for the moment. It is tried again."),
    N_("No keys are stored yet. Set the integration up first."),
    N_(
        "%(name)s does not let us read this company, although you approved. Check that its account there is "
        "open and that you may see it, then open your link again and approve."
    ),
    N_("Nothing can be linked here at the moment. Ask whoever sent you the link."),
    # Of a hold, and of what may not be read
    N_(
        "Everything has been on hold since %(at)s UTC, because this system was restored from a backup. An "
        "Administrator lifts the hold once no other copy of it is running."
    ),
    N_("Everything has been on hold since %(at)s UTC, because these data were moved to another database."),
    N_(
        "Everything has been on hold since %(at)s UTC: whoever runs this installation asked for it. It goes on when "
        "the hold is lifted."
    ),
    N_("Everything has been on hold since %(at)s UTC: %(who)s asked for it. It goes on when the hold is lifted."),
    N_("The data type %(what)s may not be read over this connection. An operator allows it on the connection's page."),
    # Of a read
    N_("%(name)s did not answer in time."),
    N_("%(name)s could not be reached, or its answer broke off."),
    N_("%(name)s answered with something that is no data (a page of its own, or nothing)."),
    N_("%(name)s's answer for %(what)s has no member %(member)s; it was not taken as empty."),
    N_("%(name)s's answer for %(what)s has not the documented form: %(reason)s."),
    N_("%(name)s's answer for %(what)s is nested too deep to be read."),
    N_("%(name)s's answer for %(what)s broke off."),
    N_("%(name)s sent more than %(count)s bytes in one answer."),
    N_(
        "%(name)s no longer accepts our access. Have the company's owner open the Link URL and approve again; data "
        "already read stays readable meanwhile."
    ),
    N_("%(name)s refuses %(what)s to the user who approved."),
    N_("%(name)s does not offer %(what)s to this company."),
    N_("%(name)s's rate limit was reached."),
    N_("%(name)s's limit of calls is reached. Reading goes on at %(at)s UTC."),
    N_("%(name)s cannot do this now."),
    N_("%(name)s did not take the request for %(what)s (status %(status)s)."),
    N_("%(name)s answered with an error (%(status)s). It usually passes."),
    N_("%(name)s redirects %(what)s elsewhere, which is not documented."),
    N_("%(name)s answered %(what)s with the status %(status)s."),
    N_("%(name)s does not supply this data type."),
    N_(
        "The list %(what)s kept changing while it was read, %(count)s times over. All that was met is held; what moved "
        "is read again at the next sync."
    ),
    N_("%(count)s records of %(what)s could not be read and were set aside."),
    N_("%(count)s further warnings are not listed."),
    N_("The connection was unlinked."),
    N_("Only a linked connection can be unlinked; this one is %(status)s."),
    N_(
        "There is no linked connection to read from (state: %(status)s). Have the company linked over its Link URL, "
        "then ask again."
    ),
    N_(
        "Files are fetched from the source, and the connection is %(status)s. Have the company linked again, then ask "
        "for the file once more."
    ),
    N_("%(name)s does not hand out the file just now (status %(status)s)."),
    N_("What %(name)s tells of the file cannot be read: %(reason)s."),
    N_("What %(name)s gives as the link to the file is none."),
    N_("The link to the file leads to a machine that is not public. It was not followed."),
    N_("The background work has not started yet. Try again in a few seconds."),
    # Of doubts about single records
    N_("The type %(what)s is not documented."),
    N_("The status %(what)s is not documented for a bill."),
    N_("The status %(what)s is not documented."),
    N_("The VAT status %(what)s is not documented."),
    N_("The lines do not add up to the totals of the source."),
    N_("The source's total %(gross)s is not its net %(net)s plus its tax %(tax)s: the difference is taken as tax."),
    N_("The lines of this entry do not add up to nothing: they come to %(amount)s."),
    N_(
        "Of the accounting year up to %(day)s, the accounts come to %(ours)s, and %(name)s's profit and loss says "
        "%(theirs)s."
    ),
    N_("Assets less liabilities are %(assets)s, and equity is %(equity)s."),
    N_("Account %(code)s stands at %(ours)s on %(day)s, and %(name)s's balance sheet says %(theirs)s."),
    N_("It comes to %(ours)s on %(day)s, and %(name)s's balance sheet says %(theirs)s."),
    N_("The payment %(id)s is in another currency, and does not say what it comes to in this."),
    N_("%(text)s is too far off to be right."),
    N_("%(text)s is no date that exists."),
    N_("The contact %(what)s is not on the list of contacts, or cannot be read."),
    N_("The document %(what)s was not found; the payment is linked by its number."),
    N_("%(name)s does not say what this payment comes to in %(currency)s, the currency of its document."),
    N_("The document %(what)s was not found; the allocation is linked by its number."),
    N_("The bill %(what)s was not found; the payment is linked by its number."),
    N_("Its tax is told in %(base)s alone, and there is no rate to tell it in %(currency)s."),
    N_("The two sides of this transfer do not fit together: it moves nothing, or both the same way."),
    N_("%(name)s's %(path)s is %(what)s, which cannot be read: it was left out."),
    # Of the database
    N_("The database does not answer just now: nothing was changed. It is tried again in a moment."),
    N_("The database file cannot be used just now: nothing was changed. It is tried again in a moment."),
    N_("The database takes no changes just now: nothing was changed. It is tried again in a moment."),
    N_("The disk is full: nothing was changed. Make room; work then goes on by itself."),
    N_("The database's disk is full: nothing was changed. Make room; work then goes on by itself."),
    N_("The database's answer was lost, so it is not known whether this was done. Look before you do it again."),
    # Of the books check
    N_("There is nothing in these books that it speaks of."),
    *sorted(FINDINGS, key=lambda form: -len(re.sub(r"%\(\w+\)s", "", form))),
)


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    def pattern(sentence: str) -> re.Pattern[str]:
        form = re.sub(r"%\\\(cause\\\)s", r"(?P<cause>.{1,600}?\.)", re.escape(sentence))
        return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.{1,300}?)", form), re.DOTALL)

    return tuple((pattern(sentence), sentence) for sentence in SENTENCES)


def tell(language: Language, message: str) -> str | Markup:
    """The message in the language; as it is, and marked as English, if it is not known."""
    known = _told(language, message)
    return Markup('<span lang="en">{}</span>').format(message) if known is None else known


def _told(language: Language, message: str) -> str | None:
    if language.code == "en":
        return message
    if (known := language.gettext(message)) != message:
        return known
    if len(message) > _LONGEST:
        return None
    for pattern, sentence in _forms():
        if (found := pattern.fullmatch(message)) is None:
            continue
        values = found.groupdict()
        if "cause" in values:
            cause = _told(language, values["cause"])
            if cause is None:
                continue  # half a sentence in each language helps nobody
            values["cause"] = cause
        if (label := values.get("label")) in LABELS:
            values["label"] = language.gettext(label)
        return language.say(sentence, **values)
    return None

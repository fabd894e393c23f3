"""What is coming up for the tax office, and up to which day the books are locked.

https://dev.freeagent.com/docs/company (tax timeline), /docs/account_locks. Inferred: the words of a timeline but those
of the reference's example; a lock is shown as set by whoever asks.
"""

from __future__ import annotations

from datetime import date

from freeagent_standin.api.desk import Body, Desk, day_text
from freeagent_standin.api.returns import corporation_tax_due, personal_payments, tax_years, vat_payments
from freeagent_standin.world import filings
from freeagent_standin.world.filings import months_after
from freeagent_standin.world.profiles import accounting_periods


def tax_timeline(desk: Desk) -> Body:
    """What has to be paid and handed in from today on, soonest first."""
    company, items = desk.world.company, list[Body]()
    if company.is_british:
        for period in filings.vat_periods(desk.world, desk.today):
            [payment] = vat_payments(desk, period, None)
            items.append(_item(f"VAT Return {period[1]:%m %y}", "Electronic Submission and Payment Due", payment))
    if company.is_limited:
        for period in accounting_periods(company, desk.today):
            end = f"{period[1]:%d %b %y}"
            due, amount = filings.tax_due_on(period[1]), corporation_tax_due(desk, period)
            year = f"Corporation Tax, year ending {end}"
            items += [
                _item(f"Accounting Period Ending {end}", "Companies House Accounts Due", months_after(period[1], 9)),
                _item(year, "Payment Due", due) | {"amount_due": amount // 100},
                _item(year, "Submission Due", months_after(period[1], 12)),
            ]
    if company.is_british:
        for user in desk.world.people:
            for period in tax_years(desk) if user.role in ("Owner", "Partner") else []:
                [payment] = personal_payments(desk, period, user)
                year = f"Self Assessment {period[0]:%y}/{period[1]:%y}"
                items.append(_item(year, "Balancing Payment Due", payment) | {"is_personal": True})
    ahead = [each for each in items if str(each["dated_on"]) >= day_text(desk.today)]
    return {"timeline_items": sorted(ahead, key=lambda each: (str(each["dated_on"]), str(each["description"])))}


def _item(description: str, nature: str, due: Body | date) -> Body:
    body: Body = {"description": description, "nature": nature, "is_personal": False}
    if isinstance(due, date):
        return body | {"dated_on": day_text(due)}
    return body | {"dated_on": due["due_on"], "amount_due": due["amount_due"]}


def account_locks(desk: Desk) -> Body:
    """The lock a user has set, if any."""
    until = desk.world.locked_until
    if until is None:
        return {"account_locks": []}
    owner = desk.world.people.get(desk.call.user_id) or next(iter(desk.world.people))
    lock: Body = {
        "locked_to_date": day_text(until),
        "user_lock": True,
        "locked_by_description": owner.name,
        "locked_by_url": desk.url("users", owner.id),
    }
    return {"account_locks": [lock], "earliest_lock_date": day_text(until), "latest_lock_date": day_text(until)}

"""Single documents beside the lists: what a company can choose from, what happened lately, and printed invoices.

https://dev.freeagent.com/docs/company, /docs/invoices, /docs/expenses. Inferred: the events of a timeline and their
wording; every print is the same blank page. Rates of mileage are those HMRC publishes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from freeagent_standin import files
from freeagent_standin.api.deadlines import account_locks, tax_timeline
from freeagent_standin.api.desk import Body, Desk, day_text, money

_BUSINESS_CATEGORIES = (
    "Accounting & Bookkeeping",
    "Advertising & Marketing",
    "Architecture",
    "Building & Construction",
    "Design",
    "Engineering",
    "IT Contractor / Consulting",
    "Landscaping & Gardening",
    "Photography",
    "Plumbing & Heating",
    "Translation",
    "Other",
)
_SIZES = {
    "Petrol": ["Up to 1400cc", "1401-2000cc", "Over 2000cc"],
    "Diesel": ["Up to 1600cc", "1601-2000cc", "Over 2000cc"],
    "LPG": ["Up to 1400cc", "1401-2000cc", "Over 2000cc"],
    "Electric": [],
}
_RATES = {
    "Car": {"basic_rate": "0.45", "additional_rate": "0.25"},
    "Motorcycle": {"basic_rate": "0.24", "additional_rate": "0.24"},
    "Bicycle": {"basic_rate": "0.2", "additional_rate": "0.2"},
    "basic_rate_limit": 10_000,
}
_SINCE, _UNTIL = "2011-04-06", "2099-04-05"
_EVENTS = 10


def _timeline(desk: Desk) -> Body:
    """The latest receipts, newest first."""
    world = desk.world
    events: list[Body] = []
    for invoice in world.invoices:
        for paid in world.payments(invoice):
            summary = f"Payment: {invoice.reference}: {money(abs(paid.settles))} {invoice.currency} received"
            events.append(
                {
                    "reference": invoice.reference,
                    "summary": summary,
                    "description": world.contacts[invoice.contact].name,
                    "dated_on": day_text(paid.dated_on),
                    "amount": money(paid.settles),
                }
            )
    events.sort(key=lambda event: str(event["dated_on"]), reverse=True)
    return {"invoice_timeline_items": events[:_EVENTS]}


def _mileage(desk: Desk) -> Body:
    """Engines and rates by the days they were in force."""
    period = {"from": _SINCE, "to": _UNTIL}
    options, rates = [period | {"value": _SIZES}], [period | {"value": _RATES}]
    return {"mileage_settings": {"engine_type_and_size_options": options, "mileage_rates": rates}}


def default_text(desk: Desk, resource: str) -> Body:
    """What stands below every invoice, or every estimate."""
    return {"default_additional_text": desk.world.held.default_texts[resource]}


def printed() -> Body:
    """A document as it would be printed."""
    return {"pdf": {"content": base64.b64encode(files.BLANK_PAGE).decode()}}


DOCUMENTS: Mapping[str, tuple[int, Callable[[Desk], Body]]] = {
    "company/business_categories": (1, lambda _desk: {"business_categories": list(_BUSINESS_CATEGORIES)}),
    "account_locks": (8, account_locks),
    "company/tax_timeline": (7, tax_timeline),
    "expenses/mileage_settings": (2, _mileage),
    "estimates/default_additional_text": (4, lambda desk: default_text(desk, "estimates")),
    "invoices/default_additional_text": (4, lambda desk: default_text(desk, "invoices")),
    "invoices/timeline": (4, _timeline),
}
"""By path: the level a document takes, and what is in it."""

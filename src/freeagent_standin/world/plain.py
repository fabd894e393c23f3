"""Attributes that are kept as they were set and shown again, and mean nothing to the books.

How a document is shown, e-mailed and numbered, and facts about people and cars that nothing is worked out from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from freeagent_standin.world.amounts import decimal_text
from freeagent_standin.world.wishes import Wishes

__all__ = ["OF_DRIVES", "taken"]

Read = Callable[[Wishes, str], object]


def _text(wishes: Wishes, name: str) -> object:
    return wishes.text(name)


def _flag(wishes: Wishes, name: str) -> object:
    return wishes.flag(name)


def _decimal(wishes: Wishes, name: str) -> object:
    value = wishes.decimal(name)
    return None if value is None else decimal_text(value)


def _day(wishes: Wishes, name: str) -> object:
    return wishes.day(name, date.min).isoformat() if wishes.peek(name) else wishes.take(name)


def _one_of(*allowed: str) -> Read:
    return lambda wishes, name: wishes.choice(name, allowed)


_ENGINES = ("Petrol", "Diesel", "LPG", "Electric", "Electric (Home charger)", "Electric (Public charger)")
_PLAIN: Mapping[str, Mapping[Read, tuple[str, ...]]] = {
    "users": {_text: ("ni_number", "unique_tax_reference")},
    "contacts": {
        _flag: (
            *("uses_contact_invoice_sequence", "contact_name_on_invoices", "emails_invoices_automatically"),
            *("emails_payment_reminders", "emails_thank_you_notes", "uses_contact_level_email_settings"),
        )
    },
    "projects": {_flag: ("uses_project_invoice_sequence", "include_unbilled_time_in_profitability")},
    "price_list_items": {_decimal: ("sales_tax_rate", "second_sales_tax_rate")},
    "bank_accounts": {_flag: ("bank_guess_enabled",), _text: ("secondary_sort_code",)},
    "invoices": {
        _flag: (
            *("send_new_invoice_emails", "send_reminder_emails", "send_thank_you_emails", "omit_header"),
            *("show_project_name", "always_show_bic_and_iban"),
        ),
        _text: ("client_contact_name", "payment_terms", "place_of_supply"),
    },
    "credit_notes": {
        _flag: ("omit_header", "show_project_name"),
        _text: ("client_contact_name", "payment_terms", "place_of_supply"),
    },
    "bills": {_flag: ("input_total_values_inc_tax",), _decimal: ("rebill_factor",), _day: ("recurring_end_date",)},
    "expenses": {
        _flag: ("have_vat_receipt",),
        _decimal: ("rebill_factor",),
        _day: ("recurring_end_date",),
        _text: ("engine_size",),
        _one_of("Car", "Motorcycle", "Bicycle"): ("vehicle_type",),
        _one_of(*_ENGINES): ("engine_type",),
    },
    "bank_transaction_explanations": {_decimal: ("rebill_factor",), _text: ("place_of_supply",)},
    "estimates": {_text: ("place_of_supply",)},
    "properties": {_text: ("name",)},
    "sales_tax_periods": {
        _text: ("second_sales_tax_name",),
        _decimal: (
            *("sales_tax_rate_3", "second_sales_tax_rate_1", "second_sales_tax_rate_2", "second_sales_tax_rate_3"),
        ),
        _flag: ("second_sales_tax_is_compound",),
    },
}
OF_DRIVES = frozenset({"have_vat_receipt", "vehicle_type", "engine_type", "engine_size"})
"""What only a claim for a drive has."""


def taken(resource: str, wishes: Wishes) -> dict[str, object]:
    """The plain attributes among what a caller sets, taken out of it; an empty value takes one away again."""
    return {
        name: read(wishes, name) for read, names in _PLAIN.get(resource, {}).items() for name in names if name in wishes
    }

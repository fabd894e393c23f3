"""What a caller writes to the API: bodies that are taken, and what is answered to them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
from tests.freeagent_standin.reader import ORIGIN, Reader, Row, number

from freeagent_standin.wire import Answer


def send(reader: Reader, method: str, path: str, body: object = None) -> Answer:
    return reader.send(method, path, b"" if body is None else json.dumps(body).encode())


def told(given: Answer) -> Any:
    """The message or messages of a refusal."""
    errors = msgspec.json.decode(given.body)["errors"]
    if isinstance(errors, list):
        return [one["message"] for one in errors]
    if "error" in errors:
        return errors["error"]["message"]
    return [f"{name} {message}" for name, messages in errors.items() for message in messages]


def made(reader: Reader, path: str, body: object) -> Row:
    given = send(reader, "POST", path, body)
    assert given.status == 201, given
    [record] = msgspec.json.decode(given.body).values()
    assert dict(given.headers)["Location"] == record["url"]
    assert reader.get(f"{path}/{number(record['url'])}") == msgspec.json.decode(given.body)
    return dict(record)


def bodies(reader: Reader) -> dict[str, Row]:
    contact = reader.all("contacts")[0]["url"]
    invoice = next(row for row in reader.all("invoices", view="open") if Decimal(row["due_value"]) > 5)
    note = next(row for row in reader.all("credit_notes", view="open_or_overdue") if row["currency"] == "GBP")
    line = next(row for row in reader.all("bank_transactions") if row["unexplained_amount"] != "0.0")
    slip = reader.all("timeslips")[0]
    return {
        "contacts": {"contact": {"first_name": "Zoë", "last_name": "Ó Briain", "not_known_here": 1}},
        "projects": {"project": {"contact": contact, "name": "Barn", "status": "Active", "budget": 5}},
        "price_list_items": {"price_list_item": {"code": "X-1", "description": "Thing", "price": "9.99"}},
        "invoices": {
            "invoice": {
                "contact": contact,
                "dated_on": "2026-03-30",
                "payment_terms_in_days": "30",
                "reference": 77,
                "invoice_items": [{"description": "Work", "price": "10", "quantity": "2", "item_type": "Hours"}],
            }
        },
        "credit_notes": {
            "credit_note": {
                "contact": contact,
                "dated_on": "2026-03-30",
                "credit_note_items": [{"description": "Back", "price": "-10"}],
            }
        },
        "credit_note_reconciliations": {
            "credit_note_reconciliation": {
                "credit_note": note["url"],
                "invoice": invoice["url"],
                "gross_value": "5",
                "dated_on": "2026-03-30",
            }
        },
        "bills": {
            "bill": {
                "contact": number(contact),
                "reference": "B/1",
                "dated_on": "2026-03-30",
                "due_on": "2026-04-30",
                "bill_items": [{"description": "Felt", "category": "103", "total_value": "12.0"}],
            }
        },
        "expenses": {
            "expense": {
                "user": reader.all("users")[0]["url"],
                "category": f"{ORIGIN}/v2/categories/285",
                "dated_on": "2026-03-30",
                "gross_value": "-12.5",
                "description": "Dinner",
            }
        },
        "bank_transaction_explanations": {
            "bank_transaction_explanation": {
                "bank_transaction": line["url"],
                "dated_on": line["dated_on"],
                "gross_value": line["unexplained_amount"],
                "category": f"{ORIGIN}/v2/categories/285",
                "description": "Lunch",
            }
        },
        "bank_accounts": {"bank_account": {"name": "Jar", "opening_balance": "12.5", "bank_code": "barclays"}},
        "journal_sets": {
            "journal_set": {
                "dated_on": "2026-03-30",
                "description": "Correction",
                "tag": "MINE",
                "journal_entries": [
                    {"category": f"{ORIGIN}/v2/categories/280", "debit_value": "12.5"},
                    {"category": "901", "user": reader.all("users")[0]["url"], "debit_value": -12.5},
                ],
            }
        },
        "users": {
            "user": {"first_name": "Ida", "last_name": "Neu", "email": "ida@example.com", "role": "Employee"}
            | {"opening_mileage": "0"}
        },
        "estimates": {
            "estimate": {
                "status": "Draft",
                "estimate_type": "Quote",
                "contact": contact,
                "reference": "Q-1",
                "dated_on": "2026-03-30",
                "currency": "GBP",
                "estimate_items": [{"item_type": "Hours", "price": "40", "description": "Work", "quantity": "1.5"}],
            }
        },
        "timeslips": {
            "timeslip": {name: slip[name] for name in ("task", "user", "project")}
            | {"dated_on": "2026-03-30", "hours": "1.5", "comment": "Site"}
        },
    }


CREATED = (
    "contacts",
    "projects",
    "price_list_items",
    "invoices",
    "credit_notes",
    "credit_note_reconciliations",
    "bills",
    "expenses",
    "bank_transaction_explanations",
    "bank_accounts",
    "journal_sets",
    "users",
    "estimates",
    "timeslips",
)

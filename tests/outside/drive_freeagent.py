"""Runs in the environment of `freeagent` 0.3.1 and does all that it offers; writes what came of it to a file.

    python drive_freeagent.py http://127.0.0.1:8001 identifier secret picture.png outcome.json

Pointed at another address by its attribute `api_base_url`; oauthlib takes an address without TLS where
OAUTHLIB_INSECURE_TRANSPORT is set.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import freeagent  # type: ignore[import-not-found]  # installed in the client's environment alone

LISTS = (
    *("users", "contacts", "projects", "tasks", "timeslips", "invoices", "credit_notes", "credit_note_reconciliations"),
    *("estimates", "recurring_invoices", "price_list_items", "stock_items", "bills", "expenses", "bank_accounts"),
    *("capital_assets", "capital_asset_types", "journal_sets"),
)


def main(address: str, identifier: str, secret: str, picture: str, outcome: str) -> None:
    tokens: list[dict[str, Any]] = []
    client = _signed_in(address, identifier, secret, tokens, None)
    old = dict(tokens[0]) | {"expires_at": 1.0, "expires_in": -1}
    client = _signed_in(address, identifier, secret, tokens, old)
    accounts, categories = client.bank_account, client.category
    primary = accounts.get_primary_id()
    lines = {
        each.url: len(client.get_api("bank_transactions", {"bank_account": each.url}))
        for each in accounts.bank_accounts
    }
    unexplained = client.bank.get_unexplained_transactions(primary)
    found = {
        "tokens": len(tokens),
        "lists": {name: len(client.get_api(name, {"view": "all"})) for name in LISTS},
        "lines": lines,
        "categories": len(categories.categories),
        "mileage": [
            categories.get_desc_nominal_code("mileage"),
            categories.get_nominal_name("249"),
            categories.get_nominal_code_id("249"),
        ],
        "accounts": [
            accounts.get_name_by_id(primary),
            accounts.get_name_by_uri(accounts.get_primary_url()),
            accounts.get_id(accounts.get_name_by_id(primary)),
            accounts.get_first_paypal_id(),
            primary,
        ],
        "ledger": len(client.transaction.get_transactions("285", *sys.argv[6:8])),
        "unexplained": [each.url for each in unexplained],
        "explained": _explained(client, unexplained[0], Path(picture)),
    }
    Path(outcome).write_text(json.dumps(found))


def _signed_in(
    address: str, identifier: str, secret: str, tokens: list[dict[str, Any]], token: dict[str, Any] | None
) -> Any:
    client = freeagent.FreeAgent()
    client.api_base_url = f"{address}/v2/"
    client.authenticate(identifier, secret, tokens.append, token)
    return client


def _explained(client: Any, line: Any, picture: Path) -> Any:
    """A bank line explained with a picture, and explained otherwise; returns the line as it is then."""
    payload = freeagent.ExplanationPayload(
        nominal_code="285",
        dated_on=date.fromisoformat(str(line.dated_on)),
        gross_value=Decimal(line.unexplained_amount),
        description="Lunch",
        bank_transaction=line.url,
    )
    client.bank.attach_file_to_explanation(payload, picture, "The bill")
    client.bank.explain_list([payload])
    path = line.url.removeprefix(client.api_base_url)
    [explanation] = client.get_api(path)[0].bank_transaction["bank_transaction_explanations"]
    other = freeagent.ExplanationPayload(
        nominal_code="250", dated_on=payload.dated_on, gross_value=payload.gross_value, description="Lamps"
    )
    client.bank.explain_list([freeagent.UpdatePayload(explanation["url"], other)])
    return client.get_api(path)[0].bank_transaction


main(*sys.argv[1:6])

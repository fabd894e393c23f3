"""Runs in the environment of `freeagent-api` 0.5.0 and does all that it offers; writes what came of it to a file.

    python drive_freeagent_api.py http://127.0.0.1:8001 identifier secret 40001 3001 outcome.json

Pointed at another address by its constants for the two OAuth addresses and the base of the API, and at another port to
wait for the redirect on by AUTH_PORT. It needs requests_oauth2client 1.2.0.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import freeagent_api  # type: ignore[import-not-found]  # installed in the client's environment alone
from freeagent_api import oauth


def main(address: str, identifier: str, secret: str, port: str, project: str, outcome: str) -> None:
    oauth.AUTH_PORT = int(port)
    oauth.PRODUCTION_AUTHORIZATION_ENDPOINT = f"{address}/v2/approve_app"
    oauth.PRODUCTION_TOKEN_ENDPOINT = f"{address}/v2/token_endpoint"
    freeagent_api.PRODUCTION_API_BASE = f"{address}/v2"
    first = freeagent_api.ApiClient(identifier, secret)
    first.do_auth()
    client = freeagent_api.ApiClient(identifier, secret)
    client.serialised_token = first.serialised_token  # renews it
    Path(outcome).write_text(json.dumps(_read(client, project)))


def _read(client: Any, project: str) -> dict[str, Any]:
    invoices = client.get_invoices()
    accounts = client.get_bank_accounts()
    one = invoices[0]
    today = datetime.now(UTC).date()
    lines = client.get_bank_transactions(accounts[0].id, from_date=today - timedelta(days=120), to_date=today)
    explanations = [each for line in lines for each in line.explanations]
    return {
        "company": client.get_company().as_dict(),
        "user": client.get_user().as_dict() | {"fullname": client.get_user().fullname},
        "contact": client.get_contact(one.contact).as_dict(),
        "project": client.get_project(project).as_dict(),
        "invoices": [each.as_dict() for each in invoices],
        "invoice": client.get_invoice(one.id).as_dict(),
        "drafts": len(client.get_invoices(status="draft")),
        "recent": len(client.get_invoices(within_months=2, sort_order="-updated_at")),
        "changed": len(client.get_invoices(updated_since=datetime.now(UTC) + timedelta(days=1))),
        "accounts": [each.as_dict() for each in accounts],
        "cards": len(client.get_bank_accounts("credit_card")),
        "account": client.get_bank_account(accounts[0].id).as_dict(),
        "lines": [each.as_dict() for each in lines],
        "explanations": len(explanations),
        "unexplained": len(client.get_bank_transactions(accounts[0].id, status="unexplained")),
        "category": client.get_accounting_category("001").as_dict(),
    }


main(*sys.argv[1:7])

"""The PyPI package `freeagent-api` 0.5.0 signs in, renews its token and reads all that it can read.

It reads the first page of a list only, as it says itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import free_ports
from tests.outside.conftest import Outside

pytestmark = [pytest.mark.sdk, pytest.mark.xdist_group("outside")]

_PER_PAGE = 25


@pytest.fixture(scope="module")
def found(
    outside: Outside, interpreter: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What came of one run of the client."""
    outcome = tmp_path_factory.mktemp("freeagent-api") / "outcome.json"
    [port] = free_ports(1)
    driver = Path(__file__).with_name("drive_freeagent_api.py")
    project = outside.read("projects")["projects"][0]["url"].rsplit("/", 1)[1]
    given = (outside.url, *outside.app(f"http://localhost:{port}"), port, project, outcome)
    outside.run([str(interpreter("freeagent-api")), "-I", "-u", str(driver), *map(str, given)])
    return dict(json.loads(outcome.read_text()))


def test_the_company_and_its_user_are_read(found: dict[str, Any], outside: Outside) -> None:
    company, user = outside.read("company")["company"], outside.read("users/me")["user"]

    for name in ("name", "subdomain", "freeagent_start_date"):
        assert found["company"][name] == company[name]
    assert found["user"]["fullname"] == f"{user['first_name']} {user['last_name']}"
    assert found["user"]["permission_level"] == 8


def test_invoices_are_read_with_their_lines(found: dict[str, Any], outside: Outside) -> None:
    ours = outside.read("invoices", nested_invoice_items="true", sort="created_at")["invoices"]

    assert [each["url"] for each in found["invoices"]] == [row["url"] for row in ours]
    assert len(found["invoices"]) == min(_PER_PAGE, outside.counts()["invoices"])
    for theirs, row in zip(found["invoices"], ours, strict=True):
        assert [theirs[name] for name in ("status", "total_value", "dated_on")] == [
            row[name] for name in ("status", "total_value", "dated_on")
        ]
        assert len(theirs["invoice_items"]) == len(row["invoice_items"])
    assert found["invoice"] in found["invoices"]


def test_invoices_are_filtered(found: dict[str, Any], outside: Outside) -> None:
    assert found["drafts"] == len(outside.read("invoices", view="draft")["invoices"]) > 0
    assert found["recent"] == len(outside.read("invoices", view="last_2_months")["invoices"]) > 0
    assert found["changed"] == 0


def test_contacts_projects_and_categories_are_read_one_by_one(found: dict[str, Any], outside: Outside) -> None:
    contact = outside.read(found["contact"]["url"].split("/v2/")[1])["contact"]

    assert found["contact"]["organisation_name"] == contact.get("organisation_name")
    assert found["project"]["url"] == outside.read(found["project"]["url"].split("/v2/")[1])["project"]["url"]
    assert (found["category"]["nominal_code"], found["category"]["description"]) == ("001", "Sales")


def test_accounts_and_their_lines_are_read(found: dict[str, Any], outside: Outside) -> None:
    ours = outside.read("bank_accounts")["bank_accounts"]

    assert [row["current_balance"] for row in found["accounts"]] == [row["current_balance"] for row in ours]
    assert found["account"] == found["accounts"][0]
    assert found["cards"] == sum(row["type"] == "CreditCardAccount" for row in ours)
    assert 0 < len(found["lines"]) <= _PER_PAGE
    assert found["explanations"] >= len(found["lines"]) - found["unexplained"]

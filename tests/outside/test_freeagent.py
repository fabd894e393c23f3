"""The PyPI package `freeagent` 0.3.1 signs in, renews its token, reads every list whole and explains a bank line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.outside.conftest import Outside

pytestmark = [pytest.mark.sdk, pytest.mark.xdist_group("outside")]

_PNG = bytes.fromhex("89504e470d0a1a0a")


@pytest.fixture(scope="module")
def before(outside: Outside) -> dict[str, int]:
    """Counts before anything was written; more contacts than one page holds."""
    outside.change([{"do": "add", "resource": "contacts"}] * 130)
    return outside.counts()


@pytest.fixture(scope="module")
def found(
    outside: Outside,
    before: dict[str, int],
    interpreter: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What came of one run of the client."""
    folder = tmp_path_factory.mktemp("freeagent")
    picture, outcome = folder / "lunch.png", folder / "outcome.json"
    picture.write_bytes(_PNG)
    [period] = outside.read("company")["company"]["annual_accounting_periods"][-1:]
    driver = Path(__file__).with_name("drive_freeagent.py")
    given = (outside.url, *outside.app("https://localhost/"), picture, outcome, period["starts_on"], period["ends_on"])
    outside.run(
        [str(interpreter("freeagent")), "-I", "-u", str(driver), *map(str, given)], OAUTHLIB_INSECURE_TRANSPORT="1"
    )
    return dict(json.loads(outcome.read_text()))


def test_every_list_is_read_whole(found: dict[str, Any], before: dict[str, int]) -> None:
    assert found["lists"] == {name: before[name] for name in found["lists"]}
    assert found["lists"]["contacts"] > 100
    assert sum(found["lines"].values()) == before["bank_transactions"]


def test_a_token_that_ran_out_is_renewed(found: dict[str, Any]) -> None:
    assert found["tokens"] == 2


def test_accounts_and_categories_are_found_by_name(found: dict[str, Any], outside: Outside) -> None:
    groups = outside.read("categories")
    name, again, by_name, paypal, number = found["accounts"]

    assert found["categories"] == sum(map(len, groups.values()))
    assert found["mileage"] == ["249", "Mileage", f"{outside.url}/v2/categories/249"]
    assert (name, by_name, paypal) == (again, number, None)


def test_the_ledger_is_read_by_nominal_code(found: dict[str, Any], outside: Outside) -> None:
    [period] = outside.read("company")["company"]["annual_accounting_periods"][-1:]
    rows = outside.read(
        "accounting/transactions", nominal_code="285", from_date=period["starts_on"], to_date=period["ends_on"],
        per_page="100",
    )["transactions"]  # fmt: skip

    assert 0 < len(rows) <= found["ledger"] + 1  # the explanation written since has left the code again


def test_a_bank_line_is_explained_with_a_file_and_explained_anew(found: dict[str, Any]) -> None:
    line = found["explained"]
    [explanation] = line["bank_transaction_explanations"]

    assert line["url"] == found["unexplained"][0]
    assert line["unexplained_amount"] == "0.0"
    assert (explanation["category"][-3:], explanation["description"]) == ("250", "Lamps")
    file = explanation["attachment"]
    assert (file["file_name"], file["content_type"], file["file_size"]) == ("lunch.png", "image/png", len(_PNG))

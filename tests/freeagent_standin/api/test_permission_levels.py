"""What a user of each level may read: everything from the resource's level up, nothing below."""

from __future__ import annotations

import msgspec
import pytest
from tests.freeagent_standin.reader import Reader, fresh, known, number

LEVELS = {
    "company": 1,
    "users/me": 1,
    "email_addresses": 1,
    "contacts": 1,
    "categories": 2,
    "expenses": 2,
    "projects": 3,
    "invoices": 4,
    "credit_notes": 4,
    "credit_note_reconciliations": 4,
    "price_list_items": 4,
    "stock_items": 4,
    "bills": 5,
    "bank_accounts": 6,
    "bank_transactions": 6,
    "bank_transaction_explanations": 6,
    "users": 7,
    "journal_sets": 7,
    "journal_sets/opening_balances": 7,
    "accounting/transactions": 7,
    "accounting/profit_and_loss/summary": 7,
    "accounting/balance_sheet": 7,
    "accounting/balance_sheet/opening_balances": 7,
    "cashflow": 6,
    "accounting/trial_balance/summary": 7,
    "accounting/trial_balance/summary/opening_balances": 7,
}


@pytest.mark.parametrize(("path", "least"), LEVELS.items())
def test_a_resource_is_open_from_its_level_up(path: str, least: int) -> None:
    world = known("small")
    account = next(iter(world.bank_accounts)).id
    asked = {"bank_account": account, "from_date": "2026-01-01", "to_date": "2026-03-31"}

    answers = [Reader(world, level=level).call(path, **asked) for level in range(9)]

    assert [given.status for given in answers] == [403] * least + [200] * (9 - least)
    for given in answers[:least]:
        message = msgspec.json.decode(given.body)["errors"]["error"]["message"]
        assert "permission" in message


@pytest.mark.parametrize(
    "path", [path for path in LEVELS if "/" not in path and path not in ("company", "stock_items", "cashflow")]
)
def test_a_single_record_needs_the_level_of_its_list(path: str) -> None:
    world = known("small")
    if path in ("categories", "email_addresses"):
        return
    record = number(Reader(world).all(path)[0]["url"])
    least = LEVELS[path]

    assert Reader(world, level=least - 1).call(f"{path}/{record}").status == 403
    if path != "expenses":
        assert Reader(world, level=least).call(f"{path}/{record}").status == 200


def test_below_a_level_even_what_does_not_exist_is_forbidden() -> None:
    assert Reader(known("small"), level=3).call("invoices/1").status == 403


def test_somebody_of_level_two_sees_own_claims_only() -> None:
    world = fresh()
    owner, staff = world.users[:2]
    made = world.mutate({"do": "add", "resource": "expenses", "set": {"user": staff.id}}, Reader(world).now)
    owners = Reader(world, level=2, user=owner.id)
    staffs = Reader(world, level=2, user=staff.id)

    assert [number(row["url"]) for row in staffs.all("expenses")] == [made["id"]]
    assert {row["user"] for row in owners.all("expenses")} == {owners.get("users/me")["user"]["url"]}
    assert len(owners.all("expenses")) + 1 == len(Reader(world).all("expenses"))
    assert owners.call(f"expenses/{made['id']}").status == 403
    assert staffs.call(f"expenses/{made['id']}").status == 200


def test_a_file_needs_the_level_of_the_record_it_hangs_on() -> None:
    world = known("small", 2)
    [bill] = [row for row in Reader(world).all("bills") if "attachment" in row][:1]
    path = f"attachments/{number(bill['attachment']['url'])}"

    assert Reader(world, level=4).call(path).status == 403
    assert Reader(world, level=5).call(path).status == 200

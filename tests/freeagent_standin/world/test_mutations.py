"""Running books are changed by operations: they stay true, refuse nonsense in a sentence, and can be played again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from tests.freeagent_standin.reader import NOON, PER_ACCOUNT, Reader, fresh, known, number

from freeagent_standin.world import World

Op = dict[str, Any]
ADDABLE = (
    "bank_transactions",
    "bills",
    "contacts",
    "credit_notes",
    "estimates",
    "expenses",
    "invoices",
    "notes",
    "price_list_items",
    "projects",
    "recurring_invoices",
    "tasks",
    "timeslips",
)


def assert_true(world: World) -> None:
    reader = Reader(world)
    assert sum(reader.trial_balance().values()) == 0
    for name, count in world.counts().items():
        if name in world.tables():
            assert len(reader.all(name)) == count, name


@pytest.mark.parametrize("resource", ADDABLE)
def test_a_record_that_is_added_is_listed_once_and_read_singly(resource: str) -> None:
    world = fresh()
    before = world.counts()

    made = world.mutate({"do": "add", "resource": resource}, NOON)

    [single] = Reader(world).get(made["url_path"]).values()
    assert made["url_path"] == f"{resource}/{made['id']}"
    assert single["updated_at"] == "2026-03-31T12:00:00.000Z"
    assert [number(row["url"]) for row in Reader(world).all(resource)].count(made["id"]) == 1
    assert world.counts() == before | {resource: before[resource] + 1}
    assert_true(world)


def test_what_is_set_is_what_is_read() -> None:
    world = fresh()
    reader = Reader(world)
    contact = world.mutate({"do": "add", "resource": "contacts", "set": {"organisation_name": "Ünïcode & Söhne"}}, NOON)
    wanted = {
        "contact": f"http://elsewhere/v2/contacts/{contact['id']}",
        "dated_on": "2026-03-30",
        "payment_terms_in_days": 7,
        "currency": "EUR",
        "invoice_items": [{"description": "Étude", "price": "12.5", "quantity": 3, "sales_tax_rate": "0"}],
    }

    made = world.mutate({"do": "add", "resource": "invoices", "set": wanted}, NOON)

    invoice = reader.get(made["url_path"])["invoice"]
    assert invoice["contact_name"] == "Ünïcode & Söhne"
    assert (invoice["dated_on"], invoice["due_on"], invoice["currency"]) == ("2026-03-30", "2026-04-06", "EUR")
    assert (invoice["net_value"], invoice["total_value"]) == ("37.5", "37.5")
    assert invoice["invoice_items"][0]["description"] == "Étude"


def test_a_payment_settles_a_document_and_a_deleted_one_opens_it_again() -> None:
    world = fresh()
    reader = Reader(world)
    invoice = world.mutate({"do": "add", "resource": "invoices"}, NOON)["id"]

    part = world.mutate({"do": "pay", "resource": "invoices", "id": invoice, "amount": "20.0"}, NOON)
    after_part = reader.get(f"invoices/{invoice}")["invoice"]
    world.mutate({"do": "pay", "resource": "invoices", "id": invoice}, NOON + timedelta(seconds=9))
    after_all = reader.get(f"invoices/{invoice}")["invoice"]
    world.mutate({"do": "delete", "resource": "bank_transaction_explanations", "id": part["explanation"]}, NOON)
    at_last = reader.get(f"invoices/{invoice}")["invoice"]

    assert (after_part["status"], after_part["due_value"], after_part["paid_value"]) == ("Open", "100.0", "20.0")
    assert (after_all["status"], after_all["due_value"], after_all["updated_at"][14:19]) == ("Paid", "0.0", "00:09")
    assert (at_last["status"], at_last["due_value"]) == ("Open", "20.0")
    assert_true(world)


def test_a_payment_can_leave_the_document_untouched() -> None:
    world = fresh()
    bill = world.mutate({"do": "add", "resource": "bills"}, NOON)["id"]
    later = NOON + timedelta(hours=1)

    world.mutate({"do": "pay", "resource": "bills", "id": bill, "touch": False}, later)

    read = Reader(world).get(f"bills/{bill}")["bill"]
    assert (read["status"], read["updated_at"]) == ("Paid", "2026-03-31T12:00:00.000Z")


def test_an_invoice_is_written_off_once() -> None:
    world = fresh()
    invoice = world.mutate({"do": "add", "resource": "invoices"}, NOON)["id"]
    op = {"do": "write_off", "resource": "invoices", "id": invoice}

    world.mutate(op, NOON)

    assert Reader(world).get(f"invoices/{invoice}")["invoice"]["status"] == "Written-off"
    with pytest.raises(ValueError, match="written off"):
        world.mutate(op, NOON)
    assert_true(world)


def test_a_transfer_moves_money_between_two_accounts() -> None:
    world = fresh()
    source, target = list(world.bank_accounts)[:2]
    before = world.balance(source), world.balance(target)

    world.mutate({"do": "transfer", "from": source.id, "to": target.id, "amount": "12.34"}, NOON)

    assert (world.balance(source), world.balance(target)) == (before[0] - 1_234, before[1] + 1_234)
    assert_true(world)


def test_a_deleted_bank_line_takes_its_explanations_along_and_opens_what_they_paid() -> None:
    world = fresh()
    invoice = world.mutate({"do": "add", "resource": "invoices"}, NOON)["id"]
    paid = world.mutate({"do": "pay", "resource": "invoices", "id": invoice}, NOON)
    line = world.explanations[paid["explanation"]].transaction

    world.mutate({"do": "delete", "resource": "bank_transactions", "id": line}, NOON)

    assert Reader(world).get(f"invoices/{invoice}")["invoice"]["status"] == "Open"
    assert world.explanations.get(paid["explanation"]) is None
    assert_true(world)


def test_a_deleted_transfer_leaves_neither_side_explained() -> None:
    world = fresh()
    source, target = list(world.bank_accounts)[:2]
    made = world.mutate({"do": "transfer", "from": source.id, "to": target.id, "amount": "5"}, NOON)
    other = world.explanations[made["id"]].linked_explanation
    assert other is not None

    world.mutate({"do": "delete", "resource": "bank_transaction_explanations", "id": made["id"]}, NOON)

    assert world.explanations.get(other) is None
    assert_true(world)


def test_business_goes_on_while_time_passes() -> None:
    world = fresh("medium")
    before = world.counts()

    told = world.mutate({"do": "advance", "days": 30}, NOON)

    later = Reader(world, now=NOON + timedelta(days=30))
    gained = {name: count - before[name] for name, count in world.counts().items() if count != before[name]}
    assert told == {"days": 30, "added": gained}
    assert {"invoices", "bills", "bank_transactions", "bank_transaction_explanations"} <= set(gained)
    changed = later.all("invoices", updated_since="2026-03-31T12:00:00Z")
    assert len(changed) >= gained["invoices"] > 0
    assert max(row["updated_at"] for row in changed) <= "2026-04-30T12:00:00.000Z"
    assert min(row["dated_on"] for row in changed if row["created_at"] > "2026-03-31T12") > "2026-03-31"
    assert_true(world)


def test_a_changed_amount_reaches_document_and_trial_balance() -> None:
    world = fresh()
    reader = Reader(world)
    made = world.mutate({"do": "add", "resource": "invoices"}, NOON)
    before = reader.trial_balance()
    items = [{"description": "Work", "price": "150.0"}]

    world.mutate({"do": "change", "resource": "invoices", "id": made["id"], "set": {"invoice_items": items}}, NOON)

    after = reader.trial_balance()
    assert reader.get(made["url_path"])["invoice"]["total_value"] == "180.0"
    assert after["681"] - before["681"] == Decimal("60.0")
    assert after["001"] - before["001"] == Decimal("-50.0")
    assert_true(world)


def test_a_person_is_renamed_and_given_another_level() -> None:
    world = fresh()
    user = world.users[1].id

    world.mutate(
        {"do": "change", "resource": "users", "id": user, "set": {"last_name": "Ó Briain", "permission_level": 5}}, NOON
    )

    read = Reader(world).get(f"users/{user}")["user"]
    assert (read["last_name"], read["permission_level"]) == ("Ó Briain", 5)


REFUSED: list[Op] = [
    {},
    {"do": None},
    {"do": ["add"]},
    {"do": "dance"},
    {"do": "add"},
    {"do": "add", "resource": "nothing"},
    {"do": "add", "resource": ["invoices"]},
    {"do": "add", "resource": "users", "set": {"role": "King"}},
    {"do": "add", "resource": "contacts", "set": {"status": "Asleep"}},
    {"do": "add", "resource": "invoices", "set": {"currency": "XYZ"}},
    {"do": "add", "resource": "bank_accounts", "set": {"type": "Jar"}},
    {"do": "add", "resource": "invoices", "colour": "red"},
    {"do": "add", "resource": "invoices", "set": {"colour": "red"}},
    {"do": "add", "resource": "invoices", "set": ["colour"]},
    {"do": "add", "resource": "invoices", "set": {"contact": 7}},
    {"do": "add", "resource": "invoices", "set": {"dated_on": "31/03/2026"}},
    {"do": "add", "resource": "invoices", "set": {"invoice_items": [7]}},
    {"do": "add", "resource": "invoices", "set": {"invoice_items": {"price": 1}}},
    {"do": "add", "resource": "invoices", "set": {"invoice_items": [{"price": "much"}]}},
    {"do": "add", "resource": "invoices", "set": {"invoice_items": [{"price": "1e400000"}]}},
    {"do": "add", "resource": "invoices", "set": {"invoice_items": [{"price": "NaN"}]}},
    {"do": "add", "resource": "invoices", "set": {"invoice_items": [{"category": "750"}]}},
    {"do": "add", "resource": "invoices", "set": {"invoice_items": [{"category": "905"}]}},
    {"do": "add", "resource": "invoices", "set": {"status": "Paid"}},
    {"do": "add", "resource": "invoices", "set": {"payment_terms_in_days": "soon"}},
    {"do": "add", "resource": "bank_transactions", "set": {"amount": 0}},
    {"do": "add", "resource": "bank_transactions", "set": {"amount": "1.234"}},
    {"do": "add", "resource": "bank_transactions", "set": {"bank_account": 1}},
    {"do": "add", "resource": "credit_note_reconciliations"},
    {"do": "add", "resource": "bank_transaction_explanations"},
    {"do": "change", "resource": "invoices"},
    {"do": "change", "resource": "invoices", "id": "x"},
    {"do": "change", "resource": "invoices", "id": 1},
    {"do": "change", "resource": "invoices", "id": 100_001, "set": {"contact": None}},
    {"do": "change", "resource": "bank_transactions", "id": 2_000_001, "set": {"amount": 1}},
    {"do": "change", "resource": "users", "id": 101, "set": {"permission_level": 9}},
    {"do": "delete", "resource": "invoices"},
    {"do": "delete", "resource": "invoices", "id": "9" * 5_000},
    {"do": "delete", "resource": "users", "id": 101},
    {"do": "delete", "resource": "bank_accounts", "id": 5_001},
    {"do": "delete", "resource": "contacts", "id": 2_001},
    {"do": "pay", "resource": "contacts", "id": 2_001},
    {"do": "pay", "resource": "invoices", "id": 100_001, "amount": "-5"},
    {"do": "transfer", "from": 5_001, "to": 5_001, "amount": 1},
    {"do": "transfer", "from": 5_001, "to": 5_002, "amount": 0},
    {"do": "transfer", "from": 5_001},
    {"do": "advance", "days": 0},
    {"do": "advance", "days": "many"},
    {"do": "advance", "days": 10_000},
]


@pytest.mark.parametrize("op", REFUSED, ids=str)
def test_nonsense_is_refused_in_a_sentence_and_changes_nothing(op: Op) -> None:
    world = fresh(60, 2)
    op = op | ({"id": next(iter(world.tables()[op["resource"]])).id} if is_by_place(op) else {})
    before = Reader(world).fingerprint()

    with pytest.raises(ValueError, match=r"\S.*\.$"):
        world.mutate(dict(op), NOON)

    assert Reader(world).fingerprint() == before


def is_by_place(op: Op) -> bool:
    """Ids given above are those of the first records of company 1."""
    return isinstance(op.get("id"), int) and op["id"] > 100 and isinstance(op.get("resource"), str)


@pytest.mark.parametrize("seed", range(1, 13))
def test_books_stay_true_through_any_changes_and_play_again_the_same(seed: int) -> None:
    world = fresh(40, seed)
    rng = Random(seed)
    done: list[tuple[Op, int]] = []
    refused: list[str] = []
    for step in range(80):
        op = any_change(world, rng)
        done.append((op, step))
        try:
            world.mutate(dict(op), NOON + timedelta(seconds=step))
        except ValueError as problem:
            refused.append(str(problem))

    assert all(sentence.endswith(".") for sentence in refused), refused
    assert_true(world)
    again = fresh(40, seed)
    for op, step in done:
        try:
            again.mutate(dict(op), NOON + timedelta(seconds=step))
        except ValueError:
            continue
    assert Reader(again).fingerprint() == Reader(world).fingerprint()


def any_change(world: World, rng: Random) -> Op:
    tables = world.tables()
    resource = rng.choice(sorted(tables))
    rows = list(tables[resource])
    record = rng.choice(rows).id if rows else 1
    match rng.randrange(5):
        case 0:
            return {"do": "add", "resource": resource, "set": some_settings(world, resource, rng)}
        case 1:
            return {"do": "delete", "resource": resource, "id": record}
        case 2:
            documents = rng.choice(("invoices", "bills", "credit_notes"))
            rows = list(tables[documents])
            return {"do": "pay", "resource": documents, "id": rng.choice(rows).id if rows else 1}
        case 3:
            return {"do": "advance", "days": rng.randint(1, 3)}
        case _:
            return {"do": "change", "resource": resource, "id": record, "set": some_settings(world, resource, rng)}


def some_settings(world: World, resource: str, rng: Random) -> Op:
    day = f"2026-03-{rng.randint(10, 30)}"
    contact = rng.choice(list(world.contacts)).id
    price = f"{rng.randint(1, 500)}.{rng.randint(0, 99):02d}"
    settings: dict[str, Op] = {
        "invoices": {"dated_on": day, "contact": contact, "invoice_items": [{"price": price, "quantity": "1.3333"}]},
        "credit_notes": {"dated_on": day, "credit_note_items": [{"price": f"-{price}"}]},
        "bills": {"dated_on": day, "contact": contact, "bill_items": [{"total_value": price}]},
        "expenses": {"dated_on": day, "gross_value": f"-{price}"},
        "bank_transactions": {"dated_on": day, "amount": f"-{price}"},
        "contacts": {"organisation_name": "Changed"},
    }
    return settings.get(resource, {}) if rng.random() < 0.8 else {}


def test_counts_are_what_a_full_pull_sees() -> None:
    for size in ("small", 50):
        world = known(size)
        reader = Reader(world)
        counts = world.counts()
        seen = {name: len(reader.all(name)) for name in (*world.tables(), *PER_ACCOUNT)}
        seen["categories"] = sum(len(group) for group in reader.get("categories", sub_accounts="true").values())
        seen["company"] = len(reader.get("company"))
        seen["stock_items"] = len(reader.all("stock_items"))

        assert seen == counts

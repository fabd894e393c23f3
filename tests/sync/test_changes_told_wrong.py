"""Changes that are asked for and not given, lists that move, records that others tell of: each is held as it is."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from tests.sync.kept import SIZE, Kept, stopping_engine

from comptoir.integrations.contract import Resource
from comptoir.jobs import Stopped
from comptoir.store import Database
from comptoir.upstream.client import Page


def _told_more(page: Page) -> Page:
    return msgspec.structs.replace(page, records=[(part, b'{"more":1,' + body[1:]) for part, body in page.records])


def test_records_that_shift_while_changes_are_read_are_not_lost(shared_db: Database) -> None:
    kept = Kept(shared_db)
    changed = list(kept.held("bills"))[: 2 * SIZE + 1]
    for id_ in changed:
        kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
    victim = next(
        str(one.id) for one in kept.world.bills if kept.world.due(one) == one.total and str(one.id) in changed
    )

    def one_goes_and_one_comes(resource: str, number: int) -> None:
        if (resource, number) == ("bills", 1):
            kept.reader.after = lambda *_: None
            kept.edit(do="delete", resource="bills", id=victim)
            kept.edit(do="add", resource="bills")

    kept.on(timedelta(minutes=1))
    kept.reader.after = one_goes_and_one_comes

    kept.books.sync("bills")

    assert kept.held("bills") == kept.served("bills")


def test_a_check_does_not_stand_after_a_read_that_changed_something_and_was_stopped(shared_db: Database) -> None:
    kept = Kept(shared_db)
    assert kept.books.sync().stands
    kept.on(timedelta(minutes=5))
    kept.reader.answers = lambda resource, page: (
        _told_more(page) if resource.name == "closing_balances" else page  # nothing is made of it
    )
    stopping = [False]

    def stop(resource: str, number: int) -> None:
        stopping[0] = resource == "closing_balances"

    kept.reader.after = stop
    kept.books.engine = stopping_engine(kept, stopping)
    with pytest.raises(Stopped):
        kept.books.sync()
    kept.reader.after = lambda *_: None
    stopping[0] = False

    assert not kept.books.sync().stands


def test_a_check_does_not_stand_after_a_list_that_changed_and_was_read_twice(shared_db: Database) -> None:
    kept = Kept(shared_db)
    assert kept.books.sync().stands
    kept.on(timedelta(minutes=5))
    kept.edit(do="change", resource="journal_sets", id=kept.some("journal_sets"), set={"tag": "Changed."})

    def another_tag(resource: str, number: int) -> None:
        if resource == "journal_sets":
            kept.reader.after = lambda *_: None

    kept.reader.after = another_tag

    assert not kept.books.sync().stands


def test_a_line_explained_anew_is_asked_for_though_another_account_is_read_whole(shared_db: Database) -> None:
    kept = Kept(shared_db, seed=7, page_size=6)
    explained = kept.held("bank_transaction_explanations")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in kept.held("bank_transactions").values())
    [(longest, _), (other, _)] = lines.most_common(2)
    id_ = next(id_ for id_, body in explained.items() if f'"bank_account":"{longest}"'.encode() in body)
    line = str(msgspec.json.decode(explained[id_])["bank_transaction"]).rpartition("/")[2]
    before = kept.held("bank_transactions")[line]
    kept.edit(do="change", resource="bank_transaction_explanations", id=id_, set={"gross_value": "-3.21"})
    kept.on(timedelta(minutes=5))
    kept.reader.counts[other] = None

    kept.books.sync("bankTransactions", "payments", "billPayments")

    assert kept.held("bank_transactions")[line] != before
    assert kept.held("bank_transactions") == kept.served("bank_transactions")


def test_a_customer_whose_invoice_went_to_another_one_is_read_again(shared_db: Database) -> None:
    kept = Kept(shared_db)
    invoices = [msgspec.json.decode(body) for body in kept.held("invoices").values()]
    invoice = next(one for one in invoices if one["status"] == "Open")
    former = invoice["contact"].rpartition("/")[2]
    other = next(id_ for id_ in kept.held("contacts") if id_ != former)
    before = kept.held("contacts")
    kept.edit(do="change", resource="invoices", id=invoice["url"].rpartition("/")[2], set={"contact": other})

    kept.books.sync()

    held = kept.held("contacts")
    assert held[former] != before[former]
    assert held == kept.served("contacts")


def test_an_invoice_paid_behind_the_page_that_told_it_is_read_again(shared_db: Database) -> None:
    """The payment is known before the list of invoices has ended; it does not date the invoice."""
    kept = Kept(shared_db)
    kept.on(timedelta(days=40))
    is_paid, is_told = threading.Event(), threading.Event()
    paid = ""

    def pay(resource: Resource, page: Page) -> Page:
        nonlocal paid
        if resource.name == "bank_accounts":
            is_paid.wait(5)  # what was paid is read after it
        if resource.name == "invoices" and not paid:
            told = [msgspec.json.decode(body) for _, body in page.records]
            paid = next((one["url"].rpartition("/")[2] for one in told if one["status"] in ("Open", "Overdue")), "")
            if paid:
                kept.reader.now += timedelta(minutes=1)
                kept.edit(do="pay", resource="invoices", id=paid, amount="1.00", touch=False)
                is_paid.set()
                is_told.wait(5)
        return page

    def tell(resource: str, number: int) -> None:
        if resource == "bank_transaction_explanations":
            is_told.set()

    kept.reader.answers, kept.reader.after = pay, tell

    kept.books.sync("invoices", "payments")

    assert kept.held("invoices")[paid] == kept.served("invoices")[paid]

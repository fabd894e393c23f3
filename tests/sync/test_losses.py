"""Lists that lack records, for a while or for good: what is gone is found, and nothing else is taken away."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from tests.sync.kept import Kept, deleted, emptied, shortened, spoiled, unpaid, without

from comptoir.errors import TryLater
from comptoir.integrations.contract import Resource
from comptoir.store import Database, cursors
from comptoir.sync import sweep
from comptoir.upstream.client import Page


def test_a_count_that_lost_a_fifth_takes_nothing_away_that_is_there(shared_db: Database) -> None:
    kept = Kept(shared_db)
    before = kept.held("bills")
    kept.reader.counts["bills"] = len(before) // 2
    kept.reader.answers = lambda resource, page: shortened(page) if resource.name == "bills" else page

    kept.books.sync("bills")

    assert kept.held("bills") == before
    assert "None is marked deleted until a later sync" in kept.warnings("bills")
    assert (1, False) in kept.reader.of("bills")  # more than can be searched for
    kept.reader.counts.clear()
    kept.reader.answers = lambda _, page: page
    kept.on(timedelta(hours=1))
    kept.books.sync("bills")
    assert kept.held("bills") == before
    assert "marked deleted" not in kept.warnings("bills")


def test_a_list_that_is_suddenly_empty_takes_nothing_away_that_is_there(shared_db: Database) -> None:
    kept = Kept(shared_db)
    before = kept.held("invoices")
    kept.reader.counts["invoices"] = 0
    kept.reader.answers = lambda resource, page: emptied(page) if resource.name == "invoices" else page

    kept.books.sync("invoices")

    assert kept.held("invoices") == before
    assert "None is marked deleted until a later sync" in kept.warnings("invoices")


def test_one_account_of_many_that_is_suddenly_empty_loses_no_line(
    shared_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less than a fifth of all lines, and more than would be asked for by themselves."""
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 2)
    kept = Kept(shared_db)
    before = kept.held("bank_transactions")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in before.values())
    account = min((one for one in lines if lines[one] > 2), key=lambda one: lines[one])
    kept.reader.answers = lambda resource, page: (
        emptied(page) if kept.reader.in_hand[2].get("bank_account") == account else page
    )
    kept.on(timedelta(days=40))

    kept.books.sync("bankTransactions")

    assert 2 < lines[account] < len(before) / 5
    assert kept.held("bank_transactions") == before


def test_one_account_of_many_that_is_empty_once_loses_no_line(shared_db: Database) -> None:
    """Less than a fifth of all lines; an outage, in which none of them is there by itself either."""
    kept = Kept(shared_db)
    before = kept.held("bank_transactions")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in before.values())
    account = min((one for one in lines if lines[one] > 2), key=lambda one: lines[one])

    def empty_once(resource: Resource, page: Page) -> Page:
        name, _, params = kept.reader.in_hand
        is_first = kept.reader.asked.count((name, 1, params)) == 1
        is_theirs = name == "bank_transactions" and params["bank_account"] == account
        return emptied(page) if is_theirs and is_first else page

    kept.reader.answers = empty_once
    kept.reader.record = lambda *_: None  # type: ignore[method-assign]  # it is not there for now
    kept.on(timedelta(days=40))

    kept.books.sync("bankTransactions")

    assert lines[account] < len(before) / 5
    assert kept.held("bank_transactions") == before


def test_a_record_deleted_in_one_of_several_accounts_is_looked_for_there_alone(shared_db: Database) -> None:
    kept = Kept(shared_db)
    lines = kept.held("bank_transactions")
    victim = next(id_ for id_ in lines if deleted(kept, id_))

    kept.books.sync("bankTransactions")

    account = msgspec.json.decode(lines[victim])["bank_account"]
    searched = {
        params["bank_account"]
        for name, _, params in kept.reader.asked
        if name == "bank_transactions" and "from_date" in params
    }
    assert searched == {account}
    assert lines.keys() - kept.held("bank_transactions").keys() == {victim}


def test_a_deletion_shows_though_the_list_is_not_counted(shared_db: Database) -> None:
    kept = Kept(shared_db)
    victim = next(str(one.id) for one in kept.world.bills if kept.world.due(one) == one.total)
    kept.edit(do="delete", resource="bills", id=victim)
    kept.reader.counts["bills"] = None

    kept.books.sync("bills")

    assert victim not in kept.held("bills")
    assert kept.held("bills") == kept.served("bills")


def test_records_that_all_turn_unreadable_are_not_taken_for_gone(
    shared_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than would be asked for by themselves, and less than a fifth of the list; the one asked for is gone."""
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 1)
    kept = Kept(shared_db)
    before = kept.held("bank_transactions")
    victim = next(id_ for id_ in sorted(before) if deleted(kept, id_))
    broken = set([id_ for id_ in sorted(before) if id_ > victim][: len(before) // 6])
    kept.reader.answers = lambda _, page: msgspec.structs.replace(
        page, records=[(part, spoiled(body, broken)) for part, body in page.records]
    )
    kept.on(timedelta(days=40))  # read whole again

    kept.books.sync("bankTransactions")

    assert len(broken) > 2
    assert before.keys() - kept.held("bank_transactions").keys() == {victim}


def test_what_could_not_be_read_is_not_forgotten_as_missing_while_another_list_is_read_whole(
    shared_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 1)
    kept = Kept(shared_db, seed=7, page_size=6)
    accounts = {id_: msgspec.json.decode(body)["bank_account"] for id_, body in kept.held("bank_transactions").items()}
    [(longest, _), (other, _)] = Counter(accounts.values()).most_common(2)
    theirs = sorted(id_ for id_, account in accounts.items() if account == longest)
    victim = next(id_ for id_ in theirs if deleted(kept, id_))
    broken = next(id_ for id_ in theirs if id_ > victim)
    kept.reader.answers = lambda _, page: msgspec.structs.replace(
        page, records=[(part, spoiled(body, {broken})) for part, body in page.records]
    )
    with kept.books.db.write() as tx:
        cursors.forget(tx, kept.books.tenant, kept.books.connection, "bank_transactions", [longest.rpartition("/")[2]])
    kept.reader.counts[other] = None

    kept.books.sync("bankTransactions")

    assert broken in kept.held("bank_transactions")


def test_an_account_that_is_empty_once_is_not_believed_while_another_is_read_whole(shared_db: Database) -> None:
    """Nor where each of its lines, asked for by itself, is not there either: an outage, and no second pass agrees."""
    kept = Kept(shared_db, seed=7, page_size=6)
    before = kept.held("bank_transactions")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in before.values())
    _, (other, _), (short, _) = lines.most_common()
    kept.reader.answers = lambda resource, page: (
        emptied(page) if kept.reader.in_hand[2].get("bank_account") == short else page
    )
    kept.reader.record = lambda *_: None  # type: ignore[method-assign]  # it is not there for now
    kept.reader.counts[other] = None

    kept.books.sync("bankTransactions")

    assert kept.held("bank_transactions") == before


@pytest.mark.parametrize("lost", [1, 10])
def test_what_a_list_lacks_for_a_while_is_held_in_its_newest_version_all_the_same(
    shared_db: Database, lost: int
) -> None:
    kept = Kept(shared_db)
    ids = list(kept.held("bills"))
    hidden = set(ids[:lost])
    for id_ in ids:
        kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
        kept.on(timedelta(hours=2))
    kept.reader.answers = lambda resource, page: without(page, hidden) if resource.name == "bills" else page
    kept.reader.counts["bills"] = len(ids) - len(hidden)
    kept.on(timedelta(days=40))
    kept.books.sync("bills")
    kept.reader.answers = lambda _, page: page
    kept.reader.counts.clear()
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert all(b"Changed." in body for body in kept.held("bills").values())
    assert kept.held("bills").keys() == set(ids)


def test_reports_that_are_kept_no_longer_are_not_told_as_lost(shared_db: Database) -> None:
    kept = Kept(shared_db)
    before = kept.held("dated_balances").keys()
    kept.on(timedelta(days=700))

    kept.books.sync("profitAndLoss")

    now = kept.held("dated_balances").keys()
    assert len(before - now) * 5 > len(before)
    assert "dated_balances" not in kept.warnings("profitAndLoss")
    assert len(kept.reader.of("dated_balances")) == len(now)


def test_a_chart_of_accounts_that_is_suddenly_empty_takes_no_account_away(shared_db: Database) -> None:
    kept = Kept(shared_db)
    before = kept.held("categories")
    kept.reader.answers = lambda resource, page: (
        msgspec.structs.replace(page, records=[]) if resource.name == "categories" else page
    )

    kept.books.sync("chartOfAccounts")

    assert kept.held("categories") == before


def test_what_lists_lack_is_not_forgotten_while_another_is_read_whole(shared_db: Database) -> None:
    kept = Kept(shared_db, seed=7, page_size=6)
    lines = {id_: msgspec.json.decode(body) for id_, body in kept.held("bank_transactions").items()}
    by_account: dict[str, list[str]] = {}
    for id_, line in lines.items():
        by_account.setdefault(line["bank_account"], []).append(id_)
    searched, unsearched, of_one_page = sorted(by_account, key=lambda account: -len(by_account[account]))
    assert len(by_account[of_one_page]) <= kept.reader.page_size < len(by_account[unsearched])
    middle = [by_account[account][len(by_account[account]) // 2] for account in (searched, unsearched, of_one_page)]
    gone = {kept.edit(do="delete", resource="bank_transactions", id=one) for one in middle}
    kept.reader.uncounted = unsearched

    kept.books.sync("bankTransactions")

    assert kept.held("bank_transactions") == kept.served("bank_transactions")
    assert lines.keys() - kept.held("bank_transactions").keys() >= gone


def test_lines_that_a_long_list_hides_are_not_gone(shared_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than would all be asked for by themselves, and less than a fifth of the list."""
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 2)
    kept = Kept(shared_db)
    before = kept.held("bank_transactions")
    accounts = {id_: msgspec.json.decode(body)["bank_account"] for id_, body in before.items()}
    [(account, lines)] = Counter(accounts.values()).most_common(1)
    hidden = [id_ for id_, of in accounts.items() if of == account][: lines // 6]
    kept.reader.answers = lambda resource, page: without(page, hidden) if resource.name == "bank_transactions" else page
    kept.on(timedelta(days=40))

    kept.books.sync("bankTransactions")

    assert len(hidden) > 2
    assert kept.held("bank_transactions") == before
    assert "there by themselves" in kept.warnings("bankTransactions")
    kept.on(timedelta(hours=1))
    kept.books.sync("bankTransactions")  # it goes on being read whole: of most that it lacks nobody could say
    assert "there by themselves" in kept.warnings("bankTransactions")


def test_a_list_that_is_empty_after_it_moved_must_say_so_twice(shared_db: Database) -> None:
    """A year's ledger is read again because it moved, and comes back empty: of its lines none can be asked for."""
    kept = Kept(shared_db)
    before = kept.held("ledger_transactions")

    def moved_and_then_empty(resource: Resource, page: Page) -> Page:
        if resource.name != "ledger_transactions":
            return page
        _, number, params = kept.reader.in_hand
        passes = kept.reader.asked.count((resource.name, 1, params))
        if (passes, number) == (1, 1):
            return msgspec.structs.replace(page, records=[*page.records, page.records[0]])
        return emptied(page) if passes == 2 else page

    kept.reader.answers = moved_and_then_empty

    kept.books.sync("journalEntries")

    assert kept.held("ledger_transactions") == before


def test_a_list_that_lacks_something_else_each_time_loses_nothing(shared_db: Database) -> None:
    kept = Kept(shared_db)
    before = kept.held("ledger_transactions")

    def half(resource: Resource, page: Page) -> Page:
        if resource.name != "ledger_transactions":
            return page
        _, _, params = kept.reader.in_hand
        is_odd = kept.reader.asked.count((resource.name, 1, params)) % 2
        rows = [row for row in page.records if zlib.crc32(resource.read(row[1]).id.encode()) % 2 == is_odd]
        return msgspec.structs.replace(page, records=rows, total=None)

    kept.reader.answers = half

    kept.books.sync("journalEntries")

    assert kept.held("ledger_transactions") == before


def test_a_line_that_another_account_lists_now_is_not_told_as_missing(shared_db: Database) -> None:
    kept = Kept(shared_db, seed=7, page_size=6)
    before = kept.held("bank_transactions")
    accounts = {id_: msgspec.json.decode(body)["bank_account"] for id_, body in before.items()}
    longest, *_, short = (account for account, _ in Counter(accounts.values()).most_common())
    line = next(id_ for id_, account in accounts.items() if account == short)

    def moved(resource: Resource, page: Page) -> Page:
        params = kept.reader.in_hand[2]
        if resource.name != "bank_transactions" or params["bank_account"] != longest:
            return without(page, {line}) if resource.name == "bank_transactions" else page
        row = [] if page.has_next or "updated_since" in params else [(page.records[0][0], before[line])]
        return msgspec.structs.replace(page, records=[*page.records, *row], total=None)

    kept.reader.answers = moved
    kept.reader.counts[longest] = list(accounts.values()).count(longest) + 1

    kept.books.sync("bankTransactions")

    assert kept.held("bank_transactions") == before
    assert not kept.warnings("bankTransactions")


def test_nothing_is_gone_while_one_of_those_missing_could_not_be_asked_for(shared_db: Database) -> None:
    kept = Kept(shared_db)
    victims = sorted(unpaid(kept))[:2]
    for id_ in victims:
        kept.edit(do="delete", resource="bills", id=id_)
    own = kept.reader.record

    def refuse(resource: Resource, record_id: str) -> bytes | None:
        if record_id == victims[1]:
            raise TryLater("planted")
        return own(resource, record_id)

    kept.reader.record = refuse  # type: ignore[method-assign]  # for a while
    kept.books.sync("bills")
    assert kept.held("bills").keys() >= set(victims)
    assert "asking for one failed" in kept.warnings("bills")
    kept.reader.record = own  # type: ignore[method-assign]
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert kept.held("bills") == kept.served("bills")

"""The audit trail: it only grows, and whoever changes it past the database's own refusal is found out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import TRAIL_KEY
from tests.operators import an_administrator

from comptoir.errors import MasterKeyWrong
from comptoir.store import Database, TenantId, Vault, events, open_database, tenants, trail
from comptoir.store.trail import Actor, ActorKind, Entry, Proof

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = Actor(kind=ActorKind.OPERATOR, name="ann@example.com", address="203.0.113.7")


def _note(db: Database, tenant: TenantId, action: str = "company.created", subject: str | None = "a company") -> None:
    with db.write() as tx:
        events.audit(tx, tenant, ANN, action, subject, NOON, detail="by hand")


def _proof(db: Database, tenant: TenantId, signs: bytes = TRAIL_KEY) -> Proof:
    with db.read() as tx:
        return trail.verify(tx, tenant, "Lender", signs)


def _entries(db: Database, tenant: TenantId, **more: Any) -> list[Entry]:
    with db.read() as tx:
        return trail.page(tx, tenant, number=1, size=100, **more).rows


@pytest.fixture
def tenant(database: Database) -> TenantId:
    with database.write() as tx:
        return tenants.add(tx, "Lender", NOON).id


def test_an_entry_says_who_did_what_to_what_when_and_from_where(database: Database, tenant: TenantId) -> None:
    _note(database, tenant)

    assert _entries(database, tenant) == [
        Entry(
            number=1,
            at=NOON,
            actor_kind=ActorKind.OPERATOR,
            actor="ann@example.com",
            address="203.0.113.7",
            action="company.created",
            subject="a company",
            detail="by hand",
        )
    ]
    assert _proof(database, tenant).fault is None


def test_an_entry_holds_as_much_of_what_others_wrote_as_is_read(database: Database, tenant: TenantId) -> None:
    writer = Actor(kind=ActorKind.OPERATOR, name="n" * 10_000)
    with database.write() as tx:
        events.audit(tx, tenant, writer, "company.created", "s" * 10_000, NOON, detail="d" * 10_000)

    [entry] = _entries(database, tenant)
    assert [len(one or "") for one in (entry.actor, entry.subject, entry.detail)] == [300, 300, 300]
    assert _proof(database, tenant).fault is None


def test_what_somebody_did_is_found_by_an_index_of_its_own(database: Database, tenant: TenantId) -> None:
    _note(database, tenant)
    with database.write() as tx:
        itself = Actor(kind=ActorKind.ITSELF, name="Comptoir")
        events.audit(tx, tenant, itself, "tokens.opened", "a connection", NOON)
    _note(database, tenant, "company.deleted")

    assert [one.number for one in _entries(database, tenant)] == [3, 2, 1]
    assert [one.number for one in _entries(database, tenant, of_somebody=True)] == [3, 1]
    if database.dialect == "sqlite":
        with database.read() as tx:
            asked = "SELECT * FROM audit WHERE tenant_id = 'x' AND actor_kind <> 'itself' ORDER BY number DESC"
            assert "ix_audit_of_somebody" in str(tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").all())


def test_an_act_that_is_rolled_back_leaves_no_entry(database: Database, tenant: TenantId) -> None:
    _note(database, tenant)
    with database.write() as tx, tx.begin_nested() as undone:
        events.audit(tx, tenant, ANN, "company.deleted", None, NOON)
        undone.rollback()
    _note(database, tenant)

    assert [one.number for one in _entries(database, tenant)] == [2, 1]
    assert _proof(database, tenant).fault is None


def test_acts_side_by_side_make_one_chain(database: Database, tenant: TenantId) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: _note(database, tenant), range(24)))

    assert [one.number for one in _entries(database, tenant)] == list(range(24, 0, -1))
    assert _proof(database, tenant).fault is None


def test_each_tenant_has_a_trail_of_its_own(database: Database, tenant: TenantId) -> None:
    with database.write() as tx:
        other = tenants.add(tx, "Stranger", NOON).id
    _note(database, other, "profile.changed")
    _note(database, tenant)

    assert [one.action for one in _entries(database, tenant)] == ["company.created"]
    assert [one.number for one in _entries(database, other)] == [1]


def test_entries_are_found_by_what_was_done_by_whom_and_from_where(database: Database, tenant: TenantId) -> None:
    _note(database, tenant)
    bob = Actor(kind=ActorKind.API_KEY, name="100% Bob", address="198.51.100.1")
    with database.write() as tx:
        events.audit(tx, tenant, bob, "company.deleted", None, NOON)

    found = {
        words: [one.number for one in _entries(database, tenant, actor=words)]
        for words in ("ANN@", "198.51", "%", "_", "nobody")
    }

    assert found == {"ANN@": [1], "198.51": [2], "%": [2], "_": [], "nobody": []}
    assert [one.number for one in _entries(database, tenant, action="company.deleted")] == [2]


def test_the_database_refuses_to_change_or_remove_entries(database: Database, tenant: TenantId) -> None:
    _note(database, tenant)
    statements = ["UPDATE audit SET action = 'x'", "DELETE FROM audit", "DELETE FROM tenants"]
    if database.dialect == "postgresql":
        statements.append("TRUNCATE audit")
    else:
        columns = "tenant_id, number, at, actor_kind, actor, action, mark"
        for kept in (columns, f"pk, {columns.replace('number', '9')}"):
            given = kept.replace("9", "number")
            statements.append(f"REPLACE INTO audit ({given}) SELECT {kept} FROM audit")

    for statement in statements:
        with pytest.raises(Exception, match=r"only grows|not there, or was deleted"), database.write() as tx:
            tx.exec_driver_sql(statement)

    assert len(_entries(database, tenant)) == 1


def _fault_after(db: Database, tenant: TenantId, *statements: str) -> str:
    """What is found when somebody who has the database itself did this, past the triggers; undone afterwards."""
    with db.write() as tx, tx.begin_nested() as undone:
        if db.dialect == "sqlite":
            for name in ("audit_no_UPDATE", "audit_no_DELETE"):
                tx.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            tx.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            tx.exec_driver_sql(statement)
        fault = trail.verify(tx, tenant, "Lender", TRAIL_KEY).fault
        undone.rollback()
    return fault or "none"


ALTERED = "Entry 3 (2026-03-01T12:00:00.000000Z, {}) is not as it was written."
TAMPERING = [
    *(
        (f"UPDATE audit SET {column} = 'another' WHERE number = 3", ALTERED.format("company.created"))
        for column in ("actor", "address", "subject", "detail", "mark")
    ),
    ("UPDATE audit SET action = 'another' WHERE number = 3", ALTERED.format("another")),
    ("UPDATE audit SET address = NULL WHERE number = 3", ALTERED.format("company.created")),
    ("UPDATE audit SET actor_kind = 'command' WHERE number = 3", ALTERED.format("company.created")),
    (
        "UPDATE audit SET at = '2026-03-01T12:00:01.000000Z' WHERE number = 3",
        "Entry 3 (2026-03-01T12:00:01.000000Z, company.created) is not as it was written.",
    ),
    ("UPDATE audit SET number = 6 WHERE number = 3", "Entry 3 is missing: after number 2 comes number 4."),
    ("DELETE FROM audit WHERE number = 3", "Entry 3 is missing: after number 2 comes number 4."),
    ("DELETE FROM audit WHERE number > 3", "Entry 4 is missing: 5 were written, and the trail ends with number 3."),
    ("DELETE FROM audit", "Entry 1 is missing: 5 were written, and the trail ends with number 0."),
    ("UPDATE audit_heads SET number = 4", "The head of the trail is not as it was written."),
    ("DELETE FROM audit_heads", "The trail, or its head, was removed."),
    ("DELETE FROM audit; DELETE FROM audit_heads", "The trail, or its head, was removed."),
    (
        (
            "DELETE FROM audit WHERE number = 5; "
            "UPDATE audit_heads SET number = 4, mark = (SELECT mark FROM audit WHERE number = 4)"
        ),
        "The head of the trail is not as it was written.",
    ),
    (
        (
            "INSERT INTO audit (tenant_id, number, at, actor_kind, actor, action, mark) "
            "SELECT tenant_id, 6, at, actor_kind, actor, action, mark FROM audit WHERE number = 5"
        ),
        "Entry 6 (2026-03-01T12:00:00.000000Z, company.created) is not as it was written.",
    ),
]


def test_the_first_change_is_named(database: Database, tenant: TenantId) -> None:
    with database.write() as tx:
        an_administrator(tx, tenant, "ann@example.com", NOON)
    for _ in range(5):
        _note(database, tenant)

    found = {statements: _fault_after(database, tenant, *statements.split("; ")) for statements, _ in TAMPERING}

    assert found == dict(TAMPERING)
    assert _proof(database, tenant).fault is None


def test_an_entry_of_another_history_does_not_fit_in(database: Database, tenant: TenantId) -> None:
    """As from a backup after which other things were done: rightly marked, and yet not what was done here."""
    _note(database, tenant)
    with database.write() as tx, tx.begin_nested() as undone:
        events.audit(tx, tenant, ANN, "company.deleted", "a company", NOON, detail="by hand")
        mark = tx.exec_driver_sql("SELECT mark FROM audit WHERE number = 2").scalar_one()
        undone.rollback()
    _note(database, tenant)
    _note(database, tenant)

    fault = _fault_after(
        database, tenant, f"UPDATE audit SET action = 'company.deleted', mark = '{mark}' WHERE number = 2"
    )

    assert fault == "Entry 3 (2026-03-01T12:00:00.000000Z, company.created) is not as it was written."


def test_an_entry_that_the_head_does_not_know_is_named(database: Database, tenant: TenantId) -> None:
    """As when the head is put back to what it was once: rightly sealed, and of a trail that was shorter."""
    _note(database, tenant)
    with database.read() as tx:
        number, mark, seal = tx.exec_driver_sql("SELECT number, mark, seal FROM audit_heads").one()
    _note(database, tenant)

    fault = _fault_after(
        database, tenant, f"UPDATE audit_heads SET number = {number}, mark = '{mark}', seal = '{seal}'"
    )

    assert fault == "Entry 2 was added by other means."


def test_the_trail_of_one_tenant_does_not_pass_for_anothers(database: Database, tenant: TenantId) -> None:
    with database.write() as tx:
        other = tenants.add(tx, "Stranger", NOON).id
    _note(database, other, "profile.changed")
    moved = f"UPDATE {{}} SET tenant_id = '{tenant}' WHERE tenant_id = '{other}'"

    both = _fault_after(database, tenant, moved.format("audit"), moved.format("audit_heads"))
    head = _fault_after(database, tenant, moved.format("audit_heads"))

    assert both.startswith("Entry 1 (")
    assert head == "The head of the trail is not as it was written."


def test_whoever_has_another_key_proves_nothing(database: Database, tenant: TenantId) -> None:
    _note(database, tenant)

    assert (_proof(database, tenant, b"another" * 5).fault or "").startswith("Entry 1 (")


def test_the_key_is_sealed_and_the_same_at_every_start(database: Database) -> None:
    vault = Vault({1: b"k" * 32}, 1)
    with database.write() as tx:
        first = trail.key(tx, vault)

    with database.write() as tx:
        assert trail.key(tx, vault) == first
        assert len(first) == 32
        assert first not in b"".join(row.value for row in tx.execute(sa.text("SELECT value FROM meta")))
        with pytest.raises(MasterKeyWrong):
            trail.key(tx, Vault({1: b"x" * 32}, 1))


def test_nothing_is_noted_without_the_key(migrated_sqlite_url: str) -> None:
    db = open_database(migrated_sqlite_url)
    with db.write() as tx:
        tenant = tenants.add(tx, "Lender", NOON).id

    with pytest.raises(RuntimeError, match="without the audit trail's key"):
        _note(db, tenant)

    db.close()

"""Tables: the migration makes what is declared, every row names its tenant, and no row can mix two tenants' ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.store.house import LATER, NOON, House, a_bank_line, an_invoice, arrived

from comptoir.errors import NotFound
from comptoir.model import SHAPES
from comptoir.store import (
    Database,
    Vault,
    calls,
    changes,
    companies,
    connections,
    cursors,
    datasets,
    events,
    grants,
    leases,
    link_states,
    mappings,
    pages,
    profile,
    raw,
    rereads,
    syncs,
)
from comptoir.store.calls import Made
from comptoir.store.cursors import Cursor
from comptoir.store.history import Change, Layer, Log
from comptoir.store.rereads import Reread
from comptoir.store.syncs import ResourceRead
from comptoir.store.tables import DOCUMENTS, LEASES, METADATA, STANDARD

VAULT = Vault({1: b"k" * 32}, 1)
# Tables that are nobody's: settings of the installation, tenants themselves, failures before anybody is known, which
# processes there are, and what all of them have used of limits that count for all.
_OF_NOBODY = {"meta", "tenants", "sign_in_failures", "leases", "upstream_calls", "upstream_pauses", "upstream_clocks"}


# An index that only PostgreSQL has is compared there.
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migration_makes_exactly_the_declared_tables(database: Database) -> None:
    with database.write() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        found = compare_metadata(context, METADATA)

    assert found == []


def test_declared_checks_and_partial_indexes_are_in_the_database(database: Database) -> None:
    with database.read() as tx:
        inspector = sa.inspect(tx)
        unique = {
            one["name"] for table in ("syncs", "datasets") for one in inspector.get_indexes(table) if one["unique"]
        }
        checks = [one["name"] for one in inspector.get_check_constraints("connections")]

    assert {"ux_syncs_active", "ux_datasets_active"} <= unique
    assert checks == ["ck_connections_status"]


def test_every_table_with_rows_of_a_tenant_names_the_tenant() -> None:
    lacking = {name for name, table in METADATA.tables.items() if "tenant_id" not in table.c}

    assert lacking == _OF_NOBODY
    assert all(not table.c.tenant_id.nullable for name, table in METADATA.tables.items() if name not in _OF_NOBODY)


def test_a_row_below_a_company_or_connection_is_bound_to_all_its_owners_at_once() -> None:
    for name, table in METADATA.tables.items():
        owners = {column for column in ("company_id", "connection_id") if column in table.c}
        if not owners or name in ("sync_settings",):  # "" there stands for the tenant's own
            continue
        bound = {tuple(key.column_keys) for key in table.foreign_key_constraints}
        assert any(owners | {"tenant_id"} == set(keys) for keys in bound), name


def filled(house: House) -> None:
    """A row in every table that can hold one below a company."""
    tenant, company, connection = house.tenant, house.company, house.connection
    house.put("invoices", an_invoice("1"))
    house.put("bankTransactions", a_bank_line("1", "A"))
    house.arrive("invoices", arrived("1", links=[("contact", "contacts", "7")]))
    with house.db.write() as tx:
        mapped = mappings.Mapping(mark=changes.close(tx, tenant, connection), basis="b", version="v", mapped_at=NOON)
        mappings.put(tx, tenant, connection, "invoices", mapped)
        mappings.put_doubts(tx, tenant, connection, "invoices", [mappings.Doubt("invoices", "1", "odd")])
    house.arrive("invoices", arrived("1", b'{"changed":true}', links=[("contact", "contacts", "8")]), now=LATER)
    with house.db.write() as tx:
        sync = syncs.begin(tx, tenant, connection, NOON)
        syncs.read_ended(
            tx, tenant, connection,
            ResourceRead(resource="invoices", sync_id=sync.id, outcome="complete", message=None, level_needed=None, set_aside=0, deleted=0, read_at=NOON),
        )  # fmt: skip
        Log(tenant, connection, sync.id).note(tx, Layer.SOURCE, "invoices", Change.NEW, ["1"])
        pages.commit(tx, tenant, connection, sync.id, "invoices", 1, "", 1, total=1, ids=["1"], now=NOON)
        rereads.note(tx, tenant, connection, [Reread("invoices", "1", NOON, sync.id)])
        calls.keep(tx, tenant, connection, sync.id, [Made(0, "GET", "/invoices", "invoices", 200, 1, 1, 1, ())], NOON)
        cursors.move(tx, tenant, connection, "invoices", Cursor(window_name="", seen=NOON, whole_at=NOON))
        raw.set_aside(
            tx,
            tenant,
            connection,
            sync.id,
            "invoices",
            reason="odd",
            body=b"{",
            now=NOON,
        )
        datasets.queue(tx, tenant, company, connection, "invoices", NOON)
        lease = {"executor": "e", "process": "p", "is_worker": True, "expires_at": 0.0}
        number = tx.execute(sa.insert(LEASES).values(lease).returning(LEASES.c.number)).scalar_one()
        leases.take_turn(tx, tenant, connection, number)
        grants.put(
            tx,
            tenant,
            connection,
            VAULT,
            access_token="a",
            refresh_token="r",
            previous_refresh_token=None,
            expires_at=LATER,
            now=NOON,
        )
        link_states.add(tx, tenant, company, connection, state="s" + connection, browser="b", parameters={}, now=NOON)
        profile.put_sync_settings(tx, tenant, profile.sync_settings(tx, tenant), company)


def naming(db: Database, column: str, value: str) -> Iterator[tuple[str, int]]:
    """Tables with this column, and how many of their rows name the value."""
    with db.read() as tx:
        for name in sa.inspect(tx).get_table_names():
            if column in {one["name"] for one in sa.inspect(tx).get_columns(name)}:
                count = sa.text(f'SELECT count(*) FROM "{name}" WHERE {column} = :value')
                yield name, tx.execute(count, {"value": value}).scalar_one()


def everything(db: Database) -> int:
    with db.read() as tx:
        return sum(
            tx.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one()
            for name in sa.inspect(tx).get_table_names()
            if name not in ("alembic_version", "meta", "sqlite_stat1")
        )


def test_deleting_a_company_removes_every_row_that_names_it(house: House) -> None:
    before = everything(house.db)
    other = house.another_company()
    filled(house)
    filled(other)
    held = everything(house.db)
    standing = {name for name in STANDARD if name not in ("invoices", "bankTransactions")}
    expected = {table.name for table in METADATA.tables.values() if "connection_id" in table.c} - {
        STANDARD[name].name for name in standing
    }
    assert {name for name, count in naming(house.db, "connection_id", house.connection) if count} == expected

    with house.db.write() as tx:
        companies.delete(tx, house.tenant, house.company)

    for column, value in (("company_id", house.company), ("connection_id", house.connection)):
        found = dict(naming(house.db, column, value))
        assert len(found) > 20
        assert set(found.values()) == {0}
    with house.db.read() as tx:
        assert (
            sum(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in DOCUMENTS.values())
            == 2
        )
    assert other.ids("invoices") == ["1"]
    # What is left is what the other company put there: as much as the deleted one had.
    leases_left = 2
    assert held - everything(house.db) == everything(house.db) - leases_left - before + 2


def test_deleting_a_connection_removes_what_was_read_over_it_and_leaves_its_company(house: House) -> None:
    filled(house)

    with house.db.write() as tx:
        connections.delete(tx, house.tenant, house.connection)

    assert {count for _, count in naming(house.db, "connection_id", house.connection)} == {0}
    with house.db.read() as tx:
        assert companies.get(tx, house.tenant, house.company).name == "Toft Bakery"


def test_deleting_finds_its_rows_by_index_however_many_others_there_are(sqlite_url: str) -> None:
    """A table without an index for its owner would be looked through whole for each connection deleted."""
    from comptoir.store import open_database

    db = open_database(sqlite_url)
    with db.read() as tx:
        for name in sa.inspect(tx).get_table_names():
            for key in sa.inspect(tx).get_foreign_keys(name):
                if key["referred_table"] != "connections" or name == "pages":  # pages live no longer than a sync
                    continue
                condition = " AND ".join(f"{column} = 'x'" for column in key["constrained_columns"])
                [plan, *_] = tx.exec_driver_sql(f'EXPLAIN QUERY PLAN SELECT 1 FROM "{name}" WHERE {condition}')
                assert plan[3].startswith(f"SEARCH {name} USING"), plan
    db.close()


@pytest.mark.parametrize("data_type", ["invoices", "transfers"])
def test_the_database_refuses_rows_that_mix_tenants(house: House, stranger: House, data_type: str) -> None:
    assert data_type in SHAPES
    mixed = House(house.db, house.tenant, stranger.company, stranger.connection)
    before = everything(house.db)
    attempts = (
        lambda tx: raw.put(tx, mixed.tenant, mixed.connection, "invoices", [arrived("1")], NOON),
        lambda tx: datasets.queue(tx, mixed.tenant, mixed.company, mixed.connection, data_type, NOON),
        lambda tx: datasets.queue(tx, house.tenant, house.company, stranger.connection, data_type, NOON),
        lambda tx: datasets.queue(tx, stranger.tenant, house.company, stranger.connection, data_type, NOON),
        lambda tx: syncs.begin(tx, mixed.tenant, mixed.connection, NOON),
        lambda tx: grants.put(tx, mixed.tenant, mixed.connection, VAULT, access_token="a", refresh_token="r", previous_refresh_token=None, expires_at=LATER, now=NOON),
        lambda tx: link_states.add(tx, mixed.tenant, mixed.company, mixed.connection, state="s", browser="b", parameters={}, now=NOON),
        lambda tx: events.append(tx, "no such tenant", "x", {}, NOON),  # type: ignore[arg-type]  # any text
    )  # fmt: skip

    for attempt in attempts:
        with pytest.raises(NotFound, match="not there, or was deleted meanwhile"), house.db.write() as tx:
            attempt(tx)
    with pytest.raises(NotFound):
        mixed.put("invoices", an_invoice("1"))

    assert everything(house.db) == before


def test_the_same_ids_in_two_tenants_books_are_two_records(house: House, stranger: House) -> None:
    for one in (house, stranger):
        filled(one)
    stranger.put("invoices", an_invoice("1", note="the stranger's"), now=LATER)

    assert b"the stranger's" not in house.page("invoices").documents[0]
    assert house.page("invoices").total == stranger.page("invoices").total == 1

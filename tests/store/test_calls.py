"""The calls of a sync, kept in many rows while it goes on, and in few once it has ended."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.store.house import NOON, House

from comptoir.store import SyncId, calls
from comptoir.store.calls import Made
from comptoir.store.tables import SYNC_CALLS


def made(at: int) -> Made:
    return Made(at, "GET", f"/v2/bills?page={at}", "bills", 200, 41, 1200, 1, ((60, at),))


@pytest.mark.parametrize("folded", [1, 2, 3, 5, 9])
def test_folding_keeps_every_call_of_the_sync_and_touches_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch, folded: int
) -> None:
    monkeypatch.setattr(calls, "_FOLDED", folded)
    ended, other = ((house.tenant, house.connection, SyncId(name)) for name in ("ended", "other"))
    with house.db.write() as tx:
        for at in (3, 1, 5, 2, 4):
            calls.keep(tx, *ended, [made(at), made(at + 10)], NOON)
            calls.keep(tx, *other, [made(at)], NOON)

        calls.fold(tx, *ended, NOON)

        assert [one.at for one in calls.of_sync(tx, *ended)] == [1, 2, 3, 4, 5, 11, 12, 13, 14, 15]
        assert [one.at for one in calls.of_sync(tx, *other)] == [1, 2, 3, 4, 5]
        mine = sa.and_(SYNC_CALLS.c.tenant_id == house.tenant, SYNC_CALLS.c.sync_id == "ended")
        assert tx.execute(sa.select(sa.func.count()).where(mine)).scalar_one() == -(-5 // folded)

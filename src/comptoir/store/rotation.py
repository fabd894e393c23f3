"""A new master key in the place of the one before, while everything goes on.

The new version is announced by the value that proves the key, and then each sealed value is sealed anew, in short
transactions; one that was replaced meanwhile is left as it is. A rotation that was cut off is taken up where it was.
Former keys stay where they are: backups made before need them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Column, Connection

from comptoir.errors import ActionNeeded
from comptoir.runtime.failpoints import failpoint
from comptoir.store import vault
from comptoir.store.database import Database
from comptoir.store.tables import META
from comptoir.store.vault import Vault

__all__ = ["Rotated", "rotate"]

_AT_ONCE = 100


class Rotated(msgspec.Struct, frozen=True):
    """`version` is that of the key in use now; `is_resumed`: a rotation that was cut off was brought to its end."""

    version: int
    values: int
    is_resumed: bool


def rotate(
    db: Database,
    keys: Vault,
    data_dir: Path,
    *,
    is_key_given: bool,
    should_stop: Callable[[], bool] = lambda: False,
) -> Rotated:
    """Seal every value with a new key, or with the newest that is at hand; `is_key_given` by a setting, not by a file.

    ActionNeeded when the setting holds no newer key than the one in use, MasterKeyWrong when a former one is missing.
    """
    with db.read() as tx:
        in_use, present = vault.versions(tx), _present(tx)
    is_resumed = min(in_use) < present
    version = present if is_resumed else keys.newest
    if not is_resumed and version <= present:
        if is_key_given:
            raise ActionNeeded(
                f"The master key comes from COMPTOIR_MASTER_KEY, which holds no newer one. Set it to {present + 1}:NEW "
                f"{present}:OLD (a new key is made with `openssl rand -base64 32`), start every process of Comptoir "
                "with it, and rotate again."
            )
        if present == 255:
            raise ActionNeeded("There have been 255 master keys, as many as there can be. Restore into a new system.")
        version = present + 1
        vault.add_key(data_dir, version)
    failpoint("rotation.key")
    keys.use(version)
    count = 0
    with db.write() as tx:
        for name in reversed(vault.SEALED_META):  # the proof of the key last: with it the new version holds
            count += _seal_meta_anew(tx, keys, name)
    failpoint("rotation.announced")
    for column in vault.sealed_columns():
        while not should_stop():
            with db.write() as tx:
                done = _seal_anew(tx, keys, column)
            count += done
            failpoint("rotation.sealed")
            if not done:
                break
    return Rotated(version=version, values=count, is_resumed=is_resumed)


def _present(tx: Connection) -> int:
    value: bytes = tx.execute(sa.select(META.c.value).where(META.c.name == vault.CHECK)).scalar_one()
    return value[0]


def _seal_meta_anew(tx: Connection, keys: Vault, name: str) -> int:
    held = tx.execute(sa.select(META.c.value).where(META.c.name == name)).scalar_one_or_none()
    if held is None or held[0] == keys.current:
        return 0
    place = {"tenant": "", "subject": name, "field": ""}
    again = keys.seal(keys.open(held, **place), **place)
    tx.execute(sa.update(META).where(META.c.name == name, META.c.value == held).values(value=again))
    return 1


def _seal_anew(tx: Connection, keys: Vault, column: Column[Any]) -> int:
    """Some values of a column that are sealed with a former key; how many there were."""
    table, subject = column.table, column.table.c[column.info["sealed_for"]]
    key = tuple(column.table.primary_key)
    former = sa.func.substr(column, 1, 1) != bytes([keys.current])
    asked = sa.select(table.c.tenant_id, subject, column, *key).where(table.c.tenant_id.is_not(None), former)
    rows = tx.execute(asked.limit(_AT_ONCE)).all()
    for tenant, whose, held, *values in rows:
        place = {"tenant": tenant, "subject": whose, "field": column.name}
        again = keys.seal(keys.open(held, **place), **place)
        mine = sa.and_(table.c.tenant_id == tenant, *(one == value for one, value in zip(key, values, strict=True)))
        tx.execute(sa.update(table).where(mine, column == held).values({column: again}))
    return len(rows)

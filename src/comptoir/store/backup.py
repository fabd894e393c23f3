"""Copies of a whole database: a folder with one SQLite file that any tool opens, and a manifest that proves it whole.

Copies of PostgreSQL are SQLite files too, so one is restored into either. Secrets stay sealed in them, and the master
key is not among them. Sign-ins, links for passwords and approvals under way are left out: nobody
should be let in by an old copy.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from comptoir.errors import ActionNeeded
from comptoir.store.soundness import faults
from comptoir.store.tables import METADATA

__all__ = ["FILE", "MANIFEST", "Manifest", "copy_file", "expired", "make", "verified"]

FILE, MANIFEST = "comptoir.db", "manifest.json"
# Of people and processes, not of books.
_LEFT_OUT = ("sessions", "password_links", "link_states", "sign_in_failures", "turns", "leases")
_PAGES_AT_ONCE = 1000
_CHUNK = 1024 * 1024
_FORMAT = 1


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a copy holds. `sha256` is of the file, `signature` of everything else that stands here."""

    format: int = _FORMAT
    made_at: datetime
    keep_until: datetime
    version: str
    made_from: str
    bytes: int
    sha256: str
    rows: dict[str, int]
    signature: str = ""

    @property
    def companies(self) -> int:
        return self.rows.get("companies", 0)


def make(
    folder: Path,
    fill: Callable[[Path], None],
    *,
    now: datetime,
    keep: timedelta,
    version: str,
    made_from: str,
) -> Manifest:
    """Make a copy in `folder`, whole or not at all: `fill` writes the database to the file it is given.

    Raises ActionNeeded when the folder is there already or cannot be written, or the copy turns out to be unsound.
    """
    if folder.exists():
        raise ActionNeeded(f"{folder} is there already. Give the backup a folder of its own.")
    draft = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(draft, ignore_errors=True)  # of a backup that was killed
        draft.mkdir(parents=True, mode=0o700)
        file = draft / FILE
        fill(file)
        file.chmod(0o600)
        rows = _settled(file)
        manifest = Manifest(
            made_at=now,
            keep_until=now + keep,
            version=version,
            made_from=made_from,
            bytes=file.stat().st_size,
            sha256=_hash_of(file),
            rows=rows,
        )
        manifest = msgspec.structs.replace(manifest, signature=_signature(manifest))
        (draft / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        for one in (file, draft / MANIFEST, draft):
            _sync(one)
        draft.rename(folder)
        _sync(folder.parent)
        return manifest
    except OSError as error:
        raise ActionNeeded(
            f"The backup cannot be written to {folder}: {error.strerror}. Make room, or choose another place; nothing "
            "was kept of it."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def copy_file(
    tx: Connection, to: Path, *, tell: Callable[[int, int], None], should_stop: Callable[[], bool] = lambda: False
) -> bool:
    """The SQLite database as `tx` sees it, page by page, while others write; False if it was to stop.

    `tell` is called with the pages copied so far and all there are.
    """
    source = tx.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)
    source.execute("SELECT 1 FROM meta LIMIT 1").fetchall()  # from here on this is the state that is copied

    def look(_: int, remaining: int, total: int) -> None:
        if should_stop():
            raise InterruptedError
        tell(total - remaining, total)

    target = sqlite3.connect(to, isolation_level=None)
    try:
        source.backup(target, pages=_PAGES_AT_ONCE, progress=look)
    except InterruptedError:
        return False
    finally:
        target.close()
    return True


def _settled(file: Path) -> dict[str, int]:
    """Make a fresh copy one file that stands for itself, and look whether it is sound; the rows of each table."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        for table in _LEFT_OUT:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        connection.execute("PRAGMA journal_mode=DELETE")  # no other file beside it, so it opens in a read-only place
        if found := faults(connection):
            raise ActionNeeded(f"The database is damaged, so no backup was made of it: {found[0]}.")
        return {table.name: _count(connection, table.name) for table in METADATA.sorted_tables}
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise ActionNeeded("The disk is full, so no backup was made. Make room and start it again.") from error
        raise ActionNeeded(f"The database is damaged, so no backup was made of it: {error}.") from error
    finally:
        connection.close()


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names


def verified(folder: Path) -> Manifest:
    """The manifest of a backup that is as it was made; ActionNeeded with a sentence for any other."""
    file = folder / FILE
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        size, digest = file.stat().st_size, None
        if manifest.format == _FORMAT and size == manifest.bytes:
            digest = _hash_of(file)
    except FileNotFoundError as error:
        raise ActionNeeded(
            f"{folder} is no whole backup: {Path(error.filename).name} is not in it. Give the folder that `comptoir "
            "backup` made."
        ) from error
    except OSError as error:
        raise ActionNeeded(f"The backup {folder} cannot be read: {error.strerror}. Nothing was restored.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(folder, f"its {MANIFEST} cannot be read") from error
    if manifest.format > _FORMAT:
        raise ActionNeeded(f"The backup {folder} was made by a newer Comptoir. Install that version to restore it.")
    if manifest.signature != _signature(manifest):
        raise _damaged(folder, f"its {MANIFEST} was changed")
    if size != manifest.bytes:
        raise _damaged(folder, f"{FILE} has {size:,} bytes and should have {manifest.bytes:,}")
    if digest != manifest.sha256:
        raise _damaged(folder, f"{FILE} is not what was written")
    return manifest


def _damaged(folder: Path, how: str) -> ActionNeeded:
    return ActionNeeded(f"The backup {folder} is damaged: {how}. Nothing was restored. Take another backup.")


def expired(beside: Path, now: datetime) -> list[Path]:
    """Backups in the same folder whose time is over: companies deleted since then are still in them."""
    found: list[Path] = []
    for path in sorted(beside.glob(f"*/{MANIFEST}")):
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            continue  # none of ours, or one to look at by hand
        if manifest.signature == _signature(manifest) and manifest.keep_until <= now:
            found.append(path.parent)
    return found


def _signature(manifest: Manifest) -> str:
    members: dict[str, Any] = msgspec.to_builtins(manifest)
    del members["signature"]
    return hashlib.sha256(msgspec.json.encode(members, order="sorted")).hexdigest()


def _hash_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

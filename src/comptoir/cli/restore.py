"""`comptoir restore`: a system from a backup, into SQLite or PostgreSQL. It waits on hold until an operator says go on:
where another copy still runs, both would use up each other's tokens."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from sqlalchemy.engine import make_url

from comptoir import settings as settings_
from comptoir.cli.backup import Tell, counting
from comptoir.errors import ActionNeeded, MasterKeyWrong
from comptoir.runtime.clock import SystemClock
from comptoir.settings import Settings
from comptoir.store import Database, backup, holds, open_database, tenants, vault
from comptoir.store.copies import copy_all, counted, is_empty
from comptoir.store.database import locked

__all__ = ["into_postgres", "run"]

_DRAFT = ".restoring"


def run(*, folder: Path, data_dir: Path | None) -> int:
    """Restore a backup where nothing is yet; the exit code. ActionNeeded for a damaged one, or where there is data."""
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    place = folder.expanduser().absolute()
    place = place.parent if place.name in (backup.FILE, backup.MANIFEST) and place.is_file() else place
    console = Console(markup=False)
    manifest = backup.verified(place)
    file = Path(make_url(settings.database_url).database or "") if settings.is_on_sqlite else None
    draft = (settings.data_dir if file is None else file.parent) / _DRAFT
    with nullcontext() if file is None else locked(file):
        _refuse_data(file)
        key = _restored(settings, place, draft, file, console)
    rows = sum(manifest.rows.values())
    say = partial(console.print, highlight=False, soft_wrap=True)
    say(
        f"Restored: {manifest.companies:,} companies, {rows:,} rows, as they were on "
        f"{manifest.made_at:%d %B %Y at %H:%M} UTC."
    )
    say(key)
    say(
        "Everything is on hold: nothing is read from any upstream until an Administrator says go on, on the page "
        "Settings > Organisation or by `comptoir resume`. Before that, make sure that no other copy of this system is "
        "running: two would use up each other's access. Companies and API keys deleted and operators disabled after "
        "the backup was made are here again: see to them once more."
    )
    return 0


def _restored(settings: Settings, place: Path, draft: Path, file: Path | None, console: Console) -> str:
    """Put what a backup holds in its place, by way of a copy that is looked at; what is to be said of the key."""
    shutil.rmtree(draft, ignore_errors=True)  # of one that was killed
    try:
        draft.mkdir(parents=True, mode=0o700)
        shutil.copyfile(place / backup.FILE, draft / backup.FILE)
        (draft / backup.FILE).chmod(0o600)
        backup.verified(_beside(draft, place))
        key = _prepare(settings, draft / backup.FILE, SystemClock().now())
        if file is not None:
            _put(draft / backup.FILE, file)
        else:
            with counting(console) as tell:
                into_postgres(draft / backup.FILE, settings.database_url, tell)
        return key
    except OSError as error:
        raise ActionNeeded(f"The backup cannot be restored into {settings.data_dir}: {error.strerror}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _refuse_data(file: Path | None) -> None:
    if file is not None and file.exists():
        raise ActionNeeded(
            f"There is data in {file.parent} already, and a backup is restored where there is none. Give another "
            "folder with --data-dir, or move that one away."
        )


def _beside(draft: Path, place: Path) -> Path:
    """The copy as a backup of its own, so that what is restored is what was looked at."""
    shutil.copyfile(place / backup.MANIFEST, draft / backup.MANIFEST)
    return draft


def _prepare(settings: Settings, file: Path, now: datetime) -> str:
    """Bring the copy to this version and lay a hold on every tenant in it; what is to be said of the master key."""
    db = open_database(f"sqlite:///{file}")
    try:
        with db.write() as tx:
            for tenant in tenants.all_tenants(tx):
                holds.put(tx, tenant.id, by="comptoir restore", why="restored", now=now)
        return _about_key(settings, db)
    finally:
        db.close()


def _about_key(settings: Settings, db: Database) -> str:
    with db.read() as tx:
        is_sealed = vault.is_sealed(tx)
    if not is_sealed:
        return "It was never used with a master key: one is made at the first start."
    try:
        opened = vault.load_master_key(settings.data_dir, settings.master_key, sealed_before=True)
        with db.write() as tx:
            vault.check_key(tx, opened)
    except MasterKeyWrong:
        return (
            "The master key here is not the one it was sealed with. Put the right one back before the start: "
            f"master.key in {settings.data_dir}, or COMPTOIR_MASTER_KEY."
        )
    except ActionNeeded:
        return (
            f"Its master key is not here yet. Put it back before the start: master.key in {settings.data_dir}, or "
            "COMPTOIR_MASTER_KEY. Without it linked companies must be linked again."
        )
    return "The master key that is here opens it."


def _put(file: Path, place: Path) -> None:
    for left in (*place.parent.glob("jobs.db*"), *place.parent.glob(f"{place.name}-*")):
        left.unlink()  # of a database that is not here any more
    file.rename(place)


def into_postgres(file: Path, url: str, tell: Tell) -> int:
    """All rows of a SQLite file into an empty PostgreSQL database, in one transaction, unless they are all there; how
    many.

    ActionNeeded when there is other data, or what arrived is not what was sent: then nothing is kept.
    """
    target = open_database(url)
    try:
        source = open_database(f"sqlite:///{file}")
        try:
            with source.read() as from_, target.write() as to:
                if is_empty(to):
                    held = copy_all(from_, to, lambda table, rows: tell(table, rows, None))
                elif (held := counted(to)) != counted(from_):  # else it was all copied when the command was killed
                    raise ActionNeeded(
                        "There is data in the PostgreSQL database already. Give an empty one: nothing was changed."
                    )
        finally:
            source.close()
    finally:
        target.close()
    return sum(one.rows for one in held.values())

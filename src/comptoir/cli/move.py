"""`comptoir move`: everything from SQLite to PostgreSQL, counted and compared; what was queued is worked off there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rich.console import Console
from sqlalchemy.engine import make_url

from comptoir import settings as settings_
from comptoir.cli.backup import counting
from comptoir.cli.restore import into_postgres
from comptoir.errors import ActionNeeded, InvalidInput
from comptoir.runtime.clock import SystemClock
from comptoir.store import holds, open_database

__all__ = ["run"]


def run(*, to: str | None, data_dir: Path | None) -> int:
    """Move to the PostgreSQL database at an address, or at COMPTOIR_DATABASE_URL; the exit code.

    The SQLite file stays as it was, but on hold: two systems at once would use up each other's access.
    """
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    target = to or (None if settings.is_on_sqlite else settings.database_url)
    if target is None or not target.startswith("postgres"):
        raise InvalidInput(
            "Say where to move to, as postgresql+psycopg://user:password@host/name, or set COMPTOIR_DATABASE_URL."
        )
    file = Path(make_url(settings.database_url).database or "") if settings.is_on_sqlite else None
    file = file or settings.data_dir / "comptoir.db"
    if not file.exists():
        raise ActionNeeded(f"There is no Comptoir data in {settings.data_dir}. Give its folder with --data-dir.")
    console = Console(markup=False)
    with counting(console) as tell:
        rows = into_postgres(file, target, tell)
    source = open_database(f"sqlite:///{file}")
    try:
        with source.write() as tx:
            holds.put(tx, None, by="comptoir move", why="moved", now=SystemClock().now())
    finally:
        source.close()
    where = make_url(target)
    say = partial(console.print, highlight=False, soft_wrap=True)
    say(
        f"Moved to the PostgreSQL database {where.database!r} on {where.host or 'this machine'}: {rows:,} rows, "
        "counted and compared there."
    )
    say(
        "Set COMPTOIR_DATABASE_URL to its address and start Comptoir: what was queued is read then. The master key "
        f"stays where it is, in {settings.data_dir} or in COMPTOIR_MASTER_KEY."
    )
    say(f"{file} is as it was, but on hold: nothing more is read over it. Remove it when you are content.")
    return 0

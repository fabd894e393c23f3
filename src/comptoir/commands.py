"""What the commands do that serve, work, or have the data to themselves while no server runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from comptoir import access
from comptoir.access import FirstStart
from comptoir.api import OPERATIONS
from comptoir.app import Application
from comptoir.errors import ActionNeeded
from comptoir.portal import listed as pages
from comptoir.runtime.clock import SystemClock
from comptoir.settings import Settings
from comptoir.store import Database, open_database, trail
from comptoir.store.rotation import Rotated
from comptoir.sync import Remapped, Remapping, Synced
from comptoir.sync.progress import Mapped, Reading
from comptoir.upkeep import held, open_vault, operator_link, rotated, verified

__all__ = [
    "add_tenant",
    "hold_directly",
    "initialise",
    "need_data",
    "operator_link_directly",
    "remap_directly",
    "rotate_keys_directly",
    "routes",
    "serve",
    "sync_directly",
    "verify_trails_directly",
    "work",
]


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    db = open_database(settings.database_url)
    try:
        open_vault(db, settings)
        yield db
    finally:
        db.close()


def serve(settings: Settings) -> None:
    """Serve until a stop signal comes."""
    application = Application(settings)
    try:
        application.stop_on_signals()
        application.start()
        print(f"Comptoir serves {settings.portal_url} (API {settings.api_url})", flush=True)  # noqa: T201 - the command's answer
        if application.first_start is not None:
            print(_told(application.first_start), flush=True)  # noqa: T201 - told once, here only
        application.wait()
    finally:
        application.stop()


def work(settings: Settings) -> None:
    """Work off what is queued until a stop signal comes. Raises ActionNeeded on SQLite."""
    if settings.database_url.startswith("sqlite"):
        raise ActionNeeded(
            "`comptoir worker` needs PostgreSQL: a SQLite database belongs to one process, and there `comptoir serve` "
            "does the work itself. Give PostgreSQL's address by COMPTOIR_DATABASE_URL, or run `comptoir serve` only."
        )
    application = Application(settings, "worker")
    try:
        application.stop_on_signals()
        application.start_to_work()
        print("Comptoir works off what is queued, until it is stopped.", flush=True)  # noqa: T201 - the command's answer
        application.wait()
    finally:
        application.stop()


def initialise(settings: Settings, *, email: str) -> str:
    """Make the first tenant and its Administrator; the answer holds the password."""
    with _opened(settings) as db:
        first = access.ensure_first(db, SystemClock(), email=email, command="comptoir init")
    if first is None:
        raise ActionNeeded("This installation has been initialised already. Sign in with the password printed then.")
    return _told(first)


def add_tenant(settings: Settings, *, name: str, email: str) -> str:
    """Add a tenant with an Administrator; the answer holds the password."""
    with _opened(settings) as db:
        return _told(access.add_tenant(db, SystemClock(), name=name, email=email))


def verify_trails_directly(settings: Settings) -> list[trail.Proof]:
    """What comes of proving each tenant's audit trail where no server runs."""
    need_data(settings)
    db = open_database(settings.database_url)
    try:
        return verified(db, open_vault(db, settings))
    finally:
        db.close()


def operator_link_directly(settings: Settings, *, email: str) -> str:
    """The sentence with a link by which an operator chooses a password, made where no server runs."""
    need_data(settings)
    with _opened(settings) as db:
        return operator_link(db, settings, email)


def sync_directly(
    settings: Settings,
    *,
    company: str,
    data_types: Sequence[str] | None,
    whole: bool,
    tell: Callable[[Reading | Mapped], None],
) -> Synced:
    """Read a company's books where no server runs in the data folder; raises ActionNeeded if another process has the
    data, or there is none. On PostgreSQL others may run elsewhere: then it takes its turn among what they do."""
    need_data(settings)
    application = Application(settings, "command")
    try:
        if application.db.dialect == "postgresql":
            application.begin_work()
            return application.read_in_turn(company=company, data_types=data_types, whole=whole, tell=tell)
        return application.read_now(company=company, data_types=data_types, whole=whole, tell=tell)
    finally:
        application.stop()


def need_data(settings: Settings) -> None:
    """ActionNeeded where there is no database file yet: a command that works on data makes none."""
    file = settings.database_url.removeprefix("sqlite:///")
    if file != settings.database_url and not Path(file).exists():
        raise ActionNeeded(f"There is no Comptoir data in {settings.data_dir}. Give its folder with --data-dir.")


def remap_directly(
    settings: Settings, *, company: str | None, data_types: Sequence[str], tell: Callable[[Remapping], None]
) -> list[Remapped]:
    """Remap where no server runs in the data folder; raises ActionNeeded if another process has the data, or there is
    none. On PostgreSQL it waits for reads that go on elsewhere."""
    need_data(settings)
    application = Application(settings, "command")
    try:
        return application.remap_here(company=company, data_types=data_types, tell=tell)
    finally:
        application.stop()


def rotate_keys_directly(settings: Settings) -> Rotated:
    """Change the master key where no server runs in the data folder; others on the same PostgreSQL go on with it."""
    need_data(settings)
    db = open_database(settings.database_url)
    try:
        return rotated(db, open_vault(db, settings), settings, lambda: False)
    finally:
        db.close()


def hold_directly(settings: Settings, *, is_on: bool, tenant: str | None) -> str:
    """Lay or lift a hold where no server runs in the data folder; processes on the same PostgreSQL obey it at once."""
    need_data(settings)
    with _opened(settings) as db:
        return held(db, SystemClock(), tenant, is_on=is_on)


def _told(first: FirstStart) -> str:
    return f"Sign in as {first.email} with the password {first.password} (it is not shown again)."


def _taken_by(permission: access.Needed) -> str:
    return permission if permission == access.ANYONE else f"API key: {permission}"


def routes() -> list[str]:
    """Every operation of the API and every page, with what it takes to use it."""
    operations = [
        (operation.method, f"/api{operation.path}", _taken_by(operation.permission)) for operation in OPERATIONS
    ]
    return [f"{method:7}{path:<95} {takes}" for method, path, takes in sorted(operations) + sorted(pages("/link"))]

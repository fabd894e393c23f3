"""What `comptoir doctor` looks at: the machine by itself, and the data by whoever has it, a server that runs or none.

Nothing is changed. Each line says what is, and what to do where that is not well; none holds a secret.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psycopg
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from comptoir.errors import ProductError
from comptoir.integrations import INTEGRATIONS
from comptoir.integrations.contract import Integration
from comptoir.runtime.clock import Clock, SystemClock
from comptoir.runtime.logs import strike_out
from comptoir.settings import Settings
from comptoir.store import Database, condition, figures, leases, vault
from comptoir.store.room import room
from comptoir.upstream import Bounds, Wire

__all__ = ["Line", "State", "of_data", "of_machine", "of_sealing", "of_tables"]

_KEY_FILE = "master.key"
_CLOCK_SECONDS = 60.0
_WAITS_LONG = timedelta(minutes=15)


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` is what was looked at; `do` is None where nothing need be done."""

    subject: str
    state: State
    says: str
    do: str | None = None


def _line(subject: str, state: State, says: str, do: str | None = None) -> Line:
    return Line(subject=subject, state=state, says=strike_out(says), do=None if do is None else strike_out(do))


def _ok(subject: str, says: str) -> Line:
    return _line(subject, State.OK, says)


# The machine


def of_machine(settings: Settings) -> Iterator[Line]:
    """Folder, key, addresses, and whether the upstream can be reached from here; takes some seconds at most."""
    yield _of_folder(settings.data_dir)
    yield _of_room(settings.data_dir)
    yield _of_key(settings)
    for integration in INTEGRATIONS:
        yield _of_redirect(settings, integration)
        yield from _of_upstream(settings, integration, SystemClock())


def _of_folder(folder: Path) -> Line:
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except FileNotFoundError:
        return _line("data folder", State.WARNING, f"{folder} is not there yet.", "It is made at the first start.")
    except OSError as error:
        return _line(
            "data folder",
            State.FAULT,
            f"{folder} cannot be looked at: {error.strerror}.",
            "Give this user access to it.",
        )
    if mode & stat.S_IWOTH:
        return _line(
            "data folder", State.FAULT, f"Anybody on this machine may write in {folder}.", f"chmod 700 {folder}"
        )
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        says = f"Others on this machine may look into {folder} (mode {mode:03o})."
        return _line("data folder", State.WARNING, says, f"chmod 700 {folder}")
    return _ok("data folder", f"{folder}, for its user alone.")


def _of_room(folder: Path) -> Line:
    found = next((held for one in (folder, *folder.parents) if (held := room(one)) is not None), None)
    if found is None:
        return _line("disk", State.WARNING, "How much room there is cannot be told.")
    says = f"{found.free / 1e9:.1f} GB of {found.whole / 1e9:.1f} GB are free."
    if not found.is_enough:
        return _line("disk", State.FAULT, says, "Make room; work then goes on by itself.")
    if found.free * 20 < found.whole:
        return _line("disk", State.WARNING, says, "Make room before it is full.")
    return _ok("disk", says)


def _of_key(settings: Settings) -> Line:
    if settings.master_key is not None:
        return _of_key_text(settings, "Given by COMPTOIR_MASTER_KEY.")
    path = settings.data_dir / _KEY_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        path.read_bytes()
    except FileNotFoundError:
        says = f"{path} is not there."
        return _line("master key", State.WARNING, says, "It is made at the first start; after that, put it back.")
    except OSError as error:
        says = f"{path} cannot be read: {error.strerror}."
        return _line("master key", State.FAULT, says, "Give this user access to it.")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        says = f"Others on this machine may read {path} (mode {mode:03o})."
        return _line("master key", State.FAULT, says, f"chmod 600 {path}")
    return _of_key_text(settings, f"{path}, for its user alone. Keep a copy of it apart from the database.")


def _of_key_text(settings: Settings, says: str) -> Line:
    try:
        vault.load_master_key(settings.data_dir, settings.master_key, sealed_before=True)
    except ProductError as error:
        return _line("master key", State.FAULT, error.message, "Comptoir does not start until then.")
    return _ok("master key", says)


def _of_redirect(settings: Settings, integration: Integration) -> Line:
    subject, address = f"redirect address ({integration.name})", settings.redirect_uri(integration)
    parts = urlsplit(address)
    if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
        says = f"{address} is not https, so what comes back over it can be read on the way."
        return _line(subject, State.FAULT, says, "Set COMPTOIR_PUBLIC_URL to an address with https.")
    return _ok(subject, f"{address}: register exactly this one with the app.")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _of_upstream(settings: Settings, integration: Integration, clock: Clock) -> Iterator[Line]:
    upstream, name = settings.upstreams[integration.key], integration.name
    wire = Wire(name, Bounds(connect_seconds=5, idle_seconds=5, whole_seconds=10, largest_body=2**20), clock)
    try:
        answer = wire.fetch(upstream.origin + integration.oauth.identity_path)
    except ProductError as error:
        do = f"Check the network, and that {upstream.origin} is right; a firewall must let this machine out to it."
        yield _line(name, State.FAULT, error.message, do)
        return
    finally:
        wire.close()
    if answer.status >= 500:
        do = "Wait: reads are tried again by themselves."
        yield _line(name, State.WARNING, f"{upstream.origin} answers with an error ({answer.status}).", do)
    else:
        yield _ok(name, f"{upstream.origin} answers.")
    yield from _of_clock(settings, name, answer.headers.get("date", ""), clock)


def _of_clock(settings: Settings, name: str, told: str, clock: Clock) -> Iterator[Line]:
    if settings.time_scale != 1:
        return
    try:
        apart = (clock.now() - parsedate_to_datetime(told).astimezone(UTC)).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        yield _line("clock", State.WARNING, f"{name} does not tell the time, so the clock could not be compared.")
        return
    if abs(apart) > _CLOCK_SECONDS:
        which = "ahead of" if apart > 0 else "behind"
        says = f"The clock is {abs(apart):.0f} seconds {which} {name}'s. Limits are kept by theirs all the same."
        yield _line("clock", State.WARNING, says, "Have the clock set by a time service, such as chrony.")
    else:
        yield _ok("clock", f"It agrees with {name}'s to a minute.")


# The data


def of_tables(url: str) -> Line:
    """Whether the database answers and its tables are those of this Comptoir; nothing is changed, nor locked."""
    try:
        tables = condition.tables_of(url)
    except (OSError, sqlite3.Error, psycopg.Error, SQLAlchemyError, ArgumentError) as error:
        says = (
            f"It does not answer: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}"
        )
        return _line(
            "database",
            State.FAULT,
            says,
            "Start it, or set COMPTOIR_DATABASE_URL right; if a file was damaged, restore a backup.",
        )
    if tables.held is None:
        return _line("database", State.WARNING, "It is empty.", "Its tables are made at the first start.")
    if tables.held > tables.newest:  # they are numbered with leading zeros
        says = f"It was last used by a newer Comptoir: its tables are of {tables.held}, and ours of {tables.newest}."
        return _line("database", State.FAULT, says, "Install that version again, or restore a backup.")
    if tables.held != tables.newest:
        says = f"Its tables are of version {tables.held}, and this Comptoir's are of {tables.newest}."
        return _line("database", State.WARNING, says, "They are brought up to date at the next start.")
    return _ok("database", "It answers, and its tables are up to date.")


def of_sealing(db: Database, settings: Settings) -> Line:
    """Whether the master key that is here opens what is sealed in the database."""
    with db.read() as tx:
        if not vault.is_sealed(tx):
            return _ok("sealed values", "There are none yet.")
        try:
            held = vault.load_master_key(settings.data_dir, settings.master_key, sealed_before=True)
            vault.check_key(tx, held)
        except ProductError as error:
            do = "Comptoir does not start until then. Where the key is lost, companies must be linked again."
            return _line("sealed values", State.FAULT, error.message, do)
    return _ok("sealed values", "The master key opens them.")


def of_data(db: Database, clock: Clock, lacks: Callable[[], Sequence[str]] | None = None) -> Iterator[Line]:
    """What is in the database, told by the process that has it. `lacks` tells why a server's work does not go on; None
    where none runs."""
    if (found := condition.damage(db)) != []:
        do = "Stop Comptoir, keep a copy of the file, and restore the newest backup."
        yield _line("integrity", State.FAULT, f"The database file is damaged: {found[0]}", do)
    else:
        yield _ok("integrity", "Nothing in the database is damaged.")
    with db.read() as tx:
        keys = {one.name: condition.app_keys(tx, one.key) for one in INTEGRATIONS}
        lost, some = condition.needing_approval(tx)
        stuck = condition.stuck(tx, clock.now())
        queue = figures.queue(tx, clock.now())
        workers = len(leases.held(tx)) if db.dialect == "postgresql" else 0
        gone = len(leases.expired(tx)) if db.dialect == "postgresql" else 0
    for name, counts in keys.items():
        yield _of_app_keys(name, counts["enabled"], counts["alarmed"])
    if lost:
        says = f"{lost} connections are not accepted any more: {', '.join(some)}{', ...' if lost > len(some) else ''}."
        yield _line(
            "connections", State.WARNING, says, "Send their companies the Link URL again, and have them approve."
        )
    else:
        yield _ok("connections", "None needs a new approval.")
    if gone:
        says = f"{gone} processes ended, or are frozen, without putting their work down."
        yield _line("leases", State.WARNING, says, "Others take it over within a minute; start one if none runs.")
    elif workers:
        yield _ok("leases", f"{workers} process{'' if workers == 1 else 'es'} hold one.")
    yield from _of_work(stuck, queue, lacks, workers)


def _of_app_keys(name: str, enabled: int, alarmed: int) -> Line:
    subject = f"integration {name}"
    where = f"Settings > Integrations > Accounting > {name}"
    if alarmed:
        do = f"Save the right Client ID and Client secret under {where}; everything goes on by itself then."
        return _line(subject, State.FAULT, f"{name} refuses the app's own keys of {alarmed} tenants.", do)
    if not enabled:
        return _line(
            subject, State.WARNING, "It is enabled nowhere, so no company can link.", f"Set it up under {where}."
        )
    return _ok(subject, f"It is set up and enabled for {enabled} tenant{'' if enabled == 1 else 's'}.")


def _of_work(
    stuck: list[str], queue: figures.Queue, lacks: Callable[[], Sequence[str]] | None, workers: int
) -> Iterator[Line]:
    """`workers` are processes elsewhere that may do it."""
    if lacks is None and not workers:
        says = f"No server runs here; {queue.due + queue.running} reads wait." if queue.due + queue.running else None
        if says is not None:
            yield _line("work", State.WARNING, says, "Start `comptoir serve`: what waits is then read.")
        else:
            yield _ok("work", "No server runs here, and nothing waits.")
        return
    for reason in lacks() if lacks is not None else ():
        yield _line("work", State.FAULT, reason, "Start Comptoir anew; its log says more. No work is lost.")
    if stuck:
        says = f"Nothing was heard for half an hour of reads that are under way: {', '.join(stuck)}."
        yield _line(
            "reads", State.WARNING, says, "If a limit is not being waited for, start Comptoir anew: they go on."
        )
    elif queue.oldest_due > _WAITS_LONG:
        says = f"A read has been due for {queue.oldest_due.total_seconds() / 60:.0f} minutes; {queue.due} wait."
        yield _line(
            "reads", State.WARNING, says, "Where many companies are read this passes; else start another worker."
        )
    else:
        yield _ok(
            "reads", f"{queue.running} under way, {queue.due} waiting, {queue.later} put off until their next try."
        )

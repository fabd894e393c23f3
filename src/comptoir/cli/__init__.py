"""The command line: one function a command; each says a plain sentence and ends non-zero when it cannot go on.

Heavy imports happen inside the commands, so that `--help` and `pull` start at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

import comptoir
from comptoir.errors import ProductError

__all__ = ["app", "main"]

app = App(
    name="comptoir",
    help="An open, self-hosted accounting-data platform: your customers link FreeAgent, you read their books.",
    version=comptoir.__version__,
)
tenants = App(name="tenant", help="Tenants: separate operators, keys and companies in one installation.")
app.command(tenants)
audit = App(name="audit", help="The audit trail: who did what, when and from where.")
app.command(audit)
operators = App(name="operator", help="The people who sign in to the portal.")
app.command(operators)
keys = App(name="keys", help="The master key, which all secrets are sealed with.")
app.command(keys)


def main() -> None:
    """Run the command line; a mistake ends with exit code 1 and one sentence."""
    try:
        app()
    except ProductError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 - a command's answer
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@contextmanager
def _lasting() -> Iterator[None]:
    """For imports: what they make lasts, and looking through it for garbage takes a fifth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@app.command
def demo(
    *,
    port: int = 8000,
    standin_port: int = 8001,
    data_dir: Path | None = None,
    books: str = "small",
    seed: int = 1,
    limits: str = "120/60,3600/3600,15/60",
    ready_file: Path | None = None,
    once: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    manual: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Start a stand-in for FreeAgent and Comptoir, link a company, read its books, check them, and go on serving.

    Parameters
    ----------
    port
        Port of Comptoir's portal and API on this machine.
    standin_port
        Port of the stand-in.
    data_dir
        Keep the data here, the stand-in's too; without it a temporary folder is used and removed.
    books
        Size of the stand-in's books: small, medium, large, or a number of bank lines.
    seed
        Another seed gives other books.
    limits
        Calls/seconds the stand-in allows, the last one for token refreshes; off for none.
    ready_file
        Write addresses, keys and counts to this file as JSON when ready.
    once
        End when the books are read; exit code 0 only if all of it worked.
    json
        Print addresses, keys and counts as JSON.
    manual
        Only start both servers and print the steps for you to click.
    """
    with _lasting():
        from comptoir.cli.demo import Options, run

    options = Options(
        port=port,
        standin_port=standin_port,
        data_dir=data_dir,
        books=books,
        seed=seed,
        limits=limits,
        ready_file=ready_file,
        once=once,
        json=json,
        manual=manual,
    )
    sys.exit(run(options))


@app.command
def pull(
    *,
    freeagent_url: str,
    access_token: str,
    data_dir: Path = Path("comptoir-data"),
    data_types: str | None = None,
    limits: str | None = None,
    whole: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Read one company's books into a local database, by an access token you already have. No server, no linking.

    Parameters
    ----------
    freeagent_url
        The address of the API without /v2, such as https://api.freeagent.com.
    access_token
        An OAuth access token for the company.
    data_dir
        Where the database is kept.
    data_types
        Only these data types, separated by commas, such as invoices,bills.
    limits
        Calls/seconds to keep to, the last one for token refreshes; off for a server that has none.
    whole
        Read everything again, not only what changed since the last pull.
    """
    with _lasting():
        from comptoir.cli.pull import run

    sys.exit(
        run(
            origin=freeagent_url,
            access_token=access_token,
            data_dir=data_dir,
            data_types=_names(data_types),
            limits=limits,
            whole=whole,
        )
    )


@app.command
def serve(*, host: str | None = None, port: int | None = None, data_dir: Path | None = None) -> None:
    """Serve portal, Link pages and API, and sync in the background, until stopped.

    Parameters
    ----------
    host
        Address to listen on; 127.0.0.1 unless COMPTOIR_HOST says otherwise.
    port
        Port to listen on; 8000 unless COMPTOIR_PORT says otherwise.
    data_dir
        Where database, key file and logs are kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.commands import serve as serve_
        from comptoir.settings import read

    serve_(read(host=host, port=_text(port), data_dir=_text(data_dir)))


@app.command
def worker(*, metrics_port: int | None = None, data_dir: Path | None = None) -> None:
    """Do the background work of an installation on PostgreSQL, beside any number of servers and workers.

    While a worker runs, servers leave the work to it.

    Parameters
    ----------
    metrics_port
        Port to tell /metrics and /health on, and nothing else; none unless COMPTOIR_METRICS_PORT says otherwise.
    data_dir
        Where the key file is, unless COMPTOIR_MASTER_KEY is set; ./comptoir-data unless COMPTOIR_DATA_DIR says
        otherwise.
    """
    with _lasting():
        from comptoir.commands import work
        from comptoir.settings import read

    work(read(metrics_port=_text(metrics_port), data_dir=_text(data_dir)))


@app.command
def init(*, email: str, data_dir: Path | None = None) -> None:
    """Make the tenant `default` and its Administrator, and print the password once.

    Parameters
    ----------
    email
        The Administrator's e-mail address, used to sign in.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.commands import initialise
        from comptoir.settings import read

    print(initialise(read(data_dir=_text(data_dir)), email=email))  # noqa: T201 - a command's answer


@tenants.command(name="add")
def add_tenant(name: str, *, email: str, data_dir: Path | None = None) -> None:
    """Add a tenant with an Administrator of its own, and print the password once.

    Parameters
    ----------
    name
        The tenant's name.
    email
        Its Administrator's e-mail address.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.commands import add_tenant as add
        from comptoir.settings import read

    print(add(read(data_dir=_text(data_dir)), name=name, email=email))  # noqa: T201 - a command's answer


@operators.command(name="link")
def operator_link(email: str, *, data_dir: Path | None = None) -> None:
    """Print a link by which an operator chooses a new password, also while Comptoir serves. It works once.

    Parameters
    ----------
    email
        The operator's e-mail address.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.operators import link

    link(email, data_dir=data_dir)


@audit.command(name="verify")
def audit_verify(*, data_dir: Path | None = None) -> None:
    """Prove that every entry of every tenant's audit trail is as it was written, also while Comptoir serves.

    Ends with exit code 1 and names the first entry that was altered, removed or added by other means.

    Parameters
    ----------
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.audit import verify

    sys.exit(verify(data_dir=data_dir))


@app.command
def remap(
    company: str | None = None,
    *,
    data_type: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    all: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Path | None = None,
) -> None:
    """Make the records of a company anew from what was read of it, without any call upstream, also while it serves.

    Parameters
    ----------
    company
        The company's id or name.
    data_type
        Only this data type, such as invoices; may be given several times.
    all
        All companies.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.remap import run

    sys.exit(run(company=company, data_types=data_type, everything=all, data_dir=data_dir))


@app.command
def sync(
    company: str,
    *,
    data_types: str | None = None,
    whole: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Path | None = None,
) -> None:
    """Read a company's books now, also while Comptoir serves, and wait until that is done.

    Parameters
    ----------
    company
        The company's id or name.
    data_types
        Only these data types, separated by commas, such as invoices,bills.
    whole
        Read everything again, not only what changed, and check the books anew.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    from comptoir.cli.sync import run

    sys.exit(run(company=company, data_types=_names(data_types), whole=whole, data_dir=data_dir))


@app.command
def backup(folder: Path | None = None, *, keep_days: int = 30, data_dir: Path | None = None) -> None:
    """Copy everything into a folder, also while Comptoir serves: a SQLite file that any tool opens, and a manifest.
    Secrets stay sealed in it. The master key is not in it: keep that apart.

    Parameters
    ----------
    folder
        A folder that is not there yet; without it one named by the time, in `backups` in the data folder.
    keep_days
        How long the copy is kept: the first backup into the same place after that removes it.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.backup import run

    sys.exit(run(folder=folder, keep_days=keep_days, data_dir=data_dir))


@app.command
def restore(folder: Path, *, data_dir: Path | None = None) -> None:
    """Make a system from a backup, where there is no data yet. It waits on hold until an operator says go on.

    Parameters
    ----------
    folder
        The folder that `comptoir backup` made. A damaged one is refused.
    data_dir
        Where the data is to be kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise. With
        COMPTOIR_DATABASE_URL it goes into an empty PostgreSQL database.
    """
    with _lasting():
        from comptoir.cli.restore import run

    sys.exit(run(folder=folder, data_dir=data_dir))


@app.command
def move(to: str | None = None, *, data_dir: Path | None = None) -> None:
    """Move everything from SQLite to an empty PostgreSQL database, counted and compared. Stop Comptoir before.

    Parameters
    ----------
    to
        The database's address, such as postgresql+psycopg://user:password@host/name; COMPTOIR_DATABASE_URL if left out.
    data_dir
        Where the SQLite data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.move import run

    sys.exit(run(to=to, data_dir=data_dir))


@keys.command(name="rotate")
def rotate_keys(*, data_dir: Path | None = None) -> None:
    """Make a new master key and seal every secret anew with it, also while Comptoir serves. One that was cut off is
    brought to its end by the next.

    Parameters
    ----------
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.keys import run

    print(run(data_dir=data_dir))  # noqa: T201 - a command's answer


@app.command
def hold(*, tenant: str | None = None, data_dir: Path | None = None) -> None:
    """Stop all use of upstreams at once, also while Comptoir serves; what was read stays readable.

    Parameters
    ----------
    tenant
        Only of the tenant with this name; of all when left out.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.hold import run

    print(run(is_on=True, tenant=tenant, data_dir=data_dir))  # noqa: T201 - a command's answer


@app.command
def resume(*, tenant: str | None = None, data_dir: Path | None = None) -> None:
    """Lift a hold: what waited for it is read now.

    Parameters
    ----------
    tenant
        Only that of the tenant with this name; every hold when left out.
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    """
    with _lasting():
        from comptoir.cli.hold import run

    print(run(is_on=False, tenant=tenant, data_dir=data_dir))  # noqa: T201 - a command's answer


@app.command
def doctor(*, data_dir: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Look whether all is well, and say what to do where it is not; also while Comptoir serves, or cannot start.

    Ends with exit code 1 if anything is at fault. Nothing is changed, and no secret is printed.

    Parameters
    ----------
    data_dir
        Where the data is kept; ./comptoir-data unless COMPTOIR_DATA_DIR says otherwise.
    json
        Print what was found as JSON.
    """
    with _lasting():
        from comptoir.cli.doctor import run

    sys.exit(run(data_dir=data_dir, json=json))


@app.command
def routes() -> None:
    """List every route and what it takes to use it."""
    with _lasting():
        from comptoir.commands import routes as routes_

    for line in routes_():
        print(line)  # noqa: T201 - a command's answer


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)

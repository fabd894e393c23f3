"""What the stand-in remembers of apps and approvals: secrets, codes, tokens, grants; and how the books were made.

All of it lives in memory; with a data directory every change is also committed to one SQLite file before it is
answered, so that a stand-in that was stopped or killed goes on where it was. Pages' sign-ins are not kept.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from freeagent_standin.clock import Anchor

__all__ = [
    "MOST_SECRETS",
    "AccessToken",
    "App",
    "Code",
    "GeneratedFrom",
    "Grant",
    "JournalEntry",
    "RefreshToken",
    "Secret",
    "State",
    "StateUnusable",
    "open_state",
]

MOST_SECRETS = 2  # live ones an app; so a secret can be changed while clients still use the other
FILE_NAME = "freeagent-standin.db"


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """One OAuth secret of an app. Times are the stand-in's, in seconds since 1970."""

    id: str
    value: str
    created_at: float
    last_used_at: float | None = None


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app registered on the developer site."""

    client_id: str
    name: str
    description: str
    redirect_uris: tuple[str, ...]
    is_practice: bool
    created_at: float
    secrets: tuple[Secret, ...]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One approval: an app may act for a user of a company. Without an app: the ready-made token of a company."""

    id: str
    client_id: str | None
    company_id: int
    user_id: int
    created_at: float


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What the approval page hands to the app; good once."""

    value: str
    client_id: str
    redirect_uri: str
    company_id: int
    user_id: int
    expires_at: float


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """What an API call shows; without `expires_at` it lasts until revoked."""

    value: str
    grant: Grant
    expires_at: float | None


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """What gets the next access token."""

    value: str
    grant: Grant


class GeneratedFrom(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments the books were generated with; the same ones give the same books."""

    size: str
    seed: int
    today: str
    companies: int
    kind: str = ""
    """Words of the kind of company; none for the one that size and seed give."""


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A change made to a company's books through the control address, to be made again at the next start."""

    company_id: int
    now: str
    op: dict[str, Any]


class StateUnusable(Exception):
    """The data directory cannot be used; the message says why and what to do."""


_KINDS: dict[str, type[Any]] = {
    "app": App,
    "grant": Grant,
    "code": Code,
    "access": AccessToken,
    "refresh": RefreshToken,
    "generated": GeneratedFrom,
    "anchor": Anchor,
    "closed": int,
    "taken": str,
    "journal": JournalEntry,
}


class State:
    """Everything remembered, and the only place it is changed."""

    def __init__(self, file: sqlite3.Connection | None = None) -> None:
        self._file = file
        self.apps: dict[str, App] = {}
        self.grants: dict[str, Grant] = {}
        self.codes: dict[str, Code] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.closed: dict[int, int] = {}
        self.journal: list[JournalEntry] = []
        self.generated: GeneratedFrom | None = None
        self.anchor: Anchor | None = None
        # Ready-made tokens that were revoked, so that a restart does not make them anew.
        self.taken: set[str] = set()
        # Every secret value ever given out in this run, so that tests can look for leaks.
        self.issued: dict[str, list[str]] = {"clientSecrets": [], "codes": [], "accessTokens": [], "refreshTokens": []}
        if file is not None:
            self._load(file)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _load(self, file: sqlite3.Connection) -> None:
        for kind, key, body in file.execute("SELECT kind, key, body FROM kept ORDER BY position"):
            value = msgspec.json.decode(body, type=_KINDS[kind])
            match kind:
                case "generated":
                    self.generated = value
                case "anchor":
                    self.anchor = value
                case "journal":
                    self.journal.append(value)
                case "taken":
                    self.taken.add(value)
                case "closed":
                    self.closed[int(key)] = value
                case _:
                    self._table(kind)[key] = value

    def _table(self, kind: str) -> dict[str, Any]:
        tables: dict[str, dict[str, Any]] = {
            "app": self.apps,
            "grant": self.grants,
            "code": self.codes,
            "access": self.access,
            "refresh": self.refresh,
        }
        return tables[kind]

    def _write(self, puts: list[tuple[str, str, Any]], drops: list[tuple[str, str]]) -> None:
        """Commit to the file, all or nothing."""
        if self._file is None:
            return
        with self._file:
            self._file.executemany("DELETE FROM kept WHERE kind = ? AND key = ?", drops)
            self._file.executemany(
                "INSERT INTO kept (kind, key, body) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                [(kind, key, msgspec.json.encode(value)) for kind, key, value in puts],
            )

    def _change(self, puts: list[tuple[str, str, Any]], drops: list[tuple[str, str]]) -> None:
        self._write(puts, drops)
        for kind, key in drops:
            self._table(kind).pop(key, None)
        for kind, key, value in puts:
            self._table(kind)[key] = value

    # How the books came to be

    def remember_generated(self, generated: GeneratedFrom, anchor: Anchor) -> None:
        self._write([("generated", "", generated), ("anchor", "", anchor)], [])
        self.generated, self.anchor = generated, anchor

    def remember_clock(self, anchor: Anchor) -> None:
        self._write([("anchor", "", anchor)], [])
        self.anchor = anchor

    def remember_change(self, entry: JournalEntry) -> None:
        self._write([("journal", str(len(self.journal)), entry)], [])
        self.journal.append(entry)

    def close_company(self, company_id: int, status: int) -> None:
        """From now on every call for this company answers this status."""
        self._write([("closed", str(company_id), status)], [])
        self.closed[company_id] = status

    def reopen_company(self, company_id: int) -> None:
        self._write([], [("closed", str(company_id))])
        self.closed.pop(company_id, None)

    # Apps

    def add_app(
        self, *, name: str, description: str, redirect_uris: tuple[str, ...], practice: bool, now: float
    ) -> App:
        """Register an app with its first secret."""
        app = App(
            client_id=secrets.token_urlsafe(16),
            name=name,
            description=description,
            redirect_uris=redirect_uris,
            is_practice=practice,
            created_at=now,
            secrets=(self._new_secret(now),),
        )
        self._change([("app", app.client_id, app)], [])
        return app

    def _new_secret(self, now: float) -> Secret:
        secret = Secret(id=secrets.token_hex(4), value=secrets.token_urlsafe(24), created_at=now)
        self.issued["clientSecrets"].append(secret.value)
        return secret

    def put_app(self, app: App) -> None:
        self._change([("app", app.client_id, app)], [])

    def add_secret(self, client_id: str, now: float) -> Secret | None:
        """A further secret for the app; None when it has two live ones already."""
        app = self.apps[client_id]
        if len(app.secrets) >= MOST_SECRETS:
            return None
        secret = self._new_secret(now)
        self.put_app(msgspec.structs.replace(app, secrets=(*app.secrets, secret)))
        return secret

    def revoke_secret(self, client_id: str, secret_id: str) -> None:
        app = self.apps[client_id]
        self.put_app(msgspec.structs.replace(app, secrets=tuple(one for one in app.secrets if one.id != secret_id)))

    def app_of_pair(self, client_id: str, client_secret: str, now: float) -> App | None:
        """The app with this id and one of whose live secrets this is; notes that the secret was used."""
        app = self.apps.get(client_id)
        if app is None:
            return None
        for secret in app.secrets:
            if secrets.compare_digest(secret.value.encode(), client_secret.encode()):
                used = msgspec.structs.replace(secret, last_used_at=now)
                app = msgspec.structs.replace(
                    app, secrets=tuple(used if one.id == secret.id else one for one in app.secrets)
                )
                self.put_app(app)
                return app
        return None

    # Approvals

    def add_code(self, *, client_id: str, redirect_uri: str, company_id: int, user_id: int, expires_at: float) -> Code:
        code = Code(
            value=secrets.token_urlsafe(24),
            client_id=client_id,
            redirect_uri=redirect_uri,
            company_id=company_id,
            user_id=user_id,
            expires_at=expires_at,
        )
        self.issued["codes"].append(code.value)
        self._change([("code", code.value, code)], [])
        return code

    def exchange_code(
        self, code: Code, *, now: float, lifetime: float, ends_earlier: bool
    ) -> tuple[AccessToken, RefreshToken]:
        """Spend a code. With `ends_earlier` what the user had granted this app before ends: one pair a user and app."""
        grant = Grant(
            id=secrets.token_hex(8),
            client_id=code.client_id,
            company_id=code.company_id,
            user_id=code.user_id,
            created_at=now,
        )
        drops = [("code", code.value)]
        if ends_earlier:
            same = (code.client_id, code.company_id, code.user_id)
            for one in self.grants.values():
                if (one.client_id, one.company_id, one.user_id) == same:
                    drops += self._of_grant(one)
        access, refresh, puts = self._pair(grant, now + lifetime)
        self._change([("grant", grant.id, grant), *puts], drops)
        return access, refresh

    def rotate(
        self, old: RefreshToken, *, now: float, lifetime: float, keeps_old: bool
    ) -> tuple[AccessToken, RefreshToken]:
        """The next pair of a grant; the refresh token that was used ends at once unless `keeps_old`."""
        drops = [
            ("access", one.value)
            for one in self.access.values()
            if one.grant.id == old.grant.id and one.expires_at is not None and one.expires_at <= now
        ]
        if not keeps_old:
            drops.append(("refresh", old.value))
        access, refresh, puts = self._pair(old.grant, now + lifetime)
        self._change(puts, drops)
        return access, refresh

    def _pair(self, grant: Grant, expires_at: float) -> tuple[AccessToken, RefreshToken, list[tuple[str, str, Any]]]:
        access = AccessToken(value=secrets.token_urlsafe(32), grant=grant, expires_at=expires_at)
        refresh = RefreshToken(value=secrets.token_urlsafe(32), grant=grant)
        self.issued["accessTokens"].append(access.value)
        self.issued["refreshTokens"].append(refresh.value)
        return access, refresh, [("access", access.value, access), ("refresh", refresh.value, refresh)]

    def add_ready_token(self, value: str, *, company_id: int, user_id: int, now: float) -> None:
        """A token without an app that lasts until it is revoked, even over a restart."""
        if value in self.taken or value in self.access:
            return
        grant = Grant(id=secrets.token_hex(8), client_id=None, company_id=company_id, user_id=user_id, created_at=now)
        access = AccessToken(value=value, grant=grant, expires_at=None)
        self._change([("grant", grant.id, grant), ("access", value, access)], [])

    def _of_grant(self, grant: Grant) -> Iterator[tuple[str, str]]:
        yield ("grant", grant.id)
        yield from (("access", one.value) for one in self.access.values() if one.grant.id == grant.id)
        yield from (("refresh", one.value) for one in self.refresh.values() if one.grant.id == grant.id)

    def revoke(self, grants: list[Grant], *, what: str) -> int:
        """Refuse from now on the access tokens, the refresh tokens, or all of these grants; returns how many tokens."""
        ids = {one.id for one in grants}
        drops: list[tuple[str, str]] = []
        if what in ("all", "access"):
            gone = [one for one in self.access.values() if one.grant.id in ids]
            drops += [("access", one.value) for one in gone]
            ready = {one.value for one in gone if one.grant.client_id is None}
            self._write([("taken", value, value) for value in ready], [])
            self.taken |= ready
        if what in ("all", "refresh"):
            drops += [("refresh", one.value) for one in self.refresh.values() if one.grant.id in ids]
        tokens = len(drops)
        if what == "all":
            drops += [("grant", one) for one in ids]
        self._change([], drops)
        return tokens


def open_state(data_dir: Path | None) -> State:
    """The state of this data directory, or one in memory only. Raises StateUnusable with a sentence."""
    if data_dir is None:
        return State()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # Autocommit off is sqlite3's own default: `with file` is one transaction.
        file = sqlite3.connect(data_dir / FILE_NAME, timeout=0.2)
        file.execute("PRAGMA locking_mode = EXCLUSIVE")
        file.execute("PRAGMA synchronous = NORMAL")
        with file:
            file.execute(
                "CREATE TABLE IF NOT EXISTS kept (position INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
                "key TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (kind, key))"
            )
            # A write takes the lock at once, which a second stand-in on this directory then meets.
            file.execute("INSERT INTO kept (kind, key, body) VALUES ('app', '', '') ON CONFLICT DO NOTHING")
            file.execute("DELETE FROM kept WHERE kind = 'app' AND key = ''")
        return State(file)
    except sqlite3.OperationalError as problem:
        if "locked" in str(problem):
            raise StateUnusable(
                f"Another stand-in is using the data directory {data_dir}. Stop it, or choose another --data-dir."
            ) from problem
        raise StateUnusable(
            f"The data directory {data_dir} cannot be used: {problem}. Make it writable, or choose another --data-dir."
        ) from problem
    except OSError as problem:
        raise StateUnusable(
            f"The data directory {data_dir} cannot be used: {problem.strerror}. Choose another --data-dir."
        ) from problem
    except (sqlite3.DatabaseError, msgspec.DecodeError, KeyError) as problem:
        raise StateUnusable(
            f"{data_dir / FILE_NAME} is not a stand-in's file, or is damaged. Remove it, or choose another --data-dir."
        ) from problem

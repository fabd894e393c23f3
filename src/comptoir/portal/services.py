"""What the pages need from the rest of the house. `app.py` fills this in; the pages build nothing themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from comptoir.errors import NotFound
from comptoir.integrations.contract import Attached, Integration, Printed
from comptoir.link import Outcome
from comptoir.runtime.clock import Clock
from comptoir.runtime.metrics import Metrics
from comptoir.store import CompanyId, ConnectionId, Database, TenantId, Vault
from comptoir.store.connections import Connection
from comptoir.store.trail import Actor
from comptoir.upstream import Window

__all__ = ["PortalServices"]


class _StartLink(Protocol):
    """Begins an approval bound to a browser; returns the upstream's address to send the customer to."""

    def __call__(self, connection: Connection, *, browser: str, parameters: Mapping[str, str]) -> str: ...


class _FinishLink(Protocol):
    """Ends an approval. On success the connection is Linked; the first sync is asked for by the pages."""

    def __call__(
        self,
        *,
        state: str | None,
        code: str | None,
        error: str | None,
        description: str | None,
        browser: str,
        address: str,
    ) -> Outcome: ...


class _Refresh(Protocol):
    """Queues reads, of what changed or of the `whole`, and sees that they are worked off; without data types, of all
    that are read on first link."""

    def __call__(
        self,
        tenant: TenantId,
        company: CompanyId,
        *,
        connection: ConnectionId | None = None,
        data_types: Sequence[str] | None = None,
        whole: bool = False,
    ) -> object: ...


class _Begun(Protocol):
    """A sign-in under way elsewhere: where the browser goes, and what must come back with it."""

    @property
    def address(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    @property
    def verifier(self) -> str: ...


class _SingleSignOn(Protocol):
    """Another service that operators may sign in at; `finish` tells whose e-mail address it vouches for."""

    @property
    def host(self) -> str: ...
    def begin(self) -> _Begun: ...
    def finish(self, code: str, *, nonce: str, verifier: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class PortalServices:
    """Addresses have no trailing slash. `link_url` is where Link pages are; `base_domain` is set where portal, Link
    pages and redirect address have hosts of their own below it."""

    db: Database
    vault: Vault
    clock: Clock
    integrations: tuple[Integration, ...]
    public_url: str
    link_url: str
    base_domain: str | None
    redirect_uri: Callable[[Integration], str]
    developer_url: Callable[[Integration], str]
    start_link: _StartLink
    finish_link: _FinishLink
    test_keys: Callable[[TenantId, Integration], bool | None]  # None: could not be found out just now
    request_refresh: _Refresh
    unlink: Callable[[TenantId, ConnectionId, Actor], None]
    delete_connection: Callable[[TenantId, ConnectionId, Actor], None]
    delete_company: Callable[[TenantId, CompanyId, Actor], None]
    download: Callable[[Connection, Attached], bytes]
    print_out: Callable[[Connection, Printed, str], bytes]  # of a raw record's id
    single_sign_on: _SingleSignOn | None  # where operators may sign in besides here
    is_stopping: Callable[[], bool]  # the server was told to stop: pages that are watched end
    data_dir: Path
    metrics: Metrics
    metrics_token: str | None
    work_lacks: Callable[[], list[str]]  # why what is queued is not worked off, in sentences
    budgets_left: Callable[[], Iterable[tuple[str, str, int]]]  # integration, window, least calls left of anybody
    windows_of: Callable[[Connection], list[Window]]  # of the limits of its calls, as they are now

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us over https, so that cookies may be kept to it."""
        return self.public_url.startswith("https://")

    @property
    def link_path(self) -> str:
        """The path before Link pages: empty where they have a host of their own."""
        return urlsplit(self.link_url).path.rstrip("/")

    def integration(self, slug: str) -> Integration:
        found = next((one for one in self.integrations if one.slug == slug), None)
        if found is None:
            raise NotFound("There is no such integration.")
        return found

    def integration_by_key(self, key: str) -> Integration:
        found = next((one for one in self.integrations if one.key == key), None)
        if found is None:
            raise NotFound("There is no such integration.")
        return found

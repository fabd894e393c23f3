"""What the public API needs from the rest of the house. `app.py` fills this in; the API builds nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from comptoir.integrations.contract import Attached, Integration, Printed
from comptoir.runtime.clock import Clock
from comptoir.store import CompanyId, ConnectionId, Database, TenantId
from comptoir.store.connections import Connection
from comptoir.store.datasets import Dataset
from comptoir.store.trail import Actor

__all__ = ["ApiLimits", "ApiServices"]


class ApiLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Requests in so many seconds that each may make; None where there is no limit.

    This machine's own address has none: there a reverse proxy asks for everybody.
    """

    key: tuple[int, int] | None = None
    tenant: tuple[int, int] | None = None
    address: tuple[int, int] | None = None


class _Refresh(Protocol):
    """Queues reads, of what changed or of the `whole`, and sees that they are worked off; with no data types named, of
    those that are read on first link.

    Raises Conflict without a linked connection or when a named type is running, NotFound for a type that is not
    supported, InvalidInput for one that does not exist.
    """

    def __call__(
        self,
        tenant: TenantId,
        company: CompanyId,
        *,
        connection: ConnectionId | None = None,
        data_types: Sequence[str] | None = None,
        whole: bool = False,
    ) -> Sequence[Dataset]: ...


@dataclass(frozen=True, kw_only=True)
class ApiServices:
    """Addresses have no trailing slash: `api_url` is where the API is, `link_url` where Link pages are."""

    db: Database
    clock: Clock
    integrations: tuple[Integration, ...]
    api_url: str
    link_url: str
    request_refresh: _Refresh
    unlink: Callable[[TenantId, ConnectionId, Actor], None]
    delete_connection: Callable[[TenantId, ConnectionId, Actor], None]
    delete_company: Callable[[TenantId, CompanyId, Actor], None]
    download: Callable[[Connection, Attached], bytes]
    print_out: Callable[[Connection, Printed, str], bytes]  # of a raw record's id
    limits: ApiLimits = field(default_factory=ApiLimits)
    answered: Callable[[str, str, int, float], None] = lambda *_: None  # method, path's pattern, status, seconds

    @property
    def path(self) -> str:
        """The path before every operation: empty where the API has a host of its own."""
        return urlsplit(self.api_url).path.rstrip("/")

    def integration(self, key: str) -> Integration | None:
        return next((one for one in self.integrations if one.key == key.lower()), None)

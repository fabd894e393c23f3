"""A client and the server it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sync.house import HastyClock
from tests.upstream.fake import Fake, faking

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import CompanyId, ConnectionId, TenantId
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.upstream import Bounds, Client, Limits

ClientOf = Callable[..., Client]


def a_connection(id_: str = "c1", books: str | None = None) -> Connection:
    return Connection(
        id=ConnectionId(id_),
        tenant_id=TenantId("t1"),
        company_id=CompanyId("k1"),
        integration_key=FREEAGENT.key,
        status=ConnectionStatus.LINKED,
        created=datetime(2026, 3, 1, tzinfo=UTC),
        linked_at=None,
        last_sync=None,
        source_company_id=books,
        source_company_name=None,
        access_level=None,
        access_name=None,
        errors=(),
    )


@pytest.fixture
def fake() -> Iterator[Fake]:
    with faking() as running:
        yield running


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock()


@pytest.fixture
def client_of(clock: HastyClock) -> Iterator[ClientOf]:
    """Makes clients without limits, unless told otherwise, and closes them."""
    with ExitStack() as stack:

        def make(url: str, limits: Limits | None = None, **bounds: Any) -> Client:
            budget = limits or Limits(clock, calls=None, refreshes=None, address=None)
            client = Client(FREEAGENT, url, budget, clock, bounds=Bounds(**bounds))
            stack.callback(client.close)
            return client

        yield make

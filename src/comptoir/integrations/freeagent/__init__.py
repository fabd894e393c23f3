"""FreeAgent, the UK accounting software: what it offers, what is served from it, and how a customer approves."""

from __future__ import annotations

from types import MappingProxyType
from uuid import UUID

from comptoir.integrations.contract import Integration
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.coverage import COVERAGE, ORDERED
from comptoir.integrations.freeagent.data_types import DATA_TYPES
from comptoir.integrations.freeagent.errors import error_of
from comptoir.integrations.freeagent.facts import facts
from comptoir.integrations.freeagent.files import FILES
from comptoir.integrations.freeagent.kept import KEPT, NOT_READ
from comptoir.integrations.freeagent.oauth import ACCESS_LEVELS, OAUTH
from comptoir.integrations.freeagent.resources import RESOURCES
from comptoir.integrations.freeagent.words import WORDS

__all__ = ["FREEAGENT"]

FREEAGENT = Integration(
    key="fbrh",
    slug="freeagent",
    name="FreeAgent",
    integration_id=UUID("6c9f3a52-7d14-4e0b-9a8e-51c2b7d0e4f1"),
    source_id=UUID("0e5b1c84-2f6a-4d39-8b77-c3a9d2e61f50"),
    source_type="Accounting",
    monogram="Fa",
    colour="#1d6fb8",
    origin="https://api.freeagent.com",
    developer_url="https://dev.freeagent.com",
    api_root="/v2",
    own_hosts=("freeagent.com",),
    refused_hosts=MappingProxyType(
        {
            "sandbox.freeagent.com": "this integration does not support FreeAgent's sandbox. Leave the setting out to "
            "read from FreeAgent itself, or give the address of a stand-in."
        }
    ),
    limits=((120, 60), (3600, 3600)),
    refresh_limit=(15, 60),
    address_limit=(1000, 60),
    page_size=100,
    oauth=OAUTH,
    error_of=error_of,
    resources=(*RESOURCES, *KEPT),
    data_types=DATA_TYPES,
    books=Books,
    facts=facts,
    files=FILES,
    access_levels=ACCESS_LEVELS,
    words=WORDS,
    coverage=COVERAGE,
    not_read=NOT_READ,
    ordered=ORDERED,
)

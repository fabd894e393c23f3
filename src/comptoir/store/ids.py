"""Identifiers that must not be mixed up. All that we make are UUIDs, version 4, as text."""

from __future__ import annotations

from typing import NewType
from uuid import uuid4

__all__ = ["CompanyId", "ConnectionId", "DatasetId", "OperatorId", "SyncId", "TenantId", "new_id"]

TenantId = NewType("TenantId", str)
CompanyId = NewType("CompanyId", str)
ConnectionId = NewType("ConnectionId", str)
OperatorId = NewType("OperatorId", str)
DatasetId = NewType("DatasetId", str)
SyncId = NewType("SyncId", str)


def new_id() -> str:
    return str(uuid4())

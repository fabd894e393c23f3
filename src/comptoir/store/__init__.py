"""Everything that is kept: raw and standard records, connections, queues, sealed secrets. Callers own transactions."""

from comptoir.store.database import Database, open_database
from comptoir.store.ids import CompanyId, ConnectionId, DatasetId, OperatorId, SyncId, TenantId, new_id
from comptoir.store.vault import Vault

__all__ = [
    "CompanyId",
    "ConnectionId",
    "Database",
    "DatasetId",
    "OperatorId",
    "SyncId",
    "TenantId",
    "Vault",
    "new_id",
    "open_database",
]

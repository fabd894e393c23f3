"""The public JSON API: keys, companies, connections, integrations, refreshes and records, as the contract has them."""

from comptoir.api.operations import OPERATIONS, api
from comptoir.api.services import ApiLimits, ApiServices

__all__ = ["OPERATIONS", "ApiLimits", "ApiServices", "api"]

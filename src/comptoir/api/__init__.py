"""The public JSON API: keys, companies, connections, integrations, refreshes and records, as the contract has them."""

from comptoir.api.operations import OPERATIONS, api
from comptoir.api.services import ApiServices

__all__ = ["OPERATIONS", "ApiServices", "api"]

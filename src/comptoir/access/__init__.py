"""Who may come in: operators with sessions, programs with API keys, and what each may do."""

from comptoir.access.api_keys import ApiKey
from comptoir.access.operators import FirstStart, Operator, ensure_first
from comptoir.access.roles import PERMISSIONS, Permission, Role
from comptoir.access.sessions import Session

__all__ = ["PERMISSIONS", "ApiKey", "FirstStart", "Operator", "Permission", "Role", "Session", "ensure_first"]

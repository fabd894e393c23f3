"""Who may come in: operators with sessions, programs with API keys, and what each may do."""

from comptoir.access import api_keys, operators, sessions
from comptoir.access.api_keys import ApiKey
from comptoir.access.first_start import FIRST_TENANT, FirstStart, add_tenant, ensure_first
from comptoir.access.operators import Operator
from comptoir.access.roles import PERMISSIONS, Permission, Role
from comptoir.access.sessions import Session
from comptoir.access.sign_in import sign_in

__all__ = [
    "FIRST_TENANT",
    "PERMISSIONS",
    "ApiKey",
    "FirstStart",
    "Operator",
    "Permission",
    "Role",
    "Session",
    "add_tenant",
    "api_keys",
    "ensure_first",
    "operators",
    "sessions",
    "sign_in",
]

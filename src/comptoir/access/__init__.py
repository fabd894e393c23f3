"""Who may come in: operators with sessions, programs with API keys, and what each may do."""

from comptoir.access import api_keys, operators, password_links, second_factor, sessions
from comptoir.access.api_keys import ApiKey
from comptoir.access.first_start import FIRST_TENANT, FirstStart, add_tenant, ensure_first
from comptoir.access.operators import Operator
from comptoir.access.password_links import link_by_command
from comptoir.access.roles import ANYONE, OF_API_KEYS, PERMISSIONS, Needed, Permission, Role
from comptoir.access.sessions import Session
from comptoir.access.sign_in import prove, sign_in, sign_in_as

__all__ = [
    "ANYONE",
    "FIRST_TENANT",
    "OF_API_KEYS",
    "PERMISSIONS",
    "ApiKey",
    "FirstStart",
    "Needed",
    "Operator",
    "Permission",
    "Role",
    "Session",
    "add_tenant",
    "api_keys",
    "ensure_first",
    "link_by_command",
    "operators",
    "password_links",
    "prove",
    "second_factor",
    "sessions",
    "sign_in",
    "sign_in_as",
]

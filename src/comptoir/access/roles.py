"""What operators may do, by role, and what programs may. Every route declares the permission it needs, never a role."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

__all__ = ["ANYONE", "OF_API_KEYS", "PERMISSIONS", "Needed", "Permission", "Role"]

ANYONE: Final = "anyone"  # what a route declares that needs no sign-in and no key


class Permission(StrEnum):
    READ_DATA = "read data"  # companies, their records, statuses and history
    LINK = "link companies"  # make and change companies, make connections, start approvals
    DELETE_COMPANIES = "delete companies"
    MANAGE_CONNECTIONS = "manage connections"  # limit, unlink and delete them
    REFRESH_DATA = "refresh data"
    MANAGE_INTEGRATIONS = "manage integrations"  # app keys, enable and disable
    MANAGE_SETTINGS = "manage settings"  # profile and sync settings
    MANAGE_KEYS = "manage API keys"
    MANAGE_OPERATORS = "manage operators"
    READ_TRAIL = "read the audit trail"
    USE_ACCOUNT = "use one's own account"


Needed: TypeAlias = Permission | Literal["anyone"]


class Role(StrEnum):
    ADMINISTRATOR = "Administrator"
    DEVELOPER = "Developer"
    ANALYST = "Analyst"
    ADVISOR = "Advisor"
    ONBOARDING = "Onboarding"


# As the platform's own table of roles has it: https://docs.codat.io/configure/user-management/user-roles
_P = Permission
_OF_ADMINISTRATORS = frozenset({_P.MANAGE_OPERATORS, _P.READ_TRAIL})
# A key stands for the tenant's own programs, not for a person: it may do whatever is not about people.
OF_API_KEYS: frozenset[Permission] = frozenset(Permission) - _OF_ADMINISTRATORS - {_P.USE_ACCOUNT}
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(Permission),
        Role.DEVELOPER: frozenset(Permission) - _OF_ADMINISTRATORS,
        Role.ANALYST: frozenset({_P.LINK, _P.READ_DATA, _P.REFRESH_DATA, _P.DELETE_COMPANIES, _P.USE_ACCOUNT}),
        Role.ADVISOR: frozenset({_P.LINK, _P.READ_DATA, _P.USE_ACCOUNT}),
        Role.ONBOARDING: frozenset({_P.LINK, _P.REFRESH_DATA, _P.USE_ACCOUNT}),
    }
)

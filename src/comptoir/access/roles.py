"""What operators may do, by role. Every route declares the permission it needs, never a role."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["PERMISSIONS", "Permission", "Role"]


class Permission(StrEnum):
    READ_DATA = "read data"  # companies, their records, statuses and history
    LINK = "link companies"  # make companies and connections, start approvals
    MANAGE_COMPANIES = "manage companies"  # change, unlink and delete them
    REFRESH_DATA = "refresh data"
    MANAGE_INTEGRATIONS = "manage integrations"  # app keys, enable and disable
    MANAGE_SETTINGS = "manage settings"  # profile and sync settings
    MANAGE_KEYS = "manage API keys"
    MANAGE_OPERATORS = "manage operators"


class Role(StrEnum):
    ADMINISTRATOR = "Administrator"
    DEVELOPER = "Developer"
    ANALYST = "Analyst"
    ADVISOR = "Advisor"
    ONBOARDING = "Onboarding"


_P = Permission
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(Permission),
        Role.DEVELOPER: frozenset(Permission) - {_P.MANAGE_OPERATORS},
        Role.ANALYST: frozenset({_P.READ_DATA, _P.REFRESH_DATA}),
        Role.ADVISOR: frozenset({_P.READ_DATA}),
        Role.ONBOARDING: frozenset({_P.LINK, _P.MANAGE_COMPANIES, _P.REFRESH_DATA}),
    }
)

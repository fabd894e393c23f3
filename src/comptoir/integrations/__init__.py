"""Upstream systems, each declared in a folder of its own: nothing outside such a folder names one."""

from comptoir.integrations.contract import Integration
from comptoir.integrations.freeagent import FREEAGENT

__all__ = ["INTEGRATIONS", "by_key"]

INTEGRATIONS: tuple[Integration, ...] = (FREEAGENT,)


def by_key(key: str) -> Integration:
    """The integration with this platform key; KeyError if there is none."""
    found = {integration.key: integration for integration in INTEGRATIONS}
    return found[key]

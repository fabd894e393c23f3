"""How a company is linked and stays linked: approval, tokens, and the ends of a connection. Starts no sync itself."""

from comptoir.link import lifecycle
from comptoir.link.app_keys import AppKeys
from comptoir.link.endpoint import TokenEndpoint
from comptoir.link.flow import Flow, Outcome
from comptoir.link.tokens import TokenKeeper

__all__ = ["AppKeys", "Flow", "Outcome", "TokenEndpoint", "TokenKeeper", "lifecycle"]

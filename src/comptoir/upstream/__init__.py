"""Calls upstreams: the only place that does. Keeps their limits, and gets tokens from whoever holds them."""

from comptoir.upstream.client import Answer, Call, Client, FixedToken, Page, Reader, TokenSource
from comptoir.upstream.limits import Limits

__all__ = ["Answer", "Call", "Client", "FixedToken", "Limits", "Page", "Reader", "TokenSource"]

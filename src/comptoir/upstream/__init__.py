"""Calls upstreams: the only place that does. Keeps their limits, and gets tokens from whoever holds them."""

from comptoir.upstream.client import Call, Client, FixedToken, Page, Reader, TokenSource, is_token
from comptoir.upstream.limits import Limits
from comptoir.upstream.wire import Answer, Bounds, Wire

__all__ = [
    "Answer",
    "Bounds",
    "Call",
    "Client",
    "FixedToken",
    "Limits",
    "Page",
    "Reader",
    "TokenSource",
    "Wire",
    "is_token",
]

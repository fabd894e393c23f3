"""Calls upstreams: the only place that does. Keeps their limits, and gets tokens from whoever holds them."""

from comptoir.upstream.client import Called, Client, FixedToken, Page, Reader, TokenSource, is_token, nobody
from comptoir.upstream.ledger import Shared
from comptoir.upstream.limits import Limits, Window
from comptoir.upstream.wire import Answer, Bounds, Wire

__all__ = [
    "Answer",
    "Bounds",
    "Called",
    "Client",
    "FixedToken",
    "Limits",
    "Page",
    "Reader",
    "Shared",
    "TokenSource",
    "Window",
    "Wire",
    "is_token",
    "nobody",
]

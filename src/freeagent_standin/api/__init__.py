"""FreeAgent's API over a world: routing, lists, rendering. Pure: a call in, an answer out, no I/O and no clock."""

from __future__ import annotations

from freeagent_standin.api.routing import answer

__all__ = ["answer"]

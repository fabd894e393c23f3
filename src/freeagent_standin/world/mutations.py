"""Changes asked of running books. (Being written.)"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from freeagent_standin.world.books import World


def apply(world: World, op: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Carry out one operation."""
    raise ValueError(f"There is no operation {op.get('do')!r}.")

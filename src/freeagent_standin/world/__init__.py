"""The books behind the stand-in: one world per company, all of it true double entry.

`generate` makes a world; `World` holds and changes it. Nothing here speaks HTTP or reads a clock.
"""

from __future__ import annotations

from freeagent_standin.world.books import World
from freeagent_standin.world.entities import User
from freeagent_standin.world.generator import generate
from freeagent_standin.world.kinds import Kind, kind_named

__all__ = ["Kind", "User", "World", "generate", "kind_named"]

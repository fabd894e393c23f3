"""One stand-in: its books, what it remembers, and how it behaves at the moment.

The control address and the pages look at it and change it; `server` serves it.
"""

from __future__ import annotations

import msgspec

from freeagent_standin.clock import Clock
from freeagent_standin.companies import Companies
from freeagent_standin.counters import Counters
from freeagent_standin.faults import Faults
from freeagent_standin.limits import Windows
from freeagent_standin.settings import Settings
from freeagent_standin.state import State

__all__ = ["Credentials", "Standin"]


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The one pair that signs in at both sites."""

    email: str
    password: str


class Standin:
    """What all parts of a running stand-in share."""

    def __init__(
        self,
        *,
        companies: Companies,
        state: State,
        clock: Clock,
        settings: Settings,
        credentials: Credentials,
        seed: int = 1,
    ) -> None:
        self.companies = companies
        self.state = state
        self.clock = clock
        self.settings = settings
        self.credentials = credentials
        self.seed = seed
        self.windows = Windows()
        self.counters = Counters()
        self.counters.reset(clock.now().isoformat())
        self.faults = Faults(seed)

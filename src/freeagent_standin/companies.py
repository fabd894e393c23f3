"""The companies whose books the stand-in serves: generated, then changed as the journal says.

The same arguments and the same changes in the same order give the same books, so only these are kept on disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from freeagent_standin.state import JournalEntry, State

__all__ = ["Companies", "Unknown", "User", "World", "generate"]

OWNER_LEVEL = 8


class User(Protocol):
    """A person who can sign in to a company."""

    @property
    def id(self) -> int: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def permission_level(self) -> int: ...


class World(Protocol):
    """What the shell needs to know of a company's books; the rest is between the world and `api.answer`."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def subdomain(self) -> str: ...
    @property
    def users(self) -> Sequence[User]: ...
    def counts(self) -> dict[str, int]: ...
    def mutate(self, op: dict[str, Any], now: datetime) -> dict[str, Any]: ...


class Unknown(ValueError):
    """No such company or user; the message says which there are."""


def generate(*, size: str, seed: int, today: date, companies: int, kind: str = "") -> list[World]:
    """Fresh books for this many companies. Raises ValueError with a sentence on a size or kind there is not."""
    from freeagent_standin.world import generate as generate_one
    from freeagent_standin.world import kind_named

    number = int(size) if size.isdigit() else size
    wanted = kind_named(kind) if kind else None
    return [
        generate_one(size=number, seed=seed, today=today, company=one, kind=wanted) for one in range(1, companies + 1)
    ]


class Companies:
    """All companies of this stand-in, by id."""

    def __init__(self, worlds: Sequence[World], state: State) -> None:
        self._worlds = {world.id: world for world in worlds}
        self._state = state
        for entry in state.journal:
            # What was refused then is refused now; it is in the journal because a refusal too may use up an id.
            with contextlib.suppress(ValueError):
                self._worlds[entry.company_id].mutate(entry.op, datetime.fromisoformat(entry.now))

    def __iter__(self) -> Iterator[World]:
        return iter(self._worlds.values())

    @property
    def first(self) -> World:
        return next(iter(self._worlds.values()))

    def get(self, company_id: int) -> World:
        """This company's books. Raises Unknown."""
        world = self._worlds.get(company_id)
        if world is None:
            raise Unknown(f"There is no company {company_id}; there are {', '.join(map(str, self._worlds))}.")
        return world

    def owner(self, world: World) -> User:
        """The user a company began with, whatever level it has now: lowering it makes nobody else the owner."""
        return min(world.users, key=lambda user: user.id)

    def user(self, world: World, user_id: int) -> User | None:
        return next((one for one in world.users if one.id == user_id), None)

    def change(self, company_id: int, op: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Change a company's books and keep the change for the next start. Raises ValueError with a sentence."""
        world = self.get(company_id)
        try:
            return world.mutate(op, now)
        finally:
            self._state.remember_change(JournalEntry(company_id=company_id, now=now.isoformat(), op=op))

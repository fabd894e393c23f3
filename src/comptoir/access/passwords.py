"""Passwords: hashed with argon2id at a strength no setting can lower, compared in the same time for anyone."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from comptoir.errors import InvalidInput

__all__ = ["SHORTEST", "checked", "hashed", "is_outdated", "made_up", "matches"]

SHORTEST, _LONGEST = 12, 1024
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Each comparison takes 64 MiB: no crowd of visitors may take the machine's memory.
_at_once = threading.BoundedSemaphore(2)


def made_up() -> str:
    """A password nobody can guess, easy to copy."""
    return secrets.token_urlsafe(18)


def checked(password: str) -> str:
    """The password as given; InvalidInput when it is too short or too long."""
    if not SHORTEST <= len(password) <= _LONGEST:
        raise InvalidInput(f"A password has {SHORTEST} to {_LONGEST} characters.", field="password")
    return password


def hashed(password: str) -> str:
    with _at_once:
        return _hasher.hash(_normal(password))


def matches(password: str, hash_: str | None) -> bool:
    """Whether the password is the one; without a hash (no such operator) it takes as long and says no."""
    with _at_once:
        against = _nobody() if hash_ is None else hash_  # made at the first need: by a crowd, several times
        try:
            _hasher.verify(against, _normal(password[:_LONGEST]))
        except (VerificationError, InvalidHashError):
            return False
    return hash_ is not None


def is_outdated(hash_: str) -> bool:
    """Whether the hash was made at another strength than today's."""
    return _hasher.check_needs_rehash(hash_)


def _normal(password: str) -> str:
    # Keyboards differ in how they compose an accented letter; the password is the same.
    return unicodedata.normalize("NFKC", password)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(18))

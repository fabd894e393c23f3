"""Seals secrets so that each opens only in its place.

AES-256-GCM; the version of the key stands before the sealed value, and tenant, subject and field are bound to it: a
sealed value copied to another row does not open. The master key is never in the database.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Connection

from comptoir.errors import ActionNeeded, MasterKeyWrong
from comptoir.store.rows import insert_if_free
from comptoir.store.tables import META, METADATA

__all__ = [
    "CHECK",
    "SEALED_META",
    "Vault",
    "add_key",
    "check_key",
    "is_sealed",
    "load_master_key",
    "sealed_columns",
    "versions",
]

_NONCE = 12
_KEY_FILE = "master.key"
CHECK = "master-key-check"
SEALED_META = (CHECK, "audit-trail-key")  # rows of `meta` that are sealed, each for its own name


class Vault:
    """Seals with the current key, opens with the key a value was sealed with.

    `again` reads the keys anew: it is asked for a version that is not known yet. Safe to use from threads.
    """

    def __init__(
        self, keys: Mapping[int, bytes], current: int, *, again: Callable[[], Mapping[int, bytes]] | None = None
    ) -> None:
        self._keys = {version: AESGCM(key) for version, key in keys.items()}
        self._current, self._again = current, again

    def __repr__(self) -> str:
        return f"Vault(current={self._current})"

    @property
    def current(self) -> int:
        """The version that values are sealed with."""
        return self._current

    @property
    def newest(self) -> int:
        """The highest version at hand, read anew."""
        self._learn()
        return max(self._keys)

    def use(self, version: int) -> None:
        """Seal with this version from now on; MasterKeyWrong if its key is not at hand."""
        self._key(version)
        self._current = version

    def seal(self, plain: bytes, *, tenant: str, subject: str, field: str) -> bytes:
        nonce = os.urandom(_NONCE)
        version = self._current
        sealed = self._keys[version].encrypt(nonce, plain, _bound_to(tenant, subject, field))
        return bytes([version]) + nonce + sealed

    def open(self, sealed: bytes, *, tenant: str, subject: str, field: str) -> bytes:
        """The value again; MasterKeyWrong if the key is not the one it was sealed with, or the place another."""
        version = sealed[0] if sealed else 0
        key = self._key(version)
        try:
            plain = key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _bound_to(tenant, subject, field))
        except (InvalidTag, ValueError) as error:
            raise MasterKeyWrong(
                "A sealed value cannot be opened: the master key is not the one it was sealed with. Give back the "
                "right key (master.key in the data folder, or COMPTOIR_MASTER_KEY)."
            ) from error
        if version > self._current:  # another process rotates the keys
            self._current = version
        return plain

    def _key(self, version: int) -> AESGCM:
        if version not in self._keys:
            self._learn()
        if (key := self._keys.get(version)) is None:
            raise MasterKeyWrong(
                f"Values are sealed with version {version} of the master key, which is not here. Give back that key "
                "(master.key in the data folder, or COMPTOIR_MASTER_KEY)."
            )
        return key

    def _learn(self) -> None:
        if self._again is not None:
            self._keys = {version: AESGCM(key) for version, key in self._again().items()} | self._keys


def _bound_to(*parts: str) -> bytes:
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def load_master_key(data_dir: Path, given: str | None, *, sealed_before: bool) -> Vault:
    """The vault of this installation: from the setting, else from `master.key`, made at the first start.

    `sealed_before` says that the database already holds sealed values: then no new key is made.
    """
    if given is not None:
        keys = _parsed(given, "COMPTOIR_MASTER_KEY")
        return Vault(keys, max(keys))
    path = data_dir / _KEY_FILE
    try:
        keys = _read(path)
    except FileNotFoundError:
        if sealed_before:
            raise ActionNeeded(
                f"The master key is missing: {path} is not there and COMPTOIR_MASTER_KEY is not set, but the database "
                "holds values sealed with it. Put the key back; without it linked companies must be linked again."
            ) from None
        keys = _made(path)

    def again() -> dict[int, bytes]:
        with contextlib.suppress(FileNotFoundError):  # what is known already serves on
            return _read(path)
        return {}

    return Vault(keys, max(keys), again=again)


def add_key(data_dir: Path, version: int) -> None:
    """Put a new key into `master.key`, before those that are there. ActionNeeded if it cannot be written."""
    path = data_dir / _KEY_FILE
    try:
        keys = _read(path)
    except FileNotFoundError as error:
        raise ActionNeeded(f"The master key is missing: {path} is not there any more. Put it back.") from error
    lines = [f"{version}:{_new_key()}", *(f"{old}:{base64.b64encode(key).decode()}" for old, key in keys.items())]
    try:
        with _written(path, "\n".join(lines)) as draft:
            draft.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _read(path: Path) -> dict[int, bytes]:
    try:
        return _parsed(path.read_text(encoding="ascii", errors="replace"), str(path))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ActionNeeded(f"The master key {path} cannot be read: {error.strerror}.") from error


def _made(path: Path) -> dict[int, bytes]:
    """A new key in its file, whole or not at all; if another process is quicker, its key stays."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _written(path, _new_key()) as draft, contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return _read(path)


def _new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@contextlib.contextmanager
def _written(path: Path, text: str) -> Iterator[Path]:
    """A file beside `path` with this text, on the disk, that only its user may read."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> ActionNeeded:
    return ActionNeeded(
        f"The master key cannot be written: {path}: {error.strerror}. Make the data folder writable for this user, or "
        "give a key by COMPTOIR_MASTER_KEY."
    )


def _parsed(text: str, place: str) -> dict[int, bytes]:
    """Keys by version: each is 32 bytes in base64, with its version and a colon before it unless that is 1."""
    keys: dict[int, bytes] = {}
    for word in text.replace(",", " ").split():
        version, colon, key = word.rpartition(":")
        is_version = version.isascii() and version.isdigit() and len(version) < 4 and 1 <= int(version) <= 255
        if (colon and not is_version) or (number := int(version or 1)) in keys:
            raise ActionNeeded(
                f"The master key in {place} is not understood. Several keys are written 2:KEY 1:KEY, each with its own "
                "version from 1 to 255."
            )
        keys[number] = _decoded(key, place)
    return keys or {1: _decoded("", place)}


def _decoded(text: str | bytes, place: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ActionNeeded(
            f"The master key in {place} is not 32 bytes in base64. Put the right key back; one is made with "
            "`openssl rand -base64 32`."
        )
    return key


def check_key(tx: Connection, vault: Vault) -> None:
    """Refuse keys other than those this database was sealed with; remember the key at the first start.

    Values are sealed from now on with the version that the database is at, also where a newer one is at hand already.
    """
    remembered = sa.select(META.c.value).where(META.c.name == CHECK)
    held = tx.execute(remembered).scalar_one_or_none()
    if held is None:
        sealed = vault.seal(hashlib.sha256(CHECK.encode()).digest(), tenant="", subject=CHECK, field="")
        insert_if_free(tx, META, name=CHECK, value=sealed)
        held = tx.execute(remembered).scalar_one()  # of another process, if that was quicker
    for version in {held[0], *versions(tx)}:
        vault.use(version)
    vault.use(held[0])
    try:
        vault.open(held, tenant="", subject=CHECK, field="")
    except MasterKeyWrong as error:
        raise MasterKeyWrong(
            "The master key is not the one this database was sealed with. Give back the right key (master.key in "
            "the data folder, or COMPTOIR_MASTER_KEY)."
        ) from error


def versions(tx: Connection) -> set[int]:
    """The versions of the master key that values are sealed with."""
    found: set[int] = set()
    for column in sealed_columns():
        first = sa.func.substr(column, 1, 1)
        found |= {value[0] for (value,) in tx.execute(sa.select(first).where(column.is_not(None)).distinct())}
    named = sa.select(META.c.value).where(META.c.name.in_(SEALED_META))
    return found | {value[0] for (value,) in tx.execute(named)}


def sealed_columns() -> list[Column[Any]]:
    """Every column whose values are sealed: under the tenant of the row, the column that its `info` names, and its own
    name as the field."""
    return [column for table in METADATA.sorted_tables for column in table.columns if "sealed_for" in column.info]


def is_sealed(tx: Connection) -> bool:
    """Whether this database was used with a master key before."""
    return tx.execute(sa.select(META.c.name).where(META.c.name == CHECK)).one_or_none() is not None

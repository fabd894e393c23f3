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
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection

from comptoir.errors import ActionNeeded, MasterKeyWrong
from comptoir.store.rows import insert_if_free
from comptoir.store.tables import META

__all__ = ["Vault", "check_key", "is_sealed", "load_master_key"]

_NONCE = 12
_KEY_FILE = "master.key"
_CHECK = "master-key-check"


class Vault:
    """Seals with the current key, opens with the key a value was sealed with."""

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        self._keys = {version: AESGCM(key) for version, key in keys.items()}
        self._current = current

    def __repr__(self) -> str:
        return f"Vault(current={self._current})"

    def seal(self, plain: bytes, *, tenant: str, subject: str, field: str) -> bytes:
        nonce = os.urandom(_NONCE)
        sealed = self._keys[self._current].encrypt(nonce, plain, _bound_to(tenant, subject, field))
        return bytes([self._current]) + nonce + sealed

    def open(self, sealed: bytes, *, tenant: str, subject: str, field: str) -> bytes:
        """The value again; MasterKeyWrong if the key is not the one it was sealed with, or the place another."""
        key = self._keys.get(sealed[0]) if sealed else None
        if key is None:
            raise MasterKeyWrong("A sealed value was made with a master key that is not here. Give back that key.")
        try:
            return key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _bound_to(tenant, subject, field))
        except (InvalidTag, ValueError) as error:
            raise MasterKeyWrong(
                "A sealed value cannot be opened: the master key is not the one it was sealed with. Give back the "
                "right key (master.key in the data folder, or COMPTOIR_MASTER_KEY)."
            ) from error


def _bound_to(*parts: str) -> bytes:
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def load_master_key(data_dir: Path, given: str | None, *, sealed_before: bool) -> Vault:
    """The vault of this installation: from the setting, else from `master.key`, made at the first start.

    `sealed_before` says that the database already holds sealed values: then no new key is made.
    """
    if given is not None:
        return Vault({1: _decoded(given, "COMPTOIR_MASTER_KEY")}, 1)
    path = data_dir / _KEY_FILE
    try:
        return Vault({1: _decoded(path.read_bytes().strip(), str(path))}, 1)
    except FileNotFoundError:
        if sealed_before:
            raise ActionNeeded(
                f"The master key is missing: {path} is not there and COMPTOIR_MASTER_KEY is not set, but the database "
                "holds values sealed with it. Put the key back; without it linked companies must be linked again."
            ) from None
    except OSError as error:
        raise ActionNeeded(f"The master key {path} cannot be read: {error.strerror}.") from error
    try:
        _make_key(path)
    except OSError as error:
        raise ActionNeeded(
            f"The master key cannot be written: {path}: {error.strerror}. Make the data folder writable for this "
            "user, or give a key by COMPTOIR_MASTER_KEY."
        ) from error
    return Vault({1: _decoded(path.read_bytes().strip(), str(path))}, 1)


def _make_key(path: Path) -> None:
    """Write a new key, whole or not at all; if another process is quicker, its key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64encode(os.urandom(32)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


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
    """Refuse a key other than the one this database was sealed with; remember it at the first start."""
    remembered = sa.select(META.c.value).where(META.c.name == _CHECK)
    held = tx.execute(remembered).scalar_one_or_none()
    if held is None:
        sealed = vault.seal(hashlib.sha256(_CHECK.encode()).digest(), tenant="", subject=_CHECK, field="")
        insert_if_free(tx, META, name=_CHECK, value=sealed)
        held = tx.execute(remembered).scalar_one()  # of another process, if that was quicker
    try:
        vault.open(held, tenant="", subject=_CHECK, field="")
    except MasterKeyWrong as error:
        raise MasterKeyWrong(
            "The master key is not the one this database was sealed with. Give back the right key (master.key in "
            "the data folder, or COMPTOIR_MASTER_KEY)."
        ) from error


def is_sealed(tx: Connection) -> bool:
    """Whether this database was used with a master key before."""
    return tx.execute(sa.select(META.c.name).where(META.c.name == _CHECK)).one_or_none() is not None

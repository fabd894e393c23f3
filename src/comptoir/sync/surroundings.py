"""What the records of a data type are made with at large: small resources given whole, which lists are complete, the
day, and the version of the mapping. Its digest is the basis of a mapping: while it stays, only rows that changed count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from functools import lru_cache

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import DataType, Integration, Part, RawRow
from comptoir.integrations.versions import mapping_version
from comptoir.store import ConnectionId, TenantId, raw

__all__ = ["Surroundings"]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NOTHING = (b"{}",)


class Surroundings:
    """Of one connection, as they are in one view of the database. `complete` names resources whose latest read was."""

    def __init__(
        self,
        tx: Transaction,
        integration: Integration,
        tenant: TenantId,
        connection: ConnectionId,
        *,
        complete: Set[str],
        today: datetime,
    ) -> None:
        self._tx, self._integration = tx, integration
        self._tenant, self._connection = tenant, connection
        self._complete, self._today = complete, today
        self._rows: dict[str, tuple[RawRow, ...]] = {}
        self._given: dict[str | Part, tuple[RawRow, ...]] = {}
        self._digests: dict[str | Part, bytes] = {}

    def basis(self, data_type: DataType) -> str:
        """Another one says that all of the data type must be mapped anew."""
        digest = hashlib.sha256(mapping_version(self._integration, data_type).encode())
        digest.update(repr((sorted(self.complete(data_type)), self._day(data_type))).encode())
        for part in data_type.whole:
            digest.update(self._digest(part))
        return digest.hexdigest()[:32]

    def whole(self, data_type: DataType) -> Mapping[str, tuple[RawRow, ...]]:
        """The rows that the data type is given whole, each with no more than the members it declares."""
        return {part if isinstance(part, str) else part.resource: self._given_of(part) for part in data_type.whole}

    def complete(self, data_type: DataType) -> frozenset[str]:
        """Of what the data type has to do with."""
        names = {source.resource for source in data_type.sources}
        names |= {making.resource for making in data_type.made_from}
        names |= {part if isinstance(part, str) else part.resource for part in data_type.whole}
        names |= {name for hop in data_type.hops if not hop.is_late for name in (hop.start, hop.to)}
        return frozenset(names & self._complete)

    def today(self, data_type: DataType) -> datetime | None:
        return self._today if data_type.by_day else None

    def _day(self, data_type: DataType) -> str | None:
        today = self.today(data_type)
        return None if today is None else today.date().isoformat()

    def _given_of(self, part: str | Part) -> tuple[RawRow, ...]:
        if part not in self._given:
            self._given[part] = self._all(part) if isinstance(part, str) else tuple(self._rows_of(part))
        return self._given[part]

    def _rows_of(self, part: Part) -> Iterator[RawRow]:
        listed = frozenset(row.id for row in self._all(part.beside)) if part.beside else frozenset()
        for row in self._all(part.resource):
            if row.id not in listed or (part.or_having and _only(row.body, (part.or_having,)) not in _NOTHING):
                yield RawRow(row.id, row.part, _only(row.body, part.members))

    def _all(self, resource: str) -> tuple[RawRow, ...]:
        if resource not in self._rows:
            self._rows[resource] = raw.whole(self._tx, self._tenant, self._connection, resource)
        return self._rows[resource]

    def _digest(self, part: str | Part) -> bytes:
        if part not in self._digests:
            digest = hashlib.sha256(repr(part).encode())
            for row in self._given_of(part):
                digest.update(b"\n%b\n%b\n%b" % (row.id.encode(), row.part.encode(), row.body))
            self._digests[part] = digest.digest()
        return self._digests[part]


@lru_cache(maxsize=4096)
def _only(body: bytes, members: tuple[str, ...]) -> bytes:
    """The record with these members alone, each as it was written; one that is no record stays as it is."""
    try:
        given = _members(body)
    except (msgspec.MsgspecError, RecursionError):
        return body
    return msgspec.json.encode({name: given[name] for name in members if name in given})

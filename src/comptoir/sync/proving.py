"""Lists of several pages that a report shows to have been read right: their records add up to it."""

from __future__ import annotations

from comptoir.store import ConnectionId, Database, TenantId, raw
from comptoir.sync.calls import UNREADABLE, Proved, Task
from comptoir.sync.scope import Scope
from comptoir.sync.walk import Params, Walk

__all__ = ["Proving"]


class Proving:
    """Of one run over one connection."""

    def __init__(self, db: Database, tenant: TenantId, connection: ConnectionId, scope: Scope) -> None:
        self._db, self._tenant, self._connection, self._scope = db, tenant, connection, scope

    def to_ask_for(self, walk: Walk) -> dict[str, Params]:
        """Windows that a report may prove, and how it is asked for: what else does not hold needs no proof."""
        proof = walk.resource.proof
        if proof is None or not walk.stood_still():
            return {}
        names = [name for name in walk.to_agree() if not walk.windows[name].is_proof_asked]
        if not names:
            return {}
        with self._db.read() as tx:
            ranges = self._scope.ranges(tx, walk.resource)
        return {name: proof.asked(ranges[name]) for name in names if name in ranges}

    def holds(self, task: Task, answer: Proved) -> bool:
        """Whether what was met of a window adds up to what its upstream says of it."""
        resource, proof = task.walk.resource, task.walk.resource.proof
        assert proof is not None
        if answer.body is None:
            return False
        with self._db.read() as tx:
            owner = (self._tenant, self._connection)
            beside = {name: raw.whole(tx, *owner, name) for name in proof.beside}
            lines = (
                row.body for row in raw.in_window(tx, *owner, resource.name, task.window) if row.id in task.walk.seen
            )
            try:
                return proof.holds(self._scope.ranges(tx, resource)[task.window], lines, answer.body, beside)
            except UNREADABLE:
                return False

"""Lists that change while they are read: between two pages a record already read goes and another is added.

What offset paging then skips or repeats is what a client must get over.
"""

from __future__ import annotations

import random

import msgspec

from freeagent_standin.companies import Companies, World
from freeagent_standin.wire import Answer, Call

__all__ = ["drift"]

_TRIES = 5


def drift(companies: Companies, world: World, call: Call, answer: Answer, chance: random.Random) -> bool:
    """Delete one record of the page that was just served, or add one to its list; says whether anything changed.

    Not every record can go (a contact with invoices stays), so a few are tried.
    """
    resource = call.path
    ids = _ids(answer.body)
    chance.shuffle(ids)
    changed = False
    for record_id in ids[:_TRIES]:
        try:
            companies.change(world.id, {"do": "delete", "resource": resource, "id": record_id}, call.now)
        except ValueError:
            continue
        changed = True
        break
    add: dict[str, object] = {"do": "add", "resource": resource}
    account = dict(call.query).get("bank_account")
    if account is not None:
        add["set"] = {"bank_account": account.rsplit("/", 1)[-1]}
    try:
        companies.change(world.id, add, call.now)
    except ValueError:
        return changed
    return True


def _ids(body: bytes) -> list[str]:
    document = msgspec.json.decode(body)
    return [
        record["url"].rsplit("/", 1)[-1]
        for value in document.values()
        if isinstance(value, list)
        for record in value
        if isinstance(record, dict) and isinstance(record.get("url"), str)
    ]

"""Another tenant's ids, in every place of every operation that takes one, answer exactly as ids that nobody has.

Read off the table of operations, so that a new one is covered by being there; a new kind of parameter has to be named.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.api.conftest import House, Served

from comptoir.access import api_keys
from comptoir.api import OPERATIONS
from comptoir.api.routing import Operation
from comptoir.store import tenants

UNKNOWN = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"
# Whose they are depends on the tenant; what is not an id of ours is one of the source's.
OWNED = ("companyId", "connectionId", "datasetId", "syncId", "apiKeyId", "recordId", "attachmentId", "accountId",
         "sourceId", "webhookId", "pushOperationKey")  # fmt: skip
# Words that mean the same to every tenant.
WORDS = {"dataType": "invoices", "resource": "invoices", "platformKey": "fbrh", "image": "icon",
         "productIdentifier": "x", "customDataIdentifier": "x"}  # fmt: skip
BODIES: tuple[dict[str, str], ...] = ({}, {"name": "Theirs now"}, {"status": "Unlinked"}, {"platformKey": "fbrh"})
TAGS = sorted({one.tag for one in OPERATIONS})


def _names(operation: Operation) -> list[str]:
    return re.findall(r"\{(\w+)\}", operation.path)


def test_every_parameter_is_known_to_be_a_tenants_or_nobodys() -> None:
    named = {name for one in OPERATIONS for name in _names(one)}
    asked = {one.name for operation in OPERATIONS for one in operation.parameters if one.name.endswith("Id")}

    assert named - set(OWNED) - WORDS.keys() == set()
    assert asked == {"connectionId"}


class Neighbours:
    """Two tenants in one database: one with books, and one that knows the ids in them."""

    def __init__(self, served: Served) -> None:
        with served.db.write() as tx:
            rival = tenants.add(tx, "Rival", served.clock.now())
            _, key = api_keys.add(tx, rival.id, "tests", served.clock.now())
            theirs = api_keys.all_keys(tx, served.tenant)[0].id
        self.served = served
        self.rival = House(served.db, served.client, served.clock, rival.id, key)
        company, connection = self.rival.a_linked_company()
        self.own = dict.fromkeys(OWNED, UNKNOWN) | {"companyId": company, "connectionId": connection}
        base = f"/companies/{served.company}"
        [sync, *_] = self._results(f"{base}/connections/{served.connection}/syncs")
        invoices = served.all("invoices")
        self.theirs = {
            "companyId": served.company,
            "connectionId": served.connection,
            "datasetId": self._results(f"{base}/data/history")[0]["id"],
            "syncId": sync["id"],
            "apiKeyId": theirs,
            "recordId": invoices[0]["id"],
            "attachmentId": "7",
            "accountId": served.all("bankAccounts")[0]["id"],
            "sourceId": invoices[0]["id"],
            "webhookId": UNKNOWN.replace("0", "1"),
            "pushOperationKey": UNKNOWN.replace("0", "2"),
        }

    def _results(self, path: str) -> list[dict[str, Any]]:
        return list(self.served.get(path).json()["results"])

    def answers(self, operation: Operation, values: Mapping[str, str], query: Mapping[str, str], body: Any) -> Any:
        """Status and body, without what is of this request alone; ids that were asked for are all alike in it."""
        path = re.sub(r"\{(\w+)\}", lambda name: (WORDS | dict(values))[name[1]], operation.path)
        content = {} if operation.body is None else {"json": body}
        answer = self.rival.ask(operation.method, path, params=query, **content)
        text = re.sub(r'"correlationId":"\w+"', "", answer.text)
        for id_ in (*values.values(), *query.values()):
            text = text.replace(id_, "(id)")
        return answer.status_code, text


@pytest.fixture(scope="module")
def neighbours(served: Served) -> Neighbours:
    return Neighbours(served)


def _places(operation: Operation) -> Iterator[tuple[str, ...]]:
    """Where another's ids are tried: each place by itself, and all of them."""
    owned = [name for name in _names(operation) if name in OWNED]
    owned += [f"?{one.name}" for one in operation.parameters if one.name in OWNED]
    yield from ((name,) for name in owned)
    if len(owned) > 1:
        yield tuple(owned)


@pytest.mark.parametrize("tag", TAGS)
def test_anothers_ids_answer_as_ids_that_nobody_has(neighbours: Neighbours, tag: str) -> None:
    theirs, own = neighbours.theirs, neighbours.own
    before = neighbours.served.get(f"/companies/{neighbours.served.company}").json()
    for operation in (one for one in OPERATIONS if one.tag == tag):
        for places, body in itertools.product(_places(operation), BODIES if operation.body else BODIES[:1]):
            asked = [
                neighbours.answers(
                    operation,
                    own | {name: ids[name] for name in places if name in ids},
                    {name[1:]: ids[name[1:]] for name in places if name.startswith("?")},
                    body,
                )
                for ids in (theirs, dict.fromkeys(OWNED, UNKNOWN))
            ]

            assert asked[0] == asked[1], (operation.id, places, body)
            assert 400 <= asked[0][0] < 500 or operation.method == "DELETE", (operation.id, places, asked[0])
    assert neighbours.served.get(f"/companies/{neighbours.served.company}").json() == before


def test_the_ids_that_are_tried_are_there_for_their_owner(neighbours: Neighbours) -> None:
    """Else the answers to them would say nothing."""
    theirs, served = neighbours.theirs, neighbours.served
    base = f"/companies/{theirs['companyId']}"
    connection = f"{base}/connections/{theirs['connectionId']}"
    for path in (
        connection,
        f"{connection}/syncs/{theirs['syncId']}",
        f"{base}/data/history/{theirs['datasetId']}",
        f"{base}/data/invoices/{theirs['recordId']}",
        f"{connection}/data/bankAccounts/{theirs['accountId']}",
        f"{connection}/data/invoices/{theirs['recordId']}/source",
    ):
        assert served.get(path).status_code == 200, path
    assert theirs["apiKeyId"] in json.dumps(served.get("/apiKeys").json())

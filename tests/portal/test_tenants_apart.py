"""Another tenant's ids, in every place of every page and form that takes one, answer exactly as ids that nobody has.

Read off the table of routes, so that a new one is covered by being there; a new kind of parameter has to be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.portal.conftest import House
from tests.portal.pages import PLATFORM

from comptoir.access import Role, api_keys, operators
from comptoir.portal import listed
from comptoir.store import companies, connections, syncs
from comptoir.store.connections import ConnectionStatus

UNKNOWN = "0b9e3b3e-35c9-4a7e-9a4c-0a6a36f0f7a1"
OWNED = ("company", "connection", "sync", "record", "file", "operator")
WORDS = {"key": "invoices", "slug": PLATFORM.slug, "name": "mark.svg"}
_KEYS = "/settings/api-keys/{key}"  # of an API key, which is somebody's; elsewhere `key` is a data type
# Link pages are for whoever has their address: they belong to no operator.
ROUTES = [
    (method, re.sub(r":\w+\}", "}", path).replace("/settings/api-keys/{key}", "/settings/api-keys/{record}"))
    for method, path, takes in listed("/link")
    if takes != "anyone" and "{" in path
]


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _places() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Where another's ids are tried: each place by itself, and all of them."""
    for method, path in ROUTES:
        owned = [name for name in _names(path) if name in OWNED]
        yield from ((method, path, (name,)) for name in owned)
        if len(owned) > 1:
            yield method, path, tuple(owned)


def test_every_parameter_is_known_to_be_a_tenants_or_nobodys() -> None:
    assert {name for _, path in ROUTES for name in _names(path)} - set(OWNED) - WORDS.keys() == set()


def _owned(house: House) -> dict[str, str]:
    """A company that was read over its connection, and an API key."""
    now = datetime.now(UTC)
    with house.application.db.write() as tx:
        company = companies.add(tx, house.tenant, name="Kestrel", created_by="tests", now=now).id
        connection = connections.add(tx, house.tenant, company, PLATFORM.key, now).id
        connections.set_status(tx, house.tenant, connection, ConnectionStatus.LINKED, now)
        sync = syncs.begin(tx, house.tenant, connection, now).id
        syncs.end(tx, house.tenant, sync, calls=3, checks=None, now=now)
        key, _ = api_keys.add(tx, house.tenant, "tests", now)
        colleague, _ = operators.add(tx, house.tenant, email=f"colleague.{house.email}", role=Role.ANALYST, now=now)
    return {
        "company": company,
        "connection": connection,
        "sync": sync,
        "record": key.id,
        "file": "attachment-700",
        "operator": colleague.id,
    }


def test_anothers_ids_answer_as_ids_that_nobody_has(house: House) -> None:
    theirs = _owned(House(house.application, house.client))
    own = _owned(house)
    browser = house.operator()
    token = re.findall(r'name="csrf" value="([^"]+)"', browser.get("/companies/new").html)[0]

    def answer(method: str, path: str, places: tuple[str, ...], ids: dict[str, str]) -> tuple[int, str]:
        values = own | {name: ids[name] for name in places}
        address = re.sub(r"\{(\w+)\}", lambda name: (WORDS | values)[name[1]], path)
        told = browser.get(address) if method == "GET" else browser.send(address, {"csrf": token})
        text = re.sub(r"Reference <code>\w+</code>", "", told.html) + told.headers.get("location", "")
        for id_ in values.values():
            text = text.replace(id_, "(id)")
        return told.status, text

    for method, path, places in _places():
        found, expected = (answer(method, path, places, ids) for ids in (theirs, dict.fromkeys(OWNED, UNKNOWN)))

        assert found == expected, (method, path, places)
        assert found[0] in (303, 404), (method, path, places)
    with house.application.db.read() as tx:
        [held] = [one for one in connections.all_linked(tx) if one.id == theirs["connection"]]
    assert held.company_id == theirs["company"]


@pytest.mark.parametrize("path", ["", "/connections/{connection}", "/history/{sync}", "/history/{sync}/calls"])
def test_the_ids_that_are_tried_are_there_for_their_owner(house: House, path: str) -> None:
    own = _owned(house)

    assert house.operator().get("/companies/{company}".format(**own) + path.format(**own)).status == 200

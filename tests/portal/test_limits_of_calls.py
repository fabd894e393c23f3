"""How many calls the source's limits still allow, on the page of a connection."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tests.portal.conftest import House
from tests.portal.pages import PLATFORM

from comptoir.store import companies, connections
from comptoir.store.connections import ConnectionStatus


def test_what_the_limits_still_allow_is_on_the_page_of_a_linked_connection(house: House) -> None:
    now = datetime.now(UTC)
    with house.application.db.write() as tx:
        company = companies.add(tx, house.tenant, name="Kestrel", created_by="tests", now=now).id
        connection = connections.add(tx, house.tenant, company, PLATFORM.key, now).id
    address = f"/companies/{company}/connections/{connection}"
    unlinked = house.operator().get(address)
    with house.application.db.write() as tx:
        connections.set_status(tx, house.tenant, connection, ConnectionStatus.LINKED, now)

    page, french = house.operator().get(address), house.operator("fr").get(address)

    assert "Calls left" not in unlinked.words
    assert re.search(r"Calls for this company, this minute 120 of 120 left anew at \d\d:\d\d:\d\d UTC", page.words)
    assert "3,600 of 3,600 left" in page.words
    assert "Renewals of access, this minute 15 of 15 left" in page.words
    assert "From this server, for all companies, this minute 1,000 of 1,000 left" in page.words
    assert "Appels restants" in french.words

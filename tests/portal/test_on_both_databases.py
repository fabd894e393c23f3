"""Each form of the portal once, on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.portal.conftest import CLIENT_ID, ORIGIN, SECRET, Browser, House, installation
from tests.portal.pages import KEYS, LIST


@pytest.mark.slow
def test_every_form_does_what_it_says(database_url: str, tmp_path: Path) -> None:
    application = installation(database_url, tmp_path)
    with TestClient(application.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        house = House(application, client)
        said = _everything(house.operator())
        visitor = house.visitor()
        signed_in = visitor.post("/sign-in", {"email": house.email, "password": house.password, "next": "/companies"})
    application.stop()

    assert said == [
        "The keys for FreeAgent are saved.",
        "FreeAgent is enabled. Companies can link it now.",
        "The next secret for FreeAgent is saved. It is used as soon as FreeAgent refuses the present one.",
        "The next secret for FreeAgent is removed.",
        "Your organisation's details are saved.",
        "Søren & Sons is added. Send its Link URL to the company to have it linked.",
        "Firth Lending asks to read the books of Søren & Sons.",
        "Søren & Sons and all its data are deleted.",
        "The API key is deleted. It no longer works.",
        "FreeAgent is disabled. No company can link it; data already read stays readable.",
        "You are signed out.",
    ]
    assert (signed_in.status, signed_in.headers["location"]) == (303, "/companies")


def _everything(operator: Browser) -> list[str]:
    """Sends each form, and gathers what the page after it says."""
    said: list[str] = []

    def send(path: str, **fields: str) -> str:
        answer = operator.post(path, fields)
        page = operator.follow(answer)
        said.extend(re.findall(r'role="status">\s*([^<]+?)\s*<', page.html)[:1])
        return str(answer.headers["location"])

    send(KEYS, client_id=CLIENT_ID, client_secret=SECRET)
    send(f"{KEYS}/switch", enabled="true")
    send(f"{KEYS}/next-secret", next_secret="a-secret-that-waits")
    send(f"{KEYS}/next-secret/remove")
    send("/settings/organisation", name="Firth Lending", address="https://lender.example/done")
    company = send("/companies", name="Søren & Sons")
    assert "Søren" in operator.client.get("/companies", params={"search": "søren"}).text
    link = operator.get(f"/link{company.replace('/companies/', '/company/')}")
    said.extend(re.findall(r"Firth Lending asks[^.]*\.", link.words))
    send(f"{company}/delete")
    made = operator.post("/settings/api-keys", {"name": "one"})
    assert "The key “one” is made" in made.words
    operator.post("/settings/api-keys", {"name": "two"})
    [key, *_] = re.findall(r"confirm=([\w-]+)", operator.get("/settings/api-keys").html)
    send(f"/settings/api-keys/{key}/delete")
    send(f"{KEYS}/switch", enabled="false")
    assert "Disabled" in operator.get(LIST).words
    send("/sign-out")
    return [text.replace("&#39;", "'").replace("&amp;", "&") for text in said]

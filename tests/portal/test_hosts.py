"""Below one address, and with a base domain: API, portal, Link pages and redirect address each on a host of its own below it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from litestar.testing import TestClient
from tests.portal.conftest import House
from tests.portal.pages import KEYS

from comptoir import settings
from comptoir.app import Application

APP = "https://app.example.com"


def _form(client: Any, path: str, **fields: str) -> Any:
    [token, *_] = re.findall(r'name="csrf" value="([^"]+)"', client.get("/no-such-page").text)
    return client.post(path, data={"csrf": token} | fields, headers={"Origin": APP}, follow_redirects=False)


def test_a_company_is_linked_over_the_hosts_of_a_base_domain(tmp_path: Path) -> None:
    read = settings.read({}, folder=tmp_path, data_dir=str(tmp_path), base_domain="example.com")
    application = Application(read)
    first = application.first_start
    assert first is not None
    with TestClient(application.asgi, base_url=APP, raise_server_exceptions=False) as client:
        [given] = client.get("/sign-in").headers.get_list("set-cookie")
        assert _form(client, "/sign-in", email=first.email, password=first.password).status_code == 303
        keys = client.get(KEYS).text
        _form(client, KEYS, client_id="an-identifier", client_secret="a-secret-of-tests")
        _form(client, f"{KEYS}/switch", enabled="true")
        company = client.get(_form(client, "/companies", name="Toft").headers["location"]).text

        [link] = re.findall(r'id="link_url"[^>]*value="([^"]+)"', company)
        page = client.get(link)
        [start] = re.findall(r'href="([^"]+/start)"', page.text)
        sent = client.get(f"https://link.example.com{start}", follow_redirects=False)
        [state] = re.findall(r"state=([^&]+)", sent.headers["location"])
        back = client.get(f"https://freeagent.example.com/oauth/callback?error=access_denied&state={state}")
        api = client.get("/companies", headers={"Host": "api.example.com"}, follow_redirects=False)
        portal = client.get("/companies", headers={"Host": "app.example.com"})
    application.stop()

    assert given.startswith("__Secure-comptoir_browser=")  # which all hosts below may see, so it cannot be one host's
    assert {"Domain=example.com", "Secure", "HttpOnly", "SameSite=lax"} <= set(given.split("; "))
    assert 'value="https://freeagent.example.com/oauth/callback" readonly' in keys
    assert link.startswith("https://link.example.com/company/")
    assert "redirect_uri=https%3A%2F%2Ffreeagent.example.com%2Foauth%2Fcallback" in sent.headers["location"]
    # The browser the approval was begun in is known again on the host of the redirect address.
    assert back.status_code == 403
    assert "You did not approve" in back.text
    for answer in (back, api, portal):  # none of them may be asked for in the clear again
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert api.status_code == 401
    assert api.headers["content-type"] == "application/json"
    assert portal.headers["content-type"].startswith("text/html")


def test_on_one_origin_the_api_answers_below_its_path_and_the_pages_everywhere_else(house: House) -> None:
    assert house.client.get("/api/companies").json()["statusCode"] == 401
    assert "strict-transport-security" not in house.client.get("/sign-in").headers  # its address is http
    assert house.client.get("/api").headers["content-type"] == "application/json"
    assert house.client.get("/apis/companies").headers["content-type"].startswith("text/html")

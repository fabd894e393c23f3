"""The pages in Chromium, by their visible labels, as a person who follows a guide finds them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from .conftest import NOON, Serve, Served

SIZES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}

pytestmark = pytest.mark.browser


@pytest.fixture
def app_address() -> Iterator[tuple[str, list[str]]]:
    """An app on another origin that sends its visitor on to a third one, as a Link page does."""
    called: list[str] = []

    class App(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            if self.path.startswith("/callback"):
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{server.server_port}/done")
            else:
                self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), App)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/callback", called
    server.shutdown()
    server.server_close()


def keep_picture(page: Page, name: str) -> None:
    """Pictures to look at, when a folder for them is given."""
    folder = os.environ.get("STANDIN_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def approve(served: Served, client_id: str) -> None:
    """An approval that was given before."""
    state = served.standin.state
    code = state.add_code(client_id=client_id, redirect_uri="", company_id=1, user_id=101, expires_at=4e9)
    state.exchange_code(code, now=NOON.timestamp(), lifetime=3600, ends_earlier=True)


def sign_in(page: Page) -> None:
    page.get_by_label("Email", exact=True).fill("olive@example.com")
    page.get_by_label("Password", exact=True).fill("open sesame")
    page.get_by_role("button", name="Sign in", exact=True).click()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("decision", ["Approve", "Deny"])
def test_from_a_new_app_to_an_answer(
    serve: Serve, browser: Browser, app_address: tuple[str, list[str]], size: str, decision: str
) -> None:
    served = serve(companies=2)
    redirect_uri, called = app_address
    context = browser.new_context(viewport=SIZES[size])
    page = context.new_page()

    page.goto(f"{served.url}/dev")
    keep_picture(page, f"{size}-1-sign-in")
    sign_in(page)
    keep_picture(page, f"{size}-2-no-apps")
    page.get_by_role("link", name="Create New App").click()
    page.get_by_label("Name", exact=True).fill("Comptoir")
    page.get_by_label("Description").fill("Reads the books of companies that lenders and advisers work with.")
    page.get_by_label("OAuth Redirect URIs").fill(redirect_uri)
    assert not page.get_by_label("Enable Accountancy Practice API").is_checked()
    keep_picture(page, f"{size}-3-create")
    page.get_by_role("button", name="Create App").click()
    client_id = page.get_by_label("OAuth identifier", exact=True).input_value()
    client_secret = page.get_by_label("OAuth secret", exact=True).input_value()
    keep_picture(page, f"{size}-4-app")
    assert fits(page)
    page.get_by_role("link", name="My Apps").click()
    keep_picture(page, f"{size}-5-apps")

    query = {"client_id": client_id, "response_type": "code", "redirect_uri": redirect_uri, "state": "abc"}
    page.goto(f"{served.url}/v2/approve_app?{urlencode(query)}")
    keep_picture(page, f"{size}-6-customer-sign-in")
    sign_in(page)
    page.get_by_label("Company 2 Ltd").check()
    keep_picture(page, f"{size}-7-approve")
    assert fits(page)
    page.get_by_role("button", name=decision, exact=True).click()
    page.wait_for_url("**/done")
    context.close()

    answered = parse_qs(urlsplit(called[0]).query)
    assert answered["state"] == ["abc"]
    if decision == "Deny":
        assert answered["error"] == ["access_denied"]
        return
    tokens = served.token_call(
        (client_id, client_secret),
        grant_type="authorization_code",
        code=answered["code"][0],
        redirect_uri=redirect_uri,
    ).json()
    assert served.get("company", token=tokens["access_token"]).json()["company"]["name"] == "Company 2 Ltd"


def test_the_way_can_be_gone_by_keyboard_alone(served: Served, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{served.url}/dev")

    page.keyboard.press("Tab")
    on_skip_link = page.evaluate("document.activeElement.textContent")
    page.get_by_label("Email", exact=True).focus()
    page.keyboard.type("olive@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("open sesame")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="My Apps", level=1).wait_for()
    page.close()

    assert on_skip_link == "Skip to the content"


@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_pages_have_no_accessibility_violation(
    served: Served, browser: Browser, size: str, scheme: Literal["light", "dark"]
) -> None:
    axe = Axe()
    client_id, _ = served.app("https://a.example/cb")
    approve(served, client_id)
    query = {"client_id": client_id, "response_type": "code", "redirect_uri": "https://a.example/cb"}
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = {}

    def check(name: str) -> None:
        found[name] = [one["id"] for one in axe.run(page).response["violations"]]
        keep_picture(page, f"{size}-{scheme}-{name}")
        assert fits(page), name

    page.goto(f"{served.url}/")
    check("front")
    page.goto(f"{served.url}/dev")
    check("sign in")
    page.get_by_label("Email", exact=True).fill("olive@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    check("wrong password")
    sign_in(page)
    check("apps")
    page.goto(f"{served.url}/dev/apps/new")
    page.get_by_label("OAuth Redirect URIs").fill("nonsense")
    page.get_by_role("button", name="Create App").click()
    check("errors")
    page.goto(f"{served.url}/dev/apps/{client_id}")
    check("app")
    page.get_by_role("button", name="Revoke").click()
    check("no secret")
    page.goto(f"{served.url}/v2/approve_app?{urlencode(query)}")
    sign_in(page)
    check("approve")
    page.goto(f"{served.url}/connected-apps")
    check("connected")
    page.goto(f"{served.url}/v2/approve_app?client_id=nobody")
    check("problem")
    context.close()

    assert found == {name: [] for name in found}

"""Every page, at both widths, in both languages, light and dark: nothing keeps anybody out, nothing sticks out."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect
from tests.browser.conftest import NARROW, WIDE, House, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIST = "/settings/integrations/accounting"
LONG = "Übergroßhandelsgesellschaftsniederlassungsverwaltungsbürovorsteherin"
# Each language, width and scheme once: French, the longer one, where there is least room.
LOOKS = [
    pytest.param("en-GB", WIDE, "light", id="en, wide"),
    pytest.param("fr-FR", NARROW, "dark", id="fr, narrow, dark"),
]
# What is too small to be hit, what makes the page wider than its window, and what a page should have once.
MEASURE = """() => {
  const shown = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility !== "hidden";
  const isInText = (one) => one.tagName === "A" && getComputedStyle(one).display === "inline";
  const targets = [...document.querySelectorAll("a, button, select, input:not([type=hidden]), summary")];
  return {
    wide: document.documentElement.scrollWidth - window.innerWidth,
    small: targets
      .filter((one) => shown(one) && !isInText(one) && !one.classList.contains("skip"))
      .filter((one) => one.getBoundingClientRect().height < 43.5)
      .map((one) => one.outerHTML.slice(0, 120)),
    headings: document.querySelectorAll("h1").length,
    primary: [...document.querySelectorAll("main .primary")].filter(shown).map((one) => one.textContent.trim()),
  };
}"""


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Everything set up and one company linked and read, as `comptoir demo` does it."""
    served = House(tmp_path_factory.mktemp("linked"), manual=False)
    yield served
    served.running.stop()


def _sign_in(page: Page, house: House) -> None:
    page.goto(f"{house.portal}/sign-in")
    page.locator("#email").fill(house.facts["email"])
    page.locator("#password").fill(house.facts["password"])
    page.locator("main button").click()
    page.wait_for_url("**/companies")


def _new_company(page: Page, house: House, name: str) -> str:
    page.goto(f"{house.portal}/companies/new")
    page.locator("#name").fill(name)
    page.locator("main button").click()
    page.wait_for_selector("#link_url")
    return page.locator("#link_url").input_value()


def _check(page: Page, name: str) -> None:
    """Of a page that the test has seen something of: else the page before it, or half of it, may be measured."""
    page.wait_for_load_state()
    found: Any = page.evaluate(MEASURE)
    report = Axe().run(page)

    assert report.violations_count == 0, (name, report.generate_report())
    assert found["wide"] <= 0, name
    assert found["small"] == [], name
    assert found["headings"] == 1, name
    assert len(found["primary"]) <= 1, name
    keep_picture(page, name)


def _asked(house: House, path: str) -> Any:
    """The first of a list of the API's."""
    key = base64.b64encode(house.facts["apiKey"].encode()).decode()
    headers = {"Authorization": f"Basic {key}"}
    answer = httpx2.get(f"{house.facts['apiUrl']}/companies/{house.facts['companyId']}/{path}", headers=headers)
    return answer.json()["results"][0]


def _newest(house: House, data_type: str) -> str:
    return f"{data_type}/{_asked(house, f'data/{data_type}')['id']}"


def _newest_sync(house: House) -> str:
    return str(_asked(house, f"connections/{house.facts['connectionId']}/syncs")["id"])


def _visited(house: House) -> list[tuple[str, str]]:
    company, connection = house.facts["companyId"], house.facts["connectionId"]
    here, link = f"/companies/{company}", f"{LIST}/freeagent"
    return [
        ("integrations", LIST),
        ("integrations-none", f"{LIST}?search=nothing"),
        ("manage", link),
        ("set-up", f"{link}/set-up"),
        ("organisation", "/settings/organisation"),
        ("schedules", "/settings/schedules"),
        ("company-schedules", f"{here}/schedules"),
        ("api-keys", "/settings/api-keys"),
        ("team", "/settings/team"),
        ("audit-trail", "/settings/audit-trail"),
        ("audit-trail-none", "/settings/audit-trail?who=nobody"),
        ("account", "/account"),
        ("second-factor", "/account/second-factor"),
        ("link-over", "/set-password?token=over"),
        ("companies", "/companies"),
        ("companies-none", "/companies?search=nothing"),
        ("new-company", "/companies/new"),
        ("company", here),
        ("company-bank-lines", f"{here}?show=bankTransactions"),
        ("company-delete", f"{here}?confirm=delete"),
        ("connection", f"{here}/connections/{connection}"),
        ("connection-unlink", f"{here}/connections/{connection}?confirm=unlink"),
        ("connection-delete", f"{here}/connections/{connection}?confirm=delete"),
        ("books-check", f"{here}/books-check"),
        ("records", f"{here}/data/invoices"),
        ("records-2", f"{here}/data/chartOfAccounts?page=2"),
        ("record", f"{here}/data/{_newest(house, 'invoices')}"),
        ("record-of-two-halves", f"{here}/data/{_newest(house, 'transfers')}"),
        ("history", f"{here}/history"),
        ("read", f"{here}/history/{_newest_sync(house)}"),
        ("read-calls", f"{here}/history/{_newest_sync(house)}/calls"),
        ("records-past-the-end", f"{here}/data/invoices?page=99"),
        ("link", f"/link/company/{company}"),
        ("not-there", "/nothing/here"),
    ]


@pytest.mark.parametrize(("language", "size", "scheme"), LOOKS)
def test_every_page_is_open_to_everybody_and_fits(
    linked: House, browser: Browser, language: str, size: ViewportSize, scheme: Any
) -> None:
    tag = f"every-{language[:2]}-{size['width']}"
    context = browser.new_context(locale=language, viewport=size, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto(f"{linked.portal}/sign-in")
    _check(page, f"{tag}-sign-in")
    _sign_in(page, linked)
    link = _new_company(page, linked, f"{LONG} {LONG} {size['width']}{language}")
    _check(page, f"{tag}-company-new")
    page.goto(link)
    _check(page, f"{tag}-link-new")
    for name, path in _visited(linked):
        page.goto(linked.portal + path)
        expect(page.locator("html")).to_have_attribute("lang", language[:2])
        _check(page, f"{tag}-{name}")

    # Browsers report the page that is not there; nothing else may be said, least of all by the content policy.
    assert [one for one in said if "404" not in one] == []
    context.close()


@pytest.mark.parametrize(("language", "size", "scheme"), LOOKS)
def test_what_is_refused_is_open_to_everybody_too(
    linked: House, browser: Browser, language: str, size: ViewportSize, scheme: Any
) -> None:
    tag = f"refused-{language[:2]}-{size['width']}"
    context = browser.new_context(locale=language, viewport=size, color_scheme=scheme)
    page = context.new_page()

    page.goto(f"{linked.portal}/sign-in")
    page.locator("#email").fill("nobody@example.com")
    page.locator("#password").fill("a guess")
    page.locator("main button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    _check(page, f"{tag}-sign-in")
    _sign_in(page, linked)

    for name, path, fields in (
        ("company", "/companies/new", {"#name": "§§§"}),
        ("api-key", "/settings/api-keys", {"#name": "n" * 51}),
        ("organisation", "/settings/organisation", {"#name": "", "#address": "not an address"}),
        ("team", "/settings/team", {"#email": "not an address"}),
        ("keys", f"{LIST}/freeagent/set-up", {"#client_id": "with a blank", "#client_secret": ""}),
    ):
        page.goto(linked.portal + path)
        for field, text in fields.items():
            page.locator(field).fill(text)
        page.locator("main button.primary").click()
        wrong = page.locator("[aria-invalid=true]")
        expect(wrong).to_have_count(len(fields))
        for one in wrong.all():
            described = (one.get_attribute("aria-describedby") or "").split()
            expect(page.locator(f"#{described[0]}")).to_be_visible()
        assert [page.locator(field).input_value() for field in fields] == list(fields.values())
        expect(wrong.first).to_be_focused()
        _check(page, f"{tag}-{name}")
    context.close()


# By keyboard


@pytest.fixture
def page(linked: House, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport=WIDE)
    opened = context.new_page()
    _sign_in(opened, linked)
    yield opened
    context.close()


def _tab_to(page: Page, selector: str, most: int = 40) -> None:
    """Tab on until this has the focus, as somebody without a mouse does."""
    for _ in range(most):
        if page.locator(selector).evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by {most} tabs")


def test_the_first_tab_offers_to_skip_to_the_content(linked: House, page: Page) -> None:
    page.goto(f"{linked.portal}/companies")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_where_the_focus_is_can_be_seen(linked: House, page: Page) -> None:
    page.goto(f"{linked.portal}{LIST}")

    for _ in range(12):
        page.keyboard.press("Tab")
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2, page.evaluate("document.activeElement.outerHTML")


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_the_switch_is_worked_by_keyboard(linked: House, page: Page, key: str) -> None:
    page.goto(f"{linked.portal}{LIST}")
    switch = page.get_by_role("switch", name="FreeAgent", exact=True)
    expect(switch).to_be_checked()

    for is_on in (False, True):
        _tab_to(page, "[role=switch]")
        page.keyboard.press(key)

        expect(switch).to_be_checked(checked=is_on)
        expect(page.get_by_role("status")).to_contain_text("enabled" if is_on else "disabled")


def test_a_dialog_keeps_the_focus_and_escape_leaves_it(linked: House, page: Page) -> None:
    here = f"{linked.portal}/companies/{linked.facts['companyId']}"
    page.goto(here)

    _tab_to(page, "a.danger-link", most=120)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete Kestrel Lane Studio Ltd")
    expect(dialog.get_by_role("link", name="Keep it")).to_be_focused()
    for _ in range(6):
        page.keyboard.press("Tab")
        is_outside = "() => document.activeElement !== document.body && !document.activeElement.closest('dialog')"
        assert not page.evaluate(is_outside)
    page.keyboard.press("Escape")

    expect(dialog).to_have_count(0)
    expect(page).to_have_url(here)


def test_the_redirect_address_is_copied_by_its_button(linked: House, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", viewport=WIDE, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    _sign_in(page, linked)
    page.goto(f"{linked.portal}{LIST}/freeagent/set-up")

    page.get_by_role("button", name="Copy", exact=True).click()

    expect(page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{linked.portal}/oauth/callback"
    context.close()


def test_a_typed_secret_is_hidden_until_it_is_to_be_shown(linked: House, page: Page) -> None:
    page.goto(f"{linked.portal}{LIST}/freeagent/set-up")
    field, button = (
        page.get_by_label("Client secret", exact=True),
        page.get_by_role("button", name="Show Client secret"),
    )
    field.fill("a-secret")

    expect(field).to_have_attribute("type", "password")
    button.click()
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")


# Files


def test_files_of_a_record_are_downloaded(linked: House, page: Page) -> None:
    here = f"{linked.portal}/companies/{linked.facts['companyId']}"
    page.goto(f"{here}/data/{_newest(linked, 'invoices')}")

    with page.expect_download() as download:
        page.locator('a[href$="/pdf"]').click()

    assert re.fullmatch(r"invoice-.+\.pdf", download.value.suggested_filename)
    assert download.value.path().read_bytes().startswith(b"%PDF")


# By itself


def test_a_company_page_shows_by_itself_that_the_customer_has_linked(
    linked: House, browser: Browser, page: Page
) -> None:
    # Or else approving again would end the access of the company that all tests here share.
    httpx2.post(f"{linked.facts['controlUrl']}/settings", json={"refresh": "lenient"}).raise_for_status()
    link = _new_company(page, linked, "Toft Bakery")
    expect(page.get_by_text("Nothing is linked yet.")).to_be_visible()
    customer = browser.new_context(locale="en-GB").new_page()
    customer.goto(link)

    customer.get_by_role("link", name="Connect FreeAgent", exact=True).click()
    customer.get_by_label("Email", exact=True).fill(linked.facts["standinEmail"])
    customer.get_by_label("Password", exact=True).fill(linked.facts["standinPassword"])
    customer.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Waiting for approval")).to_be_visible()
    customer.get_by_role("button", name="Approve", exact=True).click()

    expect(page.get_by_text("Linked", exact=True)).to_be_visible()
    expect(page.locator("#data-invoices")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", name="Books check")).to_be_visible(timeout=30_000)
    customer.context.close()


def test_a_page_that_is_read_is_not_disturbed_by_what_comes_in(linked: House, page: Page) -> None:
    page.goto(f"{linked.portal}/companies/{linked.facts['companyId']}")
    page.locator("#refresh").click()
    opened = page.locator("details summary").first
    opened.click()

    page.locator("#refresh").focus()
    expect(page.locator("progress")).to_have_count(0, timeout=30_000)

    expect(page.locator("details").first).to_have_attribute("open", "")
    expect(page.locator("#refresh")).to_be_focused()


def test_a_page_that_nobody_looks_at_holds_no_connection(linked: House, page: Page) -> None:
    _new_company(page, linked, "Toft Bakery")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    look = """(isHidden) => {
      Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""

    with page.expect_event("requestfailed", lambda request: request.url.endswith("/progress")):
        page.evaluate(look, True)
    with page.expect_request(lambda request: request.url.endswith("/progress")):
        page.evaluate(look, False)

    assert len([one for one in asked if one.endswith("/progress")]) == 1

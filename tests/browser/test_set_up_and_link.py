"""The set-up guide, walked click by click by its visible labels, in both languages: from an app on the developer site
to books on the company page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import House, keep_picture, visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What the guide calls things, by language."""

    locale: str
    email: str
    password: str
    sign_in: str
    integrations: str
    set_up: str
    manage: str
    settings: str
    save: str
    enable: str
    enable_now: str
    later: str
    new_company: str
    company_name: str
    create: str
    link_url: str
    connect: str
    linked: str
    other_language: str


ENGLISH = Words(
    locale="en-GB",
    email="Email",
    password="Password",
    sign_in="Sign in",
    integrations="Accounting integrations",
    set_up="Set up",
    manage="Manage",
    settings="Integration settings",
    save="Save",
    enable="Enable FreeAgent",
    enable_now="Enable now",
    later="Later",
    new_company="New company",
    company_name="Company name",
    create="Create",
    link_url="Link URL",
    connect="Connect FreeAgent",
    linked="Linked",
    other_language="Français",
)
FRENCH = Words(
    locale="fr-FR",
    email="E-mail",
    password="Mot de passe",
    sign_in="Se connecter",
    integrations="Intégrations comptables",
    set_up="Configurer",
    manage="Gérer",
    settings="Paramètres d'intégration",
    save="Enregistrer",
    enable="Activer FreeAgent",
    enable_now="Activer maintenant",
    later="Plus tard",
    new_company="Nouvelle entreprise",
    company_name="Nom de l'entreprise",
    create="Créer",
    link_url="URL de liaison",
    connect="Connecter FreeAgent",
    linked="Liée",
    other_language="English",
)
BOTH = pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])


def _answer(house: House, customer: Page, choice: str) -> None:
    """At the stand-in: signed in first where it does not know them yet."""
    answer = customer.get_by_role("button", name=choice, exact=True)
    password = customer.get_by_label("Password", exact=True)
    expect(answer.or_(password)).to_be_visible()
    if password.is_visible():
        customer.get_by_label("Email", exact=True).fill(house.facts["standinEmail"])
        password.fill(house.facts["standinPassword"])
        customer.get_by_role("button", name="Sign in", exact=True).click()
    answer.click()


def _field(page: Page, label: str) -> str:
    return page.get_by_label(label, exact=True).input_value()


def _sign_in(page: Page, house: House, words: Words) -> None:
    page.goto(f"{house.portal}/settings/integrations/accounting")
    page.get_by_label(words.email, exact=True).fill(house.facts["email"])
    page.get_by_label(words.password, exact=True).fill(house.facts["password"])
    page.get_by_role("button", name=words.sign_in, exact=True).click()
    page.goto(f"{house.portal}/settings/integrations/accounting")
    expect(page.get_by_role("heading", name=words.integrations, exact=True)).to_be_visible()


def _make_app(page: Page, house: House, redirect_uri: str) -> tuple[str, str]:
    """On the stand-in's developer site, which speaks English only."""
    page.goto(house.developer)
    page.get_by_label("Email", exact=True).fill(house.facts["standinEmail"])
    page.get_by_label("Password", exact=True).fill(house.facts["standinPassword"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="My Apps")).to_be_visible()
    page.get_by_role("link", name="Create New App").click()
    page.get_by_label("Name", exact=True).fill("Comptoir")
    page.get_by_label("Description", exact=True).fill("Reads our customers' books")
    page.get_by_label("OAuth Redirect URIs", exact=True).fill(redirect_uri)
    expect(page.get_by_label("Enable Accountancy Practice API", exact=True)).not_to_be_checked()
    page.get_by_role("button", name="Create App", exact=True).click()
    return _field(page, "OAuth identifier"), _field(page, "OAuth secret")


def _looks_well(page: Page, name: str) -> None:
    """Nothing that keeps people out, no page wider than the window, and a picture of it."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    keep_picture(page, name)


def _save_keys(page: Page, words: Words, client_id: str, secret: str) -> None:
    page.get_by_label("Client ID", exact=True).fill(client_id)
    page.get_by_label("Client secret", exact=True).fill(secret)
    page.get_by_role("button", name=words.save, exact=True).click()


@pytest.fixture
def people(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, Page]]:
    """An operator and a customer, each in a browser of their own."""
    words: Words = request.getfixturevalue("words")
    contexts = [visitor(browser, words.locale) for _ in range(2)]
    yield contexts[0].new_page(), contexts[1].new_page()
    for context in contexts:
        context.close()


@BOTH
def test_from_the_developer_site_to_books_on_the_company_page(
    house: House, people: tuple[Page, Page], words: Words
) -> None:
    operator, customer = people
    tag = words.locale[:2]
    operator.goto(f"{house.portal}/")
    _looks_well(operator, f"{tag}-01-sign-in")
    _sign_in(operator, house, words)
    switch = operator.get_by_role("switch", name="FreeAgent", exact=True)
    expect(switch).not_to_be_checked()
    _looks_well(operator, f"{tag}-02-integrations")

    # Set up: the steps stand beside the form.
    operator.get_by_role("link", name=words.set_up, exact=True).click()
    expect(operator.get_by_role("heading", name=words.settings, exact=True)).to_be_visible()
    redirect_uri = _field(operator, "OAuth Redirect URI")
    assert redirect_uri == f"{house.portal}/oauth/callback"
    _looks_well(operator, f"{tag}-03-set-up")
    client_id, secret = _make_app(customer, house, redirect_uri)

    # Keys that cannot be right are refused beside their field, and what was typed stays.
    for typed_id, typed_secret, wrong in (
        (f"{client_id} ", secret, "Client ID"),
        (client_id, f"{secret[:5]} {secret[5:]}", "Client secret"),
        ("", secret, "Client ID"),
        (client_id, client_id, "Client secret"),
    ):
        _save_keys(operator, words, typed_id, typed_secret)
        field = operator.get_by_label(wrong, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        error = (field.get_attribute("aria-describedby") or "").split()[0]
        expect(operator.locator(f"#{error}")).not_to_be_empty()
        assert _field(operator, "Client ID") == typed_id
    _looks_well(operator, f"{tag}-04-refused")

    # Save, the confirmation, then the dialog.
    _save_keys(operator, words, client_id, secret)
    expect(operator.get_by_role("status").first).to_be_visible()
    dialog = operator.get_by_role("dialog", name=words.enable, exact=True)
    expect(dialog).to_be_visible()
    _looks_well(operator, f"{tag}-05-enable")
    dialog.get_by_role("button", name=words.later, exact=True).click()
    expect(dialog).not_to_be_visible()
    assert secret not in operator.content()
    expect(operator.get_by_text(secret[-4:], exact=True)).to_be_visible()

    # The list now says Manage; the switch is worked by keyboard.
    operator.goto(f"{house.portal}/settings/integrations/accounting")
    expect(operator.get_by_role("link", name=words.manage, exact=True)).to_be_visible()
    expect(switch).not_to_be_checked()
    switch.focus()
    operator.keyboard.press("Space")
    expect(switch).to_be_checked()
    _looks_well(operator, f"{tag}-06-enabled")
    operator.get_by_role("link", name=words.manage, exact=True).click()
    _looks_well(operator, f"{tag}-07-manage")

    # A company, its Link URL, and the customer's way.
    operator.goto(f"{house.portal}/companies")
    _looks_well(operator, f"{tag}-08-companies")
    operator.get_by_role("link", name=words.new_company, exact=True).click()
    operator.get_by_label(words.company_name, exact=True).fill("Kestrel Lane Studio")
    _looks_well(operator, f"{tag}-09-new-company")
    operator.get_by_role("button", name=words.create, exact=True).click()
    link_url = _field(operator, words.link_url)
    assert link_url.startswith(f"{house.portal}/link/company/")
    _looks_well(operator, f"{tag}-10-company")
    customer.goto(link_url)
    expect(customer.get_by_role("link", name=words.connect, exact=True)).to_be_visible()
    _looks_well(customer, f"{tag}-11-link")
    customer.get_by_role("link", name=words.connect, exact=True).click()
    _answer(house, customer, "Approve")
    expect(customer.get_by_text("Kestrel Lane Studio Ltd")).to_be_visible()
    _looks_well(customer, f"{tag}-12-linked")

    # The books arrive by themselves.
    operator.reload()
    expect(operator.get_by_text(words.linked, exact=True).first).to_be_visible()
    invoices = operator.locator("tr", has=operator.locator("#data-invoices"))
    expect(invoices).to_contain_text("60", timeout=30_000)
    expect(operator.locator("progress")).to_have_count(0, timeout=30_000)
    _looks_well(operator, f"{tag}-13-books")
    operator.locator("#data-invoices").click()
    expect(operator.locator("tbody tr").first).to_be_visible()
    _looks_well(operator, f"{tag}-14-invoices")
    operator.go_back()
    operator.get_by_role("link", name="FreeAgent", exact=True).first.click()
    _looks_well(operator, f"{tag}-15-connection")
    for page in (operator, customer):
        assert secret not in page.content()

    # The other language, from the switch in the header.
    operator.get_by_role("button", name=words.other_language, exact=True).click()
    expect(operator.locator("html")).to_have_attribute("lang", "fr" if tag == "en" else "en")


@pytest.mark.parametrize("words", [ENGLISH], ids=["en"])
def test_what_goes_wrong_is_said_and_nothing_is_lost(house: House, people: tuple[Page, Page], words: Words) -> None:
    operator, customer = people
    _sign_in(operator, house, words)

    # No keys, no switching on.
    operator.get_by_role("switch", name="FreeAgent", exact=True).click()
    expect(operator.get_by_role("alert")).to_be_visible()
    expect(operator.get_by_role("switch", name="FreeAgent", exact=True)).not_to_be_checked()
    _looks_well(operator, "en-20-switch-refused")

    # A wrong pair is told from a good one.
    operator.get_by_role("link", name="Set up", exact=True).click()
    client_id, secret = _make_app(customer, house, _field(operator, "OAuth Redirect URI"))
    _save_keys(operator, words, client_id, "not-the-secret")
    operator.get_by_role("button", name="Enable now", exact=True).click()
    operator.get_by_role("button", name="Test keys", exact=True).click()
    expect(operator.get_by_text(re.compile("refuses|does not accept|wrong", re.IGNORECASE)).first).to_be_visible()
    _looks_well(operator, "en-21-wrong-keys")
    _save_keys(operator, words, "not-the-secret", secret)
    expect(operator.get_by_label("Client ID", exact=True)).to_have_attribute("aria-invalid", "true")
    _save_keys(operator, words, client_id, secret)
    operator.get_by_role("button", name="Test keys", exact=True).click()
    expect(operator.get_by_role("status").first).to_contain_text(re.compile("accepts|good|right", re.IGNORECASE))

    # Denied: said to both, and tried again.
    operator.goto(f"{house.portal}/companies/new")
    operator.get_by_label("Company name", exact=True).fill("Thwaite & Sons <script>")
    operator.get_by_role("button", name="Create", exact=True).click()
    link_url = _field(operator, "Link URL")
    customer.goto(link_url)
    customer.get_by_role("link", name="Connect FreeAgent", exact=True).click()
    _answer(house, customer, "Deny")
    expect(customer.get_by_role("heading", name="Not linked")).to_be_visible()
    denied = customer.url
    _looks_well(customer, "en-22-denied")
    customer.goto(link_url)
    expect(customer.get_by_role("link", name="Connect FreeAgent", exact=True)).to_be_visible()
    operator.reload()
    expect(operator.get_by_text("User cancelled").first).to_be_visible()
    _looks_well(operator, "en-23-denied-company")

    # A state that was used, and one that never was: nothing changes.
    for address in (denied, f"{house.portal}/oauth/callback?code=x&state=made-up"):
        customer.goto(address)
        expect(customer.get_by_role("link", name="Connect FreeAgent", exact=True)).to_have_count(0)
    _looks_well(customer, "en-24-made-up-state")

    # An approval that never came back is explained where people look.
    customer.goto(link_url)
    customer.get_by_role("link", name="Connect FreeAgent", exact=True).click()
    customer.goto(link_url)
    _looks_well(customer, "en-25-open-approval")
    expect(customer.get_by_text("has not come back").first).to_be_visible()


@pytest.mark.parametrize("words", [FRENCH], ids=["fr"])
def test_everything_works_without_script(house: House, browser: Browser, words: Words) -> None:
    context = visitor(browser, words.locale, script=False)
    page = context.new_page()
    _sign_in(page, house, words)
    page.get_by_role("link", name=words.set_up, exact=True).click()
    redirect_uri = _field(page, "OAuth Redirect URI")
    other = context.new_page()
    client_id, secret = _make_app(other, house, redirect_uri)
    _save_keys(page, words, client_id, secret)
    dialog = page.get_by_role("dialog", name=words.enable, exact=True)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name=words.enable_now, exact=True).click()
    expect(dialog).to_be_hidden()
    page.goto(f"{house.portal}/companies/new")
    page.get_by_label(words.company_name, exact=True).fill("Kestrel")
    page.get_by_role("button", name=words.create, exact=True).click()
    other.goto(_field(page, words.link_url))
    other.get_by_role("link", name=words.connect, exact=True).click()
    _answer(house, other, "Approve")
    expect(other.get_by_text("Kestrel Lane Studio Ltd").first).to_be_visible()
    page.reload()
    expect(page.get_by_text(words.linked, exact=True).first).to_be_visible()
    context.close()

"""Somebody is invited, comes in with a phone, and is let go again: by the labels people see, without a mail server."""

from __future__ import annotations

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import NARROW, WIDE, House, visitor
from tests.browser.test_every_page import _check

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "un bon mot de passe"


def _sign_in(page: Page, house: House, email: str, password: str, *, labels: tuple[str, str, str]) -> None:
    page.goto(f"{house.portal}/sign-in")
    page.get_by_label(labels[0], exact=True).fill(email)
    page.get_by_label(labels[1], exact=True).fill(password)
    page.get_by_role("button", name=labels[2], exact=True).click()


def test_a_colleague_is_invited_sets_up_a_phone_and_is_let_go(house: House, browser: Browser) -> None:
    administrator = visitor(browser, "en-GB", WIDE).new_page()
    _sign_in(
        administrator,
        house,
        house.facts["email"],
        house.facts["password"],
        labels=("Email", "Password", "Sign in"),
    )
    administrator.get_by_role("link", name="Settings").click()
    administrator.get_by_role("link", name="Team").click()
    administrator.get_by_label("Email", exact=True).fill("colleague@example.com")
    administrator.get_by_label("Role", exact=True).select_option("Analyst")
    administrator.get_by_role("button", name="Make invitation").click()
    link = administrator.get_by_label("Link", exact=True).input_value()
    _check(administrator, "people-invited")

    colleague = visitor(browser, "fr-FR", NARROW, script=False).new_page()
    colleague.goto(link)
    expect(colleague.get_by_text("Pour colleague@example.com.")).to_be_visible()
    colleague.get_by_label("Nouveau mot de passe", exact=True).fill(PASSWORD)
    colleague.get_by_role("button", name="Enregistrer le mot de passe").click()
    expect(colleague.get_by_role("status")).to_have_text("Votre mot de passe est enregistré. Connectez-vous avec lui.")
    labels = ("E-mail", "Mot de passe", "Se connecter")
    _sign_in(colleague, house, "colleague@example.com", PASSWORD, labels=labels)
    colleague.get_by_role("link", name="Compte", exact=True).click()
    colleague.get_by_role("link", name="Configurer la double authentification").click()
    secret = colleague.get_by_label("Clé", exact=True).input_value()
    colleague.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
    colleague.get_by_label("Mot de passe actuel", exact=True).fill(PASSWORD)
    colleague.get_by_role("button", name="Activer", exact=True).click()
    expect(colleague.get_by_role("heading", name="La double authentification est activée")).to_be_visible()
    colleague.wait_for_load_state()
    codes = colleague.locator(".codes code").all_inner_texts()
    colleague.get_by_role("button", name="Se déconnecter").click()
    expect(colleague.get_by_role("button", name="Se connecter")).to_be_visible()
    _sign_in(colleague, house, "colleague@example.com", PASSWORD, labels=labels)
    expect(colleague.get_by_role("heading", name="Encore une étape")).to_be_visible()
    colleague.get_by_label("Code", exact=True).fill(codes[0])
    colleague.get_by_role("button", name="Continuer").click()
    colleague.wait_for_url("**/companies")

    administrator.goto(f"{house.portal}/settings/team")
    administrator.get_by_role("link", name="colleague@example.com").click()
    expect(administrator.get_by_role("button", name="Remove two-factor sign-in")).to_be_visible()
    _check(administrator, "people-member")
    administrator.get_by_role("link", name="Disable this operator").click()
    administrator.get_by_role("dialog").get_by_role("button", name="Disable", exact=True).click()
    expect(administrator.get_by_role("status")).to_have_text(
        "colleague@example.com is disabled and signed out everywhere."
    )
    colleague.goto(f"{house.portal}/companies")
    expect(colleague).to_have_url(f"{house.portal}/sign-in?next=/companies")
    administrator.get_by_role("link", name="Audit trail").click()
    administrator.get_by_label("What was done", exact=True).select_option("Operator disabled")
    administrator.get_by_role("button", name="Show", exact=True).click()
    expect(administrator.locator("tbody tr")).to_have_count(1)
    _check(administrator, "people-trail")

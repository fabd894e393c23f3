"""Linking over the hosted pages: what the customer sees, what the operator sees, whatever happens in between."""

from __future__ import annotations

import re

import pytest
from tests.portal.linking import Linking, Site, parameters
from tests.portal.pages import KEYS, LIST

pytestmark = pytest.mark.slow

NOT_OURS = "This approval does not belong to a link that was begun here, or it was used already."


def test_the_link_page_says_who_asks_and_what_will_be_read(linking: Linking) -> None:
    linking.operator.post("/settings/organisation", {"name": "Firth Lending", "address": ""})

    company = linking.a_company("Toft Bakery")
    page = company.customer().get(company.link)

    linking.operator.post("/settings/organisation", {"name": "default", "address": ""})
    assert "Firth Lending asks to read the books of Toft Bakery." in page.words
    assert "Invoices, credit notes, bills and expenses" in page.words
    assert "Connect FreeAgent" in page.words
    assert "Sign out" not in page.words


def test_after_approval_the_page_names_the_company_that_was_linked_and_reading_begins(linking: Linking) -> None:
    company = linking.a_company()

    page = company.customer().link()

    assert f"Linked to the books of {linking.names[0]}" in page.words
    assert "Connect FreeAgent" not in page.words
    shown = company.page().words
    assert "Linked" in shown
    assert linking.names[0] in shown
    assert "What is read" in shown
    assert re.search(r"Reading: \d+ of \d+ data types done|\d+ records? held", shown)
    connection = company.connection_page().words
    assert f"Company in FreeAgent {linking.names[0]}" in connection
    assert "Access level 8, Full" in connection


def test_denial_is_said_to_both_and_can_be_put_right(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()

    answer = customer.get(customer.decide(customer.ask(), answer="deny"))

    assert answer.status == 403
    assert "You did not approve, so nothing is shared" in answer.words
    assert "Waiting for approval" in company.page().words
    assert "User cancelled." in company.connection_page().words
    assert f"Linked to the books of {linking.names[0]}" in customer.link().words
    assert "Settled" in company.connection_page().words


def test_a_code_that_has_expired_links_nothing(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    back = customer.decide(customer.ask())
    linking.tell("clock", advanceSeconds=16 * 60)

    answer = customer.get(back)

    assert answer.status == 400
    assert "The approval has expired or was used already. Open your link again and approve." in answer.words
    assert "Waiting for approval" in company.page().words
    assert f"Linked to the books of {linking.names[0]}" in customer.link().words


def test_a_state_counts_once(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    back = customer.decide(customer.ask())
    customer.follow(customer.get(back))

    again = customer.get(back)

    assert again.status == 400
    assert NOT_OURS in again.words
    assert "Linked" in company.page().words


@pytest.mark.parametrize(
    "query", ["", "?state=made-up&code=x", "?code=x", "?error=access_denied", "?state=%00&code=%ff"]
)
def test_a_state_that_is_not_ours_changes_nothing(linking: Linking, query: str) -> None:
    answer = linking.keep(Site(linking.portal)).get(f"/oauth/callback{query}")

    assert answer.status == 400
    assert NOT_OURS in answer.words


def test_an_approval_begun_in_one_browser_cannot_end_in_another(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    back = customer.decide(customer.ask())

    elsewhere = company.customer().get(back)
    afterwards = customer.get(back)

    assert elsewhere.status == 400
    assert "The approval was begun in another browser." in elsewhere.words
    assert afterwards.status == 400
    assert "Waiting for approval" in company.page().words


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "This link belongs to '{0}' in FreeAgent, but the approval was given for '{1}'."),
        ("fr", "Ce lien est celui de '{0}' dans FreeAgent, mais l'accord a été donné pour '{1}'."),
    ],
)
def test_a_re_link_to_other_books_is_refused(linking: Linking, language: str, sentence: str) -> None:
    company = linking.a_company()
    company.customer().link(company=0)
    connection = company.connection_page()
    [start] = re.findall(r'id="start_url"[^>]*value="([^"]+)"', connection.html)
    customer = company.customer(language)

    answer = customer.get(customer.decide(str(customer.get(start).headers["location"]), company=1))

    assert answer.status == 409
    assert sentence.format(*linking.names) in answer.words
    assert f"Company in FreeAgent {linking.names[0]}" in company.connection_page().words


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"match": {"path": "token_endpoint"}, "action": {"kind": "reset"}}, "FreeAgent could not be reached just now"),
        (
            {"match": {"path": "token_endpoint"}, "action": {"kind": "status", "status": 503}},
            "FreeAgent could not be reached just now",
        ),
        (
            {"match": {"path": "token_endpoint"}, "action": {"kind": "html", "status": 403}},
            "FreeAgent could not be reached just now",
        ),
        (
            {"match": {"path": "token_endpoint"}, "action": {"kind": "html", "status": 200}},
            "The token endpoint answered, but not with tokens.",
        ),
        (
            {"match": {"path": "company"}, "action": {"kind": "status", "status": 403, "body": "\u00ff"}},
            "FreeAgent refuses this to the user who approved.",
        ),
    ],
    ids=["reset", "503", "a page in between", "a page instead of tokens", "company refused"],
)
def test_when_freeagent_fails_during_the_callback_the_customer_is_told_to_come_back(
    linking: Linking, fault: dict[str, object], sentence: str
) -> None:
    company = linking.a_company()
    customer = company.customer()
    back = customer.decide(customer.ask())
    linking.tell("faults", **fault)

    answer = customer.get(back)

    assert answer.status == 400
    assert sentence in answer.words
    assert "Waiting for approval" in company.page().words
    linking.control.delete("/faults")
    assert f"Linked to the books of {linking.names[0]}" in customer.link().words


def test_wrong_keys_are_the_operators_matter_and_cost_the_customer_nothing(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    approval = customer.ask()
    linking.save_keys(secret="not-the-secret-0000")

    answer = customer.get(customer.decide(approval))
    managed, listed = linking.operator.get(KEYS), linking.operator.get(LIST)
    tested = linking.operator.follow(linking.operator.post(f"{KEYS}/test"))
    linking.save_keys()

    assert answer.status == 400
    assert "is not set up rightly at the moment" in answer.words
    assert "FreeAgent refuses the keys stored here." in managed.words
    assert "Keys refused" in listed.words
    assert "FreeAgent refuses the keys." in tested.words
    assert "Keys refused" not in linking.operator.get(LIST).words
    assert "FreeAgent accepts the keys." in linking.operator.follow(linking.operator.post(f"{KEYS}/test")).words
    assert f"Linked to the books of {linking.names[0]}" in customer.link().words


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize(
    "action",
    [
        {"kind": "reset"},
        {"kind": "status", "status": 503},
        {"kind": "html", "status": 200},
        {"kind": "html", "status": 403},
    ],
    ids=["reset", "503", "a page", "a page that refuses"],
)
def test_keys_that_cannot_be_tested_are_neither_right_nor_wrong(linking: Linking, action: dict[str, object]) -> None:
    linking.tell("faults", match={"path": "token_endpoint"}, action=action)

    page = linking.operator.follow(linking.operator.post(f"{KEYS}/test"))

    assert "could not be reached, so the keys are not tested" in page.words


@pytest.mark.usefixtures("faults")
def test_good_keys_that_were_refused_for_a_while_end_the_alarm_when_they_are_tested(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    denied = {"kind": "status", "status": 401, "body": "HTTP Basic: Access denied.", "contentType": "text/plain"}
    linking.tell("faults", match={"path": "token_endpoint"}, action=denied)
    customer.get(customer.decide(customer.ask()))
    alarmed = linking.operator.get(KEYS)
    linking.control.delete("/faults")

    tested = linking.operator.follow(linking.operator.post(f"{KEYS}/test"))

    assert "Keys refused" in alarmed.words
    assert "FreeAgent accepts the keys." in tested.words
    assert "Keys refused" not in tested.words


def test_an_integration_disabled_meanwhile_links_nothing(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    back = customer.decide(customer.ask())
    linking.enable(False)

    answer, page = customer.get(back), customer.get(company.link)
    [start] = set(re.findall(r"/link/companies/[\w-]+/connections/[\w-]+/start", company.connection_page().html))
    again = customer.get(start)
    linking.enable(True)

    assert answer.status == 409
    assert "FreeAgent is not enabled here at the moment." in answer.words
    assert "FreeAgent cannot be linked just now." in page.words
    assert "Connect FreeAgent" not in page.words
    assert again.status == 409
    assert f"Linked to the books of {linking.names[0]}" in customer.link().words


def test_nothing_to_link_is_said_while_nothing_is_enabled(linking: Linking) -> None:
    company = linking.a_company()
    linking.enable(False)

    page, portal = company.customer().get(company.link), company.page()
    linking.enable(True)

    assert "There is nothing to link yet." in page.words
    assert "No integration is enabled, so companies cannot link their books." in portal.words


def test_an_approval_that_never_comes_back_is_explained_on_both_pages_with_the_address(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    approval = customer.ask().replace("oauth%2Fcallback", "oauth%2Fcallback%2F")  # as if registered with a slash

    refused = customer.get(approval)
    page, connection = customer.get(company.link), company.connection_page()

    assert refused.status == 400
    assert "An approval was begun and has not come back." in page.words
    assert "the address of this service may not be registered there" in page.words
    assert "An approval was begun at" in connection.words
    assert "is probably not registered with your app" in connection.words
    assert f'value="{linking.portal}/oauth/callback" readonly' in connection.html
    customer.link()
    assert "An approval was begun" not in company.connection_page().words
    assert "An approval was begun" not in customer.get(company.link).words


def test_what_a_low_access_level_blocks_is_said_and_another_user_can_approve(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    linking.set_level(4)
    page, connection = customer.link(), company.connection_page()
    linking.set_level(8)

    assert "Your user of FreeAgent may not see:" in page.words
    for blocked in ("Bills", "Bank accounts", "Payments"):
        assert blocked in page.words.partition("may not see:")[2]
        assert blocked in connection.words.partition("does not reach:")[2]
    assert "Invoices" not in page.words.partition("may not see:")[2]
    assert "Access level 4, Invoices, Estimates & Files" in connection.words
    # The sentence says that somebody else can approve, so there must be a way.
    raised = customer.follow(customer.get(customer.decide(customer.ask())))
    assert "may not see" not in raised.words
    assert "Access level 8, Full" in company.connection_page().words


def test_unlinked_books_stay_readable_and_can_be_linked_again(linking: Linking) -> None:
    company = linking.a_company()
    company.customer().link()
    [path] = set(re.findall(rf'href="({company.path}/connections/[\w-]+)"', company.page().html))

    page = linking.operator.follow(linking.operator.post(f"{path}/unlink"))

    assert "FreeAgent is unlinked. Data already read stays readable." in page.words
    assert "Unlinked" in company.page().words
    assert "Connect FreeAgent" in company.customer().get(company.link).words
    company.customer().link()
    assert "Linked" in company.connection_page().words


def test_the_link_urls_own_parameters_come_back_at_the_return_address_and_nowhere_else(linking: Linking) -> None:
    address = "https://lender.example/done?company={companyId}&status={statusCode}&mine={ref}&none={other}"
    address += "&long={long}&ours={link.showSandboxIntegrations}&last={p30}"
    linking.operator.post("/settings/organisation", {"name": "Firth Lending", "address": address})
    company = linking.a_company()
    customer = company.customer()
    company.link += "?ref=a%26b%2F%C3%A9&link.showSandboxIntegrations=true&long=" + "x" * 600
    company.link += "".join(f"&p{n}={n}" for n in range(1, 31))

    back = customer.get(customer.decide(customer.ask()))
    linking.operator.post("/settings/organisation", {"name": "default", "address": ""})

    assert back.status == 303
    assert back.headers["location"].startswith("https://lender.example/done?")
    assert parameters(back.headers["location"]) == {
        "company": company.path.rpartition("/")[2],
        "status": "200",
        "mine": "a&b/é",
        "long": "x" * 500,  # and of the thirty only as many as are kept
    }


def test_a_connection_is_linked_over_its_own_company_only(linking: Linking) -> None:
    company, other = linking.a_company(), linking.a_company("Other")
    customer = company.customer()
    customer.ask()
    [start] = customer.get(company.link).links("/link/companies/")
    own, others = (one.path.rpartition("/")[2] for one in (company, other))

    answers = [customer.get(start.replace(own, one)).status for one in (others, "made-up", own)]

    assert answers == [404, 404, 303]


def test_no_page_holds_a_secret(linking: Linking) -> None:
    company = linking.a_company()
    customer = company.customer()
    linked = customer.link()
    customer.get(f"/oauth/callback?state=made-up&code={'c' * 40}")
    pages = [linked, company.page(), company.connection_page(), linking.operator.get(KEYS), linking.operator.get(LIST)]

    secrets = linking.secrets()

    assert linking.app["clientSecret"] in secrets
    assert len(secrets) > 3
    for page in pages:
        assert [one for one in secrets if one in page.html] == []

"""The way of a token: asked for, approved, exchanged, refreshed, revoked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from .conftest import Serve, Served
from .visitor import Visitor

BACK = "https://app.example.com/oauth/callback"


def ask(client_id: str, redirect_uri: str = BACK, **more: str) -> str:
    query = {"client_id": client_id, "response_type": "code", "redirect_uri": redirect_uri, "state": "s t&1"} | more
    return "/v2/approve_app?" + urlencode(query)


def code_for(served: Served, client_id: str, redirect_uri: str = BACK) -> str:
    """A code, as a customer who approves hands it to the app."""
    with Visitor(served.url) as customer:
        customer.open(ask(client_id, redirect_uri))
        customer.sign_in()
        answer = customer.press("Approve")
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def tokens_for(served: Served, pair: tuple[str, str]) -> dict[str, Any]:
    code = code_for(served, pair[0])
    answer = served.token_call(pair, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def refresh(served: Served, pair: tuple[str, str], refresh_token: str) -> httpx.Response:
    return served.token_call(pair, grant_type="refresh_token", refresh_token=refresh_token)


def test_approving_sends_the_browser_back_with_code_and_state(served: Served) -> None:
    client_id, _ = served.app(BACK)

    with Visitor(served.url) as customer:
        customer.open(ask(client_id))
        customer.sign_in()
        shown = customer.page.text
        answer = customer.press("Approve")

    assert "Reader" in shown
    assert "Company 1 Ltd" in shown
    assert answer.status_code == 302
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == BACK
    assert parse_qs(target.query)["state"] == ["s t&1"]
    assert parse_qs(target.query)["code"][0]


def test_denying_says_access_denied_with_the_state(served: Served) -> None:
    client_id, _ = served.app(BACK)

    with Visitor(served.url) as customer:
        customer.open(ask(client_id))
        customer.sign_in()
        answer = customer.press("Deny")

    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"error": ["access_denied"], "state": ["s t&1"]}


def test_a_redirect_address_with_a_query_keeps_it(served: Served) -> None:
    client_id, _ = served.app(BACK + "?from=freeagent")

    with Visitor(served.url) as customer:
        customer.open(ask(client_id, BACK + "?from=freeagent"))
        customer.sign_in()
        answer = customer.press("Deny")

    assert answer.headers["location"].startswith(BACK + "?from=freeagent&error=access_denied")


@pytest.mark.parametrize(
    ("redirect_uri", "says"),
    [
        (BACK + "/", "Redirect address not registered"),
        ("https://app.example.com:443/oauth/callback", "Redirect address not registered"),
        ("http://app.example.com/oauth/callback", "Redirect address not registered"),
        ("", "No redirect address"),
    ],
)
def test_another_redirect_address_is_never_called_back(served: Served, redirect_uri: str, says: str) -> None:
    client_id, _ = served.app(BACK)

    with Visitor(served.url) as customer:
        answer = customer.open(ask(client_id, redirect_uri))

    assert answer.status_code == 400
    assert says in answer.text
    assert "location" not in answer.headers


def test_an_unknown_app_is_never_called_back(served: Served) -> None:
    with Visitor(served.url) as customer:
        answer = customer.open(ask("nobody"))

    assert answer.status_code == 400
    assert "Unknown app" in answer.text


def test_a_wrong_password_is_told_and_the_way_goes_on_after_the_right_one(served: Served) -> None:
    client_id, _ = served.app(BACK)

    with Visitor(served.url) as customer:
        customer.open(ask(client_id))
        wrong = customer.sign_in(password="wrong")
        typed = customer.value("Email")
        right = customer.sign_in()

    assert wrong.status_code == 422
    assert "incorrect" in wrong.text
    assert typed == "olive@example.com"
    assert "Approve" in right.text


def test_signing_in_never_leads_to_another_site(served: Served) -> None:
    with Visitor(served.url) as customer:
        customer.open("/dev")
        for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example"):
            customer.open("/dev")
            answer = customer.press("Sign in", email="olive@example.com", password="open sesame", return_to=elsewhere)
            assert answer.status_code == 200
            assert answer.url.path == "/dev/apps"
            customer.press("Sign out")


def test_somebody_of_several_companies_chooses_one(serve: Serve) -> None:
    served = serve(companies=3)
    pair = served.app(BACK)

    with Visitor(served.url) as customer:
        customer.open(ask(pair[0]))
        customer.sign_in()
        shown = customer.page.text
        answer = customer.press("Approve", company="2")
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    tokens = served.token_call(pair, grant_type="authorization_code", code=code, redirect_uri=BACK).json()

    assert all(f"Company {number} Ltd" in shown for number in (1, 2, 3))
    assert served.get("company", token=tokens["access_token"]).json()["company"]["name"] == "Company 2 Ltd"


def test_a_user_of_a_lower_level_approves_for_what_they_may(served: Served) -> None:
    pair = served.app(BACK)

    with Visitor(served.url) as customer:
        customer.open(ask(pair[0]))
        customer.sign_in("tim@example.com")
        answer = customer.press("Approve")
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    tokens = served.token_call(pair, grant_type="authorization_code", code=code, redirect_uri=BACK).json()
    before = served.get("company", token=tokens["access_token"]).json()["company"]
    served.control("POST", "users", {"user": "tim@example.com", "permissionLevel": 6})
    after = served.get("company", token=tokens["access_token"]).json()["company"]

    assert (before["user"], before["level"], after["level"]) == (102, 1, 6)


def test_a_code_gives_a_pair_of_tokens_that_works(served: Served) -> None:
    pair = served.app(BACK)

    tokens = tokens_for(served, pair)

    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 3600
    assert tokens["refresh_token_expires_in"] > 600_000_000
    assert served.get("company", token=tokens["access_token"]).status_code == 200


def test_the_pair_may_come_as_basic_or_in_form_query_or_json(served: Served) -> None:
    client_id, secret = served.app(BACK)
    address = f"{served.url}/v2/token_endpoint"
    pair = {"client_id": client_id, "client_secret": secret}
    grant = {"grant_type": "authorization_code", "redirect_uri": BACK}

    as_basic = served.token_call((client_id, secret), **grant, code=code_for(served, client_id))
    as_form = httpx.post(address, data={**grant, **pair, "code": code_for(served, client_id)})
    as_query = httpx.post(address, params=pair, data={**grant, "code": code_for(served, client_id)})

    all_in_query = httpx.post(address, params={**grant, **pair, "code": code_for(served, client_id)})
    as_json = httpx.post(address, json={**grant, **pair, "code": code_for(served, client_id)})
    told_json = {"Content-Type": "application/json"}  # as FreeAgent's own page shows it, above a form body
    body = urlencode({**grant, **pair, "code": code_for(served, client_id)})
    as_form_told_json = httpx.post(address, content=body, headers=told_json)

    answers = (as_basic, as_form, as_query, all_in_query, as_json, as_form_told_json)
    assert [one.status_code for one in answers] == [200] * 6


@pytest.mark.parametrize("pair", [("nobody", "x"), ("", ""), ("right", "wrong")])
def test_a_wrong_pair_is_denied_in_plain_text(served: Served, pair: tuple[str, str]) -> None:
    client_id, _ = served.app(BACK)
    user = client_id if pair[0] == "right" else pair[0]

    answer = served.token_call((user, pair[1]), grant_type="authorization_code", code="made-up", redirect_uri=BACK)

    assert answer.status_code == 401
    assert answer.text == "HTTP Basic: Access denied."
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "made-up", "redirect_uri": BACK}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, "invalid_grant"),
    ],
)
def test_grant_errors_are_standard_json(served: Served, form: dict[str, str], error: str) -> None:
    pair = served.app(BACK)

    answer = served.token_call(pair, **form)

    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_a_code_is_good_once(served: Served) -> None:
    pair = served.app(BACK)
    code = code_for(served, pair[0])

    first = served.token_call(pair, grant_type="authorization_code", code=code, redirect_uri=BACK)
    second = served.token_call(pair, grant_type="authorization_code", code=code, redirect_uri=BACK)

    assert (first.status_code, second.status_code) == (200, 400)
    assert second.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (15, 400)])
def test_a_code_lives_fifteen_minutes(served: Served, minutes: int, status: int) -> None:
    pair = served.app(BACK)
    code = code_for(served, pair[0])

    served.control("POST", "clock", {"advanceSeconds": minutes * 60})
    answer = served.token_call(pair, grant_type="authorization_code", code=code, redirect_uri=BACK)

    assert answer.status_code == status


def test_a_code_is_for_its_app_and_its_redirect_address_only(served: Served) -> None:
    pair, other = served.app(BACK, BACK + "/2"), served.app(BACK)
    code = code_for(served, pair[0])
    grant = {"grant_type": "authorization_code", "code": code}

    by_another_app = served.token_call(other, **grant, redirect_uri=BACK)
    with_another_address = served.token_call(pair, **grant, redirect_uri=BACK + "/2")
    without_address = served.token_call(pair, **grant)

    assert [one.json()["error"] for one in (by_another_app, with_another_address, without_address)] == (
        ["invalid_grant"] * 3
    )


def test_an_access_token_lasts_an_hour_and_the_next_one_comes_by_refreshing(served: Served) -> None:
    pair = served.app(BACK)
    tokens = tokens_for(served, pair)

    served.control("POST", "clock", {"advanceSeconds": 3600})
    expired = served.get("company", token=tokens["access_token"])
    renewed = refresh(served, pair, tokens["refresh_token"]).json()

    assert expired.status_code == 401
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert served.get("company", token=renewed["access_token"]).status_code == 200


@pytest.mark.parametrize(("mode", "status"), [("strict", 400), ("lenient", 200)])
def test_a_used_refresh_token_is_refused_in_strict_mode_only(serve: Serve, mode: str, status: int) -> None:
    served = serve(refresh=mode)
    pair = served.app(BACK)
    tokens = tokens_for(served, pair)

    refresh(served, pair, tokens["refresh_token"])
    again = refresh(served, pair, tokens["refresh_token"])

    assert again.status_code == status


def test_a_refresh_token_is_for_its_app_only(served: Served) -> None:
    tokens = tokens_for(served, served.app(BACK))

    answer = refresh(served, served.app(BACK), tokens["refresh_token"])

    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("mode", "status"), [("strict", 401), ("lenient", 200)])
def test_approving_again_ends_the_pair_there_was_in_strict_mode_only(serve: Serve, mode: str, status: int) -> None:
    served = serve(refresh=mode)
    pair = served.app(BACK)
    first = tokens_for(served, pair)

    tokens_for(served, pair)

    assert served.get("company", token=first["access_token"]).status_code == status


def test_refreshes_have_a_limit_of_their_own(serve: Serve) -> None:
    served = serve(limits="120/60,3600/3600,2/60")
    pair = served.app(BACK)
    token = tokens_for(served, pair)["refresh_token"]

    for _ in range(2):
        token = refresh(served, pair, token).json()["refresh_token"]
    refused = refresh(served, pair, token)
    served.control("POST", "clock", {"advanceSeconds": int(refused.headers["retry-after"])})
    after = refresh(served, pair, token)

    assert refused.status_code == 429
    assert refused.text == "You must not exceed 2 requests per 60 seconds"
    assert after.status_code == 200


def test_revoking_over_the_control_address_ends_access_refresh_or_both(served: Served) -> None:
    pair = served.app(BACK)

    tokens = tokens_for(served, pair)
    served.control("POST", "revoke", {"company": 1, "app": pair[0], "what": "access"})
    access_refused = served.get("company", token=tokens["access_token"]).status_code
    renewed = refresh(served, pair, tokens["refresh_token"]).json()
    served.control("POST", "revoke", {"token": renewed["access_token"], "what": "all"})
    all_refused = (
        served.get("company", token=renewed["access_token"]).status_code,
        refresh(served, pair, renewed["refresh_token"]).status_code,
    )

    assert access_refused == 401
    assert all_refused == (401, 400)
    assert served.get("company").status_code == 200  # the ready-made token belongs to no app


def test_the_ready_made_token_lasts_until_it_is_revoked(served: Served) -> None:
    served.control("POST", "clock", {"advanceSeconds": 10 * 365 * 86_400})
    after_years = served.get("company").status_code
    served.control("POST", "revoke", {"company": 1})
    revoked = served.get("company").status_code

    assert (after_years, revoked) == (200, 401)


def test_a_closed_company_answers_nobody_until_it_is_opened_again(served: Served) -> None:
    pair = served.app(BACK)
    tokens = tokens_for(served, pair)

    served.control("POST", "close", {"company": 1})
    closed = served.get("company", token=tokens["access_token"])
    not_renewed = refresh(served, pair, tokens["refresh_token"])
    served.control("POST", "close", {"company": 1, "isOpen": True})
    opened = served.get("company", token=tokens["access_token"])

    assert (closed.status_code, not_renewed.status_code, opened.status_code) == (403, 400, 200)


def test_a_form_sent_from_another_site_is_refused(served: Served) -> None:
    client_id, _ = served.app(BACK)
    with Visitor(served.url) as customer:
        customer.open(ask(client_id))
        customer.sign_in()

        from_elsewhere = customer.http.post(
            ask(client_id), data={"answer": "approve", "company": "1"}, headers={"Origin": "https://evil.example"}
        )
        without_token = customer.http.post(ask(client_id), data={"answer": "approve", "company": "1"})

    assert (from_elsewhere.status_code, without_token.status_code) == (403, 403)


def test_somebody_who_withdraws_access_is_obeyed_at_once(served: Served) -> None:
    pair = served.app(BACK)
    tokens = tokens_for(served, pair)

    with Visitor(served.url) as customer:
        customer.open("/connected-apps")
        listed = customer.sign_in().text
        withdrawn = customer.press("Withdraw").text

    assert "<b>Reader</b> in Company 1 Ltd" in listed
    assert "Access is withdrawn" in withdrawn
    assert "None yet" in withdrawn
    assert served.get("company", token=tokens["access_token"]).status_code == 401
    assert refresh(served, pair, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_nobody_withdraws_what_another_approved(served: Served) -> None:
    tokens = tokens_for(served, served.app(BACK))
    [grant] = [one["id"] for one in served.control("GET", "grants") if one["app"]]

    with Visitor(served.url) as other:
        other.open("/connected-apps")
        page = other.sign_in("tim@example.com").text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        other.http.post("/connected-apps", data={"csrf": csrf, "grant": grant})

    assert served.get("company", token=tokens["access_token"]).status_code == 200

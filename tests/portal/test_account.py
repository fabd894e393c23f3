"""One's own account: a new password, and two-factor sign-in from setting it up to losing the phone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from tests.operators import PASSWORD
from tests.portal.conftest import Browser, House
from tests.portal.pages import Answer

from comptoir.access import Role, operators, second_factor

NEXT = timedelta(seconds=30)  # the app's next code: the one that turned it on is used up


def _turned_on(browser: Browser) -> tuple[str, list[str]]:
    """Two-factor sign-in set up: the secret, and the recovery codes."""
    secret = browser.get("/account/second-factor").field("secret")["value"]
    fields = {"secret": secret, "code": pyotp.TOTP(secret).now(), "password": PASSWORD}
    answer = browser.post("/account/second-factor", fields)
    assert answer.status == 201, answer.words
    return secret, re.findall(r"<li><code>([^<]+)</code>", answer.html)


def _after_password(house: House) -> tuple[Browser, Answer]:
    visitor = house.visitor()
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", {"email": house.email, "password": house.password, "next": "/account"})
    return visitor, answer


def _next_code(secret: str) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC) + NEXT)


def test_the_picture_is_drawn_in_the_page_and_says_what_the_key_says(house: House) -> None:
    page = house.operator().get("/account/second-factor")

    secret = page.field("secret")["value"]
    assert page.html.count(f'value="{secret}"') == 2
    assert "<svg" in page.html
    assert "style=" not in page.html
    assert 'role="img"' in page.html


def test_signing_in_takes_a_code_once_it_is_set_up(house: House) -> None:
    secret, recovery = _turned_on(house.operator())
    assert len(set(recovery)) == 10

    visitor, answer = _after_password(house)

    assert answer.headers["location"] == "/sign-in/code?next=/account"
    assert visitor.get("/account").status == 303
    page = visitor.follow(answer)
    assert 'name="next" value="/account"' in page.html
    wrong = visitor.post("/sign-in/code", {"code": "000000", "next": "/account"})
    assert wrong.status == 422
    assert wrong.error("code") == "The code is not right, or it was used already."
    right = visitor.post("/sign-in/code", {"code": _next_code(secret), "next": "/account"})
    assert right.headers["location"] == "/account"
    assert "10 recovery codes are left." in visitor.follow(right).words
    assert [what for _, what in house.acts()] == ["signIn.succeeded", "signIn.refused", "secondFactor.turnedOn"]


def test_a_recovery_code_is_as_good_once(house: House) -> None:
    _, recovery = _turned_on(house.operator())
    visitor, _ = _after_password(house)

    answer = visitor.post("/sign-in/code", {"code": recovery[0], "next": "https://elsewhere.example"})

    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "9 recovery codes are left." in visitor.get("/account").words
    again, _ = _after_password(house)
    assert again.post("/sign-in/code", {"code": recovery[0]}).status == 422


def test_whoever_was_not_asked_for_a_code_is_sent_to_the_password(house: House) -> None:
    visitor = house.visitor()
    visitor.get("/sign-in")

    assert visitor.get("/sign-in/code").headers["location"] == "/sign-in"
    late = visitor.post("/sign-in/code", {"code": "123456"})
    assert late.headers["location"] == "/sign-in"
    assert "Sign in again." in visitor.follow(late).words


@pytest.mark.parametrize(
    ("change", "field"), [({"code": "000000"}, "code"), ({"password": "wrong password"}, "password")]
)
def test_it_is_not_turned_on_without_the_code_and_the_password(
    house: House, change: dict[str, str], field: str
) -> None:
    browser = house.operator()
    secret = browser.get("/account/second-factor").field("secret")["value"]
    fields = {"secret": secret, "code": pyotp.TOTP(secret).now(), "password": PASSWORD} | change

    answer = browser.post("/account/second-factor", fields)

    assert answer.status == 422
    assert answer.error(field)
    assert answer.field("secret")["value"] == secret
    assert "Set up two-factor sign-in" in browser.get("/account").words


def test_the_one_that_is_on_is_not_replaced_by_another(house: House) -> None:
    browser = house.operator()
    held, _ = _turned_on(browser)
    another = second_factor.new_secret()

    answer = browser.post(
        "/account/second-factor", {"secret": another, "code": pyotp.TOTP(another).now(), "password": PASSWORD}
    )

    assert answer.status == 409
    assert "Two-factor sign-in is on already." in answer.words
    visitor, _ = _after_password(house)
    assert visitor.post("/sign-in/code", {"code": _next_code(another)}).status == 422
    assert visitor.post("/sign-in/code", {"code": _next_code(held)}).status == 303


def test_it_is_turned_off_with_the_password_only(house: House) -> None:
    browser = house.operator()
    _turned_on(browser)

    assert browser.post("/account/second-factor/remove", {"remove_password": "wrong"}).status == 422
    assert browser.post("/account/second-factor/remove", {"remove_password": PASSWORD}).status == 303

    _, answer = _after_password(house)
    assert answer.headers["location"] == "/account"


def test_recovery_codes_are_made_anew_with_the_password_only(house: House) -> None:
    browser = house.operator()
    _, old = _turned_on(browser)

    assert browser.post("/account/second-factor/codes", {"codes_password": "wrong"}).status == 422
    answer = browser.post("/account/second-factor/codes", {"codes_password": PASSWORD})

    fresh = re.findall(r"<li><code>([^<]+)</code>", answer.html)
    assert len(fresh) == 10
    assert not set(old) & set(fresh)
    assert not any(code in browser.get("/account").html for code in fresh)


def test_an_administrator_asks_it_of_all_and_nothing_else_is_open_until_then(house: House) -> None:
    house.operator().post("/settings/team/second-factor", {"required": "true"})
    colleague = house.operator(email=house.colleague(Role.DEVELOPER))

    for path in ("/companies", "/settings/api-keys", "/settings/organisation"):
        answer = colleague.get(path)
        assert answer.headers["location"] == "/account/second-factor", path
        assert "Your organisation asks for two-factor sign-in." in colleague.follow(answer).words
    assert colleague.post("/companies", {"name": "Toft"}).headers["location"] == "/account/second-factor"
    _turned_on(colleague)

    assert colleague.get("/companies").status == 200


def test_what_is_asked_of_all_cannot_be_turned_off(house: House) -> None:
    browser = house.operator()
    _turned_on(browser)
    browser.post("/settings/team/second-factor", {"required": "true"})

    answer = browser.post("/account/second-factor/remove", {"remove_password": PASSWORD})

    assert answer.status == 409
    assert "Your organisation asks for two-factor sign-in" in answer.words
    browser.post("/settings/team/second-factor", {"required": "false"})
    assert browser.post("/account/second-factor/remove", {"remove_password": PASSWORD}).status == 303


def test_an_administrator_helps_whoever_lost_everything(house: House) -> None:
    email = house.colleague(Role.ANALYST)
    _turned_on(house.operator(email=email))
    with house.application.db.read() as tx:
        id_ = operators.by_email(tx, house.tenant, email).id

    house.operator().post(f"/settings/team/{id_}/second-factor/remove")

    visitor = house.visitor()
    visitor.get("/sign-in")
    assert visitor.post("/sign-in", {"email": email, "password": PASSWORD}).headers["location"] == "/"


def test_a_new_password_needs_the_old_one_and_ends_every_other_session(house: House) -> None:
    house.operator()
    elsewhere = house.client.cookies["comptoir_session"]
    browser = house.operator()

    wrong = browser.post("/account/password", {"current_password": "x", "new_password": "another good password"})
    short = browser.post("/account/password", {"current_password": PASSWORD, "new_password": "short"})
    right = browser.post("/account/password", {"current_password": PASSWORD, "new_password": "another good password"})

    assert wrong.error("current_password") == "This is not your password."
    assert short.error("new_password") == "A password has 12 to 1024 characters."
    assert "Your password is changed." in browser.follow(right).words
    house.visitor()
    house.client.cookies.set("comptoir_session", elsewhere, domain="127.0.0.1")
    assert Browser(house.client).get("/account").status == 303


def test_guessing_the_password_of_an_open_session_gets_slower(house: House) -> None:
    browser = house.operator()
    fields = {"current_password": "a guess", "new_password": "another good password"}

    answers = [browser.post("/account/password", fields) for _ in range(7)]

    assert any("Wait" in (one.error("current_password") or "") for one in answers)


def test_without_a_provider_there_is_no_such_way(operator: Browser) -> None:
    assert operator.get("/sign-in/single").status == 404
    assert operator.get("/sign-in/single/callback?code=x&state=y").status == 404

"""Who is in the team: invited by a link, given a role, let go; and never nobody who can put things right."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.operators import PASSWORD
from tests.portal.conftest import ORIGIN, Browser, House
from tests.portal.pages import Answer

from comptoir.access import Role, operators, password_links
from comptoir.store.tables import PASSWORD_LINKS

NEW_PASSWORD = "another good password"


def _link(answer: Answer) -> str:
    [link] = re.findall(r'id="password_link"[^>]*value="([^"]+)"', answer.html)
    assert link.startswith(f"{ORIGIN}/set-password?token=")
    return str(link).removeprefix(ORIGIN)


def _invited(operator: Browser, house: House, role: Role = Role.ANALYST) -> tuple[str, str]:
    email = f"new.{house.email}"
    answer = operator.post("/settings/team", {"email": f" {email.upper()} ", "role": role})
    assert answer.status == 201, answer.words
    return email, _link(answer)


def _choose(visitor: Browser, link: str, password: str = NEW_PASSWORD) -> Answer:
    return visitor.post("/set-password", {"token": link.partition("token=")[2], "new_password": password})


def _signs_in(house: House, email: str, password: str) -> bool:
    visitor = house.visitor()
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", {"email": email, "password": password})
    return answer.status == 303 and answer.headers["location"] == "/"


def _id(house: House, email: str) -> str:
    with house.application.db.read() as tx:
        return operators.by_email(tx, house.tenant, email).id


def test_somebody_is_invited_by_a_link_chooses_a_password_and_signs_in(house: House) -> None:
    operator = house.operator()
    email, link = _invited(operator, house)
    assert "Invited" in operator.get("/settings/team").words
    assert link not in operator.get("/settings/team").html

    visitor = house.visitor()
    assert email in visitor.get(link).words
    answer = _choose(visitor, link)

    assert answer.headers["location"] == "/sign-in"
    assert "Your password is set." in visitor.follow(answer).words
    assert _signs_in(house, email, NEW_PASSWORD)
    assert [what for _, what in house.acts()] == ["signIn.succeeded", "operator.joined", "operator.invited"]


def test_whoever_was_signed_in_in_that_browser_is_so_no_more(house: House) -> None:
    operator = house.operator()
    _, link = _invited(operator, house)

    assert _choose(operator, link).headers["location"] == "/sign-in"

    assert operator.get("/companies").headers["location"] == "/sign-in?next=/companies"


def test_a_link_works_once_and_not_for_long(house: House) -> None:
    _, link = _invited(house.operator(), house)
    visitor = house.visitor()
    _choose(visitor, link)

    again = _choose(visitor, link, "a third password")

    assert again.status == 404
    assert "This link does not work" in again.words
    _, old = _invited_again(house)
    with house.application.db.write() as tx:
        tx.execute(sa.update(PASSWORD_LINKS).values(expires=datetime.now(UTC)))
    assert house.visitor().get(old).status == 404
    assert _choose(house.visitor(), old).status == 404


def _invited_again(house: House) -> tuple[str, str]:
    email = f"old.{house.email}"
    answer = house.operator().post("/settings/team", {"email": email, "role": "Advisor"})
    return email, _link(answer)


def test_a_link_lasts_an_hour_for_a_lost_password_and_three_days_for_an_invitation(house: House) -> None:
    now = datetime.now(UTC)
    with house.application.db.write() as tx:
        invited = operators.invite(tx, house.tenant, email=f"new.{house.email}", role=Role.ANALYST, now=now)
        _, reset = password_links.make(tx, house.tenant, _id_in(tx, house), now)
        _, invitation = password_links.make(tx, house.tenant, invited.id, now)

    assert reset - now == timedelta(hours=1)
    assert invitation - now == timedelta(days=3)


def _id_in(tx: sa.Connection, house: House) -> str:
    return operators.by_email(tx, house.tenant, house.email).id


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\x00", "é", "' OR 1=1 --"])
def test_a_made_up_link_leads_nowhere(house: House, token: str) -> None:
    _invited(house.operator(), house)

    assert _choose(house.visitor(), f"?token={token}").status == 404


def test_a_short_password_is_told_and_the_link_stays(house: House) -> None:
    email, link = _invited(house.operator(), house)
    visitor = house.visitor()

    short = _choose(visitor, link, "short")

    assert short.status == 422
    assert short.error("new_password") == "A password has 12 to 1024 characters."
    assert _choose(visitor, link).status == 303
    assert _signs_in(house, email, NEW_PASSWORD)


def test_a_link_is_built_from_the_configured_address_whatever_the_request_says(house: House) -> None:
    operator = house.operator()
    answer = operator.post(
        "/settings/team",
        {"email": f"new.{house.email}", "role": "Analyst"},
        **{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
    )

    assert "evil.example" not in answer.html
    _link(answer)


def test_nobody_is_invited_without_an_address_a_role_or_twice(house: House) -> None:
    operator = house.operator()
    tries = (
        ({"email": "nobody", "role": "Analyst"}, 422, "Enter an e-mail address"),
        ({"email": "", "role": "Analyst"}, 422, "Enter an e-mail address"),
        ({"email": "a@example.com", "role": "King"}, 422, "Choose a role."),
        ({"email": "a@example.com"}, 422, "Choose a role."),
        ({"email": house.email.upper(), "role": "Analyst"}, 409, "cannot be invited"),
    )

    for fields, status, sentence in tries:
        answer = operator.post("/settings/team", fields)

        assert answer.status == status, fields
        assert sentence in answer.words
    assert house.acts() == []


def test_a_lost_password_is_replaced_by_a_link_and_every_session_ends(house: House) -> None:
    email = house.colleague(Role.ANALYST)
    theirs = house.operator(email=email)
    cookie = house.client.cookies["comptoir_session"]
    assert theirs.get("/companies").status == 200

    link = _link(house.operator().post(f"/settings/team/{_id(house, email)}/link"))
    _choose(house.visitor(), link)

    assert _signs_in(house, email, NEW_PASSWORD)
    house.visitor()
    house.client.cookies.set("comptoir_session", cookie, domain="127.0.0.1")
    assert Browser(house.client).get("/companies").status == 303
    assert not _signs_in(house, email, PASSWORD)


def test_a_role_changes_at_once(house: House) -> None:
    email = house.colleague(Role.ADVISOR)
    house.operator(email=email)
    cookie = house.client.cookies["comptoir_session"]

    answer = house.operator().post(f"/settings/team/{_id(house, email)}/role", {"role": "Developer"})

    assert answer.status == 303
    house.client.cookies.set("comptoir_session", cookie, domain="127.0.0.1")
    assert Browser(house.client).get("/settings/api-keys").status == 200
    assert house.acts()[0] == (house.email, "operator.roleChanged")


def test_whoever_is_disabled_is_out_at_once_and_may_come_back(house: House) -> None:
    email = house.colleague(Role.ANALYST)
    house.operator(email=email)
    cookie = house.client.cookies["comptoir_session"]
    page = f"/settings/team/{_id(house, email)}"
    link = _link(house.operator().post(f"{page}/link"))

    house.operator().post(f"{page}/disable")

    assert house.visitor().get(link).status == 404
    house.client.cookies.set("comptoir_session", cookie, domain="127.0.0.1")
    assert Browser(house.client).get("/companies").status == 303
    assert not _signs_in(house, email, PASSWORD)
    assert "Disabled" in house.operator().get(page).words
    assert house.operator().post(f"{page}/link").status == 409
    house.operator().post(f"{page}/enable")
    house.client.cookies.set("comptoir_session", cookie, domain="127.0.0.1")
    assert Browser(house.client).get("/companies").status == 303  # the session of before stays ended
    assert _signs_in(house, email, PASSWORD)


@pytest.mark.parametrize("act", [("disable", {}), ("role", {"role": "Analyst"})])
def test_the_last_administrator_cannot_go(house: House, act: tuple[str, dict[str, str]]) -> None:
    operator = house.operator()
    me = f"/settings/team/{_id(house, house.email)}"
    _invited(operator, house, Role.ADMINISTRATOR)  # who has not come yet is nobody who could put things right

    answer = operator.post(f"{me}/{act[0]}", act[1])

    assert answer.status == 409
    assert "This is the last Administrator." in answer.words
    house.colleague(Role.ADMINISTRATOR)
    assert operator.post(f"{me}/{act[0]}", act[1]).status == 303


def test_nobody_of_another_tenant_can_be_seen_or_changed(house: House) -> None:
    other = House(house.application, house.client)
    theirs = f"/settings/team/{_id(other, other.email)}"
    operator = house.operator()

    statuses = [operator.get(theirs).status] + [
        operator.post(f"{theirs}/{act}", {"role": "Analyst"}).status
        for act in ("role", "link", "disable", "enable", "second-factor/remove")
    ]

    assert statuses == [404] * 6
    assert other.email not in operator.get("/settings/team").words
    assert other.acts() == []

"""The developer site: apps, redirect addresses, secrets."""

from __future__ import annotations

import pytest

from .conftest import Served
from .visitor import Visitor


def signed_in(served: Served) -> Visitor:
    visitor = Visitor(served.url)
    visitor.open("/dev")
    visitor.sign_in()
    return visitor


def created(visitor: Visitor) -> tuple[str, str]:
    visitor.open("/dev/apps/new")
    visitor.press("Create App", name="Reader", redirect_uris="https://a.example/cb\nhttp://127.0.0.1:8000/cb")
    return visitor.value("OAuth identifier"), visitor.value("OAuth secret")


def test_creating_an_app_shows_identifier_and_secret(served: Served) -> None:
    with signed_in(served) as visitor:
        pair = created(visitor)

    answer = served.token_call(pair, grant_type="authorization_code", code="made-up")
    assert answer.json()["error"] == "invalid_grant"
    [app] = served.control("GET", "apps")
    assert app["redirectUris"] == ["https://a.example/cb", "http://127.0.0.1:8000/cb"]
    assert app["practice"] is False


def test_the_accountancy_practice_tick_is_kept(served: Served) -> None:
    with signed_in(served) as visitor:
        visitor.open("/dev/apps/new")
        visitor.press("Create App", name="Reader", redirect_uris="https://a.example/cb", practice="on")

    assert served.control("GET", "apps")[0]["practice"] is True


def test_a_secret_survives_a_reload_but_not_leaving_the_page(served: Served) -> None:
    with signed_in(served) as visitor:
        _, secret = created(visitor)
        address = str(visitor.page.url)

        reloaded = visitor.open(address).text
        come_back = visitor.open(address.split("?")[0]).text

    assert secret in reloaded
    assert secret not in come_back
    assert f"ending in <code>{secret[-4:]}</code>" in come_back


def test_an_app_has_two_live_secrets_at_most_and_both_work(served: Served) -> None:
    with signed_in(served) as visitor:
        client_id, first = created(visitor)
        visitor.press("Add a secret")
        second = visitor.value("OAuth secret")
        offers_a_third = "Add a secret" in visitor.page.text
        page = visitor.page.text

        both = [served.token_call((client_id, one), grant_type="x").status_code for one in (first, second)]
        visitor.open(f"/dev/apps/{client_id}")
        used = visitor.page.text
        visitor.press("Revoke")
        after = [served.token_call((client_id, one), grant_type="x").status_code for one in (first, second)]

    assert first != second
    assert not offers_a_third
    assert page.count("never used") == 2
    assert "never used" not in used
    assert both == [400, 400]
    assert after == [401, 400]  # the older one is listed first


def test_redirect_addresses_can_be_changed(served: Served) -> None:
    with signed_in(served) as visitor:
        created(visitor)

        saved = visitor.press("Save changes", redirect_uris="https://b.example/cb")

    assert "The app is saved" in saved.text
    assert served.control("GET", "apps")[0]["redirectUris"] == ["https://b.example/cb"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": " ", "redirect_uris": "https://a.example/cb"}, "Give the app a name"),
        ({"name": "Reader", "redirect_uris": ""}, "Give at least one address"),
        ({"name": "Reader", "redirect_uris": "not an address"}, "is not a complete address"),
        ({"name": "Reader", "redirect_uris": "https:///cb"}, "is not a complete address"),
        ({"name": "Reader", "redirect_uris": "https://a.example/cb#top"}, "is not a complete address"),
        ({"name": "Reader", "redirect_uris": "javascript:alert(1)"}, "is not a complete address"),
        ({"name": "R" * 101, "redirect_uris": "https://a.example/cb"}, "at most 100 characters"),
    ],
)
def test_what_cannot_be_taken_is_told_beside_the_field_and_stays_typed(
    served: Served, fields: dict[str, str], says: str
) -> None:
    with signed_in(served) as visitor:
        visitor.open("/dev/apps/new")

        answer = visitor.press("Create App", **fields, description="For <b>tests</b>")

    assert answer.status_code == 422
    assert says in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "For &lt;b&gt;tests&lt;/b&gt;" in answer.text
    assert served.control("GET", "apps") == []


@pytest.mark.parametrize(
    "address", ["https://a.example", "http://localhost:3000/cb?x=1", "myapp://callback", "urn:ietf:wg:oauth:2.0:oob"]
)
def test_addresses_of_web_and_native_apps_are_taken(served: Served, address: str) -> None:
    with signed_in(served) as visitor:
        visitor.open("/dev/apps/new")

        visitor.press("Create App", name="Reader", redirect_uris=address)

    assert served.control("GET", "apps")[0]["redirectUris"] == [address]


def test_the_developer_site_is_for_those_who_signed_in_there(served: Served) -> None:
    with Visitor(served.url) as visitor:
        asked_to_sign_in = visitor.open("/dev/apps/new")
        refused = visitor.sign_in("tim@example.com")  # a user of a company has no developer account

    assert "Sign in to the developer site" in asked_to_sign_in.text
    assert refused.status_code == 422


def test_forms_need_the_token_of_their_own_page(served: Served) -> None:
    with signed_in(served) as visitor:
        visitor.open("/dev/apps/new")

        refused = visitor.press("Create App", name="Reader", redirect_uris="https://a.example/cb", csrf="guessed")

    assert refused.status_code == 403
    assert served.control("GET", "apps") == []


def test_every_page_says_that_it_is_a_stand_in_and_loads_nothing_from_elsewhere(served: Served) -> None:
    with signed_in(served) as visitor:
        client_id, _ = created(visitor)
        paths = ("/", "/dev", "/dev/apps/new", f"/dev/apps/{client_id}", "/nowhere", "/dev/nowhere", "/v2/approve_app")
        pages = [visitor.open(path) for path in paths]

    assert [page.status_code for page in pages] == [200, 200, 200, 200, 404, 404, 400]
    for page in pages:
        assert "This is a stand-in, not FreeAgent." in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        assert "<script" not in page.text

"""Operators sign in at an OpenID Connect provider in a process of its own, and nobody comes in by what it did not say."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest
from litestar.testing import TestClient
from tests.cli.conftest import free_ports
from tests.operators import PASSWORD
from tests.portal.conftest import ORIGIN, Browser, House
from tests.portal.identity_provider import CLIENT, SECRET
from tests.portal.pages import Answer

from comptoir import settings
from comptoir.access import Role, operators
from comptoir.app import Application
from comptoir.errors import InvalidInput


class Provider:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        program = Path(__file__).parent / "identity_provider.py"
        self.process = subprocess.Popen([sys.executable, program, str(port)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def says(self, **told: Any) -> None:
        httpx2.post(f"{self.url}/settings", json=told).raise_for_status()

    def sends_back(self, address: str) -> str:
        """Where the browser is sent back to, as a path of ours."""
        back = httpx2.get(address).headers["location"]
        assert back.startswith(f"{ORIGIN}/sign-in/single/callback?")
        return str(back).removeprefix(ORIGIN)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    [port] = free_ports(1)
    started = Provider(port)
    yield started
    started.stop()


def _installation(provider: Provider, folder: Path, **more: str) -> Application:
    return Application(
        settings.read(
            {
                "COMPTOIR_OIDC_ISSUER": provider.url,
                "COMPTOIR_OIDC_CLIENT_ID": CLIENT,
                "COMPTOIR_OIDC_CLIENT_SECRET": SECRET,
            }
            | more,
            folder=folder,
            data_dir=str(folder / "data"),
            public_url=ORIGIN,
        )
    )


@pytest.fixture(scope="module")
def single(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    opened = _installation(provider, tmp_path_factory.mktemp("single"))
    yield opened
    opened.stop()


@pytest.fixture
def house(single: Application, provider: Provider) -> Iterator[House]:
    with TestClient(single.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        made = House(single, client)
        provider.says(claims={"email": made.email, "email_verified": True})
        yield made


def _round(
    house: House, provider: Provider, visitor: Browser | None = None, *, path: str = "/sign-in/single"
) -> Answer:
    visitor = visitor or house.visitor()
    begun = visitor.get(path)
    assert begun.status == 303, begun.words
    return visitor.get(provider.sends_back(begun.headers["location"]))


def test_an_operator_comes_in_by_a_verified_address(house: House, provider: Provider) -> None:
    visitor = house.visitor()
    [link] = visitor.get("/sign-in?next=/account").links("/sign-in/single")
    provider.says(claims={"email": house.email.upper(), "email_verified": True})

    answer = _round(house, provider, visitor, path=link)

    assert answer.headers["location"] == "/account"
    assert house.email in visitor.follow(answer).words
    assert house.acts() == [(house.email, "signIn.succeeded")]


def test_what_is_sent_has_state_nonce_and_a_challenge_and_no_secret(house: House) -> None:
    address = house.visitor().get("/sign-in/single").headers["location"]

    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert min(len(query[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    assert set(query["scope"].split()) == {"openid", "email"}
    assert query["redirect_uri"] == f"{ORIGIN}/sign-in/single/callback"
    assert SECRET not in address


HOUR, LATER = (int((datetime.now(UTC) + timedelta(hours=one)).timestamp()) for one in (-1, 1))
NOT_BELIEVED: list[tuple[dict[str, Any], int, str]] = [
    ({"claims": {"email_verified": False}}, 403, "does not say that your e-mail address is verified"),
    ({"claims": {"email_verified": None}}, 403, "does not say that your e-mail address is verified"),
    ({"claims": {"email": None}}, 403, "does not say that your e-mail address is verified"),
    ({"claims": {"email": "nobody@example.com"}}, 403, "Nobody here has the e-mail address nobody@example.com."),
    ({"claims": {"nonce": "another"}}, 403, "did not sign you in"),
    ({"claims": {"nonce": None}}, 403, "did not sign you in"),
    ({"claims": {"aud": "another"}}, 403, "did not sign you in"),
    ({"claims": {"aud": [CLIENT, "another"], "azp": "another"}}, 403, "did not sign you in"),
    ({"claims": {"iss": "https://elsewhere.example"}}, 403, "did not sign you in"),
    ({"claims": {"exp": HOUR}}, 403, "did not sign you in"),
    ({"claims": {"exp": None}}, 403, "did not sign you in"),
    ({"claims": {"nbf": LATER}}, 403, "did not sign you in"),
    ({"claims": {"iat": LATER, "exp": LATER + 60}}, 403, "did not sign you in"),
    ({"claims": {"at_hash": "of-another-token"}}, 403, "did not sign you in"),
    ({"signed": "wrong"}, 403, "did not sign you in"),
    ({"signed": "none"}, 403, "did not sign you in"),
    ({"signed": "shared"}, 403, "did not sign you in"),
    ({"denies": True}, 403, "did not sign you in"),
    ({"status": 500}, 503, "cannot be used to sign in just now"),
    ({"about_me": {"sub": "2", "email": "EMAIL", "email_verified": True}, "claims": {"email": None}}, 403, "verified"),
    ({"about_me": {"sub": "1", "email": "EMAIL"}, "claims": {"email": None}}, 403, "verified"),
]


def test_nobody_comes_in_by_what_the_provider_did_not_say_or_not_to_us(house: House, provider: Provider) -> None:
    for told, status, sentence in NOT_BELIEVED:
        own = {"email": house.email, "email_verified": True} | told.get("claims", {})
        about_me = {
            name: house.email if value == "EMAIL" else value for name, value in told.get("about_me", {}).items()
        }
        visitor = house.visitor()
        begun = visitor.get("/sign-in/single")
        provider.says(
            **{key: value for key, value in told.items() if key != "status"} | {"claims": own, "about_me": about_me}
        )
        back = provider.sends_back(begun.headers["location"])
        if "status" in told:
            provider.says(status=told["status"])

        answer = visitor.get(back)

        assert answer.status == status, told
        assert sentence in answer.words, told
        assert "comptoir_session" not in house.client.cookies


def test_an_address_that_only_looks_like_an_operators_is_nobodys(house: House, provider: Provider) -> None:
    email = f"kate.{house.email}"
    with house.application.db.write() as tx:
        operators.invite(tx, house.tenant, email=email, role=Role.ANALYST, now=datetime.now(UTC))
    provider.says(claims={"email": email.replace("k", "\u212a"), "email_verified": True})  # the sign for kelvin

    assert _round(house, provider).status == 403


def test_an_address_that_only_the_provider_s_own_page_tells_counts_too(house: House, provider: Provider) -> None:
    about_me = {"sub": "1", "email": house.email, "email_verified": True}
    provider.says(claims={"email": None}, about_me=about_me)

    assert _round(house, provider).headers["location"] == "/"


def test_a_sign_in_ends_in_the_browser_it_was_begun_in_and_once(house: House, provider: Provider) -> None:
    visitor = house.visitor()
    back = provider.sends_back(visitor.get("/sign-in/single").headers["location"])

    elsewhere = house.visitor().get(back)
    other = house.visitor()
    other.get("/sign-in/single")
    mixed = other.get(back)

    assert (elsewhere.status, mixed.status) == (400, 400)
    assert "was not begun in this browser" in elsewhere.words
    visitor = house.visitor()
    back = provider.sends_back(visitor.get("/sign-in/single").headers["location"])
    assert visitor.get(back).status == 303
    assert visitor.get(back).status == 400


def test_it_leads_back_to_our_own_pages_only(house: House, provider: Provider) -> None:
    answer = _round(house, provider, path="/sign-in/single?next=https://elsewhere.example")

    assert answer.headers["location"] == "/"


def test_whoever_is_disabled_stays_out_and_whoever_is_invited_comes_in_as_invited(
    house: House, provider: Provider
) -> None:
    now = datetime.now(UTC)
    email = f"new.{house.email}"
    with house.application.db.write() as tx:
        invited = operators.invite(tx, house.tenant, email=email, role=Role.ANALYST, now=now)
    provider.says(claims={"email": email, "email_verified": True})

    visitor = house.visitor()
    assert _round(house, provider, visitor).status == 303
    assert visitor.get("/companies").status == 200
    assert visitor.get("/settings/team").status == 403
    with house.application.db.write() as tx:
        operators.disable(tx, house.tenant, invited.id, now)
    assert _round(house, provider).status == 403


def test_the_second_factor_is_asked_for_all_the_same(house: House, provider: Provider) -> None:
    browser = house.operator()
    secret = browser.get("/account/second-factor").field("secret")["value"]
    browser.post("/account/second-factor", {"secret": secret, "code": pyotp.TOTP(secret).now(), "password": PASSWORD})

    assert _round(house, provider).headers["location"] == "/sign-in/code"


def test_whoever_has_no_password_here_sets_up_a_phone_without_one(house: House, provider: Provider) -> None:
    email = f"new.{house.email}"
    with house.application.db.write() as tx:
        operators.invite(tx, house.tenant, email=email, role=Role.ANALYST, now=datetime.now(UTC))
    provider.says(claims={"email": email, "email_verified": True})
    visitor = house.visitor()
    _round(house, provider, visitor)

    assert "You sign in with another service" in visitor.get("/account").words
    assert visitor.post("/account/password", {"new_password": "another good password"}).status == 409
    secret = visitor.get("/account/second-factor").field("secret")["value"]
    answer = visitor.post("/account/second-factor", {"secret": secret, "code": pyotp.TOTP(secret).now()})

    assert answer.status == 201


NOT_USED: list[dict[str, Any]] = [
    {"calls_itself": "https://elsewhere.example"},
    {"names": {"authorization_endpoint": "http://elsewhere.example/"}},
    {"names": {"token_endpoint": "http://elsewhere.example/"}},
    {"names": {"jwks_uri": "http://elsewhere.example/"}},
    {"names": {"userinfo_endpoint": "http://elsewhere.example/"}},
    {"status": 503},
]


def test_a_provider_that_calls_itself_another_or_is_down_is_not_used(provider: Provider, tmp_path: Path) -> None:
    fresh = _installation(provider, tmp_path)
    with TestClient(fresh.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        for told in NOT_USED:
            provider.says(**told)

            answer = Browser(client).get("/sign-in/single")

            assert answer.status == 503
            assert "use your password" in answer.words
        # One that takes the secret in the form only is given it there.
        provider.says(claims={"email": "nobody@example.com", "email_verified": True}, method="client_secret_post")
        visitor = Browser(client)
        back = provider.sends_back(visitor.get("/sign-in/single").headers["location"])
        assert "Nobody here has the e-mail address nobody@example.com." in visitor.get(back).words
    fresh.stop()


def test_a_provider_that_does_not_answer_holds_up_nobody_else(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with socket.create_server(("127.0.0.1", 0), backlog=20) as silent, ThreadPoolExecutor(12) as threads:
        read = {
            "COMPTOIR_OIDC_ISSUER": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "COMPTOIR_OIDC_CLIENT_ID": CLIENT,
            "COMPTOIR_OIDC_CLIENT_SECRET": SECRET,
        }
        silent.settimeout(8)
        opened = Application(settings.read(read, folder=tmp_path, data_dir=str(tmp_path), port=str(port)))
        opened._answer(opened.asgi, port, "")
        ours = f"http://127.0.0.1:{port}"
        waiting = [threads.submit(httpx2.get, f"{ours}/sign-in/single", timeout=30) for _ in range(12)]
        asked = [silent.accept()[0] for _ in waiting]  # all of them wait for the provider now

        page = httpx2.get(f"{ours}/sign-in", timeout=5)

        for one in asked:
            one.close()
        answers = {one.result().status_code for one in waiting}
        opened.stop()

    assert (page.status_code, answers) == (200, {503})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"COMPTOIR_OIDC_CLIENT_SECRET": ""}, "belong together"),
        ({"COMPTOIR_OIDC_ISSUER": "http://accounts.example.com"}, "is not on https"),
        ({"COMPTOIR_OIDC_ISSUER": "accounts.example.com"}, "is not an address"),
    ],
)
def test_settings_that_cannot_be_right_stop_the_start(
    provider: Provider, tmp_path: Path, changes: dict[str, str], named: str
) -> None:
    with pytest.raises(InvalidInput, match=named):
        _installation(provider, tmp_path, **changes)

"""What keeps strangers, other sites and slips of ours from doing harm over the pages."""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from litestar.testing import TestClient
from tests.portal.conftest import ORIGIN, Browser, House, installation
from tests.portal.pages import KEYS, LIST

from comptoir.access import Role, operators
from comptoir.portal import listed
from comptoir.store import events
from comptoir.store.trail import Actor, ActorKind

ROUTES = [(method, re.sub(r"\{(\w+):str\}", r"some-\1", path), takes) for method, path, takes in listed("/link")]
FORMS = sorted(path for method, path, _ in ROUTES if method == "POST")
OPERATORS_FORMS = sorted(path for method, path, takes in ROUTES if method == "POST" and takes != "anyone")
CLOSED = sorted(path for method, path, takes in ROUTES if method == "GET" and takes != "anyone")
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
GUARDS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def _is_guarded(headers: Any, kept: str = "no-store") -> bool:
    return (
        set(headers["content-security-policy"].split("; ")) == POLICY
        and {name: headers.get(name) for name in GUARDS} == GUARDS
        and headers["cache-control"] == kept
    )


def test_no_form_is_taken_without_proof_that_one_of_our_pages_sent_it(operator: Browser) -> None:
    token = re.findall(r'name="csrf" value="([^"]+)"', operator.get(LIST).html)[0]
    tries: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
        ({}, {"Origin": ORIGIN}),
        ({"csrf": "made-up"}, {"Origin": ORIGIN}),
        ({"csrf": "é\u200b"}, {"Origin": ORIGIN}),
        ({"csrf": token}, {"Origin": "https://elsewhere.example"}),
        ({"csrf": token}, {"Origin": "null"}),
        ({"csrf": token}, {"Referer": "https://elsewhere.example/page"}),
        ({"csrf": token}, {"Origin": f"{ORIGIN}.elsewhere.example"}),
    )

    for path, (fields, headers) in itertools.product(FORMS, tries):
        answer = operator.send(path, fields, **headers)

        assert answer.status == 403, (path, fields, headers)
        assert "nothing was changed" in answer.words
        assert _is_guarded(answer.headers)


ODD_ADDRESSES = ("http://[", "http://a]b", "https://[::1/page", "about:blank", "")


def test_an_address_that_is_none_breaks_nothing(house: House) -> None:
    operator = house.operator()
    token = re.findall(r'name="csrf" value="([^"]+)"', operator.get("/settings/organisation").html)[0]
    for odd in ODD_ADDRESSES:
        typed = operator.post("/settings/organisation", {"name": "Lender", "address": odd or "none"})
        without_csrf = operator.send("/companies", {"csrf": "made-up"}, Referer=odd)
        by_referer = operator.send("/companies", {"csrf": token, "name": ""}, Referer=odd)

        assert (typed.status, without_csrf.status, by_referer.status) == (422, 403, 422), odd
    stranger = house.visitor()
    for odd in ODD_ADDRESSES:
        answer = stranger.send("/companies", {"csrf": "made-up"}, Referer=odd)

        assert (answer.status, answer.headers["location"]) == (303, "/sign-in"), odd


def test_a_token_of_one_visitor_is_worth_nothing_for_another(house: House) -> None:
    token = re.findall(r'name="csrf" value="([^"]+)"', house.operator().get(LIST).html)[0]

    answer = house.operator().send("/companies", {"csrf": token, "name": "Toft"}, Origin=ORIGIN)

    assert answer.status == 403


def test_a_token_from_before_signing_in_is_of_one_browser_too(house: House) -> None:
    """Else a page elsewhere could sign somebody in as another, whose books they would then fill in."""
    token = re.findall(r'name="csrf" value="([^"]+)"', house.visitor().get("/sign-in").html)[0]
    other = house.visitor()
    other.get("/sign-in")

    answer = other.send("/sign-in", {"csrf": token, "email": house.email, "password": house.password}, Origin=ORIGIN)

    assert answer.status == 403
    assert "comptoir_session" not in house.client.cookies


def test_pages_of_operators_ask_to_sign_in_first_and_come_back(house: House) -> None:
    stranger = house.visitor()
    for path in CLOSED:
        answer = stranger.get(path)

        assert answer.status == 303, path
        assert answer.headers["location"] in ("/sign-in", f"/sign-in?next={path}")
        assert _is_guarded(answer.headers)


def test_forms_of_operators_do_nothing_for_strangers(house: House) -> None:
    stranger = house.visitor()
    for path in OPERATORS_FORMS:
        answer = stranger.send(path, {"csrf": "made-up"}, Origin=ORIGIN)

        assert answer.status == 303, path
        assert answer.headers["location"].startswith("/sign-in")


def test_a_role_that_may_not_is_told_so(house: House) -> None:
    with house.application.db.write() as tx:
        email = f"colleague.{house.email}"
        _, password = operators.add(tx, house.tenant, email=email, role=Role.ONBOARDING, now=datetime.now(UTC))
    colleague = house.visitor()
    colleague.get("/sign-in")
    colleague.post("/sign-in", {"email": email, "password": password})

    for path in (LIST, KEYS, "/settings/api-keys", "/settings/organisation"):
        answer = colleague.get(path)

        assert answer.status == 403, path
        assert "Your role does not allow this." in answer.words


ERRORS = (
    ("GET", "/nothing/here", 404),
    ("GET", "/companies/made-up", 404),
    ("GET", "/companies/%00", 404),
    ("GET", "/companies/..%2f..%2fsettings", 404),
    ("GET", "/static/..%2fpages.py", 404),
    ("GET", "/link/company/made-up", 404),
    ("GET", "/link/companies/made-up/connections/made-up/start", 404),
    ("GET", "/settings/integrations/accounting/made-up", 404),
    ("GET", "/oauth/callback", 400),
    ("GET", "/oauth/callback?state=made-up&code=%ff", 400),
    ("PUT", "/companies", 405),
    ("DELETE", "/companies", 405),
    ("OPTIONS", "/companies", 405),
    ("PATCH", "/sign-in", 405),
    ("POST", "/nothing/here", 404),
)


def test_errors_are_pages_of_ours_with_every_header_and_a_reference(operator: Browser) -> None:
    for method, path, status in ERRORS:
        answer = operator.client.request(method, path, headers=operator.headers, follow_redirects=False)

        assert answer.status_code == status, (method, path)
        assert answer.headers["content-type"].startswith("text/html")
        assert _is_guarded(answer.headers)
        assert "<h1>" in answer.text
        assert "Traceback" not in answer.text
        if status != 400:
            assert re.search(r"Reference <code>[0-9a-f]{32}</code>", answer.text)


def test_files_of_the_pages_carry_every_header_too(operator: Browser) -> None:
    [address, *_] = re.findall(r'src="(/static/[^"]+)"', operator.get("/companies").html)

    named, bare = (operator.client.get(one) for one in (address, address.partition("?")[0]))

    assert _is_guarded(named.headers, "public, max-age=31536000, immutable")
    assert _is_guarded(bare.headers, "no-cache")


def test_a_form_that_is_too_large_is_refused(operator: Browser) -> None:
    answer = operator.send("/companies", {"name": "a" * 70_000}, Origin=ORIGIN)

    assert answer.status == 413
    assert "Nothing was changed" in answer.words
    assert _is_guarded(answer.headers)


NO_FORMS = (
    ("application/x-www-form-urlencoded", b"csrf=%ff%ed%a0%80&name=%00"),
    ("application/json", b'{"csrf":'),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=csrf\r\n\r\nz"),
    ("text/plain", b"\xff\xfe"),
)


def test_what_is_no_form_is_refused_and_breaks_nothing(operator: Browser) -> None:
    for path, (content_type, body) in itertools.product(FORMS, NO_FORMS):
        answer = operator.client.post(path, content=body, headers={"Content-Type": content_type, "Origin": ORIGIN})

        assert answer.status_code in (400, 403), (path, content_type)
        assert _is_guarded(answer.headers)


def test_a_bug_shows_a_page_without_its_words(tmp_path: Any) -> None:
    broken = installation(None, tmp_path)
    with TestClient(broken.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        with broken.db.write() as tx:
            tx.exec_driver_sql("DROP TABLE companies")

        answer = client.get("/link/company/made-up")

    broken.stop()
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "companies" not in re.sub(r"<head>.*</head>", "", answer.text, flags=re.DOTALL)
    assert re.search(r"Reference <code>[0-9a-f]{32}</code>", answer.text)
    assert _is_guarded(answer.headers)


WISHES = (
    ("/settings/organisation", "/settings/organisation"),
    ("/companies?page=2", "/companies?page=2"),
    ("", "/"),
    ("https://elsewhere.example", "/"),
    ("//elsewhere.example", "/"),
    ("/\\elsewhere.example", "/"),
    ("\\\\elsewhere.example", "/"),
    ("/\t/elsewhere.example", "/"),
    ("https:elsewhere.example", "/"),
    ("javascript:alert(1)", "/"),
    ("companies", "/"),
    ("/\r\nSet-Cookie: a=b", "/"),
    ("//[", "/"),
    ("http://[::1", "/"),
    ("//\u2100.example", "/"),
)


def test_the_language_switch_leads_back_to_our_own_pages_only(house: House) -> None:
    visitor = house.visitor()
    for wish, leads_to in WISHES:
        answer = visitor.post("/language", {"language": "fr", "next": wish})

        assert answer.status == 303, wish
        assert answer.headers["location"] == leads_to


@pytest.mark.parametrize(("wish", "leads_to"), [WISHES[0], *WISHES[3:6]])
def test_signing_in_leads_back_to_our_own_pages_only(house: House, wish: str, leads_to: str) -> None:
    visitor = house.visitor()
    visitor.get("/sign-in")

    answer = visitor.post("/sign-in", {"email": house.email, "password": house.password, "next": wish})

    assert answer.status == 303
    assert answer.headers["location"] == leads_to


def test_whoever_is_signed_in_is_led_to_our_own_pages_only(operator: Browser) -> None:
    for wish, leads_to in WISHES:
        answer = operator.get(f"/sign-in?{urlencode({'next': wish})}")

        assert (answer.status, answer.headers["location"]) == (303, leads_to), wish


@pytest.mark.slow
def test_signing_in_takes_longer_and_longer_for_whoever_guesses(house: House) -> None:
    for email in (house.email, f"nobody.{house.email}"):
        guesser = house.visitor()
        guesser.get("/sign-in")
        answers = [guesser.post("/sign-in", {"email": email, "password": f"guess {n}"}) for n in range(5)]
        # On a slow machine the first waits are over before the next guess comes; they double each time.
        while answers[-1].status == 422 and len(answers) < 15:
            answers.append(guesser.post("/sign-in", {"email": email, "password": "another guess"}))

        # The same for somebody who exists and somebody who does not.
        *looked_at, last = answers
        assert len(looked_at) >= 5
        assert {one.words.count("The e-mail address or the password is not right.") for one in looked_at} == {1}
        assert all(one.field("email")["value"] == email for one in answers)
        assert all(one.field("password")["value"] == "" for one in answers)
        assert last.status == 429
        seconds = int(last.headers["retry-after"])
        assert seconds >= 1
        assert f"Wait {seconds} seconds" in last.words


@pytest.mark.slow
def test_the_right_password_is_not_looked_at_while_one_has_to_wait(house: House) -> None:
    guesser = house.visitor()
    guesser.get("/sign-in")
    wait = 0
    while wait < 2:  # long enough for the next line to come in time
        answer = guesser.post("/sign-in", {"email": house.email, "password": "a guess"})
        wait = int(answer.headers.get("retry-after", 0))

    answer = guesser.post("/sign-in", {"email": house.email, "password": house.password})

    assert answer.status == 429


def test_a_session_is_new_at_sign_in_and_dead_at_sign_out(house: House) -> None:
    operator = house.operator()
    first = house.client.cookies["comptoir_session"]
    assert operator.get("/companies").status == 200

    operator.post("/sign-out")

    assert "comptoir_session" not in house.client.cookies
    house.client.cookies.set("comptoir_session", first, domain="127.0.0.1")
    assert operator.get("/companies").status == 303
    house.operator()
    assert house.client.cookies["comptoir_session"] != first


@pytest.mark.parametrize("how", ["signed out", "another role"])
def test_what_is_watched_ends_with_the_session_it_was_begun_in(house: House, how: str) -> None:
    email = house.colleague(Role.DEVELOPER)
    operator = house.operator(email=email)
    company = operator.post("/companies", {"name": "Toft"}).headers["location"]
    path = f"{company}/progress"
    cookie = f"comptoir_session={house.client.cookies['comptoir_session']}"
    scope: Any = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", urlsplit(ORIGIN).netloc.encode()), (b"cookie", cookie.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    told = b""

    async def watch() -> None:
        was_told, is_over = asyncio.Event(), asyncio.Event()

        async def receive() -> Any:
            await is_over.wait()  # the browser stays until then
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal told
            told += message.get("body", b"")
            if b"event: change" in told:
                was_told.set()
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                is_over.set()

        watching = asyncio.ensure_future(house.application.asgi(scope, receive, send))
        await asyncio.wait_for(was_told.wait(), 10)
        with house.application.db.write() as tx:
            found = operators.by_email(tx, house.tenant, email)
            if how == "signed out":
                operators.end_sessions(tx, house.tenant, found.id)
            else:
                operators.set_role(tx, house.tenant, found.id, Role.ONBOARDING)
        await asyncio.wait_for(watching, 10)

    asyncio.run(watch())

    assert b"event: done" not in told


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(house: House) -> None:
    visitor = house.visitor()
    visitor.get("/sign-in")

    answer = visitor.post("/sign-in", {"email": house.email, "password": house.password})

    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie


def test_over_https_cookies_are_bound_to_the_host(tmp_path: Any) -> None:
    from comptoir import settings
    from comptoir.app import Application

    secure = Application(
        settings.read({}, folder=tmp_path, data_dir=str(tmp_path), public_url="https://books.example.com")
    )
    with TestClient(secure.asgi, base_url="https://books.example.com") as client:
        cookies = client.get("/sign-in").headers.get_list("set-cookie")
    secure.stop()

    assert cookies
    assert all(one.startswith("__Host-") and "Secure" in one and "Path=/" in one for one in cookies)


def test_pages_run_nothing_inline(operator: Browser) -> None:
    operator.post("/companies", {"name": "Toft"})
    for path in (LIST, KEYS, "/companies", "/companies/new", "/settings/api-keys", "/settings/organisation", "/gone"):
        page = operator.get(path).html

        assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
        assert all(
            one.startswith("/static/") for one in re.findall(r'<(?:script|link)\b[^>]*(?:src|href)="([^"]+)"', page)
        )


def test_stored_text_stays_text(operator: Browser) -> None:
    operator.post("/settings/organisation", {"name": '<img src=x onerror="alert(1)">', "address": ""})
    page = operator.follow(operator.post("/companies", {"name": "O'Brien & Søns"}))

    assert "<img" not in operator.get("/settings/organisation").html
    assert "O&#39;Brien &amp; Søns" in page.html
    [link] = re.findall(r'id="link_url"[^>]*value="([^"]+)"', page.html)
    shared = operator.get(link.removeprefix(ORIGIN))
    assert "<img" not in shared.html
    assert '<img src=x onerror="alert(1)"> asks to read the books' in shared.words


def test_acts_over_the_portal_and_a_link_page_stand_in_the_trail(house: House) -> None:
    operator = house.operator()
    operator.post(KEYS, {"client_id": "an-identifier", "client_secret": "a-secret-of-tests"})
    operator.post(f"{KEYS}/switch", {"enabled": "true"})
    company = operator.post("/companies", {"name": "Toft"}).headers["location"]

    customer = house.visitor()
    [start] = customer.get(f"/link{company.replace('/companies/', '/company/')}").links("/link/company/")
    customer.get(start)
    customer.get(start)  # the connection is there already

    assert house.acts() == [
        ("Link URL", "connection.created"),
        (house.email, "company.created"),
        (house.email, "integration.enabled"),
        (house.email, "integration.keysSaved"),
    ]


def test_the_trail_shows_what_somebody_did_and_openings_of_tokens_when_asked(house: House) -> None:
    operator = house.operator()
    operator.post("/companies", {"name": "Toft"})
    with house.application.db.write() as tx:
        itself = Actor(kind=ActorKind.ITSELF, name="Comptoir")
        events.audit(tx, house.tenant, itself, "tokens.opened", "a connection", datetime.now(UTC))

    def cells(query: str) -> str:
        page = operator.get(f"/settings/audit-trail{query}")
        return page.html.partition("<tbody")[2]

    assert "Company added" in cells("")
    assert "Tokens opened" not in cells("")
    assert "Company added" in cells("?action=everything")
    assert "Tokens opened" in cells("?action=everything")
    assert "Company added" not in cells("?action=tokens.opened")
    assert "Tokens opened" in cells("?action=tokens.opened")

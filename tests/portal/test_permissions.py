"""Every route says what it takes, and each role gets at what it may and at nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from litestar import Litestar, get
from tests.portal.conftest import ORIGIN, Browser, House

from comptoir.access import ANYONE, OF_API_KEYS, PERMISSIONS, Permission, Role
from comptoir.api import OPERATIONS
from comptoir.commands import routes
from comptoir.portal import listed
from comptoir.portal import routes as page_routes
from comptoir.portal.routes import needed, router

PAGES = listed("/link")
WORDS = {permission.value for permission in Permission}


def _address(path: str) -> str:
    return re.sub(r"\{\w+:\w+\}", "00000000-0000-4000-8000-000000000000", path)


def _is_admitted(browser: Browser, token: str, method: str, path: str) -> bool:
    if method == "GET":
        answer = browser.get(_address(path))
    else:
        answer = browser.send(_address(path), {"csrf": token}, Origin=ORIGIN)
    assert answer.status < 500, (path, answer.words)
    return answer.status != 403


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_at_the_pages_that_are_declared_for_it_and_at_no_others(house: House, role: Role) -> None:
    browser = house.operator(email=house.colleague(role))
    token = re.findall(r'name="csrf" value="([^"]+)"', browser.get("/account").html)[0]
    closed = [one for one in PAGES if one[2] != ANYONE and one[:2] != ("POST", "/account/password")]

    wrong = [
        (method, path)
        for method, path, takes in closed
        if _is_admitted(browser, token, method, path)
        != any(Permission(one) in PERMISSIONS[role] for one in takes.split(" or "))
    ]

    assert len(closed) > 40
    assert wrong == []


def test_every_page_declares_a_permission_or_that_it_is_for_anyone() -> None:
    assert {one for _, _, takes in PAGES for one in takes.split(" or ")} <= WORDS | {ANYONE}


OPEN = {
    *(
        ("GET", path)
        for path in ("/health", "/health/live", "/health/ready", "/metrics", "/oauth/callback", "/static/{name:str}")
    ),
    *((method, path) for path in ("/sign-in", "/sign-in/code", "/set-password") for method in ("GET", "POST")),
    *(("POST", path) for path in ("/sign-out", "/language")),
    *(("GET", path) for path in ("/sign-in/single", "/sign-in/single/callback")),
    ("GET", "/link/company/{company:str}"),
    ("GET", "/link/company/{company:str}/{slug:str}/start"),
    ("GET", "/link/companies/{company:str}/connections/{connection:str}/start"),
}


def test_only_these_pages_are_for_anyone() -> None:
    assert {(method, path) for method, path, takes in PAGES if takes == ANYONE} == OPEN


def test_every_operation_declares_a_permission_that_keys_have_and_only_two_are_for_anyone() -> None:
    assert {one.id for one in OPERATIONS if one.permission == ANYONE} == {"get-openapi", "get-integration-image"}
    assert all(one.permission in OF_API_KEYS for one in OPERATIONS if one.permission != ANYONE)
    assert not OF_API_KEYS & {Permission.MANAGE_OPERATORS, Permission.READ_TRAIL, Permission.USE_ACCOUNT}


def test_whatever_the_application_answers_to_is_listed(house: House) -> None:
    served = Litestar(page_routes(house.application._portal_services()), openapi_config=None)

    answered = {(method, route.path) for route in served.routes for method in route.methods if method != "OPTIONS"}

    assert answered == {(method, path) for method, path, _ in PAGES}


@pytest.mark.parametrize("opt", [{}, {"permission": None}, {"permission": "whatever"}, {"permission": ()}])
def test_a_route_without_a_permission_is_neither_listed_nor_served(house: House, opt: dict[str, Any]) -> None:
    @get("/forgotten", opt=opt, sync_to_thread=False)
    def forgotten() -> str:
        return "anything"

    with pytest.raises(RuntimeError, match="/forgotten declares no permission"):
        needed(forgotten)
    with pytest.raises(RuntimeError, match="/forgotten declares no permission"):
        router("/", [forgotten], house.application._portal_services())


def test_the_command_lists_every_route_with_what_it_takes() -> None:
    listing = routes()

    assert len(listing) == len(PAGES) + len(OPERATIONS)
    assert all(line.split("  ")[-1].strip().removeprefix("API key: ") for line in listing)
    assert any(re.search(r"^DELETE +/api/apiKeys/\{apiKeyId\} +API key: manage API keys$", line) for line in listing)
    assert any(re.search(r"^POST +/settings/team +manage operators$", line) for line in listing)

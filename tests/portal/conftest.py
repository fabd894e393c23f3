"""The pages as a browser without script gets them: one installation a module, a tenant of its own for each test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from litestar.testing import TestClient
from tests.operators import PASSWORD, an_administrator
from tests.portal.linking import Linking
from tests.portal.pages import KEYS, PLATFORM, Answer

from comptoir import settings
from comptoir.access import Role, operators, sessions
from comptoir.app import Application
from comptoir.store import integration_settings, tenants, trail
from comptoir.store.integration_settings import IntegrationSettings

ORIGIN = "http://127.0.0.1:8299"
CLIENT_ID, SECRET = "an-identifier-of-tests", "a-secret-of-tests-9876"


class Browser:
    """Keeps cookies, sends forms as its last page would."""

    def __init__(self, client: Any, language: str = "en") -> None:
        self.client = client
        self.headers = {"Accept-Language": language}

    def get(self, path: str, **headers: str) -> Answer:
        return Answer(self.client.get(path, headers=self.headers | headers, follow_redirects=False))

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        token = re.findall(r'name="csrf" value="([^"]+)"', self.get("/no-such-page").html)[0]
        return self.send(path, {"csrf": token} | (fields or {}), **{"Origin": ORIGIN} | headers)

    def send(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """A form just as given, with whatever proof it carries or lacks."""
        return Answer(self.client.post(path, data=fields, headers=self.headers | headers, follow_redirects=False))

    def follow(self, answer: Answer) -> Answer:
        assert answer.status == 303, answer.words
        return self.get(answer.headers["location"])


class House:
    """A tenant of its own in an installation, with its operator."""

    def __init__(self, application: Application, client: Any) -> None:
        self.application, self.client = application, client
        now = datetime.now(UTC)
        with application.db.write() as tx:
            self.tenant = tenants.add(tx, f"Lender {uuid4().hex}", now).id
            self.email, self.password = f"{uuid4().hex}@lender.example", PASSWORD
            an_administrator(tx, self.tenant, self.email, now)

    def visitor(self, language: str = "en") -> Browser:
        """Somebody who is not signed in."""
        self.client.cookies.clear()
        return Browser(self.client, language)

    def operator(self, language: str = "en", *, email: str | None = None) -> Browser:
        """Somebody who is signed in; the form for it has tests of its own."""
        browser = self.visitor(language)
        with self.application.db.write() as tx:
            token = sessions.begin(tx, operators.by_email(tx, self.tenant, email or self.email), datetime.now(UTC))
        self.client.cookies.set("comptoir_session", token, domain=urlsplit(ORIGIN).hostname, path="/")
        return browser

    def colleague(self, role: Role) -> str:
        """The e-mail address of somebody else of the tenant, with the password of tests."""
        email = f"{role.value.lower()}.{uuid4().hex}@lender.example"
        with self.application.db.write() as tx:
            an_administrator(tx, self.tenant, email, datetime.now(UTC))
            found = operators.by_email(tx, self.tenant, email)
            operators.set_role(tx, self.tenant, found.id, role)
        return email

    def acts(self) -> list[tuple[str, str]]:
        """What the trail holds of the tenant, the newest first: who, and what."""
        with self.application.db.read() as tx:
            rows = trail.page(tx, self.tenant, number=1, size=100).rows
        return [(one.actor, one.action) for one in rows]

    def stored(self) -> IntegrationSettings | None:
        with self.application.db.read() as tx:
            return integration_settings.get(tx, self.tenant, PLATFORM.key)


def installation(database_url: str | None, folder: Path) -> Application:
    """Over a database, on a host name of its own; no background work runs."""
    read = settings.read({}, folder=folder, data_dir=str(folder / "data"), database_url=database_url, public_url=ORIGIN)
    return Application(read)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    opened = installation(None, tmp_path_factory.mktemp("portal"))
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def client(application: Application) -> Iterator[TestClient[Any]]:
    with TestClient(application.asgi, base_url=ORIGIN, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def house(application: Application, client: TestClient[Any]) -> House:
    """Nothing is set up in it."""
    return House(application, client)


@pytest.fixture
def operator(house: House) -> Browser:
    return house.operator()


@pytest.fixture
def keys_stored(operator: Browser) -> None:
    """FreeAgent has keys, and is not enabled."""
    answer = operator.post(KEYS, {"client_id": CLIENT_ID, "client_secret": SECRET, "from": "set_up"})
    assert answer.status == 303, answer.words


@pytest.fixture(scope="module")
def linking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linking]:
    served = Linking(tmp_path_factory.mktemp("linking"))
    yield served
    secrets = served.secrets()
    said = served.stop()
    assert [one for one in secrets if one in said] == [], "the log holds a secret"


@pytest.fixture
def faults(linking: Linking) -> Iterator[None]:
    """Whatever a test asks to go wrong goes well again after it."""
    yield
    linking.control.delete("/faults")

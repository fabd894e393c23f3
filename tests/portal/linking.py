"""Comptoir and a stand-in with two companies, each a process of its own, and the people who link over them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx2
from tests.cli.conftest import COMMAND, STANDIN, Running, free_ports
from tests.portal.pages import KEYS, Answer

_S = TypeVar("_S", bound="Site")


class Site:
    """A visit of the portal or its Link pages: cookies kept, redirects followed only when asked."""

    def __init__(self, portal: str, language: str = "en") -> None:
        self.portal = portal
        self.http = httpx2.Client(headers={"Accept-Language": language}, timeout=30, trust_env=False)

    def get(self, address: str) -> Answer:
        return Answer(self.http.get(address if "://" in address else self.portal + address))

    def post(self, path: str, fields: dict[str, str] | None = None) -> Answer:
        token = re.findall(r'name="csrf" value="([^"]+)"', self.get("/no-such-page").html)[0]
        data = {"csrf": token} | (fields or {})
        return Answer(self.http.post(self.portal + path, data=data, headers={"Origin": self.portal}))

    def follow(self, answer: Answer) -> Answer:
        """The page that is seen in the end."""
        while answer.status in (302, 303):
            answer = self.get(answer.headers["location"])
        return answer


class Linking:
    """Both servers, FreeAgent set up and enabled, and an operator who is signed in.

    `begin` is what starts the product, and `environ` is told it besides.
    """

    def __init__(self, folder: Path, *, begin: Sequence[str] = (str(COMMAND),), **environ: str) -> None:
        self.folder = folder / "data"
        ready = folder / "stand-in.json"
        port, standin_port = free_ports(2)
        arguments = ("--port", str(standin_port), "--limits", "off", "--companies", "2", "--ready-file", str(ready))
        self.standin = Running([str(STANDIN), "serve", *arguments])
        self.standin.stay()
        self.standin.wait_for("developer site")
        self.facts: dict[str, Any] = json.loads(ready.read_text())
        self.names: list[str] = [one["name"] for one in self.facts["companies"]]
        self.control = httpx2.Client(base_url=self.facts["controlUrl"], timeout=30, trust_env=False)

        self.portal = f"http://127.0.0.1:{port}"
        self.server = Running(
            [*begin, "serve", "--port", str(port), "--data-dir", str(self.folder)],
            COMPTOIR_FREEAGENT_URL=self.facts["url"],
            COMPTOIR_FREEAGENT_DEVELOPER_URL=self.facts["developerUrl"],
            COMPTOIR_FREEAGENT_LIMITS="off",
            COMPTOIR_TIME_SCALE="20",  # the waits between quick tries
            **environ,
        )
        self.server.stay()
        told = re.search(r"Sign in as (\S+) with the password (\S+)", self.server.wait_for("Sign in as"))
        assert told is not None
        self._sites: list[Site] = []
        self.operator = self.keep(Site(self.portal))
        self.operator.get("/sign-in")
        self.password = told[2]
        assert self.operator.post("/sign-in", {"email": told[1], "password": self.password}).status == 303
        self.app = self.tell("apps", name="Comptoir", redirectUris=[f"{self.portal}/oauth/callback"])
        self.save_keys()
        self.enable(True)

    def keep(self, site: _S) -> _S:
        """A visit that is ended with the servers."""
        self._sites.append(site)
        return site

    def secrets(self) -> set[str]:
        """Every client secret, code and token that the stand-in has given out."""
        issued = self.control.get("/issued").text
        return set(re.findall(r'"([\w.~+/-]{20,})"', issued)) - {self.app["clientId"]}

    def stop(self) -> str:
        """Returns all that Comptoir has printed."""
        for site in self._sites:
            site.http.close()
        self.control.close()
        ran = self.server.stop()
        self.standin.stop()
        return ran.out + ran.err

    def tell(self, what: str, **body: Any) -> Any:
        """Ask something of the stand-in over its control address."""
        answer = self.control.post(f"/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def save_keys(self, *, secret: str | None = None) -> None:
        pair = {"client_id": self.app["clientId"], "client_secret": secret or self.app["clientSecret"]}
        answer = self.operator.post(KEYS, pair)
        assert answer.status == 303, answer.words

    def enable(self, enabled: bool) -> None:
        self.operator.post(f"{KEYS}/switch", {"enabled": str(enabled).lower()})

    def set_level(self, level: int) -> None:
        """What the user who approves may see in the first company."""
        self.tell("users", user=self.facts["email"], permissionLevel=level, company=self.facts["companies"][0]["id"])

    def a_company(self, name: str = "Toft Bakery") -> Company:
        answer = self.operator.post("/companies", {"name": name})
        assert answer.status == 303, answer.words
        return Company(self, answer.headers["location"])


class Company:
    """One company in the portal, as its operator and its customer meet it."""

    def __init__(self, linking: Linking, path: str) -> None:
        self.linking, self.path = linking, path
        self.link = f"{linking.portal}/link/company/{path.rpartition('/')[2]}"

    def page(self) -> Answer:
        return self.linking.operator.get(self.path)

    def connection_page(self) -> Answer:
        [address] = set(re.findall(rf'href="({self.path}/connections/[\w-]+)"', self.page().html))
        return self.linking.operator.get(address)

    def books_check(self) -> Answer:
        return self.linking.operator.get(f"{self.path}/books-check")

    def customer(self, language: str = "en") -> Customer:
        return self.linking.keep(Customer(self, language))


class Customer(Site):
    """Somebody in a browser of their own, with an account at the stand-in."""

    def __init__(self, company: Company, language: str) -> None:
        super().__init__(company.linking.portal, language)
        self.company, self.linking = company, company.linking

    def ask(self) -> str:
        """Open the Link page and choose Connect FreeAgent; the address of the approval at the stand-in."""
        page = self.get(self.company.link)
        [start] = re.findall(r'<a class="button [^"]*" href="([^"]+/start[^"]*)"', page.html)
        sent = self.get(unescape(start))
        assert sent.status == 303, sent.words
        return str(sent.headers["location"])

    def decide(self, approval: str, *, answer: str = "approve", company: int = 0) -> str:
        """Sign in at the stand-in, approve or deny; the address it sends the browser back to, not yet opened."""
        page = self.get(approval)
        if 'name="password"' in page.html:
            facts, parts = self.linking.facts, urlsplit(approval)
            back = f"{parts.path}?{parts.query}"
            signed = self.http.post(
                facts["url"] + "/sign-in",
                data={"email": facts["email"], "password": facts["password"], "return_to": back},
                headers={"Origin": facts["url"]},
            )
            page = self.get(approval)
            assert signed.status_code in (302, 303), signed.text
        token = re.findall(r'name="csrf" value="([^"]+)"', page.html)[0]
        chosen = str(self.linking.facts["companies"][company]["id"])
        sent = self.http.post(
            approval,
            data={"csrf": token, "company": chosen, "answer": answer},
            headers={"Origin": self.linking.facts["url"]},
        )
        assert sent.status_code == 302, sent.text
        return str(sent.headers["location"])

    def link(self, *, company: int = 0) -> Answer:
        """From the Link page to the page the customer sees in the end."""
        return self.follow(self.get(self.decide(self.ask(), company=company)))


def parameters(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))

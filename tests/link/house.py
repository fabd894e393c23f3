"""A company to link: store, keys, token keeper and flow, over real sockets to a stand-in in a process of its own."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import sqlalchemy as sa
from tests.freeagent_standin.shell.visitor import Visitor
from tests.link.keeper import KEY
from tests.sync.house import HastyClock
from tests.sync.standin import StandIn

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.link import Flow, Outcome, TokenEndpoint, TokenKeeper
from comptoir.store import Database, Vault, companies, connections, grants, integration_settings, tenants, trail
from comptoir.store.connections import Connection
from comptoir.store.grants import Grant
from comptoir.store.tables import EVENTS
from comptoir.upstream import Bounds, Client, Limits

REDIRECT_URI = "http://127.0.0.1:9/oauth/callback"
TOKENS = {"path": "token_endpoint"}
BROWSER = "b" * 43


class House:
    """One company, not linked yet, of a tenant whose FreeAgent keys are stored and enabled."""

    def __init__(self, db: Database, standin: StandIn) -> None:
        self.db, self.standin, self.clock = db, standin, HastyClock()
        self.vault = Vault({1: KEY}, 1)
        self.app = standin.told("POST", "apps", {"name": "Comptoir", "redirectUris": [REDIRECT_URI]})
        self.limits = Limits(self.clock, calls=None, refreshes=None, address=None)
        self._tokens = f"{standin.url}/v2/token_endpoint"
        self.endpoint = TokenEndpoint(FREEAGENT, self._tokens, self.clock)
        self.client = Client(FREEAGENT, standin.url, self.limits, self.clock)
        now = self.clock.now()
        with db.write() as tx:
            self.tenant = tenants.add(tx, f"tenant {uuid4()}", now).id
            self.company = companies.add(tx, self.tenant, name="Toft Bakery", created_by=None, now=now).id
            self.first = connections.add(tx, self.tenant, self.company, FREEAGENT.key, now).id
        self.save_keys()
        with db.write() as tx:
            integration_settings.set_enabled(tx, self.tenant, FREEAGENT.key, enabled=True)
        self.keeper = self.another_keeper()
        self.flow = self.another_flow()

    def give_up_after(self, *, idle_seconds: float) -> None:
        """Wait less for the token endpoint from now on."""
        self.endpoint.close()
        self.endpoint = TokenEndpoint(FREEAGENT, self._tokens, self.clock, bounds=Bounds(idle_seconds=idle_seconds))

    def another_keeper(self) -> TokenKeeper:
        """As another process has one: nothing of what the first knows."""
        return TokenKeeper(
            self.db, self.vault, self.clock, lambda _: FREEAGENT, lambda _: self.endpoint, lambda _: self.limits
        )

    def another_flow(self, endpoint_of: Any = None) -> Flow:
        return Flow(
            self.db,
            self.vault,
            self.clock,
            lambda _: FREEAGENT,
            endpoint_of or (lambda _: self.endpoint),
            lambda _: self.client,
            lambda _: f"{self.standin.url}/v2/approve_app",
            lambda _: REDIRECT_URI,
            self.keeper,
        )

    def close(self) -> None:
        self.client.close()
        self.endpoint.close()

    # Keys

    def save_keys(self, secret: str | None = None, *, client_id: str | None = None) -> None:
        with self.db.write() as tx:
            integration_settings.save_keys(
                tx,
                self.tenant,
                FREEAGENT.key,
                client_id=client_id or self.app["clientId"],
                client_secret=secret or self.app["clientSecret"],
                vault=self.vault,
                now=self.clock.now(),
            )

    def save_second(self, secret: str) -> None:
        with self.db.write() as tx:
            now = self.clock.now()
            integration_settings.save_second(
                tx, self.tenant, FREEAGENT.key, client_secret=secret, vault=self.vault, now=now
            )

    def alarm(self) -> str | None:
        with self.db.read() as tx:
            found = integration_settings.get(tx, self.tenant, FREEAGENT.key)
        assert found is not None
        return found.alarm

    # Linking

    def connection(self, id_: str | None = None) -> Connection:
        with self.db.read() as tx:
            return connections.get(tx, self.tenant, id_ or self.first)

    def another_connection(self) -> Connection:
        with self.db.write() as tx:
            return connections.add(tx, self.tenant, self.company, FREEAGENT.key, self.clock.now())

    def begin(self, connection: Connection | None = None, **parameters: str) -> str:
        """The address that the customer is sent to."""
        return self.flow.start(connection or self.connection(), browser=BROWSER, parameters=parameters)

    def approve(self, address: str, company: int = 0) -> dict[str, str]:
        """What FreeAgent sends back after its customer has approved: code and state."""
        facts = json.loads((self.standin.folder / "ready.json").read_text())
        with Visitor(self.standin.url) as visitor:
            visitor.open(address.removeprefix(self.standin.url))
            visitor.sign_in(facts["email"], facts["password"])
            came_back = visitor.press("Approve", company=str(facts["companies"][company]["id"]))
        return {name: values[0] for name, values in parse_qs(urlsplit(came_back.headers["location"]).query).items()}

    def finish(self, sent: Mapping[str, str], *, flow: Flow | None = None, browser: str = BROWSER) -> Outcome:
        """The customer is back with what FreeAgent gave them to send."""
        return (flow or self.flow).finish(
            state=sent.get("state"),
            code=sent.get("code"),
            error=sent.get("error"),
            description=sent.get("error_description"),
            browser=browser,
            address="192.0.2.1",
        )

    def link(self, connection: Connection | None = None, company: int = 0) -> Outcome:
        return self.finish(self.approve(self.begin(connection), company))

    def linked(self) -> Connection:
        """The connection, linked as by a customer."""
        outcome = self.link()
        assert outcome.status_code == 200, outcome.message
        return self.connection()

    # Tokens

    def grant(self, id_: str | None = None) -> Grant | None:
        with self.db.read() as tx:
            return grants.get(tx, self.tenant, self.connection(id_).id, self.vault)

    def held(self) -> Grant:
        found = self.grant()
        assert found is not None
        return found

    def expire(self) -> None:
        """The access token has ended, here and there, as far as we know."""
        self.clock.ahead += timedelta(hours=2)

    def put(self, *, refresh_token: str, previous: str | None) -> None:
        """Tokens as they are after a refresh whose answer was not the last one."""
        with self.db.write() as tx:
            grants.put(
                tx,
                self.tenant,
                self.first,
                self.vault,
                access_token="gone",
                refresh_token=refresh_token,
                previous_refresh_token=previous,
                expires_at=datetime.now(UTC) - timedelta(minutes=1),
                now=datetime.now(UTC),
            )

    def asked(self) -> int:
        """Calls of the token endpoint since the counters were reset."""
        return sum(self.standin.counters()["tokens"]["byStatus"].values())

    def refreshes(self) -> int:
        return int(self.standin.counters()["tokens"]["refreshes"])

    def openings(self) -> list[str | None]:
        """What the trail says of each time that tokens were opened, the last first."""
        with self.db.read() as tx:
            found = trail.page(tx, self.tenant, number=1, size=100, action="tokens.opened").rows
        assert {(one.actor_kind, one.subject) for one in found} <= {("itself", self.first)}
        return [one.detail for one in found]

    def events(self) -> list[str]:
        with self.db.read() as tx:
            rows = tx.execute(sa.select(EVENTS.c.type).where(EVENTS.c.tenant_id == self.tenant).order_by(EVENTS.c.at))
            return [row.type for row in rows]

    def token(self) -> str:
        return self.keeper.access_token(self.connection())

    def call(self) -> int:
        """Read something as a sync does; the status that came in the end."""
        return self.client.get(self.connection(), "/company", (), self.keeper).status


def a_secret() -> str:
    return secrets.token_urlsafe(32)


class Process:
    """Another process that needs access tokens of the same connection: keeper.py."""

    def __init__(self, database_url: str, house: House, armed: str = "") -> None:
        token_url = f"{house.standin.url}/v2/token_endpoint"
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("keeper.py"), database_url, house.first, token_url, armed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def go(self, said: str = "") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{said}\n")
        self._process.stdin.flush()

    def told(self, said: str) -> str:
        """What it answers; nothing once it has ended."""
        assert self._process.stdout is not None
        self.go(said)
        return self._process.stdout.readline().strip()

    def ended(self) -> tuple[str, int]:
        """The token it was given, and how it ended."""
        told, _ = self._process.communicate()
        return told.strip(), self._process.returncode

    def kill(self) -> None:
        self._process.kill()
        self.ended()

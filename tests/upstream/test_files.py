"""Files behind signed links: followed without the token, only into the open, and neither too far nor too long."""

from __future__ import annotations

import json
import logging
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.upstream.conftest import ClientOf, a_connection
from tests.upstream.fake import Asked, Fake, answer, faking

from comptoir.errors import NotFound, ProductError, TryLater, UpstreamChanged
from comptoir.integrations import by_key
from comptoir.integrations.contract import Attached, Printed
from comptoir.upstream import Client, FixedToken, notes
from comptoir.upstream.addresses import public_address

TOKEN = "token-of-tests"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def a_file(link: str | None = None, **members: Any) -> Attached:
    told: dict[str, Any] = {
        "id": "7", "name": "a.pdf", "content_type": "application/pdf", "size": 4, "created": None, "expires_at": NOW,
    }  # fmt: skip
    return Attached(link=link, **(told | members))


def fetched(client: Client, file: Attached) -> bytes:
    return client.file(a_connection(), file, FixedToken(TOKEN), NOW)


def told(link: str) -> bytes:
    return answer(json.dumps({"attachment": {"url": "http://x/v2/attachments/7", "content_src": link}}).encode())


def test_a_link_that_has_ended_is_asked_for_again_and_followed_without_the_token(
    client_of: ClientOf, fake: Fake
) -> None:
    with faking() as elsewhere:
        elsewhere.script = lambda _: answer(b"%PDF", content_type="application/pdf")
        fake.script = lambda _: told(f"{elsewhere.url}/signed?signature=secret")

        assert fetched(client_of(fake.url), a_file(f"{elsewhere.url}/old")) == b"%PDF"

    [again] = fake.asked
    [followed] = elsewhere.asked
    assert again.line == "GET /v2/attachments/7 HTTP/1.1"
    assert TOKEN in again.headers["authorization"]
    assert followed.line == "GET /signed?signature=secret HTTP/1.1"
    assert "authorization" not in followed.headers


def test_a_link_that_still_holds_is_followed_at_once(client_of: ClientOf, fake: Fake) -> None:
    fake.script = lambda _: answer(b"%PDF", content_type="application/pdf")

    assert fetched(client_of(fake.url), a_file(f"{fake.url}/it", expires_at=NOW + timedelta(minutes=1))) == b"%PDF"
    assert [one.line for one in fake.asked] == ["GET /it HTTP/1.1"]


def test_a_link_that_is_refused_is_asked_for_again_once(client_of: ClientOf, fake: Fake) -> None:
    def script(asked: Asked) -> bytes:
        return told(f"{fake.url}/new") if "attachments" in asked.line else answer(b"gone", "403 Forbidden")

    fake.script = script
    with pytest.raises(TryLater, match="status 403"):
        fetched(client_of(fake.url), a_file(f"{fake.url}/it", expires_at=NOW + timedelta(minutes=1)))

    assert [one.line.split()[1] for one in fake.asked] == ["/it", "/v2/attachments/7", "/new"]


def test_a_file_that_is_gone_at_the_source_is_said_to_be(client_of: ClientOf, fake: Fake) -> None:
    fake.script = lambda _: answer(b'{"errors": {}}', "404 Not Found")

    with pytest.raises(NotFound, match="does not have the file any more"):
        fetched(client_of(fake.url), a_file())


PRINTED = Printed(
    resource="invoices", path="/invoices/{id}/pdf", content=by_key("fbrh").files.printed["invoices"].content
)


def printed(client: Client) -> bytes:
    return client.printed(a_connection(), PRINTED, "5/1", FixedToken(TOKEN))


def test_a_record_is_printed_by_the_upstream(client_of: ClientOf, fake: Fake) -> None:
    fake.script = lambda _: answer(b'{"pdf": {"content": "JVBE\\nRi0x"}}')  # base64 may come in lines

    assert printed(client_of(fake.url)) == b"%PDF-1"
    assert [one.line for one in fake.asked] == ["GET /v2/invoices/5%2F1/pdf HTTP/1.1"]


def test_a_record_that_is_gone_is_not_printed(client_of: ClientOf, fake: Fake) -> None:
    fake.script = lambda _: answer(b'{"errors": {}}', "404 Not Found")

    with pytest.raises(NotFound, match="does not have the file any more"):
        printed(client_of(fake.url))


@pytest.mark.parametrize("body", [b'{"pdf": {"content": ""}}', b'{"pdf": {"content": "%%"}}', b'{"pdf": null}', b"[]"])
def test_what_is_no_printed_record_is_never_handed_out(client_of: ClientOf, fake: Fake, body: bytes) -> None:
    fake.script = lambda _: answer(body)

    with pytest.raises(UpstreamChanged, match="cannot be read"):
        printed(client_of(fake.url))


@pytest.mark.parametrize("link", [
    "http://10.0.0.1/it", "https://169.254.169.254/latest", "http://[::1]:1/it", "ftp://127.0.0.1/it", "file:///etc/passwd",
    "http://user@127.0.0.1/it", "//127.0.0.1/it", "nothing", "", "http://[",
])  # fmt: skip
def test_a_link_that_leads_where_it_should_not_is_not_followed(client_of: ClientOf, fake: Fake, link: str) -> None:
    fake.script = lambda _: told(link)
    # An origin by name, so that this machine is not taken for the upstream's own.
    client = client_of(fake.url)
    client._origin = client._origin._replace(scheme="http", netloc="upstream.example")

    with pytest.raises(UpstreamChanged):
        fetched(client, a_file())

    assert len(fake.asked) == 1


def test_a_link_is_not_followed_in_the_clear_where_the_upstream_is_asked_over_tls(
    client_of: ClientOf, fake: Fake
) -> None:
    fake.script = lambda _: told("http://93.184.215.14/it")
    client = client_of(fake.url)
    client._origin = client._origin._replace(scheme="https")

    with pytest.raises(UpstreamChanged, match="is none"):
        fetched(client, a_file())


def test_of_the_upstreams_own_host_only_its_own_port_is_trusted(
    client_of: ClientOf, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ["10.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (one, 0)) for one in found])
    client = client_of(fake.url)
    client._origin = client._origin._replace(scheme="https", netloc="upstream.example")

    assert client._address_of("upstream.example", 443) == "upstream.example"
    for host, port in (("upstream.example", 6379), ("elsewhere.example", 443)):
        with pytest.raises(UpstreamChanged, match="not public"):
            client._address_of(host, port)
    found[:] = ["93.184.215.14", "10.0.0.1"]  # one that is public does not make up for the other
    with pytest.raises(UpstreamChanged, match="not public"):
        client._address_of("elsewhere.example", 443)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
])  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(UpstreamChanged, match="not public"):
        public_address(address, 443)


def test_a_public_address_is_connected_at_as_it_is() -> None:
    assert public_address("93.184.215.14", 443) == "93.184.215.14"


def test_a_redirect_is_not_followed_and_a_flood_is_cut(client_of: ClientOf, fake: Fake) -> None:
    held = a_file(f"{fake.url}/it", expires_at=NOW + timedelta(minutes=1))
    fake.script = lambda _: answer(b"", "302 Found", location="http://169.254.169.254/")
    with pytest.raises(TryLater, match="status 302"):
        fetched(client_of(fake.url), held)

    fake.script = lambda _: answer(b"x" * (33 * 1024 * 1024), content_type="application/pdf")
    with pytest.raises(UpstreamChanged, match="more than"):
        fetched(client_of(fake.url), held)


def test_the_link_is_in_no_log_and_no_sentence(
    client_of: ClientOf, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    noted = notes.Notes()
    client = client_of(fake.url)
    fake.script = lambda asked: (
        answer(b"no", "500 Oh") if "it" in asked.line.split()[1] else told(f"{fake.url}/it?signature=secret")
    )

    with caplog.at_level(logging.DEBUG), notes.noting(noted), pytest.raises(ProductError) as raised:
        fetched(client, a_file())

    [call] = noted.take()  # the file was asked for; its link is as good as itself
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("comptoir")]  # others are not written
    assert "secret" not in f"{call} {raised.value} {ours}"

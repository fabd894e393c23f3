"""What a server may do to the client, and where a token may go: over real sockets."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sync.house import HastyClock
from tests.upstream.conftest import ClientOf, a_connection
from tests.upstream.fake import Asked, Fake, answer, faking

import comptoir
from comptoir.errors import (
    InvalidInput,
    NotSupported,
    PermissionsLacking,
    ProductError,
    RelinkRequired,
    TryLater,
    UpstreamChanged,
)
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store.connections import Connection
from comptoir.upstream import Client, FixedToken

TOKEN = "token-of-tests"
INVOICES = FREEAGENT.resource("invoices")
CONTACTS = FREEAGENT.resource("contacts")
COMPANY = b'{"company": {"name": "Toft"}}'


def _get(client: Client, path: str = "/invoices") -> int:
    return client.get(a_connection(), path, (), FixedToken(TOKEN), INVOICES).status


class Renewed:
    """Tokens that can be renewed any number of times; counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def access_token(self, connection: Connection) -> str:
        return f"{TOKEN}-{self.times}"

    def refreshed(self, connection: Connection, refused: str) -> str:
        assert refused == f"{TOKEN}-{self.times}"
        self.times += 1
        return self.access_token(connection)

    def worked(self, connection: Connection, token: str) -> None:
        return


def _with_token(asked: Asked) -> bool:
    return TOKEN in str(asked.headers) + asked.line


# Who asks, and where a token goes


def test_every_call_names_us_and_carries_the_token_in_its_header_only(fake: Fake, client_of: ClientOf) -> None:
    assert _get(client_of(fake.url)) == 200

    [asked] = fake.asked
    assert asked.headers["user-agent"] == f"Comptoir/{comptoir.__version__}"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in asked.line


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_never_followed_with_the_token_to_another_host(
    fake: Fake, client_of: ClientOf, status: str
) -> None:
    with faking() as other:
        fake.script = lambda _: answer(b"", status, location=f"{other.url}/v2/invoices")

        with pytest.raises(UpstreamChanged, match="redirects"):
            _get(client_of(fake.url))

        assert other.asked == []


def test_a_link_header_to_another_host_says_only_that_there_is_more(fake: Fake, client_of: ClientOf) -> None:
    with faking() as other:
        fake.script = lambda _: answer(b'{"invoices": []}', link=f'<{other.url}/v2/invoices?page=2>; rel="next"')
        reader = client_of(fake.url).reader(a_connection(), FixedToken(TOKEN))

        assert reader.page(INVOICES, 1).has_next
        reader.page(INVOICES, 2)

        assert other.asked == []
    assert "page=2" in fake.asked[1].line


def test_a_page_may_be_as_old_as_its_question(fake: Fake, client_of: ClientOf) -> None:
    def slowly(_: object) -> bytes:
        time.sleep(1.2)
        return answer(b'{"invoices": []}', date="Fri, 27 Nov 2026 09:45:07 GMT")

    fake.script = slowly
    page = client_of(fake.url).reader(a_connection(), FixedToken(TOKEN)).page(INVOICES, 1)

    assert page.made_after is not None
    assert page.made_after <= datetime(2026, 11, 27, 9, 45, 5, 800_000, tzinfo=UTC)


@pytest.mark.parametrize("record", ["../../company", "http://evil.example/x", "1?x=1", "1#x", "a\nb", "é", "1/2"])
def test_an_id_from_a_record_stays_within_its_list(fake: Fake, client_of: ClientOf, record: str) -> None:
    reader = client_of(fake.url).reader(a_connection(), FixedToken(TOKEN))

    assert reader.record(INVOICES, record) is not None

    path = fake.asked[0].line.split(" ")[1]
    assert path.startswith("/v2/invoices/")
    assert not set(path.removeprefix("/v2/invoices/")) & set("/?#\n")


def test_what_the_upstream_hands_to_one_connection_is_not_sent_for_another(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: answer(COMPANY, set_cookie="session=of-the-first; Path=/")
    client = client_of(fake.url)

    for id_ in ("first", "second"):
        client.get(a_connection(id_), "/company", (), FixedToken(TOKEN))

    assert [asked.headers.get("cookie") for asked in fake.asked] == [None, None]


def test_proxies_of_the_environment_get_no_token(
    fake: Fake, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faking() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)

        assert _get(client_of(fake.url)) == 200

        assert proxy.asked == []


@pytest.mark.parametrize("token", ["", "a b", "a\nX: 1", "é", "a" * 9000])
def test_what_cannot_be_a_token_is_never_sent(token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        FixedToken(token)

    assert not token or token not in caught.value.message


# No answer, or none that counts


_NONE: dict[str, Any] = {
    "a page of HTML": answer(b"<html>Sorry</html>", content_type="text/html"),
    "nothing": answer(b""),
    "blanks": answer(b" \n"),
    "no content type": answer(COMPANY, content_type=""),
    "another content type": answer(COMPANY, content_type="text/plain"),
    "a cut body": answer(COMPANY, content_length="5000"),
    "a cut chunk": answer(b"ff\r\n{", content_length="", transfer_encoding="chunked"),
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "headers without end": answer(COMPANY, x_long="y" * 200_000),
    "hung up": b"",
    "broken gzip": answer(b"this is not gzip", content_encoding="gzip"),
    "500": answer(b"", "500 Oops"),
    "502 in HTML": answer(b"<html>", "502 Bad Gateway", content_type="text/html"),
    "503 with a time": answer(b"", "503 Busy", retry_after="120"),
    "504": answer(b"", "504 Gateway Timeout"),
}


@pytest.mark.parametrize("fault", _NONE)
def test_what_is_no_answer_is_tried_three_times_more_and_then_left_for_later(
    fake: Fake, client_of: ClientOf, clock: HastyClock, fault: str
) -> None:
    fake.script = lambda _: _NONE[fault]

    with pytest.raises(TryLater) as caught:
        _get(client_of(fake.url))

    assert len(fake.asked) == 4
    assert 21 * 0.9 <= clock.waited <= 21 * 1.1  # 1, 4 and 16 seconds
    assert TOKEN not in str(caught.value)


def test_what_passes_is_got_over_in_the_same_call(fake: Fake, client_of: ClientOf) -> None:
    faults = iter([b"", answer(b"", "503 Busy"), answer(b"<html>", content_type="text/html"), answer(COMPANY)])
    fake.script = lambda _: next(faults)

    assert _get(client_of(fake.url)) == 200


def test_a_server_that_is_not_there_is_left_for_later(client_of: ClientOf) -> None:
    with faking() as gone:
        url = gone.url

    with pytest.raises(TryLater, match="could not be reached"):
        _get(client_of(url))


def test_a_content_type_is_read_in_any_case(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: answer(COMPANY, content_type="Application/JSON; Charset=UTF-8")

    assert _get(client_of(fake.url)) == 200


# Bounds


def test_silence_is_given_up_after_the_idle_deadline(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: [60.0]
    began = time.monotonic()

    with pytest.raises(TryLater, match="did not answer in time"):
        _get(client_of(fake.url, idle_seconds=0.1))

    assert time.monotonic() - began < 30


@pytest.mark.parametrize("where", ["headers", "body"])
def test_an_answer_that_drips_is_given_up_after_the_whole_deadline(fake: Fake, client_of: ClientOf, where: str) -> None:
    """Something comes all the time, so the answer is never idle, and never ends."""

    def drip(_: Asked) -> Iterator[bytes | float]:
        yield b"HTTP/1.1 200 OK\r\n" if where == "headers" else answer(content_length="100000")
        for number in range(3000):
            yield 0.02
            yield f"x-{number}: y\r\n".encode() if where == "headers" else b"{"

    fake.script = drip
    began = time.monotonic()

    with pytest.raises(TryLater, match="did not answer in time"):
        _get(client_of(fake.url, whole_seconds=0.2))

    assert time.monotonic() - began < 30


def test_a_body_is_bounded_after_it_is_unpacked(fake: Fake, client_of: ClientOf) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    assert len(bomb) < 100_000
    fake.script = lambda _: answer(bomb, content_encoding="gzip")

    with pytest.raises(UpstreamChanged, match="more than 1000000 bytes"):
        _get(client_of(fake.url, largest_body=1_000_000))

    assert len(fake.asked) == 1


def test_a_packed_body_within_bounds_is_read(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: answer(gzip.compress(COMPANY), content_encoding="gzip")

    assert client_of(fake.url).get(a_connection(), "/company", (), FixedToken(TOKEN)).body == COMPANY


# Refusals


def test_a_refused_token_is_renewed_once_and_the_call_repeated(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda asked: answer(COMPANY) if asked.headers["authorization"].endswith("-1") else _unauthorized()
    tokens = Renewed()

    assert client_of(fake.url).get(a_connection(), "/company", (), tokens).status == 200

    assert tokens.times == 1
    assert len(fake.asked) == 2


def test_a_token_refused_twice_ends_it_and_is_no_loop(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: _unauthorized()
    tokens = Renewed()

    with pytest.raises(RelinkRequired):
        client_of(fake.url).get(a_connection(), "/company", (), tokens)

    assert tokens.times == 1
    assert len(fake.asked) == 2


def _unauthorized() -> bytes:
    return answer(b'{"errors":{"error":{"message":"Access token not recognised"}}}', "401 Unauthorized")


@pytest.mark.parametrize(
    ("status", "error"),
    [("403 Forbidden", PermissionsLacking), ("404 Not Found", NotSupported), ("422 No", InvalidInput)],
)
def test_a_plain_refusal_is_not_tried_again(
    fake: Fake, client_of: ClientOf, status: str, error: type[ProductError]
) -> None:
    fake.script = lambda _: answer(b'{"errors":[{"message":"Not for you"}]}', status)

    with pytest.raises(error):
        _get(client_of(fake.url))

    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"invoices": ' + b"[" * 200_000,
        b'{"invoices": {}}',
        b'{"invoices": null}',
        b'{"invoices": [{"url": "\xff\xfe"}',
        b"[]",
        b"null",
        b'"invoices"',
        b'{"contacts": []}',
        b"{}",
        b"\xef\xbb\xbf{}",
    ],
)
def test_an_unreadable_page_is_never_taken_for_an_empty_one(fake: Fake, client_of: ClientOf, body: bytes) -> None:
    fake.script = lambda _: answer(body)
    reader = client_of(fake.url).reader(a_connection(), FixedToken(TOKEN))

    with pytest.raises((UpstreamChanged, TryLater)):
        reader.page(INVOICES, 1)


@pytest.mark.parametrize("total", ["-1", "many", "²", "1e3", "9" * 400, "99999999999", ""])
def test_a_total_that_cannot_be_true_is_left_aside(fake: Fake, client_of: ClientOf, total: str) -> None:
    fake.script = lambda _: answer(b'{"invoices": []}', x_total_count=total)
    reader = client_of(fake.url).reader(a_connection(), FixedToken(TOKEN))

    assert reader.page(INVOICES, 1).total is None


@pytest.mark.parametrize("date", ["yesterday", "Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:60 GMT", "²"])
def test_a_date_that_cannot_be_read_is_left_aside(fake: Fake, client_of: ClientOf, date: str) -> None:
    fake.script = lambda _: answer(b'{"invoices": []}', date=date)
    reader = client_of(fake.url).reader(a_connection(), FixedToken(TOKEN))

    assert reader.page(INVOICES, 1).records == []


def test_closing_wakes_whoever_waits_for_an_answer(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: [60.0]
    client = client_of(fake.url)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(_get, client)
        while not fake.asked:
            pass
        began = time.monotonic()

        client.close()

        with pytest.raises(TryLater):
            waiting.result()
        assert time.monotonic() - began < 30
    assert len(fake.asked) == 1
    with pytest.raises(TryLater, match="being stopped"):
        _get(client)
